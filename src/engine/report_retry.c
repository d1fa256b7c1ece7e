#include "engine/report_job.h"

#include <string.h>

#include "base/instant.h"
#include "store/batch_store.h"
#include "store/columns.h"
#include "store/rows.h"
#include "store/statements.h"

struct earlier_attempts {
	int64_t nth; /* of the calls that were asked for */
	int callbacks, same, latest;
};

COLUMNS(past_columns, struct earlier_attempts, COLUMN(struct earlier_attempts, nth),
        COLUMN(struct earlier_attempts, callbacks), COLUMN(struct earlier_attempts, same),
        COLUMN(struct earlier_attempts, latest));

static bool is_same_text(const char *a, const char *b)
{
	return a == b || (a != NULL && b != NULL && strcmp(a, b) == 0);
}

int64_t report_callable_from(const struct report_job *job, struct reported_batch *batch, const char *zones,
                             int64_t from_us)
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
	case CALENDAR_SPAN: opening->at_us = from_us < span.from_us ? span.from_us : from_us; break;
	case CALENDAR_UNREADABLE:
		/* The claim judges the contact again, and holds it. */
		opening->at_us = from_us;
		break;
	case CALENDAR_NEVER: break;
	}
	batch->openings = opening;
	return opening->at_us;
}

/* Returns whether a retry may end without a call, because its campaign was cancelled. */
static bool ends_uncalled(const struct report_job *job, const struct reported_call *call)
{
	return call->attempt > 1 && (call->unanswered != NULL || call->status == CALL_CANCELLED) &&
	       report_concerns_batch(call) && batch_is_final(report_job_batch(job, call->batch_id)->status);
}

/* Earlier attempts are read only for contacts for which another attempt may follow. */
static bool needs_past(const struct report_job *job, const struct reported_call *call)
{
	const struct call_past first = { .attempts = 1, .same = 1 };
	struct reported_batch *batch;
	struct retry_rules rules;

	if (!report_ended_in_batch(call) || call->attempt == 1)
		return false;
	batch = report_job_batch(job, call->batch_id);
	rules = batch_retry_rules(&batch->config);
	return !batch_is_over(batch->status) &&
	       (call->call_back_at_us != INSTANT_NONE || call_is_retried(&rules, &first, call->status));
}

enum db_result report_load_past(struct db *db, struct report_job *job)
{
	struct reported_call **asked = arena_alloc(job->arena, job->call_count * sizeof *asked);
	struct rows rows = rows_new(job->arena);
	struct db_rows found;
	size_t count = 0;

	for (size_t i = 0; i < job->call_count; i++) {
		struct reported_call *call = &job->calls[i];

		call->past = (struct call_past){ .attempts = (int)call->attempt, .same = 1 };
		if (!needs_past(job, call) && !ends_uncalled(job, call))
			continue;
		asked[count++] = call;
		rows_next(&rows);
		rows_int(&rows, "batch_id", call->batch_id);
		rows_int(&rows, "position", call->position);
		rows_int(&rows, "attempt", call->attempt);
		rows_int(&rows, "status", call->status);
	}
	if (count == 0)
		return DB_OK;
	DB_TRY(db_query(db, SQL_REPORT_PAST, DB_ARGS(rows_value(&rows)), job->arena, &found));
	for (size_t r = 0; r < found.count; r++) {
		const struct earlier_attempts *earlier = DB_STRUCTS(&found, struct earlier_attempts) + r;

		asked[earlier->nth]->past.callbacks = earlier->callbacks;
		asked[earlier->nth]->past.same += earlier->same;
		if (ends_uncalled(job, asked[earlier->nth]))
			asked[earlier->nth]->kept_outcome = (enum call_status)earlier->latest;
	}
	return DB_OK;
}

static int64_t call_again(const struct report_job *job, struct reported_batch *batch, struct reported_call *call,
                          int64_t retry_at_us)
{
	int64_t from_us = retry_at_us > job->now_us ? retry_at_us : job->now_us;
	int64_t at_us = report_callable_from(job, batch, call->zones, from_us);

	if (at_us == INSTANT_NONE)
		return INSTANT_NONE;
	call->retry_at_us = retry_at_us;
	return plan_between_ms(at_us, call->position);
}

bool report_is_called_back(const struct reported_call *call)
{
	return call->call_back_at_us != INSTANT_NONE && call->retry_at_us == call->call_back_at_us;
}

int64_t report_next_call(const struct report_job *job, struct reported_batch *batch, struct reported_call *call)
{
	struct retry_rules rules = batch_retry_rules(&batch->config);

	if (batch_is_over(batch->status))
		return INSTANT_NONE;
	if (call->call_back_at_us != INSTANT_NONE && call->past.callbacks < CALL_BACKS_MAX)
		return call_again(job, batch, call, call->call_back_at_us);
	if (!call_is_retried(&rules, &call->past, call->status))
		return INSTANT_NONE;
	return call_again(job, batch, call, job->now_us + call_retry_delay_us(&rules, &call->past, call->status));
}
