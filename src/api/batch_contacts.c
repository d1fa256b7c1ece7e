#include "api/batch_contacts.h"

#include "api/audit.h"
#include "api/batch_calls.h"
#include "api/page.h"
#include "api/reply.h"
#include "domain/batch_json.h"
#include "store/batch_contact_list.h"
#include "store/batch_store.h"

struct contact_query {
	struct page page;
	struct batch_contact_filter filter;
};

static const struct contact_query contact_query_initial = {
	.page = PAGE_INITIAL,
	.filter = { .phone_number = "", .search = "" },
};

FIELD_TABLE(batch_contacts_query, struct contact_query, &contact_query_initial, PAGE_FIELDS(struct contact_query),
            FIELD_AS("status", struct contact_query, filter.statuses, CHOICES, .min = 1, .max = CONTACT_STATUS__MAX,
                     .choices = contact_status_names),
            FIELD_AS("phone_number", struct contact_query, filter.phone_number, PHONE),
            FIELD_AS("search", struct contact_query, filter.search, STRING, .min = 1, .max = 255),
            FIELD_AS("sort_by", struct contact_query, filter.sort, CHOICE, .choices = batch_contact_sort_names));

static void write_contact(struct json *json, const void *item)
{
	const struct batch_contact *contact = item;

	json_int(json, "position", contact->position);
	json_id(json, "contact_id", &contact->contact_id);
	field_write(json, &contact_input_fields, &contact->who);
	json_add_string(json, "status", contact_status_names[contact->status]);
	json_add_string(json, "call_status", contact->call_status < 0 ? NULL : call_status_names[contact->call_status]);
	json_instant(json, "scheduled_at", contact->scheduled_at_us);
	json_id(json, "call_id", &contact->call_id);
	json_text(json, "from_number", contact->from_number);
	json_instant(json, "called_at", contact->called_at_us);
	json_instant(json, "ended_at", contact->ended_at_us);
	json_count(json, "duration_seconds", contact->duration_seconds);
	json_decimal4(json, "cost", contact->cost_ten_thousandths);
	json_int(json, "attempts", contact->attempts);
	json_instant(json, "call_back_at",
	             batch_contact_waits_for_callback(contact) ? contact->call_back_at_us : INSTANT_NONE);
	json_text(json, "outcome", contact->outcome);
	json_text(json, "error_reason", batch_contact_reason(contact));
}

static void write_history(struct json *json, const struct batch_contact *contact)
{
	json_begin_array(json, "attempts_history");
	for (size_t i = 0; i < contact->history_count; i++) {
		const struct attempt *attempt = &contact->history[i];

		json_begin_object(json, NULL);
		json_int(json, "attempt", attempt->number);
		json_bool(json, "callback", attempt->is_callback);
		json_id(json, "call_id", &attempt->call_id);
		json_add_string(json, "status", call_status_names[attempt->status]);
		json_add_string(json, "from_number", attempt->from_number);
		json_instant(json, "scheduled_at", attempt->scheduled_at_us);
		json_instant(json, "called_at", attempt->called_at_us);
		json_instant(json, "ended_at", attempt->ended_at_us);
		json_count(json, "duration_seconds", attempt->duration_seconds);
		json_decimal4(json, "cost", attempt->cost_ten_thousandths);
		json_text(json, "outcome", attempt->outcome);
		json_text(json, "error_reason", attempt->end_reason);
		json_end(json);
	}
	json_end(json);
}

/* Only planned contacts have an instant by which they can be sorted. */
static enum db_result check_order(struct request *request, const struct batch_contact_filter *filter)
{
	unsigned planned = 1u << CONTACT_SCHEDULED, waiting = planned | 1u << CONTACT_PENDING;

	if (filter->sort != BATCH_CONTACT_SORT_SCHEDULED_AT)
		return DB_OK;
	if (filter->statuses != 0 && ((filter->statuses & planned) == 0 || (filter->statuses & ~waiting) != 0))
		return page_refuse(request, "sort_by", "can be scheduled_at only for the status scheduled");
	if (*filter->phone_number != '\0' || *filter->search != '\0')
		return page_refuse(request, "sort_by", "cannot be scheduled_at together with phone_number or search");
	return DB_OK;
}

enum db_result batch_contacts_page(struct request *request)
{
	struct contact_query *query = request->query;
	struct listing listing;
	struct batch batch;

	DB_TRY(check_order(request, &query->filter));
	query->page.order = query->filter.sort;
	DB_TRY(page_begin(request, &query->page));
	DB_TRY(batch_get(request->db, request->key.organization_id, &request->ids[0], request->arena, &batch));
	DB_TRY(batch_contacts_list(request->db, &batch, &query->filter, &query->page, request->arena, &listing));
	return page_reply(request, &query->page, &listing, write_contact);
}

static enum db_result reply_contact(struct request *request)
{
	struct batch_contact contact;
	struct batch batch;
	struct json *json;

	DB_TRY(batch_get(request->db, request->key.organization_id, &request->ids[0], request->arena, &batch));
	DB_TRY(batch_contact_get(request->db, &batch, request->position, request->arena, &contact));
	json = reply_begin_object(request, 200);
	write_contact(json, &contact);
	write_history(json, &contact);
	return reply_end_object(request);
}

enum db_result batch_contacts_get(struct request *request)
{
	return reply_contact(request);
}

/* The contact keeps its position: the reply shows its new status. */
enum db_result batch_contacts_remove(struct request *request)
{
	struct campaign_request campaign = batch_calls_campaign(request, NULL);
	enum db_result result = campaign_remove_contact(request->db, &campaign, request->position);

	if (result == DB_REFUSED)
		return batch_calls_refuse(request, &campaign, BATCH_REMOVE_CONTACT);
	audit_say_count(request, "position", request->position);
	return result == DB_OK ? reply_contact(request) : result;
}

enum db_result batch_contacts_remove_all(struct request *request)
{
	struct campaign_request campaign = batch_calls_campaign(request, NULL);
	enum db_result result = campaign_remove_contacts(request->db, &campaign);
	struct json *json;

	if (result == DB_REFUSED)
		return batch_calls_refuse(request, &campaign, BATCH_REMOVE_CONTACTS);
	if (result != DB_OK)
		return result;
	audit_say_count(request, "removed", campaign.removed);
	json = reply_begin_object(request, 200);
	json_int(json, "removed", campaign.removed);
	json_int(json, "total_contacts", campaign.batch.counts.total);
	json_bool(json, "has_more", campaign.batch.counts.total != 0);
	return reply_end_object(request);
}

enum db_result batch_contacts_append(struct request *request)
{
	struct campaign_request campaign = batch_calls_campaign(request, &contacts_fields);
	enum db_result result;
	struct json *json;

	if (campaign.config.contacts.count == 0)
		return reply_refuse_field(request, "contacts", "is required and must not be empty");
	result = campaign_add_contacts(request->db, &campaign);
	if (result == DB_REFUSED)
		return batch_calls_refuse(request, &campaign, BATCH_ADD_CONTACTS);
	if (result != DB_OK)
		return result;
	audit_say_count(request, "added", campaign.added);
	json = reply_begin_object(request, 201);
	json_int(json, "added", campaign.added);
	json_int(json, "skipped", campaign.skipped);
	json_int(json, "total_contacts", campaign.batch.counts.total);
	return reply_end_object(request);
}
