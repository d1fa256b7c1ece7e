#include "domain/calendar_json.h"

#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/instant.h"
#include "base/zone.h"

static bool is_working_day(const struct calendar *calendar, int32_t day)
{
	unsigned days = calendar->window_count == 0 ? calendar->daily.days : 0;

	for (size_t i = 0; i < calendar->window_count; i++)
		days |= calendar->windows[i].days;
	return (days >> (civil_weekday(day) - 1) & 1) != 0;
}

static void write_local(struct json *json, const char *zone, const struct calendar *calendar, int64_t now_us)
{
	int64_t wall_us;
	int32_t day;
	int minute;
	char time[16];

	json_add_string(json, "timezone", zone);
	if (zone_trouble(zone) != NULL) {
		static const char *const members[] = { "local_date", "local_time", "is_working_day", "is_excluded_date" };

		for (size_t i = 0; i < sizeof members / sizeof *members; i++)
			json_add_null(json, members[i]);
		return;
	}
	wall_us = zone_utc_to_wall(zone, now_us);
	day = civil_day_of(wall_us);
	minute = (int)((wall_us - day * US_PER_DAY) / US_PER_MINUTE);
	snprintf(time, sizeof time, "%02d:%02d", minute / 60, minute % 60);
	json_date(json, "local_date", day);
	json_add_string(json, "local_time", time);
	json_bool(json, "is_working_day", is_working_day(calendar, day));
	json_bool(json, "is_excluded_date", calendar_excludes(calendar, day));
}

void calendar_write_span(struct json *json, const struct span *span)
{
	json_instant(json, "callable_from", span->from_us);
	json_instant(json, "callable_until", span->until_us);
}

void calendar_write_trouble(struct json *json, const struct calendar *calendar, enum calendar_answer answer)
{
	char zone[ZONE_NAME_SIZE];
	const char *trouble = answer == CALENDAR_UNREADABLE ? calendar_trouble(calendar, zone) : NULL;

	json_bool(json, "is_readable", answer != CALENDAR_UNREADABLE);
	json_add_string(json, "unreadable", trouble == NULL ? NULL : zone);
	json_add_string(json, "trouble", trouble);
}

void calendar_write_local(struct json *json, const struct calendar *calendar, int64_t now_us)
{
	write_local(json, calendar->zone, calendar, now_us);
}

void calendar_write_zones(struct json *json, const char *key, const struct calendar *calendar, int64_t now_us)
{
	const char *rest = calendar->zones != NULL ? calendar->zones : calendar->zone;

	json_begin_array(json, key);
	while (*rest != '\0') {
		int len = (int)strcspn(rest, " ");
		char zone[ZONE_NAME_SIZE];

		snprintf(zone, sizeof zone, "%.*s", len, rest);
		json_begin_object(json, NULL);
		write_local(json, zone, calendar, now_us);
		json_end(json);
		rest += len + (rest[len] == ' ');
	}
	json_end(json);
}
