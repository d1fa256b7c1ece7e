#include "engine/report_job.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/instant.h"
#include "base/log.h"
#include "store/batch_store.h"
#include "store/dispatch_store.h"
#include "store/figures.h"
#include "store/rows.h"
#include "store/statements.h"
#include "store/tables.h"

#define REFUSED_RECHECK_US (60 * US_PER_SECOND)

const char *const report_result_names[REPORT_RESULT__MAX] = { "accepted", "ignored", "not_found" };

#define CALL(name) COLUMN_AS(struct report_row, name, call.name)
#define CALL_AT(name) INSTANT_AS(struct report_row, name, call.name##_us)
#define CONFIG(kind, name, member) kind##_AS(struct report_row, name, batch.config.member),
COLUMNS(report_row_columns, struct report_row, RETRY_TABLE(CONFIG) CALENDAR_TABLE(CONFIG) CALL(id), CALL(status),
        CALL(batch_id), CALL(position), CALL(attempt), CALL(tries), CALL(to_number), CALL_AT(called_at),
        CALL_AT(expires_at), CALL_AT(wake_at), CALL(max_seconds), CALL(organization_id), CALL_AT(ended_at),
        CALL(duration_seconds), CALL(cost), CALL(subscribed), CALL(campaign_id),
        COLUMN_AS(struct report_row, batch_status, batch.status),
        COLUMN_AS(struct report_row, has_contact_ids, batch.has_contact_ids));

/* Completes what was read. */
static struct reported_call begin_call(struct report_row *row)
{
	struct reported_call call = row->call;

	row->batch.id = call.batch_id;
	row->batch.first_due_us = row->batch.first_callback_us = INSTANT_NEVER;
	call.row = row;
	call.dispatched_at_us = call.answered_at_us = call.reported_at_us = INSTANT_NONE;
	call.call_back_at_us = call.retry_at_us = INSTANT_NONE;
	call.was_waiting = call_waits(call.status, call.batch_id, call.expires_at_us);
	call.outcome = call.end_reason = call.recording_url = call.transcript_url = call.summary = "";
	return call;
}

static enum db_result lock_calls(struct db *db, struct report_job *job)
{
	struct uuid *ids = arena_alloc(job->arena, job->count * sizeof *ids);
	struct report_row *found;
	struct db_rows rows;
	struct rows asked;

	for (size_t i = 0; i < job->count; i++)
		ids[i] = job->reports[i].call_id;
	qsort(ids, job->count, sizeof *ids, uuid_order);
	asked = rows_of_uuids(ids, job->count, job->arena);
	DB_TRY(db_query(db, SQL_REPORT_LOCK, DB_ARGS(rows_value(&asked)), job->arena, &rows));
	found = DB_STRUCTS(&rows, struct report_row);
	job->call_count = rows.count;
	job->calls = arena_alloc(job->arena, rows.count * sizeof *job->calls);
	for (size_t r = 0; r < rows.count; r++)
		job->calls[r] = begin_call(&found[r]);
	report_job_sort_calls(job);
	return DB_OK;
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
			batches[kept++] = found[i]->row->batch;
	job->batches = batches;
	job->batch_count = kept;
}

static enum db_result apply_reports(struct db *db, struct report_job *job)
{
	DB_TRY(lock_calls(db, job));
	if (!report_move_calls(job))
		return DB_OK;
	collect_batches(job);
	DB_TRY(report_load_zones(db, job));
	DB_TRY(report_load_past(db, job));
	report_settle(job);
	for (size_t i = 0; i < job->call_count; i++) {
		const struct reported_call *call = &job->calls[i];

		if (call->changed && call_has_ended(call->status))
			db_count(db, FIGURE_CALLS, (int)call->status, 1);
		if (call->move == PLAN_RETRY)
			db_count(db, FIGURE_RETRIES, 0, 1);
	}
	DB_TRY(report_write_calls(db, job));
	DB_TRY(report_note_decisions(db, job));
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

struct report_search {
	const struct call_report *reports;
	size_t count;
	bool *is_free;
	struct arena *arena;
};

static void mark_free(const struct report_search *search, const struct db_rows *rows)
{
	for (size_t r = 0; r < rows->count; r++) {
		struct uuid id = db_get_uuid(rows, r, 0);

		for (size_t i = 0; i < search->count; i++)
			search->is_free[i] |= uuid_equal(&search->reports[i].call_id, &id);
	}
}

static enum db_result find_free(struct db *db, void *context)
{
	const struct report_search *search = context;
	struct rows asked = rows_new(search->arena);
	struct db_rows rows;

	memset(search->is_free, 0, search->count * sizeof *search->is_free);
	for (size_t i = 0; i < search->count; i++)
		rows_add_uuid(&asked, &search->reports[i].call_id);
	DB_TRY(db_query(db, SQL_REPORT_FREE, DB_ARGS(rows_value(&asked)), search->arena, &rows));
	mark_free(search, &rows);
	DB_TRY(db_query(db, SQL_REPORT_SINGLE, DB_ARGS(rows_value(&asked)), search->arena, &rows));
	mark_free(search, &rows);
	return DB_OK;
}

enum db_result reports_find_free(struct db *db, const struct call_report *reports, size_t count, bool *is_free)
{
	struct report_search search = { reports, count, is_free, arena_new() };
	enum db_result result = db_transact_briefly(db, DB_REPEATABLE, find_free, &search);

	arena_free(search.arena);
	return result;
}

static struct report_job job_of(int64_t organization_id, const struct call_report *reports, size_t count,
                                int64_t now_us, enum report_result *results, bool *woke)
{
	assert(count <= REPORTS_MAX);
	return (struct report_job){
		.organization_id = organization_id,
		.now_us = now_us,
		.reports = reports,
		.count = count,
		.results = results,
		.woke = woke,
	};
}

/* The deadline of the call will settle it. */
static enum db_result drop_report(struct db *db, const struct call_report *report, int64_t now_us)
{
	char id[UUID_TEXT];
	enum db_result result;

	uuid_format(&report->call_id, id);
	log_error("a report is dropped, because the database refuses it call=%s status=%s", id,
	          call_status_names[report->status]);
	result = call_leave(db, &report->call_id, now_us + REFUSED_RECHECK_US);
	return db_is_refusal(result) ? DB_OK : result;
}

/* Halves a batch until the faulty report is alone. A batch that fails because of a lock waits as a whole. */
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

enum db_result reports_apply_and_tell(struct db *db, int64_t organization_id, const struct call_report *reports,
                                      size_t count, int64_t now_us, enum report_result *results, bool *woke)
{
	struct report_job job = job_of(organization_id, reports, count, now_us, results, woke);

	if (count == 0)
		return DB_OK;
	return apply_apart(db, job, db_transact_briefly(db, DB_REPEATABLE, run_job, &job));
}

enum db_result reports_apply(struct db *db, int64_t organization_id, const struct call_report *reports, size_t count,
                             int64_t now_us, enum report_result *results)
{
	return reports_apply_and_tell(db, organization_id, reports, count, now_us, results, &(bool){ false });
}

enum db_result reports_apply_in(struct db *db, int64_t organization_id, const struct call_report *reports, size_t count,
                                int64_t now_us, enum report_result *results)
{
	struct report_job job = job_of(organization_id, reports, count, now_us, results, &(bool){ false });

	return count == 0 ? DB_OK : run_job(db, &job);
}
