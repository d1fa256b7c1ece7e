/* The output of the JSON writer. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/instant.h"
#include "base/json.h"

static void scopes_and_commas(void **state)
{
	struct buf out = { 0 };
	struct json json = json_to(&out);

	(void)state;
	json_begin_object(&json, NULL);
	json_int(&json, "a", INT64_MIN);
	json_begin_array(&json, "b");
	json_end(&json);
	json_begin_array(&json, "c");
	json_bool(&json, NULL, true);
	json_add_null(&json, NULL);
	json_begin_object(&json, NULL);
	json_end(&json);
	json_end(&json);
	json_raw(&json, "d", "{\"x\":1}");
	json_raw(&json, "e", "");
	json_end(&json);
	assert_string_equal(out.data, "{\"a\":-9223372036854775808,\"b\":[],\"c\":[true,null,{}],"
	                              "\"d\":{\"x\":1},\"e\":null}");
	buf_free(&out);
}

static void strings_are_escaped(void **state)
{
	struct buf out = { 0 };
	struct json json = json_to(&out);

	(void)state;
	json_begin_array(&json, NULL);
	json_add_string(&json, NULL, "\"\\/\b\f\n\r\t\v\x01\x1f\x7f \xc3\xa4\xf0\x9f\x98\x80");
	json_string_n(&json, NULL, "a\0b", 3);
	json_add_string(&json, NULL, NULL);
	json_add_string(&json, NULL, "");
	json_text(&json, NULL, "");
	json_end(&json);
	assert_string_equal(out.data, "[\"\\\"\\\\/\\b\\f\\n\\r\\t\\u000b\\u0001\\u001f\x7f \xc3\xa4\xf0\x9f\x98\x80\","
	                              "\"a\\u0000b\",null,\"\",null]");
	buf_free(&out);
}

static void keys_are_escaped(void **state)
{
	struct buf out = { 0 };
	struct json json = json_to(&out);

	(void)state;
	json_begin_object(&json, NULL);
	json_int(&json, "5\"", 1);
	json_begin_array(&json, "a\nb\\");
	json_end(&json);
	json_begin_object(&json, "x\":1},\"to\":\"y");
	json_add_null(&json, "\x01\xff");
	json_end(&json);
	json_end(&json);
	assert_string_equal(out.data, "{\"5\\\"\":1,\"a\\nb\\\\\":[],\"x\\\":1},\\\"to\\\":\\\"y\":"
	                              "{\"\\u0001\xef\xbf\xbd\":null}}");
	buf_free(&out);
}

static void what_is_not_utf8_is_replaced(void **state)
{
	struct buf out = { 0 };
	struct json json = json_to(&out);

	(void)state;
	json_add_string(&json, NULL, "a\xff\xc3(\xed\xa0\x80\xc3\xa4\xf0\x9f");
	assert_string_equal(out.data, "\"a\xef\xbf\xbd\xef\xbf\xbd(\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\xc3\xa4"
	                              "\xef\xbf\xbd\xef\xbf\xbd\"");
	buf_free(&out);
}

static void values_that_may_be_missing(void **state)
{
	struct buf out = { 0 };
	struct json json = json_to(&out);
	struct uuid nil = { { 0 } }, id = { { 1, 2, 3 } };

	(void)state;
	json_begin_array(&json, NULL);
	json_id(&json, NULL, &nil);
	json_id(&json, NULL, &id);
	json_hex_id(&json, NULL, &nil);
	json_instant(&json, NULL, INSTANT_NONE);
	json_instant(&json, NULL, INSTANT_NEVER);
	json_instant(&json, NULL, 1);
	json_sql_instant(&json, NULL, INSTANT_NONE);
	json_decimal4(&json, NULL, -1);
	json_decimal4(&json, NULL, 0);
	json_decimal4(&json, NULL, INT64_C(99999999999999));
	json_end(&json);
	assert_string_equal(out.data, "[null,\"01020300-0000-0000-0000-000000000000\",\"00000000000000000000000000000000\","
	                              "null,null,\"1970-01-01T00:00:00.000001Z\",\"1000-01-01 00:00:00.000000\","
	                              "null,0.0000,9999999999.9999]");
	buf_free(&out);
}

static void write_pair(struct json *json, int number)
{
	json_begin_object(json, NULL);
	json_int(json, "a", number);
	json_begin_object(json, "b");
	json_int(json, "a", 7);
	json_add_null(json, "c");
	json_end(json);
	json_begin_array(json, "c");
	json_end(json);
	json_end(json);
}

static void members_that_are_not_selected_are_removed(void **state)
{
	static const struct {
		const char *names[3];
		const char *expected;
	} cases[] = {
		{ { "a" }, "[{\"a\":1},{\"a\":2}]" },
		{ { "b" }, "[{\"b\":{\"a\":7,\"c\":null}},{\"b\":{\"a\":7,\"c\":null}}]" },
		{ { "c", "a" }, "[{\"a\":1,\"c\":[]},{\"a\":2,\"c\":[]}]" },
		{ { "d" }, "[{},{}]" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		const char *const names[] = { cases[i].names[0], cases[i].names[1], NULL };
		struct buf out = { 0 };
		struct json json = json_to(&out);

		json_begin_array(&json, NULL);
		json_select(&json, names);
		write_pair(&json, 1);
		write_pair(&json, 2);
		json_select(&json, NULL);
		json_end(&json);
		assert_string_equal(out.data, cases[i].expected);
		buf_free(&out);
	}
}

int main(void)
{
	static const struct CMUnitTest group_tests[] = {
		cmocka_unit_test(scopes_and_commas),          cmocka_unit_test(strings_are_escaped),
		cmocka_unit_test(keys_are_escaped),           cmocka_unit_test(what_is_not_utf8_is_replaced),
		cmocka_unit_test(values_that_may_be_missing), cmocka_unit_test(members_that_are_not_selected_are_removed),
	};

	return cmocka_run_group_tests(group_tests, NULL, NULL);
}
