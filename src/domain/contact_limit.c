#include "domain/contact_limit.h"

#include <stdio.h>

#include "base/clock.h"
#include "base/least.h"
#include "domain/calling_hours.h"

#define US_PER_HOUR (60 * US_PER_MINUTE)
#define UNDER_WAY_RECHECK_US US_PER_MINUTE

static const struct contact_limit limit_initial;

static FIELD_TABLE(limit_fields, struct contact_limit, &limit_initial,
                   FIELD(struct contact_limit, max_attempts, INT, .flags = FIELD_REQUIRED, .min = 1,
                         .max = CONTACT_LIMIT_ATTEMPTS_MAX),
                   FIELD(struct contact_limit, period_hours, INT, .flags = FIELD_NULLABLE, .min = 1,
                         .max = 24 * CONTACT_LIMIT_DAYS_MAX),
                   FIELD(struct contact_limit, period_days, INT, .flags = FIELD_NULLABLE, .min = 1,
                         .max = CONTACT_LIMIT_DAYS_MAX));

static const struct organization organization_initial = { .name = "" };

FIELD_TABLE(organization_fields, struct organization, &organization_initial,
            FIELD_AS("contact_limits", struct organization, limits.list, RECORDS, .flags = FIELD_NULLABLE,
                     .record = &limit_fields, .max = CONTACT_LIMITS_MAX),
            FIELD_AS("rest_hours_after_conversation", struct organization, limits.rest_hours, INT,
                     .flags = FIELD_NULLABLE, .min = 1, .max = 24 * CONTACT_LIMIT_DAYS_MAX),
            FIELD_AS("default_calling_windows", struct organization, calling_windows, RECORDS, .flags = FIELD_NULLABLE,
                     .record = &calling_window_fields, .max = CALENDAR_MAX_WINDOWS));

void contact_limits_settle(const struct contact_limits *limits, struct faults *faults)
{
	const struct contact_limit *list = limits->list.items;

	for (size_t i = 0; i < limits->list.count; i++) {
		char field[64];

		if ((list[i].period_hours == 0) != (list[i].period_days == 0))
			continue;
		snprintf(field, sizeof field, "contact_limits[%zu].period_hours", i);
		fault_add(faults, field, "is required, or else period_days; not both");
	}
}

bool contact_limits_any(const struct contact_limits *limits)
{
	return limits->list.count != 0 || limits->rest_hours != 0;
}

static int64_t period_us(const struct contact_limit *limit)
{
	return limit->period_days * US_PER_DAY + limit->period_hours * US_PER_HOUR;
}

/* A conversation may have begun before its end by as long as the longest possible call. */
int64_t contact_limits_reach_us(const struct contact_limits *limits)
{
	const struct contact_limit *list = limits->list.items;
	int64_t reach_us = limits->rest_hours == 0 ? 0 : limits->rest_hours * US_PER_HOUR + US_PER_DAY;

	for (size_t i = 0; i < limits->list.count; i++)
		reach_us = max_of(reach_us, period_us(&list[i]));
	return reach_us;
}

static int64_t rest_ends(const struct contact_limits *limits, const struct contact_attempt *attempt, int64_t now_us)
{
	if (limits->rest_hours == 0)
		return INSTANT_NONE;
	if (!call_has_ended(attempt->status))
		return now_us + UNDER_WAY_RECHECK_US;
	return attempt->status == CALL_COMPLETED ? attempt->ended_at_us + limits->rest_hours * US_PER_HOUR : INSTANT_NONE;
}

/* A limit of n attempts opens again when the n-th latest attempt is older than its period. */
static int64_t limit_opens(const struct contact_limit *limit, const struct contact_attempt *attempts, size_t count)
{
	if ((size_t)limit->max_attempts > count)
		return INSTANT_NONE;
	return attempts[limit->max_attempts - 1].called_at_us + period_us(limit);
}

int64_t contact_limits_free_at(const struct contact_limits *limits, const struct contact_attempt *attempts,
                               size_t count, int64_t now_us)
{
	const struct contact_limit *list = limits->list.items;
	int64_t free_at_us = INSTANT_NONE;

	for (size_t i = 0; i < limits->list.count; i++)
		free_at_us = max_of(free_at_us, limit_opens(&list[i], attempts, count));
	for (size_t i = 0; i < count; i++)
		free_at_us = max_of(free_at_us, rest_ends(limits, &attempts[i], now_us));
	return free_at_us;
}

struct contact_limit_hold contact_limits_hold(const struct contact_limits *limits,
                                              const struct contact_attempt *attempts, size_t count, int64_t now_us)
{
	const struct contact_limit *list = limits->list.items;
	struct contact_limit_hold hold = { 0 };
	int64_t until_us = now_us;

	for (size_t i = 0; i < limits->list.count; i++)
		if (limit_opens(&list[i], attempts, count) > until_us) {
			until_us = limit_opens(&list[i], attempts, count);
			hold.limit = &list[i];
		}
	for (size_t i = 0; i < count; i++) {
		hold.rests |= rest_ends(limits, &attempts[i], now_us) > until_us;
		hold.attempts += hold.limit != NULL && attempts[i].called_at_us > now_us - period_us(hold.limit);
	}
	return hold;
}
