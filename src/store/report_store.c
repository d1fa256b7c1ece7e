#include "store/report_job.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/instant.h"
#include "base/json.h"
#include "base/log.h"
#include "store/batch_store.h"
#include "store/statements.h"

#define REFUSED_RECHECK_US (60 * US_PER_SECOND)

const char *const report_result_names[REPORT_RESULT__MAX] = { "accepted", "ignored", "not_found" };

static int compare_ids(const void *a, const void *b)
{
	return memcmp(a, b, sizeof(struct uuid));
}

static struct reported_call read_call(const struct db_rows *rows, size_t r)
{
	return (struct reported_call){
		.row = r,
		.id = db_get_uuid(rows, r, 0),
		.status = (enum call_status)db_get_int(rows, r, 1),
		.batch_id = db_get_int(rows, r, 2),
		.position = db_get_int(rows, r, 3),
		.attempt = db_get_int(rows, r, 4),
		.wake_at_us = db_get_int(rows, r, 5),
		.max_seconds = db_get_int(rows, r, 6),
		.organization_id = db_get_int(rows, r, 7),
		.ended_at_us = db_get_int(rows, r, 8),
		.duration_seconds = db_get_int(rows, r, 9),
		.cost = db_get_int(rows, r, 10),
		.called_at_us = db_get_int(rows, r, 11),
		.subscribed = (unsigned)db_get_int(rows, r, 12),
		.expires_at_us = db_get_int(rows, r, 26),
		.tries = db_get_int(rows, r, 27),
		.dispatched_at_us = INSTANT_NONE, .answered_at_us = INSTANT_NONE, .reported_at_us = INSTANT_NONE,
		.was_waiting = call_waits((enum call_status)db_get_int(rows, r, 1), db_get_int(rows, r, 2),
		                          db_get_int(rows, r, 26)),
		.outcome = "", .end_reason = "", .recording_url = "", .transcript_url = "", .summary = "",
	};
}

static enum db_result lock_calls(struct db *db, struct report_job *job)
{
	struct uuid *ids = arena_alloc(job->arena, job->count * sizeof *ids);
	struct buf rows_text = { 0 };
	struct json json = json_to(&rows_text);
	enum db_result result;

	for (size_t i = 0; i < job->count; i++)
		ids[i] = job->reports[i].call_id;
	qsort(ids, job->count, sizeof *ids, compare_ids);
	json_begin_array(&json, NULL);
	for (size_t i = 0; i < job->count; i++)
		json_hex_id(&json, NULL, &ids[i]);
	json_end(&json);
	result = db_query(db, SQL_REPORT_LOCK, DB_ARGS(db_buf(&rows_text)), job->arena, &job->rows);
	buf_free(&rows_text);
	if (result != DB_OK)
		return result;
	job->call_count = job->rows.count;
	job->calls = arena_alloc(job->arena, job->rows.count * sizeof *job->calls);
	for (size_t r = 0; r < job->rows.count; r++)
		job->calls[r] = read_call(&job->rows, r);
	report_job_sort_calls(job);
	return DB_OK;
}

static struct reported_call *find_call(const struct report_job *job, const struct call_report *report)
{
	struct reported_call *call = report_job_call(job, &report->call_id);

	if (call == NULL || (job->organization_id != 0 && call->organization_id != job->organization_id))
		return NULL;
	return call;
}

/* When it was answered or ended: what the dialer said, if that can be. */
static int64_t occurred_at(const struct reported_call *call, const struct call_report *report, int64_t now_us)
{
	int64_t said_us = report->occurred_at.us;

	return said_us >= call->called_at_us && said_us < now_us ? said_us : now_us;
}

/* Whoever reports on a call has taken it. */
static void note_report(struct reported_call *call, const struct call_report *report, int64_t now_us)
{
	if (report->premise != CALL_ANY)
		return;
	call->reported_at_us = now_us;
	if (call->status == CALL_QUEUED)
		call->dispatched_at_us = now_us;
	if (report->status == CALL_IN_PROGRESS)
		call->answered_at_us = occurred_at(call, report, now_us);
}

static void move_call(struct reported_call *call, const struct call_report *report, int64_t now_us)
{
	note_report(call, report, now_us);
	if (call->status == CALL_QUEUED) /* from its lease to the deadline of a call under way */
		call->wake_at_us = now_us + call->max_seconds * US_PER_SECOND;
	if (call_begins(call->status, (enum call_status)report->status))
		call->began_as = (enum call_status)report->status;
	call->status = (enum call_status)report->status;
	call->changed = true;
	if (!call_has_ended(call->status))
		return;
	call->wake_at_us = INSTANT_NEVER;
	call->ended_at_us = occurred_at(call, report, now_us);
	call->duration_seconds = report->duration_seconds;
	call->cost = report->cost_ten_thousandths;
	call->outcome = report->outcome;
	call->end_reason = report->end_reason;
	call->recording_url = report->recording_url;
	call->transcript_url = report->transcript_url;
	call->summary = report->summary;
}

static bool premise_holds(const struct reported_call *call, enum call_premise premise, int64_t now_us)
{
	bool is_untaken = call->status == CALL_QUEUED, is_overdue = call->wake_at_us <= now_us;

	switch (premise) {
	case CALL_UNTAKEN:
		return is_untaken;
	case CALL_UNASKED:
		return is_untaken && !call->was_waiting;
	case CALL_EXPIRED:
		return is_untaken && is_overdue && call->expires_at_us <= now_us;
	case CALL_UNREPORTED:
		return !is_untaken && is_overdue;
	default:
		return true;
	}
}

static bool is_too_late(const struct reported_call *call, const struct call_report *report, int64_t now_us)
{
	return !call_may_become(call->status, (enum call_status)report->status) ||
	       !premise_holds(call, report->premise, now_us);
}

/* A single call is given up at once: it is asked for now, and has no window in which it may be placed later. */
static bool is_unanswered(const struct reported_call *call, const struct call_report *report)
{
	return call->batch_id != 0 && (report->premise == CALL_UNASKED || report->premise == CALL_EXPIRED);
}

static bool move_calls(struct report_job *job)
{
	bool any = false;

	for (size_t i = 0; i < job->count; i++) {
		struct reported_call *call = find_call(job, &job->reports[i]);

		if (call == NULL) {
			job->results[i] = REPORT_NOT_FOUND;
		} else if (is_too_late(call, &job->reports[i], job->now_us)) {
			job->results[i] = REPORT_IGNORED;
		} else {
			if (is_unanswered(call, &job->reports[i]))
				call->unanswered = &job->reports[i];
			else
				move_call(call, &job->reports[i], job->now_us);
			job->results[i] = REPORT_ACCEPTED;
			any = true;
		}
	}
	return any;
}

/* As it was read with one of its calls. */
static struct reported_batch read_batch(const struct report_job *job, int64_t id, size_t r)
{
	const struct db_rows *rows = &job->rows;
	struct reported_batch batch = {
		.id = id,
		.status = (enum batch_status)db_get_int(rows, r, 13),
		.config = {
			.retry_failed = db_get_int(rows, r, 14) != 0,
			.max_retry_attempts = db_get_int(rows, r, 15),
			.retry_on = (unsigned)db_get_int(rows, r, 16),
			.retry_delay_minutes = db_get_int(rows, r, 17),
		},
		.has_contact_ids = db_get_int(rows, r, 18) != 0,
		.first_due_us = INSTANT_NEVER,
	};

	batch_read_calendar(rows, r, 19, job->arena, &batch.config);
	return batch;
}

static int compare_batches_of_calls(const void *a, const void *b)
{
	int64_t x = (*(const struct reported_call *const *)a)->batch_id;
	int64_t y = (*(const struct reported_call *const *)b)->batch_id;

	return x < y ? -1 : x > y;
}

/* The campaigns that calls concern, ascending. */
static void collect_batches(struct report_job *job)
{
	const struct reported_call **found = arena_alloc(job->arena, job->call_count * sizeof *found);
	struct reported_batch *batches = arena_alloc(job->arena, job->call_count * sizeof *batches);
	size_t count = 0, kept = 0;

	for (size_t i = 0; i < job->call_count; i++)
		if (report_concerns_batch(&job->calls[i]))
			found[count++] = &job->calls[i];
	qsort(found, count, sizeof *found, compare_batches_of_calls);
	for (size_t i = 0; i < count; i++)
		if (i == 0 || found[i]->batch_id != batches[kept - 1].id)
			batches[kept++] = read_batch(job, found[i]->batch_id, found[i]->row);
	job->batches = batches;
	job->batch_count = kept;
}

static bool is_same_text(const char *a, const char *b)
{
	return a == b || (a != NULL && b != NULL && strcmp(a, b) == 0);
}

/* The first callable instant from this one on, for contacts in these zones; INSTANT_NONE: there is none. Worked out once
 * for all calls of the job, because many zones take a while. */
static int64_t callable_from(const struct report_job *job, struct reported_batch *batch, const char *zones, int64_t from_us)
{
	struct calendar calendar = batch_calendar(&batch->config, zones);
	struct retry_opening *opening = batch->openings;
	struct span span;

	while (opening != NULL && (opening->from_us != from_us || !is_same_text(opening->zones, zones)))
		opening = opening->next;
	if (opening != NULL)
		return opening->at_us;
	opening = arena_alloc(job->arena, sizeof *opening);
	*opening = (struct retry_opening){ zones, from_us, INSTANT_NONE, batch->openings };
	switch (calendar_find_span_with_rest(&calendar, from_us, CALL_REST_US, &span)) {
	case CALENDAR_SPAN:
		opening->at_us = from_us < span.from_us ? span.from_us : from_us;
		break;
	case CALENDAR_UNREADABLE: /* the claim judges it again, and holds it */
		opening->at_us = from_us;
		break;
	case CALENDAR_NEVER:
		break;
	}
	batch->openings = opening;
	return opening->at_us;
}

/* The first callable instant after the delay; INSTANT_NONE: no further attempt. */
static int64_t retry_at(const struct report_job *job, struct reported_batch *batch, const struct reported_call *call)
{
	struct retry_rules retry = batch_retry_rules(&batch->config);
	int64_t at_us;

	if (batch_is_over(batch->status) || !call_is_retried(&retry, (int)call->attempt, call->status))
		return INSTANT_NONE;
	at_us = callable_from(job, batch, call->zones, job->now_us + call_retry_delay_us(&retry, (int)call->attempt));
	return at_us == INSTANT_NONE ? INSTANT_NONE : plan_between_ms(at_us, call->position);
}

/* The zones of contacts whose campaigns respect them. */
static enum db_result load_zones(struct db *db, struct report_job *job)
{
	struct reported_call **asked = arena_alloc(job->arena, job->call_count * sizeof *asked);
	struct buf contacts = { 0 };
	struct json json = json_to(&contacts);
	enum db_result result = DB_OK;
	struct db_rows rows = { 0 };
	size_t count = 0;

	json_begin_array(&json, NULL);
	for (size_t i = 0; i < job->call_count; i++) {
		struct reported_call *call = &job->calls[i];

		if (!report_concerns_batch(call) ||
		    !report_job_batch(job, call->batch_id)->config.respect_contact_timezone)
			continue;
		asked[count++] = call;
		json_begin_array(&json, NULL);
		json_int(&json, NULL, call->batch_id);
		json_int(&json, NULL, call->position);
		json_end(&json);
	}
	json_end(&json);
	if (count != 0)
		result = db_query(db, SQL_REPORT_ZONES, DB_ARGS(db_buf(&contacts)), job->arena, &rows);
	buf_free(&contacts);
	for (size_t r = 0; r < rows.count; r++)
		asked[db_get_int(&rows, r, 0) - 1]->zones = contact_zones(db_get_text(&rows, r, 1),
		                                                         db_get_text(&rows, r, 2));
	return result;
}

static void put_into_plan(struct reported_batch *batch, struct reported_call *call, enum plan_move move, int64_t at_us)
{
	call->move = move;
	call->due_at_us = at_us;
	if (at_us < batch->first_due_us)
		batch->first_due_us = at_us;
}

/* Not before this instant, and when it may be called; without a day to call on it waits for nothing. */
static int64_t due_from(const struct report_job *job, struct reported_batch *batch, const struct reported_call *call,
                        int64_t from_us)
{
	int64_t at_us = callable_from(job, batch, call->zones, from_us);

	return plan_between_ms(at_us == INSTANT_NONE ? from_us : at_us, call->position);
}

/* The ledger of a day is that of the campaign's own zone. */
static void undo_claim(const struct report_job *job, struct reported_batch *batch, struct reported_call *call)
{
	struct calendar calendar = batch_plan_rules(&batch->config).calendar;
	struct span span;

	put_into_plan(batch, call, PLAN_UNDONE, due_from(job, batch, call, job->now_us));
	batch->claimed--;
	batch->called -= call->attempt == 1;
	if (calendar_find_span(&calendar, call->called_at_us, &span) != CALENDAR_SPAN || span.day < batch->day)
		return;
	batch->day_calls = span.day > batch->day ? -1 : batch->day_calls - 1;
	batch->day = span.day;
}

/* In the plan it holds no place. While the campaign is paused nothing is given up: after the resume it is asked for at
 * least once more. */
static void wait_or_give_up(const struct report_job *job, struct reported_batch *batch, struct reported_call *call)
{
	struct calendar calendar = batch_calendar(&batch->config, call->zones);
	int64_t asked_at_us = uuid_made_at(&call->id);

	call->wake_at_us = calendar_after(&calendar, asked_at_us, call->unanswered->give_up_after_us);
	if (call->wake_at_us <= job->now_us && batch_is_running(batch->status)) {
		move_call(call, call->unanswered, job->now_us);
		return;
	}
	if (call->wake_at_us <= job->now_us)
		call->wake_at_us = INSTANT_NEVER;
	if (call->was_waiting)
		return;
	put_into_plan(batch, call, PLAN_WAITS,
	              due_from(job, batch, call, job->now_us + call_wait_us(job->now_us - asked_at_us)));
	batch->claimed--;
	batch->waiting++;
}

static void settle_unanswered(const struct report_job *job, struct reported_batch *batch, struct reported_call *call)
{
	int64_t leases_used = call->tries - (call->unanswered->premise == CALL_UNASKED);

	if (batch_is_final(batch->status)) {
		struct call_report ending = *call->unanswered;

		ending.status = CALL_CANCELLED;
		ending.end_reason = "campaign_over";
		move_call(call, &ending, job->now_us);
	} else if (leases_used <= 0) {
		undo_claim(job, batch, call);
	} else {
		wait_or_give_up(job, batch, call);
	}
}

static void settle_end(const struct report_job *job, struct reported_batch *batch, struct reported_call *call)
{
	int64_t at_us = retry_at(job, batch, call);

	batch->done++;
	call->has_contact_id = batch->has_contact_ids;
	if (at_us == INSTANT_NONE)
		batch->final[contact_status_after(call->status)]++;
	else
		put_into_plan(batch, call, PLAN_RETRY, at_us);
}

static void settle_contacts(struct report_job *job)
{
	for (size_t i = 0; i < job->call_count; i++) {
		struct reported_call *call = &job->calls[i];
		struct reported_batch *batch;

		if (!report_concerns_batch(call))
			continue;
		batch = report_job_batch(job, call->batch_id);
		if (call->unanswered != NULL)
			settle_unanswered(job, batch, call);
		if (call->was_waiting && call->changed) { /* a place is taken, if only to be left at once */
			batch->claimed++;
			batch->waiting--;
		}
		if (report_ended_in_batch(call))
			settle_end(job, batch, call);
	}
}

static enum db_result apply_reports(struct db *db, struct report_job *job)
{
	DB_TRY(lock_calls(db, job));
	if (!move_calls(job))
		return DB_OK;
	collect_batches(job);
	DB_TRY(load_zones(db, job));
	settle_contacts(job);
	DB_TRY(report_write_calls(db, job));
	DB_TRY(report_publish(db, job));
	return job->batch_count == 0 ? DB_OK : report_write_ends(db, job);
}

static enum db_result run_job(struct db *db, void *context)
{
	struct report_job *job = context;
	enum db_result result;

	job->arena = arena_new();
	result = apply_reports(db, job);
	arena_free(job->arena);
	return result;
}

static struct report_job job_of(int64_t organization_id, const struct call_report *reports, size_t count,
                         int64_t now_us, enum report_result *results)
{
	assert(count <= REPORTS_MAX);
	return (struct report_job){
		.organization_id = organization_id, .now_us = now_us,
		.reports = reports, .count = count, .results = results,
	};
}

/* Its deadline will settle the call. */
static enum db_result drop_report(struct db *db, const struct call_report *report, int64_t now_us)
{
	char id[UUID_TEXT];
	enum db_result result;

	uuid_format(&report->call_id, id);
	log_error("a report is dropped, because the database refuses it call=%s status=%s", id,
	          call_status_names[report->status]);
	result = db_exec(db, SQL_REPORT_LEAVE_CALL, DB_ARGS(db_instant(now_us + REFUSED_RECHECK_US),
	                                                    db_uuid(&report->call_id)));
	return db_is_refusal(result) ? DB_OK : result;
}

/* Halves them until the one at fault is alone. What waits for a lock is at nobody's fault, and waits as a whole. */
static enum db_result apply_apart(struct db *db, struct report_job whole, enum db_result result)
{
	struct report_job half = whole;

	if (!db_is_refusal(result) || (result == DB_CONFLICT && db_waited_for_lock(db)))
		return result;
	if (whole.count == 1) {
		*whole.results = REPORT_IGNORED;
		return drop_report(db, whole.reports, whole.now_us);
	}
	half.count = whole.count / 2;
	DB_TRY(apply_apart(db, half, db_transact_briefly(db, DB_REPEATABLE, run_job, &half)));
	half.reports += half.count;
	half.results += half.count;
	half.count = whole.count - half.count;
	return apply_apart(db, half, db_transact_briefly(db, DB_REPEATABLE, run_job, &half));
}

enum db_result reports_apply(struct db *db, int64_t organization_id, const struct call_report *reports,
                             size_t count, int64_t now_us, enum report_result *results)
{
	struct report_job job = job_of(organization_id, reports, count, now_us, results);

	if (count == 0)
		return DB_OK;
	return apply_apart(db, job, db_transact(db, DB_REPEATABLE, run_job, &job));
}

enum db_result reports_apply_in(struct db *db, int64_t organization_id, const struct call_report *reports,
                                size_t count, int64_t now_us, enum report_result *results)
{
	struct report_job job = job_of(organization_id, reports, count, now_us, results);

	return count == 0 ? DB_OK : run_job(db, &job);
}
