/* Sends signed webhooks: a fixed number of slots over one libcurl multi handle. It knows nothing of their content. */
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

/* Calls come first: events never take the second half of the slots. Calls never take the last eighth, so that events
 * are not starved. */
enum deliver_kind { DELIVER_CALL, DELIVER_EVENT, DELIVER_KIND__MAX };

/* The receiver. Slots are shared so that an endpoint that hangs does not delay the others:
 * - an endpoint may have three times as many slots as it leaves free. So a single endpoint has three quarters, each of
 *   several has less, and there is always room for one more;
 * - all doubtful endpoints (slow or failing) share a small part;
 * - when hardly a slot is free, webhooks of other endpoints that have been in progress for more than a second are
 *   broken off (deliver_result.cut), the oldest first. */
struct deliver_place {
	enum deliver_kind kind;
	int64_t endpoint;
	bool doubtful;
};

struct deliver_order {
	struct deliver_place place;
	struct uuid id; /* the webhook-id */
	/* For the caller, copied to the result: */
	int64_t reference;
	int tries;
	bool probe;   /* the one webhook that a half-open circuit lets through */
	bool watched; /* the endpoint is not in good health */
	bool pressed; /* the call's campaign is under pressure */
	const char *url;
	struct uuid owner;  /* the endpoint that owns the secret */
	const void *secret; /* sealed */
	size_t secret_len;
	const struct buf *body;
	/* When the request begins. Its slot is taken at once. A request that cannot begin in time ends as `unbegun`. */
	int64_t begin_at_us;     /* by the database's clock; in the past: at once */
	int64_t begin_before_us; /* the same; 0: no limit */
	int64_t since_us;        /* for the caller, copied to the result: when it could have begun; 0: not known */
	int64_t judged_us;       /* monotonic: it begins within DELIVER_JUDGED_US of then; 0: no limit */
};

/* A request that was judged longer ago is judged again before it is sent, because a process may be stopped at any
 * moment. */
#define DELIVER_JUDGED_US (100 * INT64_C(1000))

struct deliver_result {
	struct deliver_place place;
	struct uuid id;
	int64_t reference;
	int tries;
	bool probe, watched, pressed;
	int status;             /* HTTP status; 0: no answer, see error */
	int64_t retry_after_us; /* that a 429 or 503 asked for; 0: none */
	int64_t since_us, started_at_us, duration_us;
	/* Outdial broke it off, to make room, or because it could not be signed; has an error too */
	bool cut;
	/* no request was sent, and the receiver is not to blame; duration_us is the time since it was judged */
	bool unbegun;
	const char *error;      /* "" with an answer; valid until the next call of deliver_next */
	const struct buf *body; /* of the answer, cut at 64 KiB; valid as long */
};

/* Writes what went wrong, in words, as UTF-8. */
void deliver_error(const struct deliver_result *result, char *out, size_t size);

struct deliver *deliver_new(const struct conf *conf);
void deliver_free(struct deliver *deliver); /* drops what is in progress */

/* Returns the slots that webhooks of a kind may still take: all of them, or only those to doubtful endpoints. */
int deliver_free_slots(const struct deliver *deliver, enum deliver_kind kind);
int deliver_free_doubtful(const struct deliver *deliver, enum deliver_kind kind);

/* Slots that the caller will also take, beside those in progress: by the same endpoint, by doubtful endpoints, by all.
 */
struct deliver_taken {
	int same, doubtful, all;
};

/* Returns the slots that this endpoint may still take. */
int deliver_room_at(const struct deliver *deliver, const struct deliver_place *place,
                    const struct deliver_taken *taken);

int deliver_in_flight(const struct deliver *deliver);

/* Starts a webhook and copies what it needs. There must be a free slot of its kind. The signature is made at once. */
void deliver_start(struct deliver *deliver, const struct deliver_order *order);

/* Moves all transfers on. If none has ended, waits up to `wait_ms`, or until `fd` can be read (-1: there is none). */
void deliver_run(struct deliver *deliver, int fd, int wait_ms);
/* Like deliver_run(), but waits even if transfers have ended: their results are taken later. */
void deliver_go_on(struct deliver *deliver, int fd, int wait_ms);

/* Returns the next transfer that ended; false: there is none. Its slot is free again after the next call. */
bool deliver_next(struct deliver *deliver, struct deliver_result *result);

#endif
