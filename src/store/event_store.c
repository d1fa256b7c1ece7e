#include "store/event_store.h"

#include "store/rows.h"
#include "store/statements.h"

#define BYTES_AT_ONCE (1024 * 1024) /* far below what a server takes in one statement */

static void add_event(struct rows *rows, const struct published_event *event)
{
	struct uuid id = uuid_new();

	rows_next(rows);
	rows_id(rows, "id", &id);
	rows_int(rows, "organization_id", event->organization_id);
	rows_int(rows, "type", event->type);
	rows_text(rows, "data", event->data);
}

static enum db_result write_events(struct db *db, struct rows *rows, int64_t now_us)
{
	struct db_value now = db_instant(now_us);

	DB_TRY(db_exec(db, SQL_EVENTS_PUBLISH, DB_ARGS(now, rows_value(rows))));
	return db_affected(db) == 0 ? DB_OK : db_exec(db, SQL_EVENTS_DELIVER, DB_ARGS(now, rows_value(rows)));
}

enum db_result events_publish(struct db *db, const struct published_event *events, size_t count, int64_t now_us)
{
	struct arena *arena = arena_new();
	enum db_result result = DB_OK;

	for (size_t i = 0; i < count && result == DB_OK; arena_reset(arena)) {
		struct rows rows = rows_new(arena);

		while (i < count && rows.text.len < BYTES_AT_ONCE)
			add_event(&rows, &events[i++]);
		result = write_events(db, &rows, now_us);
	}
	arena_free(arena);
	return result;
}

enum db_result event_publish(struct db *db, int64_t organization_id, enum event type, const char *data, int64_t now_us)
{
	struct published_event event = { .organization_id = organization_id, .type = type, .data = data };

	return events_publish(db, &event, 1, now_us);
}

enum db_result event_send(struct db *db, int64_t organization_id, enum event type, const char *data,
                          int64_t endpoint_id, int64_t agent_id, int64_t now_us, struct uuid *event_id, int64_t *row)
{
	struct db_value now = db_instant(now_us);

	*event_id = uuid_new();
	DB_TRY(db_exec(db, SQL_EVENT_INSERT,
	               DB_ARGS(db_uuid(event_id), db_int(organization_id), db_int(type), db_text(data), now)));
	DB_TRY(db_exec(db, SQL_EVENT_DELIVER,
	               DB_ARGS(db_int(db_insert_id(db)), db_int(endpoint_id), db_int(agent_id), now)));
	*row = db_insert_id(db);
	if (agent_id == 0)
		return DB_OK;
	return db_exec(db, SQL_AGENT_SYNC_SENT, DB_ARGS(db_int(*row), db_int(agent_id)));
}
