/* Which network addresses webhooks may go to when the operator allows public ones alone. */
#ifndef DOMAIN_ADDRESS_H
#define DOMAIN_ADDRESS_H

#include <stdbool.h>
#include <sys/socket.h>

/* Neither loopback, private, link-local, shared, multicast nor reserved; IPv4 inside IPv6 counts as the
 * IPv4 address, or as none. Anything that is not IPv4 or IPv6 is not public. */
bool address_is_public(const struct sockaddr *address);

#endif
