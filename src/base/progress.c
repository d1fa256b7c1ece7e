#include "base/progress.h"

#include <stdbool.h>
#include <stddef.h>

#include "base/clock.h"
#include "base/notify.h"

#define FEED_EVERY_US US_PER_SECOND

static _Atomic int64_t *kept_at;
static bool feeds;
static int64_t fed_at_us;

void progress_keep_at(_Atomic int64_t *at_us)
{
	kept_at = at_us;
}

void progress_feed_watchdog(void)
{
	feeds = true;
}

void progress_note(void)
{
	int64_t now_us = clock_mono_us();

	if (kept_at != NULL)
		atomic_store(kept_at, now_us);
	if (feeds && now_us - fed_at_us >= FEED_EVERY_US) {
		notify_watchdog();
		fed_at_us = now_us;
	}
}
