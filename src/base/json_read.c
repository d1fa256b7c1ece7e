#include "base/json_read.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/utf8.h"

#define NUMBER_ALWAYS_FITS 18 /* characters of a number without an exponent, whatever its digits are */

/* The check of a whole text */

struct scan {
	const char *text, *at, *end;
	int depth;
	struct json_error *error;
};

static bool fail(struct scan *scan, enum json_fault fault, const char *reason)
{
	*scan->error = (struct json_error){ fault, (size_t)(scan->at - scan->text), reason };
	return false;
}

static bool fail_syntax(struct scan *scan, const char *reason)
{
	return fail(scan, JSON_FAULT_SYNTAX, scan->at == scan->end ? "the text ends too early" : reason);
}

/* The first such fault is reported, unless the syntax is wrong further on. */
static void note(struct scan *scan, enum json_fault fault)
{
	if (scan->error->fault == JSON_FAULT_NONE)
		fail(scan, fault, NULL);
}

static bool is_space(char c)
{
	return c == ' ' || c == '\n' || c == '\r' || c == '\t';
}

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static void pass_spaces(struct scan *scan)
{
	while (scan->at < scan->end && is_space(*scan->at))
		scan->at++;
}

static bool next_is(const struct scan *scan, char c)
{
	return scan->at < scan->end && *scan->at == c;
}

static int hex_digit(char c)
{
	if (is_digit(c))
		return c - '0';
	c = (char)(c | 0x20);
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* The number of the four digits after \u; -1: they are none. */
static int hex_unit(const char *digits, size_t len)
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

static bool is_high_surrogate(int unit)
{
	return unit >= 0xd800 && unit <= 0xdbff;
}

static bool is_low_surrogate(int unit)
{
	return unit >= 0xdc00 && unit <= 0xdfff;
}

/* After \u. */
static bool check_unit(struct scan *scan)
{
	int unit = hex_unit(scan->at, (size_t)(scan->end - scan->at)), low;

	if (unit < 0)
		return fail_syntax(scan, "\\u must be followed by four hexadecimal digits");
	if (is_low_surrogate(unit))
		return fail_syntax(scan, "\\u is the second half of a character without the first");
	scan->at += 4;
	if (unit == 0)
		note(scan, JSON_FAULT_NUL);
	if (!is_high_surrogate(unit))
		return true;
	low = scan->end - scan->at >= 6 && scan->at[0] == '\\' && scan->at[1] == 'u' ? hex_unit(scan->at + 2, 4) : -1;
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

/* False: it has no place in an int64_t or double. The number ends at `end`, not at a NUL. */
static bool parse_number(const char *at, const char *end, struct json_number *number)
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
	if (!is_short && !parse_number(begin, scan->at, &number))
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

/* An array or object, whose end is `closer`. */
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
		return fail_syntax(&scan, "expected nothing after the value");
	return error->fault == JSON_FAULT_NONE;
}

/* The walk through a text that was checked */

static const char *after_spaces(const char *at)
{
	while (is_space(*at))
		at++;
	return at;
}

static const char *string_end(const char *string)
{
	const char *at = string + 1;

	for (; *at != '"'; at++)
		at += *at == '\\';
	return at + 1;
}

static const char *container_end(const char *at)
{
	int depth = 0;

	do {
		if (*at == '"') {
			at = string_end(at);
			continue;
		}
		depth += (*at == '{' || *at == '[') - (*at == '}' || *at == ']');
		at++;
	} while (depth > 0);
	return at;
}

enum json_type json_read_type(const char *value)
{
	switch (*value) {
	case 'n': return JSON_IS_NULL;
	case 't':
	case 'f': return JSON_IS_BOOL;
	case '"': return JSON_IS_STRING;
	case '[': return JSON_IS_ARRAY;
	case '{': return JSON_IS_OBJECT;
	default: return JSON_IS_NUMBER;
	}
}

const char *json_read_end(const char *value)
{
	switch (json_read_type(value)) {
	case JSON_IS_STRING: return string_end(value);
	case JSON_IS_ARRAY:
	case JSON_IS_OBJECT: return container_end(value);
	default: return value + strcspn(value, ",]} \n\r\t");
	}
}

static const char *first_in(const char *container)
{
	const char *at = after_spaces(container + 1);

	return *at == ']' || *at == '}' ? NULL : at;
}

const char *json_read_first(const char *array)
{
	return first_in(array);
}

const char *json_read_next(const char *element)
{
	const char *at = after_spaces(json_read_end(element));

	return *at == ',' ? after_spaces(at + 1) : NULL;
}

const char *json_read_first_key(const char *object)
{
	return first_in(object);
}

const char *json_read_member(const char *key)
{
	return after_spaces(after_spaces(string_end(key)) + 1);
}

const char *json_read_next_key(const char *key)
{
	return json_read_next(json_read_member(key));
}

size_t json_read_count(const char *array, size_t max)
{
	size_t count = 0;

	for (const char *at = json_read_first(array); at != NULL && count <= max; at = json_read_next(at))
		count++;
	return count;
}

size_t json_read_count_keys(const char *object)
{
	size_t count = 0;

	for (const char *key = json_read_first_key(object); key != NULL; key = json_read_next_key(key))
		count++;
	return count;
}

bool json_read_number(const char *value, struct json_number *number)
{
	return json_read_type(value) == JSON_IS_NUMBER && parse_number(value, json_read_end(value), number);
}

static char *add_character(char *out, uint32_t code)
{
	if (code < 0x80) {
		*out++ = (char)code;
		return out;
	}
	if (code < 0x800) {
		*out++ = (char)(0xc0 | code >> 6);
	} else {
		if (code < 0x10000) {
			*out++ = (char)(0xe0 | code >> 12);
		} else {
			*out++ = (char)(0xf0 | code >> 18);
			*out++ = (char)(0x80 | (code >> 12 & 0x3f));
		}
		*out++ = (char)(0x80 | (code >> 6 & 0x3f));
	}
	*out++ = (char)(0x80 | (code & 0x3f));
	return out;
}

/* The character of an escape; *at moves from its backslash to what follows. */
static uint32_t read_escape(const char **at)
{
	static const char names[] = "bfnrt", codes[] = "\b\f\n\r\t";
	const char *escape = *at + 1, *name;
	int unit, low;

	if (*escape != 'u') {
		name = strchr(names, *escape);
		*at = escape + 1;
		return (unsigned char)(name != NULL ? codes[name - names] : *escape);
	}
	unit = hex_unit(escape + 1, 4);
	*at = escape + 5;
	if (!is_high_surrogate(unit))
		return (uint32_t)unit;
	low = hex_unit(*at + 2, 4);
	*at += 6;
	return 0x10000 + ((uint32_t)(unit - 0xd800) << 10) + (uint32_t)(low - 0xdc00);
}

static const char *decode(struct arena *arena, const char *at, const char *end, size_t *len)
{
	char *text = arena_strndup(arena, at, (size_t)(end - at)), *out = text;

	while (at < end) {
		if (*at == '\\')
			out = add_character(out, read_escape(&at));
		else
			*out++ = *at++;
	}
	*out = '\0';
	*len = (size_t)(out - text);
	return text;
}

const char *json_read_span(struct arena *arena, const char *value, size_t *len)
{
	const char *end;

	if (*value != '"')
		return NULL;
	end = string_end(value) - 1;
	*len = (size_t)(end - value - 1);
	return memchr(value, '\\', *len + 1) != NULL ? decode(arena, value + 1, end, len) : value + 1;
}

const char *json_read_text(struct arena *arena, const char *value, size_t *len)
{
	const char *span = json_read_span(arena, value, len);

	return span == NULL || span != value + 1 ? span : arena_strndup(arena, span, *len);
}

/* Bytes of a character in a string, escaped if it must be. */
static size_t written_size(uint32_t code)
{
	if (code < 0x20)
		return strchr("\b\f\n\r\t", (int)code) != NULL ? 2 : 6;
	if (code == '"' || code == '\\')
		return 2;
	return code < 0x80 ? 1 : code < 0x800 ? 2 : code < 0x10000 ? 3 : 4;
}

static size_t string_size(const char *at, const char *end)
{
	size_t size = 0;

	while (at < end) {
		if (*at == '\\') {
			size += written_size(read_escape(&at));
		} else {
			size++;
			at++;
		}
	}
	return size;
}

size_t json_read_size(const char *value)
{
	const char *end = json_read_end(value);
	size_t size = 0;

	for (const char *at = value; at < end;) {
		const char *next = *at == '"' ? string_end(at) : at + 1;

		size += is_space(*at) ? 0 : string_size(at, next);
		at = next;
	}
	return size;
}
