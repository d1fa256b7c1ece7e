#include "api/audit.h"

#include "api/page.h"
#include "domain/batch.h"
#include "store/audit_store.h"
#include "store/batch_store.h"

static void write_status(struct json *json, const char *key, int status)
{
	json_add_string(json, key, status < 0 ? NULL : batch_status_names[status]);
}

static void write_entry(struct json *json, const char *key, const void *item)
{
	const struct audit_entry *entry = item;

	json_begin_object(json, key);
	json_instant(json, "at", entry->happened_at_us);
	write_status(json, "from", entry->from_status);
	write_status(json, "to", entry->to_status);
	json_text(json, "reason", entry->reason);
	json_raw(json, "changes", entry->changes);
	if (uuid_is_nil(&entry->key_id)) {
		json_add_null(json, "key");
	} else {
		json_begin_object(json, "key");
		json_id(json, "id", &entry->key_id);
		json_add_string(json, "name", entry->key_name);
		json_end(json);
	}
	json_end(json);
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
	return page_reply(request, &query->page, &listing, write_entry);
}
