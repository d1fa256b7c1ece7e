/* The inner side of base/field.h: the JSON of a body, and the place of a fault in it. Only the files of base/field.h
 * include this header. */
#ifndef BASE_FIELD_JSON_H
#define BASE_FIELD_JSON_H

#include "base/field.h"
#include "base/json_read.h"

/* Checks that the body is a JSON object (an empty body is {}) and returns it, to be walked with json_read.h. Else
 * records the fault, sets *result to its kind and returns NULL. */
const char *body_check(const char *body, size_t len, enum field_result *result, struct faults *faults);

/* Returns a name that a client chose in a form that can be shown: of limited length, and always UTF-8. */
const char *name_shown(struct arena *arena, const char *name, size_t len);

/* The place of a value: a field of the body, or a field of one record of a list in the body. Its full name is made only
 * for a fault. */
struct place {
	struct faults *faults;
	const char *list; /* NULL: in the body itself */
	size_t index;
	const char *field;
};

/* Records a fault at this place. Returns false, so that readers can return the result. */
bool place_fault(const struct place *place, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Returns an object as compact text: strings in their shortest form, numbers as they were written, members in their
 * order. If a key is repeated, it records the fault and returns NULL. */
const char *object_compact(const char *object, const struct place *at);

/* Reads one value into *out. Returns false, and records a fault, if it cannot be used. Not for FIELD_RECORDS. */
bool field_value_read(const struct field *field, const char *value, void *out, const struct place *at);

#endif
