/* Calls for reading. What changes them: scheduler/claim.c and store/report_store.c */
#ifndef STORE_CALL_STORE_H
#define STORE_CALL_STORE_H

#include "domain/call_json.h"
#include "store/db.h"
#include "store/page.h"

/* DB_NOT_FOUND: no such call in this organisation. */
enum db_result call_get(struct db *db, int64_t organization_id, const struct uuid *id,
                        struct arena *arena, struct call *out);

/* Those of the ids that there are, in any order; `count`: of the ids, then of the calls. */
enum db_result calls_load(struct db *db, const struct uuid *ids, size_t *count, struct arena *arena,
                          const struct call **out);

/* A call outside of any campaign: queued, and a scheduler's to dispatch at once. */
struct single_call {
	struct uuid id;
	int64_t number_row; /* of from_number if that has a pace; 0: it has none */
	int64_t organization_id, agent_row, max_seconds, expires_at_us, now_us;
	const char *to_number, *from_number;
	const char *variables, *call_settings; /* JSON objects */
};
enum db_result call_insert_single(struct db *db, const struct single_call *call);

/* Sets the number such a call is made from: `wanted` if it is the organisation's, or one of the agent's
 * outbound numbers if `wanted` is "". DB_NOT_FOUND: there is none. */
enum db_result call_from_number(struct db *db, const char *wanted, struct arena *arena, struct single_call *call);

/* How the calls from a number that were created since an instant ended: the latest CALLS_TALLIED_MAX of them. By enum
 * call_status, those in flight too. */
#define CALLS_TALLIED_MAX 10000
enum db_result call_tally_from(struct db *db, int64_t organization_id, const char *from_number, int64_t since_us,
                               int64_t counts[CALL_STATUS__MAX]);

/* The same of a campaign, by the numbers that its calls were made from, in their order. */
struct number_tally {
	const char *from_number;
	int64_t counts[CALL_STATUS__MAX];
};
enum db_result call_tally_of_campaign(struct db *db, int64_t batch_id, struct arena *arena, struct number_tally **tallies,
                                      size_t *count);

struct call_filter {
	unsigned statuses;                    /* bit set of enum call_status */
	bool in_flight; /* also those before their end, without those that wait in the plan; neither: in any state */
	struct uuid agent_id, batch_id;       /* nil: any */
	const char *to_number, *from_number;  /* "": any */
	int64_t after_us, before_us;          /* created in [after, before); INSTANT_NONE, INSTANT_NEVER: any */
};
/* Newest first; of struct call. DB_NOT_FOUND: there is no such agent, or no such campaign. */
enum db_result call_list(struct db *db, int64_t organization_id, const struct call_filter *filter,
                         const struct page *page, struct arena *arena, struct listing *out);

#endif
