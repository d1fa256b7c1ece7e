#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/instant.h"
#include "domain/report_fields.h"
#include "engine/purge.h"
#include "scene.h"
#include "store/agent_store.h"
#include "store/batch_store.h"
#include "store/number_store.h"
#include "store/webhook_store.h"

void scene_at(const char *instant)
{
	struct when when;

	if (!when_parse(instant, &when))
		fail_msg("not a time: %s", instant);
	clock_stand(when.us);
}

void scene_pass(int64_t us)
{
	clock_stand(clock_now_us() + us);
}

static void add_dialer(struct scene *scene)
{
	struct webhook webhook = {
		.uuid = uuid_new(),
		.url = "https://dialer.example/",
		.description = "",
		.secret = { "secret", 6 },
		.disabled_reason = "",
	};
	struct agent agent = agent_initial;

	agent.uuid = uuid_new();
	agent.name = "A";
	agent.status = AGENT_ACTIVE;
	assert_ok(webhook_insert(scene->fixture->db, scene->fixture->organization_id, &webhook));
	assert_ok(agent_insert(scene->fixture->db, scene->fixture->organization_id, &agent, webhook.id));
	scene->webhook_row = webhook.id;
	scene->agent_row = agent.id;
	scene->agent_id = agent.uuid;
}

static void add_numbers(struct scene *scene)
{
	char text[16];

	for (int i = 0; i < SCENE_MAX_NUMBERS; i++) {
		struct phone_number number = {
			.uuid = uuid_new(),
			.phone_number = text,
			.friendly_name = "",
		};

		snprintf(text, sizeof text, "+1800555%04d", i);
		assert_ok(number_insert(scene->fixture->db, scene->fixture->organization_id, &number));
		scene->number_ids[i] = number.uuid;
	}
}

int scene_set_up(void **state)
{
	struct scene *scene = calloc(1, sizeof *scene);
	void *fixture;

	assert_non_null(scene);
	scene_at("2026-06-01T08:00Z");
	fixture_set_up(&fixture);
	scene->fixture = fixture;
	assert_ok(db_ready(scene->fixture->db));
	add_dialer(scene);
	add_numbers(scene);
	scene->config = *(const struct batch_config *)batch_fields.initial;
	scene->config.name = "C";
	scene->config.agent_id = scene->agent_id;
	scene->config.working_days = 0x7f;
	scene->config.phone_number_ids = (struct field_list){ scene->number_ids, 1 };
	scene->room = SCENE_MAX_CALLS;
	*state = scene;
	return 0;
}

/* The rows that a test leaves must not be due for the next test. */
static void retire_campaigns(struct scene *scene)
{
	ask("UPDATE batch_calls SET wake_at = '9999-12-31', work = 0 WHERE organization_id = %lld",
	    (long long)scene->fixture->organization_id);
}

int scene_tear_down(void **state)
{
	struct scene *scene = *state;
	void *fixture = scene->fixture;

	retire_campaigns(scene);
	fixture_tear_down(&fixture);
	free(scene);
	return 0;
}

struct deed {
	campaign_action *action;
	struct campaign_request *request;
};

static enum db_result carry_out(struct db *db, void *context)
{
	const struct deed *deed = context;

	return deed->action(db, deed->request);
}

enum db_result scene_try(struct scene *scene, campaign_action *action, struct campaign_request *request)
{
	struct deed deed = { action, request };

	request->organization_id = scene->fixture->organization_id;
	request->uuid = scene->batch_id;
	request->now_us = clock_now_us();
	request->arena = scene->fixture->arena;
	return db_transact(scene->fixture->db, DB_ONCE, carry_out, &deed);
}

void scene_do(struct scene *scene, campaign_action *action)
{
	struct campaign_request request = { .table = &schedule_fields };

	assert_ok(scene_try(scene, action, &request));
}

static struct field_list contacts(struct scene *scene, int first, int count)
{
	struct contact_input *list = arena_alloc(scene->fixture->arena, (size_t)count * sizeof *list);

	for (int i = 0; i < count; i++)
		list[i] = (struct contact_input){
			.phone_number = arena_printf(scene->fixture->arena, "+49%09d", first + i),
			.first_name = "",
			.last_name = "",
			.email = "",
			.timezone = "",
			.custom_fields = "",
		};
	return (struct field_list){ list, (size_t)count };
}

void scene_create(struct scene *scene, int count)
{
	struct campaign_request request = { .table = &batch_fields, .config = scene->config };

	scene->batch_id = uuid_new();
	request.config.contacts = contacts(scene, 1, count);
	assert_ok(scene_try(scene, campaign_create, &request));
	scene->batch = request.batch.id;
}

void scene_start(struct scene *scene, int count)
{
	scene_create(scene, count);
	scene_do(scene, campaign_schedule);
}

void scene_add(struct scene *scene, int first, int count)
{
	struct campaign_request request = { .table = &contacts_fields };

	request.config.contacts = contacts(scene, first, count);
	assert_ok(scene_try(scene, campaign_add_contacts, &request));
}

enum db_result scene_change(struct scene *scene, const char *field)
{
	struct campaign_request request = { .table = &batch_fields, .config = scene->config };

	for (size_t i = 0; i < batch_fields.count; i++)
		if (strcmp(batch_fields.fields[i].name, field) == 0)
			request.given = UINT64_C(1) << i;
	assert_true(request.given != 0);
	return scene_try(scene, campaign_change, &request);
}

struct batch scene_batch(struct scene *scene)
{
	struct batch batch;

	assert_ok(batch_get_row(scene->fixture->db, scene->batch, scene->fixture->arena, &batch));
	return batch;
}

static int room_at(const void *context, const struct claim_dialer *dialer, const struct claim_taken *taken)
{
	(void)dialer;
	assert_true(taken->all >= taken->same);
	return *(const int *)context - taken->same;
}

static int claim_ahead(struct db *db, int64_t ahead_us, int room, struct uuid *ids, int max_calls,
                       enum db_result *result)
{
	struct claim_limits limits = {
		.max_calls = max_calls,
		.ahead_us = ahead_us,
		.lease_us = 30 * US_PER_SECOND,
		.dispatch_ttl_us = 120 * US_PER_SECOND,
		.room_at = room_at,
		.context = &room,
	};
	int count, looked;

	*result = claim_due_calls(db, &limits, ids, NULL, &count, &looked);
	return count;
}

int scene_claim_with(struct db *db, int room, struct uuid *ids, int max_calls, enum db_result *result)
{
	return claim_ahead(db, 0, room, ids, max_calls, result);
}

int scene_claim(struct scene *scene, int max_calls)
{
	enum db_result result;

	scene->call_count = claim_ahead(scene->fixture->db, scene->ahead_us, scene->room, scene->calls, max_calls, &result);
	assert_ok(result);
	return scene->call_count;
}

static enum db_result plan_step(struct db *db, void *context)
{
	struct scene *scene = context;
	struct batch batch;

	DB_TRY(batch_lock(db, scene->fixture->organization_id, &scene->batch_id, scene->fixture->arena, &batch));
	return campaign_plan(db, &batch, 1, clock_now_us());
}

void scene_plan(struct scene *scene)
{
	while (scene_batch(scene).work != BATCH_WORK_DISPATCH)
		assert_ok(db_transact(scene->fixture->db, DB_ONCE, plan_step, scene));
}

struct call_report scene_report(const struct uuid *call, enum call_status status)
{
	struct call_report report = *(const struct call_report *)report_fields.initial;

	report.call_id = *call;
	report.status = (int)status;
	return report;
}

enum report_result scene_tell(struct scene *scene, const struct uuid *call, enum call_status status)
{
	struct call_report report = scene_report(call, status);
	enum report_result result;

	assert_ok(reports_apply(scene->fixture->db, scene->fixture->organization_id, &report, 1, clock_now_us(), &result));
	return result;
}

void scene_tell_all(struct scene *scene, enum call_status status)
{
	struct call_report reports[SCENE_MAX_CALLS];
	enum report_result results[SCENE_MAX_CALLS];

	for (int i = 0; i < scene->call_count; i++)
		reports[i] = scene_report(&scene->calls[i], status);
	assert_ok(reports_apply(scene->fixture->db, 0, reports, (size_t)scene->call_count, clock_now_us(), results));
	for (int i = 0; i < scene->call_count; i++)
		assert_int_equal(results[i], REPORT_ACCEPTED);
}

static void check_contacts(const struct scene *scene, enum contact_status status, int64_t expected)
{
	assert_int_equal(ask("SELECT COUNT(*) FROM batch_contacts WHERE batch_id = %lld AND status = %d",
	                     (long long)scene->batch, status),
	                 expected);
}

int64_t scene_of_calls(struct scene *scene, const char *what)
{
	return ask("SELECT %s FROM calls WHERE batch_id = %lld", what, (long long)scene->batch);
}

int64_t scene_due_where(struct scene *scene, const char *where)
{
	return ask("SELECT COUNT(*) FROM due_contacts WHERE batch_id = %lld AND %s", (long long)scene->batch, where);
}

static enum db_result purge(struct db *db, void *context)
{
	struct batch batch = scene_batch(context);

	return purge_step(db, &batch, clock_now_us());
}

void scene_purge(struct scene *scene)
{
	assert_ok(db_transact(scene->fixture->db, DB_ONCE, purge, scene));
}

void scene_check_sums(struct scene *scene)
{
	struct batch batch = scene_batch(scene);
	const struct batch_counts *counts = &batch.counts;
	long long id = scene->batch;

	check_contacts(scene, CONTACT_IN_PROGRESS, counts->in_progress);
	check_contacts(scene, CONTACT_COMPLETED, counts->completed);
	check_contacts(scene, CONTACT_FAILED, counts->failed);
	check_contacts(scene, CONTACT_VOICEMAIL, counts->voicemail);
	check_contacts(scene, CONTACT_NO_ANSWER, counts->no_answer);
	check_contacts(scene, CONTACT_BUSY, counts->busy);
	check_contacts(scene, CONTACT_SKIPPED, counts->skipped);
	check_contacts(scene, CONTACT_PENDING, batch_is_over(batch.status) ? counts->cancelled : counts->pending);
	assert_int_equal(ask("SELECT COUNT(*) FROM batch_contacts WHERE batch_id = %lld", id), counts->total);
	assert_int_equal(ask("SELECT COUNT(*) FROM batch_contacts WHERE batch_id = %lld AND attempts > 0", id),
	                 counts->called);
	assert_int_equal(ask("SELECT COUNT(*) FROM calls WHERE batch_id = %lld AND status < 4"
	                     " AND NOT (status = 0 AND expires_at = '1000-01-01')",
	                     id),
	                 counts->in_progress);
	assert_int_equal(
		ask("SELECT waiting FROM batch_calls WHERE id = %lld", id),
		ask("SELECT COUNT(*) FROM calls WHERE batch_id = %lld AND status = 0 AND expires_at = '1000-01-01'", id));
	assert_int_equal(ask("SELECT waiting FROM batch_calls WHERE id = %lld", id),
	                 ask("SELECT COUNT(*) FROM due_contacts WHERE batch_id = %lld AND waits = 1", id));
	assert_int_equal(ask("SELECT claimed + waiting FROM batch_calls WHERE id = %lld", id),
	                 ask("SELECT COUNT(*) FROM calls WHERE batch_id = %lld", id));
	assert_int_equal(ask("SELECT SUM(calls) FROM batch_quarters WHERE batch_id = %lld", id),
	                 ask("SELECT COUNT(*) FROM calls WHERE batch_id = %lld AND status > 3", id));
}
