/* When a campaign may call: windows of local wall time on days of the week, without excluded dates.
 *
 * A window that ends before it starts runs over midnight. It belongs to the day on which it opens: that day must be one
 * of its days and not excluded, whatever the next day is. Calls are counted per local civil day, so such a window is
 * cut at midnight into two spans. Windows may overlap: calls are allowed where any window is open.
 *
 * The edges of windows, and midnights, are wall times. base/zone.h says how they become instants. A second rule holds
 * on a day when the clocks change: while a window is open, the clock shows a time inside it. So an edge in a skipped
 * hour moves one hour on, but no window stays open beyond its end for that, and a window within the skipped hour does
 * not open. An edge in an hour that comes twice counts the first time, and an open window is closed while the clock
 * shows times before its start again.
 *
 * If the windows are read in other zones than the campaign's own, they must be open in all of these zones. The civil
 * days on which calls are counted are always those of the campaign's zone, and cut the spans too. */
#ifndef DOMAIN_CALENDAR_H
#define DOMAIN_CALENDAR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/zone_names.h"

#define CALENDAR_MAX_WINDOWS 50

struct calling_window {
	unsigned days;  /* bit 0 = Monday … bit 6 = Sunday: the days on which it opens */
	int start, end; /* minutes of the day, 0..1440 */
};

struct calendar {
	const char *zone; /* whose civil days count */
	/* the zones in which the windows are read: names separated by spaces. NULL: `zone` */
	const char *zones;
	struct calling_window daily; /* the one window; windows of a list open only on its days */
	const struct calling_window *windows;
	size_t window_count;     /* at most CALENDAR_MAX_WINDOWS */
	const int32_t *excluded; /* civil days, ascending */
	size_t excluded_count;
};

/* Calls are allowed at from_us <= t < until_us, all on one local civil day. Spans never overlap. */
struct span {
	int64_t from_us, until_us;
	int32_t day;
};

/* If one of the calendar's zones cannot be read now, writes its name and returns why (as zone_trouble does). Else
 * returns NULL. */
const char *calendar_trouble(const struct calendar *calendar, char zone[ZONE_NAME_SIZE]);

/* Returns the local civil day of an instant, and when that day began. The zone must be readable. */
int32_t calendar_day_at(const struct calendar *calendar, int64_t at_us, int64_t *began_us);

enum calendar_answer {
	CALENDAR_SPAN,
	CALENDAR_NEVER,      /* no span within the next 366 days */
	CALENDAR_UNREADABLE, /* a zone cannot be read now: see calendar_trouble */
};

/* Returns whether the civil day is one of the excluded dates. */
bool calendar_excludes(const struct calendar *calendar, int32_t day);

/* Finds the first span that ends after at_us. It may have begun already. */
enum calendar_answer calendar_find_span(const struct calendar *calendar, int64_t at_us, struct span *out);

/* Like calendar_find_span, but skips a stretch of callable time if less than rest_us of it is left. */
enum calendar_answer calendar_find_span_with_rest(const struct calendar *calendar, int64_t at_us, int64_t rest_us,
                                                  struct span *out);

/* Returns the instant at which `duration_us` of callable time have passed since from_us. INSTANT_NEVER: there is not so
 * much callable time, or a zone cannot be read. */
int64_t calendar_after(const struct calendar *calendar, int64_t from_us, int64_t duration_us);

/* Returns until when calls are allowed from this span on, over midnights that only cut it, but no later than
 * at_most_us. */
int64_t calendar_open_until(const struct calendar *calendar, struct span span, int64_t at_most_us);

#endif
