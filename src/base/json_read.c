#include "base/json_syntax.h"

#include <string.h>

static const char *after_spaces(const char *at)
{
	while (json_is_space(*at))
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

const char *json_read_first(const char *container)
{
	const char *at = after_spaces(container + 1);

	return *at == ']' || *at == '}' ? NULL : at;
}

const char *json_read_next(const char *element)
{
	const char *at = after_spaces(json_read_end(element));

	return *at == ',' ? after_spaces(at + 1) : NULL;
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

	for (const char *key = json_read_first(object); key != NULL; key = json_read_next_key(key))
		count++;
	return count;
}

bool json_read_number(const char *value, struct json_number *number)
{
	return json_read_type(value) == JSON_IS_NUMBER && json_parse_number(value, json_read_end(value), number);
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

/* Returns the character of an escape sequence. *at moves from the backslash to the text after the sequence. */
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
	unit = json_hex_unit(escape + 1, 4);
	*at = escape + 5;
	if (!json_is_high_surrogate(unit))
		return (uint32_t)unit;
	low = json_hex_unit(*at + 2, 4);
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

/* Returns how many bytes a character takes in a string, escaped if that is necessary. */
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

		size += json_is_space(*at) ? 0 : string_size(at, next);
		at = next;
	}
	return size;
}
