/* How long to wait before something that failed is tried again. */
#ifndef DOMAIN_BACKOFF_H
#define DOMAIN_BACKOFF_H

#include <stdbool.h>
#include <stdint.h>

/* Webhooks to subscribers: 5 s, 5 min, 30 min, 2 h, 5 h, 10 h, each longer by up to a fifth, taken from
 * `dice`, so that what failed together does not come back together. `tries` were made. false: no more. */
bool backoff_webhook(int tries, uint32_t dice, int64_t *delay_us);

/* call.requested, while it has not expired: 1 s, doubling up to 30 s. */
int64_t backoff_dispatch_us(int tries);

/* The longer of our own delay and what the receiver asked for. */
int64_t backoff_wait_us(int64_t delay_us, int64_t asked_us);

#endif
