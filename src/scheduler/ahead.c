#include "scheduler/ahead.h"

#include <assert.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/instant.h"
#include "base/log.h"

struct waiting_call {
	struct uuid id;
	struct claimed_call call;
	int64_t due_us, claimed_us; /* monotonic: no step of the database's clock moves them */
};

struct ahead {
	struct waiting_call calls[AHEAD_MAX];
	int count;
};

struct ahead *ahead_new(void)
{
	struct ahead *ahead = calloc(1, sizeof *ahead);

	if (ahead == NULL)
		fatal("out of memory");
	return ahead;
}

void ahead_free(struct ahead *ahead)
{
	free(ahead);
}

struct claim_taken ahead_waiting(const struct ahead *ahead, const struct claim_dialer *dialer)
{
	struct claim_taken waiting = { .all = ahead->count };

	for (int i = 0; i < ahead->count; i++) {
		waiting.same += ahead->calls[i].call.dialer.endpoint == dialer->endpoint;
		waiting.doubtful += ahead->calls[i].call.dialer.doubtful;
	}
	return waiting;
}

int ahead_count(const struct ahead *ahead)
{
	return ahead->count;
}

void ahead_add(struct ahead *ahead, const struct uuid *ids, const struct claimed_call *calls, int count,
               int64_t claimed_us)
{
	int64_t offset_us = clock_mono_us() - clock_now_us();

	assert(ahead->count + count <= AHEAD_MAX);
	for (int i = 0; i < count; i++)
		ahead->calls[ahead->count++] = (struct waiting_call){
			.id = ids[i], .call = calls[i], .due_us = calls[i].since_us + offset_us, .claimed_us = claimed_us
		};
}

int64_t ahead_next_us(const struct ahead *ahead)
{
	int64_t next_us = INSTANT_NEVER;

	for (int i = 0; i < ahead->count; i++)
		if (ahead->calls[i].due_us < next_us)
			next_us = ahead->calls[i].due_us;
	return next_us;
}

int ahead_take(struct ahead *ahead, int64_t until_us, int64_t stale_us, struct uuid *ids, int64_t *since_us, int max)
{
	int taken = 0, kept = 0;

	for (int i = 0; i < ahead->count; i++) {
		const struct waiting_call *waiting = &ahead->calls[i];

		if (waiting->claimed_us < stale_us)
			continue;
		if (waiting->due_us > until_us || taken == max) {
			ahead->calls[kept++] = *waiting;
			continue;
		}
		ids[taken] = waiting->id;
		since_us[taken++] = waiting->call.since_us;
	}
	ahead->count = kept;
	return taken;
}
