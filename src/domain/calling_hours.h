/* Hours in which people may be called: presets by country, from a table that an operator may edit (its form is in
 * docs/calling-hours.txt), and whether a calendar allows calls at night. */
#ifndef DOMAIN_CALLING_HOURS_H
#define DOMAIN_CALLING_HOURS_H

#include "base/field.h"
#include "domain/calendar.h"

#define CALLING_HOURS_NAME_MAX 64
#define CALLING_HOURS_START (8 * 60) /* minutes of the day: calls outside of these hours are calls at night */
#define CALLING_HOURS_END (21 * 60)

struct calling_hours {
	const char *name, *title, *source;
	struct calling_window windows[CALENDAR_MAX_WINDOWS];
	size_t window_count;
};

/* Reads the table, once per process. If `path` is "", reads the table that was installed with Outdial, if it exists.
 * It is fatal if another file cannot be read or is not such a table. */
void calling_hours_load(const char *path);

/* Returns all presets, in the order of the table. They live as long as the process. */
const struct calling_hours *calling_hours_all(size_t *count);

/* Checks the value of a field: there must be a preset of this name. */
const char *calling_hours_check(struct arena *arena, const char **value);

/* Returns the preset of this name, or NULL. */
const struct calling_hours *calling_hours_find(const char *name);

extern const struct field_table calling_window_fields; /* struct calling_window */

/* Returns whether there is no time between the two times of the day. */
bool calling_window_is_empty(int start, int end);

/* Adds a fault for each window that is empty. `field`: the name of the list. */
void calling_windows_settle(const struct field_list *windows, const char *field, struct faults *faults);

/* Returns whether calls of this calendar may begin outside of 08:00 to 21:00 in this zone: in the week after
 * from_us, or in a week half a year later, when the clocks may differ. For a zone that cannot be read now it returns
 * false. */
bool calling_hours_reach_night(const struct calendar *calendar, const char *zone, int64_t from_us);

#endif
