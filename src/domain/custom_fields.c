#include "domain/custom_fields.h"

#include <ctype.h>
#include <string.h>

#include "base/json.h"
#include "base/utf8.h"
#include "domain/csv.h"

#define SEPARATOR "\":\""   /* between a name and its value */
#define STEPS_MAX (1 << 20) /* bytes looked at before a text counts as unreadable */

/* A name and the escaped value after it, as positions in the text. */
struct member {
	size_t name, name_end, value, value_end;
};

struct reading {
	const char *text;
	size_t len, steps;
	struct member members[CSV_FIELDS_MAX];
	size_t count;
};

/* Returns the size of the escape sequence at the start of the text; 0: base/json.h does not write such a sequence. */
static size_t escape_size(const char *at)
{
	if (at[1] != 'u')
		return at[1] != '\0' && strchr("\"\\bfnrt", at[1]) != NULL ? 2 : 0;
	return strncmp(at + 2, "00", 2) == 0 && (at[4] == '0' || at[4] == '1') && isxdigit((unsigned char)at[5]) ? 6 : 0;
}

/* Finds the quote that closes a value; false: the value is malformed. */
static bool find_value_end(struct reading *reading, size_t from, size_t *end)
{
	const char *text = reading->text;

	for (size_t i = from; i < reading->len && text[i] != '"';) {
		size_t size = text[i] == '\\' ? escape_size(text + i) : (unsigned char)text[i] >= 0x20;

		if (size == 0)
			return false;
		i += size;
		reading->steps += size;
		*end = i;
	}
	return *end < reading->len && text[*end] == '"';
}

/* Reads the members from the quote at `at` to the end of the text. A name may contain the text of a separator. So
 * every separator is tried, and the shortest name that leads to the end is taken. */
static bool read_members(struct reading *reading, size_t at)
{
	const char *text = reading->text, *found = text + at + 1;
	struct member *member = &reading->members[reading->count];

	if (reading->count == CSV_FIELDS_MAX)
		return false;
	reading->count++;
	while (reading->steps < STEPS_MAX && (found = strstr(found + 1, SEPARATOR)) != NULL) {
		size_t value = (size_t)(found - text) + strlen(SEPARATOR), end = value;

		reading->steps += value - at;
		*member = (struct member){ at + 1, (size_t)(found - text), value, end };
		if (!find_value_end(reading, value, &end))
			continue;
		member->value_end = end;
		if (end + 2 == reading->len && text[end + 1] == '}')
			return true;
		if (strncmp(text + end, "\",\"", 3) == 0 && read_members(reading, end + 2))
			return true;
	}
	reading->count--;
	return false;
}

static const char *printable(const struct reading *reading, const struct member *member, struct buf *name)
{
	buf_reset(name);
	buf_add(name, reading->text + member->name, member->name_end - member->name);
	utf8_blank_controls(name->data);
	return name->data;
}

static void write_members(const struct reading *reading, struct buf *out)
{
	struct json json = json_to(out);
	struct buf name = { 0 }, value = { 0 };

	json_begin_object(&json, NULL);
	for (size_t i = 0; i < reading->count; i++) {
		const struct member *member = &reading->members[i];

		buf_reset(&value);
		buf_add(&value, reading->text + member->value - 1, member->value_end - member->value + 2);
		json_raw(&json, printable(reading, member, &name), value.data);
	}
	json_end(&json);
	buf_free(&name);
	buf_free(&value);
}

bool custom_fields_repair(const char *text, size_t len, struct buf *out)
{
	struct reading reading = { .text = text, .len = len };
	struct json json = json_to(out);

	if (len > 2 && memcmp(text, "{\"", 2) == 0 && read_members(&reading, 1)) {
		write_members(&reading, out);
		return true;
	}
	json_begin_object(&json, NULL);
	json_string_n(&json, CUSTOM_FIELDS_UNREADABLE, text, len);
	json_end(&json);
	return false;
}
