/* The parser of forms: the same parts wherever the body is cut. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "api/multipart.h"
#include "base/buf.h"

#define TYPE "multipart/form-data; boundary=\"b 1\""

static bool begin(void *context, const char *name, const char *filename)
{
	buf_printf(context, "<%s|%s>", name, filename != NULL ? filename : "-");
	return strcmp(name, "stop") != 0;
}

static bool data(void *context, const char *bytes, size_t len)
{
	buf_add(context, bytes, len);
	return true;
}

static const struct {
	const char *body, *parts;
	bool is_complete;
} cases[] = {
	{ "--b 1\r\nContent-Disposition: form-data; name=\"x\"\r\n\r\n1\r\n--b 1--\r\n", "<x|->1", true },
	{ "--b 1\r\nContent-Disposition: form-data; name=\"x\"\r\n\r\n\r\n--b 1--", "<x|->", true },
	{ "preamble\r\n--b 1  \r\ncontent-disposition:form-data; filename=\"a \\\"b\\\".csv\"; name=file\r\nX: y\r\n\r\n"
	  "1,2\r\n--b\r\n--b 2\r\n\r\n--b 1\r\nContent-Disposition: form-data; name=\"x\"\r\n\r\nz\r\n--b 1--\r\nepilogue",
	  "<file|a \"b\".csv>1,2\r\n--b\r\n--b 2\r\n<x|->z", true },
	{ "--b 1\r\nContent-Disposition: form-data; name=\"x\"\r\n\r\nnever ends", "<x|->", false },
	{ "--b 1--", "", true },
	{ "", "", false },
};

static bool parse(struct buf *out, const char *body, size_t piece, bool *is_complete)
{
	struct multipart_taker taker = { begin, data, out };
	struct multipart *multipart = multipart_new(TYPE, &taker);
	size_t len = strlen(body);
	bool is_good = true;

	assert_non_null(multipart);
	buf_reset(out);
	for (size_t at = 0; at < len && is_good; at += piece)
		is_good = multipart_push(multipart, body + at, len - at < piece ? len - at : piece);
	*is_complete = multipart_is_complete(multipart);
	multipart_free(multipart);
	return is_good;
}

static void parts_of_every_cut(void **state)
{
	struct buf parts = { 0 };
	bool is_complete;

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
		for (size_t piece = 1; piece <= strlen(cases[i].body) + 1; piece++) {
			assert_true(parse(&parts, cases[i].body, piece, &is_complete));
			assert_int_equal(is_complete, cases[i].is_complete);
			assert_memory_equal(buf_text(&parts), cases[i].parts, strlen(cases[i].parts));
			if (is_complete)
				assert_string_equal(buf_text(&parts), cases[i].parts);
		}
	buf_free(&parts);
}

static void malformed_forms_are_refused(void **state)
{
	static const char *const bodies[] = {
		"--b 1\r\nContent-Type: text/plain\r\n\r\n1\r\n--b 1--\r\n",
		"--b 1\r\nContent-Disposition: form-data\r\n\r\n1\r\n--b 1--\r\n",
		"--b 1\r\nContent-Disposition: form-data; name=\"stop\"\r\n\r\n1\r\n--b 1--\r\n",
	};
	struct buf parts = { 0 };
	bool is_complete;

	(void)state;
	for (size_t i = 0; i < sizeof bodies / sizeof *bodies; i++)
		for (size_t piece = 1; piece <= strlen(bodies[i]); piece++)
			assert_false(parse(&parts, bodies[i], piece, &is_complete));
	buf_free(&parts);
}

static void a_boundary_is_wanted(void **state)
{
	static const char *const types[] = {
		"multipart/form-data", "multipart/form-data; boundary", "multipart/form-data; boundary=",
		"multipart/form-data; boundary=\"\"", "multipart/form-data; xboundary=x",
		"multipart/form-data; boundary=1234567890123456789012345678901234567890123456789012345678901234567890x",
	};
	struct multipart_taker taker = { begin, data, NULL };

	(void)state;
	for (size_t i = 0; i < sizeof types / sizeof *types; i++)
		assert_null(multipart_new(types[i], &taker));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(parts_of_every_cut),
		cmocka_unit_test(malformed_forms_are_refused),
		cmocka_unit_test(a_boundary_is_wanted),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
