/* The JSON of request bodies: finds the place of a fault, and keeps objects as text. */
#include "base/field_json.h"

#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/utf8.h"

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

/* An object or array that is open at an offset. */
struct scope {
	bool is_array;
	size_t index;    /* of the element, in an array */
	const char *key; /* the last string, in an object; NULL before the first */
	size_t key_len;
};

/* Returns the closing quote of the string that opens at `at`, or `end`. */
static const char *string_end(const char *at, const char *end)
{
	for (at++; at < end && *at != '"'; at++)
		if (*at == '\\' && at + 1 < end)
			at++;
	return at;
}

/* Follows the brackets up to `end` and leaves the scopes that are open there. The text is checked up to `end`. */
static void walk(const char *at, const char *end, struct scope scopes[JSON_READ_DEPTH], int *depth)
{
	bool key_is_next = false;

	for (*depth = 0; at < end; at++) {
		struct scope *scope = *depth > 0 ? &scopes[*depth - 1] : NULL;

		switch (*at) {
		case '{':
		case '[':
			scopes[(*depth)++] = (struct scope){ .is_array = *at == '[' };
			key_is_next = *at == '{';
			break;
		case '}':
		case ']': *depth -= *depth > 0; break;
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
		default: break;
		}
	}
}

/* Returns the name of the value at an offset: "contacts[3].phone_number". */
static const char *name_at(struct arena *arena, const char *body, size_t offset)
{
	struct scope scopes[JSON_READ_DEPTH];
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

/* Returns the line of an offset and the character in that line; both count from 1. */
static const char *position_at(struct arena *arena, const char *body, size_t offset)
{
	size_t line = 1, line_at = 0;

	for (size_t i = 0; i < offset; i++)
		if (body[i] == '\n') {
			line++;
			line_at = i + 1;
		}
	return arena_printf(arena, "line %zu, column %zu", line, utf8_length(body + line_at, offset - line_at) + 1);
}

static enum field_result explain(const struct json_error *error, const char *body, struct faults *faults)
{
	struct arena *arena = faults->arena;

	switch (error->fault) {
	case JSON_FAULT_DEPTH:
		fault_add(faults, "body", "is nested more than %d levels deep", JSON_READ_DEPTH);
		return FIELD_BAD_JSON;
	case JSON_FAULT_UTF8:
		fault_add(faults, name_at(arena, body, error->offset), "is not valid UTF-8 (%s)",
		          position_at(arena, body, error->offset));
		return FIELD_BAD_JSON;
	case JSON_FAULT_NUL:
		fault_add(faults, name_at(arena, body, error->offset), "contains the character NUL");
		return FIELD_INVALID;
	case JSON_FAULT_NUMBER:
		fault_add(faults, name_at(arena, body, error->offset), "is a number out of range");
		return FIELD_INVALID;
	case JSON_FAULT_SYNTAX:
	case JSON_FAULT_NONE: break;
	}
	fault_add(faults, "body", "is not JSON: %s (%s)", error->reason, position_at(arena, body, error->offset));
	return FIELD_BAD_JSON;
}

const char *body_check(const char *body, size_t len, enum field_result *result, struct faults *faults)
{
	static const char byte_order_mark[] = "\xef\xbb\xbf";
	size_t spaces = len != 0 ? strspn(body, " \t\r\n") : 0;
	struct json_error error;

	*result = FIELD_BAD_JSON;
	if (spaces == len)
		return "{}";
	if (len >= 3 && memcmp(body, byte_order_mark, 3) == 0) {
		fault_add(faults, "body", "begins with a byte order mark (BOM): JSON is sent without it");
		return NULL;
	}
	if (!json_read_check(body, len, &error)) {
		*result = explain(&error, body, faults);
		return NULL;
	}
	if (json_read_type(body + spaces) != JSON_IS_OBJECT) {
		fault_add(faults, "body", "is JSON, but not an object: it must be one, in { and }");
		return NULL;
	}
	return body + spaces;
}

/* An object on its way to compact text. */
struct compaction {
	const char *object;
	const struct place *at;
	struct buf *out;
};

struct key {
	const char *text, *source;
	size_t len;
};

static int compare_keys(const void *a, const void *b)
{
	const struct key *left = a, *right = b;
	int order = memcmp(left->text, right->text, left->len < right->len ? left->len : right->len);

	return order != 0 ? order : (left->len > right->len) - (left->len < right->len);
}

/* Returns the key that an object has twice, or NULL. */
static const char *find_repeated(struct arena *arena, const char *object)
{
	size_t count = json_read_count_keys(object), n = 0;
	struct key *keys = arena_alloc(arena, count * sizeof *keys);

	for (const char *key = json_read_first(object); key != NULL; key = json_read_next_key(key), n++) {
		keys[n].source = key;
		keys[n].text = json_read_span(arena, key, &keys[n].len);
	}
	qsort(keys, count, sizeof *keys, compare_keys);
	for (size_t i = 1; i < count; i++)
		if (compare_keys(&keys[i - 1], &keys[i]) == 0)
			return keys[i - 1].source > keys[i].source ? keys[i - 1].source : keys[i].source;
	return NULL;
}

static void add_string(struct compaction *compaction, const char *value)
{
	struct json json = json_to(compaction->out);
	size_t len;
	const char *text = json_read_span(compaction->at->faults->arena, value, &len);

	json_string_n(&json, NULL, text, len);
}

static bool add_value(struct compaction *compaction, const char *value);

static bool add_object(struct compaction *compaction, const char *object)
{
	struct arena *arena = compaction->at->faults->arena;
	const char *repeated = find_repeated(arena, object);
	const char *separator = "";

	if (repeated != NULL) {
		struct place at = *compaction->at;
		size_t offset = (size_t)(json_read_end(repeated) - compaction->object);

		at.field = arena_printf(arena, "%s.%s", at.field, name_at(arena, compaction->object, offset));
		return place_fault(&at, "is given twice");
	}
	buf_putc(compaction->out, '{');
	for (const char *key = json_read_first(object); key != NULL; key = json_read_next_key(key)) {
		buf_puts(compaction->out, separator);
		add_string(compaction, key);
		buf_putc(compaction->out, ':');
		if (!add_value(compaction, json_read_member(key)))
			return false;
		separator = ",";
	}
	buf_putc(compaction->out, '}');
	return true;
}

static bool add_array(struct compaction *compaction, const char *array)
{
	const char *separator = "";

	buf_putc(compaction->out, '[');
	for (const char *at = json_read_first(array); at != NULL; at = json_read_next(at)) {
		buf_puts(compaction->out, separator);
		if (!add_value(compaction, at))
			return false;
		separator = ",";
	}
	buf_putc(compaction->out, ']');
	return true;
}

static bool add_value(struct compaction *compaction, const char *value)
{
	switch (json_read_type(value)) {
	case JSON_IS_OBJECT: return add_object(compaction, value);
	case JSON_IS_ARRAY: return add_array(compaction, value);
	case JSON_IS_STRING: add_string(compaction, value); return true;
	default: buf_add(compaction->out, value, (size_t)(json_read_end(value) - value)); return true;
	}
}

const char *object_compact(const char *object, const struct place *at)
{
	struct buf out = { 0 };
	struct compaction compaction = { object, at, &out };
	const char *text = NULL;

	if (add_object(&compaction, object))
		text = arena_strndup(at->faults->arena, out.data, out.len);
	buf_free(&out);
	return text;
}

/* The keys of a patch, in their order, and whether the object has them. */
struct patch {
	struct key *keys;
	bool *is_used;
	size_t count;
};

static struct patch read_patch(struct arena *arena, const char *object)
{
	struct patch patch = { .count = json_read_count_keys(object) };
	size_t n = 0;

	patch.keys = arena_alloc(arena, patch.count * sizeof *patch.keys);
	patch.is_used = arena_alloc(arena, patch.count * sizeof *patch.is_used);
	for (const char *key = json_read_first(object); key != NULL; key = json_read_next_key(key), n++) {
		patch.keys[n].source = key;
		patch.keys[n].text = json_read_span(arena, key, &patch.keys[n].len);
	}
	qsort(patch.keys, patch.count, sizeof *patch.keys, compare_keys);
	return patch;
}

/* Appends a member, unless it is null and `drops_null`. */
static void add_member(struct buf *out, const char *key, const char *value, bool drops_null)
{
	if (drops_null && json_read_type(value) == JSON_IS_NULL)
		return;
	buf_putc(out, out->len == 0 ? '{' : ',');
	buf_add(out, key, (size_t)(json_read_end(key) - key));
	buf_putc(out, ':');
	buf_add(out, value, (size_t)(json_read_end(value) - value));
}

static void merge(struct arena *arena, struct buf *out, const char *object, const char *changes)
{
	struct patch patch = read_patch(arena, changes);

	for (const char *key = json_read_first(object); key != NULL; key = json_read_next_key(key)) {
		struct key sought = { .source = key }, *found;

		sought.text = json_read_span(arena, key, &sought.len);
		found = bsearch(&sought, patch.keys, patch.count, sizeof sought, compare_keys);
		if (found != NULL)
			patch.is_used[found - patch.keys] = true;
		add_member(out, key, json_read_member(found != NULL ? found->source : key), found != NULL);
	}
	for (const char *key = json_read_first(changes); key != NULL; key = json_read_next_key(key)) {
		struct key sought = { .source = key }, *found;

		sought.text = json_read_span(arena, key, &sought.len);
		found = bsearch(&sought, patch.keys, patch.count, sizeof sought, compare_keys);
		if (!patch.is_used[found - patch.keys])
			add_member(out, key, json_read_member(key), true);
	}
	if (out->len != 0)
		buf_putc(out, '}');
}

/* Returns NULL if the text is not an object. */
static const char *checked_object(const char *text)
{
	const char *object = *text != '\0' ? text : "{}";
	struct json_error error;

	return *object == '{' && json_read_check(object, strlen(object), &error) ? object : NULL;
}

const char *field_merge(struct arena *arena, const char *object, const char *patch)
{
	const char *old = checked_object(object), *changes = checked_object(patch), *text;
	struct buf out = { 0 };

	if (old == NULL || changes == NULL)
		return NULL;
	merge(arena, &out, old, changes);
	text = arena_strdup(arena, buf_text(&out));
	buf_free(&out);
	return text;
}

void field_each_member(struct arena *arena, const char *object,
                       bool (*take)(void *context, const char *name, const char *value), void *context)
{
	struct json_error error;

	if (*object != '{' || !json_read_check(object, strlen(object), &error))
		return;
	for (const char *key = json_read_first(object); key != NULL; key = json_read_next_key(key)) {
		const char *member = json_read_member(key), *text;
		size_t len;

		if (json_read_type(member) == JSON_IS_STRING)
			text = json_read_text(arena, member, &len);
		else if (json_read_type(member) == JSON_IS_NULL)
			text = "";
		else
			text = arena_strndup(arena, member, (size_t)(json_read_end(member) - member));
		if (!take(context, json_read_text(arena, key, &len), text))
			return;
	}
}
