/* Addresses that webhooks may go to, and their signatures. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

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

int main(void)
{
	static const struct CMUnitTest group_tests[] = {
		cmocka_unit_test(addresses_that_are_taken),
		cmocka_unit_test(addresses_that_are_not),
	};

	return cmocka_run_group_tests(group_tests, NULL, NULL);
}
