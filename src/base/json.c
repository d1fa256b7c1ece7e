#include "base/json.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/instant.h"
#include "base/utf8.h"

struct json json_to(struct buf *out)
{
	return (struct json){ .out = out };
}

/* Returns how many bytes at the start of the text can be copied into a JSON string as they are. */
static size_t span_of_plain(const char *text, size_t len)
{
	size_t span = 0;

	while (span < len) {
		unsigned char c = (unsigned char)text[span];
		size_t size = c < 0x80 ? c >= 0x20 && c != '"' && c != '\\' : utf8_character(text + span, len - span);

		if (size == 0)
			break;
		span += size;
	}
	return span;
}

/* Malformed UTF-8 becomes U+FFFD, byte by byte. */
static void add_escaped(struct buf *out, unsigned char c)
{
	static const char escapes[] = "btn\0fr"; /* for 0x08 … 0x0d */

	if (c >= 0x80)
		buf_puts(out, "\xef\xbf\xbd");
	else if (c == '"' || c == '\\')
		buf_printf(out, "\\%c", c);
	else if (c >= 0x08 && c <= 0x0d && escapes[c - 0x08] != '\0')
		buf_printf(out, "\\%c", escapes[c - 0x08]);
	else
		buf_printf(out, "\\u%04x", c);
}

static void add_quoted(struct buf *out, const char *value, size_t len)
{
	size_t done = 0;

	buf_putc(out, '"');
	while (done < len) {
		size_t span = span_of_plain(value + done, len - done);

		buf_add(out, value + done, span);
		done += span;
		if (done < len)
			add_escaped(out, (unsigned char)value[done++]);
	}
	buf_putc(out, '"');
}

void json_select(struct json *json, const char *const *names)
{
	json->selected = names;
	json->selected_depth = json->depth + 1;
}

static bool is_selected(const struct json *json, const char *key)
{
	for (const char *const *name = json->selected; *name != NULL; name++)
		if (strcmp(*name, key) == 0)
			return true;
	return false;
}

/* Removes the member that was just written, if it was not selected. */
static void end_member(struct json *json)
{
	if (!json->drops)
		return;
	buf_cut(json->out, json->member_at);
	json->filled[json->depth] = json->filled_before;
	json->drops = false;
}

static void select_member(struct json *json, const char *key)
{
	if (json->selected == NULL || json->depth != json->selected_depth)
		return;
	end_member(json);
	json->drops = key != NULL && !is_selected(json, key);
	json->member_at = json->out->len;
	json->filled_before = json->filled[json->depth];
}

/* Writes the comma and the key before a value. */
static void start_value(struct json *json, const char *key)
{
	select_member(json, key);
	if (json->filled[json->depth])
		buf_putc(json->out, ',');
	json->filled[json->depth] = json->depth > 0;
	assert((key != NULL) == (json->depth > 0 && json->closer[json->depth] == '}'));
	if (key != NULL) {
		add_quoted(json->out, key, strlen(key));
		buf_putc(json->out, ':');
	}
}

static void open_scope(struct json *json, const char *key, char opener, char closer)
{
	start_value(json, key);
	buf_putc(json->out, opener);
	json->depth++;
	assert(json->depth < JSON_DEPTH);
	json->filled[json->depth] = false;
	json->closer[json->depth] = closer;
}

void json_begin_object(struct json *json, const char *key)
{
	open_scope(json, key, '{', '}');
}

void json_begin_array(struct json *json, const char *key)
{
	open_scope(json, key, '[', ']');
}

void json_end(struct json *json)
{
	assert(json->depth > 0);
	if (json->depth == json->selected_depth)
		end_member(json);
	buf_putc(json->out, json->closer[json->depth]);
	json->depth--;
}

void json_add_object(struct json *json, const char *key, json_write_members *write, const void *object)
{
	json_begin_object(json, key);
	write(json, object);
	json_end(json);
}

void json_string_n(struct json *json, const char *key, const char *value, size_t len)
{
	start_value(json, key);
	add_quoted(json->out, value, len);
}

void json_add_string(struct json *json, const char *key, const char *value)
{
	if (value == NULL)
		json_add_null(json, key);
	else
		json_string_n(json, key, value, strlen(value));
}

void json_text(struct json *json, const char *key, const char *value)
{
	json_add_string(json, key, value != NULL && *value != '\0' ? value : NULL);
}

void json_int(struct json *json, const char *key, int64_t value)
{
	char digits[24];
	int len = snprintf(digits, sizeof digits, "%" PRId64, value);

	start_value(json, key);
	buf_add(json->out, digits, (size_t)len);
}

void json_count(struct json *json, const char *key, int64_t value)
{
	if (value < 0)
		json_add_null(json, key);
	else
		json_int(json, key, value);
}

void json_positive(struct json *json, const char *key, int64_t value)
{
	json_count(json, key, value == 0 ? -1 : value);
}

void json_bool(struct json *json, const char *key, bool value)
{
	start_value(json, key);
	buf_puts(json->out, value ? "true" : "false");
}

void json_add_null(struct json *json, const char *key)
{
	start_value(json, key);
	buf_add(json->out, "null", 4);
}

void json_raw(struct json *json, const char *key, const char *json_value)
{
	start_value(json, key);
	buf_puts(json->out, json_value != NULL && *json_value != '\0' ? json_value : "null");
}

void json_id(struct json *json, const char *key, const struct uuid *id)
{
	char text[UUID_TEXT];

	if (uuid_is_nil(id)) {
		json_add_null(json, key);
		return;
	}
	uuid_format(id, text);
	json_string_n(json, key, text, UUID_TEXT - 1);
}

void json_hex_id(struct json *json, const char *key, const struct uuid *id)
{
	char text[UUID_HEX];

	uuid_format_hex(id, text);
	json_string_n(json, key, text, UUID_HEX - 1);
}

void json_instant(struct json *json, const char *key, int64_t us)
{
	char text[32];

	if (us == INSTANT_NONE || us == INSTANT_NEVER) {
		json_add_null(json, key);
		return;
	}
	instant_format_iso(us, text);
	json_add_string(json, key, text);
}

void json_sql_instant(struct json *json, const char *key, int64_t us)
{
	char text[32];

	instant_format_sql(us, text);
	json_add_string(json, key, text);
}

void json_date(struct json *json, const char *key, int32_t civil_day)
{
	char text[11];

	date_format(civil_day, text);
	json_add_string(json, key, text);
}

void json_decimal4(struct json *json, const char *key, int64_t ten_thousandths)
{
	start_value(json, key);
	if (ten_thousandths < 0)
		buf_puts(json->out, "null");
	else
		buf_printf(json->out, "%" PRId64 ".%04d", ten_thousandths / 10000, (int)(ten_thousandths % 10000));
}
