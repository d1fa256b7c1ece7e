#include "api/calls.h"

#include <stddef.h>
#include <string.h>

#include "api/audit.h"
#include "api/auth.h"
#include "api/page.h"
#include "api/reply.h"
#include "base/clock.h"
#include "domain/call_json.h"
#include "domain/gate.h"
#include "domain/report_fields.h"
#include "engine/contact_attempts.h"
#include "engine/report.h"
#include "store/agent_store.h"
#include "store/call_store.h"
#include "store/do_not_call_store.h"
#include "store/key_store.h"
#include "store/ledger_store.h"
#include "store/number_store.h"
#include "store/organization_store.h"

struct call_query {
	struct page page;
	struct uuid agent_id, batch_call_id;
	unsigned status; /* bit set of enum call_status, and IN_FLIGHT */
	const char *phone_number, *from_number;
	struct when created_after, created_before;
};

#define IN_FLIGHT CALL_STATUS__MAX

static const char *const filter_names[] = {
	[CALL_QUEUED] = "queued",       [CALL_DISPATCHED] = "dispatched",
	[CALL_RINGING] = "ringing",     [CALL_IN_PROGRESS] = "in_progress",
	[CALL_COMPLETED] = "completed", [CALL_FAILED] = "failed",
	[CALL_NO_ANSWER] = "no_answer", [CALL_BUSY] = "busy",
	[CALL_VOICEMAIL] = "voicemail", [CALL_CANCELLED] = "cancelled",
	[IN_FLIGHT] = "in_flight",      NULL,
};

static const struct call_query call_query_initial = {
	.page = PAGE_INITIAL,
	.phone_number = "",
	.from_number = "",
	.created_after = { .us = INSTANT_NONE },
	.created_before = { .us = INSTANT_NEVER },
};

FIELD_TABLE(calls_query, struct call_query, &call_query_initial, PAGE_FIELDS(struct call_query),
            FIELD(struct call_query, status, CHOICES, .min = 1, .max = IN_FLIGHT + 1, .choices = filter_names),
            FIELD(struct call_query, agent_id, ID, .prefix = ID_AGENT),
            FIELD(struct call_query, batch_call_id, ID, .prefix = ID_BATCH),
            FIELD(struct call_query, phone_number, PHONE), FIELD(struct call_query, from_number, PHONE),
            FIELD(struct call_query, created_after, WHEN), FIELD(struct call_query, created_before, WHEN));

enum db_result calls_list(struct request *request)
{
	struct call_query *query = request->query;
	struct call_filter filter = {
		.statuses = query->status & (CALL_BIT(IN_FLIGHT) - 1),
		.in_flight = (query->status & CALL_BIT(IN_FLIGHT)) != 0,
		.to_number = query->phone_number,
		.from_number = query->from_number,
		.agent_id = query->agent_id,
		.batch_id = query->batch_call_id,
		.after_us = query->created_after.us,
		.before_us = query->created_before.us,
	};
	struct listing listing = { 0 };
	enum db_result result;

	DB_TRY(page_begin(request, &query->page));
	result = call_list(request->db, request->key.organization_id, &filter, &query->page, request->arena, &listing);
	if (result != DB_OK && result != DB_NOT_FOUND)
		return result;
	return page_reply(request, &query->page, &listing, call_write); /* no such agent or campaign: it has no calls */
}

static enum db_result reply_call(struct request *request, int status, const struct uuid *id)
{
	struct call call;

	DB_TRY(call_get(request->db, request->key.organization_id, id, request->arena, &call));
	return reply_object(request, status, call_write, &call);
}

enum db_result calls_get(struct request *request)
{
	return reply_call(request, 200, &request->ids[0]);
}

struct call_input {
	struct uuid agent_id;
	const char *phone_number, *from_number, *variables, *call_settings;
};

static const struct call_input call_initial = {
	.phone_number = "", .from_number = "", .variables = "{}", .call_settings = "{}"
};

#define INPUT(member, kind, ...) FIELD(struct call_input, member, kind, __VA_ARGS__)
#define CALL_INPUT \
	INPUT(phone_number, PHONE, .flags = FIELD_REQUIRED), INPUT(from_number, PHONE, .flags = FIELD_NULLABLE), \
		INPUT(variables, OBJECT, .flags = FIELD_NULLABLE, .max = 16384), \
		INPUT(call_settings, OBJECT, .flags = FIELD_NULLABLE, .max = 16384)

FIELD_TABLE(single_call_fields, struct call_input, &call_initial,
            INPUT(agent_id, ID, .prefix = ID_AGENT, .flags = FIELD_REQUIRED), CALL_INPUT);

/* Without agent_id: the path names the agent. */
FIELD_TABLE(test_call_fields, struct call_input, &call_initial, CALL_INPUT);

static enum db_result find_agent(struct request *request, const struct uuid *id, struct agent *agent)
{
	DB_TRY(agent_lock_shared(request->db, request->key.organization_id, id, request->arena, agent));
	if (agent->status != AGENT_ACTIVE)
		return reply_refuse(request, ERROR_AGENT_NOT_READY,
		                    "The agent is not active: its dialer has not taken agent.sync yet.");
	return DB_OK;
}

static enum db_result find_number(struct request *request, const char *wanted, struct single_call *call)
{
	enum db_result result = call_from_number(request->db, wanted, request->arena, call);

	if (result == DB_NOT_FOUND && *wanted != '\0')
		return reply_refuse_field(request, "from_number", "is not a number of this organisation");
	if (result == DB_NOT_FOUND)
		return reply_refuse(request, ERROR_NO_PHONE_NUMBER,
		                    "Give from_number, or assign an outbound number to the agent.");
	return result;
}

/* Adds the members of every decision about a single call: the key that placed it, and the version of the
 * do-not-call list. */
static enum db_result write_decider(struct request *request, struct json *json, const struct single_call *call)
{
	int64_t version;
	struct key key;

	DB_TRY(key_get(request->db, key_owner(&request->key), request->arena, &key));
	DB_TRY(do_not_call_version(request->db, call->organization_id, &version));
	json_id(json, "key_id", &key.uuid);
	json_int(json, "do_not_call_version", version);
	return DB_OK;
}

/* For the ledger, which is written after this transaction was rolled back. */
static enum db_result note_refusal(struct request *request, const struct single_call *call,
                                   enum ledger_decision decision, enum gate rule, int64_t until_us)
{
	struct ledger *ledger = arena_alloc(request->arena, sizeof *ledger);
	struct json json;

	*ledger = ledger_new(request->arena);
	json = ledger_begin(ledger, decision, call->now_us);
	json_add_string(&json, "rule", gate_name(rule));
	if (until_us != INSTANT_NONE)
		json_instant(&json, "until", until_us);
	DB_TRY(write_decider(request, &json, call));
	ledger_end(ledger, &json, call->organization_id, call->to_number);
	request->refused = ledger;
	return DB_OK;
}

/* It is judged again before the call is sent to the dialer. Here it is judged so that the client knows at once. */
static enum db_result check_suppressed(struct request *request, const struct single_call *call)
{
	struct page page = { .limit = 1 };
	struct listing listing;

	DB_TRY(do_not_call_list(request->db, call->organization_id, call->to_number, "", &page, request->arena, &listing));
	if (listing.count == 0)
		return DB_OK;
	DB_TRY(note_refusal(request, call, LEDGER_SKIP, GATE_DO_NOT_CALL, INSTANT_NONE));
	return reply_refuse_field(request, "phone_number", "is on the do-not-call list");
}

/* The limits stay locked, so that no other transaction calls the number meanwhile. */
static enum db_result check_limits(struct request *request, const struct single_call *call)
{
	struct limited_number asked = { .phone_number = call->to_number };
	struct contact_limits limits;
	int64_t open_at_us;
	char text[32];

	DB_TRY(organization_lock_limits(request->db, call->organization_id, request->arena, &limits));
	if (!contact_limits_any(&limits))
		return DB_OK;
	DB_TRY(contact_attempts_free_at(request->db, call->organization_id, &limits, &asked, 1, call->now_us,
	                                request->arena, &open_at_us));
	if (open_at_us <= call->now_us)
		return DB_OK;
	DB_TRY(note_refusal(request, call, LEDGER_SKIP, GATE_CONTACT_LIMITS, open_at_us));
	instant_format_iso(open_at_us, text);
	return reply_refuse(request, ERROR_CONTACT_LIMIT,
	                    "The organisation's contact limits keep the number from being called before %s.", text);
}

static enum db_result take_number(struct request *request, const struct single_call *call)
{
	int64_t wait_us;

	if (call->number_row == 0)
		return DB_OK;
	DB_TRY(number_take_call(request->db, call->number_row, call->now_us, &wait_us));
	if (wait_us == 0)
		return DB_OK;
	reply_refuse(request, ERROR_RATE_LIMIT, "%s has reached its calls_per_minute: try again later.", call->from_number);
	reply_header(request, "Retry-After",
	             arena_printf(request->arena, "%lld", (long long)((wait_us + US_PER_SECOND - 1) / US_PER_SECOND)));
	return DB_REFUSED;
}

/* for the ledger: the key that placed it */
static enum db_result note_decision(struct request *request, const struct single_call *call, const struct agent *agent)
{
	struct ledger ledger = ledger_new(request->arena);
	struct json json = ledger_begin(&ledger, LEDGER_CALL, call->now_us);

	json_id(&json, "call_id", &call->id);
	json_id(&json, "agent_id", &agent->uuid);
	json_add_string(&json, "from", call->from_number);
	DB_TRY(write_decider(request, &json, call));
	ledger_end(&ledger, &json, call->organization_id, call->to_number);
	return ledger_write(request->db, &ledger);
}

static enum db_result place_call(struct request *request, const struct call_input *input, const struct agent *agent)
{
	struct single_call call = {
		.id = uuid_new(),
		.organization_id = request->key.organization_id,
		.now_us = clock_now_us(),
		.to_number = input->phone_number,
		.variables = input->variables,
		.call_settings = input->call_settings,
	};

	call.agent_row = agent->id;
	DB_TRY(find_number(request, input->from_number, &call));
	DB_TRY(check_suppressed(request, &call));
	DB_TRY(check_limits(request, &call));
	DB_TRY(take_number(request, &call));
	call.max_seconds = agent->max_call_duration_seconds;
	call.expires_at_us = call.now_us + request->conf->dispatch_ttl_seconds * US_PER_SECOND;
	DB_TRY(call_insert_single(request->db, &call));
	audit_say_id(request, &call.id);
	DB_TRY(note_decision(request, &call, agent));
	return reply_call(request, 201, &call.id);
}

enum db_result calls_create(struct request *request)
{
	const struct call_input *input = request->input;
	struct agent agent;
	enum db_result result = find_agent(request, &input->agent_id, &agent);

	if (result == DB_NOT_FOUND)
		return reply_refuse_field(request, "agent_id", "there is no such agent");
	return result == DB_OK ? place_call(request, input, &agent) : result;
}

enum db_result calls_test_agent(struct request *request)
{
	struct agent agent;

	DB_TRY(find_agent(request, &request->ids[0], &agent));
	return place_call(request, request->input, &agent);
}

static enum db_result refuse_cancel(struct request *request, const struct call *call)
{
	return reply_refuse(request, ERROR_INVALID_STATE, "You cannot cancel a call that is %s.",
	                    call_status_names[call->status]);
}

/* Under the lock of the call it is judged whether a dialer has accepted the call. */
enum db_result calls_cancel(struct request *request)
{
	struct call_report report;
	enum report_result result;
	struct call call;

	DB_TRY(call_get(request->db, request->key.organization_id, &request->ids[0], request->arena, &call));
	report = report_conclude(&call.id, CALL_UNACCEPTED, CALL_CANCELLED, "cancelled");
	DB_TRY(reports_apply_in(request->db, request->key.organization_id, &report, 1, clock_now_us(), &result));
	if (result != REPORT_ACCEPTED) {
		DB_TRY(call_get(request->db, request->key.organization_id, &call.id, request->arena, &call));
		return refuse_cancel(request, &call);
	}
	return reply_call(request, 200, &call.id);
}

/* Checks what depends on the present time. */
static bool are_sound(struct request *request, const struct call_report *reports, size_t count, bool is_list)
{
	request->faults.count = 0;
	for (size_t i = 0; i < count; i++)
		if (reports[i].call_back_at.us != INSTANT_NONE)
			report_judge(&reports[i], is_list ? arena_printf(request->arena, "reports[%zu].", i) : "", clock_now_us(),
			             &request->faults);
	return request->faults.count == 0;
}

/* Counted for the metrics, after the transaction was kept. */
static void note_results(struct request *request, const enum report_result *results, size_t count)
{
	memset(request->reports, 0, sizeof request->reports);
	for (size_t i = 0; i < count; i++)
		request->reports[results[i]]++;
}

enum db_result calls_report(struct request *request)
{
	struct call_report *report = request->input;
	enum report_result result;

	if (!are_sound(request, report, 1, false))
		return reply_refuse_faults(request, ERROR_VALIDATION);
	report->call_id = request->ids[0];
	DB_TRY(reports_apply_in(request->db, request->key.organization_id, report, 1, clock_now_us(), &result));
	note_results(request, &result, 1);
	return result == REPORT_NOT_FOUND ? DB_NOT_FOUND : calls_get(request);
}

/* A report that this reporter may not make is treated like a report on an unknown call. */
static const struct call_report *permitted(struct request *request, const struct field_list *list)
{
	const struct call_report *reports = list->items;
	struct call_report *copies = arena_alloc(request->arena, (list->count + 1) * sizeof *copies);

	for (size_t i = 0; i < list->count; i++) {
		copies[i] = reports[i];
		if (!auth_may_report(request, i, &reports[i].call_id))
			copies[i].call_id = (struct uuid){ .b = { 0 } };
	}
	return copies;
}

enum db_result calls_report_bulk(struct request *request)
{
	const struct field_list *list = &((const struct bulk_report *)request->input)->reports;
	const struct call_report *reports = list->items;
	enum report_result *results = arena_alloc(request->arena, (list->count + 1) * sizeof *results);
	int64_t counts[REPORT_RESULT__MAX] = { 0 };
	struct json *json;

	if (!are_sound(request, reports, list->count, true))
		return reply_refuse_faults(request, ERROR_VALIDATION);
	DB_TRY(reports_apply_in(request->db, request->key.organization_id, permitted(request, list), list->count,
	                        clock_now_us(), results));
	note_results(request, results, list->count);
	json = reply_begin_object(request, 200);
	json_begin_array(json, "results");
	for (size_t i = 0; i < list->count; i++) {
		json_begin_object(json, NULL);
		json_id(json, "call_id", &reports[i].call_id);
		json_add_string(json, "result", report_result_names[results[i]]);
		json_end(json);
		counts[results[i]]++;
	}
	json_end(json);
	for (int result = 0; result < REPORT_RESULT__MAX; result++)
		json_int(json, report_result_names[result], counts[result]);
	return reply_end_object(request);
}
