/* Values of headers such as Content-Type and Content-Disposition: a type, and parameters after semicolons. */
#ifndef API_MEDIA_TYPE_H
#define API_MEDIA_TYPE_H

#include <stdbool.h>
#include <stddef.h>

/* Returns whether the value is of this type, whatever its parameters. */
bool media_type_is(const char *value, const char *type);

/* Copies a parameter without its quotes. A value that does not fit becomes empty. Returns false if there is no
 * parameter of this name. */
bool media_type_parameter(const char *value, const char *name, char *out, size_t size);

/* Returns whether the text is in UTF-8: it names no other charset. */
bool media_type_is_utf8(const char *value);

#endif
