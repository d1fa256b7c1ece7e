/* A dialer that asks to slow down gets fewer calls of that campaign at once: half as many at each such
 * answer, then one more whenever it took as many as it has places, until the campaign's own cap is reached. */
#ifndef DOMAIN_PRESSURE_H
#define DOMAIN_PRESSURE_H

#include <stdint.h>

struct pressure {
	int64_t places;    /* calls at once, for now; 0: as many as the campaign may */
	int64_t taken;     /* since `places` last changed */
	int64_t cut_at_us; /* when it was last cut */
};

/* The dialer refused a call that was sent to it at `sent_us`, while so many were in progress. What was sent
 * before the last cut is part of the burst that led to it. */
void pressure_refused(struct pressure *pressure, int64_t in_progress, int64_t sent_us, int64_t now_us);
/* It took one. */
void pressure_taken(struct pressure *pressure, int64_t max_concurrent);

#endif
