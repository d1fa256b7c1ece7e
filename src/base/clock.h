/* The one clock of an Outdial installation is the database's. A process keeps it as an offset to its
 * own monotonic clock, so hosts with wrong clocks agree and a step of the local clock changes nothing.
 * Before the first clock_set it is this host's real-time clock. */
#ifndef BASE_CLOCK_H
#define BASE_CLOCK_H

#include <stdint.h>

#define US_PER_MS INT64_C(1000)
#define US_PER_SECOND INT64_C(1000000)
#define US_PER_MINUTE (60 * US_PER_SECOND)
#define US_PER_DAY (86400 * US_PER_SECOND)

int64_t clock_now_us(void);  /* UTC, microseconds since the epoch */
int64_t clock_mono_us(void); /* for durations only */

/* The database said `database_us` between the two readings of clock_mono_us around the question.
 * What is known already stays while the answer does not contradict it: an answer that took long, of a busy database
 * or to a process that was stopped meanwhile, tells little. A step of more than half a second is logged. */
void clock_set(int64_t database_us, int64_t asked_mono_us, int64_t answered_mono_us);
int64_t clock_age_us(void); /* since the last clock_set; INT64_MAX before the first */

/* For simulations: from now on the clock stands at this instant, until it is moved on again, whatever the
 * database says. */
void clock_stand(int64_t us);

#endif
