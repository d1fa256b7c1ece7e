/* One turn of the loop plans as many contacts as the span at the cursor takes: the smallest of
 * what is left, what the day's cap leaves and what fits at this pace. That is one question to
 * the calendar and one division, be it for one contact or for a million.
 *
 * Turns share nothing but the cursor, and the cursor is the same whether contacts were
 * planned in one turn or in several. That is why a plan may be interrupted anywhere. The pace
 * goes on from one span to the next, also over midnight, as a contact always puts the cursor one
 * gap behind itself. */
#include "domain/plan.h"

#include <assert.h>

#include "base/clock.h"
#include "base/instant.h"

static int64_t min_of(int64_t a, int64_t b)
{
	return a < b ? a : b;
}

/* Moves the cursor to the next instant that can take a contact, and gives the span around it. */
static bool enter_span(const struct plan_rules *rules, struct plan_cursor *cursor,
                       struct span *span)
{
	cursor->next_us = instant_ceil_ms(cursor->next_us);
	while (calendar_span_at(&rules->calendar, cursor->next_us, span)) {
		if (cursor->day != span->day) {
			cursor->day = span->day;
			cursor->day_calls = 0;
		}
		if (cursor->next_us < span->from_us)
			cursor->next_us = span->from_us;
		if (rules->max_per_day == 0 || cursor->day_calls < rules->max_per_day)
			return true;
		cursor->next_us = span->until_us;
	}
	return false;
}

static struct plan_segment fill_span(const struct plan_rules *rules, struct plan_cursor *cursor,
                                     const struct span *span, int left)
{
	struct plan_segment segment = {.first_us = cursor->next_us, .gap_us = rules->gap_us};
	int64_t count = (span->until_us - 1 - cursor->next_us) / rules->gap_us + 1;

	count = min_of(count, left);
	if (rules->max_per_day > 0)
		count = min_of(count, rules->max_per_day - cursor->day_calls);
	segment.count = (int)count;
	cursor->next_us += count * rules->gap_us;
	cursor->day_calls += segment.count;
	return segment;
}

int plan_segments(const struct plan_rules *rules, struct plan_cursor *cursor, int count,
                  struct plan_segment *out, int max_segments, int *planned)
{
	struct span span;
	int segments = 0;

	assert(rules->gap_us > 0 && rules->gap_us % US_PER_MS == 0 && max_segments > 0);
	*planned = 0;
	while (*planned < count && segments < max_segments && enter_span(rules, cursor, &span)) {
		out[segments] = fill_span(rules, cursor, &span, count - *planned);
		*planned += out[segments++].count;
	}
	return segments;
}

int plan_days(const struct plan_rules *rules, struct plan_cursor *cursor, int count, struct plan_day *out,
              int max_days, int *planned)
{
	struct plan_segment segment;
	struct plan_day *last = NULL;
	int made;

	for (*planned = 0; *planned < count; *planned += made) {
		struct plan_cursor next = *cursor;

		if (plan_segments(rules, &next, count - *planned, &segment, 1, &made) == 0)
			break;
		if (last == NULL || last->day != next.day) {
			if (last == &out[max_days - 1])
				break;
			last = last == NULL ? out : last + 1;
			*last = (struct plan_day){ .day = next.day, .first_us = segment.first_us };
		}
		last->contacts += made;
		last->last_us = segment.first_us + (made - 1) * segment.gap_us;
		*cursor = next;
	}
	return last == NULL ? 0 : (int)(last - out) + 1;
}
