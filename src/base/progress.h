/* Signs of life of a process that works: a statement that ended, bytes that came. Who watches it is told where to look. */
#ifndef BASE_PROGRESS_H
#define BASE_PROGRESS_H

#include <stdatomic.h>
#include <stdint.h>

/* From now on the latest sign, by the monotonic clock, is kept there; NULL: nowhere. */
void progress_keep_at(_Atomic int64_t *at_us);
/* From now on signs are passed on to systemd's watchdog too. */
void progress_feed_watchdog(void);

void progress_note(void);

#endif
