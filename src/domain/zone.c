/* glibc reads the tz database; this file asks it one question only, the offset from UTC at an
 * instant (localtime_r's tm_gmtoff), and works out everything else from that. mktime is of no use
 * here: how it takes a wall time that is skipped or comes twice hangs on tm_isdst, and not every
 * change of the clock has one.
 *
 * glibc holds one zone at a time, the one named by TZ. Another zone means reading its file, so
 * callers with many zones work zone by zone; the zone in use costs a string comparison. glibc does not
 * look at a file again, so we do, once a second. */
#include "domain/zone.h"

#include <ctype.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"

#define NAME_SIZE ZONE_NAME_SIZE
#define PATH_SIZE 4096
#define FILE_CHECK_US US_PER_SECOND

/* Handed to putenv, which keeps this very memory: changing zones allocates and leaks nothing. The
 * colon makes glibc look for a file first, so that no name is taken for a rule like "EST5EDT". */
static char tz_variable[sizeof "TZ=:" + NAME_SIZE] = "TZ=:";
static char *const zone_in_use = tz_variable + sizeof "TZ=:" - 1;

static bool is_reserved(const char *name)
{
	static const char *const reserved[] = {
		"posix/", "right/", "posixrules", "localtime", "Factory",
	};

	for (size_t i = 0; i < sizeof reserved / sizeof *reserved; i++)
		if (strncmp(name, reserved[i], strlen(reserved[i])) == 0)
			return true;
	return false;
}

/* Parts that begin with a letter, joined by slashes. No dots, hence no way out of the directory. */
static bool is_iana_name(const char *name)
{
	size_t len = strnlen(name, NAME_SIZE);
	bool part_begins = true;

	if (len == NAME_SIZE || is_reserved(name))
		return false;
	for (size_t i = 0; i < len; i++) {
		unsigned char c = (unsigned char)name[i];

		if (part_begins ? !isalpha(c) : !isalnum(c) && strchr("/_+-", c) == NULL)
			return false;
		part_begins = c == '/';
	}
	return !part_begins;
}

static bool find_file(const char *name, char path[PATH_SIZE])
{
	const char *directory = getenv("TZDIR");
	int len;

	if (directory == NULL || *directory == '\0')
		directory = "/usr/share/zoneinfo";
	len = snprintf(path, PATH_SIZE, "%s/%s", directory, name);
	return len > 0 && len < PATH_SIZE;
}

static bool has_zone_file(const char *name)
{
	char path[PATH_SIZE], magic[4];
	bool found;
	int file;

	if (!find_file(name, path))
		return false;
	file = open(path, O_RDONLY | O_CLOEXEC);
	if (file < 0)
		return false;
	found = read(file, magic, sizeof magic) == sizeof magic && memcmp(magic, "TZif", 4) == 0;
	close(file);
	return found;
}

/* The zone in use is in memory, whatever has become of its file. */
bool zone_exists(const char *name)
{
	return is_iana_name(name) && (strcmp(name, zone_in_use) == 0 || has_zone_file(name));
}

static struct stat file_in_use;
static int64_t file_checked_us;

/* The tz database was updated, and with it the file that the zone in use was read from. One that went, or
 * is none any more, changes nothing: glibc would go on with UTC. */
static bool was_updated(void)
{
	char path[PATH_SIZE];
	struct stat now;

	if (clock_mono_us() - file_checked_us < FILE_CHECK_US)
		return false;
	file_checked_us = clock_mono_us();
	if (!find_file(zone_in_use, path) || stat(path, &now) != 0)
		return false;
	return (now.st_mtim.tv_sec != file_in_use.st_mtim.tv_sec ||
	        now.st_mtim.tv_nsec != file_in_use.st_mtim.tv_nsec || now.st_ino != file_in_use.st_ino ||
	        now.st_dev != file_in_use.st_dev) && has_zone_file(zone_in_use);
}

static void set_tz(const char *name)
{
	strcpy(zone_in_use, name);
	if (putenv(tz_variable) != 0)
		fatal("cannot set TZ");
	tzset();
}

static void load_zone(const char *name)
{
	char path[PATH_SIZE];

	/* Before glibc reads it: if it changes in between, it is read once more. */
	if (!find_file(name, path) || stat(path, &file_in_use) != 0)
		memset(&file_in_use, 0, sizeof file_in_use);
	file_checked_us = clock_mono_us();
	set_tz(name);
}

static void use_zone(const char *name)
{
	if (strcmp(name, zone_in_use) != 0) {
		if (!zone_exists(name)) /* glibc would take it for UTC and have people called at night */
			fatal("time zone \"%s\" is not in the tz database", name);
		load_zone(name);
	} else if (was_updated()) {
		set_tz(""); /* a TZ that is the same as before glibc does not read again */
		load_zone(name);
	}
}

/* East is positive. Clocks change on whole seconds: the second that holds the instant decides. */
static int64_t offset_at(int64_t utc_us)
{
	time_t second = (utc_us >= 0 ? utc_us : utc_us - (US_PER_SECOND - 1)) / US_PER_SECOND;
	struct tm local;

	if (localtime_r(&second, &local) == NULL)
		fatal("no local time in zone %s at %lld", zone_in_use, (long long)second);
	return local.tm_gmtoff * US_PER_SECOND;
}

int64_t zone_utc_to_wall(const char *zone, int64_t utc_us)
{
	use_zone(zone);
	return utc_us + offset_at(utc_us);
}

/* No offset reaches a day, and no zone has changed its clocks twice within three days (at least
 * not since 1970): only the offsets a day to either side can hold. The earlier one is tried first
 * because it gives the first occurrence of a wall time shown twice. Where neither holds, the wall
 * time is one that was skipped; read by the earlier offset it lies behind the change, moved by the
 * gap. */
int64_t zone_wall_to_utc(const char *zone, int64_t wall_us)
{
	int64_t before, after;

	use_zone(zone);
	before = offset_at(wall_us - US_PER_DAY);
	if (offset_at(wall_us - before) == before)
		return wall_us - before;
	after = offset_at(wall_us + US_PER_DAY);
	if (offset_at(wall_us - after) == after)
		return wall_us - after;
	return wall_us - before;
}

/* Between two instants a day or so apart there is one change at most: see above. */
int64_t zone_next_change(const char *zone, int64_t from_us, int64_t until_us)
{
	int64_t before, low = from_us, high = until_us - 1;

	use_zone(zone);
	if (low >= high || (before = offset_at(low)) == offset_at(high))
		return until_us;
	while (high - low > 1) {
		int64_t middle = low + (high - low) / 2;

		if (offset_at(middle) == before)
			low = middle;
		else
			high = middle;
	}
	return high;
}
