/* When a campaign may call: windows of local wall time on days of the week, without excluded dates.
 *
 * A window whose end lies before its start runs over midnight and belongs to the day it opens on:
 * that day must be one of its days and not excluded, whatever the next day is. Calls are counted per
 * local civil day, though, so such a window is cut at midnight into two spans. Windows may overlap: calls are
 * allowed where any is open.
 *
 * Window edges and midnights are wall times, made instants by the rule of domain/zone.h. On a day when clocks
 * change a second rule is added: wherever a window is open, the clock shows a time inside it. So an edge in
 * the skipped hour moves an hour on, but no window stays open beyond its end for that, and one that lies in
 * that hour does not open; an edge in the hour that comes twice counts the first time, and a window
 * that has opened is closed while the clock shows, again, times before its start.
 *
 * Where the windows are read in other zones than the campaign's own, they must be open in all of these. Its
 * civil days, on which calls are counted, stay those of its own zone, and cut the spans too. */
#ifndef DOMAIN_CALENDAR_H
#define DOMAIN_CALENDAR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "domain/zone_names.h"

#define CALENDAR_MAX_WINDOWS 50

struct calling_window {
	unsigned days;  /* bit 0 = Monday … bit 6 = Sunday: those it opens on */
	int start, end; /* minutes of the day, 0..1440 */
};

struct calendar {
	const char *zone;            /* whose civil days count */
	const char *zones;           /* where the windows are read: names, a space between two. NULL: in `zone` */
	struct calling_window daily; /* the one window; of a list only those open whose day is among its days too */
	const struct calling_window *windows;
	size_t window_count;         /* at most CALENDAR_MAX_WINDOWS */
	const int32_t *excluded;     /* civil days, ascending */
	size_t excluded_count;
};

/* Calls are allowed at from_us <= t < until_us, all on one local civil day. Spans never overlap. */
struct span {
	int64_t from_us, until_us;
	int32_t day;
};

/* Why the calendar cannot be read now, because one of its zones cannot: writes the first of these, and returns
 * what is wrong with it (as zone_trouble does). NULL: it can be read. */
const char *calendar_trouble(const struct calendar *calendar, char zone[ZONE_NAME_SIZE]);

/* The local civil day of an instant, and when that day began. The zone must be readable. */
int32_t calendar_day_at(const struct calendar *calendar, int64_t at_us, int64_t *began_us);

enum calendar_answer {
	CALENDAR_SPAN,
	CALENDAR_NEVER,      /* none within the next 366 days */
	CALENDAR_UNREADABLE, /* nobody can say now: see calendar_trouble */
};

/* The first span that ends after at_us; it may have begun. */
enum calendar_answer calendar_find_span(const struct calendar *calendar, int64_t at_us, struct span *out);

/* The same, but a stretch of time in which calls are allowed counts only while rest_us of it are left. */
enum calendar_answer calendar_find_span_with_rest(const struct calendar *calendar, int64_t at_us, int64_t rest_us,
                                                  struct span *out);

/* The instant at which `duration_us` of time in which calls are allowed have passed since from_us. INSTANT_NEVER: there is
 * no such time any more, or nobody can say now. */
int64_t calendar_after(const struct calendar *calendar, int64_t from_us, int64_t duration_us);

/* Until when calls are allowed from this span on, over the midnights that only cut it; at_most_us at the most. */
int64_t calendar_open_until(const struct calendar *calendar, struct span span, int64_t at_most_us);

#endif
