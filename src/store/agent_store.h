/* Agents. Strings and lists live in the arena. */
#ifndef STORE_AGENT_STORE_H
#define STORE_AGENT_STORE_H

#include "domain/agent.h"
#include "store/db.h"
#include "store/page.h"

/* DB_NOT_FOUND: no such agent in this organisation. */
enum db_result agent_get(struct db *db, int64_t organization_id, const struct uuid *uuid,
                         struct arena *arena, struct agent *out);

/* Its internal key alone: *row. 0 for the nil id. */
enum db_result agent_find_row(struct db *db, int64_t organization_id, const struct uuid *uuid,
                              struct arena *arena, int64_t *row);

/* As agent_get; the row stays until the transaction ends: unchanged, or as it is. */
enum db_result agent_lock(struct db *db, int64_t organization_id, const struct uuid *uuid,
                          struct arena *arena, struct agent *out);
enum db_result agent_lock_shared(struct db *db, int64_t organization_id, const struct uuid *uuid,
                                 struct arena *arena, struct agent *out);

/* By its internal key: the status alone, and the row stays as it is until the transaction ends. DB_NOT_FOUND: it was
 * deleted. */
enum db_result agent_lock_status(struct db *db, int64_t row, enum agent_status *status);

struct agent_filter {
	int status;       /* -1: any */
	const char *name; /* a part of it, in any case; "": any */
};
enum db_result agent_list(struct db *db, int64_t organization_id, const struct agent_filter *filter,
                          const struct page *page, struct arena *arena,
                          struct listing *out); /* of struct agent */

/* webhook_row: the internal key of agent->webhook_id; 0: none. agent_insert sets id. */
enum db_result agent_insert(struct db *db, int64_t organization_id, struct agent *agent,
                            int64_t webhook_row);
enum db_result agent_update(struct db *db, const struct agent *agent, int64_t webhook_row);

/* Its numbers become unassigned. */
enum db_result agent_delete(struct db *db, int64_t organization_id, const struct agent *agent);

/* Whether a campaign that is scheduled, active or paused calls with it. */
enum db_result agent_is_used(struct db *db, int64_t organization_id, const struct agent *agent,
                             bool *used);

#endif
