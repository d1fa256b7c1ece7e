/* Imports a CSV file of contacts into a folder, a campaign or the do-not-call list while it arrives. Memory does not
 * grow with the file, except in a dry run, which remembers the numbers (IMPORT_DRY_MAX). Every thousand rows (fewer if
 * that takes long) are a transaction of their own, so that other transactions do not wait. If an import breaks off, the
 * rows before remain. Rows that cannot be used are reported, and the others are loaded. Use it outside of a
 * transaction. */
#ifndef ENGINE_IMPORT_H
#define ENGINE_IMPORT_H

#include "domain/batch.h"
#include "domain/contact.h"
#include "domain/contact_columns.h"
#include "domain/csv.h"
#include "store/db.h"

#define IMPORT_DETAILS_MAX 100
#define IMPORT_SAMPLE 20
#define IMPORT_DRY_MAX 2000000 /* different numbers in a dry run */

struct import_report {
	/* The rows of the file, without the header and blank rows, are the sum of the counters below. A row with wrong
	 * quotes counts as several: each of its lines counts. */
	int64_t rows, imported, updated, skipped, errors; /* skipped: the number was there already */
	struct {
		int64_t row;       /* as a spreadsheet counts: the header is row 1 */
		const char *phone; /* the text in the file, shortened; "" */
		const char *reason;
	} details[IMPORT_DETAILS_MAX]; /* of the first errors */
	size_t detail_count;
	struct import_column {
		const char *name, *used_as; /* contact_csv_use */
	} columns[CSV_FIELDS_MAX];
	size_t column_count;
	char delimiter;
	struct import_row {
		int64_t row;
		struct contact_input contact; /* of an error: the number as in details */
		const char *reason;           /* of an error; NULL */
	} sample[IMPORT_SAMPLE];          /* of a dry run: the first rows */
	size_t sample_count;
	struct uuid folder_id; /* nil: no contact was good, and so no folder was made */
	struct batch batch;    /* after the latest addition */
	bool is_away;          /* the organisation has moved to another cell (a fault) */
	const char *fault;     /* why the file was refused; NULL: contacts cannot be added in the state batch.status */
};

struct import;

/* folder->id 0: a folder of this name is created with the first good contact. An existing number is skipped, or the
 * fields for which the file has columns are overwritten (updated). */
struct import *import_to_folder(struct db *db, int64_t organization_id, const struct contact_folder *folder,
                                bool overwrite);
/* A number that is in the campaign already is added as skipped. */
struct import *import_to_batch(struct db *db, const struct batch *batch);
/* Puts the numbers on the list; a number that is on it already is skipped. */
struct import *import_to_do_not_call(struct db *db, int64_t organization_id, const char *reason);
/* Call it before anything is pushed: sets how the file is read. The struct's texts are copied. */
struct import_options {
	const char *charset;         /* list_text_knows; "" or NULL: UTF-8, or UTF-16 with a mark */
	const char *default_country; /* of numbers without one (phone_country_check); "" or NULL: they are refused */
	struct contact_map map;
};
void import_set_options(struct import *import, const struct import_options *options);
/* Call it before anything is pushed: the import writes nothing, and reports what it would do. */
void import_make_dry(struct import *import);
/* Call it before anything is pushed: the rows are judged without the database. */
void import_make_check(struct import *import);
void import_free(struct import *import);

/* The first result that is not DB_OK ends the import. DB_REFUSED: see the report. DB_NOT_FOUND: the
 * folder or campaign is gone. */
enum db_result import_push(struct import *import, const char *bytes, size_t len);
enum db_result import_end(struct import *import);

/* Lasts as long as the import. */
const struct import_report *import_report(const struct import *import);

#endif
