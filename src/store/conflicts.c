#include "store/conflicts.h"

#include "base/clock.h"

#define WAIT_US (250 * US_PER_MS)
#define WAIT_MAX_US US_PER_SECOND
#define DEADLOCKS_MAX 3                 /* each after several runs of its transaction */
#define LOCK_WAITS_MAX 20               /* each as long as a statement waits for a lock */
#define RELATED_US (20 * US_PER_SECOND) /* conflicts that are further apart are not counted together */
#define REMEMBERED 64

/* The latest conflicts. A hash of its object selects the entry of a conflict. */
static struct {
	enum conflict_of of;
	int64_t id, at_us; /* monotonic */
	int count;
} memory[REMEMBERED];

static int count_conflict(enum conflict_of of, int64_t id)
{
	size_t at = ((uint64_t)id * CONFLICT_OF__MAX + of) % REMEMBERED;
	int64_t now_us = clock_mono_us();

	if (memory[at].of != of || memory[at].id != id || now_us - memory[at].at_us > RELATED_US)
		memory[at].count = 0;
	memory[at].of = of;
	memory[at].id = id;
	memory[at].at_us = now_us;
	return ++memory[at].count;
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
