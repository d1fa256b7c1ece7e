/* Prints what happens in a simulation, with the time in the campaign's zone, and a line for each day with calls. */
#ifndef SCHEDULER_TIMELINE_H
#define SCHEDULER_TIMELINE_H

#include "domain/batch.h"

struct timeline {
	const char *timezone;
	bool shows_calls;
	int32_t day;               /* the day that is being counted; 0: none yet */
	int64_t first_us, last_us; /* when the first and the last call of the day began */
	int64_t calls, ended[CALL_STATUS__MAX];
	int64_t all_calls, days;
};

struct timeline_call {
	const char *to, *from;
	int64_t attempt, began_us, ended_us;
	enum call_status status;
	bool is_callback;
};

void timeline_say(struct timeline *timeline, int64_t at_us, const char *format, ...)
	__attribute__((format(printf, 3, 4)));
void timeline_call_began(struct timeline *timeline, int64_t at_us);
void timeline_call_ended(struct timeline *timeline, const struct timeline_call *call);
void timeline_end(struct timeline *timeline, const struct batch *batch);

#endif
