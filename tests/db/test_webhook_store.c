/* Webhook endpoints, and the events that are put into their outbox. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/clock.h"
#include "fixture.h"
#include "store/agent_store.h"
#include "store/delivery_store.h"
#include "store/event_store.h"
#include "store/health_store.h"
#include "store/webhook_store.h"

static struct webhook add_webhook(struct fixture *fixture, unsigned events)
{
	struct webhook webhook = {
		.uuid = uuid_new(),
		.url = "https://example.com/ä",
		.description = "d",
		.events = events,
		.secret = { "\0\x01secret\xff", 9 },
		.disabled_reason = "",
		.created_at_us = clock_now_us(),
		.updated_at_us = clock_now_us(),
	};

	assert_ok(webhook_insert(fixture->db, fixture->organization_id, &webhook));
	return webhook;
}

static int64_t count_deliveries(const struct webhook *webhook)
{
	return ask("SELECT COUNT(*) FROM deliveries WHERE endpoint_id = %lld", (long long)webhook->id);
}

static int64_t count_events(const struct fixture *fixture)
{
	return ask("SELECT COUNT(*) FROM events WHERE organization_id = %lld", (long long)fixture->organization_id);
}

struct locking {
	struct fixture *fixture;
	struct webhook *webhook;
};

static enum db_result run_locking(struct db *db, void *context)
{
	const struct locking *locking = context;
	struct webhook *webhook = locking->webhook;

	return webhook_lock_shared(db, locking->fixture->organization_id, &webhook->uuid, locking->fixture->arena, webhook);
}

static void what_is_written_is_read(void **state)
{
	struct fixture *fixture = *state;
	struct webhook webhook = add_webhook(fixture, EVENT_BIT(EVENT_BATCH_COMPLETED)), read;

	assert_ok(webhook_get(fixture->db, fixture->organization_id, &webhook.uuid, fixture->arena, &read));
	assert_int_equal(read.id, webhook.id);
	assert_string_equal(read.url, webhook.url);
	assert_string_equal(read.description, "d");
	assert_int_equal(read.events, webhook.events);
	assert_int_equal(read.secret.len, 9);
	assert_memory_equal(read.secret.data, webhook.secret.data, 9);
	assert_false(read.disabled);
	assert_int_equal(read.created_at_us, webhook.created_at_us);

	read.url = "https://example.org/";
	read.disabled = true;
	read.disabled_reason = "gone";
	assert_ok(webhook_update(fixture->db, &read));
	assert_ok(transact_once(fixture->db, run_locking, &(struct locking){ fixture, &webhook }));
	assert_string_equal(webhook.url, "https://example.org/");
	assert_true(webhook.disabled);
	assert_string_equal(webhook.disabled_reason, "gone");
}

static void another_organisation_sees_nothing(void **state)
{
	struct fixture *fixture = *state;
	struct webhook webhook = add_webhook(fixture, 0), read;
	int64_t other = fixture->organization_id + 1;

	assert_int_equal(webhook_get(fixture->db, other, &webhook.uuid, fixture->arena, &read), DB_NOT_FOUND);
	assert_int_equal(webhook_lock(fixture->db, other, &webhook.uuid, fixture->arena, &read), DB_NOT_FOUND);
}

static void lists_are_newest_first_and_counted_whole(void **state)
{
	struct fixture *fixture = *state;
	struct webhook first = add_webhook(fixture, 0), second = add_webhook(fixture, 0);
	const struct page whole = { .limit = 50 }, last = { .limit = 1, .offset = 1 },
					  behind = { .limit = 50, .offset = 2 };
	const struct webhook *items;
	struct listing listing;

	assert_ok(webhook_list(fixture->db, fixture->organization_id, &whole, fixture->arena, &listing));
	items = listing.items;
	assert_int_equal(listing.count, 2);
	assert_int_equal(listing.total, 2);
	assert_int_equal(items[0].id, second.id);
	assert_int_equal(items[1].id, first.id);
	assert_ok(webhook_list(fixture->db, fixture->organization_id, &last, fixture->arena, &listing));
	items = listing.items;
	assert_int_equal(listing.count, 1);
	assert_int_equal(listing.total, 2);
	assert_int_equal(items[0].id, first.id);
	assert_ok(webhook_list(fixture->db, fixture->organization_id, &behind, fixture->arena, &listing));
	assert_int_equal(listing.count, 0);
	assert_int_equal(listing.total, 2);
}

static void events_go_to_all_who_subscribed(void **state)
{
	struct fixture *fixture = *state;
	unsigned bit = EVENT_BIT(EVENT_BATCH_COMPLETED);
	struct webhook one = add_webhook(fixture, bit), two = add_webhook(fixture, bit | 1);
	struct webhook other = add_webhook(fixture, EVENT_BIT(EVENT_BATCH_STATUS_CHANGED));
	struct webhook off = add_webhook(fixture, bit);
	int64_t now_us = clock_now_us();

	off.disabled = true;
	assert_ok(webhook_update(fixture->db, &off));
	assert_ok(event_publish(fixture->db, fixture->organization_id, EVENT_BATCH_COMPLETED, "{\"a\":1}", now_us));
	assert_int_equal(count_events(fixture), 1);
	assert_int_equal(count_deliveries(&one), 1);
	assert_int_equal(count_deliveries(&two), 1);
	assert_int_equal(count_deliveries(&other), 0);
	assert_int_equal(count_deliveries(&off), 0);
	assert_int_equal(ask("SELECT COUNT(*) FROM deliveries d JOIN events e ON e.id = d.event_id"
	                     " WHERE d.endpoint_id = %lld AND e.data = '{\"a\":1}'"
	                     " AND d.wake_at = e.created_at AND d.agent_id = 0",
	                     (long long)one.id),
	                 1);
}

static void an_event_without_subscribers_is_not_written(void **state)
{
	struct fixture *fixture = *state;

	add_webhook(fixture, EVENT_BIT(EVENT_BATCH_COMPLETED));
	assert_ok(event_publish(fixture->db, fixture->organization_id, EVENT_BATCH_STATUS_CHANGED, "{}", clock_now_us()));
	assert_int_equal(count_events(fixture), 0);
}

/* The event can be sent when the endpoint is switched on again. */
static void an_event_is_kept_for_a_subscriber_that_is_switched_off(void **state)
{
	struct fixture *fixture = *state;
	struct webhook off = add_webhook(fixture, EVENT_BIT(EVENT_BATCH_COMPLETED));
	int64_t count;

	off.disabled = true;
	assert_ok(webhook_update(fixture->db, &off));
	assert_ok(event_publish(fixture->db, fixture->organization_id, EVENT_BATCH_COMPLETED, "{}", clock_now_us()));
	assert_int_equal(count_events(fixture), 1);
	assert_int_equal(count_deliveries(&off), 0);
	assert_ok(delivery_make_missing(fixture->db, &off, fixture->organization_id, clock_now_us() - US_PER_MINUTE, 10,
	                                clock_now_us(), &count));
	assert_int_equal(count, 1);
	assert_int_equal(count_deliveries(&off), 1);
}

/* There are more than fit into one statement, so they are written in chunks. */
static void events_of_any_size_are_published(void **state)
{
	enum { EVENTS = 40, SIZE = 200000 };
	static char data[SIZE + 1];
	struct fixture *fixture = *state;
	struct webhook webhook = add_webhook(fixture, EVENTS_PUBLISHED);
	struct published_event events[EVENTS];

	memset(data, '"', SIZE);
	for (int i = 0; i < EVENTS; i++)
		events[i] = (struct published_event){ fixture->organization_id, EVENT_CALL_ENDED, data };
	assert_ok(events_publish(fixture->db, events, EVENTS, clock_now_us()));
	assert_int_equal(count_deliveries(&webhook), EVENTS);
	assert_int_equal(ask("SELECT SUM(LENGTH(data)) FROM events WHERE organization_id = %lld",
	                     (long long)fixture->organization_id),
	                 EVENTS * SIZE);
}

static void an_event_for_one_needs_no_subscription(void **state)
{
	struct fixture *fixture = *state;
	struct webhook dialer = add_webhook(fixture, 0);
	struct webhook other = add_webhook(fixture, EVENT_BIT(EVENT_AGENT_SYNC));
	struct uuid event_id;
	int64_t row;

	assert_ok(event_send(fixture->db, fixture->organization_id, EVENT_AGENT_SYNC, "{}", dialer.id, 77, clock_now_us(),
	                     &event_id, &row));
	assert_int_equal(count_deliveries(&dialer), 1);
	assert_int_equal(count_deliveries(&other), 0);
	assert_int_equal(ask("SELECT agent_id FROM deliveries WHERE endpoint_id = %lld", (long long)dialer.id), 77);
}

/* A publisher may write at the same time: its deliveries end too. */
static void deliveries_for_a_deleted_endpoint_end(void **state)
{
	struct fixture *fixture = *state;
	struct webhook webhook = add_webhook(fixture, EVENT_BIT(EVENT_BATCH_COMPLETED)), read;
	bool empty;

	assert_ok(event_publish(fixture->db, fixture->organization_id, EVENT_BATCH_COMPLETED, "{}", clock_now_us()));
	assert_ok(webhook_delete(fixture->db, &webhook));
	assert_int_equal(webhook_get(fixture->db, fixture->organization_id, &webhook.uuid, fixture->arena, &read),
	                 DB_NOT_FOUND);
	assert_int_equal(ask("SELECT next_at < '9999-12-31' FROM endpoint_health WHERE endpoint_id = %lld",
	                     (long long)webhook.id),
	                 1);
	ask("UPDATE deliveries SET queue = endpoint_id WHERE endpoint_id = %lld", (long long)webhook.id);
	assert_ok(health_drop_queue(fixture->db, webhook.id, &empty));
	assert_true(empty);
	assert_int_equal(ask("SELECT COUNT(*) FROM deliveries WHERE endpoint_id = %lld AND status = 2"
	                     " AND wake_at = '9999-12-31'",
	                     (long long)webhook.id),
	                 1);
	assert_int_equal(ask("SELECT COUNT(*) FROM endpoint_health WHERE endpoint_id = %lld", (long long)webhook.id), 0);
}

static void agents_are_counted(void **state)
{
	struct fixture *fixture = *state;
	struct webhook webhook = add_webhook(fixture, 0);
	struct agent agent = agent_initial;
	int64_t count;

	agent.uuid = uuid_new();
	assert_ok(webhook_count_agents(fixture->db, &webhook, &count));
	assert_int_equal(count, 0);
	assert_ok(agent_insert(fixture->db, fixture->organization_id, &agent, webhook.id));
	assert_ok(webhook_count_agents(fixture->db, &webhook, &count));
	assert_int_equal(count, 1);
}

int main(void)
{
	static const struct CMUnitTest group_tests[] = {
		FIXTURE_TEST(what_is_written_is_read),
		FIXTURE_TEST(another_organisation_sees_nothing),
		FIXTURE_TEST(lists_are_newest_first_and_counted_whole),
		FIXTURE_TEST(events_go_to_all_who_subscribed),
		FIXTURE_TEST(an_event_without_subscribers_is_not_written),
		FIXTURE_TEST(an_event_is_kept_for_a_subscriber_that_is_switched_off),
		FIXTURE_TEST(events_of_any_size_are_published),
		FIXTURE_TEST(an_event_for_one_needs_no_subscription),
		FIXTURE_TEST(deliveries_for_a_deleted_endpoint_end),
		FIXTURE_TEST(agents_are_counted),
	};

	return cmocka_run_group_tests(group_tests, NULL, NULL);
}
