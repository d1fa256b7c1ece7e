/* Calls at a pace: no two are closer than the gap between them. Who looks late at a fast pace makes good what it
 * allowed meanwhile; after a longer silence (a pause, nobody due) it begins anew, or that would be a burst. */
#ifndef DOMAIN_PACE_H
#define DOMAIN_PACE_H

#include <stdint.h>

struct pace {
	int64_t gap_us; /* 0: no pace is set */
	int64_t at_us;  /* no call before this */
};

int64_t pace_gap_us(int64_t calls_per_minute); /* whole milliseconds, > 0 */

/* How many calls may be placed now; INT64_MAX without a pace. */
int64_t pace_room(const struct pace *pace, int64_t now_us);

/* After `calls` (> 0) more were placed now. */
void pace_take(struct pace *pace, int64_t now_us, int64_t calls);

#endif
