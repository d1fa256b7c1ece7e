/* Where a telephone number may be, told by its first digits: from a table in the text form of libphonenumber's
 * time-zone mapper (its file resources/timezones/map_data.txt): a line `49|Europe/Berlin&Europe/Busingen` for
 * each beginning of a number, comments behind #. */
#ifndef DOMAIN_NUMBER_ZONES_H
#define DOMAIN_NUMBER_ZONES_H

/* Reads the table, once in the life of a process. A file that cannot be read, or is none of these, is fatal; "": there is
 * no table. */
void number_zones_load(const char *path);

/* All zones the number may be in, a space between two names; NULL: nobody knows. Lives as long as the process. */
const char *number_zones(const char *phone_number);

/* Calls `take` for each zone that the table names, once. */
void number_zones_each(void (*take)(const char *zone));

/* How many characters of a number tell all that the table knows. */
int number_zones_reach(void);

#endif
