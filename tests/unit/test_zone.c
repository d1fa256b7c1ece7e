/* The expected times were worked out by hand from the published rules. plan_oracle.py compares many more. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/zone.h"
#include "base/zone_file.h"
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
	/* clang-format off */
	static const char *const names[][2] = { /* as given, as found */
		{ "UTC", "UTC" }, { "utc", "UTC" }, { "etc/utc", "Etc/UTC" }, { "Europe/Berlin", "Europe/Berlin" },
		{ "europe/berlin", "Europe/Berlin" }, { "AMERICA/ARGENTINA/BUENOS_AIRES", "America/Argentina/Buenos_Aires" },
		{ "America/Port-au-Prince", "America/Port-au-Prince" }, { "etc/gmt+12", "Etc/GMT+12" },
		{ "Antarctica/DumontDUrville", "Antarctica/DumontDUrville" }, { "asia/calcutta", "Asia/Calcutta" },
		{ "Europe/kiev", "Europe/Kiev" }, { "us/pacific", "US/Pacific" }, { "est", "EST" }, { "gb-EIRE", "GB-Eire" },
	};
	/* clang-format on */
	char name[ZONE_NAME_SIZE];

	(void)state;
	for (size_t i = 0; i < LENGTH(names); i++) {
		assert_int_equal(zone_find(names[i][0], name), ZONE_KNOWN);
		assert_string_equal(name, names[i][1]);
		assert_null(zone_trouble(name));
	}
}

static void names_of_no_zones(void **state)
{
	/* clang-format off */
	static const char *const others[] = {
		"", "/", "Europe", "Europe/", "/Europe/Berlin", "Europe//Berlin", "Europe/Berlin/",
		"Europe/Atlantis", "../zoneinfo/UTC", "Europe/../UTC", "./UTC", "../../etc/passwd", "etc/passwd",
		"/usr/share/zoneinfo/UTC", "posix/UTC", "right/UTC", "posixrules", "localtime",
		"Posix/Europe/Berlin", "RIGHT/UTC", "LocalTime", "factory", "right", "posix",
		"Factory", "zone.tab", "tzdata.zi", "leapseconds", ":UTC", "UTC0", "CET-1CEST",
		"UTC ", " UTC", "UTC\n", "Europe/Berl\xc3\xadn", "Europe Berlin", "Europe-Berlin", "-05:00", "+1",
		"Europe/A_name_that_is_longer_than_any_the_tz_database_has_ever_had",
	};
	/* clang-format on */
	char name[ZONE_NAME_SIZE];

	(void)state;
	for (size_t i = 0; i < LENGTH(others); i++)
		if (zone_find(others[i], name) != ZONE_NO_NAME)
			fail_msg("\"%s\" is not a zone", others[i]);
}

static void plain_days(void **state)
{
	static const struct pair pairs[] = {
		{ "UTC", "2026-07-01T12:00", "2026-07-01T12:00Z" },
		{ "Europe/Berlin", "2026-01-15T09:00", "2026-01-15T08:00Z" },
		{ "Europe/Berlin", "2026-07-15T09:00", "2026-07-15T07:00Z" },
		{ "America/New_York", "2026-01-15T20:00", "2026-01-16T01:00Z" },
		{ "Asia/Kathmandu", "2026-01-15T00:00:00.000001", "2026-01-14T18:15:00.000001Z" },
		{ "Pacific/Kiritimati", "2026-01-01T00:00", "2025-12-31T10:00Z" },
		{ "Etc/GMT+12", "2025-12-31T23:00", "2026-01-01T11:00Z" }, /* west of Greenwich, as in POSIX */
	};

	(void)state;
	assert_wall_to_utc(pairs, LENGTH(pairs));
	assert_utc_to_wall(pairs, LENGTH(pairs));
}

/* Years after the clock changes that the tz database lists one by one, and years before the epoch. */
static void far_years(void **state)
{
	static const struct pair pairs[] = {
		{ "Europe/Berlin", "2099-07-01T12:00", "2099-07-01T10:00Z" },
		{ "Europe/Berlin", "2099-12-01T12:00", "2099-12-01T11:00Z" },
		{ "America/New_York", "1969-12-31T18:59:59.999999", "1969-12-31T23:59:59.999999Z" },
		{ "America/New_York", "1960-07-01T00:00:00.000001", "1960-07-01T04:00:00.000001Z" },
		{ "America/New_York", "1960-04-24T01:59:59.999999", "1960-04-24T06:59:59.999999Z" },
	};

	(void)state;
	assert_wall_to_utc(pairs, LENGTH(pairs));
	assert_utc_to_wall(pairs, LENGTH(pairs));
}

static void skipped_times_move_forward_by_the_gap(void **state)
{
	static const struct pair pairs[] = {
		/* 02:00 -> 03:00 at 01:00Z */
		{ "Europe/Berlin", "2026-03-29T01:59:59.999999", "2026-03-29T00:59:59.999999Z" },
		{ "Europe/Berlin", "2026-03-29T02:00", "2026-03-29T01:00Z" },
		{ "Europe/Berlin", "2026-03-29T02:30", "2026-03-29T01:30Z" }, /* shows 03:30 */
		{ "Europe/Berlin", "2026-03-29T02:59:59.999999", "2026-03-29T01:59:59.999999Z" },
		{ "Europe/Berlin", "2026-03-29T03:00", "2026-03-29T01:00Z" },
		/* 02:00 -> 03:00 at 07:00Z */
		{ "America/New_York", "2026-03-08T02:30", "2026-03-08T07:30Z" },
		/* 02:00 -> 02:30 at 15:30Z of the day before */
		{ "Australia/Lord_Howe", "2026-10-04T02:15", "2026-10-03T15:45Z" },
		{ "Australia/Lord_Howe", "2026-10-04T02:30", "2026-10-03T15:30Z" },
		/* 00:00 -> 01:00 at 22:00Z of the day before */
		{ "Asia/Beirut", "2026-03-29T00:00", "2026-03-28T22:00Z" },
		{ "Asia/Beirut", "2026-03-29T00:30", "2026-03-28T22:30Z" },
		/* 23:00 -> 00:00 at 01:00Z */
		{ "America/Nuuk", "2026-03-28T23:30", "2026-03-29T01:30Z" },
		{ "America/Nuuk", "2026-03-29T00:00", "2026-03-29T01:00Z" },
		/* 00:00 -> 00:44:30 at 00:44:30Z */
		{ "Africa/Monrovia", "1972-01-06T12:00", "1972-01-06T12:44:30Z" },
		{ "Africa/Monrovia", "1972-01-07T00:10", "1972-01-07T00:54:30Z" },
		{ "Africa/Monrovia", "1972-01-07T00:44:30", "1972-01-07T00:44:30Z" },
	};

	(void)state;
	assert_wall_to_utc(pairs, LENGTH(pairs));
}

static void times_shown_twice_mean_the_first(void **state)
{
	static const struct pair pairs[] = {
		/* 03:00 -> 02:00 at 01:00Z */
		{ "Europe/Berlin", "2026-10-25T02:00", "2026-10-25T00:00Z" },
		{ "Europe/Berlin", "2026-10-25T02:30", "2026-10-25T00:30Z" },
		{ "Europe/Berlin", "2026-10-25T02:59:59.999999", "2026-10-25T00:59:59.999999Z" },
		{ "Europe/Berlin", "2026-10-25T03:00", "2026-10-25T02:00Z" },
		/* 02:00 -> 01:00 at 06:00Z */
		{ "America/New_York", "2026-11-01T01:30", "2026-11-01T05:30Z" },
		/* 02:00 -> 01:30 at 15:00Z of the day before */
		{ "Australia/Lord_Howe", "2026-04-05T01:45", "2026-04-04T14:45Z" },
		/* 00:00 -> 23:00 of the day before, at 21:00Z */
		{ "Asia/Beirut", "2026-10-24T23:30", "2026-10-24T20:30Z" },
		{ "Asia/Beirut", "2026-10-25T00:00", "2026-10-24T22:00Z" },
		/* 01:00 -> 00:00 at 01:00Z */
		{ "Atlantic/Azores", "2026-10-25T00:00", "2026-10-25T00:00Z" },
		{ "Atlantic/Azores", "2026-10-25T01:00", "2026-10-25T02:00Z" },
	};
	static const struct pair second[] = {
		{ "Europe/Berlin", "2026-10-25T02:30", "2026-10-25T01:30Z" },
		{ "Asia/Beirut", "2026-10-24T23:30", "2026-10-24T21:30Z" },
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
		{ "Pacific/Apia", "2011-12-29T23:59", "2011-12-30T09:59Z" },
		{ "Pacific/Apia", "2011-12-30T00:00", "2011-12-30T10:00Z" },
		{ "Pacific/Apia", "2011-12-30T12:00", "2011-12-30T22:00Z" }, /* noon of the 31st */
		{ "Pacific/Apia", "2011-12-31T00:00", "2011-12-30T10:00Z" },
		{ "Pacific/Apia", "2011-12-31T12:00", "2011-12-30T22:00Z" },
		{ "Pacific/Kwajalein", "1993-08-20T23:59", "1993-08-21T11:59Z" },
		{ "Pacific/Kwajalein", "1993-08-21T12:00", "1993-08-22T00:00Z" },
		{ "Pacific/Kwajalein", "1993-08-22T00:00", "1993-08-21T12:00Z" },
	};

	(void)state;
	assert_wall_to_utc(pairs, LENGTH(pairs));
}

/* Otherwise calls would be made by the clock of Greenwich. */
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

/* A folder with a tz database for one test. */
struct folder {
	char path[64];
};

static struct folder begin_folder(void)
{
	struct folder folder = { "/tmp/outdial-zones-XXXXXX" };

	assert_non_null(mkdtemp(folder.path));
	setenv("TZDIR", folder.path, 1);
	return folder;
}

static void put_file(const struct folder *folder, const char *name, const void *bytes, size_t len)
{
	char path[256], fresh[256];
	FILE *file;

	snprintf(fresh, sizeof fresh, "%s/.new", folder->path);
	snprintf(path, sizeof path, "%s/%s", folder->path, name);
	file = fopen(fresh, "w");
	assert_non_null(file);
	assert_int_equal(fwrite(bytes, 1, len, file), len);
	assert_int_equal(fclose(file), 0);
	assert_int_equal(rename(fresh, path), 0);
}

static uint8_t host_bytes[ZONE_FILE_MAX];

/* Reads a file of the host's own tz database. */
static size_t read_host(const char *name)
{
	char path[256];
	FILE *file;
	size_t len;

	snprintf(path, sizeof path, "/usr/share/zoneinfo/%s", name);
	file = fopen(path, "r");
	assert_non_null(file);
	len = fread(host_bytes, 1, sizeof host_bytes, file);
	fclose(file);
	return len;
}

static void copy_host(const struct folder *folder, const char *from, const char *name)
{
	size_t len = read_host(from);

	put_file(folder, name, host_bytes, len);
}

static void remove_file(const struct folder *folder, const char *name)
{
	char path[256];

	snprintf(path, sizeof path, "%s/%s", folder->path, name);
	assert_int_equal(unlink(path), 0);
}

static void end_folder(const struct folder *folder)
{
	char command[128];

	snprintf(command, sizeof command, "rm -r %s", folder->path);
	assert_int_equal(system(command), 0);
	unsetenv("TZDIR");
}

/* A process looks at the files once a second, so this waits. */
static void wait_for_trouble(const char *zone, const char *trouble)
{
	const struct timespec pause = { .tv_nsec = 10 * 1000 * 1000 };
	const char *now = zone_trouble(zone);

	for (int tries = 0; tries < 1000; tries++, now = zone_trouble(zone)) {
		if (trouble == NULL ? now == NULL : now != NULL && strcmp(now, trouble) == 0)
			return;
		nanosleep(&pause, NULL);
	}
	fail_msg("%s: %s", zone, now == NULL ? "can be read" : now);
}

#define NO_FILE "this host has no file for it"
#define DAMAGED "its file is damaged"

static void a_zone_goes_and_comes_back(void **state)
{
	struct folder folder = begin_folder();
	int64_t noon = at("2026-01-01T12:00Z");

	(void)state;
	copy_host(&folder, "Asia/Tokyo", "Atlantis");
	wait_for_trouble("Atlantis", NULL);
	assert_string_equal(zone_trouble("Europe/Paris"), NO_FILE);
	assert_instant(zone_utc_to_wall("Atlantis", noon), "2026-01-01T21:00");
	remove_file(&folder, "Atlantis");
	wait_for_trouble("Atlantis", NO_FILE);
	assert_instant(zone_utc_to_wall("Atlantis", noon), "2026-01-01T21:00"); /* the old rules stay in use */
	put_file(&folder, "Atlantis", "TZif2", 5);
	wait_for_trouble("Atlantis", DAMAGED);
	copy_host(&folder, "Europe/Berlin", "Atlantis");
	wait_for_trouble("Atlantis", NULL);
	assert_instant(zone_utc_to_wall("Atlantis", noon), "2026-01-01T13:00");
	end_folder(&folder);
	assert_string_equal(zone_trouble("Atlantis"), NO_FILE);
}

/* The folder has files of zones and a list of all names, as on Debian 13 without tzdata-legacy. */
static void links_without_files(void **state)
{
	static const char list[] =
		"# version x\nR d 1916 o - Jun 14 23s 1 S\nZ Asia/Kolkata 5:30 - IST\nZ Asia/Tokyo 9 - JST\n"
		"L Asia/Kolkata Asia/Calcutta\nL Asia/Calcutta IN\nL IN India\nL Loop Pool\nL Pool Loop\n"
		"L ../../etc/passwd Evil\nL Asia/Kolkata posix/Calcutta\nL\nL Asia/Tokyo\nZ\n"
		"L Asia/Tokyo Japan";
	struct folder folder = begin_folder();
	int64_t noon = at("2026-01-01T12:00Z");
	char name[ZONE_NAME_SIZE], path[256];

	(void)state;
	snprintf(path, sizeof path, "%s/Asia", folder.path);
	assert_int_equal(mkdir(path, 0755), 0);
	put_file(&folder, "tzdata.zi", list, sizeof list - 1);
	copy_host(&folder, "Asia/Kolkata", "Asia/Kolkata");
	assert_int_equal(zone_find("ASIA/calcutta", name), ZONE_KNOWN);
	assert_string_equal(name, "Asia/Calcutta");
	assert_instant(zone_utc_to_wall("Asia/Calcutta", noon), "2026-01-01T17:30");
	assert_instant(zone_utc_to_wall("India", noon), "2026-01-01T17:30");
	assert_int_equal(zone_find("japan", name), ZONE_KNOWN);
	assert_string_equal(name, "Japan");
	assert_string_equal(zone_trouble(name), NO_FILE); /* its target has no file either */
	assert_string_equal(zone_trouble("Loop"), NO_FILE);
	assert_int_equal(zone_find("Evil", name), ZONE_NO_NAME);
	assert_int_equal(zone_find("posix/Calcutta", name), ZONE_NO_NAME);
	assert_int_equal(zone_find("Europe/Berlin", name), ZONE_NO_NAME); /* this list does not have it */
	copy_host(&folder, "Asia/Tokyo", "Asia/Tokyo");
	wait_for_trouble("Japan", NULL);
	copy_host(&folder, "Europe/Berlin", "Asia/Calcutta"); /* a link's own file is used before the file of its target */
	wait_for_trouble("Asia/Calcutta", NULL);
	for (int tries = 0; tries < 1000 && zone_utc_to_wall("Asia/Calcutta", noon) != at("2026-01-01T13:00"); tries++)
		nanosleep(&(struct timespec){ .tv_nsec = 10 * 1000 * 1000 }, NULL);
	assert_instant(zone_utc_to_wall("Asia/Calcutta", noon), "2026-01-01T13:00");
	end_folder(&folder);
}

static void a_folder_without_a_list(void **state)
{
	struct folder folder = begin_folder();
	char name[ZONE_NAME_SIZE], path[256];

	(void)state;
	assert_int_equal(zone_find("Europe/Berlin", name), ZONE_CANNOT_SAY);
	assert_int_equal(zone_find("posix/UTC", name), ZONE_NO_NAME);
	assert_int_equal(zone_find("utc", name), ZONE_KNOWN);
	assert_string_equal(name, "UTC");
	assert_instant(zone_utc_to_wall("UTC", at("2026-01-01T00:00Z")), "2026-01-01T00:00");
	assert_null(zone_trouble("Etc/UTC"));
	end_folder(&folder);
	folder = begin_folder();
	snprintf(path, sizeof path, "%s/Europe", folder.path);
	assert_int_equal(mkdir(path, 0755), 0);
	copy_host(&folder, "Europe/Berlin", "Europe/Berlin");
	put_file(&folder, "leapseconds", "# none", 6);
	assert_int_equal(zone_find("EUROPE/BERLIN", name), ZONE_KNOWN);
	assert_string_equal(name, "Europe/Berlin");
	assert_int_equal(zone_find("leapseconds", name), ZONE_CANNOT_SAY);
	assert_int_equal(zone_find("Asia/Calcutta", name), ZONE_CANNOT_SAY);
	end_folder(&folder);
	setenv("TZDIR", "/nowhere", 1);
	assert_int_equal(zone_find("Europe/Berlin", name), ZONE_CANNOT_SAY);
	unsetenv("TZDIR");
}

/* Every beginning of a file, and every file with one byte changed, is refused or read; none ends the process. */
static void damaged_files(void **state)
{
	static const char *const zones[] = { "Europe/Berlin", "Etc/GMT+12", "America/Nuuk", "Africa/Casablanca" };
	struct zone_rules *rules;

	(void)state;
	for (size_t z = 0; z < LENGTH(zones); z++) {
		size_t len = read_host(zones[z]);

		assert_null(zone_rules_parse(host_bytes, len, &rules));
		zone_rules_free(rules);
		for (size_t cut = 0; cut < len; cut++) {
			uint8_t *exact = malloc(cut + 1);

			memcpy(exact, host_bytes, cut);
			assert_string_equal(zone_rules_parse(exact, cut, &rules), DAMAGED);
			assert_null(rules);
			free(exact);
		}
		for (size_t i = 0; i < 4 * len; i++) {
			uint8_t before = host_bytes[i / 4];

			host_bytes[i / 4] = (uint8_t[]){ 0, 0xff, 0x7f, (uint8_t)(before + 1) }[i % 4];
			if (zone_rules_parse(host_bytes, len, &rules) == NULL)
				zone_rules_offset(rules, INT64_C(4102444800));
			zone_rules_free(rules);
			host_bytes[i / 4] = before;
		}
	}
}

/* The operator updates the tz database: a file is replaced. */
static void updates_are_noticed(void **state)
{
	const struct timespec pause = { .tv_nsec = 10 * 1000 * 1000 };
	struct folder folder = begin_folder();
	int64_t noon = at("2026-01-01T12:00Z");

	(void)state;
	copy_host(&folder, "Asia/Tokyo", "Atlantis");
	assert_instant(zone_utc_to_wall("Atlantis", noon), "2026-01-01T21:00");
	copy_host(&folder, "Europe/Berlin", "Atlantis");
	for (int tries = 0; tries < 1000 && zone_utc_to_wall("Atlantis", noon) != at("2026-01-01T13:00"); tries++)
		nanosleep(&pause, NULL);
	assert_instant(zone_utc_to_wall("Atlantis", noon), "2026-01-01T13:00");
	end_folder(&folder);
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
		cmocka_unit_test(a_zone_goes_and_comes_back),
		cmocka_unit_test(links_without_files),
		cmocka_unit_test(a_folder_without_a_list),
		cmocka_unit_test(damaged_files),
		cmocka_unit_test(updates_are_noticed),
		cmocka_unit_test(the_next_change),
	};

	return cmocka_run_group_tests(group_tests, NULL, NULL);
}
