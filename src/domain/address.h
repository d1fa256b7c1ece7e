/* The network addresses that webhooks may go to when the operator allows only public ones. */
#ifndef DOMAIN_ADDRESS_H
#define DOMAIN_ADDRESS_H

#include <stdbool.h>
#include <sys/socket.h>

/* Returns whether the address is public: not loopback, private, link-local, shared, multicast or reserved. IPv4 inside
 * IPv6 counts as the IPv4 address, or is not public. Other address families are not public. */
bool address_is_public(const struct sockaddr *address);

#endif
