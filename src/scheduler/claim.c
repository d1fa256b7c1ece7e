/* A claim transaction locks the campaigns that are due for a look (SKIP LOCKED: other schedulers take
 * others), judges every rule for each from what stands in the database, and turns as many waiting
 * contacts into calls as all rules let through. The lock on the campaign's row makes every cap exact
 * with any number of schedulers: nobody else claims, plans or changes this campaign meanwhile. */
#include "scheduler/claim_rows.h"

#include <string.h>

#include "base/clock.h"
#include "base/instant.h"
#include "domain/gate.h"
#include "store/batch_store.h"
#include "store/campaign.h"
#include "store/health_store.h"
#include "store/planning.h"
#include "store/zone_groups.h"

#define MAX_CAMPAIGNS 16 /* in a claim */
/* A full campaign is woken by the call that ends; this is for the wake-up that was lost. */
#define FULL_RECHECK_US US_PER_SECOND
#define DIALER_RECHECK_US (20 * US_PER_MS)
#define DIALER_OFF_RECHECK_US (5 * US_PER_SECOND)
#define AGENT_RECHECK_US US_PER_SECOND
#define IDLE_RECHECK_US (60 * US_PER_SECOND)
#define CALLED_HERE_RECHECK_US US_PER_SECOND
#define LIMITED_LOOK 200 /* contacts to look at where many of them may have to be deferred */
#define ZONE_DEFER_US US_PER_MINUTE /* a retry in a zone that cannot be read now */
#define REPLANNED_MAX 5000 /* contacts of a campaign that is planned again for a single retry */

/* Campaigns of this claim may share a dialer, and all share what is free. */
static int64_t dialer_room(const struct claim *claim, const struct claim_campaign *campaign)
{
	struct claim_dialer dialer = { campaign->endpoint, campaign->health.doubtful };
	struct claim_taken taken = { 0 };

	if (campaign->endpoint < 0)
		return 0;
	for (size_t i = 0; i < claim->campaign_count; i++) {
		const struct claim_campaign *other = &claim->campaigns[i];

		taken.all += (int)other->taken;
		taken.doubtful += other->health.doubtful ? (int)other->taken : 0;
		taken.same += other->endpoint == campaign->endpoint ? (int)other->taken : 0;
	}
	return claim->limits->room_at(claim->limits->context, &dialer, &taken);
}

static struct gate_facts gather_facts(const struct claim *claim, struct claim_campaign *campaign)
{
	return claim_facts_of(campaign, claim->now_us, dialer_room(claim, campaign));
}

/* What was claimed a moment ago, for another campaign, is not in the database yet. */
static bool was_called_here(const struct claim *claim, const struct claim_campaign *campaign, const char *phone_number)
{
	for (size_t i = 0; i < claim->called_count; i++)
		if (claim->called[i].organization_id == campaign->organization_id &&
		    strcmp(claim->called[i].phone_number, phone_number) == 0)
			return true;
	return false;
}

/* From when on the limits let each of these contacts be called. */
static enum db_result judge_limits(struct db *db, const struct claim *claim, const struct claim_campaign *campaign,
                                   const struct db_rows *due, int64_t *open_at_us)
{
	struct limited_number *asked = arena_alloc(claim->arena, due->count * sizeof *asked);
	size_t count = 0; /* of those that are due */

	for (size_t r = 0; r < due->count; r++) {
		asked[r] = (struct limited_number){ .phone_number = db_get_text(due, r, 3) };
		if (claim_is_again(due, r))
			asked[r].but = db_get_uuid(due, r, 8);
		count += db_get_int(due, r, 0) <= claim->until_us;
		open_at_us[r] = INSTANT_NONE;
	}
	if (count == 0 || campaign->limits == NULL || !contact_limits_any(campaign->limits))
		return DB_OK;
	DB_TRY(claim_facts_limits(db, campaign->organization_id, campaign->limits, asked, count,
	                          claim->now_us, claim->arena, open_at_us));
	for (size_t r = 0; r < count; r++)
		if (was_called_here(claim, campaign, asked[r].phone_number))
			open_at_us[r] = claim->now_us + CALLED_HERE_RECHECK_US;
	return DB_OK;
}

static bool is_retry(const struct db_rows *due, size_t r)
{
	return db_get_int(due, r, 2) > 1;
}

static int64_t later(int64_t a, int64_t b)
{
	return a > b ? a : b;
}

/* A call that waited in the plan and that the ledger of this day has counted: to ask for it again costs no more of it. */
static bool is_counted(const struct claim_campaign *campaign, const struct db_rows *due, size_t r)
{
	return claim_is_again(due, r) && claim_facts_day_has(campaign, claim_asked_at(due, r));
}

/* Room under the daily cap for this contact, beside those taken so far. */
static bool fits_day(const struct claim_campaign *campaign, const struct gate_facts *facts, const struct db_rows *due,
                     size_t r)
{
	int64_t cap = campaign->config.max_calls_per_day;

	return cap == 0 || gate_day_calls(facts) + campaign->taken - campaign->counted < cap ||
	       is_counted(campaign, due, r);
}

/* A day that is full still has room for the calls that it has counted, if one of them comes first. */
static void lift_cap(const struct claim_campaign *campaign, struct gate_facts *facts, const struct db_rows *due, size_t r)
{
	if (r < due->count && is_counted(campaign, due, r))
		facts->max_per_day = 0;
}

/* The first time at which the contact's window is open that is not before this. While nobody can say, it is looked at
 * again later. */
static int64_t callable_from(const struct gate_facts *facts, int64_t at_us)
{
	struct span span;

	switch (calendar_find_span(&facts->contact_calendar, at_us, &span)) {
	case CALENDAR_SPAN:
		return later(span.from_us, at_us);
	case CALENDAR_UNREADABLE:
		return later(facts->now_us + ZONE_DEFER_US, at_us);
	default:
		return at_us;
	}
}

/* The calendar of contacts in these zones, worked out once in a claim. */
static const struct claim_zone *find_zones(const struct claim *claim, struct claim_campaign *campaign,
                                           const char *names)
{
	struct claim_zone *zone = campaign->zones;

	while (zone != NULL && (names == NULL ? zone->names != NULL : zone->names == NULL || strcmp(zone->names, names) != 0))
		zone = zone->next;
	if (zone != NULL)
		return zone;
	zone = arena_alloc(claim->arena, sizeof *zone);
	*zone = (struct claim_zone){
		.names = names, .calendar = batch_calendar(&campaign->config, names), .next = campaign->zones,
	};
	/* Without a day to call on the span stays empty. */
	zone->answer = calendar_find_span_with_rest(&zone->calendar, claim->now_us, CALL_REST_US, &zone->span);
	return campaign->zones = zone;
}

/* The window of the contact of this row: the campaign's, or that in its own zone. */
static void add_contact_window(struct gate_facts *facts, const struct claim *claim, struct claim_campaign *campaign,
                               const struct db_rows *due, size_t r)
{
	const struct claim_zone *zone;

	facts->contact_calendar = facts->calendar;
	facts->contact_answer = facts->answer;
	facts->contact_span = facts->span;
	if (!campaign->config.respect_contact_timezone)
		return;
	zone = find_zones(claim, campaign, contact_zones(db_get_text(due, r, 6), db_get_text(due, r, 3)));
	facts->contact_calendar = zone->calendar;
	facts->contact_answer = zone->answer;
	facts->contact_span = zone->span;
}

/* One call may be claimed to try a dialer whose circuit is half open, by one campaign. For a contact that is called
 * then: a trial without a call would hold up all who share the dialer. */
static enum db_result take_trial(struct db *db, const struct claim *claim, struct claim_campaign *campaign,
                                 int64_t *room)
{
	bool taken;

	if (health_circuit(&campaign->health, claim->now_us) != CIRCUIT_HALF_OPEN)
		return DB_OK;
	campaign->trial_until_us = claim->now_us + claim->limits->dispatch_ttl_us;
	DB_TRY(health_take_trial(db, campaign->endpoint, claim->now_us, campaign->trial_until_us, &taken));
	*room = taken ? 1 : 0;
	return DB_OK;
}

/* The dialer has as long as its window allows. */
static int64_t expires_at(const struct claim *claim, const struct gate_facts *facts)
{
	return calendar_open_until(&facts->contact_calendar, facts->contact_span,
	                           claim->now_us + claim->limits->dispatch_ttl_us);
}

static void take_contact(struct claim *claim, struct claim_campaign *campaign, const struct gate_facts *facts,
                         const struct db_rows *due, size_t r)
{
	campaign->counted += is_counted(campaign, due, r);
	claim_add_call(claim, campaign, due, r, later(claim->now_us, facts->due_at_us), expires_at(claim, facts));
}

/* Such calls are claimed one by one, because each begins when the pace lets it. */
static bool has_pace(const struct claim_campaign *campaign)
{
	bool any = campaign->config.calls_per_minute != 0;

	for (int i = 0; i < campaign->number_count; i++)
		any |= campaign->numbers[i].pace != NULL;
	return any;
}

/* By the rules for one contact, at the instant at which its call would begin. */
static struct gate_verdict judge_contact(const struct claim *claim, const struct claim_campaign *campaign,
                                         const struct gate_facts *facts)
{
	int64_t begins_at_us = later(claim->now_us, facts->due_at_us);
	struct gate_facts then = *facts;

	if (begins_at_us <= claim->until_us && begins_at_us < facts->span.until_us && !has_pace(campaign))
		then.now_us = begins_at_us;
	return gates_judge_contact(&then);
}

/* As many of the contacts that are due as there is room for, up to one who was held until the window in its
 * zone closed. */
static enum db_result take_contacts(struct db *db, struct claim *claim, struct claim_campaign *campaign,
                                    struct gate_facts *facts, const struct db_rows *due, int64_t *room)
{
	int64_t *limits_open_at_us = arena_alloc(claim->arena, due->count * sizeof *limits_open_at_us);

	DB_TRY(judge_limits(db, claim, campaign, due, limits_open_at_us));
	for (; campaign->seen < due->count; campaign->seen++) {
		size_t r = campaign->seen;
		struct gate_verdict verdict;

		facts->due_at_us = db_get_int(due, r, 0);
		/* One that was asked for is not skipped: it is taken, and the dispatch ends its call. */
		facts->do_not_call = db_get_int(due, r, 5) >= 0 && !claim_is_again(due, r);
		facts->limits_open_at_us = limits_open_at_us[r];
		add_contact_window(facts, claim, campaign, due, r);
		verdict = judge_contact(claim, campaign, facts);
		if (verdict.room != 0 && campaign->taken == 0 && *room > 0)
			DB_TRY(take_trial(db, claim, campaign, room));
		if (verdict.room == 0 && verdict.held_by == GATE_DO_NOT_CALL)
			claim_add_skip(claim, campaign, due, r);
		else if (verdict.room == 0 && verdict.held_by == GATE_CONTACT_LIMITS)
			claim_add_defer(claim, campaign, due, r, callable_from(facts, verdict.opens_at_us));
		else if (verdict.room != 0 && campaign->taken < *room && fits_day(campaign, facts, due, r))
			take_contact(claim, campaign, facts, due, r);
		else
			break;
	}
	return DB_OK;
}

static void keep_ledger(struct claim_campaign *campaign, struct gate_facts *facts)
{
	if (campaign->taken == 0)
		return;
	if (campaign->day < campaign->span.day) {
		campaign->day = campaign->span.day;
		campaign->day_calls = 0;
	}
	campaign->day_calls += campaign->taken - campaign->counted;
	pace_take(&facts->pace, facts->now_us, campaign->taken);
	campaign->pace_at_us = facts->pace.at_us;
}

/* Contacts cannot be called when they were planned to be: their time has to be planned again. */
static bool breaks_plan(const struct gate_verdict *verdict, int64_t next_due_us)
{
	return verdict->room == 0 && (verdict->held_by == GATE_WINDOW || verdict->held_by == GATE_DAILY_CAP) &&
	       next_due_us < verdict->opens_at_us;
}

static int64_t earlier(int64_t a, int64_t b)
{
	return a < b ? a : b;
}

/* The next contact that waits, as far as the `limit` rows that were asked for tell. */
static int64_t next_due(const struct claim *claim, const struct claim_campaign *campaign,
                        const struct db_rows *due, int64_t limit)
{
	if (campaign->seen < due->count)
		return earlier(db_get_int(due, campaign->seen, 0), campaign->deferred_us);
	/* All were skipped, and more may follow; or it was the last, and the campaign may be complete. */
	if ((int64_t)due->count == limit || (due->count != 0 && campaign->final >= campaign->total))
		return claim->now_us;
	return campaign->deferred_us;
}

/* Microseconds by which those that wait for the same, a number or a dialer that they share, come back one before the
 * other: in the order of this claim, and those that had calls last. */
static int64_t head_start(const struct claim *claim, const struct claim_campaign *campaign,
                          const struct gate_verdict *verdict)
{
	bool waits_for_shared = verdict->held_by == GATE_NUMBER_PACING || verdict->held_by == GATE_DIALER_ROOM;

	if (verdict->room != 0 || !waits_for_shared || campaign->taken != 0)
		return 0;
	return (int64_t)claim->campaign_count + 1 - claim->looked;
}

/* When to look again: at the next contact that waits, as far as the `limit` rows that were asked for tell, unless a rule
 * says otherwise. */
static void next_look(const struct claim *claim, struct claim_campaign *campaign, const struct db_rows *due, int64_t limit)
{
	int64_t next_due_us = next_due(claim, campaign, due, limit);
	struct gate_facts facts = gather_facts(claim, campaign);
	struct gate_verdict verdict;

	lift_cap(campaign, &facts, due, campaign->seen);
	verdict = gates_judge(&facts);

	/* Its own calls wake it when they end. Were that so for who waits for a dialer, it would be ahead of those
	 * that share the dialer and had no call. */
	campaign->capped = verdict.room == 0 && verdict.held_by == GATE_PLACES;
	if (verdict.room == 0 && verdict.held_by == GATE_DIALER_ROOM)
		campaign->wake_at_us = claim->now_us + (campaign->endpoint < 0 ? DIALER_OFF_RECHECK_US : DIALER_RECHECK_US);
	else if (next_due_us == INSTANT_NEVER)
		campaign->wake_at_us = claim->now_us + IDLE_RECHECK_US;
	else if (verdict.room == 0 && verdict.held_by == GATE_AGENT && next_due_us < claim->now_us + AGENT_RECHECK_US)
		campaign->wake_at_us = claim->now_us + AGENT_RECHECK_US;
	else if (breaks_plan(&verdict, next_due_us))
		campaign->wake_at_us = claim->now_us;
	else if (campaign->capped && next_due_us < claim->now_us + FULL_RECHECK_US)
		campaign->wake_at_us = claim->now_us + FULL_RECHECK_US;
	else
		campaign->wake_at_us = next_due_us > verdict.opens_at_us ? next_due_us : verdict.opens_at_us;
	/* A circuit may close at any moment. */
	if (verdict.room == 0 && verdict.held_by == GATE_DIALER_HEALTH && next_due_us != INSTANT_NEVER &&
	    campaign->wake_at_us > claim->now_us + DIALER_OFF_RECHECK_US)
		campaign->wake_at_us = claim->now_us + DIALER_OFF_RECHECK_US;
	if (*campaign->zone_trouble != '\0')
		campaign->wake_at_us = earlier(campaign->wake_at_us, claim->now_us + PLAN_ZONE_RECHECK_US);
	campaign->wake_at_us -= head_start(claim, campaign, &verdict);
	campaign->hold = gates_hold(&facts, next_due_us);
	if (next_due_us == INSTANT_NEVER && *campaign->zone_trouble != '\0')
		campaign->hold = (struct gate_hold){ gate_name(GATE_CONTACT_TIME_ZONE), INSTANT_NEVER };
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

static bool is_held_by_cap(const struct gate_facts *facts)
{
	return gate_room(GATE_WINDOW, facts) > 0 && gate_room(GATE_DAILY_CAP, facts) <= 0;
}

/* The retries and the calls that wait, as far as they come first, one by one, to when each may be called again. */
static enum db_result defer_retries(struct db *db, struct claim *claim, struct claim_campaign *campaign,
                                    struct gate_facts *facts, int64_t from_us)
{
	struct db_rows due;

	DB_TRY(claim_query_due(db, claim, campaign, LIMITED_LOOK, &due));
	for (; campaign->seen < due.count; campaign->seen++) {
		size_t r = campaign->seen;
		int64_t at_us;

		if (!(is_retry(&due, r) || claim_is_again(&due, r)) || db_get_int(&due, r, 0) >= from_us ||
		    (is_held_by_cap(facts) && is_counted(campaign, &due, r)))
			break;
		add_contact_window(facts, claim, campaign, &due, r);
		at_us = callable_from(facts, from_us);
		if (at_us <= claim->now_us + 1)
			break; /* can be called now */
		claim_add_defer(claim, campaign, &due, r, at_us);
	}
	if (campaign->seen == 0)
		return DB_OK;
	next_look(claim, campaign, &due, LIMITED_LOOK);
	claim_add_save(claim, campaign);
	return DB_OK;
}

/* The campaign, or some of its contacts, wait until a zone can be read again. */
static enum db_result note_zone_trouble(struct db *db, const struct claim *claim, struct claim_campaign *campaign,
                                        const struct calendar *calendar)
{
	char trouble[BATCH_ZONE_TROUBLE];

	if (!batch_write_zone_trouble(trouble, calendar, 0))
		return DB_OK; /* it came back just now */
	DB_TRY(batch_save_zone_trouble(db, campaign->id, &campaign->uuid, campaign->zone_trouble, trouble));
	campaign->zone_trouble = arena_strdup(claim->arena, trouble);
	return DB_OK;
}

/* Such a wait may be over. *planned: contacts who waited are planned now, and the campaign is claimed from at a later
 * look. */
static enum db_result end_zone_trouble(struct db *db, struct claim *claim, struct claim_campaign *campaign, bool *planned)
{
	bool any = false, readable = false;
	struct batch batch;

	*planned = false;
	if (*campaign->zone_trouble == '\0')
		return DB_OK;
	if (campaign->config.respect_contact_timezone) {
		DB_TRY(batch_get_row(db, campaign->id, claim->arena, &batch));
		DB_TRY(zone_groups_look(db, &batch, &any, &readable));
	}
	*planned = readable;
	if (readable) {
		planning_continue(&batch, claim->now_us);
		return campaign_plan(db, &batch, CAMPAIGN_PLAN_SMALL, claim->now_us);
	}
	if (any || campaign->answer == CALENDAR_UNREADABLE ||
	    (campaign->config.respect_contact_timezone && !batch_zone_trouble_is_over(campaign->zone_trouble)))
		return DB_OK;
	DB_TRY(batch_save_zone_trouble(db, campaign->id, &campaign->uuid, campaign->zone_trouble, ""));
	campaign->zone_trouble = "";
	return DB_OK;
}

/* The first contact that is due cannot be called before from_us: the plan does not hold any more. Of a large campaign
 * retries move alone, because they come due all day long, be its cap used up or not. Calls that wait always do: a plan
 * that is made anew leaves them where they are. */
static enum db_result move_late(struct db *db, struct claim *claim, struct claim_campaign *campaign,
                                struct gate_facts *facts, const struct db_rows *due, int64_t from_us)
{
	if (facts->contact_answer == CALENDAR_UNREADABLE)
		DB_TRY(note_zone_trouble(db, claim, campaign, &facts->contact_calendar));
	if (claim_is_again(due, 0) || (is_retry(due, 0) && campaign->total - campaign->final > REPLANNED_MAX))
		DB_TRY(defer_retries(db, claim, campaign, facts, from_us));
	return campaign->seen != 0 ? DB_OK : replan(db, claim, campaign, from_us);
}

/* Nobody knows what time it is for the campaign: that ends nothing. */
static enum db_result hold_for_zone(struct db *db, struct claim *claim, struct claim_campaign *campaign,
                                    const struct gate_facts *facts)
{
	DB_TRY(note_zone_trouble(db, claim, campaign, &facts->calendar));
	campaign->wake_at_us = claim->now_us + PLAN_ZONE_RECHECK_US;
	campaign->hold = (struct gate_hold){ gate_name(GATE_TIME_ZONE), INSTANT_NEVER };
	claim_add_save(claim, campaign);
	return DB_OK;
}

/* No call may be placed now. Contacts that would be due before the rules let any through were held
 * until their window closed: they move to the next allowed time. */
static enum db_result hold_campaign(struct db *db, struct claim *claim, struct claim_campaign *campaign,
                                    struct gate_facts *facts, const struct gate_verdict *verdict)
{
	struct db_rows due;

	if (campaign->answer == CALENDAR_UNREADABLE)
		return hold_for_zone(db, claim, campaign, facts);
	if (campaign->answer == CALENDAR_NEVER)
		return move_campaign(db, claim, campaign, BATCH_FAIL, "no callable day within 366 days");
	if (verdict->held_by == GATE_NUMBER || verdict->held_by == GATE_DIALER)
		return move_campaign(db, claim, campaign, BATCH_FAIL,
		                     verdict->held_by == GATE_NUMBER ? "no number to call from is left"
		                                                     : "the agent has no dialer any more");
	DB_TRY(claim_query_due(db, claim, campaign, 1, &due));
	if (due.count != 0 && breaks_plan(verdict, db_get_int(&due, 0, 0)))
		return move_late(db, claim, campaign, facts, &due, verdict->opens_at_us);
	next_look(claim, campaign, &due, 1);
	claim_add_save(claim, campaign);
	return DB_OK;
}

/* Nobody waits and nobody is called: done. */
static bool is_complete(const struct claim_campaign *campaign, const struct db_rows *due)
{
	return due->count == 0 && campaign->claimed == campaign->done && campaign->final >= campaign->total;
}

/* The first of those that are due was held until the window in its zone closed, though others may be called. */
static bool is_held_in_zone(const struct claim *claim, const struct claim_campaign *campaign, const struct db_rows *due)
{
	return due->count != 0 && campaign->seen == 0 && db_get_int(due, 0, 0) <= claim->now_us;
}

/* Who comes first may be counted on a day that is full. */
static enum db_result judge_first(struct db *db, const struct claim *claim, const struct claim_campaign *campaign,
                                  struct gate_facts *facts, struct gate_verdict *verdict)
{
	struct db_rows due;

	DB_TRY(claim_query_due(db, claim, campaign, 1, &due));
	lift_cap(campaign, facts, &due, 0);
	*verdict = gates_judge(facts);
	return DB_OK;
}

static enum db_result claim_campaign(struct db *db, struct claim *claim, struct claim_campaign *campaign)
{
	struct gate_facts facts = gather_facts(claim, campaign);
	struct gate_verdict verdict = gates_judge(&facts);
	int64_t room = claim->limits->max_calls - claim->count, limit;
	struct db_rows due;
	bool planned;

	DB_TRY(end_zone_trouble(db, claim, campaign, &planned));
	if (planned)
		return DB_OK;
	if (verdict.room == 0 && verdict.held_by == GATE_DAILY_CAP && campaign->waiting > 0)
		DB_TRY(judge_first(db, claim, campaign, &facts, &verdict));
	if (verdict.room == 0 && campaign->final < campaign->total)
		return hold_campaign(db, claim, campaign, &facts, &verdict);
	if (verdict.room < room)
		room = verdict.room;
	limit = campaign->limits != NULL && room < LIMITED_LOOK ? LIMITED_LOOK : room + 1;
	DB_TRY(claim_query_due(db, claim, campaign, limit, &due));
	if (is_complete(campaign, &due))
		return move_campaign(db, claim, campaign, BATCH_COMPLETE, "");
	DB_TRY(take_contacts(db, claim, campaign, &facts, &due, &room));
	if (room > 0 && is_held_in_zone(claim, campaign, &due))
		return move_late(db, claim, campaign, &facts, &due, claim->now_us + 1); /* who is due now is late, too */
	if (campaign->taken != 0 && campaign->status == BATCH_SCHEDULED)
		DB_TRY(move_campaign(db, claim, campaign, BATCH_START, ""));
	keep_ledger(campaign, &facts);
	if (due.count == 0)
		campaign->low_water_us = INSTANT_NONE; /* the next look sweeps the whole queue */
	next_look(claim, campaign, &due, limit);
	claim_add_save(claim, campaign);
	return DB_OK;
}

/* Somebody else has its organisation's limits at this moment. */
static bool is_held_by_others(const struct claim_campaign *campaign)
{
	return campaign->has_limits && campaign->limits == NULL;
}

static enum db_result claim_all(struct db *db, struct claim *claim)
{
	DB_TRY(claim_lock_campaigns(db, claim));
	for (size_t i = 0; i < claim->campaign_count && claim->count < claim->limits->max_calls; i++) {
		if (is_held_by_others(&claim->campaigns[i])) {
			DB_TRY(claim_postpone(db, claim, &claim->campaigns[i]));
			continue;
		}
		claim->looked++;
		claim->now_us = later(claim->began_us, claim->campaigns[i].wake_at_us);
		DB_TRY(claim_campaign(db, claim, &claim->campaigns[i]));
	}
	return claim->looked == 0 ? DB_OK : claim_write(db, claim);
}

/* Everything but the limits is made afresh at every run. */
static enum db_result run_claim(struct db *db, void *context)
{
	struct claim *claim = context;
	enum db_result result;

	*claim = (struct claim){
		.limits = claim->limits, .ids = claim->ids, .max_campaigns = claim->max_campaigns, .began_us = clock_now_us(),
	};
	claim->now_us = claim->began_us;
	claim->until_us = claim->began_us + claim->limits->ahead_us;
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
		result = db_transact_briefly(db, DB_ONCE, run_claim, claim);
	} while (db_is_refusal(result) && claim->max_campaigns > 1);
	if (!db_is_refusal(result) || claim->first == 0)
		return result;
	claim->count = 0;
	return batch_set_aside(db, claim->first, claim->now_us);
}

enum db_result claim_due_calls(struct db *db, const struct claim_limits *limits, struct uuid *ids,
                               int *count, int *looked)
{
	struct claim claim = { .limits = limits, .ids = ids, .max_campaigns = MAX_CAMPAIGNS };
	enum db_result result = db_transact_briefly(db, DB_ONCE, run_claim, &claim);

	if (db_is_refusal(result))
		result = claim_without_refused(db, &claim);
	*count = result == DB_OK ? claim.count : 0;
	*looked = result == DB_OK ? claim.looked : 0;
	return result;
}
