/* One value of a request: its JSON type, its limits, and the form in which it lands in a struct. */
#include <inttypes.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/field_json.h"

bool phone_is_e164(const char *text)
{
	size_t digits;

	if (text[0] != '+' || text[1] < '1' || text[1] > '9')
		return false;
	digits = strspn(text + 1, "0123456789");
	return digits >= 2 && digits <= 15 && text[1 + digits] == '\0';
}

static size_t count_characters(const char *text)
{
	size_t count = 0;

	for (; *text != '\0'; text++)
		count += ((unsigned char)*text & 0xc0) != 0x80; /* all but the continuing bytes of UTF-8 */
	return count;
}

bool place_fault(const struct place *place, const char *format, ...)
{
	struct arena *arena = place->faults->arena;
	const char *name = place->field;
	char reason[512];
	va_list args;

	va_start(args, format);
	vsnprintf(reason, sizeof reason, format, args);
	va_end(args);
	if (place->list != NULL)
		name = arena_printf(arena, "%s[%zu].%s", place->list, place->index, place->field);
	fault_add(place->faults, name, "%s", reason);
	return false;
}

/* The same for one element of an array. */
static bool element_fault(const struct place *at, size_t index, const char *reason)
{
	struct place element = *at;

	element.field = arena_printf(at->faults->arena, "%s[%zu]", at->field, index);
	return place_fault(&element, "%s", reason);
}

static const char *list_choices(struct arena *arena, const char *const *choices)
{
	const char *list = "";

	for (int i = 0; choices[i] != NULL; i++)
		if (*choices[i] != '\0')
			list = arena_printf(arena, "%s%s%s", list, *list != '\0' ? ", " : "",
			                    choices[i]);
	return list;
}

static bool read_string(const struct field *field, const json_t *value, const char **out,
                        const struct place *at)
{
	const char *text = json_string_value(value);
	const char *fault;
	int64_t count;

	if (text == NULL)
		return place_fault(at, "must be a string");
	count = (int64_t)count_characters(text);
	if (count > field->max || (count < field->min && field->min > 1))
		return place_fault(at, "must have %" PRId64 " to %" PRId64 " characters", field->min,
		                   field->max);
	if (count < field->min)
		return place_fault(at, "must not be empty");
	text = arena_strndup(at->faults->arena, text, json_string_length(value));
	fault = field->check != NULL && count > 0 ? field->check(at->faults->arena, &text) : NULL;
	if (fault != NULL)
		return place_fault(at, "%s", fault);
	*out = text;
	return true;
}

/* 2.0 is a whole number, too. */
static bool parse_int(const json_t *value, int64_t *out)
{
	double real = json_number_value(value);

	if (!json_is_number(value) ||
	    (json_is_real(value) && (real != trunc(real) || fabs(real) > 9e15)))
		return false;
	*out = json_is_integer(value) ? json_integer_value(value) : (int64_t)real;
	return true;
}

static bool read_int(const struct field *field, const json_t *value, int64_t *out,
                     const struct place *at)
{
	if (!parse_int(value, out))
		return place_fault(at, "must be a whole number");
	if (*out < field->min || *out > field->max)
		return place_fault(at, "must be from %" PRId64 " to %" PRId64, field->min, field->max);
	return true;
}

static bool read_decimal(const struct field *field, const json_t *value, int64_t *out,
                         const struct place *at)
{
	/* Compared as they are read, or the largest would be rounded beyond itself. */
	double number = json_number_value(value), min = (double)field->min / 10000, max = (double)field->max / 10000;

	if (!json_is_number(value))
		return place_fault(at, "must be a number");
	if (number < min || number > max)
		return place_fault(at, "must be from %g to %.15g", min, max);
	*out = llround(number * 10000);
	return true;
}

static int find_choice(const char *const *choices, const char *text)
{
	if (text == NULL || *text == '\0')
		return -1;
	for (int i = 0; choices[i] != NULL; i++)
		if (strcmp(choices[i], text) == 0)
			return i;
	return -1;
}

static bool read_choice(const struct field *field, const json_t *value, int *out,
                        const struct place *at)
{
	*out = find_choice(field->choices, json_string_value(value));
	if (*out < 0)
		place_fault(at, "must be one of %s", list_choices(at->faults->arena, field->choices));
	return *out >= 0;
}

/* The bounds of an array's size, for every type that is one. */
static bool check_size(const struct field *field, const json_t *value, const struct place *at)
{
	int64_t size = (int64_t)json_array_size(value);

	if (!json_is_array(value))
		return place_fault(at, "must be an array");
	if (size == 0 && field->min > 0)
		return place_fault(at, "must not be empty");
	if (size < field->min || size > field->max)
		return place_fault(at, "must have %" PRId64 " to %" PRId64 " elements", field->min,
		                   field->max);
	return true;
}

/* Adds bit `bit` to a set; an element that is wrong has bit -1. */
static bool add_to_set(unsigned *set, int bit, const char *what_is_right, const struct place *at)
{
	if (bit < 0)
		return place_fault(at, "must hold only %s", what_is_right);
	if ((*set & (1u << bit)) != 0)
		return place_fault(at, "must not repeat an element");
	*set |= 1u << bit;
	return true;
}

static bool read_choices(const struct field *field, const json_t *value, unsigned *out,
                         const struct place *at)
{
	*out = 0;
	if (!check_size(field, value, at))
		return false;
	for (size_t i = 0; i < json_array_size(value); i++) {
		int found = find_choice(field->choices, json_string_value(json_array_get(value, i)));

		if (!add_to_set(out, found, list_choices(at->faults->arena, field->choices), at))
			return false;
	}
	return true;
}

static bool read_weekdays(const json_t *value, unsigned *out, const struct place *at)
{
	*out = 0;
	if (!json_is_array(value) || json_array_size(value) == 0)
		return place_fault(at, "must be an array of weekdays, 1 (Monday) to 7, and not empty");
	for (size_t i = 0; i < json_array_size(value); i++) {
		int64_t day;
		bool is_day = parse_int(json_array_get(value, i), &day) && day >= 1 && day <= 7;

		if (!add_to_set(out, is_day ? (int)day - 1 : -1, "1 (Monday) to 7", at))
			return false;
	}
	return true;
}

static bool parse_id(const json_t *value, struct uuid *out)
{
	const char *text = json_string_value(value);

	return text != NULL && uuid_parse_id(text, out) && !uuid_is_nil(out);
}

static int compare_ids(const void *a, const void *b)
{
	return memcmp(a, b, sizeof(struct uuid));
}

static bool ids_repeat(struct arena *arena, const struct uuid *ids, size_t count)
{
	struct uuid *sorted = arena_alloc(arena, count * sizeof *sorted);

	memcpy(sorted, ids, count * sizeof *sorted);
	qsort(sorted, count, sizeof *sorted, compare_ids);
	for (size_t i = 1; i < count; i++)
		if (uuid_equal(&sorted[i - 1], &sorted[i]))
			return true;
	return false;
}

static bool read_ids(const struct field *field, const json_t *value, struct field_list *out,
                     const struct place *at)
{
	size_t count = json_array_size(value);
	struct uuid *ids;

	if (!check_size(field, value, at))
		return false;
	ids = arena_alloc(at->faults->arena, count * sizeof *ids);
	for (size_t i = 0; i < count; i++) {
		if (!parse_id(json_array_get(value, i), &ids[i]))
			return element_fault(at, i, "must be an id (a UUID)");
	}
	if (count > 1 && ids_repeat(at->faults->arena, ids, count))
		return place_fault(at, "must not repeat an element");
	*out = (struct field_list){ ids, count };
	return true;
}

#define PHONE_WANTED "must be a phone number in E.164 form, such as +4930123456"

static bool parse_phone(struct arena *arena, const json_t *value, const char **out)
{
	const char *text = json_string_value(value);

	if (text == NULL || !phone_is_e164(text))
		return false;
	*out = arena_strdup(arena, text);
	return true;
}

static bool read_phone(const json_t *value, const char **out, const struct place *at)
{
	return parse_phone(at->faults->arena, value, out) || place_fault(at, PHONE_WANTED);
}

static bool read_phones(const struct field *field, const json_t *value, struct field_list *out,
                        const struct place *at)
{
	size_t count = json_array_size(value);
	const char **phones;

	if (!check_size(field, value, at))
		return false;
	phones = arena_alloc(at->faults->arena, count * sizeof *phones);
	for (size_t i = 0; i < count; i++)
		if (!parse_phone(at->faults->arena, json_array_get(value, i), &phones[i]))
			return element_fault(at, i, PHONE_WANTED);
	*out = (struct field_list){ phones, count };
	return true;
}

static bool read_time(const json_t *value, int *out, const struct place *at)
{
	const char *t = json_string_value(value);
	static const char digits[] = "0123456789";

	if (t != NULL && strlen(t) == 5 && strspn(t, digits) == 2 && t[2] == ':' &&
	    strspn(t + 3, digits) == 2) {
		int hour = (t[0] - '0') * 10 + t[1] - '0', minute = (t[3] - '0') * 10 + t[4] - '0';

		*out = hour * 60 + minute;
		if (minute <= 59 && *out <= 24 * 60)
			return true;
	}
	return place_fault(at, "must be a time HH:MM from 00:00 to 24:00");
}

static int compare_days(const void *a, const void *b)
{
	int32_t left = *(const int32_t *)a, right = *(const int32_t *)b;

	return (left > right) - (left < right);
}

static bool read_dates(const struct field *field, const json_t *value, struct field_list *out,
                       const struct place *at)
{
	size_t count = json_array_size(value);
	int32_t *days;

	if (!check_size(field, value, at))
		return false;
	days = arena_alloc(at->faults->arena, count * sizeof *days);
	for (size_t i = 0; i < count; i++) {
		const char *text = json_string_value(json_array_get(value, i));

		if (text == NULL || !date_parse(text, &days[i]))
			return element_fault(at, i, "must be a date YYYY-MM-DD");
	}
	qsort(days, count, sizeof *days, compare_days);
	for (size_t i = 1; i < count; i++)
		if (days[i - 1] == days[i])
			return place_fault(at, "must not repeat an element");
	*out = (struct field_list){ days, count };
	return true;
}

/* The years that the database's sentinels leave. */
static bool read_when(const json_t *value, struct when *out, const struct place *at)
{
	const char *text = json_string_value(value);

	if (text == NULL || !when_parse(text, out))
		return place_fault(at,
		                   "must be an ISO 8601 date and time, such as 2026-11-21T09:00:00Z");
	if (out->us < 0 || out->us >= INSTANT_NEVER - US_PER_DAY)
		return place_fault(at, "must be in the years 1970 to 9999");
	return true;
}

static bool read_object(const struct field *field, const json_t *value, const char **out,
                        const struct place *at)
{
	if (!json_is_object(value))
		return place_fault(at, "must be an object");
	*out = json_compact(at->faults->arena, value);
	if ((int64_t)strlen(*out) > field->max)
		return place_fault(at, "must not be longer than %" PRId64 " bytes", field->max);
	return true;
}

bool field_value_read(const struct field *field, const json_t *value, void *out, const struct place *at)
{
	switch (field->type) {
	case FIELD_STRING: return read_string(field, value, out, at);
	case FIELD_INT: return read_int(field, value, out, at);
	case FIELD_DECIMAL: return read_decimal(field, value, out, at);
	case FIELD_BOOL:
		*(bool *)out = json_is_true(value);
		return json_is_boolean(value) || place_fault(at, "must be true or false");
	case FIELD_CHOICE: return read_choice(field, value, out, at);
	case FIELD_CHOICES: return read_choices(field, value, out, at);
	case FIELD_WEEKDAYS: return read_weekdays(value, out, at);
	case FIELD_ID: return parse_id(value, out) || place_fault(at, "must be an id (a UUID)");
	case FIELD_IDS: return read_ids(field, value, out, at);
	case FIELD_PHONES: return read_phones(field, value, out, at);
	case FIELD_PHONE: return read_phone(value, out, at);
	case FIELD_TIME: return read_time(value, out, at);
	case FIELD_WHEN: return read_when(value, out, at);
	case FIELD_DATES: return read_dates(field, value, out, at);
	case FIELD_OBJECT: return read_object(field, value, out, at);
	case FIELD_RECORDS: break; /* lists of records are read in field.c */
	}
	abort();
}
