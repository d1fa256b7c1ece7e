/* Contacts from the rows of a CSV file. The first row names the columns, in any case and order: `phone`
 * or `phone_number` must be there; `first_name` and `last_name`, or `name`; `email`; `timezone`. Every
 * other column that has a name becomes a custom field. */
#ifndef DOMAIN_CONTACT_CSV_H
#define DOMAIN_CONTACT_CSV_H

#include "base/arena.h"
#include "base/buf.h"
#include "domain/contact.h"
#include "domain/csv.h"

#define CONTACT_CSV_REASON 128

struct contact_csv {
	struct arena *arena; /* for the names of columns */
	bool phones_only;    /* whatever else stands in a row does not count, be it of use or not */
	struct {
		int kind;         /* of the known columns, or a custom field, or none */
		const char *name; /* of a custom field */
	} columns[CSV_FIELDS_MAX];
	size_t count;
	char timezone[64]; /* the last one that was found to exist */
	struct buf custom; /* the custom fields of the last row */
};

/* Learns the columns; false: *reason says why they are of no use. The struct starts as zeros, with its
 * arena; contact_csv_free releases what it comes to hold, without the arena. */
bool contact_csv_header(struct contact_csv *csv, const struct csv_row *row, char reason[CONTACT_CSV_REASON]);
void contact_csv_free(struct contact_csv *csv);

enum contact_csv_result {
	CONTACT_CSV_OK,
	CONTACT_CSV_EMPTY, /* every field is: no row at all */
	CONTACT_CSV_BAD,   /* *reason says why; out->phone_number is what stands there, or "" */
};

/* The texts of *out last as long as the row's, and until the next row is read. */
enum contact_csv_result contact_csv_read(struct contact_csv *csv, const struct csv_row *row,
                                         struct contact_input *out, char reason[CONTACT_CSV_REASON]);

#endif
