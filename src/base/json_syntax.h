/* What the check (json_check.c) and the reader (json_read.c) of JSON texts share. No other file includes it. */
#ifndef BASE_JSON_SYNTAX_H
#define BASE_JSON_SYNTAX_H

#include "base/json_read.h"

static inline bool json_is_space(char c)
{
	return c == ' ' || c == '\n' || c == '\r' || c == '\t';
}

static inline bool json_is_high_surrogate(int unit)
{
	return unit >= 0xd800 && unit <= 0xdbff;
}

/* Returns the number of the four hex digits after \u, or -1 if they are not hex digits. */
int json_hex_unit(const char *digits, size_t len);

/* Returns false if the number does not fit into an int64_t or a double. The number ends at `end`, not at a NUL. */
bool json_parse_number(const char *at, const char *end, struct json_number *number);

#endif
