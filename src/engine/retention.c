#include "engine/retention.h"

#include "base/clock.h"
#include "store/idempotency_store.h"
#include "store/rows.h"
#include "store/statements.h"

/* A batch of this size delays no other transaction noticeably. */
#define EVENTS 500
#define ROWS 5000
#define SESSIONS_KEPT_US US_PER_DAY /* kept after their end, to answer "has expired" instead of "is not known" */

struct purge {
	int64_t before_us;
	bool more;
};

/* Events are nearly in the order of their creation. Of the first events, this takes those that are old enough. */
static struct rows find_old(const struct db_rows *events, int64_t before_us, struct arena *arena)
{
	struct rows ids = rows_new(arena);

	for (size_t r = 0; r < events->count; r++)
		if (db_get_int(events, r, 1) < before_us)
			rows_add_id(&ids, db_get_int(events, r, 0));
	return ids;
}

static enum db_result delete_old(struct db *db, struct purge *purge, struct arena *arena)
{
	struct db_rows events;
	struct rows ids;

	DB_TRY(db_query(db, SQL_RETENTION_EVENTS, DB_ARGS(db_int(EVENTS)), arena, &events));
	ids = find_old(&events, purge->before_us, arena);
	purge->more = ids.count == EVENTS;
	DB_TRY(db_exec(db, SQL_RETENTION_DELETE_DELIVERIES, DB_ARGS(rows_value(&ids))));
	return db_exec(db, SQL_RETENTION_DELETE_EVENTS, DB_ARGS(rows_value(&ids)));
}

static enum db_result purge_events(struct db *db, void *context)
{
	struct arena *arena = arena_new();
	enum db_result result = delete_old(db, context, arena);

	arena_free(arena);
	return result;
}

static enum db_result delete_rows(struct db *db, enum sql_statement statement, struct db_value until, bool *more)
{
	DB_TRY(db_exec(db, statement, DB_ARGS(until, db_int(ROWS))));
	*more |= db_affected(db) == ROWS;
	return DB_OK;
}

/* Tries are deleted after their deliveries, whether these were purged or their endpoint was deleted. If a delivery is
 * older than all deliveries that are left, it is gone. */
static enum db_result purge_tries(struct db *db, int64_t before_us, bool *more)
{
	struct uuid first_call = uuid_first_at(before_us);
	struct arena *arena = arena_new();
	struct db_rows rows;
	enum db_result result = db_query(db, SQL_RETENTION_FIRST_DELIVERY, DB_NO_ARGS, arena, &rows);
	int64_t first = result == DB_OK ? db_get_int(&rows, 0, 0) : 0;

	arena_free(arena);
	if (result != DB_OK)
		return result;
	DB_TRY(delete_rows(db, SQL_RETENTION_DELETE_DELIVERY_TRIES, db_int(first), more));
	return delete_rows(db, SQL_RETENTION_DELETE_CALL_TRIES, db_uuid(&first_call), more);
}

enum db_result retention_step(struct db *db, int64_t now_us, const struct retention *keep, bool *more)
{
	struct purge purge = { .before_us = now_us - keep->webhooks_us };

	*more = false;
	DB_TRY(db_transact(db, DB_REPEATABLE, purge_events, &purge));
	DB_TRY(purge_tries(db, purge.before_us, more));
	*more |= purge.more;
	DB_TRY(delete_rows(db, SQL_AUDIT_TIDY, db_instant(now_us - keep->audit_us), more));
	DB_TRY(delete_rows(db, SQL_PROCESSES_TIDY, db_instant(now_us - US_PER_DAY), more));
	DB_TRY(delete_rows(db, SQL_KEY_TIDY_SESSIONS, db_instant(now_us - SESSIONS_KEPT_US), more));
	return delete_rows(db, SQL_IDEMPOTENCY_TIDY, db_instant(now_us - IDEMPOTENCY_KEPT_US), more);
}
