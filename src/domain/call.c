#include "domain/call.h"

#include <stddef.h>

#define WAIT_MIN_US US_PER_SECOND
#define WAIT_MAX_US US_PER_MINUTE

const char *const call_status_names[CALL_STATUS__MAX + 1] = {
	"queued",    "dispatched", "ringing",   "in_progress", "completed", "failed",
	"no_answer", "busy",       "voicemail", "cancelled",   NULL,
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

static const struct retry_rule *find_rule(const struct retry_rules *rules, enum call_status outcome)
{
	for (size_t i = 0; i < rules->rule_count; i++)
		if (rules->rules[i].outcome == (int)outcome)
			return &rules->rules[i];
	return NULL;
}

/* The first attempt and the retries, without those that the person asked for. */
static int own_attempts(const struct call_past *past)
{
	return past->attempts - past->callbacks;
}

bool call_is_retried(const struct retry_rules *rules, const struct call_past *past, enum call_status outcome)
{
	const struct retry_rule *rule = find_rule(rules, outcome);

	if (!rules->enabled)
		return false;
	if (rule != NULL)
		return past->same <= rule->max_attempts;
	return own_attempts(past) <= rules->max_attempts && (rules->outcomes & CALL_BIT(outcome)) != 0;
}

int64_t call_wait_us(int64_t age_us)
{
	if (age_us < WAIT_MIN_US)
		return WAIT_MIN_US;
	return age_us < WAIT_MAX_US ? age_us : WAIT_MAX_US;
}

static int64_t doubled_delay_us(const struct retry_rules *rules, int nth)
{
	return (rules->delay_minutes * US_PER_MINUTE) << (nth - 1);
}

int64_t call_retry_delay_us(const struct retry_rules *rules, const struct call_past *past, enum call_status outcome)
{
	const struct retry_rule *rule = find_rule(rules, outcome);

	return rule != NULL ? rule->delay_minutes * US_PER_MINUTE : doubled_delay_us(rules, own_attempts(past));
}

/* Returns whether an outcome without a rule of its own is retried. */
static bool some_have_no_rule(const struct retry_rules *rules)
{
	unsigned left = rules->outcomes;

	for (size_t i = 0; i < rules->rule_count; i++)
		left &= ~CALL_BIT(rules->rules[i].outcome);
	return left != 0;
}

int call_most_retries(const struct retry_rules *rules)
{
	int most = rules->enabled && some_have_no_rule(rules) ? rules->max_attempts : 0;

	for (size_t i = 0; rules->enabled && i < rules->rule_count; i++)
		if (rules->rules[i].max_attempts > most)
			most = (int)rules->rules[i].max_attempts;
	return most;
}

int64_t call_longest_delay_us(const struct retry_rules *rules, int nth)
{
	int64_t longest_us = some_have_no_rule(rules) && nth <= rules->max_attempts ? doubled_delay_us(rules, nth) : 0;

	for (size_t i = 0; i < rules->rule_count; i++)
		if (nth <= rules->rules[i].max_attempts && rules->rules[i].delay_minutes * US_PER_MINUTE > longest_us)
			longest_us = rules->rules[i].delay_minutes * US_PER_MINUTE;
	return longest_us;
}
