/* Lists of networks, hosts and ports, as operators write them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include <arpa/inet.h>

#include "base/network.h"

static bool lists(const char *list, const char *text)
{
	struct sockaddr_in v4 = { .sin_family = AF_INET };
	struct sockaddr_in6 v6 = { .sin6_family = AF_INET6 };

	if (inet_pton(AF_INET, text, &v4.sin_addr) == 1)
		return network_list_has_address(list, (struct sockaddr *)&v4);
	if (inet_pton(AF_INET6, text, &v6.sin6_addr) != 1)
		fail_msg("not an address: %s", text);
	return network_list_has_address(list, (struct sockaddr *)&v6);
}

static void networks_have_edges(void **state)
{
	(void)state;
	assert_true(lists("10.1.0.0/16", "10.1.0.0"));
	assert_true(lists("10.1.0.0/16", "10.1.255.255"));
	assert_false(lists("10.1.0.0/16", "10.0.255.255"));
	assert_false(lists("10.1.0.0/16", "10.2.0.0"));
	assert_true(lists("10.1.2.128/25", "10.1.2.128"));
	assert_false(lists("10.1.2.128/25", "10.1.2.127"));
	assert_true(lists("192.0.2.7", "192.0.2.7"));
	assert_true(lists("192.0.2.7/32", "::ffff:192.0.2.7"));
	assert_false(lists("192.0.2.7", "192.0.2.6"));
	assert_true(lists("0.0.0.0/0", "255.255.255.255"));
	assert_false(lists("0.0.0.0/0", "2001:db8::1"));
	assert_true(lists("::/0", "2001:db8::1"));
	assert_true(lists("fd00:1:2::/47", "fd00:1:3:ffff::1"));
	assert_false(lists("fd00:1:2::/47", "fd00:1:4::"));
	assert_true(lists("  a.example\t10.0.0.1   fd00::1 ", "fd00::1"));
	assert_false(lists("", "10.0.0.1"));
	assert_false(lists("10.example", "10.0.0.1"));
}

static void other_families_are_in_no_list(void **state)
{
	struct sockaddr local = { .sa_family = AF_UNIX };

	(void)state;
	assert_false(network_list_has_address("0.0.0.0/0 ::/0", &local));
}

static void hosts_are_compared_as_a_whole(void **state)
{
	(void)state;
	assert_true(network_list_has_host("a.example dialer.example", "Dialer.EXAMPLE", 14));
	assert_true(network_list_has_host("dialer.example", "dialer.example:80", 14));
	assert_false(network_list_has_host("dialer.example", "x.dialer.example", 16));
	assert_false(network_list_has_host("dialer.example", "dialer.exampl", 13));
	assert_false(network_list_has_host("", "", 0));
}

static void what_is_no_list_of_networks(void **state)
{
	static const char *const wrong[] = {
		"10.0.0.0/33",
		"10.0.0.0/",
		"10.0.0.1/8",
		"10.0.0",
		"10.0.0.256",
		"010.0.0.1",
		"fd00::/129",
		"fd00::1/64",
		"fe80::1%lo",
		"10.0.0.0/8,10.1.0.0/16",
		"10.0.0.0/-1",
		"10.0.0.0/ 8",
		"http://a.example",
		"a.example:80",
		"*.example",
		"1234",
		"10.0.0.0/00000000008",
	};

	(void)state;
	for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++)
		if (network_list_fault(wrong[i]) == NULL)
			fail_msg("%s was taken", wrong[i]);
	assert_null(network_list_fault(""));
	assert_null(network_list_fault(" 10.0.0.0/8  fd00::/8 ::1 a-b.example localhost "));
}

static void ports_and_ranges(void **state)
{
	static const char *const wrong[] = {
		"0", "65536", "80-", "-80", "90-80", "a", "80,443", "80 - 90", "1-70000", "+80"
	};

	(void)state;
	for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++)
		if (port_list_fault(wrong[i]) == NULL)
			fail_msg("%s was taken", wrong[i]);
	assert_null(port_list_fault("443 8000-8999 1-65535"));
	assert_true(port_list_has("443 8000-8999", 443));
	assert_true(port_list_has("443 8000-8999", 8000));
	assert_true(port_list_has("443 8000-8999", 8999));
	assert_false(port_list_has("443 8000-8999", 9000));
	assert_false(port_list_has("443 8000-8999", 7999));
	assert_false(port_list_has("", 80));
}

int main(void)
{
	static const struct CMUnitTest group_tests[] = {
		cmocka_unit_test(networks_have_edges),
		cmocka_unit_test(other_families_are_in_no_list),
		cmocka_unit_test(hosts_are_compared_as_a_whole),
		cmocka_unit_test(what_is_no_list_of_networks),
		cmocka_unit_test(ports_and_ranges),
	};

	return cmocka_run_group_tests(group_tests, NULL, NULL);
}
