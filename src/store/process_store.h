/* The processes that are alive, over all hosts: each tells every few seconds. And how far the work is behind. */
#ifndef STORE_PROCESS_STORE_H
#define STORE_PROCESS_STORE_H

#include "store/db.h"

#define PROCESS_BEAT_US (5 * US_PER_SECOND)
#define PROCESS_ALIVE_US (15 * US_PER_SECOND) /* who has told nothing for longer is taken for dead */

enum process_kind { PROCESS_API, PROCESS_SCHEDULER, PROCESS_KIND__MAX }; /* numbers are stored */

extern const char *const process_kind_names[PROCESS_KIND__MAX];

struct process {
	struct uuid id;
	int64_t kind, pid;
	const char *host, *version;
	int64_t started_at_us, seen_at_us;
	int64_t turn_us; /* of a scheduler: its longest turn since it told the last time */
};

/* Of this process, that begins now. */
struct process process_new(enum process_kind kind);

enum db_result process_beat(struct db *db, const struct process *process);
enum db_result process_end(struct db *db, const struct process *process); /* it ends as it was asked to */

/* Those that were seen within the last day, the latest first. */
enum db_result processes_read(struct db *db, struct arena *arena, const struct process **out, size_t *count);

struct work_state {
	int64_t schedulers, apis;  /* alive; an API is one master */
	int64_t scheduler_seen_us; /* when one was seen last; INSTANT_NONE: never within a day */
	int64_t oldest_due_us;     /* since when a scheduler might have done something; INSTANT_NEVER: nothing is due */
};

enum db_result work_state_read(struct db *db, struct work_state *out);

/* How long the oldest work has waited; 0: nothing is due. */
int64_t work_waits_us(const struct work_state *state, int64_t now_us);

#endif
