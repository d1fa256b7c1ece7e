#include "store/webhook_store.h"

#include "base/clock.h"
#include "base/json.h"
#include "base/log.h"
#include "store/event_store.h"
#include "store/health_store.h"
#include "store/statements.h"

#define HEALTH_COLUMN 10

static struct webhook webhook_from_row(const struct db_rows *rows, size_t r)
{
	const struct db_value *secret = db_get(rows, r, 5);
	bool with_health = rows->columns > HEALTH_COLUMN;

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
		.health = with_health ? health_from_row(rows, r, HEALTH_COLUMN) : health_initial,
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
	struct health_wake wake = { webhook->id, clock_now_us() };

	DB_TRY(db_exec(db, SQL_WEBHOOK_DELETE, DB_ARGS(db_int(webhook->id))));
	return health_wake(db, HEALTH_ANY, &wake, 1);
}

static enum db_result publish_switched_off(struct db *db, const struct db_rows *row, const char *reason,
                                           int64_t now_us)
{
	struct uuid uuid = db_get_uuid(row, 0, 0);
	struct buf data = { 0 };
	struct json json = json_to(&data);
	enum db_result result;

	json_begin_object(&json, NULL);
	json_id(&json, "webhook_id", &uuid);
	json_add_string(&json, "url", db_get_text(row, 0, 2));
	json_add_string(&json, "reason", reason);
	json_instant(&json, "disabled_at", now_us);
	json_end(&json);
	result = event_publish(db, db_get_int(row, 0, 1), EVENT_WEBHOOK_DISABLED, data.data, now_us);
	buf_free(&data);
	return result;
}

enum db_result webhook_switch_off(struct db *db, int64_t id, const char *reason, int64_t now_us)
{
	struct arena *arena = arena_new();
	struct db_rows row;
	enum db_result result = db_query(db, SQL_WEBHOOK_SWITCH_OFF_LOCK, DB_ARGS(db_int(id)), arena, &row);

	if (result == DB_OK && row.count != 0) {
		log_warning("endpoint switched off endpoint=%lld reason=\"%s\"", (long long)id, reason);
		result = db_exec(db, SQL_WEBHOOK_SWITCH_OFF, DB_ARGS(db_text(reason), db_instant(now_us), db_int(id)));
		if (result == DB_OK)
			result = publish_switched_off(db, &row, reason, now_us);
	}
	arena_free(arena);
	return result;
}

enum db_result webhook_count_agents(struct db *db, const struct webhook *webhook, int64_t *count)
{
	struct arena *arena = arena_new();
	enum db_result result = count_rows(db, SQL_WEBHOOK_COUNT_AGENTS, webhook->id, arena, count);

	arena_free(arena);
	return result;
}
