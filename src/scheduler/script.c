#include "scheduler/script.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "base/log.h"
#include "domain/zone.h"

const char *const script_deed_names[] = {
	"pause", "resume", "cancel", "change", "add_contacts", "do_not_call", NULL,
};

/* A simulation cannot wait for a zone. */
static const char *check_zone(struct arena *arena, const char **name)
{
	const char *fault = zone_check(arena, name);

	return fault != NULL ? fault : zone_trouble(*name);
}

#define MEMBER(type, member, ...) { .name = #member, .offset = offsetof(struct type, member), __VA_ARGS__ }
#define TABLE(name, type)                                                                          \
	static const struct field_table name = {                                                   \
		name##_list, sizeof name##_list / sizeof *name##_list, sizeof(struct type), &name##_initial, \
	}

static const struct script_people people_initial = { .timezone = "", .phone_prefix = "+1555" };
static const struct field people_list[] = {
	MEMBER(script_people, count, .type = FIELD_INT, .flags = FIELD_REQUIRED, .min = 1, .max = 1000000),
	MEMBER(script_people, timezone, .type = FIELD_STRING, .max = 64, .check = check_zone),
	MEMBER(script_people, phone_prefix, .type = FIELD_PHONE),
};
TABLE(people, script_people);

static const struct script_action actions_initial = { .changes = "{}", .count = 1 };
static const struct field actions_list[] = {
	MEMBER(script_action, at, .type = FIELD_WHEN, .flags = FIELD_REQUIRED),
	{ .name = "do", .offset = offsetof(struct script_action, deed), .type = FIELD_CHOICE, .flags = FIELD_REQUIRED,
	  .choices = script_deed_names },
	MEMBER(script_action, changes, .type = FIELD_OBJECT, .max = 65536),
	MEMBER(script_action, count, .type = FIELD_INT, .min = 1, .max = 1000000),
};
TABLE(actions, script_action);

#define OUTCOME(label, status) \
	{ .name = label, .type = FIELD_INT, .offset = offsetof(struct script, outcomes[status]), .min = 0, .max = 1000000 }

static const struct script whole_initial = {
	.numbers = 1, .days = 60, .seed = 1, .ring_seconds = 25, .min_call_seconds = 30, .max_call_seconds = 180,
	.campaign = "{}",
};
static const struct field whole_list[] = {
	MEMBER(script, starts_at, .type = FIELD_WHEN, .flags = FIELD_REQUIRED),
	MEMBER(script, campaign, .type = FIELD_OBJECT, .max = 1048576),
	{ .name = "contacts", .type = FIELD_RECORDS, .flags = FIELD_REQUIRED, .offset = offsetof(struct script, people),
	  .max = 1000, .record = &people },
	MEMBER(script, actions, .type = FIELD_RECORDS, .max = 10000, .record = &actions),
	MEMBER(script, numbers, .type = FIELD_INT, .min = 1, .max = 100),
	MEMBER(script, days, .type = FIELD_INT, .min = 1, .max = 3660),
	MEMBER(script, seed, .type = FIELD_INT, .min = 0, .max = INT64_MAX),
	OUTCOME("completed", CALL_COMPLETED), OUTCOME("failed", CALL_FAILED), OUTCOME("no_answer", CALL_NO_ANSWER),
	OUTCOME("busy", CALL_BUSY), OUTCOME("voicemail", CALL_VOICEMAIL),
	MEMBER(script, ring_seconds, .type = FIELD_INT, .min = 0, .max = 3600),
	MEMBER(script, min_call_seconds, .type = FIELD_INT, .min = 0, .max = 86400),
	MEMBER(script, max_call_seconds, .type = FIELD_INT, .min = 0, .max = 86400),
};
TABLE(whole, script);

void script_require(const char *where, enum field_result result, const struct faults *faults)
{
	if (result != FIELD_OK || faults->count != 0)
		fatal("%s: %s %s", where, faults->list[0].field, faults->list[0].reason);
}

static void read_text(const char *path, struct buf *out)
{
	FILE *file = strcmp(path, "-") == 0 ? stdin : fopen(path, "r");
	char part[4096];
	size_t got;

	if (file == NULL)
		fatal("%s: %s", path, strerror(errno));
	while ((got = fread(part, 1, sizeof part, file)) > 0)
		buf_add(out, part, got);
	if (ferror(file))
		fatal("%s: %s", path, strerror(errno));
	if (file != stdin)
		fclose(file);
}

struct script script_read(const char *path, struct arena *arena)
{
	struct faults faults = { .arena = arena };
	struct script out;
	struct buf text = { 0 };
	int64_t sum = 0;
	uint64_t given;

	read_text(path, &text);
	script_require(path, field_read(&whole, FIELD_CREATE, buf_text(&text), text.len, &out, &given, &faults), &faults);
	buf_free(&text);
	for (int status = 0; status < CALL_STATUS__MAX; status++)
		sum += out.outcomes[status];
	if (sum == 0)
		out.outcomes[CALL_COMPLETED] = 1;
	if (out.min_call_seconds > out.max_call_seconds)
		fatal("%s: min_call_seconds must not be more than max_call_seconds", path);
	return out;
}

/* splitmix64: small, and good enough for fate. */
static uint64_t dice(struct script *script)
{
	uint64_t x = (uint64_t)script->seed + UINT64_C(0x9e3779b97f4a7c15);

	script->seed = (int64_t)x;
	x = (x ^ (x >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
	x = (x ^ (x >> 27)) * UINT64_C(0x94d049bb133111eb);
	return x ^ (x >> 31);
}

struct script_ending script_next_ending(struct script *script)
{
	int64_t sum = 0, left;
	int status = 0;

	for (int i = 0; i < CALL_STATUS__MAX; i++)
		sum += script->outcomes[i];
	left = (int64_t)(dice(script) % (uint64_t)sum);
	while (left >= script->outcomes[status])
		left -= script->outcomes[status++];
	if (status != CALL_COMPLETED && status != CALL_VOICEMAIL)
		return (struct script_ending){ (enum call_status)status, script->ring_seconds };
	return (struct script_ending){
		(enum call_status)status, script->min_call_seconds + (int64_t)(dice(script) %
		(uint64_t)(script->max_call_seconds - script->min_call_seconds + 1)),
	};
}
