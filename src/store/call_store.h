/* Calls for reading. engine/claim.c and engine/report.c change them. */
#ifndef STORE_CALL_STORE_H
#define STORE_CALL_STORE_H

#include "domain/call_json.h"
#include "store/constants.h"
#include "store/db.h"
#include "store/page.h"

/* Returns DB_NOT_FOUND if this organisation has no such call. */
enum db_result call_get(struct db *db, int64_t organization_id, const struct uuid *id, struct arena *arena,
                        struct call *out);

/* Reads the calls with these ids that exist, in any order. `count` is the number of ids, then of calls. */
enum db_result calls_load(struct db *db, const struct uuid *ids, size_t *count, struct arena *arena,
                          const struct call **out);

/* A call outside of any campaign: it is queued, and a scheduler dispatches it at once. */
struct single_call {
	struct uuid id;
	int64_t number_row; /* row of from_number if it has a pace; 0: it has none */
	int64_t organization_id, agent_row, max_seconds, expires_at_us, now_us;
	const char *to_number, *from_number;
	const char *variables, *call_settings; /* JSON objects */
};
enum db_result call_insert_single(struct db *db, const struct single_call *call);

/* Sets the number from which a single call is made: `wanted` if it belongs to the organisation, or one of the agent's
 * outbound numbers if `wanted` is "". DB_NOT_FOUND: there is none. */
enum db_result call_from_number(struct db *db, const char *wanted, struct arena *arena, struct single_call *call);

/* Counts the calls from a number that were created since an instant, by enum call_status, calls in flight included:
 * only the latest CALLS_TALLIED_MAX. */
enum db_result call_tally_from(struct db *db, int64_t organization_id, const char *from_number, int64_t since_us,
                               int64_t counts[CALL_STATUS__MAX]);

/* Counts the calls of a campaign in the same way, by the numbers from which they were made, in the order of the
 * numbers. */
struct number_tally {
	const char *from_number;
	int64_t counts[CALL_STATUS__MAX];
};
enum db_result call_tally_of_campaign(struct db *db, int64_t batch_id, struct arena *arena,
                                      struct number_tally **tallies, size_t *count);

struct call_filter {
	unsigned statuses; /* bit set of enum call_status */
	/* also calls that have not ended and do not wait in the plan; if neither is set: calls in any state */
	bool in_flight;
	struct uuid agent_id, batch_id;      /* nil: any */
	const char *to_number, *from_number; /* "": any */
	int64_t after_us, before_us;         /* created in [after, before); INSTANT_NONE, INSTANT_NEVER: any */
};
/* Lists struct call, newest first. DB_NOT_FOUND: the agent or the campaign does not exist. */
enum db_result call_list(struct db *db, int64_t organization_id, const struct call_filter *filter,
                         const struct page *page, struct arena *arena, struct listing *out);

#endif
