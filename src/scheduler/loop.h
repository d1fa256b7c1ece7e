/* The scheduler's life: one loop over claims, webhooks, outbox and background work. */
#ifndef SCHEDULER_LOOP_H
#define SCHEDULER_LOOP_H

#include "base/conf.h"

/* Runs until the process is asked to stop, then lets the webhooks under way end. A database that is away at the start is
 * waited for. At SIGHUP the program begins afresh at once, while a child of it lets the webhooks end. */
void scheduler_run(const struct conf *conf);

#endif
