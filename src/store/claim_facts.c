#include "store/claim_facts.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/instant.h"
#include "base/json.h"
#include "store/batch_store.h"
#include "store/health_store.h"
#include "store/organization_store.h"
#include "store/statements.h"

/* A number whose pace somebody else is judging by is looked at again this soon. */
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

static void read_campaign(const struct db_rows *rows, size_t r, struct arena *arena, struct claim_campaign *out)
{
	*out = (struct claim_campaign){
		.id = db_get_int(rows, r, 0),
		.uuid = db_get_uuid(rows, r, 1),
		.organization_id = db_get_int(rows, r, 2),
		.agent_row = db_get_int(rows, r, 3),
		.status = (enum batch_status)db_get_int(rows, r, 4),
		.rotation = (enum rotation)db_get_int(rows, r, 5),
		.config = {
			.scheduled_at.us = db_get_int(rows, r, 6),
			.max_concurrent_calls = db_get_int(rows, r, 7),
			.max_calls_per_day = db_get_int(rows, r, 8),
			.calls_per_minute = db_get_int(rows, r, 9),
		},
		.total = db_get_int(rows, r, 10),
		.called = db_get_int(rows, r, 11),
		.claimed = db_get_int(rows, r, 12),
		.low_water_us = db_get_int(rows, r, 13),
		.day = db_get_int(rows, r, 14),
		.day_calls = db_get_int(rows, r, 15),
		.pace_at_us = db_get_int(rows, r, 16),
		.zone_trouble = db_get_text(rows, r, 17),
		.deferred_us = INSTANT_NEVER,
	};
	batch_read_calendar(rows, r, 18, arena, &out->config);
	out->waiting = db_get_int(rows, r, 25);
	out->wake_at_us = db_get_int(rows, r, 26);
}

/* Until it is read a pace lets nothing through: it stays so if somebody else has it. */
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

/* "+49… +49…:17": numbers, with the id of those that have a pace. */
static void read_numbers(struct reading *reading, struct claim_campaign *campaign, const char *text)
{
	char *copy = arena_strdup(reading->arena, text), *rest = NULL;

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

/* One statement over a list of ids. */
static enum db_result query_ids(struct db *db, enum sql_statement statement, struct buf *ids, struct json *json,
                                struct arena *arena, struct db_rows *rows)
{
	enum db_result result;

	json_end(json);
	result = db_query(db, statement, DB_ARGS(db_buf(ids)), arena, rows);
	buf_free(ids);
	return result;
}

static struct json begin_ids(struct buf *ids)
{
	struct json json = json_to(ids);

	json_begin_array(&json, NULL);
	return json;
}

static enum db_result read_facts(struct db *db, struct reading *reading)
{
	struct buf ids = { 0 };
	struct json json = begin_ids(&ids);
	struct db_rows rows;

	for (size_t i = 0; i < reading->count; i++)
		json_int(&json, NULL, reading->campaigns[i].id);
	DB_TRY(query_ids(db, SQL_CLAIM_FACTS, &ids, &json, reading->arena, &rows));
	for (size_t r = 0; r < rows.count; r++) {
		struct claim_campaign *campaign = find_campaign(reading, db_get_int(&rows, r, 0));

		campaign->done = db_get_int(&rows, r, 1);
		campaign->final = db_get_int(&rows, r, 2);
		campaign->max_call_seconds = db_get_int(&rows, r, 3);
		campaign->endpoint = db_get_int(&rows, r, 4);
		read_numbers(reading, campaign, db_get_text(&rows, r, 5));
		campaign->has_limits = db_get_int(&rows, r, 6) != 0;
		campaign->health = health_from_row(&rows, r, 7);
		campaign->trial_until_us = db_get_int(&rows, r, 13);
		campaign->places = db_get_int(&rows, r, 14);
		campaign->agent_waits = db_get_int(&rows, r, 15) != 0;
	}
	return DB_OK;
}

static enum db_result read_paces(struct db *db, struct reading *reading)
{
	struct buf ids = { 0 };
	struct json json = begin_ids(&ids);
	struct db_rows rows;

	for (size_t i = 0; i < reading->pace_count; i++)
		json_int(&json, NULL, reading->paces[i].number_id);
	DB_TRY(query_ids(db, reading->locks ? SQL_CLAIM_PACES_LOCK : SQL_CLAIM_PACES, &ids, &json, reading->arena,
	                 &rows));
	for (size_t r = 0; r < rows.count; r++) {
		struct claim_pace *pace = find_pace(reading, db_get_int(&rows, r, 0));

		pace->calls_per_minute = db_get_int(&rows, r, 1);
		pace->pace = (struct pace){
			.gap_us = pace_gap_us(pace->calls_per_minute), .at_us = db_get_int(&rows, r, 2),
		};
	}
	return DB_OK;
}

struct organization_limits {
	int64_t organization_id;
	struct contact_limits limits;
};

COLUMNS(organization_limits_columns, struct organization_limits,
        COLUMN(struct organization_limits, organization_id),
        CONTACT_LIMITS_COLUMNS(struct organization_limits, limits));

static enum db_result read_limits(struct db *db, struct reading *reading)
{
	const struct organization_limits *limits;
	struct buf ids = { 0 };
	struct json json = begin_ids(&ids);
	struct db_rows rows;

	for (size_t i = 0; i < reading->count; i++)
		if (reading->campaigns[i].has_limits)
			json_int(&json, NULL, reading->campaigns[i].organization_id);
	DB_TRY(query_ids(db, reading->locks ? SQL_CLAIM_LIMITS_LOCK : SQL_CLAIM_LIMITS, &ids, &json, reading->arena,
	                 &rows));
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
		if (reading->campaigns[i].has_limits)
			return true;
	return false;
}

static enum db_result read_all(struct db *db, struct reading *reading, const struct db_rows *rows)
{
	reading->count = rows->count;
	reading->campaigns = arena_alloc(reading->arena, rows->count * sizeof *reading->campaigns);
	for (size_t r = 0; r < rows->count; r++)
		read_campaign(rows, r, reading->arena, &reading->campaigns[r]);
	if (rows->count == 0)
		return DB_OK;
	DB_TRY(read_facts(db, reading));
	if (reading->pace_count != 0)
		DB_TRY(read_paces(db, reading));
	return any_limits(reading) ? read_limits(db, reading) : DB_OK;
}

enum db_result claim_facts_lock(struct db *db, int64_t now_us, int max, struct arena *arena,
                                struct claim_campaign **campaigns, size_t *count)
{
	struct reading reading = { .arena = arena, .now_us = now_us, .locks = true };
	struct db_rows rows;

	DB_TRY(db_query(db, SQL_CLAIM_CAMPAIGNS, DB_ARGS(db_instant(now_us), db_int(max)), arena, &rows));
	DB_TRY(read_all(db, &reading, &rows));
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

/* What the paces of its numbers let through together, and when the first of them lets one through. */
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
	switch (health_circuit(&campaign->health, now_us)) {
	case CIRCUIT_OPEN:
		return campaign->health.open_until_us;
	case CIRCUIT_HALF_OPEN:
		return campaign->trial_until_us;
	default:
		return INSTANT_NONE;
	}
}

int64_t claim_facts_places(const struct claim_campaign *campaign)
{
	int64_t places = campaign->config.max_concurrent_calls;

	return campaign->places != 0 && campaign->places < places ? campaign->places : places;
}

/* The window is open or closed by itself, however far ahead the start is. */
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
		.has_dialer = campaign->endpoint != 0,
		.dialer_opens_at_us = dialer_opens_at(campaign, now_us),
		.agent_waits = campaign->agent_waits,
		.dialer_room = dialer_room,
		.calendar = batch_plan_rules(&campaign->config).calendar,
		.max_per_day = campaign->config.max_calls_per_day,
		.day = (int32_t)campaign->day,
		.day_calls = campaign->day_calls,
		.pace.at_us = campaign->pace_at_us,
		.free_places = claim_facts_places(campaign) - (campaign->claimed - campaign->done),
		.due_at_us = now_us,
		.limits_open_at_us = INSTANT_NONE,
	};

	if (campaign->config.calls_per_minute != 0)
		facts.pace.gap_us = pace_gap_us(campaign->config.calls_per_minute);
	add_numbers(&facts, campaign);
	/* Whether there is a day to call on is judged from the start, which may be far ahead. */
	if (now_us < campaign->span.from_us || now_us >= campaign->span.until_us)
		campaign->answer = calendar_find_span_with_rest(&facts.calendar, now_us > facts.start_at_us ? now_us
		                                                : facts.start_at_us, CALL_REST_US, &campaign->span);
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

static void write_limited(struct json *json, const struct limited_number *asked)
{
	json_begin_array(json, NULL);
	json_add_string(json, NULL, asked->phone_number);
	if (uuid_is_nil(&asked->but))
		json_add_string(json, NULL, "");
	else
		json_hex_id(json, NULL, &asked->but);
	json_end(json);
}

/* Rows of SQL_CONTACT_ATTEMPTS, by the order of their numbers from 1. */
static enum db_result query_attempts(struct db *db, int64_t organization_id, const struct contact_limits *limits,
                                     const struct limited_number *asked, size_t count, int64_t now_us,
                                     struct arena *arena, struct db_rows *rows)
{
	struct buf numbers = { 0 };
	struct json json = json_to(&numbers);
	enum db_result result;

	json_begin_array(&json, NULL);
	for (size_t i = 0; i < count; i++)
		write_limited(&json, &asked[i]);
	json_end(&json);
	result = db_query(db, SQL_CONTACT_ATTEMPTS, DB_ARGS(
		db_buf(&numbers), db_int(organization_id), db_instant(now_us - contact_limits_reach_us(limits))), arena, rows);
	buf_free(&numbers);
	return result;
}

static struct contact_attempt *read_attempts(const struct db_rows *rows, struct arena *arena)
{
	struct contact_attempt *attempts = arena_alloc(arena, rows->count * sizeof *attempts);

	for (size_t r = 0; r < rows->count; r++)
		attempts[r] = (struct contact_attempt){
			.called_at_us = db_get_int(rows, r, 1), .ended_at_us = db_get_int(rows, r, 2),
			.status = (enum call_status)db_get_int(rows, r, 3),
		};
	return attempts;
}

enum db_result claim_facts_limits(struct db *db, int64_t organization_id, const struct contact_limits *limits,
                                  const struct limited_number *asked, size_t count, int64_t now_us,
                                  struct arena *arena, int64_t *open_at_us)
{
	struct contact_attempt *attempts;
	struct db_rows rows;
	size_t r = 0;

	DB_TRY(query_attempts(db, organization_id, limits, asked, count, now_us, arena, &rows));
	attempts = read_attempts(&rows, arena);
	for (size_t i = 0; i < count; i++) {
		size_t first = r;

		while (r < rows.count && db_get_int(&rows, r, 0) == (int64_t)i + 1)
			r++;
		open_at_us[i] = contact_limits_free_at(limits, attempts + first, r - first, now_us);
	}
	return DB_OK;
}

enum db_result claim_facts_limit_hold(struct db *db, int64_t organization_id, const struct contact_limits *limits,
                                      const struct limited_number *asked, int64_t now_us, struct arena *arena,
                                      int64_t *open_at_us, struct contact_limit_hold *hold)
{
	struct contact_attempt *attempts;
	struct db_rows rows;

	DB_TRY(query_attempts(db, organization_id, limits, asked, 1, now_us, arena, &rows));
	attempts = read_attempts(&rows, arena);
	*open_at_us = contact_limits_free_at(limits, attempts, rows.count, now_us);
	*hold = contact_limits_hold(limits, attempts, rows.count, now_us);
	return DB_OK;
}
