/* The rules that can hold a campaign's calls back. Each is one row of one table: its name, how many
 * calls it lets through now, and from when on it will let some through. All are pure. */
#ifndef DOMAIN_GATE_H
#define DOMAIN_GATE_H

#include <stdbool.h>
#include <stdint.h>

#include "domain/batch.h"
#include "domain/calendar.h"

/* What the gates judge by: read under the campaign's lock. */
struct gate_facts {
	int64_t now_us;
	enum batch_status status;
	int64_t start_at_us;   /* its scheduled_at, or INSTANT_NONE */
	bool has_number;       /* at least one number to call from is left */
	bool has_dialer;       /* its agent still has an endpoint that takes calls */
	int64_t dialer_room;   /* webhooks that may yet be sent there from here */
	struct calendar calendar;
	struct span span;      /* the stretch of callable time that holds now_us or comes next */
	int64_t max_per_day;   /* 0: no cap */
	int64_t day_calls;     /* attempts claimed on span.day */
	int64_t pace_gap_us;   /* from one call to the next; 0: no pacing */
	int64_t pace_at_us;    /* with pacing: no call before this */
	int64_t free_places;   /* max_concurrent_calls less the calls in progress */
};

enum gate {
	GATE_STATE,
	GATE_START,
	GATE_NUMBER,
	GATE_DIALER,
	GATE_WINDOW,
	GATE_DAILY_CAP,
	GATE_PACING,
	GATE_PLACES,
	GATE_DIALER_ROOM,
	GATE__MAX
};

struct gate_verdict {
	int64_t room;         /* calls that may be placed now; 0: held */
	enum gate held_by;    /* the first gate that is closed, when held */
	int64_t opens_at_us;  /* when those closed gates that wait for an instant will have opened */
	bool waits_for_event; /* a closed gate waits for something else: a place, a resume, … */
};

const char *gate_name(enum gate gate);
/* With pacing: pace_at_us after so many calls more. */
int64_t gate_pace_after(const struct gate_facts *facts, int64_t calls);
struct gate_verdict gates_judge(const struct gate_facts *facts);

#endif
