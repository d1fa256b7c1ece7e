#include "domain/list_text.h"

#include <errno.h>
#include <iconv.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/buf.h"
#include "base/log.h"

#define START 4 /* the bytes that show the charset of the file */
#define PIECE 4096

#define NONE ((iconv_t)(-1))

/* The names that clients declare, and their names in iconv; NULL: no conversion. A list that is declared as ISO
 * 8859-1 is often Windows-1252, so it is read as Windows-1252. */
static const struct {
	const char *name, *iconv;
} charsets[] = {
	{ "utf-8", NULL },      { "utf8", NULL },           { "us-ascii", NULL },       { "windows-1252", "CP1252" },
	{ "cp1252", "CP1252" }, { "iso-8859-1", "CP1252" }, { "latin1", "CP1252" },     { "iso-8859-15", "ISO-8859-15" },
	{ "utf-16", "UTF-16" }, { "utf-16le", "UTF-16LE" }, { "utf-16be", "UTF-16BE" },
};

/* First bytes of files that are not text. */
static const struct {
	const char *bytes;
	size_t len;
	const char *fault;
} others[] = {
	{ "PK\x03\x04", 4, "this is a workbook (.xlsx or .ods) or a zip file: save the sheet as CSV UTF-8, and send that" },
	{ "\xd0\xcf\x11\xe0", 4, "this is an old workbook (.xls): save the sheet as CSV UTF-8, and send that" },
	{ "%PDF", 4, "this is a PDF: a list must be a CSV file" },
	{ "\x1f\x8b", 2, "this is compressed: unpack it, and send the CSV file" },
};

struct list_text {
	const char *charset; /* as iconv calls it; NULL: UTF-8 */
	bool is_open;        /* the charset is known */
	iconv_t iconv;
	struct buf rest; /* bytes that are not converted yet: the start, or part of a character */
	struct buf out;
};

static int find(const char *charset)
{
	for (size_t i = 0; i < sizeof charsets / sizeof *charsets; i++)
		if (strcasecmp(charset, charsets[i].name) == 0)
			return (int)i;
	return -1;
}

bool list_text_knows(const char *charset)
{
	return find(charset) >= 0;
}

struct list_text *list_text_new(const char *charset)
{
	struct list_text *text = calloc(1, sizeof *text);

	if (text == NULL)
		fatal("out of memory");
	text->charset = *charset != '\0' ? charsets[find(charset)].iconv : NULL;
	text->iconv = NONE;
	return text;
}

void list_text_free(struct list_text *text)
{
	if (text == NULL)
		return;
	if (text->iconv != NONE)
		iconv_close(text->iconv);
	buf_free(&text->rest);
	buf_free(&text->out);
	free(text);
}

static bool begins_with(const struct buf *start, const char *bytes, size_t len)
{
	return start->len >= len && memcmp(start->data, bytes, len) == 0;
}

/* Determines the encoding from the first bytes of the file. */
static const char *open_text(struct list_text *text)
{
	text->is_open = true;
	for (size_t i = 0; i < sizeof others / sizeof *others; i++)
		if (begins_with(&text->rest, others[i].bytes, others[i].len))
			return others[i].fault;
	if (begins_with(&text->rest, "\xff\xfe", 2) || begins_with(&text->rest, "\xfe\xff", 2))
		text->charset = "UTF-16";
	else if (begins_with(&text->rest, "\xef\xbb\xbf", 3))
		text->charset = NULL;
	if (text->charset == NULL)
		return NULL;
	text->iconv = iconv_open("UTF-8", text->charset);
	if (text->iconv == NONE)
		return "this host cannot read its charset: send it in UTF-8";
	return NULL;
}

/* Converts the whole characters in `rest`. */
static void convert(struct list_text *text)
{
	char *from = text->rest.data;
	size_t left = text->rest.len;

	while (left > 0) {
		char piece[PIECE], *to = piece;
		size_t space = sizeof piece;
		int error = iconv(text->iconv, &from, &left, &to, &space) == (size_t)-1 ? errno : 0;

		buf_add(&text->out, piece, sizeof piece - space);
		if (error == EINVAL) /* the character is not complete yet */
			break;
		if (error == EILSEQ) {
			buf_putc(&text->out, '\xff');
			from++;
			left--;
		}
	}
	memmove(text->rest.data, from, left);
	text->rest.len = left;
}

static const char *take(struct list_text *text, const char **bytes, size_t *len, bool is_end)
{
	buf_reset(&text->out);
	if (text->iconv == NONE && text->is_open)
		return NULL;
	buf_add(&text->rest, *bytes, *len);
	*len = 0;
	if (!text->is_open && text->rest.len < START && !is_end)
		return NULL;
	if (!text->is_open) {
		const char *fault = open_text(text);

		if (fault != NULL)
			return fault;
	}
	if (text->iconv != NONE)
		convert(text);
	if (text->iconv == NONE || is_end) { /* the bytes of a character that is not complete */
		buf_add(&text->out, buf_text(&text->rest), text->rest.len);
		buf_reset(&text->rest);
	}
	*bytes = buf_text(&text->out);
	*len = text->out.len;
	return NULL;
}

const char *list_text_push(struct list_text *text, const char **bytes, size_t *len)
{
	return take(text, bytes, len, false);
}

const char *list_text_end(struct list_text *text, const char **bytes, size_t *len)
{
	*bytes = "";
	*len = 0;
	return take(text, bytes, len, true);
}
