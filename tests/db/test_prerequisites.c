/* The requirements of a campaign are checked whenever it is planned, and a failed campaign can be scheduled again. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/instant.h"
#include "domain/agent.h"
#include "scene.h"

static void assert_refused(struct scene *scene, campaign_action *action, const struct field_table *table,
                           enum refusal refusal)
{
	struct campaign_request request = { .table = table, .config = scene->config };
	struct batch before = scene_batch(scene), after;

	assert_int_equal(scene_try(scene, action, &request), DB_REFUSED);
	assert_int_equal(request.refusal, refusal);
	after = scene_batch(scene);
	assert_int_equal(after.status, before.status);
	assert_int_equal(after.updated_at_us, before.updated_at_us);
	assert_memory_equal(&after.counts, &before.counts, sizeof after.counts);
}

static void set_agent_status(struct scene *scene, enum agent_status status)
{
	ask("UPDATE agents SET status = %d WHERE id = %lld", (int)status, (long long)scene->agent_row);
}

/* Every state in which an agent cannot call, and an action on its campaign. */
static void assert_needs_agent(struct scene *scene, campaign_action *action, const struct field_table *table)
{
	set_agent_status(scene, AGENT_CREATING);
	assert_refused(scene, action, table, REFUSED_AGENT_NOT_READY);
	set_agent_status(scene, AGENT_FAILED);
	assert_refused(scene, action, table, REFUSED_AGENT_NOT_READY);
	set_agent_status(scene, AGENT_DRAFT);
	assert_refused(scene, action, table, REFUSED_AGENT_NOT_READY);
	set_agent_status(scene, AGENT_ACTIVE);
	ask("UPDATE agents SET id = id + 1000000 WHERE id = %lld", (long long)scene->agent_row);
	assert_refused(scene, action, table, REFUSED_AGENT_DELETED);
	ask("UPDATE agents SET id = id - 1000000 WHERE id = %lld + 1000000", (long long)scene->agent_row);
}

static void delete_number(struct scene *scene)
{
	ask("DELETE FROM phone_numbers WHERE organization_id = %lld AND phone_number = '+18005550000'",
	    (long long)scene->fixture->organization_id);
}

static void give_agent_a_number(struct scene *scene)
{
	ask("UPDATE phone_numbers SET outbound_agent_id = %lld WHERE organization_id = %lld AND phone_number = "
	    "'+18005550001'",
	    (long long)scene->agent_row, (long long)scene->fixture->organization_id);
}

static void a_draft_is_scheduled_with_all_it_needs(void **state)
{
	struct scene *scene = *state;

	scene_create(scene, 0);
	assert_refused(scene, campaign_schedule, &schedule_fields, REFUSED_NO_CONTACTS);
	assert_refused(scene, campaign_preview, &batch_fields, REFUSED_NO_CONTACTS);
	scene_create(scene, 3);
	assert_needs_agent(scene, campaign_schedule, &schedule_fields);
	assert_needs_agent(scene, campaign_preview, &batch_fields);
	delete_number(scene);
	assert_refused(scene, campaign_schedule, &schedule_fields, REFUSED_NO_NUMBER);
	assert_refused(scene, campaign_preview, &batch_fields, REFUSED_NO_NUMBER);
	give_agent_a_number(scene);
	scene_do(scene, campaign_schedule);
	assert_string_equal(scene_batch(scene).from_number, "+18005550001");
	scene_pass(US_PER_SECOND);
	assert_int_equal(scene_claim(scene, 10), 3);
}

static void a_pause_ends_with_all_it_needs(void **state)
{
	struct scene *scene = *state;

	scene_start(scene, 3);
	scene_do(scene, campaign_pause);
	assert_needs_agent(scene, campaign_resume, NULL);
	assert_needs_agent(scene, campaign_preview, &batch_fields);
	delete_number(scene);
	assert_refused(scene, campaign_resume, NULL, REFUSED_NO_NUMBER);
	give_agent_a_number(scene);
	scene_do(scene, campaign_resume);
	scene_pass(US_PER_SECOND);
	assert_int_equal(scene_claim(scene, 10), 3);
}

/* No contact needs a number any more. */
static void a_pause_without_waiting_contacts_ends(void **state)
{
	struct scene *scene = *state;

	scene_start(scene, 1);
	scene_pass(US_PER_SECOND);
	assert_int_equal(scene_claim(scene, 10), 1);
	scene_do(scene, campaign_pause);
	scene_tell_all(scene, CALL_COMPLETED);
	delete_number(scene);
	set_agent_status(scene, AGENT_FAILED);
	scene_do(scene, campaign_resume);
	assert_int_equal(scene_claim(scene, 10), 0);
	assert_int_equal(scene_batch(scene).status, BATCH_COMPLETED);
}

static void a_start_long_ago_is_refused(void **state)
{
	struct scene *scene = *state;
	struct campaign_request now = { .table = &schedule_fields, .given = 1, .config.scheduled_at.us = INSTANT_NONE };

	scene->config.schedule_type = SCHEDULE_SCHEDULED;
	scene->config.scheduled_at.us = clock_now_us() + US_PER_DAY;
	scene_create(scene, 0);
	scene_add(scene, 1, 3);
	scene_pass(3 * US_PER_DAY);
	assert_refused(scene, campaign_schedule, &schedule_fields, REFUSED_FIELDS);
	assert_ok(scene_try(scene, campaign_schedule, &now));
	assert_int_equal(scene_batch(scene).config.schedule_type, SCHEDULE_IMMEDIATE);
	scene_pass(US_PER_SECOND);
	assert_int_equal(scene_claim(scene, 10), 3);
}

static int64_t events(const struct scene *scene, const char *from, const char *to)
{
	return ask("SELECT COUNT(*) FROM events WHERE organization_id = %lld AND data LIKE "
	           "'%%\"from\":\"%s\",\"to\":\"%s\"%%'",
	           (long long)scene->fixture->organization_id, from, to);
}

/* Of six contacts two are called, one of them again later; then its numbers are gone. */
static void fail_without_numbers(struct scene *scene)
{
	scene->config.max_concurrent_calls = 2;
	scene->config.retry_failed = true;
	scene->config.max_retry_attempts = 1;
	scene->config.retry_delay_minutes = 60;
	scene_start(scene, 6);
	scene_pass(US_PER_SECOND);
	assert_int_equal(scene_claim(scene, 10), 2);
	scene_tell(scene, &scene->calls[0], CALL_BUSY);
	scene_tell(scene, &scene->calls[1], CALL_COMPLETED);
	delete_number(scene);
	assert_int_equal(scene_claim(scene, 10), 0);
	assert_int_equal(scene_batch(scene).status, BATCH_FAILED);
	assert_int_equal(scene_batch(scene).counts.cancelled, 5);
	assert_true(scene_batch(scene).completed_at_us != INSTANT_NONE);
	scene_check_sums(scene);
}

static void what_has_failed_is_scheduled_again(void **state)
{
	struct scene *scene = *state;

	ask("UPDATE webhook_endpoints SET events = 65535 WHERE id = %lld", (long long)scene->webhook_row);
	fail_without_numbers(scene);
	assert_refused(scene, campaign_schedule, &schedule_fields, REFUSED_NO_NUMBER);
	assert_needs_agent(scene, campaign_schedule, &schedule_fields);
	scene->config.phone_number_ids = (struct field_list){ scene->number_ids + 2, 1 };
	assert_ok(scene_change(scene, "phone_number_ids"));
	assert_int_equal(scene_batch(scene).status, BATCH_FAILED);
	scene_pass(US_PER_MINUTE);
	scene_do(scene, campaign_schedule);
	assert_int_equal(scene_batch(scene).status, BATCH_SCHEDULED);
	assert_int_equal(scene_batch(scene).counts.pending, 5);
	assert_int_equal(scene_batch(scene).counts.cancelled, 0);
	assert_int_equal(scene_batch(scene).completed_at_us, INSTANT_NONE);
	assert_string_equal(scene_batch(scene).status_reason, "");
	assert_int_equal(events(scene, "active", "failed"), 1);
	assert_int_equal(events(scene, "failed", "scheduled"), 1);
	assert_int_equal(ask("SELECT data LIKE '%%\"pending\":5%%\"cancelled\":0%%' FROM events WHERE organization_id = "
	                     "%lld"
	                     " AND data LIKE '%%\"from\":\"failed\"%%'",
	                     (long long)scene->fixture->organization_id),
	                 1);
	scene_check_sums(scene);
	for (int look = 0; look < 2; look++) {
		scene_pass(US_PER_SECOND);
		assert_int_equal(scene_claim(scene, 10), 2);
		scene_tell_all(scene, CALL_COMPLETED);
	}
	scene_pass(61 * US_PER_MINUTE); /* the retry */
	assert_int_equal(scene_claim(scene, 10), 1);
	scene_tell_all(scene, CALL_COMPLETED);
	assert_int_equal(scene_claim(scene, 10), 0);
	assert_int_equal(scene_batch(scene).status, BATCH_COMPLETED);
	assert_int_equal(scene_batch(scene).counts.completed, 6);
	scene_check_sums(scene);
}

/* The window is corrected while the campaign is failed. Before that, it cannot be scheduled. */
static void the_window_of_a_failed_campaign_is_corrected(void **state)
{
	static int32_t mondays[60];
	struct scene *scene = *state;

	for (int i = 0; i < 60; i++)
		mondays[i] = civil_day(2026, 6, 1) + 7 * i;
	scene->config.working_days = 1;
	scene->config.excluded_dates = (struct field_list){ mondays, 60 };
	scene_start(scene, 3);
	assert_int_equal(scene_batch(scene).status, BATCH_FAILED);
	assert_refused(scene, campaign_schedule, &schedule_fields, REFUSED_NO_DAY);
	assert_refused(scene, campaign_preview, &batch_fields, REFUSED_NO_DAY);
	scene->config.excluded_dates.count = 0;
	assert_ok(scene_change(scene, "excluded_dates"));
	assert_int_equal(scene_batch(scene).status, BATCH_FAILED);
	assert_true(*scene_batch(scene).status_reason != '\0');
	scene_do(scene, campaign_schedule);
	scene_pass(US_PER_SECOND);
	assert_int_equal(scene_claim(scene, 10), 3);
}

/* Two calls were claimed, and a request was sent for one of them when the campaign failed. The other goes back to
 * the plan. */
static void contacts_that_were_not_requested_are_not_cancelled(void **state)
{
	struct scene *scene = *state;
	struct call_report unasked;
	enum report_result result;

	scene->config.max_concurrent_calls = 2;
	scene_start(scene, 3);
	scene_pass(US_PER_SECOND);
	assert_int_equal(scene_claim(scene, 10), 2);
	ask("UPDATE batch_calls SET status = %d WHERE id = %lld", (int)BATCH_FAILED, (long long)scene->batch);
	unasked = scene_report(&scene->calls[0], CALL_FAILED);
	unasked.premise = CALL_UNASKED;
	assert_ok(reports_apply(scene->fixture->db, 0, &unasked, 1, clock_now_us(), &result));
	assert_int_equal(result, REPORT_ACCEPTED);
	scene_tell(scene, &scene->calls[1], CALL_COMPLETED);
	assert_int_equal(scene_batch(scene).counts.cancelled, 2);
	scene_do(scene, campaign_schedule);
	assert_int_equal(scene_batch(scene).counts.pending, 2);
	scene_pass(US_PER_SECOND);
	assert_int_equal(scene_claim(scene, 10), 2);
	scene_tell_all(scene, CALL_COMPLETED);
	assert_int_equal(scene_batch(scene).counts.completed, 3);
	scene_check_sums(scene);
}

static void a_failed_campaign_without_waiting_contacts(void **state)
{
	struct scene *scene = *state;

	scene_start(scene, 1);
	scene_pass(US_PER_SECOND);
	assert_int_equal(scene_claim(scene, 10), 1);
	ask("UPDATE batch_calls SET status = %d WHERE id = %lld", (int)BATCH_FAILED, (long long)scene->batch);
	scene_tell_all(scene, CALL_COMPLETED);
	assert_refused(scene, campaign_schedule, &schedule_fields, REFUSED_NO_CONTACTS);
	scene_do(scene, campaign_delete);
}

/* Calls wait for the agent, the campaign does not fail, and it goes on by itself. */
static void an_agent_that_is_not_ready_holds_its_campaigns(void **state)
{
	struct scene *scene = *state;

	scene_start(scene, 3);
	scene_pass(US_PER_SECOND);
	for (int i = 0; i < 2; i++) {
		set_agent_status(scene, i == 0 ? AGENT_CREATING : AGENT_FAILED);
		assert_int_equal(scene_batch(scene).waits_for, i == 0 ? BATCH_WAITS_FOR_SYNC : BATCH_WAITS_FOR_AGENT);
		assert_int_equal(scene_claim(scene, 10), 0);
		assert_int_equal(scene_batch(scene).status, BATCH_SCHEDULED);
		scene_pass(US_PER_SECOND);
	}
	set_agent_status(scene, AGENT_ACTIVE);
	assert_int_equal(scene_batch(scene).waits_for, BATCH_WAITS_NOT);
	ask("UPDATE webhook_endpoints SET disabled = 1 WHERE id = %lld", (long long)scene->webhook_row);
	assert_int_equal(scene_batch(scene).waits_for, BATCH_WAITS_FOR_WEBHOOK);
	ask("UPDATE webhook_endpoints SET disabled = 0 WHERE id = %lld", (long long)scene->webhook_row);
	assert_int_equal(scene_claim(scene, 10), 3);
}

static void schedule_in_child(struct scene *scene)
{
	struct campaign_request request = { .table = &schedule_fields };

	scene->fixture->db = db_new(fixture_option_file()); /* a connection of its own */
	_exit(scene_try(scene, campaign_schedule, &request) == DB_REFUSED && request.refusal == REFUSED_AGENT_DELETED ? 0
	                                                                                                              : 1);
}

/* The agent is deleted while the campaign is scheduled: the second transaction sees the change of the first. */
static void an_agent_that_is_deleted_meanwhile(void **state)
{
	struct scene *scene = *state;
	MYSQL *mysql = mysql_init(NULL);
	char text[100];
	pid_t child;
	int status;

	scene_create(scene, 3);
	mysql_options(mysql, MYSQL_READ_DEFAULT_FILE, fixture_option_file());
	mysql_options(mysql, MYSQL_READ_DEFAULT_GROUP, "outdial");
	assert_non_null(mysql_real_connect(mysql, NULL, NULL, NULL, NULL, 0, NULL, 0));
	assert_int_equal(mysql_query(mysql, "START TRANSACTION"), 0);
	snprintf(text, sizeof text, "DELETE FROM agents WHERE id = %lld", (long long)scene->agent_row);
	assert_int_equal(mysql_query(mysql, text), 0);
	child = fork();
	assert_true(child >= 0);
	if (child == 0)
		schedule_in_child(scene);
	wait_for_session("SELECT status FROM agents");
	assert_int_equal(mysql_query(mysql, "COMMIT"), 0);
	mysql_close(mysql);
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_int_equal(status, 0);
	assert_int_equal(scene_batch(scene).status, BATCH_DRAFT);
}

int main(void)
{
	static const struct CMUnitTest group_tests[] = {
		SCENE_TEST(a_draft_is_scheduled_with_all_it_needs),
		SCENE_TEST(a_pause_ends_with_all_it_needs),
		SCENE_TEST(a_pause_without_waiting_contacts_ends),
		SCENE_TEST(a_start_long_ago_is_refused),
		SCENE_TEST(what_has_failed_is_scheduled_again),
		SCENE_TEST(the_window_of_a_failed_campaign_is_corrected),
		SCENE_TEST(contacts_that_were_not_requested_are_not_cancelled),
		SCENE_TEST(a_failed_campaign_without_waiting_contacts),
		SCENE_TEST(an_agent_that_is_not_ready_holds_its_campaigns),
		SCENE_TEST(an_agent_that_is_deleted_meanwhile),
	};

	return cmocka_run_group_tests(group_tests, NULL, NULL);
}
