/* The results of a campaign as CSV (RFC 4180) with a header row. Spreadsheets execute formulas: a text that begins
 * like a formula gets an apostrophe before it, and is then shown as text. Telephone numbers begin with "+" and are
 * left alone, except in files for spreadsheets, which read them as quantities. There, telephone numbers and other
 * digits that would be changed are written as ="+4930123456", and custom fields are columns too. Imports undo all
 * of this. */
#ifndef API_RESULTS_CSV_H
#define API_RESULTS_CSV_H

#include "base/arena.h"
#include "base/buf.h"
#include "store/batch_contact_store.h"

#define RESULTS_NAMES_MAX 200 /* columns of custom fields; an import takes 256 columns */
#define RESULTS_NAME_MAX 255  /* bytes */

struct results_csv {
	bool excel;
	const char *names[RESULTS_NAMES_MAX]; /* of custom fields that have a column */
	size_t count;
	bool has_others; /* custom fields without a column: their object is in one more column */
};

/* Call it before the header is written, for the custom fields of each contact. */
void results_csv_learn(struct results_csv *csv, struct arena *names, struct arena *scratch, const char *object);

void results_csv_header(const struct results_csv *csv, struct buf *out);
void results_csv_row(const struct results_csv *csv, struct arena *scratch, struct buf *out,
                     const struct batch_contact *contact);

#endif
