/* The health of an endpoint, from the results of its webhooks. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/clock.h"
#include "base/instant.h"
#include "domain/health.h"

#define NOW (INT64_C(1800000000) * US_PER_SECOND)

static void note(struct health *health, enum outcome outcome, int64_t at_us)
{
	health_note(health, &(struct health_note){ .outcome = outcome, .latency_us = 1000 }, 0, at_us);
}

static void probe(struct health *health, enum outcome outcome, int64_t at_us)
{
	health_note(health, &(struct health_note){ .outcome = outcome, .probe = true, .latency_us = 1000 }, 0, at_us);
}

static struct health broken(void)
{
	struct health health = health_initial;

	for (int i = 0; i < HEALTH_MAX_FAILURES; i++)
		note(&health, OUTCOME_FAULT, NOW + i);
	return health;
}

static void every_answer_has_an_outcome(void **state)
{
	(void)state;
	assert_int_equal(outcome_of(200, 0), OUTCOME_TAKEN);
	assert_int_equal(outcome_of(204, 0), OUTCOME_TAKEN);
	assert_int_equal(outcome_of(299, 0), OUTCOME_TAKEN);
	assert_int_equal(outcome_of(301, 0), OUTCOME_REFUSED);
	assert_int_equal(outcome_of(410, 0), OUTCOME_REFUSED);
	assert_int_equal(outcome_of(429, 0), OUTCOME_BUSY);
	assert_int_equal(outcome_of(503, 1), OUTCOME_BUSY);
	assert_int_equal(outcome_of(503, 0), OUTCOME_FAULT);
	assert_int_equal(outcome_of(500, 1), OUTCOME_FAULT);
	assert_int_equal(outcome_of(0, 0), OUTCOME_FAULT);
}

static void refusals_are_final_but_for_those_that_ask_for_patience(void **state)
{
	static const int final[] = { 400, 401, 403, 404, 409, 410, 422, 499 };
	static const int not_final[] = { 0, 200, 301, 308, 408, 425, 429, 500, 503, 599 };

	(void)state;
	for (size_t i = 0; i < sizeof final / sizeof *final; i++)
		assert_true(outcome_is_final(final[i]));
	for (size_t i = 0; i < sizeof not_final / sizeof *not_final; i++)
		assert_false(outcome_is_final(not_final[i]));
}

static void five_faults_open_the_circuit(void **state)
{
	struct health health = health_initial;

	(void)state;
	assert_true(health_is_clean(&health, NOW));
	for (int i = 1; i < HEALTH_MAX_FAILURES; i++) {
		note(&health, OUTCOME_FAULT, NOW);
		assert_int_equal(health_circuit(&health, NOW), CIRCUIT_CLOSED);
		assert_false(health_is_clean(&health, NOW));
	}
	note(&health, OUTCOME_FAULT, NOW);
	assert_int_equal(health_circuit(&health, NOW), CIRCUIT_OPEN);
	assert_int_equal(health.open_until_us, NOW + 5 * US_PER_SECOND);
	assert_int_equal(health_circuit(&health, health.open_until_us - 1), CIRCUIT_OPEN);
	assert_int_equal(health_circuit(&health, health.open_until_us), CIRCUIT_HALF_OPEN);
	assert_int_equal(health.failing_since_us, NOW);
}

static void a_success_in_between_resets_the_failures(void **state)
{
	struct health health = health_initial;

	(void)state;
	for (int i = 1; i < HEALTH_MAX_FAILURES; i++)
		note(&health, OUTCOME_FAULT, NOW);
	note(&health, OUTCOME_TAKEN, NOW);
	assert_true(health_is_clean(&health, NOW));
	note(&health, OUTCOME_FAULT, NOW);
	assert_int_equal(health_circuit(&health, NOW), CIRCUIT_CLOSED);
}

static void refusals_open_nothing(void **state)
{
	struct health health = health_initial;

	(void)state;
	for (int i = 0; i < 100; i++)
		note(&health, i % 2 != 0 ? OUTCOME_REFUSED : OUTCOME_BUSY, NOW);
	assert_int_equal(health_circuit(&health, NOW), CIRCUIT_CLOSED);
	assert_int_equal(health.failures, 100);
	assert_false(health.doubtful);
}

static void webhooks_under_way_at_the_opening_change_nothing(void **state)
{
	struct health health = broken(), before = health;

	(void)state;
	for (int i = 0; i < 50; i++)
		note(&health, OUTCOME_FAULT, NOW + 10 * US_PER_SECOND);
	assert_memory_equal(&health, &before, sizeof health);
	note(&health, OUTCOME_REFUSED, NOW + 10 * US_PER_SECOND);
	assert_true(health.doubtful);
}

static void a_probe_that_fails_opens_it_for_longer(void **state)
{
	static const int seconds[] = { 10, 20, 40, 80, 160, 300, 300, 300 };
	struct health health = broken();

	(void)state;
	for (size_t i = 0; i < sizeof seconds / sizeof *seconds; i++) {
		int64_t at_us = health.open_until_us;

		probe(&health, OUTCOME_FAULT, at_us);
		assert_int_equal(health.open_until_us, at_us + seconds[i] * US_PER_SECOND);
	}
	health_note(&health, &(struct health_note){ .outcome = OUTCOME_FAULT, .probe = true }, UINT32_MAX, NOW);
	assert_int_equal(health.open_until_us, NOW + 360 * US_PER_SECOND);
}

static void a_probe_that_is_answered_closes_it(void **state)
{
	struct health taken = broken(), refused = broken();

	(void)state;
	probe(&taken, OUTCOME_TAKEN, NOW);
	assert_true(health_is_clean(&taken, NOW));
	probe(&refused, OUTCOME_REFUSED, NOW);
	assert_int_equal(health_circuit(&refused, NOW), CIRCUIT_CLOSED);
	assert_int_equal(refused.failures, HEALTH_MAX_FAILURES + 1);
}

static void the_slow_are_doubtful_until_they_are_quick(void **state)
{
	struct health health = health_initial;

	(void)state;
	health_note(&health, &(struct health_note){ .latency_us = HEALTH_QUICK_US + 1 }, 0, NOW);
	assert_true(health.doubtful);
	assert_int_equal(health.failures, 0);
	health_note(&health, &(struct health_note){ .latency_us = HEALTH_QUICK_US }, 0, NOW);
	assert_false(health.doubtful);
	note(&health, OUTCOME_CUT, NOW);
	assert_true(health.doubtful);
	assert_int_equal(health.failures, 0);
}

static void it_gets_nothing_for_as_long_as_it_asks(void **state)
{
	struct health health = health_initial;
	struct health_note busy = { .outcome = OUTCOME_BUSY, .retry_after_us = 60 * US_PER_SECOND };

	(void)state;
	health_note(&health, &busy, 0, NOW);
	busy.retry_after_us = US_PER_SECOND;
	health_note(&health, &busy, 0, NOW);
	assert_int_equal(health.hold_until_us, NOW + 60 * US_PER_SECOND);
}

static void an_endpoint_that_fails_for_days_is_switched_off(void **state)
{
	struct health health = health_initial;

	(void)state;
	note(&health, OUTCOME_FAULT, NOW);
	assert_false(health_is_hopeless(&health, 5 * US_PER_DAY, NOW + 9 * US_PER_DAY)); /* one failure is no proof */
	health = broken();
	assert_false(health_is_hopeless(&health, 5 * US_PER_DAY, NOW + 5 * US_PER_DAY - 1));
	assert_true(health_is_hopeless(&health, 5 * US_PER_DAY, NOW + 5 * US_PER_DAY));
}

int main(void)
{
	static const struct CMUnitTest group_tests[] = {
		cmocka_unit_test(every_answer_has_an_outcome),
		cmocka_unit_test(refusals_are_final_but_for_those_that_ask_for_patience),
		cmocka_unit_test(five_faults_open_the_circuit),
		cmocka_unit_test(a_success_in_between_resets_the_failures),
		cmocka_unit_test(refusals_open_nothing),
		cmocka_unit_test(webhooks_under_way_at_the_opening_change_nothing),
		cmocka_unit_test(a_probe_that_fails_opens_it_for_longer),
		cmocka_unit_test(a_probe_that_is_answered_closes_it),
		cmocka_unit_test(the_slow_are_doubtful_until_they_are_quick),
		cmocka_unit_test(it_gets_nothing_for_as_long_as_it_asks),
		cmocka_unit_test(an_endpoint_that_fails_for_days_is_switched_off),
	};

	return cmocka_run_group_tests(group_tests, NULL, NULL);
}
