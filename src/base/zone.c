/* Zones stay in memory once they are read. Only one question is asked of them, the offset from UTC at an instant;
 * everything else follows from that.
 *
 * No event says that a file has changed, so the files are looked at once a second. */
#include "base/zone.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/zone_file.h"

#define PATH_SIZE 4096
#define FILE_CHECK_US US_PER_SECOND
#define BUCKETS 256
#define ZONES_MAX 2000 /* more than there are zones: further names are not zones */
#define LINKS_MAX 4    /* a link may point to another link */

struct zone {
	char name[ZONE_NAME_SIZE];
	struct zone_rules *rules; /* as they were last read; NULL: never */
	const char *trouble;      /* why they cannot be read now; NULL: they can */
	struct stat file;         /* the file that they were read from */
	int64_t checked_us;
	struct zone *next;
};

static struct zone *zones[BUCKETS];
static size_t zone_count;
static struct zone *last_used; /* most questions are about the same zone as the question before */
static char folder_in_use[PATH_SIZE];

static const char *folder(void)
{
	const char *given = getenv("TZDIR");

	return given == NULL || *given == '\0' ? "/usr/share/zoneinfo" : given;
}

static void forget_zones(void)
{
	for (size_t i = 0; i < BUCKETS; i++)
		for (struct zone *zone = zones[i], *next; zone != NULL; zone = next) {
			next = zone->next;
			zone_rules_free(zone->rules);
			free(zone);
		}
	memset(zones, 0, sizeof zones);
	zone_count = 0;
	last_used = NULL;
}

static struct zone **find_bucket(const char *name)
{
	unsigned hash = 5381;

	for (; *name != '\0'; name++)
		hash = hash * 33 + (unsigned char)*name;
	return &zones[hash % BUCKETS];
}

static struct zone *add_zone(const char *name)
{
	struct zone *zone, **bucket;

	if (zone_count == ZONES_MAX)
		forget_zones();
	bucket = find_bucket(name);
	zone = calloc(1, sizeof *zone);
	if (zone == NULL)
		fatal("out of memory");
	snprintf(zone->name, sizeof zone->name, "%s", name);
	zone->next = *bucket;
	zone_count++;
	return *bucket = zone;
}

static bool needs_no_file(const char *name)
{
	return strcmp(name, "UTC") == 0 || strcmp(name, "Etc/UTC") == 0;
}

/* Finds the file of the zone, or of the zone that the link points to. Returns false if there is none. */
static bool find_file(const char *name, char path[PATH_SIZE], struct stat *file)
{
	for (int links = 0; links <= LINKS_MAX; links++) {
		const struct zone_name *known;
		int len = snprintf(path, PATH_SIZE, "%s/%s", folder(), name);

		if (len < 0 || len >= PATH_SIZE)
			return false;
		if (stat(path, file) == 0)
			return true;
		zone_names_refresh(folder());
		known = zone_names_find(name);
		if (known == NULL || known->target == NULL)
			return false;
		name = known->target;
	}
	return false;
}

static bool is_same_file(const struct stat *a, const struct stat *b)
{
	return a->st_mtim.tv_sec == b->st_mtim.tv_sec && a->st_mtim.tv_nsec == b->st_mtim.tv_nsec &&
	       a->st_ctim.tv_sec == b->st_ctim.tv_sec && a->st_ctim.tv_nsec == b->st_ctim.tv_nsec &&
	       a->st_ino == b->st_ino && a->st_dev == b->st_dev && a->st_size == b->st_size;
}

/* The rules that were read before stay, because a caller may still be working with them. */
static void read_zone(struct zone *zone, const char *path, const struct stat *file)
{
	struct zone_rules *rules;

	zone->trouble = zone_file_read(path, &rules);
	if (zone->trouble != NULL)
		return;
	zone_rules_free(zone->rules);
	zone->rules = rules;
	zone->file = *file;
}

static void check_file(struct zone *zone)
{
	char path[PATH_SIZE];
	struct stat file; /* stat() comes before the read: if the file changes in between, it is read again */

	zone->checked_us = clock_mono_us();
	if (needs_no_file(zone->name)) {
		if (zone->rules == NULL)
			zone->rules = zone_rules_utc();
	} else if (!find_file(zone->name, path, &file)) {
		zone->trouble = "this host has no file for it";
	} else if (zone->rules == NULL || zone->trouble != NULL || !is_same_file(&file, &zone->file)) {
		read_zone(zone, path, &file);
	}
}

/* Returns NULL if no zone has this name. */
static struct zone *get_zone(const char *name)
{
	struct zone *zone = last_used;

	if (strcmp(folder(), folder_in_use) != 0) {
		forget_zones();
		snprintf(folder_in_use, sizeof folder_in_use, "%s", folder());
		zone = NULL;
	}
	if (zone == NULL || strcmp(zone->name, name) != 0) {
		if (!zone_name_is_valid(name))
			return NULL;
		for (zone = *find_bucket(name); zone != NULL && strcmp(zone->name, name) != 0;)
			zone = zone->next;
		if (zone == NULL)
			zone = add_zone(name);
	}
	if (zone->checked_us == 0 || clock_mono_us() - zone->checked_us >= FILE_CHECK_US)
		check_file(zone);
	return last_used = zone;
}

static void write_name(char out[ZONE_NAME_SIZE], const char *name)
{
	snprintf(out, ZONE_NAME_SIZE, "%s", name);
}

enum zone_lookup zone_find(const char *given, char name[ZONE_NAME_SIZE])
{
	const struct zone_name *known;
	char path[PATH_SIZE];
	struct stat file;

	if (!zone_name_is_valid(given))
		return ZONE_NO_NAME;
	zone_names_refresh(folder());
	known = zone_names_find(given);
	if (known != NULL)
		write_name(name, known->name);
	else if (strcasecmp(given, "UTC") == 0)
		write_name(name, "UTC");
	else if (strcasecmp(given, "Etc/UTC") == 0)
		write_name(name, "Etc/UTC");
	else if (find_file(given, path, &file) && zone_trouble(given) == NULL) /* a file that is missing in the list */
		write_name(name, given);
	else
		return zone_names_are_complete() ? ZONE_NO_NAME : ZONE_CANNOT_SAY;
	return ZONE_KNOWN;
}

const char zone_cannot_say[] = "cannot be looked up: this server has no list of time zones now";

const char *zone_check(struct arena *arena, const char **value)
{
	char name[ZONE_NAME_SIZE];

	switch (zone_find(*value, name)) {
	case ZONE_KNOWN: *value = arena_strdup(arena, name); return NULL;
	case ZONE_CANNOT_SAY: return zone_cannot_say;
	default: return "is not an IANA time zone";
	}
}

const char *zone_trouble(const char *name)
{
	const struct zone *zone = get_zone(name);

	return zone == NULL ? "this is not the name of a time zone" : zone->trouble;
}

static const struct zone_rules *rules_of(const char *name)
{
	const struct zone *zone = get_zone(name);

	if (zone == NULL || zone->rules == NULL) /* with UTC instead, people would be called at night */
		fatal("the time zone \"%s\" cannot be read", name);
	return zone->rules;
}

/* East is positive. Clocks change on whole seconds, so the second that contains the instant decides. */
static int64_t offset_at(const struct zone_rules *rules, int64_t utc_us)
{
	int64_t second = (utc_us >= 0 ? utc_us : utc_us - (US_PER_SECOND - 1)) / US_PER_SECOND;

	return zone_rules_offset(rules, second) * US_PER_SECOND;
}

int64_t zone_utc_to_wall(const char *zone, int64_t utc_us)
{
	return utc_us + offset_at(rules_of(zone), utc_us);
}

/* No offset reaches a day, and no zone has changed its clocks twice within three days (at least not since 1970). So
 * only the offsets a day before and a day after are possible. The earlier offset is tried first, because it gives the
 * first occurrence of a wall time that is shown twice. If neither fits, the wall time was skipped. Read by the earlier
 * offset, it is after the change, moved by the gap. */
int64_t zone_wall_to_utc(const char *zone, int64_t wall_us)
{
	const struct zone_rules *rules = rules_of(zone);
	int64_t before = offset_at(rules, wall_us - US_PER_DAY), after;

	if (offset_at(rules, wall_us - before) == before)
		return wall_us - before;
	after = offset_at(rules, wall_us + US_PER_DAY);
	if (offset_at(rules, wall_us - after) == after)
		return wall_us - after;
	return wall_us - before;
}

/* Between two instants that are about a day apart there is at most one change: see above. */
int64_t zone_next_change(const char *zone, int64_t from_us, int64_t until_us)
{
	const struct zone_rules *rules = rules_of(zone);
	int64_t before, low = from_us, high = until_us - 1;

	if (low >= high || (before = offset_at(rules, low)) == offset_at(rules, high))
		return until_us;
	while (high - low > 1) {
		int64_t middle = low + (high - low) / 2;

		if (offset_at(rules, middle) == before)
			low = middle;
		else
			high = middle;
	}
	return high;
}
