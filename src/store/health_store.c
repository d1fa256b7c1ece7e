#include "store/health_store.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/instant.h"
#include "store/rows.h"
#include "store/statements.h"

#define DROPPED_AT_ONCE 1000
#define PASS_BY_US (5 * US_PER_SECOND)

COLUMNS(endpoint_health_columns, struct endpoint_health, COLUMN_AS(struct endpoint_health, endpoint_id, endpoint),
        HEALTH_COLUMNS(struct endpoint_health, health));

static int compare_wakes(const void *a, const void *b)
{
	const struct health_wake *x = a, *y = b;

	if (x->endpoint != y->endpoint)
		return x->endpoint < y->endpoint ? -1 : 1;
	return x->at_us < y->at_us ? -1 : x->at_us > y->at_us;
}

enum db_result health_wake(struct db *db, enum health_of which, struct health_wake *wakes, size_t count)
{
	struct arena *arena = arena_new();
	struct rows rows = rows_new(arena);
	enum db_result result;

	qsort(wakes, count, sizeof *wakes, compare_wakes);
	for (size_t i = 0; i < count; i++) {
		if (i != 0 && wakes[i].endpoint == wakes[i - 1].endpoint)
			continue; /* the first is the earliest */
		rows_next(&rows);
		rows_int(&rows, "id", wakes[i].endpoint);
		rows_instant(&rows, "next_at", wakes[i].at_us);
	}
	result = db_exec(db, which == HEALTH_ANY ? SQL_HEALTH_WAKE : SQL_HEALTH_WAKE_EXISTING, DB_ARGS(rows_value(&rows)));
	arena_free(arena);
	return result;
}

static int64_t pass_by_until_us; /* monotonic: endpoints that are locked are not waited for */

void health_note_wait(const struct db *db, enum db_result result)
{
	if (result == DB_CONFLICT && db_waited_for_lock(db))
		pass_by_until_us = clock_mono_us() + PASS_BY_US;
}

static void mark(const struct db_rows *rows, const int64_t *endpoints, size_t count, bool is_locked, bool *marks)
{
	for (size_t r = 0; r < rows->count; r++)
		for (size_t i = 0; i < count; i++)
			if (endpoints[i] == db_get_int(rows, r, 0))
				marks[i] = is_locked;
}

static enum db_result find_locked(struct db *db, const int64_t *endpoints, size_t count, bool *is_locked,
                                  struct arena *arena)
{
	struct db_rows free_rows, known;
	struct rows ids = rows_new(arena);

	for (size_t i = 0; i < count; i++)
		rows_add_id(&ids, endpoints[i]);
	DB_TRY(db_query(db, SQL_HEALTH_FREE, DB_ARGS(rows_value(&ids)), arena, &free_rows));
	DB_TRY(db_query(db, SQL_HEALTH_KNOWN, DB_ARGS(rows_value(&ids)), arena, &known));
	mark(&known, endpoints, count, true, is_locked);
	mark(&free_rows, endpoints, count, false, is_locked);
	if (known.count != free_rows.count)
		pass_by_until_us = clock_mono_us() + PASS_BY_US;
	return DB_OK;
}

enum db_result health_find_locked(struct db *db, const int64_t *endpoints, size_t count, bool *is_locked)
{
	struct arena *arena;
	enum db_result result;

	memset(is_locked, 0, count * sizeof *is_locked);
	if (count == 0 || clock_mono_us() >= pass_by_until_us)
		return DB_OK;
	arena = arena_new();
	result = find_locked(db, endpoints, count, is_locked, arena);
	arena_free(arena);
	return result;
}

enum db_result health_lock(struct db *db, const int64_t *endpoints, size_t count, struct arena *arena,
                           const struct endpoint_health **list, size_t *found)
{
	struct rows ids = rows_of_ids(endpoints, count, arena);

	return DB_LIST(db, SQL_HEALTH_LOCK, DB_ARGS(rows_value(&ids)), arena, struct endpoint_health, list, found);
}

static enum db_result note_circuit(struct db *db, int64_t endpoint, const char *what, int64_t failures)
{
	struct arena *arena = arena_new();
	struct db_rows rows;
	enum db_result result = db_query(db, SQL_WEBHOOK_ID, DB_ARGS(db_int(endpoint)), arena, &rows);

	if (result == DB_OK && rows.count > 0) {
		struct uuid uuid = db_get_uuid(&rows, 0, 0);
		char id[UUID_TEXT];

		uuid_format(&uuid, id);
		db_note(db, "the circuit of a webhook is %s failures=%lld webhook=%s", what, (long long)failures, id);
	}
	arena_free(arena);
	return result;
}

static enum db_result log_circuit(struct db *db, const struct health_change *change)
{
	bool was_closed = change->before.open_until_us == INSTANT_NONE,
		 is_closed = change->after.open_until_us == INSTANT_NONE;

	if (was_closed && !is_closed)
		return note_circuit(db, change->endpoint, "open", change->after.failures);
	if (!was_closed && is_closed)
		return note_circuit(db, change->endpoint, "closed", 0);
	return DB_OK;
}

enum db_result health_save(struct db *db, const struct health_change *changes, size_t count, struct arena *arena)
{
	struct rows rows = rows_new(arena);

	for (size_t i = 0; i < count; i++) {
		const struct health *health = &changes[i].after;

		rows_next(&rows);
		rows_int(&rows, "id", changes[i].endpoint);
		rows_int(&rows, "doubtful", health->doubtful);
		rows_int(&rows, "failures", health->failures);
		rows_instant(&rows, "failing_since", health->failing_since_us);
		rows_instant(&rows, "open_until", health->open_until_us);
		rows_instant(&rows, "probe_until", health->probe_until_us);
		rows_instant(&rows, "hold_until", health->hold_until_us);
		rows_instant(&rows, "next_at", changes[i].next_at_us);
		rows_text(&rows, "error", changes[i].error);
		DB_TRY(log_circuit(db, &changes[i]));
	}
	return db_exec(db, SQL_HEALTH_SAVE, DB_ARGS(rows_value(&rows)));
}

enum db_result health_reset(struct db *db, int64_t endpoint, int64_t now_us)
{
	struct health_wake wake = { endpoint, now_us };

	DB_TRY(health_wake(db, HEALTH_ANY, &wake, 1));
	return db_exec(db, SQL_HEALTH_RESET, DB_ARGS(db_instant(now_us), db_int(endpoint)));
}

enum db_result health_drop_queue(struct db *db, int64_t endpoint, bool *empty)
{
	DB_TRY(db_exec(db, SQL_OUTBOX_DROP, DB_ARGS(db_int(endpoint), db_int(DROPPED_AT_ONCE))));
	*empty = db_affected(db) < DROPPED_AT_ONCE;
	return *empty ? db_exec(db, SQL_HEALTH_FORGET, DB_ARGS(db_int(endpoint))) : DB_OK;
}

static enum db_result take(struct db *db, enum sql_statement statement, int64_t endpoint, int64_t now_us,
                           int64_t until_us, bool *taken)
{
	struct arena *arena = arena_new();
	struct db_value now = db_instant(now_us);
	struct rows id = rows_new(arena);
	struct db_rows free_rows;
	enum db_result result;

	rows_add_id(&id, endpoint);
	result = db_query(db, SQL_HEALTH_FREE, DB_ARGS(rows_value(&id)), arena, &free_rows);
	*taken = false;
	if (result == DB_OK && free_rows.count != 0) {
		result = db_exec(db, statement, DB_ARGS(db_instant(until_us), db_int(endpoint), now, now));
		*taken = result == DB_OK && db_affected(db) == 1;
	}
	arena_free(arena);
	return result;
}

enum db_result health_take_probe(struct db *db, int64_t endpoint, int64_t now_us, int64_t until_us, bool *taken)
{
	return take(db, SQL_HEALTH_TAKE_PROBE, endpoint, now_us, until_us, taken);
}

enum db_result health_take_trial(struct db *db, int64_t endpoint, int64_t now_us, int64_t until_us, bool *taken)
{
	return take(db, SQL_HEALTH_TAKE_TRIAL, endpoint, now_us, until_us, taken);
}
