/* Draws conclusions from webhooks that ended: about their endpoints (health, circuit, switching off) and about
 * their campaigns (back-pressure). They are collected while transfers end, and written together. A webhook that a
 * healthy endpoint accepts quickly changes nothing and costs nothing. */
#ifndef SCHEDULER_VERDICTS_H
#define SCHEDULER_VERDICTS_H

#include "base/conf.h"
#include "scheduler/deliver.h"
#include "store/db.h"

struct verdicts;

struct verdicts *verdicts_new(const struct conf *conf, int max); /* room for this many results */
void verdicts_free(struct verdicts *verdicts);

/* retry_at_us: when an event that was not accepted is tried again; INSTANT_NEVER: it is not. The `reference` of a call
 * is its campaign; 0: it has none. There is room for `max` results until they are written. */
void verdicts_collect(struct verdicts *verdicts, const struct deliver_result *result, int64_t retry_at_us);
bool verdicts_any(const struct verdicts *verdicts);

/* On failure they are kept, and written by the next call. */
enum db_result verdicts_write(struct db *db, struct verdicts *verdicts);

#endif
