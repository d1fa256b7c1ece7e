/* The processes that are alive, over all hosts; each reports every few seconds. And how late the work is. */
#ifndef STORE_PROCESS_STORE_H
#define STORE_PROCESS_STORE_H

#include "store/db.h"

#define REPLICA_LAG_MAX_US (10 * US_PER_SECOND) /* a replica that is further behind is not read from */
#define PROCESS_BEAT_US (5 * US_PER_SECOND)
#define PROCESS_ALIVE_US (15 * US_PER_SECOND) /* a process that has not reported for longer counts as dead */

enum process_kind { PROCESS_API, PROCESS_SCHEDULER, PROCESS_KIND__MAX }; /* numbers are stored */

extern const char *const process_kind_names[PROCESS_KIND__MAX];

struct process {
	struct uuid id;
	int64_t kind, pid;
	const char *host, *version;
	int64_t started_at_us, seen_at_us;
	int64_t turn_us; /* of a scheduler: its longest turn since its last report */
};

/* Returns a struct for this process, which begins now. */
struct process process_new(enum process_kind kind);

/* Reports that the process is alive. Sets seen_at_us even if it fails. */
enum db_result process_beat(struct db *db, struct process *process);
/* Records that the process ends because it was asked to. */
enum db_result process_end(struct db *db, const struct process *process);

/* Finds when a process was seen last, on the host of this connection. DB_NOT_FOUND: that host does not know it. */
enum db_result process_seen(struct db *db, const struct uuid *id, int64_t *seen_at_us);

/* Lists the processes that were seen within the last day, the latest first. */
enum db_result processes_read(struct db *db, struct arena *arena, const struct process **out, size_t *count);

struct work_state {
	int64_t schedulers, apis;  /* alive; an API counts as one process, its master */
	int64_t scheduler_seen_us; /* when a scheduler was last seen; INSTANT_NONE: not within a day */
	int64_t oldest_due_us;     /* since when there is work for a scheduler; INSTANT_NEVER: nothing is due */
};

enum db_result work_state_read(struct db *db, struct work_state *out);

/* When each kind of a scheduler's work has something to do, at the earliest. */
struct next_wakes {
	int64_t claim_us, calls_us, new_events_us, outbox_us, background_us; /* new events: no queue has them yet */
	int64_t doubtful_us; /* of the events for doubtful endpoints, which outbox_us leaves out */
};

/* Looks at calls, endpoints and new deliveries from an instant on, and at all of the rest. */
enum db_result next_wakes_read(struct db *db, int64_t from_us, struct next_wakes *out);

/* Returns how long the oldest work has waited; 0: nothing is due. */
int64_t work_waits_us(const struct work_state *state, int64_t now_us);

#endif
