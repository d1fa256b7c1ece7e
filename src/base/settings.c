#define _GNU_SOURCE /* memfd_create */
#include "base/settings.h"

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/log.h"

#define ENV_STORE "OUTDIAL_SETTINGS"
#define TEXT_MAX (64 * 1024 * 1024)

/* A store is a file in memory: for each text an entry, its path with the NUL, and the text. */
struct entry {
	uint32_t path_size;
	uint32_t text_len;
	uint32_t mode;
};

static int own_store = -1;

int settings_store_new(void)
{
	int store = memfd_create("outdial-settings", MFD_CLOEXEC);

	if (store >= 0)
		fcntl(store, F_SETFL, O_APPEND);
	return store;
}

void settings_hand_over(int store)
{
	char number[16];

	snprintf(number, sizeof number, "%d", store);
	setenv(ENV_STORE, number, 1);
	fcntl(store, F_SETFD, 0);
}

static int store_of_process(void)
{
	const char *number = getenv(ENV_STORE);

	if (own_store >= 0)
		return own_store;
	own_store = number != NULL ? atoi(number) : settings_store_new();
	unsetenv(ENV_STORE);
	if (own_store < 0 || fcntl(own_store, F_SETFD, FD_CLOEXEC) != 0)
		fatal("cannot keep the settings: %s", strerror(errno));
	return own_store;
}

static FILE *open_text(const char *text, size_t len)
{
	FILE *file = fmemopen(NULL, len + 1, "w+");

	if (file == NULL || fwrite(text, 1, len, file) != len)
		fatal("out of memory");
	rewind(file);
	return file;
}

static FILE *find(const char *entries, size_t size, const char *path, mode_t *mode)
{
	for (size_t at = 0; at < size;) {
		struct entry entry;
		const char *entry_path = entries + at + sizeof entry, *text;

		memcpy(&entry, entries + at, sizeof entry);
		text = entry_path + entry.path_size;
		if (strcmp(entry_path, path) == 0) {
			*mode = entry.mode;
			return open_text(text, entry.text_len);
		}
		at = (size_t)(text - entries) + entry.text_len;
	}
	return NULL;
}

/* Returns NULL when the store has no text of this path. */
static FILE *open_stored(int store, const char *path, mode_t *mode)
{
	struct stat status;
	size_t size = fstat(store, &status) == 0 ? (size_t)status.st_size : 0;
	void *entries = size > 0 ? mmap(NULL, size, PROT_READ, MAP_PRIVATE, store, 0) : MAP_FAILED;
	FILE *file;

	if (entries == MAP_FAILED)
		return NULL;
	file = find(entries, size, path, mode);
	munmap(entries, size);
	return file;
}

/* Returns false with errno. */
static bool read_file(const char *path, struct buf *text, mode_t *mode)
{
	FILE *file = fopen(path, "re");
	struct stat status;
	char part[8192];
	int fault = 0;

	if (file == NULL)
		return false;
	for (size_t len; (len = fread(part, 1, sizeof part, file)) > 0 && text->len <= TEXT_MAX;)
		buf_add(text, part, len);
	if (ferror(file) || fstat(fileno(file), &status) != 0)
		fault = errno;
	else if (text->len > TEXT_MAX)
		fault = EFBIG;
	else
		*mode = status.st_mode;
	fclose(file);
	errno = fault;
	return fault == 0;
}

/* This is one write, because processes that share the store may add to it at once. */
static void add(int store, const char *path, const struct buf *text, mode_t mode)
{
	struct entry entry = { (uint32_t)strlen(path) + 1, (uint32_t)text->len, mode };
	struct buf whole = { 0 };

	buf_add(&whole, &entry, sizeof entry);
	buf_add(&whole, path, entry.path_size);
	buf_add(&whole, buf_text(text), text->len);
	if (write(store, whole.data, whole.len) != (ssize_t)whole.len)
		fatal("cannot keep the settings: %s", strerror(errno));
	buf_free(&whole);
}

FILE *settings_open(const char *path, mode_t *mode)
{
	int store = store_of_process();
	struct buf text = { 0 };
	mode_t unused;
	FILE *file;

	if (mode == NULL)
		mode = &unused;
	file = open_stored(store, path, mode);
	if (file == NULL && read_file(path, &text, mode)) {
		add(store, path, &text, *mode);
		file = open_text(buf_text(&text), text.len);
	}
	buf_free(&text);
	return file;
}

bool settings_read_table(const char *path, const char *form, bool (*take)(char *line))
{
	FILE *file = settings_open(path, NULL);
	char *line = NULL;
	size_t size = 0;

	if (file == NULL && errno == ENOENT)
		return false;
	if (file == NULL)
		fatal("%s: %s", path, strerror(errno));
	for (int number = 1; getline(&line, &size, file) >= 0; number++) {
		line[strcspn(line, "\r\n")] = '\0';
		if (*line != '\0' && *line != '#' && !take(line))
			fatal("%s:%d: expected %s", path, number, form);
	}
	if (ferror(file))
		fatal("%s: %s", path, strerror(errno));
	free(line);
	fclose(file);
	return true;
}
