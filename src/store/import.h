/* A CSV file of contacts into a folder, a campaign or the do-not-call list, as it comes in: memory does not grow with it,
 * but in a dry run, which remembers the numbers (IMPORT_DRY_MAX).
 * Every thousand rows, or fewer where that takes long, are a transaction of their own, so that others are not kept waiting; an import that
 * breaks off leaves the rows that were loaded by then. Rows that are of no use are told of, and the others
 * are loaded. Use outside of a transaction. */
#ifndef STORE_IMPORT_H
#define STORE_IMPORT_H

#include "domain/batch.h"
#include "domain/contact.h"
#include "domain/contact_columns.h"
#include "domain/csv.h"
#include "store/db.h"

#define IMPORT_DETAILS_MAX 100
#define IMPORT_SAMPLE 20
#define IMPORT_DRY_MAX 2000000 /* different numbers in a dry run */

struct import_report {
	/* The rows of the file, without the header and those that are blank, are the sum of what became of them. A row
	 * whose form is bad may be several: each of its lines counts. */
	int64_t rows, imported, updated, skipped, errors; /* skipped: the number was there already */
	struct {
		int64_t row;         /* as a spreadsheet counts: the header is row 1 */
		const char *phone;   /* what is in the file, shortened; "" */
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
	} sample[IMPORT_SAMPLE]; /* of a dry run: the first rows */
	size_t sample_count;
	struct uuid folder_id; /* nil: no contact was good, and so no folder was made */
	struct batch batch; /* after the latest addition */
	const char *fault;  /* why the file was refused; NULL: batch.status did not allow to add contacts */
};

struct import;

/* folder->id 0: one of this name is made with the first good contact. An existing number is passed over (skipped), or
 * overwritten (updated) in what the file has columns for. */
struct import *import_to_folder(struct db *db, int64_t organization_id, const struct contact_folder *folder,
                                bool overwrite);
/* A number that stands in the campaign already is added as skipped. */
struct import *import_to_batch(struct db *db, const struct batch *batch);
/* Their numbers are put on the list; what stands there already is skipped. */
struct import *import_to_do_not_call(struct db *db, int64_t organization_id, const char *reason);
/* Before anything is pushed: how the file is to be read. The struct's texts are copied. */
struct import_options {
	const char *charset; /* list_text_knows; "" or NULL: UTF-8, or UTF-16 with a mark */
	struct contact_map map;
};
void import_set_options(struct import *import, const struct import_options *options);
/* Before anything is pushed: the import writes nothing, and reports what it would come to. */
void import_make_dry(struct import *import);
void import_free(struct import *import);

/* The first result that is not DB_OK ends the import. DB_REFUSED: see the report. DB_NOT_FOUND: the
 * folder or campaign is gone. */
enum db_result import_push(struct import *import, const char *bytes, size_t len);
enum db_result import_end(struct import *import);

/* Lasts as long as the import. */
const struct import_report *import_report(const struct import *import);

#endif
