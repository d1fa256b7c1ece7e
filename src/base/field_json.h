/* Inner side of base/field.h: JSON text to a tree and back. No one else includes this or jansson.h. */
#ifndef BASE_FIELD_JSON_H
#define BASE_FIELD_JSON_H

#include <jansson.h>

#include "base/field.h"

/* The tree of a body that is one JSON object (an empty body: of {}), to be released with json_decref;
 * else NULL, with the fault recorded and *result telling its kind. */
json_t *body_parse(const char *body, size_t len, enum field_result *result, struct faults *faults);

/* Compact JSON; numbers keep their value, members their order. */
const char *json_compact(struct arena *arena, const json_t *value);

/* A name that a client made up, as it is shown: not at any length, and always UTF-8. */
const char *name_shown(struct arena *arena, const char *name, size_t len);

/* Where a value stands: a field of the body, or of one record of a list in it. Its full name is made
 * only for a fault. */
struct place {
	struct faults *faults;
	const char *list; /* NULL: in the body itself */
	size_t index;
	const char *field;
};

/* Records a fault there, and is false, so that readers can return it. */
bool place_fault(const struct place *place, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

/* Reads one value into *out; false, with a fault, when it is of no use. Not for FIELD_RECORDS. */
bool field_value_read(const struct field *field, const json_t *value, void *out,
                      const struct place *at);

#endif
