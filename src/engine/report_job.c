#include "engine/report_job.h"

#include <stdlib.h>
#include <string.h>

static int compare_calls(const void *a, const void *b)
{
	return memcmp(&((const struct reported_call *)a)->id, &((const struct reported_call *)b)->id, sizeof(struct uuid));
}

void report_job_sort_calls(struct report_job *job)
{
	qsort(job->calls, job->call_count, sizeof *job->calls, compare_calls);
}

struct reported_call *report_job_call(const struct report_job *job, const struct uuid *id)
{
	struct reported_call key = { .id = *id };

	if (job->call_count == 0)
		return NULL;
	return bsearch(&key, job->calls, job->call_count, sizeof key, compare_calls);
}

bool report_ended_in_batch(const struct reported_call *call)
{
	return call->changed && call_has_ended(call->status) && call->batch_id != 0;
}

bool report_concerns_batch(const struct reported_call *call)
{
	return report_ended_in_batch(call) || call->unanswered != NULL || (call->changed && call->was_waiting);
}

enum contact_status report_outcome(const struct reported_call *call)
{
	bool keeps = call->status == CALL_CANCELLED && call_has_ended(call->kept_outcome);

	return contact_status_after(keeps ? call->kept_outcome : call->status);
}

static int compare_batches(const void *a, const void *b)
{
	int64_t x = ((const struct reported_batch *)a)->id, y = ((const struct reported_batch *)b)->id;

	return x < y ? -1 : x > y;
}

struct reported_batch *report_job_batch(const struct report_job *job, int64_t id)
{
	struct reported_batch key = { .id = id };

	return bsearch(&key, job->batches, job->batch_count, sizeof key, compare_batches);
}
