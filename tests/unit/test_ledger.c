/* The text of the ledger: lines, digests, and links of a chain. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "domain/ledger.h"
#include "instants.h"

#define FIRST "{\"at\":\"2026-06-01T12:00:00.000001Z\",\"decision\":\"call\"}"
#define SECOND "{\"at\":\"2026-06-01T12:00:01.000000Z\",\"decision\":\"skip\",\"rule\":\"do_not_call\"}"
#define NUMBER "+4930123456"

static void write_lines(struct buf *out)
{
	ledger_line_write(out, FIRST, strlen(FIRST), NUMBER);
	ledger_line_write(out, SECOND, strlen(SECOND), "");
}

static void lines_are_read_as_they_were_written(void **state)
{
	struct buf lines = { 0 };
	struct ledger_line line;
	char number[LEDGER_NUMBER];
	const char *next;
	int64_t at_us;

	(void)state;
	write_lines(&lines);
	next = lines.data;
	assert_true(ledger_line_read(&next, lines.data + lines.len, &line));
	assert_int_equal(line.what_len, strlen(FIRST));
	assert_memory_equal(line.what, FIRST, line.what_len);
	assert_true(ledger_line_number(&line, number));
	assert_string_equal(number, NUMBER);
	assert_true(ledger_line_at(&line, &at_us));
	assert_int_equal(at_us, at("2026-06-01T12:00:00.000001Z"));
	assert_true(ledger_line_read(&next, lines.data + lines.len, &line));
	assert_true(ledger_line_number(&line, number));
	assert_string_equal(number, "");
	assert_false(ledger_line_read(&next, lines.data + lines.len, &line));
	assert_ptr_equal(next, lines.data + lines.len);
	buf_free(&lines);
}

static void an_erased_person_changes_no_hash(void **state)
{
	char body[LEDGER_HEX], after[LEDGER_HEX], erased[LEDGER_PERSON], number[LEDGER_NUMBER];
	struct buf lines = { 0 };
	struct ledger_line line;
	const char *next;

	(void)state;
	write_lines(&lines);
	assert_true(ledger_body(lines.data, lines.len, body));
	for (int run = 0; run < 2; run++) { /* the second time there is nothing to erase */
		next = lines.data;
		assert_true(ledger_line_read(&next, lines.data + lines.len, &line));
		ledger_person_erased(line.person, erased);
		memcpy(lines.data + (line.person - lines.data), erased, sizeof erased);
		assert_true(ledger_body(lines.data, lines.len, after));
		assert_string_equal(body, after);
		assert_false(ledger_line_number(&line, number));
		assert_null(strstr(lines.data, NUMBER));
	}
	buf_free(&lines);
}

static void every_byte_counts(void **state)
{
	char body[LEDGER_HEX], other[LEDGER_HEX];
	struct buf lines = { 0 };

	(void)state;
	write_lines(&lines);
	assert_true(ledger_body(lines.data, lines.len, body));
	for (size_t i = 0; i < lines.len; i++) {
		char was = lines.data[i];

		lines.data[i] = was == '1' ? '2' : '1';
		if (ledger_body(lines.data, lines.len, other))
			assert_string_not_equal(body, other);
		lines.data[i] = was;
	}
	for (size_t len = 0; len < lines.len; len++)
		if (ledger_body(lines.data, len, other))
			assert_string_not_equal(body, other);
	buf_free(&lines);
}

static void the_salt_hides_the_number(void **state)
{
	char one[LEDGER_HEX], other[LEDGER_HEX];
	struct buf lines = { 0 };
	struct ledger_line line;
	const char *next;

	(void)state;
	ledger_line_write(&lines, FIRST, strlen(FIRST), NUMBER);
	ledger_line_write(&lines, FIRST, strlen(FIRST), NUMBER);
	next = lines.data;
	assert_true(ledger_line_read(&next, lines.data + lines.len, &line));
	ledger_line_digest(&line, one);
	assert_true(ledger_line_read(&next, lines.data + lines.len, &line));
	ledger_line_digest(&line, other);
	assert_string_not_equal(one, other);
	buf_free(&lines);
}

static void a_link_names_all_that_it_binds(void **state)
{
	char link[LEDGER_HEX], other[LEDGER_HEX], origin[LEDGER_HEX];
	struct uuid organization = { { 1 } }, another = { { 2 } };

	(void)state;
	ledger_origin(&organization, origin);
	ledger_origin(&another, other);
	assert_string_not_equal(origin, other);
	ledger_link(origin, 1, 1000000, "b", link);
	ledger_link(other, 1, 1000000, "b", other);
	assert_string_not_equal(link, other);
	ledger_link(origin, 2, 1000000, "b", other);
	assert_string_not_equal(link, other);
	ledger_link(origin, 1, 1000001, "b", other);
	assert_string_not_equal(link, other);
	ledger_link(origin, 1, 1000000, "c", other);
	assert_string_not_equal(link, other);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(lines_are_read_as_they_were_written),
		cmocka_unit_test(an_erased_person_changes_no_hash),
		cmocka_unit_test(every_byte_counts),
		cmocka_unit_test(the_salt_hides_the_number),
		cmocka_unit_test(a_link_names_all_that_it_binds),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
