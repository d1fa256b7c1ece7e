#include "engine/claim_facts.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/instant.h"
#include "store/batch_store.h"
#include "store/health_store.h"
#include "store/organization_store.h"
#include "store/rows.h"
#include "store/statements.h"
#include "store/tables.h"

/* A number whose pace another transaction has locked is looked at again this soon. */
#define HELD_RECHECK_US (5 * US_PER_MS)

/* Campaigns that are read together, and the paces of their numbers. */
struct reading {
	struct arena *arena;
	struct claim_campaign *campaigns;
	size_t count, pace_count;
	struct claim_pace *paces; /* NULL: no number has one */
	int64_t now_us;
	bool locks;
};

#define CAMPAIGN(name) COLUMN(struct claim_campaign, name)
#define CONFIG(kind, name, member) kind##_AS(struct claim_campaign, name, config.member)
#define CALENDAR_CONFIG(kind, name, member) CONFIG(kind, name, member),
COLUMNS(claim_campaign_columns, struct claim_campaign,
        CALENDAR_TABLE(CALENDAR_CONFIG) CONFIG(INSTANT, scheduled_at, scheduled_at.us),
        CONFIG(COLUMN, max_concurrent_calls, max_concurrent_calls),
        CONFIG(COLUMN, max_calls_per_day, max_calls_per_day), CONFIG(COLUMN, calls_per_minute, calls_per_minute),
        CAMPAIGN(id), CAMPAIGN(uuid), CAMPAIGN(organization_id), COLUMN_AS(struct claim_campaign, agent_id, agent_row),
        CAMPAIGN(status), COLUMN_AS(struct claim_campaign, phone_rotation_strategy, rotation),
        COLUMN_AS(struct claim_campaign, total_contacts, total), CAMPAIGN(called), CAMPAIGN(claimed), CAMPAIGN(waiting),
        INSTANT(struct claim_campaign, low_water), CAMPAIGN(day), CAMPAIGN(day_calls),
        INSTANT(struct claim_campaign, pace_at), INSTANT(struct claim_campaign, wake_at),
        INSTANT(struct claim_campaign, callback_at), CAMPAIGN(held_by), CAMPAIGN(zone_trouble));

#define FACT(name) COLUMN(struct claim_facts, name)
COLUMNS(claim_facts_columns, struct claim_facts, FACT(id), FACT(done), FACT(final), FACT(max_call_seconds),
        FACT(endpoint), FACT(phone_numbers), FACT(has_limits), HEALTH_COLUMNS(struct claim_facts, health),
        INSTANT(struct claim_facts, trial_until), FACT(places), FACT(agent_waits), FACT(agent_id),
        FACT(do_not_call_version), FACT(is_fetched));

/* A pace lets nothing through until it is read, and stays so if another transaction has it. */
static struct claim_pace *find_pace(struct reading *reading, int64_t number_id)
{
	struct claim_pace key = { .number_id = number_id };

	for (size_t i = 0; i < reading->pace_count; i++)
		if (reading->paces[i].number_id == number_id)
			return &reading->paces[i];
	if (reading->paces == NULL)
		reading->paces = arena_alloc(reading->arena, reading->count * BATCH_MAX_NUMBERS * sizeof key);
	key.pace = (struct pace){ .gap_us = 1, .at_us = reading->now_us + HELD_RECHECK_US };
	reading->paces[reading->pace_count] = key;
	return &reading->paces[reading->pace_count++];
}

static void read_numbers(struct reading *reading, struct claim_campaign *campaign)
{
	char *copy = arena_strdup(reading->arena, campaign->facts.phone_numbers), *rest = NULL;

	for (char *number = strtok_r(copy, " ", &rest); number != NULL && campaign->number_count < BATCH_MAX_NUMBERS;
	     number = strtok_r(NULL, " ", &rest)) {
		char *id = strchr(number, ':');

		if (id != NULL)
			*id++ = '\0';
		campaign->numbers[campaign->number_count++] = (struct claim_number){
			.phone_number = number,
			.pace = id == NULL ? NULL : find_pace(reading, strtoll(id, NULL, 10)),
		};
	}
}

static struct claim_campaign *find_campaign(const struct reading *reading, int64_t id)
{
	for (size_t i = 0; i < reading->count; i++)
		if (reading->campaigns[i].id == id)
			return &reading->campaigns[i];
	return NULL;
}

static enum db_result read_facts(struct db *db, struct reading *reading)
{
	struct rows ids = rows_new(reading->arena);
	const struct claim_facts *facts;
	struct db_rows rows;

	for (size_t i = 0; i < reading->count; i++)
		rows_add_id(&ids, reading->campaigns[i].id);
	DB_TRY(db_query(db, SQL_CLAIM_FACTS, DB_ARGS(rows_value(&ids)), reading->arena, &rows));
	facts = DB_STRUCTS(&rows, struct claim_facts);
	for (size_t r = 0; r < rows.count; r++) {
		struct claim_campaign *campaign = find_campaign(reading, facts[r].id);

		campaign->facts = facts[r];
		read_numbers(reading, campaign);
	}
	return DB_OK;
}

static enum db_result read_paces(struct db *db, struct reading *reading)
{
	struct rows ids = rows_new(reading->arena);
	struct db_rows rows;

	for (size_t i = 0; i < reading->pace_count; i++)
		rows_add_id(&ids, reading->paces[i].number_id);
	DB_TRY(db_query(db, reading->locks ? SQL_CLAIM_PACES_LOCK : SQL_CLAIM_PACES, DB_ARGS(rows_value(&ids)),
	                reading->arena, &rows));
	for (size_t r = 0; r < rows.count; r++) {
		struct claim_pace *pace = find_pace(reading, db_get_int(&rows, r, 0));

		pace->calls_per_minute = db_get_int(&rows, r, 1);
		pace->pace = (struct pace){ .gap_us = pace_gap_us(pace->calls_per_minute), .at_us = db_get_int(&rows, r, 2) };
	}
	return DB_OK;
}

struct organization_limits {
	int64_t organization_id;
	struct contact_limits limits;
};

COLUMNS(organization_limits_columns, struct organization_limits, COLUMN(struct organization_limits, organization_id),
        CONTACT_LIMITS_COLUMNS(struct organization_limits, limits));

static enum db_result read_limits(struct db *db, struct reading *reading)
{
	const struct organization_limits *limits;
	struct rows ids = rows_new(reading->arena);
	struct db_rows rows;

	for (size_t i = 0; i < reading->count; i++)
		if (reading->campaigns[i].facts.has_limits)
			rows_add_id(&ids, reading->campaigns[i].organization_id);
	DB_TRY(db_query(db, reading->locks ? SQL_CLAIM_LIMITS_LOCK : SQL_CLAIM_LIMITS, DB_ARGS(rows_value(&ids)),
	                reading->arena, &rows));
	limits = DB_STRUCTS(&rows, struct organization_limits);
	for (size_t r = 0; reading->locks && r < rows.count; r++)
		DB_TRY(db_guard(db, GUARD_LIMITS, limits[r].organization_id));
	for (size_t r = 0; r < rows.count; r++)
		for (size_t i = 0; i < reading->count; i++)
			if (reading->campaigns[i].organization_id == limits[r].organization_id)
				reading->campaigns[i].limits = &limits[r].limits;
	return DB_OK;
}

static bool any_limits(const struct reading *reading)
{
	for (size_t i = 0; i < reading->count; i++)
		if (reading->campaigns[i].facts.has_limits)
			return true;
	return false;
}

static enum db_result read_all(struct db *db, struct reading *reading, const struct db_rows *rows)
{
	reading->count = rows->count;
	reading->campaigns = DB_STRUCTS(rows, struct claim_campaign);
	for (size_t r = 0; r < rows->count; r++) {
		struct claim_campaign *campaign = &reading->campaigns[r];

		campaign->deferred_us = INSTANT_NEVER;
		campaign->is_open = *campaign->held_by == '\0' || strcmp(campaign->held_by, gate_name(GATE_DUE)) == 0;
	}
	if (rows->count == 0)
		return DB_OK;
	DB_TRY(read_facts(db, reading));
	if (reading->pace_count != 0)
		DB_TRY(read_paces(db, reading));
	return any_limits(reading) ? read_limits(db, reading) : DB_OK;
}

enum db_result claim_facts_lock(struct db *db, int64_t from_us, int64_t now_us, int max, struct arena *arena,
                                struct claim_campaign **campaigns, size_t *count)
{
	struct reading reading = { .arena = arena, .now_us = now_us, .locks = true };
	struct db_rows rows;

	DB_TRY(db_query(db, SQL_CLAIM_CAMPAIGNS, DB_ARGS(db_instant(from_us), db_instant(now_us), db_int(max)), arena,
	                &rows));
	DB_TRY(read_all(db, &reading, &rows));
	*campaigns = reading.campaigns;
	*count = reading.count;
	return DB_OK;
}

static struct db_value agent_of(const struct uuid *agent_id)
{
	return uuid_is_nil(agent_id) ? db_text("") : db_uuid(agent_id);
}

/* Drops the campaigns whose calls this dialer does not fetch any more: their agents got another webhook, or they got
 * another agent, before they were locked. */
static void keep_fetched(struct reading *reading, const struct uuid *agent_id)
{
	size_t kept = 0;

	for (size_t i = 0; i < reading->count; i++) {
		const struct claim_facts *facts = &reading->campaigns[i].facts;

		if (facts->is_fetched && (uuid_is_nil(agent_id) || uuid_equal(agent_id, &facts->agent_id)))
			reading->campaigns[kept++] = reading->campaigns[i];
	}
	reading->count = kept;
}

/* The campaigns are found without a lock, so that a fetch which finds none locks nothing. */
enum db_result claim_facts_lock_fetched(struct db *db, const struct claim_fetch *fetch, int64_t now_us, int max,
                                        struct arena *arena, struct claim_campaign **campaigns, size_t *count)
{
	struct reading reading = { .arena = arena, .now_us = now_us, .locks = true };
	struct db_value agent = agent_of(&fetch->agent_id);
	struct rows ids = rows_new(arena);
	struct db_rows rows;

	DB_TRY(db_query(db, SQL_FETCH_CAMPAIGNS,
	                DB_ARGS(db_int(fetch->organization_id), db_instant(now_us), agent, agent, db_int(max)), arena,
	                &rows));
	for (size_t r = 0; r < rows.count; r++)
		rows_add_id(&ids, db_get_int(&rows, r, 0));
	DB_TRY(db_query(db, SQL_FETCH_CAMPAIGNS_LOCK, DB_ARGS(rows_value(&ids), db_instant(now_us)), arena, &rows));
	DB_TRY(read_all(db, &reading, &rows));
	keep_fetched(&reading, &fetch->agent_id);
	*campaigns = reading.campaigns;
	*count = reading.count;
	return DB_OK;
}

enum db_result claim_facts_read(struct db *db, int64_t batch_row, int64_t now_us, struct arena *arena,
                                struct claim_campaign *out)
{
	struct reading reading = { .arena = arena, .now_us = now_us };
	struct db_rows rows;

	DB_TRY(db_query(db, SQL_CLAIM_CAMPAIGN, DB_ARGS(db_int(batch_row)), arena, &rows));
	if (rows.count == 0)
		return DB_NOT_FOUND;
	DB_TRY(read_all(db, &reading, &rows));
	*out = reading.campaigns[0];
	return DB_OK;
}

/* How many calls the paces of its numbers let through together, and when the first pace lets a call through. */
static void add_numbers(struct gate_facts *facts, const struct claim_campaign *campaign)
{
	facts->has_number = campaign->number_count > 0;
	facts->numbers_open_at_us = campaign->number_count > 0 ? INSTANT_NEVER : facts->now_us;
	for (int i = 0; i < campaign->number_count; i++) {
		const struct claim_pace *pace = campaign->numbers[i].pace;
		int64_t room = pace == NULL ? INT64_MAX : pace_room(&pace->pace, facts->now_us);
		int64_t opens_at_us = room > 0 ? facts->now_us : pace->pace.at_us;

		facts->numbers_room = room < INT64_MAX - facts->numbers_room ? facts->numbers_room + room : INT64_MAX;
		if (opens_at_us < facts->numbers_open_at_us)
			facts->numbers_open_at_us = opens_at_us;
	}
}

/* While a circuit is half open one call tries the dialer, until it has expired. */
static int64_t dialer_opens_at(const struct claim_campaign *campaign, int64_t now_us)
{
	switch (health_circuit(&campaign->facts.health, now_us)) {
	case CIRCUIT_OPEN: return campaign->facts.health.open_until_us;
	case CIRCUIT_HALF_OPEN: return campaign->facts.trial_until_us;
	default: return INSTANT_NONE;
	}
}

int64_t claim_facts_places(const struct claim_campaign *campaign)
{
	int64_t places = campaign->config.max_concurrent_calls;

	return campaign->facts.places != 0 && campaign->facts.places < places ? campaign->facts.places : places;
}

/* Returns the span of this instant, whether its window is open or closed; `otherwise` if there is none. */
static struct span span_at(const struct calendar *calendar, int64_t at_us, struct span otherwise)
{
	struct span span;

	return calendar_find_span(calendar, at_us, &span) == CALENDAR_SPAN ? span : otherwise;
}

struct gate_facts claim_facts_of(struct claim_campaign *campaign, int64_t now_us, int64_t dialer_room)
{
	struct gate_facts facts = {
		.now_us = now_us,
		.status = campaign->status,
		.start_at_us = campaign->config.scheduled_at.us,
		.has_dialer = campaign->facts.endpoint != 0,
		.dialer_opens_at_us = dialer_opens_at(campaign, now_us),
		.agent_waits = campaign->facts.agent_waits,
		.dialer_room = dialer_room,
		.waits_for_fetch = campaign->facts.is_fetched,
		.calendar = batch_plan_rules(&campaign->config).calendar,
		.max_per_day = campaign->config.max_calls_per_day,
		.day = (int32_t)campaign->day,
		.day_calls = campaign->day_calls,
		.pace.at_us = campaign->pace_at_us,
		.free_places = claim_facts_places(campaign) - (campaign->claimed - campaign->facts.done),
		.due_at_us = now_us,
		.limits_open_at_us = INSTANT_NONE,
	};

	if (campaign->config.calls_per_minute != 0)
		facts.pace.gap_us = pace_gap_us(campaign->config.calls_per_minute);
	add_numbers(&facts, campaign);
	/* Whether there is a day to call on is judged from the start, which may be far ahead. */
	if (now_us < campaign->span.from_us || now_us >= campaign->span.until_us)
		campaign->answer = calendar_find_span_with_rest(&facts.calendar,
		                                                now_us > facts.start_at_us ? now_us : facts.start_at_us,
		                                                CALL_REST_US, &campaign->span);
	if (campaign->answer == CALENDAR_SPAN && facts.start_at_us > now_us)
		campaign->span = span_at(&facts.calendar, now_us, campaign->span);
	if (campaign->answer != CALENDAR_SPAN)
		campaign->span = (struct span){ INSTANT_NEVER, INSTANT_NEVER, 0 };
	facts.answer = facts.contact_answer = campaign->answer;
	facts.span = facts.contact_span = campaign->span;
	facts.contact_calendar = facts.calendar;
	return facts;
}

bool claim_facts_day_has(const struct claim_campaign *campaign, int64_t called_at_us)
{
	struct calendar calendar = batch_plan_rules(&campaign->config).calendar;
	struct span span;

	return campaign->span.day <= campaign->day && calendar_find_span(&calendar, called_at_us, &span) == CALENDAR_SPAN &&
	       span.day == campaign->day;
}
