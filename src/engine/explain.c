#include "engine/explain.h"

#include "base/instant.h"
#include "engine/claim_facts.h"
#include "engine/contact_attempts.h"
#include "store/columns.h"
#include "store/do_not_call_store.h"
#include "store/statements.h"

COLUMNS(gate_details_columns, struct gate_details, INSTANT(struct gate_details, oldest_call_at),
        COLUMN(struct gate_details, webhook_id), COLUMN(struct gate_details, dialer_error));

/* The contact that is next to be called. */
struct queue_head {
	int64_t position, due_at_us, due_now;
	int64_t asked_at_us; /* INSTANT_NONE: its call was not sent to a dialer yet */
};

COLUMNS(queue_head_columns, struct queue_head, COLUMN(struct queue_head, position), INSTANT(struct queue_head, due_at),
        COLUMN(struct queue_head, due_now), INSTANT(struct queue_head, asked_at));

/* Only schedulers know how much room a dialer has. Here a dialer has room unless it is switched off. */
static int64_t dialer_room(const struct claim_campaign *campaign)
{
	return campaign->facts.endpoint < 0 ? 0 : INT64_MAX;
}

static enum db_result read_do_not_call(struct db *db, const struct batch *batch, struct arena *arena,
                                       struct explanation *out)
{
	struct page page = { .limit = 1 };
	struct listing listing;

	DB_TRY(do_not_call_list(db, batch->organization_id, out->contact.who.phone_number, "", &page, arena, &listing));
	out->facts.do_not_call = listing.count != 0;
	if (listing.count != 0) {
		const struct suppressed_number *listed = listing.items;

		out->details.do_not_call_reason = listed->reason;
		out->details.do_not_call_since_us = listed->created_at_us;
	}
	return DB_OK;
}

/* Of the numbers with a pace, the number that lets a call through first. */
static void find_next_number(const struct claim_campaign *campaign, struct gate_details *details)
{
	for (int i = 0; i < campaign->number_count; i++) {
		const struct claim_number *number = &campaign->numbers[i];

		if (number->pace == NULL)
			continue;
		if (details->next_number == NULL || number->pace->pace.at_us < details->next_number_at_us) {
			details->next_number = number->phone_number;
			details->next_number_at_us = number->pace->pace.at_us;
		}
	}
}

static enum db_result read_details(struct db *db, const struct batch *batch, const struct claim_campaign *campaign,
                                   struct arena *arena, struct gate_details *out)
{
	struct db_value organization = db_int(batch->organization_id), id = db_int(batch->id);

	DB_TRY(DB_GET(db, SQL_EXPLAIN_DETAILS, DB_ARGS(organization, id, id), arena, struct gate_details, out));
	out->places = claim_facts_places(campaign);
	out->in_progress = campaign->claimed - campaign->facts.done;
	out->dialer_places = campaign->facts.places;
	out->failing_since_us = campaign->facts.health.failing_since_us;
	out->do_not_call_reason = "";
	out->do_not_call_since_us = INSTANT_NONE;
	out->not_before_us = out->next_number_at_us = INSTANT_NONE;
	find_next_number(campaign, out);
	return DB_OK;
}

static void lift_cap(struct gate_facts *facts, const struct claim_campaign *campaign, int64_t asked_at_us)
{
	if (asked_at_us != INSTANT_NONE && claim_facts_day_has(campaign, asked_at_us))
		facts->max_per_day = 0;
}

/* A call that waits in the plan was sent before. It is not another call to its number, and the day that counted it
 * has room for it. */
static enum db_result judge_limits(struct db *db, const struct batch *batch, const struct claim_campaign *campaign,
                                   int64_t now_us, struct arena *arena, struct explanation *out)
{
	struct limited_number asked = { .phone_number = out->contact.who.phone_number };

	if (out->contact.call_status == CALL_QUEUED) {
		asked.except = out->contact.call_id;
		lift_cap(&out->facts, campaign, out->contact.called_at_us);
	}
	if (campaign->limits == NULL)
		return DB_OK;
	out->details.rest_hours = campaign->limits->rest_hours;
	return contact_attempts_hold(db, batch->organization_id, campaign->limits, &asked, now_us, arena,
	                             &out->facts.limits_open_at_us, &out->details.limit);
}

static enum db_result gather_facts(struct db *db, const struct batch *batch, int64_t now_us, struct arena *arena,
                                   struct explanation *out)
{
	struct claim_campaign campaign;

	DB_TRY(claim_facts_read(db, batch->id, now_us, arena, &campaign));
	out->facts = claim_facts_of(&campaign, now_us, dialer_room(&campaign));
	out->facts.due_at_us = out->contact.status == CONTACT_SCHEDULED ? out->contact.scheduled_at_us : INSTANT_NEVER;
	if (campaign.config.respect_contact_timezone)
		out->facts.contact_calendar = batch_calendar(&campaign.config, contact_zones(out->contact.who.timezone,
		                                                                             out->contact.who.phone_number));
	out->facts.contact_answer = calendar_find_span_with_rest(&out->facts.contact_calendar, now_us, CALL_REST_US,
	                                                         &out->facts.contact_span);
	if (out->facts.contact_answer != CALENDAR_SPAN)
		out->facts.contact_span = (struct span){ INSTANT_NEVER, INSTANT_NEVER, 0 };
	DB_TRY(read_details(db, batch, &campaign, arena, &out->details));
	out->details.not_before_us = out->contact.retry_at_us;
	out->details.is_callback = batch_contact_waits_for_callback(&out->contact);
	DB_TRY(judge_limits(db, batch, &campaign, now_us, arena, out));
	return read_do_not_call(db, batch, arena, out);
}

/* Returns whether the gate is closed because of a zone that cannot be read; then it writes which zone, and why. */
static bool is_unreadable(enum gate gate, const struct gate_facts *facts, char trouble[BATCH_ZONE_TROUBLE])
{
	if (gate == GATE_TIME_ZONE)
		return batch_write_zone_trouble(trouble, &facts->calendar, 0);
	return gate == GATE_CONTACT_TIME_ZONE && batch_write_zone_trouble(trouble, &facts->contact_calendar, 0);
}

static const char *reason_of(const struct explanation *explanation, int64_t now_us, struct arena *arena)
{
	char text[32], trouble[BATCH_ZONE_TROUBLE];

	if (explanation->contact.status == CONTACT_SKIPPED)
		return arena_printf(arena, "It is skipped (%s).", skip_reason_names[explanation->contact.skip_reason]);
	if (explanation->contact.status == CONTACT_IN_PROGRESS)
		return "It is being called.";
	if (!explanation->waits)
		return arena_printf(arena, "It is %s.", contact_status_names[explanation->contact.status]);
	if (explanation->next_at_us == INSTANT_NEVER && is_unreadable(explanation->waits_for, &explanation->facts, trouble))
		return arena_printf(arena, "It waits: %s.", trouble);
	if (explanation->next_at_us == INSTANT_NEVER)
		return arena_printf(arena, "It waits for the rule %s, which does not open at a known time.",
		                    gate_name(explanation->waits_for));
	if (explanation->next_at_us <= now_us)
		return "It is called as soon as its turn comes.";
	instant_format_iso(explanation->next_at_us, text);
	return arena_printf(arena, "%s can be called from %s on.",
	                    explanation->details.is_callback ? "It asked to be called back, and" : "It", text);
}

enum db_result explain_contact(struct db *db, const struct batch *batch, int64_t position, int64_t now_us,
                               struct arena *arena, struct explanation *out)
{
	*out = (struct explanation){ .next_at_us = INSTANT_NEVER };
	DB_TRY(batch_contact_get(db, batch, position, arena, &out->contact));
	out->waits = out->contact.status == CONTACT_PENDING || out->contact.status == CONTACT_SCHEDULED;
	if (out->waits) {
		DB_TRY(gather_facts(db, batch, now_us, arena, out));
		out->next_at_us = gates_next_at(&out->facts, &out->waits_for);
	}
	out->reason = reason_of(out, now_us, arena);
	return DB_OK;
}

static const char *campaign_reason_of(const struct batch *batch, const struct campaign_explanation *explanation,
                                      int64_t now_us, struct arena *arena)
{
	char text[32], trouble[BATCH_ZONE_TROUBLE];

	if (!batch_is_running(explanation->facts.status))
		return arena_printf(arena, "It is %s.", batch_status_names[explanation->facts.status]);
	if (explanation->next_at_us == INSTANT_NEVER && is_unreadable(explanation->waits_for, &explanation->facts, trouble))
		return arena_printf(arena, "It waits: %s.", trouble);
	if (explanation->next_position == 0 && *batch->zone_trouble != '\0')
		return arena_printf(arena, "It waits: %s.", batch->zone_trouble);
	if (explanation->next_position == 0)
		return arena_printf(arena, "No contact is planned; calls in progress: %d.",
		                    (int)explanation->details.in_progress);
	if (explanation->next_at_us == INSTANT_NEVER)
		return arena_printf(arena, "It waits for the rule %s, which does not open at a known time.",
		                    gate_name(explanation->waits_for));
	if (explanation->next_at_us <= now_us)
		return "The next contact is called as soon as its turn comes.";
	instant_format_iso(explanation->next_at_us, text);
	return arena_printf(arena, "The next call can be placed from %s on.", text);
}

/* The contacts that wait, from the first that a claim would look at. */
static enum db_result read_queue(struct db *db, const struct claim_campaign *campaign, int64_t now_us,
                                 struct arena *arena, struct campaign_explanation *out)
{
	struct db_value id = db_int(campaign->id), first = db_instant(campaign->low_water_us);
	struct queue_head head;
	struct db_rows rows;

	out->facts.due_at_us = INSTANT_NEVER;
	DB_TRY(db_query(db, SQL_EXPLAIN_QUEUE, DB_ARGS(id, first, db_instant(now_us), id, first), arena, &rows));
	if (DB_FIRST(&rows, struct queue_head, &head) == DB_NOT_FOUND)
		return DB_OK;
	out->next_position = head.position;
	out->facts.due_at_us = head.due_at_us;
	out->due_now = head.due_now;
	lift_cap(&out->facts, campaign, head.asked_at_us);
	return DB_OK;
}

enum db_result explain_campaign(struct db *db, const struct batch *batch, int64_t now_us, struct arena *arena,
                                struct campaign_explanation *out)
{
	struct claim_campaign campaign;

	*out = (struct campaign_explanation){ .waits_for = GATE__MAX };
	DB_TRY(claim_facts_read(db, batch->id, now_us, arena, &campaign));
	out->facts = claim_facts_of(&campaign, now_us, dialer_room(&campaign));
	DB_TRY(read_details(db, batch, &campaign, arena, &out->details));
	DB_TRY(read_queue(db, &campaign, now_us, arena, out));
	out->verdict = gates_judge(&out->facts);
	out->next_at_us = gates_next_at(&out->facts, &out->waits_for);
	if (out->waits_for == GATE_DUE)
		out->waits_for = GATE__MAX; /* there is no contact to call */
	out->reason = campaign_reason_of(batch, out, now_us, arena);
	return DB_OK;
}
