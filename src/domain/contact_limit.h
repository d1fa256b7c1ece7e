/* How often an organisation calls one telephone number, whatever the campaign: at most so many attempts in
 * so many hours, and a rest after a conversation. What limits hold back is deferred, not dropped.
 * Every call is an attempt but one that was cancelled before a dialer had it. */
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
	int64_t period_hours, period_days; /* one of them is 0. Days are of 24 hours */
};

struct contact_limits {
	struct field_list list; /* of struct contact_limit */
	int64_t rest_hours;     /* after a conversation; 0: none */
};

/* An organisation, as it is configured. */
struct organization {
	int64_t id;
	struct uuid uuid;
	const char *name;
	struct contact_limits limits;
	int64_t created_at_us, updated_at_us;
};

extern const struct field_table organization_fields; /* struct organization */

/* Rules between fields, after each was read alone: adds the faults it finds. */
void contact_limits_settle(const struct contact_limits *limits, struct faults *faults);

bool contact_limits_any(const struct contact_limits *limits);

/* How far back attempts matter. */
int64_t contact_limits_reach_us(const struct contact_limits *limits);

struct contact_attempt {
	int64_t called_at_us, ended_at_us;
	enum call_status status;
};

/* From when on a number may be called again, by its attempts, the latest first. While a call to it is under
 * way that may become a conversation nobody knows: an instant soon after now_us, to ask again. */
int64_t contact_limits_free_at(const struct contact_limits *limits, const struct contact_attempt *attempts,
                               size_t count, int64_t now_us);

/* The limit that holds the number for longest, for those who ask why it is not called. */
struct contact_limit_hold {
	const struct contact_limit *limit; /* NULL: no limit holds it */
	int64_t attempts;                  /* within the period of the limit */
	bool rests;                        /* the rest after a conversation holds it for longer still */
};
struct contact_limit_hold contact_limits_hold(const struct contact_limits *limits,
                                              const struct contact_attempt *attempts, size_t count,
                                              int64_t now_us);

#endif
