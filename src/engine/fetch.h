/* Calls for dialers that fetch them. A fetched call is `queued` until its dialer reports on it. It has a lease; when
 * that ends without a report, the call is offered again, with the same id, until it expires; then its contact waits in
 * the plan as after any attempt that no dialer answered. */
#ifndef ENGINE_FETCH_H
#define ENGINE_FETCH_H

#include "engine/claim_facts.h"
#include "engine/payload.h"

#define FETCH_MAX 100

struct fetch {
	struct claim_fetch who;
	int limit;                         /* 1 to FETCH_MAX */
	int64_t lease_us, dispatch_ttl_us; /* as in struct claim_limits */
	int64_t give_up_after_us;          /* as in struct call_report */
};

struct fetched {
	struct requested_call calls[FETCH_MAX]; /* their texts are in the arena */
	int count;
};

/* Fetches up to `limit` calls, inside a transaction: calls that are offered again come first. They may be handed
 * out only after the commit. */
enum db_result fetch_calls(struct db *db, const struct fetch *fetch, struct arena *arena, struct fetched *out);

#endif
