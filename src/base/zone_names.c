#include "base/zone_names.h"

#include <ctype.h>
#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"

#define PATH_SIZE 4096
#define NAMES_MAX 10000
#define CHECK_US US_PER_SECOND
#define SEARCH_AGAIN_US (10 * US_PER_SECOND) /* a folder without a list is searched again after this time */
#define DEPTH_MAX 3                          /* America/Argentina/Buenos_Aires */

static struct {
	char folder[PATH_SIZE];
	struct zone_name *list; /* sorted by name, ignoring case */
	size_t count, room;
	bool is_loaded, is_complete;
	struct stat status; /* of the list */
	int64_t checked_us, loaded_us;
} names;

static bool is_reserved(const char *name)
{
	static const char *const reserved[] = { "posix/", "right/", "posixrules", "localtime", "Factory" };

	for (size_t i = 0; i < sizeof reserved / sizeof *reserved; i++)
		if (strncasecmp(name, reserved[i], strlen(reserved[i])) == 0)
			return true;
	return false;
}

bool zone_name_is_valid(const char *text)
{
	size_t len = strnlen(text, ZONE_NAME_SIZE);
	bool part_begins = true;

	if (len == ZONE_NAME_SIZE || is_reserved(text))
		return false;
	for (size_t i = 0; i < len; i++) {
		unsigned char c = (unsigned char)text[i];

		if (part_begins ? !isalpha(c) : !isalnum(c) && strchr("/_+-", c) == NULL)
			return false;
		part_begins = c == '/';
	}
	return !part_begins;
}

static char *copy_text(const char *text)
{
	char *copy = strdup(text);

	if (copy == NULL)
		fatal("out of memory");
	return copy;
}

static void add_name(const char *name, const char *target)
{
	if (!zone_name_is_valid(name) || (target != NULL && !zone_name_is_valid(target)) || names.count == NAMES_MAX)
		return;
	if (names.count == names.room) {
		names.room = 2 * names.room + 256;
		names.list = realloc(names.list, names.room * sizeof *names.list);
		if (names.list == NULL)
			fatal("out of memory");
	}
	names.list[names.count++] = (struct zone_name){
		.name = copy_text(name),
		.target = target == NULL ? NULL : copy_text(target),
	};
}

static void forget_names(void)
{
	for (size_t i = 0; i < names.count; i++) {
		free(names.list[i].name);
		free(names.list[i].target);
	}
	names.count = 0;
	names.is_complete = false;
}

/* "Z Europe/Berlin 0:53:28 - LMT …", "L Europe/Berlin Arctic/Longyearbyen"; all other lines are rules. */
static void take_line(char *line)
{
	char *rest, *kind = strtok_r(line, " \t\n", &rest), *first, *second;

	if (kind == NULL ||
	    (strcmp(kind, "Z") != 0 && strcmp(kind, "L") != 0 && strcmp(kind, "Zone") != 0 && strcmp(kind, "Link") != 0))
		return;
	first = strtok_r(NULL, " \t\n", &rest);
	second = strtok_r(NULL, " \t\n", &rest);
	if (first == NULL || second == NULL)
		return;
	if (*kind == 'Z')
		add_name(first, NULL);
	else
		add_name(second, first);
}

static bool is_zone_file(const char *path)
{
	int file = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	char magic[4];
	bool found = file >= 0 && read(file, magic, sizeof magic) == sizeof magic && memcmp(magic, "TZif", 4) == 0;

	if (file >= 0)
		close(file);
	return found;
}

static void search_folder(const char *under, int depth)
{
	char path[2 * PATH_SIZE], name[2 * ZONE_NAME_SIZE];
	struct dirent *entry;
	struct stat status;
	DIR *folder;

	snprintf(path, sizeof path, "%s/%s", names.folder, under);
	folder = opendir(path);
	while (folder != NULL && (entry = readdir(folder)) != NULL) {
		if (snprintf(name, sizeof name, "%s%s%.*s", under, *under == '\0' ? "" : "/", ZONE_NAME_SIZE, entry->d_name) >=
		        ZONE_NAME_SIZE ||
		    !zone_name_is_valid(name))
			continue;
		snprintf(path, sizeof path, "%s/%s", names.folder, name);
		if (stat(path, &status) != 0)
			continue;
		if (S_ISDIR(status.st_mode) && depth < DEPTH_MAX && strcmp(name, "posix") != 0 && strcmp(name, "right") != 0)
			search_folder(name, depth + 1);
		else if (S_ISREG(status.st_mode) && is_zone_file(path))
			add_name(name, NULL);
	}
	if (folder != NULL)
		closedir(folder);
}

static int compare_names(const void *a, const void *b)
{
	return strcasecmp(((const struct zone_name *)a)->name, ((const struct zone_name *)b)->name);
}

static FILE *open_list(struct stat *status)
{
	char path[PATH_SIZE + 16];

	memset(status, 0, sizeof *status);
	snprintf(path, sizeof path, "%s/tzdata.zi", names.folder);
	return stat(path, status) == 0 && S_ISREG(status->st_mode) ? fopen(path, "re") : NULL;
}

static void load_names(void)
{
	FILE *file;

	forget_names();
	file = open_list(&names.status);
	if (file != NULL) {
		char line[1024];

		while (fgets(line, sizeof line, file) != NULL)
			take_line(line);
		names.is_complete = ferror(file) == 0 && names.count != 0;
		fclose(file);
	}
	if (!names.is_complete)
		search_folder("", 1);
	if (names.count != 0)
		qsort(names.list, names.count, sizeof *names.list, compare_names);
	names.is_loaded = true;
	names.loaded_us = clock_mono_us();
}

static bool have_changed(void)
{
	struct stat now;
	FILE *file;

	if (!names.is_complete && clock_mono_us() - names.loaded_us >= SEARCH_AGAIN_US)
		return true;
	file = open_list(&now);
	if (file != NULL)
		fclose(file);
	return now.st_ino != names.status.st_ino || now.st_dev != names.status.st_dev ||
	       now.st_size != names.status.st_size || now.st_mtim.tv_sec != names.status.st_mtim.tv_sec ||
	       now.st_mtim.tv_nsec != names.status.st_mtim.tv_nsec;
}

void zone_names_refresh(const char *folder)
{
	bool is_other = strcmp(folder, names.folder) != 0;

	if (!is_other && names.is_loaded && clock_mono_us() - names.checked_us < CHECK_US)
		return;
	if (is_other)
		snprintf(names.folder, sizeof names.folder, "%s", folder);
	names.checked_us = clock_mono_us();
	if (is_other || !names.is_loaded || have_changed())
		load_names();
}

const struct zone_name *zone_names_find(const char *name)
{
	struct zone_name key = { .name = (char *)name };

	if (names.count == 0)
		return NULL;
	return bsearch(&key, names.list, names.count, sizeof *names.list, compare_names);
}

bool zone_names_are_complete(void)
{
	return names.is_complete;
}
