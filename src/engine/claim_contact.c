#include "engine/claim_job.h"

#include <string.h>

#include "base/instant.h"
#include "base/least.h"

#define ZONE_DEFER_US US_PER_MINUTE /* a retry in a zone that cannot be read now */

bool claim_counts_again(const struct claim_campaign *campaign, const struct waiting_contact *contact)
{
	return contact->waits && claim_facts_day_has(campaign, contact->asked_at_us);
}

void claim_lift_cap(const struct claim_campaign *campaign, struct gate_facts *facts, const struct claim_due *due,
                    size_t r)
{
	if (r < due->count && claim_counts_again(campaign, &due->contacts[r]))
		facts->max_per_day = 0;
}

int64_t claim_callable_from(const struct gate_facts *facts, int64_t at_us)
{
	struct span span;

	switch (calendar_find_span_with_rest(&facts->contact_calendar, at_us, CALL_REST_US, &span)) {
	case CALENDAR_SPAN: return max_of(span.from_us, at_us);
	case CALENDAR_UNREADABLE: return max_of(facts->now_us + ZONE_DEFER_US, at_us);
	default: return at_us;
	}
}

/* Returns the calendar of contacts in these zones, computed once per claim. */
static const struct claim_zone *find_zones(const struct claim *claim, struct claim_campaign *campaign,
                                           const char *names)
{
	struct claim_zone *zone = campaign->zones;

	while (zone != NULL &&
	       (names == NULL ? zone->names != NULL : zone->names == NULL || strcmp(zone->names, names) != 0))
		zone = zone->next;
	if (zone != NULL)
		return zone;
	zone = arena_alloc(claim->arena, sizeof *zone);
	*zone = (struct claim_zone){
		.names = names,
		.calendar = batch_calendar(&campaign->config, names),
		.next = campaign->zones,
	};
	/* Without a day to call on the span stays empty. */
	zone->answer = calendar_find_span_with_rest(&zone->calendar, claim->now_us, CALL_REST_US, &zone->span);
	return campaign->zones = zone;
}

void claim_set_window(struct gate_facts *facts, const struct claim *claim, struct claim_campaign *campaign,
                      const struct waiting_contact *contact)
{
	const struct claim_zone *zone;

	facts->contact_calendar = facts->calendar;
	facts->contact_answer = facts->answer;
	facts->contact_span = facts->span;
	if (!campaign->config.respect_contact_timezone)
		return;
	zone = find_zones(claim, campaign, contact_zones(contact->timezone, contact->phone_number));
	facts->contact_calendar = zone->calendar;
	facts->contact_answer = zone->answer;
	facts->contact_span = zone->span;
}

void claim_defer(struct claim *claim, struct claim_campaign *campaign, const struct waiting_contact *contact,
                 enum gate gate, int64_t at_us)
{
	claim_add_defer(claim, campaign, contact, at_us);
	claim_note_defer(claim, campaign, contact, gate, at_us);
}
