/* Where webhooks may go, by the operator's settings. The URL that a client gives is checked, and so is the network
 * address to which its host resolves. The second check decides. */
#ifndef DOMAIN_TARGET_H
#define DOMAIN_TARGET_H

#include <stdbool.h>
#include <sys/socket.h>

#include "base/conf.h"

/* Returns NULL if webhooks may be sent there, else why not. It is stricter than any standard: an address that a
 * resolver or another parser might read in a second way is refused. */
const char *target_url_fault(const char *url, const struct conf *conf);

/* Returns whether the operator has named the host. Such a host may have any address. */
bool target_host_is_allowed(const char *url, const struct conf *conf);

/* Returns whether a connection may be made to this address and port. */
bool target_address_is_allowed(const struct sockaddr *address, const struct conf *conf);
bool target_port_is_allowed(const struct sockaddr *address, const struct conf *conf);

#endif
