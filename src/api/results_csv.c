#include "api/results_csv.h"

#include <inttypes.h>
#include <string.h>

#include "api/csv_cells.h"
#include "base/field.h"
#include "base/instant.h"

#define SPREADSHEET_DIGITS 11 /* more are shown rounded */
#define OTHERS "custom_fields"

/* Imports know these columns (contact_columns.c). */
static const char header[] =
	"position,contact_id,phone_number,first_name,last_name,email,timezone,status,call_status,scheduled_at,"
	"call_id,from_number,called_at,ended_at,duration_seconds,cost,attempts,outcome,error_reason,call_back_at";

/* Digits that a spreadsheet would change: it drops a leading + and leading zeros, and rounds long numbers. */
static bool is_fragile(const char *text)
{
	const char *digits = text + (*text == '+');
	size_t len = strspn(digits, "0123456789");

	return len > 0 && digits[len] == '\0' && (digits > text || (*digits == '0' && len > 1) || len > SPREADSHEET_DIGITS);
}

/* ="+4930123456" is a text in every spreadsheet. */
static void put_value(const struct results_csv *csv, struct buf *out, const char *text)
{
	if (csv->excel && is_fragile(text))
		buf_printf(out, ",\"=\"\"%s\"\"\"", text);
	else
		csv_put_text(out, text);
}

static void put_number(const struct results_csv *csv, struct buf *out, const char *number)
{
	if (csv->excel)
		put_value(csv, out, number);
	else
		csv_put_plain(out, number);
}

static void put_cost(struct buf *out, int64_t ten_thousandths)
{
	if (ten_thousandths < 0)
		csv_put_plain(out, "");
	else
		buf_printf(out, ",%" PRId64 ".%04d", ten_thousandths / 10000, (int)(ten_thousandths % 10000));
}

static void put_call(const struct results_csv *csv, struct buf *out, const struct batch_contact *contact)
{
	csv_put_id(out, &contact->call_id);
	put_number(csv, out, contact->from_number);
	csv_put_instant(out, contact->called_at_us);
	csv_put_instant(out, contact->ended_at_us);
	if (contact->duration_seconds < 0)
		csv_put_plain(out, "");
	else
		buf_printf(out, ",%" PRId64, contact->duration_seconds);
	put_cost(out, contact->cost_ten_thousandths);
	buf_printf(out, ",%" PRId64, contact->attempts);
	csv_put_text(out, contact->outcome);
	csv_put_text(out, batch_contact_reason(contact));
	csv_put_instant(out, batch_contact_waits_for_callback(contact) ? contact->call_back_at_us : INSTANT_NONE);
}

struct cells {
	const struct results_csv *csv;
	const char *values[RESULTS_NAMES_MAX];
	bool has_others;
};

static size_t find(const struct results_csv *csv, const char *name)
{
	size_t i = 0;

	while (i < csv->count && strcmp(csv->names[i], name) != 0)
		i++;
	return i;
}

static bool take_value(void *context, const char *name, const char *value)
{
	struct cells *cells = context;
	size_t at = find(cells->csv, name);

	if (at < cells->csv->count)
		cells->values[at] = value;
	else
		cells->has_others = true;
	return true;
}

/* Writes each custom field in its column. If a field has no column, the last column has the whole object. */
static void put_custom_fields(const struct results_csv *csv, struct arena *scratch, struct buf *out, const char *object)
{
	struct cells cells = { .csv = csv };

	field_each_member(scratch, object, take_value, &cells);
	for (size_t i = 0; i < csv->count; i++)
		put_value(csv, out, cells.values[i] != NULL ? cells.values[i] : "");
	if (csv->has_others)
		csv_put_text(out, cells.has_others ? object : "");
}

struct learning {
	struct results_csv *csv;
	struct arena *arena;
};

static bool is_ours(const char *name)
{
	size_t len = strlen(name);

	for (const char *at = strstr(header, name); at != NULL && len > 0; at = strstr(at + 1, name))
		if ((at == header || at[-1] == ',') && (at[len] == ',' || at[len] == '\0'))
			return true;
	return len == 0 || strcmp(name, OTHERS) == 0;
}

static bool learn_name(void *context, const char *name, const char *value)
{
	struct learning *learning = context;
	struct results_csv *csv = learning->csv;

	(void)value;
	if (find(csv, name) < csv->count)
		return true;
	if (csv->count == RESULTS_NAMES_MAX || strlen(name) > RESULTS_NAME_MAX || is_ours(name))
		csv->has_others = true;
	else
		csv->names[csv->count++] = arena_strdup(learning->arena, name);
	return true;
}

void results_csv_learn(struct results_csv *csv, struct arena *names, struct arena *scratch, const char *object)
{
	struct learning learning = { csv, names };

	field_each_member(scratch, object, learn_name, &learning);
}

void results_csv_header(const struct results_csv *csv, struct buf *out)
{
	buf_puts(out, csv->excel ? "\xef\xbb\xbf" : "");
	buf_puts(out, header);
	for (size_t i = 0; i < csv->count; i++)
		csv_put_text(out, csv->names[i]);
	if (!csv->excel || csv->has_others)
		csv_put_plain(out, OTHERS);
	buf_puts(out, "\r\n");
}

void results_csv_row(const struct results_csv *csv, struct arena *scratch, struct buf *out,
                     const struct batch_contact *contact)
{
	buf_printf(out, "%" PRId64, contact->position);
	csv_put_id(out, &contact->contact_id);
	put_number(csv, out, contact->who.phone_number);
	put_value(csv, out, contact->who.first_name);
	put_value(csv, out, contact->who.last_name);
	csv_put_text(out, contact->who.email);
	csv_put_text(out, contact->who.timezone);
	csv_put_plain(out, contact_status_names[contact->status]);
	csv_put_plain(out, contact->call_status < 0 ? "" : call_status_names[contact->call_status]);
	csv_put_instant(out, contact->scheduled_at_us);
	put_call(csv, out, contact);
	if (csv->excel)
		put_custom_fields(csv, scratch, out, contact->who.custom_fields);
	else
		csv_put_text(out, contact->who.custom_fields);
	buf_puts(out, "\r\n");
}
