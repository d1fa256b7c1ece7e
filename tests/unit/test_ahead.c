/* Calls that were claimed before they are due. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/clock.h"
#include "base/instant.h"
#include "scheduler/ahead.h"

#define NEVER_STALE INT64_MIN

struct taken {
	struct uuid ids[AHEAD_MAX];
	int64_t since_us[AHEAD_MAX];
	int count;
};

/* Returns a call that is due this long after the call of this function. */
static struct uuid add(struct ahead *ahead, int64_t in_us, int64_t claimed_us, struct claim_dialer dialer)
{
	struct claimed_call call = { dialer, clock_now_us() + in_us };
	struct uuid id = uuid_new();

	ahead_add(ahead, &id, &call, 1, claimed_us);
	return id;
}

static struct taken take(struct ahead *ahead, int64_t until_us, int64_t stale_us, int max)
{
	struct taken taken;

	taken.count = ahead_take(ahead, until_us, stale_us, taken.ids, taken.since_us, max);
	return taken;
}

static void calls_are_taken_when_they_are_due(void **state)
{
	struct ahead *ahead = ahead_new();
	int64_t now_us = clock_mono_us(), clock_us = clock_now_us();
	struct uuid later = add(ahead, 10 * US_PER_SECOND, now_us, (struct claim_dialer){ 1, false });
	struct uuid soon = add(ahead, US_PER_SECOND, now_us, (struct claim_dialer){ 1, false });
	struct taken taken;

	(void)state;
	assert_in_range(ahead_next_us(ahead) - now_us, US_PER_SECOND - US_PER_MS, 2 * US_PER_SECOND);
	assert_int_equal(take(ahead, now_us, NEVER_STALE, AHEAD_MAX).count, 0);
	taken = take(ahead, now_us + 5 * US_PER_SECOND, NEVER_STALE, AHEAD_MAX);
	assert_int_equal(taken.count, 1);
	assert_true(uuid_equal(&taken.ids[0], &soon));
	assert_in_range(taken.since_us[0] - clock_us, US_PER_SECOND, 2 * US_PER_SECOND);
	assert_int_equal(ahead_count(ahead), 1);
	taken = take(ahead, INSTANT_NEVER, NEVER_STALE, AHEAD_MAX);
	assert_int_equal(taken.count, 1);
	assert_true(uuid_equal(&taken.ids[0], &later));
	assert_true(ahead_next_us(ahead) == INSTANT_NEVER);
	ahead_free(ahead);
}

static void no_more_are_taken_than_asked_for(void **state)
{
	struct ahead *ahead = ahead_new();

	(void)state;
	for (int i = 0; i < AHEAD_MAX; i++)
		add(ahead, 0, clock_mono_us(), (struct claim_dialer){ 1, false });
	assert_int_equal(take(ahead, INSTANT_NEVER, NEVER_STALE, 300).count, 300);
	assert_int_equal(take(ahead, INSTANT_NEVER, NEVER_STALE, 300).count, AHEAD_MAX - 300);
	ahead_free(ahead);
}

/* The process was stopped: another scheduler may have them by now. */
static void calls_that_were_claimed_long_ago_are_dropped(void **state)
{
	struct ahead *ahead = ahead_new();
	int64_t now_us = clock_mono_us();
	struct uuid fresh;
	struct taken taken;

	(void)state;
	add(ahead, 0, now_us - 1, (struct claim_dialer){ 1, false });
	fresh = add(ahead, 0, now_us, (struct claim_dialer){ 1, false });
	taken = take(ahead, INSTANT_NEVER, now_us, AHEAD_MAX);
	assert_int_equal(taken.count, 1);
	assert_true(uuid_equal(&taken.ids[0], &fresh));
	assert_int_equal(ahead_count(ahead), 0);
	ahead_free(ahead);
}

static void a_step_of_the_clock_moves_no_call(void **state)
{
	struct ahead *ahead = ahead_new();
	int64_t now_us = clock_mono_us();

	(void)state;
	add(ahead, US_PER_SECOND, now_us, (struct claim_dialer){ 1, false });
	clock_set(clock_now_us() - 600 * US_PER_SECOND, clock_mono_us(), clock_mono_us());
	assert_in_range(ahead_next_us(ahead) - now_us, US_PER_SECOND - US_PER_MS, 2 * US_PER_SECOND);
	ahead_free(ahead);
}

static void it_counts_the_slots_that_waiting_calls_will_take(void **state)
{
	struct ahead *ahead = ahead_new();
	struct claim_taken waiting;

	(void)state;
	add(ahead, 0, 0, (struct claim_dialer){ 1, false });
	add(ahead, 0, 0, (struct claim_dialer){ 2, true });
	add(ahead, 0, 0, (struct claim_dialer){ 2, true });
	waiting = ahead_waiting(ahead, &(struct claim_dialer){ 1, false });
	assert_int_equal(waiting.same, 1);
	assert_int_equal(waiting.doubtful, 2);
	assert_int_equal(waiting.all, 3);
	ahead_free(ahead);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(calls_are_taken_when_they_are_due),
		cmocka_unit_test(no_more_are_taken_than_asked_for),
		cmocka_unit_test(calls_that_were_claimed_long_ago_are_dropped),
		cmocka_unit_test(a_step_of_the_clock_moves_no_call),
		cmocka_unit_test(it_counts_the_slots_that_waiting_calls_will_take),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
