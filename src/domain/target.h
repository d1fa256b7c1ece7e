/* Where webhooks may go, by the operator's settings: the address as a client gives it, and the network address
 * that it leads to, which alone has the last word. */
#ifndef DOMAIN_TARGET_H
#define DOMAIN_TARGET_H

#include <stdbool.h>
#include <sys/socket.h>

#include "base/conf.h"

/* NULL when webhooks may be sent there, else why not. Stricter than any standard: whatever a resolver or
 * another parser might read in a second way is refused. */
const char *target_url_fault(const char *url, const struct conf *conf);

/* Whether the operator has named the host: then it may have any address. */
bool target_host_is_allowed(const char *url, const struct conf *conf);

/* Whether a connection may be made to it, port included. */
bool target_address_is_allowed(const struct sockaddr *address, const struct conf *conf);
bool target_port_is_allowed(const struct sockaddr *address, const struct conf *conf);

#endif
