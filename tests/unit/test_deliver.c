/* When webhooks begin, and which webhooks do not begin. Nothing listens at their addresses. */
#define _GNU_SOURCE /* accept4 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <arpa/inet.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/clock.h"
#include "domain/signature.h"
#include "key_file.h"
#include "scheduler/deliver.h"

static struct deliver *deliver;
static struct buf secret;
static struct uuid owner;
static char url[64];

static int set_up(void **state)
{
	static const struct conf conf = {
		.max_in_flight = 8,
		.webhook_connect_timeout_seconds = 1,
		.webhook_timeout_seconds = 1,
		.webhook_allow_http = true,
		.webhook_allow_private = true,
		.webhook_allow = "",
		.webhook_ports = "1-65535",
		.webhook_ca_file = "",
		.webhook_client_certificate = "",
		.webhook_client_key = "",
	};
	struct signing_secrets secrets = { 0 };

	(void)state;
	load_keys(KEY_A);
	owner = uuid_new();
	secrets_renew(&secrets, SIGNATURE_HMAC, US_PER_SECOND);
	secrets_seal(&secrets, &owner, &secret);
	clock_set(clock_mono_us() + US_PER_SECOND, clock_mono_us(), clock_mono_us());
	deliver = deliver_new(&conf);
	snprintf(url, sizeof url, "http://127.0.0.1:1/");
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
	const struct deliver_order order = {
		.place = { DELIVER_CALL, 1, false },
		.id = uuid_new(),
		.reference = reference,
		.tries = 1,
		.url = url,
		.owner = owner,
		.secret = secret.data,
		.secret_len = secret.len,
		.body = &body,
		.begin_at_us = begin_at_us,
		.begin_before_us = begin_before_us,
		.judged_us = judged_us,
	};

	buf_puts(&body, "{}");
	deliver_start(deliver, &order);
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

/* The kernel accepts connections for this socket, and no process answers. */
static int listen_somewhere(void)
{
	struct sockaddr_in address = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t size = sizeof address;
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);

	assert_int_equal(bind(fd, (struct sockaddr *)&address, size), 0);
	assert_int_equal(listen(fd, 8), 0);
	assert_int_equal(getsockname(fd, (struct sockaddr *)&address, &size), 0);
	snprintf(url, sizeof url, "http://127.0.0.1:%d/", ntohs(address.sin_port));
	return fd;
}

/* Returns how many bytes of a request have come. */
static ssize_t received(int fd)
{
	char request[1024];
	int connection = accept4(fd, NULL, NULL, SOCK_NONBLOCK);
	ssize_t len = connection >= 0 ? recv(connection, request, sizeof request, 0) : -1;

	if (connection >= 0)
		close(connection);
	return len;
}

/* The process does nothing between the start and the connection: it is stopped, or waits for the database. */
static void nothing_is_sent_when_the_process_comes_too_late(void **state)
{
	static const struct {
		int64_t before_us, sleep_us;
	} cases[] = { { 30 * US_PER_MS, 50 * US_PER_MS }, { US_PER_MINUTE, 1100 * US_PER_MS } };
	int fd = listen_somewhere();

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct deliver_result result;

		start(1, 0, clock_now_us() + cases[i].before_us, clock_mono_us());
		usleep((useconds_t)cases[i].sleep_us);
		result = await();
		assert_true(result.unbegun && result.status == 0);
		assert_true(received(fd) <= 0);
	}
	close(fd);
}

static void a_short_wait_for_the_database_holds_up_nothing(void **state)
{
	int fd = listen_somewhere();
	struct deliver_result result;

	(void)state;
	start(1, 0, clock_now_us() + US_PER_MINUTE, clock_mono_us());
	usleep(200 * 1000);
	result = await();
	assert_false(result.unbegun);
	assert_true(received(fd) > 0);
	close(fd);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(each_begins_at_its_instant, set_up, tear_down),
		cmocka_unit_test_setup_teardown(what_was_judged_too_long_ago_does_not_begin, set_up, tear_down),
		cmocka_unit_test_setup_teardown(nothing_begins_when_its_time_is_over, set_up, tear_down),
		cmocka_unit_test_setup_teardown(nothing_is_sent_when_the_process_comes_too_late, set_up, tear_down),
		cmocka_unit_test_setup_teardown(a_short_wait_for_the_database_holds_up_nothing, set_up, tear_down),
		cmocka_unit_test_setup_teardown(what_has_no_limit_begins_at_once, set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
