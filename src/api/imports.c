#include "api/imports.h"

#include <stddef.h>
#include <string.h>

#include "api/auth.h"
#include "api/reply.h"
#include "api/route.h"
#include "api/upload.h"
#include "base/clock.h"
#include "base/utf8.h"
#include "domain/list_text.h"
#include "domain/phone_country.h"
#include "engine/import.h"
#include "store/batch_store.h"
#include "store/folder_store.h"

#define FOLDER_NAME_MAX 255 /* bytes; a text has at most as many characters */

/* How a file is to be read: map[phone] names the column of the numbers, and so on. */
#define READING_FIELDS(holder) \
	MAP_FIELD(holder, "map[phone]", COLUMN_PHONE), MAP_FIELD(holder, "map[first_name]", COLUMN_FIRST_NAME), \
		MAP_FIELD(holder, "map[last_name]", COLUMN_LAST_NAME), MAP_FIELD(holder, "map[name]", COLUMN_NAME), \
		MAP_FIELD(holder, "map[email]", COLUMN_EMAIL), MAP_FIELD(holder, "map[timezone]", COLUMN_TIMEZONE), \
		FIELD_AS("charset", holder, reading.charset, STRING, .max = 31, .check = check_charset), \
		FIELD_AS("default_country", holder, reading.default_country, STRING, .max = 31, .check = phone_country_check)
#define MAP_FIELD(holder, name, column) FIELD_AS(name, holder, reading.map.columns[column], STRING, .max = 255)

struct import_input {
	struct uuid folder_id; /* nil: a new one */
	bool overwrite_existing, dry_run;
	struct import_options reading;
};

static const char *check_charset(struct arena *arena, const char **value)
{
	(void)arena;
	return list_text_knows(*value) ? NULL : "is not a charset that is known";
}

static const struct import_input import_initial;

FIELD_TABLE(import_fields, struct import_input, &import_initial,
            FIELD(struct import_input, folder_id, ID, .prefix = ID_FOLDER),
            FIELD(struct import_input, overwrite_existing, BOOL), FIELD(struct import_input, dry_run, BOOL),
            READING_FIELDS(struct import_input));

FIELD_TABLE(batch_import_fields, struct import_input, &import_initial, FIELD(struct import_input, dry_run, BOOL),
            READING_FIELDS(struct import_input));

struct suppression_import {
	const char *reason;
	bool dry_run, partial;
	struct import_options reading;
};

static const struct suppression_import suppression_import_initial = { .reason = "" };

FIELD_TABLE(suppression_import_fields, struct suppression_import, &suppression_import_initial,
            FIELD(struct suppression_import, reason, STRING, .max = 255),
            FIELD(struct suppression_import, dry_run, BOOL), FIELD(struct suppression_import, partial, BOOL),
            READING_FIELDS(struct suppression_import));

/* The parts of a form count more than the query. */
static enum db_result read_form_fields(struct request *request, const struct field_table *table,
                                       const struct upload *upload, void *input)
{
	void *from_form = arena_alloc(request->arena, table->size);
	uint64_t given;

	if (field_read_pairs(table, upload->fields, upload->field_count, from_form, &given, &request->faults) != FIELD_OK)
		return reply_refuse_faults(request, ERROR_VALIDATION);
	field_apply(table, given, from_form, input);
	return DB_OK;
}

/* "contacts/spring.csv" makes a folder "spring". Without a file name, the time is the name of the folder. */
static const char *folder_name(struct arena *arena, const char *file_name)
{
	const char *slash = strrchr(file_name, '/'), *backslash = strrchr(file_name, '\\');
	const char *name = slash != NULL ? slash + 1 : backslash != NULL ? backslash + 1 : file_name;
	const char *dot = strrchr(name, '.');
	size_t len = dot != NULL && dot > name ? (size_t)(dot - name) : strlen(name);
	char now[32];

	if (len > 0 && len <= FOLDER_NAME_MAX && utf8_is_valid(name, len))
		return arena_strndup(arena, name, len);
	instant_format_iso(clock_now_us(), now);
	return arena_printf(arena, "Import %.19s", now);
}

static enum db_result push_all(struct request *request, struct upload *upload, struct import *import)
{
	char bytes[REQUEST_CHUNK];
	size_t len;

	for (;;) {
		DB_TRY(upload_read(request, upload, bytes, &len));
		if (len == 0)
			return import_end(import);
		DB_TRY(import_push(import, bytes, len));
	}
}

static void write_details(struct json *json, const struct import_report *report)
{
	json_begin_array(json, "error_details");
	for (size_t i = 0; i < report->detail_count; i++) {
		json_begin_object(json, NULL);
		json_int(json, "row", report->details[i].row);
		json_text(json, "phone", report->details[i].phone);
		json_add_string(json, "reason", report->details[i].reason);
		json_end(json);
	}
	json_end(json);
}

static void write_columns(struct json *json, const struct import_report *report)
{
	json_begin_array(json, "columns");
	for (size_t i = 0; i < report->column_count; i++) {
		json_begin_object(json, NULL);
		json_add_string(json, "name", report->columns[i].name);
		json_add_string(json, "used_as", report->columns[i].used_as);
		json_end(json);
	}
	json_end(json);
	json_string_n(json, "delimiter", &report->delimiter, 1);
}

/* The first rows as they were read. */
static void write_sample(struct json *json, const struct import_report *report)
{
	json_begin_array(json, "sample");
	for (size_t i = 0; i < report->sample_count; i++) {
		const struct import_row *row = &report->sample[i];

		json_begin_object(json, NULL);
		json_int(json, "row", row->row);
		json_text(json, "phone_number", row->contact.phone_number);
		json_text(json, "first_name", row->contact.first_name);
		json_text(json, "last_name", row->contact.last_name);
		json_text(json, "email", row->contact.email);
		json_text(json, "timezone", row->contact.timezone);
		json_raw(json, "custom_fields", row->contact.custom_fields);
		json_text(json, "reason", row->reason);
		json_end(json);
	}
	json_end(json);
}

/* `loaded`: how many contacts were added before. */
static enum db_result refuse_state(struct request *request, enum batch_status status, int64_t loaded)
{
	return reply_refuse(request, ERROR_INVALID_STATE,
	                    loaded == 0 ? "You cannot %s a campaign that is %s."
	                                : "You cannot %s a campaign that is %s. %lld contacts were added before it was.",
	                    batch_action_names[BATCH_ADD_CONTACTS], batch_status_names[status], (long long)loaded);
}

/* write_target writes where the contacts went. */
static enum db_result run(struct request *request, struct upload *upload, struct import *import,
                          struct import_options *reading, bool is_dry,
                          void (*write_target)(struct json *, const struct import_report *))
{
	const struct import_report *report = import_report(import);
	enum db_result result;
	struct json *json;

	if (reading->charset == NULL)
		reading->charset = upload->charset;
	import_set_options(import, reading);
	if (is_dry)
		import_make_dry(import);
	result = push_all(request, upload, import);

	if (result == DB_REFUSED && report->is_away)
		return auth_refuse_away(request);
	if (result == DB_REFUSED && report->fault != NULL)
		return reply_refuse_field(request, "file", "%s", report->fault);
	if (result == DB_REFUSED && !batch_allows(report->batch.status, BATCH_ADD_CONTACTS))
		return refuse_state(request, report->batch.status, report->imported + report->skipped);
	if (result != DB_OK)
		return result;
	json = reply_begin_object(request, 200);
	json_int(json, "rows", report->rows);
	json_int(json, "imported", report->imported);
	json_int(json, "updated", report->updated);
	json_int(json, "skipped", report->skipped);
	json_int(json, "errors", report->errors);
	write_target(json, report);
	write_columns(json, report);
	write_details(json, report);
	json_bool(json, "dry_run", is_dry);
	if (is_dry)
		write_sample(json, report);
	return reply_end_object(request);
}

static void write_folder(struct json *json, const struct import_report *report)
{
	json_id(json, "folder_id", &report->folder_id);
}

static void write_batch(struct json *json, const struct import_report *report)
{
	json_int(json, "total_contacts", report->batch.counts.total);
}

static void write_list(struct json *json, const struct import_report *report)
{
	(void)json, (void)report; /* an organisation has only one do-not-call list */
}

static enum db_result find_folder(struct request *request, const struct import_input *input,
                                  const struct upload *upload, struct contact_folder *folder)
{
	enum db_result result;

	*folder = (struct contact_folder){ .name = folder_name(request->arena, upload->name) };
	if (uuid_is_nil(&input->folder_id))
		return DB_OK;
	result = folder_get(request->db, request->key.organization_id, &input->folder_id, request->arena, folder);
	if (result == DB_NOT_FOUND)
		return reply_refuse_field(request, "folder_id", "does not exist");
	return result;
}

static enum db_result import_folder(struct request *request, struct upload *upload)
{
	struct import_input *input = request->query;
	struct contact_folder folder;
	struct import *import;
	enum db_result result;

	DB_TRY(upload_open(request, upload));
	DB_TRY(read_form_fields(request, &import_fields, upload, input));
	DB_TRY(find_folder(request, input, upload, &folder));
	import = import_to_folder(request->db, request->key.organization_id, &folder, input->overwrite_existing);
	result = run(request, upload, import, &input->reading, input->dry_run, write_folder);
	import_free(import);
	return result;
}

enum db_result imports_to_folder(struct request *request)
{
	struct upload upload;
	enum db_result result = import_folder(request, &upload);

	upload_close(&upload);
	return result;
}

static enum db_result import_batch(struct request *request, struct upload *upload)
{
	struct import_input *input = request->query;
	struct import *import;
	struct batch batch;
	enum db_result result;

	DB_TRY(batch_get(request->db, request->key.organization_id, &request->ids[0], request->arena, &batch));
	if (!batch_allows(batch.status, BATCH_ADD_CONTACTS))
		return refuse_state(request, batch.status, 0);
	DB_TRY(upload_open(request, upload));
	DB_TRY(read_form_fields(request, &batch_import_fields, upload, input));
	import = import_to_batch(request->db, &batch);
	result = run(request, upload, import, &input->reading, input->dry_run, write_batch);
	import_free(import);
	return result;
}

enum db_result imports_to_batch(struct request *request)
{
	struct upload upload = { .name = "" };
	enum db_result result = import_batch(request, &upload);

	upload_close(&upload);
	return result;
}

/* Refuses a list with unusable rows, unless the client accepts a part of it (`partial`). */
static enum db_result refuse_part(struct request *request, const struct import_report *report)
{
	fault_add(&request->faults, "file",
	          "%lld of %lld rows cannot be used, so nothing was loaded: correct the file, or send partial=true",
	          (long long)report->errors, (long long)report->rows);
	for (size_t i = 0; i < report->detail_count; i++)
		fault_add(&request->faults, "file", "row %lld: %s%s%s", (long long)report->details[i].row,
		          report->details[i].phone, *report->details[i].phone != '\0' ? ": " : "", report->details[i].reason);
	return reply_refuse_faults(request, ERROR_VALIDATION);
}

/* Reads the file once before it is loaded. */
static enum db_result check_all_rows(struct request *request, struct upload *upload, struct import *check,
                                     const struct import_options *reading)
{
	const struct import_report *report = import_report(check);
	enum db_result result;

	import_set_options(check, reading);
	import_make_check(check);
	result = push_all(request, upload, check);
	if (result == DB_REFUSED && report->fault != NULL)
		return reply_refuse_field(request, "file", "%s", report->fault);
	if (result == DB_OK && report->errors != 0)
		return refuse_part(request, report);
	return result;
}

static enum db_result check_do_not_call(struct request *request, struct upload *upload,
                                        const struct suppression_import *input)
{
	struct import *check;
	enum db_result result;

	DB_TRY(upload_keep(request, upload));
	check = import_to_do_not_call(request->db, request->key.organization_id, "");
	result = check_all_rows(request, upload, check, &input->reading);
	import_free(check);
	upload_rewind(upload);
	return result;
}

static enum db_result import_do_not_call(struct request *request, struct upload *upload)
{
	struct suppression_import *input = request->query;
	struct import *import;
	enum db_result result;

	DB_TRY(upload_open(request, upload));
	DB_TRY(read_form_fields(request, &suppression_import_fields, upload, input));
	if (input->reading.charset == NULL)
		input->reading.charset = upload->charset;
	if (!input->partial && !input->dry_run)
		DB_TRY(check_do_not_call(request, upload, input));
	import = import_to_do_not_call(request->db, request->key.organization_id, input->reason);
	result = run(request, upload, import, &input->reading, input->dry_run, write_list);
	import_free(import);
	return result;
}

enum db_result imports_to_do_not_call(struct request *request)
{
	struct upload upload = { .name = "" };
	enum db_result result = import_do_not_call(request, &upload);

	upload_close(&upload);
	return result;
}
