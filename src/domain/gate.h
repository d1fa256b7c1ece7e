/* The rules that can hold calls back, for a whole campaign and for one of its contacts. Each is one row of a table: its
 * name, how many calls it lets through now, when it opens, and what replies to "why" say of it. All are pure functions.
 */
#ifndef DOMAIN_GATE_H
#define DOMAIN_GATE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/instant.h"
#include "base/json.h"
#include "base/uuid.h"
#include "domain/batch.h"
#include "domain/calendar.h"
#include "domain/contact_limit.h"
#include "domain/pace.h"

/* The facts that the gates use, read under the campaign's lock. */
struct gate_facts {
	int64_t now_us;
	enum batch_status status;
	int64_t start_at_us;        /* its scheduled_at, or INSTANT_NONE */
	bool has_number;            /* at least one number to call from exists */
	bool has_dialer;            /* its agent has an endpoint that is not switched off */
	int64_t dialer_opens_at_us; /* when its circuit becomes half open; INSTANT_NONE: the circuit is closed */
	bool agent_waits;           /* its dialer has not accepted agent.sync yet, or has refused it */
	bool waits_for_fetch;       /* its dialer fetches its calls, and this is no fetch */
	int64_t dialer_room;        /* how many webhooks this process may still send there */
	struct calendar calendar;
	enum calendar_answer answer; /* whether there is a span */
	struct span span;            /* the stretch of callable time that contains now_us or comes next */
	int64_t max_per_day;         /* 0: no cap */
	int32_t day;                 /* a local civil day … */
	/* … and the attempts claimed on it; later days have none. If the clock was set back, they count for earlier
	 * days too */
	int64_t day_calls;
	struct pace pace;           /* of the campaign */
	int64_t numbers_room;       /* calls that the paces of its numbers allow now */
	int64_t numbers_open_at_us; /* when they allow the next call: not after now_us if they allow some now */
	int64_t free_places;        /* max_concurrent_calls less the calls in progress */
	/* Of the contact that is judged: */
	int64_t due_at_us;
	bool do_not_call;
	struct calendar contact_calendar; /* the campaign's calendar, or that of the contact's zone */
	enum calendar_answer contact_answer;
	struct span contact_span;  /* like `span`, in contact_calendar */
	int64_t limits_open_at_us; /* when the organisation's contact limits allow a call to its number */
};

/* Facts that do not decide, but explain. Zeros: nothing is known. */
struct gate_details {
	int64_t places, in_progress;
	int64_t dialer_places;     /* calls at once for a dialer that asked to slow down; 0: it did not ask */
	int64_t oldest_call_at_us; /* of the first of the calls in progress; INSTANT_NONE: there is none */
	struct uuid webhook_id;    /* of the dialer */
	int64_t failing_since_us;
	const char *dialer_error; /* the latest error; "": none */
	const char *next_number;  /* of the numbers with a pace, the next that may call; NULL: none has a pace */
	int64_t next_number_at_us;
	/* Of the contact that is judged: */
	struct contact_limit_hold limit;
	int64_t rest_hours;             /* the rest after a conversation; 0: none is configured */
	const char *do_not_call_reason; /* "" */
	int64_t not_before_us; /* the delay of a retry, or the instant of a callback; INSTANT_NONE: its first call */
	bool is_callback;
	int64_t do_not_call_since_us; /* INSTANT_NONE: its number is not on the list */
};

enum gate {
	GATE_STATE,
	GATE_START,
	GATE_NUMBER,
	GATE_DIALER,
	GATE_TIME_ZONE,
	GATE_WINDOW,
	GATE_DAILY_CAP,
	GATE_PACING,
	GATE_NUMBER_PACING,
	GATE_PLACES,
	GATE_AGENT,
	GATE_DIALER_HEALTH,
	GATE_DIALER_ROOM,
	GATE_DIALER_FETCH,
	GATE_DUE, /* from here on: gates of one contact */
	GATE_DO_NOT_CALL,
	GATE_CONTACT_TIME_ZONE,
	GATE_CONTACT_WINDOW,
	GATE_CONTACT_LIMITS,
	GATE__MAX
};

struct gate_verdict {
	int64_t room;         /* calls that may be placed now; 0: held */
	enum gate held_by;    /* the first gate that is closed, when held */
	int64_t opens_at_us;  /* when the closed gates that wait for an instant will have opened */
	bool waits_for_event; /* a closed gate waits for something else: a free place, a resume, … */
};

const char *gate_name(enum gate gate);
/* Returns the attempts that count for the day of the span. */
int64_t gate_day_calls(const struct gate_facts *facts);

int64_t gate_room(enum gate gate, const struct gate_facts *facts);
int64_t gate_opens_at(enum gate gate, const struct gate_facts *facts); /* INSTANT_NEVER: waits for an event */

/* Writes what a gate judges by as an object, for replies to "why". */
void gate_write_facts(struct json *json, const char *key, enum gate gate, const struct gate_facts *facts,
                      const struct gate_details *details);

/* Judges by the gates of the whole campaign, and by the gates of one contact. */
struct gate_verdict gates_judge(const struct gate_facts *facts);
struct gate_verdict gates_judge_contact(const struct gate_facts *facts);

/* The gate that holds the next call of a campaign. Names are stored, not numbers. */
struct gate_hold {
	const char *gate; /* "": nothing does, or no contact waits */
	int64_t until_us; /* INSTANT_NEVER: it does not end at a known instant */
};
#define GATE_NO_HOLD ((struct gate_hold){ "", INSTANT_NEVER })

/* Decides by the gates of the campaign and by when its next contact is due (INSTANT_NEVER: no contact waits). */
struct gate_hold gates_hold(const struct gate_facts *facts, int64_t next_due_us);

/* Returns the first instant, not before now_us, at which all gates let the contact through. INSTANT_NEVER: time alone
 * does not open them. Then *waits_for is a gate that waits for an event, or the window if no day can take a call. */
int64_t gates_next_at(const struct gate_facts *facts, enum gate *waits_for);

#endif
