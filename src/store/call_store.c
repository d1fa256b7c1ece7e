#include "store/call_store.h"

#include <string.h>

#include "base/clock.h"
#include "base/instant.h"
#include "store/agent_store.h"
#include "store/columns.h"
#include "store/rows.h"
#include "store/statements.h"

COLUMNS(call_columns, struct call,
        COLUMN(struct call, id), COLUMN(struct call, batch_id), COLUMN(struct call, agent_id),
        COLUMN(struct call, position), COLUMN(struct call, attempt), COLUMN(struct call, tries),
        COLUMN(struct call, status), COLUMN(struct call, to_number), COLUMN(struct call, from_number),
        INSTANT(struct call, scheduled_at), INSTANT(struct call, called_at), INSTANT(struct call, expires_at),
        INSTANT(struct call, ended_at), COLUMN(struct call, duration_seconds),
        COLUMN_AS(struct call, cost, cost_ten_thousandths), COLUMN(struct call, outcome), COLUMN(struct call, end_reason),
        COLUMN(struct call, recording_url), COLUMN(struct call, transcript_url), COLUMN(struct call, summary));

enum db_result call_get(struct db *db, int64_t organization_id, const struct uuid *id,
                        struct arena *arena, struct call *out)
{
	struct db_rows rows;

	DB_TRY(db_query(db, SQL_CALL_GET, DB_ARGS(db_uuid(id), db_int(organization_id)), arena, &rows));
	return DB_FIRST(&rows, struct call, out);
}

enum db_result calls_load(struct db *db, const struct uuid *ids, size_t *count, struct arena *arena,
                          const struct call **out)
{
	struct rows wanted = rows_new(arena);
	struct db_rows rows;

	for (size_t i = 0; i < *count; i++) {
		rows_next(&wanted);
		rows_id(&wanted, "id", &ids[i]);
	}
	DB_TRY(db_query(db, SQL_CALLS_LOAD, DB_ARGS(rows_value(&wanted)), arena, &rows));
	*count = rows.count;
	*out = DB_STRUCTS(&rows, struct call);
	return DB_OK;
}

enum db_result call_insert_single(struct db *db, const struct single_call *call)
{
	struct db_value id = db_uuid(&call->id), organization = db_int(call->organization_id),
	                now = db_instant(call->now_us);

	DB_TRY(db_exec(db, SQL_CALL_CREATE_SINGLE, DB_ARGS(
		id, organization, db_int(call->agent_row), now, db_text(call->to_number),
		db_text(call->from_number), now, now, db_instant(call->expires_at_us), db_int(call->max_seconds))));
	return db_exec(db, SQL_CALL_CREATE_SINGLE_REQUEST, DB_ARGS(
		id, organization, db_text(call->variables), db_text(call->call_settings)));
}

enum db_result call_from_number(struct db *db, const char *wanted, struct arena *arena, struct single_call *call)
{
	struct db_value number = db_text(wanted);
	struct db_rows rows;

	DB_TRY(db_query(db, SQL_CALL_FROM_NUMBER,
	                DB_ARGS(db_int(call->organization_id), number, db_int(call->agent_row), number), arena, &rows));
	if (rows.count == 0)
		return DB_NOT_FOUND;
	call->from_number = db_get_text(&rows, 0, 0);
	call->number_row = db_get_int(&rows, 0, 1);
	return DB_OK;
}

/* What a filter stands for in the table. */
struct stored_filter {
	int64_t organization_id, agent_row, batch_row; /* 0: any */
	int status;                                    /* -1: any */
	struct uuid from, until;
	int64_t calls_of_batch;
};

static enum db_result find_batch(struct db *db, const struct uuid *uuid, struct arena *arena,
                                 struct stored_filter *out)
{
	struct db_rows rows;

	if (uuid_is_nil(uuid))
		return DB_OK;
	DB_TRY(db_query(db, SQL_CALL_FIND_BATCH, DB_ARGS(db_uuid(uuid), db_int(out->organization_id)), arena, &rows));
	if (rows.count == 0)
		return DB_NOT_FOUND;
	out->batch_row = db_get_int(&rows, 0, 0);
	out->calls_of_batch = db_get_int(&rows, 0, 1);
	return DB_OK;
}

/* The index that a list goes by. */
static const struct way {
	enum sql_statement list, count;
	bool has_rest; /* filters that are not in the index */
} by_batch = { SQL_CALL_LIST_OF_BATCH, SQL_CALL_COUNT_OF_BATCH, false },
  by_batch_and = { SQL_CALL_LIST_OF_BATCH_AND, SQL_CALL_COUNT_OF_BATCH_AND, true },
  by_agent = { SQL_CALL_LIST_OF_AGENT, SQL_CALL_COUNT_OF_AGENT, false },
  by_agent_and = { SQL_CALL_LIST_OF_AGENT_AND, SQL_CALL_COUNT_OF_AGENT_AND, true },
  by_status = { SQL_CALL_LIST_OF_STATUS, SQL_CALL_COUNT_OF_STATUS, false },
  by_nothing = { SQL_CALL_LIST, SQL_CALL_COUNT, false };

static const struct way *best_way(const struct stored_filter *filter)
{
	if (filter->batch_row != 0)
		return filter->agent_row != 0 || filter->status >= 0 ? &by_batch_and : &by_batch;
	if (filter->agent_row != 0)
		return filter->status >= 0 ? &by_agent_and : &by_agent;
	return filter->status >= 0 ? &by_status : &by_nothing;
}

#define FILTER_ARGS_MAX 10 /* with the two of a page */

/* The parameters that a way takes, without those of a page; `below` instead of filter->until. */
static size_t put_filter(struct db_value *args, const struct stored_filter *filter, const struct uuid *below)
{
	const struct way *way = best_way(filter);
	struct db_value status = db_int(filter->status), agent = db_int(filter->agent_row);
	size_t count = 0;

	if (filter->batch_row != 0)
		args[count++] = db_int(filter->batch_row);
	else
		args[count++] = filter->agent_row != 0 ? agent : db_int(filter->organization_id);
	if (way == &by_status)
		args[count++] = status;
	args[count++] = db_uuid(&filter->from);
	args[count++] = db_uuid(below);
	if (way->has_rest) {
		args[count++] = status;
		args[count++] = status;
		args[count++] = agent;
		args[count++] = agent;
	}
	return count;
}

static enum db_result count_calls(struct db *db, const struct stored_filter *filter, bool at_any_time,
                                  struct arena *arena, struct listing *out)
{
	const struct way *way = best_way(filter);
	struct db_value args[FILTER_ARGS_MAX];

	if (way == &by_batch && at_any_time && out->total < 0)
		out->total = filter->calls_of_batch;
	return page_count(db, way->count, args, put_filter(args, filter, &filter->until), arena, out);
}

/* The list is sorted by the id. */
static void set_key(struct listing *out, struct arena *arena)
{
	const struct call *items = out->items;
	char *id = arena_alloc(arena, UUID_TEXT);

	if (out->count == 0)
		return;
	uuid_format(&items[out->count - 1].id, id);
	out->last.text = id;
}

enum db_result call_list(struct db *db, int64_t organization_id, const struct call_filter *filter,
                         const struct page *page, struct arena *arena, struct listing *out)
{
	struct stored_filter stored = {
		.organization_id = organization_id, .status = filter->status,
		.from = uuid_first_at(filter->after_us), .until = uuid_first_at(filter->before_us),
	};
	bool at_any_time = filter->after_us == INSTANT_NONE && filter->before_us == INSTANT_NEVER;
	struct uuid below = stored.until, after;
	struct db_value args[FILTER_ARGS_MAX];
	size_t count;

	DB_TRY(agent_find_row(db, organization_id, &filter->agent_id, arena, &stored.agent_row));
	DB_TRY(find_batch(db, &filter->batch_id, arena, &stored));
	if (page->after != NULL && uuid_parse_id(page->after->text, "", &after) && memcmp(&after, &below, sizeof after) < 0)
		below = after;
	count = put_filter(args, &stored, &below);
	args[count++] = page_rows(page);
	args[count++] = page_offset(page);
	DB_TRY(page_query(db, best_way(&stored)->list, args, count, page, arena, out));
	set_key(out, arena);
	return count_calls(db, &stored, at_any_time, arena, out);
}
