/* Deletes rows that are kept only for a while: events with their deliveries and tries, replies under idempotency
 * keys, and entries of the audit log. */
#ifndef ENGINE_RETENTION_H
#define ENGINE_RETENTION_H

#include "store/db.h"

struct retention {
	int64_t webhooks_us, audit_us; /* how long they are kept */
};

/* Deletes a batch of each kind; any number of processes may do that at once. `more`: a kind had a full batch. */
enum db_result retention_step(struct db *db, int64_t now_us, const struct retention *keep, bool *more);

#endif
