/* Sums over the calls of a campaign. They are updated whenever calls end, so reading them costs the same for ten
 * calls as for a million. */
#ifndef STORE_ANALYTICS_STORE_H
#define STORE_ANALYTICS_STORE_H

#include "domain/analytics.h"
#include "store/db.h"

struct ended_call {
	int64_t batch_id;
	enum call_status status;
	int64_t called_at_us, duration_seconds, cost_ten_thousandths; /* -1: not reported */
	const char *outcome, *end_reason;                             /* "": not reported */
};

/* Adds calls, inside the transaction that ends them. Many transactions lock the same rows, so call it near the end. */
enum db_result analytics_add(struct db *db, const struct ended_call *calls, size_t count);

/* Reads the quarters in ascending order, into the arena. */
enum db_result analytics_quarters(struct db *db, int64_t batch_id, struct arena *arena, const struct quarter **quarters,
                                  size_t *count);

enum db_result analytics_tallies(struct db *db, int64_t batch_id, struct tallies *out);

/* Reads the outcomes or end reasons that dialers reported, and how many calls ended with each. The most frequent text
 * comes first. */
enum reason_kind { REASON_OUTCOME, REASON_END_REASON };
struct reason {
	const char *text;
	int64_t calls;
};
enum db_result analytics_reasons(struct db *db, int64_t batch_id, enum reason_kind kind, struct arena *arena,
                                 const struct reason **reasons, size_t *count);

#endif
