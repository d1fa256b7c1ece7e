/* Request bodies are described by tables. A row names a field, its type, its limits, and the member of a plain struct
 * that gets its value. The same tables validate bodies, apply PATCH and write replies, and the published description of
 * the API is tested against them. */
#ifndef BASE_FIELD_H
#define BASE_FIELD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/instant.h"
#include "base/uuid.h"

enum field_type {
	FIELD_STRING,   /* const char *; min and max count characters, not bytes */
	FIELD_INT,      /* int64_t; whole numbers from min to max */
	FIELD_DECIMAL,  /* int64_t in ten-thousandths; min and max too */
	FIELD_BOOL,     /* bool */
	FIELD_CHOICE,   /* int; index into choices */
	FIELD_CHOICES,  /* unsigned; array of choices without repeats, as a bit set. min, max: how many */
	FIELD_WEEKDAYS, /* unsigned; array of 1 (Monday) to 7 without repeats, not empty: bit 0 is Monday */
	FIELD_ID,       /* struct uuid */
	FIELD_IDS,      /* struct field_list of struct uuid, without repeats; max: how many */
	FIELD_PHONE,    /* const char *; E.164 */
	FIELD_PHONES,   /* struct field_list of const char *; E.164. min, max: how many */
	FIELD_TIME,     /* int; HH:MM from 00:00 to 24:00, in minutes of the day */
	FIELD_WHEN,     /* struct when (base/instant.h) */
	FIELD_INSTANT,  /* int64_t in microseconds; is only written */
	FIELD_DATES,    /* struct field_list of int32_t civil days, sorted, no repeats; max: how many */
	FIELD_OBJECT,   /* const char *; a JSON object as compact text; max: bytes of that text */
	FIELD_RECORDS,  /* struct field_list of records described by `record`; max: how many */
};

enum field_flags {
	FIELD_REQUIRED = 1, /* must be given when creating */
	/* null is accepted and resets the field to its value in `initial`, which stands for "none" */
	FIELD_NULLABLE = 2,
	FIELD_FIXED = 4,              /* accepted when creating, not when changing */
	FIELD_UNSHOWN = 8,            /* is only read: field_write leaves it out */
	FIELD_PERSONAL = 16,          /* of a person: field_write_changes writes only its name */
	FIELD_FIXED_WHEN_ACTIVE = 32, /* is not changed while the object is active: its resource judges that */
};

struct field_list {
	const void *items; /* in the arena */
	size_t count;
};

struct field_table;

struct field {
	const char *name;
	enum field_type type;
	unsigned flags;
	size_t offset;
	int64_t min, max;
	const char *const *choices;       /* NULL-terminated; "" is a number without a name */
	const struct field_table *record; /* of FIELD_RECORDS */
	const char *prefix;               /* of ids: the prefix of their type (base/uuid.h) */
	/* For strings that are not empty: returns NULL, or what is wrong. It may replace the value by another spelling,
	 * in the arena. */
	const char *(*check)(struct arena *arena, const char **value);
};

struct field_table {
	const struct field *fields;
	size_t count;        /* at most 64 */
	size_t size;         /* of the struct that the offsets are in */
	const void *initial; /* a struct with every default; null resets a field to its value here */
};

/* A row of a table: FIELD(struct agent, name, STRING, .max = 255). A member of another type than the field's does not
 * compile. FIELD_AS is for a member of another name, or a member of a nested struct. */
#define FIELD(holder, member, kind, ...) FIELD_AS(#member, holder, member, kind, __VA_ARGS__)
/* clang-format off */
#define FIELD_AS(name_, holder, member, kind, ...)                                                       \
	{ .name = name_, .type = FIELD_##kind,                                                           \
	  .offset = _Generic(((holder *)0)->member, FIELD_TAKES_##kind: offsetof(holder, member)), __VA_ARGS__ }
#define FIELD_TAKES_STRING const char *
#define FIELD_TAKES_INT int64_t
#define FIELD_TAKES_DECIMAL int64_t
#define FIELD_TAKES_BOOL bool
#define FIELD_TAKES_CHOICE int
#define FIELD_TAKES_CHOICES unsigned
#define FIELD_TAKES_WEEKDAYS unsigned
#define FIELD_TAKES_ID struct uuid
#define FIELD_TAKES_IDS struct field_list
#define FIELD_TAKES_PHONE const char *
#define FIELD_TAKES_PHONES struct field_list
#define FIELD_TAKES_TIME int
#define FIELD_TAKES_WHEN struct when
#define FIELD_TAKES_INSTANT int64_t
#define FIELD_TAKES_DATES struct field_list
#define FIELD_TAKES_OBJECT const char *
#define FIELD_TAKES_RECORDS struct field_list

/* FIELD_TABLE(agent_fields, struct agent, &agent_initial, FIELD(…), …); */
#define FIELD_TABLE(name, holder, initial, ...)                                                  \
	const struct field_table name = {                                                        \
		(const struct field[]){ __VA_ARGS__ },                                           \
		sizeof((const struct field[]){ __VA_ARGS__ }) / sizeof(struct field),            \
		sizeof(holder), _Generic(initial, const holder *: initial),                      \
	}
/* clang-format on */

/* The faults of a body, in the order in which they were found; at most FAULTS_MAX are kept. */
#define FAULTS_MAX 50
struct fault {
	const char *field; /* "contacts[3].phone_number" */
	const char *reason;
};
struct faults {
	struct arena *arena;
	size_t count;
	struct fault list[FAULTS_MAX];
};
void fault_add(struct faults *faults, const char *field, const char *format, ...) __attribute__((format(printf, 3, 4)));

enum field_mode { FIELD_CREATE, FIELD_CHANGE };
enum field_result {
	FIELD_OK,
	FIELD_BAD_JSON, /* not JSON, or not an object: `faults` has one entry, with field "body" */
	FIELD_INVALID,  /* JSON, but fields are wrong, or a key is repeated: see `faults` */
};

/* Reads `body` into *out. FIELD_CREATE starts with the defaults of the table. FIELD_CHANGE starts with the present
 * *out, requires no field and refuses those that are FIELD_FIXED. An empty body counts as {}. Bit i of *given is set
 * when the body has field i. Texts and lists are in faults->arena. */
enum field_result field_read(const struct field_table *table, enum field_mode mode, const char *body, size_t len,
                             void *out, uint64_t *given, struct faults *faults);

/* Reads the parameters of a query, as FIELD_CREATE. Their values are texts; FIELD_CHOICES and FIELD_IDS are lists with
 * commas. Returns FIELD_OK or FIELD_INVALID. */
struct field_pair {
	const char *name, *value;
};
enum field_result field_read_pairs(const struct field_table *table, const struct field_pair *pairs, size_t count,
                                   void *out, uint64_t *given, struct faults *faults);

/* Returns the bit of this field in `given`. The table has it. */
uint64_t field_bit(const struct field_table *table, const char *name);
bool field_is_given(const struct field_table *table, uint64_t given, const char *name);

/* Copies the given fields from one struct of the table to another. */
void field_apply(const struct field_table *table, uint64_t given, const void *from, void *to);

/* Writes the fields of *object as members of the open JSON object: the inverse of reading. A FIELD_NULLABLE that is
 * "none" becomes null: an empty text, the nil id, an instant or time of day that is not set, no choices, a number below
 * `min`. */
struct json;
void field_write(struct json *json, const struct field_table *table, const void *object);

/* Writes the fields that differ as members of the open object: {"from": …, "to": …}, or {"is_long": true} if the values
 * are too long for that. A personal field has {"is_personal": true}. Fixed
 * and unshown fields are left out. Returns how many fields differ. */
size_t field_write_changes(struct json *json, const struct field_table *table, const void *before, const void *after);

/* Returns `object` as compact text, with the members of `patch` set in it and without the members that are null in
 * `patch`; "" if no member is left. Both are texts of objects, or "". Returns NULL if `object` cannot be read. */
const char *field_merge(struct arena *arena, const char *object, const char *patch);

/* Calls `take` for each member of an object that is kept as text ("": none): with its name, and with its value as text,
 * which is compact JSON unless it is a string, and "" for null. Stops when `take` returns false. The texts are in the
 * arena. */
void field_each_member(struct arena *arena, const char *object,
                       bool (*take)(void *context, const char *name, const char *value), void *context);

bool phone_is_e164(const char *text);

#endif
