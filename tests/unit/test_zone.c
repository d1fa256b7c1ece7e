/* Conversions worked out by hand from the published rules; plan_oracle.py covers all the others. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "domain/zone.h"
#include "instants.h"

struct pair {
	const char *zone, *wall, *utc;
};

static void assert_wall_to_utc(const struct pair *pairs, size_t count)
{
	for (size_t i = 0; i < count; i++)
		assert_instant(zone_wall_to_utc(pairs[i].zone, at(pairs[i].wall)), pairs[i].utc);
}

static void assert_utc_to_wall(const struct pair *pairs, size_t count)
{
	for (size_t i = 0; i < count; i++)
		assert_instant(zone_utc_to_wall(pairs[i].zone, at(pairs[i].utc)), pairs[i].wall);
}

#define LENGTH(array) (sizeof(array) / sizeof *(array))

static void names_of_zones(void **state)
{
	static const char *const zones[] = {
		"UTC", "Europe/Berlin", "America/Argentina/Buenos_Aires", "America/Port-au-Prince",
		"Etc/GMT+12", "Antarctica/DumontDUrville",
	};

	(void)state;
	for (size_t i = 0; i < LENGTH(zones); i++)
		if (!zone_exists(zones[i]))
			fail_msg("%s is a zone", zones[i]);
}

static void names_of_no_zones(void **state)
{
	static const char *const others[] = {
		"", "/", "Europe", "Europe/", "/Europe/Berlin", "Europe//Berlin", "Europe/Berlin/",
		"europe/berlin", "Europe/Atlantis", "../zoneinfo/UTC", "Europe/../UTC", "./UTC",
		"/usr/share/zoneinfo/UTC", "posix/UTC", "right/UTC", "posixrules", "localtime",
		"Factory", "zone.tab", "tzdata.zi", "leapseconds", ":UTC", "UTC0", "CET-1CEST",
		"UTC ", " UTC", "UTC\n", "Europe/Berl\xc3\xadn", "-05:00", "+1",
		"Europe/A_name_that_is_longer_than_any_the_tz_database_has_ever_had",
	};

	(void)state;
	for (size_t i = 0; i < LENGTH(others); i++)
		if (zone_exists(others[i]))
			fail_msg("\"%s\" is not a zone", others[i]);
}

static void plain_days(void **state)
{
	static const struct pair pairs[] = {
		{"UTC", "2026-07-01T12:00", "2026-07-01T12:00Z"},
		{"Europe/Berlin", "2026-01-15T09:00", "2026-01-15T08:00Z"},
		{"Europe/Berlin", "2026-07-15T09:00", "2026-07-15T07:00Z"},
		{"America/New_York", "2026-01-15T20:00", "2026-01-16T01:00Z"},
		{"Asia/Kathmandu", "2026-01-15T00:00:00.000001", "2026-01-14T18:15:00.000001Z"},
		{"Pacific/Kiritimati", "2026-01-01T00:00", "2025-12-31T10:00Z"},
		{"Etc/GMT+12", "2025-12-31T23:00", "2026-01-01T11:00Z"}, /* west, as POSIX has it */
	};

	(void)state;
	assert_wall_to_utc(pairs, LENGTH(pairs));
	assert_utc_to_wall(pairs, LENGTH(pairs));
}

/* Far from the changes the database lists one by one, and before the epoch. */
static void far_years(void **state)
{
	static const struct pair pairs[] = {
		{"Europe/Berlin", "2099-07-01T12:00", "2099-07-01T10:00Z"},
		{"Europe/Berlin", "2099-12-01T12:00", "2099-12-01T11:00Z"},
		{"America/New_York", "1969-12-31T18:59:59.999999", "1969-12-31T23:59:59.999999Z"},
		{"America/New_York", "1960-07-01T00:00:00.000001", "1960-07-01T04:00:00.000001Z"},
		{"America/New_York", "1960-04-24T01:59:59.999999", "1960-04-24T06:59:59.999999Z"},
	};

	(void)state;
	assert_wall_to_utc(pairs, LENGTH(pairs));
	assert_utc_to_wall(pairs, LENGTH(pairs));
}

static void skipped_times_move_forward_by_the_gap(void **state)
{
	static const struct pair pairs[] = {
		/* 02:00 -> 03:00 at 01:00Z */
		{"Europe/Berlin", "2026-03-29T01:59:59.999999", "2026-03-29T00:59:59.999999Z"},
		{"Europe/Berlin", "2026-03-29T02:00", "2026-03-29T01:00Z"},
		{"Europe/Berlin", "2026-03-29T02:30", "2026-03-29T01:30Z"}, /* shows 03:30 */
		{"Europe/Berlin", "2026-03-29T02:59:59.999999", "2026-03-29T01:59:59.999999Z"},
		{"Europe/Berlin", "2026-03-29T03:00", "2026-03-29T01:00Z"},
		/* 02:00 -> 03:00 at 07:00Z */
		{"America/New_York", "2026-03-08T02:30", "2026-03-08T07:30Z"},
		/* 02:00 -> 02:30 at 15:30Z of the day before */
		{"Australia/Lord_Howe", "2026-10-04T02:15", "2026-10-03T15:45Z"},
		{"Australia/Lord_Howe", "2026-10-04T02:30", "2026-10-03T15:30Z"},
		/* 00:00 -> 01:00 at 22:00Z of the day before */
		{"Asia/Beirut", "2026-03-29T00:00", "2026-03-28T22:00Z"},
		{"Asia/Beirut", "2026-03-29T00:30", "2026-03-28T22:30Z"},
		/* 23:00 -> 00:00 at 01:00Z */
		{"America/Nuuk", "2026-03-28T23:30", "2026-03-29T01:30Z"},
		{"America/Nuuk", "2026-03-29T00:00", "2026-03-29T01:00Z"},
		/* 00:00 -> 00:44:30 at 00:44:30Z */
		{"Africa/Monrovia", "1972-01-06T12:00", "1972-01-06T12:44:30Z"},
		{"Africa/Monrovia", "1972-01-07T00:10", "1972-01-07T00:54:30Z"},
		{"Africa/Monrovia", "1972-01-07T00:44:30", "1972-01-07T00:44:30Z"},
	};

	(void)state;
	assert_wall_to_utc(pairs, LENGTH(pairs));
}

static void times_shown_twice_mean_the_first(void **state)
{
	static const struct pair pairs[] = {
		/* 03:00 -> 02:00 at 01:00Z */
		{"Europe/Berlin", "2026-10-25T02:00", "2026-10-25T00:00Z"},
		{"Europe/Berlin", "2026-10-25T02:30", "2026-10-25T00:30Z"},
		{"Europe/Berlin", "2026-10-25T02:59:59.999999", "2026-10-25T00:59:59.999999Z"},
		{"Europe/Berlin", "2026-10-25T03:00", "2026-10-25T02:00Z"},
		/* 02:00 -> 01:00 at 06:00Z */
		{"America/New_York", "2026-11-01T01:30", "2026-11-01T05:30Z"},
		/* 02:00 -> 01:30 at 15:00Z of the day before */
		{"Australia/Lord_Howe", "2026-04-05T01:45", "2026-04-04T14:45Z"},
		/* 00:00 -> 23:00 of the day before, at 21:00Z */
		{"Asia/Beirut", "2026-10-24T23:30", "2026-10-24T20:30Z"},
		{"Asia/Beirut", "2026-10-25T00:00", "2026-10-24T22:00Z"},
		/* 01:00 -> 00:00 at 01:00Z */
		{"Atlantic/Azores", "2026-10-25T00:00", "2026-10-25T00:00Z"},
		{"Atlantic/Azores", "2026-10-25T01:00", "2026-10-25T02:00Z"},
	};
	static const struct pair second[] = {
		{"Europe/Berlin", "2026-10-25T02:30", "2026-10-25T01:30Z"},
		{"Asia/Beirut", "2026-10-24T23:30", "2026-10-24T21:30Z"},
	};

	(void)state;
	assert_wall_to_utc(pairs, LENGTH(pairs));
	assert_utc_to_wall(pairs, LENGTH(pairs));
	assert_utc_to_wall(second, LENGTH(second));
}

/* Apia went from UTC-10 to UTC+14 and never saw 2011-12-30; Kwajalein left out 1993-08-21. */
static void skipped_days(void **state)
{
	static const struct pair pairs[] = {
		{"Pacific/Apia", "2011-12-29T23:59", "2011-12-30T09:59Z"},
		{"Pacific/Apia", "2011-12-30T00:00", "2011-12-30T10:00Z"},
		{"Pacific/Apia", "2011-12-30T12:00", "2011-12-30T22:00Z"}, /* noon of the 31st */
		{"Pacific/Apia", "2011-12-31T00:00", "2011-12-30T10:00Z"},
		{"Pacific/Apia", "2011-12-31T12:00", "2011-12-30T22:00Z"},
		{"Pacific/Kwajalein", "1993-08-20T23:59", "1993-08-21T11:59Z"},
		{"Pacific/Kwajalein", "1993-08-21T12:00", "1993-08-22T00:00Z"},
		{"Pacific/Kwajalein", "1993-08-22T00:00", "1993-08-21T12:00Z"},
	};

	(void)state;
	assert_wall_to_utc(pairs, LENGTH(pairs));
}

/* Silence here would mean calls by the clock of Greenwich. */
static void an_unknown_zone_ends_the_process(void **state)
{
	int status;
	pid_t child;

	(void)state;
	fflush(NULL);
	child = fork();
	assert_true(child >= 0);
	if (child == 0) {
		if (freopen("/dev/null", "w", stderr) == NULL)
			_exit(2);
		zone_utc_to_wall("Europe/Atlantis", 0);
		_exit(0);
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 1);
}

/* A tz database elsewhere, with one zone, which then goes. */
static void the_directory_of_tzdir_counts(void **state)
{
	char directory[] = "/tmp/outdial-zones-XXXXXX", path[64];

	(void)state;
	assert_non_null(mkdtemp(directory));
	snprintf(path, sizeof path, "%s/Atlantis", directory);
	assert_int_equal(symlink("/usr/share/zoneinfo/Asia/Tokyo", path), 0);
	setenv("TZDIR", directory, 1);
	assert_true(zone_exists("Atlantis"));
	assert_false(zone_exists("Europe/Paris"));
	assert_instant(zone_utc_to_wall("Atlantis", at("2026-01-01T00:00Z")), "2026-01-01T09:00");
	assert_int_equal(unlink(path), 0);
	assert_int_equal(rmdir(directory), 0);
	assert_true(zone_exists("Atlantis")); /* in use, so in memory */
	unsetenv("TZDIR");
	assert_instant(zone_utc_to_wall("UTC", at("2026-01-01T00:00Z")), "2026-01-01T00:00");
	assert_false(zone_exists("Atlantis"));
}

/* The operator updates the tz database: a file takes the place of another. */
static void updates_are_noticed(void **state)
{
	char directory[] = "/tmp/outdial-zones-XXXXXX", path[64], other[64];
	const struct timespec pause = { .tv_nsec = 10 * 1000 * 1000 };
	int64_t noon = at("2026-01-01T12:00Z");

	(void)state;
	assert_non_null(mkdtemp(directory));
	snprintf(path, sizeof path, "%s/Atlantis", directory);
	snprintf(other, sizeof other, "%s/new", directory);
	assert_int_equal(symlink("/usr/share/zoneinfo/Asia/Tokyo", path), 0);
	assert_int_equal(symlink("/usr/share/zoneinfo/Europe/Berlin", other), 0);
	setenv("TZDIR", directory, 1);
	assert_instant(zone_utc_to_wall("Atlantis", noon), "2026-01-01T21:00");
	assert_int_equal(rename(other, path), 0);
	for (int tries = 0; tries < 1000 && zone_utc_to_wall("Atlantis", noon) != at("2026-01-01T13:00"); tries++)
		nanosleep(&pause, NULL);
	assert_instant(zone_utc_to_wall("Atlantis", noon), "2026-01-01T13:00");
	assert_int_equal(unlink(path), 0);
	assert_int_equal(rmdir(directory), 0);
	unsetenv("TZDIR");
	zone_utc_to_wall("UTC", noon);
}

static void the_next_change(void **state)
{
	(void)state;
	assert_instant(zone_next_change("Europe/Berlin", at("2026-03-28T23:00Z"), at("2026-03-29T22:00Z")),
	               "2026-03-29T01:00Z");
	assert_instant(zone_next_change("Europe/Berlin", at("2026-03-29T00:59:59.999999Z"), at("2026-03-29T22:00Z")),
	               "2026-03-29T01:00Z");
	assert_instant(zone_next_change("Europe/Berlin", at("2026-03-29T01:00Z"), at("2026-03-29T22:00Z")),
	               "2026-03-29T22:00Z");
	assert_instant(zone_next_change("Europe/Berlin", at("2026-03-28T23:00Z"), at("2026-03-29T01:00Z")),
	               "2026-03-29T01:00Z");
	assert_instant(zone_next_change("Europe/Berlin", at("2026-03-29T22:00Z"), at("2026-03-28T22:00Z")),
	               "2026-03-28T22:00Z");
}

int main(void)
{
	static const struct CMUnitTest group_tests[] = {
		cmocka_unit_test(names_of_zones),
		cmocka_unit_test(names_of_no_zones),
		cmocka_unit_test(plain_days),
		cmocka_unit_test(far_years),
		cmocka_unit_test(skipped_times_move_forward_by_the_gap),
		cmocka_unit_test(times_shown_twice_mean_the_first),
		cmocka_unit_test(skipped_days),
		cmocka_unit_test(an_unknown_zone_ends_the_process),
		cmocka_unit_test(the_directory_of_tzdir_counts),
		cmocka_unit_test(updates_are_noticed),
		cmocka_unit_test(the_next_change),
	};

	return cmocka_run_group_tests(group_tests, NULL, NULL);
}
