#include "store/agent_store.h"

#include "domain/batch.h"
#include "store/columns.h"
#include "store/statements.h"

#define OF_AGENT(kind, name, member) kind##_AS(struct agent, name, member),
COLUMNS(agent_saved, struct agent, AGENT_TABLE(OF_AGENT));
#define AGENT_MEMBERS \
	AGENT_TABLE(OF_AGENT) \
	COLUMN(struct agent, id), COLUMN(struct agent, uuid), COLUMN(struct agent, webhook_id), \
		INSTANT(struct agent, created_at)
COLUMNS(agent_columns, struct agent, AGENT_MEMBERS);
COLUMNS(agent_shown_columns, struct agent, AGENT_MEMBERS, COLUMN(struct agent, campaigns));

static enum db_result get(struct db *db, enum sql_statement statement, int64_t organization_id, const struct uuid *uuid,
                          struct arena *arena, struct agent *out)
{
	return DB_GET(db, statement, DB_ARGS(db_uuid(uuid), db_int(organization_id)), arena, struct agent, out);
}

enum db_result agent_get(struct db *db, int64_t organization_id, const struct uuid *uuid, struct arena *arena,
                         struct agent *out)
{
	return get(db, SQL_AGENT_SHOW, organization_id, uuid, arena, out);
}

enum db_result agent_find_row(struct db *db, int64_t organization_id, const struct uuid *uuid, struct arena *arena,
                              int64_t *row)
{
	struct db_rows rows;

	*row = 0;
	if (uuid_is_nil(uuid))
		return DB_OK;
	DB_TRY(db_query(db, SQL_AGENT_FIND,
	                DB_ARGS(db_uuid(uuid), db_int(organization_id), db_uuid(uuid), db_int(organization_id)), arena,
	                &rows));
	if (rows.count == 0)
		return DB_NOT_FOUND;
	*row = db_get_int(&rows, 0, 0);
	return DB_OK;
}

/* Two statements, because the second reads a row of another table, which must stay unlocked. */
static enum db_result lock_and_get(struct db *db, enum sql_statement lock, enum sql_statement statement,
                                   int64_t organization_id, const struct uuid *uuid, struct arena *arena,
                                   struct agent *out)
{
	struct db_rows rows;

	DB_TRY(db_query(db, lock, DB_ARGS(db_uuid(uuid), db_int(organization_id)), arena, &rows));
	if (rows.count == 0)
		return DB_NOT_FOUND;
	DB_TRY(db_guard(db, GUARD_AGENT, db_get_int(&rows, 0, 0)));
	return get(db, statement, organization_id, uuid, arena, out);
}

enum db_result agent_lock(struct db *db, int64_t organization_id, const struct uuid *uuid, struct arena *arena,
                          struct agent *out)
{
	return lock_and_get(db, SQL_AGENT_LOCK, SQL_AGENT_SHOW, organization_id, uuid, arena, out);
}

enum db_result agent_lock_shared(struct db *db, int64_t organization_id, const struct uuid *uuid, struct arena *arena,
                                 struct agent *out)
{
	return lock_and_get(db, SQL_AGENT_LOCK_SHARED, SQL_AGENT_GET, organization_id, uuid, arena, out);
}

enum db_result agent_lock_found(struct db *db, int64_t organization_id, const struct uuid *uuid, struct arena *arena,
                                int64_t *row, enum agent_status *status)
{
	struct db_rows rows;

	DB_TRY(db_query(db, SQL_AGENT_LOCK_SHARED, DB_ARGS(db_uuid(uuid), db_int(organization_id)), arena, &rows));
	if (rows.count == 0)
		return DB_NOT_FOUND;
	*row = db_get_int(&rows, 0, 0);
	*status = (enum agent_status)db_get_int(&rows, 0, 1);
	return db_guard(db, GUARD_AGENT, *row);
}

enum db_result agent_lock_status(struct db *db, int64_t row, enum agent_status *status)
{
	struct arena *arena = arena_new();
	struct db_rows rows;
	enum db_result result = db_query(db, SQL_AGENT_LOCK_ROW_SHARED, DB_ARGS(db_int(row)), arena, &rows);

	if (result == DB_OK && rows.count == 0)
		result = DB_NOT_FOUND;
	if (result == DB_OK)
		*status = (enum agent_status)db_get_int(&rows, 0, 0);
	arena_free(arena);
	return result == DB_OK ? db_guard(db, GUARD_AGENT, row) : result;
}

enum db_result agent_list(struct db *db, int64_t organization_id, const struct agent_filter *filter,
                          const struct page *page, struct arena *arena, struct listing *out)
{
	struct db_value organization = db_int(organization_id);
	struct db_value status = db_int(filter->status), name = db_text(filter->name);

	DB_TRY(page_query(db, SQL_AGENT_LIST,
	                  DB_ARGS(organization, status, status, name, name, page_below(page), page_rows(page),
	                          page_offset(page)),
	                  page, arena, out));
	return page_count(db, SQL_AGENT_COUNT, DB_ARGS(organization, status, status, name, name), arena, out);
}

enum db_result agent_insert(struct db *db, int64_t organization_id, struct agent *agent, int64_t webhook_row)
{
	DB_TRY(db_exec(db, SQL_AGENT_INSERT,
	               DB_ARGS(db_uuid(&agent->uuid), db_int(organization_id), db_int(webhook_row),
	                       db_instant(agent->created_at_us), db_members(&agent_saved, agent))));
	agent->id = db_insert_id(db);
	return DB_OK;
}

enum db_result agent_update(struct db *db, const struct agent *agent, int64_t webhook_row)
{
	return db_exec(db, SQL_AGENT_UPDATE,
	               DB_ARGS(db_int(webhook_row), db_members(&agent_saved, agent), db_int(agent->id)));
}

enum db_result agent_delete(struct db *db, int64_t organization_id, const struct agent *agent)
{
	struct db_value id = db_int(agent->id);

	DB_TRY(db_exec(db, SQL_AGENT_UNASSIGN_OUTBOUND, DB_ARGS(id)));
	DB_TRY(db_exec(db, SQL_AGENT_UNASSIGN_INBOUND, DB_ARGS(db_int(organization_id), id)));
	DB_TRY(db_exec(db, SQL_AGENT_REMEMBER, DB_ARGS(id)));
	return db_exec(db, SQL_AGENT_DELETE, DB_ARGS(id));
}

enum db_result agent_is_used(struct db *db, int64_t organization_id, const struct agent *agent, bool *used)
{
	int64_t campaign;
	enum db_result result = db_query_int(db, SQL_AGENT_USED,
	                                     DB_ARGS(db_int(organization_id), db_int(agent->id), db_int(BATCH_SCHEDULED),
	                                             db_int(BATCH_ACTIVE), db_int(BATCH_PAUSED)),
	                                     &campaign);

	*used = result == DB_OK;
	return result == DB_NOT_FOUND ? DB_OK : result;
}
