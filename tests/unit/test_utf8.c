/* Foreign text is cleaned so that it can be shown. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/utf8.h"

static void check(const char *text, size_t len, size_t max, const char *expected)
{
	struct buf out = { 0 };

	utf8_excerpt(&out, text, len, max);
	assert_string_equal(buf_text(&out), expected);
	assert_true(utf8_is_valid(buf_text(&out), out.len));
	buf_free(&out);
}

static void an_excerpt_is_well_formed(void **state)
{
	(void)state;
	check("", 0, 10, "");
	check("abc", 3, 10, "abc");
	check("abc", 3, 2, "ab");
	check("a\xc3\xa4", 3, 2, "a"); /* no half characters */
	check("a\xc3\xa4", 3, 3, "a\xc3\xa4");
	check("a\xc3", 2, 10, "a\xef\xbf\xbd");
	check("\xff\0x", 3, 10, "\xef\xbf\xbd\xef\xbf\xbdx");
	check("\xed\xa0\x80", 3, 9, "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd"); /* a surrogate */
	check("\xff\xff", 2, 5, "\xef\xbf\xbd");
	check("\xf0\x9f\x98\x80", 4, 4, "\xf0\x9f\x98\x80");
	check("\xf0\x9f\x98\x80", 4, 3, "");
}

static void control_characters_become_spaces(void **state)
{
	char text[] = "a\x1b[2J\r\nb\x7f\xc2\x9b\x63\xc2\xa0\xc3\xa4";

	(void)state;
	utf8_blank_controls(text);
	assert_string_equal(text, "a [2J  b   c\xc2\xa0\xc3\xa4");
}

int main(void)
{
	static const struct CMUnitTest group_tests[] = {
		cmocka_unit_test(an_excerpt_is_well_formed),
		cmocka_unit_test(control_characters_become_spaces),
	};

	return cmocka_run_group_tests(group_tests, NULL, NULL);
}
