/* What the columns of a list are used as: told by their names, which exports spell in many ways and languages, or by
 * whoever sends the list. */
#ifndef DOMAIN_CONTACT_COLUMNS_H
#define DOMAIN_CONTACT_COLUMNS_H

#include <stdbool.h>
#include <stddef.h>

#define CONTACT_CSV_REASON 128

enum contact_column {
	COLUMN_IGNORED,
	COLUMN_CUSTOM,
	COLUMN_PHONE, /* from here on: members of a contact, each in one line */
	COLUMN_FIRST_NAME,
	COLUMN_LAST_NAME,
	COLUMN_NAME, /* a full name */
	COLUMN_EMAIL,
	COLUMN_TIMEZONE,
	COLUMN__MAX
};

/* For people and clients: "phone_number", "custom_field", … */
extern const char *const contact_column_names[COLUMN__MAX];

/* What may be chosen by hand, from COLUMN_PHONE on: "phone", "first_name", … */
extern const char *const contact_map_names[COLUMN__MAX];

/* Names of columns that somebody chose; "" or NULL: what the names say. */
struct contact_map {
	const char *columns[COLUMN__MAX];
};

/* Sorts the columns. Several may have numbers; with phones_only no more than one. False: *reason says why they are of no use. */
bool contact_columns_sort(const char *const *names, size_t count, const struct contact_map *map, bool phones_only,
                          enum contact_column *kinds, char reason[CONTACT_CSV_REASON]);

#endif
