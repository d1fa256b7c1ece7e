#include "engine/import_job.h"

#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/utf8.h"

#define CHUNK_BYTES (1 << 20) /* of texts; then a chunk is full before it has its number of rows */
#define PHONE_SHOWN 32        /* bytes */

/* The text of a number in the file, shortened if it is long. */
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

void import_note_error(struct import *import, int64_t row, const char *phone, const char *reason)
{
	struct import_report *report = &import->report;

	if (report->detail_count == IMPORT_DETAILS_MAX)
		return;
	report->details[report->detail_count].row = row;
	report->details[report->detail_count].phone = arena_strdup(import->arena, phone);
	report->details[report->detail_count].reason = arena_strdup(import->arena, reason);
	report->detail_count++;
}

static void describe_columns(struct import *import)
{
	struct import_report *report = &import->report;

	report->delimiter = csv_delimiter(import->csv);
	for (size_t i = 0; i < import->columns.count; i++)
		report->columns[i] = (struct import_column){
			import->columns.columns[i].name,
			contact_csv_use(&import->columns, i),
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
	return import_flush(import);
}

/* reason: NULL, or why the row cannot be used. */
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
		.first_name = "", .last_name = "", .email = "", .timezone = "", .custom_fields = ""
	};

	import->report.rows += rows;
	import->report.errors += rows;
	if (report->detail_count == IMPORT_DETAILS_MAX && (!import->is_dry || report->sample_count == IMPORT_SAMPLE))
		return;
	shown.phone_number = shown_phone(import, phone->text, phone->len);
	import_note_error(import, row->number, shown.phone_number, import->reason);
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
	case CONTACT_CSV_BAD: take_bad_row(import, row, 1); break;
	case CONTACT_CSV_UNREADABLE: take_bad_row(import, row, row->lines); break;
	case CONTACT_CSV_EMPTY: break;
	}
	return DB_OK;
}

static bool take_row(void *context, const struct csv_row *row)
{
	struct import *import = context;

	import->result = import->has_header ? read_contact(import, row) : read_header(import, row);
	return import->result == DB_OK;
}

static struct import *import_new(struct db *db, int64_t organization_id, const struct import_target *target)
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
	struct import *import = import_new(db, organization_id, &import_folder);

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
	struct import *import = import_new(db, batch->organization_id, &import_campaign);

	import->report.batch.id = batch->id;
	import->report.batch.uuid = batch->uuid;
	import->report.batch.status = batch->status;
	import->report.batch.counts = batch->counts;
	return import;
}

struct import *import_to_do_not_call(struct db *db, int64_t organization_id, const char *reason)
{
	struct import *import = import_new(db, organization_id, &import_do_not_call);

	import->columns.phones_only = true;
	import->columns.reading.is_long_enough = true; /* a number that is not in use does no harm on the list */
	import->reason_to_list = arena_strdup(import->arena, reason);
	return import;
}

void import_set_options(struct import *import, const struct import_options *options)
{
	list_text_free(import->text);
	import->text = list_text_new(options->charset != NULL ? options->charset : "");
	if (options->default_country != NULL)
		import->columns.reading.country = arena_strdup(import->arena, options->default_country);
	for (size_t i = 0; i < COLUMN__MAX; i++)
		if (options->map.columns[i] != NULL)
			import->columns.map.columns[i] = arena_strdup(import->arena, options->map.columns[i]);
}

void import_make_dry(struct import *import)
{
	import->is_dry = true;
}

void import_make_check(struct import *import)
{
	import->is_check = true;
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

/* Reads the rest of the text, and a last row without a line end. */
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
		import->result = import_flush(import);
	if (import->result == DB_OK) /* unusable rows may have come after the last chunk */
		import->result = import_finish_audit(import);
	return import->result;
}

const struct import_report *import_report(const struct import *import)
{
	return &import->report;
}
