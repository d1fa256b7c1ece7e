/* The reply of a request is never the reply of an earlier request or of an earlier run. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "api/reply.h"

/* A worker has answered a request with a secret, and receives the next request. */
static struct request next_request(struct arena *arena, struct reply *reply)
{
	struct request request = { .arena = arena, .reply = reply, .id = "req_first", .path = "/" };

	json_add_string(reply_begin(&request, 200), "data", "of another customer");
	reply_end(&request);
	request.id = "req_second";
	reply_drop(&request);
	return request;
}

static void a_result_without_a_reply_is_an_error(void **state)
{
	static const enum db_result results[] = { DB_OK, DB_REFUSED };

	(void)state;
	for (size_t i = 0; i < sizeof results / sizeof *results; i++) {
		struct arena *arena = arena_new();
		struct reply reply = { 0 };
		struct request request = next_request(arena, &reply);

		reply_db(&request, results[i]);
		assert_int_equal(reply.status, 500);
		assert_non_null(strstr(buf_text(&reply.body), "req_second"));
		assert_null(strstr(buf_text(&reply.body), "another customer"));
		buf_free(&reply.headers);
		buf_free(&reply.body);
		arena_free(arena);
	}
}

static void a_reply_stays_as_it_is(void **state)
{
	struct arena *arena = arena_new();
	struct reply reply = { 0 };
	struct request request = next_request(arena, &reply);

	(void)state;
	reply_refuse(&request, ERROR_INVALID_STATE, "It is over.");
	reply_db(&request, DB_REFUSED);
	assert_int_equal(reply.status, 422);
	assert_non_null(strstr(buf_text(&reply.body), "It is over."));
	buf_free(&reply.headers);
	buf_free(&reply.body);
	arena_free(arena);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_result_without_a_reply_is_an_error),
		cmocka_unit_test(a_reply_stays_as_it_is),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
