/* Contacts from the rows of a CSV file. The first row names the columns, in any order (contact_columns.h); every column that
 * is not known and has a name becomes a custom field. Of several columns with numbers the first that has a
 * number of use counts in each row. */
#ifndef DOMAIN_CONTACT_CSV_H
#define DOMAIN_CONTACT_CSV_H

#include "base/arena.h"
#include "base/buf.h"
#include "domain/contact.h"
#include "domain/contact_columns.h"
#include "domain/csv.h"
#include "domain/phone_text.h"

struct contact_csv {
	struct arena *arena; /* for the names of columns */
	bool phones_only;    /* whatever else is in a row does not count, of use or not */
	bool marks_empty;    /* custom fields whose cell is empty become null. Their size is then left to the caller */
	struct contact_map map; /* set before the header is read */
	struct {
		enum contact_column kind;
		const char *name;
	} columns[CSV_FIELDS_MAX];
	size_t count;
	unsigned members; /* of a contact, that the columns set: CONTACT_HAS_… */
	char timezone[64]; /* the last one that was found to exist */
	struct buf custom; /* the custom fields of the last row */
	char number[PHONE_SIZE]; /* of the last row */
	struct csv_field phone; /* of the last row, as it is in the file: of any bytes */
};

/* Learns the columns; false: *reason says why they are of no use. The struct starts as zeros, with its
 * arena; contact_csv_free releases what it comes to hold, without the arena. */
bool contact_csv_header(struct contact_csv *csv, const struct csv_row *row, char reason[CONTACT_CSV_REASON]);
void contact_csv_free(struct contact_csv *csv);

/* Returns what a column is used as: "phone_number", "custom_field", "ignored", … */
const char *contact_csv_use(const struct contact_csv *csv, size_t column);

enum contact_csv_result {
	CONTACT_CSV_OK,
	CONTACT_CSV_EMPTY, /* every field is: no row at all */
	CONTACT_CSV_BAD,   /* *reason says why; csv->phone is what is in the file */
	CONTACT_CSV_UNREADABLE, /* the same; it may be several rows, so each of row->lines counts as one */
};

/* The texts of *out last as long as the row's, and until the next row is read. */
enum contact_csv_result contact_csv_read(struct contact_csv *csv, const struct csv_row *row,
                                         struct contact_input *out, char reason[CONTACT_CSV_REASON]);

#endif
