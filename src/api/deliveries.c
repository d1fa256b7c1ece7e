#include "api/deliveries.h"

#include <stddef.h>

#include "api/audit.h"
#include "api/page.h"
#include "api/reply.h"
#include "base/clock.h"
#include "store/call_store.h"
#include "store/delivery_store.h"
#include "store/event_store.h"
#include "store/try_store.h"
#include "store/webhook_store.h"

#define MAX_AGAIN 10000  /* in one request, which is one transaction */
#define MAX_OFFSET 10000 /* in the list of all endpoints, which merges the newest deliveries of each */

struct delivery_query {
	struct page page;
	int status, event_type;
	struct when created_after, created_before;
};

static const struct delivery_query delivery_query_initial = {
	.page = PAGE_INITIAL,
	.status = -1,
	.event_type = -1,
	.created_after = { .us = INSTANT_NONE },
	.created_before = { .us = INSTANT_NEVER },
};

FIELD_TABLE(deliveries_query, struct delivery_query, &delivery_query_initial, PAGE_FIELDS(struct delivery_query),
            FIELD(struct delivery_query, status, CHOICE, .choices = delivery_status_names),
            FIELD(struct delivery_query, event_type, CHOICE, .choices = event_names),
            FIELD(struct delivery_query, created_after, WHEN), FIELD(struct delivery_query, created_before, WHEN));

enum redeliver_mode { REDELIVER_FAILED, REDELIVER_MISSING };

static const char *const redeliver_modes[] = { "failed", "missing", NULL };

struct redeliver {
	int mode;
	struct when since;
};

static const struct redeliver redeliver_initial = { .mode = REDELIVER_FAILED };

FIELD_TABLE(redeliver_fields, struct redeliver, &redeliver_initial,
            FIELD(struct redeliver, mode, CHOICE, .flags = FIELD_REQUIRED, .choices = redeliver_modes),
            FIELD(struct redeliver, since, WHEN, .flags = FIELD_REQUIRED));

static void write_delivery(struct json *json, const void *item)
{
	const struct delivery *delivery = item;
	struct uuid id = delivery_id(&delivery->event_id, delivery->id);

	json_id(json, "id", &id);
	json_id(json, "webhook_id", &delivery->webhook_id);
	json_id(json, "event_id", &delivery->event_id);
	json_add_string(json, "event_type", event_names[delivery->type]);
	json_add_string(json, "status", delivery_status_names[delivery->status]);
	json_int(json, "attempts", delivery->tries);
	json_positive(json, "response_status", delivery->response_code);
	json_text(json, "error", delivery->error);
	json_instant(json, "next_try_at", delivery->status == DELIVERY_WAITING ? delivery->wake_at_us : INSTANT_NEVER);
	json_instant(json, "created_at", delivery->created_at_us);
}

static void write_tries(struct json *json, const char *key, const struct listing *tries)
{
	const struct delivery_try *items = tries->items;

	json_begin_array(json, key);
	for (size_t i = 0; i < tries->count; i++) {
		const struct delivery_try *try = &items[i];

		json_begin_object(json, NULL);
		json_instant(json, "at", try->at_us);
		json_int(json, "duration_ms", try->duration_ms);
		json_positive(json, "response_status", try->response_code);
		json_text(json, "error", try->error);
		json_text(json, "excerpt", try->excerpt);
		json_end(json);
	}
	json_end(json);
}

static enum db_result reply_delivery(struct request *request, int status, const struct uuid *id)
{
	struct delivery delivery;
	struct listing tries;
	struct json *json;

	DB_TRY(delivery_get(request->db, request->key.organization_id, id, request->arena, &delivery));
	DB_TRY(delivery_tries(request->db, delivery.id, request->arena, &tries));
	json = reply_begin_object(request, status);
	write_delivery(json, &delivery);
	json_raw(json, "data", delivery.data);
	write_tries(json, "tries", &tries);
	return reply_end_object(request);
}

static enum db_result refuse_disabled(struct request *request)
{
	return reply_refuse(request, ERROR_INVALID_STATE, "The webhook is switched off: nothing is sent there.");
}

enum db_result webhooks_test(struct request *request)
{
	struct webhook webhook;
	struct uuid event_id, id;
	int64_t row;

	DB_TRY(webhook_lock_shared(request->db, request->key.organization_id, &request->ids[0], request->arena, &webhook));
	if (webhook.disabled)
		return refuse_disabled(request);
	if (webhook_is_fetched(webhook.url))
		return reply_refuse(request, ERROR_INVALID_STATE, "Its dialer fetches its calls: nothing is sent there.");
	DB_TRY(event_send(request->db, request->key.organization_id, EVENT_WEBHOOK_TEST, "{}", webhook.id, 0,
	                  clock_now_us(), &event_id, &row));
	id = delivery_id(&event_id, row);
	return reply_delivery(request, 201, &id);
}

static struct delivery_filter filter_of(const struct delivery_query *query)
{
	return (struct delivery_filter){
		.status = query->status,
		.type = query->event_type,
		.after_us = query->created_after.us,
		.before_us = query->created_before.us,
	};
}

enum db_result deliveries_list_all(struct request *request)
{
	struct delivery_query *query = request->query;
	struct delivery_filter filter = filter_of(query);
	struct listing listing;

	DB_TRY(page_begin(request, &query->page));
	if (query->page.offset > MAX_OFFSET)
		return page_refuse(request, "offset", "must be at most 10000 here: follow next_cursor instead");
	DB_TRY(delivery_list_all(request->db, request->key.organization_id, &filter, &query->page, request->arena,
	                         &listing));
	return page_reply(request, &query->page, &listing, write_delivery);
}

enum db_result deliveries_list(struct request *request)
{
	struct delivery_query *query = request->query;
	struct delivery_filter filter = filter_of(query);
	struct webhook webhook;
	struct listing listing;

	DB_TRY(page_begin(request, &query->page));
	DB_TRY(webhook_get(request->db, request->key.organization_id, &request->ids[0], request->arena, &webhook));
	DB_TRY(delivery_list(request->db, &webhook, &filter, &query->page, request->arena, &listing));
	return page_reply(request, &query->page, &listing, write_delivery);
}

enum db_result deliveries_get(struct request *request)
{
	return reply_delivery(request, 200, &request->ids[0]);
}

/* A client that asks for a call.requested to be sent again has its webhook-id, which is the id of the call. */
static enum db_result refuse_call(struct request *request)
{
	struct call call;

	DB_TRY(call_get(request->db, request->key.organization_id, &request->ids[0], request->arena, &call));
	return reply_refuse(request, ERROR_INVALID_STATE,
	                    "call.requested cannot be sent again on request, because a call is placed at most once.");
}

enum db_result deliveries_redeliver(struct request *request)
{
	int64_t organization_id = request->key.organization_id;
	struct delivery delivery;
	struct webhook webhook;
	enum db_result result = delivery_get(request->db, organization_id, &request->ids[0], request->arena, &delivery);

	if (result == DB_NOT_FOUND)
		return refuse_call(request);
	if (result != DB_OK)
		return result;
	DB_TRY(webhook_lock_shared(request->db, organization_id, &delivery.webhook_id, request->arena, &webhook));
	if (webhook.disabled)
		return refuse_disabled(request);
	if (delivery.type == EVENT_AGENT_SYNC) /* the agent may have changed since */
		return reply_refuse(request, ERROR_INVALID_STATE, "%s cannot be sent again: request a new one.",
		                    event_names[delivery.type]);
	DB_TRY(delivery_again(request->db, delivery.id, clock_now_us()));
	return reply_delivery(request, 200, &request->ids[0]);
}

enum db_result webhooks_redeliver(struct request *request)
{
	const struct redeliver *wanted = request->input;
	int64_t organization_id = request->key.organization_id, now_us = clock_now_us(), count;
	struct webhook webhook;
	struct json *json;

	DB_TRY(webhook_lock(request->db, organization_id, &request->ids[0], request->arena, &webhook));
	if (webhook.disabled)
		return refuse_disabled(request);
	if (wanted->mode == REDELIVER_FAILED)
		DB_TRY(delivery_again_failed(request->db, &webhook, wanted->since.us, MAX_AGAIN, now_us, &count));
	else
		DB_TRY(delivery_make_missing(request->db, &webhook, organization_id, wanted->since.us, MAX_AGAIN, now_us,
		                             &count));
	audit_say_count(request, "redelivered", count);
	json = reply_begin_object(request, 200);
	json_int(json, "redelivered", count);
	json_bool(json, "has_more", count == MAX_AGAIN);
	return reply_end_object(request);
}

enum db_result calls_tries(struct request *request)
{
	struct call call;
	struct listing tries;

	DB_TRY(call_get(request->db, request->key.organization_id, &request->ids[0], request->arena, &call));
	DB_TRY(call_tries(request->db, &call.id, request->arena, &tries));
	write_tries(reply_begin(request, 200), "data", &tries);
	return reply_end(request);
}
