/* A process beside the workers that asks the database once a second, writes the sign of life of this API, and puts
 * the result on the board. So no worker has to wait to find out that the database hangs. */
#ifndef API_MONITOR_H
#define API_MONITOR_H

#include "base/conf.h"
#include "store/db.h"

/* Runs until the process is asked to end. If the database has the wrong schema, locks or keys, the process ends with
 * EXIT_FAILURE. */
void monitor_run(const struct conf *conf, int listen_fd, int number);

/* Checks schema, locks and keys, and ends the process if they are wrong. DB_LOST: the database is away, ask later. */
enum db_result monitor_check(const struct conf *conf);

#endif
