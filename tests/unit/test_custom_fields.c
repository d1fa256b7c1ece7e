/* Custom fields that were stored with names that are not escaped, and their repair. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/buf.h"
#include "domain/custom_fields.h"
#include "domain/csv.h"

static const struct {
	const char *stored, *repaired; /* NULL: cannot be repaired */
} cases[] = {
	{ "{\"Height 5\"\":\"tall\"}", "{\"Height 5\\\"\":\"tall\"}" },
	{ "{\"Amount\n(USD)\":\"5\"}", "{\"Amount (USD)\":\"5\"}" },
	{ "{\"a\\b\":\"\\\"\\u001f\\n\",\"C:\\x\":\"\"}", "{\"a\\\\b\":\"\\\"\\u001f\\n\",\"C:\\\\x\":\"\"}" },
	{ "{\"a\\\":\"1\",\"b\":\"2\"}", "{\"a\\\\\":\"1\",\"b\":\"2\"}" },
	{ "{\"\"\":\"1\"}", "{\"\\\"\":\"1\"}" },
	{ "{\"x\":\"1\"},\"to\":\"+1666\",\"y\":\"v\"}", "{\"x\\\":\\\"1\\\"},\\\"to\":\"+1666\",\"y\":\"v\"}" },
	{ "{\"a\":1,\"b\n\":\"2\"}", "{\"a\\\":1,\\\"b \":\"2\"}" },
	{ "{\"a\":\"\\ud800\"}", NULL },
	{ "{\"a\":\"b\"", NULL },
	{ "{\"a\":\"b", NULL },
	{ "{\"a\":\"b\\\"}", NULL },
	{ "{\":\"b\"}", NULL },
	{ "{}", NULL },
	{ "[1]", NULL },
	{ "x", NULL },
	{ "{\"", NULL },
};

static void readable_texts_are_repaired(void **state)
{
	struct buf out = { 0 };

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		bool repaired = custom_fields_repair(cases[i].stored, strlen(cases[i].stored), &out);

		if (cases[i].repaired != NULL)
			assert_string_equal(buf_text(&out), cases[i].repaired);
		else
			assert_memory_equal(buf_text(&out), "{\"unreadable\":\"", 15);
		assert_int_equal(repaired, cases[i].repaired != NULL);
		buf_reset(&out);
	}
	buf_free(&out);
}

/* A text that looks like thousands of members, each of which may begin anywhere. */
static void the_cost_is_bounded(void **state)
{
	struct buf text = { 0 }, out = { 0 };

	(void)state;
	buf_puts(&text, "{");
	for (int i = 0; i < 4000; i++)
		buf_puts(&text, "\"a\":\"b\",");
	assert_false(custom_fields_repair(text.data, text.len, &out));
	buf_reset(&text);
	buf_puts(&text, "{");
	for (int i = 0; i < CSV_FIELDS_MAX; i++)
		buf_printf(&text, "%s\"a\"%d\":\"b\"", i > 0 ? "," : "", i);
	buf_puts(&text, "}");
	assert_true(custom_fields_repair(text.data, text.len, &out));
	buf_free(&text);
	buf_free(&out);
}

int main(void)
{
	static const struct CMUnitTest group_tests[] = {
		cmocka_unit_test(readable_texts_are_repaired),
		cmocka_unit_test(the_cost_is_bounded),
	};

	return cmocka_run_group_tests(group_tests, NULL, NULL);
}
