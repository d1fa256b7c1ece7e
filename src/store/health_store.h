/* How endpoints are doing, and when their queues are looked into. The row of an endpoint's health is the lock of
 * its queue. Rows are locked in the order of their endpoints. */
#ifndef STORE_HEALTH_STORE_H
#define STORE_HEALTH_STORE_H

#include "domain/health.h"
#include "store/columns.h"
#include "store/db.h"

/* The columns HEALTH_OF of statements/calls.def, read into a member that is a struct health. */
#define HEALTH_COLUMNS(type, member)                                                                           \
	COLUMN_AS(type, doubtful, member.doubtful), COLUMN_AS(type, failures, member.failures),                \
	INSTANT_AS(type, failing_since, member.failing_since_us), INSTANT_AS(type, open_until, member.open_until_us), \
	INSTANT_AS(type, probe_until, member.probe_until_us), INSTANT_AS(type, hold_until, member.hold_until_us)

/* What SQL_HEALTH_LOCK and SQL_OUTBOX_ENDPOINTS lock. */
struct endpoint_health {
	int64_t endpoint;
	struct health health;
};

/* The same of cells, from column `first` on. */
struct health health_from_row(const struct db_rows *rows, size_t r, size_t first);

struct health_wake {
	int64_t endpoint;
	int64_t at_us; /* INSTANT_NEVER: only makes sure that the row is there */
};

/* HEALTH_ANY: also of endpoints that are gone, so that their queues are cleared. */
enum health_of { HEALTH_EXISTING, HEALTH_ANY };

/* Has the queues looked into by then. Sorts `wakes`; several of one endpoint may be among them. */
enum db_result health_wake(struct db *db, enum health_of which, struct health_wake *wakes, size_t count);

/* All that was held against an endpoint is forgotten, and its queue served: it was switched on again. */
enum db_result health_reset(struct db *db, int64_t endpoint, int64_t now_us);

/* Brings what waits for an endpoint that is gone to its end, a portion; then the row goes too. */
enum db_result health_drop_queue(struct db *db, int64_t endpoint, bool *empty);

/* Whether this process may send the one webhook that a half open circuit lets through. */
enum db_result health_take_probe(struct db *db, int64_t endpoint, int64_t now_us, int64_t until_us, bool *taken);
/* The same for claiming one call to try it with. */
enum db_result health_take_trial(struct db *db, int64_t endpoint, int64_t now_us, int64_t until_us, bool *taken);

#endif
