#include "scheduler/timeline.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/zone.h"

/* 2026-03-29 03:00:00.000 +02:00 */
static void print_instant(const struct timeline *timeline, int64_t us)
{
	int64_t wall_us = zone_utc_to_wall(timeline->timezone, us);
	int minutes = (int)((wall_us - us) / US_PER_MINUTE);
	char text[32];

	instant_format_sql(wall_us, text);
	printf("%.23s %c%02d:%02d  ", text, minutes < 0 ? '-' : '+', (minutes < 0 ? -minutes : minutes) / 60,
	       (minutes < 0 ? -minutes : minutes) % 60);
}

static void print_day(struct timeline *timeline)
{
	static const char *const weekdays[] = { "", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun" };
	char date[11], first[32], last[32];

	if (timeline->calls == 0)
		return;
	date_format(timeline->day, date);
	instant_format_sql(zone_utc_to_wall(timeline->timezone, timeline->first_us), first);
	instant_format_sql(zone_utc_to_wall(timeline->timezone, timeline->last_us), last);
	printf("day %s %s  calls %" PRId64 "  from %.8s to %.8s ", date, weekdays[civil_weekday(timeline->day)],
	       timeline->calls, first + 11, last + 11);
	for (int status = 0; status < CALL_STATUS__MAX; status++)
		if (timeline->ended[status] != 0)
			printf(" %s %" PRId64, call_status_names[status], timeline->ended[status]);
	putchar('\n');
	timeline->days++;
	timeline->calls = 0;
	memset(timeline->ended, 0, sizeof timeline->ended);
}

static void turn_to(struct timeline *timeline, int64_t at_us)
{
	int32_t day = civil_day_of(zone_utc_to_wall(timeline->timezone, at_us));

	if (day != timeline->day)
		print_day(timeline);
	timeline->day = day;
}

void timeline_say(struct timeline *timeline, int64_t at_us, const char *format, ...)
{
	va_list args;

	turn_to(timeline, at_us);
	print_instant(timeline, at_us);
	va_start(args, format);
	vprintf(format, args);
	va_end(args);
	putchar('\n');
}

void timeline_call_began(struct timeline *timeline, int64_t at_us)
{
	turn_to(timeline, at_us);
	if (timeline->calls++ == 0)
		timeline->first_us = at_us;
	timeline->last_us = at_us;
	timeline->all_calls++;
}

void timeline_call_ended(struct timeline *timeline, const struct timeline_call *call)
{
	timeline->ended[call->status]++;
	if (!timeline->shows_calls)
		return;
	print_instant(timeline, call->began_us);
	printf("call %s from %s, attempt %" PRId64 "%s: %s after %" PRId64 " s\n", call->to, call->from, call->attempt,
	       call->is_callback ? " (callback)" : "", call_status_names[call->status],
	       (call->ended_us - call->began_us) / US_PER_SECOND);
}

static const char *plural(int64_t count)
{
	return count == 1 ? "" : "s";
}

void timeline_end(struct timeline *timeline, const struct batch *batch)
{
	const struct batch_counts *counts = &batch->counts;

	print_day(timeline);
	printf("%" PRId64 " call%s on %" PRId64 " day%s; of %" PRId64 " contact%s %" PRId64 " completed, %" PRId64
	       " voicemail, %" PRId64 " no_answer, %" PRId64 " busy, %" PRId64 " failed, %" PRId64 " cancelled, %" PRId64
	       " skipped, %" PRId64 " pending\n",
	       timeline->all_calls, plural(timeline->all_calls), timeline->days, plural(timeline->days), counts->total,
	       plural(counts->total), counts->completed, counts->voicemail, counts->no_answer, counts->busy, counts->failed,
	       counts->cancelled, counts->skipped, counts->pending + counts->in_progress);
}
