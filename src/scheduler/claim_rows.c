#include "scheduler/claim_rows.h"

#include <string.h>

#include "base/crypto.h"
#include "base/instant.h"
#include "base/log.h"
#include "store/batch_store.h"
#include "store/statements.h"

static void open_rows(struct json *json, struct buf *rows)
{
	*json = json_to(rows);
	json_begin_array(json, NULL);
}

void claim_open(struct claim *claim)
{
	claim->arena = arena_new();
	open_rows(&claim->takes_json, &claim->takes);
	open_rows(&claim->calls_json, &claim->calls);
	open_rows(&claim->skips_json, &claim->skips);
	open_rows(&claim->saves_json, &claim->saves);
}

void claim_close(struct claim *claim)
{
	buf_free(&claim->takes);
	buf_free(&claim->calls);
	buf_free(&claim->skips);
	buf_free(&claim->saves);
	arena_free(claim->arena);
}

static void read_campaign(const struct db_rows *rows, size_t r, struct arena *arena, struct claim_campaign *out)
{
	*out = (struct claim_campaign){
		.id = db_get_int(rows, r, 0),
		.uuid = db_get_uuid(rows, r, 1),
		.organization_id = db_get_int(rows, r, 2),
		.agent_row = db_get_int(rows, r, 3),
		.status = (enum batch_status)db_get_int(rows, r, 4),
		.rotation = (enum rotation)db_get_int(rows, r, 5),
		.config = {
			.scheduled_at.us = db_get_int(rows, r, 6),
			.timezone = db_get_text(rows, r, 7),
			.window_start = (int)db_get_int(rows, r, 8),
			.window_end = (int)db_get_int(rows, r, 9),
			.working_days = (unsigned)db_get_int(rows, r, 10),
			.excluded_dates = batch_read_dates(db_get_text(rows, r, 11), arena),
			.max_concurrent_calls = db_get_int(rows, r, 12),
			.max_calls_per_day = db_get_int(rows, r, 13),
			.calls_per_minute = db_get_int(rows, r, 14),
		},
		.total = db_get_int(rows, r, 15),
		.called = db_get_int(rows, r, 16),
		.claimed = db_get_int(rows, r, 17),
		.low_water_us = db_get_int(rows, r, 18),
		.span = {
			.from_us = db_get_int(rows, r, 19),
			.until_us = db_get_int(rows, r, 20),
		},
		.day = db_get_int(rows, r, 21),
		.day_calls = db_get_int(rows, r, 22),
		.pace_at_us = db_get_int(rows, r, 23),
		.callable = true,
	};
	out->span.day = (int32_t)out->day;
}

static void read_numbers(struct claim_campaign *campaign, const char *text, struct arena *arena)
{
	char *copy = arena_strdup(arena, text), *rest = NULL;

	for (char *number = strtok_r(copy, " ", &rest); number != NULL; number = strtok_r(NULL, " ", &rest))
		if (campaign->number_count < BATCH_MAX_NUMBERS)
			campaign->numbers[campaign->number_count++] = number;
}

static struct claim_campaign *find_campaign(struct claim *claim, int64_t id)
{
	for (size_t i = 0; i < claim->campaign_count; i++)
		if (claim->campaigns[i].id == id)
			return &claim->campaigns[i];
	return NULL;
}

static enum db_result load_facts(struct db *db, struct claim *claim)
{
	struct buf ids = { 0 };
	struct json json = json_to(&ids);
	struct db_rows rows;
	enum db_result result;

	json_begin_array(&json, NULL);
	for (size_t i = 0; i < claim->campaign_count; i++)
		json_int(&json, NULL, claim->campaigns[i].id);
	json_end(&json);
	result = db_query(db, SQL_CLAIM_FACTS, DB_ARGS(db_buf(&ids)), claim->arena, &rows);
	buf_free(&ids);
	for (size_t r = 0; r < rows.count; r++) {
		struct claim_campaign *campaign = find_campaign(claim, db_get_int(&rows, r, 0));

		campaign->done = db_get_int(&rows, r, 1);
		campaign->final = db_get_int(&rows, r, 2);
		campaign->max_call_seconds = db_get_int(&rows, r, 3);
		campaign->endpoint = db_get_int(&rows, r, 4);
		read_numbers(campaign, db_get_text(&rows, r, 5), claim->arena);
	}
	return result;
}

enum db_result claim_lock_campaigns(struct db *db, struct claim *claim)
{
	struct db_rows rows;

	DB_TRY(db_query(db, SQL_CLAIM_CAMPAIGNS, DB_ARGS(db_instant(claim->now_us), db_int(claim->max_campaigns)),
	                claim->arena, &rows));
	claim->campaign_count = rows.count;
	claim->first = rows.count == 0 ? 0 : db_get_int(&rows, 0, 0);
	claim->campaigns = arena_alloc(claim->arena, rows.count * sizeof *claim->campaigns);
	for (size_t r = 0; r < rows.count; r++)
		read_campaign(&rows, r, claim->arena, &claim->campaigns[r]);
	return rows.count == 0 ? DB_OK : load_facts(db, claim);
}

enum db_result claim_query_due(struct db *db, const struct claim *claim, const struct claim_campaign *campaign,
                                int64_t limit, struct db_rows *due)
{
	return db_query(db, SQL_CLAIM_DUE, DB_ARGS(db_int(campaign->organization_id), db_int(campaign->id),
	                                           db_instant(campaign->low_water_us), db_int(limit)),
	                claim->arena, due);
}

static void write_take(struct json *json, const struct claim_campaign *campaign, int64_t due_at_us,
                       int64_t position)
{
	json_begin_array(json, NULL);
	json_int(json, NULL, campaign->id);
	json_sql_instant(json, NULL, due_at_us);
	json_int(json, NULL, position);
	json_end(json);
}

static const char *pick_number(const struct claim_campaign *campaign)
{
	uint32_t dice;

	crypto_random(&dice, sizeof dice);
	return campaign->numbers[rotation_pick(campaign->rotation, campaign->number_count, campaign->called,
	                                       campaign->total, campaign->claimed, dice)];
}

/* One waiting contact becomes one call. */
void claim_add_call(struct claim *claim, struct claim_campaign *campaign, const struct db_rows *rows, size_t r)
{
	int64_t due_at_us = db_get_int(rows, r, 0), position = db_get_int(rows, r, 1);
	int64_t expires_at_us = claim->now_us + claim->limits->dispatch_ttl_us;
	struct json *json = &claim->calls_json;
	struct uuid id = uuid_new();

	write_take(&claim->takes_json, campaign, due_at_us, position);
	json_begin_array(json, NULL);
	json_int(json, NULL, campaign->id);
	json_int(json, NULL, position);
	json_int(json, NULL, db_get_int(rows, r, 2));
	json_hex_id(json, NULL, &id);
	json_int(json, NULL, campaign->organization_id);
	json_int(json, NULL, campaign->agent_row);
	json_add_string(json, NULL, db_get_text(rows, r, 3));
	json_add_string(json, NULL, pick_number(campaign));
	json_sql_instant(json, NULL, due_at_us);
	json_sql_instant(json, NULL, expires_at_us < campaign->span.until_us ? expires_at_us : campaign->span.until_us);
	json_int(json, NULL, campaign->max_call_seconds);
	json_end(json);
	campaign->claimed++;
	campaign->taken++;
	campaign->called += db_get_int(rows, r, 4) == 0;
	campaign->low_water_us = due_at_us;
	claim->ids[claim->count++] = id;
}

/* One that is on the do-not-call list: skipped, or after earlier attempts left with what the last one gave. */
void claim_add_skip(struct claim *claim, struct claim_campaign *campaign, const struct db_rows *rows, size_t r)
{
	int64_t due_at_us = db_get_int(rows, r, 0), position = db_get_int(rows, r, 1);
	int64_t last_status = db_get_int(rows, r, 5);
	bool was_called = call_has_ended((enum call_status)last_status);
	struct json *json = &claim->skips_json;

	write_take(&claim->takes_json, campaign, due_at_us, position);
	json_begin_array(json, NULL);
	json_int(json, NULL, campaign->id);
	json_int(json, NULL, position);
	json_int(json, NULL, was_called ? contact_status_after((enum call_status)last_status) : CONTACT_SKIPPED);
	json_int(json, NULL, was_called ? SKIP_NONE : SKIP_DO_NOT_CALL);
	json_end(json);
	campaign->final++;
	campaign->low_water_us = due_at_us;
	claim->skipped++;
}

void claim_add_save(struct claim *claim, const struct claim_campaign *campaign)
{
	struct json *json = &claim->saves_json;

	json_begin_array(json, NULL);
	json_int(json, NULL, campaign->id);
	json_int(json, NULL, campaign->called);
	json_int(json, NULL, campaign->claimed);
	json_sql_instant(json, NULL, campaign->wake_at_us);
	json_int(json, NULL, campaign->capped);
	json_sql_instant(json, NULL, campaign->low_water_us);
	/* A span of another day than the ledger's is worked out again next time. */
	json_sql_instant(json, NULL, campaign->span.day == campaign->day ? campaign->span.from_us : INSTANT_NONE);
	json_sql_instant(json, NULL, campaign->span.day == campaign->day ? campaign->span.until_us : INSTANT_NONE);
	json_int(json, NULL, campaign->day);
	json_int(json, NULL, campaign->day_calls);
	json_sql_instant(json, NULL, campaign->pace_at_us);
	json_end(json);
}

static enum db_result write_takes(struct db *db, const struct claim *claim)
{
	int wanted = claim->count + claim->skipped;

	if (wanted == 0)
		return DB_OK;
	DB_TRY(db_exec(db, SQL_CLAIM_TAKE, DB_ARGS(db_buf(&claim->takes))));
	if (db_affected(db) == wanted)
		return DB_OK;
	log_error("claim: took %lld waiting contacts instead of %d", (long long)db_affected(db), wanted);
	return DB_ERROR;
}

static enum db_result write_calls(struct db *db, const struct claim *claim)
{
	if (claim->count == 0)
		return DB_OK;
	DB_TRY(db_exec(db, SQL_CLAIM_CALLS, DB_ARGS(
		db_instant(claim->now_us + claim->limits->lease_us), db_instant(claim->now_us),
		db_buf(&claim->calls))));
	return db_exec(db, SQL_CLAIM_CONTACTS, DB_ARGS(db_buf(&claim->calls)));
}

static enum db_result write_skips(struct db *db, const struct claim *claim)
{
	if (claim->skipped == 0)
		return DB_OK;
	DB_TRY(db_exec(db, SQL_CLAIM_SKIP, DB_ARGS(db_buf(&claim->skips))));
	return db_exec(db, SQL_CLAIM_SKIP_COUNTERS, DB_ARGS(db_buf(&claim->skips)));
}

enum db_result claim_write(struct db *db, struct claim *claim)
{
	json_end(&claim->takes_json);
	json_end(&claim->calls_json);
	json_end(&claim->skips_json);
	json_end(&claim->saves_json);
	DB_TRY(write_takes(db, claim));
	DB_TRY(write_calls(db, claim));
	DB_TRY(write_skips(db, claim));
	return db_exec(db, SQL_CLAIM_SAVE, DB_ARGS(db_buf(&claim->saves)));
}
