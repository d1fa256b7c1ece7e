/* States of a campaign, its fields and their defaults, and which number calls next. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/clock.h"
#include "domain/batch.h"
#include "domain/scope.h"

static void states_and_actions(void **state)
{
	/* draft, scheduled, active, paused, completed, failed, cancelled, deleted */
	static const struct {
		enum batch_action action;
		const char *allowed;
		int becomes;
	} table[] = {
		{ BATCH_CHANGE, "yyyynynn", -1 },
		{ BATCH_ADD_CONTACTS, "yyyynnnn", -1 },
		{ BATCH_REMOVE_CONTACT, "yyyynnnn", -1 },
		{ BATCH_REMOVE_CONTACTS, "ynnnnnnn", -1 },
		{ BATCH_SCHEDULE, "ynnnnynn", BATCH_SCHEDULED },
		{ BATCH_PAUSE, "nyynnnnn", BATCH_PAUSED },
		{ BATCH_RESUME, "nnnynnnn", BATCH_ACTIVE },
		{ BATCH_CANCEL, "yyyynnnn", BATCH_CANCELLED },
		{ BATCH_DELETE, "ynnnyyyn", BATCH_DELETED },
		{ BATCH_START, "nynnnnnn", BATCH_ACTIVE },
		{ BATCH_COMPLETE, "nyynnnnn", BATCH_COMPLETED },
		{ BATCH_FAIL, "nyynnnnn", BATCH_FAILED },
	};

	(void)state;
	assert_int_equal(sizeof table / sizeof *table, BATCH_ACTION__MAX);
	for (size_t i = 0; i < BATCH_ACTION__MAX; i++)
		for (enum batch_status status = 0; status <= BATCH_DELETED; status++) {
			assert_int_equal(batch_allows(status, table[i].action), table[i].allowed[status] == 'y');
			assert_int_equal(batch_after(status, table[i].action, false),
			                 table[i].becomes < 0 ? (int)status : table[i].becomes);
		}
	assert_int_equal(batch_after(BATCH_PAUSED, BATCH_RESUME, true), BATCH_SCHEDULED);
	for (enum batch_status status = 0; status <= BATCH_DELETED; status++) {
		assert_int_equal(batch_is_running(status), status == BATCH_SCHEDULED || status == BATCH_ACTIVE);
		assert_int_equal(batch_is_over(status), status >= BATCH_COMPLETED);
	}
}

static void contacts_that_wait_count_as_cancelled_in_a_campaign_that_is_over(void **state)
{
	struct batch_counts counts = { .total = 10, .pending = 6, .cancelled = 1, .completed = 3 };

	(void)state;
	batch_counts_settle(&counts, BATCH_PAUSED);
	assert_int_equal(counts.pending, 6);
	batch_counts_settle(&counts, BATCH_CANCELLED);
	batch_counts_settle(&counts, BATCH_CANCELLED);
	assert_int_equal(counts.pending, 0);
	assert_int_equal(counts.cancelled, 7);
}

static void numbers_in_turn_and_by_share(void **state)
{
	(void)state;
	for (int claimed = 0; claimed < 9; claimed++)
		assert_int_equal(rotation_pick(ROTATION_ROUND_ROBIN, 3, 0, 9, claimed, 0), claimed % 3);
	for (int called = 0; called < 10; called++)
		assert_int_equal(rotation_pick(ROTATION_SEQUENTIAL, 3, called, 10, 0, 0), called * 3 / 10);
	assert_int_equal(rotation_pick(ROTATION_SEQUENTIAL, 3, 10, 10, 12, 0), 2); /* retries, when all were called */
	assert_int_equal(rotation_pick(ROTATION_SEQUENTIAL, 3, 0, 0, 0, 0), 0);
	assert_int_equal(rotation_pick(ROTATION_SEQUENTIAL, 100, UINT32_MAX, UINT32_MAX, 0, 0), 99);
	assert_int_equal(rotation_pick(ROTATION_ROUND_ROBIN, 1, 5, 9, 7, 0), 0);
}

static void numbers_at_random(void **state)
{
	int picked[3] = { 0 };

	(void)state;
	for (uint64_t random_bits = 0; random_bits <= UINT32_MAX; random_bits += 4294967)
		picked[rotation_pick(ROTATION_RANDOM, 3, 0, 0, 0, (uint32_t)random_bits)]++;
	for (int i = 0; i < 3; i++)
		assert_in_range(picked[i], 330, 337);
	assert_int_equal(rotation_pick(ROTATION_RANDOM, 100, 0, 0, 0, UINT32_MAX), 99);
}

static enum field_result read(struct arena *arena, const char *body, struct batch_config *config, struct faults *faults)
{
	enum field_result result;
	uint64_t given;

	*faults = (struct faults){ .arena = arena };
	result = field_read(&batch_fields, FIELD_CREATE, body, strlen(body), config, &given, faults);
	if (result == FIELD_OK)
		batch_config_settle(config, &batch_fields, given, faults);
	return result == FIELD_OK && faults->count != 0 ? FIELD_INVALID : result;
}

#define NEEDED "\"name\":\"x\",\"agent_id\":\"01890a5d-ac96-774b-bcce-b302099a8057\""

static void defaults(void **state)
{
	struct arena *arena = arena_new();
	struct batch_config config;
	struct faults faults;

	(void)state;
	assert_int_equal(read(arena, "{" NEEDED "}", &config, &faults), FIELD_OK);
	assert_int_equal(config.phone_rotation_strategy, ROTATION_RANDOM);
	assert_int_equal(config.schedule_type, SCHEDULE_IMMEDIATE);
	assert_string_equal(config.timezone, "UTC");
	assert_int_equal(config.window_start, -1);
	assert_int_equal(config.working_days, 0x1f);
	assert_int_equal(config.max_concurrent_calls, 10);
	assert_int_equal(config.max_calls_per_day, 0);
	assert_false(config.retry_failed);
	assert_int_equal(config.max_retry_attempts, 0);
	assert_int_equal(config.retry_delay_minutes, 30);
	assert_int_equal(config.retry_on, CALL_BIT(CALL_FAILED) | CALL_BIT(CALL_NO_ANSWER) | CALL_BIT(CALL_BUSY));
	arena_free(arena);
}

static void bodies_with_one_fault(void **state)
{
	static const struct {
		const char *body, *field;
	} bad[] = {
		{ "{\"name\":\"\",\"agent_id\":\"01890a5d-ac96-774b-bcce-b302099a8057\"}", "name" },
		{ "{\"name\":\"x\"}", "agent_id" },
		{ "{" NEEDED ",\"max_concurrent_calls\":0}", "max_concurrent_calls" },
		{ "{" NEEDED ",\"calling_windows\":[{\"days\":[1],\"start\":\"09:00\",\"end\":\"10:00\"}],"
		  "\"start_time\":\"09:00\",\"end_time\":\"10:00\"}",
		  "calling_windows" },
		{ "{" NEEDED ",\"calling_windows\":[{\"days\":[1],\"start\":\"09:00\",\"end\":\"09:00\"}]}",
		  "calling_windows[0].end" },
		{ "{" NEEDED ",\"calling_windows\":[{\"days\":[1],\"start\":\"09:00\"}]}", "calling_windows[0].end" },
		{ "{" NEEDED ",\"calling_windows\":[{\"days\":[1],\"start\":\"09:00\",\"end\":\"10:00\"}],"
		  "\"working_days\":[2]}",
		  "working_days" },
		{ "{" NEEDED ",\"max_concurrent_calls\":101}", "max_concurrent_calls" },
		{ "{" NEEDED ",\"max_calls_per_day\":0}", "max_calls_per_day" },
		{ "{" NEEDED ",\"max_retry_attempts\":4}", "max_retry_attempts" },
		{ "{" NEEDED ",\"retry_delay_minutes\":-1}", "retry_delay_minutes" },
		{ "{" NEEDED ",\"retry_on\":[\"completed\"]}", "retry_on" },
		{ "{" NEEDED ",\"working_days\":[]}", "working_days" },
		{ "{" NEEDED ",\"working_days\":[0]}", "working_days" },
		{ "{" NEEDED ",\"timezone\":\"Mars/Olympus\"}", "timezone" },
		{ "{" NEEDED ",\"timezone\":null}", "timezone" },
		{ "{" NEEDED ",\"start_time\":\"09:00\"}", "end_time" },
		{ "{" NEEDED ",\"end_time\":\"09:00\"}", "start_time" },
		{ "{" NEEDED ",\"start_time\":\"09:00\",\"end_time\":\"09:00\"}", "end_time" },
		{ "{" NEEDED ",\"start_time\":\"24:00\",\"end_time\":\"00:00\"}", "end_time" },
		{ "{" NEEDED ",\"schedule_type\":\"scheduled\"}", "scheduled_at" },
		{ "{" NEEDED ",\"contacts\":[{\"first_name\":\"x\"}]}", "contacts[0].phone_number" },
		{ "{" NEEDED ",\"contacts\":[{\"phone_number\":\"+1\"}]}", "contacts[0].phone_number" },
		{ "{" NEEDED ",\"contacts\":[{\"phone_number\":\"+49170\",\"timezone\":\"X\"}]}", "contacts[0].timezone" },
		{ "{" NEEDED ",\"unknown\":1}", "unknown" },
	};
	struct arena *arena = arena_new();
	struct batch_config config;
	struct faults faults;

	(void)state;
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
		if (read(arena, bad[i].body, &config, &faults) != FIELD_INVALID)
			fail_msg("%s was taken", bad[i].body);
		assert_int_equal(faults.count, 1);
		assert_string_equal(faults.list[0].field, bad[i].field);
	}
	arena_free(arena);
}

static void a_start_without_offset_is_local(void **state)
{
	struct arena *arena = arena_new();
	struct batch_config config;
	struct faults faults;
	struct when expected;

	(void)state;
	assert_int_equal(read(arena,
	                      "{" NEEDED ",\"timezone\":\"America/New_York\",\"schedule_type\":\"scheduled\","
	                      "\"scheduled_at\":\"2026-07-01T09:00\"}",
	                      &config, &faults),
	                 FIELD_OK);
	assert_true(when_parse("2026-07-01T13:00Z", &expected));
	assert_int_equal(config.scheduled_at.us, expected.us);
	batch_config_settle(&config, &batch_fields, 0, &faults); /* once is enough */
	assert_int_equal(config.scheduled_at.us, expected.us);
	arena_free(arena);
}

static void changes_that_make_a_plan_wrong(void **state)
{
	static const int32_t days[] = { 1, 2 };
	static const struct calling_window windows[] = { { 1, 0, 60 }, { 2, 60, 0 } };
	const struct batch_config base = *(const struct batch_config *)batch_fields.initial;
	struct batch_config other = base;

	(void)state;
	assert_false(batch_plan_differs(&base, &other));
	other.name = "y";
	other.max_concurrent_calls = 1;
	other.retry_failed = true;
	assert_false(batch_plan_differs(&base, &other));
	other = base, other.timezone = "Europe/Berlin";
	assert_true(batch_plan_differs(&base, &other));
	other = base, other.window_end = 1000;
	assert_true(batch_plan_differs(&base, &other));
	other = base, other.working_days = 1;
	assert_true(batch_plan_differs(&base, &other));
	other = base, other.max_calls_per_day = 1;
	assert_true(batch_plan_differs(&base, &other));
	other = base, other.calls_per_minute = 1;
	assert_true(batch_plan_differs(&base, &other));
	other = base, other.scheduled_at.us = 0;
	assert_true(batch_plan_differs(&base, &other));
	other = base, other.excluded_dates = (struct field_list){ days, 2 };
	assert_true(batch_plan_differs(&base, &other));
	assert_false(batch_plan_differs(&other, &other));
	other = base, other.calling_windows = (struct field_list){ windows, 2 };
	assert_true(batch_plan_differs(&base, &other));
	assert_false(batch_plan_differs(&other, &other));
	other = base, other.respect_contact_timezone = true;
	assert_true(batch_plan_differs(&base, &other));
}

static void the_pace_is_whole_milliseconds(void **state)
{
	struct batch_config config = *(const struct batch_config *)batch_fields.initial;

	(void)state;
	for (config.calls_per_minute = 1; config.calls_per_minute <= 60000; config.calls_per_minute += 7) {
		int64_t gap_us = batch_plan_rules(&config).gap_us;

		assert_int_equal(gap_us % US_PER_MS, 0);
		assert_true(gap_us * config.calls_per_minute >= US_PER_MINUTE); /* never faster than asked */
	}
}

static void scopes(void **state)
{
	unsigned scopes;

	(void)state;
	assert_true(scopes_parse("read,write", &scopes));
	assert_int_equal(scopes, SCOPE_BIT(SCOPE_READ) | SCOPE_BIT(SCOPE_WRITE));
	assert_true(scopes_parse("all", &scopes));
	assert_int_equal(scopes, SCOPES_ALL);
	assert_false(scopes_parse("", &scopes));
	assert_false(scopes_parse("read,", &scopes));
	assert_false(scopes_parse("read, write", &scopes));
	assert_false(scopes_parse("reader", &scopes));
}

int main(void)
{
	static const struct CMUnitTest group_tests[] = {
		cmocka_unit_test(states_and_actions),
		cmocka_unit_test(contacts_that_wait_count_as_cancelled_in_a_campaign_that_is_over),
		cmocka_unit_test(numbers_in_turn_and_by_share),
		cmocka_unit_test(numbers_at_random),
		cmocka_unit_test(defaults),
		cmocka_unit_test(bodies_with_one_fault),
		cmocka_unit_test(a_start_without_offset_is_local),
		cmocka_unit_test(changes_that_make_a_plan_wrong),
		cmocka_unit_test(the_pace_is_whole_milliseconds),
		cmocka_unit_test(scopes),
	};

	return cmocka_run_group_tests(group_tests, NULL, NULL);
}
