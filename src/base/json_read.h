/* Reads JSON (RFC 8259) in place. A text is first checked as a whole; then its values are walked where they are. No
 * tree is built, so memory does not grow with the number of values, and a reader can judge the size of a value before
 * it keeps it. Only base/field.h uses this file: all other code reads JSON with tables of fields. */
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
	/* The text is JSON, but this value cannot be kept. */
	JSON_FAULT_NUL,    /* \u0000 in a string */
	JSON_FAULT_NUMBER, /* does not fit into an int64_t or a finite double, or has too many characters */
};

struct json_error {
	enum json_fault fault;
	size_t offset;
	const char *reason; /* of JSON_FAULT_SYNTAX: what is wrong */
};

/* Checks that the text is one JSON value of any type. A fault of the syntax takes precedence over a fault of a value.
 */
bool json_read_check(const char *text, size_t len, struct json_error *error);

/* The functions below take a pointer to the first character of a value, in a text that was checked. */

enum json_type { JSON_IS_NULL, JSON_IS_BOOL, JSON_IS_NUMBER, JSON_IS_STRING, JSON_IS_ARRAY, JSON_IS_OBJECT };

enum json_type json_read_type(const char *value);
const char *json_read_end(const char *value); /* the first character after the value */

/* Iterates over the elements of an array, or over the keys of an object, and returns the value of a key. NULL: there
 * are no more. */
const char *json_read_first(const char *container);
const char *json_read_next(const char *element);
const char *json_read_next_key(const char *key);
const char *json_read_member(const char *key);

/* Counts the elements of an array. Stops counting when there are more than `max`. */
size_t json_read_count(const char *array, size_t max);
size_t json_read_count_keys(const char *object);

struct json_number {
	bool is_integer;
	int64_t integer; /* if it is one */
	double real;
};
bool json_read_number(const char *value, struct json_number *number); /* false: not a number */

/* Returns the decoded text of a string; NULL if the value is not a string. json_read_text returns a text with a NUL at
 * its end. json_read_span may return a part of the source instead, without a NUL. */
const char *json_read_text(struct arena *arena, const char *value, size_t *len);
const char *json_read_span(struct arena *arena, const char *value, size_t *len);

/* Returns the size in bytes of the value as compact text: without spaces, and with strings in their shortest form. */
size_t json_read_size(const char *value);

#endif
