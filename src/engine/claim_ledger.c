#include "engine/claim_job.h"

#include <inttypes.h>
#include <string.h>

#include "base/clock.h"
#include "base/zone.h"

#define SHORT_WAIT_US US_PER_MINUTE /* a shorter wait is no decision: the contact is looked at again and again */

/* Writes the members with which every decision about a campaign's contact begins. */
static struct json begin(struct claim *claim, const struct claim_campaign *campaign, enum ledger_decision decision)
{
	struct json json = ledger_begin(&claim->ledger, decision, claim->began_us);

	json_id(&json, "campaign_id", &campaign->uuid);
	return json;
}

static void write_contact(struct json *json, const struct waiting_contact *contact)
{
	json_int(json, "position", contact->position);
	json_int(json, "attempt", contact->attempt);
}

static void end(struct claim *claim, struct json *json, const struct claim_campaign *campaign,
                const struct waiting_contact *contact)
{
	ledger_end(&claim->ledger, json, campaign->organization_id, contact->phone_number);
}

/* Writes the local time in the first of the zones that the contact may be in. */
static void write_local_time(struct json *json, const struct calendar *calendar, int64_t at_us)
{
	const char *zones = calendar->zones != NULL ? calendar->zones : calendar->zone;
	size_t len = strcspn(zones, " ");
	char zone[ZONE_NAME_SIZE], text[32];

	json_add_string(json, "timezone", zones);
	if (len >= sizeof zone)
		return;
	memcpy(zone, zones, len);
	zone[len] = '\0';
	instant_format_iso(zone_utc_to_wall(zone, at_us), text);
	text[strlen(text) - 1] = '\0'; /* no Z */
	json_add_string(json, "local_time", text);
}

/* "1/24h 3/168h": attempts and hours of each limit. */
static void write_limits(struct json *json, const struct contact_limits *limits)
{
	const struct contact_limit *list = limits->list.items;
	struct buf text = { 0 };

	for (size_t i = 0; i < limits->list.count; i++)
		buf_printf(&text, "%s%" PRId64 "/%" PRId64 "h", i > 0 ? " " : "", list[i].max_attempts,
		           list[i].period_hours + 24 * list[i].period_days);
	json_add_string(json, "contact_limits", buf_text(&text));
	json_int(json, "contact_rest_hours", limits->rest_hours);
	buf_free(&text);
}

void claim_note_call(struct claim *claim, const struct claim_campaign *campaign, const struct gate_facts *facts,
                     const struct waiting_contact *contact, const char *from_number)
{
	int64_t begins_at_us = claim->now_us > facts->due_at_us ? claim->now_us : facts->due_at_us;
	struct json json = begin(claim, campaign, LEDGER_CALL);

	write_contact(&json, contact);
	json_id(&json, "call_id", &claim->ids[claim->count - 1]);
	if (contact->waits)
		json_bool(&json, "again", true);
	json_id(&json, "agent_id", &campaign->facts.agent_id);
	json_add_string(&json, "from", from_number);
	json_instant(&json, "planned_at", facts->due_at_us);
	json_instant(&json, "begins_at", begins_at_us);
	write_local_time(&json, &facts->contact_calendar, begins_at_us);
	/* The values that the rules had. */
	json_instant(&json, "window_until", facts->contact_span.until_us);
	if (facts->max_per_day != 0) {
		json_int(&json, "calls_of_day", gate_day_calls(facts) + campaign->taken - campaign->counted);
		json_int(&json, "max_calls_per_day", facts->max_per_day);
	}
	if (campaign->limits != NULL && contact_limits_any(campaign->limits))
		write_limits(&json, campaign->limits);
	json_int(&json, "do_not_call_version", campaign->facts.do_not_call_version);
	end(claim, &json, campaign, contact);
}

void claim_note_skip(struct claim *claim, const struct claim_campaign *campaign, const struct waiting_contact *contact)
{
	struct json json = begin(claim, campaign, LEDGER_SKIP);

	write_contact(&json, contact);
	json_add_string(&json, "rule", gate_name(GATE_DO_NOT_CALL));
	json_int(&json, "do_not_call_version", campaign->facts.do_not_call_version);
	end(claim, &json, campaign, contact);
}

void claim_note_defer(struct claim *claim, const struct claim_campaign *campaign, const struct waiting_contact *contact,
                      enum gate gate, int64_t at_us)
{
	struct json json;

	if (at_us - claim->now_us < SHORT_WAIT_US)
		return;
	json = begin(claim, campaign, LEDGER_DEFER);
	write_contact(&json, contact);
	json_add_string(&json, "rule", gate_name(gate));
	if (gate == GATE_CONTACT_LIMITS)
		write_limits(&json, campaign->limits);
	json_instant(&json, "planned_at", contact->due_at_us);
	json_instant(&json, "until", at_us);
	end(claim, &json, campaign, contact);
}

void claim_note_replan(struct claim *claim, const struct claim_campaign *campaign, enum gate gate, int64_t from_us)
{
	struct json json = begin(claim, campaign, LEDGER_REPLAN);

	json_add_string(&json, "rule", gate_name(gate));
	json_instant(&json, "until", from_us);
	ledger_end(&claim->ledger, &json, campaign->organization_id, "");
}
