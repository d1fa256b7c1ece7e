/* The names of time zones, from the list tzdata.zi in the folder of the tz database: every zone and every link (an
 * older or other name of a zone). Names are found without regard to case. A folder without that list is searched
 * for zone files instead; then there are no links. */
#ifndef DOMAIN_ZONE_NAMES_H
#define DOMAIN_ZONE_NAMES_H

#include <stdbool.h>

#define ZONE_NAME_SIZE 64

/* Whether the text has the form of an IANA name: parts that begin with a letter, joined by slashes. No dots, hence no way
 * out of the folder. The folder's other entries ("posix/…", "right/…", "localtime", "Factory") have not. */
bool zone_name_is_valid(const char *text);

struct zone_name {
	char *name;
	char *target; /* of a link: the name of the zone; else NULL */
};

/* Reads the names of the folder, if they are of another folder or may have changed. At most once a second it looks whether
 * they have. */
void zone_names_refresh(const char *folder);

/* NULL: no such name is known. Valid until the next refresh. */
const struct zone_name *zone_names_find(const char *name);

/* Whether the names come from the list, so that a name that is not among them does not exist. */
bool zone_names_are_complete(void);

#endif
