#include "base/field.h"

#include <assert.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/field_json.h"
#include "base/json.h"
#include "base/utf8.h"

void fault_add(struct faults *faults, const char *field, const char *format, ...)
{
	va_list args;
	char reason[512];

	if (faults->count == FAULTS_MAX)
		return;
	va_start(args, format);
	vsnprintf(reason, sizeof reason, format, args);
	va_end(args);
	faults->list[faults->count++] = (struct fault){
		.field = arena_strdup(faults->arena, field),
		.reason = arena_strdup(faults->arena, reason),
	};
}

static size_t value_size(enum field_type type)
{
	switch (type) {
	case FIELD_STRING:
	case FIELD_PHONE:
	case FIELD_OBJECT: return sizeof(const char *);
	case FIELD_INT:
	case FIELD_INSTANT:
	case FIELD_DECIMAL: return sizeof(int64_t);
	case FIELD_BOOL: return sizeof(bool);
	case FIELD_CHOICE:
	case FIELD_TIME: return sizeof(int);
	case FIELD_CHOICES:
	case FIELD_WEEKDAYS: return sizeof(unsigned);
	case FIELD_ID: return sizeof(struct uuid);
	case FIELD_WHEN: return sizeof(struct when);
	case FIELD_IDS:
	case FIELD_PHONES:
	case FIELD_DATES:
	case FIELD_RECORDS: return sizeof(struct field_list);
	}
	abort();
}

static void copy_value(const struct field *field, const void *from, void *to)
{
	memcpy((char *)to + field->offset, (const char *)from + field->offset, value_size(field->type));
}

void field_apply(const struct field_table *table, uint64_t given, const void *from, void *to)
{
	for (size_t i = 0; i < table->count; i++)
		if ((given & UINT64_C(1) << i) != 0)
			copy_value(&table->fields[i], from, to);
}

static const struct field *find_field(const struct field_table *table, const char *name, size_t len)
{
	for (size_t i = 0; i < table->count; i++)
		if (strlen(table->fields[i].name) == len && memcmp(table->fields[i].name, name, len) == 0)
			return &table->fields[i];
	return NULL;
}

uint64_t field_bit(const struct field_table *table, const char *name)
{
	return UINT64_C(1) << (find_field(table, name, strlen(name)) - table->fields);
}

bool field_is_given(const struct field_table *table, uint64_t given, const char *name)
{
	const struct field *field = find_field(table, name, strlen(name));

	return field != NULL && (given & UINT64_C(1) << (field - table->fields)) != 0;
}

static void refuse_unknown(const struct place *record, const char *name, size_t len)
{
	struct place at = *record;

	at.field = name_shown(at.faults->arena, name, len);
	place_fault(&at, "unknown field");
}

static void refuse_missing(const struct field_table *table, uint64_t given, const struct place *record)
{
	struct place at = *record;

	for (size_t i = 0; i < table->count; i++) {
		const struct field *field = &table->fields[i];

		at.field = field->name;
		if ((field->flags & FIELD_REQUIRED) != 0 && (given & UINT64_C(1) << i) == 0)
			place_fault(&at, "is required");
	}
}

static uint64_t read_record(const struct field_table *table, enum field_mode mode, const char *object, void *out,
                            const struct place *record);

/* Counts the records before it allocates memory for them. */
static void read_records(const struct field *field, const char *value, struct field_list *out, const struct place *at)
{
	bool is_array = json_read_type(value) == JSON_IS_ARRAY;
	size_t count = is_array ? json_read_count(value, (size_t)field->max) : 0, size = field->record->size, i = 0;
	struct faults *faults = at->faults;
	char *items;

	assert(at->list == NULL); /* lists of records do not nest */
	if (!is_array || (int64_t)count < field->min || (int64_t)count > field->max) {
		place_fault(at, "must be an array of %lld to %lld objects", (long long)field->min, (long long)field->max);
		return;
	}
	items = arena_alloc(faults->arena, count * size);
	for (const char *element = json_read_first(value); element != NULL && faults->count < FAULTS_MAX;
	     element = json_read_next(element), i++) {
		const struct place record = { .faults = faults, .list = field->name, .index = i };

		if (json_read_type(element) == JSON_IS_OBJECT)
			read_record(field->record, FIELD_CREATE, element, items + i * size, &record);
		else
			fault_add(faults, arena_printf(faults->arena, "%s[%zu]", field->name, i), "must be an object");
	}
	*out = (struct field_list){ items, count };
}

static void read_field(const struct field_table *table, const struct field *field, enum field_mode mode,
                       const char *value, void *out, const struct place *record)
{
	bool is_null = json_read_type(value) == JSON_IS_NULL;
	struct place at = *record;
	void *to = (char *)out + field->offset;

	at.field = field->name;
	if (mode == FIELD_CHANGE && (field->flags & FIELD_FIXED) != 0)
		place_fault(&at, "cannot be changed");
	else if (is_null && (field->flags & FIELD_NULLABLE) == 0)
		place_fault(&at, "must not be null");
	else if (is_null)
		copy_value(field, table->initial, out);
	else if (field->type == FIELD_RECORDS)
		read_records(field, value, to, &at);
	else
		field_value_read(field, value, to, &at);
}

/* Reads a member of a record. Returns the bit of its field. */
static uint64_t read_member(const struct field_table *table, enum field_mode mode, const char *key, uint64_t given,
                            void *out, const struct place *record)
{
	size_t len;
	const char *name = json_read_span(record->faults->arena, key, &len);
	const struct field *field = find_field(table, name, len);
	uint64_t bit = field != NULL ? UINT64_C(1) << (field - table->fields) : 0;
	struct place at = *record;

	if (field == NULL) {
		refuse_unknown(record, name, len);
	} else if ((given & bit) != 0) {
		at.field = field->name;
		place_fault(&at, "is given twice");
	} else {
		read_field(table, field, mode, json_read_member(key), out, record);
	}
	return bit;
}

static uint64_t read_record(const struct field_table *table, enum field_mode mode, const char *object, void *out,
                            const struct place *record)
{
	uint64_t given = 0;

	if (mode == FIELD_CREATE)
		memcpy(out, table->initial, table->size);
	for (const char *key = json_read_first(object); key != NULL && record->faults->count < FAULTS_MAX;
	     key = json_read_next_key(key))
		given |= read_member(table, mode, key, given, out, record);
	if (mode == FIELD_CREATE)
		refuse_missing(table, given, record);
	return given;
}

enum field_result field_read(const struct field_table *table, enum field_mode mode, const char *body, size_t len,
                             void *out, uint64_t *given, struct faults *faults)
{
	enum field_result result;
	const char *object = body_check(body, len, &result, faults);

	*given = 0;
	if (object == NULL)
		return result;
	*given = read_record(table, mode, object, out, &(struct place){ .faults = faults });
	return faults->count == 0 ? FIELD_OK : FIELD_INVALID;
}

/* Returns the elements of a list with commas between them as a JSON array; NULL if the text is not UTF-8. */
static const char *split_value(struct arena *arena, const char *text)
{
	struct buf array = { 0 };
	struct json json = json_to(&array);
	const char *value;

	if (!utf8_is_valid(text, strlen(text)))
		return NULL;
	json_begin_array(&json, NULL);
	for (size_t len;; text += len + 1) {
		len = strcspn(text, ",");
		json_string_n(&json, NULL, text, len);
		if (text[len] == '\0')
			break;
	}
	json_end(&json);
	value = arena_strdup(arena, array.data);
	buf_free(&array);
	return value;
}

/* Returns the text of a parameter as JSON, as it would be in a body; NULL if it is not UTF-8. A text that is not a
 * number stays a text, so that it has the wrong type. */
static const char *pair_value(struct arena *arena, const struct field *field, const char *text)
{
	struct buf quoted = { 0 };
	struct json json = json_to(&quoted);
	const char *value;
	char *end;
	long long number;

	if (field->type == FIELD_CHOICES || field->type == FIELD_IDS)
		return split_value(arena, text);
	if (field->type == FIELD_BOOL && (strcmp(text, "true") == 0 || strcmp(text, "false") == 0))
		return text;
	if (field->type == FIELD_INT && (*text == '-' || (*text >= '0' && *text <= '9'))) {
		errno = 0;
		number = strtoll(text, &end, 10);
		if (errno == 0 && *end == '\0')
			return arena_printf(arena, "%lld", number);
	}
	if (!utf8_is_valid(text, strlen(text)))
		return NULL;
	json_add_string(&json, NULL, text);
	value = arena_strdup(arena, quoted.data);
	buf_free(&quoted);
	return value;
}

static void read_pair(const struct field_table *table, const struct field_pair *pair, void *out, uint64_t *given,
                      struct faults *faults)
{
	const struct field *field = find_field(table, pair->name, strlen(pair->name));
	uint64_t bit = field != NULL ? UINT64_C(1) << (field - table->fields) : 0;
	const char *value;

	if (*pair->name == '\0') {
		fault_add(faults, "query", "has a value without a name");
		return;
	}
	if (field == NULL) {
		fault_add(faults, name_shown(faults->arena, pair->name, strlen(pair->name)), "unknown parameter");
		return;
	}
	if ((*given & bit) != 0) {
		fault_add(faults, field->name, "is given twice");
		return;
	}
	*given |= bit;
	value = pair_value(faults->arena, field, pair->value);
	if (value == NULL)
		fault_add(faults, field->name, "is not valid UTF-8");
	else
		read_field(table, field, FIELD_CREATE, value, out, &(struct place){ .faults = faults });
}

enum field_result field_read_pairs(const struct field_table *table, const struct field_pair *pairs, size_t count,
                                   void *out, uint64_t *given, struct faults *faults)
{
	*given = 0;
	memcpy(out, table->initial, table->size);
	for (size_t i = 0; i < count; i++)
		read_pair(table, &pairs[i], out, given, faults);
	return faults->count == 0 ? FIELD_OK : FIELD_INVALID;
}
