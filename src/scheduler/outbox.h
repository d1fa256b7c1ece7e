/* Sends events to their subscribers. Deliveries are rows, written with the change that they announce, leased, tried,
 * tried again later, and brought to a final state. */
#ifndef SCHEDULER_OUTBOX_H
#define SCHEDULER_OUTBOX_H

#include "base/conf.h"
#include "scheduler/deliver.h"
#include "scheduler/queues.h"
#include "store/db.h"

/* Starts due deliveries, as many as their endpoints and the calls leave room for. *found: whether there was anything to
 * do. */
enum db_result outbox_start_due(struct db *db, struct deliver *deliver, const struct conf *conf,
                                const struct queues_from *from, int *found);

struct outbox_results;
struct outbox_results *outbox_results_new(const struct conf *conf);
void outbox_results_free(struct outbox_results *results);
/* Returns when it is tried again; INSTANT_NEVER: it is not tried again. */
int64_t outbox_collect(struct outbox_results *results, const struct deliver_result *result);
bool outbox_any(const struct outbox_results *results);

/* On failure they are kept, and written by the next call. */
enum db_result outbox_write(struct db *db, struct outbox_results *results);

#endif
