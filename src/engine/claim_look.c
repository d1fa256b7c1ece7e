#include "engine/claim_job.h"

#include "base/clock.h"
#include "base/instant.h"
#include "base/least.h"
#include "engine/planning.h"

/* A full campaign is woken by the call that ends; this is in case the wake-up is lost. */
#define FULL_RECHECK_US US_PER_SECOND
#define DIALER_RECHECK_US (20 * US_PER_MS)
#define DIALER_OFF_RECHECK_US (5 * US_PER_SECOND)
#define AGENT_RECHECK_US US_PER_SECOND
#define FETCH_RECHECK_US US_PER_SECOND /* a fetch does not wait for this */
#define IDLE_RECHECK_US (60 * US_PER_SECOND)

bool claim_breaks_plan(const struct gate_verdict *verdict, int64_t next_due_us)
{
	return verdict->room == 0 && (verdict->held_by == GATE_WINDOW || verdict->held_by == GATE_DAILY_CAP) &&
	       next_due_us < verdict->opens_at_us;
}

/* Finds when the next waiting contact is due; INSTANT_NEVER: none waits. */
static enum db_result next_due(struct db *db, const struct claim *claim, struct claim_campaign *campaign,
                               const struct claim_due *due, int64_t *next_due_us)
{
	*next_due_us = claim->now_us;
	/* All were skipped, and more may follow; or it was the last, and the campaign may be complete. */
	if (campaign->seen >= due->count && (due->is_cut || (due->count != 0 && campaign->facts.final >= campaign->total)))
		return DB_OK;
	if (campaign->seen < due->count)
		*next_due_us = due->contacts[campaign->seen].due_at_us;
	else
		DB_TRY(claim_due_find_next(db, campaign, due->until_us, next_due_us));
	if (due->count == 0 && *next_due_us == INSTANT_NEVER)
		campaign->low_water_us = INSTANT_NONE; /* the next look sweeps the whole queue */
	*next_due_us = min_of(*next_due_us, campaign->deferred_us);
	return DB_OK;
}

/* Microseconds between the looks at campaigns that share a number or a dialer. The order is the order of this
 * claim, and campaigns that had calls come last. */
static int64_t head_start(const struct claim *claim, const struct claim_campaign *campaign,
                          const struct gate_verdict *verdict)
{
	bool waits_for_shared = verdict->held_by == GATE_NUMBER_PACING || verdict->held_by == GATE_DIALER_ROOM ||
	                        verdict->held_by == GATE_DIALER_FETCH;

	if (verdict->room != 0 || !waits_for_shared || campaign->taken != 0)
		return 0;
	return (int64_t)claim->campaign_count + 1 - claim->looked;
}

/* Returns when to look again at a campaign whose next contact is due at next_due_us. */
static int64_t next_look(const struct claim *claim, const struct claim_campaign *campaign,
                         const struct gate_verdict *verdict, int64_t next_due_us)
{
	enum gate held_by = verdict->room == 0 ? verdict->held_by : GATE__MAX;
	int64_t now_us = claim->now_us, open_us = max_of(next_due_us, verdict->opens_at_us);

	if (held_by == GATE_DIALER_ROOM)
		return now_us + (campaign->facts.endpoint < 0 ? DIALER_OFF_RECHECK_US : DIALER_RECHECK_US);
	if (next_due_us == INSTANT_NEVER)
		return now_us + IDLE_RECHECK_US;
	switch (held_by) {
	case GATE_WINDOW:
	case GATE_DAILY_CAP: return claim_breaks_plan(verdict, next_due_us) ? now_us : open_us;
	case GATE_PLACES: return next_due_us < now_us + FULL_RECHECK_US ? now_us + FULL_RECHECK_US : open_us;
	case GATE_AGENT: return next_due_us < now_us + AGENT_RECHECK_US ? now_us + AGENT_RECHECK_US : open_us;
	case GATE_DIALER_HEALTH: /* a circuit may close at any moment */
		return min_of(open_us, now_us + DIALER_OFF_RECHECK_US);
	case GATE_DIALER_FETCH: return next_due_us <= now_us ? now_us + FETCH_RECHECK_US : next_due_us;
	default: return open_us;
	}
}

enum db_result claim_decide_next_look(struct db *db, const struct claim *claim, struct claim_campaign *campaign,
                                      const struct claim_due *due)
{
	struct gate_facts facts = claim_gather_facts(claim, campaign);
	bool zone_fails = *campaign->zone_trouble != '\0';
	struct gate_verdict verdict;
	int64_t next_due_us;

	DB_TRY(next_due(db, claim, campaign, due, &next_due_us));
	facts.waits_for_fetch = campaign->facts.is_fetched; /* after a fetch for the next */
	claim_lift_cap(campaign, &facts, due, campaign->seen);
	verdict = gates_judge(&facts);

	/* The end of its own calls wakes a campaign. If this also held for campaigns that wait for a dialer, such a
	 * campaign would come before the campaigns that share the dialer and had no call. */
	campaign->capped = verdict.room == 0 && verdict.held_by == GATE_PLACES;
	campaign->wake_at_us = next_look(claim, campaign, &verdict, next_due_us);
	if (zone_fails)
		campaign->wake_at_us = min_of(campaign->wake_at_us, claim->now_us + PLAN_ZONE_RECHECK_US);
	campaign->wake_at_us -= head_start(claim, campaign, &verdict);
	campaign->hold = gates_hold(&facts, next_due_us);
	if (next_due_us == INSTANT_NEVER && zone_fails)
		campaign->hold = (struct gate_hold){ gate_name(GATE_CONTACT_TIME_ZONE), INSTANT_NEVER };
	return DB_OK;
}
