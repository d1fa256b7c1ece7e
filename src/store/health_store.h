/* The health of endpoints, and when their queues are looked at. The row of an endpoint's health is the lock of its
 * queue. Rows are locked in the order of their endpoints. */
#ifndef STORE_HEALTH_STORE_H
#define STORE_HEALTH_STORE_H

#include "domain/health.h"
#include "store/columns.h"
#include "store/db.h"

/* The columns HEALTH_OF of statements/claims.def, read into a member that is a struct health. */
#define HEALTH_COLUMNS(type, member) \
	COLUMN_AS(type, doubtful, member.doubtful), COLUMN_AS(type, failures, member.failures), \
		INSTANT_AS(type, failing_since, member.failing_since_us), INSTANT_AS(type, open_until, member.open_until_us), \
		INSTANT_AS(type, probe_until, member.probe_until_us), INSTANT_AS(type, hold_until, member.hold_until_us)

/* The health of an endpoint, under its lock. */
struct endpoint_health {
	int64_t endpoint;
	struct health health;
};

struct health_wake {
	int64_t endpoint;
	int64_t at_us; /* INSTANT_NEVER: only creates the row if it is missing */
};

/* HEALTH_ANY: also endpoints that were deleted, so that their queues are cleared. */
enum health_of { HEALTH_EXISTING, HEALTH_ANY };

/* Makes the scheduler look at the queues by the given instants. Sorts `wakes`, which may have several of one endpoint.
 */
enum db_result health_wake(struct db *db, enum health_of which, struct health_wake *wakes, size_t count);

/* Locks of endpoints are waited for, because they are mostly held for a moment. After a wait that was too long, which
 * health_note_wait learns of, health_find_locked finds the endpoints that are locked, for as long as there are any and
 * some seconds more. Else it finds none. Inside a transaction the other endpoints are locked then. */
void health_note_wait(const struct db *db, enum db_result result);
enum db_result health_find_locked(struct db *db, const int64_t *endpoints, size_t count, bool *is_locked);

/* Locks the health of these endpoints, and reads what there is. */
enum db_result health_lock(struct db *db, const int64_t *endpoints, size_t count, struct arena *arena,
                           const struct endpoint_health **list, size_t *found);

struct health_change {
	int64_t endpoint;
	struct health before, after;
	int64_t next_at_us; /* when its queue has to be looked at because of the change */
	const char *error;  /* the latest; "": none */
};
/* Saves changes, and logs that circuits were opened or closed. */
enum db_result health_save(struct db *db, const struct health_change *changes, size_t count, struct arena *arena);

/* The endpoint was switched on again: its failures are forgotten, and its queue is served. */
enum db_result health_reset(struct db *db, int64_t endpoint, int64_t now_us);

/* Ends a batch of the deliveries that wait for a deleted endpoint. After the last batch, the row is deleted. */
enum db_result health_drop_queue(struct db *db, int64_t endpoint, bool *empty);

/* Finds out whether this process may send the probe of a half-open circuit. Not while another has its lock. */
enum db_result health_take_probe(struct db *db, int64_t endpoint, int64_t now_us, int64_t until_us, bool *taken);
/* Finds out whether this process may claim the one call that probes the endpoint. */
enum db_result health_take_trial(struct db *db, int64_t endpoint, int64_t now_us, int64_t until_us, bool *taken);

#endif
