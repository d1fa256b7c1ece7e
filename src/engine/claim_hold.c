#include "engine/claim_job.h"

#include "base/instant.h"
#include "engine/campaign.h"
#include "engine/planning.h"
#include "engine/zone_groups.h"
#include "store/batch_store.h"

#define REPLANNED_MAX 5000 /* contacts of a campaign that is planned again for a single retry */

enum db_result claim_move(struct db *db, struct claim *claim, struct claim_campaign *campaign, enum batch_action action,
                          const char *reason)
{
	struct batch batch;

	DB_TRY(batch_get_row(db, campaign->id, claim->arena, &batch));
	DB_TRY(campaign_move(db, &batch, action, reason, claim->now_us));
	campaign->status = batch.status;
	return DB_OK;
}

static bool is_held_by_cap(const struct gate_facts *facts)
{
	return gate_room(GATE_WINDOW, facts) > 0 && gate_room(GATE_DAILY_CAP, facts) <= 0;
}

/* Returns why contacts are late: the first closed gate that moves the plan. */
static enum gate late_gate(const struct gate_facts *facts)
{
	if (gate_room(GATE_WINDOW, facts) <= 0)
		return GATE_WINDOW;
	return gate_room(GATE_DAILY_CAP, facts) <= 0 ? GATE_DAILY_CAP : GATE_CONTACT_WINDOW;
}

static bool is_retry(const struct waiting_contact *contact)
{
	return contact->attempt > 1;
}

/* Moves each retry and each waiting attempt at the front of the queue to the first instant at which it is allowed. */
static enum db_result defer_retries(struct db *db, struct claim *claim, struct claim_campaign *campaign,
                                    struct gate_facts *facts, int64_t from_us)
{
	struct claim_due due;

	DB_TRY(claim_query_due(db, claim, campaign, INSTANT_NEVER, CLAIM_LIMITED_LOOK, &due));
	for (; campaign->seen < due.count; campaign->seen++) {
		const struct waiting_contact *contact = &due.contacts[campaign->seen];
		int64_t at_us;

		if (!(is_retry(contact) || contact->waits) || contact->due_at_us >= from_us ||
		    (is_held_by_cap(facts) && claim_counts_again(campaign, contact)))
			break;
		claim_set_window(facts, claim, campaign, contact);
		at_us = claim_callable_from(facts, from_us);
		if (at_us <= claim->now_us + 1)
			break; /* can be called now */
		claim_defer(claim, campaign, contact, late_gate(facts), at_us);
	}
	if (campaign->seen == 0)
		return DB_OK;
	DB_TRY(claim_decide_next_look(db, claim, campaign, &due));
	claim_add_save(claim, campaign);
	return DB_OK;
}

/* Records that the campaign, or some of its contacts, wait until a zone can be read again. */
static enum db_result note_zone_trouble(struct db *db, const struct claim *claim, struct claim_campaign *campaign,
                                        const struct calendar *calendar)
{
	char trouble[BATCH_ZONE_TROUBLE];

	if (!batch_write_zone_trouble(trouble, calendar, 0))
		return DB_OK; /* the zone can be read again */
	DB_TRY(batch_save_zone_trouble(db, campaign->id, &campaign->uuid, campaign->zone_trouble, trouble));
	campaign->zone_trouble = arena_strdup(claim->arena, trouble);
	return DB_OK;
}

enum db_result claim_end_zone_trouble(struct db *db, struct claim *claim, struct claim_campaign *campaign,
                                      bool *planned)
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

/* A plan fills windows to their ends, but no contact is called in the last second of its window. Returns the end of the
 * window if this is its last second. */
static int64_t plan_from(const struct gate_facts *facts, int64_t from_us)
{
	struct span span;

	if (calendar_find_span(&facts->contact_calendar, from_us, &span) == CALENDAR_SPAN && span.from_us <= from_us &&
	    span.until_us - from_us < CALL_REST_US)
		return span.until_us;
	return from_us;
}

/* In a large campaign only retries are moved, because they come due all day long, even when the cap is used up. Calls
 * that wait are always moved, because a new plan leaves them where they are. */
enum db_result claim_move_late(struct db *db, struct claim *claim, struct claim_campaign *campaign,
                               struct gate_facts *facts, const struct claim_due *due, int64_t from_us)
{
	struct batch batch;

	if (facts->contact_answer == CALENDAR_UNREADABLE)
		DB_TRY(note_zone_trouble(db, claim, campaign, &facts->contact_calendar));
	if (due->contacts[0].waits ||
	    (is_retry(&due->contacts[0]) && campaign->total - campaign->facts.final > REPLANNED_MAX))
		DB_TRY(defer_retries(db, claim, campaign, facts, from_us));
	if (campaign->seen != 0)
		return DB_OK;
	from_us = plan_from(facts, from_us);
	claim_note_replan(claim, campaign, late_gate(facts), from_us);
	DB_TRY(batch_get_row(db, campaign->id, claim->arena, &batch));
	planning_restart(&batch, from_us);
	return campaign_plan(db, &batch, CAMPAIGN_PLAN_SMALL, claim->now_us);
}

/* The campaign waits until its zone can be read. It does not fail. */
static enum db_result hold_for_zone(struct db *db, struct claim *claim, struct claim_campaign *campaign,
                                    const struct gate_facts *facts)
{
	DB_TRY(note_zone_trouble(db, claim, campaign, &facts->calendar));
	campaign->wake_at_us = claim->now_us + PLAN_ZONE_RECHECK_US;
	campaign->hold = (struct gate_hold){ gate_name(GATE_TIME_ZONE), INSTANT_NEVER };
	claim_add_save(claim, campaign);
	return DB_OK;
}

enum db_result claim_hold(struct db *db, struct claim *claim, struct claim_campaign *campaign, struct gate_facts *facts,
                          const struct gate_verdict *verdict)
{
	struct claim_due due;

	if (campaign->answer == CALENDAR_UNREADABLE)
		return hold_for_zone(db, claim, campaign, facts);
	if (campaign->answer == CALENDAR_NEVER)
		return claim_move(db, claim, campaign, BATCH_FAIL, "no callable day within 366 days");
	if (verdict->held_by == GATE_NUMBER || verdict->held_by == GATE_DIALER)
		return claim_move(db, claim, campaign, BATCH_FAIL,
		                  verdict->held_by == GATE_NUMBER ? "no number to call from is left"
		                                                  : "the agent has no dialer any more");
	DB_TRY(claim_query_due(db, claim, campaign, INSTANT_NEVER, 1, &due));
	if (due.count != 0 && claim_breaks_plan(verdict, due.contacts[0].due_at_us))
		return claim_move_late(db, claim, campaign, facts, &due, verdict->opens_at_us);
	DB_TRY(claim_decide_next_look(db, claim, campaign, &due));
	claim_add_save(claim, campaign);
	return DB_OK;
}
