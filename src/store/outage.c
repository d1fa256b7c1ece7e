#include "store/outage.h"

#include <stdatomic.h>
#include <stddef.h>
#include <sys/mman.h>

#include "base/clock.h"
#include "base/log.h"

#define ASK_EVERY_US (US_PER_SECOND / 2)

struct outage {
	_Atomic int64_t since_us; /* monotonic; 0: the database is there */
	_Atomic int64_t ask_again_us;
	_Atomic bool no_writes;
	_Atomic int64_t lost, conflicts;
};

static struct outage own;
static struct outage *outage = &own;

void outage_share(void)
{
	outage = mmap(NULL, sizeof *outage, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (outage == MAP_FAILED)
		fatal("out of memory");
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

	if (atomic_compare_exchange_strong(&outage->since_us, &none, now_us))
		log_warning("the database is away: %s", message);
}

void outage_ends(void)
{
	int64_t since_us = atomic_exchange(&outage->since_us, 0);

	if (since_us != 0)
		log_info("the database is back after %.1f s", (double)(clock_mono_us() - since_us) / (double)US_PER_SECOND);
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
