/* The check of a whole JSON text: json_read_check. */
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/json_syntax.h"
#include "base/utf8.h"

#define NUMBER_ALWAYS_FITS 18 /* a number without an exponent and with at most this many characters always fits */

struct scan {
	const char *text, *at, *end;
	int depth;
	struct json_error *error;
};

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static int hex_digit(char c)
{
	if (is_digit(c))
		return c - '0';
	c = (char)(c | 0x20);
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

int json_hex_unit(const char *digits, size_t len)
{
	int unit = 0;

	if (len < 4)
		return -1;
	for (int i = 0; i < 4; i++) {
		int digit = hex_digit(digits[i]);

		if (digit < 0)
			return -1;
		unit = unit * 16 + digit;
	}
	return unit;
}

bool json_parse_number(const char *at, const char *end, struct json_number *number)
{
	char text[JSON_READ_NUMBER_MAX + 1];
	size_t len = (size_t)(end - at);

	if (len > JSON_READ_NUMBER_MAX)
		return false;
	memcpy(text, at, len);
	text[len] = '\0';
	number->is_integer = strpbrk(text, ".eE") == NULL;
	errno = 0;
	number->integer = number->is_integer ? strtoll(text, NULL, 10) : 0;
	if (errno != 0)
		return false;
	number->real = number->is_integer ? (double)number->integer : strtod(text, NULL);
	return isfinite(number->real);
}

static bool fail(struct scan *scan, enum json_fault fault, const char *reason)
{
	*scan->error = (struct json_error){ fault, (size_t)(scan->at - scan->text), reason };
	return false;
}

static bool fail_syntax(struct scan *scan, const char *reason)
{
	return fail(scan, JSON_FAULT_SYNTAX, scan->at == scan->end ? "the text ends too early" : reason);
}

/* Only the first such fault is reported, and only if the syntax of the whole text is correct. */
static void note(struct scan *scan, enum json_fault fault)
{
	if (scan->error->fault == JSON_FAULT_NONE)
		fail(scan, fault, NULL);
}

static void pass_spaces(struct scan *scan)
{
	while (scan->at < scan->end && json_is_space(*scan->at))
		scan->at++;
}

static bool next_is(const struct scan *scan, char c)
{
	return scan->at < scan->end && *scan->at == c;
}

static bool is_low_surrogate(int unit)
{
	return unit >= 0xdc00 && unit <= 0xdfff;
}

/* Checks the digits after \u. */
static bool check_unit(struct scan *scan)
{
	int unit = json_hex_unit(scan->at, (size_t)(scan->end - scan->at)), low;

	if (unit < 0)
		return fail_syntax(scan, "\\u must be followed by four hexadecimal digits");
	if (is_low_surrogate(unit))
		return fail_syntax(scan, "\\u is the second half of a character without the first");
	scan->at += 4;
	if (unit == 0)
		note(scan, JSON_FAULT_NUL);
	if (!json_is_high_surrogate(unit))
		return true;
	low = scan->end - scan->at >= 6 && scan->at[0] == '\\' && scan->at[1] == 'u' ? json_hex_unit(scan->at + 2, 4) : -1;
	if (!is_low_surrogate(low))
		return fail_syntax(scan, "\\u is the first half of a character without the second");
	scan->at += 6;
	return true;
}

static bool check_escape(struct scan *scan)
{
	scan->at++;
	if (next_is(scan, 'u')) {
		scan->at++;
		return check_unit(scan);
	}
	if (scan->at == scan->end || *scan->at == '\0' || strchr("\"\\/bfnrt", *scan->at) == NULL)
		return fail_syntax(scan, "unknown escape after \\");
	scan->at++;
	return true;
}

static bool check_string(struct scan *scan)
{
	for (scan->at++; scan->at < scan->end && *scan->at != '"';) {
		unsigned char c = (unsigned char)*scan->at;
		size_t size = c >= 0x80 ? utf8_character(scan->at, (size_t)(scan->end - scan->at)) : 1;

		if (c < 0x20)
			return fail_syntax(scan, "a control character in a string must be escaped");
		if (size == 0)
			return fail(scan, JSON_FAULT_UTF8, NULL);
		if (c != '\\')
			scan->at += size;
		else if (!check_escape(scan))
			return false;
	}
	if (scan->at == scan->end)
		return fail(scan, JSON_FAULT_SYNTAX, "a string is not closed");
	scan->at++;
	return true;
}

static bool pass_digits(struct scan *scan)
{
	if (scan->at == scan->end || !is_digit(*scan->at))
		return fail_syntax(scan, "expected a digit");
	while (scan->at < scan->end && is_digit(*scan->at))
		scan->at++;
	return true;
}

static bool check_number(struct scan *scan)
{
	const char *begin = scan->at;
	struct json_number number;
	bool is_short;

	scan->at += *scan->at == '-';
	if (next_is(scan, '0') && scan->end - scan->at > 1 && is_digit(scan->at[1]))
		return fail_syntax(scan, "a number must not begin with 0");
	if (!pass_digits(scan))
		return false;
	if (next_is(scan, '.')) {
		scan->at++;
		if (!pass_digits(scan))
			return false;
	}
	is_short = scan->at - begin <= NUMBER_ALWAYS_FITS;
	if (next_is(scan, 'e') || next_is(scan, 'E')) {
		is_short = false;
		scan->at++;
		scan->at += next_is(scan, '+') || next_is(scan, '-');
		if (!pass_digits(scan))
			return false;
	}
	if (!is_short && !json_parse_number(begin, scan->at, &number))
		note(scan, JSON_FAULT_NUMBER);
	return true;
}

static bool check_word(struct scan *scan, const char *word)
{
	size_t len = strlen(word);

	if ((size_t)(scan->end - scan->at) < len || memcmp(scan->at, word, len) != 0)
		return fail_syntax(scan, "expected a value");
	scan->at += len;
	return true;
}

static bool check_value(struct scan *scan);

static bool check_key(struct scan *scan)
{
	if (!next_is(scan, '"'))
		return fail_syntax(scan, "expected a key in double quotes");
	if (!check_string(scan))
		return false;
	pass_spaces(scan);
	if (!next_is(scan, ':'))
		return fail_syntax(scan, "expected ':'");
	scan->at++;
	return true;
}

/* Checks an array or object that ends with `closer`. */
static bool check_container(struct scan *scan, char closer)
{
	if (scan->depth == JSON_READ_DEPTH)
		return fail(scan, JSON_FAULT_DEPTH, NULL);
	scan->depth++;
	scan->at++;
	pass_spaces(scan);
	for (bool more = !next_is(scan, closer); more; pass_spaces(scan)) {
		if ((closer == '}' && !check_key(scan)) || !check_value(scan))
			return false;
		pass_spaces(scan);
		more = next_is(scan, ',');
		scan->at += more;
	}
	if (!next_is(scan, closer))
		return fail_syntax(scan, closer == '}' ? "expected ',' or '}'" : "expected ',' or ']'");
	scan->at++;
	scan->depth--;
	return true;
}

static bool check_value(struct scan *scan)
{
	pass_spaces(scan);
	switch (scan->at < scan->end ? *scan->at : '\0') {
	case '{': return check_container(scan, '}');
	case '[': return check_container(scan, ']');
	case '"': return check_string(scan);
	case 't': return check_word(scan, "true");
	case 'f': return check_word(scan, "false");
	case 'n': return check_word(scan, "null");
	case '-':
	case '0' ... '9': return check_number(scan);
	default: return fail_syntax(scan, "expected a value");
	}
}

bool json_read_check(const char *text, size_t len, struct json_error *error)
{
	struct scan scan = { .text = text, .at = text, .end = text + len, .error = error };

	*error = (struct json_error){ .fault = JSON_FAULT_NONE };
	if (!check_value(&scan))
		return false;
	pass_spaces(&scan);
	if (scan.at < scan.end)
		return fail_syntax(&scan, "unexpected text after the value");
	return error->fault == JSON_FAULT_NONE;
}
