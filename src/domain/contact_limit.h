/* How often an organisation calls one telephone number, over all campaigns: at most a number of attempts in a number
 * of hours, and a rest after a conversation. Calls that the limits hold back are postponed, not dropped. Every call
 * is an attempt, except a call that was cancelled before a dialer had it. */
#ifndef DOMAIN_CONTACT_LIMIT_H
#define DOMAIN_CONTACT_LIMIT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/field.h"
#include "base/uuid.h"
#include "domain/call.h"

#define CONTACT_LIMITS_MAX 10
#define CONTACT_LIMIT_ATTEMPTS_MAX 100
#define CONTACT_LIMIT_DAYS_MAX 90

struct contact_limit {
	int64_t max_attempts;
	int64_t period_hours, period_days; /* one of the two is 0. A day has 24 hours */
};

struct contact_limits {
	struct field_list list; /* of struct contact_limit */
	int64_t rest_hours;     /* after a conversation; 0: none */
};

/* An organisation and its configuration. */
struct organization {
	int64_t id;
	struct uuid uuid;
	const char *name;
	struct contact_limits limits;
	struct field_list calling_windows; /* of struct calling_window: of new campaigns that give none */
	int64_t created_at_us, updated_at_us;
};

extern const struct field_table organization_fields; /* struct organization */

/* Checks the rules between fields, after each field was read alone, and adds the faults. */
void contact_limits_settle(const struct contact_limits *limits, struct faults *faults);

bool contact_limits_any(const struct contact_limits *limits);

/* Returns how far back attempts matter. */
int64_t contact_limits_reach_us(const struct contact_limits *limits);

struct contact_attempt {
	int64_t called_at_us, ended_at_us;
	enum call_status status;
};

/* Returns the instant from which a number may be called again. `attempts` are its attempts, the latest first. While
 * a call is in progress it may become a conversation: then it returns an instant soon after now_us, to ask again. */
int64_t contact_limits_free_at(const struct contact_limits *limits, const struct contact_attempt *attempts,
                               size_t count, int64_t now_us);

/* The limit that holds the number longest, to explain why it is not called. */
struct contact_limit_hold {
	const struct contact_limit *limit; /* NULL: no limit holds it */
	int64_t attempts;                  /* within the period of the limit */
	bool rests;                        /* the rest after a conversation holds it even longer */
};
struct contact_limit_hold contact_limits_hold(const struct contact_limits *limits,
                                              const struct contact_attempt *attempts, size_t count, int64_t now_us);

#endif
