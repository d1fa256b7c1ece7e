/* CSV (RFC 4180): bytes go in, in pieces of any size, and rows come out. Memory is bounded by the
 * longest row that is taken, not by the file.
 *
 * The delimiter is the one of comma, semicolon, tab and pipe that the first row has most of, or that a line `sep=;` in
 * front of it names; such a line counts nowhere. Rows end with CRLF, LF or CR; a byte order mark and blank lines are
 * passed over. A quote inside a field that does not begin with one is taken as it stands. Empty fields after the
 * last that a row may have are passed over. */
#ifndef DOMAIN_CSV_H
#define DOMAIN_CSV_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define CSV_ROW_MAX (128 << 10) /* bytes */
#define CSV_FIELDS_MAX 256

struct csv_field {
	char *text; /* NUL-terminated; may hold any bytes, NUL too. Its taker may change it */
	size_t len;
};

struct csv_row {
	int64_t number;     /* from 1, as a spreadsheet counts: the header, and blank lines, too */
	struct csv_field *fields;
	size_t count;
	int64_t lines;      /* of the file that it takes up, without blank ones: quotes may span several */
	const char *fault;  /* NULL, or what is wrong with its form; the fields are then as far as they came */
};

/* Takes one row, which lasts until it returns; false: no more of them. */
typedef bool csv_take(void *context, const struct csv_row *row);

struct csv;

struct csv *csv_new(csv_take *take, void *context);
void csv_free(struct csv *csv);

/* False as soon as the taker was: then nothing more may be pushed. */
bool csv_push(struct csv *csv, const char *bytes, size_t len);
bool csv_end(struct csv *csv); /* a last row without a line end counts */

/* Returns the delimiter; '\0' as long as it is not known. */
char csv_delimiter(const struct csv *csv);

#endif
