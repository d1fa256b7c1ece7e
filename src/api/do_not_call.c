#include "api/do_not_call.h"

#include <stddef.h>
#include <string.h>

#include "api/audit.h"
#include "api/page.h"
#include "api/reply.h"
#include "base/clock.h"
#include "domain/person.h"
#include "store/do_not_call_store.h"

#define MAX_AT_ONCE 10000

/* A body has one number, or a list. */
struct suppression {
	const char *phone_number, *reason;
	struct field_list phone_numbers; /* of struct listed_number */
};

static const struct suppression suppression_initial = { .phone_number = "", .reason = "" };

FIELD_TABLE(do_not_call_fields, struct suppression, &suppression_initial,
            FIELD(struct suppression, phone_number, PHONE),
            FIELD(struct suppression, phone_numbers, PHONES, .min = 1, .max = MAX_AT_ONCE),
            FIELD(struct suppression, reason, STRING, .flags = FIELD_NULLABLE, .max = 255));

struct suppression_query {
	struct page page;
	const char *phone_number, *search;
};

/* Checks a number, or the beginning of one. */
static const char *check_beginning(struct arena *arena, const char **text)
{
	const char *digits = *text + (**text == '+');

	(void)arena;
	return **text == '+' && digits[strspn(digits, "0123456789")] == '\0'
	           ? NULL
	           : "must be the beginning of a number such as +4930";
}

static const struct suppression_query query_initial = { .page = PAGE_INITIAL, .phone_number = "", .search = "" };

FIELD_TABLE(do_not_call_query, struct suppression_query, &query_initial, PAGE_FIELDS(struct suppression_query),
            FIELD(struct suppression_query, phone_number, PHONE),
            FIELD(struct suppression_query, search, STRING, .min = 1, .max = 16, .check = check_beginning));

static void write_number(struct json *json, const void *item)
{
	const struct suppressed_number *number = item;

	json_add_string(json, "phone_number", number->phone_number);
	json_text(json, "reason", number->reason);
	json_instant(json, "created_at", number->created_at_us);
}

enum db_result do_not_call_page(struct request *request)
{
	struct suppression_query *query = request->query;
	struct listing listing;

	if (*query->phone_number != '\0' && *query->search != '\0')
		return page_refuse(request, "search", "cannot be given together with phone_number");
	DB_TRY(page_begin(request, &query->page));
	if (query->page.after != NULL && !phone_is_e164(query->page.after->text))
		return page_refuse(request, "cursor", "is not a cursor of this list");
	DB_TRY(do_not_call_list(request->db, request->key.organization_id, query->phone_number, query->search, &query->page,
	                        request->arena, &listing));
	return page_reply(request, &query->page, &listing, write_number);
}

enum db_result do_not_call_append(struct request *request)
{
	const struct suppression *input = request->input;
	bool one = *input->phone_number != '\0';
	const char *const *numbers = one ? &input->phone_number : input->phone_numbers.items;
	size_t count = one ? 1 : input->phone_numbers.count;
	struct json *json;
	int64_t added;

	if (one == (input->phone_numbers.count != 0))
		return reply_refuse_field(request, "phone_number", "is required, or else phone_numbers; not both");
	DB_TRY(do_not_call_add(request->db, request->key.organization_id, numbers, count, input->reason, clock_now_us(),
	                       &added));
	audit_say_count(request, "added", added);
	json = reply_begin_object(request, 201);
	json_int(json, "added", added);
	json_int(json, "already_listed", (int64_t)count - added);
	return reply_end_object(request);
}

enum db_result do_not_call_delete(struct request *request)
{
	char mark[PERSON_MARK];

	DB_TRY(do_not_call_remove(request->db, request->key.organization_id, request->phone_number));
	person_mark(request->phone_number, mark);
	audit_say_text(request, "person", mark);
	return reply_no_content(request);
}
