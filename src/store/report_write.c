#include "store/report_job.h"

#include <stdlib.h>
#include <string.h>

#include "base/instant.h"
#include "base/json.h"
#include "store/analytics_store.h"
#include "store/due_contacts.h"
#include "store/statements.h"

/* -1: what became of this call changes no contact. */
static int contact_status_of(const struct reported_call *call)
{
	if (!report_concerns_batch(call))
		return -1;
	if (!call_has_ended(call->status))
		return CONTACT_IN_PROGRESS;
	return call->move == PLAN_RETRY ? CONTACT_PENDING : (int)contact_status_after(call->status);
}

static void write_call(struct json *json, const struct reported_call *call)
{
	json_begin_array(json, NULL);
	json_hex_id(json, NULL, &call->id);
	json_int(json, NULL, call->status);
	json_sql_instant(json, NULL, call->wake_at_us);
	json_sql_instant(json, NULL, call->ended_at_us);
	json_int(json, NULL, call->duration_seconds);
	json_int(json, NULL, call->cost);
	json_int(json, NULL, contact_status_of(call));
	json_sql_instant(json, NULL, call->dispatched_at_us);
	json_sql_instant(json, NULL, call->answered_at_us);
	json_sql_instant(json, NULL, call->reported_at_us);
	json_end(json);
}

static void write_texts(struct json *json, const struct reported_call *call)
{
	json_begin_array(json, NULL);
	json_hex_id(json, NULL, &call->id);
	json_add_string(json, NULL, call->outcome);
	json_add_string(json, NULL, call->end_reason);
	json_add_string(json, NULL, call->recording_url);
	json_add_string(json, NULL, call->transcript_url);
	json_add_string(json, NULL, call->summary);
	json_end(json);
}

static void write_kept_contact(struct json *json, const struct reported_call *call)
{
	json_begin_array(json, NULL);
	json_int(json, NULL, call->batch_id);
	json_int(json, NULL, call->position);
	json_int(json, NULL, call->status);
	json_sql_instant(json, NULL, call->called_at_us);
	json_end(json);
}

static void write_waiting(struct json *json, const struct reported_call *call)
{
	json_begin_array(json, NULL);
	json_hex_id(json, NULL, &call->id);
	json_sql_instant(json, NULL, call->wake_at_us);
	json_end(json);
}

static void write_attempt(struct json *json, const struct reported_call *call)
{
	json_begin_array(json, NULL);
	json_int(json, NULL, call->batch_id);
	json_int(json, NULL, call->position);
	json_int(json, NULL, call->attempt);
	json_hex_id(json, NULL, &call->id);
	json_end(json);
}

static bool is_undone(const struct reported_call *call)
{
	return call->move == PLAN_UNDONE;
}

/* It may have waited before, too. */
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

/* What the call's report said in words. Before the end there is nothing of it. */
static bool has_texts(const struct reported_call *call)
{
	return call->changed && (*call->outcome != '\0' || *call->end_reason != '\0' ||
	                         *call->recording_url != '\0' || *call->transcript_url != '\0' ||
	                         *call->summary != '\0');
}

/* One statement with a row for every call that `chosen` picks; none at all if it picks none. */
static enum db_result write_rows(struct db *db, const struct report_job *job, enum sql_statement statement,
                                  bool (*chosen)(const struct reported_call *),
                                  void (*write)(struct json *, const struct reported_call *))
{
	struct buf rows = { 0 };
	struct json json = json_to(&rows);
	enum db_result result = DB_OK;
	size_t count = 0;

	json_begin_array(&json, NULL);
	for (size_t i = 0; i < job->call_count; i++) {
		if (!chosen(&job->calls[i]))
			continue;
		write(&json, &job->calls[i]);
		count++;
	}
	json_end(&json);
	if (count != 0)
		result = db_exec(db, statement, DB_ARGS(db_buf(&rows)));
	buf_free(&rows);
	return result;
}

/* Who waits from now on, and what for. */
static enum db_result write_plan(struct db *db, const struct report_job *job)
{
	struct buf rows = { 0 };
	enum db_result result;

	for (size_t i = 0; i < job->call_count; i++) {
		const struct reported_call *call = &job->calls[i];
		struct due_contact due = {
			call->batch_id, call->due_at_us, call->position, call->attempt + (call->move == PLAN_RETRY),
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
				.batch_id = call->batch_id, .status = call->status,
				.called_at_us = call->called_at_us, .duration_seconds = call->duration_seconds,
				.cost_ten_thousandths = call->cost,
				.outcome = call->outcome, .end_reason = call->end_reason,
			};
	}
	return analytics_add(db, ended, count);
}

static enum db_result write_counters(struct db *db, const struct report_job *job)
{
	static const enum contact_status order[] = { CONTACT_COMPLETED, CONTACT_FAILED, CONTACT_VOICEMAIL,
	                                             CONTACT_NO_ANSWER, CONTACT_BUSY, CONTACT_CANCELLED };
	struct buf rows = { 0 };
	struct json json = json_to(&rows);
	enum db_result result;

	json_begin_array(&json, NULL);
	for (size_t i = 0; i < job->batch_count; i++) {
		json_begin_array(&json, NULL);
		json_int(&json, NULL, job->batches[i].id);
		json_int(&json, NULL, job->batches[i].done);
		for (size_t s = 0; s < sizeof order / sizeof *order; s++)
			json_int(&json, NULL, job->batches[i].final[order[s]]);
		json_end(&json);
	}
	json_end(&json);
	result = db_exec(db, SQL_REPORT_COUNTERS, DB_ARGS(db_buf(&rows)));
	buf_free(&rows);
	return result;
}

static bool changes_ledgers(const struct reported_batch *batch)
{
	return batch->claimed != 0 || batch->waiting != 0;
}

/* Takes the campaign's lock. */
static enum db_result write_ledgers(struct db *db, const struct report_job *job)
{
	struct buf rows = { 0 };
	struct json json = json_to(&rows);
	enum db_result result = DB_OK;
	bool any = false;

	json_begin_array(&json, NULL);
	for (size_t i = 0; i < job->batch_count; i++) {
		const struct reported_batch *batch = &job->batches[i];

		if (!changes_ledgers(batch))
			continue;
		json_begin_array(&json, NULL);
		json_int(&json, NULL, batch->id);
		json_int(&json, NULL, batch->claimed);
		json_int(&json, NULL, batch->waiting);
		json_int(&json, NULL, batch->called);
		json_int(&json, NULL, batch->day);
		json_int(&json, NULL, batch->day_calls);
		json_end(&json);
		any = true;
	}
	json_end(&json);
	if (any)
		result = db_exec(db, SQL_REPORT_LEDGERS, DB_ARGS(db_buf(&rows)));
	buf_free(&rows);
	return result;
}

/* Takes the campaign's lock, and only for campaigns that have something to gain from a look. A wake-up
 * that slips through (the campaign is filled up this very moment) costs a second: full campaigns
 * are looked at that often. */
static enum db_result wake_batches(struct db *db, struct report_job *job)
{
	struct buf ids = { 0 }, wakes = { 0 };
	struct json json = json_to(&wakes);
	struct db_rows rows;
	enum db_result result;
	size_t count = 0;

	report_job_batch_ids(job, &ids);
	result = db_query(db, SQL_REPORT_WHICH_TO_WAKE, DB_ARGS(db_buf(&ids)), job->arena, &rows);
	for (size_t r = 0; result == DB_OK && r < rows.count; r++)
		report_job_batch(job, db_get_int(&rows, r, 0))->first_due_us = job->now_us;
	json_begin_array(&json, NULL);
	for (size_t i = 0; i < job->batch_count; i++) {
		if (job->batches[i].first_due_us == INSTANT_NEVER)
			continue;
		json_begin_array(&json, NULL);
		json_int(&json, NULL, job->batches[i].id);
		json_sql_instant(&json, NULL, job->batches[i].first_due_us);
		json_end(&json);
		count++;
	}
	json_end(&json);
	if (result == DB_OK && count != 0)
		result = db_exec(db, SQL_REPORT_WAKE, DB_ARGS(db_buf(&wakes)));
	buf_free(&ids);
	buf_free(&wakes);
	return result;
}

enum db_result report_write_calls(struct db *db, const struct report_job *job)
{
	DB_TRY(write_rows(db, job, SQL_REPORT_CALLS, is_changed, write_call));
	return write_rows(db, job, SQL_REPORT_TEXTS, has_texts, write_texts);
}

enum db_result report_write_ends(struct db *db, struct report_job *job)
{
	DB_TRY(write_rows(db, job, SQL_REPORT_KEPT, has_contact_id, write_kept_contact));
	DB_TRY(write_rows(db, job, SQL_REPORT_LEAVE_PLAN, leaves_plan, write_attempt));
	DB_TRY(write_rows(db, job, SQL_REPORT_WAITS, waits, write_waiting));
	DB_TRY(write_rows(db, job, SQL_REPORT_UNDO_CONTACTS, is_undone, write_attempt));
	DB_TRY(write_rows(db, job, SQL_REPORT_UNDO_CALLS, is_undone, write_attempt));
	DB_TRY(write_plan(db, job));
	DB_TRY(write_analytics(db, job));
	DB_TRY(write_counters(db, job));
	DB_TRY(write_ledgers(db, job));
	return wake_batches(db, job);
}
