/* Which actions a campaign allows and when, and their effects on its rows and events. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/clock.h"
#include "base/instant.h"
#include "base/json.h"
#include "scene.h"
#include "store/batch_contact_store.h"
#include "store/batch_store.h"

#define HOUR (60 * US_PER_MINUTE)

static void set_status(struct scene *scene, enum batch_status status)
{
	ask("UPDATE batch_calls SET status = %d WHERE id = %lld", status, (long long)scene->batch);
}

static campaign_action *const actions[] = {
	campaign_change, campaign_add_contacts, campaign_schedule, campaign_pause,
	campaign_resume, campaign_cancel,       campaign_delete,
};

static void every_action_in_every_state(void **state)
{
	static const enum batch_action names[] = {
		BATCH_CHANGE, BATCH_ADD_CONTACTS, BATCH_SCHEDULE, BATCH_PAUSE, BATCH_RESUME, BATCH_CANCEL, BATCH_DELETE,
	};
	struct scene *scene = *state;

	for (size_t a = 0; a < sizeof actions / sizeof *actions; a++)
		for (enum batch_status status = 0; status < BATCH_STATUS__MAX; status++) {
			struct campaign_request request = { .table = &batch_fields, .config = scene->config };
			bool allowed = batch_allows(status, names[a]);

			scene_create(scene, 2);
			set_status(scene, status);
			assert_int_equal(scene_try(scene, actions[a], &request), allowed ? DB_OK : DB_REFUSED);
			assert_int_equal(scene_batch(scene).status, allowed ? batch_after(status, names[a], false) : status);
			if (!allowed)
				assert_int_equal(request.refusal, REFUSED_STATE);
		}
}

static void a_missing_campaign_is_not_found(void **state)
{
	struct scene *scene = *state;

	for (size_t a = 0; a < sizeof actions / sizeof *actions; a++) {
		struct campaign_request request = { .table = &batch_fields };

		scene->batch_id = uuid_new();
		assert_int_equal(scene_try(scene, actions[a], &request), DB_NOT_FOUND);
	}
}

static enum refusal creation_is_refused(struct scene *scene, const struct batch_config *config)
{
	struct campaign_request request = { .table = &batch_fields, .config = *config };

	scene->batch_id = uuid_new();
	assert_int_equal(scene_try(scene, campaign_create, &request), DB_REFUSED);
	assert_int_equal(ask("SELECT COUNT(*) FROM batch_calls WHERE organization_id = %lld",
	                     (long long)scene->fixture->organization_id),
	                 0);
	return request.refusal;
}

static void what_a_campaign_needs(void **state)
{
	struct scene *scene = *state;
	struct batch_config config = scene->config;
	struct uuid numbers[2] = { scene->number_ids[0], uuid_new() };

	config.agent_id = uuid_new();
	assert_int_equal(creation_is_refused(scene, &config), REFUSED_AGENT);
	config = scene->config;
	config.phone_number_ids = (struct field_list){ numbers, 2 };
	assert_int_equal(creation_is_refused(scene, &config), REFUSED_NUMBER);
	config.phone_number_ids.count = 0;
	assert_int_equal(creation_is_refused(scene, &config), REFUSED_NO_NUMBER);
	ask("UPDATE agents SET status = 1 WHERE id = %lld", (long long)scene->agent_row);
	assert_int_equal(creation_is_refused(scene, &scene->config), REFUSED_AGENT_NOT_READY);
}

static void without_numbers_a_campaign_gets_its_agents_numbers(void **state)
{
	struct scene *scene = *state;
	const struct uuid *ids;
	struct batch batch;

	ask("UPDATE phone_numbers SET outbound_agent_id = %lld WHERE organization_id = %lld AND phone_number IN"
	    " ('+18005550003', '+18005550007')",
	    (long long)scene->agent_row, (long long)scene->fixture->organization_id);
	scene->config.phone_number_ids.count = 0;
	scene_create(scene, 1);
	batch = scene_batch(scene);
	ids = batch.config.phone_number_ids.items;
	assert_int_equal(batch.config.phone_number_ids.count, 2);
	assert_true(uuid_equal(&ids[0], &scene->number_ids[3]));
	assert_true(uuid_equal(&ids[1], &scene->number_ids[7]));
	assert_string_equal(batch.from_number, "+18005550003");
}

/* Sets a value that is not the default, if the type of the field determines such a value. */
static void fill(const struct field *field, void *at)
{
	unsigned first = 0;

	switch (field->type) {
	case FIELD_INT: *(int64_t *)at = field->max; break;
	case FIELD_BOOL: *(bool *)at = !*(bool *)at; break;
	case FIELD_CHOICE: *(int *)at = 1; break;
	case FIELD_CHOICES:
		while (*field->choices[first] == '\0')
			first++;
		*(unsigned *)at = 1u << first;
		break;
	case FIELD_WEEKDAYS: *(unsigned *)at = 0x55; break;
	case FIELD_OBJECT: *(const char **)at = "{\"a\":\"\\u0000\"}"; break;
	default: break;
	}
}

static const char *as_json(struct scene *scene, const struct batch_config *config)
{
	struct buf text = { .arena = scene->fixture->arena };
	struct json json = json_to(&text);

	json_begin_object(&json, NULL);
	field_write(&json, &batch_fields, config);
	json_end(&json);
	return text.data;
}

static void what_is_written_is_read(void **state)
{
	static const int32_t dates[] = { 20000, 20001, 20700 };
	static const struct calling_window windows[] = { { 0x15, 0, 60 }, { 0x40, 600, 1440 } };
	static const struct retry_rule rules[] = { { CALL_BUSY, 1, 2 } };
	struct scene *scene = *state;
	struct batch_config *config = &scene->config, read;

	for (size_t i = 0; i < batch_fields.count; i++)
		if ((batch_fields.fields[i].flags & FIELD_UNSHOWN) == 0)
			fill(&batch_fields.fields[i], (char *)config + batch_fields.fields[i].offset);
	config->name = "\xc3\xa4 'name' \\ \xf0\x9f\x98\x80";
	config->phone_number_ids = (struct field_list){ scene->number_ids, 10 };
	config->scheduled_at.us = 1780300800000001;
	config->timezone = "America/Argentina/Buenos_Aires";
	config->window_start = 0;
	config->window_end = 1440;
	config->calling_windows = (struct field_list){ windows, 2 };
	config->excluded_dates = (struct field_list){ dates, 3 };
	config->retry_rules = (struct field_list){ rules, 1 };
	scene_create(scene, 1);
	read = scene_batch(scene).config;
	assert_false(batch_plan_differs(&read, config));
	assert_string_equal(as_json(scene, &read), as_json(scene, config));
}

static void contacts_are_stored_as_they_came(void **state)
{
	struct scene *scene = *state;
	struct contact_input who = {
		.phone_number = "+491701234567",
		.first_name = "\xf0\x9f\x98\x80\"\\/",
		.last_name = "O'Neil\t\x01",
		.email = "a@b",
		.timezone = "Europe/Berlin",
		.custom_fields = "{\"k\":\"\\\"\\\\ \\u00e4\"}",
	};
	struct campaign_request request = { .table = &contacts_fields, .config.contacts = { &who, 1 } };
	struct batch_contact read;
	struct batch batch;

	scene_create(scene, 1);
	assert_ok(scene_try(scene, campaign_add_contacts, &request));
	assert_int_equal(request.added, 1);
	batch = scene_batch(scene);
	assert_ok(batch_contact_get(scene->fixture->db, &batch, 2, scene->fixture->arena, &read));
	assert_string_equal(read.who.phone_number, who.phone_number);
	assert_string_equal(read.who.first_name, who.first_name);
	assert_string_equal(read.who.last_name, who.last_name);
	assert_string_equal(read.who.email, who.email);
	assert_string_equal(read.who.timezone, who.timezone);
	assert_string_equal(read.who.custom_fields, who.custom_fields);
	assert_int_equal(read.status, CONTACT_PENDING);
	assert_int_equal(batch_contact_get(scene->fixture->db, &batch, 3, scene->fixture->arena, &read), DB_NOT_FOUND);
}

/* As many as a request takes, with fields so long that they do not fit into one statement. */
static void many_bytes_of_contacts(void **state)
{
	enum { COUNT = 1500, SIZE = 16000 };
	struct scene *scene = *state;
	struct contact_input *list = arena_alloc(scene->fixture->arena, COUNT * sizeof *list);
	struct campaign_request request = { .table = &contacts_fields, .config.contacts = { list, COUNT } };
	char *quotes = arena_alloc(scene->fixture->arena, SIZE + 1);

	memcpy(quotes, "{\"q\":\"", 6);
	for (int i = 6; i < SIZE - 2; i += 2)
		memcpy(quotes + i, "\\\"", 2);
	memcpy(quotes + SIZE - 2, "\"}", 2);
	for (int i = 0; i < COUNT; i++)
		list[i] = (struct contact_input){
			.phone_number = arena_printf(scene->fixture->arena, "+1%d", i),
			.first_name = "",
			.last_name = "",
			.email = "",
			.timezone = "",
			.custom_fields = i % 500 == 499 ? "" : quotes,
		};
	scene_create(scene, 1);
	assert_ok(scene_try(scene, campaign_add_contacts, &request));
	assert_int_equal(ask("SELECT COUNT(*) FROM batch_contacts WHERE batch_id = %lld AND position BETWEEN 2 AND %d"
	                     " AND phone_number = CONCAT('+1', position - 2) AND LENGTH(custom_fields) IN (0, %d)",
	                     (long long)scene->batch, COUNT + 1, SIZE),
	                 COUNT);
}

static void the_same_number_is_called_once(void **state)
{
	struct scene *scene = *state;

	scene_create(scene, 3);
	scene_add(scene, 2, 4); /* 2 and 3 are in the campaign already */
	scene_add(scene, 2, 1);
	assert_int_equal(scene_batch(scene).counts.total, 8);
	assert_int_equal(scene_batch(scene).counts.skipped, 3);
	scene_do(scene, campaign_schedule);
	scene_pass(US_PER_SECOND);
	assert_int_equal(scene_claim(scene, 100), 5);
	scene_tell_all(scene, CALL_COMPLETED);
	scene_claim(scene, 100);
	assert_int_equal(scene_batch(scene).status, BATCH_COMPLETED);
	scene_check_sums(scene);
}

static void a_campaign_without_contacts_cannot_be_scheduled(void **state)
{
	struct scene *scene = *state;
	struct campaign_request request = { .table = &schedule_fields };

	scene_create(scene, 0);
	assert_int_equal(scene_try(scene, campaign_schedule, &request), DB_REFUSED);
	assert_int_equal(request.refusal, REFUSED_NO_CONTACTS);
}

static void resume_plans_overdue_contacts_again(void **state)
{
	struct scene *scene = *state;

	scene->config.calls_per_minute = 1;
	scene_start(scene, 10);
	scene_do(scene, campaign_pause);
	scene_pass(5 * US_PER_MINUTE);
	scene_do(scene, campaign_resume);
	assert_int_equal(scene_batch(scene).status, BATCH_ACTIVE);
	assert_int_equal(ask("SELECT TIMESTAMPDIFF(MINUTE, MIN(due_at), MAX(due_at)) FROM due_contacts WHERE batch_id = "
	                     "%lld",
	                     (long long)scene->batch),
	                 9);
	assert_int_equal(ask("SELECT MIN(due_at) >= '2026-06-01 08:05' FROM due_contacts WHERE batch_id = %lld",
	                     (long long)scene->batch),
	                 1);
}

static void resume_before_the_start_is_scheduled_again(void **state)
{
	struct scene *scene = *state;
	struct campaign_request request = { .table = &schedule_fields, .given = 1 };

	scene_create(scene, 1);
	request.config.scheduled_at.us = clock_now_us() + HOUR;
	assert_ok(scene_try(scene, campaign_schedule, &request));
	scene_do(scene, campaign_pause);
	scene_do(scene, campaign_resume);
	assert_int_equal(scene_batch(scene).status, BATCH_SCHEDULED);
	scene_pass(HOUR + US_PER_SECOND);
	assert_int_equal(scene_claim(scene, 10), 1);
}

static void an_active_campaign_keeps_some_fields(void **state)
{
	struct scene *scene = *state;

	scene_start(scene, 5);
	set_status(scene, BATCH_ACTIVE);
	assert_int_equal(scene_change(scene, "timezone"), DB_REFUSED);
	scene->config.name = "Another";
	assert_ok(scene_change(scene, "name"));
	assert_string_equal(scene_batch(scene).config.name, "Another");
	scene->config.phone_number_ids = (struct field_list){ scene->number_ids + 4, 3 };
	assert_ok(scene_change(scene, "phone_number_ids"));
	assert_string_equal(scene_batch(scene).from_number, "+18005550004");
}

static int64_t rows_left(struct scene *scene)
{
	long long id = scene->batch;

	return ask("SELECT (SELECT COUNT(*) FROM batch_calls WHERE id = %lld) + (SELECT COUNT(*) FROM batch_contacts WHERE"
	           " batch_id = %lld) + (SELECT COUNT(*) FROM due_contacts WHERE batch_id = %lld) + (SELECT COUNT(*) FROM"
	           " calls WHERE batch_id = %lld) + (SELECT COUNT(*) FROM batch_counters WHERE batch_id = %lld) +"
	           " (SELECT COUNT(*) FROM batch_numbers WHERE batch_id = %lld)",
	           id, id, id, id, id, id);
}

static void a_deleted_campaign_leaves_nothing_behind(void **state)
{
	struct scene *scene = *state;
	struct batch batch;

	scene_start(scene, 20);
	scene_pass(US_PER_SECOND);
	assert_int_equal(scene_claim(scene, 100), 10);
	scene_do(scene, campaign_cancel);
	scene_do(scene, campaign_delete);
	assert_int_equal(batch_get(scene->fixture->db, scene->fixture->organization_id, &scene->batch_id,
	                           scene->fixture->arena, &batch),
	                 DB_NOT_FOUND);
	scene_purge(scene);
	assert_true(rows_left(scene) > 30); /* calls under way may still be reported */
	scene_tell_all(scene, CALL_COMPLETED);
	scene_purge(scene);
	assert_int_equal(rows_left(scene), 0);
	assert_int_equal(scene_tell(scene, &scene->calls[0], CALL_BUSY), REPORT_NOT_FOUND);
}

int main(void)
{
	static const struct CMUnitTest group_tests[] = {
		SCENE_TEST(every_action_in_every_state),
		SCENE_TEST(a_missing_campaign_is_not_found),
		SCENE_TEST(what_a_campaign_needs),
		SCENE_TEST(without_numbers_a_campaign_gets_its_agents_numbers),
		SCENE_TEST(what_is_written_is_read),
		SCENE_TEST(contacts_are_stored_as_they_came),
		SCENE_TEST(many_bytes_of_contacts),
		SCENE_TEST(the_same_number_is_called_once),
		SCENE_TEST(a_campaign_without_contacts_cannot_be_scheduled),
		SCENE_TEST(resume_plans_overdue_contacts_again),
		SCENE_TEST(resume_before_the_start_is_scheduled_again),
		SCENE_TEST(an_active_campaign_keeps_some_fields),
		SCENE_TEST(a_deleted_campaign_leaves_nothing_behind),
	};

	return cmocka_run_group_tests(group_tests, NULL, NULL);
}
