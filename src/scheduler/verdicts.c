#include "scheduler/verdicts.h"

#include <assert.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/crypto.h"
#include "base/instant.h"
#include "base/log.h"
#include "domain/health.h"
#include "domain/pressure.h"
#include "store/figures.h"
#include "store/health_store.h"
#include "store/pressure_store.h"
#include "store/webhook_store.h"

struct verdict {
	int64_t endpoint, batch; /* batch: the campaign whose pressure this changes; 0: none */
	struct health_note note;
	int nth;
	bool is_relevant, is_gone; /* is_relevant: it may change the health of the endpoint; is_gone: the answer was 410 */
	int64_t sent_us, retry_at_us;
	char error[256]; /* "": the webhook was accepted */
};

struct switch_off {
	int64_t endpoint, judged_us; /* judged_us: it stays on if it was changed since */
	const char *reason;
};

struct verdicts {
	const struct conf *conf;
	struct verdict *list;
	int count, max;
	/* Found while they are written: */
	struct switch_off *off;
	int off_count;
};

struct verdicts *verdicts_new(const struct conf *conf, int max)
{
	struct verdicts *verdicts = calloc(1, sizeof *verdicts);

	if (verdicts == NULL)
		fatal("out of memory");
	verdicts->conf = conf;
	verdicts->max = max;
	verdicts->list = calloc((size_t)max, sizeof *verdicts->list);
	verdicts->off = calloc((size_t)max, sizeof *verdicts->off);
	if (verdicts->list == NULL || verdicts->off == NULL)
		fatal("out of memory");
	return verdicts;
}

void verdicts_free(struct verdicts *verdicts)
{
	if (verdicts == NULL)
		return;
	free(verdicts->list);
	free(verdicts->off);
	free(verdicts);
}

void verdicts_collect(struct verdicts *verdicts, const struct deliver_result *result, int64_t retry_at_us)
{
	enum outcome outcome = result->cut ? OUTCOME_CUT : outcome_of(result->status, result->retry_after_us);
	bool is_quiet = outcome == OUTCOME_TAKEN && result->duration_us <= HEALTH_QUICK_US;
	bool is_slowing = result->status == 429 || result->status == 503;
	struct verdict verdict = {
		.endpoint = result->place.endpoint,
		.nth = verdicts->count,
		.note = { outcome, result->probe, result->duration_us, result->retry_after_us },
		.is_relevant = !is_quiet || result->watched,
		.is_gone = result->status == 410,
		.sent_us = clock_now_us() - result->duration_us,
		.retry_at_us = retry_at_us,
	};

	if (result->place.kind == DELIVER_CALL && (is_slowing || (outcome == OUTCOME_TAKEN && result->pressed)))
		verdict.batch = result->reference;
	if (outcome != OUTCOME_TAKEN)
		deliver_error(result, verdict.error, sizeof verdict.error);
	figures_count(FIGURE_WEBHOOKS, result->place.kind, (int)outcome, 1);
	figures_observe(FIGURE_WEBHOOK_SECONDS, result->place.kind, result->duration_us);
	assert(verdicts->count < verdicts->max);
	if (verdict.is_relevant || verdict.batch != 0)
		verdicts->list[verdicts->count++] = verdict;
}

bool verdicts_any(const struct verdicts *verdicts)
{
	return verdicts->count != 0 || verdicts->off_count != 0;
}

static int compare_endpoints(const void *a, const void *b)
{
	const struct verdict *x = a, *y = b;

	if (x->endpoint != y->endpoint)
		return x->endpoint < y->endpoint ? -1 : 1;
	return x->nth - y->nth;
}

static int compare_batches(const void *a, const void *b)
{
	const struct verdict *x = a, *y = b;

	if (x->batch != y->batch)
		return x->batch < y->batch ? -1 : 1;
	return x->nth - y->nth;
}

/* Locks the health of all endpoints that are concerned, in order, except those that are locked (health_find_locked):
 * their verdicts are lost, and later verdicts will show the same. */
static enum db_result lock_health(struct db *db, const struct verdicts *verdicts, struct arena *arena,
                                  const struct endpoint_health **list, size_t *found)
{
	struct health_wake *wakes = arena_alloc(arena, (size_t)verdicts->count * sizeof *wakes);
	int64_t *endpoints = arena_alloc(arena, (size_t)verdicts->count * sizeof *endpoints);
	bool *is_locked = arena_alloc(arena, (size_t)verdicts->count * sizeof *is_locked);
	size_t count = 0;

	for (int i = 0; i < verdicts->count; i++)
		endpoints[i] = verdicts->list[i].endpoint;
	DB_TRY(health_find_locked(db, endpoints, (size_t)verdicts->count, is_locked));
	for (int i = 0; i < verdicts->count; i++) {
		if (!verdicts->list[i].is_relevant || is_locked[i])
			continue;
		wakes[count] = (struct health_wake){ verdicts->list[i].endpoint, verdicts->list[i].retry_at_us };
		endpoints[count++] = verdicts->list[i].endpoint;
	}
	DB_TRY(health_wake(db, HEALTH_EXISTING, wakes, count));
	return health_lock(db, endpoints, count, arena, list, found);
}

static void add_switch_off(struct verdicts *verdicts, int64_t endpoint, int64_t judged_us, const char *reason)
{
	for (int i = 0; i < verdicts->off_count; i++)
		if (verdicts->off[i].endpoint == endpoint)
			return;
	verdicts->off[verdicts->off_count++] = (struct switch_off){ endpoint, judged_us, reason };
}

/* Updates the health of one endpoint from all its verdicts, in order. Returns the latest error; "" if the latest
 * webhook was accepted, or if nothing is known. */
static const char *note_all(struct verdicts *verdicts, int64_t endpoint, struct health *health, int64_t now_us)
{
	const char *error = "";

	for (int i = 0; i < verdicts->count; i++) {
		const struct verdict *verdict = &verdicts->list[i];
		uint32_t random_bits;

		if (verdict->endpoint != endpoint || !verdict->is_relevant)
			continue;
		crypto_random(&random_bits, sizeof random_bits);
		health_note(health, &verdict->note, random_bits, now_us);
		error = verdict->error;
		if (verdict->is_gone)
			add_switch_off(verdicts, endpoint, verdict->sent_us, "the endpoint answered 410 Gone");
	}
	if (health_is_hopeless(health, verdicts->conf->webhook_disable_after, now_us))
		add_switch_off(verdicts, endpoint, now_us, "the endpoint has taken nothing for too long");
	return error;
}

/* Returns when the queue has to be looked at after this change. */
static int64_t next_look(const struct health *before, const struct health *after, int64_t now_us)
{
	switch (health_circuit(after, now_us)) {
	case CIRCUIT_OPEN: return after->open_until_us;
	case CIRCUIT_CLOSED: return before->open_until_us != INSTANT_NONE ? now_us : INSTANT_NEVER;
	default: return INSTANT_NEVER;
	}
}

static enum db_result update_health(struct db *db, struct verdicts *verdicts, struct arena *arena)
{
	int64_t now_us = clock_now_us();
	const struct endpoint_health *locked;
	struct health_change *changes;
	size_t count;

	qsort(verdicts->list, (size_t)verdicts->count, sizeof *verdicts->list, compare_endpoints);
	DB_TRY(lock_health(db, verdicts, arena, &locked, &count));
	changes = arena_alloc(arena, count * sizeof *changes);
	for (size_t i = 0; i < count; i++) {
		struct health_change *change = &changes[i];

		*change = (struct health_change){ locked[i].endpoint, .before = locked[i].health, .after = locked[i].health };
		change->error = note_all(verdicts, change->endpoint, &change->after, now_us);
		change->next_at_us = next_look(&change->before, &change->after, now_us);
	}
	return health_save(db, changes, count, arena);
}

/* Applies the verdicts from `first` on, all of one campaign, to its pressure. */
static enum db_result press(struct db *db, struct arena *arena, const struct verdict *first, int count)
{
	struct pressed_batch batch;
	enum db_result result = pressure_lock(db, first->batch, arena, &batch);

	if (result != DB_OK)
		return result == DB_NOT_FOUND ? DB_OK : result; /* was ended meanwhile */
	for (int i = 0; i < count; i++) {
		if (first[i].note.outcome == OUTCOME_TAKEN)
			pressure_taken(&batch.pressure, batch.max_concurrent_calls);
		else
			pressure_refused(&batch.pressure, batch.in_progress, first[i].sent_us, clock_now_us());
	}
	return pressure_save(db, first->batch, &batch.pressure);
}

static enum db_result update_pressure(struct db *db, struct verdicts *verdicts, struct arena *arena)
{
	int64_t *refused = arena_alloc(arena, (size_t)verdicts->count * sizeof *refused);
	int first = 0, next;
	size_t count = 0;

	qsort(verdicts->list, (size_t)verdicts->count, sizeof *verdicts->list, compare_batches);
	while (first < verdicts->count && verdicts->list[first].batch == 0)
		first++;
	/* Campaigns that were refused a call have a row from now on. */
	for (int i = first; i < verdicts->count; i++)
		if (verdicts->list[i].note.outcome != OUTCOME_TAKEN)
			refused[count++] = verdicts->list[i].batch;
	DB_TRY(pressure_begin(db, refused, count, arena));
	for (; first < verdicts->count; first = next) {
		for (next = first; next < verdicts->count; next++)
			if (verdicts->list[next].batch != verdicts->list[first].batch)
				break;
		DB_TRY(press(db, arena, &verdicts->list[first], next - first));
	}
	return DB_OK;
}

static enum db_result write_all(struct db *db, void *context)
{
	struct verdicts *verdicts = context;
	struct arena *arena = arena_new();
	enum db_result result;

	verdicts->off_count = 0;
	result = update_health(db, verdicts, arena);
	health_note_wait(db, result);
	if (result == DB_OK)
		result = update_pressure(db, verdicts, arena);
	arena_free(arena);
	return result;
}

static enum db_result switch_off(struct db *db, void *context)
{
	const struct switch_off *off = context;

	return webhook_switch_off(db, off->endpoint, off->judged_us, off->reason, clock_now_us());
}

static enum db_result switch_all_off(struct db *db, struct verdicts *verdicts)
{
	for (; verdicts->off_count > 0; verdicts->off_count--) {
		enum db_result result = db_transact(db, DB_REPEATABLE, switch_off, &verdicts->off[verdicts->off_count - 1]);

		if (result != DB_OK && !db_is_refusal(result)) /* refused: the next failure asks again */
			return result;
	}
	return DB_OK;
}

/* After a wait for the lock of an endpoint, the others are written without it. */
static enum db_result write_chunk(struct db *db, struct verdicts *chunk)
{
	enum db_result result = db_transact_briefly(db, DB_ONCE, write_all, chunk);

	if (result != DB_CONFLICT || !db_waited_for_lock(db))
		return result;
	return db_transact_briefly(db, DB_ONCE, write_all, chunk);
}

/* Halves the verdicts until the verdict that the server refuses is alone. It is dropped, because later verdicts will
 * show the same. So are verdicts that waited for a lock twice: each half would wait, too. */
static enum db_result write_apart(struct db *db, struct verdicts *verdicts, struct verdict *list, int count)
{
	struct verdicts chunk = {
		.conf = verdicts->conf, .list = list, .count = count, .off = verdicts->off + verdicts->off_count
	};
	enum db_result result = write_chunk(db, &chunk);

	if (result == DB_OK)
		verdicts->off_count += chunk.off_count;
	if (result == DB_LOST || !db_is_refusal(result) || count == 1 || (result == DB_CONFLICT && db_waited_for_lock(db)))
		return result == DB_LOST ? result : DB_OK;
	DB_TRY(write_apart(db, verdicts, list, count / 2));
	return write_apart(db, verdicts, list + count / 2, count - count / 2);
}

enum db_result verdicts_write(struct db *db, struct verdicts *verdicts)
{
	DB_TRY(switch_all_off(db, verdicts));
	if (verdicts->count != 0)
		DB_TRY(write_apart(db, verdicts, verdicts->list, verdicts->count));
	verdicts->count = 0;
	return switch_all_off(db, verdicts);
}
