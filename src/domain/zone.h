/* Time zones of the host's tz database: local wall time to UTC and back.
 *
 * Wall times are microseconds too, counted as if the wall clock showed UTC (`wall_us`). A wall time
 * that the clocks skip moves forward by the gap; one that they show twice means its first
 * occurrence.
 *
 * The database lies in the folder that TZDIR names, or in /usr/share/zoneinfo. A link (an older or other name of a zone)
 * that has no file there is read through its target, which tzdata.zi names. UTC and Etc/UTC need no file. An update of the
 * database, a file that is gone and one that came back are noticed within a second.
 *
 * Whether a name exists and whether its zone can be read now are two questions. A zone that cannot be read now holds up
 * what needs it, and ends nothing. */
#ifndef DOMAIN_ZONE_H
#define DOMAIN_ZONE_H

#include <stdint.h>

#include "base/arena.h"
#include "domain/zone_names.h"

enum zone_lookup {
	ZONE_KNOWN,
	ZONE_NO_NAME,    /* no zone has that name */
	ZONE_CANNOT_SAY, /* this host has no list of all names, and no file of that name */
};

/* Finds the zone or link that `given` names in whatever case, and writes the name in its IANA spelling. A link keeps its own
 * name. */
enum zone_lookup zone_find(const char *given, char name[ZONE_NAME_SIZE]);

/* The same for a table of fields (base/field.h): puts the IANA spelling in the value's place, or returns what is wrong. */
const char *zone_check(struct arena *arena, const char **value);
extern const char zone_cannot_say[]; /* what it returns for ZONE_CANNOT_SAY */

/* Why the zone cannot be read now, in words that follow its name ("its file is damaged"); NULL: it can be read. */
const char *zone_trouble(const char *name);

/* The zone must have been readable a moment ago: ask zone_trouble first. Should its file have gone since, what was read
 * then still counts. A zone that was never read ends the process. */
int64_t zone_wall_to_utc(const char *zone, int64_t wall_us);
int64_t zone_utc_to_wall(const char *zone, int64_t utc_us);

/* The first instant after from_us at which the clocks have changed, if that is before until_us; else
 * until_us. The two are two days apart at most. */
int64_t zone_next_change(const char *zone, int64_t from_us, int64_t until_us);

#endif
