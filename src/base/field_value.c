/* One value of a request: its JSON type, its limits, and its form in the struct. */
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
		count += ((unsigned char)*text & 0xc0) != 0x80; /* all bytes but the continuation bytes of UTF-8 */
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

/* Records a fault of one element of an array. */
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
			list = arena_printf(arena, "%s%s%s", list, *list != '\0' ? ", " : "", choices[i]);
	return list;
}

static bool read_string(const struct field *field, const char *value, const char **out, const struct place *at)
{
	size_t len;
	const char *text = json_read_text(at->faults->arena, value, &len);
	const char *fault;
	int64_t count;

	if (text == NULL)
		return place_fault(at, "must be a string");
	count = (int64_t)count_characters(text);
	if (count > field->max || (count < field->min && field->min > 1))
		return place_fault(at, "must have %" PRId64 " to %" PRId64 " characters", field->min, field->max);
	if (count < field->min)
		return place_fault(at, "must not be empty");
	fault = field->check != NULL && count > 0 ? field->check(at->faults->arena, &text) : NULL;
	if (fault != NULL)
		return place_fault(at, "%s", fault);
	*out = text;
	return true;
}

/* 2.0 is a whole number too. */
static bool parse_int(const char *value, int64_t *out)
{
	struct json_number number;

	if (!json_read_number(value, &number))
		return false;
	if (!number.is_integer && (number.real != trunc(number.real) || fabs(number.real) > 9e15))
		return false;
	*out = number.is_integer ? number.integer : (int64_t)number.real;
	return true;
}

static bool read_int(const struct field *field, const char *value, int64_t *out, const struct place *at)
{
	if (!parse_int(value, out))
		return place_fault(at, "must be a whole number");
	if (*out < field->min || *out > field->max)
		return place_fault(at, "must be from %" PRId64 " to %" PRId64, field->min, field->max);
	return true;
}

static bool read_decimal(const struct field *field, const char *value, int64_t *out, const struct place *at)
{
	/* Compared as doubles, because the largest limit would be rounded up. */
	double min = (double)field->min / 10000, max = (double)field->max / 10000;
	struct json_number number;

	if (!json_read_number(value, &number))
		return place_fault(at, "must be a number");
	if (number.real < min || number.real > max)
		return place_fault(at, "must be from %g to %.15g", min, max);
	*out = llround(number.real * 10000);
	return true;
}

/* Returns -1 if the value is none of the choices. */
static int find_choice(struct arena *arena, const char *const *choices, const char *value)
{
	size_t len;
	const char *text = json_read_text(arena, value, &len);

	if (text == NULL || len == 0)
		return -1;
	for (int i = 0; choices[i] != NULL; i++)
		if (strcmp(choices[i], text) == 0)
			return i;
	return -1;
}

static bool read_choice(const struct field *field, const char *value, int *out, const struct place *at)
{
	*out = find_choice(at->faults->arena, field->choices, value);
	if (*out < 0)
		place_fault(at, "must be one of %s", list_choices(at->faults->arena, field->choices));
	return *out >= 0;
}

/* Counts the elements of an array, and judges their number before memory is allocated for them. */
static bool check_size(const struct field *field, const char *value, size_t *count, const struct place *at)
{
	if (json_read_type(value) != JSON_IS_ARRAY)
		return place_fault(at, "must be an array");
	*count = json_read_count(value, (size_t)field->max);
	if (*count == 0 && field->min > 0)
		return place_fault(at, "must not be empty");
	if ((int64_t)*count < field->min || (int64_t)*count > field->max)
		return place_fault(at, "must have %" PRId64 " to %" PRId64 " elements", field->min, field->max);
	return true;
}

/* Adds bit `bit` to a set; -1 means that the element is wrong. */
static bool add_to_set(unsigned *set, int bit, const char *what_is_right, const struct place *at)
{
	if (bit < 0)
		return place_fault(at, "must hold only %s", what_is_right);
	if ((*set & (1u << bit)) != 0)
		return place_fault(at, "must not repeat an element");
	*set |= 1u << bit;
	return true;
}

static bool read_choices(const struct field *field, const char *value, unsigned *out, const struct place *at)
{
	struct arena *arena = at->faults->arena;
	size_t count;

	*out = 0;
	if (!check_size(field, value, &count, at))
		return false;
	for (const char *element = json_read_first(value); element != NULL; element = json_read_next(element))
		if (!add_to_set(out, find_choice(arena, field->choices, element), list_choices(arena, field->choices), at))
			return false;
	return true;
}

static bool read_weekdays(const char *value, unsigned *out, const struct place *at)
{
	*out = 0;
	if (json_read_type(value) != JSON_IS_ARRAY || json_read_first(value) == NULL)
		return place_fault(at, "must be an array of weekdays, 1 (Monday) to 7, and not empty");
	for (const char *element = json_read_first(value); element != NULL; element = json_read_next(element)) {
		int64_t day;
		bool is_day = parse_int(element, &day) && day >= 1 && day <= 7;

		if (!add_to_set(out, is_day ? (int)day - 1 : -1, "1 (Monday) to 7", at))
			return false;
	}
	return true;
}

static bool parse_id(struct arena *arena, const struct field *field, const char *value, struct uuid *out)
{
	size_t len;
	const char *text = json_read_text(arena, value, &len);

	return text != NULL && uuid_parse_id(text, field->prefix, out) && !uuid_is_nil(out);
}

/* A UUID with the prefix of another type is the id of another object. */
static const char *id_wanted(const struct field *field, const char *value, const struct place *at)
{
	size_t len;
	const char *text = json_read_text(at->faults->arena, value, &len);
	const char *bare = text != NULL ? strrchr(text, '_') : NULL;
	struct uuid id;

	if (bare != NULL && uuid_parse_id(bare + 1, "", &id))
		return strcmp(field->prefix, ID_ANY) == 0
		           ? "must be an id (a UUID), with the prefix of its type or none"
		           : arena_printf(at->faults->arena, "must be an id (a UUID), with the prefix %s or none",
		                          field->prefix);
	return "must be an id (a UUID)";
}

static bool ids_repeat(struct arena *arena, const struct uuid *ids, size_t count)
{
	struct uuid *sorted = arena_alloc(arena, count * sizeof *sorted);

	memcpy(sorted, ids, count * sizeof *sorted);
	qsort(sorted, count, sizeof *sorted, uuid_order);
	for (size_t i = 1; i < count; i++)
		if (uuid_equal(&sorted[i - 1], &sorted[i]))
			return true;
	return false;
}

static bool read_ids(const struct field *field, const char *value, struct field_list *out, const struct place *at)
{
	struct arena *arena = at->faults->arena;
	size_t count, i = 0;
	struct uuid *ids;

	if (!check_size(field, value, &count, at))
		return false;
	ids = arena_alloc(arena, count * sizeof *ids);
	for (const char *element = json_read_first(value); element != NULL; element = json_read_next(element), i++)
		if (!parse_id(arena, field, element, &ids[i]))
			return element_fault(at, i, id_wanted(field, element, at));
	if (count > 1 && ids_repeat(arena, ids, count))
		return place_fault(at, "must not repeat an element");
	*out = (struct field_list){ ids, count };
	return true;
}

#define PHONE_WANTED "must be a phone number in E.164 form, such as +4930123456"

static bool parse_phone(struct arena *arena, const char *value, const char **out)
{
	size_t len;

	*out = json_read_text(arena, value, &len);
	return *out != NULL && phone_is_e164(*out);
}

static bool read_phone(const char *value, const char **out, const struct place *at)
{
	return parse_phone(at->faults->arena, value, out) || place_fault(at, PHONE_WANTED);
}

static bool read_phones(const struct field *field, const char *value, struct field_list *out, const struct place *at)
{
	struct arena *arena = at->faults->arena;
	size_t count, i = 0;
	const char **phones;

	if (!check_size(field, value, &count, at))
		return false;
	phones = arena_alloc(arena, count * sizeof *phones);
	for (const char *element = json_read_first(value); element != NULL; element = json_read_next(element), i++)
		if (!parse_phone(arena, element, &phones[i]))
			return element_fault(at, i, PHONE_WANTED);
	*out = (struct field_list){ phones, count };
	return true;
}

static bool read_time(const char *value, int *out, const struct place *at)
{
	size_t len;
	const char *t = json_read_text(at->faults->arena, value, &len);
	static const char digits[] = "0123456789";

	if (t != NULL && len == 5 && strspn(t, digits) == 2 && t[2] == ':' && strspn(t + 3, digits) == 2) {
		int hour = (t[0] - '0') * 10 + t[1] - '0', minute = (t[3] - '0') * 10 + t[4] - '0';

		*out = hour * 60 + minute;
		if (minute <= 59 && *out <= 24 * 60)
			return true;
	}
	return place_fault(at, "must be a time HH:MM from 00:00 to 24:00");
}

static bool read_dates(const struct field *field, const char *value, struct field_list *out, const struct place *at)
{
	size_t count, len, i = 0;
	int32_t *days;

	if (!check_size(field, value, &count, at))
		return false;
	days = arena_alloc(at->faults->arena, count * sizeof *days);
	for (const char *element = json_read_first(value); element != NULL; element = json_read_next(element), i++) {
		const char *text = json_read_text(at->faults->arena, element, &len);

		if (text == NULL || !date_parse(text, &days[i]))
			return element_fault(at, i, "must be a date YYYY-MM-DD");
	}
	qsort(days, count, sizeof *days, civil_day_compare);
	for (i = 1; i < count; i++)
		if (days[i - 1] == days[i])
			return place_fault(at, "must not repeat an element");
	*out = (struct field_list){ days, count };
	return true;
}

static bool read_when(const char *value, struct when *out, const struct place *at)
{
	size_t len;
	const char *text = json_read_text(at->faults->arena, value, &len);

	if (text == NULL || !when_parse(text, out))
		return place_fault(at, "must be an ISO 8601 date and time, such as 2026-11-21T09:00:00Z");
	if (!instant_is_storable(out->us))
		return place_fault(at, INSTANT_RANGE);
	return true;
}

static bool read_object(const struct field *field, const char *value, const char **out, const struct place *at)
{
	const char *text;

	if (json_read_type(value) != JSON_IS_OBJECT)
		return place_fault(at, "must be an object");
	if (json_read_size(value) > (size_t)field->max) /* the size is checked before the copy is made */
		return place_fault(at, "must not be longer than %" PRId64 " bytes", field->max);
	text = object_compact(value, at);
	*out = text != NULL ? text : *out;
	return text != NULL;
}

bool field_value_read(const struct field *field, const char *value, void *out, const struct place *at)
{
	switch (field->type) {
	case FIELD_STRING: return read_string(field, value, out, at);
	case FIELD_INT: return read_int(field, value, out, at);
	case FIELD_DECIMAL: return read_decimal(field, value, out, at);
	case FIELD_BOOL:
		*(bool *)out = *value == 't';
		return json_read_type(value) == JSON_IS_BOOL || place_fault(at, "must be true or false");
	case FIELD_CHOICE: return read_choice(field, value, out, at);
	case FIELD_CHOICES: return read_choices(field, value, out, at);
	case FIELD_WEEKDAYS: return read_weekdays(value, out, at);
	case FIELD_ID:
		return parse_id(at->faults->arena, field, value, out) || place_fault(at, "%s", id_wanted(field, value, at));
	case FIELD_IDS: return read_ids(field, value, out, at);
	case FIELD_PHONES: return read_phones(field, value, out, at);
	case FIELD_PHONE: return read_phone(value, out, at);
	case FIELD_TIME: return read_time(value, out, at);
	case FIELD_WHEN: return read_when(value, out, at);
	case FIELD_DATES: return read_dates(field, value, out, at);
	case FIELD_OBJECT: return read_object(field, value, out, at);
	case FIELD_INSTANT: break; /* is only written */
	case FIELD_RECORDS: break; /* lists of records are read in field.c */
	}
	abort();
}
