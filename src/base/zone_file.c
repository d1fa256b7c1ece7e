/* A TZif file lists the instants at which an offset begins. For the time after the last instant it has a rule in the
 * form of the TZ variable (POSIX), such as "CET-1CEST,M3.5.0,M10.5.0/3". */
#include "base/zone_file.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/instant.h"
#include "base/log.h"

#define HEADER 44
#define SECONDS_PER_DAY 86400
#define DAMAGED "its file is damaged"

/* "M3.5.0/2": when a change comes every year. */
struct yearly {
	enum { DAY_OF_MONTH, DAY_WITHOUT_LEAP, DAY_OF_YEAR } kind; /* Mm.w.d, Jn, n */
	int month, week, weekday;                                  /* of DAY_OF_MONTH */
	int day;                                                   /* of the others */
	int64_t seconds;                                           /* from midnight, in the local time before the change */
};

struct zone_rules {
	size_t count;
	int64_t *from;   /* instants, ascending */
	int32_t *offset; /* the offset from each instant on */
	int32_t first;   /* the offset before the first instant */
	bool has_tail;   /* there is a rule for the time after the last instant */
	bool has_summer;
	int32_t standard, summer;
	struct yearly begins, ends; /* of the summer time */
};

static void *allocate(size_t count, size_t size)
{
	void *memory = calloc(count + 1, size);

	if (memory == NULL)
		fatal("out of memory");
	return memory;
}

static int64_t read_big_endian(const uint8_t *bytes, int size)
{
	uint64_t value = (bytes[0] & 0x80) != 0 ? UINT64_MAX : 0;

	for (int i = 0; i < size; i++)
		value = value << 8 | bytes[i];
	return (int64_t)value;
}

/* The rule for the time after the last change */

static bool take(const char **at, char c)
{
	if (**at != c)
		return false;
	++*at;
	return true;
}

static bool take_number(const char **at, int min, int max, int *out)
{
	*out = 0;
	if (!isdigit((unsigned char)**at))
		return false;
	for (; isdigit((unsigned char)**at); ++*at)
		if ((*out = *out * 10 + (**at - '0')) > max)
			return false;
	return *out >= min;
}

/* "[+-]hh[:mm[:ss]]" */
static bool take_time(const char **at, int max_hours, int64_t *seconds)
{
	bool negative = take(at, '-');
	int hours, minutes = 0, rest = 0;

	if (!negative)
		take(at, '+');
	if (!take_number(at, 0, max_hours, &hours))
		return false;
	if (take(at, ':') && (!take_number(at, 0, 59, &minutes) || (take(at, ':') && !take_number(at, 0, 59, &rest))))
		return false;
	*seconds = (hours * INT64_C(60) + minutes) * 60 + rest;
	if (negative)
		*seconds = -*seconds;
	return true;
}

/* "CET", "<-03>" */
static bool take_name(const char **at)
{
	bool quoted = take(at, '<');
	size_t len = 0;

	for (; isalpha((unsigned char)**at) ||
	       (quoted && **at != '\0' && (isdigit((unsigned char)**at) || strchr("+-", **at) != NULL));
	     ++*at)
		len++;
	return len >= 3 && (!quoted || take(at, '>'));
}

/* POSIX counts offsets westward. */
static bool take_offset(const char **at, int32_t *offset)
{
	int64_t west;

	if (!take_time(at, 24, &west) || west <= -SECONDS_PER_DAY || west >= SECONDS_PER_DAY)
		return false;
	*offset = (int32_t)-west;
	return true;
}

static bool take_day(const char **at, struct yearly *out)
{
	if (take(at, 'M')) {
		out->kind = DAY_OF_MONTH;
		return take_number(at, 1, 12, &out->month) && take(at, '.') && take_number(at, 1, 5, &out->week) &&
		       take(at, '.') && take_number(at, 0, 6, &out->weekday);
	}
	out->kind = take(at, 'J') ? DAY_WITHOUT_LEAP : DAY_OF_YEAR;
	return take_number(at, out->kind == DAY_WITHOUT_LEAP, 365, &out->day);
}

static bool take_yearly(const char **at, struct yearly *out)
{
	out->seconds = 2 * 3600;
	return take(at, ',') && take_day(at, out) && (!take(at, '/') || take_time(at, 167, &out->seconds));
}

static bool parse_tail(const char *text, struct zone_rules *rules)
{
	rules->has_tail = *text != '\0';
	if (!rules->has_tail)
		return true;
	if (!take_name(&text) || !take_offset(&text, &rules->standard))
		return false;
	rules->has_summer = *text != '\0';
	if (!rules->has_summer)
		return true;
	if (!take_name(&text))
		return false;
	rules->summer = rules->standard + 3600;
	if (*text != ',' && !take_offset(&text, &rules->summer))
		return false;
	return take_yearly(&text, &rules->begins) && take_yearly(&text, &rules->ends) && *text == '\0';
}

static bool is_leap_year(int year)
{
	return (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
}

/* The civil day of the change in this year. */
static int32_t day_in(const struct yearly *change, int year)
{
	static const int month_lengths[] = { 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31 };
	int32_t first = civil_day(year, 1, 1);
	int day, length;

	if (change->kind == DAY_OF_YEAR)
		return first + change->day;
	if (change->kind == DAY_WITHOUT_LEAP)
		return first + change->day - 1 + (is_leap_year(year) && change->day >= 60);
	first = civil_day(year, change->month, 1);
	length = month_lengths[change->month - 1] + (change->month == 2 && is_leap_year(year));
	day = (change->weekday - civil_weekday(first) % 7 + 7) % 7 + (change->week - 1) * 7;
	return first + (day < length ? day : day - 7);
}

static int64_t change_in(const struct yearly *change, int year, int32_t offset_before)
{
	return (int64_t)day_in(change, year) * SECONDS_PER_DAY + change->seconds - offset_before;
}

/* In the southern hemisphere, summer time begins late in one year and ends early in the next. */
static int32_t tail_offset(const struct zone_rules *rules, int64_t second)
{
	int64_t begins, ends;
	int year, month, day;

	if (!rules->has_summer)
		return rules->standard;
	civil_date(civil_day_of((second + rules->standard) * US_PER_SECOND), &year, &month, &day);
	begins = change_in(&rules->begins, year, rules->standard);
	ends = change_in(&rules->ends, year, rules->summer);
	if (begins < ends)
		return second >= begins && second < ends ? rules->summer : rules->standard;
	return second >= ends && second < begins ? rules->standard : rules->summer;
}

/* The file */

struct block {
	size_t transitions, types, names, leaps, standards, utcs;
	size_t size; /* of everything after the header */
};

/* Reads a header and checks that its block fits into the rest. */
static bool read_block(const uint8_t *bytes, size_t len, int time_size, struct block *out)
{
	size_t *const counts[] = { &out->utcs, &out->standards, &out->leaps, &out->transitions, &out->types, &out->names };

	if (len < HEADER || memcmp(bytes, "TZif", 4) != 0)
		return false;
	for (size_t i = 0; i < 6; i++) {
		int64_t count = read_big_endian(bytes + 20 + 4 * i, 4);

		if (count < 0 || count > ZONE_FILE_MAX)
			return false;
		*counts[i] = (size_t)count;
	}
	out->size = out->transitions * (size_t)(time_size + 1) + out->types * 6 + out->names +
	            out->leaps * (size_t)(time_size + 4) + out->standards + out->utcs;
	return out->size <= len - HEADER;
}

static bool read_offset(const uint8_t *type, size_t name_count, int32_t *offset)
{
	*offset = (int32_t)read_big_endian(type, 4);
	return *offset > -SECONDS_PER_DAY && *offset < SECONDS_PER_DAY && type[4] <= 1 && type[5] < name_count;
}

static bool read_transitions(const uint8_t *data, const struct block *block, int time_size, struct zone_rules *rules)
{
	const uint8_t *indexes = data + block->transitions * (size_t)time_size;
	const uint8_t *types = indexes + block->transitions;
	int32_t unused;

	rules->count = block->transitions;
	rules->from = allocate(rules->count, sizeof *rules->from);
	rules->offset = allocate(rules->count, sizeof *rules->offset);
	for (size_t i = 0; i < block->types; i++)
		if (!read_offset(types + 6 * i, block->names, i == 0 ? &rules->first : &unused))
			return false;
	for (size_t i = 0; i < rules->count; i++) {
		rules->from[i] = read_big_endian(data + i * (size_t)time_size, time_size);
		if (indexes[i] >= block->types || (i > 0 && rules->from[i] <= rules->from[i - 1]))
			return false;
		read_offset(types + 6 * indexes[i], block->names, &rules->offset[i]);
	}
	return true;
}

static bool read_data(const uint8_t *bytes, const struct block *block, int time_size, struct zone_rules *rules)
{
	bool has_counts = block->types > 0 && block->types <= 256 && block->names > 0 &&
	                  (block->standards == 0 || block->standards == block->types) &&
	                  (block->utcs == 0 || block->utcs == block->types);

	return has_counts && read_transitions(bytes + HEADER, block, time_size, rules);
}

/* "\nCET-1CEST,M3.5.0,M10.5.0/3\n" */
static bool read_tail(const uint8_t *bytes, size_t len, struct zone_rules *rules)
{
	const uint8_t *end = len > 1 ? memchr(bytes + 1, '\n', len - 1) : NULL;
	char text[128];

	if (end == NULL || *bytes != '\n' || (size_t)(end - bytes) > sizeof text)
		return false;
	snprintf(text, sizeof text, "%.*s", (int)(end - bytes - 1), (const char *)bytes + 1);
	return strlen(text) == (size_t)(end - bytes - 1) && parse_tail(text, rules);
}

/* From version 2 on, a second block with times of 64 bits follows, and then the rule. */
static const char *parse(const uint8_t *bytes, size_t len, struct zone_rules *rules)
{
	struct block block;
	int time_size = 4;

	if (!read_block(bytes, len, time_size, &block))
		return DAMAGED;
	if (bytes[4] >= '2') {
		bytes += HEADER + block.size;
		len -= HEADER + block.size;
		time_size = 8;
		if (!read_block(bytes, len, time_size, &block))
			return DAMAGED;
	}
	if (block.leaps != 0)
		return "its file counts leap seconds";
	if (!read_data(bytes, &block, time_size, rules))
		return DAMAGED;
	if (time_size == 8 && !read_tail(bytes + HEADER + block.size, len - HEADER - block.size, rules))
		return DAMAGED;
	return NULL;
}

const char *zone_rules_parse(const uint8_t *bytes, size_t len, struct zone_rules **out)
{
	struct zone_rules *rules = allocate(1, sizeof *rules);
	const char *fault = parse(bytes, len, rules);

	*out = fault == NULL ? rules : NULL;
	if (fault != NULL)
		zone_rules_free(rules);
	return fault;
}

struct zone_rules *zone_rules_utc(void)
{
	return allocate(1, sizeof(struct zone_rules));
}

void zone_rules_free(struct zone_rules *rules)
{
	if (rules == NULL)
		return;
	free(rules->from);
	free(rules->offset);
	free(rules);
}

static const char *reason_of(int error)
{
	switch (error) {
	case ENOENT:
	case ENOTDIR: return "this host has no file for it";
	case EACCES: return "its file must not be read by this process";
	default: return "its file cannot be read";
	}
}

/* Fills `bytes`, which has room for one byte more than the largest file. */
static const char *read_whole(int file, uint8_t *bytes, size_t *len)
{
	struct stat status;
	ssize_t got;

	if (fstat(file, &status) != 0 || !S_ISREG(status.st_mode))
		return "its file is no regular file";
	for (*len = 0; *len <= ZONE_FILE_MAX; *len += (size_t)got) {
		got = read(file, bytes + *len, ZONE_FILE_MAX + 1 - *len);
		if (got < 0 && errno == EINTR)
			got = 0;
		else if (got < 0)
			return reason_of(errno);
		else if (got == 0)
			break;
	}
	return *len <= ZONE_FILE_MAX ? NULL : DAMAGED;
}

const char *zone_file_read(const char *path, struct zone_rules **rules)
{
	int file = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	const char *fault = file < 0 ? reason_of(errno) : NULL;
	uint8_t *bytes;
	size_t len;

	*rules = NULL;
	if (file < 0)
		return fault;
	bytes = allocate(ZONE_FILE_MAX + 1, 1);
	fault = read_whole(file, bytes, &len);
	close(file);
	if (fault == NULL)
		fault = zone_rules_parse(bytes, len, rules);
	free(bytes);
	return fault;
}

/* Returns the last entry that begins at or before the second, or -1. */
static ptrdiff_t find_entry(const struct zone_rules *rules, int64_t second)
{
	size_t low = 0, high = rules->count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (rules->from[middle] <= second)
			low = middle + 1;
		else
			high = middle;
	}
	return (ptrdiff_t)low - 1;
}

int64_t zone_rules_offset(const struct zone_rules *rules, int64_t second)
{
	ptrdiff_t entry = find_entry(rules, second);

	if (rules->has_tail && entry == (ptrdiff_t)rules->count - 1)
		return tail_offset(rules, second);
	return entry < 0 ? rules->first : rules->offset[entry];
}
