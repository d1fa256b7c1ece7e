#include "store/import.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/number_set.h"
#include "base/utf8.h"
#include "domain/contact_csv.h"
#include "domain/list_text.h"
#include "store/campaign.h"
#include "store/contact_store.h"
#include "store/do_not_call_store.h"
#include "store/folder_store.h"
#include "store/rows.h"
#include "store/statements.h"

#define CHUNK_BYTES (1 << 20) /* of texts; then a chunk is full before it has its number of rows */
/* While a chunk is written, other changes of its campaign wait. On a server that has much to do it gets smaller. */
#define CHUNK_US (40 * US_PER_MS)
#define CHUNK_MIN 100
#define PHONE_SHOWN 32 /* bytes */
#define TEXT_OF(number) TEXT_OF_(number)
#define TEXT_OF_(number) #number

/* Where contacts go. Both run in a transaction. */
struct target {
	enum db_result (*find)(struct db *db, void *import); /* the numbers of the chunk that are there: `existing` */
	enum db_result (*add)(struct db *db, void *import);  /* the chunk */
};

struct import {
	struct db *db;
	int64_t organization_id;
	const struct target *target;
	bool overwrite, is_dry;
	const char *reason_to_list; /* of numbers for the do-not-call list */
	struct contact_folder folder;
	bool makes_folder; /* it is not there yet */
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
	const char *existing[CONTACTS_AT_ONCE]; /* custom fields of a number that is there; NULL: it is not */
	size_t count, bytes;
	size_t at_once; /* rows that make it full */
	/* What is written of it: `overwrite` merges custom fields, and may find them too large. */
	struct contact_input ready[CONTACTS_AT_ONCE];
	bool is_refused[CONTACTS_AT_ONCE];
	size_t ready_count;
	int64_t added; /* how many of it were new */
	struct number_set seen; /* numbers, in a dry run */
	struct arena *arena; /* what lasts: the report's texts */
	struct import_report report;
};

/* The parameters after the numbers are `first` and, if count is 2, `second`. */
static enum db_result find(struct import *import, enum sql_statement statement, int64_t first, int64_t second,
                           size_t count)
{
	struct rows numbers = rows_new(import->chunk);
	struct db_rows rows;

	for (size_t i = 0; i < import->count; i++) {
		rows_next(&numbers);
		rows_text(&numbers, "phone", import->contacts[i].phone_number);
		import->existing[i] = NULL;
	}
	DB_TRY(db_query(import->db, statement, (const struct db_value[]){
		rows_value(&numbers), db_int(first), db_int(second) }, 1 + count, import->chunk, &rows));
	for (size_t r = 0; r < rows.count; r++)
		import->existing[db_get_int(&rows, r, 0) - 1] = db_get_text(&rows, r, 1);
	return DB_OK;
}

/* Sets what is written of the chunk. Existing contacts keep the custom fields that the file has no columns for. */
static void prepare(struct import *import)
{
	import->ready_count = 0;
	for (size_t i = 0; i < import->count; i++) {
		struct contact_input *contact = &import->ready[import->ready_count];

		*contact = import->contacts[i];
		import->is_refused[i] = false;
		if (import->columns.marks_empty) {
			contact->custom_fields = field_merge(
				import->chunk, import->existing[i] != NULL ? import->existing[i] : "", contact->custom_fields);
			import->is_refused[i] = contact->custom_fields == NULL ||
			                        strlen(contact->custom_fields) > CONTACT_CUSTOM_FIELDS_MAX;
		}
		import->ready_count += !import->is_refused[i];
	}
}

static enum db_result find_in_folder(struct db *db, void *context)
{
	struct import *import = context;

	(void)db;
	if (import->makes_folder)
		return DB_OK; /* nobody is in it */
	return find(import, SQL_IMPORT_FIND_KEPT, import->organization_id, import->folder.id, 2);
}

/* A second run may find the folder that the first one made. */
static enum db_result make_folder(struct db *db, struct import *import)
{
	struct contact_folder folder = import->folder;
	enum db_result result = folder_lock(db, import->organization_id, &folder.uuid, import->chunk, &folder);

	if (result == DB_NOT_FOUND) {
		folder.created_at_us = folder.updated_at_us = clock_now_us();
		result = folder_insert(db, import->organization_id, &folder);
	}
	import->folder.id = folder.id;
	return result;
}

static enum db_result lock_folder(struct db *db, struct import *import)
{
	DB_TRY(folder_lock(db, import->organization_id, &import->folder.uuid, import->chunk, &(struct contact_folder){ 0 }));
	if (!import->columns.marks_empty)
		return DB_OK;
	return find(import, SQL_IMPORT_LOCK_KEPT, import->organization_id, import->folder.id, 2);
}

static enum db_result add_to_folder(struct db *db, void *context)
{
	struct import *import = context;

	import->added = 0;
	if (!import->makes_folder)
		DB_TRY(lock_folder(db, import));
	prepare(import);
	if (import->ready_count == 0)
		return DB_OK;
	if (import->makes_folder)
		DB_TRY(make_folder(db, import));
	return contacts_add(db, import->organization_id, import->folder.id, import->ready, import->ready_count,
	                    import->overwrite, import->columns.members, clock_now_us(), &import->added);
}

static enum db_result find_in_batch(struct db *db, void *context)
{
	struct import *import = context;

	(void)db;
	return find(import, SQL_CONTACTS_FIND_NUMBERS, import->report.batch.id, 0, 1);
}

static enum db_result add_to_batch(struct db *db, void *context)
{
	struct import *import = context;
	struct campaign_request request = {
		.organization_id = import->organization_id,
		.uuid = import->report.batch.uuid,
		.now_us = clock_now_us(),
		.arena = import->chunk,
		.config.contacts = { import->contacts, import->count },
	};
	enum db_result result = campaign_add_contacts(db, &request);

	import->added = request.added;
	import->report.batch.status = request.batch.status;
	import->report.batch.counts = request.batch.counts;
	return result;
}

static enum db_result add_to_do_not_call(struct db *db, void *context)
{
	struct import *import = context;
	const char **numbers = arena_alloc(import->chunk, import->count * sizeof *numbers);

	for (size_t i = 0; i < import->count; i++)
		numbers[i] = import->contacts[i].phone_number;
	return do_not_call_add(db, import->organization_id, numbers, import->count, import->reason_to_list,
	                       clock_now_us(), &import->added);
}

static enum db_result find_in_do_not_call(struct db *db, void *context)
{
	struct import *import = context;

	(void)db;
	return find(import, SQL_IMPORT_FIND_LISTED, import->organization_id, 0, 1);
}

static const struct target to_folder = { find_in_folder, add_to_folder };
static const struct target to_batch = { find_in_batch, add_to_batch };
static const struct target to_do_not_call = { find_in_do_not_call, add_to_do_not_call };

static void adapt_chunk(struct import *import, int64_t took_us)
{
	size_t fitting = import->count * CHUNK_US / (size_t)(took_us + 1);

	if (fitting > 2 * import->at_once)
		fitting = 2 * import->at_once;
	import->at_once = fitting < CHUNK_MIN ? CHUNK_MIN : fitting > CONTACTS_AT_ONCE ? CONTACTS_AT_ONCE : fitting;
}

/* Adding to a campaign once more after an unanswered COMMIT would add every number as a duplicate. */
static enum db_result add_chunk(struct import *import)
{
	enum db_again again = import->target == &to_batch ? DB_ONCE : DB_REPEATABLE;
	int64_t began_us = clock_mono_us();

	DB_TRY(db_transact(import->db, again, import->target->add, import));
	adapt_chunk(import, clock_mono_us() - began_us);
	if (import->target == &to_folder && import->ready_count != 0) {
		import->makes_folder = false;
		import->report.folder_id = import->folder.uuid;
	}
	return DB_OK;
}

/* What add_chunk would come to. */
static enum db_result rehearse_chunk(struct import *import)
{
	DB_TRY(db_transact(import->db, DB_REPEATABLE, import->target->find, import));
	prepare(import);
	import->added = 0;
	for (size_t i = 0; i < import->count; i++) {
		uint64_t number = strtoull(import->contacts[i].phone_number + 1, NULL, 10);

		if (!import->is_refused[i] && import->existing[i] == NULL)
			import->added += number_set_add(&import->seen, number);
	}
	if (import->target == &to_batch)
		import->report.batch.counts.total += (int64_t)import->count;
	if (import->seen.count <= IMPORT_DRY_MAX)
		return DB_OK;
	import->report.fault = "a dry run takes at most " TEXT_OF(IMPORT_DRY_MAX) " different numbers";
	return DB_REFUSED;
}

/* What the file has for a number, cut where it is long. */
static const char *shown_phone(struct import *import, const char *phone, size_t len)
{
	struct buf shown = { 0 };
	const char *text;

	utf8_excerpt(&shown, phone, len, PHONE_SHOWN);
	if (len > PHONE_SHOWN)
		buf_puts(&shown, "\xe2\x80\xa6");
	if (shown.len != 0)
		utf8_blank_controls(shown.data);
	text = arena_strdup(import->arena, buf_text(&shown));
	buf_free(&shown);
	return text;
}

static void note_error(struct import *import, int64_t row, const char *phone, const char *reason)
{
	struct import_report *report = &import->report;

	if (report->detail_count == IMPORT_DETAILS_MAX)
		return;
	report->details[report->detail_count].row = row;
	report->details[report->detail_count].phone = arena_strdup(import->arena, phone);
	report->details[report->detail_count].reason = arena_strdup(import->arena, reason);
	report->detail_count++;
}

static int64_t count_refused(struct import *import)
{
	int64_t refused = 0;

	for (size_t i = 0; i < import->count; i++) {
		if (!import->is_refused[i])
			continue;
		refused++;
		note_error(import, import->rows[i], import->contacts[i].phone_number,
		           "with those that it has, the custom fields have more than " TEXT_OF(CONTACT_CUSTOM_FIELDS_MAX)
		           " bytes");
	}
	return refused;
}

static enum db_result flush(struct import *import)
{
	struct import_report *report = &import->report;
	int64_t refused, there;

	if (import->count == 0)
		return DB_OK;
	DB_TRY(import->is_dry ? rehearse_chunk(import) : add_chunk(import));
	refused = count_refused(import);
	there = (int64_t)import->count - refused - import->added;
	report->imported += import->added;
	report->errors += refused;
	*(import->overwrite ? &report->updated : &report->skipped) += there;
	arena_reset(import->chunk);
	import->count = import->bytes = 0;
	return DB_OK;
}

static void describe_columns(struct import *import)
{
	struct import_report *report = &import->report;

	report->delimiter = csv_delimiter(import->csv);
	for (size_t i = 0; i < import->columns.count; i++)
		report->columns[i] = (struct import_column){
			import->columns.columns[i].name, contact_csv_use(&import->columns, i),
		};
	report->column_count = import->columns.count;
}

static enum db_result read_header(struct import *import, const struct csv_row *row)
{
	import->has_header = true;
	if (!contact_csv_header(&import->columns, row, import->reason)) {
		import->report.fault = import->reason;
		return DB_REFUSED;
	}
	import->columns.marks_empty = import->overwrite && (import->columns.members & CONTACT_HAS_CUSTOM_FIELDS) != 0;
	describe_columns(import);
	return DB_OK;
}

static const char *keep(struct import *import, const char *text)
{
	size_t len = strlen(text);

	import->bytes += len;
	return len == 0 ? "" : arena_strndup(import->chunk, text, len);
}

static enum db_result take_contact(struct import *import, int64_t row, const struct contact_input *contact)
{
	import->rows[import->count] = row;
	import->contacts[import->count++] = (struct contact_input){
		.phone_number = keep(import, contact->phone_number),
		.first_name = keep(import, contact->first_name),
		.last_name = keep(import, contact->last_name),
		.email = keep(import, contact->email),
		.timezone = keep(import, contact->timezone),
		.custom_fields = keep(import, contact->custom_fields),
	};
	if (import->count < import->at_once && import->bytes < CHUNK_BYTES)
		return DB_OK;
	return flush(import);
}

/* reason: NULL, or why the row is of no use. */
static void show_row(struct import *import, int64_t row, const struct contact_input *contact, const char *reason)
{
	struct arena *arena = import->arena;

	if (!import->is_dry || import->report.sample_count == IMPORT_SAMPLE)
		return;
	import->report.sample[import->report.sample_count++] = (struct import_row){
		.row = row,
		.contact = {
			.phone_number = arena_strdup(arena, contact->phone_number),
			.first_name = arena_strdup(arena, contact->first_name),
			.last_name = arena_strdup(arena, contact->last_name),
			.email = arena_strdup(arena, contact->email),
			.timezone = arena_strdup(arena, contact->timezone),
			.custom_fields = field_merge(arena, "", contact->custom_fields),
		},
		.reason = reason != NULL ? arena_strdup(arena, reason) : NULL,
	};
}

/* Bad rows are counted. Of some also the text is shown, so memory does not grow with their number. */
static void take_bad_row(struct import *import, const struct csv_row *row, int64_t rows)
{
	const struct csv_field *phone = &import->columns.phone;
	const struct import_report *report = &import->report;
	struct contact_input shown = {
		.first_name = "", .last_name = "", .email = "", .timezone = "", .custom_fields = "",
	};

	import->report.rows += rows;
	import->report.errors += rows;
	if (report->detail_count == IMPORT_DETAILS_MAX && (!import->is_dry || report->sample_count == IMPORT_SAMPLE))
		return;
	shown.phone_number = shown_phone(import, phone->text, phone->len);
	note_error(import, row->number, shown.phone_number, import->reason);
	show_row(import, row->number, &shown, import->reason);
}

static enum db_result read_contact(struct import *import, const struct csv_row *row)
{
	struct contact_input contact;

	switch (contact_csv_read(&import->columns, row, &contact, import->reason)) {
	case CONTACT_CSV_OK:
		import->report.rows++;
		show_row(import, row->number, &contact, NULL);
		return take_contact(import, row->number, &contact);
	case CONTACT_CSV_BAD:
		take_bad_row(import, row, 1);
		break;
	case CONTACT_CSV_UNREADABLE:
		take_bad_row(import, row, row->lines);
		break;
	case CONTACT_CSV_EMPTY:
		break;
	}
	return DB_OK;
}

static bool take_row(void *context, const struct csv_row *row)
{
	struct import *import = context;

	import->result = import->has_header ? read_contact(import, row) : read_header(import, row);
	return import->result == DB_OK;
}

static struct import *import_new(struct db *db, int64_t organization_id, const struct target *target)
{
	struct import *import = calloc(1, sizeof *import);

	if (import == NULL)
		fatal("out of memory");
	import->db = db;
	import->organization_id = organization_id;
	import->at_once = CONTACTS_AT_ONCE;
	import->target = target;
	import->arena = arena_new();
	import->chunk = arena_new();
	import->columns.arena = import->arena;
	import->text = list_text_new("");
	import->csv = csv_new(take_row, import);
	return import;
}

struct import *import_to_folder(struct db *db, int64_t organization_id, const struct contact_folder *folder,
                                bool overwrite)
{
	struct import *import = import_new(db, organization_id, &to_folder);

	import->overwrite = overwrite;
	import->folder = *folder;
	import->folder.name = arena_strdup(import->arena, folder->name);
	import->folder.description = "";
	import->makes_folder = folder->id == 0;
	if (import->makes_folder)
		import->folder.uuid = uuid_new();
	else
		import->report.folder_id = folder->uuid;
	return import;
}

struct import *import_to_batch(struct db *db, const struct batch *batch)
{
	struct import *import = import_new(db, batch->organization_id, &to_batch);

	import->report.batch.id = batch->id;
	import->report.batch.uuid = batch->uuid;
	import->report.batch.status = batch->status;
	import->report.batch.counts = batch->counts;
	return import;
}

struct import *import_to_do_not_call(struct db *db, int64_t organization_id, const char *reason)
{
	struct import *import = import_new(db, organization_id, &to_do_not_call);

	import->columns.phones_only = true;
	import->reason_to_list = arena_strdup(import->arena, reason);
	return import;
}

void import_set_options(struct import *import, const struct import_options *options)
{
	list_text_free(import->text);
	import->text = list_text_new(options->charset != NULL ? options->charset : "");
	for (size_t i = 0; i < COLUMN__MAX; i++)
		if (options->map.columns[i] != NULL)
			import->columns.map.columns[i] = arena_strdup(import->arena, options->map.columns[i]);
}

void import_make_dry(struct import *import)
{
	import->is_dry = true;
}

void import_free(struct import *import)
{
	if (import == NULL)
		return;
	list_text_free(import->text);
	csv_free(import->csv);
	contact_csv_free(&import->columns);
	number_set_free(&import->seen);
	arena_free(import->chunk);
	arena_free(import->arena);
	free(import);
}

static void refuse_file(struct import *import, const char *fault)
{
	import->report.fault = fault;
	import->result = DB_REFUSED;
}

enum db_result import_push(struct import *import, const char *bytes, size_t len)
{
	const char *fault;

	if (import->result != DB_OK)
		return import->result;
	fault = list_text_push(import->text, &bytes, &len);
	if (fault != NULL)
		refuse_file(import, fault);
	else
		csv_push(import->csv, bytes, len);
	return import->result;
}

/* What is left of the text, and the row that has no line end. */
static void end_text(struct import *import)
{
	const char *bytes, *fault;
	size_t len;

	fault = list_text_end(import->text, &bytes, &len);
	if (fault != NULL)
		refuse_file(import, fault);
	else if (csv_push(import->csv, bytes, len))
		csv_end(import->csv);
}

enum db_result import_end(struct import *import)
{
	if (import->result == DB_OK)
		end_text(import);
	if (import->result == DB_OK && !import->has_header)
		refuse_file(import, "the file is empty");
	if (import->result == DB_OK)
		import->result = flush(import);
	return import->result;
}

const struct import_report *import_report(const struct import *import)
{
	return &import->report;
}
