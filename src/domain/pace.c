#include "domain/pace.h"

#include <stdbool.h>

#include "base/clock.h"
#include "base/instant.h"

/* The scheduler looks every few milliseconds at most. A gap shorter than this is kept on average: calls that it allowed
 * between two looks are made at the next look. A longer gap is kept between any two calls. After a longer silence the
 * pace starts again. */
#define CATCH_UP_US (100 * US_PER_MS)

int64_t pace_gap_us(int64_t calls_per_minute)
{
	return instant_ceil_ms((US_PER_MINUTE + calls_per_minute - 1) / calls_per_minute);
}

/* Returns the instant that the next call counts for. */
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
