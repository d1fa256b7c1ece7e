/* When each of a campaign's contacts is to be called: a few segments, not a list of instants.
 *
 * A segment is `count` contacts, the first at first_us, each one gap_us after the one before, all
 * in one span of the calendar. Over all segments of a campaign the instants ascend strictly (so are
 * unique), are whole milliseconds, and no local civil day gets more than max_per_day of them.
 *
 * The cursor is all that planning has to remember. Planning n contacts and then, from where the
 * cursor was left, m more gives the very instants of planning n + m at once. */
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
	int64_t next_us; /* the next contact not before this */
	int32_t day;     /* a local civil day … */
	int day_calls;   /* … and the calls already planned or made on it; other days have none */
};

struct plan_segment {
	int64_t first_us, gap_us;
	int count;
	int group; /* whose contacts, where there are groups */
};

/* Plans `count` contacts and moves the cursor behind them. Returns the number of segments and sets
 * *planned. When fewer are planned than asked, `out` is full (call again) or, if 0 is returned, no
 * day within the next 366 can take a call, or the zone cannot be read. max_segments > 0. */
int plan_segments(const struct plan_rules *rules, struct plan_cursor *cursor, int count,
                  struct plan_segment *out, int max_segments, int *planned);

/* Contacts that may be called at other times than others of their campaign. */
struct plan_group {
	struct calendar calendar; /* civil days are those of the campaign's zone */
	int64_t left;             /* contacts to be planned; planning takes from it */
	enum calendar_answer answer; /* whether some day can take a call, as far as planning has looked */
	struct span span;         /* made by planning, {0}: where it has come to */
	int64_t closes_us;        /* made by planning: when the windows of the span close, or a day behind it */
};

/* The same for all groups at once, by the rules but for their calendar: the campaign's instants are one row
 * without repeats, under one cap and at one pace. When several groups may be called, the one whose windows
 * close first is. A group is left out when no day within the next 366 can take it, or when one of its zones cannot be
 * read: see its answer, which is CALENDAR_SPAN at first. */
int plan_group_segments(const struct plan_rules *rules, struct plan_group *groups, int group_count,
                        struct plan_cursor *cursor, int count, struct plan_segment *out, int max_segments,
                        int *planned);

/* The same, added up by local civil day. When fewer are planned than asked, `out` is full, or no further day
 * can take a call (see the groups' answers). */
struct plan_day {
	int32_t day;
	int contacts;
	int64_t first_us, last_us;
};
int plan_days(const struct plan_rules *rules, struct plan_group *groups, int group_count,
              struct plan_cursor *cursor, int count, struct plan_day *out, int max_days, int *planned);

/* Where a contact is that waits for this instant and was not planned, a retry or one that was deferred: soon
 * after it, and between milliseconds, where nothing planned is. Positions keep apart all that wait for the same
 * instant, even a hundred thousand when the window opens. Those that wait for unlike instants may meet. */
int64_t plan_between_ms(int64_t us, int64_t position);

/* By how much a contact is moved on that met another, at the n-th time: whole milliseconds by chance, from a range that
 * doubles and begins with a second, which a million contacts of one instant fill. 0 at the first time. */
int64_t plan_shift_us(int run, uint32_t dice);

#endif
