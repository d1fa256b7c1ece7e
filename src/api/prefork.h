/* The master process of the API. It keeps its children alive: conf->workers ordinary workers, a reserve worker, the
 * monitor, and the monitor of a replica. The reserve worker takes requests only while the database is away. */
#ifndef API_PREFORK_H
#define API_PREFORK_H

#include "base/conf.h"

typedef void prefork_work(const struct conf *conf, int listen_fd, int number);

/* The numbers of the children that are not ordinary workers. Ordinary workers are numbered from 0. */
int prefork_reserve(const struct conf *conf);
int prefork_monitor(const struct conf *conf);
int prefork_replica(const struct conf *conf); /* watches the replica, if there is one */

/* Runs the workers until SIGTERM or SIGINT, and returns when all of them have ended. A worker that dies or
 * makes no progress is replaced. If it dies soon after its start, it is replaced after a delay, which grows each time.
 * All children die with their master. SIGHUP executes the program again: the new workers begin at once, and the old
 * workers end after their present request. */
void prefork_run(const struct conf *conf, int listen_fd, prefork_work *work);

#endif
