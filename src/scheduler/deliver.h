/* Signed webhooks on their way: a fixed number of slots over one libcurl multi handle. Knows nothing of
 * what the webhooks say. */
#ifndef SCHEDULER_DELIVER_H
#define SCHEDULER_DELIVER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/conf.h"
#include "base/uuid.h"
#include "domain/webhook.h"

struct deliver;

struct deliver_order {
	int kind;          /* the caller's; comes back with the result */
	int64_t endpoint;  /* whose receiver it is: each has a share of the slots */
	struct uuid id;    /* the webhook-id; comes back too */
	int64_t reference; /* the caller's */
	int tries;         /* the caller's */
	const char *url;
	struct uuid owner; /* the endpoint, to whom the secret belongs */
	const void *secret; /* sealed */
	size_t secret_len;
	const struct buf *body;
};

struct deliver_result {
	int kind;
	struct uuid id;
	int64_t reference;
	int tries;
	int status;          /* HTTP status; 0: no answer, see error */
	int64_t retry_after_us; /* what a 429 or 503 asked for; 0: nothing */
	int64_t started_at_us, duration_us;
	const char *error;   /* "" with an answer; valid until the next call of deliver_next */
	const struct buf *body; /* of the answer, cut at 64 KiB; valid as long */
};

/* What went wrong, in words, for those who look into it: UTF-8. */
void deliver_error(const struct deliver_result *result, char *out, size_t size);

struct deliver *deliver_new(int slots, const struct conf *conf);
void deliver_free(struct deliver *deliver); /* what is under way is dropped */

int deliver_free_slots(const struct deliver *deliver);

/* Slots that this endpoint may still take. Nobody gets more than a quarter of all, so that one that
 * hangs leaves the others room. */
int deliver_room_at(const struct deliver *deliver, int64_t endpoint);
/* The endpoints without room, into `out` (room for as many as there are slots); returns how many. */
int deliver_full_endpoints(const struct deliver *deliver, int64_t *out);

int deliver_in_flight(const struct deliver *deliver);

/* Copies what it needs. There must be a free slot. */
void deliver_start(struct deliver *deliver, const struct deliver_order *order);

/* Moves all transfers on, and waits up to `wait_ms` if none has ended. */
void deliver_run(struct deliver *deliver, int wait_ms);

/* The next transfer that ended; false: none. Its slot is free again after the following call. */
bool deliver_next(struct deliver *deliver, struct deliver_result *result);

#endif
