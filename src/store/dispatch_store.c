#include "store/dispatch_store.h"

#include "store/batch_store.h"
#include "store/health_store.h"
#include "store/rows.h"
#include "store/statements.h"

#define REQUESTED(name) COLUMN(struct requested_call, name)
#define OF_AGENT(name) COLUMN_AS(struct requested_call, name, agent.name)
#define OF_CONTACT(name) COLUMN_AS(struct requested_call, name, contact.name)
#define OF_CONFIG(kind, name, member) kind##_AS(struct requested_call, name, config.member),
COLUMNS(requested_call_columns, struct requested_call, CALENDAR_TABLE(OF_CONFIG) REQUESTED(id), REQUESTED(attempt),
        REQUESTED(tries), REQUESTED(to_number), REQUESTED(from_number), INSTANT(struct requested_call, called_at),
        INSTANT(struct requested_call, expires_at), REQUESTED(is_callback), REQUESTED(batch_id),
        REQUESTED(batch_status), REQUESTED(batch_row), REQUESTED(pressed), REQUESTED(do_not_call),
        COLUMN_AS(struct requested_call, agent_id, agent.uuid), OF_AGENT(name), OF_AGENT(voice_id),
        OF_AGENT(system_prompt), OF_AGENT(greeting), OF_AGENT(language_hint), OF_AGENT(settings), REQUESTED(position),
        OF_CONTACT(first_name), OF_CONTACT(last_name), OF_CONTACT(email),
        COLUMN_AS(struct requested_call, contact_timezone, contact.timezone), OF_CONTACT(custom_fields),
        REQUESTED(variables), REQUESTED(call_settings), REQUESTED(endpoint), REQUESTED(endpoint_id), REQUESTED(url),
        REQUESTED(secret), REQUESTED(disabled), REQUESTED(is_fetched), HEALTH_COLUMNS(struct requested_call, health));

COLUMNS(overdue_call_columns, struct overdue_call, COLUMN(struct overdue_call, id), COLUMN(struct overdue_call, status),
        INSTANT(struct overdue_call, expires_at));

enum db_result requested_calls_load(struct db *db, const struct uuid *ids, size_t count, struct arena *arena,
                                    const struct requested_call **calls, size_t *found)
{
	struct rows wanted = rows_of_uuids(ids, count, arena);

	*found = 0;
	return DB_LIST(db, SQL_DISPATCH_LOAD, DB_ARGS(rows_value(&wanted)), arena, struct requested_call, calls, found);
}

enum db_result calls_lock_overdue(struct db *db, int64_t from_us, int64_t now_us, int64_t deadlines_us, int limit,
                                  struct arena *arena, const struct overdue_call **calls, size_t *count)
{
	return DB_LIST(db, SQL_CALLS_OVERDUE,
	               DB_ARGS(db_instant(from_us), db_instant(now_us), db_instant(deadlines_us), db_int(limit)), arena,
	               struct overdue_call, calls, count);
}

enum db_result calls_lease(struct db *db, const struct uuid *ids, size_t count, int64_t until_us, struct arena *arena)
{
	struct rows rows = rows_of_uuids(ids, count, arena);

	return db_exec(db, SQL_CALLS_LEASE, DB_ARGS(rows_value(&rows), db_instant(until_us)));
}

static enum db_result write_held(struct db *db, enum sql_statement statement, const struct held_call *held, int count)
{
	struct arena *arena = arena_new();
	struct rows rows = rows_new(arena);
	enum db_result result;

	for (int i = 0; i < count; i++) {
		rows_next(&rows);
		rows_id(&rows, "id", &held[i].id);
		rows_instant(&rows, "wake_at", held[i].until_us);
		rows_int(&rows, "tries", held[i].tries);
	}
	result = db_exec(db, statement, DB_ARGS(rows_value(&rows)));
	arena_free(arena);
	return result;
}

enum db_result calls_hold(struct db *db, const struct held_call *held, int count)
{
	return write_held(db, SQL_CALLS_HOLD, held, count);
}

enum db_result calls_try_again(struct db *db, const struct held_call *failed, int count)
{
	return write_held(db, SQL_CALLS_TRY_AGAIN, failed, count);
}

enum db_result call_leave(struct db *db, const struct uuid *id, int64_t until_us)
{
	return db_exec(db, SQL_CALL_LEAVE, DB_ARGS(db_instant(until_us), db_uuid(id)));
}
