/* Tests write instants as texts. */
#ifndef TESTS_INSTANTS_H
#define TESTS_INSTANTS_H

#include "base/instant.h"

/* "2026-03-29T01:00Z" is an instant; without the Z it is the wall time that shows those digits. */
static inline int64_t at(const char *text)
{
	struct when when;

	if (!when_parse(text, &when))
		fail_msg("not a time: %s", text);
	return when.us;
}

static inline int32_t day(const char *text)
{
	int32_t day;

	if (!date_parse(text, &day))
		fail_msg("not a date: %s", text);
	return day;
}

#define assert_instant(actual, expected) instant_is(actual, expected, __FILE__, __LINE__)

static inline void instant_is(int64_t actual, const char *expected, const char *file, int line)
{
	char shown[32];

	if (actual == at(expected))
		return;
	instant_format_sql(actual, shown);
	print_error("%s, should be %s\n", shown, expected);
	_fail(file, line);
}

#endif
