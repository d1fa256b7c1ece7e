/* What webhooks that ended say of their endpoints (health, circuit, switching off) and of the campaigns they were
 * for (back-pressure): collected while transfers end, and written in one go. Webhooks that are quickly taken by
 * an endpoint in good health say nothing new and cost nothing. */
#ifndef SCHEDULER_VERDICTS_H
#define SCHEDULER_VERDICTS_H

#include "base/conf.h"
#include "scheduler/deliver.h"
#include "store/db.h"

struct verdicts;

struct verdicts *verdicts_new(const struct conf *conf, int max); /* room for so many results */
void verdicts_free(struct verdicts *verdicts);

/* retry_at_us: when an event that was not taken is to be tried again; INSTANT_NEVER: nothing is to be. Of a call
 * `reference` is its campaign, 0 for none. At most max_in_flight before they are written. */
void verdicts_collect(struct verdicts *verdicts, const struct deliver_result *result, int64_t retry_at_us);
/* Whether to write now: totals alone, which a crash may lose, are written every few seconds. */
bool verdicts_any(const struct verdicts *verdicts);

/* On failure they are kept, and written by the next call. */
enum db_result verdicts_write(struct db *db, struct verdicts *verdicts);

#endif
