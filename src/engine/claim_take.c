#include "engine/claim_job.h"

#include <string.h>

#include "base/clock.h"
#include "base/instant.h"
#include "base/least.h"
#include "engine/contact_attempts.h"
#include "store/health_store.h"

#define CALLED_HERE_RECHECK_US US_PER_SECOND

static struct claim_dialer dialer_of(const struct claim_campaign *campaign)
{
	return (struct claim_dialer){ campaign->facts.endpoint, campaign->facts.health.doubtful };
}

/* Campaigns of this claim may share a dialer, and all share the free slots. */
static int64_t dialer_room(const struct claim *claim, const struct claim_campaign *campaign)
{
	struct claim_dialer dialer = dialer_of(campaign);
	struct claim_taken taken = { 0 };

	if (campaign->facts.endpoint < 0)
		return 0;
	for (size_t i = 0; i < claim->campaign_count; i++) {
		const struct claim_campaign *other = &claim->campaigns[i];

		taken.all += (int)other->taken;
		taken.doubtful += other->facts.health.doubtful ? (int)other->taken : 0;
		taken.same += other->facts.endpoint == campaign->facts.endpoint ? (int)other->taken : 0;
	}
	return claim->limits->room_at(claim->limits->context, &dialer, &taken);
}

struct gate_facts claim_gather_facts(const struct claim *claim, struct claim_campaign *campaign)
{
	struct gate_facts facts = claim_facts_of(campaign, claim->now_us, dialer_room(claim, campaign));

	if (claim->limits->fetch != NULL)
		facts.waits_for_fetch = false;
	return facts;
}

/* A call that this claim has just made for another campaign is not in the database yet. */
static bool was_called_here(const struct claim *claim, const struct claim_campaign *campaign, const char *phone_number)
{
	for (size_t i = 0; i < claim->called_count; i++)
		if (claim->called[i].organization_id == campaign->organization_id &&
		    strcmp(claim->called[i].phone_number, phone_number) == 0)
			return true;
	return false;
}

/* Finds from when on the limits allow a call to each of these contacts. */
static enum db_result judge_limits(struct db *db, const struct claim *claim, const struct claim_campaign *campaign,
                                   const struct claim_due *due, int64_t *open_at_us)
{
	struct limited_number *asked = arena_alloc(claim->arena, due->count * sizeof *asked);
	size_t count = 0; /* of the due contacts */

	for (size_t r = 0; r < due->count; r++) {
		const struct waiting_contact *contact = &due->contacts[r];

		asked[r] = (struct limited_number){ .phone_number = contact->phone_number };
		if (contact->waits)
			asked[r].except = contact->call_id;
		count += contact->due_at_us <= claim->until_us;
		open_at_us[r] = INSTANT_NONE;
	}
	if (count == 0 || campaign->limits == NULL || !contact_limits_any(campaign->limits))
		return DB_OK;
	DB_TRY(contact_attempts_free_at(db, campaign->organization_id, campaign->limits, asked, count, claim->now_us,
	                                claim->arena, open_at_us));
	for (size_t r = 0; r < count; r++)
		if (was_called_here(claim, campaign, asked[r].phone_number))
			open_at_us[r] = claim->now_us + CALLED_HERE_RECHECK_US;
	return DB_OK;
}

/* Returns whether the daily cap has room for this contact, beside the contacts taken so far. */
static bool fits_day(const struct claim_campaign *campaign, const struct gate_facts *facts,
                     const struct waiting_contact *contact)
{
	int64_t cap = campaign->config.max_calls_per_day;

	return cap == 0 || gate_day_calls(facts) + campaign->taken - campaign->counted < cap ||
	       claim_counts_again(campaign, contact);
}

/* One campaign may claim one call to probe a dialer whose circuit is half open. The contact must be called then,
 * because a probe without a call would delay all campaigns with this dialer. */
static enum db_result take_trial(struct db *db, const struct claim *claim, struct claim_campaign *campaign,
                                 int64_t *room)
{
	bool taken;

	if (health_circuit(&campaign->facts.health, claim->now_us) != CIRCUIT_HALF_OPEN)
		return DB_OK;
	campaign->facts.trial_until_us = claim->now_us + claim->limits->dispatch_ttl_us;
	DB_TRY(health_take_trial(db, campaign->facts.endpoint, claim->now_us, campaign->facts.trial_until_us, &taken));
	*room = taken ? 1 : 0;
	return DB_OK;
}

/* The dialer has until the end of the window at most. */
static int64_t expires_at(const struct claim *claim, const struct gate_facts *facts)
{
	return calendar_open_until(&facts->contact_calendar, facts->contact_span,
	                           claim->now_us + claim->limits->dispatch_ttl_us);
}

static void take_contact(struct claim *claim, struct claim_campaign *campaign, const struct gate_facts *facts,
                         const struct waiting_contact *contact)
{
	int64_t called_at_us = max_of(claim->now_us, facts->due_at_us);
	const char *from_number;

	campaign->counted += claim_counts_again(campaign, contact);
	if (claim->claimed != NULL) /* it was due, and no rule held its campaign */
		claim->claimed[claim->count] = (struct claimed_call){
			.dialer = dialer_of(campaign), .since_us = max_of(facts->due_at_us, campaign->wake_at_us)
		};
	from_number = claim_add_call(claim, campaign, contact, called_at_us, expires_at(claim, facts));
	claim_note_call(claim, campaign, facts, contact, from_number);
}

static void skip_contact(struct claim *claim, struct claim_campaign *campaign, const struct waiting_contact *contact)
{
	claim_add_skip(claim, campaign, contact);
	claim_note_skip(claim, campaign, contact);
}

/* With a pace, calls are claimed one by one, because each begins when the pace allows it. */
static bool has_pace(const struct claim_campaign *campaign)
{
	bool any = campaign->config.calls_per_minute != 0;

	for (int i = 0; i < campaign->number_count; i++)
		any |= campaign->numbers[i].pace != NULL;
	return any;
}

/* Judges by the rules for one contact, at the instant at which its call would begin. */
static struct gate_verdict judge_contact(const struct claim *claim, const struct claim_campaign *campaign,
                                         const struct gate_facts *facts)
{
	int64_t begins_at_us = max_of(claim->now_us, facts->due_at_us);
	struct gate_facts then = *facts;

	if (begins_at_us <= claim->until_us && !has_pace(campaign))
		then.now_us = begins_at_us;
	return gates_judge_contact(&then);
}

enum db_result claim_take_contacts(struct db *db, struct claim *claim, struct claim_campaign *campaign,
                                   struct gate_facts *facts, const struct claim_due *due, int64_t *room)
{
	int64_t *limits_open_at_us = arena_alloc(claim->arena, due->count * sizeof *limits_open_at_us);

	DB_TRY(judge_limits(db, claim, campaign, due, limits_open_at_us));
	for (; campaign->seen < due->count; campaign->seen++) {
		const struct waiting_contact *contact = &due->contacts[campaign->seen];
		struct gate_verdict verdict;

		facts->due_at_us = contact->due_at_us;
		/* A call that was requested before is not skipped: it is taken, and the dispatch ends it. */
		facts->do_not_call = contact->do_not_call && !contact->waits;
		facts->limits_open_at_us = limits_open_at_us[campaign->seen];
		claim_set_window(facts, claim, campaign, contact);
		verdict = judge_contact(claim, campaign, facts);
		if (verdict.room != 0 && campaign->taken == 0 && *room > 0)
			DB_TRY(take_trial(db, claim, campaign, room));
		if (verdict.room == 0 && verdict.held_by == GATE_DO_NOT_CALL)
			skip_contact(claim, campaign, contact);
		else if (verdict.room == 0 && verdict.held_by == GATE_CONTACT_LIMITS)
			claim_defer(claim, campaign, contact, GATE_CONTACT_LIMITS, claim_callable_from(facts, verdict.opens_at_us));
		else if (verdict.room != 0 && campaign->taken < *room && fits_day(campaign, facts, contact))
			take_contact(claim, campaign, facts, contact);
		else
			break;
	}
	return DB_OK;
}
