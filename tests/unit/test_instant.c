/* Dates and times, as people and as the database write them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/clock.h"
#include "base/instant.h"

static void civil_days(void **state)
{
	static const struct {
		int y, m, d, day, weekday;
	} known[] = {
		{ 1970, 1, 1, 0, 4 },       { 1969, 12, 31, -1, 3 },      { 2000, 2, 29, 11016, 2 }, { 2026, 11, 21, 20778, 6 },
		{ 1000, 1, 1, -354285, 3 }, { 9999, 12, 31, 2932896, 5 }, { 1900, 3, 1, -25508, 4 },
	};
	int y, m, d;

	(void)state;
	for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
		assert_int_equal(civil_day(known[i].y, known[i].m, known[i].d), known[i].day);
		assert_int_equal(civil_weekday(known[i].day), known[i].weekday);
	}
	for (int32_t day = -719528; day < 2932896; day += 13) { /* years 0 to 9999 */
		civil_date(day, &y, &m, &d);
		assert_int_equal(civil_day(y, m, d), day);
		assert_int_equal(civil_weekday(day + 1), civil_weekday(day) % 7 + 1);
	}
	assert_int_equal(civil_day_of(-1), -1);
	assert_int_equal(civil_day_of(0), 0);
	assert_int_equal(civil_day_of(US_PER_DAY - 1), 0);
}

static void the_sentinels_are_what_they_say(void **state)
{
	char text[32];

	(void)state;
	instant_format_sql(INSTANT_NONE, text);
	assert_string_equal(text, "1000-01-01 00:00:00.000000");
	instant_format_sql(INSTANT_NEVER, text);
	assert_string_equal(text, "9999-12-31 00:00:00.000000");
}

static void times_that_are_taken(void **state)
{
	static const struct {
		const char *text, *iso;
		bool wall;
	} good[] = {
		{ "2026-11-21T09:00:00Z", "2026-11-21T09:00:00.000000Z", false },
		{ "2026-11-21t09:00:00z", "2026-11-21T09:00:00.000000Z", false },
		{ "2026-11-21 09:00", "2026-11-21T09:00:00.000000Z", true },
		{ "2026-11-21T09:00+01:00", "2026-11-21T08:00:00.000000Z", false },
		{ "2026-11-21T00:30-0530", "2026-11-21T06:00:00.000000Z", false },
		{ "2026-11-21T00:30+14", "2026-11-20T10:30:00.000000Z", false },
		{ "2026-11-21T09:00:00.1234567Z", "2026-11-21T09:00:00.123456Z", false },
		{ "2026-11-21T09:00:00,5", "2026-11-21T09:00:00.500000Z", true },
		{ "2024-02-29T23:59:59Z", "2024-02-29T23:59:59.000000Z", false },
	};
	struct when when;
	char text[32];

	(void)state;
	for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
		if (!when_parse(good[i].text, &when))
			fail_msg("%s is a time", good[i].text);
		instant_format_iso(when.us, text);
		assert_string_equal(text, good[i].iso);
		assert_int_equal(when.is_wall, good[i].wall);
	}
}

static void times_that_are_not(void **state)
{
	/* clang-format off */
	static const char *const bad[] = {
		"", "2026", "2026-11-21", "2026-11-21T", "2026-11-21T09", "2026-11-21T9:00", "2026-11-21T24:00",
		"2026-11-21T09:60", "2026-11-21T09:00:60", "2026-11-21T09:00:00.", "2026-11-21T09:00:00.Z",
		"2026-11-21T09:00 Z", "2026-11-21T09:00Zx", "2026-11-21T09:00+", "2026-11-21T09:00+1", "2026-11-21T09:00+24:00",
		"2026-11-21T09:00+01:60", "2026-11-21T09:00+01:", "2026-02-29T09:00", "2026-13-01T09:00", "2026-00-01T09:00",
		"2026-01-00T09:00", "2026-04-31T09:00", "0000-01-01T09:00", "26-11-21T09:00", "-026-11-21T09:00",
		"2026/11/21T09:00", "2026-11-21X09:00", " 2026-11-21T09:00",
	};
	/* clang-format on */
	struct when when;

	(void)state;
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
		if (when_parse(bad[i], &when))
			fail_msg("%s is no time", bad[i]);
}

static void dates(void **state)
{
	int32_t day;
	char text[11];

	(void)state;
	assert_true(date_parse("2026-12-24", &day));
	date_format(day, text);
	assert_string_equal(text, "2026-12-24");
	assert_false(date_parse("2026-12-24T", &day));
	assert_false(date_parse("2026-2-4", &day));
	assert_false(date_parse("2026-02-30", &day));
}

static void whole_milliseconds(void **state)
{
	(void)state;
	assert_int_equal(instant_ceil_ms(0), 0);
	assert_int_equal(instant_ceil_ms(1), 1000);
	assert_int_equal(instant_ceil_ms(1000), 1000);
	assert_int_equal(instant_ceil_ms(1001), 2000);
}

int main(void)
{
	static const struct CMUnitTest group_tests[] = {
		cmocka_unit_test(civil_days),
		cmocka_unit_test(the_sentinels_are_what_they_say),
		cmocka_unit_test(times_that_are_taken),
		cmocka_unit_test(times_that_are_not),
		cmocka_unit_test(dates),
		cmocka_unit_test(whole_milliseconds),
	};

	return cmocka_run_group_tests(group_tests, NULL, NULL);
}
