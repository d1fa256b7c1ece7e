/* Lets a test in another language ask the planner: one question per line of standard input, one
 * line of answer each. plan_oracle.py asks it some hundred thousand.
 *
 *   exists NAME, in its own spelling                             0 or 1
 *   wall ZONE WALL_US                                            UTC_US
 *   local ZONE UTC_US                                            WALL_US
 *   span CALENDAR AT_US                                          FROM_US UNTIL_US DAY, or "none"
 *   plan CALENDAR CAP GAP_US NEXT_US DAY CALLS COUNT CHUNK ROOM  FIRST_US:GAP_US:COUNT …, "none" at
 *                                                                the end if callable days ran out
 *
 *   groups CAP … ROOM GROUPS (LEFT CALENDAR)…                    FIRST_US:GAP_US:COUNT:GROUP …
 *
 * CALENDAR is ZONE ZONES WINDOWS EXCLUDED, the last three comma-separated lists or "-": of names, of
 * DAYS:START:END, of civil days. A plan is made CHUNK contacts at a time, with room for ROOM segments. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/zone.h"
#include "domain/calendar.h"
#include "domain/plan.h"

#define MAX_EXCLUDED 4096
#define MAX_ROOM 16
#define MAX_GROUPS 8
#define EVERY_DAY 0x7f

static const char *next_word(void)
{
	const char *word = strtok(NULL, " ");

	if (word == NULL) {
		fprintf(stderr, "plan_probe: a question is too short\n");
		exit(2);
	}
	return word;
}

static int64_t next_number(void)
{
	return strtoll(next_word(), NULL, 10);
}

static const char *next_zones(void)
{
	char *zones = (char *)next_word();

	if (strcmp(zones, "-") == 0)
		return NULL;
	for (char *c = zones; (c = strchr(c, ',')) != NULL;)
		*c = ' ';
	return zones;
}

/* The lists are used until the next question. */
static struct calling_window windows[MAX_GROUPS][CALENDAR_MAX_WINDOWS];
static int32_t excluded[MAX_GROUPS][MAX_EXCLUDED];
static int calendar_count;

/* A single window is stored like the window of a campaign without a list. */
static void next_windows(struct calendar *calendar)
{
	struct calling_window *list = windows[calendar_count], *w = list;
	const char *text = next_word();
	int len;

	for (; sscanf(text, "%u:%d:%d%n", &w->days, &w->start, &w->end, &len) == 3; w++)
		text += len + (text[len] == ',');
	calendar->daily = w - list == 1 ? *list : (struct calling_window){ .days = EVERY_DAY };
	calendar->windows = list;
	calendar->window_count = w - list > 1 ? (size_t)(w - list) : 0;
}

static void next_excluded(struct calendar *calendar)
{
	const char *list = next_word();
	int32_t *days = excluded[calendar_count++];

	calendar->excluded = days;
	while (*list != '\0' && strcmp(list, "-") != 0 && calendar->excluded_count < MAX_EXCLUDED) {
		char *end;

		days[calendar->excluded_count++] = (int32_t)strtol(list, &end, 10);
		list = *end == ',' ? end + 1 : end;
	}
}

/* The texts of the calendar are in the line that is being read. */
static struct calendar next_calendar(void)
{
	struct calendar calendar = { .zone = next_word() };

	calendar.zones = next_zones();
	next_windows(&calendar);
	next_excluded(&calendar);
	return calendar;
}

static void answer_exists(void)
{
	const char *name = next_word();
	char spelling[ZONE_NAME_SIZE];
	bool exists = zone_find(name, spelling) == ZONE_KNOWN && strcmp(name, spelling) == 0;

	printf("%d\n", exists && zone_trouble(name) == NULL);
}

static void answer_wall(void)
{
	const char *zone = next_word();

	printf("%lld\n", (long long)zone_wall_to_utc(zone, next_number()));
}

static void answer_local(void)
{
	const char *zone = next_word();

	printf("%lld\n", (long long)zone_utc_to_wall(zone, next_number()));
}

static void answer_span(void)
{
	struct calendar calendar = next_calendar();
	struct span span;

	if (calendar_find_span(&calendar, next_number(), &span) == CALENDAR_SPAN)
		printf("%lld %lld %d\n", (long long)span.from_us, (long long)span.until_us, span.day);
	else
		puts("none");
}

static void print_segments(const struct plan_segment *segments, int count)
{
	for (const struct plan_segment *s = segments; s < segments + count; s++)
		printf("%lld:%lld:%d ", (long long)s->first_us, (long long)s->gap_us, s->count);
}

/* CAP GAP_US NEXT_US DAY CALLS COUNT CHUNK ROOM */
static void next_cursor(struct plan_rules *rules, struct plan_cursor *cursor, int *count, int *chunk, int *room)
{
	rules->max_per_day = (int)next_number();
	rules->gap_us = next_number();
	cursor->next_us = next_number();
	cursor->day = (int32_t)next_number();
	cursor->day_calls = (int)next_number();
	*count = (int)next_number();
	*chunk = (int)next_number();
	*room = (int)next_number();
}

static void answer_plan(void)
{
	struct plan_rules rules = { .calendar = next_calendar() };
	struct plan_segment segments[MAX_ROOM];
	struct plan_cursor cursor;
	int left, chunk, room, planned;

	next_cursor(&rules, &cursor, &left, &chunk, &room);
	for (; left > 0; left -= planned) {
		int asked = left < chunk ? left : chunk;
		int count = plan_segments(&rules, &cursor, asked, segments, room < MAX_ROOM ? room : MAX_ROOM, &planned);

		print_segments(segments, count);
		if (count == 0)
			break;
	}
	puts(left > 0 ? "none" : "");
}

static void answer_groups(void)
{
	struct plan_group group[MAX_GROUPS] = { 0 };
	struct plan_segment out[MAX_ROOM];
	struct plan_rules rules = { 0 };
	struct plan_cursor cursor;
	int left, chunk, room, groups, planned = 1;

	next_cursor(&rules, &cursor, &left, &chunk, &room);
	groups = (int)next_number();
	for (int i = 0; i < groups; i++) {
		group[i].left = next_number();
		group[i].calendar = next_calendar();
	}
	for (; left > 0 && planned > 0; left -= planned) {
		int count;

		for (int i = 0; i < groups; i++) { /* only the number of contacts left is kept, as in the database */
			group[i].span = (struct span){ 0 };
			group[i].answer = CALENDAR_SPAN;
		}
		count = plan_group_segments(&rules, group, groups, &cursor, left < chunk ? left : chunk, out, room, &planned);
		for (int i = 0; i < count; i++)
			printf("%lld:%lld:%d:%d ", (long long)out[i].first_us, (long long)out[i].gap_us, out[i].count,
			       out[i].group);
	}
	puts("");
}

static const struct {
	const char *name;
	void (*answer)(void);
} questions[] = {
	{ "exists", answer_exists }, { "wall", answer_wall }, { "local", answer_local },
	{ "span", answer_span },     { "plan", answer_plan }, { "groups", answer_groups },
};

static void answer(char *line)
{
	const char *name = strtok(line, " ");

	calendar_count = 0;
	for (size_t i = 0; i < sizeof questions / sizeof *questions; i++)
		if (name != NULL && strcmp(name, questions[i].name) == 0) {
			questions[i].answer();
			return;
		}
	fprintf(stderr, "plan_probe: what is \"%s\"?\n", name != NULL ? name : "");
	exit(2);
}

int main(void)
{
	char *line = NULL;
	size_t size = 0;

	while (getline(&line, &size, stdin) > 0) {
		line[strcspn(line, "\n")] = '\0';
		answer(line);
	}
	free(line);
	return 0;
}
