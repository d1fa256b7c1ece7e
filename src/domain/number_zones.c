#include "domain/number_zones.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/log.h"
#include "base/settings.h"

#define DIGITS_MAX 15

struct entry {
	char digits[DIGITS_MAX + 1];
	char *zones;
};

static struct entry *entries;
static size_t entry_count;
static size_t longest; /* digits of the longest entry */

static int compare_entries(const void *a, const void *b)
{
	return strcmp(((const struct entry *)a)->digits, ((const struct entry *)b)->digits);
}

static void add_entry(const struct entry *entry)
{
	if ((entry_count & (entry_count + 1)) == 0) /* full: 0, 1, 3, 7, … */
		entries = realloc(entries, (2 * entry_count + 1) * sizeof *entries);
	if (entries == NULL)
		fatal("out of memory");
	entries[entry_count++] = *entry;
}

/* "49|Europe/Berlin&Europe/Busingen" */
static bool take_line(char *line)
{
	struct entry entry = { 0 };
	size_t digits = strspn(line, "0123456789");

	if (digits == 0 || digits > DIGITS_MAX || line[digits] != '|' || line[digits + 1] == '\0')
		return false;
	if (strstr(line, "Etc/Unknown") != NULL)
		return true;
	memcpy(entry.digits, line, digits);
	entry.zones = strdup(line + digits + 1);
	if (entry.zones == NULL)
		fatal("out of memory");
	for (char *c = strchr(entry.zones, '&'); c != NULL; c = strchr(c, '&'))
		*c = ' ';
	if (digits > longest)
		longest = digits;
	add_entry(&entry);
	return true;
}

void number_zones_load(const char *path)
{
	if (*path == '\0')
		return;
	if (!settings_read_table(path, "DIGITS|ZONE&ZONE…", take_line))
		fatal("%s: %s", path, strerror(ENOENT));
	if (entry_count != 0)
		qsort(entries, entry_count, sizeof *entries, compare_entries);
}

const char *number_zones(const char *phone_number)
{
	struct entry key = { 0 };
	size_t len = strspn(phone_number + 1, "0123456789");

	for (len = len < longest ? len : longest; len > 0; len--) {
		const struct entry *found;

		memcpy(key.digits, phone_number + 1, len);
		key.digits[len] = '\0';
		found = bsearch(&key, entries, entry_count, sizeof key, compare_entries);
		if (found != NULL)
			return found->zones;
	}
	return NULL;
}

int number_zones_reach(void)
{
	return (int)longest + 1; /* and the plus */
}

static int compare_texts(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

void number_zones_each(void (*take)(const char *zone))
{
	struct arena *arena = arena_new(); /* holds the names */
	size_t count = 0, room = 0;
	char **names = NULL, *rest;

	for (size_t i = 0; i < entry_count; i++)
		for (char *name = strtok_r(arena_strdup(arena, entries[i].zones), " ", &rest); name != NULL;
		     name = strtok_r(NULL, " ", &rest)) {
			if (count == room)
				names = realloc(names, (room = 2 * room + 64) * sizeof *names);
			if (names == NULL)
				fatal("out of memory");
			names[count++] = name;
		}
	if (count != 0)
		qsort(names, count, sizeof *names, compare_texts);
	for (size_t i = 0; i < count; i++)
		if (i == 0 || strcmp(names[i], names[i - 1]) != 0)
			take(names[i]);
	free(names);
	arena_free(arena);
}
