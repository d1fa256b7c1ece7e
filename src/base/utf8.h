/* UTF-8 that no JSON parser has checked before. */
#ifndef BASE_UTF8_H
#define BASE_UTF8_H

#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"

/* Returns whether the text is well-formed: no overlong forms, no surrogates, no characters above U+10FFFF, no NUL. */
bool utf8_is_valid(const char *text, size_t len);
/* Appends as many whole characters as fit into `max` bytes of output. Each malformed byte, and each NUL, becomes
 * U+FFFD. */
void utf8_excerpt(struct buf *out, const char *text, size_t len, size_t max);
/* Returns the size in bytes of the character at the start of the text; 0 if it is malformed, or NUL. */
size_t utf8_character(const char *text, size_t len);
/* Returns the size in bytes of the control character at the start of the text (C0, DEL, C1); 0 if there is none. */
size_t utf8_control(const char *text, size_t len);
/* Replaces every control character of a NUL-terminated text by spaces, for terminals and logs. */
void utf8_blank_controls(char *text);
size_t utf8_length(const char *text, size_t len); /* characters of a valid text */

#endif
