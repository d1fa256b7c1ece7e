/* Which addresses are public. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include <arpa/inet.h>

#include "domain/address.h"

static bool is_public(const char *text)
{
	struct sockaddr_in v4 = { .sin_family = AF_INET };
	struct sockaddr_in6 v6 = { .sin6_family = AF_INET6 };

	if (inet_pton(AF_INET, text, &v4.sin_addr) == 1)
		return address_is_public((struct sockaddr *)&v4);
	if (inet_pton(AF_INET6, text, &v6.sin6_addr) != 1)
		fail_msg("not an address: %s", text);
	return address_is_public((struct sockaddr *)&v6);
}

static void public_addresses(void **state)
{
	static const char *const list[] = {
		"1.1.1.1",          "8.8.8.8",         "9.255.255.255",    "11.0.0.0",         "100.63.255.255",
		"100.128.0.0",      "126.255.255.255", "128.0.0.0",        "169.253.255.255",  "169.255.0.0",
		"172.15.255.255",   "172.32.0.0",      "192.0.1.0",        "192.167.255.255",  "192.169.0.0",
		"198.17.255.255",   "198.20.0.0",      "203.0.114.0",      "223.255.255.255",  "2606:4700:4700::1111",
		"2a00:1450::1",     "3fff:1000::",     "::ffff:8.8.8.8",   "64:ff9b::808:808", "2001:200::",
		"2001:db7:ffff::1", "2001:db9::",      "2003::",           "2000::",           "3ffe:ffff::",
		"168.63.129.15",    "168.63.129.17",   "64:ff9b::8.8.8.8",
	};

	(void)state;
	for (size_t i = 0; i < sizeof list / sizeof *list; i++)
		if (!is_public(list[i]))
			fail_msg("%s is public", list[i]);
}

static void private_addresses(void **state)
{
	static const char *const list[] = {
		"0.0.0.0",
		"0.1.2.3",
		"10.0.0.1",
		"10.255.255.255",
		"100.64.0.0",
		"100.127.255.255",
		"127.0.0.1",
		"127.255.255.255",
		"169.254.169.254",
		"172.16.0.0",
		"172.31.255.255",
		"192.0.0.1",
		"192.0.2.1",
		"192.88.99.1",
		"192.168.0.0",
		"192.168.255.255",
		"198.18.0.0",
		"198.19.255.255",
		"198.51.100.1",
		"203.0.113.1",
		"224.0.0.1",
		"239.255.255.255",
		"240.0.0.1",
		"255.255.255.255",
		"168.63.129.16",
		"100.100.100.200",
		"192.0.0.192",
		"0.255.255.255",
		"169.254.0.0",
		"192.0.0.255",
		"198.51.100.255",
		"203.0.113.255",
		"192.88.99.0",
		"::",
		"::1",
		"::127.0.0.1",
		"::ffff:127.0.0.1",
		"::ffff:10.0.0.1",
		"::ffff:169.254.169.254",
		"64:ff9b::a00:1",
		"64:ff9b::7f00:1",
		"64:ff9b:1::808:808",
		"100::1",
		"2001::1",
		"2001:db8::1",
		"2002:a00:1::1",
		"2002:7f00:1::1",
		"2002:808:808::1",
		"2001:1ff:ffff::",
		"2001:0:4136:e378::1",
		"3fff::",
		"3fff:fff:ffff::1",
		"1fff:ffff::",
		"4000::",
		"::8.8.8.8",
		"64:ff9b:0:0:0:1:808:808",
		"fd00:ec2::254",
		"::ffff:0:808:808",
		"::ffff:100.64.0.1",
		"64:ff9b::6440:1",
		"5f00::1",
		"2001:db8:ffff:ffff:ffff:ffff:ffff:ffff",
		"fc00::1",
		"fdff::1",
		"fe80::1",
		"febf::1",
		"fec0::1",
		"ff02::1",
	};

	(void)state;
	for (size_t i = 0; i < sizeof list / sizeof *list; i++)
		if (is_public(list[i]))
			fail_msg("%s is not public", list[i]);
}

static void addresses_of_other_families_are_not_public(void **state)
{
	struct sockaddr local = { .sa_family = AF_UNIX };

	(void)state;
	assert_false(address_is_public(&local));
}

int main(void)
{
	static const struct CMUnitTest group_tests[] = {
		cmocka_unit_test(public_addresses),
		cmocka_unit_test(private_addresses),
		cmocka_unit_test(addresses_of_other_families_are_not_public),
	};

	return cmocka_run_group_tests(group_tests, NULL, NULL);
}
