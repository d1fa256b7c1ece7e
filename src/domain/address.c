#include "domain/address.h"

#include <netinet/in.h>
#include <stdint.h>
#include <string.h>

/* Everything that IANA's special-purpose registry says is not globally reachable. */
static const struct {
	uint32_t network;
	int bits;
} private_v4[] = {
	{ 0x00000000, 8 },  { 0x0a000000, 8 },  { 0x64400000, 10 }, { 0x7f000000, 8 },  { 0xa9fe0000, 16 },
	{ 0xac100000, 12 }, { 0xc0000000, 24 }, { 0xc0000200, 24 }, { 0xc0586300, 24 }, { 0xc0a80000, 16 },
	{ 0xc6120000, 15 }, { 0xc6336400, 24 }, { 0xcb007100, 24 }, { 0xe0000000, 3 },
};

static bool v4_is_public(uint32_t address)
{
	for (size_t i = 0; i < sizeof private_v4 / sizeof *private_v4; i++)
		if ((address ^ private_v4[i].network) >> (32 - private_v4[i].bits) == 0)
			return false;
	return true;
}

static uint32_t v4_at(const uint8_t *bytes)
{
	return (uint32_t)bytes[0] << 24 | (uint32_t)bytes[1] << 16 | (uint32_t)bytes[2] << 8 | bytes[3];
}

static bool starts_with(const uint8_t *address, const char *prefix, size_t len)
{
	return memcmp(address, prefix, len) == 0;
}

static bool v6_is_public(const uint8_t *a)
{
	if (starts_with(a, "\0\0\0\0\0\0\0\0\0\0\xff\xff", 12)) /* ::ffff:a.b.c.d */
		return v4_is_public(v4_at(a + 12));
	if (starts_with(a, "\0\x64\xff\x9b\0\0\0\0\0\0\0\0", 12)) /* 64:ff9b::a.b.c.d */
		return v4_is_public(v4_at(a + 12));
	if (starts_with(a, "\x20\x02", 2)) /* 2002:aabb:ccdd:: */
		return v4_is_public(v4_at(a + 2));
	if (starts_with(a, "\x20\x01\x0d\xb8", 4) || (starts_with(a, "\x20\x01", 2) && a[2] < 2))
		return false; /* documentation; protocol assignments, Teredo among them */
	return (a[0] & 0xe0) == 0x20; /* 2000::/3 is all that is routed */
}

bool address_is_public(const struct sockaddr *address)
{
	if (address->sa_family == AF_INET)
		return v4_is_public(ntohl(((const struct sockaddr_in *)(const void *)address)->sin_addr.s_addr));
	if (address->sa_family == AF_INET6)
		return v6_is_public(((const struct sockaddr_in6 *)(const void *)address)->sin6_addr.s6_addr);
	return false;
}
