/* Columns by name: which member of a struct each column of an answer is read into. A statement made with READ
 * (statements.def) names such a list. When the statement is prepared, the names and types of its columns are compared
 * with the list, and the process aborts if they differ. The compiler checks the types of the members.
 *
 *	COLUMNS(agent_columns, struct agent,
 *	        COLUMN(struct agent, name),
 *	        INSTANT(struct agent, created_at),           read into created_at_us
 *	        COLUMN_AS(struct agent, webhook_row, w.id))  a column of another name than its member */
#ifndef STORE_COLUMNS_H
#define STORE_COLUMNS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/field.h"
#include "base/uuid.h"

struct db_value;

enum column_type {
	COLUMN_INT64,
	COLUMN_INT, /* also unsigned and enums */
	COLUMN_BOOL,
	COLUMN_STRING,
	COLUMN_UUID,  /* NULL and "" are read as the nil id */
	COLUMN_BYTES, /* struct bytes */
	COLUMN_INSTANT,
	COLUMN_FORM,
};

/* How a list is stored as text. */
struct column_form {
	void (*read)(const char *text, struct arena *arena, void *member);
	const char *(*write)(const void *member, struct arena *arena);
};

struct column {
	const char *name;
	enum column_type type;
	size_t offset;
	const struct column_form *form; /* of COLUMN_FORM */
};

struct columns {
	const char *type; /* "struct agent" */
	size_t size;      /* of that struct */
	const struct column *list;
	size_t count; /* at most COLUMNS_MAX */
};

#define COLUMNS_MAX 96

/* clang-format off */
#define COLUMN_TYPE(type, member)                                                                   \
	_Generic(((type *)0)->member, int64_t: COLUMN_INT64, int: COLUMN_INT, unsigned: COLUMN_INT, \
	         bool: COLUMN_BOOL, const char *: COLUMN_STRING, struct uuid: COLUMN_UUID,          \
	         struct bytes: COLUMN_BYTES)
#define COLUMN_AS(type, name, member) { #name, COLUMN_TYPE(type, member), offsetof(type, member), NULL }
#define COLUMN(type, name) COLUMN_AS(type, name, name)
#define INSTANT_AS(type, name, member) \
	{ #name, _Generic(((type *)0)->member, int64_t: COLUMN_INSTANT), offsetof(type, member), NULL }
#define INSTANT(type, name) INSTANT_AS(type, name, name##_us)
#define FORM_AS(type, name, member, form) \
	{ #name, _Generic(((type *)0)->member, struct field_list: COLUMN_FORM), offsetof(type, member), form }

#define COLUMNS(name, type, ...)                                     \
	const struct columns name = {                                \
		#type, sizeof(type), (const struct column[]){ __VA_ARGS__ }, \
		sizeof((const struct column[]){ __VA_ARGS__ }) / sizeof(struct column), \
	}
/* clang-format on */

/* Returns the position of the name in the list, or the list's count if it is not in it. */
size_t columns_find(const struct columns *columns, const char *name);

/* Returns whether a cell of this kind can be read into the column. */
bool column_takes(const struct column *column, const struct db_value *cell);

/* Reads a cell into a struct; texts are not copied. */
void column_read(const struct column *column, const struct db_value *cell, struct arena *arena, void *object);

/* Returns the parameter for a member; a text that has to be made is in the arena. */
struct db_value column_value(const struct column *column, const void *object, struct arena *arena);

#endif
