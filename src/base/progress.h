/* Signs of life of a working process: a statement ended, or bytes came. Another process watches them. */
#ifndef BASE_PROGRESS_H
#define BASE_PROGRESS_H

#include <stdatomic.h>
#include <stdint.h>

/* Stores the time of the latest sign of life at this address from now on, by the monotonic clock; NULL: nowhere. */
void progress_keep_at(_Atomic int64_t *at_us);
/* Passes signs of life on to systemd's watchdog too, from now on. */
void progress_feed_watchdog(void);

void progress_note(void);

#endif
