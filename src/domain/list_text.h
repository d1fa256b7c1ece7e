/* Converts the bytes of a list to UTF-8 as they come in. Spreadsheets write UTF-16 with a byte order mark, and
 * Windows-1252 without any mark. So Windows-1252 must be declared. */
#ifndef DOMAIN_LIST_TEXT_H
#define DOMAIN_LIST_TEXT_H

#include <stdbool.h>
#include <stddef.h>

struct list_text;

/* Returns whether a list may be in this charset: utf-8, utf-16, utf-16le, utf-16be, iso-8859-1, iso-8859-15,
 * windows-1252, us-ascii. */
bool list_text_knows(const char *charset);

/* charset: one of these; or "": UTF-8, or UTF-16 with a mark. A text must be ended by the thread that began it. */
struct list_text *list_text_new(const char *charset);
void list_text_free(struct list_text *text);

/* Replaces bytes by their text, which lasts until the next push. Bytes that are no character become a byte that UTF-8
 * does not have. Returns NULL, or why the file cannot be used. */
const char *list_text_push(struct list_text *text, const char **bytes, size_t *len);
/* Returns the rest of the text. */
const char *list_text_end(struct list_text *text, const char **bytes, size_t *len);

#endif
