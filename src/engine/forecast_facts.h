/* Facts that a forecast needs besides the campaign. Nothing is locked. */
#ifndef ENGINE_FORECAST_FACTS_H
#define ENGINE_FORECAST_FACTS_H

#include "domain/forecast.h"
#include "store/db.h"

#define NEVER_CALLED_POSITIONS 10

/* Contacts that are skipped, or would be skipped at their turn. */
struct never_called {
	size_t count;
	struct {
		enum skip_reason reason;
		int64_t contacts, positions[NEVER_CALLED_POSITIONS]; /* the first of them */
		int position_count;
	} list[SKIP_REASON__MAX];
};
enum db_result forecast_never_called(struct db *db, const struct batch *batch, struct arena *arena,
                                     struct never_called *out);

/* Finds the shortest time between two calls that the paces of the campaign's numbers allow together. 0: no pace. */
enum db_result forecast_numbers_gap(struct db *db, const struct batch *batch, int64_t now_us, struct arena *arena,
                                    int64_t *gap_us);

/* Compares the present plan with the plan of `changed`, which begins where planning would begin. If there is no present
 * plan, a plan from now on is compared. */
enum db_result forecast_move(struct db *db, const struct batch *changed, int64_t now_us, struct arena *arena,
                             struct plan_shift *out);

#endif
