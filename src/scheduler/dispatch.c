#include "scheduler/dispatch.h"

#include <string.h>

#include "base/clock.h"
#include "base/instant.h"
#include "base/json.h"
#include "base/log.h"
#include "domain/batch.h"
#include "domain/report_fields.h"
#include "scheduler/payload.h"
#include "store/health_store.h"
#include "store/report_store.h"
#include "store/statements.h"

#define HELD_RECHECK_US US_PER_SECOND
#define REFUSED_RECHECK_US (60 * US_PER_SECOND)
#define OFF_RECHECK_US (5 * US_PER_SECOND)
#define LOAD_US (DELIVER_JUDGED_US / 2)
#define LOAD_RUNS 3

/* Loaded calls, sorted by what is to be done. */
struct judged {
	const struct conf *conf;
	struct arena *arena;
	int64_t at_us; /* monotonic: what they are judged by was true then */
	struct held_call *held;
	struct call_report *concluded;
	int held_count, concluded_count;
};

static void write_ids(struct buf *out, const struct uuid *ids, int count)
{
	struct json json = json_to(out);

	json_begin_array(&json, NULL);
	for (int i = 0; i < count; i++)
		json_hex_id(&json, NULL, &ids[i]);
	json_end(&json);
}

static struct deliver_place place_of(const struct requested_call *call)
{
	return (struct deliver_place){ DELIVER_CALL, call->endpoint, call->health.doubtful };
}

/* A call is claimed a moment before it is due (claim_limits.ahead_us). One that is asked for again was called at once. */
static void start_call(struct deliver *deliver, const struct judged *judged, const struct requested_call *call, bool probe)
{
	struct buf body = { 0 };

	payload_call_requested(&body, call, judged->conf->public_url);
	deliver_start(deliver, &(struct deliver_order){
		.place = place_of(call), .id = call->id, .reference = call->batch_row, .tries = (int)call->tries,
		.probe = probe, .watched = probe || !health_is_clean(&call->health, clock_now_us()),
		.pressed = call->pressed, .url = call->url,
		.owner = call->endpoint_id, .secret = call->secret.data, .secret_len = call->secret.len, .body = &body,
		.begin_at_us = call->called_at_us, .begin_before_us = call->expires_at_us, .judged_us = judged->at_us,
	});
	buf_free(&body);
}

static struct call_report conclusion(const struct uuid *id, enum call_premise premise, enum call_status status,
                                     const char *reason)
{
	struct call_report report;

	memcpy(&report, report_fields.initial, sizeof report);
	report.call_id = *id;
	report.premise = premise;
	report.status = (int)status;
	report.end_reason = reason;
	return report;
}

enum db_result dispatch_hold(struct db *db, const struct held_call *held, int count)
{
	struct buf rows = { 0 };
	struct json json = json_to(&rows);
	enum db_result result;

	json_begin_array(&json, NULL);
	for (int i = 0; i < count; i++) {
		json_begin_array(&json, NULL);
		json_hex_id(&json, NULL, &held[i].id);
		json_sql_instant(&json, NULL, held[i].until_us);
		json_end(&json);
	}
	json_end(&json);
	result = db_exec(db, SQL_CALLS_HOLD, DB_ARGS(db_buf(&rows)));
	buf_free(&rows);
	return result;
}

static void hold(struct judged *judged, const struct requested_call *call, int64_t until_us)
{
	judged->held[judged->held_count++] = (struct held_call){ call->id, until_us };
}

static void cancel(struct judged *judged, const struct requested_call *call, const char *reason)
{
	judged->concluded[judged->concluded_count++] = conclusion(&call->id, CALL_UNTAKEN, CALL_CANCELLED, reason);
}

static struct call_report unanswered(const struct conf *conf, const struct uuid *id, enum call_premise premise)
{
	struct call_report report = conclusion(id, premise, CALL_FAILED, "dialer_unreachable");

	report.give_up_after_us = conf->call_give_up_after;
	return report;
}

/* Its campaign is paused: it waits in the plan, where it holds no place. */
static void give_back(struct judged *judged, const struct requested_call *call)
{
	judged->concluded[judged->concluded_count++] = unanswered(judged->conf, &call->id, CALL_UNASKED);
}

/* Whether the dialer is in a state to be asked, if not, when to look again; one call probes a half open circuit. */
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
	case CIRCUIT_OPEN:
		*hold_until_us = call->health.open_until_us;
		return DB_OK;
	case CIRCUIT_HALF_OPEN:
		DB_TRY(health_take_probe(db, call->endpoint, now_us, now_us + conf->lease_seconds * US_PER_SECOND,
		                         &is_free));
		*probe = is_free;
		*hold_until_us = is_free ? INSTANT_NONE : now_us + HELD_RECHECK_US;
		return DB_OK;
	default:
		return DB_OK;
	}
}

/* Judged from what the database said a moment ago: since the claim, or since the last try, the campaign may
 * have been paused or cancelled, or the number put on the do-not-call list. */
static enum db_result judge(struct db *db, struct judged *judged, struct deliver *deliver,
                            const struct requested_call *call)
{
	/* A single call is as a campaign that runs. */
	enum batch_status status = call->batch_status < 0 ? BATCH_ACTIVE : (enum batch_status)call->batch_status;
	struct deliver_place place = place_of(call);
	int64_t soon_us = clock_now_us() + HELD_RECHECK_US, hold_until_us;
	bool probe;

	if (call->do_not_call) {
		cancel(judged, call, "do_not_call");
	} else if (batch_is_final(status)) {
		cancel(judged, call, "campaign_over");
	} else if (!batch_is_running(status)) {
		give_back(judged, call);
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

	if (judged->held_count != 0)
		DB_TRY(dispatch_hold(db, judged->held, judged->held_count));
	return reports_apply(db, 0, judged->concluded, (size_t)judged->concluded_count, clock_now_us(), results);
}

/* What took too long to load is old before it is judged, so it is loaded again. A server that is always that slow is
 * taken as it is. */
static enum db_result load(struct db *db, const struct uuid *ids, int count, struct judged *judged,
                           struct db_rows *rows)
{
	struct buf id_rows = { 0 };
	enum db_result result;
	int run = 0;

	write_ids(&id_rows, ids, count);
	do {
		judged->at_us = clock_mono_us();
		result = db_query(db, SQL_DISPATCH_LOAD, DB_ARGS(db_buf(&id_rows)), judged->arena, rows);
	} while (result == DB_OK && clock_mono_us() - judged->at_us > LOAD_US && ++run < LOAD_RUNS);
	buf_free(&id_rows);
	if (run == LOAD_RUNS)
		judged->at_us = clock_mono_us();
	return result;
}

static enum db_result load_and_judge(struct db *db, struct deliver *deliver, const struct uuid *ids, int count,
                                     struct judged *judged)
{
	int64_t began_us = clock_mono_us(), patience_us = judged->conf->lease_seconds * US_PER_SECOND / 2;
	struct db_rows rows = { 0 };
	enum db_result result = load(db, ids, count, judged, &rows);

	/* A process that was stopped for long sends nothing: the calls may be somebody else's by now. */
	for (size_t r = 0; r < rows.count && clock_mono_us() - began_us < patience_us; r++) {
		struct requested_call call = requested_call_from_row(&rows, r);

		DB_TRY(judge(db, judged, deliver, &call));
	}
	return result;
}

enum db_result dispatch_calls(struct db *db, struct deliver *deliver, const struct conf *conf,
                              const struct uuid *ids, int count)
{
	struct judged judged = { .conf = conf, .arena = arena_new() };
	enum db_result result;

	judged.held = arena_alloc(judged.arena, (size_t)count * sizeof *judged.held);
	judged.concluded = arena_alloc(judged.arena, (size_t)count * sizeof *judged.concluded);
	result = load_and_judge(db, deliver, ids, count, &judged);
	if (result == DB_OK)
		result = settle(db, &judged);
	arena_free(judged.arena);
	return result;
}

/* The calls that a look at the overdue ones found, sorted by what is to be done. */
struct overdue {
	const struct conf *conf;
	int limit, found;
	struct uuid first; /* of those that were found */
	struct arena *arena;
	struct uuid *leased;
	int leased_count;
	struct call_report *concluded;
	int concluded_count;
};

static enum db_result find_overdue(struct db *db, void *context)
{
	struct overdue *overdue = context;
	int64_t now_us = clock_now_us();
	struct buf ids = { 0 };
	struct db_rows rows;
	enum db_result result = DB_OK;

	overdue->leased_count = overdue->concluded_count = 0;
	DB_TRY(db_query(db, SQL_CALLS_OVERDUE, DB_ARGS(db_instant(now_us), db_int(overdue->limit)),
	                overdue->arena, &rows));
	overdue->found = (int)rows.count;
	overdue->leased = arena_alloc(overdue->arena, rows.count * sizeof *overdue->leased);
	overdue->concluded = arena_alloc(overdue->arena, rows.count * sizeof *overdue->concluded);
	for (size_t r = 0; r < rows.count; r++) {
		struct uuid id = db_get_uuid(&rows, r, 0);

		overdue->first = r == 0 ? id : overdue->first;
		if (db_get_int(&rows, r, 1) != CALL_QUEUED)
			overdue->concluded[overdue->concluded_count++] =
				conclusion(&id, CALL_UNREPORTED, CALL_FAILED, "no_report");
		else if (db_get_int(&rows, r, 2) <= now_us)
			overdue->concluded[overdue->concluded_count++] = unanswered(overdue->conf, &id, CALL_EXPIRED);
		else
			overdue->leased[overdue->leased_count++] = id;
	}
	write_ids(&ids, overdue->leased, overdue->leased_count);
	if (overdue->leased_count != 0)
		result = db_exec(db, SQL_CALLS_LEASE, DB_ARGS(
			db_buf(&ids), db_instant(now_us + overdue->conf->lease_seconds * US_PER_SECOND)));
	buf_free(&ids);
	return result;
}

/* Halves what is looked at until the call that the server refuses to lease is alone. It is left for a minute. */
static enum db_result lease_overdue(struct db *db, struct overdue *overdue)
{
	enum db_result result = db_transact_briefly(db, DB_ONCE, find_overdue, overdue);
	char id[UUID_TEXT];

	while (db_is_refusal(result) && overdue->limit > 1) {
		overdue->limit /= 2;
		result = db_transact_briefly(db, DB_ONCE, find_overdue, overdue);
	}
	if (!db_is_refusal(result) || overdue->found == 0)
		return result;
	uuid_format(&overdue->first, id);
	log_error("a call is left for a minute, because the database refuses to lease it call=%s", id);
	overdue->leased_count = overdue->concluded_count = 0;
	return db_exec(db, SQL_REPORT_LEAVE_CALL, DB_ARGS(db_instant(clock_now_us() + REFUSED_RECHECK_US),
	                                                  db_uuid(&overdue->first)));
}

enum db_result dispatch_overdue(struct db *db, struct deliver *deliver, const struct conf *conf, int *found)
{
	struct overdue overdue = { .conf = conf, .limit = deliver_free_slots(deliver, DELIVER_CALL), .arena = arena_new() };
	enum db_result result = DB_OK;

	if (overdue.limit > REPORTS_MAX)
		overdue.limit = REPORTS_MAX;
	if (overdue.limit != 0)
		result = lease_overdue(db, &overdue);
	if (result == DB_OK && overdue.concluded_count != 0) {
		enum report_result *results = arena_alloc(overdue.arena, (size_t)overdue.limit * sizeof *results);

		log_info("calls without word from their dialer calls=%d", overdue.concluded_count);
		result = reports_apply(db, 0, overdue.concluded, (size_t)overdue.concluded_count, clock_now_us(),
		                       results);
	}
	if (result == DB_OK && overdue.leased_count != 0)
		result = dispatch_calls(db, deliver, conf, overdue.leased, overdue.leased_count);
	*found = result == DB_OK ? overdue.found : 0;
	arena_free(overdue.arena);
	return result;
}
