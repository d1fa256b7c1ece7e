/* Inner side of scheduler/loop.h: the state of the loop, and the work that it finds in the database. */
#ifndef SCHEDULER_LOOP_WORK_H
#define SCHEDULER_LOOP_WORK_H

#include "base/clock.h"
#include "base/conf.h"
#include "scheduler/ahead.h"
#include "scheduler/chores.h"
#include "scheduler/deliver.h"
#include "scheduler/queues.h"
#include "scheduler/results.h"
#include "store/process_store.h"

#define LEAD_US (15 * US_PER_MS) /* how long before its first call a dispatch begins */
#define DATABASE_AWAY_US (500 * US_PER_MS)

enum kind { KIND_CLAIM, KIND_CALLS, KIND_OUTBOX, KIND_BACKGROUND, KIND__MAX };
/* Work that is not done by turns; only for conflicts.h. */
enum { KIND_DISPATCH = KIND__MAX, KIND_TURN };

struct loop {
	const struct conf *conf;
	struct db *db;
	struct deliver *deliver;
	struct results *results;
	struct chores *chores;
	int wake_fd;                         /* -1: other processes cannot wake us */
	int64_t looked_us;                   /* monotonic: when it last looked into the database */
	int64_t wakes_us[KIND__MAX];         /* as that look found: when each kind of work has something to do */
	bool is_seen;                        /* no work was done since that look */
	struct queues_from events_from;      /* as that look found */
	int64_t from_us;                     /* no call, endpoint or new delivery is to be looked at before this instant */
	int64_t sweep_at_us;                 /* monotonic: when to look for earlier ones all the same */
	struct ahead *ahead;                 /* calls that were claimed and are not due yet */
	int64_t refused_until_us[KIND__MAX]; /* monotonic: when to try again the work that the server rejected */
	int64_t look_at_us;                  /* monotonic: when to look into the database again */
	int64_t pulled_in_us; /* monotonic: when wake-ups were last pulled in, because the clock stepped back */
	bool is_checked;      /* the database has the right schema */
	struct process self;
	int64_t beat_at_us; /* monotonic: when to give a sign of life */
	int64_t turn_began_us;
};

/* Dispatches the calls that are due soon. */
enum db_result loop_dispatch_due(struct loop *loop);

/* Does due work, a batch of each kind. A full batch is followed by the next at once. */
enum db_result loop_work(struct loop *loop);

#endif
