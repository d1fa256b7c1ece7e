/* What the processes of one API know together, in shared memory: what each worker is at, what the monitor learned of the
 * database, and how many requests there were. Made before the first fork; any of them may die at any moment. */
#ifndef API_BOARD_H
#define API_BOARD_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/conf.h"

#define BOARD_WORKERS_MAX 520
#define BOARD_ROUTES_MAX 160 /* of the route table, and one for what is not in it */
#define BOARD_STATUSES 20
#define BOARD_BUCKETS 12

extern const double board_bucket_seconds[BOARD_BUCKETS]; /* the last is infinite */

struct board_worker {
	_Atomic int64_t busy_since_us; /* monotonic; 0: it waits for a request */
	_Atomic int64_t progress_at_us;
};

struct board_route {
	_Atomic int64_t by_status[BOARD_STATUSES]; /* see board_status */
	_Atomic int64_t buckets[BOARD_BUCKETS];
	_Atomic int64_t total_us;
};

struct board {
	struct board_worker workers[BOARD_WORKERS_MAX];
	_Atomic int64_t worker_restarts;
	/* By the monitor: */
	_Atomic int64_t probed_at_us; /* monotonic; 0: not yet */
	_Atomic int64_t schema_version, schedulers, apis, waits_us, scheduler_seen_us, clock_offset_ms;
	_Atomic bool writable, is_checked;
	/* Of this host: */
	_Atomic int64_t reports[3]; /* by enum report_result */
	int64_t started_at_us; /* monotonic */
	struct board_route routes[BOARD_ROUTES_MAX];
};

extern struct board *board;

void board_prepare(void);

/* The status that a slot of by_status counts; 0: none. */
int board_status(int slot);
void board_count_request(int route, int status, int64_t took_us);

#endif
