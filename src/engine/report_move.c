#include "engine/report_job.h"

#include "base/clock.h"
#include "base/instant.h"

static struct reported_call *find_call(const struct report_job *job, const struct call_report *report)
{
	struct reported_call *call = report_job_call(job, &report->call_id);

	if (call == NULL || (job->organization_id != 0 && call->organization_id != job->organization_id))
		return NULL;
	return call;
}

/* Returns when a call was answered or ended: the dialer's instant, if it is possible. */
static int64_t occurred_at(const struct reported_call *call, const struct call_report *report, int64_t now_us)
{
	int64_t said_us = report->occurred_at.us;

	return said_us >= call->called_at_us && said_us < now_us ? said_us : now_us;
}

/* A dialer that reports on a call has accepted it. */
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

void report_move_call(struct reported_call *call, const struct call_report *report, int64_t now_us)
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
	call->call_back_at_us = report->call_back_at.us;
}

static bool premise_holds(const struct reported_call *call, enum call_premise premise, int64_t now_us)
{
	bool is_unaccepted = call->status == CALL_QUEUED, is_overdue = call->wake_at_us <= now_us;

	switch (premise) {
	case CALL_UNACCEPTED: return is_unaccepted;
	case CALL_UNASKED: return is_unaccepted && !call->was_waiting;
	case CALL_EXPIRED: return is_unaccepted && is_overdue && call->expires_at_us <= now_us;
	case CALL_UNREPORTED: return !is_unaccepted && is_overdue;
	default: return true;
	}
}

static bool is_too_late(const struct reported_call *call, const struct call_report *report, int64_t now_us)
{
	return !call_may_become(call->status, (enum call_status)report->status) ||
	       !premise_holds(call, report->premise, now_us);
}

/* A single call is given up at once: it was requested for now, and has no window in which it may be placed later. */
static bool is_unanswered(const struct reported_call *call, const struct call_report *report)
{
	return call->batch_id != 0 && (report->premise == CALL_UNASKED || report->premise == CALL_EXPIRED);
}

bool report_move_calls(struct report_job *job)
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
				report_move_call(call, &job->reports[i], job->now_us);
			job->results[i] = REPORT_ACCEPTED;
			any = true;
		}
	}
	return any;
}
