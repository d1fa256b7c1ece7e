#include "scheduler/script.h"

#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "base/log.h"
#include "base/zone.h"

const char *const script_deed_names[] = {
	"pause", "resume", "cancel", "change", "add_contacts", "do_not_call", NULL,
};

/* A simulation cannot wait for a zone. */
static const char *check_zone(struct arena *arena, const char **name)
{
	const char *fault = zone_check(arena, name);

	return fault != NULL ? fault : zone_trouble(*name);
}

static const struct script_people people_initial = { .timezone = "", .phone_prefix = "+1555" };
static FIELD_TABLE(people_fields, struct script_people, &people_initial,
                   FIELD(struct script_people, count, INT, .flags = FIELD_REQUIRED, .min = 1, .max = 1000000),
                   FIELD(struct script_people, timezone, STRING, .max = 64, .check = check_zone),
                   FIELD(struct script_people, phone_prefix, PHONE));

static const struct script_action action_initial = { .changes = "{}", .count = 1 };
static FIELD_TABLE(action_fields, struct script_action, &action_initial,
                   FIELD(struct script_action, at, WHEN, .flags = FIELD_REQUIRED),
                   FIELD_AS("do", struct script_action, deed, CHOICE, .flags = FIELD_REQUIRED,
                            .choices = script_deed_names),
                   FIELD(struct script_action, changes, OBJECT, .max = 65536),
                   FIELD(struct script_action, count, INT, .min = 1, .max = 1000000));

static const struct script script_initial = {
	.numbers = 1,
	.days = 60,
	.seed = 1,
	.ring_seconds = 25,
	.min_call_seconds = 30,
	.max_call_seconds = 180,
	.campaign = "{}",
	.callback_minutes = 1440,
};

#define SCRIPT(member, kind, ...) FIELD(struct script, member, kind, __VA_ARGS__)
#define OUTCOME(name, status) FIELD_AS(name, struct script, outcomes[status], INT, .min = 0, .max = 1000000)

static FIELD_TABLE(script_fields, struct script, &script_initial, SCRIPT(starts_at, WHEN, .flags = FIELD_REQUIRED),
                   SCRIPT(campaign, OBJECT, .max = 1048576),
                   FIELD_AS("contacts", struct script, people, RECORDS, .flags = FIELD_REQUIRED, .max = 1000,
                            .record = &people_fields),
                   SCRIPT(actions, RECORDS, .max = 10000, .record = &action_fields),
                   SCRIPT(numbers, INT, .min = 1, .max = 100), SCRIPT(days, INT, .min = 1, .max = 3660),
                   SCRIPT(seed, INT, .min = 0, .max = INT64_MAX), OUTCOME("completed", CALL_COMPLETED),
                   OUTCOME("failed", CALL_FAILED), OUTCOME("no_answer", CALL_NO_ANSWER), OUTCOME("busy", CALL_BUSY),
                   OUTCOME("voicemail", CALL_VOICEMAIL), SCRIPT(ring_seconds, INT, .min = 0, .max = 3600),
                   SCRIPT(min_call_seconds, INT, .min = 0, .max = 86400),
                   SCRIPT(max_call_seconds, INT, .min = 0, .max = 86400),
                   SCRIPT(callback_percent, INT, .min = 0, .max = 100),
                   SCRIPT(callback_minutes, INT, .min = 1, .max = CALL_BACK_AHEAD_US / US_PER_MINUTE));

void script_require(const char *where, enum field_result result, const struct faults *faults)
{
	if (result != FIELD_OK || faults->count != 0)
		fatal("%s: %s %s", where, faults->list[0].field, faults->list[0].reason);
}

struct script script_read(const char *path, struct arena *arena)
{
	struct faults faults = { .arena = arena };
	struct script out;
	struct buf text = { 0 };
	int64_t sum = 0;
	uint64_t given;

	buf_read(&text, path);
	script_require(path, field_read(&script_fields, FIELD_CREATE, buf_text(&text), text.len, &out, &given, &faults),
	               &faults);
	buf_free(&text);
	for (int status = 0; status < CALL_STATUS__MAX; status++)
		sum += out.outcomes[status];
	if (sum == 0)
		out.outcomes[CALL_COMPLETED] = 1;
	if (out.min_call_seconds > out.max_call_seconds)
		fatal("%s: min_call_seconds must not be more than max_call_seconds", path);
	return out;
}

/* splitmix64: small, and random enough for a simulation. */
static uint64_t next_random(struct script *script)
{
	uint64_t x = (uint64_t)script->seed + UINT64_C(0x9e3779b97f4a7c15);

	script->seed = (int64_t)x;
	x = (x ^ (x >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
	x = (x ^ (x >> 27)) * UINT64_C(0x94d049bb133111eb);
	return x ^ (x >> 31);
}

static int64_t next_talk(struct script *script)
{
	int64_t range = script->max_call_seconds - script->min_call_seconds + 1;

	return script->min_call_seconds + (int64_t)(next_random(script) % (uint64_t)range);
}

/* Uses no random number if there are no callbacks, so that older scripts give the same results as before. */
static bool asks_for_callback(struct script *script, int status)
{
	return status == CALL_COMPLETED && script->callback_percent != 0 &&
	       (int64_t)(next_random(script) % 100) < script->callback_percent;
}

struct script_ending script_next_ending(struct script *script)
{
	struct script_ending ending = { .seconds = script->ring_seconds };
	int64_t sum = 0, left;
	int status = 0;

	for (int i = 0; i < CALL_STATUS__MAX; i++)
		sum += script->outcomes[i];
	left = (int64_t)(next_random(script) % (uint64_t)sum);
	while (left >= script->outcomes[status])
		left -= script->outcomes[status++];
	ending.status = (enum call_status)status;
	if (status == CALL_COMPLETED || status == CALL_VOICEMAIL)
		ending.seconds = next_talk(script);
	if (asks_for_callback(script, status))
		ending.callback_us = script->callback_minutes * US_PER_MINUTE;
	return ending;
}
