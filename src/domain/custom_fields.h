/* Custom fields that an earlier version of the CSV import stored with column names that were not escaped:
 * {"Height 5"":"tall"}. Such a text is not JSON. Its values were escaped, so most texts can be read again. */
#ifndef DOMAIN_CUSTOM_FIELDS_H
#define DOMAIN_CUSTOM_FIELDS_H

#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"

/* The field that keeps a text which cannot be repaired. */
#define CUSTOM_FIELDS_UNREADABLE "unreadable"

/* Appends the repaired text, a JSON object, to `out`. Control characters in names become spaces. False: the text
 * cannot be repaired; `out` then gets an object whose one field CUSTOM_FIELDS_UNREADABLE holds the text. */
bool custom_fields_repair(const char *text, size_t len, struct buf *out);

#endif
