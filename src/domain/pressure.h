/* A dialer that asks to slow down gets fewer calls of that campaign at once. Each such answer halves the number. It
 * grows by one whenever the dialer has accepted as many calls as it has places, until it reaches the campaign's own
 * cap. */
#ifndef DOMAIN_PRESSURE_H
#define DOMAIN_PRESSURE_H

#include <stdint.h>

struct pressure {
	int64_t places;    /* calls at once, for now; 0: as many as the campaign allows */
	int64_t taken;     /* since `places` last changed */
	int64_t cut_at_us; /* when it was last cut */
};

/* The dialer refused a call that was sent at `sent_us`, while `in_progress` calls were in progress. A call that was
 * sent before the last cut belongs to the burst that caused it. */
void pressure_refused(struct pressure *pressure, int64_t in_progress, int64_t sent_us, int64_t now_us);
/* The dialer accepted a call. */
void pressure_taken(struct pressure *pressure, int64_t max_concurrent);

#endif
