#include "domain/csv.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/buf.h"
#include "base/log.h"

static const char delimiters[] = ",;\t|";

enum state {
	FIELD_BEGINS,
	IN_FIELD,
	IN_QUOTES,
	QUOTE_IN_QUOTES, /* the end of the quotes, or the first half of an escaped one */
};

struct csv {
	csv_take *take;
	void *context;
	/* The bytes up to the end of the first row that is not blank. They decide the delimiter. */
	struct buf head;
	bool head_has_text, head_in_quotes;
	char delimiter; /* '\0': not known yet */
	/* The present row. */
	enum state state;
	bool after_cr; /* a LF now belongs to the CR before it */
	int64_t number;
	struct buf text;                    /* its fields, each with a NUL after it */
	size_t ends[CSV_FIELDS_MAX], count; /* where each field ends in it */
	bool was_quoted;                    /* some field was quoted, so the line is not blank */
	int64_t lines;                      /* lines that ended inside quotes */
	bool line_has_text;
	const char *fault;
};

struct csv *csv_new(csv_take *take, void *context)
{
	struct csv *csv = calloc(1, sizeof *csv);

	if (csv == NULL)
		fatal("out of memory");
	csv->take = take;
	csv->context = context;
	return csv;
}

void csv_free(struct csv *csv)
{
	if (csv == NULL)
		return;
	buf_free(&csv->head);
	buf_free(&csv->text);
	free(csv);
}

static void set_fault(struct csv *csv, const char *fault)
{
	if (csv->fault == NULL)
		csv->fault = fault;
}

static void add(struct csv *csv, const char *bytes, size_t len)
{
	if (csv->text.len + len > CSV_ROW_MAX)
		set_fault(csv, "the row is longer than 128 KiB");
	else
		buf_add(&csv->text, bytes, len);
}

static void end_field(struct csv *csv)
{
	csv->state = FIELD_BEGINS;
	if (csv->count == CSV_FIELDS_MAX) {
		if (csv->text.len > csv->ends[csv->count - 1] + 1)
			set_fault(csv, "the row has more than 256 fields");
		return;
	}
	csv->ends[csv->count++] = csv->text.len;
	buf_putc(&csv->text, '\0');
}

static bool hand_over(struct csv *csv)
{
	struct csv_field fields[CSV_FIELDS_MAX];
	struct csv_row row = {
		csv->number, fields, csv->count, csv->lines + (csv->line_has_text || csv->lines == 0), csv->fault,
	};
	size_t at = 0;

	for (size_t i = 0; i < csv->count; i++) {
		fields[i] = (struct csv_field){ csv->text.data + at, csv->ends[i] - at };
		at = csv->ends[i] + 1;
	}
	return csv->take(csv->context, &row);
}

static bool end_row(struct csv *csv)
{
	bool more = true;

	end_field(csv);
	csv->number++;
	if (csv->count > 1 || csv->text.len > 1 || csv->was_quoted || csv->fault != NULL)
		more = hand_over(csv);
	buf_reset(&csv->text);
	csv->count = 0;
	csv->was_quoted = csv->line_has_text = false;
	csv->lines = 0;
	csv->fault = NULL;
	return more;
}

/* Takes a byte outside quotes. */
static bool take_plain(struct csv *csv, char c)
{
	if (c == csv->delimiter) {
		end_field(csv);
		return true;
	}
	if (c == '\n' || c == '\r') {
		csv->after_cr = c == '\r';
		return end_row(csv);
	}
	csv->state = IN_FIELD;
	add(csv, &c, 1);
	return true;
}

/* Adds text inside quotes, and counts the lines that end in it. */
static void add_quoted(struct csv *csv, const char *bytes, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		bool ends_line = bytes[i] == '\n' || bytes[i] == '\r';

		csv->lines += ends_line && csv->line_has_text;
		csv->line_has_text = !ends_line;
	}
	add(csv, bytes, len);
}

static bool take_byte(struct csv *csv, char c)
{
	bool ends_crlf = csv->after_cr && c == '\n';

	csv->after_cr = false;
	if (ends_crlf)
		return true;
	switch (csv->state) {
	case FIELD_BEGINS:
		if (c != '"')
			return take_plain(csv, c);
		csv->state = IN_QUOTES;
		csv->was_quoted = csv->line_has_text = true;
		return true;
	case IN_FIELD: return take_plain(csv, c);
	case IN_QUOTES:
		if (c == '"')
			csv->state = QUOTE_IN_QUOTES;
		else
			add_quoted(csv, &c, 1);
		csv->line_has_text |= c == '"';
		return true;
	case QUOTE_IN_QUOTES:
		if (c == '"') {
			csv->state = IN_QUOTES;
			add(csv, &c, 1);
			return true;
		}
		if (c != csv->delimiter && c != '\n' && c != '\r')
			set_fault(csv, "there is text after a closing quote");
		return take_plain(csv, c);
	}
	abort();
}

/* Returns how many of the next bytes are plain text in the present state. */
static size_t span_of_text(const struct csv *csv, const char *bytes, size_t len)
{
	size_t span = 0;

	if (csv->state == IN_QUOTES) {
		const char *quote = memchr(bytes, '"', len);

		return quote != NULL ? (size_t)(quote - bytes) : len;
	}
	if (csv->state != IN_FIELD)
		return 0;
	while (span < len && bytes[span] != csv->delimiter && bytes[span] != '\n' && bytes[span] != '\r')
		span++;
	return span;
}

static bool take_bytes(struct csv *csv, const char *bytes, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		size_t span = span_of_text(csv, bytes + i, len - i);

		if (csv->state == IN_QUOTES)
			add_quoted(csv, bytes + i, span);
		else if (span > 0)
			add(csv, bytes + i, span);
		i += span;
		if (i < len && !take_byte(csv, bytes[i]))
			return false;
	}
	return true;
}

static char find_delimiter(const struct buf *head)
{
	int counts[sizeof delimiters - 1] = { 0 };
	bool in_quotes = false;
	size_t best = 0;

	for (size_t i = 0; i < head->len; i++) {
		const char *which = head->data[i] != '\0' ? strchr(delimiters, head->data[i]) : NULL;

		in_quotes ^= head->data[i] == '"';
		if (which != NULL && !in_quotes)
			counts[which - delimiters]++;
	}
	for (size_t i = 1; i < sizeof delimiters - 1; i++)
		if (counts[i] > counts[best])
			best = i;
	return delimiters[best];
}

/* Returns the delimiter of a line `sep=;`, with or without quotes, which spreadsheets read and do not show; '\0' if the
 * line is no such line. */
static char find_sep_line(const char *line, size_t len)
{
	while (len > 0 && (line[len - 1] == '\n' || line[len - 1] == '\r'))
		len--;
	if (len == 7 && line[0] == '"' && line[6] == '"') {
		line++;
		len -= 2;
	}
	return len == 5 && strncasecmp(line, "sep=", 4) == 0 && memchr(delimiters, line[4], sizeof delimiters - 1) != NULL
	           ? line[4]
	           : '\0';
}

static bool take_head(struct csv *csv)
{
	static const char mark[] = "\xef\xbb\xbf";
	size_t skip = csv->head.len >= 3 && memcmp(csv->head.data, mark, 3) == 0 ? 3 : 0;
	const char *text = buf_text(&csv->head) + skip;
	size_t len = csv->head.len - skip;
	bool more = true;

	csv->delimiter = find_sep_line(text, len);
	if (csv->delimiter != '\0') {
		csv->after_cr = len > 0 && text[len - 1] == '\r';
	} else {
		csv->delimiter = find_delimiter(&csv->head);
		more = take_bytes(csv, text, len);
	}
	buf_free(&csv->head);
	return more;
}

/* Returns how many of the bytes belong to the head. *complete: the first row ends there, or is too long. */
static size_t collect_head(struct csv *csv, const char *bytes, size_t len, bool *complete)
{
	size_t i = 0;

	*complete = false;
	while (i < len && !*complete) {
		char c = bytes[i++];
		bool is_line_end = (c == '\n' || c == '\r') && !csv->head_in_quotes;

		csv->head_in_quotes ^= c == '"';
		*complete = is_line_end ? csv->head_has_text : csv->head.len + i > CSV_ROW_MAX;
		csv->head_has_text |= !is_line_end;
	}
	buf_add(&csv->head, bytes, i);
	return i;
}

bool csv_push(struct csv *csv, const char *bytes, size_t len)
{
	size_t taken = 0;
	bool complete;

	if (csv->delimiter == '\0') {
		taken = collect_head(csv, bytes, len, &complete);
		if (!complete)
			return true;
		if (!take_head(csv))
			return false;
	}
	return take_bytes(csv, bytes + taken, len - taken);
}

bool csv_end(struct csv *csv)
{
	if (csv->delimiter == '\0' && !take_head(csv))
		return false;
	if (csv->state == IN_QUOTES)
		set_fault(csv, "a quote is never closed");
	if (csv->state == FIELD_BEGINS && csv->count == 0)
		return true;
	return end_row(csv);
}

char csv_delimiter(const struct csv *csv)
{
	return csv->delimiter;
}
