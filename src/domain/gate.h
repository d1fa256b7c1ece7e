/* The rules that can hold calls back: those of a whole campaign, and those of one of its contacts. Each is one
 * row of one table: its name, how many calls it lets through now, and from when on it will let some
 * through. All are pure. */
#ifndef DOMAIN_GATE_H
#define DOMAIN_GATE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/instant.h"
#include "domain/batch.h"
#include "domain/calendar.h"
#include "domain/pace.h"

/* What the gates judge by: read under the campaign's lock. */
struct gate_facts {
	int64_t now_us;
	enum batch_status status;
	int64_t start_at_us;   /* its scheduled_at, or INSTANT_NONE */
	bool has_number;       /* at least one number to call from is left */
	bool has_dialer;       /* its agent still has an endpoint that takes calls */
	int64_t dialer_opens_at_us; /* its circuit is open until then; INSTANT_NONE: it is in good health */
	bool agent_waits;      /* its dialer has not taken agent.sync: it will, or it has refused it */
	int64_t dialer_room;   /* webhooks that may yet be sent there from here */
	struct calendar calendar;
	enum calendar_answer answer; /* whether it has a span */
	struct span span;      /* the stretch of callable time that holds now_us or comes next */
	int64_t max_per_day;   /* 0: no cap */
	int32_t day;           /* a local civil day … */
	int64_t day_calls;     /* … and the attempts claimed on it; later days have none. If the clock was set back,
	                        * they count for earlier days too */
	struct pace pace;      /* of the campaign */
	int64_t numbers_room;  /* calls that the paces of its numbers let through */
	int64_t numbers_open_at_us; /* when they let one through: not after now_us if there is room */
	int64_t free_places;   /* max_concurrent_calls less the calls in progress */
	/* Of the contact that is judged: */
	int64_t due_at_us;
	bool do_not_call;
	struct calendar contact_calendar; /* the campaign's, or in the contact's own zone */
	enum calendar_answer contact_answer;
	struct span contact_span;         /* of that calendar, as `span` is of the campaign's */
	int64_t limits_open_at_us; /* the organisation's contact limits let its number be called from then on */
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
	GATE_DUE, /* from here on of one contact */
	GATE_DO_NOT_CALL,
	GATE_CONTACT_TIME_ZONE,
	GATE_CONTACT_WINDOW,
	GATE_CONTACT_LIMITS,
	GATE__MAX
};

struct gate_verdict {
	int64_t room;         /* calls that may be placed now; 0: held */
	enum gate held_by;    /* the first gate that is closed, when held */
	int64_t opens_at_us;  /* when those closed gates that wait for an instant will have opened */
	bool waits_for_event; /* a closed gate waits for something else: a place, a resume, … */
};

const char *gate_name(enum gate gate);
/* Attempts that count for the day of the span. */
int64_t gate_day_calls(const struct gate_facts *facts);

int64_t gate_room(enum gate gate, const struct gate_facts *facts);
int64_t gate_opens_at(enum gate gate, const struct gate_facts *facts); /* INSTANT_NEVER: waits for an event */

/* By the gates of the whole campaign; by those of one contact. */
struct gate_verdict gates_judge(const struct gate_facts *facts);
struct gate_verdict gates_judge_contact(const struct gate_facts *facts);

/* What keeps the next call of a campaign from going out now. Names are stored, not numbers. */
struct gate_hold {
	const char *gate; /* "": nothing does, or no contact waits */
	int64_t until_us; /* INSTANT_NEVER: no instant ends it */
};
#define GATE_NO_HOLD ((struct gate_hold){ "", INSTANT_NEVER })

/* By the gates of the campaign, and by when its next contact is due (INSTANT_NEVER: no contact waits). */
struct gate_hold gates_hold(const struct gate_facts *facts, int64_t next_due_us);

/* The first instant, not before now_us, at which all gates let the contact through. INSTANT_NEVER: that takes
 * more than time, see *waits_for: a gate that waits for an event, or the window if no day can take a call. */
int64_t gates_next_at(const struct gate_facts *facts, enum gate *waits_for);

#endif
