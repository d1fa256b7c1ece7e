/* The shared memory of the processes of one API: what each worker does, the monitor's knowledge of the database,
 * and the numbers of requests. It is made before the first fork. Any of the processes may die at any moment. */
#ifndef API_BOARD_H
#define API_BOARD_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/conf.h"
#include "base/histogram.h"
#include "base/uuid.h"

#define BOARD_WORKERS_MAX 520
#define BOARD_ROUTES_MAX 160 /* of the route table, and one for unknown addresses */
#define BOARD_STATUSES 20
#define BOARD_BEATS 64
#define BOARD_WRITERS 4096

struct board_worker {
	_Atomic int64_t busy_since_us; /* monotonic; 0: it waits for a request */
	_Atomic int64_t progress_at_us;
	_Atomic bool waits;  /* until there is something to answer: api/waiting.h */
	_Atomic int64_t pid; /* also of the processes beside the workers; 0: not running */
};

struct board_route {
	_Atomic int64_t by_status[BOARD_STATUSES]; /* see board_status */
	_Atomic int64_t buckets[HISTOGRAM_BUCKETS];
	_Atomic int64_t total_us;
};

struct board {
	struct board_worker workers[BOARD_WORKERS_MAX];
	_Atomic int64_t worker_restarts;
	/* Written by the monitor: */
	_Atomic int64_t probed_at_us; /* monotonic; 0: not yet */
	_Atomic int64_t schema_version, schedulers, apis, waits_us, scheduler_seen_us, clock_offset_ms;
	_Atomic bool writable, is_checked;
	struct uuid monitor_id; /* of its sign of life */
	struct {
		_Atomic int64_t seen_at_us, began_us;
	} beats[BOARD_BEATS]; /* the latest signs of life: what was written, and when the write began (monotonic) */
	_Atomic int64_t beat_count;
	/* Of reads from a replica (api/replica.h), monotonic: */
	_Atomic int64_t replica_has_us; /* all writes from before this time have arrived on the replica; 0: not known */
	_Atomic int64_t written_at_us[BOARD_WRITERS];      /* when an organisation wrote; several may share an element */
	_Atomic int64_t reads_by_writer, reads_by_replica; /* of reads that a replica may answer */
	/* Of this host: */
	_Atomic int64_t reports[3]; /* by enum report_result */
	int64_t started_at_us;      /* monotonic */
	struct board_route routes[BOARD_ROUTES_MAX];
};

extern struct board *board;

void board_prepare(void);

/* The status that a slot of by_status counts; 0: none. */
int board_status(int slot);

/* Returns when the writing of a sign of life began; 0: it is not among the latest signs. */
void board_note_beat(int64_t seen_at_us, int64_t began_us);
int64_t board_beat_began(int64_t seen_at_us);

void board_count_request(int route, int status, int64_t took_us);

#endif
