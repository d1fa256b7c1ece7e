/* The course of a call, and when it is tried again. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/clock.h"
#include "domain/call.h"
#include "domain/contact.h"

static void a_call_only_moves_forward(void **state)
{
	(void)state;
	for (enum call_status from = 0; from < CALL_STATUS__MAX; from++) {
		assert_int_equal(call_has_ended(from), from >= CALL_COMPLETED);
		for (enum call_status to = 0; to < CALL_STATUS__MAX; to++)
			assert_int_equal(call_may_become(from, to), from < CALL_COMPLETED && to > from);
	}
}

static void retries_are_limited(void **state)
{
	struct retry_rules rules = { .enabled = true, .max_attempts = 2, .outcomes = CALL_BIT(CALL_BUSY) };

	(void)state;
	assert_true(call_is_retried(&rules, 1, CALL_BUSY));
	assert_true(call_is_retried(&rules, 2, CALL_BUSY));
	assert_false(call_is_retried(&rules, 3, CALL_BUSY));
	assert_false(call_is_retried(&rules, 1, CALL_FAILED));
	assert_false(call_is_retried(&rules, 1, CALL_COMPLETED));
	rules.max_attempts = 0;
	assert_false(call_is_retried(&rules, 1, CALL_BUSY));
	rules = (struct retry_rules){ .enabled = false, .max_attempts = 3, .outcomes = ~0u };
	assert_false(call_is_retried(&rules, 1, CALL_BUSY));
}

static void retries_wait_twice_as_long_every_time(void **state)
{
	struct retry_rules rules = { .delay_minutes = 10080 };

	(void)state;
	assert_int_equal(call_retry_delay_us(&rules, 1), 10080 * US_PER_MINUTE);
	assert_int_equal(call_retry_delay_us(&rules, 2), 2 * 10080 * US_PER_MINUTE);
	assert_int_equal(call_retry_delay_us(&rules, 3), 4 * 10080 * US_PER_MINUTE);
}

static void the_unanswered_wait_as_long_again(void **state)
{
	(void)state;
	assert_int_equal(call_wait_us(-US_PER_MINUTE), US_PER_SECOND); /* clocks may go back */
	assert_int_equal(call_wait_us(0), US_PER_SECOND);
	assert_int_equal(call_wait_us(20 * US_PER_SECOND), 20 * US_PER_SECOND);
	assert_int_equal(call_wait_us(US_PER_DAY), US_PER_MINUTE);
}

static void every_ending_has_a_status_of_the_contact(void **state)
{
	(void)state;
	for (enum call_status end = CALL_COMPLETED; end < CALL_STATUS__MAX; end++)
		assert_string_equal(contact_status_names[contact_status_after(end)], call_status_names[end]);
}

int main(void)
{
	static const struct CMUnitTest group_tests[] = {
		cmocka_unit_test(a_call_only_moves_forward),
		cmocka_unit_test(retries_are_limited),
		cmocka_unit_test(retries_wait_twice_as_long_every_time),
		cmocka_unit_test(the_unanswered_wait_as_long_again),
		cmocka_unit_test(every_ending_has_a_status_of_the_contact),
	};

	return cmocka_run_group_tests(group_tests, NULL, NULL);
}
