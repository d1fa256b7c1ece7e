/* The parser of forms: the same parts wherever the body is cut. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "api/fingerprint.h"
#include "api/media_type.h"
#include "api/multipart.h"
#include "base/buf.h"

#define TYPE "multipart/form-data; boundary=\"b 1\""

static bool begin(void *context, const struct multipart_part *part)
{
	buf_printf(context, "<%s|%s%s%s>", part->name, part->filename != NULL ? part->filename : "-", part->content_type,
	           part->transfer_encoding);
	return strcmp(part->name, "stop") != 0;
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
	{ "--b 1\r\nContent-Type: a/b\r\ncontent-transfer-encoding:  7bit\r\nContent-Disposition: form-data ; filename=\"; "
	  "name=y\" ;"
	  " NAME=\"a\\\\\\\"%22%2\"\r\n\r\n1\r\n--b 1--\r\n",
	  "<a\\\"\"%2|; name=ya/b7bit>1", true },
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

static void a_boundary_is_required(void **state)
{
	static const char *const types[] = {
		"multipart/form-data",
		"multipart/form-data; boundary",
		"multipart/form-data; boundary=",
		"multipart/form-data; boundary=\"\"",
		"multipart/form-data; xboundary=x",
		"multipart/form-data; boundary=1234567890123456789012345678901234567890123456789012345678901234567890x",
	};
	struct multipart_taker taker = { begin, data, NULL };

	(void)state;
	for (size_t i = 0; i < sizeof types / sizeof *types; i++)
		assert_null(multipart_new(types[i], &taker));
}

static void fingerprint(const char *type, const char *body, size_t piece, uint8_t out[SHA256_SIZE])
{
	struct fingerprint *of = fingerprint_new(type);
	size_t len = strlen(body);

	for (size_t at = 0; at < len; at += piece)
		fingerprint_add(of, body + at, len - at < piece ? len - at : piece);
	fingerprint_end(of, out);
}

#define PART(boundary, name, value) \
	"--" boundary "\r\nContent-Disposition: form-data; name=" name "\r\n\r\n" value "\r\n"

static void a_form_is_known_by_its_parts(void **state)
{
	static const char body[] = PART("b 1", "x", "1") PART("b 1", "y", "2") "--b 1--\r\n";
	static const char again[] = PART("c", "x", "1") PART("c", "y", "2") "--c--\r\n";
	static const char *const others[] = {
		PART("c", "x", "1") PART("c", "y", "3") "--c--\r\n",
		PART("c", "y", "2") PART("c", "x", "1") "--c--\r\n",
		PART("c", "x", "1") "--c--\r\n",
		PART("c", "x", "12") PART("c", "y", "") "--c--\r\n",
	};
	uint8_t first[SHA256_SIZE], other[SHA256_SIZE];

	(void)state;
	fingerprint(TYPE, body, sizeof body, first);
	for (size_t piece = 1; piece < sizeof again; piece++) {
		fingerprint("multipart/form-data; boundary=c", again, piece, other);
		assert_memory_equal(first, other, SHA256_SIZE);
	}
	for (size_t i = 0; i < sizeof others / sizeof *others; i++) {
		fingerprint("multipart/form-data; boundary=c", others[i], 7, other);
		assert_memory_not_equal(first, other, SHA256_SIZE);
	}
	fingerprint("text/csv", body, 5, first);
	fingerprint("text/csv", body, 9, other);
	assert_memory_equal(first, other, SHA256_SIZE);
	fingerprint("text/csv", again, 9, other);
	assert_memory_not_equal(first, other, SHA256_SIZE);
}

static void charsets(void **state)
{
	static const char *const utf8[] = {
		"text/csv",
		"text/csv; header=present",
		"text/csv;charset=utf-8",
		"text/csv; a=\"; charset=x\"; charset=\"UTF-8\"",
		"text/csv; CHARSET=us-ascii",
		"",
		"text/csv;",
		"text/csv; charset",
		"text/csv; xcharset=x",
	};
	static const char *const others[] = {
		"text/csv; charset=utf-16",
		"text/csv; charset=",
		"text/csv;charset=windows-1252; header=present",
		"text/csv; charset=utf-8utf-8utf-8utf-8utf-8utf-8utf-8",
		"text/csv; a=\"\\\"\";charset=\"x",
	};

	(void)state;
	for (size_t i = 0; i < sizeof utf8 / sizeof *utf8; i++)
		if (!media_type_is_utf8(utf8[i]))
			fail_msg("%s is not taken", utf8[i]);
	for (size_t i = 0; i < sizeof others / sizeof *others; i++)
		if (media_type_is_utf8(others[i]))
			fail_msg("%s is taken", others[i]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_form_is_known_by_its_parts), cmocka_unit_test(charsets),
		cmocka_unit_test(parts_of_every_cut),           cmocka_unit_test(malformed_forms_are_refused),
		cmocka_unit_test(a_boundary_is_required),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
