#include "store/outage.h"

#include <stdatomic.h>
#include <stddef.h>
#include <sys/mman.h>

#include "base/clock.h"
#include "base/log.h"

#define ASK_EVERY_US (US_PER_SECOND / 2)
#define WARN_FULL_EVERY_US (10 * US_PER_SECOND)
#define LOOK_BACK_EVERY_US (15 * US_PER_SECOND)

struct outage {
	_Atomic int64_t since_us; /* monotonic; 0: the database is there */
	_Atomic int64_t ask_again_us;
	_Atomic bool no_writes;
	_Atomic int64_t lost, conflicts;
	_Atomic size_t host;
	_Atomic size_t found_host;       /* the same, counted from 1; 0: not known yet */
	_Atomic int64_t host_lost_at_us; /* monotonic; 0: the database is there */
	_Atomic int64_t look_again_us, moves, move_us;
	_Atomic int64_t full_warned_us;
};

static struct outage own;
static struct outage *outage = &own;
static bool logs_nothing;

void outage_share(void)
{
	outage = mmap(NULL, sizeof *outage, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (outage == MAP_FAILED)
		fatal("out of memory");
}

void outage_log_nothing(void)
{
	logs_nothing = true;
}

bool outage_is_on(void)
{
	return atomic_load(&outage->since_us) != 0;
}

int64_t outage_lasts_us(void)
{
	int64_t since_us = atomic_load(&outage->since_us);

	return since_us == 0 ? 0 : clock_mono_us() - since_us;
}

bool outage_may_ask(void)
{
	int64_t now_us = clock_mono_us(), again_us = atomic_load(&outage->ask_again_us);

	if (!outage_is_on())
		return true;
	return now_us >= again_us &&
	       atomic_compare_exchange_strong(&outage->ask_again_us, &again_us, now_us + ASK_EVERY_US);
}

void outage_stop_writes(bool stopped, const char *message)
{
	bool before = atomic_exchange(&outage->no_writes, stopped);

	if (stopped && !before && !outage_is_on())
		log_warning("the database takes no writes: %s", message);
	if (!stopped && before)
		log_info("the database takes writes");
}

bool outage_stops_writes(void)
{
	return atomic_load(&outage->no_writes);
}

void outage_begins(const char *message)
{
	int64_t none = 0, now_us = clock_mono_us();

	if (atomic_compare_exchange_strong(&outage->since_us, &none, now_us) && !logs_nothing)
		log_warning("the database is away: %s", message);
}

void outage_ends(void)
{
	int64_t since_us = atomic_exchange(&outage->since_us, 0);

	if (since_us != 0 && !logs_nothing)
		log_info("the database is back after %.1f s", (double)(clock_mono_us() - since_us) / (double)US_PER_SECOND);
}

void outage_warn_full(const char *message)
{
	int64_t now_us = clock_mono_us(), warned_us = atomic_load(&outage->full_warned_us);

	if ((warned_us == 0 || now_us - warned_us > WARN_FULL_EVERY_US) &&
	    atomic_compare_exchange_strong(&outage->full_warned_us, &warned_us, now_us))
		log_warning("the database has no connection left, see max_connections: %s", message);
}

void outage_count_lost(void)
{
	atomic_fetch_add(&outage->lost, 1);
}

void outage_count_conflict(void)
{
	atomic_fetch_add(&outage->conflicts, 1);
}

int64_t outage_lost(void)
{
	return atomic_load(&outage->lost);
}

int64_t outage_conflicts(void)
{
	return atomic_load(&outage->conflicts);
}

size_t outage_host(void)
{
	return atomic_load(&outage->host);
}

bool outage_move_host(size_t from, size_t to)
{
	if (from == to || !atomic_compare_exchange_strong(&outage->host, &from, to))
		return false;
	atomic_store(&outage->look_again_us, clock_mono_us() + LOOK_BACK_EVERY_US);
	return true;
}

void outage_host_lost(size_t host, int64_t used_at_us)
{
	int64_t none = 0;

	if (host == outage_host())
		atomic_compare_exchange_strong(&outage->host_lost_at_us, &none, used_at_us);
}

bool outage_host_found(size_t host, int64_t *gap_us)
{
	int64_t lost_at_us = atomic_exchange(&outage->host_lost_at_us, 0);
	size_t before = atomic_exchange(&outage->found_host, host + 1);

	if (before == 0 || before == host + 1)
		return false;
	*gap_us = lost_at_us != 0 ? clock_mono_us() - lost_at_us : 0;
	atomic_store(&outage->move_us, *gap_us);
	atomic_fetch_add(&outage->moves, 1);
	return true;
}

bool outage_go_back(size_t host)
{
	if (!outage_move_host(outage_host(), host))
		return false;
	atomic_store(&outage->found_host, host + 1);
	return true;
}

bool outage_may_look_back(void)
{
	int64_t now_us = clock_mono_us(), again_us = atomic_load(&outage->look_again_us);

	return now_us >= again_us &&
	       atomic_compare_exchange_strong(&outage->look_again_us, &again_us, now_us + LOOK_BACK_EVERY_US);
}

int64_t outage_moves(void)
{
	return atomic_load(&outage->moves);
}

int64_t outage_move_us(void)
{
	return atomic_load(&outage->move_us);
}
