#include "engine/report_job.h"

#include <stdlib.h>
#include <string.h>

#include "base/instant.h"
#include "engine/due_contacts.h"
#include "store/analytics_store.h"
#include "store/rows.h"
#include "store/statements.h"

/* Returns the new status of the contact; -1: the call does not change its contact. */
static int contact_status_of(const struct reported_call *call)
{
	if (!report_concerns_batch(call))
		return -1;
	if (!call_has_ended(call->status))
		return CONTACT_IN_PROGRESS;
	return call->move == PLAN_RETRY ? CONTACT_PENDING : (int)report_outcome(call);
}

static void write_call(struct rows *rows, const struct reported_call *call)
{
	rows_id(rows, "id", &call->id);
	rows_int(rows, "status", call->status);
	rows_instant(rows, "wake_at", call->wake_at_us);
	rows_instant(rows, "ended_at", call->ended_at_us);
	rows_int(rows, "duration", call->duration_seconds);
	rows_int(rows, "cost", call->cost);
	rows_int(rows, "contact_status", contact_status_of(call));
	rows_instant(rows, "dispatched_at", call->dispatched_at_us);
	rows_instant(rows, "answered_at", call->answered_at_us);
	rows_instant(rows, "reported_at", call->reported_at_us);
}

static void write_texts(struct rows *rows, const struct reported_call *call)
{
	rows_id(rows, "id", &call->id);
	rows_text(rows, "outcome", call->outcome);
	rows_text(rows, "end_reason", call->end_reason);
	rows_text(rows, "recording_url", call->recording_url);
	rows_text(rows, "transcript_url", call->transcript_url);
	rows_text(rows, "summary", call->summary);
}

static void write_retry(struct rows *rows, const struct reported_call *call)
{
	rows_id(rows, "id", &call->id);
	rows_instant(rows, "retry_at", call->retry_at_us);
	rows_instant(rows, "call_back_at", call->call_back_at_us);
}

static void write_callback(struct rows *rows, const struct reported_call *call)
{
	rows_int(rows, "batch_id", call->batch_id);
	rows_int(rows, "position", call->position);
	rows_instant(rows, "due_at", call->due_at_us);
}

static void write_stored_contact(struct rows *rows, const struct reported_call *call)
{
	rows_int(rows, "batch_id", call->batch_id);
	rows_int(rows, "position", call->position);
	rows_int(rows, "status", call->status);
	rows_instant(rows, "called_at", call->called_at_us);
}

static void write_waiting(struct rows *rows, const struct reported_call *call)
{
	rows_id(rows, "id", &call->id);
	rows_instant(rows, "wake_at", call->wake_at_us);
}

static void write_attempt(struct rows *rows, const struct reported_call *call)
{
	rows_int(rows, "batch_id", call->batch_id);
	rows_int(rows, "position", call->position);
	rows_int(rows, "attempt", call->attempt);
	rows_id(rows, "id", &call->id);
}

static bool is_undone(const struct reported_call *call)
{
	return call->move == PLAN_UNDONE;
}

/* Returns whether the attempt waits in the plan after this report. It may have waited before the report, too. */
static bool waits(const struct reported_call *call)
{
	return call->unanswered != NULL && !call->changed && !is_undone(call);
}

static bool leaves_plan(const struct reported_call *call)
{
	return call->was_waiting && call->changed;
}

static bool has_contact_id(const struct reported_call *call)
{
	return call->has_contact_id;
}

static bool is_changed(const struct reported_call *call)
{
	return call->changed;
}

/* Returns whether the report has texts. Before the end of the call they are empty. */
static bool has_texts(const struct reported_call *call)
{
	return call->changed && (*call->outcome != '\0' || *call->end_reason != '\0' || *call->recording_url != '\0' ||
	                         *call->transcript_url != '\0' || *call->summary != '\0');
}

static bool is_called_again(const struct reported_call *call)
{
	return call->retry_at_us != INSTANT_NONE || call->call_back_at_us != INSTANT_NONE;
}

/* Runs one statement with a row for every call that `chosen` picks, or none if it picks none. */
static enum db_result write_rows(struct db *db, const struct report_job *job, enum sql_statement statement,
                                 bool (*chosen)(const struct reported_call *),
                                 void (*write)(struct rows *, const struct reported_call *))
{
	struct rows rows = rows_new(job->arena);

	for (size_t i = 0; i < job->call_count; i++)
		if (chosen(&job->calls[i])) {
			rows_next(&rows);
			write(&rows, &job->calls[i]);
		}
	return db_exec(db, statement, DB_ARGS(rows_value(&rows)));
}

/* Writes the contacts that wait from now on, and what they wait for. */
static enum db_result write_plan(struct db *db, const struct report_job *job)
{
	struct buf rows = { 0 };
	enum db_result result;

	for (size_t i = 0; i < job->call_count; i++) {
		const struct reported_call *call = &job->calls[i];
		struct due_contact due = {
			call->batch_id,           call->due_at_us, call->position, call->attempt + (call->move == PLAN_RETRY),
			call->move == PLAN_WAITS,
		};

		if (call->move != PLAN_STAYS)
			buf_add(&rows, &due, sizeof due);
	}
	result = due_contacts_write(db, SQL_REPORT_DUE, &rows);
	buf_free(&rows);
	return result;
}

static enum db_result write_analytics(struct db *db, const struct report_job *job)
{
	struct ended_call *ended = arena_alloc(job->arena, job->call_count * sizeof *ended);
	size_t count = 0;

	for (size_t i = 0; i < job->call_count; i++) {
		const struct reported_call *call = &job->calls[i];

		if (report_ended_in_batch(call))
			ended[count++] = (struct ended_call){
				.batch_id = call->batch_id,
				.status = call->status,
				.called_at_us = call->called_at_us,
				.duration_seconds = call->duration_seconds,
				.cost_ten_thousandths = call->cost,
				.outcome = call->outcome,
				.end_reason = call->end_reason,
			};
	}
	return analytics_add(db, ended, count);
}

static enum db_result write_counters(struct db *db, const struct report_job *job)
{
	struct rows rows = rows_new(job->arena);

	for (size_t i = 0; i < job->batch_count; i++) {
		const int64_t *final = job->batches[i].final;

		rows_next(&rows);
		rows_int(&rows, "batch_id", job->batches[i].id);
		rows_int(&rows, "done", job->batches[i].done);
		rows_int(&rows, "completed", final[CONTACT_COMPLETED]);
		rows_int(&rows, "failed", final[CONTACT_FAILED]);
		rows_int(&rows, "voicemail", final[CONTACT_VOICEMAIL]);
		rows_int(&rows, "no_answer", final[CONTACT_NO_ANSWER]);
		rows_int(&rows, "busy", final[CONTACT_BUSY]);
		rows_int(&rows, "cancelled", final[CONTACT_CANCELLED]);
	}
	return db_exec(db, SQL_REPORT_COUNTERS, DB_ARGS(rows_value(&rows)));
}

/* Takes the campaign's lock. */
static enum db_result write_claim_counts(struct db *db, const struct report_job *job)
{
	struct rows rows = rows_new(job->arena);

	for (size_t i = 0; i < job->batch_count; i++) {
		const struct reported_batch *batch = &job->batches[i];

		if (batch->claimed == 0 && batch->waiting == 0)
			continue;
		rows_next(&rows);
		rows_int(&rows, "id", batch->id);
		rows_int(&rows, "claimed", batch->claimed);
		rows_int(&rows, "waiting", batch->waiting);
		rows_int(&rows, "called", batch->called);
		rows_int(&rows, "day", batch->day);
		rows_int(&rows, "day_calls", batch->day_calls);
	}
	return db_exec(db, SQL_REPORT_CLAIM_COUNTS, DB_ARGS(rows_value(&rows)));
}

/* Takes the campaign's lock. */
static enum db_result write_callbacks(struct db *db, const struct report_job *job)
{
	struct rows rows = rows_new(job->arena);

	for (size_t i = 0; i < job->batch_count; i++) {
		if (job->batches[i].first_callback_us == INSTANT_NEVER)
			continue;
		rows_next(&rows);
		rows_int(&rows, "id", job->batches[i].id);
		rows_instant(&rows, "due_at", job->batches[i].first_callback_us);
	}
	DB_TRY(write_rows(db, job, SQL_REPORT_CALLBACKS, report_is_called_back, write_callback));
	return db_exec(db, SQL_REPORT_FIRST_CALLBACKS, DB_ARGS(rows_value(&rows)));
}

/* Wakes the campaigns that a look can help, and locks only these. If a wake-up is missed, because the campaign becomes
 * full at this moment, the next look comes a second later: full campaigns are looked at every second. If a campaign has
 * ended since its row was read, the reports were judged by an old state: DB_CONFLICT judges them again. */
static enum db_result wake_batches(struct db *db, struct report_job *job)
{
	struct rows ids = rows_new(job->arena), wakes = rows_new(job->arena);
	struct db_rows found;

	for (size_t i = 0; i < job->batch_count; i++)
		rows_add_id(&ids, job->batches[i].id);
	DB_TRY(db_query(db, SQL_REPORT_WHICH_TO_WAKE, DB_ARGS(rows_value(&ids)), job->arena, &found));
	for (size_t r = 0; r < found.count; r++)
		report_job_batch(job, db_get_int(&found, r, 0))->first_due_us = job->now_us;
	for (size_t i = 0; i < job->batch_count; i++) {
		if (job->batches[i].first_due_us == INSTANT_NEVER)
			continue;
		rows_next(&wakes);
		rows_int(&wakes, "id", job->batches[i].id);
		rows_instant(&wakes, "wake_at", job->batches[i].first_due_us);
		rows_int(&wakes, "is_over", batch_is_over(job->batches[i].status));
	}
	if (wakes.count == 0)
		return DB_OK;
	*job->woke = true;
	DB_TRY(db_exec(db, SQL_REPORT_WAKE, DB_ARGS(rows_value(&wakes))));
	return db_affected(db) == (int64_t)wakes.count ? DB_OK : DB_CONFLICT;
}

enum db_result report_write_calls(struct db *db, const struct report_job *job)
{
	DB_TRY(write_rows(db, job, SQL_REPORT_CALLS, is_changed, write_call));
	DB_TRY(write_rows(db, job, SQL_REPORT_RETRIES, is_called_again, write_retry));
	return write_rows(db, job, SQL_REPORT_TEXTS, has_texts, write_texts);
}

enum db_result report_write_ends(struct db *db, struct report_job *job)
{
	DB_TRY(write_rows(db, job, SQL_REPORT_KEPT, has_contact_id, write_stored_contact));
	DB_TRY(write_rows(db, job, SQL_REPORT_LEAVE_PLAN, leaves_plan, write_attempt));
	DB_TRY(write_rows(db, job, SQL_REPORT_WAITS, waits, write_waiting));
	DB_TRY(write_rows(db, job, SQL_REPORT_UNDO_CONTACTS, is_undone, write_attempt));
	DB_TRY(write_rows(db, job, SQL_REPORT_UNDO_CALLS, is_undone, write_attempt));
	DB_TRY(write_plan(db, job));
	DB_TRY(write_analytics(db, job));
	DB_TRY(write_counters(db, job));
	DB_TRY(write_claim_counts(db, job));
	DB_TRY(write_callbacks(db, job));
	return wake_batches(db, job);
}
