/* Collects webhooks that ended, and writes their results: the answers of dialers, the states of deliveries, the
 * health of endpoints. Many are written at once, which costs the database little. */
#ifndef SCHEDULER_RESULTS_H
#define SCHEDULER_RESULTS_H

#include "base/conf.h"
#include "scheduler/deliver.h"
#include "store/db.h"

struct results;

struct results *results_new(const struct conf *conf);
void results_free(struct results *results);

void results_collect(struct results *results, struct deliver *deliver);

/* Returns when the collected results are to be written at the latest (monotonic); INT64_MAX: there are none. If calls
 * are under way whose answers will follow, answers of dialers wait for them. */
int64_t results_due_us(const struct results *results, bool more_follow);
bool results_are_due(const struct results *results, bool more_follow);
/* Makes them due at this time, after a failure. */
void results_postpone(struct results *results, int64_t until_us);

/* On failure they are kept, and written by the next call. *woke becomes true if there may be something to do at once.
 */
enum db_result results_write(struct results *results, struct db *db, bool *woke);

#endif
