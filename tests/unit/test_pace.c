/* Calls at a pace, slow and fast. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/clock.h"
#include "domain/pace.h"
#include "instants.h"

#define MS US_PER_MS

static void the_gap_is_never_too_short(void **state)
{
	(void)state;
	for (int64_t rate = 1; rate <= 60000; rate++) {
		int64_t gap_us = pace_gap_us(rate);

		assert_true(gap_us % MS == 0 && gap_us * rate >= US_PER_MINUTE);
		assert_true((gap_us - MS) * rate < US_PER_MINUTE);
	}
}

static void no_pace_is_no_limit(void **state)
{
	struct pace pace = { 0, INSTANT_NEVER };

	(void)state;
	assert_int_equal(pace_room(&pace, at("2026-06-01T12:00Z")), INT64_MAX);
}

static void a_slow_pace_is_exact(void **state)
{
	int64_t now_us = at("2026-06-01T12:00Z");
	struct pace pace = { 500 * MS, INSTANT_NONE };

	(void)state;
	assert_int_equal(pace_room(&pace, now_us), 1); /* a first call does not allow a burst */
	pace_take(&pace, now_us, 1);
	assert_int_equal(pace_room(&pace, now_us + 499 * MS), 0);
	now_us += 900 * MS; /* a late look */
	assert_int_equal(pace_room(&pace, now_us), 1);
	pace_take(&pace, now_us, 1);
	assert_int_equal(pace.at_us, now_us + 500 * MS);
}

static void a_fast_pace_makes_up_for_late_looks(void **state)
{
	int64_t now_us = at("2026-06-01T12:00Z");
	struct pace pace = { 10 * MS, now_us - 35 * MS };

	(void)state;
	assert_int_equal(pace_room(&pace, now_us), 4);
	pace_take(&pace, now_us, 3);
	assert_int_equal(pace_room(&pace, now_us), 1);
	pace_take(&pace, now_us, 1);
	assert_int_equal(pace.at_us, now_us + 5 * MS);
	now_us += 5 * MS + 100 * MS; /* calls are not made up for after such a long silence */
	assert_int_equal(pace_room(&pace, now_us), 1);
	pace_take(&pace, now_us, 1);
	assert_int_equal(pace.at_us, now_us + 10 * MS);
}

int main(void)
{
	static const struct CMUnitTest group_tests[] = {
		cmocka_unit_test(the_gap_is_never_too_short),
		cmocka_unit_test(no_pace_is_no_limit),
		cmocka_unit_test(a_slow_pace_is_exact),
		cmocka_unit_test(a_fast_pace_makes_up_for_late_looks),
	};

	return cmocka_run_group_tests(group_tests, NULL, NULL);
}
