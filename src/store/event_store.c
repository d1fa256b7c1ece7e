#include "store/event_store.h"

#include "base/json.h"
#include "store/statements.h"

#define PORTION_BYTES (1024 * 1024) /* far below what a server takes in one statement */

static enum db_result write_portion(struct db *db, struct buf *rows, int64_t now_us)
{
	struct db_value now = db_instant(now_us);

	DB_TRY(db_exec(db, SQL_EVENTS_PUBLISH, DB_ARGS(now, db_buf(rows))));
	return db_affected(db) == 0 ? DB_OK : db_exec(db, SQL_EVENTS_DELIVER, DB_ARGS(now, db_buf(rows)));
}

static void write_event(struct json *json, const struct published_event *event)
{
	struct uuid uuid = uuid_new();

	json_begin_array(json, NULL);
	json_hex_id(json, NULL, &uuid);
	json_int(json, NULL, event->organization_id);
	json_int(json, NULL, event->type);
	json_add_string(json, NULL, event->data);
	json_end(json);
}

enum db_result events_publish(struct db *db, const struct published_event *events, size_t count, int64_t now_us)
{
	struct buf rows = { 0 };
	enum db_result result = DB_OK;

	for (size_t i = 0; i < count && result == DB_OK;) {
		struct json json = json_to(&rows);

		buf_reset(&rows);
		json_begin_array(&json, NULL);
		while (i < count && rows.len < PORTION_BYTES)
			write_event(&json, &events[i++]);
		json_end(&json);
		result = write_portion(db, &rows, now_us);
	}
	buf_free(&rows);
	return result;
}

enum db_result event_publish(struct db *db, int64_t organization_id, enum event type, const char *data,
                             int64_t now_us)
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
	               DB_ARGS(db_uuid(event_id), db_int(organization_id), db_int(type), db_text(data),
	                       now)));
	DB_TRY(db_exec(db, SQL_EVENT_DELIVER,
	               DB_ARGS(db_int(db_insert_id(db)), db_int(endpoint_id), db_int(agent_id), now)));
	*row = db_insert_id(db);
	if (agent_id == 0)
		return DB_OK;
	return db_exec(db, SQL_AGENT_SYNC_SENT, DB_ARGS(db_int(*row), db_int(agent_id)));
}
