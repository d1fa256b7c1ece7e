/* Inner side of base/field.h: the JSON of a body, and where in it a fault is. Nobody else includes this file. */
#ifndef BASE_FIELD_JSON_H
#define BASE_FIELD_JSON_H

#include "base/field.h"
#include "base/json_read.h"

/* The object that the body is, checked (an empty body: {}), to be walked by json_read.h. Else NULL: the fault is recorded,
 * and *result is its kind. */
const char *body_check(const char *body, size_t len, enum field_result *result, struct faults *faults);

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

/* An object as compact text: strings in their shortest form, numbers as they were written, members in their order.
 * NULL: a key is given twice; the fault is recorded. */
const char *object_compact(const char *object, const struct place *at);

/* Reads one value into *out; false, with a fault, when it is of no use. Not for FIELD_RECORDS. */
bool field_value_read(const struct field *field, const char *value, void *out, const struct place *at);

#endif
