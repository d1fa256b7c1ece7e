/* A claim transaction locks the campaigns that are due for a look (SKIP LOCKED: other schedulers take
 * others), judges every rule for each from what stands in the database, and turns as many waiting
 * contacts into calls as all rules let through. The lock on the campaign's row makes every cap exact
 * with any number of schedulers: nobody else claims, plans or changes this campaign meanwhile. */
#include "scheduler/claim.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/crypto.h"
#include "base/instant.h"
#include "base/json.h"
#include "base/log.h"
#include "domain/gate.h"
#include "store/batch_store.h"
#include "store/campaign.h"
#include "store/planning.h"
#include "store/statements.h"

#define MAX_CAMPAIGNS 16
/* A full campaign is woken by the call that ends; this is for the wake-up that was lost. */
#define FULL_RECHECK_US US_PER_SECOND
#define DIALER_RECHECK_US (20 * US_PER_MS)
#define DIALER_OFF_RECHECK_US (5 * US_PER_SECOND)
#define IDLE_RECHECK_US (60 * US_PER_SECOND)

/* A campaign under its lock. */
struct claim_campaign {
	int64_t id, organization_id, agent_row, total, called, claimed, max_concurrent;
	struct uuid uuid;
	enum rotation rotation;
	struct batch_config config; /* what the calendar needs */
	enum batch_status status;
	int64_t day, day_calls, wake_at_us, low_water_us, pace_at_us;
	struct span span;
	bool capped, callable; /* callable: some day within the next 366 can take a call */
	/* read without a lock */
	int64_t done, final, max_call_seconds;
	int64_t endpoint; /* of its dialer; 0: none; -1: switched off */
	int64_t taken;    /* by this claim */
	size_t seen;      /* rows of `due` that this claim took or skipped */
	const char *numbers[BATCH_MAX_NUMBERS];
	int number_count;
};

struct claim {
	const struct claim_limits *limits;
	struct uuid *ids;
	int count, looked;
	int64_t now_us;
	struct arena *arena;
	struct claim_campaign *campaigns;
	size_t campaign_count;
	int skipped;
	struct buf takes, calls, skips, saves;
	struct json takes_json, calls_json, skips_json, saves_json;
};

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

static enum db_result lock_campaigns(struct db *db, struct claim *claim)
{
	struct db_rows rows;

	DB_TRY(db_query(db, SQL_CLAIM_CAMPAIGNS, DB_ARGS(db_instant(claim->now_us), db_int(MAX_CAMPAIGNS)),
	                claim->arena, &rows));
	claim->campaign_count = rows.count;
	claim->campaigns = arena_alloc(claim->arena, rows.count * sizeof *claim->campaigns);
	for (size_t r = 0; r < rows.count; r++)
		read_campaign(&rows, r, claim->arena, &claim->campaigns[r]);
	return rows.count == 0 ? DB_OK : load_facts(db, claim);
}

/* Campaigns of this claim may share a dialer. */
static int64_t dialer_room(const struct claim *claim, const struct claim_campaign *campaign)
{
	int64_t room = campaign->endpoint < 0 ? 0 : claim->limits->room_at(claim->limits->context, campaign->endpoint);

	for (size_t i = 0; i < claim->campaign_count; i++)
		if (claim->campaigns[i].endpoint == campaign->endpoint)
			room -= claim->campaigns[i].taken;
	return room;
}

/* The facts that the rules judge by. The stored span serves until it is over, so that zones and
 * calendars are worked out once a span and not once a claim. */
static struct gate_facts gather_facts(const struct claim *claim, struct claim_campaign *campaign)
{
	int64_t now_us = claim->now_us;
	struct gate_facts facts = {
		.now_us = now_us,
		.status = campaign->status,
		.start_at_us = campaign->config.scheduled_at.us,
		.has_number = campaign->number_count > 0,
		.has_dialer = campaign->endpoint != 0,
		.dialer_room = dialer_room(claim, campaign),
		.calendar = batch_plan_rules(&campaign->config).calendar,
		.max_per_day = campaign->config.max_calls_per_day,
		.paced = campaign->config.calls_per_minute != 0,
		.pace_at_us = campaign->pace_at_us,
		.free_places = campaign->config.max_concurrent_calls - (campaign->claimed - campaign->done),
	};

	if (now_us < campaign->span.from_us || now_us >= campaign->span.until_us)
		campaign->callable = calendar_span_at(&facts.calendar, now_us, &campaign->span);
	facts.span = campaign->span;
	facts.day_calls = campaign->span.day == campaign->day ? campaign->day_calls : 0;
	return facts;
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
static void claim_contact(struct claim *claim, struct claim_campaign *campaign, const struct db_rows *rows, size_t r)
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
static void skip_contact(struct claim *claim, struct claim_campaign *campaign, const struct db_rows *rows, size_t r)
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

/* As many of the contacts that are due as there is room for. */
static void take_contacts(struct claim *claim, struct claim_campaign *campaign, const struct db_rows *due, int64_t room)
{
	size_t r = 0;

	for (; r < due->count && db_get_int(due, r, 0) <= claim->now_us; r++) {
		if (db_get_int(due, r, 5) >= 0)
			skip_contact(claim, campaign, due, r);
		else if (campaign->taken < room)
			claim_contact(claim, campaign, due, r);
		else
			break;
	}
	campaign->seen = r;
}

static void keep_ledger(struct claim_campaign *campaign, int64_t now_us)
{
	if (campaign->taken == 0)
		return;
	if (campaign->day != campaign->span.day) {
		campaign->day = campaign->span.day;
		campaign->day_calls = 0;
	}
	campaign->day_calls += campaign->taken;
	if (campaign->config.calls_per_minute != 0)
		campaign->pace_at_us = now_us + batch_plan_rules(&campaign->config).gap_us;
}

/* Contacts cannot be called when they were planned to be: their time has to be planned anew. */
static bool breaks_plan(const struct gate_verdict *verdict, int64_t next_due_us)
{
	return verdict->room == 0 && (verdict->held_by == GATE_WINDOW || verdict->held_by == GATE_DAILY_CAP) &&
	       next_due_us < verdict->opens_at_us;
}

/* The next contact that waits, as far as the `limit` rows that were asked for tell. */
static int64_t next_due(const struct claim *claim, const struct claim_campaign *campaign,
                        const struct db_rows *due, int64_t limit)
{
	if (campaign->seen < due->count)
		return db_get_int(due, campaign->seen, 0);
	/* All were skipped, and more may follow; or it was the last, and the campaign may be complete. */
	if ((int64_t)due->count == limit || (due->count != 0 && campaign->final >= campaign->total))
		return claim->now_us;
	return INSTANT_NEVER;
}

/* When to look again: at the next contact that waits, unless a rule says otherwise. */
static void next_look(const struct claim *claim, struct claim_campaign *campaign, int64_t next_due_us)
{
	struct gate_facts facts = gather_facts(claim, campaign);
	struct gate_verdict verdict = gates_judge(&facts);

	campaign->capped = verdict.room == 0 && verdict.waits_for_event;
	if (verdict.room == 0 && verdict.held_by == GATE_DIALER_ROOM)
		campaign->wake_at_us = claim->now_us + (campaign->endpoint < 0 ? DIALER_OFF_RECHECK_US : DIALER_RECHECK_US);
	else if (next_due_us == INSTANT_NEVER)
		campaign->wake_at_us = claim->now_us + IDLE_RECHECK_US;
	else if (breaks_plan(&verdict, next_due_us))
		campaign->wake_at_us = claim->now_us;
	else if (campaign->capped && next_due_us < claim->now_us + FULL_RECHECK_US)
		campaign->wake_at_us = claim->now_us + FULL_RECHECK_US;
	else
		campaign->wake_at_us = next_due_us > verdict.opens_at_us ? next_due_us : verdict.opens_at_us;
}

static void save_campaign(struct json *json, const struct claim_campaign *campaign)
{
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

/* The rare changes of state: worked on the whole campaign. */
static enum db_result move_campaign(struct db *db, struct claim *claim, struct claim_campaign *campaign,
                                    enum batch_action action, const char *reason)
{
	struct batch batch;

	DB_TRY(batch_get_row(db, campaign->id, claim->arena, &batch));
	DB_TRY(campaign_move(db, &batch, action, reason, claim->now_us));
	campaign->status = batch.status;
	return DB_OK;
}

static enum db_result replan(struct db *db, struct claim *claim, const struct claim_campaign *campaign,
                             int64_t from_us)
{
	struct batch batch;

	DB_TRY(batch_get_row(db, campaign->id, claim->arena, &batch));
	planning_restart(&batch, from_us);
	return campaign_plan(db, &batch, CAMPAIGN_PLAN_SMALL, claim->now_us);
}

static enum db_result query_due(struct db *db, const struct claim *claim, const struct claim_campaign *campaign,
                                int64_t limit, struct db_rows *due)
{
	return db_query(db, SQL_CLAIM_DUE, DB_ARGS(db_int(campaign->organization_id), db_int(campaign->id),
	                                           db_instant(campaign->low_water_us), db_int(limit)),
	                claim->arena, due);
}

/* No call may be placed now. Contacts that would be due before the rules let any through were held
 * until their window closed: they move to the next allowed time. */
static enum db_result hold_campaign(struct db *db, struct claim *claim, struct claim_campaign *campaign,
                                    const struct gate_verdict *verdict)
{
	struct db_rows due;

	if (!campaign->callable)
		return move_campaign(db, claim, campaign, BATCH_FAIL, "no callable day within 366 days");
	if (verdict->held_by == GATE_NUMBER || verdict->held_by == GATE_DIALER)
		return move_campaign(db, claim, campaign, BATCH_FAIL,
		                     verdict->held_by == GATE_NUMBER ? "no number to call from is left"
		                                                     : "the agent has no dialer any more");
	DB_TRY(query_due(db, claim, campaign, 1, &due));
	if (due.count != 0 && breaks_plan(verdict, db_get_int(&due, 0, 0)))
		return replan(db, claim, campaign, verdict->opens_at_us);
	next_look(claim, campaign, due.count != 0 ? db_get_int(&due, 0, 0) : INSTANT_NEVER);
	save_campaign(&claim->saves_json, campaign);
	return DB_OK;
}

/* Nobody waits and nobody is called: done. */
static bool is_complete(const struct claim_campaign *campaign, const struct db_rows *due)
{
	return due->count == 0 && campaign->claimed == campaign->done && campaign->final >= campaign->total;
}

static enum db_result claim_campaign(struct db *db, struct claim *claim, struct claim_campaign *campaign)
{
	struct gate_facts facts = gather_facts(claim, campaign);
	struct gate_verdict verdict = gates_judge(&facts);
	int64_t room = claim->limits->max_calls - claim->count;
	struct db_rows due;

	if (verdict.room == 0 && campaign->final < campaign->total)
		return hold_campaign(db, claim, campaign, &verdict);
	if (verdict.room < room)
		room = verdict.room;
	DB_TRY(query_due(db, claim, campaign, room + 1, &due));
	if (is_complete(campaign, &due))
		return move_campaign(db, claim, campaign, BATCH_COMPLETE, "");
	take_contacts(claim, campaign, &due, room);
	if (campaign->taken != 0 && campaign->status == BATCH_SCHEDULED)
		DB_TRY(move_campaign(db, claim, campaign, BATCH_START, ""));
	keep_ledger(campaign, claim->now_us);
	if (due.count == 0)
		campaign->low_water_us = INSTANT_NONE; /* the next look sweeps the whole queue */
	next_look(claim, campaign, next_due(claim, campaign, &due, room + 1));
	save_campaign(&claim->saves_json, campaign);
	return DB_OK;
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

static enum db_result write_claims(struct db *db, struct claim *claim)
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

static enum db_result claim_all(struct db *db, struct claim *claim)
{
	DB_TRY(lock_campaigns(db, claim));
	claim->looked = (int)claim->campaign_count;
	if (claim->campaign_count == 0)
		return DB_OK;
	json_begin_array(&claim->takes_json, NULL);
	json_begin_array(&claim->calls_json, NULL);
	json_begin_array(&claim->skips_json, NULL);
	json_begin_array(&claim->saves_json, NULL);
	for (size_t i = 0; i < claim->campaign_count && claim->count < claim->limits->max_calls; i++)
		DB_TRY(claim_campaign(db, claim, &claim->campaigns[i]));
	return write_claims(db, claim);
}

/* Everything but the limits is made afresh at every run. */
static enum db_result run_claim(struct db *db, void *context)
{
	struct claim *claim = context;
	enum db_result result;

	*claim = (struct claim){ .limits = claim->limits, .ids = claim->ids, .now_us = clock_now_us() };
	claim->arena = arena_new();
	claim->takes_json = json_to(&claim->takes);
	claim->calls_json = json_to(&claim->calls);
	claim->skips_json = json_to(&claim->skips);
	claim->saves_json = json_to(&claim->saves);
	result = claim_all(db, claim);
	buf_free(&claim->takes);
	buf_free(&claim->calls);
	buf_free(&claim->skips);
	buf_free(&claim->saves);
	arena_free(claim->arena);
	return result;
}

enum db_result claim_due_calls(struct db *db, const struct claim_limits *limits, struct uuid *ids,
                               int *count, int *looked)
{
	struct claim claim = { .limits = limits, .ids = ids };
	enum db_result result = db_transact(db, DB_ONCE, run_claim, &claim);

	*count = result == DB_OK ? claim.count : 0;
	*looked = result == DB_OK ? claim.looked : 0;
	return result;
}
