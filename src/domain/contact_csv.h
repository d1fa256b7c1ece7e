/* Contacts from the rows of a CSV file. The first row names the columns, in any order (contact_columns.h). A column
 * with an unknown name becomes a custom field. If several columns have numbers, or a cell has several, the first usable
 * number of each row counts. The other numbers become custom fields. */
#ifndef DOMAIN_CONTACT_CSV_H
#define DOMAIN_CONTACT_CSV_H

#include "base/arena.h"
#include "base/buf.h"
#include "domain/contact.h"
#include "domain/contact_columns.h"
#include "domain/csv.h"
#include "domain/phone_text.h"

struct contact_csv {
	struct arena *arena;          /* for the names of columns */
	bool phones_only;             /* only numbers are read: nothing else in a row is judged */
	bool marks_empty;             /* custom fields with empty cells become null, and the caller checks their size */
	struct contact_map map;       /* set before the header is read */
	struct phone_reading reading; /* the same */
	struct {
		enum contact_column kind;
		const char *name;
	} columns[CSV_FIELDS_MAX];
	size_t count, phones;           /* the columns, and the columns with numbers */
	unsigned members;               /* the members of a contact that the columns set: CONTACT_HAS_… */
	char timezone[64];              /* the last zone that was found to exist */
	struct buf custom;              /* the custom fields of the last row */
	char number[PHONE_SIZE];        /* of the last row */
	struct csv_field phone;         /* of the last row, as they are in the file: any bytes */
	size_t phone_column;            /* where the number of the last row was; `count`: there is none */
	char phone_fault[PHONE_REASON]; /* of `phone`, if it cannot be used */
};

/* Reads the names of the columns. Returns false, and *reason says why, if they cannot be used. The struct starts as
 * zeros, with its arena. contact_csv_free releases everything but the arena. */
bool contact_csv_header(struct contact_csv *csv, const struct csv_row *row, char reason[CONTACT_CSV_REASON]);
void contact_csv_free(struct contact_csv *csv);

/* Returns the use of a column: "phone_number", "custom_field", "ignored", … */
const char *contact_csv_use(const struct contact_csv *csv, size_t column);

enum contact_csv_result {
	CONTACT_CSV_OK,
	CONTACT_CSV_EMPTY,      /* every field is empty: not a row */
	CONTACT_CSV_BAD,        /* *reason says why; csv->phone is the number as in the file */
	CONTACT_CSV_UNREADABLE, /* *reason says why; it may be several rows, so each of row->lines counts as one */
};

/* Reads a row. The texts of *out last until the next row is read, or as long as those of `row`. */
enum contact_csv_result contact_csv_read(struct contact_csv *csv, const struct csv_row *row, struct contact_input *out,
                                         char reason[CONTACT_CSV_REASON]);

#endif
