/* The pace of a number, and contact limits, over campaigns and schedulers. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/clock.h"
#include "base/instant.h"
#include "scene.h"
#include "store/number_store.h"
#include "store/organization_store.h"

#define HOUR (60 * US_PER_MINUTE)
#define SCHEDULERS 4
#define LOOK_EVERY_US US_PER_MS /* how often schedulers that share a clock look */

/* The n-th number of the scene may make this many calls a minute. */
static void set_pace(struct scene *scene, int n, int64_t calls_per_minute)
{
	struct phone_number number;

	assert_ok(number_get(scene->fixture->db, scene->fixture->organization_id, &scene->number_ids[n],
	                     scene->fixture->arena, &number));
	number.calls_per_minute = calls_per_minute;
	assert_ok(number_update(scene->fixture->db, &number, clock_now_us()));
}

static void set_limits_of(struct scene *scene, int64_t organization_id, int64_t attempts, int64_t hours,
                          int64_t rest_hours)
{
	struct contact_limit limit = { .max_attempts = attempts, .period_hours = hours };
	struct organization organization = {
		.id = organization_id,
		.updated_at_us = clock_now_us(),
		.limits = { .list = { &limit, attempts != 0 }, .rest_hours = rest_hours },
	};

	assert_ok(organization_save_limits(scene->fixture->db, &organization));
}

static void set_limits(struct scene *scene, int64_t attempts, int64_t hours, int64_t rest_hours)
{
	set_limits_of(scene, scene->fixture->organization_id, attempts, hours, rest_hours);
}

static int64_t calls_of(int64_t batch)
{
	return ask("SELECT COUNT(*) FROM calls WHERE batch_id = %lld", (long long)batch);
}

/* The least time between two calls from the same number. */
static int64_t least_gap_us(struct scene *scene)
{
	return ask("SELECT MIN(gap) FROM (SELECT TIMESTAMPDIFF(MICROSECOND, LAG(called_at) OVER"
	           " (PARTITION BY from_number ORDER BY called_at), called_at) AS gap FROM calls"
	           " WHERE organization_id = %lld) gaps",
	           (long long)scene->fixture->organization_id);
}

static int64_t most_calls_to_one(struct scene *scene)
{
	return ask("SELECT MAX(n) FROM (SELECT COUNT(*) AS n FROM calls WHERE organization_id = %lld"
	           " GROUP BY to_number) numbers",
	           (long long)scene->fixture->organization_id);
}

static void a_number_has_one_pace_for_all_campaigns(void **state)
{
	struct scene *scene = *state;
	int64_t batches[3];
	int claimed = 0;

	set_pace(scene, 0, 60);
	for (int i = 0; i < 3; i++) {
		scene_start(scene, 10);
		batches[i] = scene->batch;
	}
	for (int look = 0; look < 60; look++) {
		scene_pass(200 * US_PER_MS);
		claimed += scene_claim(scene, 1000);
		scene_tell_all(scene, CALL_COMPLETED);
	}
	assert_int_equal(claimed, 12);
	assert_int_equal(least_gap_us(scene), US_PER_SECOND);
	for (int i = 0; i < 3; i++)
		assert_in_range(calls_of(batches[i]), 3, 5); /* in turn */
}

static void a_number_whose_pace_allows_a_call_replaces_one_that_must_wait(void **state)
{
	struct scene *scene = *state;

	scene->config.phone_number_ids.count = 2;
	scene->config.phone_rotation_strategy = ROTATION_ROUND_ROBIN;
	set_pace(scene, 1, 1);
	scene_start(scene, 20);
	scene_pass(US_PER_SECOND);
	assert_int_equal(scene_claim(scene, 1000), 10);
	assert_int_equal(ask("SELECT COUNT(*) FROM calls WHERE batch_id = %lld AND from_number = '+18005550001'",
	                     (long long)scene->batch),
	                 1);
	set_pace(scene, 0, 1);
	scene_tell_all(scene, CALL_COMPLETED);
	assert_int_equal(scene_claim(scene, 1000), 1);
	scene_pass(US_PER_SECOND);
	assert_int_equal(scene_claim(scene, 1000), 0);
	set_pace(scene, 0, 0); /* no pace any more */
	scene_pass(US_PER_MINUTE);
	assert_int_equal(scene_claim(scene, 1000), 9);
}

/* A child process that shares a clock with others. The clock goes on from that of the scene with every look, so a slow
 * machine has as many looks as a fast one. */
static void claim_for(int64_t us, int64_t began_us, _Atomic int64_t *passed)
{
	struct db *db = db_new(fixture_option_file());
	struct uuid ids[50];
	enum db_result result;
	int64_t passed_us;

	while ((passed_us = (*passed += LOOK_EVERY_US)) < us) {
		clock_stand(began_us + passed_us);
		scene_claim_with(db, 1000, ids, 50, &result);
		if (result != DB_OK)
			_exit(1);
	}
	db_free(db);
	_exit(0);
}

static void claim_at_once(int64_t us)
{
	int64_t began_us = clock_now_us();
	_Atomic int64_t *passed = mmap(NULL, sizeof *passed, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	pid_t children[SCHEDULERS];
	int status;

	assert_true(passed != MAP_FAILED);
	for (int i = 0; i < SCHEDULERS; i++) {
		children[i] = fork();
		assert_true(children[i] >= 0);
		if (children[i] == 0)
			claim_for(us, began_us, passed);
	}
	for (int i = 0; i < SCHEDULERS; i++) {
		assert_int_equal(waitpid(children[i], &status, 0), children[i]);
		assert_int_equal(status, 0);
	}
	munmap(passed, sizeof *passed);
}

static void several_schedulers_keep_the_pace_of_a_number(void **state)
{
	struct scene *scene = *state;
	int64_t first;

	set_pace(scene, 0, 600);
	set_pace(scene, 1, 600);
	scene->config.phone_number_ids.count = 2;
	scene_start(scene, 50);
	first = scene->batch;
	scene_start(scene, 50);
	scene_pass(US_PER_SECOND);
	claim_at_once(900 * US_PER_MS);
	assert_in_range(calls_of(first) + calls_of(scene->batch), 10, 20);
	assert_true(least_gap_us(scene) >= 100 * US_PER_MS);
}

static void a_limit_defers_and_drops_nothing(void **state)
{
	struct scene *scene = *state;

	set_limits(scene, 1, 24, 0);
	scene_start(scene, 5);
	scene_pass(US_PER_SECOND);
	assert_int_equal(scene_claim(scene, 1000), 5);
	scene_tell_all(scene, CALL_BUSY);
	scene_start(scene, 8);
	scene_pass(US_PER_SECOND);
	assert_int_equal(scene_claim(scene, 1000), 3); /* the numbers that the first campaign has not called */
	scene_tell_all(scene, CALL_COMPLETED);
	assert_int_equal(ask("SELECT COUNT(*) FROM due_contacts WHERE batch_id = %lld AND due_at BETWEEN"
	                     " '2026-06-02 08:00:01' AND '2026-06-02 08:00:04'",
	                     (long long)scene->batch),
	                 5);
	scene_at("2026-06-02T08:00:00Z");
	assert_int_equal(scene_claim(scene, 1000), 0);
	assert_int_equal(scene_batch(scene).status, BATCH_ACTIVE);
	scene_at("2026-06-02T08:00:05Z");
	assert_int_equal(scene_claim(scene, 1000), 5);
	scene_tell_all(scene, CALL_COMPLETED);
	assert_int_equal(scene_claim(scene, 1000), 0);
	assert_int_equal(scene_batch(scene).status, BATCH_COMPLETED);
	scene_check_sums(scene);
}

/* To its last moment. */
static void a_call_counts_for_the_whole_period(void **state)
{
	struct scene *scene = *state;

	set_limits(scene, 1, 24, 0);
	scene_start(scene, 1);
	scene_pass(US_PER_SECOND);
	assert_int_equal(scene_claim(scene, 1000), 1);
	scene_tell_all(scene, CALL_BUSY);
	scene_at("2026-06-02T08:00:00Z");
	scene_start(scene, 1);
	scene_pass(US_PER_SECOND - 1);
	assert_int_equal(scene_claim(scene, 1000), 0);
	scene_pass(US_PER_SECOND);
	assert_int_equal(scene_claim(scene, 1000), 1);
}

static void two_campaigns_in_one_claim_know_of_each_other(void **state)
{
	struct scene *scene = *state;

	set_limits(scene, 1, 24, 0);
	scene_start(scene, 5);
	scene_start(scene, 5);
	scene_pass(US_PER_SECOND);
	assert_int_equal(scene_claim(scene, 1000), 5);
	scene_pass(5 * US_PER_SECOND);
	assert_int_equal(scene_claim(scene, 1000), 0);
	assert_int_equal(most_calls_to_one(scene), 1);
}

/* The limit also holds for a contact that is due exactly at the time of the look. */
static void a_contact_that_is_due_at_this_moment_is_limited(void **state)
{
	struct scene *scene = *state;

	set_limits(scene, 1, 24, 0);
	scene_start(scene, 1);
	scene_pass(US_PER_SECOND);
	assert_int_equal(scene_claim(scene, 1000), 1);
	scene_start(scene, 1);
	assert_int_equal(ask("SELECT due_at = '2026-06-01 08:00:01' FROM due_contacts WHERE batch_id = %lld",
	                     (long long)scene->batch),
	                 1);
	assert_int_equal(scene_claim(scene, 1000), 0);
}

static void deferred_contacts_wait_for_the_window(void **state)
{
	struct scene *scene = *state;

	scene->config.window_start = 8 * 60;
	scene->config.window_end = 17 * 60;
	set_limits(scene, 1, 12, 0);
	scene_start(scene, 1);
	scene_pass(US_PER_SECOND);
	assert_int_equal(scene_claim(scene, 1000), 1);
	scene_start(scene, 1);
	scene_pass(US_PER_SECOND);
	assert_int_equal(scene_claim(scene, 1000), 0);
	assert_int_equal(ask("SELECT due_at BETWEEN '2026-06-02 08:00:00' AND '2026-06-02 08:00:01.1' FROM due_contacts"
	                     " WHERE batch_id = %lld",
	                     (long long)scene->batch),
	                 1);
}

/* 65536 other contacts wait for the opening of the window, and one contact has the instant that the first contact
 * would get. */
static void add_others_at(const struct scene *scene, const char *instant)
{
	long long id = scene->batch;
	int n = 1;

	ask("INSERT INTO due_contacts (batch_id, due_at, position, attempt) VALUES (%lld, '%s' + INTERVAL 300 MICROSECOND, "
	    "1000000, 1)",
	    id, instant);
	for (int step_us = 1; n < 65536; n *= 2, step_us = n < 512 ? n : n / 512 * 1000)
		ask("INSERT INTO due_contacts (batch_id, due_at, position, attempt) SELECT batch_id, due_at + INTERVAL %d "
		    "MICROSECOND, position + %d, 1"
		    " FROM due_contacts WHERE batch_id = %lld AND position >= 1000000",
		    step_us, n, id);
	ask("INSERT INTO due_contacts (batch_id, due_at, position, attempt) VALUES (%lld, '%s' + INTERVAL 2 MICROSECOND, "
	    "999999, 1)",
	    id, instant);
}

static void many_are_deferred_to_one_window(void **state)
{
	struct scene *scene = *state;

	scene->config.max_concurrent_calls = 200;
	scene->config.window_start = 8 * 60;
	scene->config.window_end = 17 * 60;
	set_limits(scene, 1, 12, 0);
	scene_start(scene, 200);
	scene_pass(US_PER_SECOND);
	assert_int_equal(scene_claim(scene, 1000), 200);
	scene_tell_all(scene, CALL_BUSY);
	scene_start(scene, 200);
	add_others_at(scene, "2026-06-02 08:00:00");
	scene_pass(US_PER_SECOND);
	assert_int_equal(scene_claim(scene, 1000), 0);
	assert_int_equal(ask("SELECT COUNT(*) FROM due_contacts WHERE batch_id = %lld AND position <= 200 AND due_at"
	                     " BETWEEN '2026-06-02 08:00:00' AND '2026-06-02 08:00:02'",
	                     (long long)scene->batch),
	                 200);
}

/* A campaign with these contacts, in this order. */
static void start_with(struct scene *scene, const char *const *phone_numbers, size_t count)
{
	struct contact_input *list = arena_alloc(scene->fixture->arena, count * sizeof *list);
	struct campaign_request request = { .table = &batch_fields, .config = scene->config };

	for (size_t i = 0; i < count; i++)
		list[i] = (struct contact_input){
			.phone_number = phone_numbers[i],
			.first_name = "",
			.last_name = "",
			.email = "",
			.timezone = "",
			.custom_fields = "",
		};
	request.config.contacts = (struct field_list){ list, count };
	scene->batch_id = uuid_new();
	assert_ok(scene_try(scene, campaign_create, &request));
	scene->batch = request.batch.id;
	scene_do(scene, campaign_schedule);
}

/* The limits open earlier for the second contact, by the difference of the positions. So both would get the same
 * microsecond. */
static void two_deferrals_never_meet(void **state)
{
	enum { AHEAD_MS = 3, CONTACTS = AHEAD_MS * 999 + 1 };
	static const char *const first = "+4930000001", *const last = "+4930000002";
	struct scene *scene = *state;
	const char *numbers[CONTACTS];
	void *other;

	for (int i = 0; i < CONTACTS; i++)
		numbers[i] = i < CONTACTS - 1 ? first : last;
	set_limits(scene, 1, 24, 0);
	start_with(scene, &last, 1);
	scene_pass(US_PER_SECOND);
	assert_int_equal(scene_claim(scene, 1000), 1);
	start_with(scene, &first, 1);
	scene_pass(AHEAD_MS * US_PER_MS);
	assert_int_equal(scene_claim(scene, 1000), 1);
	start_with(scene, numbers, CONTACTS);
	scene_pass(10 * US_PER_SECOND);
	assert_int_equal(scene_claim(scene, 1000), 0);
	assert_int_equal(ask("SELECT COUNT(*) FROM due_contacts WHERE batch_id = %lld AND due_at > '2026-06-02'",
	                     (long long)scene->batch),
	                 2);
	scene_set_up(&other); /* the campaign of another organisation is called */
	scene_start(other, 5);
	scene_pass(US_PER_SECOND);
	assert_int_equal(scene_claim(other, 1000), 5);
	scene_tear_down(&other);
	scene_at("2026-06-02T08:00:03Z");
	assert_int_equal(scene_claim(scene, 1000), 2);
}

/* Retries never meet either, even if both calls end with one report, and another contact has one of the instants. */
static void two_retries_never_meet(void **state)
{
	struct scene *scene = *state;
	int64_t taken;

	scene->config.retry_failed = true;
	scene->config.max_retry_attempts = 1;
	scene->config.retry_delay_minutes = 1;
	scene_start(scene, 20);
	scene_pass(US_PER_SECOND);
	assert_int_equal(scene_claim(scene, 10), 10);
	for (int shift = 0; shift < 12; shift++) /* if all were moved by the same time, one of them would meet another */
		ask("INSERT INTO due_contacts (batch_id, due_at, position, attempt) SELECT %lld, '2026-06-01 08:01:01.000001' "
		    "+ INTERVAL %d MICROSECOND"
		    " + INTERVAL %d * 1009000 MICROSECOND, %d, 2",
		    (long long)scene->batch, 1 + shift % 10, shift, 500 + shift);
	taken = ask("SELECT COUNT(*) FROM due_contacts WHERE batch_id = %lld", (long long)scene->batch);
	scene_tell_all(scene, CALL_BUSY);
	assert_int_equal(ask("SELECT COUNT(*) FROM due_contacts WHERE batch_id = %lld", (long long)scene->batch),
	                 taken + 10);
	assert_int_equal(ask("SELECT COUNT(*) FROM due_contacts WHERE batch_id = %lld AND attempt = 2 AND position <= 10"
	                     " AND due_at BETWEEN '2026-06-01 08:01:01' AND '2026-06-01 08:10:00'",
	                     (long long)scene->batch),
	                 10);
}

static void deferred_contacts_outlive_a_new_plan(void **state)
{
	struct scene *scene = *state;

	set_limits(scene, 1, 24, 0);
	scene_start(scene, 3);
	scene_pass(US_PER_SECOND);
	assert_int_equal(scene_claim(scene, 1000), 3);
	scene_start(scene, 5);
	scene_pass(US_PER_SECOND);
	assert_int_equal(scene_claim(scene, 1000), 2);
	scene_tell_all(scene, CALL_COMPLETED);
	scene->config.max_calls_per_day = 100;
	assert_ok(scene_change(scene, "max_calls_per_day"));
	scene_pass(US_PER_SECOND);
	assert_int_equal(scene_claim(scene, 1000), 0);
	scene_at("2026-06-02T08:00:05Z");
	assert_int_equal(scene_claim(scene, 1000), 3);
}

static void attempts_of_the_same_campaign_count(void **state)
{
	struct scene *scene = *state;

	set_limits(scene, 2, 24, 0);
	scene->config.retry_failed = true;
	scene->config.max_retry_attempts = 3;
	scene->config.retry_delay_minutes = 1;
	scene_start(scene, 1);
	scene_pass(US_PER_SECOND);
	for (int attempt = 0; attempt < 4; attempt++) {
		assert_int_equal(scene_claim(scene, 1000), attempt < 2);
		scene_tell_all(scene, CALL_BUSY);
		scene_pass(10 * US_PER_MINUTE);
	}
	scene_at("2026-06-02T08:00:05Z");
	assert_int_equal(scene_claim(scene, 1000), 1);
	assert_int_equal(ask("SELECT attempts FROM batch_contacts WHERE batch_id = %lld", (long long)scene->batch), 3);
}

/* Returns how many rows the server has read in the order of an index. */
static int64_t rows_read(void)
{
	MYSQL *mysql = send_query("SHOW GLOBAL STATUS WHERE Variable_name IN ('Handler_read_next', 'Handler_read_prev')");
	MYSQL_RES *result = mysql_store_result(mysql);
	int64_t number = 0;
	MYSQL_ROW row;

	while ((row = mysql_fetch_row(result)) != NULL)
		number += strtoll(row[1], NULL, 10);
	mysql_free_result(result);
	mysql_close(mysql);
	return number;
}

/* A number that was called often before the limits were set. */
static void a_claim_does_not_read_all_calls_to_a_number(void **state)
{
	struct scene *scene = *state;
	int64_t before;

	scene_start(scene, 1);
	scene_pass(US_PER_SECOND);
	assert_int_equal(scene_claim(scene, 1000), 1);
	scene_tell_all(scene, CALL_BUSY);
	for (int doubled = 0; doubled < 12; doubled++)
		ask("INSERT INTO calls (id, organization_id, agent_id, batch_id, position, attempt, status, tries, wake_at,"
		    " to_number, from_number, scheduled_at, called_at, expires_at, max_seconds, ended_at, duration_seconds,"
		    " cost, outcome, end_reason, recording_url, transcript_url, summary)"
		    " SELECT UNHEX(REPLACE(UUID(), '-', '')), organization_id, agent_id, NULL, position, attempt, status,"
		    " tries, wake_at, to_number, from_number, scheduled_at, called_at, expires_at, max_seconds, ended_at,"
		    " duration_seconds, cost, outcome, end_reason, recording_url, transcript_url, summary FROM calls"
		    " WHERE organization_id = %lld",
		    (long long)scene->fixture->organization_id);
	set_limits(scene, 100, 24, 0);
	scene_start(scene, 1);
	scene_pass(US_PER_SECOND);
	before = rows_read();
	assert_int_equal(scene_claim(scene, 1000), 0);
	assert_true(rows_read() - before < 2000); /* of 4,096 */
}

/* Limits count earlier calls that they would have held back. */
static void the_latest_of_many_calls_count(void **state)
{
	struct scene *scene = *state;

	scene->config.max_concurrent_calls = 200;
	scene_start(scene, 150);
	scene_pass(US_PER_SECOND);
	assert_int_equal(scene_claim(scene, 1000), 150);
	scene_tell_all(scene, CALL_BUSY);
	ask("UPDATE calls c, batch_contacts k SET c.called_at = '2026-06-01 06:00:00' + INTERVAL c.position SECOND,"
	    " c.to_number = k.phone_number WHERE c.batch_id = %lld AND k.batch_id = c.batch_id AND k.position = 1",
	    (long long)scene->batch);
	set_limits(scene, 100, 2, 0);
	scene_start(scene, 1);
	scene_at("2026-06-01T08:00:50Z"); /* the 100th latest call was at 06:00:51 */
	assert_int_equal(scene_claim(scene, 1000), 0);
	assert_int_equal(ask("SELECT due_at BETWEEN '2026-06-01 08:00:51' AND '2026-06-01 08:00:51.1' FROM due_contacts"
	                     " WHERE batch_id = %lld",
	                     (long long)scene->batch),
	                 1);
	scene_pass(2 * US_PER_SECOND);
	assert_int_equal(scene_claim(scene, 1000), 1);
}

static void a_rest_follows_only_a_conversation(void **state)
{
	struct scene *scene = *state;

	set_limits(scene, 0, 0, 48);
	scene_start(scene, 2);
	scene_pass(US_PER_SECOND);
	assert_int_equal(scene_claim(scene, 1000), 2);
	scene_start(scene, 2);
	scene_pass(US_PER_SECOND);
	assert_int_equal(scene_claim(scene, 1000), 0); /* both are being called */
	scene_tell(scene, &scene->calls[0], CALL_NO_ANSWER);
	scene_tell(scene, &scene->calls[1], CALL_COMPLETED);
	scene_pass(62 * US_PER_SECOND);
	assert_int_equal(scene_claim(scene, 1000), 1);
	assert_int_equal(ask("SELECT due_at BETWEEN '2026-06-03 08:00:00' AND '2026-06-03 08:00:05' FROM due_contacts"
	                     " WHERE batch_id = %lld",
	                     (long long)scene->batch),
	                 1);
}

/* Only a campaign with a contact to call may probe the dialer. Here that is not the campaign that is looked at
 * first. */
static void a_campaign_that_may_not_call_does_not_probe_the_dialer(void **state)
{
	struct scene *scene = *state;
	long long webhook = scene->webhook_row;

	set_limits(scene, 1, 24, 0);
	scene_start(scene, 3);
	scene_pass(US_PER_SECOND);
	assert_int_equal(scene_claim(scene, 1000), 3);
	scene_tell_all(scene, CALL_BUSY);
	scene_start(scene, 3); /* all of them limited */
	scene_start(scene, 4);
	ask("REPLACE INTO endpoint_health (endpoint_id, doubtful, next_at, failures, failing_since, open_until,"
	    " probe_until, trial_until, hold_until) VALUES (%lld, 1, '9999-12-31', 5, '2026-06-01', '2026-06-01', "
	    "'1000-01-01',"
	    " '1000-01-01', '1000-01-01')",
	    webhook);
	scene_pass(US_PER_SECOND);
	assert_int_equal(scene_claim(scene, 1000), 1);
	assert_int_equal(calls_of(scene->batch), 1);
}

static void several_schedulers_keep_a_limit(void **state)
{
	struct scene *scene = *state;

	set_limits(scene, 1, 24, 0);
	scene->config.max_concurrent_calls = 100;
	for (int i = 0; i < 48; i++) /* more than one claim takes */
		scene_start(scene, 40);
	scene_pass(US_PER_SECOND);
	claim_at_once(700 * US_PER_MS);
	assert_int_equal(ask("SELECT COUNT(*) FROM calls WHERE organization_id = %lld",
	                     (long long)scene->fixture->organization_id),
	                 40);
	assert_int_equal(most_calls_to_one(scene), 1);
}

static void removed_limits_hold_no_contact(void **state)
{
	struct scene *scene = *state;

	set_limits(scene, 1, 24, 0);
	scene_start(scene, 2);
	set_limits(scene, 0, 0, 0); /* none any more */
	scene_start(scene, 2);
	scene_pass(US_PER_SECOND);
	assert_int_equal(scene_claim(scene, 1000), 4);
}

/* A transaction locks the limits of an organisation for long, and a campaign of another organisation comes after its
 * campaigns. */
static enum db_result claim_while_limits_are_locked(struct db *db, void *context)
{
	struct db *other = db_new(fixture_option_file());
	struct uuid ids[10];
	enum db_result result;
	int claimed = 0;

	(void)context;
	DB_TRY(db_run_text(db, "UPDATE contact_limits SET rest_hours = rest_hours"));
	for (int look = 0; look < 3; look++) {
		claimed += scene_claim_with(other, 1000, ids, 10, &result);
		assert_ok(result);
		scene_pass(5 * US_PER_MS);
	}
	db_free(other);
	assert_int_equal(claimed, 1);
	return DB_OK;
}

/* A cancelled call does not count. A failed call counts if it was requested. */
static void a_limit_counts_the_calls_that_were_requested(void **state)
{
	struct scene *scene = *state;

	set_limits(scene, 1, 24, 0);
	scene_start(scene, 3);
	scene_pass(US_PER_SECOND);
	assert_int_equal(scene_claim(scene, 10), 3);
	ask("UPDATE calls SET status = ELT(position, 9, 5, 5), tries = ELT(position, 1, 0, 1) WHERE batch_id = %lld",
	    (long long)scene->batch);
	scene_start(scene, 3);
	scene_pass(US_PER_SECOND);
	assert_int_equal(scene_claim(scene, 10), 2);
	assert_int_equal(ask("SELECT MAX(position) FROM calls WHERE batch_id = %lld", (long long)scene->batch), 2);
}

/* The calls of a later day count for the days before it, and still for the later day. */
static void a_day_keeps_its_calls_when_the_clock_goes_back_and_forth(void **state)
{
	struct scene *scene = *state;

	scene->config.max_calls_per_day = 3;
	scene->config.max_concurrent_calls = 2;
	scene_at("2026-06-02T10:00:00Z");
	scene_start(scene, 10);
	scene_pass(US_PER_SECOND);
	assert_int_equal(scene_claim(scene, 10), 2);
	scene_tell_all(scene, CALL_COMPLETED);
	scene_at("2026-06-01T10:00:00Z");
	ask("UPDATE due_contacts SET due_at = '2026-06-01 09:00:00' + INTERVAL position * 1000 MICROSECOND WHERE batch_id ="
	    " %lld",
	    (long long)scene->batch);
	ask("UPDATE batch_calls SET low_water = '1000-01-01', wake_at = '2026-06-01' WHERE id = %lld",
	    (long long)scene->batch);
	assert_int_equal(scene_claim(scene, 10), 1);
	scene_tell_all(scene, CALL_COMPLETED);
	scene_at("2026-06-02T11:00:00Z");
	ask("UPDATE due_contacts SET due_at = '2026-06-01 09:00:00' + INTERVAL position * 1000 MICROSECOND WHERE batch_id ="
	    " %lld",
	    (long long)scene->batch);
	ask("UPDATE batch_calls SET low_water = '1000-01-01', wake_at = '2026-06-01' WHERE id = %lld",
	    (long long)scene->batch);
	assert_int_equal(scene_claim(scene, 10), 0);
}

/* The look comes before the contacts are due. */
static void a_number_looked_at_early_keeps_its_pace(void **state)
{
	struct scene *scene = *state;
	int claimed = 0;

	scene->ahead_us = 25 * US_PER_MS;
	set_pace(scene, 0, 6000);
	scene_start(scene, 3);
	ask("UPDATE due_contacts SET due_at = TIMESTAMP'2026-06-01 08:00:01' + INTERVAL position * 4000 MICROSECOND WHERE"
	    " batch_id = %lld",
	    (long long)scene->batch);
	ask("UPDATE batch_calls SET low_water = '1000-01-01', wake_at = '2026-06-01 08:00:01' WHERE id = %lld",
	    (long long)scene->batch);
	scene_pass(US_PER_SECOND);
	for (int look = 0; look < 6; look++)
		claimed += scene_claim(scene, 10);
	assert_int_equal(claimed, 3);
	assert_true(least_gap_us(scene) >= 10 * US_PER_MS);
}

static enum db_result claim_while_a_pace_is_locked(struct db *db, void *context)
{
	struct scene *scene = context;
	struct db *other = db_new(fixture_option_file());
	int64_t began_us = clock_mono_us();
	struct uuid ids[10];
	enum db_result result;

	DB_TRY(db_run_text(db, "UPDATE number_paces SET calls_per_minute = calls_per_minute + 1"));
	assert_int_equal(scene_claim_with(other, scene->room, ids, 10, &result), 0);
	assert_true(clock_mono_us() - began_us < 2 * US_PER_SECOND);
	db_free(other);
	return result;
}

static void a_pace_that_is_locked_is_not_waited_for(void **state)
{
	struct scene *scene = *state;

	set_pace(scene, 0, 60);
	scene_start(scene, 2);
	scene_pass(US_PER_SECOND);
	assert_ok(transact_once(scene->fixture->db, claim_while_a_pace_is_locked, scene));
	scene_pass(US_PER_SECOND);
	assert_int_equal(scene_claim(scene, 10), 1);
}

static void limits_that_are_locked_hold_no_other_organisation(void **state)
{
	struct scene *scene = *state;

	set_limits(scene, 1, 24, 0);
	for (int i = 0; i < 33; i++) /* more than a claim looks at */
		scene_start(scene, 1);
	scene_start(scene, 1);
	ask("UPDATE batch_calls SET organization_id = %lld, wake_at = '2026-06-01 08:00:00.9' WHERE id = %lld",
	    (long long)new_organization(scene->fixture->db), (long long)scene->batch);
	scene_pass(US_PER_SECOND);
	assert_ok(transact_once(scene->fixture->db, claim_while_limits_are_locked, NULL));
	scene_pass(US_PER_SECOND);
	assert_int_equal(scene_claim(scene, 1000), 1); /* all have the same contact */
}

/* Both organisations have limits, and both call the same person. */
static void calls_of_other_organisations_do_not_count(void **state)
{
	struct scene *scene = *state;
	int64_t other = new_organization(scene->fixture->db);

	set_limits(scene, 1, 24, 0);
	set_limits_of(scene, other, 1, 24, 0);
	scene_start(scene, 1);
	scene_start(scene, 1);
	ask("UPDATE batch_calls SET organization_id = %lld WHERE id = %lld", (long long)other, (long long)scene->batch);
	scene_pass(US_PER_SECOND);
	assert_int_equal(scene_claim(scene, 1000), 2);
}

/* The limits hold during 500 random actions of clients, dialers, schedulers and the clock. */
static void a_daily_cap_outlives_everything(void **state)
{
	struct scene *scene = *state;
	struct db *other = db_new(fixture_option_file());
	enum { CAP = 9 };

	scene->config.max_calls_per_day = CAP;
	scene->config.max_concurrent_calls = 4;
	scene->config.retry_failed = true;
	scene->config.max_retry_attempts = 3;
	scene->config.retry_delay_minutes = 7;
	scene->config.timezone = "Europe/Berlin";
	scene_at("2026-10-24T18:00Z"); /* a day of 25 hours follows */
	scene_start(scene, 400);
	for (int i = 0; i < 500; i++) {
		struct campaign_request request = { .table = &schedule_fields };
		enum db_result result;

		switch (random() % 9) {
		case 0: scene_try(scene, campaign_pause, &request); break;
		case 1: scene_try(scene, campaign_resume, &request); break;
		case 2:
			scene->config.max_concurrent_calls = 1 + random() % 9;
			scene_change(scene, "max_concurrent_calls");
			break;
		case 3:
			scene->config.calls_per_minute = random() % 3 * 600;
			scene_change(scene, "calls_per_minute");
			break;
		case 4: scene_pass((random() % 7 - 1) * 20 * US_PER_MINUTE); break; /* also back */
		default:
			scene_pass(random() % 30 * US_PER_SECOND);
			if (random() % 2 == 0)
				scene_claim(scene, 1000);
			else
				scene->call_count = scene_claim_with(other, 1000, scene->calls, 1000, &result);
			scene_tell_all(scene, random() % 2 == 0 ? CALL_BUSY : CALL_COMPLETED);
			break;
		}
	}
	db_free(other);
	/* Days of Berlin: 2 hours ahead of UTC until 2026-10-25 01:00, then 1. */
	assert_in_range(ask("SELECT MAX(n) FROM (SELECT COUNT(*) n FROM calls WHERE batch_id = %lld GROUP BY DATE("
	                    "called_at + INTERVAL IF(called_at < '2026-10-25 01:00:00', 2, 1) HOUR)) days",
	                    (long long)scene->batch),
	                5, CAP);
	assert_true(ask("SELECT COUNT(*) FROM calls WHERE batch_id = %lld", (long long)scene->batch) > CAP);
}

static void a_daily_cap_follows_into_another_zone(void **state)
{
	struct scene *scene = *state;

	scene->config.max_calls_per_day = 6;
	scene_at("2026-06-01T23:30Z");
	scene_start(scene, 20);
	scene_pass(US_PER_SECOND);
	assert_int_equal(scene_claim(scene, 4), 4);
	scene_tell_all(scene, CALL_COMPLETED);
	scene_at("2026-06-02T00:30Z"); /* a new day in UTC, the same day in New York */
	assert_int_equal(scene_claim(scene, 1), 1);
	scene_tell_all(scene, CALL_COMPLETED);
	scene_do(scene, campaign_pause);
	scene->config.timezone = "America/New_York";
	assert_ok(scene_change(scene, "timezone"));
	scene_do(scene, campaign_resume);
	scene_pass(US_PER_SECOND);
	assert_int_equal(scene_claim(scene, 1000), 1);
	scene_pass(US_PER_MINUTE);
	assert_int_equal(scene_claim(scene, 1000), 0);
}

/* This holds even if there is little room for all of them together. */
static void campaigns_share_in_turn(struct scene *scene, int room, int max_calls)
{
	enum { CAMPAIGNS = 20, ROUNDS = 3 };
	int64_t batches[CAMPAIGNS];

	for (int i = 0; i < CAMPAIGNS; i++) {
		scene_start(scene, i == 0 ? 900 : 10);
		batches[i] = scene->batch;
	}
	scene_pass(US_PER_SECOND);
	scene->room = room;
	for (int i = 0; i < CAMPAIGNS * ROUNDS; i++) {
		assert_int_equal(scene_claim(scene, max_calls), 1);
		scene_tell_all(scene, CALL_COMPLETED);
		scene_pass(21 * US_PER_MS);
	}
	for (int i = 0; i < CAMPAIGNS; i++)
		assert_in_range(calls_of(batches[i]), ROUNDS - 1, ROUNDS + 1);
}

static void a_dialer_is_shared_in_turn(void **state)
{
	campaigns_share_in_turn(*state, 1, 1000);
}

static void a_scheduler_is_shared_in_turn(void **state)
{
	campaigns_share_in_turn(*state, 1000, 1);
}

int main(void)
{
	static const struct CMUnitTest group_tests[] = {
		SCENE_TEST(a_number_has_one_pace_for_all_campaigns),
		SCENE_TEST(a_number_whose_pace_allows_a_call_replaces_one_that_must_wait),
		SCENE_TEST(several_schedulers_keep_the_pace_of_a_number),
		SCENE_TEST(a_limit_defers_and_drops_nothing),
		SCENE_TEST(a_call_counts_for_the_whole_period),
		SCENE_TEST(two_campaigns_in_one_claim_know_of_each_other),
		SCENE_TEST(a_contact_that_is_due_at_this_moment_is_limited),
		SCENE_TEST(deferred_contacts_wait_for_the_window),
		SCENE_TEST(many_are_deferred_to_one_window),
		SCENE_TEST(two_deferrals_never_meet),
		SCENE_TEST(two_retries_never_meet),
		SCENE_TEST(deferred_contacts_outlive_a_new_plan),
		SCENE_TEST(attempts_of_the_same_campaign_count),
		SCENE_TEST(a_claim_does_not_read_all_calls_to_a_number),
		SCENE_TEST(the_latest_of_many_calls_count),
		SCENE_TEST(a_rest_follows_only_a_conversation),
		SCENE_TEST(a_campaign_that_may_not_call_does_not_probe_the_dialer),
		SCENE_TEST(several_schedulers_keep_a_limit),
		SCENE_TEST(removed_limits_hold_no_contact),
		SCENE_TEST(a_daily_cap_outlives_everything),
		SCENE_TEST(a_daily_cap_follows_into_another_zone),
		SCENE_TEST(a_limit_counts_the_calls_that_were_requested),
		SCENE_TEST(a_day_keeps_its_calls_when_the_clock_goes_back_and_forth),
		SCENE_TEST(a_number_looked_at_early_keeps_its_pace),
		SCENE_TEST(a_pace_that_is_locked_is_not_waited_for),
		SCENE_TEST(limits_that_are_locked_hold_no_other_organisation),
		SCENE_TEST(calls_of_other_organisations_do_not_count),
		SCENE_TEST(a_dialer_is_shared_in_turn),
		SCENE_TEST(a_scheduler_is_shared_in_turn),
	};

	return cmocka_run_group_tests(group_tests, NULL, NULL);
}
