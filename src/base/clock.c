#include "base/clock.h"

#include <stdbool.h>
#include <stdlib.h>
#include <time.h>

#include "base/least.h"
#include "base/log.h"

static bool is_set, is_stopped;
static int64_t stopped_at_us;
static int64_t offset_us, offset_most_us; /* how far the database's clock is ahead of the monotonic clock: bounds */
static int64_t set_at_mono_us;
static int64_t stepped_at_mono_us = INT64_MIN, stepped_by_us;

static int64_t read_clock(clockid_t id)
{
	struct timespec ts;

	clock_gettime(id, &ts);
	return (int64_t)ts.tv_sec * US_PER_SECOND + ts.tv_nsec / 1000;
}

int64_t clock_mono_us(void)
{
	return read_clock(CLOCK_BOOTTIME);
}

int64_t clock_now_us(void)
{
	if (is_stopped)
		return stopped_at_us;
	return is_set ? clock_mono_us() + offset_us : read_clock(CLOCK_REALTIME);
}

void clock_set(int64_t database_us, int64_t asked_mono_us, int64_t answered_mono_us)
{
	int64_t least_us = database_us - answered_mono_us, most_us = database_us - asked_mono_us, stepped_us = 0;

	set_at_mono_us = answered_mono_us;
	if (is_set && least_us <= offset_most_us && most_us >= offset_us) {
		least_us = max_of(least_us, offset_us);
		most_us = min_of(most_us, offset_most_us);
	} else if (is_set) {
		stepped_us = least_us > offset_most_us ? least_us - offset_most_us : most_us - offset_us;
	}
	if (llabs(stepped_us) > US_PER_SECOND / 2) {
		log_warning("the database's clock stepped by %lld ms", (long long)(stepped_us / US_PER_MS));
		stepped_at_mono_us = answered_mono_us;
		stepped_by_us = stepped_us;
	}
	offset_us = least_us;
	offset_most_us = most_us;
	is_set = true;
}

int64_t clock_stepped_us(void)
{
	return stepped_at_mono_us;
}

int64_t clock_stepped_by_us(void)
{
	return stepped_by_us;
}

int64_t clock_offset_ms(void)
{
	struct timespec host;

	clock_gettime(CLOCK_REALTIME, &host);
	return (clock_now_us() - (host.tv_sec * US_PER_SECOND + host.tv_nsec / 1000)) / US_PER_MS;
}

int64_t clock_age_us(void)
{
	if (is_stopped)
		return 0;
	return is_set ? clock_mono_us() - set_at_mono_us : INT64_MAX;
}

void clock_stand(int64_t us)
{
	is_stopped = true;
	stopped_at_us = us;
}
