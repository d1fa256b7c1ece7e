/* The scheduler's life: one loop over claims, webhooks, outbox and background work. */
#ifndef SCHEDULER_LOOP_H
#define SCHEDULER_LOOP_H

#include "base/conf.h"

/* Runs until the process is asked to stop, and then waits for the webhooks in progress. If the database is away at the
 * start, it waits for it. At SIGHUP the program starts again at once, while a child process waits for the webhooks. */
void scheduler_run(const struct conf *conf);

#endif
