/* The queues of endpoints: which deliveries are sent next. Each endpoint has a queue of its own and they are served
 * in turn, so what waits for one that is full, failing or switched off is in nobody's way, and costs nothing
 * however much it is. */
#ifndef SCHEDULER_QUEUES_H
#define SCHEDULER_QUEUES_H

#include "base/conf.h"
#include "scheduler/deliver.h"
#include "store/db.h"

#define QUEUES_MAX 200 /* deliveries leased at once */

struct queued {
	int64_t id;
	struct deliver_place place;
	bool probe, watched;
};

/* Leases deliveries that are due, as many as their endpoints have room for. *looked: at how many endpoints
 * and new deliveries. */
enum db_result queues_lease(struct db *db, const struct deliver *deliver, const struct conf *conf,
                            struct queued out[QUEUES_MAX], int *count, int *looked);

#endif
