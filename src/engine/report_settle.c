#include "engine/report_job.h"

#include "base/instant.h"
#include "base/least.h"
#include "store/rows.h"
#include "store/statements.h"

enum db_result report_load_zones(struct db *db, struct report_job *job)
{
	struct reported_call **asked = arena_alloc(job->arena, job->call_count * sizeof *asked);
	struct rows contacts = rows_new(job->arena);
	struct db_rows rows;

	for (size_t i = 0; i < job->call_count; i++) {
		struct reported_call *call = &job->calls[i];

		if (!report_concerns_batch(call) || !report_job_batch(job, call->batch_id)->config.respect_contact_timezone)
			continue;
		asked[contacts.count] = call;
		rows_next(&contacts);
		rows_int(&contacts, "batch_id", call->batch_id);
		rows_int(&contacts, "position", call->position);
	}
	DB_TRY(db_query(db, SQL_REPORT_ZONES, DB_ARGS(rows_value(&contacts)), job->arena, &rows));
	for (size_t r = 0; r < rows.count; r++)
		asked[db_get_int(&rows, r, 0) - 1]->zones = contact_zones(db_get_text(&rows, r, 1), db_get_text(&rows, r, 2));
	return DB_OK;
}

static void put_into_plan(struct reported_batch *batch, struct reported_call *call, enum plan_move move, int64_t at_us)
{
	call->move = move;
	call->due_at_us = at_us;
	if (at_us < batch->first_due_us)
		batch->first_due_us = at_us;
}

/* Returns the first instant from this one on at which the contact may be called. If no day can take a call, returns
 * this instant. */
static int64_t due_from(const struct report_job *job, struct reported_batch *batch, const struct reported_call *call,
                        int64_t from_us)
{
	int64_t at_us = report_callable_from(job, batch, call->zones, from_us);

	return plan_between_ms(at_us == INSTANT_NONE ? from_us : at_us, call->position);
}

/* The calls of a day are counted by the days of the campaign's own zone. */
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

/* A call in the plan holds no place. While the campaign is paused no call is given up: after the resume it is
 * requested at least once more. */
static void wait_or_give_up(const struct report_job *job, struct reported_batch *batch, struct reported_call *call)
{
	struct calendar calendar = batch_calendar(&batch->config, call->zones);
	int64_t asked_at_us = uuid_made_at(&call->id);

	call->wake_at_us = calendar_after(&calendar, asked_at_us, call->unanswered->give_up_after_us);
	if (call->wake_at_us <= job->now_us && batch_is_running(batch->status)) {
		report_move_call(call, call->unanswered, job->now_us);
		return;
	}
	if (call->wake_at_us <= job->now_us)
		call->wake_at_us = INSTANT_NEVER;
	if (call->was_waiting) {
		batch->first_due_us = min_of(batch->first_due_us, job->now_us); /* so its state is judged under its lock */
		return;
	}
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
		report_move_call(call, &ending, job->now_us);
	} else if (leases_used <= 0) {
		undo_claim(job, batch, call);
	} else {
		wait_or_give_up(job, batch, call);
	}
}

static void settle_end(const struct report_job *job, struct reported_batch *batch, struct reported_call *call)
{
	int64_t at_us = report_next_call(job, batch, call);

	batch->done++;
	call->has_contact_id = batch->has_contact_ids;
	if (at_us == INSTANT_NONE)
		batch->final[report_outcome(call)]++;
	else
		put_into_plan(batch, call, PLAN_RETRY, at_us);
	if (report_is_called_back(call) && at_us < batch->first_callback_us)
		batch->first_callback_us = at_us;
}

void report_settle(struct report_job *job)
{
	for (size_t i = 0; i < job->call_count; i++) {
		struct reported_call *call = &job->calls[i];
		struct reported_batch *batch;

		if (!report_concerns_batch(call))
			continue;
		batch = report_job_batch(job, call->batch_id);
		if (call->unanswered != NULL)
			settle_unanswered(job, batch, call);
		if (call->was_waiting && call->changed) { /* the call takes a place again, even if it ends at once */
			batch->claimed++;
			batch->waiting--;
		}
		if (report_ended_in_batch(call))
			settle_end(job, batch, call);
	}
}
