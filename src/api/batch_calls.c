#include "api/batch_calls.h"

#include <stddef.h>
#include <string.h>

#include "api/calling_hours.h"
#include "api/page.h"
#include "api/reply.h"
#include "api/route.h"
#include "base/clock.h"
#include "base/instant.h"
#include "domain/batch_json.h"
#include "engine/campaign.h"
#include "engine/planning.h"
#include "store/batch_store.h"
#include "store/campaign_list.h"

struct batch_query {
	struct page page;
	struct campaign_filter filter;
	int order;
	const char *fields;
};

static const struct batch_query batch_query_initial = {
	.page = PAGE_INITIAL, .filter = { .search = "" }, .order = PAGE_DESCENDING, .fields = ""
};

#define FIELDS_FIELD(holder) FIELD(holder, fields, STRING, .min = 1, .max = 1000)

FIELD_TABLE(batch_calls_query, struct batch_query, &batch_query_initial, PAGE_FIELDS(struct batch_query),
            FIELD_AS("status", struct batch_query, filter.statuses, CHOICES, .min = 1, .max = BATCH_STATUS__MAX,
                     .choices = batch_status_names),
            FIELD_AS("agent_id", struct batch_query, filter.agent_id, ID, .prefix = ID_AGENT),
            FIELD_AS("search", struct batch_query, filter.search, STRING, .min = 1, .max = 255),
            FIELD_AS("ids", struct batch_query, filter.ids, IDS, .prefix = ID_BATCH, .min = 1, .max = 100),
            FIELD_AS("sort_by", struct batch_query, filter.sort, CHOICE, .choices = campaign_sort_names),
            FIELD(struct batch_query, order, CHOICE, .choices = page_order_names), FIELDS_FIELD(struct batch_query));

struct selection {
	const char *fields;
};

static const struct selection selection_initial = { .fields = "" };

FIELD_TABLE(batch_call_query, struct selection, &selection_initial, FIELDS_FIELD(struct selection));

/* Replies with the campaign, and with warnings in `meta`. */
static enum db_result reply_with_warnings(struct request *request, int status, const struct campaign_request *campaign)
{
	const struct batch *batch = &campaign->batch;
	struct night_warning warning;

	DB_TRY(calling_hours_judge(request, batch, &campaign->config.contacts, &warning));
	json_add_object(reply_begin(request, status), "data", batch_write, batch);
	calling_hours_write_warnings(reply_begin_meta(request), &warning);
	return reply_end_meta(request);
}

/* Returns whether a campaign has a member of this name. An empty campaign is written to find out. */
static bool has_member(const char *name)
{
	const char *const names[] = { name, NULL };
	struct buf out = { 0 };
	struct json json = json_to(&out);
	bool has;

	json_begin_array(&json, NULL);
	json_select(&json, names);
	json_add_object(&json, NULL, batch_write, &(struct batch){ .config = { .name = "" }, .status_reason = "" });
	json_end(&json);
	has = strcmp(out.data, "[{}]") != 0;
	buf_free(&out);
	return has;
}

/* Reads the names in `fields`, for json_select; NULL: all members. */
static enum db_result read_selection(struct request *request, const char *fields, const char ***selected)
{
	char *text = arena_strdup(request->arena, fields), *rest = text, *name;
	size_t count = 0;

	*selected = NULL;
	if (*text == '\0')
		return DB_OK;
	*selected = arena_alloc(request->arena, (strlen(text) + 1) * sizeof **selected);
	while ((name = strsep(&rest, ",")) != NULL) {
		if (!has_member(name))
			return page_refuse(request, "fields", "must hold only members of a campaign, with commas between them");
		(*selected)[count++] = name;
	}
	(*selected)[count] = NULL;
	return DB_OK;
}

/* A request that names campaigns wants exactly these, so no other filter is allowed. */
static enum db_result check_ids(struct request *request, struct batch_query *query)
{
	const struct campaign_filter *filter = &query->filter;

	if (filter->ids.count == 0)
		return DB_OK;
	if (filter->statuses != 0 || *filter->search != '\0' || !uuid_is_nil(&filter->agent_id) ||
	    query->page.offset != 0 || *query->page.cursor != '\0')
		return page_refuse(request, "ids", "cannot be given together with a filter, an offset or a cursor");
	if (query->page.limit < (int64_t)filter->ids.count)
		query->page.limit = (int64_t)filter->ids.count;
	return DB_OK;
}

/* Writes `meta`, with the number of campaigns in each state. */
static enum db_result reply_totals(struct request *request, const struct campaign_totals *totals)
{
	struct json *json = reply_begin_meta(request);

	json_begin_object(json, "counts");
	for (int status = 0; status < BATCH_STATUS__MAX; status++)
		json_int(json, batch_status_names[status], totals->of[status]);
	json_end(json);
	json_bool(json, "counts_are_exact", totals->are_exact);
	return reply_end_meta(request);
}

enum db_result batch_calls_list(struct request *request)
{
	struct batch_query *query = request->query;
	struct campaign_totals totals;
	struct listing listing = { 0 };
	enum db_result result;
	const char **selected;

	DB_TRY(read_selection(request, query->fields, &selected));
	DB_TRY(check_ids(request, query));
	query->filter.descending = query->order == PAGE_DESCENDING;
	query->page.order = query->filter.sort * 2 + query->order;
	DB_TRY(page_begin(request, &query->page));
	result = campaign_list(request->db, request->key.organization_id, &query->filter, &query->page, request->arena,
	                       &totals, &listing);
	if (result != DB_OK && result != DB_NOT_FOUND) /* no such agent: it has no campaigns */
		return result;
	page_write(request, &query->page, &listing, batch_write, selected);
	return reply_totals(request, &totals);
}

enum db_result batch_calls_get(struct request *request)
{
	const struct selection *selection = request->query;
	struct batch batch;
	struct json *json;
	const char **selected = NULL;

	if (selection != NULL)
		DB_TRY(read_selection(request, selection->fields, &selected));
	DB_TRY(batch_get(request->db, request->key.organization_id, &request->ids[0], request->arena, &batch));
	json = reply_begin(request, 200);
	json_select(json, selected);
	json_add_object(json, "data", batch_write, &batch);
	json_select(json, NULL);
	return reply_end(request);
}

struct campaign_request batch_calls_campaign(const struct request *request, const struct field_table *table)
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

static enum db_result refuse_contact(struct request *request, const struct uuid *missing)
{
	char id[UUID_TEXT];

	uuid_format(missing, id);
	return reply_refuse_field(request, "contact_ids", "contact %s does not exist", id);
}

enum db_result batch_calls_refuse(struct request *request, const struct campaign_request *campaign,
                                  enum batch_action action)
{
	switch (campaign->refusal) {
	case REFUSED_STATE:
		return reply_refuse(request, ERROR_INVALID_STATE, "You cannot %s a campaign that is %s.",
		                    batch_action_names[action], batch_status_names[campaign->batch.status]);
	case REFUSED_NO_DAY:
		return reply_refuse(request, ERROR_INVALID_STATE,
		                    "You cannot %s a campaign that is failed while no day within"
		                    " 366 days can take a call: change its window or its days first.",
		                    batch_action_names[action]);
	case REFUSED_FIXED_FIELD:
		return reply_refuse(request, ERROR_INVALID_STATE, "You cannot change %s of a campaign that is active.",
		                    campaign->fixed_field);
	case REFUSED_AGENT: return reply_refuse_field(request, "agent_id", "does not exist");
	case REFUSED_AGENT_NOT_READY:
		return reply_refuse(request, ERROR_AGENT_NOT_READY,
		                    "The agent is not active: its dialer has not taken agent.sync yet.");
	case REFUSED_AGENT_DELETED:
		return reply_refuse(request, ERROR_AGENT_NOT_READY, "The agent of the campaign was deleted.");
	case REFUSED_NUMBER: return reply_refuse_field(request, "phone_number_ids", "has a number that does not exist");
	case REFUSED_NO_NUMBER:
		return reply_refuse(request, ERROR_NO_PHONE_NUMBER,
		                    "Give phone_number_ids, or assign outbound numbers to the agent.");
	case REFUSED_NO_CONTACTS:
		return reply_refuse(request, ERROR_NO_CONTACTS,
		                    campaign->batch.counts.total == 0 ? "The campaign has no contacts."
		                                                      : "No contact of the campaign waits for a call.");
	case REFUSED_FOLDER: return reply_refuse_field(request, "contact_folder_id", "does not exist");
	case REFUSED_SOURCE: return reply_refuse_field(request, "source_campaign_id", "does not exist");
	case REFUSED_SOURCE_GROWS:
		return reply_refuse_field(request, "source_campaign_id",
		                          "names a campaign whose contacts are still being copied: try again when they are "
		                          "copied");
	case REFUSED_CONTACT: return refuse_contact(request, &campaign->missing_contact);
	case REFUSED_COPIED:
		return reply_refuse(request, ERROR_INVALID_STATE,
		                    "Another campaign still gets copies of these contacts: try again"
		                    " when they are there.");
	case REFUSED_CONTACT_STATE:
		return reply_refuse(request, ERROR_INVALID_STATE, "You cannot remove a contact that is %s.",
		                    contact_status_names[campaign->contact_status]);
	case REFUSED_FIELDS: request->faults = campaign->faults; return reply_refuse_faults(request, ERROR_VALIDATION);
	}
	return DB_ERROR;
}

enum db_result batch_calls_create(struct request *request)
{
	struct campaign_request campaign = batch_calls_campaign(request, &batch_fields);
	enum db_result result;

	campaign.uuid = uuid_new();
	DB_TRY(calling_hours_complete(request, &campaign));
	batch_config_settle(&campaign.config, &batch_fields, campaign.given, &request->faults);
	batch_config_judge_start(&campaign.config, INSTANT_NONE, campaign.now_us, &request->faults);
	if (request->faults.count != 0)
		return reply_refuse_faults(request, ERROR_VALIDATION);
	result = campaign_create(request->db, &campaign);
	if (result == DB_REFUSED)
		return batch_calls_refuse(request, &campaign, BATCH_CHANGE);
	return result == DB_OK ? reply_with_warnings(request, 201, &campaign) : result;
}

/* The function for each action of the route table. */
static enum db_result (*const carry_out[BATCH_ACTION__MAX])(struct db *, struct campaign_request *) = {
	[BATCH_CHANGE] = campaign_change, [BATCH_SCHEDULE] = campaign_schedule, [BATCH_PAUSE] = campaign_pause,
	[BATCH_RESUME] = campaign_resume, [BATCH_CANCEL] = campaign_cancel,     [BATCH_DELETE] = campaign_delete,
};

enum db_result batch_calls_act(struct request *request)
{
	enum batch_action action = request->route->action;
	const struct field_table *body = request->route->body;
	struct campaign_request campaign = batch_calls_campaign(request, body == &no_fields ? NULL : body);
	enum db_result result = carry_out[action](request->db, &campaign);

	if (result == DB_REFUSED)
		return batch_calls_refuse(request, &campaign, action);
	if (result != DB_OK)
		return result;
	if (action == BATCH_DELETE)
		return reply_no_content(request);
	return action == BATCH_SCHEDULE ? reply_with_warnings(request, 200, &campaign)
	                                : reply_object(request, 200, batch_write, &campaign.batch);
}

struct bulk_delete {
	struct field_list ids; /* of struct uuid */
};

static const struct bulk_delete bulk_delete_initial = { 0 };

FIELD_TABLE(bulk_delete_fields, struct bulk_delete, &bulk_delete_initial,
            FIELD(struct bulk_delete, ids, IDS, .prefix = ID_BATCH, .flags = FIELD_REQUIRED, .min = 1, .max = 100));

static void write_refused(struct json *json, const struct campaign_request *campaign, enum db_result result)
{
	bool found = result == DB_REFUSED;

	json_begin_object(json, NULL);
	json_id(json, "id", &campaign->uuid);
	json_add_string(json, "code", reply_error_code(found ? ERROR_INVALID_STATE : ERROR_NOT_FOUND));
	json_add_string(json, "message",
	                !found ? "There is no such object."
	                       : arena_printf(campaign->arena, "You cannot delete a campaign that is %s.",
	                                      batch_status_names[campaign->batch.status]));
	json_end(json);
}

/* A campaign that cannot be deleted has written nothing. So the others are deleted all the same. */
enum db_result batch_calls_bulk_delete(struct request *request)
{
	const struct field_list *ids = &((const struct bulk_delete *)request->input)->ids;
	struct campaign_request *campaigns = arena_alloc(request->arena, ids->count * sizeof *campaigns);
	enum db_result *results = arena_alloc(request->arena, ids->count * sizeof *results);
	struct json *json;

	for (size_t i = 0; i < ids->count; i++) {
		campaigns[i] = batch_calls_campaign(request, NULL);
		campaigns[i].uuid = ((const struct uuid *)ids->items)[i];
		results[i] = campaign_delete(request->db, &campaigns[i]);
		if (results[i] != DB_OK && results[i] != DB_REFUSED && results[i] != DB_NOT_FOUND)
			return results[i];
	}
	json = reply_begin_object(request, 200);
	json_begin_array(json, "deleted");
	for (size_t i = 0; i < ids->count; i++)
		if (results[i] == DB_OK)
			json_id(json, NULL, &campaigns[i].uuid);
	json_end(json);
	json_begin_array(json, "refused");
	for (size_t i = 0; i < ids->count; i++)
		if (results[i] != DB_OK)
			write_refused(json, &campaigns[i], results[i]);
	json_end(json);
	return reply_end_object(request);
}
