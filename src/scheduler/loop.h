/* The scheduler's life: one loop over claims, webhooks, outbox and background work. */
#ifndef SCHEDULER_LOOP_H
#define SCHEDULER_LOOP_H

#include "base/conf.h"

/* Runs until the process is asked to stop, then lets the webhooks under way end. */
void scheduler_run(const struct conf *conf);

#endif
