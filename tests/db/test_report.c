/* Reports of dialers: every transition, counters, retries, and the wake-up of a campaign. */
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
#include "scene.h"
#include "store/statements.h"

#define HOUR (60 * US_PER_MINUTE)

static void claim_some(struct scene *scene, int contacts)
{
	scene->config.max_concurrent_calls = 100;
	scene_start(scene, contacts);
	scene_pass(US_PER_SECOND);
	assert_int_equal(scene_claim(scene, 1000), contacts < 100 ? contacts : 100);
}

static void every_transition(void **state)
{
	struct scene *scene = *state;

	for (enum call_status from = CALL_QUEUED; from < CALL_STATUS__MAX; from++)
		for (enum call_status to = CALL_DISPATCHED; to < CALL_STATUS__MAX; to++) {
			bool moves = from < CALL_COMPLETED && to > from;
			enum call_status after = moves ? to : from;

			claim_some(scene, 1);
			if (from != CALL_QUEUED)
				assert_int_equal(scene_tell(scene, &scene->calls[0], from), REPORT_ACCEPTED);
			assert_int_equal(scene_tell(scene, &scene->calls[0], to), moves ? REPORT_ACCEPTED : REPORT_IGNORED);
			assert_int_equal(ask("SELECT status FROM calls WHERE batch_id = %lld", (long long)scene->batch), after);
			assert_int_equal(scene_batch(scene).counts.in_progress, after < CALL_COMPLETED);
		}
}

static void every_ending_is_counted(void **state)
{
	static const enum call_status ends[] = {
		CALL_COMPLETED, CALL_FAILED, CALL_NO_ANSWER, CALL_BUSY, CALL_VOICEMAIL,
	};
	struct scene *scene = *state;
	struct batch_counts counts;
	int told = 0;

	claim_some(scene, 15);
	for (int i = 0; i < 5; i++)
		for (int n = 0; n <= i; n++)
			scene_tell(scene, &scene->calls[told++], ends[i]);
	counts = scene_batch(scene).counts;
	assert_int_equal(counts.completed, 1);
	assert_int_equal(counts.failed, 2);
	assert_int_equal(counts.no_answer, 3);
	assert_int_equal(counts.busy, 4);
	assert_int_equal(counts.voicemail, 5);
	assert_int_equal(counts.in_progress, 0);
	scene_check_sums(scene);
	scene_claim(scene, 10);
	assert_int_equal(scene_batch(scene).status, BATCH_COMPLETED);
}

static void a_call_that_was_taken_has_a_deadline(void **state)
{
	struct scene *scene = *state;

	claim_some(scene, 1);
	scene_tell(scene, &scene->calls[0], CALL_RINGING);
	assert_int_equal(ask("SELECT TIMESTAMPDIFF(SECOND, called_at, wake_at) FROM calls WHERE batch_id = %lld",
	                     (long long)scene->batch),
	                 3600);
	scene_pass(US_PER_MINUTE);
	scene_tell(scene, &scene->calls[0], CALL_IN_PROGRESS); /* does not grow with every report */
	assert_int_equal(ask("SELECT TIMESTAMPDIFF(SECOND, called_at, wake_at) FROM calls WHERE batch_id = %lld",
	                     (long long)scene->batch),
	                 3600);
	scene_tell(scene, &scene->calls[0], CALL_COMPLETED);
	assert_int_equal(ask("SELECT wake_at = '9999-12-31' FROM calls WHERE batch_id = %lld", (long long)scene->batch), 1);
}

static void texts_of_reports_are_kept_as_they_came(void **state)
{
	struct scene *scene = *state;
	struct call_report report;
	enum report_result result;

	claim_some(scene, 1);
	report = scene_report(&scene->calls[0], CALL_COMPLETED);
	report.duration_seconds = 604800;
	report.cost_ten_thousandths = INT64_C(99999999999999);
	report.outcome = "\xf0\x9f\x98\x80 \"sold\"";
	report.end_reason = "a\\b\tc\n\x01\x7f/\\u0041 '; --";
	report.summary = "\xc3\xa4\xe2\x82\xac\\\"[{}]";
	report.recording_url = "https://example.com/\xf0\x9f\x8e\xa7?a=b&c=\"d\"";
	assert_ok(reports_apply(scene->fixture->db, 0, &report, 1, clock_now_us(), &result));
	assert_int_equal(ask("SELECT HEX(outcome) = 'F09F98802022736F6C6422'"
	                     " AND HEX(end_reason) = '615C6209630A017F2F5C753030343120273B202D2D'"
	                     " AND HEX(summary) = 'C3A4E282AC5C225B7B7D5D'"
	                     " AND HEX(recording_url) = "
	                     "'68747470733A2F2F6578616D706C652E636F6D2FF09F8EA73F613D6226633D226422'"
	                     " AND duration_seconds = 604800 AND cost = 9999999999.9999 FROM calls WHERE batch_id = %lld",
	                     (long long)scene->batch),
	                 1);
}

static void the_longest_texts_fit(void **state)
{
	static char outcome[64 * 4 + 1], reason[255 * 4 + 1], url[2048 * 4 + 1], summary[10000 * 4 + 1];
	struct {
		char *text;
		size_t len;
	} texts[] = { { outcome, 64 }, { reason, 255 }, { url, 2048 }, { summary, 10000 } };
	struct scene *scene = *state;
	struct call_report report;
	enum report_result result;

	for (size_t i = 0; i < 4; i++)
		for (size_t n = 0; n < texts[i].len; n++)
			memcpy(texts[i].text + 4 * n, "\xf0\x9f\x98\x80", 4);
	claim_some(scene, 1);
	report = scene_report(&scene->calls[0], CALL_FAILED);
	report.outcome = outcome;
	report.end_reason = reason;
	report.recording_url = report.transcript_url = url;
	report.summary = summary;
	assert_ok(reports_apply(scene->fixture->db, 0, &report, 1, clock_now_us(), &result));
	assert_int_equal(ask("SELECT CHAR_LENGTH(outcome) = 64 AND CHAR_LENGTH(end_reason) = 255"
	                     " AND CHAR_LENGTH(transcript_url) = 2048 AND CHAR_LENGTH(summary) = 10000"
	                     " FROM calls WHERE batch_id = %lld",
	                     (long long)scene->batch),
	                 1);
}

/* Dialers' clocks may be wrong: an ending lies between the claim and now. */
static void impossible_ending_times_are_corrected(void **state)
{
	static const struct {
		int64_t from_now_us, kept_us;
	} said[] = {
		{ -US_PER_SECOND, -US_PER_SECOND }, { HOUR, 0 }, { -2 * HOUR, 0 }, { -INT64_C(50) * 365 * US_PER_DAY, 0 },
		{ -US_PER_MINUTE, -US_PER_MINUTE }, /* at the claim */
	};
	struct scene *scene = *state;
	int64_t now_us;

	claim_some(scene, 5);
	scene_pass(US_PER_MINUTE);
	now_us = clock_now_us();
	for (int i = 0; i < 5; i++) {
		struct call_report report = scene_report(&scene->calls[i], CALL_COMPLETED);
		enum report_result result;
		char expected[32];

		report.occurred_at.us = now_us + said[i].from_now_us;
		instant_format_sql(now_us + said[i].kept_us, expected);
		assert_ok(reports_apply(scene->fixture->db, 0, &report, 1, now_us, &result));
		assert_int_equal(ask("SELECT ended_at = '%s' FROM calls WHERE batch_id = %lld AND position = %d", expected,
		                     (long long)scene->batch, i + 1),
		                 1);
	}
}

static enum report_result conclude(struct scene *scene, enum call_premise premise, enum call_status status)
{
	struct call_report report = scene_report(&scene->calls[0], status);
	enum report_result result;

	report.premise = premise;
	assert_ok(reports_apply(scene->fixture->db, 0, &report, 1, clock_now_us(), &result));
	return result;
}

/* A conclusion from before a report does not undo the report. */
static void conclusions_are_judged_again_under_the_lock(void **state)
{
	static const struct {
		enum call_premise premise;
		enum call_status becomes;
	} conclusions[] = {
		{ CALL_UNACCEPTED, CALL_CANCELLED },
		{ CALL_EXPIRED, CALL_FAILED },
		{ CALL_UNREPORTED, CALL_FAILED },
	};
	struct scene *scene = *state;

	for (enum call_status reported = CALL_DISPATCHED; reported < CALL_COMPLETED; reported++)
		for (size_t i = 0; i < 3; i++) {
			claim_some(scene, 1);
			scene_pass(2 * US_PER_MINUTE);
			assert_int_equal(scene_tell(scene, &scene->calls[0], reported), REPORT_ACCEPTED);
			assert_int_equal(conclude(scene, conclusions[i].premise, conclusions[i].becomes), REPORT_IGNORED);
			assert_int_equal(ask("SELECT status FROM calls WHERE batch_id = %lld", (long long)scene->batch), reported);
			assert_int_equal(scene_batch(scene).counts.in_progress, 1);
		}
	scene_pass(HOUR); /* now no report came in time */
	assert_int_equal(conclude(scene, CALL_EXPIRED, CALL_FAILED), REPORT_IGNORED);
	assert_int_equal(conclude(scene, CALL_UNREPORTED, CALL_FAILED), REPORT_ACCEPTED);
	scene_check_sums(scene);
}

/* Another scheduler has leased the call meanwhile, to request it again. */
static void a_call_that_is_leased_again_has_not_expired(void **state)
{
	struct scene *scene = *state;

	claim_some(scene, 1);
	scene_pass(US_PER_MINUTE);
	assert_int_equal(conclude(scene, CALL_EXPIRED, CALL_FAILED), REPORT_IGNORED); /* there is time */
	scene_pass(US_PER_MINUTE);
	ask("UPDATE calls SET wake_at = wake_at + INTERVAL 10 MINUTE WHERE batch_id = %lld", (long long)scene->batch);
	assert_int_equal(conclude(scene, CALL_EXPIRED, CALL_FAILED), REPORT_IGNORED);
	assert_int_equal(conclude(scene, CALL_UNACCEPTED, CALL_CANCELLED), REPORT_ACCEPTED);
}

static void other_organisations_calls_are_not_there(void **state)
{
	struct scene *scene = *state;
	struct call_report reports[2];
	enum report_result results[2];
	struct uuid nobody = uuid_new();

	claim_some(scene, 1);
	reports[0] = scene_report(&scene->calls[0], CALL_COMPLETED);
	reports[1] = scene_report(&nobody, CALL_COMPLETED);
	assert_ok(reports_apply(scene->fixture->db, scene->fixture->organization_id + 1, reports, 2, clock_now_us(),
	                        results));
	assert_int_equal(results[0], REPORT_NOT_FOUND);
	assert_int_equal(results[1], REPORT_NOT_FOUND);
	assert_int_equal(scene_batch(scene).counts.in_progress, 1);
}

static void several_reports_of_one_call_apply_in_their_order(void **state)
{
	static const enum call_status said[] = { CALL_RINGING, CALL_DISPATCHED, CALL_IN_PROGRESS, CALL_BUSY,
		                                     CALL_COMPLETED };
	static const enum report_result expected[] = {
		REPORT_ACCEPTED, REPORT_IGNORED, REPORT_ACCEPTED, REPORT_ACCEPTED, REPORT_IGNORED,
	};
	struct scene *scene = *state;
	struct call_report reports[5];
	enum report_result results[5];

	claim_some(scene, 1);
	for (int i = 0; i < 5; i++)
		reports[i] = scene_report(&scene->calls[0], said[i]);
	assert_ok(reports_apply(scene->fixture->db, 0, reports, 5, clock_now_us(), results));
	for (int i = 0; i < 5; i++)
		assert_int_equal(results[i], expected[i]);
	assert_int_equal(scene_batch(scene).counts.busy, 1);
	assert_int_equal(ask("SELECT done FROM batch_counters WHERE batch_id = %lld", (long long)scene->batch), 1);
}

static void a_thousand_at_once(void **state)
{
	struct scene *scene = *state;
	struct call_report reports[REPORTS_MAX];
	enum report_result results[REPORTS_MAX];
	int count = 0;

	for (int batch = 0; batch < 10; batch++) {
		claim_some(scene, 100);
		for (int i = 0; i < 100; i++)
			reports[count++] = scene_report(&scene->calls[i], i % 2 ? CALL_COMPLETED : CALL_BUSY);
	}
	assert_ok(reports_apply(scene->fixture->db, 0, reports, REPORTS_MAX, clock_now_us(), results));
	for (int i = 0; i < REPORTS_MAX; i++)
		assert_int_equal(results[i], REPORT_ACCEPTED);
	assert_int_equal(scene_batch(scene).counts.busy, 50);
	assert_int_equal(scene_batch(scene).counts.completed, 50);
	scene_check_sums(scene);
}

static void with_retries(struct scene *scene)
{
	scene->config.retry_failed = true;
	scene->config.max_retry_attempts = 2;
	scene->config.retry_delay_minutes = 10;
}

static void a_retry_waits_longer_every_time(void **state)
{
	struct scene *scene = *state;
	struct batch_counts counts;

	with_retries(scene);
	claim_some(scene, 1);
	for (int attempt = 1; attempt <= 2; attempt++) {
		scene_tell_all(scene, CALL_NO_ANSWER);
		counts = scene_batch(scene).counts;
		assert_int_equal(counts.pending, 1);
		assert_int_equal(counts.no_answer, 0);
		assert_int_equal(counts.called, 1);
		scene_pass(attempt * 10 * US_PER_MINUTE - US_PER_SECOND);
		assert_int_equal(scene_claim(scene, 10), 0);
		scene_pass(2 * US_PER_SECOND);
		assert_int_equal(scene_claim(scene, 10), 1);
		scene_check_sums(scene);
	}
	scene_tell_all(scene, CALL_NO_ANSWER);
	assert_int_equal(scene_batch(scene).counts.no_answer, 1);
	scene_claim(scene, 10);
	assert_int_equal(scene_batch(scene).status, BATCH_COMPLETED);
	assert_int_equal(ask("SELECT GROUP_CONCAT(attempt ORDER BY id SEPARATOR '') FROM calls WHERE batch_id = %lld",
	                     (long long)scene->batch),
	                 123);
}

static void only_the_outcomes_chosen_are_tried_again(void **state)
{
	struct scene *scene = *state;

	with_retries(scene);
	scene->config.retry_on = CALL_BIT(CALL_BUSY);
	claim_some(scene, 3);
	scene_tell(scene, &scene->calls[0], CALL_BUSY);
	scene_tell(scene, &scene->calls[1], CALL_FAILED);
	scene_tell(scene, &scene->calls[2], CALL_COMPLETED);
	assert_int_equal(scene_batch(scene).counts.pending, 1);
	assert_int_equal(scene_batch(scene).counts.failed, 1);
	assert_int_equal(scene_batch(scene).counts.completed, 1);
	scene_check_sums(scene);
}

/* A rule counts the calls with its outcome, and no others. */
static void a_rule_of_its_own_counts_its_outcome(void **state)
{
	static const enum call_status outcomes[] = { CALL_BUSY, CALL_NO_ANSWER, CALL_BUSY, CALL_BUSY };
	struct retry_rule rule = { .outcome = CALL_BUSY, .delay_minutes = 1, .max_attempts = 2 };
	struct scene *scene = *state;

	with_retries(scene);
	scene->config.retry_rules = (struct field_list){ &rule, 1 };
	claim_some(scene, 1);
	for (size_t i = 0; i < sizeof outcomes / sizeof *outcomes; i++) {
		if (i != 0) {
			scene_pass(180 * US_PER_MINUTE);
			assert_int_equal(scene_claim(scene, 10), 1);
		}
		scene_tell(scene, &scene->calls[0], outcomes[i]);
	}
	assert_int_equal(scene_batch(scene).counts.busy, 1); /* the third busy call is the last */
	scene_check_sums(scene);
}

/* All of these contacts will wait for the opening of the window: more than there are microseconds in a millisecond,
 * reported one by one. */
static void many_retries_wait_for_one_window(void **state)
{
	struct scene *scene = *state;
	long long id;

	with_retries(scene);
	scene->config.window_start = 7 * 60;
	scene->config.window_end = 8 * 60 + 5;
	scene->config.max_concurrent_calls = 100;
	scene_start(scene, 1500);
	id = scene->batch;
	scene_pass(2 * US_PER_SECOND);
	for (int i = 0; i < 15; i++) {
		assert_int_equal(scene_claim(scene, 1000), 100);
		if (i % 2 == 0)
			scene_tell_all(scene, CALL_BUSY);
		else
			for (int n = 0; n < scene->call_count; n++)
				assert_int_equal(scene_tell(scene, &scene->calls[n], CALL_BUSY), REPORT_ACCEPTED);
	}
	assert_int_equal(ask("SELECT COUNT(*) FROM due_contacts WHERE batch_id = %lld AND attempt = 2"
	                     " AND due_at > '2026-06-02 07:00:00' AND due_at < '2026-06-02 07:00:00.1'",
	                     id),
	                 1500);
	assert_int_equal(ask("SELECT COUNT(*) FROM due_contacts WHERE batch_id = %lld"
	                     " AND MICROSECOND(due_at) %% 1000 = 0",
	                     id),
	                 0);
	scene_check_sums(scene);
}

struct telling {
	struct call_report report;
	int64_t now_us;
	enum report_result result;
	int runs;
};

static enum db_result tell_once(struct db *db, void *context)
{
	struct telling *telling = context;

	return ++telling->runs == 1 ? reports_apply_in(db, 0, &telling->report, 1, telling->now_us, &telling->result)
	                            : DB_ERROR;
}

/* Position 1 and another contact want the instant `wanted_us`. A client's report is not applied twice because of
 * that. */
static void retry_where_another_stands(struct scene *scene, int64_t now_us, int64_t wanted_us)
{
	struct telling telling = { .report = scene_report(&scene->calls[0], CALL_BUSY), .now_us = now_us };
	long long id = scene->batch;
	char taken[32];

	instant_format_sql(wanted_us + 2, taken);
	ask("INSERT INTO due_contacts (batch_id, due_at, position, attempt) VALUES (%lld, '%s', 99, 1)", id, taken);
	assert_ok(transact_once(scene->fixture->db, tell_once, &telling));
	assert_int_equal(telling.result, REPORT_ACCEPTED);
	assert_int_equal(ask("SELECT COUNT(*) FROM due_contacts WHERE batch_id = %lld AND position = 1 AND due_at BETWEEN"
	                     " '%s' + INTERVAL 1 MICROSECOND AND '%s' + INTERVAL 2 SECOND",
	                     id, taken, taken),
	                 1);
	assert_int_equal(ask("SELECT MICROSECOND(due_at) %% 1000 FROM due_contacts WHERE batch_id = %lld AND position = 1",
	                     id),
	                 2);
}

static void a_retry_whose_instant_is_taken_comes_later(void **state)
{
	struct scene *scene = *state;
	int64_t now_us = clock_now_us() / US_PER_MS * US_PER_MS + US_PER_MS;

	scene->config.retry_failed = true;
	scene->config.max_retry_attempts = 1;
	scene->config.retry_delay_minutes = 0;
	claim_some(scene, 1);
	retry_where_another_stands(scene, now_us, now_us);
}

static void a_retry_whose_instant_at_the_opening_is_taken_comes_later(void **state)
{
	struct scene *scene = *state;

	with_retries(scene);
	scene->config.window_start = 7 * 60;
	scene->config.window_end = 8 * 60 + 5;
	claim_some(scene, 1);
	retry_where_another_stands(scene, clock_now_us(), clock_now_us() / US_PER_DAY * US_PER_DAY + US_PER_DAY + 7 * HOUR);
}

static void a_retry_that_no_day_can_take_is_none(void **state)
{
	struct scene *scene = *state;

	with_retries(scene);
	claim_some(scene, 1);
	ask("UPDATE batch_calls SET working_days = 0 WHERE id = %lld", (long long)scene->batch);
	scene_tell_all(scene, CALL_BUSY);
	assert_int_equal(scene_batch(scene).counts.busy, 1);
}

/* The campaign waits with its retry. */
static void a_retry_in_a_zone_that_cannot_be_read(void **state)
{
	struct scene *scene = *state;

	with_retries(scene);
	claim_some(scene, 1);
	ask("UPDATE batch_calls SET timezone = 'Gone/Away' WHERE id = %lld", (long long)scene->batch);
	scene_tell_all(scene, CALL_BUSY);
	assert_int_equal(scene_batch(scene).counts.busy, 0);
	assert_int_equal(scene_batch(scene).counts.pending, 1);
}

static void a_retry_wakes_a_campaign_that_sleeps(void **state)
{
	struct scene *scene = *state;
	struct uuid call;

	with_retries(scene);
	claim_some(scene, 1);
	call = scene->calls[0];
	ask("UPDATE batch_calls SET wake_at = '9999-12-31' WHERE id = %lld", (long long)scene->batch);
	scene_tell(scene, &call, CALL_BUSY);
	scene_pass(10 * US_PER_MINUTE + US_PER_SECOND);
	assert_int_equal(scene_claim(scene, 10), 1);
}

static enum db_result tell_and_look(struct db *db, void *context)
{
	struct scene *scene = context;
	struct call_report reports[] = { scene_report(&scene->calls[0], CALL_BUSY),
		                             scene_report(&scene->calls[1], CALL_BUSY) };
	enum report_result results[2];

	assert_ok(reports_apply_in(db, 0, reports, 2, clock_now_us(), results));
	assert_int_equal(ask("SELECT COUNT(*) FROM (SELECT id FROM batch_calls WHERE id = %lld FOR UPDATE SKIP LOCKED) b",
	                     (long long)scene->batch),
	                 0);
	return DB_OK;
}

/* The plan is read from the last claimed contact on, and a contact may be claimed before its instant. */
static void a_retry_before_the_last_claim_is_found(void **state)
{
	struct scene *scene = *state;

	scene->config.retry_failed = true;
	scene->config.max_retry_attempts = 1;
	scene->config.retry_delay_minutes = 0;
	scene->ahead_us = 70 * US_PER_MS;
	scene_start(scene, 3);
	ask("UPDATE due_contacts SET due_at = '2026-06-01 08:00:01' + INTERVAL IF(position = 3, 3600000000, position * "
	    "30000)"
	    " MICROSECOND WHERE batch_id = %lld",
	    (long long)scene->batch);
	scene_pass(US_PER_SECOND);
	assert_int_equal(scene_claim(scene, 10), 2);
	assert_int_equal(scene_tell(scene, &scene->calls[0], CALL_BUSY), REPORT_ACCEPTED);
	scene_pass(10 * US_PER_MS);
	assert_int_equal(scene_claim(scene, 10), 1);
}

/* Their contacts are read together, from the instants of the retries on. */
static void retries_of_several_campaigns_are_found(void **state)
{
	struct scene *scene = *state;

	with_retries(scene);
	for (int i = 0; i < 3; i++)
		scene_start(scene, 1);
	scene_pass(US_PER_SECOND);
	assert_int_equal(scene_claim(scene, 10), 3);
	scene_tell_all(scene, CALL_BUSY);
	scene_pass(10 * US_PER_MINUTE + US_PER_SECOND);
	assert_int_equal(scene_claim(scene, 10), 3);
}

/* A transaction that resumes the campaign at this moment sets the next look, and would not know of the retry. */
static void a_retry_during_a_pause_is_not_overlooked(void **state)
{
	struct scene *scene = *state;
	struct uuid first_id;
	int64_t first;

	with_retries(scene);
	scene_start(scene, 1);
	first_id = scene->batch_id, first = scene->batch;
	scene_start(scene, 1);
	scene_pass(US_PER_SECOND);
	assert_int_equal(scene_claim(scene, 1000), 2);
	scene->batch_id = first_id;
	scene->batch = first;
	scene_do(scene, campaign_pause);
	assert_ok(transact_once(scene->fixture->db, tell_and_look, scene));
	assert_int_equal(ask("SELECT wake_at = '9999-12-31' FROM batch_calls WHERE id = %lld", (long long)scene->batch), 1);
	scene_do(scene, campaign_resume);
	assert_int_equal(scene_claim(scene, 10), 0);
	scene_pass(10 * US_PER_MINUTE + US_PER_SECOND);
	assert_int_equal(scene_claim(scene, 10), 2);
}

static void only_campaigns_that_gain_from_it_are_woken(void **state)
{
	struct scene *scene = *state;

	claim_some(scene, 3);
	ask("UPDATE batch_calls SET wake_at = '9999-12-31', capped = 0 WHERE id = %lld", (long long)scene->batch);
	scene_tell(scene, &scene->calls[0], CALL_COMPLETED);
	assert_int_equal(ask("SELECT wake_at = '9999-12-31' FROM batch_calls WHERE id = %lld", (long long)scene->batch), 1);
	ask("UPDATE batch_calls SET capped = 1 WHERE id = %lld", (long long)scene->batch);
	scene_tell(scene, &scene->calls[1], CALL_COMPLETED);
	assert_int_equal(ask("SELECT wake_at < '9999-12-31' FROM batch_calls WHERE id = %lld", (long long)scene->batch), 1);
	ask("UPDATE batch_calls SET wake_at = '9999-12-31', capped = 0 WHERE id = %lld", (long long)scene->batch);
	scene_tell(scene, &scene->calls[2], CALL_COMPLETED); /* no contact is left */
	assert_int_equal(ask("SELECT wake_at < '9999-12-31' FROM batch_calls WHERE id = %lld", (long long)scene->batch), 1);
}

static enum db_result report_beside_a_claim(struct db *db, void *context)
{
	struct scene *scene = context;
	struct arena *arena = arena_new();
	struct db_rows rows;
	enum db_result result = db_query(db, SQL_BATCH_LOCK,
	                                 DB_ARGS(db_uuid(&scene->batch_id), db_int(scene->fixture->organization_id)), arena,
	                                 &rows);

	assert_int_equal(rows.count, 1);
	scene_tell(scene, &scene->calls[0], CALL_COMPLETED);
	arena_free(arena);
	return result;
}

static void a_report_does_not_wait_for_the_campaigns_lock(void **state)
{
	struct scene *scene = *state;
	struct db *claimer = db_new(fixture_option_file());

	claim_some(scene, 3);
	assert_ok(transact_once(claimer, report_beside_a_claim, scene));
	db_free(claimer);
	assert_int_equal(scene_batch(scene).counts.completed, 1);
}

#define REPORTERS 4

static void report_all(const struct scene *scene, int first_status)
{
	struct db *db = db_new(fixture_option_file());
	struct call_report reports[100];
	enum report_result results[100];

	for (int i = 0; i < 100; i++) /* each in another order */
		reports[i] = scene_report(&scene->calls[(i * 37 + first_status * 11) % 100],
		                          first_status % 2 ? CALL_BUSY : CALL_COMPLETED);
	for (int i = 0; i < 100; i += 20)
		if (reports_apply(db, 0, reports + i, 20, clock_now_us(), results) != DB_OK)
			_exit(1);
	_exit(0);
}

static void many_report_the_same_calls_at_once(void **state)
{
	struct scene *scene = *state;
	struct batch_counts counts;
	pid_t children[REPORTERS];
	int status;

	with_retries(scene);
	claim_some(scene, 100);
	for (int i = 0; i < REPORTERS; i++) {
		children[i] = fork();
		assert_true(children[i] >= 0);
		if (children[i] == 0)
			report_all(scene, i);
	}
	for (int i = 0; i < REPORTERS; i++) {
		assert_int_equal(waitpid(children[i], &status, 0), children[i]);
		assert_int_equal(status, 0);
	}
	counts = scene_batch(scene).counts;
	assert_int_equal(counts.completed + counts.pending, 100);
	assert_int_equal(ask("SELECT done FROM batch_counters WHERE batch_id = %lld", (long long)scene->batch), 100);
	assert_int_equal(ask("SELECT COUNT(*) FROM due_contacts WHERE batch_id = %lld", (long long)scene->batch),
	                 counts.pending);
	scene_check_sums(scene);
}

int main(void)
{
	static const struct CMUnitTest group_tests[] = {
		SCENE_TEST(every_transition),
		SCENE_TEST(every_ending_is_counted),
		SCENE_TEST(a_call_that_was_taken_has_a_deadline),
		SCENE_TEST(texts_of_reports_are_kept_as_they_came),
		SCENE_TEST(the_longest_texts_fit),
		SCENE_TEST(impossible_ending_times_are_corrected),
		SCENE_TEST(conclusions_are_judged_again_under_the_lock),
		SCENE_TEST(a_call_that_is_leased_again_has_not_expired),
		SCENE_TEST(other_organisations_calls_are_not_there),
		SCENE_TEST(several_reports_of_one_call_apply_in_their_order),
		SCENE_TEST(a_thousand_at_once),
		SCENE_TEST(a_retry_waits_longer_every_time),
		SCENE_TEST(only_the_outcomes_chosen_are_tried_again),
		SCENE_TEST(a_rule_of_its_own_counts_its_outcome),
		SCENE_TEST(many_retries_wait_for_one_window),
		SCENE_TEST(a_retry_whose_instant_is_taken_comes_later),
		SCENE_TEST(a_retry_whose_instant_at_the_opening_is_taken_comes_later),
		SCENE_TEST(a_retry_that_no_day_can_take_is_none),
		SCENE_TEST(a_retry_in_a_zone_that_cannot_be_read),
		SCENE_TEST(a_retry_wakes_a_campaign_that_sleeps),
		SCENE_TEST(retries_of_several_campaigns_are_found),
		SCENE_TEST(a_retry_during_a_pause_is_not_overlooked),
		SCENE_TEST(a_retry_before_the_last_claim_is_found),
		SCENE_TEST(only_campaigns_that_gain_from_it_are_woken),
		SCENE_TEST(a_report_does_not_wait_for_the_campaigns_lock),
		SCENE_TEST(many_report_the_same_calls_at_once),
	};

	return cmocka_run_group_tests(group_tests, NULL, NULL);
}
