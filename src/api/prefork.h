/* The master of the API: owns the listening socket and keeps alive conf->workers workers, one more in reserve that
 * takes requests only while the database is away, the monitor, and the monitor of a replica. */
#ifndef API_PREFORK_H
#define API_PREFORK_H

#include "base/conf.h"

/* Returns the socket that systemd hands over, or binds conf->socket. */
int prefork_listen(const struct conf *conf);

typedef void prefork_work(const struct conf *conf, int listen_fd, int number);

/* The numbers of the children that are not ordinary workers. Ordinary workers are numbered from 0. */
int prefork_reserve(const struct conf *conf);
int prefork_monitor(const struct conf *conf);
int prefork_replica(const struct conf *conf); /* watches the replica, where there is one */

/* Runs the workers until SIGTERM or SIGINT, and returns when all of them have ended. A worker that dies is
 * replaced; if it dies young, after a delay that grows. A worker that makes no progress is replaced too. All die
 * with their master. SIGHUP executes the program again: its workers begin at once, and the old workers end after
 * their present request. */
void prefork_run(const struct conf *conf, int listen_fd, prefork_work *work);

#endif
