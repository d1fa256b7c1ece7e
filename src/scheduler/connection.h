/* How a connection to an endpoint is made: to which addresses, and by which rules of TLS. */
#ifndef SCHEDULER_CONNECTION_H
#define SCHEDULER_CONNECTION_H

#include <stdbool.h>

#include "base/conf.h"

struct connection {
	const struct conf *conf;
	bool host_is_allowed;
	bool refused; /* an address of the latest transfer was not one that webhooks may go to */
};

/* For all transfers of a handle of libcurl; `connection` must outlive it. */
void connection_prepare(struct connection *connection, void *curl, const struct conf *conf);

/* Before each transfer. */
void connection_begin(struct connection *connection, const char *url);

#endif
