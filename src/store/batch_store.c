#include "store/batch_store.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "store/columns.h"
#include "store/conflicts.h"
#include "store/rows.h"
#include "store/statements.h"

#define SET_ASIDE_US (60 * US_PER_SECOND)
#define SET_ASIDE_REASON "tried again every minute: the database refuses its work, see the scheduler's log"

#define OF_CONFIG(kind, name, member) kind##_AS(struct batch_config, name, member),
static COLUMNS(source_columns, struct batch_config, SOURCE_TABLE(OF_CONFIG));
static COLUMNS(config_columns, struct batch_config, CAMPAIGN_TABLE(OF_CONFIG));

/* One row of a campaign. A campaign has a row for each of its numbers, or one row when it has none. */
struct campaign_row {
	struct batch batch;
	const char *zone_trouble;
	int64_t slot;
	struct uuid number_id; /* nil: no number, or a number that was deleted */
	const char *phone_number;
};

#define BATCH(name) COLUMN_AS(struct campaign_row, name, batch.name)
#define BATCH_AT(name) INSTANT_AS(struct campaign_row, name, batch.name##_us)
#define COUNTED(name) COLUMN_AS(struct campaign_row, name, batch.counts.name)
#define OF_ROW(kind, name, member) kind##_AS(struct campaign_row, name, batch.config.member),
COLUMNS(campaign_columns, struct campaign_row, SOURCE_TABLE(OF_ROW) CAMPAIGN_TABLE(OF_ROW) BATCH(id), BATCH(uuid),
        BATCH(organization_id), COLUMN_AS(struct campaign_row, agent_id, batch.agent_row),
        COLUMN_AS(struct campaign_row, agent_uuid, batch.config.agent_id), BATCH(has_contact_ids), BATCH(status),
        BATCH(status_reason), COLUMN(struct campaign_row, zone_trouble),
        COLUMN_AS(struct campaign_row, total_contacts, batch.counts.total), COUNTED(called), COUNTED(in_progress),
        COUNTED(completed), COUNTED(failed), COUNTED(voicemail), COUNTED(no_answer), COUNTED(busy), COUNTED(cancelled),
        COUNTED(skipped), BATCH_AT(planned_from), BATCH_AT(planned_until), BATCH_AT(started_at), BATCH_AT(completed_at),
        BATCH_AT(created_at), BATCH_AT(updated_at), BATCH(work), BATCH_AT(wake_at), BATCH(day), BATCH(day_calls),
        BATCH(plan_position), BATCH(front_from), INSTANT_AS(struct campaign_row, plan_next, batch.plan.next_us),
        COLUMN_AS(struct campaign_row, plan_day, batch.plan.day),
        COLUMN_AS(struct campaign_row, plan_day_calls, batch.plan.day_calls), BATCH(held_by), BATCH_AT(held_until),
        BATCH(progress), COLUMN_AS(struct campaign_row, places, batch.dialer_places), BATCH(waits_for),
        COLUMN(struct campaign_row, slot), COLUMN(struct campaign_row, number_id),
        COLUMN(struct campaign_row, phone_number));

COLUMNS(batch_look_columns, struct batch_look, COLUMN(struct batch_look, work), INSTANT(struct batch_look, wake_at),
        COLUMN(struct batch_look, capped));

static int by_slot(const void *a, const void *b)
{
	int64_t first = (*(const struct campaign_row *const *)a)->slot;
	int64_t second = (*(const struct campaign_row *const *)b)->slot;

	return (first > second) - (first < second);
}

static void read_numbers(struct batch *batch, const struct campaign_row *rows, size_t count, struct arena *arena)
{
	const struct campaign_row **numbers = arena_alloc(arena, count * sizeof *numbers);
	struct uuid *ids = arena_alloc(arena, count * sizeof *ids);
	size_t found = 0;

	for (size_t i = 0; i < count; i++)
		if (!uuid_is_nil(&rows[i].number_id))
			numbers[found++] = &rows[i];
	qsort(numbers, found, sizeof *numbers, by_slot);
	for (size_t i = 0; i < found; i++)
		ids[i] = numbers[i]->number_id;
	batch->config.phone_number_ids = (struct field_list){ ids, found };
	batch->from_number = found != 0 ? numbers[0]->phone_number : "";
}

/* Reads the first campaign of `left` rows. Returns how many rows it has. */
static size_t read_batch(const struct campaign_row *rows, size_t left, struct arena *arena, struct batch *batch)
{
	struct batch_counts *counts = &batch->counts;
	size_t count = 1;

	while (count < left && rows[count].batch.id == rows->batch.id)
		count++;
	*batch = rows->batch;
	snprintf(batch->zone_trouble, sizeof batch->zone_trouble, "%s", rows->zone_trouble);
	counts->pending = counts->total - counts->in_progress - counts->completed - counts->failed - counts->voicemail -
	                  counts->no_answer - counts->busy - counts->cancelled - counts->skipped;
	batch_counts_settle(counts, batch->status);
	read_numbers(batch, rows, count, arena);
	return count;
}

static enum db_result read_one(const struct db_rows *rows, struct arena *arena, struct batch *out)
{
	if (rows->count == 0)
		return DB_NOT_FOUND;
	read_batch(DB_STRUCTS(rows, struct campaign_row), rows->count, arena, out);
	return DB_OK;
}

enum db_result batch_get(struct db *db, int64_t organization_id, const struct uuid *uuid, struct arena *arena,
                         struct batch *out)
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

enum db_result batch_organization(struct db *db, const struct uuid *uuid, int64_t *organization_id)
{
	return db_query_int(db, SQL_BATCH_ORGANIZATION, DB_ARGS(db_uuid(uuid)), organization_id);
}

enum db_result batch_get_row(struct db *db, int64_t id, struct arena *arena, struct batch *out)
{
	struct db_rows rows;

	DB_TRY(db_query(db, SQL_BATCH_GET_ROW, DB_ARGS(db_int(id)), arena, &rows));
	return read_one(&rows, arena, out);
}

/* Two statements, because the second reads rows of other tables, which must stay unlocked. */
static enum db_result lock_with(struct db *db, enum sql_statement statement, int64_t organization_id,
                                const struct uuid *uuid, struct arena *arena, struct batch *out)
{
	int64_t id;

	DB_TRY(db_query_int(db, statement, DB_ARGS(db_uuid(uuid), db_int(organization_id)), &id));
	DB_TRY(db_guard(db, GUARD_CAMPAIGN, id));
	return batch_get_row(db, id, arena, out);
}

enum db_result batch_lock(struct db *db, int64_t organization_id, const struct uuid *uuid, struct arena *arena,
                          struct batch *out)
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

	for (size_t r = 0; r < ids->count; r++)
		rows_add_id(&wanted, db_get_int(ids, r, 0));
	DB_TRY(db_query(db, SQL_BATCH_LOAD, DB_ARGS(rows_value(&wanted)), arena, &rows));
	*campaigns = arena_alloc(arena, ids->count * sizeof **campaigns);
	*count = 0;
	for (size_t r = 0; r < rows.count;)
		r += read_batch(DB_STRUCTS(&rows, struct campaign_row) + r, rows.count - r, arena, &(*campaigns)[(*count)++]);
	return DB_OK;
}

enum db_result batch_insert(struct db *db, struct batch *batch)
{
	const struct batch_config *config = &batch->config;

	DB_TRY(db_exec(db, SQL_BATCH_CREATE,
	               DB_ARGS(db_uuid(&batch->uuid), db_int(batch->organization_id), db_int(batch->agent_row),
	                       db_int(batch->has_contact_ids), db_int(batch->counts.total),
	                       db_instant(batch->created_at_us), db_instant(batch->created_at_us),
	                       db_members(&source_columns, config), db_members(&config_columns, config))));
	batch->id = db_insert_id(db);
	return db_exec(db, SQL_BATCH_CREATE_COUNTERS, DB_ARGS(db_int(batch->id)));
}

enum db_result batch_save_config(struct db *db, const struct batch *batch)
{
	return db_exec(db, SQL_BATCH_SAVE_CONFIG,
	               DB_ARGS(db_instant(batch->updated_at_us), db_members(&config_columns, &batch->config),
	                       db_int(batch->id)));
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
	result = db_query(db, SQL_BATCH_CALLS_SINCE, DB_ARGS(db_int(batch->id), db_uuid(&first), db_instant(began_us)),
	                  arena, &rows);
	if (result == DB_OK)
		batch->day_calls = db_get_int(&rows, 0, 0);
	arena_free(arena);
	return result;
}

enum db_result batch_recount_day(struct db *db, struct batch *batch, int64_t now_us)
{
	DB_TRY(batch_count_day(db, batch, now_us));
	return db_exec(db, SQL_BATCH_SAVE_LEDGER, DB_ARGS(db_int(batch->day), db_int(batch->day_calls), db_int(batch->id)));
}

enum db_result batch_save_state(struct db *db, const struct batch *batch)
{
	return db_exec(db, SQL_BATCH_SAVE_STATE,
	               DB_ARGS(db_int(batch_is_over(batch->status) ? BATCH_PROGRESS_MAX : 0), db_int(batch->status),
	                       db_text(batch->status_reason), db_int(batch->work), db_instant(batch->wake_at_us),
	                       db_instant(batch->started_at_us), db_instant(batch->completed_at_us),
	                       db_instant(batch->updated_at_us), db_int(batch->id)));
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

static void log_set_aside(struct db *db, int64_t id)
{
	struct arena *arena = arena_new();
	char text[UUID_TEXT] = "";
	struct db_rows rows;

	if (db_query(db, SQL_BATCH_ID, DB_ARGS(db_int(id)), arena, &rows) == DB_OK && rows.count > 0) {
		struct uuid uuid = db_get_uuid(&rows, 0, 0);

		uuid_format(&uuid, text);
	}
	log_error("a campaign is set aside for a minute, because the database refuses to work on it campaign=%s", text);
	arena_free(arena);
}

enum db_result batch_get_look(struct db *db, int64_t id, struct batch_look *out)
{
	struct arena *arena = arena_new();
	enum db_result result = DB_GET(db, SQL_BATCH_LOOK, DB_ARGS(db_int(id)), arena, struct batch_look, out);

	arena_free(arena);
	return result;
}

enum db_result batch_lock_waiting(struct db *db, enum batch_work work, int64_t now_us, int64_t *id)
{
	enum db_result result = db_query_int(db, SQL_WORK_LOCK, DB_ARGS(db_int(work), db_instant(now_us)), id);

	return result == DB_NOT_FOUND ? DB_OK : result;
}

enum db_result batch_set_aside(struct db *db, int64_t id, enum db_result why, int64_t now_us)
{
	int64_t wait_us = conflict_wait_us(db, CONFLICT_CAMPAIGN, id, why), until_us = now_us + SET_ASIDE_US;

	if (wait_us != 0)
		return db_exec(db, SQL_BATCH_POSTPONE,
		               DB_ARGS(db_instant(now_us + wait_us), db_int(id), db_instant(now_us + wait_us)));
	log_set_aside(db, id);
	return db_exec(db, SQL_BATCH_SET_ASIDE,
	               DB_ARGS(db_instant(until_us), db_text(SET_ASIDE_REASON), db_int(id), db_instant(until_us)));
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
	return rows_of_uuids(batch->config.phone_number_ids.items, batch->config.phone_number_ids.count, arena);
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

	return ids.count != 0 ? db_query(db, SQL_BATCH_NUMBERS_FIND,
	                                 DB_ARGS(rows_value(&ids), db_int(batch->organization_id)), arena, rows)
	                      : db_query(db, SQL_BATCH_NUMBERS_FIND_OF_AGENT,
	                                 DB_ARGS(db_int(batch->agent_row), db_int(batch->organization_id)), arena, rows);
}

enum db_result batch_get_numbers(struct db *db, struct arena *arena, struct batch *batch)
{
	struct db_rows rows;
	struct uuid *ids;

	DB_TRY(db_query(db, SQL_BATCH_NUMBERS_GET, DB_ARGS(db_int(batch->id)), arena, &rows));
	ids = arena_alloc(arena, rows.count * sizeof *ids);
	for (size_t r = 0; r < rows.count; r++)
		ids[r] = db_get_uuid(&rows, r, 0);
	batch->config.phone_number_ids = (struct field_list){ ids, rows.count };
	batch->from_number = rows.count != 0 ? db_get_text(&rows, 0, 1) : "";
	return DB_OK;
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
		DB_TRY(db_exec(db, SQL_BATCH_NUMBERS_OF_AGENT,
		               DB_ARGS(db_int(batch->id), db_int(batch->agent_row), db_int(batch->organization_id))));
	*found = db_affected(db);
	return DB_OK;
}

enum db_result batch_save_numbers(struct db *db, const struct batch *batch, int64_t *found)
{
	DB_TRY(db_exec(db, SQL_BATCH_NUMBERS_CLEAR, DB_ARGS(db_int(batch->id))));
	return batch_set_numbers(db, batch, found);
}
