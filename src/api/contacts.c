#include "api/contacts.h"

#include <stddef.h>

#include "api/audit.h"
#include "api/page.h"
#include "api/reply.h"
#include "base/clock.h"
#include "store/contact_store.h"
#include "store/folder_store.h"

struct contact_query {
	struct page page;
	struct uuid folder_id; /* nil: any folder, or none */
	const char *search;
	int last_call_outcome; /* -1: any */
};

static const struct contact_query contact_query_initial = {
	.page = PAGE_INITIAL,
	.search = "",
	.last_call_outcome = -1,
};

/* The statuses with which a call can end. */
static const char *const outcome_names[CALL_STATUS__MAX + 1] = {
	[CALL_QUEUED] = "",
	[CALL_DISPATCHED] = "",
	[CALL_RINGING] = "",
	[CALL_IN_PROGRESS] = "",
	[CALL_COMPLETED] = "completed",
	[CALL_FAILED] = "failed",
	[CALL_NO_ANSWER] = "no_answer",
	[CALL_BUSY] = "busy",
	[CALL_VOICEMAIL] = "voicemail",
	[CALL_CANCELLED] = "cancelled",
};

FIELD_TABLE(contact_query_fields, struct contact_query, &contact_query_initial, PAGE_FIELDS(struct contact_query),
            FIELD(struct contact_query, folder_id, ID, .prefix = ID_FOLDER),
            FIELD(struct contact_query, search, STRING, .max = 255),
            FIELD(struct contact_query, last_call_outcome, CHOICE, .choices = outcome_names));

static void write_contact(struct json *json, const void *item)
{
	const struct contact *contact = item;
	int outcome = contact->last_call_outcome;

	json_id(json, "id", &contact->uuid);
	field_write(json, &contact_fields, contact);
	json_add_string(json, "last_call_outcome", outcome < 0 ? NULL : call_status_names[outcome]);
	json_instant(json, "last_called_at", contact->last_called_at_us);
	json_instant(json, "created_at", contact->created_at_us);
	json_instant(json, "updated_at", contact->updated_at_us);
}

enum db_result contacts_list(struct request *request)
{
	struct contact_query *query = request->query;
	struct contact_filter filter = { NULL, query->last_call_outcome, query->search };
	struct contact_folder folder;
	struct listing listing = { 0 };
	enum db_result result = DB_OK;

	DB_TRY(page_begin(request, &query->page));
	if (!uuid_is_nil(&query->folder_id)) {
		filter.folder = &folder;
		result = folder_get(request->db, request->key.organization_id, &query->folder_id, request->arena, &folder);
	}
	if (result == DB_OK)
		result = contact_list(request->db, request->key.organization_id, &filter, &query->page, request->arena,
		                      &listing);
	if (result != DB_OK && result != DB_NOT_FOUND)
		return result;
	return page_reply(request, &query->page, &listing, write_contact); /* no such folder: it has no contacts */
}

/* Locks the folder that the contact will be in. */
static enum db_result find_folder(struct request *request, struct contact *contact)
{
	struct contact_folder folder = { .id = 0 };
	enum db_result result = DB_OK;

	if (!uuid_is_nil(&contact->folder_id))
		result = folder_lock(request->db, request->key.organization_id, &contact->folder_id, request->arena, &folder);
	if (result == DB_NOT_FOUND)
		return reply_refuse_field(request, "folder_id", "does not exist");
	contact->folder_row = folder.id;
	return result;
}

static enum db_result answer(struct request *request, int status, const struct contact *contact, enum db_result result)
{
	if (result == DB_DUPLICATE)
		return reply_refuse_field(request, "phone_number", "already exists in this folder");
	return result == DB_OK ? reply_object(request, status, write_contact, contact) : result;
}

enum db_result contacts_create(struct request *request)
{
	struct contact *contact = request->input;

	DB_TRY(find_folder(request, contact));
	contact->uuid = uuid_new();
	contact->created_at_us = contact->updated_at_us = clock_now_us();
	audit_say_id(request, &contact->uuid);
	return answer(request, 201, contact, contact_insert(request->db, request->key.organization_id, contact));
}

enum db_result contacts_get(struct request *request)
{
	struct contact contact;

	DB_TRY(contact_get(request->db, request->key.organization_id, &request->ids[0], request->arena, &contact));
	return reply_object(request, 200, write_contact, &contact);
}

enum db_result contacts_change(struct request *request)
{
	struct contact before, contact;

	DB_TRY(contact_lock(request->db, request->key.organization_id, &request->ids[0], request->arena, &before));
	contact = before;
	field_apply(&contact_fields, request->given, request->input, &contact);
	audit_say_changes(request, &contact_fields, &before, &contact);
	DB_TRY(find_folder(request, &contact));
	contact.updated_at_us = clock_now_us();
	return answer(request, 200, &contact, contact_update(request->db, &contact, before.folder_row));
}

enum db_result contacts_delete(struct request *request)
{
	struct contact contact;

	DB_TRY(contact_lock(request->db, request->key.organization_id, &request->ids[0], request->arena, &contact));
	DB_TRY(contact_delete(request->db, &contact));
	return reply_no_content(request);
}
