/* The queues of deliveries: new deliveries wait in queue 0, the others in the queue of their endpoint. The row of an
 * endpoint's health is the lock of its queue (health_store.h). scheduler/queues.c decides what is sent. */
#ifndef STORE_QUEUE_STORE_H
#define STORE_QUEUE_STORE_H

#include "store/db.h"
#include "store/health_store.h"

#define QUEUES_AT_ONCE 32 /* queues whose heads are read together: SQL_OUTBOX_HEADS_32 */

struct new_delivery {
	int64_t id, endpoint;
};
/* Locks new deliveries that are due, from an instant on, except those that others have locked. */
enum db_result queue_lock_new(struct db *db, int64_t from_us, int64_t now_us, int limit, struct arena *arena,
                              const struct new_delivery **list, size_t *count);

/* Moves new deliveries into the queues of their endpoints, and wakes these. Those whose endpoint is locked stay new
 * until an instant. */
enum db_result queue_sort(struct db *db, const struct new_delivery *list, size_t count, const bool *is_locked,
                          int64_t now_us, int64_t locked_until_us, struct arena *arena);

/* Locks the health of endpoints whose queues are due, the longest waiting first, except those that others have
 * locked. */
enum db_result queue_lock_endpoints(struct db *db, bool doubtful, int64_t from_us, int64_t now_us, int limit,
                                    struct arena *arena, const struct endpoint_health **list, size_t *count);

struct queue_target {
	int64_t endpoint;
	bool disabled;
};
/* Reads which of these endpoints exist, and whether they are switched off. */
enum db_result queue_targets(struct db *db, const int64_t *endpoints, size_t count, struct arena *arena,
                             const struct queue_target **list, size_t *found);

/* The beginning of a queue: at most `limit` deliveries. Endpoint 0 and limit 0: none. */
struct queue_part {
	int64_t endpoint, limit;
};
struct queued_delivery {
	int64_t id, endpoint, wake_at_us;
};
/* Reads the beginnings of at most QUEUES_AT_ONCE queues. */
enum db_result queue_heads(struct db *db, const struct queue_part *parts, int count, struct arena *arena,
                           const struct queued_delivery **list, size_t *found);

/* Leases deliveries: each lease counts as a try. */
enum db_result queue_lease(struct db *db, const int64_t *ids, size_t count, int64_t until_us, struct arena *arena);

/* When an endpoint has its next turn, and until when another webhook probes it. */
struct queue_turn {
	int64_t endpoint, next_at_us, probe_until_us;
};
enum db_result queue_save_turns(struct db *db, const struct queue_turn *turns, size_t count, struct arena *arena);

/* Leaves a new delivery, or the queue of an endpoint, until an instant. */
enum db_result queue_leave_new(struct db *db, int64_t delivery, int64_t until_us);
enum db_result queue_leave(struct db *db, int64_t endpoint, int64_t until_us);

#endif
