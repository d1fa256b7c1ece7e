#define _GNU_SOURCE /* memmem */

#include "api/multipart.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "api/media_type.h"
#include "base/buf.h"
#include "base/log.h"

#define HEADERS_MAX 8192 /* bytes, of one part */
#define NAME_SIZE 256

enum state {
	PREAMBLE,
	BEHIND_BOUNDARY, /* "--" ends the body; anything else up to the line end is padding */
	HEADERS,
	DATA,
	COMPLETE,
};

struct multipart {
	struct multipart_taker taker;
	char delimiter[4 + MULTIPART_BOUNDARY_MAX + 1]; /* CR LF - - boundary */
	size_t delimiter_len;
	enum state state;
	struct buf window; /* bytes that are not understood yet */
};

struct multipart *multipart_new(const char *content_type, const struct multipart_taker *taker)
{
	char boundary[MULTIPART_BOUNDARY_MAX + 1];
	struct multipart *multipart;

	if (!media_type_parameter(content_type, "boundary", boundary, sizeof boundary) || *boundary == '\0')
		return NULL;
	multipart = calloc(1, sizeof *multipart);
	if (multipart == NULL)
		fatal("out of memory");
	multipart->taker = *taker;
	multipart->delimiter_len = (size_t)snprintf(multipart->delimiter, sizeof multipart->delimiter, "\r\n--%s",
	                                            boundary);
	buf_puts(&multipart->window, "\r\n"); /* the first boundary has no line end of its own */
	return multipart;
}

void multipart_free(struct multipart *multipart)
{
	if (multipart == NULL)
		return;
	buf_free(&multipart->window);
	free(multipart);
}

static void drop(struct buf *window, size_t len)
{
	memmove(window->data, window->data + len, window->len - len + 1);
	window->len -= len;
}

/* Passes on the bytes that are certainly before the next boundary. *found: it has reached the boundary. */
static bool take_until_boundary(struct multipart *multipart, bool *found)
{
	struct buf *window = &multipart->window;
	const char *at = memmem(window->data, window->len, multipart->delimiter, multipart->delimiter_len);
	size_t keep = multipart->delimiter_len - 1;
	size_t len = at != NULL ? (size_t)(at - window->data) : window->len > keep ? window->len - keep : 0;
	bool more = true;

	*found = at != NULL;
	if (multipart->state == DATA && len > 0)
		more = multipart->taker.data(multipart->taker.context, window->data, len);
	drop(window, len + (*found ? multipart->delimiter_len : 0));
	return more;
}

/* Browsers write a quote in a name as %22. (They write line breaks in the same way, which are left.) */
static void decode_name(char *name)
{
	char *out = name;

	for (const char *at = name; *at != '\0'; out++) {
		if (strncmp(at, "%22", 3) == 0) {
			*out = '"';
			at += 3;
		} else {
			*out = *at++;
		}
	}
	*out = '\0';
}

/* Returns the value of a header line if it has this name, else NULL. */
static const char *header_value(const char *line, const char *name)
{
	size_t len = strlen(name);

	if (strncasecmp(line, name, len) != 0 || line[len] != ':')
		return NULL;
	return line + len + 1 + strspn(line + len + 1, " \t");
}

static bool begin_part(struct multipart *multipart, char *headers)
{
	struct multipart_part part = { .content_type = "", .transfer_encoding = "" };
	char name[NAME_SIZE], filename[NAME_SIZE];
	char *line, *rest = headers;

	while ((line = strsep(&rest, "\r\n")) != NULL) {
		const char *disposition = header_value(line, "Content-Disposition");
		const char *type = header_value(line, "Content-Type");
		const char *encoding = header_value(line, "Content-Transfer-Encoding");

		part.content_type = type != NULL ? type : part.content_type;
		part.transfer_encoding = encoding != NULL ? encoding : part.transfer_encoding;
		if (disposition == NULL)
			continue;
		part.name = media_type_parameter(disposition, "name", name, sizeof name) ? name : NULL;
		part.filename = media_type_parameter(disposition, "filename", filename, sizeof filename) ? filename : NULL;
	}
	if (part.name == NULL)
		return false;
	decode_name(name);
	if (part.filename != NULL)
		decode_name(filename);
	return multipart->taker.begin(multipart->taker.context, &part);
}

/* Reads the rest of the boundary's line. Returns false if it is malformed. *waits: more bytes are needed. */
static bool read_boundary_line(struct multipart *multipart, bool *waits)
{
	struct buf *window = &multipart->window;
	const char *end = memmem(window->data, window->len, "\r\n", 2);

	if (window->len >= 2 && memcmp(window->data, "--", 2) == 0) {
		multipart->state = COMPLETE;
		return true;
	}
	*waits = end == NULL;
	if (*waits)
		return window->len < HEADERS_MAX;
	drop(window, (size_t)(end - window->data)); /* the line end stays, because there may be no headers */
	multipart->state = HEADERS;
	return true;
}

static bool read_headers(struct multipart *multipart, bool *waits)
{
	struct buf *window = &multipart->window;
	char *end = memmem(window->data, window->len, "\r\n\r\n", 4);
	bool more;

	*waits = end == NULL;
	if (*waits)
		return window->len < HEADERS_MAX;
	*end = '\0';
	more = strlen(window->data) == (size_t)(end - window->data) && begin_part(multipart, window->data);
	drop(window, (size_t)(end - window->data) + 4);
	multipart->state = DATA;
	return more;
}

bool multipart_push(struct multipart *multipart, const char *bytes, size_t len)
{
	bool waits = false, found;

	if (multipart->state != COMPLETE)
		buf_add(&multipart->window, bytes, len);
	while (!waits && multipart->state != COMPLETE) {
		switch (multipart->state) {
		case PREAMBLE:
		case DATA:
			if (!take_until_boundary(multipart, &found))
				return false;
			waits = !found;
			if (found)
				multipart->state = BEHIND_BOUNDARY;
			break;
		case BEHIND_BOUNDARY:
			if (!read_boundary_line(multipart, &waits))
				return false;
			break;
		case HEADERS:
			if (!read_headers(multipart, &waits))
				return false;
			break;
		case COMPLETE: break;
		}
	}
	return true;
}

bool multipart_is_complete(const struct multipart *multipart)
{
	return multipart->state == COMPLETE;
}
