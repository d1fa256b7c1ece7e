#include "store/explain.h"

#include "base/instant.h"
#include "store/claim_facts.h"
#include "store/do_not_call_store.h"

/* How much room a dialer has its schedulers know; here it has some unless it is switched off. */
static int64_t dialer_room(const struct claim_campaign *campaign)
{
	return campaign->endpoint < 0 ? 0 : INT64_MAX;
}

static enum db_result read_do_not_call(struct db *db, const struct batch *batch, struct arena *arena,
                                       struct explanation *out)
{
	struct page page = { .limit = 1 };
	struct listing listing;

	DB_TRY(do_not_call_list(db, batch->organization_id, out->contact.who.phone_number, &page, arena, &listing));
	out->facts.do_not_call = listing.count != 0;
	return DB_OK;
}

static enum db_result gather_facts(struct db *db, const struct batch *batch, int64_t now_us, struct arena *arena,
                                   struct explanation *out)
{
	struct claim_campaign campaign;

	DB_TRY(claim_facts_read(db, batch->id, now_us, arena, &campaign));
	out->facts = claim_facts_of(&campaign, now_us, dialer_room(&campaign));
	out->facts.due_at_us = out->contact.status == CONTACT_SCHEDULED ? out->contact.scheduled_at_us : INSTANT_NEVER;
	if (campaign.config.respect_contact_timezone)
		out->facts.contact_calendar = batch_calendar(&campaign.config, contact_zones(
			out->contact.who.timezone, out->contact.who.phone_number));
	if (!calendar_span_at(&out->facts.contact_calendar, now_us, &out->facts.contact_span))
		out->facts.contact_span = (struct span){ INSTANT_NEVER, INSTANT_NEVER, 0 };
	if (campaign.limits != NULL)
		DB_TRY(claim_facts_limits(db, batch->organization_id, campaign.limits, &out->contact.who.phone_number, 1,
		                          now_us, arena, &out->facts.limits_open_at_us));
	return read_do_not_call(db, batch, arena, out);
}

static const char *reason_of(const struct explanation *explanation, int64_t now_us, struct arena *arena)
{
	char text[32];

	if (explanation->contact.status == CONTACT_SKIPPED)
		return arena_printf(arena, "It is skipped (%s).", skip_reason_names[explanation->contact.skip_reason]);
	if (explanation->contact.status == CONTACT_IN_PROGRESS)
		return "It is being called.";
	if (!explanation->waits)
		return arena_printf(arena, "It is %s.", contact_status_names[explanation->contact.status]);
	if (explanation->next_at_us == INSTANT_NEVER)
		return arena_printf(arena, "It waits for more than time: see %s.", gate_name(explanation->waits_for));
	if (explanation->next_at_us <= now_us)
		return "It is called as soon as its turn comes.";
	instant_format_iso(explanation->next_at_us, text);
	return arena_printf(arena, "It can be called from %s on.", text);
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
