#include "base/buf.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"

static char *grow(const struct buf *buf, size_t cap)
{
	char *data = buf->arena != NULL ? arena_take(buf->arena, cap) : realloc(buf->data, cap);

	if (data == NULL)
		fatal("out of memory (%zu bytes)", cap);
	if (buf->arena != NULL && buf->len != 0)
		memcpy(data, buf->data, buf->len + 1);
	return data;
}

void buf_reserve(struct buf *buf, size_t more)
{
	size_t cap = buf->cap != 0 ? buf->cap : 256;

	while (cap - buf->len <= more)
		cap *= 2;
	if (cap == buf->cap)
		return;
	buf->data = grow(buf, cap);
	buf->cap = cap;
}

void buf_add(struct buf *buf, const void *data, size_t len)
{
	buf_reserve(buf, len);
	if (len != 0)
		memcpy(buf->data + buf->len, data, len);
	buf->len += len;
	buf->data[buf->len] = '\0';
}

void buf_puts(struct buf *buf, const char *text)
{
	buf_add(buf, text, strlen(text));
}

void buf_putc(struct buf *buf, char c)
{
	buf_add(buf, &c, 1);
}

void buf_printf(struct buf *buf, const char *format, ...)
{
	va_list args, again;
	int len;

	va_start(args, format);
	va_copy(again, args);
	len = vsnprintf(NULL, 0, format, args);
	buf_reserve(buf, (size_t)len);
	vsnprintf(buf->data + buf->len, (size_t)len + 1, format, again);
	buf->len += (size_t)len;
	va_end(again);
	va_end(args);
}

const char *buf_text(const struct buf *buf)
{
	return buf->data != NULL ? buf->data : "";
}

void buf_reset(struct buf *buf)
{
	buf->len = 0;
	if (buf->data != NULL)
		buf->data[0] = '\0';
}

void buf_cut(struct buf *buf, size_t len)
{
	if (len >= buf->len)
		return;
	buf->len = len;
	buf->data[len] = '\0';
}

void buf_free(struct buf *buf)
{
	if (buf->arena == NULL)
		free(buf->data);
	*buf = (struct buf){ .arena = buf->arena };
}

void buf_read(struct buf *buf, const char *path)
{
	FILE *file = strcmp(path, "-") == 0 ? stdin : fopen(path, "r");
	char part[4096];
	size_t got;

	if (file == NULL)
		fatal("%s: %s", path, strerror(errno));
	while ((got = fread(part, 1, sizeof part, file)) > 0)
		buf_add(buf, part, got);
	if (ferror(file))
		fatal("%s: %s", path, strerror(errno));
	if (file != stdin)
		fclose(file);
}
