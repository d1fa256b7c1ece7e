/* An Outdial installation has one clock, the database's. A process keeps it as an offset to its own monotonic clock. So
 * hosts with wrong clocks agree, and a step of the local clock changes nothing. Before the first clock_set, it is the
 * real-time clock of this host. */
#ifndef BASE_CLOCK_H
#define BASE_CLOCK_H

#include <stdint.h>

#define US_PER_MS INT64_C(1000)
#define US_PER_SECOND INT64_C(1000000)
#define US_PER_MINUTE (60 * US_PER_SECOND)
#define US_PER_DAY (86400 * US_PER_SECOND)

int64_t clock_now_us(void);  /* UTC, microseconds since the epoch */
int64_t clock_mono_us(void); /* for durations only; goes on while the host sleeps */

/* Sets the clock: the database answered `database_us` between the two readings of clock_mono_us. So each answer
 * bounds the offset from both sides. The clock is at the lower bound of all answers. So nothing happens before its
 * instant: the clock can be ahead of the database's only by the drift of the two clocks since the last answer. An
 * answer that contradicts the earlier answers replaces them. The clock stepped if it does so by more than half a
 * second, and the step is logged. */
void clock_set(int64_t database_us, int64_t asked_mono_us, int64_t answered_mono_us);
/* When the last step of more than half a second was seen (monotonic); INT64_MIN: never. And by how much; < 0: back. */
int64_t clock_stepped_us(void);
int64_t clock_stepped_by_us(void);
/* Returns how far the database's clock is ahead of this host's. */
int64_t clock_offset_ms(void);
int64_t clock_age_us(void); /* since the last clock_set; INT64_MAX before the first */

/* For simulations: the clock stops at this instant until it is moved again, whatever the database says. */
void clock_stand(int64_t us);

#endif
