/* The instant from which a person may be called again. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/clock.h"
#include "domain/contact_limit.h"
#include "instants.h"

#define HOUR (60 * US_PER_MINUTE)
#define NOW "2026-06-10T12:00Z"

/* Returns calls this many hours ago, the latest first. Each took an hour. */
static size_t attempts_of(struct contact_attempt *out, const int *hours_ago, size_t count, enum call_status status)
{
	for (size_t i = 0; i < count; i++)
		out[i] = (struct contact_attempt){
			.called_at_us = at(NOW) - hours_ago[i] * HOUR,
			.ended_at_us = at(NOW) - (hours_ago[i] - 1) * HOUR,
			.status = status,
		};
	return count;
}

static void a_limit_opens_when_its_oldest_attempt_leaves_the_period(void **state)
{
	struct contact_limit list[] = { { 2, 24, 0 }, { 3, 0, 7 } };
	struct contact_limits limits = { .list = { list, 2 } };
	static const int hours[] = { 2, 20, 30, 100 };
	struct contact_attempt attempts[4];

	(void)state;
	attempts_of(attempts, hours, 4, CALL_BUSY);
	assert_int_equal(contact_limits_free_at(&limits, attempts, 0, at(NOW)), INSTANT_NONE);
	assert_int_equal(contact_limits_free_at(&limits, attempts, 1, at(NOW)), INSTANT_NONE);
	assert_int_equal(contact_limits_free_at(&limits, attempts, 2, at(NOW)), at(NOW) + 4 * HOUR);
	assert_int_equal(contact_limits_free_at(&limits, attempts, 4, at(NOW)), at(NOW) + (7 * 24 - 30) * HOUR);
	assert_true(contact_limits_any(&limits));
	assert_int_equal(contact_limits_reach_us(&limits), 7 * US_PER_DAY);
}

static void the_limit_that_holds_for_longest_is_named(void **state)
{
	struct contact_limit list[] = { { 2, 24, 0 }, { 3, 0, 7 } };
	struct contact_limits limits = { .list = { list, 2 } };
	static const int hours[] = { 2, 20, 30, 200 };
	struct contact_limit_hold hold;
	struct contact_attempt attempts[4];

	(void)state;
	attempts_of(attempts, hours, 4, CALL_COMPLETED);
	hold = contact_limits_hold(&limits, attempts, 1, at(NOW));
	assert_null(hold.limit);
	hold = contact_limits_hold(&limits, attempts, 2, at(NOW));
	assert_ptr_equal(hold.limit, &list[0]);
	assert_int_equal(hold.attempts, 2);
	hold = contact_limits_hold(&limits, attempts, 4, at(NOW));
	assert_ptr_equal(hold.limit, &list[1]);
	assert_int_equal(hold.attempts, 3); /* the fourth has left the period */
	assert_false(hold.rests);
	limits.rest_hours = 24 * 30;
	hold = contact_limits_hold(&limits, attempts, 4, at(NOW));
	assert_true(hold.rests);
}

/* Compares with the definition: the first instant at which one more call exceeds no limit. */
static void any_limits_and_any_attempts(void **state)
{
	(void)state;
	for (int round = 0; round < 3000; round++) {
		struct contact_limit list[3];
		struct contact_limits limits = { .list = { list, (size_t)(random() % 4) } };
		struct contact_attempt attempts[8];
		int hours[8], count = (int)(random() % 9);
		int64_t expected_us = INSTANT_NONE;

		for (size_t i = 0; i < limits.list.count; i++)
			list[i] = (struct contact_limit){ 1 + random() % 4, 1 + random() % 90, 0 };
		for (int i = 0; i < count; i++)
			hours[i] = (i == 0 ? 0 : hours[i - 1]) + (int)(random() % 30);
		attempts_of(attempts, hours, (size_t)count, CALL_NO_ANSWER);
		for (int hour = 100; hour >= 0 && expected_us == INSTANT_NONE; hour--)
			for (size_t i = 0; i < limits.list.count; i++) {
				int within = 0;

				for (int a = 0; a < count; a++)
					within += hours[a] + hour < list[i].period_hours;
				if (within >= list[i].max_attempts)
					expected_us = at(NOW) + (hour + 1) * HOUR;
			}
		int64_t free_at_us = contact_limits_free_at(&limits, attempts, (size_t)count, at(NOW));

		if (expected_us == INSTANT_NONE)
			assert_true(free_at_us <= at(NOW));
		else
			assert_int_equal(free_at_us, expected_us);
	}
}

static void a_rest_follows_a_conversation(void **state)
{
	struct contact_limits limits = { .rest_hours = 48 };
	struct contact_attempt attempts[2];
	static const int hours[] = { 2, 30 };

	(void)state;
	for (enum call_status status = CALL_FAILED; status < CALL_STATUS__MAX; status++) {
		attempts_of(attempts, hours, 2, status);
		assert_int_equal(contact_limits_free_at(&limits, attempts, 2, at(NOW)), INSTANT_NONE);
	}
	attempts[1].status = CALL_COMPLETED;
	assert_int_equal(contact_limits_free_at(&limits, attempts, 2, at(NOW)), at(NOW) + 19 * HOUR);
	attempts[0].status = CALL_RINGING; /* may become one */
	assert_true(contact_limits_free_at(&limits, attempts, 1, at(NOW)) > at(NOW));
	limits.rest_hours = 0;
	assert_int_equal(contact_limits_free_at(&limits, attempts, 2, at(NOW)), INSTANT_NONE);
	assert_false(contact_limits_any(&limits));
}

int main(void)
{
	static const struct CMUnitTest group_tests[] = {
		cmocka_unit_test(a_limit_opens_when_its_oldest_attempt_leaves_the_period),
		cmocka_unit_test(the_limit_that_holds_for_longest_is_named),
		cmocka_unit_test(any_limits_and_any_attempts),
		cmocka_unit_test(a_rest_follows_a_conversation),
	};

	return cmocka_run_group_tests(group_tests, NULL, NULL);
}
