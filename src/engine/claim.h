/* The claim: the one place where a contact becomes a call. */
#ifndef ENGINE_CLAIM_H
#define ENGINE_CLAIM_H

#include "base/uuid.h"
#include "store/db.h"

struct claim_dialer {
	int64_t endpoint;
	bool doubtful; /* slow or failing */
};

/* Calls that this claim has taken already: to the same dialer, to doubtful dialers, to all. */
struct claim_taken {
	int same, doubtful, all;
};

/* A call that was claimed. */
struct claimed_call {
	struct claim_dialer dialer;
	int64_t since_us; /* the first instant at which it could have been claimed, whether it is due now or later */
};

struct claim_fetch; /* engine/claim_facts.h */

struct claim_limits {
	int max_calls;           /* at most this many at once; > 0 */
	int64_t from_us;         /* no campaign waits for a look since before this instant; 0: not known */
	int64_t ahead_us;        /* calls that are due within this time are claimed too; each is placed when it is due.
	                           * Shorter than CALL_REST_US, so that a window that is open now is open then. */
	int64_t lease_us;        /* how long the calls belong to this process */
	int64_t dispatch_ttl_us; /* how long a dialer may take to accept one */
	/* How many more calls a dialer may be sent, besides the calls in `taken`. */
	int (*room_at)(const void *context, const struct claim_dialer *dialer, const struct claim_taken *taken);
	const void *context;
	const struct claim_fetch *fetch; /* NULL: a scheduler claims */
};

/* Claims calls that are due, in one transaction, fairly over the campaigns. Writes their ids into `ids`, and details
 * into `calls` (room for max_calls; NULL: not wanted). They may be dispatched only after this returned DB_OK. *looked:
 * how many campaigns were looked at. DB_UNKNOWN: calls that were claimed, if any, are found when their leases end. */
enum db_result claim_due_calls(struct db *db, const struct claim_limits *limits, struct uuid *ids,
                               struct claimed_call *calls, int *count, int *looked);

/* Claims calls for a dialer that fetches them (limits->fetch), inside a transaction. */
enum db_result claim_fetched_calls(struct db *db, const struct claim_limits *limits, struct uuid *ids, int *count);

#endif
