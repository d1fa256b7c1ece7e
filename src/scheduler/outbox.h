/* Events on their way to those who asked for them: deliveries are rows, written with what they tell of,
 * leased, tried, tried again later, and brought to a final state. */
#ifndef SCHEDULER_OUTBOX_H
#define SCHEDULER_OUTBOX_H

#include "base/conf.h"
#include "scheduler/deliver.h"
#include "store/db.h"

/* Starts deliveries that are due: as many as their endpoints and the calls leave room for. *found: whether there
 * was anything to do. */
enum db_result outbox_start_due(struct db *db, struct deliver *deliver, const struct conf *conf, int *found);

struct outbox_results;
struct outbox_results *outbox_results_new(const struct conf *conf);
void outbox_results_free(struct outbox_results *results);
/* Returns when it is to be tried again; INSTANT_NEVER: it is not. */
int64_t outbox_collect(struct outbox_results *results, const struct deliver_result *result);
bool outbox_any(const struct outbox_results *results);

/* On failure they are kept, and written by the next call. */
enum db_result outbox_write(struct db *db, struct outbox_results *results);

#endif
