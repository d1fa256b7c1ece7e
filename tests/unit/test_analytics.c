/* The sums of quarters of an hour for local hours and days, and the predicted end of a campaign. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/clock.h"
#include "domain/analytics.h"
#include "instants.h"

#define LENGTH(array) (sizeof(array) / sizeof *(array))
#define MAX_PERIODS 16

static struct quarter quarter(const char *from, int64_t calls)
{
	return (struct quarter){
		.from_us = at(from),
		.status = CALL_COMPLETED,
		.tally = { .calls = calls, .seconds = calls * 60 },
	};
}

struct expected {
	const char *wall, *from;
	int64_t calls;
};

static void assert_periods(enum interval interval, const char *zone, const struct quarter *quarters, size_t count,
                           const struct expected *expected, size_t periods)
{
	struct period out[MAX_PERIODS];

	assert_int_equal(analytics_periods(interval, zone, quarters, count, out), periods);
	for (size_t i = 0; i < periods; i++) {
		assert_instant(out[i].wall_us, expected[i].wall);
		assert_instant(out[i].from_us, expected[i].from);
		assert_int_equal(tallies_sum(&out[i].tallies).calls, expected[i].calls);
		assert_int_equal(out[i].tallies.of[CALL_COMPLETED].seconds, expected[i].calls * 60);
	}
}

static void hours_are_local_also_with_offsets_of_part_of_an_hour(void **state)
{
	const struct quarter quarters[] = {
		quarter("2026-06-01T03:00Z", 1), quarter("2026-06-01T03:15Z", 2),  quarter("2026-06-01T03:15Z", 4),
		quarter("2026-06-01T04:00Z", 8), quarter("2026-06-01T18:15Z", 16),
	};
	static const struct expected hours[] = {
		/* 5:45 ahead */
		{ "2026-06-01T08:00", "2026-06-01T02:15Z", 1 },
		{ "2026-06-01T09:00", "2026-06-01T03:15Z", 14 },
		{ "2026-06-02T00:00", "2026-06-01T18:15Z", 16 },
	};
	static const struct expected days[] = {
		{ "2026-06-01T00:00", "2026-05-31T18:15Z", 15 },
		{ "2026-06-02T00:00", "2026-06-01T18:15Z", 16 },
	};

	(void)state;
	assert_periods(INTERVAL_HOUR, "Asia/Kathmandu", quarters, LENGTH(quarters), hours, LENGTH(hours));
	assert_periods(INTERVAL_DAY, "Asia/Kathmandu", quarters, LENGTH(quarters), days, LENGTH(days));
	assert_periods(INTERVAL_DAY, "UTC", NULL, 0, NULL, 0);
}

static void an_hour_that_comes_twice_is_one_period(void **state)
{
	const struct quarter quarters[] = {
		quarter("2026-10-25T00:45Z", 1),
		quarter("2026-10-25T01:00Z", 2),
		quarter("2026-10-25T02:00Z", 4),
	};
	static const struct expected hours[] = {
		{ "2026-10-25T02:00", "2026-10-25T00:00Z", 3 },
		{ "2026-10-25T03:00", "2026-10-25T02:00Z", 4 },
	};

	(void)state;
	assert_periods(INTERVAL_HOUR, "Europe/Berlin", quarters, LENGTH(quarters), hours, LENGTH(hours));
}

static struct batch running(int64_t pending)
{
	return (struct batch){
		.status = BATCH_ACTIVE,
		.config = { .timezone = "UTC",
		            .window_start = 540,
		            .window_end = 1020,
		            .working_days = 0x7f,
		            .scheduled_at = { .us = INSTANT_NONE } },
		.counts = { .total = 1000, .pending = pending, .completed = 1000 - pending },
		.started_at_us = at("2026-06-01T09:00Z"),
		.completed_at_us = INSTANT_NONE,
		.planned_until_us = at("2026-06-01T09:00:01Z"),
	};
}

static void the_end_follows_from_the_pace_within_the_windows(void **state)
{
	const struct quarter quarters[] = { quarter("2026-06-01T09:00Z", 50), quarter("2026-06-01T09:15Z", 50) };
	struct batch batch = running(900);
	int64_t now_us = at("2026-06-01T09:30Z");

	(void)state; /* 100 calls in half an hour are 200 an hour; 900 contacts are left; the window has 8 hours */
	assert_instant(analytics_estimated_end(&batch, quarters, 2, now_us), "2026-06-01T14:00Z");
	batch.counts.pending = 1900;
	assert_instant(analytics_estimated_end(&batch, quarters, 2, now_us), "2026-06-02T11:00Z");
	batch.config.max_calls_per_day = 200;
	batch.counts.pending = 300;
	assert_instant(analytics_estimated_end(&batch, quarters, 2, now_us), "2026-06-02T09:30Z");
	batch.planned_until_us = at("2026-06-05T10:00Z");
	assert_instant(analytics_estimated_end(&batch, quarters, 2, now_us), "2026-06-05T10:00Z");
}

static void without_calls_the_end_is_that_of_the_plan(void **state)
{
	struct batch batch = running(1000);

	(void)state;
	batch.config.calls_per_minute = 1;
	assert_instant(analytics_estimated_end(&batch, NULL, 0, at("2026-06-01T08:00Z")), "2026-06-03T09:40Z");
	batch.config.scheduled_at.us = at("2027-01-01T00:00Z");
	assert_instant(analytics_estimated_end(&batch, NULL, 0, at("2026-06-01T08:00Z")), "2027-01-03T09:40Z");
	batch.config.working_days = 0;
	assert_true(analytics_estimated_end(&batch, NULL, 0, at("2026-06-01T08:00Z")) == INSTANT_NONE);
}

static void a_campaign_that_does_not_run_has_no_predicted_end(void **state)
{
	struct batch batch = running(10);

	(void)state;
	batch.status = BATCH_PAUSED;
	assert_true(analytics_estimated_end(&batch, NULL, 0, at("2026-06-01T10:00Z")) == INSTANT_NONE);
	batch.status = BATCH_CANCELLED;
	batch.completed_at_us = at("2026-06-01T09:59Z");
	assert_instant(analytics_estimated_end(&batch, NULL, 0, at("2026-06-01T10:00Z")), "2026-06-01T09:59Z");
}

static void progress_is_the_share_of_final_contacts(void **state)
{
	struct batch batch = running(250);

	(void)state;
	assert_int_equal(analytics_progress(&batch), 7500);
	batch.counts.in_progress = 250;
	assert_int_equal(analytics_progress(&batch), 5000);
	batch.counts = (struct batch_counts){ 0 };
	assert_int_equal(analytics_progress(&batch), 0);
	batch.status = BATCH_CANCELLED;
	assert_int_equal(analytics_progress(&batch), 10000);
}

int main(void)
{
	static const struct CMUnitTest group_tests[] = {
		cmocka_unit_test(hours_are_local_also_with_offsets_of_part_of_an_hour),
		cmocka_unit_test(an_hour_that_comes_twice_is_one_period),
		cmocka_unit_test(the_end_follows_from_the_pace_within_the_windows),
		cmocka_unit_test(without_calls_the_end_is_that_of_the_plan),
		cmocka_unit_test(a_campaign_that_does_not_run_has_no_predicted_end),
		cmocka_unit_test(progress_is_the_share_of_final_contacts),
	};

	return cmocka_run_group_tests(group_tests, NULL, NULL);
}
