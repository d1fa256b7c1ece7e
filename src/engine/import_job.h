/* The state that the parts of an import share: import.c reads rows and reports on them, import_target.c finds and
 * writes contacts at their target, import_chunk.c makes a transaction of each chunk. */
#ifndef ENGINE_IMPORT_JOB_H
#define ENGINE_IMPORT_JOB_H

#include "base/number_set.h"
#include "domain/contact_csv.h"
#include "domain/list_text.h"
#include "engine/import.h"
#include "store/audit_store.h"
#include "store/contact_store.h"

/* The target of an import. Both functions run in a transaction. */
struct import_target {
	enum db_result (*find)(struct db *db, void *import); /* the numbers of the chunk that are there: `existing` */
	enum db_result (*add)(struct db *db, void *import);  /* the chunk */
	enum audit_object object;                            /* the object in the audit log */
};

struct import {
	struct db *db;
	int64_t organization_id;
	const struct import_target *target;
	bool overwrite, is_dry, is_check;
	const char *reason_to_list; /* of numbers for the do-not-call list */
	struct contact_folder folder;
	bool makes_folder; /* the folder does not exist yet */
	struct list_text *text;
	struct csv *csv;
	struct contact_csv columns;
	bool has_header;
	enum db_result result; /* not DB_OK: the import is over */
	char reason[CONTACT_CSV_REASON];
	/* The chunk that is being filled. */
	struct arena *chunk;
	struct contact_input contacts[CONTACTS_AT_ONCE];
	int64_t rows[CONTACTS_AT_ONCE];
	const char *existing[CONTACTS_AT_ONCE]; /* custom fields of an existing number; NULL: it does not exist */
	size_t count, bytes;
	size_t at_once; /* rows that make it full */
	/* The fields to write: `overwrite` merges custom fields, and may find that they are too large. */
	struct contact_input ready[CONTACTS_AT_ONCE];
	bool is_refused[CONTACTS_AT_ONCE];
	size_t ready_count;
	int64_t added;          /* how many of it were new */
	struct number_set seen; /* numbers, in a dry run */
	int64_t audit_row;      /* its entry of the audit log, which grows with it; 0: there is none yet */
	struct arena *arena;    /* memory of the report's texts */
	struct import_report report;
};

extern const struct import_target import_folder, import_campaign, import_do_not_call;

/* Sets the fields to write for the chunk. Existing contacts keep the custom fields for which the file has no
 * columns. */
void import_prepare(struct import *import);

/* Writes the chunk, or finds out what writing it would come to, and counts it in the report. The chunk is empty then.
 */
enum db_result import_flush(struct import *import);
/* Brings the import's entry in the audit log up to date. */
enum db_result import_finish_audit(struct import *import);

/* Adds a row to the first errors of the report. */
void import_note_error(struct import *import, int64_t row, const char *phone, const char *reason);

#endif
