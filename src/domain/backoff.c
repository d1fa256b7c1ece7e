#include "domain/backoff.h"

#include "base/clock.h"

static int64_t spread_us(int64_t delay_us, uint32_t random_bits)
{
	return delay_us + (int64_t)((double)delay_us / 5 * random_bits / UINT32_MAX);
}

bool backoff_webhook(const struct conf_delays *delays, int tries, uint32_t random_bits, int64_t *delay_us)
{
	if (tries < 1 || tries > delays->count)
		return false;
	*delay_us = spread_us(delays->us[tries - 1], random_bits);
	return true;
}

int64_t backoff_dispatch_us(int tries, uint32_t random_bits)
{
	int64_t delay_us = US_PER_SECOND << (tries < 1 ? 0 : tries < 6 ? tries - 1 : 5);

	return spread_us(delay_us < 30 * US_PER_SECOND ? delay_us : 30 * US_PER_SECOND, random_bits);
}

int64_t backoff_wait_us(int64_t delay_us, int64_t asked_us)
{
	return delay_us > asked_us ? delay_us : asked_us;
}
