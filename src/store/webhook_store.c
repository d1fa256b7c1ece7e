#include "store/webhook_store.h"

#include "base/clock.h"
#include "base/json.h"
#include "base/log.h"
#include "store/event_store.h"
#include "store/health_store.h"
#include "store/columns.h"
#include "store/statements.h"

#define OF_WEBHOOK(kind, name, member) kind##_AS(struct webhook, name, member),
#define WEBHOOK_MEMBERS \
	WEBHOOK_TABLE(OF_WEBHOOK) \
	COLUMN(struct webhook, id), COLUMN(struct webhook, uuid), COLUMN(struct webhook, secret), \
		INSTANT(struct webhook, created_at), INSTANT(struct webhook, updated_at)
COLUMNS(webhook_saved, struct webhook, WEBHOOK_TABLE(OF_WEBHOOK));
COLUMNS(webhook_columns, struct webhook, WEBHOOK_MEMBERS);
COLUMNS(webhook_shown_columns, struct webhook, WEBHOOK_MEMBERS, HEALTH_COLUMNS(struct webhook, health));

COLUMNS(webhook_figures_columns, struct webhook_figures, COLUMN(struct webhook_figures, waiting),
        COLUMN(struct webhook_figures, failed_24h), COLUMN(struct webhook_figures, delivered_24h),
        INSTANT(struct webhook_figures, last_success_at));

static enum db_result get(struct db *db, enum sql_statement statement, int64_t organization_id, const struct uuid *uuid,
                          struct arena *arena, struct webhook *out)
{
	return DB_GET(db, statement, DB_ARGS(db_uuid(uuid), db_int(organization_id)), arena, struct webhook, out);
}

/* One endpoint after the other, because neither server can read a limited part for each of several in one statement. */
enum db_result webhook_read_figures(struct db *db, int64_t organization_id, struct webhook *webhooks, size_t count,
                                    struct arena *arena)
{
	int64_t first = INT64_MAX;
	enum db_result result = DB_NOT_FOUND;

	if (count != 0)
		result = db_query_int(db, SQL_WEBHOOK_FIRST_SINCE,
		                      DB_ARGS(db_int(organization_id), db_instant(clock_now_us() - US_PER_DAY)), &first);
	if (result == DB_NOT_FOUND) /* no delivery is that recent */
		first = INT64_MAX;
	else if (result != DB_OK)
		return result;
	for (size_t i = 0; i < count; i++) {
		struct db_value id = db_int(webhooks[i].id), since = db_int(first);

		DB_TRY(DB_GET(db, SQL_WEBHOOK_FIGURES, DB_ARGS(id, db_int(0), id, since, id, since, id), arena,
		              struct webhook_figures, &webhooks[i].figures));
	}
	return DB_OK;
}

enum db_result webhook_get(struct db *db, int64_t organization_id, const struct uuid *uuid, struct arena *arena,
                           struct webhook *out)
{
	DB_TRY(get(db, SQL_WEBHOOK_GET, organization_id, uuid, arena, out));
	return webhook_read_figures(db, organization_id, out, 1, arena);
}

enum db_result webhook_lock(struct db *db, int64_t organization_id, const struct uuid *uuid, struct arena *arena,
                            struct webhook *out)
{
	DB_TRY(get(db, SQL_WEBHOOK_LOCK, organization_id, uuid, arena, out));
	out->health = health_initial;
	return db_guard(db, GUARD_WEBHOOK, out->id);
}

enum db_result webhook_lock_shared(struct db *db, int64_t organization_id, const struct uuid *uuid, struct arena *arena,
                                   struct webhook *out)
{
	DB_TRY(get(db, SQL_WEBHOOK_LOCK_SHARED, organization_id, uuid, arena, out));
	out->health = health_initial;
	return db_guard(db, GUARD_WEBHOOK, out->id);
}

enum db_result webhook_list(struct db *db, int64_t organization_id, const struct page *page, struct arena *arena,
                            struct listing *out)
{
	struct db_value organization = db_int(organization_id);

	DB_TRY(page_query(db, SQL_WEBHOOK_LIST, DB_ARGS(organization, page_below(page), page_rows(page), page_offset(page)),
	                  page, arena, out));
	DB_TRY(webhook_read_figures(db, organization_id, (struct webhook *)out->items, out->count, arena));
	return page_count(db, SQL_WEBHOOK_COUNT, DB_ARGS(organization), arena, out);
}

enum db_result webhook_insert(struct db *db, int64_t organization_id, struct webhook *webhook)
{
	DB_TRY(db_exec(db, SQL_WEBHOOK_INSERT,
	               DB_ARGS(db_uuid(&webhook->uuid), db_int(organization_id),
	                       db_bytes(webhook->secret.data, webhook->secret.len), db_instant(webhook->created_at_us),
	                       db_instant(webhook->updated_at_us), db_members(&webhook_saved, webhook))));
	webhook->id = db_insert_id(db);
	return DB_OK;
}

enum db_result webhook_update(struct db *db, const struct webhook *webhook)
{
	return db_exec(db, SQL_WEBHOOK_UPDATE,
	               DB_ARGS(db_instant(webhook->updated_at_us), db_members(&webhook_saved, webhook),
	                       db_int(webhook->id)));
}

enum db_result webhook_renew_secret(struct db *db, const struct webhook *webhook)
{
	return db_exec(db, SQL_WEBHOOK_RENEW_SECRET,
	               DB_ARGS(db_bytes(webhook->secret.data, webhook->secret.len), db_instant(webhook->updated_at_us),
	                       db_int(webhook->id)));
}

enum db_result webhook_delete(struct db *db, const struct webhook *webhook)
{
	struct health_wake wake = { webhook->id, clock_now_us() };

	DB_TRY(db_exec(db, SQL_WEBHOOK_DELETE, DB_ARGS(db_int(webhook->id))));
	return health_wake(db, HEALTH_ANY, &wake, 1);
}

static enum db_result publish_switched_off(struct db *db, const struct db_rows *row, const char *reason, int64_t now_us)
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

enum db_result webhook_switch_off(struct db *db, int64_t id, int64_t judged_us, const char *reason, int64_t now_us)
{
	struct arena *arena = arena_new();
	struct db_rows row;
	enum db_result result = db_query(db, SQL_WEBHOOK_SWITCH_OFF_LOCK, DB_ARGS(db_int(id), db_instant(judged_us)), arena,
	                                 &row);

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
	return db_query_int(db, SQL_WEBHOOK_COUNT_AGENTS, DB_ARGS(db_int(webhook->id)), count);
}
