/* A process beside the workers that asks the database once a second, writes the sign of life of this API, and puts what it
 * learned on the board. So no worker has to wait to know that the database hangs. */
#ifndef API_MONITOR_H
#define API_MONITOR_H

#include "base/conf.h"
#include "store/db.h"

/* Runs until the process is asked to end. A database that is not the right one ends it with EXIT_FAILURE. */
void monitor_run(const struct conf *conf, int listen_fd, int number);

/* Whether schema, locking and keys are right: fatal where not. DB_LOST: the database is away, ask later. */
enum db_result monitor_check(const struct conf *conf);

#endif
