/* Lets a test in another language ask the planner: one question per line of standard input, one
 * line of answer each. plan_oracle.py asks it some hundred thousand.
 *
 *   exists NAME                                                  0 or 1
 *   wall ZONE WALL_US                                            UTC_US
 *   local ZONE UTC_US                                            WALL_US
 *   span CALENDAR AT_US                                          FROM_US UNTIL_US DAY, or "none"
 *   plan CALENDAR CAP GAP_US NEXT_US DAY CALLS COUNT CHUNK ROOM  FIRST_US:GAP_US:COUNT …, "none" at
 *                                                                the end if callable days ran out
 *
 * CALENDAR is ZONE WORKING_DAYS WINDOW_START WINDOW_END EXCLUDED, the last a comma-separated list
 * of civil days or "-". A plan is made CHUNK contacts at a time, with room for ROOM segments. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "domain/calendar.h"
#include "domain/plan.h"
#include "domain/zone.h"

#define MAX_EXCLUDED 4096
#define MAX_ROOM 16

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

/* The calendar's texts live in the line that is being read. */
static struct calendar next_calendar(void)
{
	static int32_t excluded[MAX_EXCLUDED];
	struct calendar calendar = {.excluded = excluded};
	const char *list;

	calendar.zone = next_word();
	calendar.working_days = (unsigned)next_number();
	calendar.window_start = (int)next_number();
	calendar.window_end = (int)next_number();
	list = next_word();
	while (*list != '\0' && strcmp(list, "-") != 0 && calendar.excluded_count < MAX_EXCLUDED) {
		char *end;

		excluded[calendar.excluded_count++] = (int32_t)strtol(list, &end, 10);
		list = *end == ',' ? end + 1 : end;
	}
	return calendar;
}

static void answer_exists(void)
{
	printf("%d\n", zone_exists(next_word()));
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

	if (calendar_span_at(&calendar, next_number(), &span))
		printf("%lld %lld %d\n", (long long)span.from_us, (long long)span.until_us,
		       span.day);
	else
		puts("none");
}

static void print_segments(const struct plan_segment *segments, int count)
{
	for (const struct plan_segment *s = segments; s < segments + count; s++)
		printf("%lld:%lld:%d ", (long long)s->first_us, (long long)s->gap_us, s->count);
}

static void answer_plan(void)
{
	struct plan_rules rules = {.calendar = next_calendar()};
	struct plan_segment segments[MAX_ROOM];
	struct plan_cursor cursor;
	int left, chunk, room, planned;

	rules.max_per_day = (int)next_number();
	rules.gap_us = next_number();
	cursor.next_us = next_number();
	cursor.day = (int32_t)next_number();
	cursor.day_calls = (int)next_number();
	left = (int)next_number();
	chunk = (int)next_number();
	room = (int)next_number();
	for (; left > 0; left -= planned) {
		int asked = left < chunk ? left : chunk;
		int count = plan_segments(&rules, &cursor, asked, segments,
		                          room < MAX_ROOM ? room : MAX_ROOM, &planned);

		print_segments(segments, count);
		if (count == 0)
			break;
	}
	puts(left > 0 ? "none" : "");
}

static const struct {
	const char *name;
	void (*answer)(void);
} questions[] = {
	{"exists", answer_exists}, {"wall", answer_wall}, {"local", answer_local},
	{"span", answer_span},     {"plan", answer_plan},
};

static void answer(char *line)
{
	const char *name = strtok(line, " ");

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
