/* Reads JSON (RFC 8259) in place. A text is checked once as a whole; then its values are walked where they are. Neither
 * builds a tree, so memory does not grow with the number of values, and a reader can judge a value's size before it
 * keeps anything of it. Only base/field.h uses this file: other code reads JSON by tables of fields. */
#ifndef BASE_JSON_READ_H
#define BASE_JSON_READ_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"

#define JSON_READ_DEPTH 32
#define JSON_READ_NUMBER_MAX 512 /* characters of one number */

enum json_fault {
	JSON_FAULT_NONE,
	JSON_FAULT_SYNTAX,
	JSON_FAULT_DEPTH,
	JSON_FAULT_UTF8,
	/* The text is JSON, but no program can keep this value. */
	JSON_FAULT_NUL,    /* \u0000 in a string */
	JSON_FAULT_NUMBER, /* no int64_t, no finite double, or too many characters */
};

struct json_error {
	enum json_fault fault;
	size_t offset;
	const char *reason; /* of JSON_FAULT_SYNTAX: what is wrong there */
};

/* Checks that the text is one JSON value, whatever its type. Faults of the syntax take precedence over those of values. */
bool json_read_check(const char *text, size_t len, struct json_error *error);

/* The functions below take a value of a text that was checked: a pointer to its first character. */

enum json_type { JSON_IS_NULL, JSON_IS_BOOL, JSON_IS_NUMBER, JSON_IS_STRING, JSON_IS_ARRAY, JSON_IS_OBJECT };

enum json_type json_read_type(const char *value);
const char *json_read_end(const char *value); /* the first character after the value */

/* The elements of an array; of an object its keys, and the value that belongs to a key. NULL: there are no more. */
const char *json_read_first(const char *array);
const char *json_read_next(const char *element);
const char *json_read_first_key(const char *object);
const char *json_read_next_key(const char *key);
const char *json_read_member(const char *key);

/* Elements of an array. Stops counting when there are more than `max`. */
size_t json_read_count(const char *array, size_t max);
size_t json_read_count_keys(const char *object);

struct json_number {
	bool is_integer;
	int64_t integer; /* if it is one */
	double real;
};
bool json_read_number(const char *value, struct json_number *number); /* false: it is no number */

/* The text of a string, decoded. NULL: the value is no string. json_read_text ends with a NUL; json_read_span may be a part
 * of the source, which goes on. */
const char *json_read_text(struct arena *arena, const char *value, size_t *len);
const char *json_read_span(struct arena *arena, const char *value, size_t *len);

/* Bytes of the value as compact text: without spaces, with strings in their shortest form. */
size_t json_read_size(const char *value);

#endif
