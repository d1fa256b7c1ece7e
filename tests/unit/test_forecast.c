/* Forecasts, compared with a count of the contacts one by one. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/clock.h"
#include "domain/forecast.h"
#include "instants.h"

#define MAX_CONTACTS 400

static int random_segments(struct plan_segment *out, int *contacts)
{
	int64_t at_us = at("2026-06-01T12:00Z") + random() % 1000 * US_PER_SECOND;
	int count = (int)(random() % 6);

	for (int i = 0; i < count; i++) {
		out[i] = (struct plan_segment){
			.first_us = at_us,
			.gap_us = (1 + random() % 5) * US_PER_SECOND,
			.count = 1 + (int)(random() % 60),
		};
		at_us += out[i].count * out[i].gap_us + random() % 100 * US_PER_SECOND;
		*contacts += out[i].count;
	}
	return count;
}

static void spread(const struct plan_segment *segments, int count, int64_t *out)
{
	for (int i = 0; i < count; i++)
		for (int k = 0; k < segments[i].count; k++)
			*out++ = segments[i].first_us + k * segments[i].gap_us;
}

static void the_shift_counts_every_contact(void **state)
{
	(void)state;
	for (int round = 0; round < 5000; round++) {
		struct plan_segment before[6], after[6];
		int64_t was[MAX_CONTACTS], is[MAX_CONTACTS];
		int was_count = 0, is_count = 0;
		int befores = random_segments(before, &was_count), afters = random_segments(after, &is_count);
		struct plan_shift shift = forecast_shift(before, befores, after, afters), counted = { 0 };
		int64_t sum_us = 0;

		spread(before, befores, was);
		spread(after, afters, is);
		for (; counted.contacts < was_count && counted.contacts < is_count; counted.contacts++) {
			int64_t by_us = is[counted.contacts] - was[counted.contacts];

			counted.later += by_us > 0;
			counted.earlier += by_us < 0;
			if (by_us > counted.most_later_us)
				counted.most_later_us = by_us;
			if (-by_us > counted.most_earlier_us)
				counted.most_earlier_us = -by_us;
			sum_us += by_us;
		}
		assert_int_equal(shift.contacts, counted.contacts);
		assert_int_equal(shift.later, counted.later);
		assert_int_equal(shift.earlier, counted.earlier);
		assert_int_equal(shift.most_later_us, counted.most_later_us);
		assert_int_equal(shift.most_earlier_us, counted.most_earlier_us);
		if (counted.contacts != 0)
			assert_true(labs(shift.mean_us - sum_us / counted.contacts) <= 1);
	}
}

static struct batch_config weekday_config(void)
{
	struct batch_config config = *(const struct batch_config *)batch_fields.initial;

	config.window_start = 9 * 60;
	config.window_end = 17 * 60;
	config.max_concurrent_calls = 2;
	return config;
}

/* From Monday, 2026-06-01, on. */
static struct forecast forecast_of(const struct batch_config *config, int64_t contacts, int64_t answer_rate,
                                   struct plan_day *days, int max_days)
{
	struct plan_cursor cursor = { .next_us = at("2026-06-01T00:00Z") };
	struct forecast_terms terms = { .call_us = 2 * US_PER_MINUTE, .answer_rate = answer_rate };

	struct plan_group group = { .calendar = batch_calendar(config, NULL), .left = contacts };

	return forecast_campaign(config, cursor, &group, 1, &terms, days, max_days);
}

static void calls_are_no_faster_than_places_come_free(void **state)
{
	struct batch_config config = weekday_config();
	struct plan_day days[10];
	struct forecast forecast = forecast_of(&config, 500, 10000, days, 10);

	(void)state;
	assert_int_equal(forecast.calls, 500);
	assert_int_equal(forecast.day_count, 2);
	assert_int_equal(days[0].contacts, 480);
	assert_instant(forecast.ends_at_us, "2026-06-02T09:21Z");
}

static void unanswered_calls_are_retried(void **state)
{
	struct batch_config config = weekday_config();
	struct plan_day days[10];
	struct forecast forecast;

	(void)state;
	config.retry_failed = true;
	config.max_retry_attempts = 2;
	forecast = forecast_of(&config, 100, 5000, days, 10);
	assert_int_equal(forecast.calls, 175);
	/* The last of the hundred, and its retries: half an hour and an hour later. */
	assert_instant(forecast.ends_at_us, "2026-06-01T12:15Z");
	assert_int_equal(forecast_of(&config, 100, 10000, days, 10).calls, 100);
	assert_int_equal(forecast_of(&config, 100, 0, days, 10).calls, 300);
	config.retry_failed = false;
	assert_int_equal(forecast_of(&config, 100, 5000, days, 10).calls, 100);
}

static void a_plan_without_an_end_has_no_predicted_end(void **state)
{
	struct batch_config config = weekday_config();
	struct plan_day days[3];

	(void)state;
	config.max_calls_per_day = 5;
	assert_int_equal(forecast_of(&config, 16, 10000, days, 3).ends_at_us, INSTANT_NEVER);
	config.timezone = "Mars/Base";
	assert_int_equal(forecast_of(&config, 1, 10000, days, 3).ends_at_us, INSTANT_NEVER);
}

int main(void)
{
	static const struct CMUnitTest group_tests[] = {
		cmocka_unit_test(the_shift_counts_every_contact),
		cmocka_unit_test(calls_are_no_faster_than_places_come_free),
		cmocka_unit_test(unanswered_calls_are_retried),
		cmocka_unit_test(a_plan_without_an_end_has_no_predicted_end),
	};

	return cmocka_run_group_tests(group_tests, NULL, NULL);
}
