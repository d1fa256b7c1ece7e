#include "store/retention.h"

#include "base/json.h"
#include "store/idempotency_store.h"
#include "store/statements.h"

/* So many rows at once hold nobody up. */
#define EVENTS 500
#define ROWS 5000

struct purge {
	int64_t before_us;
	bool more;
};

/* Events stand in the order of their making, nearly: of the first ones those that are old enough. */
static size_t write_old(struct buf *ids, const struct db_rows *rows, int64_t before_us)
{
	struct json json = json_to(ids);
	size_t count = 0;

	json_begin_array(&json, NULL);
	for (size_t r = 0; r < rows->count; r++) {
		if (db_get_int(rows, r, 1) >= before_us)
			continue;
		json_int(&json, NULL, db_get_int(rows, r, 0));
		count++;
	}
	json_end(&json);
	return count;
}

static enum db_result purge_events(struct db *db, void *context)
{
	struct purge *purge = context;
	struct arena *arena = arena_new();
	struct buf ids = { 0 };
	struct db_rows rows;
	size_t count = 0;
	enum db_result result = db_query(db, SQL_RETENTION_EVENTS, DB_ARGS(db_int(EVENTS)), arena, &rows);

	if (result == DB_OK)
		count = write_old(&ids, &rows, purge->before_us);
	if (result == DB_OK && count != 0)
		result = db_exec(db, SQL_RETENTION_DELETE_DELIVERIES, DB_ARGS(db_buf(&ids)));
	if (result == DB_OK && count != 0)
		result = db_exec(db, SQL_RETENTION_DELETE_EVENTS, DB_ARGS(db_buf(&ids)));
	purge->more = count == EVENTS;
	buf_free(&ids);
	arena_free(arena);
	return result;
}

static enum db_result delete_rows(struct db *db, enum sql_statement statement, struct db_value until, bool *more)
{
	DB_TRY(db_exec(db, statement, DB_ARGS(until, db_int(ROWS))));
	*more |= db_affected(db) == ROWS;
	return DB_OK;
}

/* Tries follow their deliveries, be it that these were purged or that their endpoint was deleted: a delivery that is
 * older than all that are left is gone. */
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

enum db_result retention_step(struct db *db, int64_t now_us, int64_t keep_webhooks_us, bool *more)
{
	struct purge purge = { .before_us = now_us - keep_webhooks_us };

	*more = false;
	DB_TRY(db_transact(db, DB_REPEATABLE, purge_events, &purge));
	DB_TRY(purge_tries(db, purge.before_us, more));
	*more |= purge.more;
	DB_TRY(delete_rows(db, SQL_PROCESSES_TIDY, db_instant(now_us - US_PER_DAY), more));
	return delete_rows(db, SQL_IDEMPOTENCY_TIDY, db_instant(now_us - IDEMPOTENCY_KEPT_US), more);
}
