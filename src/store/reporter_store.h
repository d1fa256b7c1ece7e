/* Who may report on a call without an API key: its dialer, and who has the call's token. */
#ifndef STORE_REPORTER_STORE_H
#define STORE_REPORTER_STORE_H

#include "store/db.h"

/* The endpoint where a call was placed. */
struct reporter {
	int64_t nth; /* of the calls that were asked for */
	int64_t endpoint, organization_id;
	struct uuid endpoint_id;
	struct bytes secret; /* sealed */
};

/* In the order of `ids`; calls that are not there, or whose agent has no dialer any more, have none. */
enum db_result reporters_find(struct db *db, const struct uuid *ids, size_t count, struct arena *arena,
                              struct reporter **out, size_t *out_count);

/* DB_NOT_FOUND: no such call. ended_at_us: INSTANT_NONE while it is under way. */
enum db_result reported_call_find(struct db *db, const struct uuid *id, struct arena *arena,
                                  int64_t *organization_id, int64_t *ended_at_us);

#endif
