#include "store/batch_store.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/json.h"
#include "base/log.h"
#include "store/rows.h"
#include "store/statements.h"

#define SET_ASIDE_US (60 * US_PER_SECOND)
#define SET_ASIDE_REASON "tried again every minute: the database refuses its work, see the scheduler's log"

/* A JSON array of dates, as we wrote it. */
static struct field_list read_dates(const char *text, struct arena *arena)
{
	int32_t *days = arena_alloc(arena, (strlen(text) / 12 + 1) * sizeof *days);
	size_t count = 0;
	char date[11] = "";

	for (const char *c = strchr(text, '"'); c != NULL; c = strchr(c + 12, '"')) {
		memcpy(date, c + 1, 10);
		count += date_parse(date, &days[count]);
		if (c[12] == ']' || c[12] == '\0')
			break;
	}
	return (struct field_list){ days, count };
}

/* [[days,start,end],…], as we wrote it. */
static struct field_list read_windows(const char *text, struct arena *arena)
{
	struct calling_window *windows = arena_alloc(arena, CALENDAR_MAX_WINDOWS * sizeof *windows);
	struct calling_window next;
	size_t count = 0;
	int len;

	while (count < CALENDAR_MAX_WINDOWS &&
	       sscanf(text, "%*1[[,][%u,%d,%d]%n", &next.days, &next.start, &next.end, &len) == 3) {
		windows[count++] = next;
		text += len;
	}
	return (struct field_list){ windows, count };
}

static const char *write_windows(const struct field_list *list, struct arena *arena)
{
	const struct calling_window *windows = list->items;
	const char *text = "";

	for (size_t i = 0; i < list->count; i++)
		text = arena_printf(arena, "%s%c[%u,%d,%d]", text, i == 0 ? '[' : ',', windows[i].days,
		                    windows[i].start, windows[i].end);
	return list->count == 0 ? "" : arena_printf(arena, "%s]", text);
}

void batch_read_calendar(const struct db_rows *rows, size_t r, size_t column, struct arena *arena,
                         struct batch_config *config)
{
	config->timezone = db_get_text(rows, r, column);
	config->window_start = (int)db_get_int(rows, r, column + 1);
	config->window_end = (int)db_get_int(rows, r, column + 2);
	config->working_days = (unsigned)db_get_int(rows, r, column + 3);
	config->calling_windows = read_windows(db_get_text(rows, r, column + 4), arena);
	config->excluded_dates = read_dates(db_get_text(rows, r, column + 5), arena);
	config->respect_contact_timezone = db_get_int(rows, r, column + 6) != 0;
}

static const char *write_dates(const struct field_list *dates, struct arena *arena)
{
	struct buf text = { 0 };
	struct json json = json_to(&text);
	const int32_t *days = dates->items;
	const char *copy;

	json_begin_array(&json, NULL);
	for (size_t i = 0; i < dates->count; i++) {
		char date[11];

		date_format(days[i], date);
		json_add_string(&json, NULL, date);
	}
	json_end(&json);
	copy = arena_strdup(arena, text.data);
	buf_free(&text);
	return copy;
}

/* The cells of a row in the order of BATCH_COLUMNS. */
struct cursor {
	const struct db_rows *rows;
	size_t row, column;
};

static int64_t next_int(struct cursor *at)
{
	return db_get_int(at->rows, at->row, at->column++);
}

static const char *next_text(struct cursor *at)
{
	return db_get_text(at->rows, at->row, at->column++);
}

static struct uuid next_uuid(struct cursor *at)
{
	return db_get_uuid(at->rows, at->row, at->column++);
}

static void read_config(struct batch *batch, struct cursor *at, struct arena *arena)
{
	struct batch_config *config = &batch->config;

	config->agent_id = next_uuid(at);
	config->name = next_text(at);
	config->phone_rotation_strategy = (int)next_int(at);
	config->contact_source = (int)next_int(at);
	config->schedule_type = (int)next_int(at);
	config->scheduled_at.us = next_int(at);
	batch_read_calendar(at->rows, at->row, at->column, arena, config);
	at->column += BATCH_CALENDAR_COLUMNS;
	config->max_concurrent_calls = next_int(at);
	config->max_calls_per_day = next_int(at);
	config->calls_per_minute = next_int(at);
	config->retry_failed = next_int(at) != 0;
	config->max_retry_attempts = next_int(at);
	config->retry_on = (unsigned)next_int(at);
	config->retry_delay_minutes = next_int(at);
	config->metadata = next_text(at);
	config->contact_folder_id = next_uuid(at);
	config->source_campaign_id = next_uuid(at);
	config->source_statuses = (unsigned)next_int(at);
	batch->has_contact_ids = next_int(at) != 0;
}

static void read_progress(struct batch *batch, struct cursor *at)
{
	struct batch_counts *counts = &batch->counts;

	batch->status = (enum batch_status)next_int(at);
	batch->status_reason = next_text(at);
	snprintf(batch->zone_trouble, sizeof batch->zone_trouble, "%s", next_text(at));
	counts->total = next_int(at);
	counts->called = next_int(at);
	counts->in_progress = next_int(at);
	counts->completed = next_int(at);
	counts->failed = next_int(at);
	counts->voicemail = next_int(at);
	counts->no_answer = next_int(at);
	counts->busy = next_int(at);
	counts->cancelled = next_int(at);
	counts->skipped = next_int(at);
	counts->pending = counts->total - counts->in_progress - counts->completed - counts->failed -
	                  counts->voicemail - counts->no_answer - counts->busy - counts->cancelled - counts->skipped;
	batch_counts_settle(counts, batch->status);
	batch->planned_from_us = next_int(at);
	batch->planned_until_us = next_int(at);
	batch->started_at_us = next_int(at);
	batch->completed_at_us = next_int(at);
	batch->created_at_us = next_int(at);
	batch->updated_at_us = next_int(at);
}

struct slot {
	int64_t slot;
	struct uuid id;
	const char *phone_number;
};

static int by_slot(const void *a, const void *b)
{
	int64_t first = ((const struct slot *)a)->slot, second = ((const struct slot *)b)->slot;

	return (first > second) - (first < second);
}

/* From `count` rows, the cursor being at the columns of the number; those that were deleted are left out. */
static void read_numbers(struct batch *batch, struct cursor at, size_t count, struct arena *arena)
{
	struct slot *slots = arena_alloc(arena, count * sizeof *slots);
	struct uuid *ids = arena_alloc(arena, count * sizeof *ids);
	size_t found = 0;

	for (size_t end = at.row + count; at.row < end; at.row++)
		if (db_get(at.rows, at.row, at.column + 1)->len != 0)
			slots[found++] = (struct slot){ db_get_int(at.rows, at.row, at.column),
			                                db_get_uuid(at.rows, at.row, at.column + 1),
			                                db_get_text(at.rows, at.row, at.column + 2) };
	qsort(slots, found, sizeof *slots, by_slot);
	for (size_t i = 0; i < found; i++)
		ids[i] = slots[i].id;
	batch->config.phone_number_ids = (struct field_list){ ids, found };
	batch->from_number = found != 0 ? slots[0].phone_number : "";
}

/* How many rows from this one on are of the same campaign. */
static size_t rows_of_batch(const struct db_rows *rows, size_t row)
{
	size_t count = 1;

	while (row + count < rows->count && db_get_int(rows, row + count, 0) == db_get_int(rows, row, 0))
		count++;
	return count;
}

/* Returns how many rows that were. */
static size_t read_batch(const struct db_rows *rows, size_t row, struct arena *arena, struct batch *batch)
{
	struct cursor at = { rows, row, 0 };
	size_t count = rows_of_batch(rows, row);

	*batch = (struct batch){ .id = next_int(&at) };
	batch->uuid = next_uuid(&at);
	batch->organization_id = next_int(&at);
	batch->agent_row = next_int(&at);
	read_config(batch, &at, arena);
	read_progress(batch, &at);
	batch->work = (enum batch_work)next_int(&at);
	batch->wake_at_us = next_int(&at);
	batch->day = (int32_t)next_int(&at);
	batch->day_calls = next_int(&at);
	batch->plan_position = next_int(&at);
	batch->plan.next_us = next_int(&at);
	batch->plan.day = (int32_t)next_int(&at);
	batch->plan.day_calls = (int)next_int(&at);
	batch->held_by = next_text(&at);
	batch->held_until_us = next_int(&at);
	batch->progress = next_int(&at);
	batch->dialer_places = next_int(&at);
	batch->waits_for = (enum batch_wait)next_int(&at);
	read_numbers(batch, at, count, arena);
	return count;
}

static enum db_result read_one(const struct db_rows *rows, struct arena *arena, struct batch *out)
{
	if (rows->count == 0)
		return DB_NOT_FOUND;
	read_batch(rows, 0, arena, out);
	return DB_OK;
}

enum db_result batch_get(struct db *db, int64_t organization_id, const struct uuid *uuid,
                         struct arena *arena, struct batch *out)
{
	struct db_rows rows;

	DB_TRY(db_query(db, SQL_BATCH_GET, DB_ARGS(db_uuid(uuid), db_int(organization_id)), arena, &rows));
	return read_one(&rows, arena, out);
}

enum db_result batch_find(struct db *db, const struct uuid *uuid, struct arena *arena, struct batch *out)
{
	struct db_rows rows;

	DB_TRY(db_query(db, SQL_BATCH_FIND, DB_ARGS(db_uuid(uuid)), arena, &rows));
	return read_one(&rows, arena, out);
}

enum db_result batch_get_row(struct db *db, int64_t id, struct arena *arena, struct batch *out)
{
	struct db_rows rows;

	DB_TRY(db_query(db, SQL_BATCH_GET_ROW, DB_ARGS(db_int(id)), arena, &rows));
	return read_one(&rows, arena, out);
}

/* Two statements, because the second reads rows of other tables that must stay unlocked. */
static enum db_result lock_with(struct db *db, enum sql_statement statement, int64_t organization_id,
                                const struct uuid *uuid, struct arena *arena, struct batch *out)
{
	int64_t id;

	DB_TRY(db_query_int(db, statement, DB_ARGS(db_uuid(uuid), db_int(organization_id)), &id));
	DB_TRY(db_guard(db, GUARD_CAMPAIGN, id));
	return batch_get_row(db, id, arena, out);
}

enum db_result batch_lock(struct db *db, int64_t organization_id, const struct uuid *uuid,
                          struct arena *arena, struct batch *out)
{
	return lock_with(db, SQL_BATCH_LOCK, organization_id, uuid, arena, out);
}

enum db_result batch_lock_shared(struct db *db, int64_t organization_id, const struct uuid *uuid, struct arena *arena,
                                 struct batch *out)
{
	return lock_with(db, SQL_BATCH_LOCK_SHARED, organization_id, uuid, arena, out);
}

enum db_result batch_load(struct db *db, const struct db_rows *ids, struct arena *arena, struct batch **campaigns,
                          size_t *count)
{
	struct rows wanted = rows_new(arena);
	struct db_rows rows;

	for (size_t r = 0; r < ids->count; r++) {
		rows_next(&wanted);
		rows_int(&wanted, "id", db_get_int(ids, r, 0));
	}
	DB_TRY(db_query(db, SQL_BATCH_LOAD, DB_ARGS(rows_value(&wanted)), arena, &rows));
	*campaigns = arena_alloc(arena, ids->count * sizeof **campaigns);
	*count = 0;
	for (size_t r = 0; r < rows.count;)
		r += read_batch(&rows, r, arena, &(*campaigns)[(*count)++]);
	return DB_OK;
}

enum db_result batch_insert(struct db *db, struct batch *batch)
{
	const struct batch_config *c = &batch->config;
	struct arena *arena = arena_new();
	enum db_result result = db_exec(db, SQL_BATCH_CREATE, DB_ARGS(
		db_uuid(&batch->uuid), db_int(batch->organization_id), db_int(batch->agent_row), db_text(c->name),
		db_int(c->phone_rotation_strategy), db_int(c->contact_source),
		db_uuid(&c->contact_folder_id), db_uuid(&c->source_campaign_id), db_int(c->source_statuses),
		db_int(batch->has_contact_ids), db_int(c->schedule_type),
		db_instant(c->scheduled_at.us), db_text(c->timezone), db_int(c->window_start),
		db_int(c->window_end), db_int(c->working_days), db_text(write_windows(&c->calling_windows, arena)),
		db_text(write_dates(&c->excluded_dates, arena)), db_int(c->respect_contact_timezone),
		db_int(c->max_concurrent_calls), db_int(c->max_calls_per_day), db_int(c->calls_per_minute),
		db_int(c->retry_failed), db_int(c->max_retry_attempts), db_int(c->retry_on),
		db_int(c->retry_delay_minutes), db_text(c->metadata), db_int(batch->counts.total),
		db_instant(batch->created_at_us), db_instant(batch->created_at_us)));

	arena_free(arena);
	if (result != DB_OK)
		return result;
	batch->id = db_insert_id(db);
	return db_exec(db, SQL_BATCH_CREATE_COUNTERS, DB_ARGS(db_int(batch->id)));
}

enum db_result batch_save_config(struct db *db, const struct batch *batch)
{
	const struct batch_config *c = &batch->config;
	struct arena *arena = arena_new();
	enum db_result result = db_exec(db, SQL_BATCH_SAVE_CONFIG, DB_ARGS(
		db_text(c->name), db_int(c->phone_rotation_strategy), db_int(c->schedule_type),
		db_instant(c->scheduled_at.us), db_text(c->timezone), db_int(c->window_start),
		db_int(c->window_end), db_int(c->working_days), db_text(write_windows(&c->calling_windows, arena)),
		db_text(write_dates(&c->excluded_dates, arena)), db_int(c->respect_contact_timezone),
		db_int(c->max_concurrent_calls), db_int(c->max_calls_per_day), db_int(c->calls_per_minute),
		db_int(c->retry_failed), db_int(c->max_retry_attempts), db_int(c->retry_on),
		db_int(c->retry_delay_minutes), db_text(c->metadata), db_instant(batch->updated_at_us),
		db_int(batch->id)));

	arena_free(arena);
	return result;
}

enum db_result batch_count_day(struct db *db, struct batch *batch, int64_t now_us)
{
	struct calendar calendar = batch_plan_rules(&batch->config).calendar;
	struct arena *arena = arena_new();
	struct db_rows rows;
	enum db_result result;
	struct uuid first;
	int64_t began_us;

	batch->day = calendar_day_at(&calendar, now_us, &began_us);
	first = uuid_first_at(began_us);
	result = db_query(db, SQL_BATCH_CALLS_SINCE, DB_ARGS(
		db_int(batch->id), db_uuid(&first), db_instant(began_us)), arena, &rows);
	if (result == DB_OK)
		batch->day_calls = db_get_int(&rows, 0, 0);
	arena_free(arena);
	return result;
}

enum db_result batch_recount_day(struct db *db, struct batch *batch, int64_t now_us)
{
	DB_TRY(batch_count_day(db, batch, now_us));
	return db_exec(db, SQL_BATCH_SAVE_LEDGER, DB_ARGS(
		db_int(batch->day), db_int(batch->day_calls), db_int(batch->id)));
}

enum db_result batch_save_state(struct db *db, const struct batch *batch)
{
	return db_exec(db, SQL_BATCH_SAVE_STATE, DB_ARGS(
		db_int(batch_is_over(batch->status) ? BATCH_PROGRESS_MAX : 0), db_int(batch->status), db_text(batch->status_reason), db_int(batch->work),
		db_instant(batch->wake_at_us), db_instant(batch->started_at_us),
		db_instant(batch->completed_at_us), db_instant(batch->updated_at_us), db_int(batch->id)));
}

void batch_log_zone_trouble(const struct uuid *uuid, const char *before, const char *now)
{
	char id[UUID_TEXT];

	if (strcmp(before, now) == 0)
		return;
	uuid_format(uuid, id);
	if (*now != '\0')
		log_warning("a campaign waits: %s batch=%s", now, id);
	else
		log_info("a campaign goes on, because its time zones can be read again batch=%s", id);
}

enum db_result batch_save_zone_trouble(struct db *db, int64_t id, const struct uuid *uuid, const char *before,
                                       const char *now)
{
	if (strcmp(before, now) == 0)
		return DB_OK;
	batch_log_zone_trouble(uuid, before, now);
	return db_exec(db, SQL_BATCH_SAVE_ZONE_TROUBLE, DB_ARGS(db_text(now), db_int(id)));
}

enum db_result batch_set_aside(struct db *db, int64_t id, int64_t now_us)
{
	int64_t until_us = now_us + SET_ASIDE_US;

	log_error("a campaign is set aside for a minute, because the database refuses to work on it batch=%lld",
	          (long long)id);
	return db_exec(db, SQL_BATCH_SET_ASIDE, DB_ARGS(
		db_instant(until_us), db_text(SET_ASIDE_REASON), db_int(id), db_instant(until_us)));
}

enum db_result batch_lock_numbers(struct db *db, const struct batch *batch, int64_t *left)
{
	struct arena *arena = arena_new();
	struct db_rows rows;
	enum db_result result = db_query(db, SQL_BATCH_NUMBERS_LOCK, DB_ARGS(db_int(batch->id)), arena, &rows);

	*left = (int64_t)rows.count;
	for (size_t r = 0; result == DB_OK && r < rows.count; r++)
		result = db_guard(db, GUARD_NUMBER, db_get_int(&rows, r, 0));
	arena_free(arena);
	return result;
}

static struct rows given_numbers(const struct batch *batch, struct arena *arena)
{
	const struct uuid *ids = batch->config.phone_number_ids.items;
	struct rows rows = rows_new(arena);

	for (size_t i = 0; i < batch->config.phone_number_ids.count; i++) {
		rows_next(&rows);
		rows_id(&rows, "id", &ids[i]);
	}
	return rows;
}

static enum db_result set_given_numbers(struct db *db, const struct batch *batch)
{
	const struct uuid *ids = batch->config.phone_number_ids.items;
	struct db_value id = db_int(batch->id), organization = db_int(batch->organization_id);
	struct arena *arena;
	struct rows rows;
	enum db_result result;

	if (batch->config.phone_number_ids.count == 1)
		return db_exec(db, SQL_BATCH_NUMBERS_SET_ONE, DB_ARGS(id, db_uuid(ids), organization));
	arena = arena_new();
	rows = given_numbers(batch, arena);
	result = db_exec(db, SQL_BATCH_NUMBERS_SET, DB_ARGS(id, rows_value(&rows), organization));
	arena_free(arena);
	return result;
}

static enum db_result query_numbers(struct db *db, const struct batch *batch, struct arena *arena, struct db_rows *rows)
{
	struct rows ids = given_numbers(batch, arena);

	return ids.count != 0
		? db_query(db, SQL_BATCH_NUMBERS_FIND, DB_ARGS(rows_value(&ids), db_int(batch->organization_id)), arena, rows)
		: db_query(db, SQL_BATCH_NUMBERS_FIND_OF_AGENT, DB_ARGS(
			db_int(batch->agent_row), db_int(batch->organization_id)), arena, rows);
}

enum db_result batch_find_numbers(struct db *db, const struct batch *batch, int64_t *found, int64_t *calls_per_minute)
{
	struct arena *arena = arena_new();
	struct db_rows rows = { 0 };
	enum db_result result = query_numbers(db, batch, arena, &rows);
	bool all_paced = true;

	*found = (int64_t)rows.count;
	*calls_per_minute = 0;
	for (size_t r = 0; result == DB_OK && r < rows.count; r++) {
		*calls_per_minute += db_get_int(&rows, r, 1);
		all_paced &= db_get_int(&rows, r, 1) != 0;
	}
	if (!all_paced)
		*calls_per_minute = 0;
	arena_free(arena);
	return result;
}

enum db_result batch_set_numbers(struct db *db, const struct batch *batch, int64_t *found)
{
	if (batch->config.phone_number_ids.count != 0)
		DB_TRY(set_given_numbers(db, batch));
	else
		DB_TRY(db_exec(db, SQL_BATCH_NUMBERS_OF_AGENT, DB_ARGS(
			db_int(batch->id), db_int(batch->agent_row), db_int(batch->organization_id))));
	*found = db_affected(db);
	return DB_OK;
}

enum db_result batch_save_numbers(struct db *db, const struct batch *batch, int64_t *found)
{
	DB_TRY(db_exec(db, SQL_BATCH_NUMBERS_CLEAR, DB_ARGS(db_int(batch->id))));
	return batch_set_numbers(db, batch, found);
}
