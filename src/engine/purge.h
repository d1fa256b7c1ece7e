/* Deletes the rows of a deleted campaign in chunks, so that no other transaction has to wait long. */
#ifndef ENGINE_PURGE_H
#define ENGINE_PURGE_H

#include "domain/batch.h"
#include "store/db.h"

/* Deletes one chunk, under the campaign's lock. The last chunk deletes the campaign itself. */
enum db_result purge_step(struct db *db, struct batch *batch, int64_t now_us);

#endif
