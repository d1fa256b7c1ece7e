/* Lists that operators write into the configuration, separated by spaces: networks and hosts
 * ("10.1.0.0/16 fd00:1::/32 192.0.2.7 dialer.example"), and ports ("443 8000-8999"). They are short, and kept as text.
 */
#ifndef BASE_NETWORK_H
#define BASE_NETWORK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

/* A network. An IPv4 address is kept as the IPv4-mapped IPv6 address, so that one comparison is enough for both. */
struct network {
	uint8_t address[16];
	int bits; /* of the 128 */
};

/* Reads "ADDRESS" or "ADDRESS/BITS". Returns false if the text is neither, or if bits after the prefix are set. */
bool network_parse(const char *text, size_t len, struct network *out);
bool network_of(const struct sockaddr *address, struct network *out); /* false: the address is neither IPv4 nor IPv6 */
bool network_has(const struct network *network, const uint8_t address[16]);

/* Returns NULL if the list is well-formed, else what is wrong with it. */
const char *network_list_fault(const char *list);
const char *port_list_fault(const char *list);

bool network_list_has_address(const char *list, const struct sockaddr *address);
bool network_list_has_host(const char *list, const char *host, size_t len); /* ignores case */
bool port_list_has(const char *list, int port);

#endif
