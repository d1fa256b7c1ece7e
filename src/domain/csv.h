/* CSV (RFC 4180): bytes go in, in pieces of any size, and rows come out. The memory is limited by the longest
 * accepted row, not by the size of the file.
 *
 * The delimiter is the most frequent character of comma, semicolon, tab and pipe in the first row. A line `sep=;`
 * before the first row sets it instead, and is not a row. Rows end with CRLF, LF or CR. A byte order mark and blank
 * lines are skipped. In a field that does not begin with a quote, quotes are plain characters. Empty fields beyond
 * CSV_FIELDS_MAX are skipped. */
#ifndef DOMAIN_CSV_H
#define DOMAIN_CSV_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define CSV_ROW_MAX (128 << 10) /* bytes */
#define CSV_FIELDS_MAX 256

struct csv_field {
	/* NUL-terminated; may hold any bytes, including NUL. The function that takes the row may change it */
	char *text;
	size_t len;
};

struct csv_row {
	int64_t number; /* from 1, as a spreadsheet counts: the header and blank lines count too */
	struct csv_field *fields;
	size_t count;
	int64_t lines;     /* lines of the file in this row, without blank lines: a field in quotes may have several */
	const char *fault; /* NULL, or what is wrong with the row; then the fields end at the fault */
};

/* Takes one row, which lasts until the function returns. Returns false if it wants no more rows. */
typedef bool csv_take(void *context, const struct csv_row *row);

struct csv;

struct csv *csv_new(csv_take *take, void *context);
void csv_free(struct csv *csv);

/* Returns false as soon as `take` has returned false. Then nothing more may be pushed. */
bool csv_push(struct csv *csv, const char *bytes, size_t len);
bool csv_end(struct csv *csv); /* a last row without a line end counts */

/* Returns the delimiter, or '\0' if it is not known yet. */
char csv_delimiter(const struct csv *csv);

#endif
