#include "domain/phone_text.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "base/field.h"
#include "base/utf8.h"
#include "domain/phone_country.h"

#define DIGITS_MAX 32 /* a text with more digits is not a number */
#define AREA_MAX 6    /* digits of an area code, with the 0 in front of it */
#define NOT_E164 "must be in E.164 form, such as +4930123456"

/* Characters that mean nothing in a number: spaces, dashes, marks of direction. Each range has its first and last
 * character in UTF-8. */
static const char *const nothing[][2] = {
	{ "\t", "\t" },
	{ " ", " " },
	{ "(", ")" },
	{ "-", "." },
	{ "\xc2\xa0", "\xc2\xa0" },
	{ "\xc2\xad", "\xc2\xad" },
	{ "\xe2\x80\x80", "\xe2\x80\x95" }, /* spaces, joiners, dashes */
	{ "\xe2\x80\xa8", "\xe2\x80\xaf" },
	{ "\xe2\x81\x9f", "\xe2\x81\xaf" }, /* separators, marks of direction */
	{ "\xe2\x88\x92", "\xe2\x88\x92" },
	{ "\xe3\x80\x80", "\xe3\x80\x80" },
	{ "\xef\xbb\xbf", "\xef\xbb\xbf" },
};

static bool is_nothing(const char *text, size_t size)
{
	for (size_t i = 0; i < sizeof nothing / sizeof *nothing; i++)
		if (strlen(nothing[i][0]) == size && memcmp(text, nothing[i][0], size) >= 0 &&
		    memcmp(text, nothing[i][1], size) <= 0)
			return true;
	return false;
}

static bool has_country(const struct phone_reading *reading)
{
	return reading->country != NULL && *reading->country != '\0';
}

/* The 0 of "+44 (0)20". In Italy, San Marino and the Vatican it is dialled from abroad too. */
static bool is_trunk_zero(const char *text, size_t len, const char *digits, size_t count)
{
	const char *country = digits + strspn(digits, "+0");

	return len >= 3 && memcmp(text, "(0)", 3) == 0 && *country != '\0' && count - (size_t)(country - digits) <= 3 &&
	       (*digits == '+' || strncmp(digits, "00", 2) == 0) && strcmp(country, "39") != 0 &&
	       strcmp(country, "378") != 0;
}

/* Returns whether the slash is after an area code: "030/123456". Elsewhere it may separate a second extension. */
static bool is_area_slash(const char *text, const char *digits, size_t count, const struct phone_reading *reading,
                          bool *had_slash)
{
	bool is_first = !*had_slash;

	*had_slash = true;
	return *text == '/' && is_first && has_country(reading) && count >= 3 && count <= AREA_MAX && digits[0] == '0' &&
	       digits[1] != '0';
}

/* Collects the digits, and a plus before them. Returns NULL, or why the text is not a number. */
static const char *collect(const char *text, size_t len, const struct phone_reading *reading,
                           char digits[DIGITS_MAX + 1])
{
	size_t count = 0, size;
	bool had_slash = false;

	for (size_t at = 0; at < len; at += size) {
		const char *c = text + at;

		size = utf8_character(c, len - at);
		if (size == 0)
			return "is not UTF-8 text";
		if (count == DIGITS_MAX)
			return "is too long";
		digits[count] = '\0';
		if (is_trunk_zero(c, len - at, digits, count))
			size = 3;
		else if ((*c >= '0' && *c <= '9') || (*c == '+' && count == 0))
			digits[count++] = *c;
		else if (*c == '/' && !is_area_slash(c, digits, count, reading, &had_slash))
			return "has a slash: the text after it may be a second extension";
		else if (*c != '/' && !is_nothing(c, size) && !(*c == '\'' && at == 0))
			return "contains characters that a number cannot have";
	}
	digits[count] = '\0';
	return NULL;
}

/* Returns the fault of a number that a program has written as a quantity (4.91512E+12, 14155550100.0), or NULL. */
static const char *find_quantity(const char *text, size_t len)
{
	const char *exponent = memchr(text, 'E', len);

	if (exponent != NULL && exponent > text && isdigit((unsigned char)exponent[-1]))
		return "was rounded by a spreadsheet: format the column as text, and export it again";
	if (len >= 2 && memcmp(text + len - 2, ".0", 2) == 0)
		return "ends with .0, like a quantity: format the column as text, and export it again";
	return NULL;
}

static bool fault(char reason[PHONE_REASON], const char *why)
{
	snprintf(reason, PHONE_REASON, "%s", why);
	return false;
}

static bool complete(const char *digits, const struct phone_reading *reading, char out[PHONE_SIZE],
                     char reason[PHONE_REASON])
{
	static const char *const faults[] = {
		[PHONENUMBER_TOO_SHORT] = "is too short for a number of",
		[PHONENUMBER_TOO_LONG] = "is too long for a number of",
		[PHONENUMBER_UNUSED] = "is no number that is in use in",
	};
	enum phonenumber_result result = phone_country_complete(digits, reading->country, reading->is_long_enough, out);

	if (result == PHONENUMBER_OK)
		return phone_is_e164(out) || fault(reason, NOT_E164);
	snprintf(reason, PHONE_REASON, "%s %s", faults[result], reading->country);
	return false;
}

/* Returns the length of a mark in front of a number: of a link, or of lists of leads from Facebook. */
static size_t mark_len(const char *text, size_t len)
{
	static const char *const marks[] = { "tel:", "p:" };

	for (size_t i = 0; i < sizeof marks / sizeof *marks; i++)
		if (len >= strlen(marks[i]) && strncasecmp(text, marks[i], strlen(marks[i])) == 0)
			return strlen(marks[i]);
	return 0;
}

bool phone_text_clean(const char *text, size_t len, const struct phone_reading *reading, char out[PHONE_SIZE],
                      char reason[PHONE_REASON])
{
	char digits[DIGITS_MAX + 1];
	const char *number = digits, *why = find_quantity(text, len);
	size_t mark = mark_len(text, len);
	bool has_prefix;

	if (why == NULL)
		why = collect(text + mark, len - mark, reading, digits);
	if (why != NULL)
		return fault(reason, why);
	has_prefix = strncmp(digits, "00", 2) == 0;
	if (*digits != '+' && *digits != '\0' && has_country(reading))
		return complete(digits, reading, out, reason);
	if (*digits != '+' && *digits != '\0' && !has_prefix)
		return fault(reason, "has no country: it must begin with + or 00, or the import needs a default_country");
	if (has_prefix) {
		digits[1] = '+';
		number++;
	}
	if (!phone_is_e164(number))
		return fault(reason, NOT_E164);
	memcpy(out, number, strlen(number) + 1);
	return true;
}
