/* Values of headers such as Content-Type and Content-Disposition: a type, and parameters after semicolons. */
#ifndef API_MEDIA_TYPE_H
#define API_MEDIA_TYPE_H

#include <stdbool.h>
#include <stddef.h>

/* Whether the value is of this type, whatever its parameters are. */
bool media_type_is(const char *value, const char *type);

/* Copies a parameter, without its quotes; one that does not fit becomes empty. False: there is none of this name. */
bool media_type_parameter(const char *value, const char *name, char *out, size_t size);

/* Whether the text is in UTF-8: it names no other charset. */
bool media_type_is_utf8(const char *value);

#endif
