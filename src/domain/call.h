/* The states of a call, which report may follow which, and when an ended attempt is tried again. The
 * numbers are stored (calls.status; batch_calls.retry_on is a bit set of outcomes). */
#ifndef DOMAIN_CALL_H
#define DOMAIN_CALL_H

#include <stdbool.h>
#include <stdint.h>

#include "base/clock.h"
#include "base/instant.h"
#include "base/uuid.h"

enum call_status {
	CALL_QUEUED,      /* claimed; the dialer has not taken it yet */
	CALL_DISPATCHED,  /* the dialer took it */
	CALL_RINGING,
	CALL_IN_PROGRESS,
	CALL_COMPLETED,   /* from here on: ended */
	CALL_FAILED,
	CALL_NO_ANSWER,
	CALL_BUSY,
	CALL_VOICEMAIL,
	CALL_CANCELLED,
	CALL_STATUS__MAX
};

#define CALL_BIT(status) (1u << (status))

extern const char *const call_status_names[CALL_STATUS__MAX + 1]; /* NULL-terminated */

bool call_has_ended(enum call_status status);

/* No dialer answered it in time, and it waits in its campaign's plan, to be asked for again. */
bool call_waits(enum call_status status, int64_t batch_id, int64_t expires_at_us);

/* A call's course is one-way: a report moves it forward or is too late. The first ending wins. */
bool call_may_become(enum call_status from, enum call_status to);

/* A call begins when its dialer first says that it places it, whether it rings yet or is answered already.
 * One that ends at once never began. */
bool call_begins(enum call_status from, enum call_status to);

/* What a conclusion of our own rests on. It is judged again under the lock of the call: a report may have moved the call
 * meanwhile, and then the conclusion is void. */
enum call_premise {
	CALL_ANY,        /* a report: it rests on nothing */
	CALL_UNTAKEN,    /* no dialer has taken the call */
	CALL_UNASKED,    /* CALL_UNTAKEN, and no request left under the lease of the process that concludes it */
	CALL_EXPIRED,    /* CALL_UNTAKEN, and its time for that is over */
	CALL_UNREPORTED, /* a dialer has taken it, and its deadline has passed */
};

/* What a dialer says of a call, or what is concluded for it. */
struct call_report {
	struct uuid call_id;
	enum call_premise premise;
	int64_t give_up_after_us;      /* CALL_UNASKED, CALL_EXPIRED: callable time that an attempt may wait for an answer */
	int status;                    /* enum call_status */
	int64_t duration_seconds;      /* -1: not said */
	int64_t cost_ten_thousandths;  /* -1: not said */
	const char *outcome, *end_reason, *recording_url, *transcript_url, *summary; /* "" when not said */
	struct when occurred_at;       /* us is INSTANT_NONE: not said */
};

/* When to try again after attempt number `attempt` (from 1) of the campaign ended, before windows are
 * considered: the delay doubles with every attempt. None at all is allowed. */
struct retry_rules {
	bool enabled;
	int max_attempts;     /* retries, beyond the first attempt */
	unsigned outcomes;    /* bit set of call_status that are tried again */
	int delay_minutes;
};
bool call_is_retried(const struct retry_rules *rules, int attempt, enum call_status outcome);
int64_t call_retry_delay_us(const struct retry_rules *rules, int attempt);

/* A call that begins in the last moments of a window is too late: this much of the window must be left. */
#define CALL_REST_US US_PER_SECOND

/* How long an attempt that no dialer answered waits, `age_us` after its first request: as long again, but not for long,
 * because a dialer that is back is to be asked soon. */
int64_t call_wait_us(int64_t age_us);

#endif
