#include "store/conflicts.h"

#include "base/clock.h"

#define WAIT_US (250 * US_PER_MS)
#define WAIT_MAX_US US_PER_SECOND
#define DEADLOCKS_MAX 3    /* each after several runs of its transaction */
#define LOCK_WAITS_MAX 20  /* each as long as a statement waits for a lock */
#define NEWS_US (20 * US_PER_SECOND) /* conflicts that are further apart have nothing to do with each other */
#define REMEMBERED 64

/* The latest conflicts, each in the slot that its object selects. */
static struct {
	enum conflict_of of;
	int64_t id, at_us; /* monotonic */
	int count;
} memory[REMEMBERED];

static int count_conflict(enum conflict_of of, int64_t id)
{
	size_t slot = ((uint64_t)id * CONFLICT_OF__MAX + of) % REMEMBERED;
	int64_t now_us = clock_mono_us();

	if (memory[slot].of != of || memory[slot].id != id || now_us - memory[slot].at_us > NEWS_US)
		memory[slot].count = 0;
	memory[slot].of = of;
	memory[slot].id = id;
	memory[slot].at_us = now_us;
	return ++memory[slot].count;
}

int64_t conflict_wait_us(const struct db *db, enum conflict_of of, int64_t id, enum db_result result)
{
	int most = db_waited_for_lock(db) ? LOCK_WAITS_MAX : DEADLOCKS_MAX, count;

	if (result != DB_CONFLICT)
		return 0;
	count = count_conflict(of, id);
	if (count >= most)
		return 0;
	return count * WAIT_US < WAIT_MAX_US ? count * WAIT_US : WAIT_MAX_US;
}
