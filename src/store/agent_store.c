#include "store/agent_store.h"

#include "domain/batch.h"
#include "store/statements.h"

static struct agent agent_from_row(const struct db_rows *rows, size_t r)
{
	return (struct agent){
		.id = db_get_int(rows, r, 0),
		.uuid = db_get_uuid(rows, r, 1),
		.name = db_get_text(rows, r, 2),
		.description = db_get_text(rows, r, 3),
		.voice_id = db_get_text(rows, r, 4),
		.system_prompt = db_get_text(rows, r, 5),
		.greeting = db_get_text(rows, r, 6),
		.language_hint = db_get_text(rows, r, 7),
		.settings = db_get_text(rows, r, 8),
		.max_call_duration_seconds = db_get_int(rows, r, 9),
		.webhook_id = db_get_uuid(rows, r, 10),
		.status = (enum agent_status)db_get_int(rows, r, 11),
		.status_reason = db_get_text(rows, r, 12),
		.created_at_us = db_get_int(rows, r, 13),
		.updated_at_us = db_get_int(rows, r, 14),
	};
}

enum db_result agent_get(struct db *db, int64_t organization_id, const struct uuid *uuid,
                         struct arena *arena, struct agent *out)
{
	struct db_rows rows;

	DB_TRY(db_query(db, SQL_AGENT_GET, DB_ARGS(db_uuid(uuid), db_int(organization_id)), arena,
	                &rows));
	if (rows.count == 0)
		return DB_NOT_FOUND;
	*out = agent_from_row(&rows, 0);
	return DB_OK;
}

enum db_result agent_find_row(struct db *db, int64_t organization_id, const struct uuid *uuid,
                              struct arena *arena, int64_t *row)
{
	struct db_rows rows;

	*row = 0;
	if (uuid_is_nil(uuid))
		return DB_OK;
	DB_TRY(db_query(db, SQL_AGENT_FIND, DB_ARGS(db_uuid(uuid), db_int(organization_id)), arena, &rows));
	if (rows.count == 0)
		return DB_NOT_FOUND;
	*row = db_get_int(&rows, 0, 0);
	return DB_OK;
}

/* Two statements, because the second reads a row of another table that must stay unlocked. */
static enum db_result lock_and_get(struct db *db, enum sql_statement lock, int64_t organization_id,
                                   const struct uuid *uuid, struct arena *arena, struct agent *out)
{
	struct db_rows rows;

	DB_TRY(db_query(db, lock, DB_ARGS(db_uuid(uuid), db_int(organization_id)), arena, &rows));
	return agent_get(db, organization_id, uuid, arena, out);
}

enum db_result agent_lock(struct db *db, int64_t organization_id, const struct uuid *uuid,
                          struct arena *arena, struct agent *out)
{
	return lock_and_get(db, SQL_AGENT_LOCK, organization_id, uuid, arena, out);
}

enum db_result agent_lock_shared(struct db *db, int64_t organization_id, const struct uuid *uuid,
                                 struct arena *arena, struct agent *out)
{
	return lock_and_get(db, SQL_AGENT_LOCK_SHARED, organization_id, uuid, arena, out);
}

enum db_result agent_list(struct db *db, int64_t organization_id, const struct agent_filter *filter,
                          const struct page *page, struct arena *arena, struct listing *out)
{
	struct db_value organization = db_int(organization_id);
	struct db_value status = db_int(filter->status), name = db_text(filter->name);
	struct db_rows rows;
	struct agent *items;

	DB_TRY(db_query(db, SQL_AGENT_LIST,
	                DB_ARGS(organization, status, status, name, name, page_below(page), page_rows(page),
	                        page_offset(page)),
	                arena, &rows));
	items = arena_alloc(arena, rows.count * sizeof *items);
	for (size_t r = 0; r < rows.count; r++)
		items[r] = agent_from_row(&rows, r);
	page_fill(out, page, items, rows.count, sizeof *items);
	if (out->count != 0)
		out->last.id = items[out->count - 1].id;
	return page_count(db, SQL_AGENT_COUNT, DB_ARGS(organization, status, status, name, name), arena, out);
}

enum db_result agent_insert(struct db *db, int64_t organization_id, struct agent *agent,
                            int64_t webhook_row)
{
	DB_TRY(db_exec(db, SQL_AGENT_INSERT,
	               DB_ARGS(db_uuid(&agent->uuid), db_int(organization_id), db_text(agent->name),
	                       db_text(agent->description), db_text(agent->voice_id),
	                       db_text(agent->system_prompt), db_text(agent->greeting),
	                       db_text(agent->language_hint), db_text(agent->settings),
	                       db_int(agent->max_call_duration_seconds), db_int(webhook_row),
	                       db_int(agent->status),
	                       db_text(agent->status_reason), db_instant(agent->created_at_us),
	                       db_instant(agent->updated_at_us))));
	agent->id = db_insert_id(db);
	return DB_OK;
}

enum db_result agent_update(struct db *db, const struct agent *agent, int64_t webhook_row)
{
	return db_exec(db, SQL_AGENT_UPDATE,
	               DB_ARGS(db_text(agent->name), db_text(agent->description),
	                       db_text(agent->voice_id),
	                       db_text(agent->system_prompt), db_text(agent->greeting),
	                       db_text(agent->language_hint), db_text(agent->settings),
	                       db_int(agent->max_call_duration_seconds), db_int(webhook_row),
	                       db_int(agent->status), db_text(agent->status_reason),
	                       db_instant(agent->updated_at_us), db_int(agent->id)));
}

enum db_result agent_delete(struct db *db, int64_t organization_id, const struct agent *agent)
{
	struct db_value id = db_int(agent->id);

	DB_TRY(db_exec(db, SQL_AGENT_UNASSIGN_OUTBOUND, DB_ARGS(id)));
	DB_TRY(db_exec(db, SQL_AGENT_UNASSIGN_INBOUND, DB_ARGS(db_int(organization_id), id)));
	return db_exec(db, SQL_AGENT_DELETE, DB_ARGS(id));
}

enum db_result agent_is_used(struct db *db, int64_t organization_id, const struct agent *agent,
                             bool *used)
{
	struct arena *arena = arena_new();
	struct db_rows rows;
	enum db_result result = db_query(
		db, SQL_AGENT_USED,
		DB_ARGS(db_int(organization_id), db_int(agent->id), db_int(BATCH_SCHEDULED),
		        db_int(BATCH_ACTIVE), db_int(BATCH_PAUSED)), arena, &rows);

	*used = rows.count > 0;
	arena_free(arena);
	return result;
}
