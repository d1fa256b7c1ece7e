/* Time zones of the host's tz database: converts local wall time to UTC and back. Wall times are microseconds too,
 * counted as if the wall clock showed UTC (`wall_us`). A wall time that the clocks skip moves forward by the gap. A
 * wall time that they show twice means its first occurrence.
 *
 * The database is in the folder that TZDIR names, or in /usr/share/zoneinfo. A link (an older or other name of a
 * zone) without a file is read through its target, which tzdata.zi names. UTC and Etc/UTC need no file. A file that
 * is updated, removed or restored is noticed within a second.
 *
 * A name may exist although its zone cannot be read now. Then campaigns and contacts in that zone wait, and nothing
 * fails. */
#ifndef BASE_ZONE_H
#define BASE_ZONE_H

#include <stdint.h>

#include "base/arena.h"
#include "base/zone_names.h"

enum zone_lookup {
	ZONE_KNOWN,
	ZONE_NO_NAME,    /* no zone has that name */
	ZONE_CANNOT_SAY, /* this host has no list of all names, and no file with this name */
};

/* Finds the zone or link `given`, ignoring case, and writes its name in the IANA spelling. A link keeps its own name.
 */
enum zone_lookup zone_find(const char *given, char name[ZONE_NAME_SIZE]);

/* The check of a field (base/field.h): replaces the value by its IANA spelling, or returns what is wrong. */
const char *zone_check(struct arena *arena, const char **value);
extern const char zone_cannot_say[]; /* what it returns for ZONE_CANNOT_SAY */

/* Returns why the zone cannot be read now, in words that follow its name ("its file is damaged"); NULL if it can be
 * read. */
const char *zone_trouble(const char *name);

/* The zone must have been readable a moment ago: ask zone_trouble first. If its file has gone since, the rules that
 * were read still count. A zone that was never read ends the process. */
int64_t zone_wall_to_utc(const char *zone, int64_t wall_us);
int64_t zone_utc_to_wall(const char *zone, int64_t utc_us);

/* Returns the first instant after from_us at which the clocks change, or until_us if there is none before it. The two
 * may be at most two days apart. */
int64_t zone_next_change(const char *zone, int64_t from_us, int64_t until_us);

#endif
