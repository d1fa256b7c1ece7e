/* The claim against every rule that can hold a call back, alone and with others claiming at once. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/clock.h"
#include "base/instant.h"
#include "base/json.h"
#include "domain/agent.h"
#include "scene.h"
#include "store/batch_store.h"
#include "store/statements.h"

#define HOUR (60 * US_PER_MINUTE)

static int64_t in_progress(struct scene *scene)
{
	return scene_batch(scene).counts.in_progress;
}

static void every_contact_is_called_once(void **state)
{
	struct scene *scene = *state;

	scene->config.max_concurrent_calls = 100;
	scene_start(scene, 250);
	assert_int_equal(scene_batch(scene).status, BATCH_SCHEDULED);
	scene_pass(US_PER_SECOND);
	for (int round = 0; round < 3; round++) {
		assert_int_equal(scene_claim(scene, 1000), round < 2 ? 100 : 50);
		assert_int_equal(scene_batch(scene).status, BATCH_ACTIVE);
		scene_check_sums(scene);
		scene_tell_all(scene, CALL_COMPLETED);
	}
	assert_int_equal(scene_claim(scene, 1000), 0);
	assert_int_equal(scene_batch(scene).status, BATCH_COMPLETED);
	assert_int_equal(ask("SELECT COUNT(DISTINCT position) FROM calls WHERE batch_id = %lld", (long long)scene->batch),
	                 250);
	scene_check_sums(scene);
}

static void a_call_carries_its_lease_and_limits(void **state)
{
	struct scene *scene = *state;

	scene_start(scene, 1);
	scene_pass(US_PER_SECOND);
	assert_int_equal(scene_claim(scene, 10), 1);
	assert_int_equal(ask("SELECT COUNT(*) FROM calls WHERE batch_id = %lld AND status = 0 AND attempt = 1"
	                     " AND tries = 1 AND from_number = '+18005550000' AND to_number = '+49000000001'"
	                     " AND max_seconds = 3600 AND scheduled_at <= called_at"
	                     " AND wake_at = called_at + INTERVAL 30 SECOND"
	                     " AND expires_at = called_at + INTERVAL 120 SECOND",
	                     (long long)scene->batch),
	                 1);
	assert_int_equal(ask("SELECT COUNT(*) FROM due_contacts WHERE batch_id = %lld", (long long)scene->batch), 0);
}

/* Midnight separates the days on which calls are counted, but does not end a window. */
static void a_call_expires_when_the_window_closes(void **state)
{
	static const struct {
		int start, end, seconds;
	} windows[] = {
		{ -1, -1, 120 }, { 22 * 60, 2 * 60, 120 }, { 0, 24 * 60, 120 }, { 8 * 60, 24 * 60, 30 }, { 22 * 60, 1, 90 },
	};
	struct scene *scene = *state;

	scene_at("2026-06-01T23:59:30Z");
	for (size_t i = 0; i < sizeof windows / sizeof *windows; i++) {
		scene->config.window_start = windows[i].start;
		scene->config.window_end = windows[i].end;
		scene_start(scene, 1);
		assert_int_equal(scene_claim(scene, 10), 1);
		assert_int_equal(ask("SELECT TIMESTAMPDIFF(SECOND, called_at, expires_at) FROM calls WHERE batch_id = %lld",
		                     (long long)scene->batch),
		                 windows[i].seconds);
	}
}

static void never_more_at_once_than_places(void **state)
{
	struct scene *scene = *state;
	struct uuid first;

	scene->config.max_concurrent_calls = 7;
	scene_start(scene, 20);
	scene_pass(US_PER_SECOND);
	assert_int_equal(scene_claim(scene, 1000), 7);
	first = scene->calls[0];
	scene_pass(US_PER_SECOND);
	assert_int_equal(scene_claim(scene, 1000), 0);
	assert_int_equal(scene_tell(scene, &first, CALL_BUSY), REPORT_ACCEPTED);
	assert_int_equal(scene_claim(scene, 1000), 1); /* the report woke the campaign */
	assert_int_equal(in_progress(scene), 7);
	assert_int_equal(scene_tell(scene, &first, CALL_BUSY), REPORT_IGNORED);
	scene_pass(US_PER_SECOND);
	assert_int_equal(scene_claim(scene, 1000), 0); /* a repeated report frees no place */
}

static void a_place_that_comes_free_is_filled_at_once(void **state)
{
	struct scene *scene = *state;

	scene->config.max_concurrent_calls = 2;
	scene_start(scene, 5);
	scene_pass(US_PER_SECOND);
	assert_int_equal(scene_claim(scene, 10), 2);
	scene_tell(scene, &scene->calls[0], CALL_COMPLETED);
	assert_int_equal(scene_claim(scene, 10), 1);
}

/* The end of a call wakes the campaign. The next look comes after a second, in case this wake-up is lost. */
static void a_full_campaign_is_not_looked_at_all_the_time(void **state)
{
	struct scene *scene = *state;

	scene->config.max_concurrent_calls = 2;
	scene_start(scene, 5);
	scene_pass(US_PER_SECOND);
	assert_int_equal(scene_claim(scene, 10), 2);
	assert_int_equal(ask("SELECT wake_at = '2026-06-01 08:00:02' AND capped = 1 FROM batch_calls WHERE id = %lld",
	                     (long long)scene->batch),
	                 1);
}

static void a_campaign_of_listed_numbers_completes(void **state)
{
	struct scene *scene = *state;

	scene_start(scene, 2);
	ask("INSERT INTO do_not_call SELECT %lld, phone_number, '', '2026-06-01' FROM batch_contacts WHERE batch_id = %lld",
	    (long long)scene->fixture->organization_id, (long long)scene->batch);
	scene_pass(US_PER_SECOND);
	assert_int_equal(scene_claim(scene, 10), 0);
	assert_int_equal(scene_batch(scene).counts.skipped, 2);
	assert_int_equal(scene_claim(scene, 10), 0);
	assert_int_equal(scene_batch(scene).status, BATCH_COMPLETED);
	scene_check_sums(scene);
}

static void fewer_places_take_effect_at_once(void **state)
{
	struct scene *scene = *state;

	scene->config.max_concurrent_calls = 5;
	scene_start(scene, 20);
	scene_pass(US_PER_SECOND);
	assert_int_equal(scene_claim(scene, 1000), 5);
	scene->config.max_concurrent_calls = 2;
	assert_ok(scene_change(scene, "max_concurrent_calls"));
	for (int i = 0; i < 3; i++)
		scene_tell(scene, &scene->calls[i], CALL_COMPLETED);
	scene_pass(2 * US_PER_SECOND);
	assert_int_equal(scene_claim(scene, 1000), 0);
	scene->config.max_concurrent_calls = 4;
	assert_ok(scene_change(scene, "max_concurrent_calls"));
	assert_int_equal(scene_claim(scene, 1000), 2);
}

/* Even if the dialer asks to wait longer, the place is free again when the call expires. */
static void no_call_waits_longer_than_it_may(void **state)
{
	struct scene *scene = *state;
	struct buf rows = { 0 };
	struct json json = json_to(&rows);

	scene_start(scene, 1);
	scene_pass(US_PER_SECOND);
	assert_int_equal(scene_claim(scene, 10), 1);
	json_begin_array(&json, NULL);
	json_begin_array(&json, NULL);
	json_hex_id(&json, NULL, &scene->calls[0]);
	json_sql_instant(&json, NULL, clock_now_us() + US_PER_DAY);
	json_int(&json, NULL, 1);
	json_end(&json);
	json_end(&json);
	assert_ok(db_exec(scene->fixture->db, SQL_CALLS_TRY_AGAIN, DB_ARGS(db_buf(&rows))));
	buf_free(&rows);
	assert_int_equal(ask("SELECT wake_at = expires_at FROM calls WHERE batch_id = %lld", (long long)scene->batch), 1);
}

static void room_at_the_dialer_is_shared(void **state)
{
	struct scene *scene = *state;
	int64_t first;

	scene_start(scene, 10);
	first = scene->batch;
	scene_start(scene, 10);
	scene_pass(US_PER_SECOND);
	scene->room = 13;
	assert_int_equal(scene_claim(scene, 1000), 13);
	assert_int_equal(ask("SELECT claimed FROM batch_calls WHERE id = %lld", (long long)first), 10);
	scene->room = 0;
	assert_int_equal(scene_claim(scene, 1000), 0);
	scene->room = 100;
	scene_pass(20 * US_PER_MS);
	assert_int_equal(scene_claim(scene, 1000), 7);
}

static void a_paused_campaign_is_left_alone(void **state)
{
	struct scene *scene = *state;

	scene->config.max_concurrent_calls = 1;
	scene_start(scene, 5);
	scene_pass(US_PER_SECOND);
	assert_int_equal(scene_claim(scene, 1000), 1);
	scene_do(scene, campaign_pause);
	scene_tell(scene, &scene->calls[0], CALL_COMPLETED);
	scene_pass(HOUR);
	assert_int_equal(scene_claim(scene, 1000), 0);
	assert_int_equal(scene_batch(scene).status, BATCH_PAUSED);
	scene_do(scene, campaign_resume);
	scene_pass(US_PER_SECOND);
	assert_int_equal(scene_claim(scene, 1000), 1);
}

static void the_last_report_during_a_pause_is_not_forgotten(void **state)
{
	struct scene *scene = *state;

	scene_start(scene, 1);
	scene_pass(US_PER_SECOND);
	assert_int_equal(scene_claim(scene, 1000), 1);
	scene_do(scene, campaign_pause);
	scene_tell_all(scene, CALL_COMPLETED);
	scene_do(scene, campaign_resume);
	assert_int_equal(scene_claim(scene, 1000), 0);
	assert_int_equal(scene_batch(scene).status, BATCH_COMPLETED);
}

static void a_cancelled_campaign_makes_no_calls(void **state)
{
	struct scene *scene = *state;

	scene->config.max_concurrent_calls = 2;
	scene->config.retry_failed = true;
	scene->config.max_retry_attempts = 3;
	scene_start(scene, 5);
	scene_pass(US_PER_SECOND);
	assert_int_equal(scene_claim(scene, 1000), 2);
	scene_do(scene, campaign_cancel);
	scene_tell_all(scene, CALL_BUSY);
	scene_pass(24 * HOUR);
	assert_int_equal(scene_claim(scene, 1000), 0);
	assert_int_equal(scene_batch(scene).counts.cancelled, 3);
	assert_int_equal(scene_batch(scene).counts.busy, 2); /* and not tried again */
	scene_check_sums(scene);
}

static void the_start_is_waited_for(void **state)
{
	struct scene *scene = *state;
	struct campaign_request request = { .table = &schedule_fields };

	scene_create(scene, 2);
	request.given = 1;
	request.config.scheduled_at.us = clock_now_us() + HOUR;
	assert_ok(scene_try(scene, campaign_schedule, &request));
	scene_pass(HOUR - US_PER_SECOND);
	assert_int_equal(scene_claim(scene, 1000), 0);
	assert_int_equal(scene_batch(scene).status, BATCH_SCHEDULED);
	scene_pass(2 * US_PER_SECOND);
	assert_int_equal(scene_claim(scene, 1000), 2);
}

static void a_closed_window_moves_contacts_to_the_next(void **state)
{
	struct scene *scene = *state;

	scene->config.window_start = 8 * 60;
	scene->config.window_end = 9 * 60;
	scene->config.max_concurrent_calls = 1;
	scene_start(scene, 3);
	scene_at("2026-06-01T08:59:59Z");
	assert_int_equal(scene_claim(scene, 1000), 1);
	assert_int_equal(ask("SELECT expires_at = '2026-06-01 09:00:00' FROM calls WHERE batch_id = %lld",
	                     (long long)scene->batch),
	                 1); /* no dispatch outside the window either */
	scene_at("2026-06-01T09:00Z");
	scene_tell_all(scene, CALL_COMPLETED);
	assert_int_equal(scene_claim(scene, 1000), 0);
	assert_int_equal(ask("SELECT COUNT(*) FROM due_contacts WHERE batch_id = %lld"
	                     " AND due_at >= '2026-06-02 08:00:00' AND due_at < '2026-06-02 08:00:01'",
	                     (long long)scene->batch),
	                 2);
	scene_at("2026-06-02T07:59:59Z");
	assert_int_equal(scene_claim(scene, 1000), 0);
	scene_at("2026-06-02T08:00:01Z");
	assert_int_equal(scene_claim(scene, 1000), 1);
}

/* Clocks in Berlin go from 02:00 to 03:00 on 2026-03-29: a window from 02:30 opens at 03:30. */
static void a_window_in_the_hour_that_is_skipped(void **state)
{
	struct scene *scene = *state;

	scene_at("2026-03-28T23:00Z");
	scene->config.timezone = "Europe/Berlin";
	scene->config.window_start = 2 * 60 + 30;
	scene->config.window_end = 5 * 60;
	scene_start(scene, 2);
	scene_at("2026-03-29T01:29:59Z");
	assert_int_equal(scene_claim(scene, 1000), 0);
	scene_at("2026-03-29T01:30:01Z");
	assert_int_equal(scene_claim(scene, 1000), 2);
}

static void no_day_gets_more_calls_than_its_cap(void **state)
{
	struct scene *scene = *state;
	int calls = 0;

	scene->config.max_calls_per_day = 4;
	scene->config.max_concurrent_calls = 3;
	scene->config.retry_failed = true;
	scene->config.max_retry_attempts = 1;
	scene->config.retry_delay_minutes = 1;
	scene_start(scene, 6);
	scene_pass(US_PER_SECOND);
	assert_int_equal(scene_claim(scene, 1000), 3);
	scene_tell_all(scene, CALL_BUSY); /* three retries, a minute later */
	assert_int_equal(scene_claim(scene, 1000), 1);
	scene_tell_all(scene, CALL_COMPLETED);
	for (int minute = 0; minute < 5; minute++) {
		scene_pass(US_PER_MINUTE);
		assert_int_equal(scene_claim(scene, 1000), 0);
	}
	scene_at("2026-06-02T00:00:01Z");
	for (int i = 0; i < 20; i++) {
		calls += scene_claim(scene, 1000);
		scene_tell_all(scene, CALL_COMPLETED);
		scene_pass(US_PER_MINUTE);
	}
	assert_int_equal(calls, 4);
	scene_at("2026-06-03T00:00:01Z");
	assert_int_equal(scene_claim(scene, 1000), 1);
	scene_tell_all(scene, CALL_COMPLETED);
	scene_claim(scene, 1000);
	assert_int_equal(scene_batch(scene).status, BATCH_COMPLETED);
	assert_int_equal(ask("SELECT MAX(n) FROM (SELECT COUNT(*) n FROM calls WHERE batch_id = %lld"
	                     " GROUP BY DATE(called_at)) days",
	                     (long long)scene->batch),
	                 4);
}

/* If they did not, every retry that comes due after the last call of the day would plan all contacts again. */
static void retries_of_a_large_campaign_move_alone(void **state)
{
	struct scene *scene = *state;
	long long batch;

	scene->config.max_calls_per_day = 20;
	scene->config.max_concurrent_calls = 20;
	scene->config.retry_failed = true;
	scene->config.max_retry_attempts = 1;
	scene_start(scene, 6000);
	scene_plan(scene);
	batch = scene->batch;
	scene_pass(10 * US_PER_SECOND);
	assert_int_equal(scene_claim(scene, 1000), 20);
	scene_tell_all(scene, CALL_BUSY);
	scene_pass(60 * US_PER_MINUTE);
	assert_int_equal(scene_claim(scene, 1000), 0);
	assert_int_equal(scene_batch(scene).work, BATCH_WORK_DISPATCH);
	assert_int_equal(ask("SELECT COUNT(*) FROM due_contacts WHERE batch_id = %lld AND attempt = 2"
	                     " AND due_at BETWEEN '2026-06-02' AND '2026-06-02 00:00:01'",
	                     batch),
	                 20);
	assert_int_equal(scene_claim(scene, 1000), 0);
	scene_at("2026-06-02T00:01:00Z");
	assert_int_equal(scene_claim(scene, 1000), 20);
	scene_tell_all(scene, CALL_COMPLETED);
	for (int i = 0; i < 2; i++) { /* first the remaining retry moves, then all contacts whose day the retries took */
		scene_pass(US_PER_SECOND);
		assert_int_equal(scene_claim(scene, 1000), 0);
	}
	scene_plan(scene);
	assert_int_equal(ask("SELECT COUNT(*) FROM due_contacts WHERE batch_id = %lld AND due_at < '2026-06-03'", batch),
	                 0);
	scene_check_sums(scene);
}

static void the_cap_of_a_day_outlives_a_change(void **state)
{
	struct scene *scene = *state;

	scene->config.max_calls_per_day = 3;
	scene_start(scene, 10);
	scene_pass(US_PER_SECOND);
	assert_int_equal(scene_claim(scene, 1000), 3);
	scene_tell_all(scene, CALL_COMPLETED);
	scene->config.window_start = 8 * 60;
	scene->config.window_end = 20 * 60;
	scene->config.max_calls_per_day = 5;
	assert_ok(scene_change(scene, "max_calls_per_day"));
	scene_pass(US_PER_SECOND);
	assert_int_equal(scene_claim(scene, 1000), 2);
	scene->config.max_calls_per_day = 4;
	assert_ok(scene_change(scene, "max_calls_per_day"));
	scene_pass(US_PER_MINUTE);
	assert_int_equal(scene_claim(scene, 1000), 0);
}

static void pacing_keeps_its_distance(void **state)
{
	struct scene *scene = *state;

	scene->config.calls_per_minute = 60;
	scene_start(scene, 5);
	scene_pass(10 * US_PER_SECOND); /* all are due */
	for (int i = 0; i < 3; i++) {
		assert_int_equal(scene_claim(scene, 1000), 1);
		scene_pass(900 * US_PER_MS);
		assert_int_equal(scene_claim(scene, 1000), 0);
		scene_pass(100 * US_PER_MS);
	}
}

static void count_numbers(struct scene *scene, const char *expected)
{
	char query[300];

	snprintf(query, sizeof query,
	         "SELECT GROUP_CONCAT(RIGHT(from_number, 1) ORDER BY id SEPARATOR '') = '%s'"
	         " FROM calls WHERE batch_id = %lld",
	         expected, (long long)scene->batch);
	assert_int_equal(ask("%s", query), 1);
}

/* The pace is a hundred calls a second, and a scheduler looks every 100 ms. */
static void a_fast_pace_is_kept(void **state)
{
	struct scene *scene = *state;
	int claimed = 0;

	scene->config.calls_per_minute = 6000;
	scene->config.max_concurrent_calls = 100;
	scene_start(scene, 1000);
	for (int look = 0; look < 20; look++) {
		scene_pass(100 * US_PER_MS);
		claimed += scene_claim(scene, 1000);
		scene_tell_all(scene, CALL_COMPLETED);
	}
	assert_in_range(claimed, 190, 201);
	scene_do(scene, campaign_pause);
	scene_pass(HOUR);
	scene_do(scene, campaign_resume);
	assert_in_range(scene_claim(scene, 1000), 0, 1);
}

static void rotation_in_turn(void **state)
{
	struct scene *scene = *state;

	scene->config.phone_number_ids.count = 3;
	scene->config.phone_rotation_strategy = ROTATION_ROUND_ROBIN;
	scene->config.max_concurrent_calls = 4;
	scene_start(scene, 8);
	scene_pass(US_PER_SECOND);
	scene_claim(scene, 1000);
	scene_tell_all(scene, CALL_COMPLETED);
	scene_claim(scene, 1000);
	count_numbers(scene, "01201201");
}

static void rotation_by_shares(void **state)
{
	struct scene *scene = *state;

	scene->config.phone_number_ids.count = 3;
	scene->config.phone_rotation_strategy = ROTATION_SEQUENTIAL;
	scene_start(scene, 9);
	scene_pass(US_PER_SECOND);
	scene_claim(scene, 1000);
	count_numbers(scene, "000111222");
}

static void a_deleted_number_is_used_no_more(void **state)
{
	struct scene *scene = *state;

	scene->config.phone_number_ids.count = 2;
	scene->config.phone_rotation_strategy = ROTATION_ROUND_ROBIN;
	scene->config.max_concurrent_calls = 2;
	scene_start(scene, 6);
	scene_pass(US_PER_SECOND);
	scene_claim(scene, 1000);
	ask("DELETE FROM phone_numbers WHERE organization_id = %lld AND phone_number = '+18005550000'",
	    (long long)scene->fixture->organization_id);
	scene_tell_all(scene, CALL_COMPLETED);
	scene_claim(scene, 1000);
	count_numbers(scene, "0111");
	ask("DELETE FROM phone_numbers WHERE organization_id = %lld", (long long)scene->fixture->organization_id);
	scene_tell_all(scene, CALL_COMPLETED);
	assert_int_equal(scene_claim(scene, 1000), 0);
	assert_int_equal(scene_batch(scene).status, BATCH_FAILED);
	assert_string_equal(scene_batch(scene).status_reason, "no number to call from is left");
}

static void set_circuit(const struct scene *scene, int64_t open_until_us)
{
	char text[32];

	instant_format_sql(open_until_us, text);
	ask("REPLACE INTO endpoint_health (endpoint_id, doubtful, next_at, failures, failing_since, open_until,"
	    " probe_until, trial_until, hold_until) VALUES (%lld, 1, '9999-12-31', 5, '2026-06-01', '%s', '1000-01-01',"
	    " '1000-01-01', '1000-01-01')",
	    (long long)scene->webhook_row, text);
}

static void an_open_circuit_holds_and_one_call_tries_it(void **state)
{
	struct scene *scene = *state;
	int64_t open_until_us;

	scene_start(scene, 10);
	scene_start(scene, 10);
	scene_pass(US_PER_SECOND);
	open_until_us = clock_now_us() + 4 * US_PER_SECOND;
	set_circuit(scene, open_until_us);
	assert_int_equal(scene_claim(scene, 1000), 0);
	assert_int_equal(ask("SELECT TIMESTAMPDIFF(MICROSECOND, '1970-01-01', wake_at) FROM batch_calls WHERE id = %lld",
	                     (long long)scene->batch),
	                 open_until_us);
	scene_pass(5 * US_PER_SECOND);
	assert_int_equal(scene_claim(scene, 1000), 1); /* of both campaigns */
	scene_pass(10 * US_PER_SECOND);
	assert_int_equal(scene_claim(scene, 1000), 0);
	set_circuit(scene, INSTANT_NONE);
	scene_pass(10 * US_PER_SECOND);
	assert_int_equal(scene_claim(scene, 1000), 19);
}

/* The first contact is not called, so no call probes the dialer. */
static void a_contact_that_is_not_called_probes_no_circuit(void **state)
{
	struct scene *scene = *state;

	scene_start(scene, 2);
	scene_pass(10 * US_PER_SECOND);
	set_circuit(scene, clock_now_us() - US_PER_SECOND);
	ask("INSERT INTO do_not_call SELECT %lld, phone_number, '', '2026-06-01' FROM batch_contacts WHERE batch_id = %lld"
	    " AND position = 1",
	    (long long)scene->fixture->organization_id, (long long)scene->batch);
	assert_int_equal(scene_claim(scene, 10), 1);
}

static void an_agent_that_is_not_ready_is_not_called_with(void **state)
{
	struct scene *scene = *state;

	scene_start(scene, 2);
	scene_pass(US_PER_SECOND);
	ask("UPDATE agents SET status = %d WHERE id = %lld", AGENT_FAILED, (long long)scene->agent_row);
	assert_int_equal(scene_claim(scene, 10), 0);
	ask("UPDATE agents SET status = %d WHERE id = %lld", AGENT_ACTIVE, (long long)scene->agent_row);
	scene_pass(2 * US_PER_SECOND);
	assert_int_equal(scene_claim(scene, 10), 2);
}

static void a_dialer_that_asked_to_slow_down_gets_fewer(void **state)
{
	struct scene *scene = *state;

	scene_start(scene, 10);
	scene_pass(US_PER_SECOND);
	ask("INSERT INTO batch_pressure VALUES (%lld, 3, 0, '2026-06-01')", (long long)scene->batch);
	assert_int_equal(scene_claim(scene, 1000), 3);
	assert_int_equal(scene_batch(scene).dialer_places, 3);
	ask("UPDATE batch_pressure SET places = 5 WHERE batch_id = %lld", (long long)scene->batch);
	scene_pass(2 * US_PER_SECOND);
	assert_int_equal(scene_claim(scene, 1000), 2);
	ask("DELETE FROM batch_pressure WHERE batch_id = %lld", (long long)scene->batch);
	scene_pass(2 * US_PER_SECOND);
	assert_int_equal(scene_claim(scene, 1000), 5);
}

static void without_a_dialer_a_campaign_fails(void **state)
{
	struct scene *scene = *state;

	scene->config.max_concurrent_calls = 2;
	scene_start(scene, 4);
	scene_pass(US_PER_SECOND);
	scene_claim(scene, 1000);
	ask("UPDATE agents SET webhook_id = 0 WHERE id = %lld", (long long)scene->agent_row);
	scene_tell_all(scene, CALL_COMPLETED);
	assert_int_equal(scene_claim(scene, 1000), 0);
	assert_int_equal(scene_batch(scene).status, BATCH_FAILED);
	assert_int_equal(scene_batch(scene).counts.cancelled, 2);
	scene_check_sums(scene);
}

static void a_calendar_without_days_fails_the_campaign(void **state)
{
	struct scene *scene = *state;

	scene_start(scene, 1);
	ask("UPDATE batch_calls SET working_days = 0 WHERE id = %lld", (long long)scene->batch);
	scene_pass(US_PER_SECOND);
	assert_int_equal(scene_claim(scene, 1000), 0);
	assert_int_equal(scene_batch(scene).status, BATCH_FAILED);
}

static void the_change_to_active_is_told_once(void **state)
{
	struct scene *scene = *state;
	long long organization = scene->fixture->organization_id;

	ask("UPDATE webhook_endpoints SET events = 65535 WHERE id = %lld", (long long)scene->webhook_row);
	scene->config.max_concurrent_calls = 1;
	scene_start(scene, 2);
	scene_pass(US_PER_SECOND);
	for (int i = 0; i < 3; i++) {
		scene_claim(scene, 1000);
		scene_tell_all(scene, CALL_COMPLETED);
	}
	assert_int_equal(scene_batch(scene).status, BATCH_COMPLETED);
	assert_int_equal(ask("SELECT COUNT(*) FROM events WHERE organization_id = %lld AND data LIKE "
	                     "'%%\"to\":\"active\"%%'",
	                     organization),
	                 1);
	assert_int_equal(ask("SELECT COUNT(*) FROM events WHERE organization_id = %lld"
	                     " AND data LIKE '%%\"to\":\"completed\"%%'",
	                     organization),
	                 1);
	assert_int_equal(ask("SELECT COUNT(*) FROM events WHERE organization_id = %lld AND data LIKE"
	                     " '%%\"completed_at\"%%'",
	                     organization),
	                 1); /* batch.completed */
}

/* A child process that claims until nothing is left, and ends every call at once. */
static void claim_to_the_end(struct scene *scene, int64_t limit)
{
	struct db *db = db_new(fixture_option_file());
	int64_t until_us = clock_mono_us() + 30 * US_PER_SECOND;
	struct uuid ids[40];
	enum db_result result;

	while (clock_mono_us() < until_us) {
		int count = scene_claim_with(db, 1000, ids, 40, &result);
		struct call_report reports[40];
		enum report_result results[40];

		if (result != DB_OK)
			_exit(2);
		if (ask("SELECT claimed - done FROM batch_calls b JOIN batch_counters c ON c.batch_id = b.id"
		        " WHERE b.id = %lld",
		        (long long)scene->batch) > limit)
			_exit(3);
		for (int i = 0; i < count; i++)
			reports[i] = scene_report(&ids[i], CALL_COMPLETED);
		if (reports_apply(db, 0, reports, (size_t)count, clock_now_us(), results) != DB_OK)
			_exit(4);
		if (ask("SELECT status FROM batch_calls WHERE id = %lld", (long long)scene->batch) == BATCH_COMPLETED)
			_exit(0);
	}
	_exit(5);
}

static void several_schedulers_never_exceed_a_cap(void **state)
{
	struct scene *scene = *state;
	pid_t children[4];
	int status;

	scene->config.max_concurrent_calls = 7;
	scene_start(scene, 600);
	scene_pass(US_PER_SECOND);
	for (int i = 0; i < 4; i++) {
		children[i] = fork();
		assert_true(children[i] >= 0);
		if (children[i] == 0)
			claim_to_the_end(scene, 7);
	}
	for (int i = 0; i < 4; i++) {
		assert_int_equal(waitpid(children[i], &status, 0), children[i]);
		assert_int_equal(status, 0);
	}
	assert_int_equal(ask("SELECT COUNT(*) FROM calls WHERE batch_id = %lld", (long long)scene->batch), 600);
	assert_int_equal(scene_batch(scene).counts.completed, 600);
	scene_check_sums(scene);
}

/* Another session writes to the first of five contacts in the plan, and ends its transaction while a claim waits for
 * it. Returns how many calls were claimed. */
static int claim_beside(struct scene *scene, const char *write, const char *end)
{
	MYSQL *other = send_query("SET autocommit = 0");
	char query[200];
	pid_t child;
	int status;

	scene_start(scene, 5);
	scene_pass(US_PER_SECOND);
	snprintf(query, sizeof query, "%s WHERE batch_id = %lld ORDER BY due_at LIMIT 1", write, (long long)scene->batch);
	assert_int_equal(mysql_query(other, query), 0);
	child = fork();
	assert_true(child >= 0);
	if (child == 0) {
		struct uuid ids[10];
		enum db_result result;
		int count = scene_claim_with(db_new(fixture_option_file()), 1000, ids, 10, &result);

		_exit(result == DB_OK ? count : 10);
	}
	wait_for_session("DELETE d FROM");
	assert_int_equal(mysql_query(other, end), 0);
	mysql_close(other);
	assert_int_equal(waitpid(child, &status, 0), child);
	return WEXITSTATUS(status);
}

/* The scan of another claim locks the first row after its range for a moment. */
static void a_contact_that_is_locked_for_a_moment_is_not_passed_over(void **state)
{
	struct scene *scene = *state;

	assert_int_equal(claim_beside(scene, "UPDATE due_contacts SET attempt = attempt + 1", "ROLLBACK"), 5);
	scene_check_sums(scene);
}

static void a_campaign_that_was_set_aside_goes_on(void **state)
{
	struct scene *scene = *state;

	scene_start(scene, 2);
	scene_pass(US_PER_SECOND);
	assert_int_equal(scene_claim(scene, 1), 1);
	ask("UPDATE batch_calls SET status_reason = 'set aside' WHERE id = %lld", (long long)scene->batch);
	assert_int_equal(scene_claim(scene, 1), 1);
	assert_string_equal(scene_batch(scene).status_reason, "");
}

/* A report on a call that waits takes its contact out of the plan. */
static void a_contact_that_leaves_the_plan_meanwhile_is_not_claimed(void **state)
{
	assert_int_equal(claim_beside(*state, "DELETE FROM due_contacts", "COMMIT"), 4);
}

static void several_schedulers_share_a_daily_cap(void **state)
{
	struct scene *scene = *state;
	struct db *others[3];
	struct uuid ids[10];
	enum db_result result;
	int claimed = 0;

	scene->config.max_calls_per_day = 25;
	scene->config.max_concurrent_calls = 100;
	scene_start(scene, 60);
	scene_pass(US_PER_SECOND);
	for (int i = 0; i < 3; i++)
		others[i] = db_new(fixture_option_file());
	for (int i = 0; i < 12; i++) {
		claimed += scene_claim_with(others[i % 3], 1000, ids, 10, &result);
		assert_ok(result);
	}
	for (int i = 0; i < 3; i++)
		db_free(others[i]);
	assert_int_equal(claimed, 25);
}

struct holder {
	struct scene *scene;
	int claimed;
};

static enum db_result claim_meanwhile(struct db *db, void *context)
{
	struct holder *holder = context;
	struct db *other = db_new(fixture_option_file());
	struct uuid ids[10];
	struct batch batch;
	enum db_result result;

	DB_TRY(batch_lock(db, holder->scene->fixture->organization_id, &holder->scene->batch_id,
	                  holder->scene->fixture->arena, &batch));
	holder->claimed = scene_claim_with(other, 1000, ids, 10, &result);
	db_free(other);
	return result;
}

static void a_campaign_that_is_locked_is_passed_by(void **state)
{
	struct scene *scene = *state;
	struct holder holder = { scene, -1 };
	int64_t began_us = clock_mono_us();

	scene_start(scene, 5);
	scene_pass(US_PER_SECOND);
	assert_ok(transact_once(scene->fixture->db, claim_meanwhile, &holder));
	assert_int_equal(holder.claimed, 0);
	assert_true(clock_mono_us() - began_us < 2 * US_PER_SECOND);
	assert_int_equal(scene_claim(scene, 10), 5);
}

static void no_contact_is_lost_when_the_low_water_mark_is_wrong(void **state)
{
	struct scene *scene = *state;

	scene_start(scene, 3);
	ask("UPDATE batch_calls SET low_water = '2026-07-01' WHERE id = %lld", (long long)scene->batch);
	scene_pass(US_PER_SECOND);
	assert_int_equal(scene_claim(scene, 10), 0);
	scene_pass(61 * US_PER_SECOND);
	assert_int_equal(scene_claim(scene, 10), 3);
}

static void a_slow_campaign_does_not_starve_the_others(void **state)
{
	struct scene *scene = *state;
	int64_t first;

	scene->config.max_concurrent_calls = 100;
	scene_start(scene, 300);
	first = scene->batch;
	scene_pass(US_PER_SECOND);
	scene_start(scene, 20);
	scene_pass(US_PER_SECOND);
	for (int i = 0; i < 6; i++)
		scene_claim(scene, 60);
	assert_int_equal(ask("SELECT claimed FROM batch_calls WHERE id = %lld", (long long)first), 100);
	assert_int_equal(ask("SELECT claimed FROM batch_calls WHERE id = %lld", (long long)scene->batch), 20);
}

/* The contacts are due this many milliseconds after 08:00:01, and the campaign is looked at then. */
static void plan_at(struct scene *scene, int first, int second, int third)
{
	const int due[] = { first, second, third };

	for (int i = 0; i < 3; i++)
		ask("UPDATE due_contacts SET due_at = TIMESTAMP'2026-06-01 08:00:01' + INTERVAL %d MICROSECOND"
		    " WHERE batch_id = %lld AND position = %d",
		    due[i] * 1000, (long long)scene->batch, i + 1);
	ask("UPDATE batch_calls SET low_water = '1000-01-01', wake_at = TIMESTAMP'2026-06-01 08:00:01' + INTERVAL %d "
	    "MICROSECOND"
	    " WHERE id = %lld",
	    first * 1000, (long long)scene->batch);
}

static void calls_are_claimed_a_moment_ahead_and_placed_when_they_are_due(void **state)
{
	struct scene *scene = *state;

	scene->ahead_us = 25 * US_PER_MS;
	scene_start(scene, 3);
	plan_at(scene, 10, 24, 40);
	scene_at("2026-06-01 08:00:01");
	assert_int_equal(scene_claim(scene, 10), 2);
	assert_int_equal(ask("SELECT COUNT(*) FROM calls WHERE batch_id = %lld AND called_at = scheduled_at"
	                     " AND called_at > '2026-06-01 08:00:01' AND wake_at = '2026-06-01 08:00:31'"
	                     " AND expires_at > called_at",
	                     (long long)scene->batch),
	                 2);
	assert_int_equal(scene_claim(scene, 10), 0);
	scene_pass(16 * US_PER_MS);
	assert_int_equal(scene_claim(scene, 10), 1);
	scene_check_sums(scene);
}

/* A claim reads a little further than it takes. The contact may be due where it stops to read. */
static void the_next_contact_is_known_wherever_a_look_ends(void **state)
{
	struct scene *scene = *state;

	scene_start(scene, 3);
	plan_at(scene, 100, 60000, 61000);
	ask("UPDATE batch_calls SET wake_at = '2026-06-01 08:00:01' WHERE id = %lld", (long long)scene->batch);
	scene_at("2026-06-01 08:00:01");
	assert_int_equal(scene_claim(scene, 10), 0);
	assert_int_equal(ask("SELECT wake_at = '2026-06-01 08:00:01.1' FROM batch_calls WHERE id = %lld",
	                     (long long)scene->batch),
	                 1);
}

static void nothing_claimed_ahead_begins_before_its_window(void **state)
{
	struct scene *scene = *state;

	scene->ahead_us = 25 * US_PER_MS;
	scene->config.window_start = 9 * 60;
	scene->config.window_end = 10 * 60;
	scene_start(scene, 1);
	scene_at("2026-06-01 08:59:59.980");
	assert_int_equal(scene_claim(scene, 10), 1);
	assert_int_equal(ask("SELECT COUNT(*) FROM calls WHERE batch_id = %lld AND called_at = '2026-06-01 09:00:00'",
	                     (long long)scene->batch),
	                 1);
	assert_int_equal(ask("SELECT day_calls FROM batch_calls WHERE id = %lld", (long long)scene->batch), 1);
}

static void calls_that_are_claimed_ahead_keep_the_pace(void **state)
{
	struct scene *scene = *state;

	scene->ahead_us = 25 * US_PER_MS;
	scene->config.calls_per_minute = 6000; /* one in 10 ms */
	scene_start(scene, 3);
	plan_at(scene, 4, 8, 12);
	scene_at("2026-06-01 08:00:01");
	for (int call = 0; call < 3; call++)
		assert_int_equal(scene_claim(scene, 10), 1);
	assert_int_equal(ask("SELECT COUNT(*) FROM calls c JOIN calls n ON n.batch_id = c.batch_id AND n.position > "
	                     "c.position"
	                     " WHERE c.batch_id = %lld AND n.called_at < c.called_at + INTERVAL 10000 MICROSECOND",
	                     (long long)scene->batch),
	                 0);
}

/* The look comes before the first contact is due. */
static void what_is_looked_at_early_keeps_the_pace(void **state)
{
	struct scene *scene = *state;
	int claimed = 0;

	scene->ahead_us = 25 * US_PER_MS;
	scene->config.calls_per_minute = 6000;
	scene_start(scene, 3);
	plan_at(scene, 4, 8, 12);
	ask("UPDATE batch_calls SET wake_at = '2026-06-01 08:00:01' WHERE id = %lld", (long long)scene->batch);
	scene_at("2026-06-01 08:00:01");
	for (int look = 0; look < 6; look++)
		claimed += scene_claim(scene, 10);
	assert_int_equal(claimed, 3);
	assert_int_equal(ask("SELECT COUNT(*) FROM calls c JOIN calls n ON n.batch_id = c.batch_id AND n.position >"
	                     " c.position WHERE c.batch_id = %lld AND n.called_at < c.called_at + INTERVAL 10000"
	                     " MICROSECOND",
	                     (long long)scene->batch),
	                 0);
}

int main(void)
{
	static const struct CMUnitTest group_tests[] = {
		SCENE_TEST(every_contact_is_called_once),
		SCENE_TEST(a_call_carries_its_lease_and_limits),
		SCENE_TEST(a_call_expires_when_the_window_closes),
		SCENE_TEST(never_more_at_once_than_places),
		SCENE_TEST(a_full_campaign_is_not_looked_at_all_the_time),
		SCENE_TEST(a_campaign_of_listed_numbers_completes),
		SCENE_TEST(fewer_places_take_effect_at_once),
		SCENE_TEST(no_call_waits_longer_than_it_may),
		SCENE_TEST(a_place_that_comes_free_is_filled_at_once),
		SCENE_TEST(room_at_the_dialer_is_shared),
		SCENE_TEST(a_paused_campaign_is_left_alone),
		SCENE_TEST(the_last_report_during_a_pause_is_not_forgotten),
		SCENE_TEST(a_cancelled_campaign_makes_no_calls),
		SCENE_TEST(the_start_is_waited_for),
		SCENE_TEST(a_closed_window_moves_contacts_to_the_next),
		SCENE_TEST(a_window_in_the_hour_that_is_skipped),
		SCENE_TEST(no_day_gets_more_calls_than_its_cap),
		SCENE_TEST(retries_of_a_large_campaign_move_alone),
		SCENE_TEST(the_cap_of_a_day_outlives_a_change),
		SCENE_TEST(pacing_keeps_its_distance),
		SCENE_TEST(a_fast_pace_is_kept),
		SCENE_TEST(rotation_in_turn),
		SCENE_TEST(rotation_by_shares),
		SCENE_TEST(a_deleted_number_is_used_no_more),
		SCENE_TEST(an_open_circuit_holds_and_one_call_tries_it),
		SCENE_TEST(a_contact_that_is_not_called_probes_no_circuit),
		SCENE_TEST(an_agent_that_is_not_ready_is_not_called_with),
		SCENE_TEST(a_dialer_that_asked_to_slow_down_gets_fewer),
		SCENE_TEST(without_a_dialer_a_campaign_fails),
		SCENE_TEST(a_calendar_without_days_fails_the_campaign),
		SCENE_TEST(the_change_to_active_is_told_once),
		SCENE_TEST(several_schedulers_never_exceed_a_cap),
		SCENE_TEST(a_contact_that_is_locked_for_a_moment_is_not_passed_over),
		SCENE_TEST(a_campaign_that_was_set_aside_goes_on),
		SCENE_TEST(a_contact_that_leaves_the_plan_meanwhile_is_not_claimed),
		SCENE_TEST(several_schedulers_share_a_daily_cap),
		SCENE_TEST(a_campaign_that_is_locked_is_passed_by),
		SCENE_TEST(no_contact_is_lost_when_the_low_water_mark_is_wrong),
		SCENE_TEST(a_slow_campaign_does_not_starve_the_others),
		SCENE_TEST(calls_are_claimed_a_moment_ahead_and_placed_when_they_are_due),
		SCENE_TEST(nothing_claimed_ahead_begins_before_its_window),
		SCENE_TEST(calls_that_are_claimed_ahead_keep_the_pace),
		SCENE_TEST(what_is_looked_at_early_keeps_the_pace),
		SCENE_TEST(the_next_contact_is_known_wherever_a_look_ends),
	};

	return cmocka_run_group_tests(group_tests, NULL, NULL);
}
