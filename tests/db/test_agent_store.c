/* Agents and the numbers they call from. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/clock.h"
#include "domain/batch.h"
#include "fixture.h"
#include "store/agent_store.h"
#include "store/batch_store.h"
#include "store/number_store.h"
#include "store/webhook_store.h"

static struct agent add_agent(struct fixture *fixture, const char *name, enum agent_status status)
{
	int64_t now_us = clock_now_us();
	struct agent agent = {
		.uuid = uuid_new(),
		.name = name,
		.description = "d",
		.voice_id = "v",
		.system_prompt = "s",
		.greeting = "g",
		.language_hint = "de",
		.settings = "{\"a\":1}",
		.max_call_duration_seconds = 60,
		.status = status,
		.status_reason = "",
		.created_at_us = now_us,
		.updated_at_us = now_us,
	};

	assert_ok(agent_insert(fixture->db, fixture->organization_id, &agent, 0));
	return agent;
}

static struct agent read_agent(struct fixture *fixture, const struct agent *agent)
{
	struct agent read = { .id = 0 };

	assert_ok(agent_get(fixture->db, fixture->organization_id, &agent->uuid, fixture->arena, &read));
	return read;
}

static struct phone_number add_number(struct fixture *fixture, const char *text)
{
	struct phone_number number = {
		.uuid = uuid_new(),
		.phone_number = text,
		.friendly_name = "f",
		.provider_type = PROVIDER_TELNYX,
		.created_at_us = clock_now_us(),
	};

	assert_ok(number_insert(fixture->db, fixture->organization_id, &number));
	return number;
}

static struct phone_number read_number(struct fixture *fixture, const struct phone_number *number)
{
	struct phone_number read = { .id = 0 };

	assert_ok(number_get(fixture->db, fixture->organization_id, &number->uuid, fixture->arena, &read));
	return read;
}

static void an_agent_is_read_as_it_was_written(void **state)
{
	struct fixture *fixture = *state;
	struct agent agent = add_agent(fixture, "Ä", AGENT_DRAFT), read = read_agent(fixture, &agent);
	struct webhook webhook = {
		.uuid = uuid_new(), .url = "https://x", .description = "", .secret = { "x", 1 }, .disabled_reason = ""
	};

	assert_int_equal(read.id, agent.id);
	assert_string_equal(read.name, "Ä");
	assert_string_equal(read.settings, "{\"a\":1}");
	assert_string_equal(read.language_hint, "de");
	assert_int_equal(read.max_call_duration_seconds, 60);
	assert_true(uuid_is_nil(&read.webhook_id));

	assert_ok(webhook_insert(fixture->db, fixture->organization_id, &webhook));
	read.name = "B";
	read.status = AGENT_FAILED;
	read.status_reason = "refused";
	assert_ok(agent_update(fixture->db, &read, webhook.id));
	read = read_agent(fixture, &agent);
	assert_string_equal(read.name, "B");
	assert_int_equal(read.status, AGENT_FAILED);
	assert_string_equal(read.status_reason, "refused");
	assert_true(uuid_equal(&read.webhook_id, &webhook.uuid));
	assert_int_equal(agent_get(fixture->db, fixture->organization_id + 1, &agent.uuid, fixture->arena, &read),
	                 DB_NOT_FOUND);
	assert_int_equal(agent_lock(fixture->db, fixture->organization_id + 1, &agent.uuid, fixture->arena, &read),
	                 DB_NOT_FOUND);
}

static void agents_are_filtered(void **state)
{
	struct fixture *fixture = *state;
	struct agent sales = add_agent(fixture, "Sales", AGENT_ACTIVE);
	struct agent other = add_agent(fixture, "100%", AGENT_DRAFT);
	const struct agent_filter by_status = { AGENT_DRAFT, "" }, by_name = { -1, "sAL" };
	const struct agent_filter by_sign = { -1, "%" }, by_both = { AGENT_DRAFT, "sal" };
	const struct page page = { .limit = 10 };
	struct listing listing;

	assert_ok(agent_list(fixture->db, fixture->organization_id, &by_status, &page, fixture->arena, &listing));
	assert_int_equal(listing.total, 1);
	assert_int_equal(((const struct agent *)listing.items)[0].id, other.id);
	assert_ok(agent_list(fixture->db, fixture->organization_id, &by_name, &page, fixture->arena, &listing));
	assert_int_equal(listing.total, 1);
	assert_int_equal(((const struct agent *)listing.items)[0].id, sales.id);
	assert_ok(agent_list(fixture->db, fixture->organization_id, &by_sign, &page, fixture->arena, &listing));
	assert_int_equal(listing.count, 1);
	assert_ok(agent_list(fixture->db, fixture->organization_id, &by_both, &page, fixture->arena, &listing));
	assert_int_equal(listing.total, 0);
}

static void add_batch(struct fixture *fixture, const struct agent *agent, enum batch_status status)
{
	struct batch batch = {
		.organization_id = fixture->organization_id,
		.agent_row = agent->id,
		.uuid = uuid_new(),
		.created_at_us = clock_now_us(),
		.updated_at_us = clock_now_us(),
		.started_at_us = INSTANT_NONE,
		.completed_at_us = INSTANT_NONE,
		.wake_at_us = INSTANT_NEVER,
	};

	batch.config = *(const struct batch_config *)batch_fields.initial;
	batch.config.name = "B";
	assert_ok(batch_insert(fixture->db, &batch));
	batch.status = status;
	batch.status_reason = "";
	assert_ok(batch_save_state(fixture->db, &batch));
}

static void an_agent_is_used_by_campaigns_that_run(void **state)
{
	static const bool uses[BATCH_STATUS__MAX] = {
		[BATCH_SCHEDULED] = true, [BATCH_ACTIVE] = true, [BATCH_PAUSED] = true
	};
	struct fixture *fixture = *state;

	for (int status = 0; status < BATCH_STATUS__MAX; status++) {
		struct agent agent = add_agent(fixture, "A", AGENT_ACTIVE);
		bool used;

		add_batch(fixture, &agent, (enum batch_status)status);
		assert_ok(agent_is_used(fixture->db, fixture->organization_id, &agent, &used));
		assert_int_equal(used, uses[status]);
	}
}

struct deletion {
	int64_t organization_id;
	const struct uuid *number;
};

static enum db_result run_deletion(struct db *db, void *context)
{
	const struct deletion *deletion = context;

	return number_delete(db, deletion->organization_id, deletion->number);
}

static enum db_result delete_number(struct fixture *fixture, int64_t organization_id, const struct uuid *number)
{
	struct deletion deletion = { organization_id, number };

	return db_transact(fixture->db, DB_ONCE, run_deletion, &deletion);
}

static void a_number_is_read_as_it_was_written(void **state)
{
	struct fixture *fixture = *state;
	struct phone_number number = add_number(fixture, "+4930123");
	struct phone_number read = read_number(fixture, &number);
	const struct page page = { .limit = 10 };
	struct listing listing;

	assert_string_equal(read.phone_number, "+4930123");
	assert_string_equal(read.friendly_name, "f");
	assert_int_equal(read.provider_type, PROVIDER_TELNYX);
	assert_true(uuid_is_nil(&read.inbound_agent_id));
	assert_int_equal(number_insert(fixture->db, fixture->organization_id, &number), DB_DUPLICATE);
	add_number(fixture, "+4930124");
	assert_ok(number_list(fixture->db, fixture->organization_id, "", &page, fixture->arena, &listing));
	assert_int_equal(listing.total, 2);
	assert_string_equal(((const struct phone_number *)listing.items)[0].phone_number, "+4930124");
	assert_int_equal(delete_number(fixture, fixture->organization_id + 1, &number.uuid), DB_NOT_FOUND);
	assert_ok(delete_number(fixture, fixture->organization_id, &number.uuid));
	assert_int_equal(delete_number(fixture, fixture->organization_id, &number.uuid), DB_NOT_FOUND);
}

static void numbers_lose_an_agent_that_is_deleted(void **state)
{
	struct fixture *fixture = *state;
	struct agent agent = add_agent(fixture, "A", AGENT_ACTIVE);
	struct agent other = add_agent(fixture, "B", AGENT_ACTIVE);
	struct phone_number number = add_number(fixture, "+491"), read;

	assert_ok(number_assign(fixture->db, &number, NUMBER_OUTBOUND, agent.id));
	assert_ok(number_assign(fixture->db, &number, NUMBER_INBOUND, other.id));
	read = read_number(fixture, &number);
	assert_true(uuid_equal(&read.outbound_agent_id, &agent.uuid));
	assert_true(uuid_equal(&read.inbound_agent_id, &other.uuid));
	assert_ok(agent_delete(fixture->db, fixture->organization_id, &agent));
	assert_int_equal(ask("SELECT outbound_agent_id FROM phone_numbers WHERE id = %lld", (long long)number.id), 0);
	read = read_number(fixture, &number);
	assert_true(uuid_equal(&read.inbound_agent_id, &other.uuid));
	assert_ok(agent_delete(fixture->db, fixture->organization_id, &other));
	assert_int_equal(ask("SELECT inbound_agent_id FROM phone_numbers WHERE id = %lld", (long long)number.id), 0);
	assert_int_equal(agent_get(fixture->db, fixture->organization_id, &agent.uuid, fixture->arena, &agent),
	                 DB_NOT_FOUND);
}

int main(void)
{
	static const struct CMUnitTest group_tests[] = {
		FIXTURE_TEST(an_agent_is_read_as_it_was_written),     FIXTURE_TEST(agents_are_filtered),
		FIXTURE_TEST(an_agent_is_used_by_campaigns_that_run), FIXTURE_TEST(a_number_is_read_as_it_was_written),
		FIXTURE_TEST(numbers_lose_an_agent_that_is_deleted),
	};

	return cmocka_run_group_tests(group_tests, NULL, NULL);
}
