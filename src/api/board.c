#include "api/board.h"

#include <stddef.h>
#include <sys/mman.h>

#include "base/clock.h"
#include "base/log.h"

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
	int slot = 0;

	while (slot < STATUS_COUNT - 1 && statuses[slot] != status)
		slot++;
	atomic_fetch_add(&counted->by_status[slot], 1);
	atomic_fetch_add(&counted->buckets[histogram_bucket(took_us)], 1);
	atomic_fetch_add(&counted->total_us, took_us);
}

void board_note_beat(int64_t seen_at_us, int64_t began_us)
{
	int64_t place = atomic_fetch_add(&board->beat_count, 1) % BOARD_BEATS;

	atomic_store(&board->beats[place].seen_at_us, 0);
	atomic_store(&board->beats[place].began_us, began_us);
	atomic_store(&board->beats[place].seen_at_us, seen_at_us);
}

int64_t board_beat_began(int64_t seen_at_us)
{
	for (int i = 0; i < BOARD_BEATS; i++)
		if (seen_at_us != 0 && atomic_load(&board->beats[i].seen_at_us) == seen_at_us)
			return atomic_load(&board->beats[i].began_us);
	return 0;
}
