#include "api/folders.h"

#include <stddef.h>

#include "api/audit.h"
#include "api/page.h"
#include "api/reply.h"
#include "base/clock.h"
#include "store/folder_store.h"

struct folder_query {
	struct page page;
	const char *search;
	int sort, order;
};

static const char *const sort_names[] = { "name", "created_at", "contact_count", NULL };
static const struct folder_query folder_query_initial = {
	.page = PAGE_INITIAL, .search = "", .sort = FOLDER_SORT_CREATED_AT, .order = PAGE_DESCENDING
};

FIELD_TABLE(folder_query_fields, struct folder_query, &folder_query_initial, PAGE_FIELDS(struct folder_query),
            FIELD(struct folder_query, search, STRING, .min = 1, .max = 255),
            FIELD_AS("sort_by", struct folder_query, sort, CHOICE, .choices = sort_names),
            FIELD(struct folder_query, order, CHOICE, .choices = page_order_names));

static void write_folder(struct json *json, const void *item)
{
	const struct contact_folder *folder = item;

	json_id(json, "id", &folder->uuid);
	field_write(json, &contact_folder_fields, folder);
	json_int(json, "contact_count", folder->contact_count);
	json_instant(json, "created_at", folder->created_at_us);
	json_instant(json, "updated_at", folder->updated_at_us);
}

enum db_result folders_list(struct request *request)
{
	struct folder_query *query = request->query;
	struct folder_filter filter = { query->search, (enum folder_sort)query->sort, query->order == PAGE_DESCENDING };
	struct listing listing;

	query->page.order = query->sort * 2 + query->order;
	DB_TRY(page_begin(request, &query->page));
	DB_TRY(folder_list(request->db, request->key.organization_id, &filter, &query->page, request->arena, &listing));
	return page_reply(request, &query->page, &listing, write_folder);
}

enum db_result folders_create(struct request *request)
{
	struct contact_folder *folder = request->input;

	folder->uuid = uuid_new();
	folder->created_at_us = folder->updated_at_us = clock_now_us();
	DB_TRY(folder_insert(request->db, request->key.organization_id, folder));
	audit_say_id(request, &folder->uuid);
	audit_say_changes(request, &contact_folder_fields, contact_folder_fields.initial, folder);
	return reply_object(request, 201, write_folder, folder);
}

enum db_result folders_get(struct request *request)
{
	struct contact_folder folder;

	DB_TRY(folder_get(request->db, request->key.organization_id, &request->ids[0], request->arena, &folder));
	return reply_object(request, 200, write_folder, &folder);
}

enum db_result folders_change(struct request *request)
{
	struct contact_folder before, folder;

	DB_TRY(folder_lock(request->db, request->key.organization_id, &request->ids[0], request->arena, &before));
	folder = before;
	field_apply(&contact_folder_fields, request->given, request->input, &folder);
	audit_say_changes(request, &contact_folder_fields, &before, &folder);
	folder.updated_at_us = clock_now_us();
	DB_TRY(folder_update(request->db, &folder));
	return reply_object(request, 200, write_folder, &folder);
}

enum db_result folders_delete(struct request *request)
{
	struct contact_folder folder;

	DB_TRY(folder_lock(request->db, request->key.organization_id, &request->ids[0], request->arena, &folder));
	DB_TRY(folder_delete(request->db, &folder, clock_now_us()));
	return reply_no_content(request);
}
