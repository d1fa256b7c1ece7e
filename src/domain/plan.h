/* When each contact of a campaign is called, as a few segments instead of a list of instants.
 *
 * A segment is `count` contacts: the first at first_us, each next contact gap_us later, all in one span of the
 * calendar. Over all segments of a campaign the instants strictly ascend (so they are unique), are whole milliseconds,
 * and no local civil day gets more than max_per_day of them.
 *
 * The cursor is all the state of planning. Planning n contacts and then m more gives the same instants as planning n +
 * m at once. */
#ifndef DOMAIN_PLAN_H
#define DOMAIN_PLAN_H

#include <stdint.h>

#include "base/clock.h"
#include "domain/calendar.h"

struct plan_rules {
	struct calendar calendar;
	int max_per_day; /* 0: no cap */
	int64_t gap_us;  /* between one contact and the next; > 0, whole milliseconds */
};

struct plan_cursor {
	int64_t next_us; /* the next contact is not planned before this */
	int32_t day;     /* a local civil day … */
	int day_calls;   /* … and the calls already planned or made on it; other days have none */
};

struct plan_segment {
	int64_t first_us, gap_us;
	int count;
	int group; /* the group of the contacts, where there are groups */
};

/* Plans `count` contacts and moves the cursor to after them. Returns the number of segments, and sets *planned. If
 * fewer were planned than asked, `out` is full (call again). If it returns 0, no day within the next 366 can take a
 * call, or the zone cannot be read. max_segments > 0. */
int plan_segments(const struct plan_rules *rules, struct plan_cursor *cursor, int count, struct plan_segment *out,
                  int max_segments, int *planned);

/* Contacts that may be called at other times than the others of their campaign. */
struct plan_group {
	struct calendar calendar;    /* civil days are those of the campaign's zone */
	int64_t left;                /* contacts that are not planned yet; planning reduces it */
	enum calendar_answer answer; /* whether some day can take a call, as far as planning has searched */
	struct span span;            /* set by planning, {0} at first: the present span */
	int64_t closes_us;           /* set by planning: when the windows of the span close, or a day after it */
};

/* Plans all groups at once, by the same rules but with the calendar of each group. The instants of the campaign are one
 * sequence without repeats, under one cap and at one pace. If several groups may be called, the group whose windows
 * close first is called. A group is left out if no day within the next 366 can take it, or if one of its zones cannot
 * be read: see its answer, which is CALENDAR_SPAN at first. */
int plan_group_segments(const struct plan_rules *rules, struct plan_group *groups, int group_count,
                        struct plan_cursor *cursor, int count, struct plan_segment *out, int max_segments,
                        int *planned);

/* Plans in the same way, but adds up the contacts by local civil day. If fewer were planned than asked, `out` is full,
 * or no later day can take a call (see the groups' answers). */
struct plan_day {
	int32_t day;
	int contacts;
	int64_t first_us, last_us;
};
int plan_days(const struct plan_rules *rules, struct plan_group *groups, int group_count, struct plan_cursor *cursor,
              int count, struct plan_day *out, int max_days, int *planned);

/* Returns the instant of a contact that waits for this instant without being planned (a retry, or a contact that was
 * postponed): soon after it, and between milliseconds, where no planned contact is. The position separates the contacts
 * that wait for the same instant, even if a hundred thousand wait for a window to open. Contacts that wait for
 * different instants may still get the same one. */
#define PLAN_SPREAD 999 /* instants within a millisecond */
int64_t plan_between_ms(int64_t us, int64_t position);

/* Returns how far to move a contact whose instant another contact has already, at the n-th attempt: a random number of
 * whole milliseconds, from a range that doubles and begins with a second, which holds a million contacts. 0 at the
 * first attempt. */
int64_t plan_shift_us(int run, uint32_t random_bits);

#endif
