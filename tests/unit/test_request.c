/* A request from nginx's parameters: method, ids, lengths, and the parameters of a query. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "api/request.h"

static int set_up(void **state)
{
	*state = arena_new();
	return 0;
}

static int tear_down(void **state)
{
	arena_free(*state);
	return 0;
}

static struct request receive(void **state, char **params)
{
	struct request request = { .arena = *state };

	request_receive(&request, params, NULL);
	return request;
}

static struct request receive_one(void **state, const char *param)
{
	char *params[] = { arena_strdup(*state, param), NULL };

	return receive(state, params);
}

static void nothing_is_needed(void **state)
{
	char *params[] = { NULL };
	struct request request = receive(state, params);

	assert_int_equal(request.method, METHOD__MAX);
	assert_string_equal(request.path, "");
	assert_string_equal(request.authorization, "");
	assert_int_equal(request.content_length, 0);
	assert_int_equal(strlen(request.id), 4 + 32);
}

static void methods(void **state)
{
	assert_int_equal(receive_one(state, "REQUEST_METHOD=GET").method, METHOD_GET);
	assert_int_equal(receive_one(state, "REQUEST_METHOD=HEAD").method, METHOD_GET);
	assert_int_equal(receive_one(state, "REQUEST_METHOD=PATCH").method, METHOD_PATCH);
	assert_int_equal(receive_one(state, "REQUEST_METHOD=get").method, METHOD__MAX);
	assert_int_equal(receive_one(state, "REQUEST_METHOD=OPTIONS").method, METHOD__MAX);
}

static void lengths(void **state)
{
	assert_int_equal(receive_one(state, "CONTENT_LENGTH=12").content_length, 12);
	assert_int_equal(receive_one(state, "CONTENT_LENGTH=").content_length, 0);
	assert_int_equal(receive_one(state, "CONTENT_LENGTH=-1").content_length, -1);
	assert_int_equal(receive_one(state, "CONTENT_LENGTH=12x").content_length, -1);
	assert_int_equal(receive_one(state, "CONTENT_LENGTH=99999999999999999999").content_length, -1);
}

static void names_of_requests(void **state)
{
	struct request odd = receive_one(state, "REQUEST_ID=a b\"\r\n");

	assert_string_equal(receive_one(state, "REQUEST_ID=0a1b").id, "req_0a1b");
	assert_int_equal(strlen(odd.id), 4 + 32); /* our own id is used, because this text would reach a header */
}

static bool split(void **state, const char *query, struct field_pair **pairs, size_t *count)
{
	struct request request = { .arena = *state, .query_string = query };

	return request_split_query(&request, pairs, count);
}

static void parameters(void **state)
{
	struct field_pair *pairs;
	size_t count;

	assert_true(split(state, "a=1&&b=x%20y+z%C3%A4&c&=d&", &pairs, &count));
	assert_int_equal(count, 4);
	assert_string_equal(pairs[0].name, "a");
	assert_string_equal(pairs[0].value, "1");
	assert_string_equal(pairs[1].value, "x y z\xc3\xa4");
	assert_string_equal(pairs[2].name, "c");
	assert_string_equal(pairs[2].value, "");
	assert_string_equal(pairs[3].name, "");
	assert_string_equal(pairs[3].value, "d");
	assert_true(split(state, "", &pairs, &count));
	assert_int_equal(count, 0);
}

static void parameters_that_cannot_be_decoded(void **state)
{
	static const char *const wrong[] = { "a=%", "a=%1", "a=%zz", "a=%0", "a=%00", "%g0=1", "a=1&b=%2" };
	struct field_pair *pairs;
	size_t count;

	for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++)
		if (split(state, wrong[i], &pairs, &count))
			fail_msg("%s was decoded", wrong[i]);
}

static void parameters_are_bounded(void **state)
{
	char query[2 * 33 + 1] = "";
	struct field_pair *pairs;
	size_t count;

	for (int i = 0; i < 32; i++)
		strcat(query, "a&");
	assert_true(split(state, query, &pairs, &count));
	assert_int_equal(count, 32);
	strcat(query, "a");
	assert_false(split(state, query, &pairs, &count));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	static const struct CMUnitTest group_tests[] = {
		TEST(nothing_is_needed),      TEST(methods),    TEST(lengths),
		TEST(names_of_requests),      TEST(parameters), TEST(parameters_that_cannot_be_decoded),
		TEST(parameters_are_bounded),
	};

	return cmocka_run_group_tests(group_tests, NULL, NULL);
}
