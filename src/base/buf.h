/* A growing byte buffer, always NUL-terminated. Its memory is its own or belongs to an arena. Running out of memory
 * ends the process. */
#ifndef BASE_BUF_H
#define BASE_BUF_H

#include <stddef.h>

#include "base/arena.h"

struct buf {
	char *data; /* NULL until something was added */
	size_t len, cap;
	struct arena *arena; /* NULL: the buffer owns its memory, and buf_free releases it */
};

/* Bytes that another object owns. */
struct bytes {
	const void *data;
	size_t len;
};

void buf_reserve(struct buf *buf, size_t more); /* takes memory for so many more bytes at once */
void buf_add(struct buf *buf, const void *data, size_t len);
void buf_puts(struct buf *buf, const char *text);
void buf_putc(struct buf *buf, char c);
void buf_printf(struct buf *buf, const char *format, ...) __attribute__((format(printf, 2, 3)));
const char *buf_text(const struct buf *buf); /* "" when nothing was added */
void buf_reset(struct buf *buf);             /* empty it, keep the memory */
void buf_cut(struct buf *buf, size_t len);   /* keep the first `len` bytes */
void buf_free(struct buf *buf);

/* Adds the content of a file; "-" is the standard input. Ends the process if it cannot be read. */
void buf_read(struct buf *buf, const char *path);

#endif
