/* Who may report on a call without an API key: its dialer, and the holder of the call's token. */
#ifndef STORE_REPORTER_STORE_H
#define STORE_REPORTER_STORE_H

#include "store/db.h"

/* The endpoint of the dialer that placed a call. */
struct reporter {
	int64_t nth; /* which of the given calls */
	int64_t endpoint, organization_id;
	struct uuid endpoint_id;
	struct bytes secret; /* sealed */
};

/* Finds the reporters in the order of `ids`. A call that does not exist, or whose agent has no dialer any more, has
 * none. */
enum db_result reporters_find(struct db *db, const struct uuid *ids, size_t count, struct arena *arena,
                              struct reporter **out, size_t *out_count);

/* Returns DB_NOT_FOUND if there is no such call. ended_at_us: INSTANT_NONE while it is in progress. */
enum db_result reported_call_find(struct db *db, const struct uuid *id, struct arena *arena, int64_t *organization_id,
                                  int64_t *ended_at_us);

#endif
