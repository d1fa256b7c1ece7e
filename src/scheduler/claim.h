/* The claim: the one place where a contact becomes a call. */
#ifndef SCHEDULER_CLAIM_H
#define SCHEDULER_CLAIM_H

#include "base/uuid.h"
#include "store/db.h"

struct claim_dialer {
	int64_t endpoint;
	bool doubtful; /* slow or failing */
};

/* What this claim has taken already: from the same dialer, from doubtful ones, from all. */
struct claim_taken {
	int same, doubtful, all;
};

struct claim_limits {
	int max_calls;            /* at most this many at once; > 0 */
	int64_t ahead_us;         /* calls that are due in this time are claimed too: each is placed when it is due */
	int64_t lease_us;         /* how long the calls are ours to dispatch */
	int64_t dispatch_ttl_us;  /* how long a dialer may take to accept one */
	/* Calls that a dialer may yet be asked for, besides those in `taken`. */
	int (*room_at)(const void *context, const struct claim_dialer *dialer, const struct claim_taken *taken);
	const void *context;
};

/* Claims calls that are due, in one transaction, fairly over the campaigns. Their ids land in `ids`
 * (room for max_calls). They may be dispatched only after this returned DB_OK. *looked: how many
 * campaigns were looked at. DB_UNKNOWN: what was claimed, if anything, comes back when its lease ends. */
enum db_result claim_due_calls(struct db *db, const struct claim_limits *limits, struct uuid *ids,
                               int *count, int *looked);

#endif
