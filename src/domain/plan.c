/* One turn of the loop plans as many contacts of one group as the span at the cursor takes: the smallest of what is
 * left, what the cap of the day allows, and what fits at this pace. That costs one question to the calendar and one
 * division, for one contact as for a million.
 *
 * Turns share nothing but the cursor, and the cursor is the same whether contacts were planned in one turn or in
 * several. So a plan may be interrupted anywhere. The pace goes on from one span to the next, also over midnight,
 * because each contact moves the cursor one gap on. */
#include "domain/plan.h"

#include <assert.h>

#include "base/instant.h"
#include "base/least.h"

/* Returns the first instant, not before next_us, at which a contact of the group can be called. INSTANT_NEVER: there
 * is no such instant, or no contact is left. */
static int64_t first_instant(struct plan_group *group, int64_t next_us)
{
	if (group->left <= 0 || group->answer != CALENDAR_SPAN)
		return INSTANT_NEVER;
	if (group->span.until_us <= next_us) {
		group->answer = calendar_find_span(&group->calendar, next_us, &group->span);
		if (group->answer != CALENDAR_SPAN)
			return INSTANT_NEVER;
		group->closes_us = calendar_open_until(&group->calendar, group->span, group->span.until_us + US_PER_DAY);
	}
	return next_us > group->span.from_us ? next_us : group->span.from_us;
}

/* Returns the group that is planned next: the group that can be called first, and of several such groups the group
 * whose windows close first. -1: there is none. */
static int choose_group(struct plan_group *groups, int group_count, int64_t next_us)
{
	int64_t first_us = INSTANT_NEVER;
	int chosen = -1;

	for (int i = 0; i < group_count; i++) {
		int64_t at_us = first_instant(&groups[i], next_us);

		if (at_us < first_us || (at_us == first_us && chosen >= 0 && groups[i].closes_us < groups[chosen].closes_us)) {
			first_us = at_us;
			chosen = i;
		}
	}
	return chosen;
}

/* Returns the instant until which the chosen group is planned: the end of its span, or the start of a later span of a
 * group whose windows close no later. */
static int64_t turn_ends(const struct plan_group *groups, int group_count, int chosen, int64_t next_us)
{
	int64_t until_us = groups[chosen].span.until_us;

	for (int i = 0; i < group_count; i++)
		if (groups[i].left > 0 && groups[i].answer == CALENDAR_SPAN && groups[i].span.from_us > next_us &&
		    groups[i].closes_us <= groups[chosen].closes_us)
			until_us = min_of(until_us, groups[i].span.from_us);
	return until_us;
}

/* Moves the cursor to the next instant at which a contact can be called. Returns the group of this contact, or -1. */
static int enter_span(const struct plan_rules *rules, struct plan_group *groups, int group_count,
                      struct plan_cursor *cursor)
{
	int chosen;

	cursor->next_us = instant_ceil_ms(cursor->next_us);
	while ((chosen = choose_group(groups, group_count, cursor->next_us)) >= 0) {
		const struct span *span = &groups[chosen].span;

		if (cursor->day != span->day) {
			cursor->day = span->day;
			cursor->day_calls = 0;
		}
		if (cursor->next_us < span->from_us)
			cursor->next_us = span->from_us;
		if (rules->max_per_day == 0 || cursor->day_calls < rules->max_per_day)
			return chosen;
		cursor->next_us = span->until_us;
	}
	return -1;
}

static struct plan_segment fill_span(const struct plan_rules *rules, struct plan_cursor *cursor, int64_t until_us,
                                     int64_t left)
{
	struct plan_segment segment = { .first_us = cursor->next_us, .gap_us = rules->gap_us };
	int64_t count = (until_us - 1 - cursor->next_us) / rules->gap_us + 1;

	count = min_of(count, left);
	if (rules->max_per_day > 0)
		count = min_of(count, rules->max_per_day - cursor->day_calls);
	segment.count = (int)count;
	cursor->next_us += count * rules->gap_us;
	cursor->day_calls += segment.count;
	return segment;
}

int plan_group_segments(const struct plan_rules *rules, struct plan_group *groups, int group_count,
                        struct plan_cursor *cursor, int count, struct plan_segment *out, int max_segments, int *planned)
{
	int segments = 0, chosen;

	assert(rules->gap_us > 0 && rules->gap_us % US_PER_MS == 0 && max_segments > 0);
	*planned = 0;
	while (*planned < count && segments < max_segments &&
	       (chosen = enter_span(rules, groups, group_count, cursor)) >= 0) {
		int64_t until_us = turn_ends(groups, group_count, chosen, cursor->next_us);

		out[segments] = fill_span(rules, cursor, until_us, min_of(groups[chosen].left, count - *planned));
		out[segments].group = chosen;
		groups[chosen].left -= out[segments].count;
		*planned += out[segments++].count;
	}
	return segments;
}

int plan_segments(const struct plan_rules *rules, struct plan_cursor *cursor, int count, struct plan_segment *out,
                  int max_segments, int *planned)
{
	struct plan_group all = { .calendar = rules->calendar, .left = count };

	return plan_group_segments(rules, &all, 1, cursor, count, out, max_segments, planned);
}

int64_t plan_between_ms(int64_t us, int64_t position)
{
	return instant_ceil_ms(us) + position / PLAN_SPREAD * US_PER_MS + 1 + position % PLAN_SPREAD;
}

int64_t plan_shift_us(int run, uint32_t random_bits)
{
	return run == 0 ? 0 : (1 + random_bits % (UINT32_C(1009) << (run - 1))) * US_PER_MS;
}

int plan_days(const struct plan_rules *rules, struct plan_group *groups, int group_count, struct plan_cursor *cursor,
              int count, struct plan_day *out, int max_days, int *planned)
{
	struct plan_segment segment;
	struct plan_day *last = NULL;
	int made;

	for (*planned = 0; *planned < count; *planned += made) {
		struct plan_cursor next = *cursor;

		if (plan_group_segments(rules, groups, group_count, &next, count - *planned, &segment, 1, &made) == 0)
			break;
		if (last == NULL || last->day != next.day) {
			if (last == &out[max_days - 1]) {
				groups[segment.group].left += made;
				break;
			}
			last = last == NULL ? out : last + 1;
			*last = (struct plan_day){ .day = next.day, .first_us = segment.first_us };
		}
		last->contacts += made;
		last->last_us = segment.first_us + (made - 1) * segment.gap_us;
		*cursor = next;
	}
	return last == NULL ? 0 : (int)(last - out) + 1;
}
