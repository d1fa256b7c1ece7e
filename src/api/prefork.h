/* The master of the API: owns the listening socket and keeps alive conf->workers workers, one more in reserve that takes
 * requests only while the database is away, and the monitor. */
#ifndef API_PREFORK_H
#define API_PREFORK_H

#include "base/conf.h"

/* The socket that systemd hands over, or conf->socket, bound anew. */
int prefork_listen(const struct conf *conf);

typedef void prefork_work(const struct conf *conf, int listen_fd, int number);

/* Which number the two have that are no usual workers; those count from 0. */
int prefork_reserve(const struct conf *conf);
int prefork_monitor(const struct conf *conf);

/* Runs them until SIGTERM or SIGINT; returns when all of them are gone. One that dies is replaced, one that dies young
 * after a delay that grows, and so is a worker that makes no progress. All die with their master. SIGHUP begins the
 * program afresh: its workers begin at once, and those of before end with the request that they have. */
void prefork_run(const struct conf *conf, int listen_fd, prefork_work *work);

#endif
