#include "scheduler/claim_rows.h"

#include <string.h>

#include "base/crypto.h"
#include "base/instant.h"
#include "base/log.h"
#include "store/due_contacts.h"
#include "store/statements.h"

#define LOCKED_RECHECK_US (10 * US_PER_MS)

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
	buf_free(&claim->defers);
	buf_free(&claim->saves);
	arena_free(claim->arena);
}

enum db_result claim_lock_campaigns(struct db *db, struct claim *claim)
{
	claim->called = arena_alloc(claim->arena, (size_t)claim->limits->max_calls * sizeof *claim->called);
	DB_TRY(claim_facts_lock(db, claim->until_us, claim->max_campaigns, claim->arena, &claim->campaigns,
	                        &claim->campaign_count));
	claim->first = claim->campaign_count == 0 ? 0 : claim->campaigns[0].id;
	return DB_OK;
}

enum db_result claim_postpone(struct db *db, const struct claim *claim, const struct claim_campaign *campaign)
{
	return db_exec(db, SQL_CLAIM_POSTPONE, DB_ARGS(
		db_instant(claim->until_us + LOCKED_RECHECK_US), db_int(campaign->id)));
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

static bool lets_one_through(const struct claim_number *number, int64_t now_us)
{
	return number->pace == NULL || pace_room(&number->pace->pace, now_us) > 0;
}

/* Where the number of a call that waited stands now; -1: it is gone. */
static int find_number(const struct claim_campaign *campaign, const char *phone_number)
{
	for (int i = 0; i < campaign->number_count; i++)
		if (strcmp(campaign->numbers[i].phone_number, phone_number) == 0)
			return i;
	return -1;
}

/* The one that the call had, the one whose turn it is, or the next whose pace lets a call through: the gates saw that there
 * is one. */
static const char *pick_number(struct claim_campaign *campaign, const char *had, int64_t now_us)
{
	int turn = find_number(campaign, had);
	const struct claim_number *number;
	uint32_t dice;

	crypto_random(&dice, sizeof dice);
	if (turn < 0)
		turn = rotation_pick(campaign->rotation, campaign->number_count, campaign->called, campaign->total,
		                     campaign->claimed + campaign->waiting, dice);
	do
		number = &campaign->numbers[turn++ % campaign->number_count];
	while (!lets_one_through(number, now_us));
	if (number->pace != NULL) {
		pace_take(&number->pace->pace, now_us, 1);
		number->pace->taken = true;
	}
	return number->phone_number;
}

bool claim_is_again(const struct db_rows *due, size_t r)
{
	return db_get_int(due, r, 7) != 0;
}

int64_t claim_asked_at(const struct db_rows *due, size_t r)
{
	return db_get_int(due, r, 9);
}

/* One waiting contact becomes one call, or the one that waited goes on. */
void claim_add_call(struct claim *claim, struct claim_campaign *campaign, const struct db_rows *rows, size_t r,
                    int64_t called_at_us, int64_t expires_at_us)
{
	int64_t due_at_us = db_get_int(rows, r, 0), position = db_get_int(rows, r, 1);
	bool again = claim_is_again(rows, r);
	struct uuid id = again ? db_get_uuid(rows, r, 8) : uuid_new();
	struct json *json = &claim->calls_json;

	write_take(&claim->takes_json, campaign, due_at_us, position);
	json_begin_array(json, NULL);
	json_int(json, NULL, campaign->id);
	json_int(json, NULL, position);
	json_int(json, NULL, db_get_int(rows, r, 2));
	json_hex_id(json, NULL, &id);
	json_int(json, NULL, campaign->organization_id);
	json_int(json, NULL, campaign->agent_row);
	json_add_string(json, NULL, db_get_text(rows, r, 3));
	json_add_string(json, NULL, pick_number(campaign, db_get_text(rows, r, 10), claim->now_us));
	json_sql_instant(json, NULL, due_at_us);
	json_sql_instant(json, NULL, expires_at_us);
	json_int(json, NULL, campaign->max_call_seconds);
	json_int(json, NULL, again);
	json_sql_instant(json, NULL, called_at_us);
	json_end(json);
	campaign->claimed++;
	campaign->waiting -= again;
	campaign->taken++;
	claim->again += again;
	campaign->called += db_get_int(rows, r, 4) == 0;
	campaign->low_water_us = due_at_us;
	claim->ids[claim->count++] = id;
	if (campaign->limits != NULL)
		claim->called[claim->called_count++] = (struct claim_called){
			.organization_id = campaign->organization_id, .phone_number = db_get_text(rows, r, 3),
		};
}

/* One that is on the do-not-call list: skipped, or after earlier attempts left with what the last one gave. */
void claim_add_skip(struct claim *claim, struct claim_campaign *campaign, const struct db_rows *rows, size_t r)
{
	int64_t due_at_us = db_get_int(rows, r, 0), position = db_get_int(rows, r, 1);
	enum contact_status status = contact_status_without((enum call_status)db_get_int(rows, r, 5));
	struct json *json = &claim->skips_json;

	write_take(&claim->takes_json, campaign, due_at_us, position);
	json_begin_array(json, NULL);
	json_int(json, NULL, campaign->id);
	json_int(json, NULL, position);
	json_int(json, NULL, status);
	json_int(json, NULL, status == CONTACT_SKIPPED ? SKIP_DO_NOT_CALL : SKIP_NONE);
	json_end(json);
	campaign->final++;
	campaign->low_water_us = due_at_us;
	claim->skipped++;
}

void claim_add_defer(struct claim *claim, struct claim_campaign *campaign, const struct db_rows *rows, size_t r,
                     int64_t at_us)
{
	int64_t position = db_get_int(rows, r, 1);
	struct due_contact deferred = { campaign->id, plan_between_ms(at_us, position), position,
	                                db_get_int(rows, r, 2), claim_is_again(rows, r) };

	buf_add(&claim->defers, &deferred, sizeof deferred);
	if (deferred.due_at_us < campaign->deferred_us)
		campaign->deferred_us = deferred.due_at_us;
	campaign->low_water_us = db_get_int(rows, r, 0);
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
	json_int(json, NULL, campaign->day);
	json_int(json, NULL, campaign->day_calls);
	json_sql_instant(json, NULL, campaign->pace_at_us);
	json_add_string(json, NULL, campaign->hold.gate);
	json_sql_instant(json, NULL, campaign->hold.until_us);
	json_int(json, NULL, campaign->waiting);
	json_int(json, NULL, campaign->total == 0 ? 0 : campaign->final * BATCH_PROGRESS_MAX / campaign->total);
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

static enum db_result write_calls_again(struct db *db, const struct claim *claim, struct db_value lease)
{
	DB_TRY(db_exec(db, SQL_CLAIM_CALLS_AGAIN, DB_ARGS(db_buf(&claim->calls), lease)));
	if (db_affected(db) == claim->again)
		return DB_OK;
	log_error("claim: asks for %lld calls again instead of %d", (long long)db_affected(db), claim->again);
	return DB_ERROR;
}

static enum db_result write_calls(struct db *db, const struct claim *claim)
{
	struct db_value lease = db_instant(claim->began_us + claim->limits->lease_us);

	if (claim->count == 0)
		return DB_OK;
	if (claim->count != claim->again)
		DB_TRY(db_exec(db, SQL_CLAIM_CALLS, DB_ARGS(lease, db_buf(&claim->calls))));
	if (claim->again != 0)
		DB_TRY(write_calls_again(db, claim, lease));
	return db_exec(db, SQL_CLAIM_CONTACTS, DB_ARGS(db_buf(&claim->calls)));
}

static enum db_result write_skips(struct db *db, const struct claim *claim)
{
	if (claim->skipped == 0)
		return DB_OK;
	DB_TRY(db_exec(db, SQL_CLAIM_SKIP, DB_ARGS(db_buf(&claim->skips))));
	return db_exec(db, SQL_CLAIM_SKIP_COUNTERS, DB_ARGS(db_buf(&claim->skips)));
}

static bool write_paces_of(struct json *json, const struct claim_campaign *campaign)
{
	bool any = false;

	for (int i = 0; i < campaign->number_count; i++) {
		struct claim_pace *pace = campaign->numbers[i].pace;

		if (pace == NULL || !pace->taken)
			continue;
		json_begin_array(json, NULL);
		json_int(json, NULL, pace->number_id);
		json_sql_instant(json, NULL, pace->pace.at_us);
		json_end(json);
		pace->taken = false; /* campaigns may share it */
		any = true;
	}
	return any;
}

static enum db_result write_paces(struct db *db, const struct claim *claim)
{
	struct buf rows = { 0 };
	struct json json = json_to(&rows);
	enum db_result result = DB_OK;
	bool any = false;

	json_begin_array(&json, NULL);
	for (size_t i = 0; i < claim->campaign_count; i++)
		any |= write_paces_of(&json, &claim->campaigns[i]);
	json_end(&json);
	if (any)
		result = db_exec(db, SQL_CLAIM_SAVE_PACES, DB_ARGS(db_buf(&rows)));
	buf_free(&rows);
	return result;
}

enum db_result claim_write(struct db *db, struct claim *claim)
{
	json_end(&claim->takes_json);
	json_end(&claim->calls_json);
	json_end(&claim->skips_json);
	json_end(&claim->saves_json);
	DB_TRY(write_takes(db, claim));
	DB_TRY(write_calls(db, claim));
	DB_TRY(due_contacts_write(db, SQL_CLAIM_DEFER, &claim->defers));
	DB_TRY(write_paces(db, claim));
	DB_TRY(write_skips(db, claim));
	return db_exec(db, SQL_CLAIM_SAVE, DB_ARGS(db_buf(&claim->saves)));
}
