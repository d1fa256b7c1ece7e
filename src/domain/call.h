/* The states of a call, which report may follow which, and when an ended attempt is tried again. The
 * numbers are stored (calls.status; batch_calls.retry_on is a bit set of outcomes). */
#ifndef DOMAIN_CALL_H
#define DOMAIN_CALL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/clock.h"
#include "base/instant.h"
#include "base/uuid.h"

enum call_status {
	CALL_QUEUED,     /* claimed; the dialer has not accepted it yet */
	CALL_DISPATCHED, /* the dialer accepted it */
	CALL_RINGING,
	CALL_IN_PROGRESS,
	CALL_COMPLETED, /* from here on: ended */
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

/* Returns whether the call waits in its campaign's plan to be sent to the dialer again, because no dialer answered in
 * time. */
bool call_waits(enum call_status status, int64_t batch_id, int64_t expires_at_us);

/* Returns whether a report may move the call to this status. A call only moves forward, and the first ending wins. */
bool call_may_become(enum call_status from, enum call_status to);

/* Returns whether the call begins with this report: its dialer says for the first time that it places it, whether the
 * phone rings or is answered already. A call that ends at once never began. */
bool call_begins(enum call_status from, enum call_status to);

/* The condition under which Outdial concludes a call itself. It is judged again under the lock of the call: if a report
 * has moved the call meanwhile, the conclusion is void. */
enum call_premise {
	CALL_ANY,        /* no condition: a report */
	CALL_UNACCEPTED, /* no dialer has accepted the call */
	CALL_UNASKED,    /* CALL_UNACCEPTED, and the process that concludes it has sent no request under its lease */
	CALL_EXPIRED,    /* CALL_UNACCEPTED, and it has expired */
	CALL_UNREPORTED, /* a dialer has accepted it, and its deadline has passed */
};

/* A report of a dialer about a call, or a conclusion of Outdial. */
struct call_report {
	struct uuid call_id;
	enum call_premise premise;
	/* for CALL_UNASKED and CALL_EXPIRED: how much callable time an attempt may wait for an answer */
	int64_t give_up_after_us;
	int status;                                                                  /* enum call_status */
	int64_t duration_seconds;                                                    /* -1: not reported */
	int64_t cost_ten_thousandths;                                                /* -1: not reported */
	const char *outcome, *end_reason, *recording_url, *transcript_url, *summary; /* "": not reported */
	struct when occurred_at;                                                     /* us is INSTANT_NONE: not reported */
	struct when call_back_at; /* when the person asked to be called; us is INSTANT_NONE: the person did not ask */
};

/* A campaign's settings for one outcome. They replace its settings for all outcomes. */
struct retry_rule {
	int outcome;           /* enum call_status */
	int64_t delay_minutes; /* the same every time */
	int64_t max_attempts;  /* retries after this outcome */
};
#define CALL_RETRY_RULES_MAX 4 /* one for each outcome that may be retried */
#define CALL_RETRY_RULE_ATTEMPTS 10

/* Returns when to try again, before windows are considered. */
struct retry_rules {
	bool enabled;
	int max_attempts;  /* retries, beyond the first attempt */
	unsigned outcomes; /* bit set of call_status that are tried again */
	int delay_minutes; /* doubles with every attempt; 0 is allowed */
	const struct retry_rule *rules;
	size_t rule_count;
};

/* An attempt that has ended, and the attempts before it. */
struct call_past {
	int attempts;  /* how many attempts, including this one */
	int callbacks; /* how many of them were callbacks, which are no retries */
	int same;      /* how many of them ended as this one did, including this one */
};
bool call_is_retried(const struct retry_rules *rules, const struct call_past *past, enum call_status outcome);
int64_t call_retry_delay_us(const struct retry_rules *rules, const struct call_past *past, enum call_status outcome);
/* Return how often a contact is retried at most if all its calls end alike, and the longest delay before the nth retry.
 */
int call_most_retries(const struct retry_rules *rules);
int64_t call_longest_delay_us(const struct retry_rules *rules, int nth);

/* A person is called back whether retries are left or not, but at most this often in a campaign. */
#define CALL_BACKS_MAX 5
#define CALL_BACK_LATE_US (60 * US_PER_MINUTE) /* how long after that instant a report may still ask for it */
#define CALL_BACK_AHEAD_US (90 * US_PER_DAY)

/* A call that would begin in the last moments of a window is too late: this much of the window must be left. */
#define CALL_REST_US US_PER_SECOND

/* Returns how long an attempt that no dialer answered waits before the next request, `age_us` after its first request.
 * It doubles its age each time, up to a limit, because a dialer that is back should be asked soon. */
int64_t call_wait_us(int64_t age_us);

#endif
