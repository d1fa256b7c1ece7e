/* Agents. Strings and lists live in the arena. */
#ifndef STORE_AGENT_STORE_H
#define STORE_AGENT_STORE_H

#include "domain/agent.h"
#include "store/db.h"
#include "store/page.h"

/* Returns DB_NOT_FOUND if this organisation has no such agent. */
enum db_result agent_get(struct db *db, int64_t organization_id, const struct uuid *uuid, struct arena *arena,
                         struct agent *out);

/* Finds only the internal key of an agent: *row. 0 for the nil id. */
enum db_result agent_find_row(struct db *db, int64_t organization_id, const struct uuid *uuid, struct arena *arena,
                              int64_t *row);

/* Like agent_get, and locks the row until the transaction ends: to change it, or to prevent changes. */
enum db_result agent_lock(struct db *db, int64_t organization_id, const struct uuid *uuid, struct arena *arena,
                          struct agent *out);
enum db_result agent_lock_shared(struct db *db, int64_t organization_id, const struct uuid *uuid, struct arena *arena,
                                 struct agent *out);

/* Reads the status of an agent, and locks the row shared until the transaction ends: by its public id, or by its
 * internal key. DB_NOT_FOUND: there is no such agent, or it was deleted. */
enum db_result agent_lock_found(struct db *db, int64_t organization_id, const struct uuid *uuid, struct arena *arena,
                                int64_t *row, enum agent_status *status);
enum db_result agent_lock_status(struct db *db, int64_t row, enum agent_status *status);

struct agent_filter {
	int status;       /* -1: any */
	const char *name; /* a part of the name, ignoring case; "": any */
};
enum db_result agent_list(struct db *db, int64_t organization_id, const struct agent_filter *filter,
                          const struct page *page, struct arena *arena, struct listing *out); /* of struct agent */

/* webhook_row: the internal key of agent->webhook_id; 0: none. agent_insert sets id. */
enum db_result agent_insert(struct db *db, int64_t organization_id, struct agent *agent, int64_t webhook_row);
enum db_result agent_update(struct db *db, const struct agent *agent, int64_t webhook_row);

/* Deletes an agent. Its numbers become unassigned. */
enum db_result agent_delete(struct db *db, int64_t organization_id, const struct agent *agent);

/* Returns whether a campaign that is scheduled, active or paused uses the agent. */
enum db_result agent_is_used(struct db *db, int64_t organization_id, const struct agent *agent, bool *used);

#endif
