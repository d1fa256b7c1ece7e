/* Presets of calling hours, and calendars that allow calls at night. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/instant.h"
#include "domain/calling_hours.h"

#define EVERY_DAY 0x7f
#define WINTER INT64_C(1768471200000000) /* 2026-01-15, 10:00 UTC */

static void presets_of_a_file(void **state)
{
	static const char text[] =
		"# a comment\n\nde|12345|09:00|17:00|Germany|a law\nde|6|10:00|12:00\nxx|7|22:00|02:00|Night|\n";
	char path[] = "/tmp/outdial-calling-hours-XXXXXX";
	int file = mkstemp(path);
	const struct calling_hours *presets;
	const char *name = "de", *other = "fr";
	size_t count;

	(void)state;
	assert_int_equal(write(file, text, sizeof text - 1), sizeof text - 1);
	close(file);
	calling_hours_load(path);
	unlink(path);
	presets = calling_hours_all(&count);
	assert_int_equal(count, 2);
	assert_string_equal(presets[0].title, "Germany");
	assert_string_equal(presets[0].source, "a law");
	assert_int_equal(presets[0].window_count, 2);
	assert_int_equal(presets[0].windows[0].days, 0x1f);
	assert_int_equal(presets[0].windows[1].start, 600);
	assert_int_equal(presets[1].windows[0].end, 120);
	assert_ptr_equal(calling_hours_find("xx"), &presets[1]);
	assert_null(calling_hours_find("x"));
	assert_null(calling_hours_check(NULL, &name));
	assert_non_null(calling_hours_check(NULL, &other));
}

static void calendars_that_allow_calls_at_night(void **state)
{
	static const struct {
		const char *zone; /* of the calendar */
		int start, end;
		const char *where;
		bool is_night;
	} cases[] = {
		{ "UTC", 0, 1440, "UTC", true },
		{ "UTC", 480, 1260, "UTC", false },
		{ "UTC", 479, 1260, "UTC", true },
		{ "UTC", 480, 1261, "UTC", true },
		{ "UTC", 1200, 120, "UTC", true },
		{ "UTC", 540, 720, "Asia/Tokyo", false },
		{ "UTC", 540, 721, "Asia/Tokyo", true },
		{ "Asia/Tokyo", 1020, 1440, "UTC", false },
		{ "Europe/Berlin", 480, 540, "Europe/Paris", false },
		{ "Europe/Berlin", 480, 540, "Africa/Algiers", true },   /* in summer */
		{ "Africa/Algiers", 1200, 1260, "Europe/Berlin", true }, /* the same, in the evening */
	};

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct calendar calendar = {
			.zone = cases[i].zone,
			.daily = { .days = EVERY_DAY, .start = cases[i].start, .end = cases[i].end },
		};

		assert_int_equal(calling_hours_reach_night(&calendar, cases[i].where, WINTER), cases[i].is_night);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(presets_of_a_file),
		cmocka_unit_test(calendars_that_allow_calls_at_night),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
