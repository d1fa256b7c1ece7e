#include "api/batch_calls.h"

#include <stddef.h>

#include "api/page.h"
#include "api/reply.h"
#include "base/clock.h"
#include "domain/batch_json.h"
#include "store/batch_contact_store.h"
#include "store/batch_store.h"
#include "store/campaign.h"

struct batch_query {
	struct page page;
	struct batch_filter filter;
};

static const struct batch_query batch_query_initial = { .page = PAGE_INITIAL, .filter.status = -1 };

static const struct field batch_query_list[] = {
	PAGE_FIELDS(struct batch_query),
	{ .name = "status", .type = FIELD_CHOICE, .offset = offsetof(struct batch_query, filter.status),
	  .choices = batch_status_names },
	{ .name = "agent_id", .type = FIELD_ID, .offset = offsetof(struct batch_query, filter.agent_id) },
};

const struct field_table batch_calls_query = {
	batch_query_list, sizeof batch_query_list / sizeof *batch_query_list, sizeof(struct batch_query),
	&batch_query_initial,
};

struct contact_query {
	struct page page;
	int status;
};

static const struct contact_query contact_query_initial = { .page = PAGE_INITIAL, .status = -1 };

static const struct field contact_query_list[] = {
	PAGE_FIELDS(struct contact_query),
	{ .name = "status", .type = FIELD_CHOICE, .offset = offsetof(struct contact_query, status),
	  .choices = contact_status_names },
};

const struct field_table batch_contacts_query = {
	contact_query_list, sizeof contact_query_list / sizeof *contact_query_list, sizeof(struct contact_query),
	&contact_query_initial,
};

static void write_item(struct json *json, const char *key, const void *item)
{
	batch_write(json, key, item);
}

static enum db_result reply_batch(struct request *request, int status, const struct batch *batch)
{
	batch_write(reply_begin(request, status), "data", batch);
	return reply_end(request);
}

enum db_result batch_calls_list(struct request *request)
{
	const struct batch_query *query = request->query;
	struct listing listing;

	DB_TRY(batch_list(request->db, request->key.organization_id, &query->filter, &query->page, request->arena,
	                  &listing));
	return page_reply(request, &query->page, &listing, write_item);
}

enum db_result batch_calls_get(struct request *request)
{
	struct batch batch;

	DB_TRY(batch_get(request->db, request->key.organization_id, &request->ids[0], request->arena, &batch));
	return reply_batch(request, 200, &batch);
}

static struct campaign_request campaign_request(const struct request *request, const struct field_table *table)
{
	struct campaign_request campaign = {
		.organization_id = request->key.organization_id,
		.uuid = request->ids[0],
		.now_us = clock_now_us(),
		.arena = request->arena,
		.table = table,
		.given = request->given,
	};

	if (table != NULL)
		campaign.config = *(const struct batch_config *)request->input;
	return campaign;
}

/* Why the campaign's rules did not let it be done, in the words of the contract. */
static enum db_result refuse(struct request *request, const struct campaign_request *campaign,
                             enum batch_action action)
{
	switch (campaign->refusal) {
	case REFUSED_STATE:
		return reply_refuse(request, ERROR_INVALID_STATE, "You cannot %s a campaign that is %s.",
		                    batch_action_names[action], batch_status_names[campaign->batch.status]);
	case REFUSED_FIXED_FIELD:
		return reply_refuse(request, ERROR_INVALID_STATE, "You cannot change %s of a campaign that is active.",
		                    campaign->fixed_field);
	case REFUSED_AGENT:
		return reply_refuse_field(request, "agent_id", "names no agent of this organisation");
	case REFUSED_AGENT_NOT_READY:
		return reply_refuse(request, ERROR_AGENT_NOT_READY,
		                    "The agent is not active: its dialer has not taken agent.sync yet.");
	case REFUSED_NUMBER:
		return reply_refuse_field(request, "phone_number_ids", "names a number that is not of this organisation");
	case REFUSED_NO_NUMBER:
		return reply_refuse(request, ERROR_NO_PHONE_NUMBER,
		                    "Give phone_number_ids, or assign outbound numbers to the agent.");
	case REFUSED_NO_CONTACTS:
		return reply_refuse(request, ERROR_NO_CONTACTS, "The campaign has no contacts.");
	case REFUSED_FIELDS:
		request->faults = campaign->faults;
		return reply_refuse_faults(request, ERROR_VALIDATION);
	}
	return DB_ERROR;
}

enum db_result batch_calls_create(struct request *request)
{
	struct campaign_request campaign = campaign_request(request, &batch_fields);
	enum db_result result;

	campaign.uuid = uuid_new();
	batch_config_settle(&campaign.config, &request->faults);
	if (request->faults.count != 0)
		return reply_refuse_faults(request, ERROR_VALIDATION);
	result = campaign_create(request->db, &campaign);
	if (result == DB_REFUSED)
		return refuse(request, &campaign, BATCH_CHANGE);
	return result == DB_OK ? reply_batch(request, 201, &campaign.batch) : result;
}

/* Everything else that is done to a campaign answers with the campaign, or why it cannot be done. */
static enum db_result act(struct request *request, const struct field_table *table, enum batch_action action,
                          enum db_result (*carry_out)(struct db *, struct campaign_request *))
{
	struct campaign_request campaign = campaign_request(request, table);
	enum db_result result = carry_out(request->db, &campaign);

	if (result == DB_REFUSED)
		return refuse(request, &campaign, action);
	if (result != DB_OK)
		return result;
	return action == BATCH_DELETE ? reply_no_content(request) : reply_batch(request, 200, &campaign.batch);
}

enum db_result batch_calls_change(struct request *request)
{
	return act(request, &batch_fields, BATCH_CHANGE, campaign_change);
}

enum db_result batch_calls_delete(struct request *request)
{
	return act(request, NULL, BATCH_DELETE, campaign_delete);
}

enum db_result batch_calls_schedule(struct request *request)
{
	return act(request, &schedule_fields, BATCH_SCHEDULE, campaign_schedule);
}

enum db_result batch_calls_pause(struct request *request)
{
	return act(request, NULL, BATCH_PAUSE, campaign_pause);
}

enum db_result batch_calls_resume(struct request *request)
{
	return act(request, NULL, BATCH_RESUME, campaign_resume);
}

enum db_result batch_calls_cancel(struct request *request)
{
	return act(request, NULL, BATCH_CANCEL, campaign_cancel);
}

static void write_reported(struct json *json, const char *key, int64_t value)
{
	if (value < 0)
		json_add_null(json, key);
	else
		json_int(json, key, value);
}

static void write_contact(struct json *json, const char *key, const void *item)
{
	const struct batch_contact *contact = item;

	json_begin_object(json, key);
	json_int(json, "position", contact->position);
	json_id(json, "contact_id", &contact->contact_id);
	json_add_string(json, "phone_number", contact->who.phone_number);
	json_text(json, "first_name", contact->who.first_name);
	json_text(json, "last_name", contact->who.last_name);
	json_text(json, "email", contact->who.email);
	json_text(json, "timezone", contact->who.timezone);
	json_raw(json, "custom_fields", contact->who.custom_fields);
	json_add_string(json, "status", contact_status_names[contact->status]);
	json_add_string(json, "call_status", contact->call_status < 0 ? NULL : call_status_names[contact->call_status]);
	json_instant(json, "scheduled_at", contact->scheduled_at_us);
	json_id(json, "call_id", &contact->call_id);
	json_text(json, "from_number", contact->from_number);
	json_instant(json, "called_at", contact->called_at_us);
	json_instant(json, "ended_at", contact->ended_at_us);
	write_reported(json, "duration_seconds", contact->duration_seconds);
	json_decimal4(json, "cost", contact->cost_ten_thousandths);
	json_int(json, "attempts", contact->attempts);
	json_text(json, "outcome", contact->outcome);
	json_text(json, "error_reason", contact->status == CONTACT_SKIPPED ? skip_reason_names[contact->skip_reason]
	                                                                          : contact->end_reason);
	json_end(json);
}

enum db_result batch_contacts_page(struct request *request)
{
	const struct contact_query *query = request->query;
	struct listing listing;
	struct batch batch;

	DB_TRY(batch_get(request->db, request->key.organization_id, &request->ids[0], request->arena, &batch));
	DB_TRY(batch_contacts_list(request->db, &batch, query->status, &query->page, request->arena, &listing));
	return page_reply(request, &query->page, &listing, write_contact);
}

enum db_result batch_contacts_get(struct request *request)
{
	struct batch_contact contact;
	struct batch batch;

	DB_TRY(batch_get(request->db, request->key.organization_id, &request->ids[0], request->arena, &batch));
	DB_TRY(batch_contact_get(request->db, &batch, request->position, request->arena, &contact));
	write_contact(reply_begin(request, 200), "data", &contact);
	return reply_end(request);
}

enum db_result batch_contacts_append(struct request *request)
{
	struct campaign_request campaign = campaign_request(request, &contacts_fields);
	enum db_result result;
	struct json *json;

	if (campaign.config.contacts.count == 0)
		return reply_refuse_field(request, "contacts", "is required and must not be empty");
	result = campaign_add_contacts(request->db, &campaign);
	if (result == DB_REFUSED)
		return refuse(request, &campaign, BATCH_ADD_CONTACTS);
	if (result != DB_OK)
		return result;
	json = reply_begin(request, 201);
	json_begin_object(json, "data");
	json_int(json, "added", campaign.added);
	json_int(json, "skipped", campaign.skipped);
	json_int(json, "total_contacts", campaign.batch.counts.total);
	json_end(json);
	return reply_end(request);
}
