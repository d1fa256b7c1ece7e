#include "domain/phone_text.h"

#include <string.h>

#include "base/field.h"
#include "base/utf8.h"

#define DIGITS_MAX 32 /* more are no number */

/* Characters that are nothing in a number: spaces, dashes, marks of direction. From UTF-8: first and last of each range. */
static const char *const nothing[][2] = {
	{ "\t", "\t" }, { " ", " " }, { "(", ")" }, { "-", "." }, { "\xc2\xa0", "\xc2\xa0" }, { "\xc2\xad", "\xc2\xad" },
	{ "\xe2\x80\x80", "\xe2\x80\x95" }, /* spaces, joiners, dashes */
	{ "\xe2\x80\xa8", "\xe2\x80\xaf" }, { "\xe2\x81\x9f", "\xe2\x81\xaf" }, /* separators, marks of direction */
	{ "\xe2\x88\x92", "\xe2\x88\x92" }, { "\xe3\x80\x80", "\xe3\x80\x80" }, { "\xef\xbb\xbf", "\xef\xbb\xbf" },
};

static bool is_nothing(const char *text, size_t size)
{
	for (size_t i = 0; i < sizeof nothing / sizeof *nothing; i++)
		if (strlen(nothing[i][0]) == size && memcmp(text, nothing[i][0], size) >= 0 &&
		    memcmp(text, nothing[i][1], size) <= 0)
			return true;
	return false;
}

/* The 0 of "+44 (0)20". In Italy, San Marino and the Vatican it is dialled from abroad, too. */
static bool is_trunk_zero(const char *text, size_t len, const char *digits, size_t count)
{
	const char *country = digits + strspn(digits, "+0");

	return len >= 3 && memcmp(text, "(0)", 3) == 0 && *country != '\0' && count - (size_t)(country - digits) <= 3 &&
	       (*digits == '+' || strncmp(digits, "00", 2) == 0) && strcmp(country, "39") != 0 && strcmp(country, "378") != 0;
}

/* Digits, and a plus in front of them; false: there is something else. */
static bool collect(const char *text, size_t len, char digits[DIGITS_MAX + 1])
{
	size_t count = 0, size;

	for (size_t at = 0; at < len; at += size) {
		const char *c = text + at;

		size = utf8_character(c, len - at);
		if (size == 0 || count == DIGITS_MAX)
			return false;
		digits[count] = '\0';
		if (is_trunk_zero(c, len - at, digits, count))
			size = 3;
		else if ((*c >= '0' && *c <= '9') || (*c == '+' && count == 0))
			digits[count++] = *c;
		else if (!is_nothing(c, size) && !(*c == '\'' && at == 0))
			return false;
	}
	digits[count] = '\0';
	return true;
}

/* What a program makes of a number that it took for a quantity. */
static bool is_decimal(const char *text, size_t len)
{
	return len >= 2 && memcmp(text + len - 2, ".0", 2) == 0;
}

bool phone_text_clean(const char *text, size_t len, char out[PHONE_SIZE])
{
	char digits[DIGITS_MAX + 1];
	const char *number = digits;

	if (is_decimal(text, len) || !collect(text, len, digits))
		return false;
	if (strncmp(digits, "00", 2) == 0) {
		digits[1] = '+';
		number++;
	}
	if (!phone_is_e164(number))
		return false;
	memcpy(out, number, strlen(number) + 1);
	return true;
}
