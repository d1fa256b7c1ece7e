/* How often work that fails because of locks is tried again, and when it is set aside. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/clock.h"
#include "store/conflicts.h"

#define QUARTER_US (250 * US_PER_MS)
#define SAME_SLOT 64 /* an object whose id is greater by this number has the same entry in the memory */

static int64_t mono_us = US_PER_DAY;
static bool waited;

int64_t clock_mono_us(void)
{
	return mono_us;
}

bool db_waited_for_lock(const struct db *db)
{
	(void)db;
	return waited;
}

static int64_t fail_with(int64_t id, enum db_result result)
{
	return conflict_wait_us(NULL, CONFLICT_CAMPAIGN, id, result);
}

static void deadlocks_are_tried_again_twice(void **state)
{
	(void)state;
	waited = false;
	assert_int_equal(fail_with(1, DB_CONFLICT), QUARTER_US);
	assert_int_equal(fail_with(1, DB_CONFLICT), 2 * QUARTER_US);
	assert_int_equal(fail_with(1, DB_CONFLICT), 0);
}

static void locks_are_waited_for_longer(void **state)
{
	(void)state;
	waited = true;
	for (int i = 1; i < 20; i++) {
		assert_int_equal(fail_with(2, DB_CONFLICT), i < 4 ? i * QUARTER_US : US_PER_SECOND);
		mono_us += 3 * US_PER_SECOND;
	}
	assert_int_equal(fail_with(2, DB_CONFLICT), 0);
}

static void only_conflicts_are_tried_again(void **state)
{
	static const enum db_result others[] = { DB_OK,   DB_NOT_FOUND, DB_DUPLICATE, DB_REFUSED,
		                                     DB_LOST, DB_UNKNOWN,   DB_ERROR };

	(void)state;
	waited = true;
	for (size_t i = 0; i < sizeof others / sizeof *others; i++)
		assert_int_equal(fail_with(3, others[i]), 0);
	assert_int_equal(fail_with(3, DB_CONFLICT), QUARTER_US);
}

static void objects_are_counted_apart(void **state)
{
	(void)state;
	waited = false;
	for (int i = 0; i < 5; i++) {
		assert_int_equal(fail_with(4, DB_CONFLICT), QUARTER_US);
		assert_int_equal(fail_with(4 + SAME_SLOT, DB_CONFLICT), QUARTER_US);
	}
	assert_int_equal(fail_with(5, DB_CONFLICT), QUARTER_US);
	assert_int_equal(conflict_wait_us(NULL, CONFLICT_FOLDER, 5, DB_CONFLICT), QUARTER_US);
	assert_int_equal(fail_with(5, DB_CONFLICT), 2 * QUARTER_US);
}

static void conflicts_of_long_ago_are_forgotten(void **state)
{
	(void)state;
	waited = false;
	assert_int_equal(fail_with(6, DB_CONFLICT), QUARTER_US);
	mono_us += 20 * US_PER_SECOND;
	assert_int_equal(fail_with(6, DB_CONFLICT), 2 * QUARTER_US);
	mono_us += 20 * US_PER_SECOND + 1;
	assert_int_equal(fail_with(6, DB_CONFLICT), QUARTER_US);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(deadlocks_are_tried_again_twice),     cmocka_unit_test(locks_are_waited_for_longer),
		cmocka_unit_test(only_conflicts_are_tried_again),      cmocka_unit_test(objects_are_counted_apart),
		cmocka_unit_test(conflicts_of_long_ago_are_forgotten),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
