#include "base/network.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define V4_BITS 96 /* of the prefix ::ffff:0:0/96 */
#define MAX_TEXT 63

static void map_v4(const void *v4, uint8_t out[16])
{
	memset(out, 0, 10);
	memset(out + 10, 0xff, 2);
	memcpy(out + 12, v4, 4);
}

static bool parse_address(const char *text, struct network *out)
{
	uint8_t v4[4];

	if (inet_pton(AF_INET, text, v4) == 1) {
		map_v4(v4, out->address);
		out->bits = V4_BITS;
		return true;
	}
	out->bits = 0;
	return inet_pton(AF_INET6, text, out->address) == 1;
}

/* Reads a decimal number without a sign, and nothing after it. Returns -1 if the text is no such number. */
static int parse_number(const char *text, size_t len)
{
	int number = 0;

	if (len == 0 || len > 5)
		return -1;
	for (size_t i = 0; i < len; i++) {
		if (!isdigit((unsigned char)text[i]))
			return -1;
		number = number * 10 + text[i] - '0';
	}
	return number;
}

static bool has_bits_behind(const struct network *network)
{
	for (int bit = network->bits; bit < 128; bit++)
		if ((network->address[bit / 8] >> (7 - bit % 8) & 1) != 0)
			return true;
	return false;
}

bool network_parse(const char *text, size_t len, struct network *out)
{
	const char *slash = memchr(text, '/', len);
	size_t address_len = slash != NULL ? (size_t)(slash - text) : len;
	char address[MAX_TEXT + 1];
	int bits;

	if (address_len > MAX_TEXT)
		return false;
	memcpy(address, text, address_len);
	address[address_len] = '\0';
	if (!parse_address(address, out))
		return false;
	bits = slash != NULL ? parse_number(slash + 1, len - address_len - 1) : 128 - out->bits;
	if (bits < 0 || out->bits + bits > 128)
		return false;
	out->bits += bits;
	return !has_bits_behind(out);
}

bool network_of(const struct sockaddr *address, struct network *out)
{
	out->bits = 128;
	if (address->sa_family == AF_INET)
		map_v4(&((const struct sockaddr_in *)(const void *)address)->sin_addr, out->address);
	else if (address->sa_family == AF_INET6)
		memcpy(out->address, &((const struct sockaddr_in6 *)(const void *)address)->sin6_addr, 16);
	else
		return false;
	return true;
}

bool network_has(const struct network *network, const uint8_t address[16])
{
	int bytes = network->bits / 8, rest = network->bits % 8;

	return memcmp(network->address, address, (size_t)bytes) == 0 &&
	       (rest == 0 || (network->address[bytes] ^ address[bytes]) >> (8 - rest) == 0);
}

/* Returns the next word of a list, or NULL. */
static const char *next_word(const char **list, size_t *len)
{
	const char *word = *list + strspn(*list, " \t");

	*len = strcspn(word, " \t");
	*list = word + *len;
	return *len != 0 ? word : NULL;
}

/* A host as in a URL. It must have a letter, so that a mistyped network does not count as a host. */
static bool is_host(const char *word, size_t len)
{
	bool has_letter = false;

	for (size_t i = 0; i < len; i++) {
		if (!isalnum((unsigned char)word[i]) && strchr("-._", word[i]) == NULL)
			return false;
		has_letter |= isalpha((unsigned char)word[i]) != 0;
	}
	return has_letter;
}

const char *network_list_fault(const char *list)
{
	struct network network;
	const char *word;
	size_t len;

	while ((word = next_word(&list, &len)) != NULL)
		if (!network_parse(word, len, &network) && !is_host(word, len))
			return "networks (like 10.1.0.0/16 or fd00:1::/32), addresses and host names, separated by spaces";
	return NULL;
}

bool network_list_has_address(const char *list, const struct sockaddr *address)
{
	struct network network, wanted;
	const char *word;
	size_t len;

	if (!network_of(address, &wanted))
		return false;
	while ((word = next_word(&list, &len)) != NULL)
		if (network_parse(word, len, &network) && network_has(&network, wanted.address))
			return true;
	return false;
}

bool network_list_has_host(const char *list, const char *host, size_t host_len)
{
	const char *word;
	size_t len;

	while ((word = next_word(&list, &len)) != NULL)
		if (len == host_len && strncasecmp(word, host, len) == 0)
			return true;
	return false;
}

/* "443" or "8000-8999" */
static bool parse_ports(const char *word, size_t len, int *first, int *last)
{
	const char *dash = memchr(word, '-', len);
	size_t first_len = dash != NULL ? (size_t)(dash - word) : len;

	*first = parse_number(word, first_len);
	*last = dash != NULL ? parse_number(dash + 1, len - first_len - 1) : *first;
	return *first >= 1 && *first <= *last && *last <= 65535;
}

const char *port_list_fault(const char *list)
{
	const char *word;
	size_t len;
	int first, last;

	while ((word = next_word(&list, &len)) != NULL)
		if (!parse_ports(word, len, &first, &last))
			return "ports from 1 to 65535 and ranges of them (like 8000-8999), separated by spaces";
	return NULL;
}

bool port_list_has(const char *list, int port)
{
	const char *word;
	size_t len;
	int first, last;

	while ((word = next_word(&list, &len)) != NULL)
		if (parse_ports(word, len, &first, &last) && port >= first && port <= last)
			return true;
	return false;
}
