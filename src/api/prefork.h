/* The master of the API: owns the listening socket and keeps conf->workers workers alive. */
#ifndef API_PREFORK_H
#define API_PREFORK_H

#include "base/conf.h"

/* The socket that systemd hands over, or conf->socket, bound anew. */
int prefork_listen(const struct conf *conf);

/* Runs workers until SIGTERM or SIGINT; returns when all of them are gone. A worker that dies is
 * replaced, one that dies young after a delay that grows. Workers die with their master. */
void prefork_run(const struct conf *conf, int listen_fd,
                 void (*work)(const struct conf *conf, int listen_fd));

#endif
