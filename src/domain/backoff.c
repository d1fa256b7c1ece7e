#include "domain/backoff.h"

#include "base/clock.h"

static const int webhook_delays_s[] = { 5, 300, 1800, 7200, 18000, 36000 };

bool backoff_webhook(int tries, uint32_t dice, int64_t *delay_us)
{
	if (tries < 1 || tries > (int)(sizeof webhook_delays_s / sizeof *webhook_delays_s))
		return false;
	*delay_us = webhook_delays_s[tries - 1] * US_PER_SECOND;
	*delay_us += (int64_t)((double)*delay_us / 5 * dice / UINT32_MAX);
	return true;
}

int64_t backoff_dispatch_us(int tries)
{
	int64_t delay_us = US_PER_SECOND << (tries < 1 ? 0 : tries < 6 ? tries - 1 : 5);

	return delay_us < 30 * US_PER_SECOND ? delay_us : 30 * US_PER_SECOND;
}

int64_t backoff_wait_us(int64_t delay_us, int64_t asked_us)
{
	return delay_us > asked_us ? delay_us : asked_us;
}
