/* The queues of endpoints: which deliveries are sent next. Each endpoint has its own queue, and the queues are
 * served in turn. So deliveries that wait for an endpoint that is full, failing or switched off do not delay
 * others, and cost nothing, however many there are. */
#ifndef SCHEDULER_QUEUES_H
#define SCHEDULER_QUEUES_H

#include "base/conf.h"
#include "scheduler/deliver.h"
#include "store/db.h"

#define QUEUES_MAX 200 /* deliveries leased at once */

/* No new delivery, and no endpoint, waits since before these instants. */
struct queues_from {
	int64_t new_us, endpoints_us;
};

struct queued {
	int64_t id;
	struct deliver_place place;
	bool probe, watched;
};

/* Leases due deliveries, as many as their endpoints have room for. *looked: at how many endpoints and new
 * deliveries. */
enum db_result queues_lease(struct db *db, const struct deliver *deliver, const struct conf *conf,
                            const struct queues_from *from, struct queued out[QUEUES_MAX], int *count, int *looked);

#endif
