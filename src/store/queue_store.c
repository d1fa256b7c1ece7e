#include "store/queue_store.h"

#include "store/rows.h"
#include "store/statements.h"

COLUMNS(new_delivery_columns, struct new_delivery, COLUMN(struct new_delivery, id),
        COLUMN_AS(struct new_delivery, endpoint_id, endpoint));
COLUMNS(queue_target_columns, struct queue_target, COLUMN_AS(struct queue_target, id, endpoint),
        COLUMN(struct queue_target, disabled));
COLUMNS(queued_delivery_columns, struct queued_delivery, COLUMN(struct queued_delivery, id),
        COLUMN_AS(struct queued_delivery, queue, endpoint), INSTANT(struct queued_delivery, wake_at));

enum db_result queue_lock_new(struct db *db, int64_t from_us, int64_t now_us, int limit, struct arena *arena,
                              const struct new_delivery **list, size_t *count)
{
	return DB_LIST(db, SQL_OUTBOX_NEW, DB_ARGS(db_instant(from_us), db_instant(now_us), db_int(limit)), arena,
	               struct new_delivery, list, count);
}

enum db_result queue_sort(struct db *db, const struct new_delivery *list, size_t count, const bool *is_locked,
                          int64_t now_us, int64_t locked_until_us, struct arena *arena)
{
	struct health_wake *wakes = arena_alloc(arena, count * sizeof *wakes);
	struct rows ids = rows_new(arena), left = rows_new(arena);
	size_t free_count = 0;

	for (size_t i = 0; i < count; i++) {
		rows_add_id(is_locked[i] ? &left : &ids, list[i].id);
		if (!is_locked[i])
			wakes[free_count++] = (struct health_wake){ list[i].endpoint, now_us };
	}
	DB_TRY(db_exec(db, SQL_OUTBOX_SORT, DB_ARGS(rows_value(&ids))));
	DB_TRY(db_exec(db, SQL_OUTBOX_LEAVE_NEW, DB_ARGS(rows_value(&left), db_instant(locked_until_us))));
	return health_wake(db, HEALTH_ANY, wakes, free_count);
}

enum db_result queue_lock_endpoints(struct db *db, bool doubtful, int64_t from_us, int64_t now_us, int limit,
                                    struct arena *arena, const struct endpoint_health **list, size_t *count)
{
	return DB_LIST(db, SQL_OUTBOX_ENDPOINTS,
	               DB_ARGS(db_int(doubtful), db_instant(from_us), db_instant(now_us), db_int(limit)), arena,
	               struct endpoint_health, list, count);
}

enum db_result queue_targets(struct db *db, const int64_t *endpoints, size_t count, struct arena *arena,
                             const struct queue_target **list, size_t *found)
{
	struct rows ids = rows_of_ids(endpoints, count, arena);

	return DB_LIST(db, SQL_OUTBOX_TARGETS, DB_ARGS(rows_value(&ids)), arena, struct queue_target, list, found);
}

enum db_result queue_heads(struct db *db, const struct queue_part *parts, int count, struct arena *arena,
                           const struct queued_delivery **list, size_t *found)
{
	struct db_value args[2 * QUEUES_AT_ONCE];
	int heads = count <= 8 ? 8 : QUEUES_AT_ONCE;
	struct db_rows rows;

	for (int i = 0; i < heads; i++) {
		args[2 * i] = db_int(i < count ? parts[i].endpoint : 0);
		args[2 * i + 1] = db_int(i < count ? parts[i].limit : 0);
	}
	DB_TRY(db_query(db, heads == 8 ? SQL_OUTBOX_HEADS_8 : SQL_OUTBOX_HEADS_32, args, 2 * (size_t)heads, arena, &rows));
	*list = DB_STRUCTS(&rows, struct queued_delivery);
	*found = rows.count;
	return DB_OK;
}

enum db_result queue_lease(struct db *db, const int64_t *ids, size_t count, int64_t until_us, struct arena *arena)
{
	struct rows rows = rows_of_ids(ids, count, arena);

	return db_exec(db, SQL_OUTBOX_LEASE, DB_ARGS(rows_value(&rows), db_instant(until_us)));
}

enum db_result queue_save_turns(struct db *db, const struct queue_turn *turns, size_t count, struct arena *arena)
{
	struct rows rows = rows_new(arena);

	for (size_t i = 0; i < count; i++) {
		rows_next(&rows);
		rows_int(&rows, "id", turns[i].endpoint);
		rows_instant(&rows, "next_at", turns[i].next_at_us);
		rows_instant(&rows, "probe_until", turns[i].probe_until_us);
	}
	return db_exec(db, SQL_OUTBOX_TURNS, DB_ARGS(rows_value(&rows)));
}

enum db_result queue_leave_new(struct db *db, int64_t delivery, int64_t until_us)
{
	return db_exec(db, SQL_OUTBOX_SET_ASIDE_NEW, DB_ARGS(db_instant(until_us), db_int(delivery)));
}

enum db_result queue_leave(struct db *db, int64_t endpoint, int64_t until_us)
{
	return db_exec(db, SQL_OUTBOX_SET_ASIDE, DB_ARGS(db_instant(until_us), db_int(endpoint)));
}
