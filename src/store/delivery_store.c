#include "store/delivery_store.h"

#include <string.h>

#include "store/columns.h"
#include "store/rows.h"
#include "store/statements.h"

#define LISTED \
	COLUMN(struct delivery, id), COLUMN(struct delivery, event_id), COLUMN(struct delivery, type), \
		COLUMN(struct delivery, status), COLUMN(struct delivery, tries), COLUMN(struct delivery, response_code), \
		COLUMN(struct delivery, error), INSTANT(struct delivery, wake_at), INSTANT(struct delivery, created_at)
COLUMNS(delivery_listed_columns, struct delivery, LISTED);
COLUMNS(delivery_columns, struct delivery, LISTED, COLUMN(struct delivery, webhook_id), COLUMN(struct delivery, data));

enum db_result delivery_get(struct db *db, int64_t organization_id, const struct uuid *id, struct arena *arena,
                            struct delivery *out)
{
	struct uuid right;

	DB_TRY(DB_GET(db, SQL_DELIVERY_GET, DB_ARGS(db_int(delivery_row(id)), db_int(organization_id)), arena,
	              struct delivery, out));
	right = delivery_id(&out->event_id, out->id);
	return memcmp(&right, id, sizeof right) == 0 ? DB_OK : DB_NOT_FOUND;
}

enum db_result delivery_list(struct db *db, const struct webhook *webhook, const struct delivery_filter *filter,
                             const struct page *page, struct arena *arena, struct listing *out)
{
	struct db_value endpoint = db_int(webhook->id), status = db_int(filter->status), type = db_int(filter->type),
					after = db_instant(filter->after_us), before = db_instant(filter->before_us);
	struct delivery *items;
	struct db_rows rows;

	DB_TRY(db_query(db, SQL_DELIVERY_LIST,
	                DB_ARGS(endpoint, status, status, type, type, after, before, page_below(page), page_rows(page),
	                        page_offset(page)),
	                arena, &rows));
	items = DB_STRUCTS(&rows, struct delivery);
	for (size_t r = 0; r < rows.count; r++)
		items[r].webhook_id = webhook->uuid;
	page_fill(out, page, items, rows.count, sizeof *items);
	if (out->count != 0)
		out->last.id = items[out->count - 1].id;
	return page_count(db, SQL_DELIVERY_COUNT, DB_ARGS(endpoint, status, status, type, type, after, before), arena, out);
}

/* Reads the newest deliveries of one endpoint. */
static enum db_result query_newest(struct db *db, int64_t endpoint, const struct delivery_filter *filter,
                                   const struct page *page, int64_t limit, struct arena *arena, struct db_rows *rows)
{
	struct db_value status = db_int(filter->status), type = db_int(filter->type);

	return db_query(db, filter->status < 0 ? SQL_DELIVERY_NEWEST : SQL_DELIVERY_NEWEST_OF_STATUS,
	                DB_ARGS(db_int(endpoint), status, type, type, db_instant(filter->after_us),
	                        db_instant(filter->before_us), page_below(page), db_int(limit)),
	                arena, rows);
}

/* Merges two lists, newest first, into one of at most `limit`. */
static size_t merge(const struct delivery *a, size_t a_count, const struct delivery *b, size_t b_count,
                    struct delivery *out, size_t limit)
{
	size_t count = 0;

	for (size_t i = 0, j = 0; count < limit && (i < a_count || j < b_count); count++)
		out[count] = j == b_count || (i < a_count && a[i].id > b[j].id) ? a[i++] : b[j++];
	return count;
}

/* Reads one endpoint after the other: each index is read only as far as the page needs. */
enum db_result delivery_list_all(struct db *db, int64_t organization_id, const struct delivery_filter *filter,
                                 const struct page *page, struct arena *arena, struct listing *out)
{
	size_t limit = (size_t)(page->offset + page->limit + 1), count = 0, skipped;
	struct delivery *newest = NULL, *merged;
	struct db_rows endpoints, rows;

	DB_TRY(db_query(db, SQL_DELIVERY_ENDPOINTS, DB_ARGS(db_int(organization_id)), arena, &endpoints));
	for (size_t e = 0; e < endpoints.count; e++) {
		struct delivery *found;

		DB_TRY(query_newest(db, db_get_int(&endpoints, e, 0), filter, page, (int64_t)limit, arena, &rows));
		found = DB_STRUCTS(&rows, struct delivery);
		for (size_t r = 0; r < rows.count; r++)
			found[r].webhook_id = db_get_uuid(&endpoints, e, 1);
		if (rows.count == 0)
			continue;
		merged = arena_alloc(arena, (count + rows.count) * sizeof *merged);
		count = merge(newest, count, found, rows.count, merged, limit);
		newest = merged;
	}
	skipped = count < (size_t)page->offset ? count : (size_t)page->offset;
	count -= skipped;
	page_fill(out, page, newest == NULL ? NULL : newest + skipped, count, sizeof *newest);
	if (out->count != 0)
		out->last.id = newest[skipped + out->count - 1].id;
	out->total_is_lower_bound = out->total < 0;
	if (out->total < 0)
		out->total = (int64_t)(skipped + count);
	return DB_OK;
}

COLUMNS(outgoing_delivery_columns, struct outgoing_delivery, COLUMN(struct outgoing_delivery, id),
        COLUMN(struct outgoing_delivery, tries), INSTANT(struct outgoing_delivery, created_at),
        COLUMN(struct outgoing_delivery, event_id), COLUMN(struct outgoing_delivery, endpoint_id),
        COLUMN(struct outgoing_delivery, type), COLUMN(struct outgoing_delivery, data),
        COLUMN(struct outgoing_delivery, url), COLUMN(struct outgoing_delivery, secret));

enum db_result deliveries_load(struct db *db, const int64_t *ids, size_t count, struct arena *arena,
                               const struct outgoing_delivery **deliveries, size_t *found)
{
	struct rows rows = rows_of_ids(ids, count, arena);

	return DB_LIST(db, SQL_OUTBOX_LOAD, DB_ARGS(rows_value(&rows)), arena, struct outgoing_delivery, deliveries, found);
}

enum db_result deliveries_settle(struct db *db, const struct settled_delivery *settled, size_t count, int64_t now_us)
{
	struct arena *arena = arena_new();
	struct rows rows = rows_new(arena);
	enum db_result result;

	for (size_t i = 0; i < count; i++) {
		rows_next(&rows);
		rows_int(&rows, "id", settled[i].id);
		rows_int(&rows, "status", settled[i].status);
		rows_instant(&rows, "wake_at", settled[i].wake_at_us);
		rows_int(&rows, "code", settled[i].code);
		rows_text(&rows, "error", settled[i].error);
	}
	result = db_exec(db, SQL_OUTBOX_AGENTS, DB_ARGS(rows_value(&rows), db_instant(now_us)));
	if (result == DB_OK)
		result = db_exec(db, SQL_OUTBOX_RESULTS, DB_ARGS(rows_value(&rows)));
	arena_free(arena);
	return result;
}

enum db_result delivery_again(struct db *db, int64_t delivery, int64_t now_us)
{
	return db_exec(db, SQL_DELIVERY_AGAIN, DB_ARGS(db_instant(now_us), db_int(delivery)));
}

enum db_result delivery_again_failed(struct db *db, const struct webhook *webhook, int64_t since_us, int64_t max,
                                     int64_t now_us, int64_t *count)
{
	DB_TRY(db_exec(db, SQL_DELIVERY_AGAIN_FAILED,
	               DB_ARGS(db_int(webhook->id), db_instant(since_us), db_int(EVENTS_PUBLISHED), db_int(max),
	                       db_instant(now_us))));
	*count = db_affected(db);
	return DB_OK;
}

enum db_result delivery_make_missing(struct db *db, const struct webhook *webhook, int64_t organization_id,
                                     int64_t since_us, int64_t max, int64_t now_us, int64_t *count)
{
	DB_TRY(db_exec(db, SQL_DELIVERY_MAKE_MISSING,
	               DB_ARGS(db_int(webhook->id), db_instant(now_us), db_int(organization_id), db_instant(since_us),
	                       db_int(webhook->events & EVENTS_PUBLISHED), db_int(webhook->id), db_int(max))));
	*count = db_affected(db);
	return DB_OK;
}
