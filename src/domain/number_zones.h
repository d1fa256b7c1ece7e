/* The time zones in which a telephone number may be, by its first digits. They come from a table in the text form of
 * libphonenumber's time-zone mapper (its file resources/timezones/map_data.txt): one line
 * `49|Europe/Berlin&Europe/Busingen` per prefix, and comments after #. */
#ifndef DOMAIN_NUMBER_ZONES_H
#define DOMAIN_NUMBER_ZONES_H

/* Reads the table, once per process. A file that cannot be read, or is not such a table, is fatal. "": there is no
 * table. */
void number_zones_load(const char *path);

/* Returns all zones in which the number may be, as names separated by spaces; NULL: not known. The text lives as long
 * as the process. */
const char *number_zones(const char *phone_number);

/* Calls `take` once for each zone in the table. */
void number_zones_each(void (*take)(const char *zone));

/* Returns how many characters of a number are enough to find its zones. */
int number_zones_reach(void);

#endif
