/* The expected spans were worked out by hand. 2026-03-29 and 2026-10-25 are the Sundays of Europe's clock changes. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/clock.h"
#include "base/zone.h"
#include "domain/calendar.h"
#include "instants.h"

#define MONDAY_TO_FRIDAY 0x1f
#define EVERY_DAY 0x7f
#define WHOLE_DAY 0, 1440
#define LENGTH(array) (sizeof(array) / sizeof *(array))

static struct calendar calendar_of(const char *zone, unsigned days, int start, int end)
{
	return (struct calendar){ .zone = zone, .daily = { days, start, end } };
}

#define assert_span(calendar, asked, date, from, until) \
	span_is(&(calendar), asked, date, from, until, __FILE__, __LINE__)

static void span_is(const struct calendar *calendar, const char *asked, const char *date, const char *from,
                    const char *until, const char *file, int line)
{
	struct span span;

	if (calendar_find_span(calendar, at(asked), &span) != CALENDAR_SPAN) {
		print_error("no span after %s\n", asked);
		_fail(file, line);
	}
	instant_is(span.from_us, from, file, line);
	instant_is(span.until_us, until, file, line);
	if (span.day != day(date)) {
		print_error("on civil day %d, should be %s\n", span.day, date);
		_fail(file, line);
	}
}

static void a_window_on_working_days(void **state)
{
	struct calendar c = calendar_of("Europe/Berlin", MONDAY_TO_FRIDAY, 9 * 60, 17 * 60 + 30);

	(void)state;
	/* 2026-07-03 is a Friday */
	assert_span(c, "2026-07-03T00:00Z", "2026-07-03", "2026-07-03T07:00Z", "2026-07-03T15:30Z");
	assert_span(c, "2026-07-03T07:00Z", "2026-07-03", "2026-07-03T07:00Z", "2026-07-03T15:30Z");
	assert_span(c, "2026-07-03T15:29:59.999999Z", "2026-07-03", "2026-07-03T07:00Z", "2026-07-03T15:30Z");
	assert_span(c, "2026-07-03T15:30Z", "2026-07-06", "2026-07-06T07:00Z", "2026-07-06T15:30Z");
	assert_span(c, "2026-07-05T12:00Z", "2026-07-06", "2026-07-06T07:00Z", "2026-07-06T15:30Z");
}

static void no_call_begins_in_the_last_moments_of_a_window(void **state)
{
	struct calendar c = calendar_of("Europe/Berlin", MONDAY_TO_FRIDAY, 9 * 60, 17 * 60 + 30);
	struct calendar night = calendar_of("UTC", EVERY_DAY, 22 * 60, 2 * 60);
	struct span span;

	(void)state;
	assert_int_equal(calendar_find_span_with_rest(&c, at("2026-07-03T15:29:59Z"), US_PER_SECOND, &span), CALENDAR_SPAN);
	assert_int_equal(span.from_us, at("2026-07-03T07:00Z"));
	assert_int_equal(calendar_find_span_with_rest(&c, at("2026-07-03T15:29:59.000001Z"), US_PER_SECOND, &span),
	                 CALENDAR_SPAN);
	assert_int_equal(span.from_us, at("2026-07-06T07:00Z"));
	/* Midnight ends no window. */
	assert_int_equal(calendar_find_span_with_rest(&night, at("2026-07-03T23:59:59.9Z"), US_PER_SECOND, &span),
	                 CALENDAR_SPAN);
	assert_int_equal(span.until_us, at("2026-07-04T00:00Z"));
	assert_int_equal(calendar_find_span_with_rest(&night, at("2026-07-04T01:59:59.9Z"), US_PER_SECOND, &span),
	                 CALENDAR_SPAN);
	assert_int_equal(span.from_us, at("2026-07-04T22:00Z"));
}

static void callable_time_passes_only_in_windows(void **state)
{
	struct calendar c = calendar_of("Europe/Berlin", MONDAY_TO_FRIDAY, 9 * 60, 17 * 60);
	struct calendar whole = calendar_of("Europe/Berlin", EVERY_DAY, WHOLE_DAY);
	struct calendar gone = calendar_of("Gone/Away", EVERY_DAY, WHOLE_DAY);
	const int64_t hour_us = 60 * US_PER_MINUTE;

	(void)state;
	/* 2026-07-03 is a Friday */
	assert_int_equal(calendar_after(&c, at("2026-07-03T08:00Z"), 2 * hour_us), at("2026-07-03T10:00Z"));
	assert_int_equal(calendar_after(&c, at("2026-07-03T08:00Z"), 7 * hour_us), at("2026-07-03T15:00Z"));
	assert_int_equal(calendar_after(&c, at("2026-07-03T08:00Z"), 8 * hour_us), at("2026-07-06T08:00Z"));
	assert_int_equal(calendar_after(&c, at("2026-07-03T08:00Z"), 24 * hour_us), at("2026-07-08T08:00Z"));
	assert_int_equal(calendar_after(&c, at("2026-07-04T12:00Z"), hour_us), at("2026-07-06T08:00Z"));
	assert_int_equal(calendar_after(&whole, at("2026-07-03T08:00Z"), 24 * hour_us), at("2026-07-04T08:00Z"));
	assert_int_equal(calendar_after(&gone, at("2026-07-03T08:00Z"), hour_us), INSTANT_NEVER);
}

static void the_whole_day_and_its_edges(void **state)
{
	struct calendar whole = calendar_of("America/New_York", EVERY_DAY, WHOLE_DAY);
	struct calendar written_out = calendar_of("America/New_York", EVERY_DAY, 0, 1440);
	struct calendar from_midnight = calendar_of("America/New_York", EVERY_DAY, 0, 1);
	struct calendar to_midnight = calendar_of("America/New_York", EVERY_DAY, 1439, 1440);

	(void)state;
	assert_span(whole, "2026-07-01T04:00Z", "2026-07-01", "2026-07-01T04:00Z", "2026-07-02T04:00Z");
	assert_span(whole, "2026-07-01T03:59Z", "2026-06-30", "2026-06-30T04:00Z", "2026-07-01T04:00Z");
	assert_span(written_out, "2026-07-01T04:00Z", "2026-07-01", "2026-07-01T04:00Z", "2026-07-02T04:00Z");
	assert_span(from_midnight, "2026-07-01T04:01Z", "2026-07-02", "2026-07-02T04:00Z", "2026-07-02T04:01Z");
	assert_span(to_midnight, "2026-07-01T04:00Z", "2026-07-01", "2026-07-02T03:59Z", "2026-07-02T04:00Z");
}

/* Each night has two spans. The span after midnight belongs to the window of the evening before. */
static void a_window_over_midnight(void **state)
{
	struct calendar c = calendar_of("UTC", MONDAY_TO_FRIDAY, 22 * 60, 6 * 60);

	(void)state;
	assert_span(c, "2026-07-02T12:00Z", "2026-07-02", "2026-07-02T22:00Z", "2026-07-03T00:00Z");
	assert_span(c, "2026-07-03T00:00Z", "2026-07-03", "2026-07-03T00:00Z", "2026-07-03T06:00Z");
	assert_span(c, "2026-07-03T06:00Z", "2026-07-03", "2026-07-03T22:00Z", "2026-07-04T00:00Z");
	/* Friday's window runs into Saturday. No window opens on Sunday, so Monday morning has no span */
	assert_span(c, "2026-07-04T00:00Z", "2026-07-04", "2026-07-04T00:00Z", "2026-07-04T06:00Z");
	assert_span(c, "2026-07-04T06:00Z", "2026-07-06", "2026-07-06T22:00Z", "2026-07-07T00:00Z");
}

static void a_window_that_ends_or_begins_at_midnight(void **state)
{
	struct calendar until_0 = calendar_of("UTC", MONDAY_TO_FRIDAY, 22 * 60, 0);
	struct calendar from_24 = calendar_of("UTC", MONDAY_TO_FRIDAY, 1440, 6 * 60);

	(void)state;
	assert_span(until_0, "2026-07-03T22:30Z", "2026-07-03", "2026-07-03T22:00Z", "2026-07-04T00:00Z");
	assert_span(until_0, "2026-07-04T00:00Z", "2026-07-06", "2026-07-06T22:00Z", "2026-07-07T00:00Z");
	/* opens when Friday ends: all of it lies on Saturday */
	assert_span(from_24, "2026-07-03T12:00Z", "2026-07-04", "2026-07-04T00:00Z", "2026-07-04T06:00Z");
	assert_span(from_24, "2026-07-04T06:00Z", "2026-07-07", "2026-07-07T00:00Z", "2026-07-07T06:00Z");
}

static void excluded_dates(void **state)
{
	const int32_t excluded[] = { day("2026-07-02"), day("2026-07-03"), day("2026-07-07") };
	struct calendar daily = calendar_of("UTC", MONDAY_TO_FRIDAY, 9 * 60, 17 * 60);
	struct calendar nightly = calendar_of("UTC", EVERY_DAY, 22 * 60, 6 * 60);

	(void)state;
	daily.excluded = nightly.excluded = excluded;
	daily.excluded_count = nightly.excluded_count = LENGTH(excluded);
	assert_span(daily, "2026-07-01T17:00Z", "2026-07-06", "2026-07-06T09:00Z", "2026-07-06T17:00Z");
	assert_span(daily, "2026-07-06T17:00Z", "2026-07-08", "2026-07-08T09:00Z", "2026-07-08T17:00Z");
	/* the night that began on the 1st goes on; the nights of the 2nd and 3rd never begin */
	assert_span(nightly, "2026-07-02T00:00Z", "2026-07-02", "2026-07-02T00:00Z", "2026-07-02T06:00Z");
	assert_span(nightly, "2026-07-02T06:00Z", "2026-07-04", "2026-07-04T22:00Z", "2026-07-05T00:00Z");
}

static void leap_day_and_year_end(void **state)
{
	struct calendar c = calendar_of("UTC", EVERY_DAY, 9 * 60, 17 * 60);
	struct calendar tokyo = calendar_of("Asia/Tokyo", EVERY_DAY, WHOLE_DAY);

	(void)state;
	assert_span(c, "2028-02-28T17:00Z", "2028-02-29", "2028-02-29T09:00Z", "2028-02-29T17:00Z");
	assert_span(c, "2028-02-29T17:00Z", "2028-03-01", "2028-03-01T09:00Z", "2028-03-01T17:00Z");
	assert_span(c, "2026-02-28T17:00Z", "2026-03-01", "2026-03-01T09:00Z", "2026-03-01T17:00Z");
	assert_span(tokyo, "2026-12-31T15:00Z", "2027-01-01", "2026-12-31T15:00Z", "2027-01-01T15:00Z");
}

static void edges_in_the_skipped_hour(void **state)
{
	struct calendar opens = calendar_of("Europe/Berlin", EVERY_DAY, 2 * 60 + 30, 5 * 60);
	struct calendar closes = calendar_of("Europe/Berlin", EVERY_DAY, 60, 2 * 60 + 30);
	struct calendar inside = calendar_of("Europe/Berlin", EVERY_DAY, 2 * 60 + 15, 2 * 60 + 45);
	struct calendar swallowed = calendar_of("Europe/Berlin", EVERY_DAY, 150, 3 * 60 + 15);
	struct calendar new_york = calendar_of("America/New_York", EVERY_DAY, 2 * 60, 3 * 60 + 1);

	(void)state;
	assert_span(opens, "2026-03-29T00:00Z", "2026-03-29", "2026-03-29T01:30Z", "2026-03-29T03:00Z");
	/* the clock never shows 02:30: at 03:00 it is past the end */
	assert_span(closes, "2026-03-29T00:00Z", "2026-03-29", "2026-03-29T00:00Z", "2026-03-29T01:00Z");
	/* the clock shows no time of this window */
	assert_span(inside, "2026-03-29T00:00Z", "2026-03-30", "2026-03-30T00:15Z", "2026-03-30T00:45Z");
	/* this window would open at 03:30 and close at 03:15 */
	assert_span(swallowed, "2026-03-29T00:00Z", "2026-03-30", "2026-03-30T00:30Z", "2026-03-30T01:15Z");
	assert_span(new_york, "2026-03-08T05:00Z", "2026-03-08", "2026-03-08T07:00Z", "2026-03-08T07:01Z");
}

static void edges_in_the_hour_that_comes_twice(void **state)
{
	struct calendar opens = calendar_of("Europe/Berlin", EVERY_DAY, 2 * 60 + 30, 5 * 60);
	struct calendar closes = calendar_of("Europe/Berlin", EVERY_DAY, 60, 2 * 60 + 30);
	struct calendar around = calendar_of("America/New_York", EVERY_DAY, 60, 2 * 60);

	(void)state;
	/* at 03:00 the clock goes back to 02:00, before the start, and the window waits until it opens again */
	assert_span(opens, "2026-10-24T23:00Z", "2026-10-25", "2026-10-25T00:30Z", "2026-10-25T01:00Z");
	assert_span(opens, "2026-10-25T01:00Z", "2026-10-25", "2026-10-25T01:30Z", "2026-10-25T04:00Z");
	assert_span(closes, "2026-10-24T22:00Z", "2026-10-25", "2026-10-24T23:00Z", "2026-10-25T00:30Z");
	assert_span(around, "2026-11-01T05:00Z", "2026-11-01", "2026-11-01T05:00Z", "2026-11-01T07:00Z");
}

/* The window is closed from 02:50 to 03:05. In this night the clock goes from 02:00 to 03:00, so it opens at 03:05. */
static void a_gap_between_the_nights_two_windows(void **state)
{
	struct calendar c = calendar_of("Europe/Berlin", EVERY_DAY, 3 * 60 + 5, 2 * 60 + 50);

	(void)state;
	assert_span(c, "2026-03-29T00:00Z", "2026-03-29", "2026-03-28T23:00Z", "2026-03-29T01:00Z");
	assert_span(c, "2026-03-29T01:00Z", "2026-03-29", "2026-03-29T01:05Z", "2026-03-29T22:00Z");
}

static void several_windows(void **state)
{
	static const struct calling_window windows[] = {
		{ MONDAY_TO_FRIDAY, 13 * 60, 17 * 60 }, { MONDAY_TO_FRIDAY, 9 * 60, 12 * 60 },
		{ 1 << 5, 10 * 60, 11 * 60 },           { 1 << 4, 16 * 60, 60 }, /* Friday's end, into Saturday */
		{ 1 << 5, 11 * 60, 11 * 60 + 30 },
	};
	struct calendar c = { .zone = "UTC", .daily.days = EVERY_DAY, .windows = windows, .window_count = LENGTH(windows) };
	int32_t friday[] = { day("2026-07-03") };

	(void)state;
	assert_span(c, "2026-07-02T00:00Z", "2026-07-02", "2026-07-02T09:00Z", "2026-07-02T12:00Z");
	assert_span(c, "2026-07-02T12:00Z", "2026-07-02", "2026-07-02T13:00Z", "2026-07-02T17:00Z");
	assert_span(c, "2026-07-03T12:30Z", "2026-07-03", "2026-07-03T13:00Z", "2026-07-04T00:00Z");
	assert_span(c, "2026-07-04T00:00Z", "2026-07-04", "2026-07-04T00:00Z", "2026-07-04T01:00Z");
	assert_span(c, "2026-07-04T01:00Z", "2026-07-04", "2026-07-04T10:00Z", "2026-07-04T11:30Z");
	assert_span(c, "2026-07-04T11:30Z", "2026-07-06", "2026-07-06T09:00Z", "2026-07-06T12:00Z");
	c.excluded = friday;
	c.excluded_count = 1;
	assert_span(c, "2026-07-02T17:00Z", "2026-07-04", "2026-07-04T10:00Z", "2026-07-04T11:30Z");
	c.daily.days = 1 << 1 | 1 << 5; /* Tuesdays and Saturdays */
	assert_span(c, "2026-07-04T11:30Z", "2026-07-07", "2026-07-07T09:00Z", "2026-07-07T12:00Z");
}

/* The window is 9 to 17 in each zone that the number may be in. The civil days are days of the campaign's zone. */
static void windows_in_several_zones(void **state)
{
	struct calendar c = calendar_of("Europe/Berlin", MONDAY_TO_FRIDAY, 9 * 60, 17 * 60);
	struct span span;
	char zone[ZONE_NAME_SIZE];

	(void)state;
	c.zones = "America/New_York America/Los_Angeles"; /* 2026-07-03 is a Friday */
	assert_span(c, "2026-07-03T00:00Z", "2026-07-03", "2026-07-03T16:00Z", "2026-07-03T21:00Z");
	assert_span(c, "2026-07-03T21:00Z", "2026-07-06", "2026-07-06T16:00Z", "2026-07-06T21:00Z");
	c.zones = "Asia/Tokyo";
	assert_span(c, "2026-07-03T08:00Z", "2026-07-06", "2026-07-06T00:00Z", "2026-07-06T08:00Z");
	c.zones = "America/Los_Angeles"; /* 18:00 to 02:00 in Berlin: two days there */
	assert_span(c, "2026-07-03T12:00Z", "2026-07-03", "2026-07-03T16:00Z", "2026-07-03T22:00Z");
	assert_span(c, "2026-07-03T22:00Z", "2026-07-04", "2026-07-03T22:00Z", "2026-07-04T00:00Z");
	c.zones = "Asia/Tokyo America/New_York"; /* never both at work */
	assert_int_equal(calendar_find_span(&c, at("2026-07-03T00:00Z"), &span), CALENDAR_NEVER);
	c.zones = "Asia/Tokyo Asia/Atlantis";
	assert_int_equal(calendar_find_span(&c, at("2026-07-03T00:00Z"), &span), CALENDAR_UNREADABLE);
	assert_string_equal(calendar_trouble(&c, zone), "this host has no file for it");
	assert_string_equal(zone, "Asia/Atlantis");
	c = calendar_of("UTC", EVERY_DAY, 9 * 60, 13 * 60 + 30);
	c.zones = "Africa/Abidjan America/New_York"; /* only in New York's summer */
	assert_span(c, "2026-12-03T00:00Z", "2027-03-14", "2027-03-14T13:00Z", "2027-03-14T13:30Z");
}

/* Where clocks change at or across midnight, days still follow each other without gap or overlap. */
static void days_whose_midnight_moves(void **state)
{
	static const struct {
		const char *zone, *date, *from, *until;
	} days[] = {
		/* 00:00 -> 01:00: the day begins at 01:00 and has 23 hours */
		{ "Asia/Beirut", "2026-03-29", "2026-03-28T22:00Z", "2026-03-29T21:00Z" },
		{ "Africa/Cairo", "2026-04-24", "2026-04-23T22:00Z", "2026-04-24T21:00Z" },
		{ "America/Havana", "2026-03-08", "2026-03-08T05:00Z", "2026-03-09T04:00Z" },
		{ "America/Asuncion", "2023-10-01", "2023-10-01T04:00Z", "2023-10-02T03:00Z" },
		{ "Atlantic/Azores", "2026-03-29", "2026-03-29T01:00Z", "2026-03-30T00:00Z" },
		/* 00:00 -> 23:00: the day before has its last hour twice, 25 in all */
		{ "Asia/Beirut", "2026-10-24", "2026-10-23T21:00Z", "2026-10-24T22:00Z" },
		{ "Africa/Cairo", "2026-10-29", "2026-10-28T21:00Z", "2026-10-29T22:00Z" },
		{ "America/Asuncion", "2023-03-25", "2023-03-25T03:00Z", "2023-03-26T04:00Z" },
		{ "America/Nuuk", "2026-10-24", "2026-10-24T01:00Z", "2026-10-25T02:00Z" },
		{ "America/Scoresbysund", "2026-10-24", "2026-10-24T01:00Z", "2026-10-25T02:00Z" },
		/* 01:00 -> 00:00: the day has its first hour twice */
		{ "America/Havana", "2026-11-01", "2026-11-01T04:00Z", "2026-11-02T05:00Z" },
		{ "Atlantic/Azores", "2026-10-25", "2026-10-25T00:00Z", "2026-10-26T01:00Z" },
		/* 23:00 -> 00:00: the day before ends an hour early */
		{ "America/Nuuk", "2026-03-28", "2026-03-28T02:00Z", "2026-03-29T01:00Z" },
		{ "America/Scoresbysund", "2026-03-28", "2026-03-28T02:00Z", "2026-03-29T01:00Z" },
		/* half an hour, at 02:00 */
		{ "Australia/Lord_Howe", "2026-04-05", "2026-04-04T13:00Z", "2026-04-05T13:30Z" },
		{ "Australia/Lord_Howe", "2026-10-04", "2026-10-03T13:30Z", "2026-10-04T13:00Z" },
		/* 00:00 -> 00:44:30 */
		{ "Africa/Monrovia", "1972-01-07", "1972-01-07T00:44:30Z", "1972-01-08T00:00Z" },
		/* 00:01 -> 23:01: the day begins when the clock first shows midnight */
		{ "America/St_Johns", "2010-11-07", "2010-11-07T02:30Z", "2010-11-08T03:30Z" },
		/* 23:30 -> 00:30: the skipped midnight moves to 01:00, and the day before lasts until then */
		{ "America/Toronto", "1919-03-31", "1919-03-31T05:00Z", "1919-04-01T04:00Z" },
	};

	struct calendar toronto = calendar_of("America/Toronto", EVERY_DAY, WHOLE_DAY);

	(void)state;
	assert_span(toronto, "1919-03-31T04:45Z", "1919-03-30", "1919-03-30T05:00Z", "1919-03-31T05:00Z");
	for (size_t i = 0; i < LENGTH(days); i++) {
		struct calendar c = calendar_of(days[i].zone, EVERY_DAY, WHOLE_DAY);

		assert_span(c, days[i].from, days[i].date, days[i].from, days[i].until);
	}
}

/* Nuuk skips an hour in the evening. The part of a window that moves past midnight is dropped. */
static void windows_do_not_leave_their_day(void **state)
{
	struct calendar late = calendar_of("America/Nuuk", EVERY_DAY, 23 * 60 + 15, 23 * 60 + 45);
	struct calendar evening = calendar_of("America/Nuuk", EVERY_DAY, 20 * 60, 23 * 60 + 45);

	(void)state;
	assert_span(late, "2026-03-28T12:00Z", "2026-03-29", "2026-03-30T00:15Z", "2026-03-30T00:45Z");
	assert_span(evening, "2026-03-28T12:00Z", "2026-03-28", "2026-03-28T22:00Z", "2026-03-29T01:00Z");
}

static void a_day_that_never_was(void **state)
{
	struct calendar daily = calendar_of("Pacific/Apia", EVERY_DAY, 9 * 60, 17 * 60);
	struct calendar whole = calendar_of("Pacific/Apia", EVERY_DAY, WHOLE_DAY);
	struct calendar fridays = calendar_of("Pacific/Apia", 1 << 4, 9 * 60, 17 * 60);

	(void)state;
	assert_span(daily, "2011-12-29T12:00Z", "2011-12-29", "2011-12-29T19:00Z", "2011-12-30T03:00Z");
	assert_span(daily, "2011-12-30T03:00Z", "2011-12-31", "2011-12-30T19:00Z", "2011-12-31T03:00Z");
	assert_span(whole, "2011-12-30T09:59Z", "2011-12-29", "2011-12-29T10:00Z", "2011-12-30T10:00Z");
	assert_span(whole, "2011-12-30T10:00Z", "2011-12-31", "2011-12-30T10:00Z", "2011-12-31T10:00Z");
	assert_span(fridays, "2011-12-29T12:00Z", "2012-01-06", "2012-01-05T19:00Z", "2012-01-06T03:00Z");
}

static void no_day_within_the_horizon(void **state)
{
	int32_t excluded[367];
	struct calendar c = calendar_of("UTC", EVERY_DAY, 9 * 60, 17 * 60);
	struct span span;

	(void)state;
	for (int i = 0; i < 367; i++)
		excluded[i] = day("2026-07-01") + i;
	c.excluded = excluded;
	c.excluded_count = 366;
	assert_span(c, "2026-07-01T00:00Z", "2027-07-02", "2027-07-02T09:00Z", "2027-07-02T17:00Z");
	c.excluded_count = 367;
	assert_int_equal(calendar_find_span(&c, at("2026-07-01T23:59Z"), &span), CALENDAR_NEVER);
	assert_span(c, "2026-07-02T00:00Z", "2027-07-03", "2027-07-03T09:00Z", "2027-07-03T17:00Z");
	c.daily.days = 0;
	assert_int_equal(calendar_find_span(&c, at("2026-07-01T00:00Z"), &span), CALENDAR_NEVER);
}

static void nothing_to_call(void **state)
{
	struct calendar lost = calendar_of("Europe/Atlantis", EVERY_DAY, WHOLE_DAY);
	struct calendar c = calendar_of("Pacific/Kiritimati", EVERY_DAY, WHOLE_DAY);
	struct span span;

	(void)state;
	assert_int_equal(calendar_find_span(&lost, at("2026-07-01T00:00Z"), &span), CALENDAR_UNREADABLE);
	assert_int_equal(calendar_find_span(&c, INSTANT_NEVER, &span), CALENDAR_NEVER);
}

/* Each span begins at or after the end of the span before, and is on the day that the clock shows. */
static void walk_five_years(const struct calendar *c)
{
	struct span last, next;

	assert_int_equal(calendar_find_span(c, at("2022-01-01T00:00Z"), &last), CALENDAR_SPAN);
	while (last.until_us < at("2027-01-01T00:00Z")) {
		assert_true(last.from_us < last.until_us);
		assert_true(zone_utc_to_wall(c->zone, last.from_us) / US_PER_DAY == last.day);
		assert_true(zone_utc_to_wall(c->zone, last.until_us - 1) / US_PER_DAY == last.day);
		assert_int_equal(calendar_find_span(c, last.until_us, &next), CALENDAR_SPAN);
		assert_true(next.from_us >= last.until_us);
		last = next;
	}
}

static void spans_never_overlap(void **state)
{
	static const char *const zones[] = {
		"Europe/Berlin",       "America/Havana",    "Asia/Beirut",     "America/Nuuk",     "Atlantic/Azores",
		"Australia/Lord_Howe", "Africa/Casablanca", "Pacific/Chatham", "America/Asuncion",
	};
	static const int windows[][2] = {
		{ WHOLE_DAY }, { 0, 1440 }, { 1320, 360 }, { 1, 0 }, { 185, 170 }, { 150, 140 }, { 1410, 30 },
	};

	(void)state;
	for (size_t i = 0; i < LENGTH(zones); i++)
		for (size_t j = 0; j < LENGTH(windows); j++) {
			struct calendar c = calendar_of(zones[i], EVERY_DAY, windows[j][0], windows[j][1]);

			walk_five_years(&c);
		}
}

int main(void)
{
	static const struct CMUnitTest group_tests[] = {
		cmocka_unit_test(a_window_on_working_days),
		cmocka_unit_test(no_call_begins_in_the_last_moments_of_a_window),
		cmocka_unit_test(callable_time_passes_only_in_windows),
		cmocka_unit_test(the_whole_day_and_its_edges),
		cmocka_unit_test(a_window_over_midnight),
		cmocka_unit_test(a_window_that_ends_or_begins_at_midnight),
		cmocka_unit_test(excluded_dates),
		cmocka_unit_test(leap_day_and_year_end),
		cmocka_unit_test(edges_in_the_skipped_hour),
		cmocka_unit_test(edges_in_the_hour_that_comes_twice),
		cmocka_unit_test(a_gap_between_the_nights_two_windows),
		cmocka_unit_test(several_windows),
		cmocka_unit_test(windows_in_several_zones),
		cmocka_unit_test(days_whose_midnight_moves),
		cmocka_unit_test(windows_do_not_leave_their_day),
		cmocka_unit_test(a_day_that_never_was),
		cmocka_unit_test(no_day_within_the_horizon),
		cmocka_unit_test(nothing_to_call),
		cmocka_unit_test(spans_never_overlap),
	};

	return cmocka_run_group_tests(group_tests, NULL, NULL);
}
