/* Plans worked out by hand, and the promise that a plan may be cut anywhere. plan_oracle.py
 * compares thousands of random campaigns with an independent planner. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/clock.h"
#include "domain/plan.h"
#include "instants.h"

#define MONDAY_TO_FRIDAY 0x1f
#define EVERY_DAY 0x7f
#define WHOLE_DAY 0, 1440
#define LENGTH(array) (sizeof(array) / sizeof *(array))
#define MAX_SEGMENTS 32

static struct plan_rules rules_of(const char *zone, unsigned days, int start, int end, int cap, int64_t gap_us)
{
	return (struct plan_rules){
		.calendar = {
			.zone = zone, .daily = { days, start, end },
		},
		.max_per_day = cap,
		.gap_us = gap_us,
	};
}

static struct plan_cursor cursor_at(const char *next)
{
	return (struct plan_cursor){ .next_us = at(next) };
}

struct expected {
	int count;
	const char *first, *last;
};

/* `count` contacts in exactly these segments, and no more. */
static void assert_plan(const struct plan_rules *rules, struct plan_cursor *cursor, int count,
                        const struct expected *expected, int segments)
{
	struct plan_segment out[MAX_SEGMENTS];
	int planned, total = 0;
	int made = plan_segments(rules, cursor, count, out, MAX_SEGMENTS, &planned);

	assert_int_equal(made, segments);
	for (int i = 0; i < segments; i++) {
		int64_t last_us = out[i].first_us + (out[i].count - 1) * out[i].gap_us;

		assert_instant(out[i].first_us, expected[i].first);
		assert_instant(last_us, expected[i].last);
		assert_int_equal(out[i].count, expected[i].count);
		assert_true(out[i].gap_us == rules->gap_us);
		total += out[i].count;
	}
	assert_int_equal(planned, total);
}

static void contacts_follow_closely_from_the_opening(void **state)
{
	struct plan_rules r = rules_of("Europe/Berlin", MONDAY_TO_FRIDAY, 540, 1020, 0, US_PER_MS);
	struct plan_cursor cursor = cursor_at("2026-07-04T10:00Z"); /* a Saturday */
	static const struct expected monday[] = {
		{ 1000000, "2026-07-06T07:00Z", "2026-07-06T07:16:39.999Z" },
	};

	(void)state;
	assert_plan(&r, &cursor, 1000000, monday, 1);
	assert_instant(cursor.next_us, "2026-07-06T07:16:40Z");
	assert_int_equal(cursor.day, day("2026-07-06"));
	assert_int_equal(cursor.day_calls, 1000000);
}

static void inside_the_window_it_begins_at_once(void **state)
{
	struct plan_rules r = rules_of("UTC", EVERY_DAY, 540, 1020, 0, 250 * US_PER_MS);
	struct plan_cursor cursor = cursor_at("2026-07-01T10:00:00.000001Z"), last_moment;
	static const struct expected at_once[] = {
		{ 3, "2026-07-01T10:00:00.001Z", "2026-07-01T10:00:00.501Z" },
	};
	static const struct expected rounded_out_of_it[] = {
		{ 1, "2026-07-02T09:00Z", "2026-07-02T09:00Z" },
	};

	(void)state;
	assert_plan(&r, &cursor, 3, at_once, 1);
	last_moment = cursor_at("2026-07-01T16:59:59.999999Z");
	assert_plan(&r, &last_moment, 1, rounded_out_of_it, 1);
}

static void the_pace_fills_the_window_and_goes_on_next_day(void **state)
{
	struct plan_rules r = rules_of("UTC", MONDAY_TO_FRIDAY, 540, 550, 0, 3 * US_PER_MINUTE);
	struct plan_cursor cursor = cursor_at("2026-07-02T00:00Z"); /* a Thursday */
	static const struct expected days[] = {
		{ 4, "2026-07-02T09:00Z", "2026-07-02T09:09Z" },
		{ 4, "2026-07-03T09:00Z", "2026-07-03T09:09Z" },
		{ 2, "2026-07-06T09:00Z", "2026-07-06T09:03Z" },
	};

	(void)state;
	assert_plan(&r, &cursor, 10, days, 3);
}

/* A contact that would meet the window's end exactly is too late. */
static void the_end_of_the_window_is_outside(void **state)
{
	struct plan_rules r = rules_of("UTC", EVERY_DAY, 540, 600, 0, 30 * US_PER_MINUTE);
	struct plan_cursor cursor = cursor_at("2026-07-01T00:00Z");
	static const struct expected days[] = {
		{ 2, "2026-07-01T09:00Z", "2026-07-01T09:30Z" },
		{ 1, "2026-07-02T09:00Z", "2026-07-02T09:00Z" },
	};

	(void)state;
	assert_plan(&r, &cursor, 3, days, 2);
}

static void the_pace_holds_over_midnight(void **state)
{
	struct plan_rules r = rules_of("UTC", EVERY_DAY, 1380, 60, 0, 25 * US_PER_MINUTE);
	struct plan_rules capped = rules_of("UTC", EVERY_DAY, WHOLE_DAY, 1, 60 * US_PER_MINUTE);
	struct plan_cursor cursor = cursor_at("2026-07-01T12:00Z");
	struct plan_cursor late = cursor_at("2026-07-01T23:30Z");
	static const struct expected night[] = {
		{ 3, "2026-07-01T23:00Z", "2026-07-01T23:50Z" },
		{ 2, "2026-07-02T00:15Z", "2026-07-02T00:40Z" },
		{ 1, "2026-07-02T23:00Z", "2026-07-02T23:00Z" },
	};
	static const struct expected one_a_day[] = {
		{ 1, "2026-07-01T23:30Z", "2026-07-01T23:30Z" },
		{ 1, "2026-07-02T00:30Z", "2026-07-02T00:30Z" },
		{ 1, "2026-07-03T00:00Z", "2026-07-03T00:00Z" },
	};

	(void)state;
	assert_plan(&r, &cursor, 6, night, 3);
	assert_plan(&capped, &late, 3, one_a_day, 3);
}

static void a_pace_of_more_than_a_day(void **state)
{
	struct plan_rules r = rules_of("UTC", EVERY_DAY, 540, 1020, 0, 30 * 60 * US_PER_MINUTE);
	struct plan_cursor cursor = cursor_at("2026-07-01T00:00Z");
	static const struct expected days[] = {
		{ 1, "2026-07-01T09:00Z", "2026-07-01T09:00Z" },
		{ 1, "2026-07-02T15:00Z", "2026-07-02T15:00Z" },
		{ 1, "2026-07-04T09:00Z", "2026-07-04T09:00Z" }, /* 21:00 on the 3rd is too late */
	};

	(void)state;
	assert_plan(&r, &cursor, 3, days, 3);
}

static void the_cap_ends_the_day(void **state)
{
	struct plan_rules r = rules_of("UTC", MONDAY_TO_FRIDAY, 540, 1020, 3, US_PER_MINUTE);
	const int32_t excluded[] = { day("2026-07-03") };
	struct plan_cursor cursor = cursor_at("2026-07-02T00:00Z");
	static const struct expected days[] = {
		{ 3, "2026-07-02T09:00Z", "2026-07-02T09:02Z" },
		{ 3, "2026-07-06T09:00Z", "2026-07-06T09:02Z" },
		{ 1, "2026-07-07T09:00Z", "2026-07-07T09:00Z" },
	};

	(void)state;
	r.calendar.excluded = excluded;
	r.calendar.excluded_count = LENGTH(excluded);
	assert_plan(&r, &cursor, 7, days, 3);
	assert_int_equal(cursor.day_calls, 1);
}

static void calls_already_made_count(void **state)
{
	struct plan_rules r = rules_of("UTC", EVERY_DAY, 540, 1020, 5, US_PER_MINUTE);
	struct plan_cursor some = cursor_at("2026-07-01T12:00Z"), full = some, other_day = some;
	static const struct expected some_left[] = {
		{ 2, "2026-07-01T12:00Z", "2026-07-01T12:01Z" },
		{ 2, "2026-07-02T09:00Z", "2026-07-02T09:01Z" },
	};
	static const struct expected none_left[] = { { 4, "2026-07-02T09:00Z", "2026-07-02T09:03Z" } };
	static const struct expected all_left[] = { { 4, "2026-07-01T12:00Z", "2026-07-01T12:03Z" } };

	(void)state;
	some.day = full.day = day("2026-07-01");
	some.day_calls = 3;
	full.day_calls = 7; /* the cap was lowered */
	other_day.day = day("2026-06-30");
	other_day.day_calls = 5;
	assert_plan(&r, &some, 4, some_left, 2);
	assert_plan(&r, &full, 4, none_left, 1);
	assert_plan(&r, &other_day, 4, all_left, 1);
}

/* A night belongs to two days. The evening takes 4 calls of its day. The morning takes 10, and then its day is full. */
static void the_cap_counts_local_days_not_nights(void **state)
{
	struct plan_rules r = rules_of("Asia/Tokyo", EVERY_DAY, 1320, 360, 10, 30 * US_PER_MINUTE);
	struct plan_cursor cursor = cursor_at("2026-07-01T10:00Z");
	static const struct expected spans[] = {
		{ 4, "2026-07-01T13:00Z", "2026-07-01T14:30Z" },
		{ 10, "2026-07-01T15:00Z", "2026-07-01T19:30Z" },
		{ 1, "2026-07-02T15:00Z", "2026-07-02T15:00Z" },
	};

	(void)state;
	assert_plan(&r, &cursor, 15, spans, 3);
}

static void days_of_23_and_25_hours(void **state)
{
	struct plan_rules r = rules_of("Europe/Berlin", EVERY_DAY, WHOLE_DAY, 0, 60 * US_PER_MINUTE);
	struct plan_rules capped = rules_of("America/New_York", EVERY_DAY, WHOLE_DAY, 24, 60 * US_PER_MINUTE);
	struct plan_cursor spring = cursor_at("2026-03-28T23:00Z");
	struct plan_cursor autumn = cursor_at("2026-10-24T22:00Z");
	struct plan_cursor new_york = cursor_at("2026-11-01T04:00Z");
	static const struct expected short_day[] = {
		{ 23, "2026-03-28T23:00Z", "2026-03-29T21:00Z" },
		{ 1, "2026-03-29T22:00Z", "2026-03-29T22:00Z" },
	};
	static const struct expected long_day[] = {
		{ 25, "2026-10-24T22:00Z", "2026-10-25T22:00Z" },
		{ 1, "2026-10-25T23:00Z", "2026-10-25T23:00Z" },
	};
	static const struct expected last_hour_unused[] = {
		{ 24, "2026-11-01T04:00Z", "2026-11-02T03:00Z" },
		{ 1, "2026-11-02T05:00Z", "2026-11-02T05:00Z" },
	};

	(void)state;
	assert_plan(&r, &spring, 24, short_day, 2);
	assert_plan(&r, &autumn, 26, long_day, 2);
	assert_plan(&capped, &new_york, 25, last_hour_unused, 2);
}

static void leap_day_year_end_and_a_day_that_never_was(void **state)
{
	struct plan_rules r = rules_of("UTC", EVERY_DAY, 540, 1020, 1, US_PER_MS);
	struct plan_rules apia = rules_of("Pacific/Apia", EVERY_DAY, 540, 1020, 1, US_PER_MS);
	struct plan_cursor february = cursor_at("2028-02-28T00:00Z");
	struct plan_cursor december = cursor_at("2026-12-31T00:00Z");
	struct plan_cursor samoa = cursor_at("2011-12-29T10:00Z");
	static const struct expected leap[] = {
		{ 1, "2028-02-28T09:00Z", "2028-02-28T09:00Z" },
		{ 1, "2028-02-29T09:00Z", "2028-02-29T09:00Z" },
		{ 1, "2028-03-01T09:00Z", "2028-03-01T09:00Z" },
	};
	static const struct expected new_year[] = {
		{ 1, "2026-12-31T09:00Z", "2026-12-31T09:00Z" },
		{ 1, "2027-01-01T09:00Z", "2027-01-01T09:00Z" },
	};
	static const struct expected no_30th[] = {
		{ 1, "2011-12-29T19:00Z", "2011-12-29T19:00Z" },
		{ 1, "2011-12-30T19:00Z", "2011-12-30T19:00Z" }, /* 09:00 on the 31st */
		{ 1, "2011-12-31T19:00Z", "2011-12-31T19:00Z" },
	};

	(void)state;
	assert_plan(&r, &february, 3, leap, 3);
	assert_plan(&r, &december, 2, new_year, 2);
	assert_plan(&apia, &samoa, 3, no_30th, 3);
}

static void without_callable_days_nothing_is_planned(void **state)
{
	struct plan_rules never = rules_of("UTC", 0, 540, 1020, 0, US_PER_MS);
	struct plan_rules twice = rules_of("UTC", EVERY_DAY, 540, 1020, 1, US_PER_MS);
	struct plan_cursor cursor = cursor_at("2026-07-01T00:00Z");
	struct plan_cursor end = { .next_us = INSTANT_NEVER };
	int32_t excluded[400];
	static const struct expected two_days[] = {
		{ 1, "2026-07-01T09:00Z", "2026-07-01T09:00Z" },
		{ 1, "2026-07-02T09:00Z", "2026-07-02T09:00Z" },
	};

	(void)state;
	assert_plan(&never, &cursor, 5, NULL, 0);
	assert_plan(&twice, &end, 5, NULL, 0);
	for (int i = 0; i < 400; i++)
		excluded[i] = day("2026-07-03") + i;
	twice.calendar.excluded = excluded;
	twice.calendar.excluded_count = LENGTH(excluded);
	assert_plan(&twice, &cursor, 5, two_days, 2);
	assert_plan(&twice, &cursor, 3, NULL, 0);
	assert_plan(&twice, &cursor, 0, NULL, 0);
}

#define MAX_CONTACTS 600

/* Returns all instants of a plan that is made in random pieces: some contacts and some segments at a time. */
static int plan_in_pieces(const struct plan_rules *rules, struct plan_cursor cursor, int count, int max_piece,
                          int64_t instants[MAX_CONTACTS])
{
	struct plan_segment out[4];
	int done = 0, planned = 1;

	while (done < count && planned > 0) {
		int piece = 1 + rand() % max_piece, room = 1 + rand() % (int)LENGTH(out), segments;

		if (piece > count - done)
			piece = count - done;
		segments = plan_segments(rules, &cursor, piece, out, room, &planned);
		assert_true(segments <= room);
		for (int i = 0; i < segments; i++)
			for (int j = 0; j < out[i].count; j++)
				instants[done++] = out[i].first_us + j * out[i].gap_us;
	}
	return done;
}

static void a_plan_may_be_cut_anywhere(void **state)
{
	static const char *const zones[] = { "Europe/Berlin", "America/Havana", "Asia/Beirut" };
	static const int windows[][2] = { { WHOLE_DAY }, { 540, 1020 }, { 1320, 360 }, { 150, 140 } };
	int64_t whole[MAX_CONTACTS], pieces[MAX_CONTACTS];

	(void)state;
	srand(1);
	for (int i = 0; i < 500; i++) {
		const int *window = windows[(unsigned)rand() % LENGTH(windows)];
		unsigned days = 1 + (unsigned)rand() % EVERY_DAY;
		struct plan_rules r = rules_of(zones[(unsigned)rand() % LENGTH(zones)], days, window[0], window[1], rand() % 40,
		                               (1 + rand() % 3600000) * US_PER_MS);
		struct plan_cursor cursor = cursor_at("2026-03-01T00:00Z");
		int count = 1 + rand() % MAX_CONTACTS, planned;

		cursor.next_us += rand() % 300 * US_PER_DAY + rand();
		planned = plan_in_pieces(&r, cursor, count, MAX_CONTACTS, whole);
		assert_int_equal(planned, count);
		for (int j = 1; j < planned; j++)
			assert_true(whole[j] >= whole[j - 1] + r.gap_us);
		planned = plan_in_pieces(&r, cursor, count, 1 + rand() % 50, pieces);
		assert_int_equal(planned, count);
		assert_memory_equal(pieces, whole, (size_t)planned * sizeof *whole);
	}
}

/* The campaign's day ends at 15:00Z for all contacts. Berlin's window closes at 18:00Z, London's at 19:00Z. */
static void the_group_whose_window_closes_first_is_first_also_when_the_day_ends_before(void **state)
{
	struct plan_rules r = rules_of("Asia/Tokyo", EVERY_DAY, 540, 1200, 0, US_PER_MINUTE);
	struct plan_cursor cursor = cursor_at("2026-07-01T14:00Z");
	struct plan_group groups[2] = {
		{ .calendar = r.calendar, .left = 100 },
		{ .calendar = r.calendar, .left = 100 },
	};
	struct plan_segment segments[MAX_SEGMENTS];
	int planned;

	(void)state;
	groups[0].calendar.zones = "Europe/London";
	groups[1].calendar.zones = "Europe/Berlin";
	assert_int_equal(plan_group_segments(&r, groups, 2, &cursor, 150, segments, MAX_SEGMENTS, &planned), 3);
	assert_int_equal(segments[0].group, 1);
	assert_int_equal(segments[0].count, 60);
	assert_int_equal(segments[1].group, 1);
	assert_int_equal(segments[1].count, 40);
	assert_instant(segments[1].first_us, "2026-07-01T15:00Z");
	assert_int_equal(segments[2].group, 0);
	assert_instant(segments[2].first_us, "2026-07-01T15:40Z");
}

static void a_plan_by_day_is_the_same_plan(void **state)
{
	struct plan_rules r = rules_of("Europe/Berlin", EVERY_DAY, 1320, 120, 30, US_PER_MINUTE); /* over midnight */
	struct plan_cursor cursor = cursor_at("2026-06-01T21:50Z"), other = cursor;
	struct plan_segment segments[MAX_SEGMENTS];
	struct plan_group all = { .calendar = r.calendar, .left = 300 };
	struct plan_day days[4];
	int planned;

	(void)state;
	assert_int_equal(plan_days(&r, &all, 1, &cursor, 100, days, 4, &planned), 4);
	assert_int_equal(planned, 100);
	assert_int_equal(days[0].day, day("2026-06-01"));
	assert_int_equal(days[0].contacts, 10);
	assert_int_equal(days[1].contacts, 30);
	assert_instant(days[1].first_us, "2026-06-01T22:00Z");
	assert_instant(days[1].last_us, "2026-06-01T22:29Z");
	assert_int_equal(days[3].day, day("2026-06-04"));
	assert_int_equal(plan_segments(&r, &other, 100, segments, MAX_SEGMENTS, &planned), 4);
	assert_true(cursor.next_us == other.next_us && cursor.day == other.day && cursor.day_calls == other.day_calls);

	assert_int_equal(plan_days(&r, &all, 1, &cursor, 200, days, 2, &planned), 2); /* no room for more */
	assert_int_equal(planned, 60);
	assert_int_equal(days[1].day, day("2026-06-06"));
	assert_int_equal(all.left, 140); /* the day that found no room is not planned */
	all.span = (struct span){ 0 };
	all.calendar.daily.days = 0;
	assert_int_equal(plan_days(&r, &all, 1, &cursor, 200, days, 2, &planned), 0);
	assert_int_equal(planned, 0);
}

static void retries_have_instants_between_milliseconds(void **state)
{
	static const int64_t instants[] = { 0, 1, 999, 1000, 1001, INT64_C(1790000000000001) };

	(void)state;
	for (size_t i = 0; i < sizeof instants / sizeof *instants; i++)
		for (int64_t position = 1; position < 3000; position++) {
			int64_t at_us = plan_between_ms(instants[i], position);

			assert_true(at_us > instants[i]);
			assert_true(at_us % US_PER_MS != 0);
			assert_true(at_us > plan_between_ms(instants[i], position - 1));
		}
}

int main(void)
{
	static const struct CMUnitTest group_tests[] = {
		cmocka_unit_test(contacts_follow_closely_from_the_opening),
		cmocka_unit_test(inside_the_window_it_begins_at_once),
		cmocka_unit_test(the_pace_fills_the_window_and_goes_on_next_day),
		cmocka_unit_test(the_end_of_the_window_is_outside),
		cmocka_unit_test(the_pace_holds_over_midnight),
		cmocka_unit_test(a_pace_of_more_than_a_day),
		cmocka_unit_test(the_cap_ends_the_day),
		cmocka_unit_test(calls_already_made_count),
		cmocka_unit_test(the_cap_counts_local_days_not_nights),
		cmocka_unit_test(days_of_23_and_25_hours),
		cmocka_unit_test(leap_day_year_end_and_a_day_that_never_was),
		cmocka_unit_test(without_callable_days_nothing_is_planned),
		cmocka_unit_test(a_plan_may_be_cut_anywhere),
		cmocka_unit_test(the_group_whose_window_closes_first_is_first_also_when_the_day_ends_before),
		cmocka_unit_test(a_plan_by_day_is_the_same_plan),
		cmocka_unit_test(retries_have_instants_between_milliseconds),
	};

	return cmocka_run_group_tests(group_tests, NULL, NULL);
}
