/* Addresses that webhooks may go to, and their signatures. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "domain/webhook.h"

static void addresses_that_are_taken(void **state)
{
	static const char *const urls[] = {
		"https://example.com", "https://example.com/", "HTTPS://EXAMPLE.COM/x?a=b#c", "https://[::1]:8443/x",
		"https://example.com/a@b", "https://example.com/?mail=a@b", "https://127.0.0.1/",
	};

	(void)state;
	for (size_t i = 0; i < sizeof urls / sizeof *urls; i++)
		if (webhook_url_fault(urls[i], false) != NULL)
			fail_msg("%s: %s", urls[i], webhook_url_fault(urls[i], false));
	assert_null(webhook_url_fault("http://example.com/", true));
}

static void addresses_that_are_not(void **state)
{
	static const char *const urls[] = {
		"", "example.com", "ftp://example.com", "file:///etc/passwd", "https:/example.com", "https://", "https:///x",
		"https://?x", "https://:443/", "https://user@example.com/", "https://user:secret@example.com/",
		"https://example.com/a b", "https://example.com/\n", "https://ex\xc3\xa4mple.com/", "http://", " https://a",
		"https://example.com\r\nX: y", "https://#x@example.com",
	};

	(void)state;
	for (size_t i = 0; i < sizeof urls / sizeof *urls; i++)
		if (webhook_url_fault(urls[i], true) == NULL)
			fail_msg("%s was taken", urls[i]);
	assert_non_null(webhook_url_fault("http://example.com/", false));
}

/* The example of the standard's reference libraries. */
static void signatures_are_those_of_the_standard(void **state)
{
	static const uint8_t secret[WEBHOOK_SECRET_SIZE] = {
		0x31, 0xf2, 0x90, 0xf6, 0xbf, 0x06, 0x29, 0x8a, 0xab, 0x4f, 0x08, 0xd4,
		0x3c, 0x3f, 0x08, 0x2c, 0xf6, 0x48, 0xa3, 0x62, 0xda, 0x2d, 0xa4, 0xb0,
	};
	static const char body[] = "{\"test\": 2432232314}";
	struct buf text = { 0 };

	(void)state;
	webhook_secret_text(&text, secret, sizeof secret);
	assert_string_equal(text.data, "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw");
	buf_reset(&text);
	webhook_sign(&text, secret, sizeof secret, "msg_p5jXN8AQM9LWM0D4loKWxJek", 1614265330, body, strlen(body));
	assert_string_equal(text.data, "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=");
	buf_free(&text);
}

static void a_signature_covers_id_time_and_body(void **state)
{
	static const char *const ids[] = { "msg_1", "msg_2", "msg_1", "msg_1" };
	static const int64_t times[] = { 1, 1, 2, 1 };
	static const char *const bodies[] = { "{}", "{}", "{}", "{ }" };
	struct buf signatures[4] = { { 0 } };

	(void)state;
	for (int i = 0; i < 4; i++) {
		webhook_sign(&signatures[i], "secret", 6, ids[i], times[i], bodies[i], strlen(bodies[i]));
		assert_int_equal(signatures[i].len, 3 + 44);
		assert_memory_equal(signatures[i].data, "v1,", 3);
		if (i > 0)
			assert_string_not_equal(signatures[i].data, signatures[0].data);
	}
	for (int i = 0; i < 4; i++)
		buf_free(&signatures[i]);
}

int main(void)
{
	static const struct CMUnitTest group_tests[] = {
		cmocka_unit_test(addresses_that_are_taken),
		cmocka_unit_test(addresses_that_are_not),
		cmocka_unit_test(signatures_are_those_of_the_standard),
		cmocka_unit_test(a_signature_covers_id_time_and_body),
	};

	return cmocka_run_group_tests(group_tests, NULL, NULL);
}
