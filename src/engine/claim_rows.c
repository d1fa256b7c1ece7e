#include "engine/claim_job.h"

#include <string.h>

#include "base/crypto.h"
#include "base/instant.h"
#include "base/log.h"
#include "engine/callbacks.h"
#include "engine/due_contacts.h"
#include "store/statements.h"

#define LOCKED_RECHECK_US (80 * US_PER_MS)

void claim_open(struct claim *claim)
{
	claim->arena = arena_new();
	claim->ledger = ledger_new(claim->arena);
	claim->takes = rows_new(claim->arena);
	claim->calls = rows_new(claim->arena);
	claim->skips = rows_new(claim->arena);
	claim->saves = rows_new(claim->arena);
	claim->defers = (struct buf){ .arena = claim->arena };
}

void claim_close(struct claim *claim)
{
	arena_free(claim->arena);
}

enum db_result claim_lock_campaigns(struct db *db, struct claim *claim)
{
	claim->called = arena_alloc(claim->arena, (size_t)claim->limits->max_calls * sizeof *claim->called);
	if (claim->limits->fetch != NULL)
		DB_TRY(claim_facts_lock_fetched(db, claim->limits->fetch, claim->until_us, claim->max_campaigns, claim->arena,
		                                &claim->campaigns, &claim->campaign_count));
	else
		DB_TRY(claim_facts_lock(db, claim->limits->from_us, claim->until_us, claim->max_campaigns, claim->arena,
		                        &claim->campaigns, &claim->campaign_count));
	claim->first = claim->campaign_count == 0 ? 0 : claim->campaigns[0].id;
	for (size_t i = 0; i < claim->campaign_count; i++) {
		struct claim_campaign *campaign = &claim->campaigns[i];

		if (campaign->callback_at_us <= claim->began_us)
			DB_TRY(callbacks_promote(db, campaign->id, claim->began_us, &campaign->low_water_us));
	}
	return DB_OK;
}

enum db_result claim_postpone(struct db *db, const struct claim *claim, const struct claim_campaign *campaign)
{
	return db_exec(db, SQL_CLAIM_POSTPONE,
	               DB_ARGS(db_instant(claim->began_us + LOCKED_RECHECK_US), db_int(campaign->id)));
}

static bool is_read_together(const struct claim_campaign *campaign)
{
	return campaign->is_open && !(campaign->facts.has_limits && campaign->limits == NULL);
}

enum db_result claim_query_all(struct db *db, struct claim *claim)
{
	const struct claim_campaign *campaigns[CLAIM_CAMPAIGNS];
	size_t count = 0;

	for (size_t i = 0; i < claim->campaign_count; i++)
		if (is_read_together(&claim->campaigns[i]))
			campaigns[count++] = &claim->campaigns[i];
	return count < 2 ? DB_OK
	                 : claim_due_read_all(db, campaigns, count, claim->until_us + CLAIM_BEYOND_US,
	                                      claim->limits->max_calls + CLAIM_CAMPAIGNS, claim->arena, &claim->together);
}

/* Finds the campaign's contacts among the contacts that were read together. Returns false if they are not all
 * there. */
static bool find_together(const struct claim *claim, const struct claim_campaign *campaign, int64_t until_us,
                          struct claim_due *due)
{
	const struct claim_due *all = &claim->together;
	size_t first = 0, end;

	if (all->count == 0 || until_us != all->until_us || !is_read_together(campaign))
		return false;
	while (first < all->count && all->contacts[first].batch_id != campaign->id)
		first++;
	for (end = first; end < all->count && all->contacts[end].batch_id == campaign->id; end++)
		;
	*due = (struct claim_due){ .contacts = all->contacts + first, .count = end - first, .until_us = until_us };
	return !all->is_cut || end < all->count;
}

enum db_result claim_query_due(struct db *db, const struct claim *claim, const struct claim_campaign *campaign,
                               int64_t until_us, int64_t limit, struct claim_due *due)
{
	if (find_together(claim, campaign, until_us, due))
		return DB_OK;
	return claim_due_read(db, campaign, until_us, limit, claim->arena, due);
}

static void add_take(struct rows *rows, const struct waiting_contact *contact)
{
	rows_next(rows);
	rows_int(rows, "batch_id", contact->batch_id);
	rows_instant(rows, "due_at", contact->due_at_us);
	rows_int(rows, "position", contact->position);
}

static bool lets_one_through(const struct claim_number *number, int64_t now_us)
{
	return number->pace == NULL || pace_room(&number->pace->pace, now_us) > 0;
}

/* Returns the index of the number of a call that waited; -1: the campaign has the number no more. */
static int find_number(const struct claim_campaign *campaign, const char *phone_number)
{
	for (int i = 0; i < campaign->number_count; i++)
		if (strcmp(campaign->numbers[i].phone_number, phone_number) == 0)
			return i;
	return -1;
}

/* Returns the number that the call had, or the number whose turn it is, or else the next number whose pace lets a call
 * through. The gates have checked that there is such a number. */
static const char *pick_number(struct claim_campaign *campaign, const char *had, int64_t now_us)
{
	int turn = find_number(campaign, had);
	const struct claim_number *number;
	uint32_t random_bits;

	crypto_random(&random_bits, sizeof random_bits);
	if (turn < 0)
		turn = rotation_pick(campaign->rotation, campaign->number_count, campaign->called, campaign->total,
		                     campaign->claimed + campaign->waiting, random_bits);
	do
		number = &campaign->numbers[turn++ % campaign->number_count];
	while (!lets_one_through(number, now_us));
	if (number->pace != NULL) {
		pace_take(&number->pace->pace, now_us, 1);
		number->pace->taken = true;
	}
	return number->phone_number;
}

/* A waiting contact becomes a call, or a call that waited goes on. */
const char *claim_add_call(struct claim *claim, struct claim_campaign *campaign, const struct waiting_contact *contact,
                           int64_t called_at_us, int64_t expires_at_us)
{
	const char *from_number = pick_number(campaign, contact->had_number, claim->now_us);
	struct uuid id = contact->waits ? contact->call_id : uuid_new();
	struct rows *rows = &claim->calls;

	add_take(&claim->takes, contact);
	rows_next(rows);
	rows_int(rows, "batch_id", campaign->id);
	rows_int(rows, "position", contact->position);
	rows_int(rows, "attempt", contact->attempt);
	rows_id(rows, "id", &id);
	rows_int(rows, "organization_id", campaign->organization_id);
	rows_int(rows, "agent_id", campaign->agent_row);
	rows_text(rows, "to_number", contact->phone_number);
	rows_text(rows, "from_number", from_number);
	rows_instant(rows, "scheduled_at", contact->due_at_us);
	rows_instant(rows, "expires_at", expires_at_us);
	rows_int(rows, "max_seconds", campaign->facts.max_call_seconds);
	rows_int(rows, "again", contact->waits);
	rows_instant(rows, "called_at", called_at_us);
	rows_int(rows, "endpoint_id", campaign->facts.endpoint > 0 ? campaign->facts.endpoint : 0);
	campaign->claimed++;
	campaign->waiting -= contact->waits;
	campaign->taken++;
	claim->again += contact->waits;
	campaign->called += contact->attempts == 0;
	campaign->low_water_us = contact->due_at_us;
	claim->ids[claim->count++] = id;
	if (campaign->limits != NULL)
		claim->called[claim->called_count++] = (struct claim_called){
			.organization_id = campaign->organization_id,
			.phone_number = contact->phone_number,
		};
	return from_number;
}

/* A contact on the do-not-call list is skipped, or, after earlier attempts, gets the outcome of the last one. */
void claim_add_skip(struct claim *claim, struct claim_campaign *campaign, const struct waiting_contact *contact)
{
	enum contact_status status = contact_status_without(contact->last_status);
	struct rows *rows = &claim->skips;

	add_take(&claim->takes, contact);
	rows_next(rows);
	rows_int(rows, "batch_id", campaign->id);
	rows_int(rows, "position", contact->position);
	rows_int(rows, "status", status);
	rows_int(rows, "skip_reason", status == CONTACT_SKIPPED ? SKIP_DO_NOT_CALL : SKIP_NONE);
	campaign->facts.final++;
	campaign->low_water_us = contact->due_at_us;
	claim->skipped++;
}

void claim_add_defer(struct claim *claim, struct claim_campaign *campaign, const struct waiting_contact *contact,
                     int64_t at_us)
{
	struct due_contact deferred = { campaign->id, plan_between_ms(at_us, contact->position), contact->position,
		                            contact->attempt, contact->waits };

	buf_add(&claim->defers, &deferred, sizeof deferred);
	if (deferred.due_at_us < campaign->deferred_us)
		campaign->deferred_us = deferred.due_at_us;
	campaign->low_water_us = contact->due_at_us;
}

void claim_add_save(struct claim *claim, const struct claim_campaign *campaign)
{
	int64_t progress = campaign->total == 0 ? 0 : campaign->facts.final * BATCH_PROGRESS_MAX / campaign->total;
	struct rows *rows = &claim->saves;

	rows_next(rows);
	rows_int(rows, "id", campaign->id);
	rows_int(rows, "called", campaign->called);
	rows_int(rows, "claimed", campaign->claimed);
	rows_instant(rows, "wake_at", campaign->wake_at_us);
	rows_int(rows, "capped", campaign->capped);
	rows_instant(rows, "low_water", campaign->low_water_us);
	rows_int(rows, "day", campaign->day);
	rows_int(rows, "day_calls", campaign->day_calls);
	rows_instant(rows, "pace_at", campaign->pace_at_us);
	rows_text(rows, "held_by", campaign->hold.gate);
	rows_instant(rows, "held_until", campaign->hold.until_us);
	rows_int(rows, "waiting", campaign->waiting);
	rows_int(rows, "progress", progress);
}

/* A report on a call that waits, and a step of the clock, write to the plan without the campaign's lock. If they have
 * come first, the claim is run again. */
static enum db_result write_takes(struct db *db, struct claim *claim)
{
	int wanted = claim->count + claim->skipped;

	if (wanted == 0)
		return DB_OK;
	DB_TRY(db_exec(db, SQL_CLAIM_TAKE, DB_ARGS(rows_value(&claim->takes))));
	return db_affected(db) == wanted ? DB_OK : DB_CONFLICT;
}

static enum db_result write_calls_again(struct db *db, struct claim *claim, struct db_value lease)
{
	DB_TRY(db_exec(db, SQL_CLAIM_CALLS_AGAIN, DB_ARGS(rows_value(&claim->calls), lease)));
	if (db_affected(db) == claim->again)
		return DB_OK;
	log_error("claim: asks for %lld calls again instead of %d", (long long)db_affected(db), claim->again);
	return DB_ERROR;
}

static void add_paces(struct rows *rows, const struct claim_campaign *campaign)
{
	for (int i = 0; i < campaign->number_count; i++) {
		struct claim_pace *pace = campaign->numbers[i].pace;

		if (pace == NULL || !pace->taken)
			continue;
		rows_next(rows);
		rows_int(rows, "id", pace->number_id);
		rows_instant(rows, "pace_at", pace->pace.at_us);
		pace->taken = false; /* campaigns may share it */
	}
}

enum db_result claim_write(struct db *db, struct claim *claim)
{
	struct rows paces = rows_new(claim->arena);
	struct db_value lease = db_instant(claim->began_us + claim->limits->lease_us);

	DB_TRY(write_takes(db, claim));
	if (claim->count != claim->again)
		DB_TRY(db_exec(db, SQL_CLAIM_CALLS, DB_ARGS(lease, rows_value(&claim->calls))));
	if (claim->again != 0)
		DB_TRY(write_calls_again(db, claim, lease));
	DB_TRY(db_exec(db, SQL_CLAIM_CONTACTS, DB_ARGS(rows_value(&claim->calls))));
	DB_TRY(due_contacts_write(db, SQL_CLAIM_DEFER, &claim->defers));
	for (size_t i = 0; i < claim->campaign_count; i++)
		add_paces(&paces, &claim->campaigns[i]);
	DB_TRY(db_exec(db, SQL_CLAIM_SAVE_PACES, DB_ARGS(rows_value(&paces))));
	DB_TRY(db_exec(db, SQL_CLAIM_SKIP, DB_ARGS(rows_value(&claim->skips))));
	DB_TRY(db_exec(db, SQL_CLAIM_SKIP_COUNTERS, DB_ARGS(rows_value(&claim->skips))));
	DB_TRY(ledger_write(db, &claim->ledger));
	return db_exec(db, SQL_CLAIM_SAVE, DB_ARGS(rows_value(&claim->saves)));
}
