#include "api/waiting.h"

#include <time.h>

#include "api/board.h"
#include "api/reply.h"
#include "base/clock.h"
#include "base/progress.h"
#include "base/signals.h"

#define LOOK_EVERY_US (200 * US_PER_MS)
#define COME_AGAIN "1" /* seconds */

int waiting_seats(const struct conf *conf)
{
	return (int)conf->workers / 3;
}

static int count_waiting(void)
{
	int count = 0;

	for (int i = 0; i < BOARD_WORKERS_MAX; i++)
		count += atomic_load(&board->workers[i].waits);
	return count;
}

/* If two requests come at once, both may find no seat, and neither waits. */
static bool take_seat(struct request *request)
{
	atomic_store(&request->worker->waits, true);
	if (count_waiting() <= waiting_seats(request->conf))
		return true;
	atomic_store(&request->worker->waits, false);
	return false;
}

static void wait_a_moment(struct request *request)
{
	int64_t left_us = request->wait_until_us - clock_mono_us();
	int64_t wait_us = left_us < LOOK_EVERY_US ? left_us : LOOK_EVERY_US;

	if (wait_us > 0)
		nanosleep(&(struct timespec){ .tv_nsec = wait_us * 1000 }, NULL);
	progress_note();
}

static bool is_over(const struct request *request)
{
	return clock_mono_us() >= request->wait_until_us || signals_stop_requested();
}

enum db_result waiting_run(struct request *request, enum db_result (*run)(struct request *))
{
	enum db_result result = run(request);

	if (result != DB_OK || !request->reply->passes || is_over(request))
		return result;
	if (!take_seat(request)) {
		reply_header(request, "Retry-After", COME_AGAIN);
		return result;
	}
	while (result == DB_OK && request->reply->passes && !is_over(request)) {
		wait_a_moment(request);
		result = run(request);
	}
	atomic_store(&request->worker->waits, false);
	return result;
}
