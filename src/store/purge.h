/* A deleted campaign's rows leave in chunks, so that nobody else waits for them. */
#ifndef STORE_PURGE_H
#define STORE_PURGE_H

#include "domain/batch.h"
#include "store/db.h"

/* One chunk, under the campaign's lock. The last one takes the campaign itself. */
enum db_result purge_step(struct db *db, struct batch *batch, int64_t now_us);

#endif
