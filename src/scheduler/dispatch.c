#include "scheduler/dispatch.h"

#include <string.h>

#include "base/clock.h"
#include "base/instant.h"
#include "base/least.h"
#include "base/log.h"
#include "domain/report_fields.h"
#include "engine/call_rules.h"
#include "engine/payload.h"
#include "engine/report.h"
#include "store/conflicts.h"
#include "store/dispatch_store.h"
#include "store/health_store.h"

#define HELD_RECHECK_US US_PER_SECOND
#define REFUSED_RECHECK_US (60 * US_PER_SECOND)
#define OFF_RECHECK_US (5 * US_PER_SECOND)
#define LOCKED_RECHECK_US US_PER_SECOND
#define LOAD_US (DELIVER_JUDGED_US / 2)
#define LOAD_RUNS 3

/* Loaded calls, sorted by what to do with them. */
struct judged {
	const struct conf *conf;
	struct arena *arena;
	int64_t at_us; /* monotonic: when the facts for judging were read */
	const struct uuid *ids;
	const int64_t *since_us; /* for each id: when its first request could have begun; NULL: not known */
	int count;
	struct held_call *held;
	struct call_report *concluded;
	int held_count, concluded_count;
};

static struct deliver_place place_of(const struct requested_call *call)
{
	return (struct deliver_place){ DELIVER_CALL, call->endpoint, call->health.doubtful };
}

/* Returns the instant from which its first request could have begun; 0: this is not the first request. */
static int64_t begins_since(const struct judged *judged, const struct requested_call *call)
{
	for (int i = 0; judged->since_us != NULL && i < judged->count; i++)
		if (uuid_equal(&judged->ids[i], &call->id))
			return judged->since_us[i];
	return call->tries == 1 ? call->called_at_us : 0;
}

/* A call is claimed a moment before it is due (claim_limits.ahead_us). A call that is requested again was due at once.
 */
static void start_call(struct deliver *deliver, const struct judged *judged, const struct requested_call *call,
                       bool probe)
{
	struct buf body = { 0 };
	const struct deliver_order order = {
		.place = place_of(call),
		.id = call->id,
		.reference = call->batch_row,
		.tries = (int)call->tries,
		.probe = probe,
		.watched = probe || !health_is_clean(&call->health, clock_now_us()),
		.pressed = call->pressed,
		.url = call->url,
		.owner = call->endpoint_id,
		.secret = call->secret.data,
		.secret_len = call->secret.len,
		.body = &body,
		.begin_at_us = call->called_at_us,
		.begin_before_us = call->expires_at_us,
		.judged_us = judged->at_us,
		.since_us = begins_since(judged, call),
	};

	payload_call_requested(&body, call, judged->conf->public_url);
	deliver_start(deliver, &order);
	buf_free(&body);
}

static void hold(struct judged *judged, const struct requested_call *call, int64_t until_us)
{
	judged->held[judged->held_count++] = (struct held_call){ call->id, until_us, call->tries };
}

/* Finds out whether the dialer may get a request now, and if not, when to look again. One call probes a half-open
 * circuit. */
static enum db_result judge_dialer(struct db *db, const struct conf *conf, const struct requested_call *call,
                                   bool *probe, int64_t *hold_until_us)
{
	int64_t now_us = clock_now_us();
	bool is_free;

	*probe = false;
	*hold_until_us = INSTANT_NONE;
	if (call->disabled) {
		*hold_until_us = now_us + OFF_RECHECK_US;
		return DB_OK;
	}
	switch (health_circuit(&call->health, now_us)) {
	case CIRCUIT_OPEN: *hold_until_us = call->health.open_until_us; return DB_OK;
	case CIRCUIT_HALF_OPEN:
		DB_TRY(health_take_probe(db, call->endpoint, now_us, now_us + conf->lease_seconds * US_PER_SECOND, &is_free));
		*probe = is_free;
		*hold_until_us = is_free ? INSTANT_NONE : now_us + HELD_RECHECK_US;
		return DB_OK;
	default: return DB_OK;
	}
}

/* Judges the call from fresh facts, for the instant at which this request begins. */
static enum db_result judge(struct db *db, struct judged *judged, struct deliver *deliver,
                            const struct requested_call *call)
{
	int64_t at_us = max_of(begins_since(judged, call), clock_now_us());
	struct deliver_place place = place_of(call);
	int64_t soon_us = clock_now_us() + HELD_RECHECK_US, hold_until_us;
	bool probe;

	if (!call_may_begin(call, at_us, judged->conf->call_give_up_after, &judged->concluded[judged->concluded_count])) {
		judged->concluded_count++;
	} else if (call->is_fetched) {
		hold(judged, call, call->expires_at_us); /* the call is offered to its dialer until then */
	} else if (clock_now_us() >= call->expires_at_us ||
	           deliver_room_at(deliver, &place, &(struct deliver_taken){ 0 }) == 0) {
		hold(judged, call, soon_us);
	} else {
		DB_TRY(judge_dialer(db, judged->conf, call, &probe, &hold_until_us));
		if (hold_until_us == INSTANT_NONE)
			start_call(deliver, judged, call, probe);
		else
			hold(judged, call, hold_until_us);
	}
	return DB_OK;
}

static enum db_result settle(struct db *db, const struct judged *judged)
{
	enum report_result *results = arena_alloc(judged->arena, (size_t)judged->concluded_count * sizeof *results);

	DB_TRY(calls_hold(db, judged->held, judged->held_count));
	return reports_apply(db, 0, judged->concluded, (size_t)judged->concluded_count, clock_now_us(), results);
}

/* If loading took too long, the facts are old, so they are loaded again. If the server is always that slow, the facts
 * are used as they are. */
static enum db_result load(struct db *db, const struct uuid *ids, int count, struct judged *judged,
                           const struct requested_call **calls, size_t *found)
{
	enum db_result result;
	int run = 0;

	do {
		judged->at_us = clock_mono_us();
		result = requested_calls_load(db, ids, (size_t)count, judged->arena, calls, found);
	} while (result == DB_OK && clock_mono_us() - judged->at_us > LOAD_US && ++run < LOAD_RUNS);
	if (run == LOAD_RUNS)
		judged->at_us = clock_mono_us();
	return result;
}

static enum db_result load_and_judge(struct db *db, struct deliver *deliver, const struct uuid *ids, int count,
                                     struct judged *judged)
{
	int64_t began_us = clock_mono_us(), patience_us = judged->conf->lease_seconds * US_PER_SECOND / 2;
	const struct requested_call *calls;
	size_t found;
	enum db_result result = load(db, ids, count, judged, &calls, &found);

	/* A process that was stopped for long sends nothing: the calls may belong to another scheduler by now. */
	for (size_t i = 0; i < found && clock_mono_us() - began_us < patience_us; i++)
		DB_TRY(judge(db, judged, deliver, &calls[i]));
	return result;
}

enum db_result dispatch_calls(struct db *db, struct deliver *deliver, const struct conf *conf, const struct uuid *ids,
                              const int64_t *since_us, int count)
{
	struct judged judged = { .conf = conf, .arena = arena_new(), .ids = ids, .since_us = since_us, .count = count };
	enum db_result result;

	judged.held = arena_alloc(judged.arena, (size_t)count * sizeof *judged.held);
	judged.concluded = arena_alloc(judged.arena, (size_t)count * sizeof *judged.concluded);
	result = load_and_judge(db, deliver, ids, count, &judged);
	if (result == DB_OK)
		result = settle(db, &judged);
	arena_free(judged.arena);
	return result;
}

/* Overdue calls, sorted by what to do with them. */
struct overdue {
	const struct conf *conf;
	int64_t from_us; /* calls with an earlier wake_at are not looked for */
	int limit, found;
	struct uuid first; /* the first call that was found */
	struct arena *arena;
	struct uuid *leased;
	int leased_count;
	struct call_report *concluded;
	int concluded_count;
};

/* Calls that were under way when the clock stepped forward keep the time that they had. So for the length of the step,
 * deadlines are later by the length of the step. */
static int64_t deadlines_until(int64_t now_us)
{
	int64_t step_us = clock_stepped_by_us();

	return step_us > 0 && clock_mono_us() - clock_stepped_us() < step_us ? now_us - step_us : now_us;
}

static enum db_result find_overdue(struct db *db, void *context)
{
	struct overdue *overdue = context;
	int64_t now_us = clock_now_us();
	const struct overdue_call *calls;
	size_t count;

	overdue->leased_count = overdue->concluded_count = 0;
	DB_TRY(calls_lock_overdue(db, overdue->from_us, now_us, deadlines_until(now_us), overdue->limit, overdue->arena,
	                          &calls, &count));
	overdue->found = (int)count;
	if (count != 0)
		overdue->first = calls[0].id;
	overdue->leased = arena_alloc(overdue->arena, count * sizeof *overdue->leased);
	overdue->concluded = arena_alloc(overdue->arena, count * sizeof *overdue->concluded);
	for (size_t i = 0; i < count; i++) {
		const struct overdue_call *call = &calls[i];

		if (call->status != CALL_QUEUED)
			overdue->concluded[overdue->concluded_count++] = report_conclude(&call->id, CALL_UNREPORTED, CALL_FAILED,
			                                                                 "no_report");
		else if (call->expires_at_us <= now_us)
			overdue->concluded[overdue->concluded_count++] =
				call_conclude_unanswered(&call->id, CALL_EXPIRED, overdue->conf->call_give_up_after);
		else
			overdue->leased[overdue->leased_count++] = call->id;
	}
	return calls_lease(db, overdue->leased, (size_t)overdue->leased_count,
	                   now_us + overdue->conf->lease_seconds * US_PER_SECOND, overdue->arena);
}

/* Leaves a call that cannot be leased for a minute, or for a moment if only a lock is missing. */
static enum db_result leave_refused(struct db *db, const struct uuid *call, enum db_result why)
{
	char id[UUID_TEXT];
	int64_t number, wait_us;

	memcpy(&number, call->b + sizeof call->b - sizeof number, sizeof number);
	wait_us = conflict_wait_us(db, CONFLICT_CALL, number, why);
	uuid_format(call, id);
	if (wait_us == 0)
		log_error("a call is left for a minute, because the database refuses to lease it call=%s", id);
	return call_leave(db, call, clock_now_us() + (wait_us != 0 ? wait_us : REFUSED_RECHECK_US));
}

/* Halves the number of calls until the call that the server refuses to lease is alone. */
static enum db_result lease_overdue(struct db *db, struct overdue *overdue)
{
	enum db_result result = db_transact_briefly(db, DB_ONCE, find_overdue, overdue);

	while (db_is_refusal(result) && overdue->limit > 1) {
		overdue->limit /= 2;
		result = db_transact_briefly(db, DB_ONCE, find_overdue, overdue);
	}
	if (!db_is_refusal(result) || overdue->found == 0)
		return result;
	overdue->leased_count = overdue->concluded_count = 0;
	return leave_refused(db, &overdue->first, result);
}

/* Writes the conclusions about calls whose campaigns nobody has locked. The others are tried again a moment later, so
 * that nothing waits for the locks. */
static enum db_result conclude_overdue(struct db *db, struct overdue *overdue)
{
	size_t count = (size_t)overdue->concluded_count, free_count = 0;
	enum report_result *results = arena_alloc(overdue->arena, count * sizeof *results);
	bool *is_free = arena_alloc(overdue->arena, count * sizeof *is_free);

	if (count == 0)
		return DB_OK;
	DB_TRY(reports_find_free(db, overdue->concluded, count, is_free));
	for (size_t i = 0; i < count; i++) {
		if (is_free[i])
			overdue->concluded[free_count++] = overdue->concluded[i];
		else
			DB_TRY(call_leave(db, &overdue->concluded[i].call_id, clock_now_us() + LOCKED_RECHECK_US));
	}
	if (free_count != 0)
		log_info("calls without a report from their dialer calls=%zu", free_count);
	return reports_apply(db, 0, overdue->concluded, free_count, clock_now_us(), results);
}

enum db_result dispatch_overdue(struct db *db, struct deliver *deliver, const struct conf *conf, int64_t from_us,
                                int *found)
{
	struct overdue overdue = {
		.conf = conf, .from_us = from_us, .limit = deliver_free_slots(deliver, DELIVER_CALL), .arena = arena_new()
	};
	enum db_result result = DB_OK;

	if (overdue.limit > REPORTS_MAX)
		overdue.limit = REPORTS_MAX;
	if (overdue.limit != 0)
		result = lease_overdue(db, &overdue);
	if (result == DB_OK && overdue.leased_count != 0) /* first, because their leases run */
		result = dispatch_calls(db, deliver, conf, overdue.leased, NULL, overdue.leased_count);
	if (result == DB_OK)
		result = conclude_overdue(db, &overdue);
	*found = result == DB_OK ? overdue.found : 0;
	arena_free(overdue.arena);
	return result;
}
