#include "scheduler/loop_work.h"

#include "base/clock.h"
#include "base/instant.h"
#include "base/least.h"
#include "base/log.h"
#include "domain/call.h"
#include "engine/claim.h"
#include "scheduler/background.h"
#include "scheduler/dispatch.h"
#include "scheduler/outbox.h"
#include "store/conflicts.h"

#define MAX_CLAIM 200              /* calls per claim: more would hold the locks longer for little gain */
#define POLL_US (400 * US_PER_MS)  /* changes by other processes are seen after this time, even without a wake-up */
#define AHEAD_US (300 * US_PER_MS) /* how far ahead calls are claimed: each begins when it is due */
_Static_assert(AHEAD_US < CALL_REST_US, "a window may close before a call that was claimed ahead begins");
#define EARLY_US (40 * US_PER_MS) /* how long before its first call a claim begins, because it takes a while */
#define SOON_US (70 * US_PER_MS)  /* how far ahead calls are dispatched: they wait for their instants in a slot */
#define BUSY_US (5 * US_PER_MS)   /* a pause: there is work, but no free slot, or others have locked it */
#define SWEEP_US (30 * US_PER_SECOND)

/* Calls that were claimed and are not due yet will take slots, too. */
static int room_at(const void *context, const struct claim_dialer *dialer, const struct claim_taken *taken)
{
	const struct loop *loop = context;
	struct claim_taken waiting = ahead_waiting(loop->ahead, dialer);

	return deliver_room_at(loop->deliver, &(struct deliver_place){ DELIVER_CALL, dialer->endpoint, dialer->doubtful },
	                       &(struct deliver_taken){ taken->same + waiting.same, taken->doubtful + waiting.doubtful,
	                                                taken->all + waiting.all });
}

enum db_result loop_dispatch_due(struct loop *loop)
{
	int64_t now_us = clock_mono_us(), stale_us = now_us - loop->conf->lease_seconds * US_PER_SECOND / 2;
	struct uuid ids[MAX_CLAIM];
	int64_t since_us[MAX_CLAIM];
	int count;

	if (ahead_next_us(loop->ahead) > now_us + LEAD_US)
		return DB_OK;
	count = ahead_take(loop->ahead, now_us + SOON_US, stale_us, ids, since_us, MAX_CLAIM);
	return count == 0 ? DB_OK : dispatch_calls(loop->db, loop->deliver, loop->conf, ids, since_us, count);
}

/* Claims only as much as there is room for, so that nothing claimed waits for a slot. Where slots are short, they are
 * not kept for calls that are due later. */
static enum db_result claim(struct loop *loop, int *found)
{
	int waiting = ahead_count(loop->ahead), count;
	int room = deliver_free_slots(loop->deliver, DELIVER_CALL) - waiting;
	struct claim_limits limits = {
		.max_calls = min_int(min_int(room, MAX_CLAIM), AHEAD_MAX - waiting),
		.from_us = loop->wakes_us[KIND_CLAIM],
		.ahead_us = room >= loop->conf->max_in_flight / 2 ? AHEAD_US : SOON_US,
		.lease_us = loop->conf->lease_seconds * US_PER_SECOND,
		.dispatch_ttl_us = loop->conf->dispatch_ttl_seconds * US_PER_SECOND,
		.room_at = room_at,
		.context = loop,
	};
	struct claimed_call calls[MAX_CLAIM];
	struct uuid ids[MAX_CLAIM];
	int64_t began_us = clock_mono_us();

	*found = 0;
	if (limits.max_calls <= 0)
		return DB_OK;
	DB_TRY(claim_due_calls(loop->db, &limits, ids, calls, &count, found));
	ahead_add(loop->ahead, ids, calls, count, began_us);
	return loop_dispatch_due(loop);
}

/* During a step of the clock deadlines may have passed although nothing was late. So for the time of a lease
 * nothing is concluded from deadlines. */
static enum db_result find_overdue(struct loop *loop, int *found)
{
	int64_t stepped_us = clock_stepped_us(), until_us;

	until_us = stepped_us == INT64_MIN ? stepped_us : stepped_us + loop->conf->lease_seconds * US_PER_SECOND;
	if (clock_mono_us() < until_us) {
		loop->refused_until_us[KIND_CALLS] = until_us;
		*found = 0;
		return DB_OK;
	}
	DB_TRY(dispatch_overdue(loop->db, loop->deliver, loop->conf, loop->wakes_us[KIND_CALLS], found));
	if (*found == 0 &&
	    clock_mono_us() < stepped_us + clock_stepped_by_us()) /* calls that are overdue get the length of the step */
		loop->refused_until_us[KIND_CALLS] = clock_mono_us() + DATABASE_AWAY_US;
	return DB_OK;
}

static enum db_result send_events(struct loop *loop, int *found)
{
	return outbox_start_due(loop->db, loop->deliver, loop->conf, &loop->events_from, found);
}

static enum db_result work_in_background(struct loop *loop, int *found)
{
	return background_step(loop->db, found);
}

/* The kinds of work, in the order of their turns. *found: 0 if there was nothing to do. */
static const struct {
	const char *name;
	enum db_result (*run)(struct loop *loop, int *found);
} kinds[KIND__MAX] = {
	[KIND_CLAIM] = { "claims", claim },
	[KIND_CALLS] = { "overdue calls", find_overdue },
	[KIND_OUTBOX] = { "events", send_events },
	[KIND_BACKGROUND] = { "planning, copying, purging", work_in_background },
};

/* No call, endpoint or new delivery gets an instant that is further back than a lease takes. */
static int64_t latest_from(const struct loop *loop)
{
	return clock_now_us() - loop->conf->lease_seconds * US_PER_SECOND;
}

/* Now and then all are looked through, so that a row with an older instant is found too. */
static int64_t look_from(struct loop *loop)
{
	if (clock_mono_us() < loop->sweep_at_us)
		return min_of(loop->from_us, latest_from(loop));
	loop->sweep_at_us = clock_mono_us() + SWEEP_US;
	return INSTANT_NONE;
}

/* Events for doubtful endpoints only count when there is room for some. */
static void take_wakes(struct loop *loop, const struct next_wakes *next)
{
	loop->wakes_us[KIND_CLAIM] = next->claim_us - EARLY_US;
	loop->wakes_us[KIND_CALLS] = next->calls_us;
	loop->wakes_us[KIND_OUTBOX] = min_of(next->new_events_us, next->outbox_us);
	if (deliver_free_doubtful(loop->deliver, DELIVER_EVENT) > 0)
		loop->wakes_us[KIND_OUTBOX] = min_of(loop->wakes_us[KIND_OUTBOX], next->doubtful_us);
	loop->wakes_us[KIND_BACKGROUND] = next->background_us;
	loop->events_from = (struct queues_from){ next->new_events_us, min_of(next->outbox_us, next->doubtful_us) };
	loop->from_us = min_of(min_of(next->calls_us, next->new_events_us),
	                       min_of(loop->events_from.endpoints_us, latest_from(loop)));
}

/* Reads when each kind of work has something to do, at the earliest. */
static enum db_result read_wakes(struct loop *loop)
{
	enum db_result result = db_ready(loop->db);
	int64_t from_us = look_from(loop);
	struct next_wakes next;

	if (result == DB_OK)
		result = next_wakes_read(loop->db, from_us, &next);
	if (result == DB_OK)
		take_wakes(loop, &next);
	loop->looked_us = clock_mono_us();
	loop->is_seen = result == DB_OK;
	return result;
}

/* If the server rejects a kind of work, or a lock is missing, only that kind waits, and only for a while. */
static enum db_result run_kind(struct loop *loop, enum kind kind, int *found)
{
	enum db_result result = kinds[kind].run(loop, found);
	int64_t wait_us;

	if (!db_is_refusal(result))
		return result;
	wait_us = conflict_wait_us(loop->db, CONFLICT_KIND, kind, result);
	if (wait_us == 0)
		log_error("the database refused the scheduler's work: %s: result %d", kinds[kind].name, (int)result);
	loop->refused_until_us[kind] = clock_mono_us() + (wait_us != 0 ? wait_us : DATABASE_AWAY_US);
	return DB_OK;
}

/* The last look found work that is due now, so it is done without another look. */
static bool is_work_known(const struct loop *loop)
{
	bool any = false;

	for (enum kind kind = 0; loop->is_seen && kind < KIND__MAX; kind++)
		any |= loop->wakes_us[kind] <= clock_now_us() && clock_mono_us() >= loop->refused_until_us[kind];
	return any;
}

enum db_result loop_work(struct loop *loop)
{
	int64_t now_us, wait_us = POLL_US;
	int all_found = 0;

	if (!is_work_known(loop))
		DB_TRY(read_wakes(loop));
	now_us = clock_now_us();
	for (enum kind kind = 0; kind < KIND__MAX; kind++) {
		int64_t ahead_us = loop->wakes_us[kind] - now_us;
		int found = 0;

		if (clock_mono_us() < loop->refused_until_us[kind])
			continue;
		if (ahead_us <= 0) {
			loop->is_seen = false;
			DB_TRY(run_kind(loop, kind, &found));
		}
		all_found += found;
		wait_us = min_of(wait_us, ahead_us <= 0 ? BUSY_US : ahead_us);
	}
	if (all_found != 0)
		chores_expect(loop->chores);
	loop->look_at_us = clock_mono_us() + (all_found == 0 ? wait_us : 0);
	return chores_run(loop->chores, loop->db, &loop->look_at_us);
}
