/* The names of time zones, from the list tzdata.zi in the folder of the tz database: every zone and every link (an
 * older or other name of a zone). Names are found ignoring case. A folder without that list is searched for zone files
 * instead; then there are no links. */
#ifndef BASE_ZONE_NAMES_H
#define BASE_ZONE_NAMES_H

#include <stdbool.h>

#define ZONE_NAME_SIZE 64

/* Returns whether the text has the form of an IANA name: parts that begin with a letter, joined by slashes. It has no
 * dots, so it cannot leave the folder. The other entries of the folder ("posix/…", "right/…", "localtime", "Factory")
 * do not have this form. */
bool zone_name_is_valid(const char *text);

struct zone_name {
	char *name;
	char *target; /* of a link: the name of its zone; else NULL */
};

/* Reads the names of the folder if it is another folder, or if they may have changed. It checks that at most once a
 * second. */
void zone_names_refresh(const char *folder);

/* Returns NULL if the name is not known. The result is valid until the next refresh. */
const struct zone_name *zone_names_find(const char *name);

/* Returns whether the names come from the list. Then a name that is not among them does not exist. */
bool zone_names_are_complete(void);

#endif
