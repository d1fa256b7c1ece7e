/* Calls on their way to their dialers: reading them, their leases, and when they are looked at again. */
#ifndef STORE_DISPATCH_STORE_H
#define STORE_DISPATCH_STORE_H

#include "domain/agent.h"
#include "domain/batch.h"
#include "domain/call.h"
#include "domain/contact.h"
#include "domain/health.h"
#include "store/db.h"

/* The facts about a call that its dialer receives, and that decide whether it may still be placed. */
struct requested_call {
	struct uuid id, batch_id;
	bool is_callback; /* the person asked for it */
	int64_t attempt, tries, position, called_at_us, expires_at_us;
	const char *to_number, *from_number;
	int batch_status; /* enum batch_status; -1: a single call */
	bool do_not_call;
	struct agent agent;
	struct contact_input contact;          /* of a campaign's call */
	const char *variables, *call_settings; /* of a single call */
	int64_t endpoint;
	struct uuid endpoint_id;
	bool disabled;              /* the endpoint is switched off */
	bool is_fetched;            /* its dialer fetches its calls */
	struct health health;       /* of the endpoint */
	int64_t batch_row;          /* 0: a single call */
	struct batch_config config; /* of its campaign; only what makes its calendar */
	bool pressed;               /* its dialer asked the campaign to slow down */
	const char *url;
	struct bytes secret;
};

/* Reads the queued calls among these, in any order. */
enum db_result requested_calls_load(struct db *db, const struct uuid *ids, size_t count, struct arena *arena,
                                    const struct requested_call **calls, size_t *found);

/* A call whose wake_at has passed. */
struct overdue_call {
	struct uuid id;
	enum call_status status;
	int64_t expires_at_us;
};
/* Locks at most `limit` overdue calls, from an instant on, except calls that others have locked. The deadline of a call
 * that its dialer has accepted must have passed at `deadlines_us`. */
enum db_result calls_lock_overdue(struct db *db, int64_t from_us, int64_t now_us, int64_t deadlines_us, int limit,
                                  struct arena *arena, const struct overdue_call **calls, size_t *count);

/* Leases calls: each lease counts as a try. */
enum db_result calls_lease(struct db *db, const struct uuid *ids, size_t count, int64_t until_us, struct arena *arena);

/* A call to look at again at an instant. A call that another process has leased since has more tries, and is left as it
 * is. */
struct held_call {
	struct uuid id;
	int64_t until_us, tries; /* tries 0: not known */
};
/* Writes the instants of calls for which no request was sent: their leases count no try. */
enum db_result calls_hold(struct db *db, const struct held_call *held, int count);
/* Writes the instants of calls whose requests failed. */
enum db_result calls_try_again(struct db *db, const struct held_call *failed, int count);

/* Leaves a call as it is until an instant at least. */
enum db_result call_leave(struct db *db, const struct uuid *id, int64_t until_us);

#endif
