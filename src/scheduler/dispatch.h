/* From a claimed call to its dialer and back: the call.requested webhook, and the meaning of its answer. */
#ifndef SCHEDULER_DISPATCH_H
#define SCHEDULER_DISPATCH_H

#include "base/conf.h"
#include "scheduler/deliver.h"
#include "store/db.h"

/* Loads the calls from the database, judges whether each may still be placed, and starts the webhooks, each at the
 * instant for which its call was claimed. As many slots must be free. The calls were just claimed, or their lease or
 * waiting time ran out. since_us: from when on each could have begun, for the metrics; NULL: from the instant for which
 * it was claimed. Calls that may not be placed now are looked at again, and count no try. Calls of a paused campaign go
 * back to its plan. */
enum db_result dispatch_calls(struct db *db, struct deliver *deliver, const struct conf *conf, const struct uuid *ids,
                              const int64_t *since_us, int count);

/* Handles calls whose wake_at has passed, from an instant on. Their lease ran out or their next try is due (they are
 * dispatched again), no dialer answered in time (the attempt waits in the plan, or is given up), or no report came
 * (they are ended). *found: how many there were. */
enum db_result dispatch_overdue(struct db *db, struct deliver *deliver, const struct conf *conf, int64_t from_us,
                                int *found);

#endif
