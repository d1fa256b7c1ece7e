/* The JSON of request bodies. jansson checks syntax, UTF-8, NUL and repeated keys; it knows no bound of
 * depth that would suit us, and tells only an offset for what it refuses: both are made good here. */
#include "base/field_json.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/utf8.h"

#define DEPTH_MAX 32
#define NAME_SHOWN_MAX 64

const char *name_shown(struct arena *arena, const char *name, size_t len)
{
	struct buf shown = { 0 };
	const char *copy;

	utf8_excerpt(&shown, name, len, NAME_SHOWN_MAX);
	copy = arena_strdup(arena, buf_text(&shown));
	buf_free(&shown);
	return copy;
}

/* One open object or array on the way to an offset. */
struct scope {
	bool is_array;
	size_t index;    /* of the element, in an array */
	const char *key; /* the last string, in an object; NULL before the first */
	size_t key_len;
};

/* The closing quote of the string that opens at `at`, or `end`. */
static const char *string_end(const char *at, const char *end)
{
	for (at++; at < end && *at != '"'; at++)
		if (*at == '\\' && at + 1 < end)
			at++;
	return at;
}

/* Follows the brackets up to `end` and leaves the scopes that are open there. False: nested too deeply. */
static bool walk(const char *at, const char *end, struct scope scopes[DEPTH_MAX], int *depth)
{
	bool key_is_next = false;

	for (*depth = 0; at < end; at++) {
		struct scope *scope = *depth > 0 ? &scopes[*depth - 1] : NULL;

		switch (*at) {
		case '{':
		case '[':
			if (*depth == DEPTH_MAX)
				return false;
			scopes[(*depth)++] = (struct scope){ .is_array = *at == '[' };
			key_is_next = *at == '{';
			break;
		case '}':
		case ']':
			*depth -= *depth > 0;
			break;
		case ',':
			if (scope != NULL)
				scope->index++;
			key_is_next = scope != NULL && !scope->is_array;
			break;
		case '"': {
			const char *close = string_end(at, end);

			if (key_is_next && scope != NULL) {
				scope->key = at + 1;
				scope->key_len = (size_t)(close - at - 1);
			}
			key_is_next = false;
			at = close;
			break;
		}
		default:
			break;
		}
	}
	return true;
}

/* The name of what stands at an offset: "contacts[3].phone_number". */
static const char *name_at(struct arena *arena, const char *body, size_t offset)
{
	struct scope scopes[DEPTH_MAX];
	const char *name = "";
	int depth;

	walk(body, body + offset, scopes, &depth);
	for (int i = 0; i < depth; i++) {
		const struct scope *scope = &scopes[i];

		if (scope->is_array)
			name = arena_printf(arena, "%s[%zu]", name, scope->index);
		else if (scope->key != NULL)
			name = arena_printf(arena, "%s%s%s", name, *name != '\0' ? "." : "",
			                    name_shown(arena, scope->key, scope->key_len));
	}
	return *name != '\0' ? name : "body";
}

static enum field_result explain(const json_error_t *error, const char *body, size_t len,
                                 struct faults *faults)
{
	size_t offset = (size_t)error->position < len ? (size_t)error->position : len;

	switch (json_error_code(error)) {
	case json_error_duplicate_key:
		/* the offset is behind the key: its quotes are closed */
		fault_add(faults, name_at(faults->arena, body, offset), "is given twice");
		return FIELD_INVALID;
	case json_error_numeric_overflow:
		fault_add(faults, name_at(faults->arena, body, offset), "is a number out of range");
		return FIELD_INVALID;
	case json_error_null_character: /* as \u0000; a bare one is no JSON */
	case json_error_null_byte_in_key:
		fault_add(faults, name_at(faults->arena, body, offset), "contains the character NUL");
		return FIELD_INVALID;
	case json_error_invalid_utf8:
		fault_add(faults, name_at(faults->arena, body, offset), "is not valid UTF-8 (line %d)",
		          error->line);
		return FIELD_BAD_JSON;
	default:
		fault_add(faults, "body", "is not JSON: error in line %d, column %d", error->line,
		          error->column);
		return FIELD_BAD_JSON;
	}
}

json_t *body_parse(const char *body, size_t len, enum field_result *result, struct faults *faults)
{
	struct scope scopes[DEPTH_MAX];
	json_error_t error;
	json_t *tree;
	int depth;

	*result = FIELD_BAD_JSON;
	if (len == strspn(len != 0 ? body : "", " \t\r\n"))
		return json_object();
	if (!walk(body, body + len, scopes, &depth)) {
		fault_add(faults, "body", "is nested more than %d levels deep", DEPTH_MAX);
		return NULL;
	}
	tree = json_loadb(body, len, JSON_REJECT_DUPLICATES, &error);
	if (tree == NULL) {
		*result = explain(&error, body, len, faults);
	} else if (!json_is_object(tree)) {
		fault_add(faults, "body", "must be a JSON object");
		json_decref(tree);
		tree = NULL;
	}
	return tree;
}

/* The shortest text that reads back as the same number: 19.99, not 19.989999999999998. */
static void add_real(struct buf *out, double value)
{
	char text[40];

	for (int digits = 15; digits <= 17; digits++) {
		snprintf(text, sizeof text, "%.*g", digits, value);
		if (strtod(text, NULL) == value)
			break;
	}
	buf_puts(out, text);
	if (strpbrk(text, ".e") == NULL)
		buf_puts(out, ".0");
}

static void add_value(struct buf *out, const json_t *value);

static void add_object(struct buf *out, const json_t *value)
{
	json_t *object = (json_t *)value; /* jansson's iterators are not const */
	const char *separator = "";

	buf_putc(out, '{');
	for (void *at = json_object_iter(object); at != NULL; at = json_object_iter_next(object, at)) {
		struct json key = json_to(out);

		buf_puts(out, separator);
		json_add_string(&key, NULL, json_object_iter_key(at));
		buf_putc(out, ':');
		add_value(out, json_object_iter_value(at));
		separator = ",";
	}
	buf_putc(out, '}');
}

static void add_array(struct buf *out, const json_t *value)
{
	buf_putc(out, '[');
	for (size_t i = 0; i < json_array_size(value); i++) {
		buf_puts(out, i > 0 ? "," : "");
		add_value(out, json_array_get(value, i));
	}
	buf_putc(out, ']');
}

static void add_value(struct buf *out, const json_t *value)
{
	struct json json = json_to(out);

	switch (json_typeof(value)) {
	case JSON_OBJECT: add_object(out, value); break;
	case JSON_ARRAY: add_array(out, value); break;
	case JSON_REAL: add_real(out, json_real_value(value)); break;
	case JSON_INTEGER: json_int(&json, NULL, json_integer_value(value)); break;
	case JSON_STRING:
		json_string_n(&json, NULL, json_string_value(value), json_string_length(value));
		break;
	case JSON_TRUE:
	case JSON_FALSE: json_bool(&json, NULL, json_is_true(value)); break;
	case JSON_NULL: json_add_null(&json, NULL); break;
	}
}

const char *json_compact(struct arena *arena, const json_t *value)
{
	struct buf out = { 0 };
	const char *text;

	add_value(&out, value);
	text = arena_strndup(arena, out.data, out.len);
	buf_free(&out);
	return text;
}
