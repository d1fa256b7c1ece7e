/* Calls that were claimed before they are due. They wait here, and are dispatched a moment before their instants. So
 * one claim serves many calls, and yet each of them is judged again just before it begins. */
#ifndef SCHEDULER_AHEAD_H
#define SCHEDULER_AHEAD_H

#include "engine/claim.h"

#define AHEAD_MAX 400 /* calls */

struct ahead;

struct ahead *ahead_new(void);
void ahead_free(struct ahead *ahead);

/* Returns how many calls wait: of the same dialer, of doubtful dialers, of all. */
struct claim_taken ahead_waiting(const struct ahead *ahead, const struct claim_dialer *dialer);
int ahead_count(const struct ahead *ahead);

/* Adds the calls of a claim that began at `claimed_us` (monotonic). There must be room for them. */
void ahead_add(struct ahead *ahead, const struct uuid *ids, const struct claimed_call *calls, int count,
               int64_t claimed_us);

/* Returns when the first call is due (monotonic); INSTANT_NEVER: none waits. */
int64_t ahead_next_us(const struct ahead *ahead);

/* Takes the calls that are due until then (monotonic), at most `max`, and returns how many. Calls that were claimed
 * before `stale_us` (monotonic) are dropped, because their leases may have ended. */
int ahead_take(struct ahead *ahead, int64_t until_us, int64_t stale_us, struct uuid *ids, int64_t *since_us, int max);

#endif
