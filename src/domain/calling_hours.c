#include "domain/calling_hours.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/settings.h"
#include "base/zone.h"

#define INSTALLED DATADIR "/calling-hours.txt"
#define MINUTES_PER_DAY (24 * 60)
#define PRESETS_MAX 500
#define HALF_A_YEAR_US (26 * 7 * US_PER_DAY)

static struct calling_hours *presets;
static size_t preset_count;

static const struct calling_window window_initial = { 0 };

FIELD_TABLE(calling_window_fields, struct calling_window, &window_initial,
            FIELD(struct calling_window, days, WEEKDAYS, .flags = FIELD_REQUIRED),
            FIELD(struct calling_window, start, TIME, .flags = FIELD_REQUIRED),
            FIELD(struct calling_window, end, TIME, .flags = FIELD_REQUIRED));

bool calling_window_is_empty(int start, int end)
{
	return start == end || (start == MINUTES_PER_DAY && end == 0);
}

void calling_windows_settle(const struct field_list *windows, const char *field, struct faults *faults)
{
	const struct calling_window *list = windows->items;

	for (size_t i = 0; i < windows->count; i++)
		if (calling_window_is_empty(list[i].start, list[i].end))
			fault_add(faults, arena_printf(faults->arena, "%s[%zu].end", field, i), "must differ from start");
}

static bool read_days(const char *text, unsigned *days)
{
	*days = 0;
	for (; *text >= '1' && *text <= '7'; text++)
		*days |= 1u << (*text - '1');
	return *text == '\0' && *days != 0;
}

static bool read_time(const char *text, int *minutes)
{
	int hour, minute, len = 0;

	if (sscanf(text, "%2d:%2d%n", &hour, &minute, &len) != 2 || text[len] != '\0' || hour < 0 || minute < 0 ||
	    minute > 59)
		return false;
	*minutes = hour * 60 + minute;
	return *minutes <= MINUTES_PER_DAY;
}

/* Returns the preset that the line names. The first line of a preset also has a title and a source, and creates it.
 * NULL: the line is faulty, or there are too many presets. */
static struct calling_hours *preset_of(char *const *parts, size_t count)
{
	struct calling_hours *preset = (struct calling_hours *)calling_hours_find(parts[0]);

	if (preset != NULL)
		return preset;
	if (count != 6 || preset_count == PRESETS_MAX || *parts[0] == '\0' || strlen(parts[0]) > CALLING_HOURS_NAME_MAX)
		return NULL;
	presets = realloc(presets, (preset_count + 1) * sizeof *presets);
	if (presets == NULL)
		fatal("out of memory");
	preset = &presets[preset_count++];
	*preset = (struct calling_hours){ .name = strdup(parts[0]), .title = strdup(parts[4]), .source = strdup(parts[5]) };
	if (preset->name == NULL || preset->title == NULL || preset->source == NULL)
		fatal("out of memory");
	return preset;
}

/* Reads a line such as "us|1234567|08:00|21:00|United States|47 CFR 64.1200". */
static bool take_line(char *line)
{
	struct calling_window window;
	struct calling_hours *preset;
	char *parts[6], *rest = line;
	size_t count = 0;

	while (count < 6 && rest != NULL)
		parts[count++] = strsep(&rest, "|");
	if (count < 4 || rest != NULL || !read_days(parts[1], &window.days) || !read_time(parts[2], &window.start) ||
	    !read_time(parts[3], &window.end) || calling_window_is_empty(window.start, window.end))
		return false;
	preset = preset_of(parts, count);
	if (preset == NULL || preset->window_count == CALENDAR_MAX_WINDOWS)
		return false;
	preset->windows[preset->window_count++] = window;
	return true;
}

void calling_hours_load(const char *path)
{
	static const char form[] = "NAME|DAYS|START|END|TITLE|SOURCE, such as us|1234567|08:00|21:00|United States|…";

	if (*path == '\0')
		settings_read_table(INSTALLED, form, take_line); /* may be missing: Outdial also runs without `make install` */
	else if (!settings_read_table(path, form, take_line))
		fatal("%s: %s", path, strerror(ENOENT));
}

const struct calling_hours *calling_hours_all(size_t *count)
{
	*count = preset_count;
	return presets;
}

const struct calling_hours *calling_hours_find(const char *name)
{
	for (size_t i = 0; i < preset_count; i++)
		if (strcmp(presets[i].name, name) == 0)
			return &presets[i];
	return NULL;
}

const char *calling_hours_check(struct arena *arena, const char **value)
{
	(void)arena;
	return calling_hours_find(*value) != NULL ? NULL : "is not the name of a preset: see GET /calling-hours-presets";
}

/* Returns whether it is night at any time between the two instants. */
static bool is_at_night(const char *zone, int64_t from_us, int64_t until_us)
{
	int64_t from = zone_utc_to_wall(zone, from_us) / US_PER_MINUTE;
	int64_t until = zone_utc_to_wall(zone, until_us - 1) / US_PER_MINUTE;
	int64_t day = MINUTES_PER_DAY;

	return from / day != until / day || from % day < CALLING_HOURS_START || until % day >= CALLING_HOURS_END;
}

static bool reaches_night(const struct calendar *calendar, const char *zone, int64_t from_us)
{
	int64_t end_us = from_us + 7 * US_PER_DAY;
	struct span span;

	while (from_us < end_us && calendar_find_span(calendar, from_us, &span) == CALENDAR_SPAN && span.from_us < end_us) {
		if (is_at_night(zone, span.from_us > from_us ? span.from_us : from_us, span.until_us))
			return true;
		from_us = span.until_us;
	}
	return false;
}

bool calling_hours_reach_night(const struct calendar *calendar, const char *zone, int64_t from_us)
{
	char trouble[ZONE_NAME_SIZE];

	if (calendar_trouble(calendar, trouble) != NULL || zone_trouble(zone) != NULL)
		return false;
	return reaches_night(calendar, zone, from_us) || reaches_night(calendar, zone, from_us + HALF_A_YEAR_US);
}
