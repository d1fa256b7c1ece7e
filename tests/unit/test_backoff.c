/* How long failed webhooks and dispatches wait. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/clock.h"
#include "domain/backoff.h"

static void webhooks_are_tried_after_the_configured_delays(void **state)
{
	struct conf_delays delays = { .count = 3, .us = { 5, 300, 1800 } };
	int64_t delay_us;

	(void)state;
	for (int tries = 1; tries <= 3; tries++) {
		assert_true(backoff_webhook(&delays, tries, 0, &delay_us));
		assert_int_equal(delay_us, delays.us[tries - 1]);
		assert_true(backoff_webhook(&delays, tries, UINT32_MAX, &delay_us));
		assert_int_equal(delay_us, delays.us[tries - 1] * 6 / 5);
	}
	assert_false(backoff_webhook(&delays, 0, 0, &delay_us));
	assert_false(backoff_webhook(&delays, 4, 0, &delay_us));
	assert_false(backoff_webhook(&delays, 255, 0, &delay_us));
}

static void dispatches_double_up_to_half_a_minute(void **state)
{
	static const int seconds[] = { 1, 1, 2, 4, 8, 16, 30, 30 };

	(void)state;
	for (int tries = 0; tries < 8; tries++)
		assert_int_equal(backoff_dispatch_us(tries, 0), seconds[tries] * US_PER_SECOND);
	assert_int_equal(backoff_dispatch_us(255, 0), 30 * US_PER_SECOND);
	assert_int_equal(backoff_dispatch_us(255, UINT32_MAX), 36 * US_PER_SECOND);
}

static void the_receiver_may_ask_for_more(void **state)
{
	(void)state;
	assert_int_equal(backoff_wait_us(5, 0), 5);
	assert_int_equal(backoff_wait_us(5, 7), 7);
}

int main(void)
{
	static const struct CMUnitTest group_tests[] = {
		cmocka_unit_test(webhooks_are_tried_after_the_configured_delays),
		cmocka_unit_test(dispatches_double_up_to_half_a_minute),
		cmocka_unit_test(the_receiver_may_ask_for_more),
	};

	return cmocka_run_group_tests(group_tests, NULL, NULL);
}
