#include "store/webhook_store.h"

#include "store/statements.h"

static struct webhook webhook_from_row(const struct db_rows *rows, size_t r)
{
	const struct db_value *secret = db_get(rows, r, 5);

	return (struct webhook){
		.id = db_get_int(rows, r, 0),
		.uuid = db_get_uuid(rows, r, 1),
		.url = db_get_text(rows, r, 2),
		.description = db_get_text(rows, r, 3),
		.events = (unsigned)db_get_int(rows, r, 4),
		.secret = { secret->data, secret->len },
		.disabled = db_get_int(rows, r, 6) != 0,
		.disabled_reason = db_get_text(rows, r, 7),
		.created_at_us = db_get_int(rows, r, 8),
		.updated_at_us = db_get_int(rows, r, 9),
	};
}

static enum db_result get(struct db *db, enum sql_statement statement, int64_t organization_id,
                          const struct uuid *uuid, struct arena *arena, struct webhook *out)
{
	struct db_rows rows;

	DB_TRY(db_query(db, statement, DB_ARGS(db_uuid(uuid), db_int(organization_id)), arena, &rows));
	if (rows.count == 0)
		return DB_NOT_FOUND;
	*out = webhook_from_row(&rows, 0);
	return DB_OK;
}

enum db_result webhook_get(struct db *db, int64_t organization_id, const struct uuid *uuid,
                           struct arena *arena, struct webhook *out)
{
	return get(db, SQL_WEBHOOK_GET, organization_id, uuid, arena, out);
}

enum db_result webhook_lock(struct db *db, int64_t organization_id, const struct uuid *uuid,
                            struct arena *arena, struct webhook *out)
{
	return get(db, SQL_WEBHOOK_LOCK, organization_id, uuid, arena, out);
}

enum db_result webhook_lock_shared(struct db *db, int64_t organization_id, const struct uuid *uuid,
                                   struct arena *arena, struct webhook *out)
{
	return get(db, SQL_WEBHOOK_LOCK_SHARED, organization_id, uuid, arena, out);
}

static enum db_result count_rows(struct db *db, enum sql_statement statement, int64_t id,
                                 struct arena *arena, int64_t *count)
{
	struct db_rows rows;

	DB_TRY(db_query(db, statement, DB_ARGS(db_int(id)), arena, &rows));
	*count = db_get_int(&rows, 0, 0);
	return DB_OK;
}

enum db_result webhook_list(struct db *db, int64_t organization_id, const struct page *page,
                            struct arena *arena, struct listing *out)
{
	struct db_rows rows;
	struct webhook *items;

	DB_TRY(db_query(db, SQL_WEBHOOK_LIST,
	                DB_ARGS(db_int(organization_id), page_below(page), page_rows(page), page_offset(page)),
	                arena, &rows));
	items = arena_alloc(arena, rows.count * sizeof *items);
	for (size_t r = 0; r < rows.count; r++)
		items[r] = webhook_from_row(&rows, r);
	page_fill(out, page, items, rows.count, sizeof *items);
	if (out->count != 0)
		out->last.id = items[out->count - 1].id;
	return page_count(db, SQL_WEBHOOK_COUNT, DB_ARGS(db_int(organization_id)), arena, out);
}

enum db_result webhook_insert(struct db *db, int64_t organization_id, struct webhook *webhook)
{
	DB_TRY(db_exec(db, SQL_WEBHOOK_INSERT,
	               DB_ARGS(db_uuid(&webhook->uuid), db_int(organization_id), db_text(webhook->url),
	                       db_text(webhook->description), db_int(webhook->events),
	                       db_bytes(webhook->secret.data, webhook->secret.len),
	                       db_int(webhook->disabled),
	                       db_text(webhook->disabled_reason), db_instant(webhook->created_at_us),
	                       db_instant(webhook->updated_at_us))));
	webhook->id = db_insert_id(db);
	return DB_OK;
}

enum db_result webhook_update(struct db *db, const struct webhook *webhook)
{
	return db_exec(db, SQL_WEBHOOK_UPDATE,
	               DB_ARGS(db_text(webhook->url), db_text(webhook->description),
	                       db_int(webhook->events),
	                       db_int(webhook->disabled), db_text(webhook->disabled_reason),
	                       db_instant(webhook->updated_at_us), db_int(webhook->id)));
}

enum db_result webhook_renew_secret(struct db *db, const struct webhook *webhook)
{
	return db_exec(db, SQL_WEBHOOK_RENEW_SECRET,
	               DB_ARGS(db_bytes(webhook->secret.data, webhook->secret.len),
	                       db_instant(webhook->updated_at_us), db_int(webhook->id)));
}

enum db_result webhook_delete(struct db *db, const struct webhook *webhook)
{
	DB_TRY(db_exec(db, SQL_WEBHOOK_DELETE_DELIVERIES, DB_ARGS(db_int(webhook->id))));
	return db_exec(db, SQL_WEBHOOK_DELETE, DB_ARGS(db_int(webhook->id)));
}

enum db_result webhook_count_agents(struct db *db, const struct webhook *webhook, int64_t *count)
{
	struct arena *arena = arena_new();
	enum db_result result = count_rows(db, SQL_WEBHOOK_COUNT_AGENTS, webhook->id, arena, count);

	arena_free(arena);
	return result;
}
