/* From a claimed call to its dialer and back: the call.requested webhook and what its answer means. */
#ifndef SCHEDULER_DISPATCH_H
#define SCHEDULER_DISPATCH_H

#include "base/conf.h"
#include "scheduler/deliver.h"
#include "store/db.h"

/* Loads the calls from the database, judges for each whether it may still be placed, and starts the
 * webhooks, each at the instant for which its call was claimed; as many slots must be free. The same for calls just claimed and for calls whose lease or
 * waiting time ran out. Calls that may not be placed now are looked at again, and count no try; those of a campaign that is
 * paused go back to its plan. */
enum db_result dispatch_calls(struct db *db, struct deliver *deliver, const struct conf *conf,
                              const struct uuid *ids, int count);

/* Calls for which no request left, and when to look at each again. Their leases count no try. */
struct held_call {
	struct uuid id;
	int64_t until_us;
};
enum db_result dispatch_hold(struct db *db, const struct held_call *held, int count);

/* Calls whose wake_at has passed: their lease ran out or their next try is due (dispatched again), no
 * dialer answered in time (its attempt waits in the plan, or is given up), or nobody reported (concluded). *found: how many there were. */
enum db_result dispatch_overdue(struct db *db, struct deliver *deliver, const struct conf *conf, int *found);

#endif
