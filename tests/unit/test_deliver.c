/* When webhooks begin, and which of them do not. Nothing listens where they go. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/clock.h"
#include "domain/signature.h"
#include "key_file.h"
#include "scheduler/deliver.h"

static struct deliver *deliver;
static struct buf secret;
static struct uuid owner;

static int set_up(void **state)
{
	static const struct conf conf = {
		.max_in_flight = 8, .webhook_connect_timeout_seconds = 1, .webhook_timeout_seconds = 1,
		.webhook_allow_http = true, .webhook_allow_private = true, .webhook_allow = "", .webhook_ports = "",
		.webhook_ca_file = "", .webhook_client_certificate = "", .webhook_client_key = "",
	};
	struct signing_secrets secrets = { 0 };

	(void)state;
	load_keys(KEY_A);
	owner = uuid_new();
	secrets_renew(&secrets, SIGNATURE_HMAC, US_PER_SECOND);
	secrets_seal(&secrets, &owner, &secret);
	clock_set(clock_mono_us() + US_PER_SECOND, clock_mono_us(), clock_mono_us());
	deliver = deliver_new(&conf);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	deliver_free(deliver);
	buf_free(&secret);
	return 0;
}

static void start(int64_t reference, int64_t begin_at_us, int64_t begin_before_us, int64_t judged_us)
{
	struct buf body = { 0 };

	buf_puts(&body, "{}");
	deliver_start(deliver, &(struct deliver_order){
		.place = { DELIVER_CALL, 1, false }, .id = uuid_new(), .reference = reference, .tries = 1,
		.url = "http://127.0.0.1:1/", .owner = owner, .secret = secret.data, .secret_len = secret.len,
		.body = &body, .begin_at_us = begin_at_us, .begin_before_us = begin_before_us, .judged_us = judged_us,
	});
	buf_free(&body);
}

static struct deliver_result await(void)
{
	struct deliver_result result = { 0 };
	int64_t until_us = clock_mono_us() + 10 * US_PER_SECOND;

	while (!deliver_next(deliver, &result)) {
		assert_true(clock_mono_us() < until_us);
		deliver_run(deliver, -1, 1000);
	}
	return result;
}

static void each_begins_at_its_instant(void **state)
{
	int64_t now_us = clock_now_us();
	bool seen[3] = { false };

	(void)state;
	start(2, now_us + 60 * US_PER_MS, 0, 0);
	start(1, now_us + 30 * US_PER_MS, 0, 0);
	start(0, now_us, 0, 0);
	assert_int_equal(deliver_in_flight(deliver), 3);
	for (int i = 0; i < 3; i++) {
		struct deliver_result result = await();

		assert_false(result.unbegun || seen[result.reference]);
		seen[result.reference] = true;
		assert_true(result.started_at_us >= now_us + result.reference * 30 * US_PER_MS);
	}
}

/* The process was stopped after the call was judged: its campaign may be paused by now. */
static void what_was_judged_too_long_ago_does_not_begin(void **state)
{
	struct deliver_result result;

	(void)state;
	start(1, 0, 0, clock_mono_us() - DELIVER_JUDGED_US - 1);
	result = await();
	assert_true(result.unbegun && result.status == 0);
	assert_true(result.duration_us > DELIVER_JUDGED_US);
	start(2, clock_now_us() + DELIVER_JUDGED_US / 2, 0, clock_mono_us() - DELIVER_JUDGED_US * 2 / 3);
	result = await();
	assert_true(result.unbegun && result.reference == 2);
	assert_int_equal(deliver_next(deliver, &result), false);
	assert_int_equal(deliver_in_flight(deliver), 0);
}

static void nothing_begins_when_its_time_is_over(void **state)
{
	struct deliver_result result;

	(void)state;
	start(1, clock_now_us() + 20 * US_PER_MS, clock_now_us() + 10 * US_PER_MS, clock_mono_us());
	result = await();
	assert_true(result.unbegun);
}

/* An event has no such limits. */
static void what_has_no_limit_begins_at_once(void **state)
{
	struct deliver_result result;

	(void)state;
	start(1, 0, 0, 0);
	result = await();
	assert_false(result.unbegun);
	assert_string_not_equal(result.error, "");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(each_begins_at_its_instant, set_up, tear_down),
		cmocka_unit_test_setup_teardown(what_was_judged_too_long_ago_does_not_begin, set_up, tear_down),
		cmocka_unit_test_setup_teardown(nothing_begins_when_its_time_is_over, set_up, tear_down),
		cmocka_unit_test_setup_teardown(what_has_no_limit_begins_at_once, set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
