#include "api/calls.h"

#include <stddef.h>

#include "api/page.h"
#include "api/reply.h"
#include "base/clock.h"
#include "domain/report_fields.h"
#include "store/call_store.h"
#include "store/report_store.h"

struct call_query {
	struct page page;
	struct uuid agent_id, batch_call_id;
	int status;
	struct when created_after, created_before;
};

static const struct call_query call_query_initial = {
	.page = PAGE_INITIAL, .status = -1,
	.created_after = { .us = INSTANT_NONE }, .created_before = { .us = INSTANT_NEVER },
};

#define QUERY(member, ...) { .name = #member, .offset = offsetof(struct call_query, member), __VA_ARGS__ }

static const struct field call_query_list[] = {
	PAGE_FIELDS(struct call_query),
	QUERY(status, .type = FIELD_CHOICE, .choices = call_status_names),
	QUERY(agent_id, .type = FIELD_ID),
	QUERY(batch_call_id, .type = FIELD_ID),
	QUERY(created_after, .type = FIELD_WHEN),
	QUERY(created_before, .type = FIELD_WHEN),
};

const struct field_table calls_query = {
	call_query_list, sizeof call_query_list / sizeof *call_query_list, sizeof(struct call_query),
	&call_query_initial,
};

static void write_call(struct json *json, const char *key, const void *item)
{
	const struct call *call = item;

	json_begin_object(json, key);
	json_id(json, "id", &call->id);
	json_add_string(json, "status", call_status_names[call->status]);
	json_id(json, "agent_id", &call->agent_id);
	json_id(json, "batch_call_id", &call->batch_id);
	json_int(json, "position", call->position);
	json_int(json, "attempt", call->attempt);
	json_int(json, "dispatch_tries", call->tries);
	json_add_string(json, "phone_number", call->to_number);
	json_add_string(json, "from_number", call->from_number);
	json_instant(json, "scheduled_at", call->scheduled_at_us);
	json_instant(json, "created_at", call->called_at_us);
	json_instant(json, "expires_at", call->expires_at_us);
	json_instant(json, "ended_at", call->ended_at_us);
	if (call->duration_seconds < 0)
		json_add_null(json, "duration_seconds");
	else
		json_int(json, "duration_seconds", call->duration_seconds);
	json_decimal4(json, "cost", call->cost_ten_thousandths);
	json_text(json, "outcome", call->outcome);
	json_text(json, "end_reason", call->end_reason);
	json_text(json, "recording_url", call->recording_url);
	json_text(json, "transcript_url", call->transcript_url);
	json_text(json, "summary", call->summary);
	json_end(json);
}

enum db_result calls_list(struct request *request)
{
	const struct call_query *query = request->query;
	struct call_filter filter = {
		.status = query->status, .agent_id = query->agent_id, .batch_id = query->batch_call_id,
		.after_us = query->created_after.us, .before_us = query->created_before.us,
	};
	struct listing listing;

	DB_TRY(call_list(request->db, request->key.organization_id, &filter, &query->page, request->arena, &listing));
	return page_reply(request, &query->page, &listing, write_call);
}

enum db_result calls_get(struct request *request)
{
	struct call call;

	DB_TRY(call_get(request->db, request->key.organization_id, &request->ids[0], request->arena, &call));
	write_call(reply_begin(request, 200), "data", &call);
	return reply_end(request);
}

enum db_result calls_report(struct request *request)
{
	struct call_report *report = request->input;
	enum report_result result;

	report->call_id = request->ids[0];
	DB_TRY(reports_apply_in(request->db, request->key.organization_id, report, 1, clock_now_us(), &result));
	return result == REPORT_NOT_FOUND ? DB_NOT_FOUND : calls_get(request);
}

static void write_result(struct json *json, const struct uuid *call_id, enum report_result result)
{
	json_begin_object(json, NULL);
	json_id(json, "call_id", call_id);
	json_add_string(json, "result", report_result_names[result]);
	json_end(json);
}

enum db_result calls_report_bulk(struct request *request)
{
	const struct field_list *list = &((const struct bulk_report *)request->input)->reports;
	const struct call_report *reports = list->items;
	enum report_result *results = arena_alloc(request->arena, (list->count + 1) * sizeof *results);
	int64_t counts[REPORT_RESULT__MAX] = { 0 };
	struct json *json;

	DB_TRY(reports_apply_in(request->db, request->key.organization_id, reports, list->count, clock_now_us(), results));
	json = reply_begin(request, 200);
	json_begin_object(json, "data");
	json_begin_array(json, "results");
	for (size_t i = 0; i < list->count; i++) {
		write_result(json, &reports[i].call_id, results[i]);
		counts[results[i]]++;
	}
	json_end(json);
	for (int result = 0; result < REPORT_RESULT__MAX; result++)
		json_int(json, report_result_names[result], counts[result]);
	json_end(json);
	return reply_end(request);
}
