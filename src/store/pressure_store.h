/* How campaigns yield to dialers that asked to slow down (domain/pressure.h): a row for each campaign that does. */
#ifndef STORE_PRESSURE_STORE_H
#define STORE_PRESSURE_STORE_H

#include "domain/pressure.h"
#include "store/db.h"

/* Makes a row for each of these campaigns that has none. */
enum db_result pressure_begin(struct db *db, const int64_t *batches, size_t count, struct arena *arena);

struct pressed_batch {
	struct pressure pressure;
	int64_t max_concurrent_calls, in_progress;
};
/* Locks the row of a campaign. DB_NOT_FOUND: the row or the campaign is gone. */
enum db_result pressure_lock(struct db *db, int64_t batch, struct arena *arena, struct pressed_batch *out);

/* Saves the row; deletes it if the campaign may make as many calls at once as it wants. */
enum db_result pressure_save(struct db *db, int64_t batch, const struct pressure *pressure);

#endif
