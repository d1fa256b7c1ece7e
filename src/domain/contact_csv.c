#include "domain/contact_csv.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "base/json.h"
#include "base/utf8.h"
#include "base/zone.h"
#include "domain/phone_text.h"

#define COLUMN_NAME_MAX 255   /* characters */
#define BETWEEN_NUMBERS ":::" /* in a cell of Google Contacts */

/* The members of a contact that columns of each kind set. */
static const unsigned members[COLUMN__MAX] = {
	[COLUMN_CUSTOM] = CONTACT_HAS_CUSTOM_FIELDS, [COLUMN_FIRST_NAME] = CONTACT_HAS_FIRST_NAME,
	[COLUMN_LAST_NAME] = CONTACT_HAS_LAST_NAME,  [COLUMN_NAME] = CONTACT_HAS_FIRST_NAME | CONTACT_HAS_LAST_NAME,
	[COLUMN_EMAIL] = CONTACT_HAS_EMAIL,          [COLUMN_TIMEZONE] = CONTACT_HAS_TIMEZONE,
};

static void trim(struct csv_field *field)
{
	while (field->len > 0 && isspace((unsigned char)field->text[field->len - 1]))
		field->text[--field->len] = '\0';
	while (field->len > 0 && isspace((unsigned char)*field->text)) {
		field->text++;
		field->len--;
	}
}

/* Removes what makes spreadsheets show a value as text: ="0123", and an apostrophe before a text that looks like a
 * formula. */
static void unwrap(struct csv_field *field)
{
	if (field->len >= 3 && memcmp(field->text, "=\"", 2) == 0 &&
	    memchr(field->text + 2, '"', field->len - 2) == field->text + field->len - 1) {
		field->text += 2;
		field->len -= 3;
		field->text[field->len] = '\0';
	} else if (field->len >= 2 && *field->text == '\'' && strchr("=+-@\t\r", field->text[1]) != NULL &&
	           field->text[1] != '\0') {
		field->text++;
		field->len--;
	}
}

/* Replaces each run of control characters, with the spaces beside them, by one space: a name that has line breaks in a
 * spreadsheet becomes a name of one line. */
static void clean(struct csv_field *name)
{
	char *from = name->text, *end = name->text + name->len, *to = from;

	while (from < end) {
		size_t gap = strspn(from, " "), size, controls = 0;

		while ((size = utf8_control(from + gap, (size_t)(end - from) - gap)) != 0) {
			controls++;
			gap += size;
			gap += strspn(from + gap, " ");
		}
		if (controls != 0)
			*to++ = ' ';
		else
			to = (char *)memmove(to, from, gap) + gap;
		from += gap;
		if (from < end)
			*to++ = *from++;
	}
	*to = '\0';
	name->len = (size_t)(to - name->text);
}

/* Reads the name of column i, without invisible characters. */
static bool read_name(struct contact_csv *csv, const struct csv_row *row, size_t i, const char **name,
                      char reason[CONTACT_CSV_REASON])
{
	struct csv_field *field = &row->fields[i];

	if (!utf8_is_valid(field->text, field->len))
		return contact_fault(reason, "the header is not UTF-8 text");
	unwrap(field);
	clean(field);
	trim(field);
	if (utf8_length(field->text, field->len) > COLUMN_NAME_MAX)
		return contact_fault(reason, "column %zu has a name of more than %d characters", i + 1, COLUMN_NAME_MAX);
	*name = arena_strdup(csv->arena, field->text);
	return true;
}

bool contact_csv_header(struct contact_csv *csv, const struct csv_row *row, char reason[CONTACT_CSV_REASON])
{
	const char *names[CSV_FIELDS_MAX];
	enum contact_column kinds[CSV_FIELDS_MAX];

	if (row->fault != NULL)
		return contact_fault(reason, "the header cannot be read: %s", row->fault);
	for (size_t i = 0; i < row->count; i++)
		if (!read_name(csv, row, i, &names[i], reason))
			return false;
	if (!contact_columns_sort(names, row->count, &csv->map, csv->phones_only, kinds, reason))
		return false;
	for (size_t i = 0; i < row->count; i++, csv->count++) {
		csv->columns[i].kind = kinds[i];
		csv->columns[i].name = names[i];
		csv->members |= members[kinds[i]];
		csv->phones += kinds[i] == COLUMN_PHONE;
	}
	if (csv->phones > 1)
		csv->members |= members[COLUMN_CUSTOM];
	return true;
}

const char *contact_csv_use(const struct contact_csv *csv, size_t column)
{
	enum contact_column kind = csv->columns[column].kind;

	return contact_column_names[csv->phones_only && kind != COLUMN_PHONE ? COLUMN_IGNORED : kind];
}

void contact_csv_free(struct contact_csv *csv)
{
	buf_free(&csv->custom);
}

/* "Ada King Lovelace": the first word is the first name, and the rest is the last name. */
static void split_name(char *name, struct contact_input *out)
{
	char *gap = strpbrk(name, " \t");

	out->first_name = name;
	if (gap == NULL)
		return;
	*gap = '\0';
	out->last_name = gap + 1 + strspn(gap + 1, " \t");
}

/* Returns what is wrong with the zone. NULL: the zone is good, and the contact has its IANA spelling. */
static const char *check_zone(struct contact_csv *csv, struct contact_input *contact)
{
	if (*contact->timezone == '\0' || strcmp(contact->timezone, csv->timezone) == 0)
		return NULL;
	switch (zone_find(contact->timezone, csv->timezone)) {
	case ZONE_KNOWN: contact->timezone = csv->timezone; return NULL;
	case ZONE_CANNOT_SAY: return zone_cannot_say;
	default: return "is not an IANA time zone";
	}
}

/* A field of one line has a line break: most likely an earlier quote is not closed. */
static bool is_broken(enum contact_column kind, const struct csv_field *field)
{
	return kind >= COLUMN_PHONE &&
	       (memchr(field->text, '\n', field->len) != NULL || memchr(field->text, '\r', field->len) != NULL);
}

/* Judges a field. CONTACT_CSV_EMPTY: the field is empty. For a fault, *reason says what is wrong. */
static enum contact_csv_result judge_field(const struct contact_csv *csv, const struct csv_row *row, size_t i,
                                           char reason[CONTACT_CSV_REASON])
{
	const struct csv_field *field = &row->fields[i];
	enum contact_column kind = i < csv->count ? csv->columns[i].kind : COLUMN_IGNORED;
	enum contact_csv_result result = CONTACT_CSV_BAD;

	if (field->len == 0)
		return CONTACT_CSV_EMPTY;
	if (is_broken(kind, field)) {
		result = CONTACT_CSV_UNREADABLE;
		contact_fault(reason, "field %zu has a line break: a quote may not be closed, the row takes up %d lines", i + 1,
		              (int)row->lines);
	} else if (csv->phones_only && kind != COLUMN_PHONE) {
		result = CONTACT_CSV_OK;
	} else if (!utf8_is_valid(field->text, field->len)) {
		contact_fault(reason, "field %zu is not UTF-8 text", i + 1);
	} else if (i >= csv->count) {
		contact_fault(reason, "the row has more fields than the header");
	} else {
		result = CONTACT_CSV_OK;
	}
	return result;
}

/* Returns whether the cell has numbers that are not called. */
static bool has_other_numbers(const struct contact_csv *csv, const struct csv_field *field, size_t i)
{
	return i != csv->phone_column || strstr(field->text, BETWEEN_NUMBERS) != NULL;
}

/* Writes null for the custom fields of empty cells, and for columns with numbers, which may become custom fields. */
static void mark_empty(struct json *json, const struct contact_csv *csv, const struct csv_row *row)
{
	for (size_t i = 0; i < csv->count; i++) {
		enum contact_column kind = csv->columns[i].kind;
		bool is_empty = i >= row->count || row->fields[i].len == 0;

		if ((kind == COLUMN_CUSTOM && is_empty) ||
		    (kind == COLUMN_PHONE && csv->phones > 1 && (is_empty || !has_other_numbers(csv, &row->fields[i], i))))
			json_add_null(json, csv->columns[i].name);
	}
}

static void take_field(struct json *json, const struct contact_csv *csv, const struct csv_row *row, size_t i,
                       struct contact_input *out, char **name)
{
	const struct csv_field *field = &row->fields[i];

	switch (csv->columns[i].kind) {
	case COLUMN_FIRST_NAME: out->first_name = field->text; break;
	case COLUMN_LAST_NAME: out->last_name = field->text; break;
	case COLUMN_NAME: *name = field->text; break;
	case COLUMN_EMAIL: out->email = field->text; break;
	case COLUMN_TIMEZONE: out->timezone = field->text; break;
	case COLUMN_CUSTOM: json_string_n(json, csv->columns[i].name, field->text, field->len); break;
	case COLUMN_PHONE: /* the row has a number already */
		if (has_other_numbers(csv, field, i))
			json_string_n(json, csv->columns[i].name, field->text, field->len);
		break;
	default: break;
	}
}

/* Sorts the fields into the contact. *name is a full name, or NULL. For any result but CONTACT_CSV_OK, *reason says
 * why. */
static enum contact_csv_result read_fields(struct contact_csv *csv, const struct csv_row *row,
                                           struct contact_input *out, char **name, char reason[CONTACT_CSV_REASON])
{
	enum contact_csv_result result = CONTACT_CSV_EMPTY;
	struct json json;

	buf_reset(&csv->custom);
	json = json_to(&csv->custom);
	json_begin_object(&json, NULL);
	for (size_t i = 0; i < row->count; i++) {
		enum contact_csv_result judged;

		if (i >= csv->count || csv->columns[i].kind != COLUMN_CUSTOM)
			trim(&row->fields[i]);
		judged = judge_field(csv, row, i, reason);
		if (judged == CONTACT_CSV_EMPTY)
			continue;
		result = judged;
		if (judged != CONTACT_CSV_OK)
			return result;
		if (i < csv->count && !csv->phones_only)
			take_field(&json, csv, row, i, out, name);
	}
	if (csv->marks_empty)
		mark_empty(&json, csv, row);
	json_end(&json);
	return result;
}

static bool check_length(const char *what, const char *text, size_t max, char reason[CONTACT_CSV_REASON])
{
	return utf8_length(text, strlen(text)) <= max ||
	       contact_fault(reason, "%s: must not have more than %zu characters", what, max);
}

static bool check(struct contact_csv *csv, struct contact_input *contact, char reason[CONTACT_CSV_REASON])
{
	const char *zone_fault;

	if (*contact->phone_number == '\0')
		return contact_fault(reason, "phone_number: is missing");
	if (csv->phone_column == csv->count)
		return contact_fault(reason, "phone_number: %s", csv->phone_fault);
	if (!check_length("first_name", contact->first_name, CONTACT_NAME_MAX, reason) ||
	    !check_length("last_name", contact->last_name, CONTACT_NAME_MAX, reason) ||
	    !check_length("email", contact->email, CONTACT_EMAIL_MAX, reason))
		return false;
	zone_fault = check_zone(csv, contact);
	if (zone_fault != NULL)
		return contact_fault(reason, "timezone: %s", zone_fault);
	if (!csv->marks_empty && csv->custom.len > CONTACT_CUSTOM_FIELDS_MAX)
		return contact_fault(reason, "the custom fields have more than %d bytes", CONTACT_CUSTOM_FIELDS_MAX);
	return true;
}

/* Reads the first usable number of a cell. With phones_only each number must be in a row of its own. */
static bool read_phones(struct contact_csv *csv, const struct csv_field *field, char fault_of_cell[PHONE_REASON])
{
	const char *text = field->text, *end = field->text + field->len, *next;
	char fault_of_part[PHONE_REASON];

	next = strstr(text, BETWEEN_NUMBERS);
	if (csv->phones_only && next != NULL) {
		snprintf(fault_of_cell, PHONE_REASON, "has several numbers: each needs a row of its own");
		return false;
	}
	if (phone_text_clean(text, (size_t)((next != NULL ? next : end) - text), &csv->reading, csv->number, fault_of_cell))
		return true;
	while (next != NULL) {
		text = next + strlen(BETWEEN_NUMBERS);
		next = strstr(text, BETWEEN_NUMBERS);
		if (phone_text_clean(text, (size_t)((next != NULL ? next : end) - text), &csv->reading, csv->number,
		                     fault_of_part))
			return true;
	}
	return false;
}

/* Finds the number before all else, so that every fault of the row can be reported together with it: the first usable
 * number, or else the first. Returns its text as it will be called. */
static const char *find_phone(struct contact_csv *csv, const struct csv_row *row)
{
	char why[PHONE_REASON];

	csv->phone = (struct csv_field){ 0 };
	csv->phone_column = csv->count;
	for (size_t i = 0; i < csv->count && i < row->count; i++) {
		struct csv_field *field = &row->fields[i];

		if (csv->columns[i].kind != COLUMN_PHONE)
			continue;
		trim(field);
		if (field->len != 0 && read_phones(csv, field, why)) {
			csv->phone = *field;
			csv->phone_column = i;
			return csv->number;
		}
		if (field->len != 0 && csv->phone.len == 0) {
			csv->phone = *field;
			memcpy(csv->phone_fault, why, sizeof why);
		}
	}
	return csv->phone.len != 0 ? csv->phone.text : "";
}

enum contact_csv_result contact_csv_read(struct contact_csv *csv, const struct csv_row *row, struct contact_input *out,
                                         char reason[CONTACT_CSV_REASON])
{
	enum contact_csv_result result;
	char *name = NULL;

	for (size_t i = 0; i < row->count; i++)
		unwrap(&row->fields[i]);
	*out = (struct contact_input){
		.phone_number = find_phone(csv, row),
		.first_name = "",
		.last_name = "",
		.email = "",
		.timezone = "",
		.custom_fields = "",
	};
	if (row->fault != NULL) {
		if (row->lines > 1)
			contact_fault(reason, "%s: the row takes up %d lines", row->fault, (int)row->lines);
		else
			contact_fault(reason, "%s", row->fault);
		return CONTACT_CSV_UNREADABLE;
	}
	result = read_fields(csv, row, out, &name, reason);
	if (result != CONTACT_CSV_OK)
		return result;
	if (name != NULL && *out->first_name == '\0' && *out->last_name == '\0')
		split_name(name, out);
	if (csv->custom.len > 2)
		out->custom_fields = csv->custom.data;
	return check(csv, out, reason) ? CONTACT_CSV_OK : CONTACT_CSV_BAD;
}
