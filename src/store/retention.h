/* What is kept for a while and then leaves: events with their deliveries and tries, replies under idempotency keys. */
#ifndef STORE_RETENTION_H
#define STORE_RETENTION_H

#include "store/db.h"

/* Takes away a portion of each kind, by any number of processes at once. `more`: some kind had a whole portion. */
enum db_result retention_step(struct db *db, int64_t now_us, int64_t keep_webhooks_us, bool *more);

#endif
