/* Time zones of the system's tz database: local wall time to UTC and back.
 *
 * Wall times are microseconds too, counted as if the wall clock showed UTC (`wall_us`). A wall time
 * that the clocks skip moves forward by the gap; one that they show twice means its first
 * occurrence.
 *
 * The two conversions set this process's TZ: nothing else in it may rely on local time, and only
 * one thread may call them. A zone that does not exist ends the process: ask zone_exists first. An update of
 * the database is noticed within a second. */
#ifndef DOMAIN_ZONE_H
#define DOMAIN_ZONE_H

#include <stdbool.h>
#include <stdint.h>

#define ZONE_NAME_SIZE 64

/* An IANA name ("Europe/Berlin") that the tz database of this host knows. The directory's other
 * entries ("posix/…", "right/…", "localtime", "Factory") are not zones. */
bool zone_exists(const char *name);
int64_t zone_wall_to_utc(const char *zone, int64_t wall_us);
int64_t zone_utc_to_wall(const char *zone, int64_t utc_us);

/* The first instant behind from_us at which the clocks have changed, if that is before until_us; else
 * until_us. The two are two days apart at most. */
int64_t zone_next_change(const char *zone, int64_t from_us, int64_t until_us);

#endif
