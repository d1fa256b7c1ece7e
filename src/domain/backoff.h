/* How long to wait before something that failed is tried again. */
#ifndef DOMAIN_BACKOFF_H
#define DOMAIN_BACKOFF_H

#include <stdbool.h>
#include <stdint.h>

#include "base/conf.h"

/* Computes the delay before the next webhook to a subscriber after `tries` tries: the configured delay, longer by up to
 * a fifth. `random_bits` decides how much longer, so that webhooks that failed together are not sent together again.
 * Returns false if there is no further try. */
bool backoff_webhook(const struct conf_delays *delays, int tries, uint32_t random_bits, int64_t *delay_us);

/* Returns the delay before the next call.requested for a call that has not expired: 1 s, doubling up to 30 s, longer by
 * up to a fifth. */
int64_t backoff_dispatch_us(int tries, uint32_t random_bits);

/* Returns the longer of our own delay and the delay that the receiver asked for. */
int64_t backoff_wait_us(int64_t delay_us, int64_t asked_us);

#endif
