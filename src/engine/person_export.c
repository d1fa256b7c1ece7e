#include "engine/person_export.h"

#include "base/instant.h"
#include "domain/call_json.h"
#include "domain/contact.h"
#include "engine/person_erasure.h"
#include "store/call_store.h"
#include "store/columns.h"
#include "store/contact_store.h"
#include "store/do_not_call_store.h"
#include "store/statements.h"

/* A contact in a campaign. */
struct person_copy {
	int64_t batch_row, position, attempts;
	struct uuid batch_id;
	const char *batch_name;
	struct contact_input who;
	int status;
};

COLUMNS(person_copy_columns, struct person_copy, COLUMN(struct person_copy, batch_row),
        COLUMN(struct person_copy, batch_id), COLUMN(struct person_copy, batch_name),
        COLUMN(struct person_copy, position), COLUMN_AS(struct person_copy, first_name, who.first_name),
        COLUMN_AS(struct person_copy, last_name, who.last_name), COLUMN_AS(struct person_copy, email, who.email),
        COLUMN_AS(struct person_copy, timezone, who.timezone),
        COLUMN_AS(struct person_copy, custom_fields, who.custom_fields), COLUMN(struct person_copy, status),
        COLUMN(struct person_copy, attempts));

/* The data that a client sent with a single call. */
struct person_call {
	struct uuid id;
	const char *variables, *call_settings;
};

COLUMNS(person_call_columns, struct person_call, COLUMN(struct person_call, id), COLUMN(struct person_call, variables),
        COLUMN(struct person_call, call_settings));

struct export_job {
	struct db *db;
	int64_t organization_id;
	const char *phone_number;
	struct arena *arena;
	struct json *json;
	bool is_complete;
};

static void write_who(struct json *json, const struct contact_input *who)
{
	json_text(json, "first_name", who->first_name);
	json_text(json, "last_name", who->last_name);
	json_text(json, "email", who->email);
	json_text(json, "timezone", who->timezone);
	json_raw(json, "custom_fields", who->custom_fields);
}

static enum db_result export_contacts(struct export_job *export)
{
	struct db_value organization = db_int(export->organization_id);
	struct json *json = export->json;
	struct db_rows rows;

	DB_TRY(db_query(export->db, SQL_PERSON_KEPT,
	                DB_ARGS(organization, organization, db_text(export->phone_number), db_int(PERSON_ROWS_MAX)),
	                export->arena, &rows));
	export->is_complete &= rows.count < PERSON_ROWS_MAX;
	json_begin_array(json, "contacts");
	for (size_t r = 0; r < rows.count; r++) {
		struct uuid id = db_get_uuid(&rows, r, 0);
		struct contact contact;
		enum db_result result = contact_get(export->db, export->organization_id, &id, export->arena, &contact);

		if (result == DB_NOT_FOUND) /* its folder is being deleted */
			continue;
		DB_TRY(result);
		json_begin_object(json, NULL);
		json_id(json, "id", &contact.uuid);
		json_id(json, "folder_id", &contact.folder_id);
		write_who(json, &contact.who);
		json_instant(json, "last_called_at", contact.last_called_at_us);
		json_instant(json, "created_at", contact.created_at_us);
		json_instant(json, "updated_at", contact.updated_at_us);
		json_end(json);
	}
	json_end(json);
	return DB_OK;
}

static enum db_result export_campaigns(struct export_job *export)
{
	struct json *json = export->json;
	const struct person_copy *copies;
	struct db_rows rows;

	DB_TRY(db_query(export->db, SQL_PERSON_COPIES,
	                DB_ARGS(db_int(export->organization_id), db_text(export->phone_number), db_int(PERSON_ROWS_MAX)),
	                export->arena, &rows));
	copies = DB_STRUCTS(&rows, struct person_copy);
	export->is_complete &= rows.count < PERSON_ROWS_MAX;
	json_begin_array(json, "campaigns");
	for (size_t r = 0; r < rows.count; r++) {
		json_begin_object(json, NULL);
		json_id(json, "batch_call_id", &copies[r].batch_id);
		json_add_string(json, "name", copies[r].batch_name);
		json_int(json, "position", copies[r].position);
		write_who(json, &copies[r].who);
		json_add_string(json, "status", contact_status_names[copies[r].status]);
		json_int(json, "attempts", copies[r].attempts);
		json_end(json);
	}
	json_end(json);
	return DB_OK;
}

static enum db_result export_calls(struct export_job *export)
{
	const struct call_filter filter = {
		.to_number = export->phone_number, .from_number = "", .after_us = INSTANT_NONE, .before_us = INSTANT_NEVER
	};
	const struct page page = { .limit = PERSON_ROWS_MAX, .cursor = "" };
	struct listing calls;

	DB_TRY(call_list(export->db, export->organization_id, &filter, &page, export->arena, &calls));
	export->is_complete &= !calls.has_more;
	json_begin_array(export->json, "calls");
	for (size_t i = 0; i < calls.count; i++)
		json_add_object(export->json, NULL, call_write, (const char *)calls.items + i * calls.item_size);
	json_end(export->json);
	return DB_OK;
}

static enum db_result export_single_calls(struct export_job *export)
{
	struct json *json = export->json;
	const struct person_call *calls;
	struct db_rows rows;

	DB_TRY(db_query(export->db, SQL_PERSON_SINGLE_CALLS,
	                DB_ARGS(db_int(export->organization_id), db_text(export->phone_number), db_int(PERSON_ROWS_MAX)),
	                export->arena, &rows));
	calls = DB_STRUCTS(&rows, struct person_call);
	export->is_complete &= rows.count < PERSON_ROWS_MAX;
	json_begin_array(json, "given_with_calls");
	for (size_t r = 0; r < rows.count; r++) {
		json_begin_object(json, NULL);
		json_id(json, "call_id", &calls[r].id);
		json_raw(json, "variables", calls[r].variables);
		json_raw(json, "call_settings", calls[r].call_settings);
		json_end(json);
	}
	json_end(json);
	return DB_OK;
}

static enum db_result export_do_not_call(struct export_job *export)
{
	const struct page page = { .limit = 1, .cursor = "" };
	struct json *json = export->json;
	const struct suppressed_number *number;
	struct listing listing;

	DB_TRY(do_not_call_list(export->db, export->organization_id, export->phone_number, "", &page, export->arena,
	                        &listing));
	number = listing.items;
	if (listing.count == 0) {
		json_add_null(json, "do_not_call");
		return DB_OK;
	}
	json_begin_object(json, "do_not_call");
	json_text(json, "reason", number->reason);
	json_instant(json, "created_at", number->created_at_us);
	json_end(json);
	return DB_OK;
}

static enum db_result export_all(struct export_job *export)
{
	int64_t erasing_since_us;

	json_add_string(export->json, "phone_number", export->phone_number);
	DB_TRY(export_contacts(export));
	DB_TRY(export_campaigns(export));
	DB_TRY(export_calls(export));
	DB_TRY(export_single_calls(export));
	DB_TRY(export_do_not_call(export));
	DB_TRY(person_erasure_find(export->db, export->organization_id, export->phone_number, &erasing_since_us));
	json_instant(export->json, "erasing_since", erasing_since_us);
	json_bool(export->json, "is_complete", export->is_complete);
	return DB_OK;
}

enum db_result person_export(struct db *db, int64_t organization_id, const char *phone_number, struct arena *arena,
                             struct json *json, const char *key)
{
	struct export_job export = { db, organization_id, phone_number, arena, json, true };

	json_begin_object(json, key);
	DB_TRY(export_all(&export));
	json_end(json);
	return DB_OK;
}

enum db_result person_in_organizations(struct db *db, const char *name, person_act *act, void *context)
{
	struct arena *arena = arena_new();
	struct db_rows rows = { .count = 1 };
	enum db_result result = DB_OK;
	int64_t last = 0, found = 0;

	while (result == DB_OK && rows.count != 0) {
		arena_reset(arena);
		result = db_query(db, SQL_PERSON_ORGANIZATIONS, DB_ARGS(db_int(last), db_text(name), db_text(name)), arena,
		                  &rows);
		for (size_t r = 0; result == DB_OK && r < rows.count; r++, found++) {
			last = db_get_int(&rows, r, 0);
			result = act(db, last, db_get_text(&rows, r, 1), context);
		}
	}
	arena_free(arena);
	return result == DB_OK && found == 0 ? DB_NOT_FOUND : result;
}
