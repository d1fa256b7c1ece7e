/* Attempts that no dialer answered wait in the plan as the same attempts. And claims without a request are undone. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/clock.h"
#include "base/instant.h"
#include "base/json.h"
#include "domain/contact_limit.h"
#include "domain/report_fields.h"
#include "engine/explain.h"
#include "scene.h"
#include "store/batch_store.h"
#include "store/organization_store.h"
#include "store/statements.h"

#define HOUR (60 * US_PER_MINUTE)
#define TTL (2 * US_PER_MINUTE) /* of scene_claim */

static int64_t of_batch(struct scene *scene, const char *column)
{
	return ask("SELECT %s FROM batch_calls WHERE id = %lld", column, (long long)scene->batch);
}

static int64_t of_plan(struct scene *scene, const char *what)
{
	return ask("SELECT %s FROM due_contacts WHERE batch_id = %lld", what, (long long)scene->batch);
}

static int64_t of_contact(struct scene *scene, int position, const char *column)
{
	return ask("SELECT %s FROM batch_contacts WHERE batch_id = %lld AND position = %d", column, (long long)scene->batch,
	           position);
}

static enum report_result conclude(struct scene *scene, const struct uuid *call, enum call_premise premise)
{
	struct call_report report = scene_report(call, CALL_FAILED);
	enum report_result result;

	report.premise = premise;
	report.end_reason = "dialer_unreachable";
	report.give_up_after_us = 24 * HOUR;
	assert_ok(reports_apply(scene->fixture->db, 0, &report, 1, clock_now_us(), &result));
	return result;
}

/* The calls that were claimed last were requested, and expire. */
static void stay_unanswered(struct scene *scene)
{
	scene_pass(TTL);
	for (int i = 0; i < scene->call_count; i++)
		assert_int_equal(conclude(scene, &scene->calls[i], CALL_EXPIRED), REPORT_ACCEPTED);
	scene_check_sums(scene);
}

/* Does what a scheduler does when its dispatch finds no slot: the lease of the claim is not used. */
static void leave_unasked(struct scene *scene)
{
	struct buf rows = { 0 };
	struct json json = json_to(&rows);

	json_begin_array(&json, NULL);
	for (int i = 0; i < scene->call_count; i++) {
		json_begin_array(&json, NULL);
		json_hex_id(&json, NULL, &scene->calls[i]);
		json_sql_instant(&json, NULL, clock_now_us() + US_PER_SECOND);
		json_int(&json, NULL, 0);
		json_end(&json);
	}
	json_end(&json);
	assert_ok(db_exec(scene->fixture->db, SQL_CALLS_HOLD, DB_ARGS(db_buf(&rows))));
	buf_free(&rows);
}

static void claim_some(struct scene *scene, int contacts)
{
	scene_start(scene, contacts);
	scene_pass(US_PER_SECOND);
	assert_int_equal(scene_claim(scene, 1000), contacts < 10 ? contacts : 10);
}

/* Claims the waiting calls again; the clock moves on until they are due. */
static void claim_again(struct scene *scene, int count)
{
	scene_pass(5 * US_PER_MINUTE + US_PER_SECOND);
	assert_int_equal(scene_claim(scene, 1000), count);
}

static void an_attempt_that_waits_stays_the_same(void **state)
{
	struct scene *scene = *state;
	struct uuid call;

	claim_some(scene, 1);
	call = scene->calls[0];
	stay_unanswered(scene);
	assert_int_equal(scene_of_calls(scene, "status = 0 AND expires_at = '1000-01-01' AND attempt = 1"), 1);
	assert_int_equal(of_plan(scene, "waits = 1 AND attempt = 1 AND MICROSECOND(due_at) % 1000 <> 0"), 1);
	assert_int_equal(of_contact(scene, 1, "status = 0 AND attempts = 1"), 1);
	assert_int_equal(scene_batch(scene).counts.in_progress, 0);
	assert_int_equal(scene_batch(scene).counts.pending, 1);
	assert_int_equal(scene_batch(scene).counts.called, 1);
	for (int round = 2; round < 5; round++) {
		claim_again(scene, 1);
		assert_true(uuid_equal(&scene->calls[0], &call));
		assert_int_equal(scene_of_calls(scene, "COUNT(*)"), 1);
		assert_int_equal(scene_of_calls(scene, "tries"), round);
		assert_int_equal(scene_of_calls(scene, "TIMESTAMPDIFF(SECOND, called_at, expires_at)"), 120);
		assert_int_equal(of_contact(scene, 1, "status = 2 AND attempts = 1"), 1);
		assert_int_equal(of_batch(scene, "called"), 1);
		assert_int_equal(of_batch(scene, "day_calls"), 1);
		scene_check_sums(scene);
		stay_unanswered(scene);
	}
	claim_again(scene, 1);
	scene_tell_all(scene, CALL_COMPLETED);
	scene_claim(scene, 1);
	assert_int_equal(scene_batch(scene).status, BATCH_COMPLETED);
	scene_check_sums(scene);
}

static void its_place_is_free_meanwhile(void **state)
{
	struct scene *scene = *state;

	scene->config.max_concurrent_calls = 2;
	scene_start(scene, 5);
	scene_pass(US_PER_SECOND);
	assert_int_equal(scene_claim(scene, 1000), 2);
	stay_unanswered(scene);
	assert_int_equal(scene_claim(scene, 1000), 2); /* woken, for others */
	assert_int_equal(scene_of_calls(scene, "COUNT(*)"), 4);
	stay_unanswered(scene);
	claim_again(scene, 2);
	assert_int_equal(scene_batch(scene).counts.in_progress, 2);
	scene_check_sums(scene);
}

static void a_claim_without_a_request_counts_nowhere(void **state)
{
	struct scene *scene = *state;

	claim_some(scene, 3);
	leave_unasked(scene);
	stay_unanswered(scene);
	assert_int_equal(scene_of_calls(scene, "COUNT(*)"), 0);
	assert_int_equal(of_contact(scene, 2, "status = 0 AND attempts = 0 AND call_id = REPEAT(CHAR(0), 16)"), 1);
	assert_int_equal(of_batch(scene, "called"), 0);
	assert_int_equal(of_batch(scene, "claimed"), 0);
	assert_int_equal(of_batch(scene, "day_calls"), 0);
	assert_int_equal(of_plan(scene, "COUNT(*)"), 3);
	scene_pass(US_PER_SECOND);
	assert_int_equal(scene_claim(scene, 1000), 3);
	assert_int_equal(scene_of_calls(scene, "COUNT(*)"), 3);
	scene_tell_all(scene, CALL_COMPLETED);
	scene_check_sums(scene);
}

/* The plan is cleared, and not written again yet, when the claim is undone. */
static void an_undone_claim_is_planned_once(void **state)
{
	struct scene *scene = *state;

	claim_some(scene, 3);
	ask("UPDATE batch_calls SET work = 2, plan_position = 0 WHERE id = %lld", (long long)scene->batch);
	leave_unasked(scene);
	for (int i = 0; i < 3; i++)
		assert_int_equal(conclude(scene, &scene->calls[i], CALL_UNASKED), REPORT_ACCEPTED);
	scene_plan(scene);
	assert_int_equal(of_plan(scene, "COUNT(*)"), 3);
	scene_check_sums(scene);
	scene_pass(US_PER_SECOND);
	assert_int_equal(scene_claim(scene, 1000), 3);
}

static void undo(struct scene *scene, const struct uuid *calls, size_t count)
{
	struct call_report reports[3];
	enum report_result results[3];

	for (size_t i = 0; i < count; i++) {
		reports[i] = scene_report(&calls[i], CALL_FAILED);
		reports[i].premise = CALL_UNASKED;
	}
	assert_ok(reports_apply(scene->fixture->db, 0, reports, count, clock_now_us(), results));
}

static void undone_claims_are_taken_from_their_own_days(void **state)
{
	struct scene *scene = *state;
	struct uuid calls[6];

	scene_start(scene, 6);
	for (int day = 0; day < 2; day++) {
		scene_pass(US_PER_DAY);
		assert_int_equal(scene_claim(scene, 3), 3);
		memcpy(calls + 3 * day, scene->calls, 3 * sizeof *calls);
	}
	undo(scene, calls, 2); /* of the first day */
	assert_int_equal(of_batch(scene, "day_calls"), 3);
	undo(scene, calls + 2, 3); /* one of the first day, two of the second */
	assert_int_equal(of_batch(scene, "day_calls"), 1);
}

static void a_retry_without_a_request_has_its_last_call_again(void **state)
{
	struct scene *scene = *state;
	struct uuid first;

	scene->config.retry_failed = true;
	scene->config.max_retry_attempts = 1;
	claim_some(scene, 1);
	first = scene->calls[0];
	scene_tell_all(scene, CALL_BUSY);
	scene_pass(31 * US_PER_MINUTE);
	assert_int_equal(scene_claim(scene, 1000), 1);
	leave_unasked(scene);
	stay_unanswered(scene);
	assert_int_equal(of_contact(scene, 1,
	                            "attempts = 1 AND status = 0 AND call_id = (SELECT c.id FROM calls c"
	                            " WHERE c.batch_id = batch_contacts.batch_id)"),
	                 1);
	assert_int_equal(of_plan(scene, "attempt = 2 AND waits = 0"), 1);
	assert_int_equal(of_batch(scene, "called"), 1);
	assert_int_equal(of_batch(scene, "day_calls"), 1);
	scene_pass(US_PER_SECOND);
	assert_int_equal(scene_claim(scene, 1000), 1);
	assert_false(uuid_equal(&scene->calls[0], &first));
	scene_tell_all(scene, CALL_BUSY);
	assert_int_equal(scene_batch(scene).counts.busy, 1);
	scene_check_sums(scene);
}

static void a_retry_that_a_cancel_leaves_unanswered_keeps_the_last_outcome(void **state)
{
	struct scene *scene = *state;

	scene->config.retry_failed = true;
	scene->config.max_retry_attempts = 1;
	claim_some(scene, 1);
	scene_tell_all(scene, CALL_BUSY);
	scene_pass(31 * US_PER_MINUTE);
	assert_int_equal(scene_claim(scene, 1000), 1);
	scene_do(scene, campaign_cancel);
	stay_unanswered(scene);
	assert_int_equal(scene_batch(scene).counts.busy, 1);
	assert_int_equal(scene_batch(scene).counts.cancelled, 0);
}

/* A call that was requested before stays the same attempt, although the last lease was not used. */
static void a_lease_that_was_not_used_undoes_no_other(void **state)
{
	struct scene *scene = *state;

	claim_some(scene, 1);
	stay_unanswered(scene);
	claim_again(scene, 1);
	leave_unasked(scene);
	stay_unanswered(scene);
	assert_int_equal(scene_of_calls(scene, "COUNT(*)"), 1);
	assert_int_equal(of_batch(scene, "waiting"), 1);
}

static void windows(struct scene *scene, int start, int end)
{
	scene->config.window_start = start;
	scene->config.window_end = end;
}

/* 24 hours of windows of 8 hours are three days. */
static void it_is_given_up_after_callable_time(void **state)
{
	struct scene *scene = *state;
	int days = 0;

	scene_at("2026-07-06T08:00:00Z");
	windows(scene, 8 * 60, 16 * 60);
	claim_some(scene, 1);
	stay_unanswered(scene);
	assert_int_equal(scene_of_calls(scene, "TIMESTAMPDIFF(SECOND, '2026-07-09 08:00:00', wake_at)"), 1);
	for (const char *day[] = { "2026-07-06T15:58:00Z", "2026-07-07T15:58:00Z", "2026-07-08T15:58:00Z" }; days < 3;
	     days++) {
		scene_at(day[days]);
		assert_int_equal(scene_claim(scene, 1), 1);
		stay_unanswered(scene);
		assert_int_equal(of_plan(scene, "HOUR(due_at)"), 8); /* tomorrow */
	}
	scene_at("2026-07-09T08:00:00Z");
	assert_int_equal(conclude(scene, &scene->calls[0], CALL_EXPIRED), REPORT_IGNORED);
	scene_pass(2 * US_PER_SECOND);
	assert_int_equal(conclude(scene, &scene->calls[0], CALL_EXPIRED), REPORT_ACCEPTED);
	assert_int_equal(scene_of_calls(scene, "status = 5 AND end_reason = 'dialer_unreachable'"), 1);
	assert_int_equal(scene_batch(scene).counts.failed, 1);
	assert_int_equal(of_plan(scene, "COUNT(*)"), 0);
	scene_check_sums(scene);
	scene_claim(scene, 1);
	assert_int_equal(scene_batch(scene).status, BATCH_COMPLETED);
}

static void a_pause_gives_nothing_up(void **state)
{
	struct scene *scene = *state;

	claim_some(scene, 1);
	stay_unanswered(scene);
	scene_do(scene, campaign_pause);
	scene_pass(48 * HOUR);
	assert_int_equal(conclude(scene, &scene->calls[0], CALL_EXPIRED), REPORT_ACCEPTED);
	assert_int_equal(scene_of_calls(scene, "status = 0 AND wake_at = '9999-12-31'"), 1);
	scene_check_sums(scene);
	scene_do(scene, campaign_resume);
	scene_pass(US_PER_SECOND);
	assert_int_equal(scene_claim(scene, 1), 1);
	stay_unanswered(scene); /* requested once more, and its time is over */
	assert_int_equal(scene_batch(scene).counts.failed, 1);
}

static void unaccepted_calls_go_back_to_the_plan_at_a_pause(void **state)
{
	struct scene *scene = *state;

	claim_some(scene, 2);
	ask("UPDATE calls SET tries = 2 WHERE batch_id = %lld AND position = 2",
	    (long long)scene->batch); /* was asked for */
	scene_do(scene, campaign_pause);
	for (int i = 0; i < 2; i++)
		assert_int_equal(conclude(scene, &scene->calls[i], CALL_UNASKED), REPORT_ACCEPTED);
	assert_int_equal(scene_batch(scene).counts.in_progress, 0);
	assert_int_equal(scene_of_calls(scene, "COUNT(*)"), 1);
	assert_int_equal(of_batch(scene, "called"), 1);
	scene_check_sums(scene);
	assert_int_equal(conclude(scene, &scene->calls[1], CALL_UNASKED), REPORT_IGNORED); /* said twice */
	scene_do(scene, campaign_resume);
	claim_again(scene, 2);
	scene_tell_all(scene, CALL_COMPLETED);
	scene_check_sums(scene);
}

/* The dialer had accepted the call, and its answer was lost. */
static void a_report_takes_it_out_of_the_plan(void **state)
{
	static const enum call_status said[] = { CALL_DISPATCHED, CALL_RINGING, CALL_IN_PROGRESS };
	struct scene *scene = *state;

	claim_some(scene, 4);
	stay_unanswered(scene);
	for (int i = 0; i < 3; i++) {
		assert_int_equal(scene_tell(scene, &scene->calls[i], said[i]), REPORT_ACCEPTED);
		assert_int_equal(of_contact(scene, i + 1, "status"), CONTACT_IN_PROGRESS);
		assert_int_equal(of_plan(scene, "COUNT(*)"), 3 - i);
		scene_check_sums(scene);
	}
	assert_int_equal(scene_tell(scene, &scene->calls[3], CALL_COMPLETED), REPORT_ACCEPTED);
	assert_int_equal(scene_tell(scene, &scene->calls[0], CALL_NO_ANSWER), REPORT_ACCEPTED);
	assert_int_equal(scene_batch(scene).counts.in_progress, 2);
	scene_check_sums(scene);
	scene_pass(10 * US_PER_MINUTE);
	assert_int_equal(scene_claim(scene, 10), 0);
	scene_tell(scene, &scene->calls[1], CALL_BUSY);
	scene_tell(scene, &scene->calls[2], CALL_BUSY);
	assert_int_equal(scene_claim(scene, 10), 0);
	assert_int_equal(scene_batch(scene).status, BATCH_COMPLETED);
	assert_int_equal(of_batch(scene, "day_calls"), 4);
	scene_check_sums(scene);
}

static void a_call_that_waited_is_retried_like_others(void **state)
{
	struct scene *scene = *state;

	scene->config.retry_failed = true;
	scene->config.max_retry_attempts = 1;
	claim_some(scene, 1);
	stay_unanswered(scene);
	assert_int_equal(scene_tell(scene, &scene->calls[0], CALL_NO_ANSWER), REPORT_ACCEPTED);
	assert_int_equal(of_plan(scene, "waits = 0 AND attempt = 2"), 1);
	scene_check_sums(scene);
	scene_pass(31 * US_PER_MINUTE);
	assert_int_equal(scene_claim(scene, 10), 1);
	stay_unanswered(scene);
	assert_int_equal(of_plan(scene, "waits = 1 AND attempt = 2"), 1);
	claim_again(scene, 1);
	scene_tell_all(scene, CALL_COMPLETED);
	assert_int_equal(scene_of_calls(scene, "COUNT(*)"), 2);
	scene_check_sums(scene);
}

static void a_cancel_ends_it(void **state)
{
	struct scene *scene = *state;

	claim_some(scene, 3);
	stay_unanswered(scene);
	scene_do(scene, campaign_cancel);
	assert_int_equal(scene_batch(scene).counts.cancelled, 3);
	assert_int_equal(ask("SELECT COUNT(*) FROM calls WHERE batch_id = %lld AND wake_at <= '2026-06-01 08:10'",
	                     (long long)scene->batch),
	                 3); /* a scheduler looks at once */
	for (int i = 0; i < 2; i++)
		assert_int_equal(conclude(scene, &scene->calls[i], CALL_EXPIRED), REPORT_ACCEPTED);
	assert_int_equal(ask("SELECT COUNT(*) FROM calls WHERE batch_id = %lld AND status = 9 AND end_reason = "
	                     "'campaign_over'",
	                     (long long)scene->batch),
	                 2);
	assert_int_equal(scene_tell(scene, &scene->calls[2], CALL_COMPLETED), REPORT_ACCEPTED); /* it was placed */
	assert_int_equal(scene_batch(scene).counts.cancelled, 2);
	assert_int_equal(scene_batch(scene).counts.completed, 1);
	assert_int_equal(of_batch(scene, "waiting"), 0);
	assert_int_equal(of_plan(scene, "COUNT(*)"), 0);
}

/* A cancel that is committed while a scheduler waits for its locks, to conclude about calls. */
struct cancelled_beside {
	struct scene *scene;
	pid_t child;
};

static void conclude_both(struct scene *scene)
{
	struct call_report reports[] = { scene_report(&scene->calls[0], CALL_FAILED),
		                             scene_report(&scene->calls[1], CALL_FAILED) };
	enum report_result results[2];

	fixture_runs_once = true; /* a second run would see the cancel */
	reports[0].premise = CALL_UNREPORTED;
	reports[1].premise = CALL_EXPIRED;
	reports[1].give_up_after_us = 24 * HOUR;
	_exit(reports_apply(db_new(fixture_option_file()), 0, reports, 2, clock_now_us(), results) != DB_OK ||
	      results[0] != REPORT_ACCEPTED || results[1] != REPORT_ACCEPTED);
}

static bool is_locked(const struct uuid *call)
{
	char id[UUID_TEXT];

	uuid_format(call, id);
	return ask("SELECT 1 FROM calls WHERE id = UNHEX(REPLACE('%s', '-', '')) FOR UPDATE SKIP LOCKED", id) == 0;
}

static enum db_result cancel_beside(struct db *db, void *context)
{
	struct cancelled_beside *beside = context;
	struct scene *scene = beside->scene;
	int64_t deadline_us = clock_mono_us() + 20 * US_PER_SECOND;
	struct campaign_request request = {
		.organization_id = scene->fixture->organization_id,
		.uuid = scene->batch_id,
		.now_us = clock_now_us(),
		.arena = scene->fixture->arena,
	};

	assert_ok(campaign_cancel(db, &request));
	beside->child = fork();
	assert_true(beside->child >= 0);
	if (beside->child == 0)
		conclude_both(scene);
	while (!is_locked(&scene->calls[0])) { /* then the statement is on its way to the call that the cancel has locked */
		assert_true(clock_mono_us() < deadline_us);
		usleep(5000);
	}
	return DB_OK;
}

/* The statement that locks the calls reads the campaign as it was before the cancel. */
static void a_cancel_beside_the_end_of_its_time_ends_it(void **state)
{
	struct scene *scene = *state;
	struct cancelled_beside beside = { .scene = scene };
	struct db *other = db_new(fixture_option_file());
	int status;

	claim_some(scene, 2);
	if (uuid_order(&scene->calls[0], &scene->calls[1]) > 0) { /* calls are locked in this order */
		struct uuid later = scene->calls[0];

		scene->calls[0] = scene->calls[1];
		scene->calls[1] = later;
	}
	scene_tell(scene, &scene->calls[0], CALL_DISPATCHED);
	scene_pass(TTL);
	assert_int_equal(conclude(scene, &scene->calls[1], CALL_EXPIRED), REPORT_ACCEPTED);
	scene_do(scene, campaign_pause);
	scene_pass(96 * HOUR); /* the id of the call may be of a later time than its claim */
	assert_ok(transact_once(other, cancel_beside, &beside));
	db_free(other);
	assert_int_equal(waitpid(beside.child, &status, 0), beside.child);
	assert_int_equal(status, 0);
	assert_int_equal(ask("SELECT COUNT(*) FROM calls WHERE batch_id = %lld AND status = 0 AND wake_at = '9999-12-31'",
	                     (long long)scene->batch),
	                 0);
	conclude(scene, &scene->calls[1], CALL_EXPIRED);
	assert_int_equal(ask("SELECT COUNT(*) FROM calls WHERE batch_id = %lld AND end_reason = 'campaign_over'",
	                     (long long)scene->batch),
	                 1);
	assert_int_equal(of_batch(scene, "waiting"), 0);
	assert_int_equal(of_plan(scene, "COUNT(*)"), 0);
}

static void a_client_may_cancel_it(void **state)
{
	struct scene *scene = *state;
	struct call_report report;
	enum report_result result;

	claim_some(scene, 1);
	stay_unanswered(scene);
	report = scene_report(&scene->calls[0], CALL_CANCELLED);
	report.premise = CALL_UNACCEPTED;
	assert_ok(reports_apply(scene->fixture->db, 0, &report, 1, clock_now_us(), &result));
	assert_int_equal(result, REPORT_ACCEPTED);
	assert_int_equal(scene_batch(scene).counts.cancelled, 1);
	assert_int_equal(of_plan(scene, "COUNT(*)"), 0);
	scene_check_sums(scene);
}

/* The dispatch ends the call: it was requested, and its contact may have been called. */
static void a_listed_contact_whose_call_waits_is_not_skipped(void **state)
{
	struct scene *scene = *state;

	claim_some(scene, 1);
	stay_unanswered(scene);
	ask("INSERT INTO do_not_call (organization_id, phone_number, reason, created_at) VALUES (%lld, '+49000000001', '',"
	    " '2026-06-01')",
	    (long long)scene->fixture->organization_id);
	claim_again(scene, 1);
	assert_int_equal(scene_batch(scene).counts.skipped, 0);
	scene_check_sums(scene);
}

static void a_day_counts_it_once(void **state)
{
	struct scene *scene = *state;

	scene->config.max_calls_per_day = 2;
	scene_start(scene, 5);
	scene_pass(US_PER_SECOND);
	assert_int_equal(scene_claim(scene, 1000), 2);
	for (int round = 0; round < 3; round++) {
		stay_unanswered(scene);
		assert_int_equal(scene_claim(scene, 1000), 0); /* the day is full for others */
		assert_true(of_batch(scene, "wake_at < '2026-06-01 09:00'"));
		claim_again(scene, 2);
		assert_int_equal(of_batch(scene, "day_calls"), 2);
		assert_int_equal(scene_of_calls(scene, "COUNT(*)"), 2);
	}
	stay_unanswered(scene);
	scene_at("2026-06-02T10:00:00Z"); /* they count for the day on which they are requested */
	for (int look = 0; look < 3; look++)
		scene_claim(scene, 1000);
	assert_int_equal(of_batch(scene, "day_calls"), 2);
	assert_int_equal(scene_of_calls(scene, "SUM(called_at > '2026-06-02')"), 2);
	scene_check_sums(scene);
}

/* The call that was counted goes on, but no other contact is called for it. */
static void a_full_day_takes_only_calls_that_it_has_counted(void **state)
{
	struct scene *scene = *state;

	scene->config.max_calls_per_day = 1;
	scene_start(scene, 2);
	scene_pass(US_PER_SECOND);
	assert_int_equal(scene_claim(scene, 1000), 1);
	stay_unanswered(scene);
	scene_pass(5 * US_PER_MINUTE);
	ask("UPDATE due_contacts SET due_at = '2026-06-01 08:00:00' + INTERVAL position SECOND WHERE batch_id = %lld",
	    (long long)scene->batch);
	ask("UPDATE batch_calls SET low_water = '1000-01-01', wake_at = '2026-06-01 08:00:00' WHERE id = %lld",
	    (long long)scene->batch);
	assert_int_equal(scene_claim(scene, 1000), 1);
	assert_int_equal(of_batch(scene, "day_calls"), 1);
}

static void limit_to_one_a_day(struct scene *scene)
{
	struct contact_limit limit = { .max_attempts = 1, .period_hours = 24 };
	struct organization organization = { .id = scene->fixture->organization_id, .updated_at_us = clock_now_us() };

	organization.limits = (struct contact_limits){ .list = { &limit, 1 } };
	assert_ok(organization_save_limits(scene->fixture->db, &organization));
}

static void contact_limits_count_it_once(void **state)
{
	struct scene *scene = *state;
	struct uuid campaign_id, call;
	int64_t campaign;

	limit_to_one_a_day(scene);
	claim_some(scene, 1);
	call = scene->calls[0], campaign_id = scene->batch_id, campaign = scene->batch;
	stay_unanswered(scene);
	scene_start(scene, 1); /* another campaign, the same number */
	scene_pass(US_PER_SECOND);
	assert_int_equal(scene_claim(scene, 1000), 0);
	scene->batch_id = campaign_id, scene->batch = campaign;
	claim_again(scene, 1);
	assert_true(uuid_equal(&scene->calls[0], &call));
}

static void contact_limits_leave_out_claims_without_a_request(void **state)
{
	struct scene *scene = *state;

	limit_to_one_a_day(scene);
	claim_some(scene, 1);
	leave_unasked(scene);
	stay_unanswered(scene);
	scene_start(scene, 1);
	scene_pass(US_PER_SECOND);
	assert_int_equal(scene_claim(scene, 1000), 1);
}

static void a_new_plan_leaves_it_where_it_is(void **state)
{
	struct scene *scene = *state;
	int64_t due;

	scene->config.calls_per_minute = 1;
	scene_start(scene, 3);
	scene_pass(US_PER_SECOND);
	assert_int_equal(scene_claim(scene, 1000), 1);
	stay_unanswered(scene);
	due = ask("SELECT MINUTE(due_at) * 60 + SECOND(due_at) FROM due_contacts WHERE batch_id = %lld AND waits = 1",
	          (long long)scene->batch);
	scene->config.max_calls_per_day = 100;
	assert_ok(scene_change(scene, "max_calls_per_day"));
	scene_plan(scene);
	assert_int_equal(ask("SELECT MINUTE(due_at) * 60 + SECOND(due_at) FROM due_contacts WHERE batch_id = %lld"
	                     " AND waits = 1 AND attempt = 1",
	                     (long long)scene->batch),
	                 due);
	assert_int_equal(of_plan(scene, "COUNT(*)"), 3);
	assert_int_equal(of_plan(scene, "COUNT(DISTINCT position)"), 3);
	scene_check_sums(scene);
}

/* A change of the window lets it through at once. */
static void a_wider_window_brings_it_back(void **state)
{
	struct scene *scene = *state;

	windows(scene, 8 * 60, 8 * 60 + 1);
	claim_some(scene, 2);
	scene_at("2026-06-01T08:00:50Z");
	stay_unanswered(scene);
	assert_int_equal(of_plan(scene, "HOUR(due_at) = 8 AND DAY(due_at) = 2"), 1);
	scene_at("2026-06-01T08:10:00Z");
	scene->config.window_start = 0;
	scene->config.window_end = 24 * 60;
	assert_ok(scene_change(scene, "end_time"));
	scene_plan(scene);
	scene_pass(US_PER_SECOND);
	assert_int_equal(scene_claim(scene, 1000), 2);
	scene_check_sums(scene);
}

/* The window closed meanwhile, also for a campaign that is small enough to be planned again. */
static void it_moves_to_the_next_window(void **state)
{
	struct scene *scene = *state;

	windows(scene, 8 * 60, 8 * 60 + 10);
	claim_some(scene, 2);
	stay_unanswered(scene);
	scene_at("2026-06-01T08:20:00Z");
	for (int look = 0; look < 3; look++)
		assert_int_equal(scene_claim(scene, 1000), 0);
	assert_int_equal(ask("SELECT COUNT(*) FROM due_contacts WHERE batch_id = %lld AND waits = 1"
	                     " AND due_at BETWEEN '2026-06-02 08:00:00' AND '2026-06-02 08:00:01'",
	                     (long long)scene->batch),
	                 2);
	assert_true(of_batch(scene, "wake_at >= '2026-06-02 08:00'"));
	scene_at("2026-06-02T08:00:01Z");
	assert_int_equal(scene_claim(scene, 1000), 2);
	scene_check_sums(scene);
}

static void no_contact_is_called_just_before_its_window_closes(void **state)
{
	struct scene *scene = *state;

	windows(scene, 8 * 60, 8 * 60 + 10);
	scene_start(scene, 3);
	scene_at("2026-06-01T08:09:59.5Z");
	assert_int_equal(scene_claim(scene, 1000), 0);
	scene_plan(scene);
	assert_int_equal(of_plan(scene, "COUNT(*)"), 3);
	assert_int_equal(ask("SELECT COUNT(*) FROM due_contacts WHERE batch_id = %lld AND due_at < '2026-06-02 08:00'",
	                     (long long)scene->batch),
	                 0);
	scene_at("2026-06-02T08:00:01Z");
	assert_int_equal(scene_claim(scene, 1000), 3);
}

static void its_number_stays_while_there_is_one(void **state)
{
	struct scene *scene = *state;

	scene->config.phone_number_ids = (struct field_list){ scene->number_ids, 3 };
	scene->config.phone_rotation_strategy = ROTATION_ROUND_ROBIN;
	scene_start(scene, 4);
	scene_pass(US_PER_SECOND);
	assert_int_equal(scene_claim(scene, 2), 2);
	stay_unanswered(scene);
	claim_again(scene, 4);
	assert_int_equal(ask("SELECT GROUP_CONCAT(RIGHT(from_number, 1) ORDER BY position SEPARATOR '') FROM calls"
	                     " WHERE batch_id = %lld",
	                     (long long)scene->batch),
	                 120); /* 0120 */
	ask("DELETE FROM batch_numbers WHERE batch_id = %lld AND slot = 1", (long long)scene->batch);
	stay_unanswered(scene);
	claim_again(scene, 4);
	assert_int_equal(ask("SELECT COUNT(*) FROM calls WHERE batch_id = %lld AND from_number = '+18005550000'",
	                     (long long)scene->batch),
	                 0);
}

static void why_tells_what_the_claim_does(void **state)
{
	struct scene *scene = *state;
	struct explanation explanation;
	struct batch batch;

	limit_to_one_a_day(scene);
	scene->config.max_calls_per_day = 1;
	claim_some(scene, 1);
	stay_unanswered(scene);
	batch = scene_batch(scene);
	assert_ok(explain_contact(scene->fixture->db, &batch, 1, clock_now_us(), scene->fixture->arena, &explanation));
	assert_true(explanation.waits);
	assert_int_equal(explanation.contact.status, CONTACT_SCHEDULED);
	assert_true(explanation.next_at_us == explanation.contact.scheduled_at_us);
	scene_pass(5 * US_PER_MINUTE);
	assert_int_equal(scene_claim(scene, 1), 1);
}

static void a_campaign_leaves_with_what_waits(void **state)
{
	struct scene *scene = *state;

	claim_some(scene, 2);
	stay_unanswered(scene);
	scene_do(scene, campaign_cancel);
	scene_do(scene, campaign_delete);
	scene_purge(scene);
	assert_int_equal(scene_of_calls(scene, "COUNT(*)"), 0);
	assert_int_equal(of_plan(scene, "COUNT(*)"), 0);
	assert_int_equal(conclude(scene, &scene->calls[0], CALL_EXPIRED), REPORT_NOT_FOUND);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		SCENE_TEST(an_attempt_that_waits_stays_the_same),
		SCENE_TEST(its_place_is_free_meanwhile),
		SCENE_TEST(a_claim_without_a_request_counts_nowhere),
		SCENE_TEST(an_undone_claim_is_planned_once),
		SCENE_TEST(a_retry_without_a_request_has_its_last_call_again),
		SCENE_TEST(a_retry_that_a_cancel_leaves_unanswered_keeps_the_last_outcome),
		SCENE_TEST(a_lease_that_was_not_used_undoes_no_other),
		SCENE_TEST(a_pause_gives_nothing_up),
		SCENE_TEST(unaccepted_calls_go_back_to_the_plan_at_a_pause),
		SCENE_TEST(a_report_takes_it_out_of_the_plan),
		SCENE_TEST(a_call_that_waited_is_retried_like_others),
		SCENE_TEST(a_cancel_ends_it),
		SCENE_TEST(a_cancel_beside_the_end_of_its_time_ends_it),
		SCENE_TEST(a_client_may_cancel_it),
		SCENE_TEST(a_listed_contact_whose_call_waits_is_not_skipped),
		SCENE_TEST(a_day_counts_it_once),
		SCENE_TEST(a_full_day_takes_only_calls_that_it_has_counted),
		SCENE_TEST(contact_limits_count_it_once),
		SCENE_TEST(contact_limits_leave_out_claims_without_a_request),
		SCENE_TEST(a_new_plan_leaves_it_where_it_is),
		SCENE_TEST(a_wider_window_brings_it_back),
		SCENE_TEST(it_moves_to_the_next_window),
		SCENE_TEST(no_contact_is_called_just_before_its_window_closes),
		SCENE_TEST(its_number_stays_while_there_is_one),
		SCENE_TEST(why_tells_what_the_claim_does),
		SCENE_TEST(a_campaign_leaves_with_what_waits),
		SCENE_TEST(it_is_given_up_after_callable_time), /* ids are of its time from then on */
		SCENE_TEST(undone_claims_are_taken_from_their_own_days),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
