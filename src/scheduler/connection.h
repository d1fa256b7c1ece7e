/* How a connection to an endpoint is made: the allowed addresses, and the rules of TLS. */
#ifndef SCHEDULER_CONNECTION_H
#define SCHEDULER_CONNECTION_H

#include <stdbool.h>

#include "base/conf.h"

struct connection {
	const struct conf *conf;
	bool host_is_allowed;
	bool refused; /* the latest transfer led to an address that is not allowed */
};

/* For all transfers of a handle of libcurl; `connection` must outlive it. */
void connection_prepare(struct connection *connection, void *curl, const struct conf *conf);

/* Call it before each transfer. */
void connection_begin(struct connection *connection, const char *url);

#endif
