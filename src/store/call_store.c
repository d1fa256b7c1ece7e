#include "store/call_store.h"

#include <assert.h>
#include <string.h>

#include "base/clock.h"
#include "base/instant.h"
#include "store/agent_store.h"
#include "store/columns.h"
#include "store/rows.h"
#include "store/statements.h"

COLUMNS(call_columns, struct call, COLUMN(struct call, id), COLUMN(struct call, batch_id),
        COLUMN(struct call, position), COLUMN(struct call, attempt), COLUMN(struct call, agent_id),
        COLUMN(struct call, status), COLUMN(struct call, tries), COLUMN(struct call, first_name),
        COLUMN(struct call, last_name), COLUMN(struct call, to_number), COLUMN(struct call, from_number),
        INSTANT(struct call, scheduled_at), INSTANT(struct call, called_at), INSTANT(struct call, expires_at),
        INSTANT(struct call, wake_at), INSTANT(struct call, dispatched_at), INSTANT(struct call, answered_at),
        INSTANT(struct call, reported_at), INSTANT(struct call, ended_at), COLUMN(struct call, duration_seconds),
        COLUMN(struct call, cost_ten_thousandths), COLUMN(struct call, outcome), COLUMN(struct call, end_reason),
        COLUMN(struct call, recording_url), COLUMN(struct call, transcript_url), COLUMN(struct call, summary),
        INSTANT(struct call, call_back_at), COLUMN(struct call, is_callback));

enum db_result call_get(struct db *db, int64_t organization_id, const struct uuid *id, struct arena *arena,
                        struct call *out)
{
	return DB_GET(db, SQL_CALL_GET, DB_ARGS(db_uuid(id), db_int(organization_id)), arena, struct call, out);
}

enum db_result calls_load(struct db *db, const struct uuid *ids, size_t *count, struct arena *arena,
                          const struct call **out)
{
	struct rows wanted = rows_of_uuids(ids, *count, arena);

	return DB_LIST(db, SQL_CALLS_LOAD, DB_ARGS(rows_value(&wanted)), arena, struct call, out, count);
}

enum db_result call_insert_single(struct db *db, const struct single_call *call)
{
	struct db_value id = db_uuid(&call->id), organization = db_int(call->organization_id),
					now = db_instant(call->now_us);

	DB_TRY(db_exec(db, SQL_CALL_CREATE_SINGLE,
	               DB_ARGS(id, organization, db_int(call->agent_row), now, db_text(call->to_number),
	                       db_text(call->from_number), now, now, db_instant(call->expires_at_us),
	                       db_int(call->max_seconds))));
	return db_exec(db, SQL_CALL_CREATE_SINGLE_REQUEST,
	               DB_ARGS(id, organization, db_text(call->variables), db_text(call->call_settings)));
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

enum db_result call_tally_from(struct db *db, int64_t organization_id, const char *from_number, int64_t since_us,
                               int64_t counts[CALL_STATUS__MAX])
{
	struct uuid first = uuid_first_at(since_us);
	struct arena *arena = arena_new();
	struct db_rows rows;
	enum db_result result = db_query(db, SQL_CALL_TALLY_FROM,
	                                 DB_ARGS(db_int(organization_id), db_text(from_number), db_uuid(&first)), arena,
	                                 &rows);

	memset(counts, 0, CALL_STATUS__MAX * sizeof *counts);
	for (size_t r = 0; result == DB_OK && r < rows.count; r++)
		counts[db_get_int(&rows, r, 0)] = db_get_int(&rows, r, 1);
	arena_free(arena);
	return result;
}

enum db_result call_tally_of_campaign(struct db *db, int64_t batch_id, struct arena *arena,
                                      struct number_tally **tallies, size_t *count)
{
	struct db_rows rows;
	struct number_tally *tally = NULL;

	*count = 0;
	DB_TRY(db_query(db, SQL_CALL_TALLY_OF_BATCH, DB_ARGS(db_int(batch_id)), arena, &rows));
	*tallies = arena_alloc(arena, rows.count * sizeof **tallies);
	for (size_t r = 0; r < rows.count; r++) {
		const char *from_number = db_get_text(&rows, r, 0);

		if (tally == NULL || strcmp(tally->from_number, from_number) != 0) {
			tally = &(*tallies)[(*count)++];
			tally->from_number = from_number;
		}
		tally->counts[db_get_int(&rows, r, 1)] = db_get_int(&rows, r, 2);
	}
	return DB_OK;
}

#define IN_FLIGHT \
	(CALL_BIT(CALL_QUEUED) | CALL_BIT(CALL_DISPATCHED) | CALL_BIT(CALL_RINGING) | CALL_BIT(CALL_IN_PROGRESS))
#define ALL_STATUSES (CALL_BIT(CALL_STATUS__MAX) - 1)

/* The meaning of a filter in the table. */
struct stored_filter {
	int64_t organization_id, agent_row, batch_row; /* 0: any */
	unsigned statuses;
	bool asked; /* only queued calls that do not wait in the plan */
	const char *to_number, *from_number;
	struct uuid from, until;
	int64_t calls_of_batch;
};

static enum db_result find_batch(struct db *db, const struct uuid *uuid, struct arena *arena, struct stored_filter *out)
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

/* The index that a list uses, and the parameters of its statements before and after the range of ids. */
static const struct way {
	enum sql_statement list, count;
	enum { KEY_ORGANIZATION, KEY_AGENT, KEY_BATCH, KEY_TO_NUMBER, KEY_FROM_NUMBER, KEY_STATUS } key;
	bool has_filters; /* filters on columns that are not in the index */
} by_batch = { SQL_CALL_LIST_OF_BATCH, SQL_CALL_COUNT_OF_BATCH, KEY_BATCH, false },
  by_batch_and = { SQL_CALL_LIST_OF_BATCH_AND, SQL_CALL_COUNT_OF_BATCH_AND, KEY_BATCH, true },
  by_agent = { SQL_CALL_LIST_OF_AGENT, SQL_CALL_COUNT_OF_AGENT, KEY_AGENT, false },
  by_agent_and = { SQL_CALL_LIST_OF_AGENT_AND, SQL_CALL_COUNT_OF_AGENT_AND, KEY_AGENT, true },
  by_to_number = { SQL_CALL_LIST_TO_NUMBER, SQL_CALL_COUNT_TO_NUMBER, KEY_TO_NUMBER, true },
  by_from_number = { SQL_CALL_LIST_FROM_NUMBER, SQL_CALL_COUNT_FROM_NUMBER, KEY_FROM_NUMBER, true },
  by_flight = { SQL_CALL_LIST_IN_FLIGHT, SQL_CALL_COUNT_OF_STATUSES_AND, KEY_STATUS, true },
  by_status = { SQL_CALL_LIST_OF_STATUSES, SQL_CALL_COUNT_OF_STATUSES, KEY_STATUS, false },
  by_status_and = { SQL_CALL_LIST_OF_STATUSES, SQL_CALL_COUNT_OF_STATUSES_AND, KEY_STATUS, true },
  by_nothing = { SQL_CALL_LIST, SQL_CALL_COUNT, KEY_ORGANIZATION, false };

/* Returns the way that reads the fewest rows. Calls in flight are few, and so are calls to one number. */
static const struct way *best_way(const struct stored_filter *filter)
{
	bool is_any = filter->statuses == ALL_STATUSES;

	if (*filter->to_number != '\0')
		return &by_to_number;
	if ((filter->statuses & ~IN_FLIGHT) == 0)
		return &by_flight;
	if (filter->batch_row != 0)
		return is_any && filter->agent_row == 0 && *filter->from_number == '\0' ? &by_batch : &by_batch_and;
	if (*filter->from_number != '\0')
		return &by_from_number;
	if (filter->agent_row != 0)
		return is_any ? &by_agent : &by_agent_and;
	if (is_any)
		return &by_nothing;
	return filter->asked ? &by_status_and : &by_status;
}

#define ARGS_MAX 80

struct args {
	struct db_value list[ARGS_MAX];
	size_t count;
};

static void add(struct args *args, struct db_value value)
{
	assert(args->count < ARGS_MAX);
	args->list[args->count++] = value;
}

/* Adds the parameters of CALL_OF_FILTERS. */
static void add_filters(struct args *args, const struct stored_filter *filter)
{
	add(args, db_int(filter->statuses));
	add(args, db_int(filter->asked));
	add(args, db_int(filter->agent_row));
	add(args, db_int(filter->agent_row));
	add(args, db_int(filter->batch_row));
	add(args, db_int(filter->batch_row));
	add(args, db_text(filter->from_number));
	add(args, db_text(filter->from_number));
}

static void add_key(struct args *args, const struct stored_filter *filter, const struct way *way)
{
	if (way->key == KEY_AGENT || way->key == KEY_BATCH) {
		add(args, db_int(way->key == KEY_AGENT ? filter->agent_row : filter->batch_row));
		return;
	}
	add(args, db_int(filter->organization_id));
	if (way->key == KEY_TO_NUMBER)
		add(args, db_text(filter->to_number));
	if (way->key == KEY_FROM_NUMBER)
		add(args, db_text(filter->from_number));
	for (int status = 0; way->key == KEY_STATUS && status < CALL_STATUS__MAX; status++)
		add(args, db_int((filter->statuses & CALL_BIT(status)) != 0 ? status : -1));
}

/* Adds the parameters of each status, which is a part of the statement. */
static void add_parts(struct args *args, const struct stored_filter *filter, const struct way *way,
                      const struct uuid *below, int64_t up_to)
{
	int count = way == &by_flight ? CALL_IN_PROGRESS + 1 : CALL_STATUS__MAX;

	for (int status = 0; status < count; status++) {
		add(args, db_int((filter->statuses & CALL_BIT(status)) != 0));
		add(args, db_int(filter->organization_id));
		add(args, db_uuid(&filter->from));
		add(args, db_uuid(below));
		if (way == &by_flight)
			add_filters(args, filter);
		else if (status == CALL_QUEUED)
			add(args, db_int(filter->asked));
		add(args, db_int(up_to));
	}
}

static enum db_result count_calls(struct db *db, const struct stored_filter *filter, bool at_any_time,
                                  struct arena *arena, struct listing *out)
{
	const struct way *way = best_way(filter);
	struct args args = { .count = 0 };

	if (way == &by_batch && at_any_time && out->total < 0)
		out->total = filter->calls_of_batch;
	add_key(&args, filter, way);
	add(&args, db_uuid(&filter->from));
	add(&args, db_uuid(&filter->until));
	if (way->has_filters)
		add_filters(&args, filter);
	return page_count(db, way->count, args.list, args.count, arena, out);
}

static enum db_result query_page(struct db *db, const struct stored_filter *filter, const struct page *page,
                                 const struct uuid *below, struct arena *arena, struct listing *out)
{
	const struct way *way = best_way(filter);
	struct args args = { .count = 0 };

	if (way->key == KEY_STATUS) {
		add_parts(&args, filter, way, below, page_rows(page).i + page->offset);
	} else {
		add_key(&args, filter, way);
		add(&args, db_uuid(&filter->from));
		add(&args, db_uuid(below));
		if (way->has_filters)
			add_filters(&args, filter);
	}
	add(&args, page_rows(page));
	add(&args, page_offset(page));
	return page_query(db, way->list, args.list, args.count, page, arena, out);
}

static void set_last(struct listing *out, struct arena *arena)
{
	const struct call *calls = out->items;
	char *id = arena_alloc(arena, UUID_TEXT);

	out->last = (struct page_key){ .text = "" };
	if (out->count == 0)
		return;
	uuid_format(&calls[out->count - 1].id, id);
	out->last.text = id;
}

enum db_result call_list(struct db *db, int64_t organization_id, const struct call_filter *filter,
                         const struct page *page, struct arena *arena, struct listing *out)
{
	struct stored_filter stored = {
		.organization_id = organization_id,
		.to_number = filter->to_number,
		.from_number = filter->from_number,
		.statuses = filter->statuses | (filter->in_flight ? IN_FLIGHT : 0),
		.asked = filter->in_flight && (filter->statuses & CALL_BIT(CALL_QUEUED)) == 0,
		.from = uuid_first_at(filter->after_us),
		.until = uuid_first_at(filter->before_us),
	};
	bool at_any_time = filter->after_us == INSTANT_NONE && filter->before_us == INSTANT_NEVER;
	struct uuid below = stored.until, after;

	if (stored.statuses == 0)
		stored.statuses = ALL_STATUSES;
	DB_TRY(agent_find_row(db, organization_id, &filter->agent_id, arena, &stored.agent_row));
	DB_TRY(find_batch(db, &filter->batch_id, arena, &stored));
	if (page->after != NULL && uuid_parse_id(page->after->text, "", &after) && memcmp(&after, &below, sizeof after) < 0)
		below = after;
	DB_TRY(query_page(db, &stored, page, &below, arena, out));
	set_last(out, arena);
	return count_calls(db, &stored, at_any_time, arena, out);
}
