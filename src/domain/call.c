#include "domain/call.h"

#include <stddef.h>

#define WAIT_MIN_US US_PER_SECOND
#define WAIT_MAX_US US_PER_MINUTE

const char *const call_status_names[CALL_STATUS__MAX + 1] = {
	"queued", "dispatched", "ringing", "in_progress", "completed", "failed",
	"no_answer", "busy", "voicemail", "cancelled", NULL,
};

bool call_has_ended(enum call_status status)
{
	return status >= CALL_COMPLETED;
}

bool call_waits(enum call_status status, int64_t batch_id, int64_t expires_at_us)
{
	return status == CALL_QUEUED && batch_id != 0 && expires_at_us == INSTANT_NONE;
}

bool call_may_become(enum call_status from, enum call_status to)
{
	return !call_has_ended(from) && to > from;
}

bool call_begins(enum call_status from, enum call_status to)
{
	return from < CALL_RINGING && (to == CALL_RINGING || to == CALL_IN_PROGRESS);
}

bool call_is_retried(const struct retry_rules *rules, int attempt, enum call_status outcome)
{
	return rules->enabled && attempt <= rules->max_attempts && (rules->outcomes & CALL_BIT(outcome)) != 0;
}

int64_t call_wait_us(int64_t age_us)
{
	if (age_us < WAIT_MIN_US)
		return WAIT_MIN_US;
	return age_us < WAIT_MAX_US ? age_us : WAIT_MAX_US;
}

int64_t call_retry_delay_us(const struct retry_rules *rules, int attempt)
{
	return (rules->delay_minutes * US_PER_MINUTE) << (attempt - 1);
}
