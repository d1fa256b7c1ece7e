#include "api/board.h"

#include <math.h>
#include <stddef.h>
#include <sys/mman.h>

#include "base/clock.h"
#include "base/log.h"

const double board_bucket_seconds[BOARD_BUCKETS] = {
	0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 5, INFINITY,
};

static const int statuses[] = {
	200, 201, 204, 304, 400, 401, 403, 404, 405, 409, 412, 413, 415, 422, 429, 500, 503,
};
#define STATUS_COUNT ((int)(sizeof statuses / sizeof *statuses))

struct board *board;

void board_prepare(void)
{
	board = mmap(NULL, sizeof *board, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (board == MAP_FAILED)
		fatal("out of memory");
	board->started_at_us = clock_mono_us();
}

int board_status(int slot)
{
	return slot < STATUS_COUNT ? statuses[slot] : 0;
}

void board_count_request(int route, int status, int64_t took_us)
{
	struct board_route *counted = &board->routes[route];
	int slot = 0, bucket = 0;

	while (slot < STATUS_COUNT - 1 && statuses[slot] != status)
		slot++;
	while ((double)took_us / (double)US_PER_SECOND > board_bucket_seconds[bucket])
		bucket++;
	atomic_fetch_add(&counted->by_status[slot], 1);
	atomic_fetch_add(&counted->buckets[bucket], 1);
	atomic_fetch_add(&counted->total_us, took_us);
}
