/* Sending: calls and events, queues and health, and the effects of answers, with a client that makes no requests
 * and a clock that stands still. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "../unit/key_file.h"
#include "base/clock.h"
#include "base/instant.h"
#include "engine/clock_step.h"
#include "fake_deliver.h"
#include "scene.h"
#include "scheduler/answers.h"
#include "scheduler/background.h"
#include "scheduler/dispatch.h"
#include "scheduler/loop_work.h"
#include "scheduler/outbox.h"
#include "scheduler/results.h"
#include "scheduler/verdicts.h"
#include "store/batch_store.h"
#include "store/dispatch_store.h"
#include "store/event_store.h"
#include "store/outage.h"
#include "store/statements.h"
#include "store/webhook_store.h"

#define ROOM 64
#define LOCK_WAIT_US (3 * US_PER_SECOND) /* store/db_patience.c */

struct sender {
	struct scene *scene;
	struct db *db;
	struct conf conf;
	struct deliver *deliver;
	struct answers *answers;
	struct outbox_results *outbox;
	struct verdicts *verdicts;
	struct results *results;
	int64_t locked_batch; /* the row of a campaign that somebody locks */
};

/* A connection whose transactions keep their locks for as long as a test needs. */
static struct db *new_holder(void)
{
	struct db *db = db_new(fixture_option_file());

	assert_ok(db_ready(db));
	assert_ok(db_run_text(db, "SET SESSION wait_timeout = 60 /*M!100300 , idle_transaction_timeout = 0 */"));
	return db;
}

/* Rows that other programs left on this server must not be due here. */
static void retire_others(void)
{
	ask("UPDATE calls SET wake_at = '9999-12-31' WHERE wake_at < '9999-12-31'");
	ask("UPDATE deliveries SET wake_at = '9999-12-31' WHERE wake_at < '9999-12-31'");
	ask("UPDATE endpoint_health SET next_at = '9999-12-31' WHERE next_at < '9999-12-31'");
	ask("UPDATE batch_calls SET wake_at = '9999-12-31' WHERE wake_at < '9999-12-31'");
}

static int set_up(void **state)
{
	struct sender *sender = calloc(1, sizeof *sender);
	void *scene;

	assert_non_null(sender);
	load_keys(KEY_A "\n");
	scene_set_up(&scene);
	retire_others();
	sender->scene = scene;
	sender->db = sender->scene->fixture->db;
	sender->conf = (struct conf){
		.public_url = "http://outdial.example",
		.lease_seconds = 60,
		.dispatch_ttl_seconds = 120,
		.max_in_flight = ROOM,
		.call_give_up_after = US_PER_DAY,
		.webhook_disable_after = 5 * US_PER_DAY,
		.webhook_retry_delays = { .count = 2, .us = { 5 * US_PER_SECOND, 300 * US_PER_SECOND } },
	};
	sender->deliver = deliver_new(&sender->conf);
	sender->answers = answers_new(ROOM, US_PER_MINUTE);
	sender->outbox = outbox_results_new(&sender->conf);
	sender->verdicts = verdicts_new(&sender->conf, ROOM);
	sender->results = results_new(&sender->conf);
	*state = sender;
	return 0;
}

static int tear_down(void **state)
{
	struct sender *sender = *state;
	void *scene = sender->scene;

	deliver_free(sender->deliver);
	answers_free(sender->answers);
	outbox_results_free(sender->outbox);
	verdicts_free(sender->verdicts);
	results_free(sender->results);
	retire_others();
	scene_tear_down(&scene);
	free(sender);
	return 0;
}

/* Does what the loop of the scheduler does: collects webhooks that ended, and writes their results. */
static void collect(struct sender *sender)
{
	struct deliver_result result;

	while (deliver_next(sender->deliver, &result)) {
		int64_t retry_at_us = INSTANT_NEVER;

		if (result.place.kind == DELIVER_CALL)
			answers_collect(sender->answers, &result);
		else
			retry_at_us = outbox_collect(sender->outbox, &result);
		if (!result.unbegun)
			verdicts_collect(sender->verdicts, &result, retry_at_us);
	}
	assert_ok(answers_write(sender->db, sender->answers, &(bool){ false }));
	if (outbox_any(sender->outbox))
		assert_ok(outbox_write(sender->db, sender->outbox));
	if (verdicts_any(sender->verdicts))
		assert_ok(verdicts_write(sender->db, sender->verdicts));
}

/* Calls */

static int send_claimed(struct sender *sender, int contacts)
{
	struct scene *scene = sender->scene;

	scene_start(scene, contacts);
	scene_pass(US_PER_SECOND);
	assert_int_equal(scene_claim(scene, contacts), contacts);
	assert_ok(dispatch_calls(sender->db, sender->deliver, &sender->conf, scene->calls, NULL, contacts));
	return deliver_in_flight(sender->deliver);
}

static int send_overdue(struct sender *sender)
{
	int found;

	assert_ok(dispatch_overdue(sender->db, sender->deliver, &sender->conf, INSTANT_NONE, &found));
	return deliver_in_flight(sender->deliver);
}

static void a_call_is_dispatched_when_its_dialer_takes_it(void **state)
{
	struct sender *sender = *state;

	assert_int_equal(send_claimed(sender, 2), 2);
	assert_non_null(strstr(fake_body(sender->deliver, 0), "\"type\":\"call.requested\""));
	assert_int_equal(fake_sent(sender->deliver, 0)->tries, 1);
	fake_answer(sender->deliver, 0, 200, 0, "");
	fake_answer(sender->deliver, 0, 204, 0, "not JSON");
	collect(sender);
	assert_int_equal(scene_of_calls(sender->scene, "SUM(status = 1)"), 2);
	scene_check_sums(sender->scene);
}

static void an_answer_may_be_a_report(void **state)
{
	struct sender *sender = *state;

	send_claimed(sender, 1);
	fake_answer(sender->deliver, 0, 200, 0, "{\"status\":\"completed\",\"duration_seconds\":7}");
	collect(sender);
	assert_int_equal(scene_of_calls(sender->scene, "SUM(status = 4 AND duration_seconds = 7)"), 1);
	scene_check_sums(sender->scene);
}

static void a_call_that_is_refused_has_failed(void **state)
{
	struct sender *sender = *state;

	send_claimed(sender, 1);
	fake_answer(sender->deliver, 0, 404, 0, "");
	collect(sender);
	assert_int_equal(scene_of_calls(sender->scene, "SUM(status = 5 AND end_reason = 'dialer_refused')"), 1);
	assert_int_equal(ask("SELECT COUNT(*) FROM call_tries t JOIN calls c ON c.id = t.call_id"
	                     " WHERE c.batch_id = %lld AND t.response_code = 404",
	                     (long long)sender->scene->batch),
	                 1);
	scene_check_sums(sender->scene);
}

static void a_fault_is_tried_again_when_the_dialer_asks_for_it(void **state)
{
	struct sender *sender = *state;

	send_claimed(sender, 1);
	fake_answer(sender->deliver, 0, 503, 30 * US_PER_SECOND, "");
	collect(sender);
	scene_pass(29 * US_PER_SECOND);
	assert_int_equal(send_overdue(sender), 0);
	scene_pass(2 * US_PER_SECOND);
	assert_int_equal(send_overdue(sender), 1);
	assert_int_equal(fake_sent(sender->deliver, 0)->tries, 2);
	fake_answer(sender->deliver, 0, 200, 0, "");
	collect(sender);
	assert_int_equal(scene_of_calls(sender->scene, "SUM(status = 1)"), 1);
}

static void a_call_without_a_request_counts_no_try(void **state)
{
	struct sender *sender = *state;

	send_claimed(sender, 1);
	fake_leave_unbegun(sender->deliver, 0);
	collect(sender);
	assert_int_equal(scene_of_calls(sender->scene, "SUM(status = 0 AND tries = 0)"), 1);
	scene_pass(US_PER_SECOND);
	assert_int_equal(send_overdue(sender), 1);
	assert_int_equal(fake_sent(sender->deliver, 0)->tries, 1);
}

static void a_number_that_was_listed_after_the_claim_is_not_called(void **state)
{
	struct sender *sender = *state;
	struct scene *scene = sender->scene;

	scene_start(scene, 1);
	scene_pass(US_PER_SECOND);
	scene_claim(scene, 1);
	ask("INSERT INTO do_not_call SELECT organization_id, to_number, '', '2026-06-01' FROM calls WHERE batch_id = %lld",
	    (long long)scene->batch);
	assert_ok(dispatch_calls(sender->db, sender->deliver, &sender->conf, scene->calls, NULL, 1));
	assert_int_equal(deliver_in_flight(sender->deliver), 0);
	assert_int_equal(scene_of_calls(sender->scene, "SUM(status = 9 AND end_reason = 'do_not_call')"), 1);
	scene_check_sums(scene);
}

static void a_call_waits_while_its_endpoint_has_no_room(void **state)
{
	struct sender *sender = *state;

	fake_set_room(sender->deliver, 2);
	assert_int_equal(send_claimed(sender, 5), 2);
	fake_answer(sender->deliver, 0, 200, 0, "");
	collect(sender);
	scene_pass(2 * US_PER_SECOND);
	assert_int_equal(send_overdue(sender), 2);
	assert_int_equal(scene_of_calls(sender->scene, "SUM(tries)"), 3);
}

static int64_t add_subscriber(struct sender *sender)
{
	struct webhook webhook = {
		.uuid = uuid_new(),
		.url = "https://subscriber.example/",
		.description = "",
		.disabled_reason = "",
		.events = 1u << EVENT_BATCH_COMPLETED | 1u << EVENT_WEBHOOK_DISABLED,
		.secret = { "secret", 6 },
		.created_at_us = clock_now_us(),
		.updated_at_us = clock_now_us(),
	};

	assert_ok(webhook_insert(sender->db, sender->scene->fixture->organization_id, &webhook));
	return webhook.id;
}

/* The dialer does not accept the call now, and the call is due again a minute later. */
static void send_and_fail(struct sender *sender)
{
	assert_int_equal(send_claimed(sender, 1), 1);
	fake_answer(sender->deliver, 0, 503, 60 * US_PER_SECOND, "");
	collect(sender);
}

static void no_further_try_during_a_pause(void **state)
{
	struct sender *sender = *state;

	send_and_fail(sender);
	scene_do(sender->scene, campaign_pause);
	scene_pass(61 * US_PER_SECOND);
	assert_int_equal(send_overdue(sender), 0);
	assert_int_equal(scene_of_calls(sender->scene, "SUM(status = 0 AND expires_at = '1000-01-01')"),
	                 1); /* it waits in the plan */
	scene_check_sums(sender->scene);
}

static void no_further_try_when_the_campaign_is_over(void **state)
{
	struct sender *sender = *state;

	send_and_fail(sender);
	scene_do(sender->scene, campaign_cancel);
	scene_pass(61 * US_PER_SECOND);
	assert_int_equal(send_overdue(sender), 0);
	assert_int_equal(scene_of_calls(sender->scene, "SUM(status = 9 AND end_reason = 'campaign_over')"), 1);
}

static void no_further_try_outside_of_the_window(void **state)
{
	struct sender *sender = *state;

	send_and_fail(sender);
	sender->scene->config.working_days = 1 << 2;
	assert_ok(scene_change(sender->scene, "working_days"));
	scene_pass(61 * US_PER_SECOND);
	assert_int_equal(send_overdue(sender), 0);
	assert_int_equal(scene_of_calls(sender->scene, "SUM(status = 0 AND expires_at = '1000-01-01')"), 1);
}

/* The campaign got other days after its call was claimed. */
static void no_first_try_outside_of_the_window(void **state)
{
	struct sender *sender = *state;
	struct scene *scene = sender->scene;

	scene_start(scene, 1);
	scene_pass(US_PER_SECOND);
	assert_int_equal(scene_claim(scene, 1), 1);
	scene->config.working_days = 1 << 2;
	assert_ok(scene_change(scene, "working_days"));
	assert_ok(dispatch_calls(sender->db, sender->deliver, &sender->conf, scene->calls, NULL, 1));
	assert_int_equal(deliver_in_flight(sender->deliver), 0);
	assert_int_equal(scene_of_calls(sender->scene, "SUM(status = 0)"), 0); /* a claim without a request is no attempt */
	scene_check_sums(scene);
}

static void a_call_that_has_expired_is_not_sent(void **state)
{
	struct sender *sender = *state;
	struct scene *scene = sender->scene;

	scene_start(scene, 1);
	scene_pass(US_PER_SECOND);
	assert_int_equal(scene_claim(scene, 1), 1);
	scene_pass(120 * US_PER_SECOND);
	assert_ok(dispatch_calls(sender->db, sender->deliver, &sender->conf, scene->calls, NULL, 1));
	assert_int_equal(deliver_in_flight(sender->deliver), 0);
}

static void an_overdue_call_is_leased_for_as_long_as_any(void **state)
{
	struct sender *sender = *state;
	struct scene *scene = sender->scene;

	scene_start(scene, 1);
	scene_pass(US_PER_SECOND);
	assert_int_equal(scene_claim(scene, 1), 1);
	scene_pass(31 * US_PER_SECOND); /* the lease of the claim has ended */
	assert_int_equal(send_overdue(sender), 1);
	assert_int_equal(scene_of_calls(sender->scene, "TIMESTAMPDIFF(SECOND, called_at, wake_at)"), 31 + 60);
}

/* The process was stopped while it loaded the calls: they may belong to another scheduler by now. */
static void nothing_is_sent_when_loading_took_the_lease(void **state)
{
	struct sender *sender = *state;

	sender->conf.lease_seconds = 0;
	assert_int_equal(send_claimed(sender, 1), 0);
}

static void a_call_that_was_reported_is_not_tried_again(void **state)
{
	struct sender *sender = *state;

	send_claimed(sender, 1);
	fake_answer(sender->deliver, 0, 503, 60 * US_PER_SECOND, "");
	assert_int_equal(scene_tell(sender->scene, &sender->scene->calls[0], CALL_COMPLETED), REPORT_ACCEPTED);
	collect(sender);
	assert_int_equal(scene_of_calls(sender->scene, "SUM(status = 4 AND wake_at = '9999-12-31')"), 1);
	assert_ok(dispatch_calls(sender->db, sender->deliver, &sender->conf, sender->scene->calls, NULL, 1));
	assert_int_equal(deliver_in_flight(sender->deliver), 0);
}

/* Another scheduler has leased the call since: its try is under way. */
static void an_answer_after_the_lease_changes_no_other_lease(void **state)
{
	struct sender *sender = *state;

	send_claimed(sender, 1);
	ask("UPDATE calls SET tries = 2, wake_at = '2026-06-01 08:01:00' WHERE batch_id = %lld",
	    (long long)sender->scene->batch);
	fake_answer(sender->deliver, 0, 503, 0, "");
	collect(sender);
	assert_int_equal(scene_of_calls(sender->scene, "SUM(tries = 2 AND wake_at = '2026-06-01 08:01:00')"), 1);
}

/* Its report came before the end of the request that never began. */
static void a_call_that_was_reported_is_not_held(void **state)
{
	struct sender *sender = *state;

	send_claimed(sender, 1);
	fake_leave_unbegun(sender->deliver, 0);
	assert_int_equal(scene_tell(sender->scene, &sender->scene->calls[0], CALL_COMPLETED), REPORT_ACCEPTED);
	collect(sender);
	assert_int_equal(scene_of_calls(sender->scene, "SUM(status = 4 AND wake_at = '9999-12-31' AND tries = 1)"), 1);
}

/* Another scheduler put the calls back into the plan meanwhile, because they had expired. */
static void a_late_result_moves_no_call_that_waits_in_the_plan(void **state)
{
	struct sender *sender = *state;

	send_claimed(sender, 2);
	scene_pass(121 * US_PER_SECOND);
	assert_int_equal(send_overdue(sender), 2);
	assert_int_equal(scene_of_calls(sender->scene, "SUM(expires_at = '1000-01-01' AND wake_at > '2026-06-02')"), 2);
	fake_answer(sender->deliver, 0, 503, 0, "");
	fake_leave_unbegun(sender->deliver, 0);
	collect(sender);
	assert_int_equal(scene_of_calls(sender->scene,
	                                "SUM(expires_at = '1000-01-01' AND wake_at > '2026-06-02' AND tries = 1)"),
	                 2);
}

static void claim_one(struct sender *sender)
{
	scene_start(sender->scene, 1);
	scene_pass(US_PER_SECOND);
	assert_int_equal(scene_claim(sender->scene, 1), 1);
}

static void dispatch_one(struct sender *sender, int expected)
{
	assert_ok(dispatch_calls(sender->db, sender->deliver, &sender->conf, sender->scene->calls, NULL, 1));
	assert_int_equal(deliver_in_flight(sender->deliver), expected);
}

/* Its dialer came to fetch its calls since the claim: the call is offered to it. */
static void a_call_that_is_fetched_is_not_sent(void **state)
{
	struct sender *sender = *state;

	claim_one(sender);
	ask("UPDATE webhook_endpoints SET url = 'pull:' WHERE id = %lld", (long long)sender->scene->webhook_row);
	dispatch_one(sender, 0);
	assert_int_equal(scene_of_calls(sender->scene, "SUM(status = 0 AND wake_at = expires_at AND tries = 0)"), 1);
}

/* It is 8:00 in the campaign's zone, and 17:00 in Tokyo. */
static void no_call_outside_of_the_contacts_own_window(void **state)
{
	struct sender *sender = *state;
	struct scene *scene = sender->scene;

	scene->config.respect_contact_timezone = true;
	scene->config.window_start = 8 * 60;
	scene->config.window_end = 16 * 60;
	scene_create(scene, 1);
	ask("UPDATE batch_contacts SET timezone = 'UTC' WHERE batch_id = %lld", (long long)scene->batch);
	scene_do(scene, campaign_schedule);
	scene_pass(US_PER_SECOND);
	assert_int_equal(scene_claim(scene, 1), 1);
	ask("UPDATE batch_contacts SET timezone = 'Asia/Tokyo' WHERE batch_id = %lld", (long long)scene->batch);
	dispatch_one(sender, 0);
	assert_int_equal(scene_of_calls(sender->scene, "COUNT(*)"), 0); /* a claim without a request is no attempt */
}

static void nothing_goes_to_a_dialer_that_is_switched_off(void **state)
{
	struct sender *sender = *state;

	claim_one(sender);
	ask("UPDATE webhook_endpoints SET disabled = 1 WHERE id = %lld", (long long)sender->scene->webhook_row);
	dispatch_one(sender, 0);
	assert_int_equal(scene_of_calls(sender->scene, "SUM(wake_at = '2026-06-01 08:00:06' AND tries = 0)"), 1);
}

static void nothing_goes_through_an_open_circuit(void **state)
{
	struct sender *sender = *state;

	claim_one(sender);
	ask("REPLACE INTO endpoint_health (endpoint_id, doubtful, next_at, failures, failing_since, open_until,"
	    " probe_until, trial_until, hold_until) VALUES (%lld, 1, '9999-12-31', 5, '2026-06-01', '2026-06-01 08:00:30',"
	    " '1000-01-01', '1000-01-01', '1000-01-01')",
	    (long long)sender->scene->webhook_row);
	dispatch_one(sender, 0);
	assert_int_equal(scene_of_calls(sender->scene, "SUM(wake_at = '2026-06-01 08:00:30' AND tries = 0)"), 1);
}

/* Leases and calls end exactly at their instants, not after them. */
static void leases_and_calls_end_at_their_instants(void **state)
{
	struct sender *sender = *state;

	claim_one(sender);
	scene_pass(30 * US_PER_SECOND);
	assert_int_equal(send_overdue(sender), 1);
	ask("UPDATE calls SET wake_at = expires_at WHERE batch_id = %lld", (long long)sender->scene->batch);
	scene_pass(90 * US_PER_SECOND);
	assert_int_equal(send_overdue(sender), 1);
	assert_int_equal(scene_of_calls(sender->scene, "SUM(status = 0 AND expires_at = '1000-01-01')"),
	                 1); /* it waits in the plan */
}

static void a_call_is_given_up_after_its_time(void **state)
{
	struct sender *sender = *state;

	sender->conf.call_give_up_after = US_PER_MINUTE;
	send_and_fail(sender);
	scene_pass(121 * US_PER_SECOND);
	ask("UPDATE calls SET wake_at = expires_at WHERE batch_id = %lld", (long long)sender->scene->batch);
	send_overdue(sender);
	assert_int_equal(scene_of_calls(sender->scene, "SUM(status = 5 AND end_reason = 'dialer_unreachable')"), 1);
}

static void a_call_may_be_held_twice(void **state)
{
	struct sender *sender = *state;
	struct held_call held;

	claim_one(sender);
	held = (struct held_call){ sender->scene->calls[0], clock_now_us(), 0 };
	for (int i = 0; i < 2; i++)
		assert_ok(calls_hold(sender->db, &held, 1));
	assert_int_equal(scene_of_calls(sender->scene, "SUM(tries = 0)"), 1);
}

static enum db_result write_while_a_call_is_locked(struct db *db, void *context)
{
	struct sender *sender = context;

	DB_TRY(db_run_text(db, "UPDATE calls SET position = position WHERE status = 0"));
	assert_int_equal(answers_write(sender->db, sender->answers, &(bool){ false }), DB_CONFLICT);
	return DB_OK;
}

static void a_failed_try_waits_for_the_lock_of_its_call(void **state)
{
	struct sender *sender = *state;
	struct db *other = new_holder();
	struct deliver_result result;

	assert_int_equal(send_claimed(sender, 1), 1);
	fake_answer(sender->deliver, 0, 503, 60 * US_PER_SECOND, "");
	assert_true(deliver_next(sender->deliver, &result));
	answers_collect(sender->answers, &result);
	assert_ok(transact_once(other, write_while_a_call_is_locked, sender));
	db_free(other);
	assert_int_equal(answers_count(sender->answers), 1);
	collect(sender);
	assert_int_equal(scene_of_calls(sender->scene, "SUM(wake_at >= '2026-06-01 08:01:01')"), 1);
}

/* The work of another scheduler at the same time, on its own connection. */
static enum db_result look_meanwhile(struct db *db, void *context)
{
	struct sender *sender = context;
	struct arena *arena = arena_new();
	int64_t now_us = clock_now_us(), began_us = clock_mono_us();
	struct db_rows rows;
	int found;

	assert_ok(db_query(db, SQL_CALLS_OVERDUE,
	                   DB_ARGS(db_instant(INSTANT_NONE), db_instant(now_us), db_instant(now_us), db_int(10)), arena,
	                   &rows));
	assert_int_equal(rows.count, 1);
	arena_free(arena);
	assert_ok(dispatch_overdue(sender->db, sender->deliver, &sender->conf, INSTANT_NONE, &found));
	assert_int_equal(found, 0);
	assert_true(clock_mono_us() - began_us < 2 * US_PER_SECOND);
	return DB_OK;
}

static void an_overdue_call_that_is_locked_is_passed_by(void **state)
{
	struct sender *sender = *state;
	struct db *other = new_holder();

	send_and_fail(sender);
	scene_pass(61 * US_PER_SECOND);
	assert_ok(transact_once(other, look_meanwhile, sender));
	db_free(other);
	assert_int_equal(send_overdue(sender), 1);
}

/* Another transaction has locked the campaign of the second call. */
static enum db_result write_meanwhile(struct db *db, void *context)
{
	struct sender *sender = context;
	struct scene *scene = sender->scene;
	int64_t began_us = clock_mono_us();
	struct batch batch;

	assert_ok(batch_lock(db, scene->fixture->organization_id, &scene->batch_id, scene->fixture->arena, &batch));
	assert_int_equal(answers_write(sender->db, sender->answers, &(bool){ false }), DB_CONFLICT);
	assert_true(clock_mono_us() - began_us < 2 * LOCK_WAIT_US); /* it waits once */
	assert_ok(answers_write(sender->db, sender->answers, &(bool){ false }));
	assert_int_equal(answers_count(sender->answers), 1);
	return DB_OK;
}

static void a_locked_campaign_delays_no_other(void **state)
{
	struct sender *sender = *state;
	struct db *other = new_holder();
	struct deliver_result result;
	int64_t first;

	send_claimed(sender, 1);
	first = sender->scene->batch;
	assert_int_equal(send_claimed(sender, 1), 2);
	for (int i = 0; i < 2; i++)
		fake_answer(sender->deliver, 0, 200, 0, "{\"status\":\"completed\"}");
	while (deliver_next(sender->deliver, &result))
		answers_collect(sender->answers, &result);
	assert_ok(transact_once(other, write_meanwhile, sender));
	db_free(other);
	assert_int_equal(ask("SELECT SUM(status = 4) FROM calls WHERE batch_id = %lld", (long long)first), 1);
	assert_int_equal(scene_of_calls(sender->scene, "SUM(status = 4)"), 0);
	collect(sender);
	assert_int_equal(scene_of_calls(sender->scene, "SUM(status = 4)"), 1);
	scene_check_sums(sender->scene);
}

/* The result is due again even if no other result follows. */
static void a_result_that_waits_for_a_lock_stays_due(void **state)
{
	struct sender *sender = *state;
	MYSQL *locker = send_query("SET autocommit = 0");
	char lock[100];
	bool woke;

	send_claimed(sender, 1);
	fake_answer(sender->deliver, 0, 200, 0, "{\"status\":\"completed\"}");
	results_collect(sender->results, sender->deliver);
	snprintf(lock, sizeof lock, "UPDATE batch_calls SET called = called + 1 WHERE id = %lld",
	         (long long)sender->scene->batch);
	assert_int_equal(mysql_query(locker, lock), 0);
	assert_int_equal(results_write(sender->results, sender->db, &woke), DB_CONFLICT);
	assert_ok(results_write(sender->results, sender->db, &woke)); /* what is not locked */
	assert_int_equal(mysql_query(locker, "ROLLBACK"), 0);
	mysql_close(locker);
	assert_true(results_due_us(sender->results, false) < INT64_MAX);
	assert_ok(results_write(sender->results, sender->db, &woke));
	assert_int_equal(scene_of_calls(sender->scene, "SUM(status = 4)"), 1);
	assert_true(results_due_us(sender->results, false) == INT64_MAX);
}

/* Another session has locked the campaign of the first call, and both calls are overdue. */
static enum db_result conclude_meanwhile(struct db *db, void *context)
{
	struct sender *sender = context;
	int64_t began_us = clock_mono_us();
	int found;

	assert_ok(db_exec(db, SQL_GUARD_CAMPAIGN, DB_ARGS(db_int(sender->locked_batch))));
	assert_ok(dispatch_overdue(sender->db, sender->deliver, &sender->conf, INSTANT_NONE, &found));
	assert_int_equal(found, 2);
	assert_true(clock_mono_us() - began_us < 2 * US_PER_SECOND);
	assert_ok(dispatch_overdue(sender->db, sender->deliver, &sender->conf, INSTANT_NONE, &found));
	assert_int_equal(found, 0);
	return DB_OK;
}

static void conclusions_wait_for_no_lock(void **state)
{
	struct sender *sender = *state;
	struct db *other = new_holder();
	int found;

	send_claimed(sender, 1);
	sender->locked_batch = sender->scene->batch;
	assert_int_equal(send_claimed(sender, 1), 2);
	for (int i = 0; i < 2; i++)
		fake_answer(sender->deliver, 0, 200, 0, "");
	collect(sender);
	scene_pass(2 * 60 * US_PER_MINUTE);
	assert_ok(transact_once(other, conclude_meanwhile, sender));
	db_free(other);
	assert_int_equal(scene_of_calls(sender->scene, "SUM(status = 5)"), 1);
	scene_pass(2 * US_PER_SECOND);
	assert_ok(dispatch_overdue(sender->db, sender->deliver, &sender->conf, INSTANT_NONE, &found));
	assert_int_equal(ask("SELECT SUM(status = 5) FROM calls WHERE batch_id = %lld", (long long)sender->locked_batch),
	                 1);
}

static int64_t of_batch(struct sender *sender, const char *what)
{
	return ask("SELECT %s FROM batch_calls WHERE id = %lld", what, (long long)sender->scene->batch);
}

/* Another session has locked the plan of the campaign. */
static enum db_result plan_meanwhile(struct db *db, void *context)
{
	struct sender *sender = context;
	char text[128];
	int found;

	snprintf(text, sizeof text, "UPDATE due_contacts SET waits = 0 WHERE batch_id = %lld",
	         (long long)sender->scene->batch);
	assert_ok(db_run_text(db, text));
	assert_ok(background_step(sender->db, &found));
	return DB_OK;
}

static void a_lock_that_is_held_sets_no_campaign_aside(void **state)
{
	struct sender *sender = *state;
	struct db *other = new_holder();
	int found;

	scene_start(sender->scene, 3);
	ask("UPDATE batch_calls SET work = 1, wake_at = '2026-06-01 07:00:00' WHERE id = %lld",
	    (long long)sender->scene->batch);
	assert_ok(transact_once(other, plan_meanwhile, sender));
	db_free(other);
	assert_int_equal(of_batch(sender, "work = 1 AND status_reason = '' AND wake_at > '2026-06-01 08:00:00'"
	                                  " AND wake_at <= '2026-06-01 08:00:01'"),
	                 1);
	scene_pass(US_PER_SECOND);
	assert_ok(background_step(sender->db, &found));
	assert_int_equal(of_batch(sender, "work"), 0);
}

/* The loop */

/* Chores are not what these tests are about. */
enum db_result chores_run(struct chores *chores, struct db *db, int64_t *again_us)
{
	(void)chores;
	(void)db;
	(void)again_us;
	return DB_OK;
}

void chores_expect(struct chores *chores)
{
	(void)chores;
}

static struct loop new_loop(struct sender *sender)
{
	return (struct loop){
		.conf = &sender->conf, .db = sender->db, .deliver = sender->deliver, .wake_fd = -1, .ahead = ahead_new()
	};
}

/* A call that was claimed in its time and is due now. */
static void keep_ahead(struct loop *loop, const struct uuid *id, int64_t claimed_us)
{
	ahead_add(loop->ahead, id, &(struct claimed_call){ .since_us = clock_now_us() }, 1, claimed_us);
}

/* The process was stopped after the claim: the call may belong to another scheduler by now. */
static void a_call_that_was_claimed_long_ago_is_not_sent(void **state)
{
	struct sender *sender = *state;
	struct loop loop = new_loop(sender);
	int64_t half_us = sender->conf.lease_seconds * US_PER_SECOND / 2;

	scene_start(sender->scene, 2);
	scene_pass(US_PER_SECOND);
	assert_int_equal(scene_claim(sender->scene, 2), 2);
	keep_ahead(&loop, &sender->scene->calls[0], clock_mono_us() - half_us - 1);
	keep_ahead(&loop, &sender->scene->calls[1], clock_mono_us() - half_us + 20 * US_PER_SECOND);
	assert_ok(loop_dispatch_due(&loop));
	assert_int_equal(ahead_count(loop.ahead), 0);
	assert_int_equal(deliver_in_flight(sender->deliver), 1);
	assert_true(uuid_equal(&fake_sent(sender->deliver, 0)->id, &sender->scene->calls[1]));
	ahead_free(loop.ahead);
}

/* Calls that are due later will need their slots, too. */
static void a_call_that_waits_for_its_instant_has_its_slot(void **state)
{
	struct sender *sender = *state;
	struct loop loop = new_loop(sender);
	long long id;

	fake_set_room(sender->deliver, 3);
	scene_start(sender->scene, 5);
	id = sender->scene->batch;
	scene_pass(US_PER_SECOND);
	ask("UPDATE due_contacts SET due_at = '2026-06-01 08:00:01.2' + INTERVAL position MICROSECOND"
	    " WHERE batch_id = %lld AND position <= 2",
	    id);
	ask("UPDATE due_contacts SET due_at = '2026-06-01 08:00:02' + INTERVAL position MICROSECOND"
	    " WHERE batch_id = %lld AND position > 2",
	    id);
	ask("UPDATE batch_calls SET wake_at = '2026-06-01 08:00:01' WHERE id = %lld", id);
	assert_ok(loop_work(&loop));
	assert_int_equal(deliver_in_flight(sender->deliver) + ahead_count(loop.ahead), 2);
	ask("UPDATE due_contacts SET due_at = '2026-06-01 08:00:00' + INTERVAL position MICROSECOND"
	    " WHERE batch_id = %lld",
	    id);
	ask("UPDATE batch_calls SET wake_at = '2026-06-01 08:00:01', low_water = '1000-01-01' WHERE id = %lld", id);
	loop.is_seen = false;
	assert_ok(loop_work(&loop));
	assert_int_equal(deliver_in_flight(sender->deliver) + ahead_count(loop.ahead), 3);
	assert_int_equal(scene_of_calls(sender->scene, "COUNT(*)"), 3);
	ahead_free(loop.ahead);
}

static void an_attempt_stays_with_its_dialer(void **state)
{
	struct sender *sender = *state;
	struct scene *scene = sender->scene;
	int64_t other = add_subscriber(sender);

	send_and_fail(sender);
	ask("UPDATE agents SET webhook_id = %lld WHERE id = %lld", (long long)other, (long long)scene->agent_row);
	scene_pass(61 * US_PER_SECOND);
	assert_int_equal(send_overdue(sender), 1);
	assert_int_equal(fake_sent(sender->deliver, 0)->place.endpoint, scene->webhook_row);
	assert_int_equal(scene_of_calls(sender->scene, "endpoint_id"), scene->webhook_row);
}

/* A single call has no dialer until it is requested for the first time. */
static void a_first_lease_fixes_the_dialer(void **state)
{
	struct sender *sender = *state;

	send_and_fail(sender);
	ask("UPDATE calls SET endpoint_id = 0 WHERE batch_id = %lld", (long long)sender->scene->batch);
	scene_pass(61 * US_PER_SECOND);
	assert_int_equal(send_overdue(sender), 1);
	assert_int_equal(scene_of_calls(sender->scene, "endpoint_id"), sender->scene->webhook_row);
}

static void one_call_probes_a_circuit(void **state)
{
	struct sender *sender = *state;
	struct scene *scene = sender->scene;

	scene_start(scene, 3);
	scene_pass(US_PER_SECOND);
	assert_int_equal(scene_claim(scene, 3), 3);
	ask("REPLACE INTO endpoint_health (endpoint_id, doubtful, next_at, failures, failing_since, open_until, "
	    "probe_until,"
	    " trial_until, hold_until) VALUES (%lld, 1, '9999-12-31', 5, '2026-06-01', '2026-06-01', '1000-01-01',"
	    " '1000-01-01', '1000-01-01')",
	    (long long)scene->webhook_row);
	assert_ok(dispatch_calls(sender->db, sender->deliver, &sender->conf, scene->calls, NULL, 3));
	assert_int_equal(deliver_in_flight(sender->deliver), 1);
	assert_true(fake_sent(sender->deliver, 0)->probe);
}

/* A connection to a server that is not there. */
static struct db *nowhere(void)
{
	static char path[64]; /* the connection keeps it */
	int fd = mkstemp(strcpy(path, "/tmp/outdial-nowhere-XXXXXX"));
	static const char text[] = "[outdial]\nsocket = /nowhere\nuser = nobody\n";
	struct db *db;

	assert_true(fd >= 0 && write(fd, text, sizeof text - 1) == (ssize_t)sizeof text - 1);
	close(fd);
	db = db_new(path);
	assert_int_equal(db_ready(db), DB_LOST);
	unlink(path);
	return db;
}

static void reports_in_answers_wait_for_the_database(void **state)
{
	struct sender *sender = *state;
	struct deliver_result result;
	struct db *away;

	send_claimed(sender, 1);
	fake_answer(sender->deliver, 0, 200, 0, "{\"status\":\"completed\"}");
	assert_true(deliver_next(sender->deliver, &result));
	answers_collect(sender->answers, &result);
	away = nowhere();
	assert_int_equal(answers_write(away, sender->answers, &(bool){ false }), DB_LOST);
	db_free(away);
	outage_ends();
	assert_int_equal(answers_count(sender->answers), 1);
	collect(sender);
	assert_int_equal(scene_of_calls(sender->scene, "SUM(status = 4)"), 1);
}

/* A call that was judged longer ago than this may belong to another scheduler by now. */
static void a_call_that_was_judged_long_ago_is_not_given_back(void **state)
{
	struct sender *sender = *state;
	struct deliver_result result;

	send_claimed(sender, 1);
	fake_leave_unbegun(sender->deliver, 0);
	assert_true(deliver_next(sender->deliver, &result));
	result.duration_us = US_PER_MINUTE;
	answers_collect(sender->answers, &result);
	assert_int_equal(answers_count(sender->answers), 0);
}

/* The loop then looks at once for the time of the next try. */
static void a_failed_try_is_logged(void **state)
{
	struct sender *sender = *state;
	struct deliver_result result;
	bool woke = false;

	send_claimed(sender, 1);
	fake_answer(sender->deliver, 0, 503, 0, "");
	assert_true(deliver_next(sender->deliver, &result));
	answers_collect(sender->answers, &result);
	assert_ok(answers_write(sender->db, sender->answers, &woke));
	assert_true(woke);
}

static void a_request_begins_at_its_instant_or_not_at_all(void **state)
{
	struct sender *sender = *state;
	struct scene *scene = sender->scene;
	int64_t before_us = clock_mono_us();
	const struct deliver_order *order;

	scene->ahead_us = 300 * US_PER_MS;
	scene_start(scene, 1);
	ask("UPDATE due_contacts SET due_at = '2026-06-01 08:00:01.2' WHERE batch_id = %lld", (long long)scene->batch);
	ask("INSERT INTO batch_pressure VALUES (%lld, 3, 0, '2026-06-01')", (long long)scene->batch);
	scene_pass(US_PER_SECOND);
	assert_int_equal(scene_claim(scene, 1), 1);
	assert_ok(dispatch_calls(sender->db, sender->deliver, &sender->conf, scene->calls, NULL, 1));
	order = fake_order(sender->deliver, 0);
	assert_int_equal(order->begin_at_us, clock_now_us() + 200 * US_PER_MS);
	assert_int_equal(scene_of_calls(sender->scene, "TIMESTAMPDIFF(MICROSECOND, '1970-01-01', expires_at)"),
	                 order->begin_before_us);
	assert_in_range(order->judged_us, before_us, clock_mono_us());
	assert_true(order->pressed);
}

/* The call leaves its place then, even if it is to be held longer. */
static void a_call_is_held_until_it_expires_at_most(void **state)
{
	struct sender *sender = *state;
	struct held_call held;

	send_claimed(sender, 1);
	held = (struct held_call){ sender->scene->calls[0], clock_now_us() + US_PER_DAY, 0 };
	assert_ok(calls_hold(sender->db, &held, 1));
	assert_int_equal(scene_of_calls(sender->scene, "SUM(wake_at = expires_at)"), 1);
}

/* Events */

static void publish(struct sender *sender, int count)
{
	for (int i = 0; i < count; i++)
		assert_ok(event_publish(sender->db, sender->scene->fixture->organization_id, EVENT_BATCH_COMPLETED, "{}",
		                        clock_now_us()));
}

/* Sends events until no more are found. Returns how many webhooks are in progress. */
static int send_events(struct sender *sender)
{
	const struct queues_from from = { INSTANT_NONE, INSTANT_NONE };
	int found, turns = 0;

	do {
		assert_ok(outbox_start_due(sender->db, sender->deliver, &sender->conf, &from, &found));
	} while (found != 0 && ++turns < 10);
	return deliver_in_flight(sender->deliver);
}

static int64_t of_deliveries(int64_t endpoint, const char *what)
{
	return ask("SELECT %s FROM deliveries WHERE endpoint_id = %lld", what, (long long)endpoint);
}

/* Ten minutes, as by the clock of another server. */
#define STEP_US (10 * US_PER_MINUTE)

static void no_work_sleeps_after_a_step_back(void **state)
{
	struct sender *sender = *state;

	add_subscriber(sender);
	send_claimed(sender, 1); /* a lease of 30 s */
	ask("UPDATE batch_calls SET pace_at = '2026-06-01 08:00:10' WHERE id = %lld", (long long)sender->scene->batch);
	publish(sender, 1);
	scene_add(sender->scene, 2, 2);
	scene_pass(US_PER_SECOND);
	ask("UPDATE due_contacts SET due_at = IF(position = 2, '2026-06-01 08:00:02', '2026-06-01 07:50:02') WHERE "
	    "batch_id = %lld",
	    (long long)sender->scene->batch); /* so that an instant is taken */
	scene_pass(-STEP_US);
	assert_ok(clock_step_move_due(sender->db, STEP_US));
	assert_ok(clock_step_pull_in(sender->db, STEP_US, 60 * US_PER_SECOND));
	assert_int_equal(scene_of_calls(sender->scene, "SUM(wake_at = '2026-06-01 07:51:02')"), 1);
	assert_int_equal(ask("SELECT wake_at <= '2026-06-01 07:50:02' AND pace_at <= '2026-06-01 07:50:02' FROM batch_calls"
	                     " WHERE id = %lld",
	                     (long long)sender->scene->batch),
	                 1);
	assert_int_equal(send_events(sender), 2);
	scene_pass(US_PER_MS);
	assert_int_equal(scene_claim(sender->scene, 10), 2);
}

/* Calls that were under way when the clock stepped forward keep the time that they had. */
static void a_step_forward_ends_no_call(void **state)
{
	struct sender *sender = *state;
	int64_t mono_us = clock_mono_us();

	send_claimed(sender, 1);
	fake_answer(sender->deliver, 0, 200, 0, "");
	collect(sender);
	ask("UPDATE calls SET wake_at = '2026-06-01 08:01:00' WHERE batch_id = %lld", (long long)sender->scene->batch);
	clock_set(mono_us, mono_us, mono_us);
	clock_set(mono_us + STEP_US, mono_us, mono_us);
	scene_pass(STEP_US);
	send_overdue(sender);
	assert_int_equal(scene_of_calls(sender->scene, "SUM(status = 1)"), 1);
	scene_pass(US_PER_MINUTE); /* its deadline */
	send_overdue(sender);
	assert_int_equal(scene_of_calls(sender->scene, "SUM(status = 5 AND end_reason = 'no_report')"), 1);
	clock_set(mono_us, mono_us, mono_us);
}

static void retries_keep_their_delays_after_a_step_back(void **state)
{
	struct sender *sender = *state;
	long long batch;

	send_claimed(sender, 1);
	batch = sender->scene->batch;
	scene_add(sender->scene, 2, 2);
	ask("UPDATE due_contacts SET due_at = '2026-06-01 08:00:00', attempt = position - 1 WHERE batch_id = %lld AND"
	    " position = 3",
	    batch);
	scene_pass(US_PER_SECOND);
	scene_pass(-STEP_US);
	assert_ok(clock_step_move_due(sender->db, STEP_US));
	assert_ok(clock_step_pull_in(sender->db, STEP_US, 60 * US_PER_SECOND));
	assert_int_equal(ask("SELECT COUNT(*) FROM due_contacts WHERE batch_id = %lld AND due_at = '2026-06-01 08:00:00'"
	                     " AND attempt = 2",
	                     batch),
	                 1);
	assert_int_equal(ask("SELECT COUNT(*) FROM due_contacts WHERE batch_id = %lld AND due_at < '2026-06-01 07:51:00'",
	                     batch),
	                 1);
}

/* Work that waits for a circuit, a pace, a try or a deadline would also wait for the length of the step. */
static void waiting_work_is_pulled_in(void **state)
{
	struct sender *sender = *state;
	struct scene *scene = sender->scene;
	long long organization = scene->fixture->organization_id;
	int64_t endpoint = add_subscriber(sender);

	send_claimed(sender, 1);
	fake_answer(sender->deliver, 0, 200, 0, "");
	publish(sender, 1);
	assert_int_equal(send_events(sender), 1);
	fake_silence(sender->deliver, 0);
	collect(sender); /* the dialer has the call for an hour, and the event is tried again */
	ask("UPDATE endpoint_health SET open_until = '2026-06-01 08:01:00', next_at = '2026-06-01 08:01:00' WHERE"
	    " endpoint_id = %lld",
	    (long long)endpoint);
	ask("INSERT INTO number_paces SELECT id, 60, '2026-06-01 08:01:00' FROM phone_numbers WHERE organization_id = %lld"
	    " AND phone_number = '+18005550000'",
	    organization);
	scene_pass(-STEP_US);
	assert_ok(clock_step_pull_in(sender->db, STEP_US, 60 * US_PER_SECOND));
	assert_int_equal(scene_of_calls(sender->scene, "SUM(wake_at = '2026-06-01 08:50:01')"), 1);
	assert_int_equal(ask("SELECT k.pace_at <= '2026-06-01 07:50:01' FROM number_paces k JOIN phone_numbers p"
	                     " ON p.id = k.number_id WHERE p.organization_id = %lld",
	                     organization),
	                 1);
	assert_int_equal(send_events(sender), 1);
}

/* A call that waits in the plan is given up after callable time: a step does not shorten it. */
static void a_step_back_gives_up_no_call_in_the_plan(void **state)
{
	struct sender *sender = *state;

	send_and_fail(sender);
	scene_do(sender->scene, campaign_pause);
	scene_pass(61 * US_PER_SECOND);
	assert_int_equal(send_overdue(sender), 0);
	scene_do(sender->scene, campaign_resume);
	scene_pass(-US_PER_DAY);
	assert_ok(clock_step_pull_in(sender->db, US_PER_DAY, 60 * US_PER_SECOND));
	assert_int_equal(scene_of_calls(sender->scene, "SUM(wake_at > '2026-06-02')"), 1);
}

/* More than one transaction moves. */
static void many_contacts_are_moved_after_a_step_back(void **state)
{
	struct sender *sender = *state;
	struct scene *scene = sender->scene;

	scene_start(scene, 10000);
	scene_plan(scene);
	scene_pass(US_PER_MINUTE);
	assert_int_equal(scene_claim(scene, 1), 1); /* it is active */
	scene_pass(-STEP_US);
	assert_ok(clock_step_move_due(sender->db, STEP_US));
	assert_int_equal(ask("SELECT COUNT(*) FROM due_contacts WHERE batch_id = %lld AND due_at <= '2026-06-01 07:51:00'",
	                     (long long)scene->batch),
	                 9999);
}

static void an_event_goes_to_its_subscriber(void **state)
{
	struct sender *sender = *state;
	int64_t endpoint = add_subscriber(sender);

	publish(sender, 3);
	assert_int_equal(send_events(sender), 3);
	assert_non_null(strstr(fake_body(sender->deliver, 2), "\"type\":\"batch.completed\""));
	while (deliver_in_flight(sender->deliver) != 0)
		fake_answer(sender->deliver, 0, 200, 0, "");
	collect(sender);
	assert_int_equal(of_deliveries(endpoint, "SUM(status = 1 AND tries = 1)"), 3);
	assert_int_equal(send_events(sender), 0);
}

/* The process was stopped while it loaded the events: they may belong to another scheduler by now. */
static void no_event_is_sent_when_loading_took_the_lease(void **state)
{
	struct sender *sender = *state;

	add_subscriber(sender);
	publish(sender, 1);
	sender->conf.lease_seconds = 0;
	assert_int_equal(send_events(sender), 0);
}

/* Another scheduler has what this statement finds. */
struct holder {
	struct sender *sender;
	const char *text;
};

static enum db_result send_meanwhile(struct db *db, void *context)
{
	struct holder *holder = context;
	int64_t began_us = clock_mono_us();

	assert_ok(db_run_text(db, holder->text));
	assert_int_equal(send_events(holder->sender), 0);
	assert_true(clock_mono_us() - began_us < LOCK_WAIT_US);
	return DB_OK;
}

static void send_while_locked(struct sender *sender, const char *text)
{
	struct db *other = new_holder();

	assert_ok(transact_once(other, send_meanwhile, &(struct holder){ sender, text }));
	db_free(other);
	assert_int_equal(send_events(sender), 1);
}

/* New events first, and then the queue of an endpoint. */
static void what_another_scheduler_serves_is_not_waited_for(void **state)
{
	struct sender *sender = *state;

	add_subscriber(sender);
	publish(sender, 1);
	send_while_locked(sender, "UPDATE deliveries SET response_code = 1 WHERE queue = 0 AND status = 0");
	fake_silence(sender->deliver, 0);
	collect(sender);
	scene_pass(7 * US_PER_SECOND);
	send_while_locked(sender, "UPDATE endpoint_health SET failures = failures + 1");
}

/* The first endpoint is locked for long. */
static enum db_result serve_meanwhile(struct db *db, void *context)
{
	const struct queues_from from = { INSTANT_NONE, INSTANT_NONE };
	struct holder *holder = context;
	struct sender *sender = holder->sender;
	int64_t began_us = clock_mono_us();
	int found;

	assert_ok(db_run_text(db, holder->text));
	for (int i = 0; i < 2; i++)
		fake_answer(sender->deliver, 0, 500, 0, "");
	collect(sender);
	publish(sender, 1);
	assert_ok(outbox_start_due(sender->db, sender->deliver, &sender->conf, &from, &found));
	assert_true(clock_mono_us() - began_us < 2 * LOCK_WAIT_US); /* it waits once */
	assert_int_equal(deliver_in_flight(sender->deliver), 1);
	return DB_OK;
}

static void an_endpoint_that_is_locked_delays_no_other(void **state)
{
	struct sender *sender = *state;
	int64_t endpoint = add_subscriber(sender), other = add_subscriber(sender);
	struct db *holder = new_holder();
	char text[128];

	publish(sender, 1);
	assert_int_equal(send_events(sender), 2);
	snprintf(text, sizeof text, "UPDATE endpoint_health SET trial_until = '2026-06-01' WHERE endpoint_id = %lld",
	         (long long)endpoint);
	assert_ok(transact_once(holder, serve_meanwhile, &(struct holder){ sender, text }));
	db_free(holder);
	assert_int_equal(fake_sent(sender->deliver, 0)->place.endpoint, other);
	assert_int_equal(ask("SELECT failures FROM endpoint_health WHERE endpoint_id = %lld", (long long)other), 1);
	fake_answer(sender->deliver, 0, 200, 0, "");
	collect(sender);
	scene_pass(US_PER_SECOND);
	assert_int_equal(send_events(sender), 1);
	assert_int_equal(fake_sent(sender->deliver, 0)->place.endpoint, endpoint);
}

static void an_event_is_tried_after_its_delays_and_then_has_failed(void **state)
{
	struct sender *sender = *state;
	int64_t endpoint = add_subscriber(sender);

	publish(sender, 1);
	for (int try = 1; try <= 3; try++) {
		assert_int_equal(send_events(sender), 1);
		fake_silence(sender->deliver, 0);
		collect(sender);
		assert_int_equal(send_events(sender), 0);
		scene_pass(try == 1 ? 7 * US_PER_SECOND : 400 * US_PER_SECOND);
	}
	assert_int_equal(of_deliveries(endpoint, "SUM(status = 2 AND tries = 3)"), 1);
	assert_int_equal(send_events(sender), 0);
}

static void five_failures_open_the_circuit_and_one_success_closes_it(void **state)
{
	struct sender *sender = *state;
	int64_t endpoint = add_subscriber(sender);

	publish(sender, 5);
	assert_int_equal(send_events(sender), 5);
	for (int i = 0; i < 5; i++)
		fake_answer(sender->deliver, 0, 500, 0, "");
	collect(sender);
	publish(sender, 3);
	assert_int_equal(send_events(sender), 0);
	scene_pass(8 * US_PER_SECOND);
	assert_int_equal(send_events(sender), 1);
	assert_true(fake_sent(sender->deliver, 0)->probe);
	fake_answer(sender->deliver, 0, 200, 0, "");
	collect(sender);
	scene_pass(US_PER_SECOND);
	assert_true(send_events(sender) >= 3);
	while (deliver_in_flight(sender->deliver) != 0)
		fake_answer(sender->deliver, 0, 200, 0, "");
	collect(sender);
	assert_int_equal(ask("SELECT doubtful FROM endpoint_health WHERE endpoint_id = %lld", (long long)endpoint), 0);
}

static int64_t failures_of(int64_t endpoint)
{
	return ask("SELECT failures FROM endpoint_health WHERE endpoint_id = %lld", (long long)endpoint);
}

/* Writes a failure of an endpoint, and then two results at once. Returns how many failures the endpoint has then. */
static int64_t failures_after(struct sender *sender, int64_t endpoint, int first_status, int second_status)
{
	publish(sender, 1);
	assert_int_equal(send_events(sender), 1);
	fake_answer(sender->deliver, 0, 500, 0, "");
	collect(sender);
	publish(sender, 2);
	assert_int_equal(send_events(sender), 2);
	fake_answer(sender->deliver, 0, first_status, 0, "");
	fake_answer(sender->deliver, 0, second_status, 0, "");
	collect(sender);
	return failures_of(endpoint);
}

static void results_count_in_the_order_in_which_they_came(void **state)
{
	struct sender *sender = *state;
	int64_t endpoint = add_subscriber(sender);

	assert_int_equal(failures_after(sender, endpoint, 500, 200), 0);
	assert_int_equal(failures_after(sender, endpoint, 200, 500), 1);
}

/* The dialer takes a call and asks to slow down, or the other way round. Returns the places that the campaign has
 * then. */
static int64_t places_after(struct sender *sender, int first_status, int second_status)
{
	scene_start(sender->scene, 2);
	scene_pass(US_PER_SECOND);
	ask("INSERT INTO batch_pressure (batch_id, places, taken, cut_at) VALUES (%lld, 9, 0, '1000-01-01')",
	    (long long)sender->scene->batch);
	assert_int_equal(scene_claim(sender->scene, 2), 2);
	assert_ok(dispatch_calls(sender->db, sender->deliver, &sender->conf, sender->scene->calls, NULL, 2));
	assert_int_equal(deliver_in_flight(sender->deliver), 2);
	fake_answer(sender->deliver, 0, first_status, 0, "");
	fake_answer(sender->deliver, 0, second_status, 0, "");
	collect(sender);
	return ask("SELECT places FROM batch_pressure WHERE batch_id = %lld", (long long)sender->scene->batch);
}

static void pressure_follows_the_order_of_the_answers(void **state)
{
	struct sender *sender = *state;

	assert_int_equal(places_after(sender, 200, 429), 1); /* half of the calls under way */
	assert_int_equal(places_after(sender, 429, 200), 2); /* and one more, because a call was taken since */
	assert_int_equal(places_after(sender, 200, 503), 1); /* also a dialer that is out of order is to get fewer */
}

/* A campaign that has fewer places than calls under way gets half of its places. */
static void pressure_halves_the_places_that_there_are(void **state)
{
	struct sender *sender = *state;

	assert_int_equal(send_claimed(sender, 6), 6);
	ask("INSERT INTO batch_pressure (batch_id, places, taken, cut_at) VALUES (%lld, 2, 0, '1000-01-01')",
	    (long long)sender->scene->batch);
	fake_answer(sender->deliver, 0, 429, 0, "");
	collect(sender);
	assert_int_equal(ask("SELECT places FROM batch_pressure WHERE batch_id = %lld", (long long)sender->scene->batch),
	                 1);
}

static void recover_all(void)
{
	ask("UPDATE endpoint_health SET failures = 0, failing_since = '1000-01-01'");
}

static void an_endpoint_that_recovers_between_two_runs_stays_on(void **state)
{
	struct sender *sender = *state;
	int64_t endpoint = add_subscriber(sender);
	struct deliver_result result;

	publish(sender, 2);
	assert_int_equal(send_events(sender), 2);
	fake_answer(sender->deliver, 0, 500, 0, "");
	collect(sender);
	ask("UPDATE endpoint_health SET failures = 99, failing_since = '2026-05-01' WHERE endpoint_id = %lld",
	    (long long)endpoint);
	fake_answer(sender->deliver, 0, 500, 0, "");
	assert_true(deliver_next(sender->deliver, &result));
	verdicts_collect(sender->verdicts, &result, INSTANT_NEVER);
	fixture_between_runs = recover_all;
	assert_ok(verdicts_write(sender->db, sender->verdicts));
	assert_int_equal(failures_of(endpoint), 1);
	assert_int_equal(ask("SELECT disabled FROM webhook_endpoints WHERE id = %lld", (long long)endpoint), 0);
}

static void results_of_events_wait_for_the_database(void **state)
{
	struct sender *sender = *state;
	int64_t endpoint = add_subscriber(sender);
	struct deliver_result result;
	struct db *away;

	publish(sender, 5);
	assert_int_equal(send_events(sender), 5);
	for (int i = 0; i < 5; i++)
		fake_answer(sender->deliver, 0, 500, 0, "");
	while (deliver_next(sender->deliver, &result))
		verdicts_collect(sender->verdicts, &result, outbox_collect(sender->outbox, &result));
	away = nowhere();
	assert_int_equal(outbox_write(away, sender->outbox), DB_LOST);
	assert_int_equal(verdicts_write(away, sender->verdicts), DB_LOST);
	db_free(away);
	outage_ends();
	assert_true(outbox_any(sender->outbox) && verdicts_any(sender->verdicts));
	collect(sender);
	assert_int_equal(of_deliveries(endpoint, "SUM(response_code = 500)"), 5);
	assert_int_equal(ask("SELECT failures FROM endpoint_health WHERE endpoint_id = %lld", (long long)endpoint), 5);
}

static void a_full_endpoint_delays_no_other(void **state)
{
	struct sender *sender = *state;

	add_subscriber(sender);
	fake_set_room(sender->deliver, 2);
	publish(sender, 10);
	add_subscriber(sender);
	publish(sender, 1);
	assert_int_equal(send_events(sender), 3);
	assert_true(fake_sent(sender->deliver, 0)->place.endpoint != fake_sent(sender->deliver, 2)->place.endpoint ||
	            fake_sent(sender->deliver, 0)->place.endpoint != fake_sent(sender->deliver, 1)->place.endpoint);
}

static void an_endpoint_that_is_gone_is_switched_off(void **state)
{
	struct sender *sender = *state;
	int64_t endpoint = add_subscriber(sender), other = add_subscriber(sender);

	scene_pass(US_PER_SECOND);
	publish(sender, 1);
	assert_int_equal(send_events(sender), 2);
	for (int i = 0; i < 2; i++)
		fake_answer(sender->deliver, 0, fake_sent(sender->deliver, 0)->place.endpoint == endpoint ? 410 : 200, 0, "");
	collect(sender);
	assert_int_equal(ask("SELECT disabled FROM webhook_endpoints WHERE id = %lld", (long long)endpoint), 1);
	assert_int_equal(ask("SELECT disabled FROM webhook_endpoints WHERE id = %lld", (long long)other), 0);
	assert_int_equal(send_events(sender), 1); /* webhook.disabled, to the other */
	assert_int_equal(fake_sent(sender->deliver, 0)->place.endpoint, other);
}

/* The answer comes from the old address. */
static void an_endpoint_that_was_changed_meanwhile_stays_on(void **state)
{
	struct sender *sender = *state;
	int64_t endpoint = add_subscriber(sender);

	publish(sender, 1);
	assert_int_equal(send_events(sender), 1);
	scene_pass(US_PER_SECOND);
	ask("UPDATE webhook_endpoints SET url = 'https://other.example/', updated_at = '2026-06-01 08:00:01'"
	    " WHERE id = %lld",
	    (long long)endpoint);
	fake_answer(sender->deliver, 0, 410, 0, "");
	collect(sender);
	assert_int_equal(ask("SELECT disabled FROM webhook_endpoints WHERE id = %lld", (long long)endpoint), 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	static const struct CMUnitTest group_tests[] = {
		TEST(a_call_is_dispatched_when_its_dialer_takes_it),
		TEST(an_answer_may_be_a_report),
		TEST(a_call_that_is_refused_has_failed),
		TEST(a_fault_is_tried_again_when_the_dialer_asks_for_it),
		TEST(a_call_without_a_request_counts_no_try),
		TEST(a_number_that_was_listed_after_the_claim_is_not_called),
		TEST(a_call_waits_while_its_endpoint_has_no_room),
		TEST(no_further_try_during_a_pause),
		TEST(no_further_try_when_the_campaign_is_over),
		TEST(no_further_try_outside_of_the_window),
		TEST(no_first_try_outside_of_the_window),
		TEST(a_call_that_has_expired_is_not_sent),
		TEST(an_overdue_call_is_leased_for_as_long_as_any),
		TEST(nothing_is_sent_when_loading_took_the_lease),
		TEST(a_call_that_was_reported_is_not_tried_again),
		TEST(an_answer_after_the_lease_changes_no_other_lease),
		TEST(a_call_that_was_reported_is_not_held),
		TEST(a_late_result_moves_no_call_that_waits_in_the_plan),
		TEST(a_call_that_is_fetched_is_not_sent),
		TEST(no_call_outside_of_the_contacts_own_window),
		TEST(nothing_goes_to_a_dialer_that_is_switched_off),
		TEST(nothing_goes_through_an_open_circuit),
		TEST(leases_and_calls_end_at_their_instants),
		TEST(a_call_is_given_up_after_its_time),
		TEST(a_call_may_be_held_twice),
		TEST(a_failed_try_waits_for_the_lock_of_its_call),
		TEST(reports_in_answers_wait_for_the_database),
		TEST(a_call_that_was_judged_long_ago_is_not_given_back),
		TEST(a_failed_try_is_logged),
		TEST(a_request_begins_at_its_instant_or_not_at_all),
		TEST(a_call_is_held_until_it_expires_at_most),
		TEST(an_overdue_call_that_is_locked_is_passed_by),
		TEST(a_locked_campaign_delays_no_other),
		TEST(a_result_that_waits_for_a_lock_stays_due),
		TEST(conclusions_wait_for_no_lock),
		TEST(a_lock_that_is_held_sets_no_campaign_aside),
		TEST(a_call_that_was_claimed_long_ago_is_not_sent),
		TEST(a_call_that_waits_for_its_instant_has_its_slot),
		TEST(an_attempt_stays_with_its_dialer),
		TEST(a_first_lease_fixes_the_dialer),
		TEST(one_call_probes_a_circuit),
		TEST(no_work_sleeps_after_a_step_back),
		TEST(a_step_forward_ends_no_call),
		TEST(retries_keep_their_delays_after_a_step_back),
		TEST(waiting_work_is_pulled_in),
		TEST(a_step_back_gives_up_no_call_in_the_plan),
		TEST(many_contacts_are_moved_after_a_step_back),
		TEST(an_event_goes_to_its_subscriber),
		TEST(no_event_is_sent_when_loading_took_the_lease),
		TEST(what_another_scheduler_serves_is_not_waited_for),
		TEST(an_endpoint_that_is_locked_delays_no_other),
		TEST(an_event_is_tried_after_its_delays_and_then_has_failed),
		TEST(five_failures_open_the_circuit_and_one_success_closes_it),
		TEST(results_count_in_the_order_in_which_they_came),
		TEST(pressure_follows_the_order_of_the_answers),
		TEST(pressure_halves_the_places_that_there_are),
		TEST(an_endpoint_that_recovers_between_two_runs_stays_on),
		TEST(results_of_events_wait_for_the_database),
		TEST(a_full_endpoint_delays_no_other),
		TEST(an_endpoint_that_is_gone_is_switched_off),
		TEST(an_endpoint_that_was_changed_meanwhile_stays_on),
	};

	return cmocka_run_group_tests(group_tests, NULL, NULL);
}
