#include "store/report_store.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/instant.h"
#include "base/json.h"
#include "domain/batch.h"
#include "store/analytics_store.h"
#include "store/batch_store.h"
#include "store/statements.h"

const char *const report_result_names[REPORT_RESULT__MAX] = { "accepted", "ignored", "not_found" };

/* A call under its lock, as the reports move it. */
struct reported_call {
	struct uuid id;
	enum call_status status;
	int64_t batch_id, position, attempt, organization_id, max_seconds;
	int64_t wake_at_us, called_at_us, ended_at_us, duration_seconds, cost;
	const char *outcome, *end_reason, *recording_url, *transcript_url, *summary;
	bool changed;
	bool has_contact_id; /* perhaps: its contact may be a copy of one that is kept */
	int64_t retry_at_us; /* INSTANT_NONE: none */
};

/* What one campaign's calls add up to. */
struct reported_batch {
	int64_t id;
	enum batch_status status;
	bool has_contact_ids;
	struct batch_config config;
	int64_t done, final[CONTACT_STATUS__MAX];
	int64_t first_retry_us; /* INSTANT_NEVER: none */
};

struct job {
	int64_t organization_id, now_us;
	const struct call_report *reports;
	size_t count;
	enum report_result *results;
	/* Made afresh at every run of the transaction: */
	struct arena *arena;
	struct reported_call *calls;
	size_t call_count;
	struct reported_batch *batches;
	size_t batch_count;
};

static int compare_ids(const void *a, const void *b)
{
	return memcmp(a, b, sizeof(struct uuid));
}

static int compare_calls(const void *a, const void *b)
{
	return compare_ids(&((const struct reported_call *)a)->id, &((const struct reported_call *)b)->id);
}

static int compare_batches(const void *a, const void *b)
{
	int64_t x = ((const struct reported_batch *)a)->id, y = ((const struct reported_batch *)b)->id;

	return x < y ? -1 : x > y;
}

static struct reported_call read_call(const struct db_rows *rows, size_t r)
{
	return (struct reported_call){
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
		.outcome = "", .end_reason = "", .recording_url = "", .transcript_url = "", .summary = "",
		.retry_at_us = INSTANT_NONE,
	};
}

static enum db_result lock_calls(struct db *db, struct job *job)
{
	struct uuid *ids = arena_alloc(job->arena, job->count * sizeof *ids);
	struct buf rows_text = { 0 };
	struct json json = json_to(&rows_text);
	struct db_rows rows;
	enum db_result result;

	for (size_t i = 0; i < job->count; i++)
		ids[i] = job->reports[i].call_id;
	qsort(ids, job->count, sizeof *ids, compare_ids);
	json_begin_array(&json, NULL);
	for (size_t i = 0; i < job->count; i++)
		json_hex_id(&json, NULL, &ids[i]);
	json_end(&json);
	result = db_query(db, SQL_REPORT_LOCK, DB_ARGS(db_buf(&rows_text)), job->arena, &rows);
	buf_free(&rows_text);
	if (result != DB_OK)
		return result;
	job->call_count = rows.count;
	job->calls = arena_alloc(job->arena, rows.count * sizeof *job->calls);
	for (size_t r = 0; r < rows.count; r++)
		job->calls[r] = read_call(&rows, r);
	qsort(job->calls, job->call_count, sizeof *job->calls, compare_calls);
	return DB_OK;
}

static struct reported_call *find_call(const struct job *job, const struct call_report *report)
{
	struct reported_call key = { .id = report->call_id };
	struct reported_call *call;

	if (job->call_count == 0)
		return NULL;
	call = bsearch(&key, job->calls, job->call_count, sizeof key, compare_calls);
	if (call == NULL || (job->organization_id != 0 && call->organization_id != job->organization_id))
		return NULL;
	return call;
}

static struct reported_batch *find_batch(const struct job *job, int64_t id)
{
	struct reported_batch key = { .id = id };

	return bsearch(&key, job->batches, job->batch_count, sizeof key, compare_batches);
}

/* When the ending was: what the dialer said, if that can be. */
static int64_t ended_at(const struct reported_call *call, const struct call_report *report, int64_t now_us)
{
	int64_t said_us = report->occurred_at.us;

	return said_us >= call->called_at_us && said_us < now_us ? said_us : now_us;
}

static void move_call(struct reported_call *call, const struct call_report *report, int64_t now_us)
{
	if (call->status == CALL_QUEUED) /* from its lease to the deadline of a call under way */
		call->wake_at_us = now_us + call->max_seconds * US_PER_SECOND;
	call->status = (enum call_status)report->status;
	call->changed = true;
	if (!call_has_ended(call->status))
		return;
	call->wake_at_us = INSTANT_NEVER;
	call->ended_at_us = ended_at(call, report, now_us);
	call->duration_seconds = report->duration_seconds;
	call->cost = report->cost_ten_thousandths;
	call->outcome = report->outcome;
	call->end_reason = report->end_reason;
	call->recording_url = report->recording_url;
	call->transcript_url = report->transcript_url;
	call->summary = report->summary;
}

static bool move_calls(struct job *job)
{
	bool any = false;

	for (size_t i = 0; i < job->count; i++) {
		struct reported_call *call = find_call(job, &job->reports[i]);

		if (call == NULL) {
			job->results[i] = REPORT_NOT_FOUND;
		} else if (!call_may_become(call->status, (enum call_status)job->reports[i].status)) {
			job->results[i] = REPORT_IGNORED;
		} else {
			move_call(call, &job->reports[i], job->now_us);
			job->results[i] = REPORT_ACCEPTED;
			any = true;
		}
	}
	return any;
}

/* A single call has no contact, no counters, no retry. */
static bool has_ended_in_batch(const struct reported_call *call)
{
	return call->changed && call_has_ended(call->status) && call->batch_id != 0;
}

/* The campaigns of the calls that ended, ascending. */
static void collect_batches(struct job *job)
{
	struct reported_batch *batches = arena_alloc(job->arena, job->call_count * sizeof *batches);
	size_t count = 0, kept = 0;

	for (size_t i = 0; i < job->call_count; i++)
		if (has_ended_in_batch(&job->calls[i]))
			batches[count++] = (struct reported_batch){ .id = job->calls[i].batch_id,
			                                            .first_retry_us = INSTANT_NEVER };
	qsort(batches, count, sizeof *batches, compare_batches);
	for (size_t i = 0; i < count; i++)
		if (i == 0 || batches[i].id != batches[kept - 1].id)
			batches[kept++] = batches[i];
	job->batches = batches;
	job->batch_count = kept;
}

static void write_batch_ids(const struct job *job, struct buf *out)
{
	struct json json = json_to(out);

	json_begin_array(&json, NULL);
	for (size_t i = 0; i < job->batch_count; i++)
		json_int(&json, NULL, job->batches[i].id);
	json_end(&json);
}

static void read_retry_config(struct batch_config *config, const struct db_rows *rows, size_t r,
                              struct arena *arena)
{
	config->timezone = db_get_text(rows, r, 2);
	config->window_start = (int)db_get_int(rows, r, 3);
	config->window_end = (int)db_get_int(rows, r, 4);
	config->working_days = (unsigned)db_get_int(rows, r, 5);
	config->excluded_dates = batch_read_dates(db_get_text(rows, r, 6), arena);
	config->retry_failed = db_get_int(rows, r, 7) != 0;
	config->max_retry_attempts = db_get_int(rows, r, 8);
	config->retry_on = (unsigned)db_get_int(rows, r, 9);
	config->retry_delay_minutes = db_get_int(rows, r, 10);
}

static enum db_result load_batches(struct db *db, struct job *job)
{
	struct buf ids = { 0 };
	struct db_rows rows;
	enum db_result result;

	write_batch_ids(job, &ids);
	result = db_query(db, SQL_REPORT_BATCHES, DB_ARGS(db_buf(&ids)), job->arena, &rows);
	buf_free(&ids);
	if (result != DB_OK)
		return result;
	for (size_t r = 0; r < rows.count; r++) {
		struct reported_batch *batch = find_batch(job, db_get_int(&rows, r, 0));

		batch->status = (enum batch_status)db_get_int(&rows, r, 1);
		batch->has_contact_ids = db_get_int(&rows, r, 11) != 0;
		read_retry_config(&batch->config, &rows, r, job->arena);
	}
	return DB_OK;
}

/* Planned contacts stand on whole milliseconds and retries between them. The position keeps apart all
 * that are due at once, be it a hundred thousand when the window opens. Should two meet all the same, the
 * key of due_contacts makes one transaction run again. */
static int64_t between_ms(int64_t us, int64_t position)
{
	return us / US_PER_MS * US_PER_MS + position / 999 * US_PER_MS + 1 + position % 999;
}

/* The first callable instant after the delay; INSTANT_NONE: no further attempt. */
static int64_t retry_at(const struct reported_batch *batch, const struct reported_call *call, int64_t now_us)
{
	struct retry_rules retry = batch_retry_rules(&batch->config);
	struct plan_rules plan = batch_plan_rules(&batch->config);
	struct span span;
	int64_t at_us;

	if (batch_is_over(batch->status) || !call_is_retried(&retry, (int)call->attempt, call->status))
		return INSTANT_NONE;
	at_us = now_us + call_retry_delay_us(&retry, (int)call->attempt);
	if (!calendar_span_at(&plan.calendar, at_us, &span))
		return INSTANT_NONE;
	return between_ms(at_us > span.from_us ? at_us : span.from_us, call->position);
}

static void settle_contacts(struct job *job)
{
	for (size_t i = 0; i < job->call_count; i++) {
		struct reported_call *call = &job->calls[i];
		struct reported_batch *batch;

		if (!has_ended_in_batch(call))
			continue;
		batch = find_batch(job, call->batch_id);
		batch->done++;
		call->has_contact_id = batch->has_contact_ids;
		call->retry_at_us = retry_at(batch, call, job->now_us);
		if (call->retry_at_us == INSTANT_NONE)
			batch->final[contact_status_after(call->status)]++;
		else if (call->retry_at_us < batch->first_retry_us)
			batch->first_retry_us = call->retry_at_us;
	}
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

static void write_contact(struct json *json, const struct reported_call *call)
{
	bool retried = call->retry_at_us != INSTANT_NONE;

	json_begin_array(json, NULL);
	json_int(json, NULL, call->batch_id);
	json_int(json, NULL, call->position);
	json_int(json, NULL, retried ? CONTACT_PENDING : contact_status_after(call->status));
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

static void write_retry(struct json *json, const struct reported_call *call)
{
	json_begin_array(json, NULL);
	json_int(json, NULL, call->batch_id);
	json_sql_instant(json, NULL, call->retry_at_us);
	json_int(json, NULL, call->position);
	json_int(json, NULL, call->attempt + 1);
	json_end(json);
}

static bool is_retried(const struct reported_call *call)
{
	return call->retry_at_us != INSTANT_NONE;
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
static enum db_result write_calls(struct db *db, const struct job *job, enum sql_statement statement,
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

static enum db_result write_retries(struct db *db, const struct job *job)
{
	enum db_result result = write_calls(db, job, SQL_REPORT_RETRIES, is_retried, write_retry);

	return result == DB_DUPLICATE ? DB_CONFLICT : result; /* an instant was taken: run again, later */
}

static enum db_result write_analytics(struct db *db, const struct job *job)
{
	struct ended_call *ended = arena_alloc(job->arena, job->call_count * sizeof *ended);
	size_t count = 0;

	for (size_t i = 0; i < job->call_count; i++) {
		const struct reported_call *call = &job->calls[i];

		if (has_ended_in_batch(call))
			ended[count++] = (struct ended_call){
				.batch_id = call->batch_id, .status = call->status,
				.called_at_us = call->called_at_us, .duration_seconds = call->duration_seconds,
				.cost_ten_thousandths = call->cost,
				.outcome = call->outcome, .end_reason = call->end_reason,
			};
	}
	return analytics_add(db, ended, count);
}

static enum db_result write_counters(struct db *db, const struct job *job)
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

/* Takes the campaign's lock, and only for campaigns that have something to gain from a look. A wake-up
 * that slips through (the campaign is filled up this very moment) costs a second: full campaigns
 * are looked at that often. */
static enum db_result wake_batches(struct db *db, struct job *job)
{
	struct buf ids = { 0 }, wakes = { 0 };
	struct json json = json_to(&wakes);
	struct db_rows rows;
	enum db_result result;
	size_t count = 0;

	write_batch_ids(job, &ids);
	result = db_query(db, SQL_REPORT_WHICH_TO_WAKE, DB_ARGS(db_buf(&ids)), job->arena, &rows);
	for (size_t r = 0; result == DB_OK && r < rows.count; r++)
		find_batch(job, db_get_int(&rows, r, 0))->first_retry_us = job->now_us;
	json_begin_array(&json, NULL);
	for (size_t i = 0; i < job->batch_count; i++) {
		if (job->batches[i].first_retry_us == INSTANT_NEVER)
			continue;
		json_begin_array(&json, NULL);
		json_int(&json, NULL, job->batches[i].id);
		json_sql_instant(&json, NULL, job->batches[i].first_retry_us);
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

static enum db_result apply_reports(struct db *db, struct job *job)
{
	DB_TRY(lock_calls(db, job));
	if (!move_calls(job))
		return DB_OK;
	collect_batches(job);
	DB_TRY(write_calls(db, job, SQL_REPORT_CALLS, is_changed, write_call));
	DB_TRY(write_calls(db, job, SQL_REPORT_TEXTS, has_texts, write_texts));
	if (job->batch_count == 0)
		return DB_OK;
	DB_TRY(load_batches(db, job));
	settle_contacts(job);
	DB_TRY(write_calls(db, job, SQL_REPORT_CONTACTS, has_ended_in_batch, write_contact));
	DB_TRY(write_calls(db, job, SQL_REPORT_KEPT, has_contact_id, write_kept_contact));
	DB_TRY(write_retries(db, job));
	DB_TRY(write_analytics(db, job));
	DB_TRY(write_counters(db, job));
	return wake_batches(db, job);
}

static enum db_result run_job(struct db *db, void *context)
{
	struct job *job = context;
	enum db_result result;

	job->arena = arena_new();
	result = apply_reports(db, job);
	arena_free(job->arena);
	return result;
}

static struct job job_of(int64_t organization_id, const struct call_report *reports, size_t count,
                         int64_t now_us, enum report_result *results)
{
	assert(count <= REPORTS_MAX);
	return (struct job){
		.organization_id = organization_id, .now_us = now_us,
		.reports = reports, .count = count, .results = results,
	};
}

enum db_result reports_apply(struct db *db, int64_t organization_id, const struct call_report *reports,
                             size_t count, int64_t now_us, enum report_result *results)
{
	struct job job = job_of(organization_id, reports, count, now_us, results);

	return count == 0 ? DB_OK : db_transact(db, DB_REPEATABLE, run_job, &job);
}

enum db_result reports_apply_in(struct db *db, int64_t organization_id, const struct call_report *reports,
                                size_t count, int64_t now_us, enum report_result *results)
{
	struct job job = job_of(organization_id, reports, count, now_us, results);

	return count == 0 ? DB_OK : run_job(db, &job);
}
