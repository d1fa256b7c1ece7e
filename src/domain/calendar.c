/* The search for the next span goes day by day. A day is judged by its number alone (a bit and a binary search). The
 * zone is asked only about days that have a window, so a year without windows costs next to nothing.
 *
 * A civil day lasts from the first time the clock shows its midnight to the first time it shows the next midnight. So a
 * day has 23, 24 or 25 hours, or 0 where a country jumped over the date line, and no instant is left out. Every span is
 * cut to its day. That settles every change of the clock at a midnight: a time that the rule for skipped times moved
 * past the end of the day is dropped, and no instant belongs to two days. */
#include "domain/calendar.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/instant.h"
#include "base/least.h"
#include "base/zone.h"

#define HORIZON_DAYS 366
#define MAX_SPANS_COUNTED 1000
#define MINUTES_PER_DAY 1440

/* The windows of several zones are compared over this many days at a time. */
#define STRETCH_DAYS 32
#define STRETCH_SPANS 128

/* Minutes of one civil day. */
struct piece {
	int from, until;
};

#define MAX_PIECES (2 * CALENDAR_MAX_WINDOWS) /* the rest of yesterday's windows and today's */

static int64_t wall_instant(const char *zone, int32_t day, int minute)
{
	return zone_wall_to_utc(zone, day * US_PER_DAY + minute * US_PER_MINUTE);
}

/* Returns the day that at_us belongs to, or the day before it where clocks go back over a midnight. */
static int32_t local_day(const char *zone, int64_t at_us)
{
	int32_t day = civil_day_of(zone_utc_to_wall(zone, at_us));
	bool midnight_skipped = at_us < wall_instant(zone, day, 0); /* as in 23:30 -> 00:30 */

	return day - midnight_skipped;
}

bool calendar_excludes(const struct calendar *c, int32_t day)
{
	return c->excluded_count != 0 &&
	       bsearch(&day, c->excluded, c->excluded_count, sizeof day, civil_day_compare) != NULL;
}

static bool opens_on(const struct calendar *c, const struct calling_window *window, int32_t day)
{
	return ((window->days & c->daily.days) >> (civil_weekday(day) - 1) & 1) != 0;
}

/* Inserts a piece into the list, which is in ascending order. */
static int add_piece(struct piece *pieces, int count, int from, int until)
{
	int at = count;

	if (from >= until)
		return count;
	for (; at > 0 && pieces[at - 1].from > from; at--)
		pieces[at] = pieces[at - 1];
	pieces[at] = (struct piece){ from, until };
	return count + 1;
}

/* Joins pieces that overlap or touch. */
static int merge_pieces(struct piece *pieces, int count)
{
	int kept = 0;

	for (int i = 0; i < count; i++) {
		if (kept == 0 || pieces[i].from > pieces[kept - 1].until)
			pieces[kept++] = pieces[i];
		else if (pieces[i].until > pieces[kept - 1].until)
			pieces[kept - 1].until = pieces[i].until;
	}
	return kept;
}

/* Lists the parts of this day that windows cover, in order: the rest of windows that opened the day before and end
 * after midnight, and the windows that open today. */
static int day_pieces(const struct calendar *c, int32_t day, struct piece pieces[MAX_PIECES])
{
	const struct calling_window *windows = c->window_count != 0 ? c->windows : &c->daily;
	size_t window_count = c->window_count != 0 ? c->window_count : 1;
	bool yesterday = !calendar_excludes(c, day - 1), today = !calendar_excludes(c, day);
	int count = 0;

	for (size_t i = 0; i < window_count; i++) {
		const struct calling_window *w = &windows[i];
		bool over_midnight = w->end < w->start;

		if (over_midnight && yesterday && opens_on(c, w, day - 1))
			count = add_piece(pieces, count, 0, w->end);
		if (today && opens_on(c, w, day))
			count = add_piece(pieces, count, w->start, over_midnight ? MINUTES_PER_DAY : w->end);
	}
	return merge_pieces(pieces, count);
}

/* Cuts the span, in which the clocks do not change, to the times of the piece. Returns false if nothing is left. The
 * edges of the day are settled already: what belongs to the day belongs to it whatever date the clock shows. */
static bool cut_to_readings(const char *zone, const struct piece *piece, struct span *span)
{
	int64_t midnight_us;

	if (span->from_us >= span->until_us)
		return false;
	midnight_us = span->day * US_PER_DAY - (zone_utc_to_wall(zone, span->from_us) - span->from_us);
	if (piece->from > 0)
		span->from_us = max_of(span->from_us, midnight_us + piece->from * US_PER_MINUTE);
	if (piece->until < MINUTES_PER_DAY)
		span->until_us = min_of(span->until_us, midnight_us + piece->until * US_PER_MINUTE);
	return span->from_us < span->until_us;
}

/* Finds the first span of the piece that ends after at_us. Where the clocks change in the piece there may be two spans;
 * between them, the clock shows times before the start of the piece again. */
static bool piece_span(const char *zone, int32_t day, const struct piece *piece, int64_t at_us, struct span *out)
{
	int64_t from_us = max_of(wall_instant(zone, day, piece->from), wall_instant(zone, day, 0));
	int64_t until_us = min_of(wall_instant(zone, day, piece->until), wall_instant(zone, day + 1, 0));
	int64_t change_us = zone_next_change(zone, from_us, until_us);
	struct span before = { from_us, change_us, day }, after = { change_us, until_us, day };
	bool has_before = cut_to_readings(zone, piece, &before), has_after = cut_to_readings(zone, piece, &after);

	if (has_before && has_after && before.until_us == after.from_us) {
		before.until_us = after.until_us;
		has_after = false;
	}
	*out = has_before && before.until_us > at_us ? before : after;
	return (has_before || has_after) && out->until_us > at_us;
}

/* Finds the first span that ends after at_us, with the windows read in one zone. */
static bool zone_span(const struct calendar *c, const char *zone, int64_t at_us, struct span *out)
{
	struct piece pieces[MAX_PIECES];
	int32_t first_day = local_day(zone, at_us);

	for (int32_t day = first_day; day <= first_day + HORIZON_DAYS; day++) {
		int count = day_pieces(c, day, pieces);

		for (int i = 0; i < count; i++)
			if (piece_span(zone, day, &pieces[i], at_us, out))
				return out->until_us <= INSTANT_NEVER;
	}
	return false;
}

/* Reads the next name. Returns false if there is none. A name that is too long is cut, so that no zone has it. */
static bool next_zone(const char **names, char zone[ZONE_NAME_SIZE])
{
	size_t len = strcspn(*names, " "), kept = len < ZONE_NAME_SIZE ? len : ZONE_NAME_SIZE - 1;

	if (len == 0)
		return false;
	memcpy(zone, *names, kept);
	zone[kept] = '\0';
	*names += len + ((*names)[len] == ' ');
	return true;
}

/* A stretch of time, and the spans that all zones so far have in common within it, in order. */
struct stretch {
	int64_t from_us, until_us;
	struct span spans[STRETCH_SPANS];
	int count;
};

/* Adds a span. If there is no room, the stretch ends before it. */
static bool list_span(struct stretch *stretch, struct span span)
{
	if (stretch->count == STRETCH_SPANS)
		stretch->until_us = span.from_us;
	else
		stretch->spans[stretch->count++] = span;
	return span.from_us < stretch->until_us;
}

/* Lists the spans of a zone that begin before the stretch ends. */
static void list_zone(const struct calendar *c, const char *zone, struct stretch *stretch)
{
	struct span span = { .until_us = stretch->from_us };

	while (zone_span(c, zone, span.until_us, &span) && span.from_us < stretch->until_us && list_span(stretch, span))
		;
}

/* Leaves the parts that both stretches have in common. */
static void intersect(const struct stretch *a, const struct stretch *b, struct stretch *out)
{
	for (int i = 0, j = 0; i < a->count && j < b->count;) {
		struct span both = {
			.from_us = max_of(a->spans[i].from_us, b->spans[j].from_us),
			.until_us = min_of(a->spans[i].until_us, b->spans[j].until_us),
		};

		if (both.from_us < both.until_us && !list_span(out, both))
			return;
		if (a->spans[i].until_us < b->spans[j].until_us)
			i++;
		else
			j++;
	}
}

/* Works zone by zone, because changing the zone is expensive, and over some weeks at once. Often the first few zones
 * already show that a number, which may be anywhere on a continent, can never be called. */
static void list_common(const struct calendar *c, struct stretch *common)
{
	const char *names = c->zones;
	char zone[ZONE_NAME_SIZE];

	for (bool first = true; next_zone(&names, zone) && (first || common->count != 0); first = false) {
		struct stretch own = { .from_us = common->from_us, .until_us = common->until_us };
		struct stretch before = *common;

		list_zone(c, zone, &own);
		*common = own;
		if (first)
			continue;
		common->count = 0;
		intersect(&before, &own, common);
	}
}

static bool common_span(const struct calendar *c, int64_t at_us, struct span *out)
{
	int64_t horizon_us = at_us + HORIZON_DAYS * US_PER_DAY;
	struct stretch common = { .until_us = at_us };

	while (common.until_us <= horizon_us) {
		common = (struct stretch){ .from_us = common.until_us,
			                       .until_us = common.until_us + STRETCH_DAYS * US_PER_DAY };
		list_common(c, &common);
		if (common.count != 0 && common.spans[0].from_us < common.until_us) {
			*out = common.spans[0];
			return out->from_us <= horizon_us;
		}
	}
	return false;
}

int32_t calendar_day_at(const struct calendar *calendar, int64_t at_us, int64_t *began_us)
{
	int32_t day = local_day(calendar->zone, at_us);

	*began_us = wall_instant(calendar->zone, day, 0);
	return day;
}

const char *calendar_trouble(const struct calendar *calendar, char zone[ZONE_NAME_SIZE])
{
	const char *names = calendar->zones != NULL ? calendar->zones : "";
	const char *trouble = zone_trouble(calendar->zone);

	snprintf(zone, ZONE_NAME_SIZE, "%s", calendar->zone);
	while (trouble == NULL && next_zone(&names, zone))
		trouble = zone_trouble(zone);
	return trouble;
}

enum calendar_answer calendar_find_span(const struct calendar *calendar, int64_t at_us, struct span *out)
{
	const char *zone = calendar->zone;
	char unreadable[ZONE_NAME_SIZE];

	if (calendar_trouble(calendar, unreadable) != NULL)
		return CALENDAR_UNREADABLE;
	if (calendar->zones == NULL)
		return zone_span(calendar, zone, at_us, out) ? CALENDAR_SPAN : CALENDAR_NEVER;
	if (!common_span(calendar, at_us, out))
		return CALENDAR_NEVER;
	out->day = local_day(zone, max_of(at_us, out->from_us));
	out->from_us = max_of(out->from_us, wall_instant(zone, out->day, 0));
	out->until_us = min_of(out->until_us, wall_instant(zone, out->day + 1, 0));
	return CALENDAR_SPAN;
}

enum calendar_answer calendar_find_span_with_rest(const struct calendar *calendar, int64_t at_us, int64_t rest_us,
                                                  struct span *out)
{
	enum calendar_answer answer = calendar_find_span(calendar, at_us, out);
	int64_t wanted_us = at_us + rest_us;

	if (answer != CALENDAR_SPAN || at_us < out->from_us || calendar_open_until(calendar, *out, wanted_us) == wanted_us)
		return answer;
	return calendar_find_span(calendar, out->until_us, out);
}

int64_t calendar_after(const struct calendar *calendar, int64_t from_us, int64_t duration_us)
{
	struct span span;

	for (int spans = 0; spans < MAX_SPANS_COUNTED; spans++) {
		int64_t began_us;

		if (calendar_find_span(calendar, from_us, &span) != CALENDAR_SPAN)
			return INSTANT_NEVER;
		began_us = max_of(from_us, span.from_us);
		if (span.until_us - began_us >= duration_us)
			return began_us + duration_us;
		duration_us -= span.until_us - began_us;
		from_us = span.until_us;
	}
	return from_us; /* the windows last only minutes: a search over years is enough */
}

int64_t calendar_open_until(const struct calendar *calendar, struct span span, int64_t at_most_us)
{
	struct span next;

	while (span.until_us < at_most_us && calendar_find_span(calendar, span.until_us, &next) == CALENDAR_SPAN &&
	       next.from_us <= span.until_us)
		span = next;
	return min_of(span.until_us, at_most_us);
}
