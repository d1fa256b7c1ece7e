/* Where webhooks may go: all known tricks to write an address. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include <arpa/inet.h>

#include "domain/target.h"

static const struct conf strict = { .webhook_allow = "", .webhook_ports = "1-65535" };
static const struct conf lax = {
	.webhook_allow = "", .webhook_ports = "1-65535", .webhook_allow_http = true, .webhook_allow_private = true
};
static const struct conf listed = { .webhook_allow = "10.1.0.0/16 dialer.example fd00::/8",
	                                .webhook_ports = "443 8000-8999" };

static void urls_that_are_taken(void **state)
{
	static const char *const urls[] = {
		"https://example.com",
		"https://example.com/",
		"HTTPS://EXAMPLE.COM/x?a=b#c",
		"https://example.com:8443/x",
		"https://example.com/a@b",
		"https://example.com/?mail=a@b",
		"https://1.1.1.1/",
		"https://[2606:4700::1111]:8443/x",
		"https://xn--nxasmq6b.example/",
		"https://a_b.example/",
		"https://1.example/",
		"https://0x7f.example/",
		"https://localhost.example.com:65535?x",
		"https://internal/",
		"https://example.com/%00%0d%0a",
	};

	(void)state;
	for (size_t i = 0; i < sizeof urls / sizeof *urls; i++)
		if (target_url_fault(urls[i], &strict) != NULL)
			fail_msg("%s: %s", urls[i], target_url_fault(urls[i], &strict));
	assert_null(target_url_fault("http://example.com/", &lax));
	assert_null(target_url_fault("http://127.0.0.1:9090/", &lax));
	assert_null(target_url_fault("http://[::1]/", &lax));
}

/* They are refused even if every address is allowed, because another parser might read another address. */
static void urls_that_no_operator_allows(void **state)
{
	static const char *const urls[] = {
		"",
		"example.com",
		"//example.com",
		"ftp://example.com",
		"file:///etc/passwd",
		"gopher://example.com/",
		"https:/example.com",
		"https:example.com",
		"https://",
		"https:///x",
		"https://?x",
		"https://:443/",
		"http://",
		" https://a",
		"javascript:alert(1)",
		/* users, and what looks like one */
		"https://user@example.com/",
		"https://user:secret@example.com/",
		"https://example.com@127.0.0.1/",
		"https://127.0.0.1:80@example.com/",
		"https://@example.com/",
		"https://#x@example.com",
		"https://a:b@[::1]/",
		"https://example.com:80@[::1]/",
		"https://example.com\\@127.0.0.1/",
		"https:\\\\example.com",
		"https://example.com\\.evil",
		/* characters */
		"https://example.com/a b",
		"https://example.com/\n",
		"https://ex\xc3\xa4mple.com/",
		"https://example.com\r\nX: y",
		"https://example.com/\x7f",
		"https://exa\tmple.com",
		"https://\xe2\x91\xa0\xe2\x91\xa6.example",
		"https://127\xe3\x80\x82"
		"0.0.1/",
		"https://\xef\xbc\x91\xef\xbc\x92\xef\xbc\x97.0.0.1/",
		"https://%31%32%37.0.0.1/",
		"https://127.0.0.1%2f@a",
		"https://exam%70le.com/",
		/* numbers */
		"https://2130706433/",
		"https://0x7f000001/",
		"https://0x7f.0x0.0x0.0x1/",
		"https://0177.0.0.1/",
		"https://017700000001/",
		"https://127.1/",
		"https://127.0.1/",
		"https://127.0.0.01/",
		"https://127.0.0.1./",
		"https://0/",
		"https://0x/",
		"https://127.0.0.0x1/",
		"https://256.0.0.1/",
		"https://127.0.0.1.2/",
		"https://4294967297/",
		"https://00000177.1/",
		"https://1.1.1.1.1/",
		"https://a.0x7f/",
		/* names */
		"https://example.com./",
		"https://.example.com/",
		"https://example..com/",
		"https://-a.example/",
		"https://a-.example/",
		"https://./",
		"https://a,b/",
		"https://a*b/",
		"https://a;b/",
		"https://(a)/",
		"https://a'b/",
		"https://$a/",
		"https://aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa.example/",
		/* brackets */
		"https://[::1/",
		"https://::1/",
		"https://[::1]x/",
		"https://[::1]]/",
		"https://[[::1]]/",
		"https://[]/",
		"https://[example.com]/",
		"https://[fe80::1%25eth0]/",
		"https://[fe80::1%eth0]/",
		"https://[127.0.0.1]/",
		"https://[::1]:/",
		"https://[::ffff:0x7f.1]/",
		"https://[v1.x]/",
		"https://x[::1]/",
		/* ports */
		"https://example.com:/",
		"https://example.com:0/",
		"https://example.com:65536/",
		"https://example.com:080/",
		"https://example.com:+80/",
		"https://example.com:80:80/",
		"https://example.com:http/",
		"https://example.com:999999999999/",
		"https://example.com:-1/",
	};

	(void)state;
	for (size_t i = 0; i < sizeof urls / sizeof *urls; i++)
		if (target_url_fault(urls[i], &lax) == NULL)
			fail_msg("%s was taken", urls[i]);
}

static void a_host_is_not_too_long(void **state)
{
	char url[300] = "https://";

	(void)state;
	for (int i = 0; i < 253; i++)
		url[8 + i] = i % 50 == 49 ? '.' : 'a';
	assert_null(target_url_fault(url, &strict));
	strcat(url, "a");
	assert_non_null(target_url_fault(url, &strict));
}

static void addresses_that_are_not_public_are_refused_at_once(void **state)
{
	static const char *const urls[] = {
		"https://127.0.0.1/",
		"https://10.0.0.1:8443/",
		"https://169.254.169.254/latest/meta-data",
		"https://0.0.0.0/",
		"https://[::1]/",
		"https://[::]/",
		"https://[::ffff:127.0.0.1]/",
		"https://[::ffff:a9fe:a9fe]/",
		"https://[fd00::1]/",
		"https://[64:ff9b::7f00:1]/",
		"https://192.168.1.1",
		"https://[::127.0.0.1]/",
		"https://[2002:7f00:1::]/",
		"https://255.255.255.255/",
		"https://224.0.0.1/",
	};

	(void)state;
	for (size_t i = 0; i < sizeof urls / sizeof *urls; i++) {
		if (target_url_fault(urls[i], &strict) == NULL)
			fail_msg("%s was taken", urls[i]);
		if (target_url_fault(urls[i], &lax) != NULL)
			fail_msg("%s: %s", urls[i], target_url_fault(urls[i], &lax));
	}
	assert_non_null(target_url_fault("http://example.com/", &strict));
}

static void operators_allow_networks_hosts_and_ports(void **state)
{
	(void)state;
	assert_null(target_url_fault("https://10.1.2.3/", &listed));
	assert_non_null(target_url_fault("https://10.2.0.1/", &listed));
	assert_null(target_url_fault("https://[fd12::1]:8000/", &listed));
	assert_non_null(target_url_fault("https://10.1.2.3:9000/", &listed));
	assert_non_null(target_url_fault("https://example.com:80/", &listed));
	assert_true(target_host_is_allowed("https://Dialer.Example:8001/x", &listed));
	assert_false(target_host_is_allowed("https://dialer.example.com/", &listed));
	assert_false(target_host_is_allowed("https://a@dialer.example/", &listed));
}

static void a_connection_is_judged_by_where_it_goes(void **state)
{
	struct sockaddr_in v4 = { .sin_family = AF_INET, .sin_port = htons(8000) };
	struct sockaddr_in6 v6 = { .sin6_family = AF_INET6, .sin6_port = htons(25) };
	struct sockaddr local = { .sa_family = AF_UNIX };

	(void)state;
	inet_pton(AF_INET, "10.1.2.3", &v4.sin_addr);
	inet_pton(AF_INET6, "::ffff:10.1.2.3", &v6.sin6_addr);
	assert_true(target_address_is_allowed((struct sockaddr *)&v4, &listed));
	assert_true(target_address_is_allowed((struct sockaddr *)&v6, &listed));
	assert_false(target_address_is_allowed((struct sockaddr *)&v4, &strict));
	assert_true(target_address_is_allowed((struct sockaddr *)&v4, &lax));
	assert_true(target_port_is_allowed((struct sockaddr *)&v4, &listed));
	assert_false(target_port_is_allowed((struct sockaddr *)&v6, &listed));
	assert_false(target_port_is_allowed(&local, &lax));
}

int main(void)
{
	static const struct CMUnitTest group_tests[] = {
		cmocka_unit_test(urls_that_are_taken),
		cmocka_unit_test(urls_that_no_operator_allows),
		cmocka_unit_test(a_host_is_not_too_long),
		cmocka_unit_test(addresses_that_are_not_public_are_refused_at_once),
		cmocka_unit_test(operators_allow_networks_hosts_and_ports),
		cmocka_unit_test(a_connection_is_judged_by_where_it_goes),
	};

	return cmocka_run_group_tests(group_tests, NULL, NULL);
}
