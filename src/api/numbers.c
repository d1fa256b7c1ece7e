#include "api/numbers.h"

#include <stddef.h>

#include "api/page.h"
#include "api/reply.h"
#include "base/clock.h"
#include "store/agent_store.h"
#include "store/number_store.h"

#define COUNT(array) (sizeof(array) / sizeof *(array))

static const struct phone_number number_initial = {
	.phone_number = "", .friendly_name = "", .provider_type = PROVIDER_CUSTOM_SIP,
};

#define NUMBER(member, ...) \
	{ .name = #member, .offset = offsetof(struct phone_number, member), __VA_ARGS__ }

static const struct field number_list_of_fields[] = {
	NUMBER(phone_number, .type = FIELD_PHONE, .flags = FIELD_REQUIRED | FIELD_FIXED),
	NUMBER(provider_type, .type = FIELD_CHOICE, .choices = provider_names),
	NUMBER(friendly_name, .type = FIELD_STRING, .flags = FIELD_NULLABLE, .max = 255),
	NUMBER(calls_per_minute, .type = FIELD_INT, .flags = FIELD_NULLABLE, .min = 1, .max = 60000),
};

const struct field_table number_fields = {
	number_list_of_fields, COUNT(number_list_of_fields), sizeof(struct phone_number), &number_initial,
};

struct assignment {
	struct uuid number_id, agent_id; /* agent_id: nil when not given */
	int direction;                   /* enum number_direction */
};

static const char *const direction_names[] = { "inbound", "outbound", NULL };

static const struct assignment assignment_initial;

#define ASSIGNMENT(field_name, member, ...) \
	{ .name = field_name, .offset = offsetof(struct assignment, member), __VA_ARGS__ }
#define NUMBER_ID_FIELD ASSIGNMENT("number_id", number_id, .type = FIELD_ID, .flags = FIELD_REQUIRED)
#define DIRECTION_FIELD                                                                         \
	ASSIGNMENT("assignment_type", direction, .type = FIELD_CHOICE, .flags = FIELD_REQUIRED, \
	           .choices = direction_names)

static const struct field assign_list[] = {
	NUMBER_ID_FIELD,
	ASSIGNMENT("agent_id", agent_id, .type = FIELD_ID, .flags = FIELD_REQUIRED),
	DIRECTION_FIELD,
};

const struct field_table assign_fields = {
	assign_list, COUNT(assign_list), sizeof(struct assignment), &assignment_initial,
};

static const struct field unassign_list[] = {
	NUMBER_ID_FIELD,
	ASSIGNMENT("agent_id", agent_id, .type = FIELD_ID, .flags = FIELD_NULLABLE),
	DIRECTION_FIELD,
};

const struct field_table unassign_fields = {
	unassign_list, COUNT(unassign_list), sizeof(struct assignment), &assignment_initial,
};

static void write_number(struct json *json, const char *key, const void *item)
{
	const struct phone_number *number = item;

	json_begin_object(json, key);
	json_id(json, "id", &number->uuid);
	json_add_string(json, "phone_number", number->phone_number);
	json_add_string(json, "provider_type", provider_names[number->provider_type]);
	json_text(json, "friendly_name", number->friendly_name);
	json_id(json, "inbound_agent_id", &number->inbound_agent_id);
	json_id(json, "outbound_agent_id", &number->outbound_agent_id);
	if (number->calls_per_minute == 0)
		json_add_null(json, "calls_per_minute");
	else
		json_int(json, "calls_per_minute", number->calls_per_minute);
	json_instant(json, "created_at", number->created_at_us);
	json_end(json);
}

static enum db_result reply_number(struct request *request, int status,
                                   const struct phone_number *number)
{
	write_number(reply_begin(request, status), "data", number);
	return reply_end(request);
}

enum db_result numbers_list(struct request *request)
{
	struct page_query *query = request->query;
	struct listing listing;

	DB_TRY(page_begin(request, &query->page));
	DB_TRY(number_list(request->db, request->key.organization_id, &query->page, request->arena,
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
		return reply_refuse_field(request, "phone_number", "is imported already");
	return result == DB_OK ? reply_number(request, 201, number) : result;
}

static enum db_result find_number(struct request *request, struct phone_number *number)
{
	const struct assignment *wanted = request->input;
	enum db_result result = number_get(request->db, request->key.organization_id,
	                                   &wanted->number_id, request->arena, number);

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

	DB_TRY(find_number(request, &number));
	result = agent_lock_shared(request->db, request->key.organization_id, &wanted->agent_id,
	                           request->arena, &agent);
	if (result == DB_NOT_FOUND)
		return reply_refuse_field(request, "agent_id", "there is no such agent");
	if (result != DB_OK)
		return result;
	DB_TRY(number_assign(request->db, &number, (enum number_direction)wanted->direction, agent.id));
	*assigned(&number, wanted) = agent.uuid;
	return reply_number(request, 200, &number);
}

enum db_result numbers_unassign(struct request *request)
{
	const struct assignment *wanted = request->input;
	struct phone_number number;

	DB_TRY(find_number(request, &number));
	if (!uuid_is_nil(&wanted->agent_id) &&
	    !uuid_equal(&wanted->agent_id, assigned(&number, wanted)))
		return reply_refuse_field(request, "agent_id",
		                          "the number is not assigned to this agent");
	DB_TRY(number_assign(request->db, &number, (enum number_direction)wanted->direction, 0));
	*assigned(&number, wanted) = (struct uuid){ { 0 } };
	return reply_number(request, 200, &number);
}

enum db_result numbers_get(struct request *request)
{
	struct phone_number number;

	DB_TRY(number_get(request->db, request->key.organization_id, &request->ids[0], request->arena, &number));
	return reply_number(request, 200, &number);
}

enum db_result numbers_change(struct request *request)
{
	struct phone_number number;

	DB_TRY(number_lock(request->db, request->key.organization_id, &request->ids[0], request->arena, &number));
	field_apply(&number_fields, request->given, request->input, &number);
	DB_TRY(number_update(request->db, &number, clock_now_us()));
	return reply_number(request, 200, &number);
}

enum db_result numbers_delete(struct request *request)
{
	DB_TRY(number_delete(request->db, request->key.organization_id, &request->ids[0]));
	return reply_no_content(request);
}
