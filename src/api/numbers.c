#include "api/numbers.h"

#include <stddef.h>

#include "api/audit.h"
#include "api/page.h"
#include "api/reply.h"
#include "base/clock.h"
#include "store/agent_store.h"
#include "store/call_store.h"
#include "store/number_store.h"

static const struct phone_number number_initial = {
	.phone_number = "",
	.friendly_name = "",
	.provider_type = PROVIDER_CUSTOM_SIP,
};

FIELD_TABLE(number_fields, struct phone_number, &number_initial,
            FIELD(struct phone_number, phone_number, PHONE, .flags = FIELD_REQUIRED | FIELD_FIXED),
            FIELD(struct phone_number, provider_type, CHOICE, .choices = provider_names),
            FIELD(struct phone_number, friendly_name, STRING, .flags = FIELD_NULLABLE, .max = 255),
            FIELD(struct phone_number, calls_per_minute, INT, .flags = FIELD_NULLABLE, .min = 1, .max = 60000));

struct number_query {
	struct page page;
	const char *search;
};

static const struct number_query number_query_initial = { .page = PAGE_INITIAL, .search = "" };

FIELD_TABLE(numbers_query, struct number_query, &number_query_initial, PAGE_FIELDS(struct number_query),
            FIELD(struct number_query, search, STRING, .min = 1, .max = 255));

struct assignment {
	struct uuid number_id, agent_id; /* agent_id: nil when not given */
	int direction;                   /* enum number_direction */
};

static const char *const direction_names[] = { "inbound", "outbound", NULL };

static const struct assignment assignment_initial;

#define NUMBER_ID_FIELD FIELD(struct assignment, number_id, ID, .prefix = ID_NUMBER, .flags = FIELD_REQUIRED)
#define DIRECTION_FIELD \
	FIELD_AS("assignment_type", struct assignment, direction, CHOICE, .flags = FIELD_REQUIRED, \
	         .choices = direction_names)

FIELD_TABLE(assign_fields, struct assignment, &assignment_initial, NUMBER_ID_FIELD,
            FIELD(struct assignment, agent_id, ID, .prefix = ID_AGENT, .flags = FIELD_REQUIRED), DIRECTION_FIELD);

FIELD_TABLE(unassign_fields, struct assignment, &assignment_initial, NUMBER_ID_FIELD,
            FIELD(struct assignment, agent_id, ID, .prefix = ID_AGENT, .flags = FIELD_NULLABLE), DIRECTION_FIELD);

static void write_number(struct json *json, const void *item)
{
	const struct phone_number *number = item;

	json_id(json, "id", &number->uuid);
	field_write(json, &number_fields, number);
	json_id(json, "inbound_agent_id", &number->inbound_agent_id);
	json_id(json, "outbound_agent_id", &number->outbound_agent_id);
	json_instant(json, "created_at", number->created_at_us);
}

enum db_result numbers_list(struct request *request)
{
	struct number_query *query = request->query;
	struct listing listing;

	DB_TRY(page_begin(request, &query->page));
	DB_TRY(number_list(request->db, request->key.organization_id, query->search, &query->page, request->arena,
	                   &listing));
	return page_reply(request, &query->page, &listing, write_number);
}

enum db_result numbers_import(struct request *request)
{
	struct phone_number *number = request->input;
	enum db_result result;

	number->uuid = uuid_new();
	number->created_at_us = clock_now_us();
	result = number_insert(request->db, request->key.organization_id, number);
	if (result == DB_DUPLICATE)
		return reply_refuse_field(request, "phone_number", "exists already");
	audit_say_id(request, &number->uuid);
	audit_say_changes(request, &number_fields, &number_initial, number);
	return result == DB_OK ? reply_object(request, 201, write_number, number) : result;
}

typedef enum db_result number_reader(struct db *, int64_t, const struct uuid *, struct arena *, struct phone_number *);

static enum db_result find_number(struct request *request, number_reader *read, struct phone_number *number)
{
	const struct assignment *wanted = request->input;
	enum db_result result = read(request->db, request->key.organization_id, &wanted->number_id, request->arena, number);

	if (result == DB_NOT_FOUND)
		return reply_refuse_field(request, "number_id", "there is no such number");
	return result;
}

static struct uuid *assigned(struct phone_number *number, const struct assignment *wanted)
{
	return wanted->direction == NUMBER_INBOUND ? &number->inbound_agent_id : &number->outbound_agent_id;
}

enum db_result numbers_assign(struct request *request)
{
	const struct assignment *wanted = request->input;
	struct phone_number number;
	struct agent agent;
	enum db_result result;

	DB_TRY(find_number(request, number_get, &number));
	result = agent_lock_shared(request->db, request->key.organization_id, &wanted->agent_id, request->arena, &agent);
	if (result == DB_NOT_FOUND)
		return reply_refuse_field(request, "agent_id", "there is no such agent");
	if (result != DB_OK)
		return result;
	DB_TRY(find_number(request, number_lock, &number)); /* agents are locked before numbers */
	DB_TRY(number_assign(request->db, &number, (enum number_direction)wanted->direction, agent.id));
	*assigned(&number, wanted) = agent.uuid;
	audit_say_id(request, &number.uuid);
	audit_say_other(request, direction_names[wanted->direction], &agent.uuid);
	return reply_object(request, 200, write_number, &number);
}

enum db_result numbers_unassign(struct request *request)
{
	const struct assignment *wanted = request->input;
	struct phone_number number;

	DB_TRY(find_number(request, number_lock, &number));
	if (!uuid_is_nil(&wanted->agent_id) && !uuid_equal(&wanted->agent_id, assigned(&number, wanted)))
		return reply_refuse_field(request, "agent_id", "the number is not assigned to this agent");
	DB_TRY(number_assign(request->db, &number, (enum number_direction)wanted->direction, 0));
	audit_say_id(request, &number.uuid);
	audit_say_other(request, direction_names[wanted->direction], assigned(&number, wanted));
	*assigned(&number, wanted) = (struct uuid){ { 0 } };
	return reply_object(request, 200, write_number, &number);
}

enum db_result numbers_get(struct request *request)
{
	struct phone_number number;

	DB_TRY(number_get(request->db, request->key.organization_id, &request->ids[0], request->arena, &number));
	return reply_object(request, 200, write_number, &number);
}

#define DAYS_MAX 90

struct days {
	int64_t days;
};

static const struct days days_initial = { .days = 7 };

FIELD_TABLE(number_analytics_query, struct days, &days_initial,
            FIELD(struct days, days, INT, .min = 1, .max = DAYS_MAX));

int64_t numbers_write_tally(struct json *json, const int64_t counts[])
{
	int64_t all = 0, ended = 0, completed = counts[CALL_COMPLETED];

	for (int status = 0; status < CALL_STATUS__MAX; status++) {
		all += counts[status];
		ended += call_has_ended((enum call_status)status) ? counts[status] : 0;
	}
	json_int(json, "calls", ended);
	for (int status = CALL_COMPLETED; status < CALL_STATUS__MAX; status++)
		json_int(json, call_status_names[status], counts[status]);
	json_decimal4(json, "answer_rate", ended == 0 ? -1 : (completed * 10000 + ended / 2) / ended);
	return all;
}

enum db_result numbers_analytics(struct request *request)
{
	const struct days *query = request->query != NULL ? request->query : &days_initial;
	int64_t since_us = clock_now_us() - query->days * US_PER_DAY, counts[CALL_STATUS__MAX];
	struct phone_number number;
	struct json *json;

	DB_TRY(number_get(request->db, request->key.organization_id, &request->ids[0], request->arena, &number));
	DB_TRY(call_tally_from(request->db, request->key.organization_id, number.phone_number, since_us, counts));
	json = reply_begin_object(request, 200);
	json_id(json, "number_id", &number.uuid);
	json_instant(json, "since", since_us);
	json_bool(json, "is_exact", numbers_write_tally(json, counts) < CALLS_TALLIED_MAX);
	return reply_end_object(request);
}

enum db_result numbers_change(struct request *request)
{
	struct phone_number before, number;

	DB_TRY(number_lock(request->db, request->key.organization_id, &request->ids[0], request->arena, &before));
	number = before;
	field_apply(&number_fields, request->given, request->input, &number);
	audit_say_changes(request, &number_fields, &before, &number);
	DB_TRY(number_update(request->db, &number, clock_now_us()));
	return reply_object(request, 200, write_number, &number);
}

enum db_result numbers_delete(struct request *request)
{
	DB_TRY(number_delete(request->db, request->key.organization_id, &request->ids[0]));
	return reply_no_content(request);
}
