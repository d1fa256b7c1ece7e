/* A claim transaction locks the campaigns that are due for a look (SKIP LOCKED: other schedulers take other campaigns).
 * It judges every rule for each from the facts in the database, and turns as many waiting contacts into calls as all
 * rules allow. The lock on the campaign's row makes every cap exact with any number of schedulers: no other transaction
 * claims, plans or changes this campaign meanwhile. */
#include "engine/claim_job.h"

#include "base/clock.h"
#include "base/least.h"
#include "store/batch_store.h"

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

/* The campaign is complete if no contact waits and no call is in progress. */
static enum db_result is_complete(struct db *db, const struct claim_campaign *campaign, const struct claim_due *due,
                                  bool *complete)
{
	int64_t next_due_us;

	*complete = due->count == 0 && campaign->claimed == campaign->facts.done &&
	            campaign->facts.final >= campaign->total;
	if (!*complete)
		return DB_OK;
	DB_TRY(claim_due_find_next(db, campaign, due->until_us, &next_due_us));
	*complete = next_due_us == INSTANT_NEVER;
	return DB_OK;
}

/* The first due contact was held until the window in its zone closed, although others may be called. */
static bool is_held_in_zone(const struct claim *claim, const struct claim_campaign *campaign,
                            const struct claim_due *due)
{
	return due->count != 0 && campaign->seen == 0 && due->contacts[0].due_at_us <= claim->now_us;
}

/* The first contact may be counted already on a day that is full. */
static enum db_result judge_first(struct db *db, const struct claim *claim, const struct claim_campaign *campaign,
                                  struct gate_facts *facts, struct gate_verdict *verdict)
{
	struct claim_due due;

	DB_TRY(claim_query_due(db, claim, campaign, INSTANT_NEVER, 1, &due));
	claim_lift_cap(campaign, facts, &due, 0);
	*verdict = gates_judge(facts);
	return DB_OK;
}

static enum db_result claim_campaign(struct db *db, struct claim *claim, struct claim_campaign *campaign)
{
	struct gate_facts facts = claim_gather_facts(claim, campaign);
	struct gate_verdict verdict = gates_judge(&facts);
	int64_t room = claim->limits->max_calls - claim->count, limit;
	struct claim_due due;
	bool planned, complete;

	DB_TRY(claim_end_zone_trouble(db, claim, campaign, &planned));
	if (planned)
		return DB_OK;
	if (verdict.room == 0 && verdict.held_by == GATE_DAILY_CAP && campaign->waiting > 0)
		DB_TRY(judge_first(db, claim, campaign, &facts, &verdict));
	if (verdict.room == 0 && campaign->facts.final < campaign->total)
		return claim_hold(db, claim, campaign, &facts, &verdict);
	if (verdict.room < room)
		room = verdict.room;
	limit = campaign->limits != NULL && room < CLAIM_LIMITED_LOOK ? CLAIM_LIMITED_LOOK : room + 1;
	DB_TRY(claim_query_due(db, claim, campaign, claim->until_us + CLAIM_BEYOND_US, limit, &due));
	DB_TRY(is_complete(db, campaign, &due, &complete));
	if (complete)
		return claim_move(db, claim, campaign, BATCH_COMPLETE, "");
	DB_TRY(claim_take_contacts(db, claim, campaign, &facts, &due, &room));
	if (room > 0 && is_held_in_zone(claim, campaign, &due)) /* contacts that are due now are late, too */
		return claim_move_late(db, claim, campaign, &facts, &due, claim->now_us + 1);
	if (campaign->taken != 0 && campaign->status == BATCH_SCHEDULED)
		DB_TRY(claim_move(db, claim, campaign, BATCH_START, ""));
	keep_ledger(campaign, &facts);
	DB_TRY(claim_decide_next_look(db, claim, campaign, &due));
	claim_add_save(claim, campaign);
	return DB_OK;
}

/* Another transaction has locked its organisation's limits at this moment. */
static bool is_held_by_others(const struct claim_campaign *campaign)
{
	return campaign->facts.has_limits && campaign->limits == NULL;
}

static enum db_result claim_all(struct db *db, struct claim *claim)
{
	DB_TRY(claim_lock_campaigns(db, claim));
	DB_TRY(claim_query_all(db, claim));
	for (size_t i = 0; i < claim->campaign_count && claim->count < claim->limits->max_calls; i++) {
		if (is_held_by_others(&claim->campaigns[i])) {
			DB_TRY(claim_postpone(db, claim, &claim->campaigns[i]));
			continue;
		}
		claim->looked++;
		claim->now_us = claim->limits->fetch != NULL ? claim->began_us
		                                             : max_of(claim->began_us, claim->campaigns[i].wake_at_us);
		DB_TRY(claim_campaign(db, claim, &claim->campaigns[i]));
	}
	return claim->looked == 0 ? DB_OK : claim_write(db, claim);
}

/* Everything but the limits is set again by every run. */
static enum db_result run_claim(struct db *db, void *context)
{
	struct claim *claim = context;
	enum db_result result;

	*claim = (struct claim){
		.limits = claim->limits,
		.ids = claim->ids,
		.claimed = claim->claimed,
		.max_campaigns = claim->max_campaigns,
		.began_us = clock_now_us(),
	};
	claim->now_us = claim->began_us;
	claim->until_us = claim->began_us + claim->limits->ahead_us;
	claim_open(claim);
	result = claim_all(db, claim);
	claim_close(claim);
	return result;
}

enum db_result claim_fetched_calls(struct db *db, const struct claim_limits *limits, struct uuid *ids, int *count)
{
	struct claim claim = { .limits = limits, .ids = ids, .max_campaigns = CLAIM_CAMPAIGNS };

	DB_TRY(run_claim(db, &claim));
	*count = claim.count;
	return DB_OK;
}

/* If the server rejects the work on one campaign, the others are claimed without it. Claiming fewer and fewer
 * campaigns at once finds it: the campaign that has waited longest comes first. */
static enum db_result claim_without_refused(struct db *db, struct claim *claim, enum db_result result)
{
	while (db_is_refusal(result) && claim->campaign_count > 1) {
		claim->max_campaigns = (int)claim->campaign_count / (db_waited_for_lock(db) ? 4 : 2); /* waits delay all */
		claim->max_campaigns += claim->max_campaigns == 0;
		result = db_transact_briefly(db, DB_ONCE, run_claim, claim);
	}
	if (!db_is_refusal(result) || claim->first == 0)
		return result;
	claim->count = 0;
	return batch_set_aside(db, claim->first, result, claim->now_us);
}

enum db_result claim_due_calls(struct db *db, const struct claim_limits *limits, struct uuid *ids,
                               struct claimed_call *calls, int *count, int *looked)
{
	struct claim claim = { .limits = limits, .ids = ids, .claimed = calls, .max_campaigns = CLAIM_CAMPAIGNS };
	enum db_result result = db_transact_briefly(db, DB_ONCE, run_claim, &claim);

	if (db_is_refusal(result))
		result = claim_without_refused(db, &claim, result);
	*count = result == DB_OK ? claim.count : 0;
	*looked = result == DB_OK ? claim.looked : 0;
	return result;
}
