/* The database's clock, from answers that take time. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/clock.h"

#define AHEAD_US (3 * US_PER_DAY) /* the database's clock, which the test sets */

static int64_t ahead_us(void)
{
	return clock_now_us() - clock_mono_us();
}

static void assert_ahead(int64_t expected_us)
{
	assert_true(llabs(ahead_us() - expected_us) < 100 * US_PER_MS);
}

/* Asks for the time: after wait_us the database reads its clock, and after back_us more its answer is read. */
static void answer(int64_t ahead_of_us, int64_t wait_us, int64_t back_us)
{
	int64_t mono_us = clock_mono_us();

	clock_set(mono_us + ahead_of_us - back_us, mono_us - back_us - wait_us, mono_us);
}

static void a_late_answer_moves_nothing(void **state)
{
	(void)state;
	answer(AHEAD_US, 100, 100);
	assert_ahead(AHEAD_US);
	answer(AHEAD_US, 4 * US_PER_SECOND, 0);
	assert_ahead(AHEAD_US);
	answer(AHEAD_US, 0, 4 * US_PER_SECOND);
	assert_ahead(AHEAD_US);
	assert_true(clock_age_us() < US_PER_SECOND);
	assert_true(clock_stepped_us() == INT64_MIN);
}

/* An answer may spend all of its time on the way to the database or on the way back. */
static void it_is_never_ahead_of_the_database(void **state)
{
	static const int64_t back_us[] = { 20000, 0, 20000, 1000 };

	(void)state;
	for (size_t i = 0; i < sizeof(back_us) / sizeof(*back_us); i++) {
		answer(AHEAD_US, 20000 - back_us[i], back_us[i]);
		assert_true(ahead_us() <= AHEAD_US);
	}
	assert_true(ahead_us() >= AHEAD_US - 20000);
	answer(AHEAD_US, 1000, 0);
	assert_true(ahead_us() >= AHEAD_US - 1000 && ahead_us() <= AHEAD_US);
}

static void a_drift_is_followed(void **state)
{
	int64_t drift_us = 0;

	(void)state;
	for (; drift_us > -US_PER_SECOND; drift_us -= 10000) {
		answer(AHEAD_US + drift_us, 100, 100);
		assert_true(ahead_us() <= AHEAD_US + drift_us);
		assert_true(ahead_us() >= AHEAD_US + drift_us - 10000);
	}
	for (; drift_us < 0; drift_us += 10000)
		answer(AHEAD_US + drift_us, 100, 100);
	answer(AHEAD_US, 100, 100);
	assert_ahead(AHEAD_US);
	assert_true(clock_stepped_us() == INT64_MIN);
}

static void a_step_counts(void **state)
{
	(void)state;
	answer(AHEAD_US - 2 * US_PER_SECOND, 100, 100);
	assert_ahead(AHEAD_US - 2 * US_PER_SECOND);
	assert_true(llabs(clock_stepped_by_us() + 2 * US_PER_SECOND) < 100 * US_PER_MS);
	answer(AHEAD_US + US_PER_MINUTE, 0, US_PER_SECOND / 20);
	assert_ahead(AHEAD_US + US_PER_MINUTE);
	assert_true(clock_mono_us() - clock_stepped_us() < US_PER_SECOND);
	assert_true(clock_stepped_by_us() > US_PER_MINUTE);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_late_answer_moves_nothing),
		cmocka_unit_test(it_is_never_ahead_of_the_database),
		cmocka_unit_test(a_drift_is_followed),
		cmocka_unit_test(a_step_counts),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
