/* Writes fields as JSON. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/field.h"
#include "base/json.h"

#define CHANGE_MAX 4096 /* bytes of JSON for each value */

/* Choices without a name are not written. */
static void write_choices(struct json *json, const struct field *field, unsigned set)
{
	if (set == 0 && (field->flags & FIELD_NULLABLE) != 0) {
		json_add_null(json, field->name);
		return;
	}
	json_begin_array(json, field->name);
	for (int i = 0; field->choices[i] != NULL; i++)
		if ((set & 1u << i) != 0 && *field->choices[i] != '\0')
			json_add_string(json, NULL, field->choices[i]);
	json_end(json);
}

static void write_weekdays(struct json *json, const char *key, unsigned days)
{
	json_begin_array(json, key);
	for (int day = 1; day <= 7; day++)
		if ((days & 1u << (day - 1)) != 0)
			json_int(json, NULL, day);
	json_end(json);
}

static void write_time(struct json *json, const char *key, int minutes)
{
	char text[16];

	snprintf(text, sizeof text, "%02d:%02d", minutes / 60, minutes % 60);
	json_add_string(json, key, minutes < 0 ? NULL : text);
}

static void write_item(struct json *json, const struct field *field, const void *items, size_t i)
{
	switch (field->type) {
	case FIELD_IDS: json_id(json, NULL, (const struct uuid *)items + i); return;
	case FIELD_PHONES: json_add_string(json, NULL, ((const char *const *)items)[i]); return;
	case FIELD_DATES: json_date(json, NULL, ((const int32_t *)items)[i]); return;
	case FIELD_RECORDS:
		json_begin_object(json, NULL);
		field_write(json, field->record, (const char *)items + i * field->record->size);
		json_end(json);
		return;
	default: abort();
	}
}

static void write_list(struct json *json, const struct field *field, const struct field_list *list)
{
	json_begin_array(json, field->name);
	for (size_t i = 0; i < list->count; i++)
		write_item(json, field, list->items, i);
	json_end(json);
}

static void write_value(struct json *json, const struct field *field, const void *at)
{
	const char *key = field->name;
	bool nullable = (field->flags & FIELD_NULLABLE) != 0;

	switch (field->type) {
	case FIELD_STRING:
	case FIELD_PHONE: (nullable ? json_text : json_add_string)(json, key, *(const char *const *)at); return;
	case FIELD_INT:
		if (nullable && *(const int64_t *)at < field->min)
			json_add_null(json, key);
		else
			json_int(json, key, *(const int64_t *)at);
		return;
	case FIELD_CHOICE:
		json_add_string(json, key, *(const int *)at < 0 ? NULL : field->choices[*(const int *)at]);
		return;
	case FIELD_DECIMAL: json_decimal4(json, key, *(const int64_t *)at); return;
	case FIELD_BOOL: json_bool(json, key, *(const bool *)at); return;
	case FIELD_CHOICES: write_choices(json, field, *(const unsigned *)at); return;
	case FIELD_WEEKDAYS: write_weekdays(json, key, *(const unsigned *)at); return;
	case FIELD_ID: json_id(json, key, at); return;
	case FIELD_TIME: write_time(json, key, *(const int *)at); return;
	case FIELD_WHEN: json_instant(json, key, ((const struct when *)at)->us); return;
	case FIELD_INSTANT: json_instant(json, key, *(const int64_t *)at); return;
	case FIELD_OBJECT: json_raw(json, key, *(const char *const *)at); return;
	case FIELD_IDS:
	case FIELD_PHONES:
	case FIELD_DATES:
	case FIELD_RECORDS: write_list(json, field, at); return;
	}
	abort();
}

void field_write(struct json *json, const struct field_table *table, const void *object)
{
	for (size_t i = 0; i < table->count; i++)
		if ((table->fields[i].flags & FIELD_UNSHOWN) == 0)
			write_value(json, &table->fields[i], (const char *)object + table->fields[i].offset);
}

/* Writes a field under another name. */
static void write_as(struct json *json, const char *name, const struct field *field, const void *object)
{
	struct field named = *field;

	named.name = name;
	write_value(json, &named, (const char *)object + field->offset);
}

static struct buf text_of(const struct field *field, const void *object)
{
	struct buf text = { 0 };
	struct json json = json_to(&text);

	json_begin_object(&json, NULL);
	write_as(&json, "value", field, object);
	json_end(&json);
	return text;
}

/* Returns false, and writes nothing, if the values are the same. */
static bool write_change(struct json *json, const struct field *field, const void *before, const void *after)
{
	struct buf from = text_of(field, before), to = text_of(field, after);
	bool differ = strcmp(from.data, to.data) != 0, is_long = from.len > CHANGE_MAX || to.len > CHANGE_MAX;

	buf_free(&from);
	buf_free(&to);
	if (!differ)
		return false;
	json_begin_object(json, field->name);
	if ((field->flags & FIELD_PERSONAL) != 0) {
		json_bool(json, "is_personal", true);
	} else if (is_long) {
		json_bool(json, "is_long", true);
	} else {
		write_as(json, "from", field, before);
		write_as(json, "to", field, after);
	}
	json_end(json);
	return true;
}

size_t field_write_changes(struct json *json, const struct field_table *table, const void *before, const void *after)
{
	size_t count = 0;

	for (size_t i = 0; i < table->count; i++)
		if ((table->fields[i].flags & (FIELD_FIXED | FIELD_UNSHOWN)) == 0)
			count += write_change(json, &table->fields[i], before, after);
	return count;
}
