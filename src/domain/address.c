#include "domain/address.h"

#include <string.h>

#include "base/network.h"

/* Networks that IANA's registries of special purposes call not globally reachable, and networks that lead back to such
 * networks. */
static const char *const closed[] = {
	"0.0.0.0/8",        "10.0.0.0/8",      "100.64.0.0/10",  "127.0.0.0/8",    "169.254.0.0/16",
	"172.16.0.0/12",    "192.0.0.0/24",    "192.0.2.0/24",   "192.88.99.0/24", "192.168.0.0/16",
	"198.18.0.0/15",    "198.51.100.0/24", "203.0.113.0/24", "224.0.0.0/3", /* multicast, reserved, broadcast */
	"168.63.129.16/32",              /* a public number, but the host of a virtual machine at Azure */
	"2001::/23",                     /* protocol assignments; Teredo among them */
	"2001:db8::/32",    "3fff::/20", /* documentation */
	"2002::/16",                     /* 6to4 */
};

/* All routed IPv6 addresses are in 2000::/3. IPv4 addresses are compared as IPv4-mapped addresses. NAT64 leads to an
 * IPv4 address. */
static const char v4_mapped[] = "::ffff:0:0/96", nat64[] = "64:ff9b::/96", global[] = "2000::/3";

static bool lies_in(const char *network_text, const uint8_t address[16])
{
	struct network network;

	return network_parse(network_text, strlen(network_text), &network) && network_has(&network, address);
}

static bool is_public(uint8_t address[16])
{
	if (lies_in(nat64, address))
		memcpy(address, "\0\0\0\0\0\0\0\0\0\0\xff\xff", 12);
	if (!lies_in(v4_mapped, address) && !lies_in(global, address))
		return false;
	for (size_t i = 0; i < sizeof closed / sizeof *closed; i++)
		if (lies_in(closed[i], address))
			return false;
	return true;
}

bool address_is_public(const struct sockaddr *address)
{
	struct network network;

	return network_of(address, &network) && is_public(network.address);
}
