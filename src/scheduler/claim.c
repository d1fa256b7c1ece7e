/* A claim transaction locks the campaigns that are due for a look (SKIP LOCKED: other schedulers take
 * others), judges every rule for each from what stands in the database, and turns as many waiting
 * contacts into calls as all rules let through. The lock on the campaign's row makes every cap exact
 * with any number of schedulers: nobody else claims, plans or changes this campaign meanwhile. */
#include "scheduler/claim_rows.h"

#include "base/clock.h"
#include "base/instant.h"
#include "domain/gate.h"
#include "store/batch_store.h"
#include "store/campaign.h"
#include "store/planning.h"

#define MAX_CAMPAIGNS 16 /* in a claim */
/* A full campaign is woken by the call that ends; this is for the wake-up that was lost. */
#define FULL_RECHECK_US US_PER_SECOND
#define DIALER_RECHECK_US (20 * US_PER_MS)
#define DIALER_OFF_RECHECK_US (5 * US_PER_SECOND)
#define IDLE_RECHECK_US (60 * US_PER_SECOND)

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
		.pace_gap_us = campaign->config.calls_per_minute == 0 ? 0 : batch_plan_rules(&campaign->config).gap_us,
		.pace_at_us = campaign->pace_at_us,
		.free_places = campaign->config.max_concurrent_calls - (campaign->claimed - campaign->done),
	};

	/* Whether there is a day to call on is judged from the start, which may be far ahead. */
	if (now_us < campaign->span.from_us || now_us >= campaign->span.until_us)
		campaign->callable = calendar_span_at(&facts.calendar, now_us > facts.start_at_us ? now_us : facts.start_at_us,
		                                      &campaign->span);
	facts.span = campaign->span;
	facts.day_calls = campaign->span.day == campaign->day ? campaign->day_calls : 0;
	return facts;
}

/* As many of the contacts that are due as there is room for. */
static void take_contacts(struct claim *claim, struct claim_campaign *campaign, const struct db_rows *due, int64_t room)
{
	size_t r = 0;

	for (; r < due->count && db_get_int(due, r, 0) <= claim->now_us; r++) {
		if (db_get_int(due, r, 5) >= 0)
			claim_add_skip(claim, campaign, due, r);
		else if (campaign->taken < room)
			claim_add_call(claim, campaign, due, r);
		else
			break;
	}
	campaign->seen = r;
}

static void keep_ledger(struct claim_campaign *campaign, const struct gate_facts *facts)
{
	if (campaign->taken == 0)
		return;
	if (campaign->day != campaign->span.day) {
		campaign->day = campaign->span.day;
		campaign->day_calls = 0;
	}
	campaign->day_calls += campaign->taken;
	if (facts->pace_gap_us != 0)
		campaign->pace_at_us = gate_pace_after(facts, campaign->taken);
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
	DB_TRY(claim_query_due(db, claim, campaign, 1, &due));
	if (due.count != 0 && breaks_plan(verdict, db_get_int(&due, 0, 0)))
		return replan(db, claim, campaign, verdict->opens_at_us);
	next_look(claim, campaign, due.count != 0 ? db_get_int(&due, 0, 0) : INSTANT_NEVER);
	claim_add_save(claim, campaign);
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
	DB_TRY(claim_query_due(db, claim, campaign, room + 1, &due));
	if (is_complete(campaign, &due))
		return move_campaign(db, claim, campaign, BATCH_COMPLETE, "");
	take_contacts(claim, campaign, &due, room);
	if (campaign->taken != 0 && campaign->status == BATCH_SCHEDULED)
		DB_TRY(move_campaign(db, claim, campaign, BATCH_START, ""));
	keep_ledger(campaign, &facts);
	if (due.count == 0)
		campaign->low_water_us = INSTANT_NONE; /* the next look sweeps the whole queue */
	next_look(claim, campaign, next_due(claim, campaign, &due, room + 1));
	claim_add_save(claim, campaign);
	return DB_OK;
}

static enum db_result claim_all(struct db *db, struct claim *claim)
{
	DB_TRY(claim_lock_campaigns(db, claim));
	claim->looked = (int)claim->campaign_count;
	if (claim->campaign_count == 0)
		return DB_OK;
	for (size_t i = 0; i < claim->campaign_count && claim->count < claim->limits->max_calls; i++)
		DB_TRY(claim_campaign(db, claim, &claim->campaigns[i]));
	return claim_write(db, claim);
}

/* Everything but the limits is made afresh at every run. */
static enum db_result run_claim(struct db *db, void *context)
{
	struct claim *claim = context;
	enum db_result result;

	*claim = (struct claim){
		.limits = claim->limits, .ids = claim->ids, .max_campaigns = claim->max_campaigns, .now_us = clock_now_us(),
	};
	claim_open(claim);
	result = claim_all(db, claim);
	claim_close(claim);
	return result;
}

/* When the server refuses what one campaign needs, the others are claimed without it. Which one it is shows when
 * ever fewer are claimed at once: the one that waits longest comes first. */
static enum db_result claim_without_refused(struct db *db, struct claim *claim)
{
	enum db_result result;

	do {
		claim->max_campaigns /= 2;
		result = db_transact(db, DB_ONCE, run_claim, claim);
	} while (result == DB_ERROR && claim->max_campaigns > 1);
	if (result != DB_ERROR || claim->first == 0)
		return result;
	claim->count = 0;
	return batch_set_aside(db, claim->first, claim->now_us);
}

enum db_result claim_due_calls(struct db *db, const struct claim_limits *limits, struct uuid *ids,
                               int *count, int *looked)
{
	struct claim claim = { .limits = limits, .ids = ids, .max_campaigns = MAX_CAMPAIGNS };
	enum db_result result = db_transact(db, DB_ONCE, run_claim, &claim);

	if (result == DB_ERROR)
		result = claim_without_refused(db, &claim);

	*count = result == DB_OK ? claim.count : 0;
	*looked = result == DB_OK ? claim.looked : 0;
	return result;
}
