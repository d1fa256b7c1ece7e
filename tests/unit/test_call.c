/* The states of a call, and when an attempt is retried. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/clock.h"
#include "domain/call.h"
#include "domain/contact.h"
#include "domain/report_fields.h"

static void a_call_only_moves_forward(void **state)
{
	(void)state;
	for (enum call_status from = 0; from < CALL_STATUS__MAX; from++) {
		assert_int_equal(call_has_ended(from), from >= CALL_COMPLETED);
		for (enum call_status to = 0; to < CALL_STATUS__MAX; to++)
			assert_int_equal(call_may_become(from, to), from < CALL_COMPLETED && to > from);
	}
}

static struct call_past after(int attempts, int callbacks, int same)
{
	return (struct call_past){ .attempts = attempts, .callbacks = callbacks, .same = same };
}

static bool retried(const struct retry_rules *rules, int attempts, enum call_status outcome)
{
	struct call_past past = after(attempts, 0, 1);

	return call_is_retried(rules, &past, outcome);
}

static int64_t delay_us(const struct retry_rules *rules, int attempts)
{
	struct call_past past = after(attempts, 0, 1);

	return call_retry_delay_us(rules, &past, CALL_BUSY);
}

static void retries_are_limited(void **state)
{
	struct retry_rules rules = {
		.enabled = true,
		.max_attempts = 2,
		.outcomes = CALL_BIT(CALL_BUSY) | CALL_BIT(CALL_NO_ANSWER),
	};

	(void)state;
	assert_true(retried(&rules, 1, CALL_BUSY));
	assert_true(retried(&rules, 2, CALL_BUSY));
	assert_false(retried(&rules, 3, CALL_BUSY));
	assert_false(retried(&rules, 1, CALL_FAILED));
	assert_false(retried(&rules, 1, CALL_COMPLETED));
	rules.max_attempts = 0;
	assert_false(retried(&rules, 1, CALL_BUSY));
	rules = (struct retry_rules){ .enabled = false, .max_attempts = 3, .outcomes = ~0u };
	assert_false(retried(&rules, 1, CALL_BUSY));
}

static void retries_wait_twice_as_long_every_time(void **state)
{
	struct retry_rules rules = { .delay_minutes = 10080 };

	(void)state;
	assert_int_equal(delay_us(&rules, 1), 10080 * US_PER_MINUTE);
	assert_int_equal(delay_us(&rules, 2), 2 * 10080 * US_PER_MINUTE);
	assert_int_equal(delay_us(&rules, 3), 4 * 10080 * US_PER_MINUTE);
}

/* A callback uses up no retry, and lengthens no delay. */
static void callbacks_are_no_retries(void **state)
{
	struct retry_rules rules = {
		.enabled = true, .max_attempts = 1, .outcomes = CALL_BIT(CALL_BUSY), .delay_minutes = 3
	};
	struct call_past past = after(4, 3, 1);

	(void)state;
	assert_true(call_is_retried(&rules, &past, CALL_BUSY));
	assert_int_equal(call_retry_delay_us(&rules, &past, CALL_BUSY), 3 * US_PER_MINUTE);
	past = after(5, 3, 2);
	assert_false(call_is_retried(&rules, &past, CALL_BUSY));
}

static const struct retry_rule by_outcome[] = {
	{ CALL_BUSY, 5, 3 },
	{ CALL_VOICEMAIL, 1440, 1 },
	{ CALL_FAILED, 0, 0 },
};

static void an_outcome_has_its_own_rule(void **state)
{
	struct retry_rules rules = {
		.enabled = true,
		.max_attempts = 1,
		.outcomes = CALL_BIT(CALL_FAILED) | CALL_BIT(CALL_NO_ANSWER),
		.delay_minutes = 30,
		.rules = by_outcome,
		.rule_count = 3,
	};
	struct call_past past = after(6, 0, 3);

	(void)state;
	assert_true(call_is_retried(&rules, &past, CALL_BUSY));                             /* the third busy attempt */
	assert_int_equal(call_retry_delay_us(&rules, &past, CALL_BUSY), 5 * US_PER_MINUTE); /* does not double */
	past.same = 4;
	assert_false(call_is_retried(&rules, &past, CALL_BUSY));
	assert_true(retried(&rules, 1, CALL_VOICEMAIL)); /* although retry_on does not have it */
	assert_false(retried(&rules, 1, CALL_FAILED));   /* although retry_on has it */
	assert_true(retried(&rules, 1, CALL_NO_ANSWER)); /* by the rules of the campaign for all outcomes */
	assert_false(retried(&rules, 2, CALL_NO_ANSWER));
	rules.enabled = false;
	assert_false(retried(&rules, 1, CALL_BUSY));
}

static void the_most_retries_and_the_longest_delay(void **state)
{
	struct retry_rules rules = {
		.enabled = true,
		.max_attempts = 2,
		.outcomes = CALL_BIT(CALL_NO_ANSWER),
		.delay_minutes = 30,
		.rules = by_outcome,
		.rule_count = 3,
	};

	(void)state;
	assert_int_equal(call_most_retries(&rules), 3);
	assert_int_equal(call_longest_delay_us(&rules, 1), 1440 * US_PER_MINUTE);
	assert_int_equal(call_longest_delay_us(&rules, 2), 60 * US_PER_MINUTE);
	assert_int_equal(call_longest_delay_us(&rules, 3), 5 * US_PER_MINUTE);
	rules.rule_count = 0;
	assert_int_equal(call_most_retries(&rules), 2);
	rules.outcomes = 0;
	assert_int_equal(call_most_retries(&rules), 0);
	rules.enabled = false;
	rules.rule_count = 3;
	assert_int_equal(call_most_retries(&rules), 0);
}

static const char *fault_of(enum call_status status, struct when call_back_at, int64_t occurred_at_us)
{
	struct arena *arena = arena_new();
	struct faults faults = { .arena = arena };
	struct call_report report = {
		.status = (int)status,
		.call_back_at = call_back_at,
		.occurred_at = { .us = occurred_at_us },
	};
	static char text[200];

	report_judge(&report, "reports[7].", 100 * US_PER_DAY, &faults);
	snprintf(text, sizeof text, "%s", faults.count == 0 ? "" : faults.list[0].reason);
	if (faults.count != 0)
		assert_string_equal(faults.list[0].field, "reports[7].call_back_at");
	arena_free(arena);
	return text;
}

static void callback_instants_that_are_accepted(void **state)
{
	int64_t now_us = 100 * US_PER_DAY, hour_us = 60 * US_PER_MINUTE;

	(void)state;
	assert_string_equal(fault_of(CALL_RINGING, (struct when){ .us = INSTANT_NONE }, INSTANT_NONE), "");
	assert_string_equal(fault_of(CALL_COMPLETED, (struct when){ .us = now_us + hour_us }, INSTANT_NONE), "");
	assert_string_equal(fault_of(CALL_BUSY, (struct when){ .us = now_us - hour_us }, INSTANT_NONE), "");
	assert_string_equal(fault_of(CALL_BUSY, (struct when){ .us = now_us - hour_us - 1 }, INSTANT_NONE),
	                    "is more than an hour ago: a late report needs occurred_at");
	assert_string_equal(fault_of(CALL_BUSY, (struct when){ .us = now_us - 5 * hour_us }, now_us - 6 * hour_us), "");
	assert_string_equal(fault_of(CALL_BUSY, (struct when){ .us = now_us }, now_us), "must be after occurred_at");
	assert_string_equal(fault_of(CALL_COMPLETED, (struct when){ .us = now_us + 90 * US_PER_DAY }, INSTANT_NONE), "");
	assert_string_equal(fault_of(CALL_COMPLETED, (struct when){ .us = now_us + 90 * US_PER_DAY + 1 }, INSTANT_NONE),
	                    "is more than 90 days ahead");
	assert_string_equal(fault_of(CALL_COMPLETED, (struct when){ .us = now_us, .is_wall = true }, INSTANT_NONE),
	                    "must include a UTC offset");
	assert_string_equal(fault_of(CALL_IN_PROGRESS, (struct when){ .us = now_us }, INSTANT_NONE),
	                    "is only allowed with a status that ends the call");
}

static void unanswered_attempts_double_their_age(void **state)
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
		cmocka_unit_test(callbacks_are_no_retries),
		cmocka_unit_test(an_outcome_has_its_own_rule),
		cmocka_unit_test(the_most_retries_and_the_longest_delay),
		cmocka_unit_test(callback_instants_that_are_accepted),
		cmocka_unit_test(unanswered_attempts_double_their_age),
		cmocka_unit_test(every_ending_has_a_status_of_the_contact),
	};

	return cmocka_run_group_tests(group_tests, NULL, NULL);
}
