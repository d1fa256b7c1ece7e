/* What is going on in an installation, over all organisations. */
#ifndef STORE_STATUS_H
#define STORE_STATUS_H

#include "domain/batch.h"
#include "store/process_store.h"

struct status {
	struct work_state work;
	int64_t campaigns[BATCH_STATUS__MAX];
	int64_t calls_in_flight;    /* placed and not ended */
	int64_t deliveries_waiting; /* webhooks still to be taken by their receivers */
};

enum db_result status_read(struct db *db, struct status *out);

#endif
