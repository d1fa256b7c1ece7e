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

/* Calls come first: events never take the second half of the slots. And events are not starved: calls never
 * take the last eighth. */
enum deliver_kind { DELIVER_CALL, DELIVER_EVENT, DELIVER_KIND__MAX };

/* Whose receiver it is. Slots are shared so that nobody who hangs is in another's way:
 * - an endpoint may have three times as many as it leaves free, so that one alone has three quarters, and
 *   each of several less, and there is always room for one more;
 * - the doubtful ones, slow or failing, have a small part for all of them together;
 * - when hardly a slot is free, webhooks of others that have been under way for more than a second are broken
 *   off (deliver_result.cut), the oldest first. */
struct deliver_place {
	enum deliver_kind kind;
	int64_t endpoint;
	bool doubtful;
};

struct deliver_order {
	struct deliver_place place;
	struct uuid id;    /* the webhook-id */
	/* The caller's, for the result: */
	int64_t reference;
	int tries;
	bool probe;        /* the one webhook that a half open circuit lets through */
	bool watched;      /* the endpoint is not in good health */
	bool pressed;      /* the call's campaign is under pressure */
	const char *url;
	struct uuid owner; /* the endpoint, to whom the secret belongs */
	const void *secret; /* sealed */
	size_t secret_len;
	const struct buf *body;
	/* When the request begins; its slot is taken before. One that cannot begin in time ends as `unbegun`. */
	int64_t begin_at_us;     /* of the database's clock; not ahead: at once */
	int64_t begin_before_us; /* the same; 0: no limit */
	int64_t judged_us;       /* monotonic: it begins within DELIVER_JUDGED_US of then; 0: no limit */
};

/* What was judged so long ago is judged again before it is sent. A process may be stopped at any moment. */
#define DELIVER_JUDGED_US (100 * INT64_C(1000))

struct deliver_result {
	struct deliver_place place;
	struct uuid id;
	int64_t reference;
	int tries;
	bool probe, watched, pressed;
	int status;          /* HTTP status; 0: no answer, see error */
	int64_t retry_after_us; /* what a 429 or 503 asked for; 0: nothing */
	int64_t started_at_us, duration_us;
	bool cut;            /* broken off by ourselves, to make room or for want of a signature; has an error too */
	bool unbegun;        /* no request left, and nobody is to blame; duration_us is its age since it was judged */
	const char *error;   /* "" with an answer; valid until the next call of deliver_next */
	const struct buf *body; /* of the answer, cut at 64 KiB; valid as long */
};

/* What went wrong, in words, for those who look into it: UTF-8. */
void deliver_error(const struct deliver_result *result, char *out, size_t size);

struct deliver *deliver_new(const struct conf *conf);
void deliver_free(struct deliver *deliver); /* what is under way is dropped */

/* Slots that webhooks of a kind may still take: all of them, or only to doubtful endpoints. */
int deliver_free_slots(const struct deliver *deliver, enum deliver_kind kind);
int deliver_free_doubtful(const struct deliver *deliver, enum deliver_kind kind);

/* What will be taken too, beside what is under way: by the same endpoint, by doubtful ones, by all. */
struct deliver_taken {
	int same, doubtful, all;
};

/* Slots that this endpoint may still take. */
int deliver_room_at(const struct deliver *deliver, const struct deliver_place *place,
                    const struct deliver_taken *taken);

int deliver_in_flight(const struct deliver *deliver);

/* Copies what it needs. There must be a free slot of its kind. The signature is made at once. */
void deliver_start(struct deliver *deliver, const struct deliver_order *order);

/* Moves all transfers on, and waits up to `wait_ms` if none has ended; less if `fd` can be read (-1: there is none). */
void deliver_run(struct deliver *deliver, int fd, int wait_ms);

/* The next transfer that ended; false: none. Its slot is free again after the following call. */
bool deliver_next(struct deliver *deliver, struct deliver_result *result);

#endif
