/* How long to wait before something that failed is tried again. */
#ifndef DOMAIN_BACKOFF_H
#define DOMAIN_BACKOFF_H

#include <stdbool.h>
#include <stdint.h>

#include "base/conf.h"

/* Webhooks to subscribers: the delays that are configured, each longer by up to a fifth, taken from `dice`, so
 * that what failed together does not come back together. `tries` were made. false: no more. */
bool backoff_webhook(const struct conf_delays *delays, int tries, uint32_t dice, int64_t *delay_us);

/* call.requested, while it has not expired: 1 s, doubling up to 30 s, longer by up to a fifth. */
int64_t backoff_dispatch_us(int tries, uint32_t dice);

/* The longer of our own delay and what the receiver asked for. */
int64_t backoff_wait_us(int64_t delay_us, int64_t asked_us);

#endif
