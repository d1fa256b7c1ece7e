#include "api/audit.h"

#include <stddef.h>
#include <string.h>

#include "api/page.h"
#include "api/route.h"
#include "base/clock.h"
#include "domain/batch.h"
#include "store/audit_store.h"
#include "store/batch_store.h"

struct audit_list_query {
	struct page page;
	struct audit_filter filter;
	struct when created_after, created_before;
};

static const struct audit_list_query audit_query_initial = {
	.page = PAGE_INITIAL,
	.filter = { .object = -1, .action = -1 },
	.created_after = { .us = INSTANT_NONE },
	.created_before = { .us = INSTANT_NEVER },
};

FIELD_TABLE(audit_query, struct audit_list_query, &audit_query_initial, PAGE_FIELDS(struct audit_list_query),
            FIELD_AS("object", struct audit_list_query, filter.object, CHOICE, .choices = audit_object_names),
            FIELD_AS("action", struct audit_list_query, filter.action, CHOICE, .choices = audit_action_names),
            FIELD_AS("object_id", struct audit_list_query, filter.object_id, ID, .prefix = ID_ANY),
            FIELD_AS("key_id", struct audit_list_query, filter.key_id, ID, .prefix = ID_KEY),
            FIELD(struct audit_list_query, created_after, WHEN), FIELD(struct audit_list_query, created_before, WHEN));

void audit_say_id(struct request *request, const struct uuid *id)
{
	request->changed_id = *id;
}

static struct json begin_changes(struct buf *text)
{
	struct json json = json_to(text);

	json_begin_object(&json, NULL);
	return json;
}

static void end_changes(struct request *request, struct json *json)
{
	json_end(json);
	request->changes = arena_strdup(request->arena, json->out->data);
	buf_free(json->out);
}

void audit_say_changes(struct request *request, const struct field_table *table, const void *before, const void *after)
{
	struct buf text = { 0 };
	struct json json = begin_changes(&text);
	size_t count = field_write_changes(&json, table, before, after);

	end_changes(request, &json);
	if (count == 0)
		request->changes = "";
}

void audit_say_count(struct request *request, const char *name, int64_t count)
{
	struct buf text = { 0 };
	struct json json = begin_changes(&text);

	json_int(&json, name, count);
	end_changes(request, &json);
}

void audit_say_text(struct request *request, const char *name, const char *value)
{
	struct buf text = { 0 };
	struct json json = begin_changes(&text);

	json_add_string(&json, name, value);
	end_changes(request, &json);
}

void audit_say_other(struct request *request, const char *name, const struct uuid *id)
{
	struct buf text = { 0 };
	struct json json = begin_changes(&text);

	json_id(&json, name, id);
	end_changes(request, &json);
}

static enum db_result note_change(struct request *request)
{
	const struct route *route = request->route;
	const struct audit_entry entry = {
		.organization_id = request->key.organization_id,
		.object = (int)route->audit_object,
		.action = (int)route->audit_action,
		.object_id = uuid_is_nil(&request->changed_id) ? request->ids[0] : request->changed_id,
		.from_status = -1,
		.to_status = -1,
		.happened_at_us = clock_now_us(),
		.reason = "",
		.changes = request->changes != NULL ? request->changes : "",
	};

	return audit_write(request->db, &entry);
}

enum db_result audit_finish(struct request *request)
{
	bool is_same = request->method == METHOD_PATCH && request->changes != NULL && *request->changes == '\0';

	return !request->route->is_audited || is_same ? DB_OK : note_change(request);
}

static void write_status(struct json *json, const char *key, int status)
{
	json_add_string(json, key, status < 0 ? NULL : status == BATCH_DELETED ? "deleted" : batch_status_names[status]);
}

static void write_change(struct json *json, const struct audit_entry *entry)
{
	write_status(json, "from", entry->from_status);
	write_status(json, "to", entry->to_status);
	json_text(json, "reason", entry->reason);
	json_raw(json, "changes", entry->changes);
	if (uuid_is_nil(&entry->key_id)) {
		json_add_null(json, "key");
		return;
	}
	json_begin_object(json, "key");
	json_id(json, "id", &entry->key_id);
	json_add_string(json, "name", entry->key_name);
	json_end(json);
}

static void write_of_campaign(struct json *json, const void *item)
{
	const struct audit_entry *entry = item;

	json_instant(json, "at", entry->happened_at_us);
	write_change(json, entry);
	json_text(json, "operator", entry->operator_name);
}

static void write_entry(struct json *json, const void *item)
{
	const struct audit_entry *entry = item;

	json_instant(json, "at", entry->happened_at_us);
	json_add_string(json, "object", audit_object_names[entry->object]);
	json_id(json, "object_id", &entry->object_id);
	json_add_string(json, "action", audit_action_names[entry->action]);
	write_change(json, entry);
	json_text(json, "address", entry->address);
	json_text(json, "operator", entry->operator_name);
}

enum db_result batch_calls_history(struct request *request)
{
	struct page_query *query = request->query;
	struct listing listing;
	struct batch batch;

	DB_TRY(page_begin(request, &query->page));
	DB_TRY(batch_get(request->db, request->key.organization_id, &request->ids[0], request->arena, &batch));
	DB_TRY(audit_list_of(request->db, request->key.organization_id, AUDIT_CAMPAIGN, &batch.uuid, &query->page,
	                     request->arena, &listing));
	return page_reply(request, &query->page, &listing, write_of_campaign);
}

enum db_result audit_list_all(struct request *request)
{
	struct audit_list_query *query = request->query;
	struct listing listing;

	query->filter.since_us = query->created_after.us;
	query->filter.until_us = query->created_before.us;
	DB_TRY(page_begin(request, &query->page));
	DB_TRY(audit_list(request->db, request->key.organization_id, &query->filter, &query->page, request->arena,
	                  &listing));
	return page_reply(request, &query->page, &listing, write_entry);
}
