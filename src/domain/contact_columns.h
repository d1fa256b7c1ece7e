/* The use of the columns of a list. The names of the columns decide, which exports spell in many ways and languages,
 * or the client that sends the list. */
#ifndef DOMAIN_CONTACT_COLUMNS_H
#define DOMAIN_CONTACT_COLUMNS_H

#include <stdbool.h>
#include <stddef.h>

#define CONTACT_CSV_REASON 128

enum contact_column {
	COLUMN_IGNORED,
	COLUMN_CUSTOM,
	COLUMN_PHONE, /* from here on: members of a contact */
	COLUMN_FIRST_NAME,
	COLUMN_LAST_NAME,
	COLUMN_NAME, /* a full name */
	COLUMN_EMAIL,
	COLUMN_TIMEZONE,
	COLUMN__MAX
};

/* Names for people and clients: "phone_number", "custom_field", … */
extern const char *const contact_column_names[COLUMN__MAX];

/* Writes the reason. Always returns false, so that callers can return the result. */
bool contact_fault(char reason[CONTACT_CSV_REASON], const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Names of the uses that a client may choose, from COLUMN_PHONE on: "phone", "first_name", … */
extern const char *const contact_map_names[COLUMN__MAX];

/* Names of columns that the client chose; "" or NULL: decided by the names of the columns. */
struct contact_map {
	const char *columns[COLUMN__MAX];
};

/* Decides the use of each column. Several columns may have numbers; with phones_only only one. Returns false if the
 * columns cannot be used, and *reason says why. */
bool contact_columns_sort(const char *const *names, size_t count, const struct contact_map *map, bool phones_only,
                          enum contact_column *kinds, char reason[CONTACT_CSV_REASON]);

#endif
