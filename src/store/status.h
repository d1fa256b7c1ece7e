/* The figures of an installation, over all organisations. */
#ifndef STORE_STATUS_H
#define STORE_STATUS_H

#include "domain/batch.h"
#include "store/process_store.h"

struct status {
	struct work_state work;
	int64_t campaigns[BATCH_STATUS__MAX];
	int64_t calls_in_flight;    /* placed and not ended */
	int64_t deliveries_waiting; /* webhooks that their receivers have not taken yet */
};

enum db_result status_read(struct db *db, struct status *out);

/* What may hold work up, for the metrics. */
struct troubles {
	int64_t circuits_open, circuits_half_open, endpoints_disabled, campaigns_slowed_down;
	int64_t due_contacts; /* counted up to METRICS_COUNTED_ROWS */
};

enum db_result troubles_read(struct db *db, struct troubles *out);

/* Finds when the event happened that has waited longest for an endpoint that is switched on. INSTANT_NEVER: none
 * waits. */
enum db_result oldest_delivery_read(struct db *db, int64_t *happened_at_us);

#endif
