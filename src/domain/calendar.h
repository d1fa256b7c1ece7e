/* When a campaign may call: a window of local wall time on working days, without excluded dates.
 *
 * A window whose end lies before its start runs over midnight and belongs to the day it opens on:
 * that day must be a working day and not excluded, whatever the next day is. Calls are counted per
 * local civil day, though, so such a window is cut at midnight into two spans.
 *
 * Window edges and midnights are wall times, made instants by the rule of domain/zone.h; from there
 * on only instants are compared. So, on a day when clocks change, an edge in the skipped hour moves
 * an hour on (a window that would now end before it begins does not open), and an edge in the hour
 * that comes twice counts the first time. */
#ifndef DOMAIN_CALENDAR_H
#define DOMAIN_CALENDAR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct calendar {
	const char *zone;             /* if the tz database lost it, no day is callable */
	unsigned working_days;        /* bit 0 = Monday … bit 6 = Sunday */
	int window_start, window_end; /* minutes of the day, 0..1440; both -1: the whole day */
	const int32_t *excluded;      /* civil days, ascending */
	size_t excluded_count;
};

/* Calls are allowed at from_us <= t < until_us, all on one local civil day. Spans never overlap. */
struct span {
	int64_t from_us, until_us;
	int32_t day;
};

/* The local civil day of an instant, and when that day began. */
int32_t calendar_day_at(const struct calendar *calendar, int64_t at_us, int64_t *began_us);

/* The first span that ends after at_us; it may have begun. False: none within the next 366 days. */
bool calendar_span_at(const struct calendar *calendar, int64_t at_us, struct span *out);

#endif
