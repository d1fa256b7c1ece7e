#include "domain/pace.h"

#include <stdbool.h>

#include "base/clock.h"
#include "base/instant.h"

/* Who paces calls looks every few milliseconds at best. A gap shorter than this is kept on the average: what it allowed
 * between two looks is made good by the next. A longer one is kept between any two calls; and after a longer silence
 * the pace begins anew. */
#define CATCH_UP_US (100 * US_PER_MS)

int64_t pace_gap_us(int64_t calls_per_minute)
{
	return instant_ceil_ms((US_PER_MINUTE + calls_per_minute - 1) / calls_per_minute);
}

/* The instant that the next call counts for. */
static int64_t next_us(const struct pace *pace, int64_t now_us)
{
	bool makes_good = pace->gap_us < CATCH_UP_US && now_us - pace->at_us < CATCH_UP_US;

	return makes_good ? pace->at_us : now_us;
}

int64_t pace_room(const struct pace *pace, int64_t now_us)
{
	if (pace->gap_us == 0)
		return INT64_MAX;
	return pace->at_us > now_us ? 0 : 1 + (now_us - next_us(pace, now_us)) / pace->gap_us;
}

void pace_take(struct pace *pace, int64_t now_us, int64_t calls)
{
	if (pace->gap_us != 0)
		pace->at_us = next_us(pace, now_us) + calls * pace->gap_us;
}
