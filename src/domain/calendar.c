/* The search for the next span goes day by day. A day is judged by its number alone (a bit and a
 * binary search); the zone is asked only about days that have a window, so a year of days off
 * costs next to nothing.
 *
 * A civil day lasts from the first time the clock shows its midnight to the first time it
 * shows the next one. Days are then 23, 24 or 25 hours long, 0 where a country jumped the date
 * line; they leave no instant out. Cutting every span to its day settles all changes of the
 * clock that meet a midnight: what the rule for skipped times moved past the day's end is
 * dropped, and no instant belongs to two days. */
#include "domain/calendar.h"

#include <stdlib.h>

#include "base/clock.h"
#include "base/instant.h"
#include "domain/zone.h"

#define HORIZON_DAYS 366
#define MINUTES_PER_DAY 1440

static int64_t wall_instant(const struct calendar *c, int32_t day, int minute)
{
	return zone_wall_to_utc(c->zone, day * US_PER_DAY + minute * US_PER_MINUTE);
}

/* The day at_us belongs to, or (clocks that go back over a midnight) the one before. */
static int32_t local_day(const struct calendar *c, int64_t at_us)
{
	int32_t day = civil_day_of(zone_utc_to_wall(c->zone, at_us));
	bool midnight_skipped = at_us < wall_instant(c, day, 0); /* as in 23:30 -> 00:30 */

	return day - midnight_skipped;
}

static int compare_days(const void *a, const void *b)
{
	int32_t left = *(const int32_t *)a, right = *(const int32_t *)b;

	return (left > right) - (left < right);
}

/* May a window open on this day? */
static bool is_callable(const struct calendar *c, int32_t day)
{
	if ((c->working_days >> (civil_weekday(day) - 1) & 1) == 0)
		return false;
	return c->excluded_count == 0 ||
	       bsearch(&day, c->excluded, c->excluded_count, sizeof day, compare_days) == NULL;
}

/* Cuts the span to these minutes of its day. False: nothing is left. */
static bool cut(const struct calendar *c, int from_minute, int until_minute, struct span *span)
{
	int64_t from_us = wall_instant(c, span->day, from_minute);
	int64_t until_us = wall_instant(c, span->day, until_minute);

	if (span->from_us < from_us)
		span->from_us = from_us;
	if (span->until_us > until_us)
		span->until_us = until_us;
	return span->from_us < span->until_us;
}

/* The day's spans in order, at most two: the rest of the window that opened the day before, and the
 * window that opens today. Moved by a gap, the end of the one may pass the start of the other; then
 * the second begins where the first ends. */
static int day_spans(const struct calendar *c, int32_t day, struct span out[2])
{
	bool whole_day = c->window_start < 0, over_midnight = c->window_end < c->window_start;
	bool has_rest = over_midnight && is_callable(c, day - 1), has_own = is_callable(c, day);
	struct span today = {.day = day};
	int count = 0;

	if (!has_rest && !has_own)
		return 0;
	today.from_us = wall_instant(c, day, 0);
	today.until_us = wall_instant(c, day + 1, 0);
	if (has_rest) {
		out[count] = today;
		if (cut(c, 0, c->window_end, &out[count]))
			today.from_us = out[count++].until_us;
	}
	if (has_own) {
		out[count] = today;
		count += cut(c, whole_day ? 0 : c->window_start,
		             whole_day || over_midnight ? MINUTES_PER_DAY : c->window_end,
		             &out[count]);
	}
	return count;
}

int32_t calendar_day_at(const struct calendar *calendar, int64_t at_us, int64_t *began_us)
{
	int32_t day = local_day(calendar, at_us);

	*began_us = wall_instant(calendar, day, 0);
	return day;
}

bool calendar_span_at(const struct calendar *calendar, int64_t at_us, struct span *out)
{
	struct span spans[2];
	int32_t first_day;

	if (!zone_exists(calendar->zone))
		return false;
	first_day = local_day(calendar, at_us);
	for (int32_t day = first_day; day <= first_day + HORIZON_DAYS; day++) {
		int count = day_spans(calendar, day, spans);

		for (int i = 0; i < count; i++)
			if (spans[i].until_us > at_us) {
				*out = spans[i];
				return out->until_us <= INSTANT_NEVER;
			}
	}
	return false;
}
