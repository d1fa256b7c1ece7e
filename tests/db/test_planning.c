/* Plans in the database: chunk by chunk, planned again, after present rows, and with retries that wait. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/clock.h"
#include "base/instant.h"
#include "engine/planning.h"
#include "scene.h"

#define HOUR (60 * US_PER_MINUTE)
#define MANY 30000

/* More contacts than one request takes. */
static void start_many(struct scene *scene, int count)
{
	scene_create(scene, 0);
	for (int first = 1; first <= count; first += 10000)
		scene_add(scene, first, 10000);
	scene_do(scene, campaign_schedule);
}

/* The instants that follow from the first instant, the pace and the cap. */
static void thirty_thousand_contacts(void **state)
{
	struct scene *scene = *state;
	struct batch batch;
	long long id;

	scene->config.window_start = 9 * 60;
	scene->config.window_end = 17 * 60;
	scene->config.max_calls_per_day = 7000;
	start_many(scene, MANY);
	id = scene->batch;
	scene_plan(scene);
	assert_int_equal(scene_due_where(scene, "attempt = 1"), MANY);
	assert_int_equal(ask("SELECT COUNT(*) FROM due_contacts WHERE batch_id = %lld AND due_at <>"
	                     " TIMESTAMP'2026-06-01 09:00:00' + INTERVAL (position - 1) DIV 7000 DAY"
	                     " + INTERVAL (position - 1) %% 7000 * 1000 MICROSECOND",
	                     id),
	                 0);
	batch = scene_batch(scene);
	assert_int_equal(batch.plan_position, MANY);
	assert_int_equal(ask("SELECT planned_from = '2026-06-01 09:00:00' AND planned_until = '2026-06-05 09:00:01.999'"
	                     " AND wake_at = planned_from FROM batch_calls WHERE id = %lld",
	                     id),
	                 1);
}

static void nothing_is_claimed_while_a_plan_is_written(void **state)
{
	struct scene *scene = *state;

	start_many(scene, 60000);
	assert_true(scene_batch(scene).work == BATCH_WORK_PLAN);
	assert_in_range(scene_batch(scene).plan_position, 1, 59999);
	scene_pass(HOUR);
	assert_int_equal(scene_claim(scene, 10), 0);
	scene_do(scene, campaign_pause); /* planning goes on */
	scene_plan(scene);
	assert_int_equal(scene_due_where(scene, "1 = 1"), 60000);
	assert_int_equal(scene_claim(scene, 10), 0);
	scene_do(scene, campaign_resume);
	scene_plan(scene);
	scene_pass(HOUR);
	assert_int_equal(scene_claim(scene, 10), 10);
}

static void a_change_plans_contacts_again_that_were_not_called(void **state)
{
	struct scene *scene = *state;

	scene->config.max_concurrent_calls = 100;
	start_many(scene, MANY);
	scene_plan(scene);
	scene_pass(MANY * US_PER_MS);
	assert_int_equal(scene_claim(scene, 1000), 100);
	scene->config.window_start = 20 * 60;
	scene->config.window_end = 21 * 60;
	assert_int_equal(scene_change(scene, "start_time"), DB_REFUSED); /* one without the other */
	ask("UPDATE batch_calls SET window_start = 1, window_end = %d WHERE id = %lld", 21 * 60, (long long)scene->batch);
	assert_ok(scene_change(scene, "start_time"));
	scene_plan(scene);
	assert_int_equal(scene_due_where(scene, "due_at >= '2026-06-01 20:00:00' AND due_at < '2026-06-01 20:00:29.9'"),
	                 MANY - 100);
	assert_int_equal(scene_due_where(scene, "1 = 1"), MANY - 100);
	assert_int_equal(scene_due_where(scene, "position <= 100"), 0);
	scene_check_sums(scene);
}

/* A late retry is planned like all other contacts. Later plans must not give its instant to another contact. */
static void late_retries_are_planned_again_and_again(void **state)
{
	struct scene *scene = *state;

	scene->config.retry_failed = true;
	scene->config.max_retry_attempts = 3;
	scene->config.retry_delay_minutes = 10;
	scene->config.max_concurrent_calls = 3;
	scene->config.window_start = 8 * 60;
	scene->config.window_end = 20 * 60;
	scene_start(scene, 6);
	scene_pass(US_PER_SECOND);
	assert_int_equal(scene_claim(scene, 10), 3);
	scene_tell_all(scene, CALL_BUSY);
	scene_do(scene, campaign_pause);
	scene_at("2026-06-01T21:00Z"); /* all are late, and the window is closed */
	scene_do(scene, campaign_resume);
	assert_int_equal(scene_due_where(scene, "due_at >= '2026-06-02 08:00:00' AND due_at < '2026-06-02 08:00:00.006'"),
	                 6);
	scene->config.max_calls_per_day = 4;
	assert_ok(scene_change(scene, "max_calls_per_day"));
	assert_int_equal(scene_due_where(scene, "due_at >= '2026-06-02 08:00:00' AND due_at < '2026-06-02 08:00:00.004'"),
	                 4);
	assert_int_equal(scene_due_where(scene, "due_at >= '2026-06-03 08:00:00' AND due_at < '2026-06-03 08:00:00.002'"),
	                 2);
	assert_int_equal(scene_due_where(scene, "attempt = 2"), 3);
	scene_check_sums(scene);
}

static void retries_that_are_not_late_keep_their_instants(void **state)
{
	struct scene *scene = *state;
	int64_t before;

	scene->config.retry_failed = true;
	scene->config.max_retry_attempts = 1;
	scene->config.max_concurrent_calls = 2;
	scene_start(scene, 4);
	scene_pass(US_PER_SECOND);
	assert_int_equal(scene_claim(scene, 10), 2);
	scene_tell_all(scene, CALL_BUSY);
	before = ask("SELECT SUM(TO_SECONDS(due_at)) FROM due_contacts WHERE batch_id = %lld AND attempt = 2",
	             (long long)scene->batch);
	scene->config.calls_per_minute = 1;
	assert_ok(scene_change(scene, "calls_per_minute"));
	assert_int_equal(ask("SELECT SUM(TO_SECONDS(due_at)) FROM due_contacts WHERE batch_id = %lld AND attempt = 2",
	                     (long long)scene->batch),
	                 before);
	assert_int_equal(scene_due_where(scene, "1 = 1"), 4);
}

/* Its delay is over, and the window that moved it is wide now. */
static void a_wider_window_brings_retries_back(void **state)
{
	struct scene *scene = *state;

	scene->config.retry_failed = true;
	scene->config.max_retry_attempts = 1;
	scene->config.retry_delay_minutes = 2;
	scene->config.max_concurrent_calls = 2;
	scene->config.window_start = 8 * 60;
	scene->config.window_end = 8 * 60 + 1;
	scene_start(scene, 2);
	scene_pass(US_PER_SECOND);
	assert_int_equal(scene_claim(scene, 10), 2);
	scene_tell_all(scene, CALL_BUSY);
	assert_int_equal(scene_due_where(scene, "DAY(due_at) = 2"), 2);
	scene_pass(5 * US_PER_MINUTE);
	scene->config.window_end = 24 * 60;
	assert_ok(scene_change(scene, "end_time"));
	scene_plan(scene);
	assert_int_equal(scene_due_where(scene, "DAY(due_at) = 1 AND attempt = 2"), 2);
	scene_pass(US_PER_SECOND);
	assert_int_equal(scene_claim(scene, 10), 2);
	scene_check_sums(scene);
}

/* The cap moves the retry of the first contact to the next day, where another retry waits already. */
static void a_retry_that_the_cap_moves_meets_another(void **state)
{
	struct scene *scene = *state;

	scene->config.max_calls_per_day = 1;
	scene->config.retry_failed = true;
	scene->config.max_retry_attempts = 1;
	scene->config.retry_delay_minutes = 120;
	for (int in_zones = 0; in_zones < 2; in_zones++) {
		scene->config.respect_contact_timezone = in_zones != 0;
		scene_start(scene, 3);
		scene_pass(US_PER_SECOND);
		assert_int_equal(scene_claim(scene, 10), 1);
		scene_tell_all(scene, CALL_BUSY);
		ask("INSERT INTO due_contacts (batch_id, due_at, position, attempt) VALUES (%lld, '2026-06-02 "
		    "00:00:00.000002', 1000, 2)",
		    (long long)scene->batch);
		ask("UPDATE batch_calls SET wake_at = '2026-06-01' WHERE id = %lld", (long long)scene->batch);
		scene_pass(US_PER_SECOND);
		assert_int_equal(scene_claim(scene, 10), 0);
		scene_plan(scene);
		assert_int_equal(scene_due_where(scene, "position = 1 AND MICROSECOND(due_at) % 1000 = 2 AND due_at BETWEEN"
		                                        " '2026-06-02 00:00:00.001' AND '2026-06-02 00:00:01.01'"),
		                 1);
		assert_int_equal(scene_due_where(scene, "position = 2 AND due_at = '2026-06-03'"), 1);
	}
}

static void added_contacts_come_last(void **state)
{
	struct scene *scene = *state;

	scene->config.calls_per_minute = 1;
	scene_start(scene, 3);
	scene_add(scene, 4, 2);
	scene_add(scene, 1, 3); /* known: skipped */
	scene_add(scene, 6, 1);
	assert_int_equal(scene_due_where(scene, "1 = 1"), 6);
	assert_int_equal(scene_batch(scene).counts.skipped, 3);
	for (int i = 0; i < 6; i++)
		assert_int_equal(ask("SELECT position FROM due_contacts WHERE batch_id = %lld ORDER BY due_at LIMIT 1 OFFSET "
		                     "%d",
		                     (long long)scene->batch, i),
		                 i < 5 ? i + 1 : 9);
	scene_check_sums(scene);
}

static void contacts_may_be_added_while_a_plan_is_written(void **state)
{
	struct scene *scene = *state;

	start_many(scene, 40000);
	assert_true(scene_batch(scene).work == BATCH_WORK_PLAN);
	scene_add(scene, 40001, 10);
	scene_plan(scene);
	assert_int_equal(scene_due_where(scene, "1 = 1"), 40010);
}

static void no_day_at_all_fails_the_campaign(void **state)
{
	static int32_t mondays[60];
	struct scene *scene = *state;

	for (int i = 0; i < 60; i++)
		mondays[i] = civil_day(2026, 6, 1) + 7 * i;
	scene->config.working_days = 1;
	scene->config.excluded_dates = (struct field_list){ mondays, 60 };
	scene_start(scene, 3);
	assert_int_equal(scene_batch(scene).status, BATCH_FAILED);
	assert_int_equal(scene_batch(scene).counts.cancelled, 3);
}

/* The first Monday takes two contacts, and no day is left after it. After a resume, the rest must not wait for
 * ever. */
static void a_plan_given_up_in_a_pause_is_made_again(void **state)
{
	static int32_t mondays[60];
	struct scene *scene = *state;

	scene_at("2026-05-31T08:00Z"); /* a Sunday */
	for (int i = 0; i < 60; i++)
		mondays[i] = civil_day(2026, 6, 8) + 7 * i;
	scene->config.max_calls_per_day = 2;
	scene->config.working_days = 1;
	scene_start(scene, 5);
	scene_do(scene, campaign_pause);
	scene->config.excluded_dates = (struct field_list){ mondays, 60 };
	assert_ok(scene_change(scene, "excluded_dates"));
	assert_int_equal(scene_batch(scene).status, BATCH_PAUSED);
	assert_int_equal(scene_due_where(scene, "1 = 1"), 2);
	scene_do(scene, campaign_resume);
	assert_int_equal(scene_batch(scene).status, BATCH_FAILED);
	scene_check_sums(scene);
}

static void a_change_completes_a_plan_that_was_given_up(void **state)
{
	static int32_t mondays[60];
	struct scene *scene = *state;

	for (int i = 0; i < 60; i++)
		mondays[i] = civil_day(2026, 6, 8) + 7 * i;
	scene->config.max_calls_per_day = 2;
	scene->config.working_days = 1;
	scene_start(scene, 5);
	scene_do(scene, campaign_pause);
	scene->config.excluded_dates = (struct field_list){ mondays, 60 };
	assert_ok(scene_change(scene, "excluded_dates"));
	scene->config.excluded_dates.count = 1;
	assert_ok(scene_change(scene, "excluded_dates"));
	assert_int_equal(scene_due_where(scene, "1 = 1"), 5);
	assert_int_equal(scene_due_where(scene, "due_at LIKE '2026-06-08%'"), 0);
}

/* A start far ahead, with no day to call on for more than a year before it. */
static void a_start_after_a_year_of_excluded_days(void **state)
{
	struct scene *scene = *state;
	int32_t mondays[60];

	for (int i = 0; i < 60; i++)
		mondays[i] = civil_day(2026, 6, 1) + 7 * i;
	scene->config.working_days = 1;
	scene->config.excluded_dates = (struct field_list){ mondays, 60 };
	scene->config.scheduled_at.us = civil_day(2027, 8, 2) * US_PER_DAY;
	scene_start(scene, 3);
	ask("UPDATE batch_calls SET wake_at = '2026-06-01' WHERE id = %lld", (long long)scene->batch);
	assert_int_equal(scene_claim(scene, 10), 0);
	assert_int_equal(scene_batch(scene).status, BATCH_SCHEDULED);
	scene_at("2027-08-02T09:00:01Z");
	assert_int_equal(scene_claim(scene, 10), 3);
}

int main(void)
{
	static const struct CMUnitTest group_tests[] = {
		SCENE_TEST(thirty_thousand_contacts),
		SCENE_TEST(nothing_is_claimed_while_a_plan_is_written),
		SCENE_TEST(a_change_plans_contacts_again_that_were_not_called),
		SCENE_TEST(late_retries_are_planned_again_and_again),
		SCENE_TEST(retries_that_are_not_late_keep_their_instants),
		SCENE_TEST(a_wider_window_brings_retries_back),
		SCENE_TEST(a_retry_that_the_cap_moves_meets_another),
		SCENE_TEST(added_contacts_come_last),
		SCENE_TEST(contacts_may_be_added_while_a_plan_is_written),
		SCENE_TEST(no_day_at_all_fails_the_campaign),
		SCENE_TEST(a_plan_given_up_in_a_pause_is_made_again),
		SCENE_TEST(a_change_completes_a_plan_that_was_given_up),
		SCENE_TEST(a_start_after_a_year_of_excluded_days),
	};

	return cmocka_run_group_tests(group_tests, NULL, NULL);
}
