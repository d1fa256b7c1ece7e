/* Calls at a pace: no two calls are closer together than the gap. If the scheduler is late at a fast pace, it makes up
 * for the calls that the pace allowed meanwhile. After a longer silence (a pause, or no contact was due) the pace
 * starts again, so that there is no burst. */
#ifndef DOMAIN_PACE_H
#define DOMAIN_PACE_H

#include <stdint.h>

struct pace {
	int64_t gap_us; /* 0: no pace is set */
	int64_t at_us;  /* no call before this */
};

int64_t pace_gap_us(int64_t calls_per_minute); /* whole milliseconds, > 0 */

/* Returns how many calls may be placed now; INT64_MAX without a pace. */
int64_t pace_room(const struct pace *pace, int64_t now_us);

/* Records that `calls` (> 0) more were placed now. */
void pace_take(struct pace *pace, int64_t now_us, int64_t calls);

#endif
