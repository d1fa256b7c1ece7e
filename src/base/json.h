/* A JSON writer that cannot emit malformed output. It keeps track of commas and open scopes, escapes keys as well as
 * texts, and replaces what is not UTF-8. Only json_raw trusts its caller. `key` is NULL inside an array and for the
 * outermost value. */
#ifndef BASE_JSON_H
#define BASE_JSON_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/uuid.h"

#define JSON_DEPTH 16

struct json {
	struct buf *out;
	int depth;
	bool filled[JSON_DEPTH]; /* the scope at this depth has a member already */
	char closer[JSON_DEPTH];
	/* For json_select: */
	const char *const *selected; /* NULL: every member is written */
	int selected_depth;
	bool drops, filled_before; /* the present member is removed when it is complete */
	size_t member_at;
};

struct json json_to(struct buf *out);

/* Keeps only the members with these names (ended by NULL) in the objects that are written next in the open scope.
 * NULL: keeps all members. */
void json_select(struct json *json, const char *const *names);

void json_begin_object(struct json *json, const char *key);
void json_begin_array(struct json *json, const char *key);
void json_end(struct json *json); /* closes the innermost object or array */

/* Writes the members of *object into the open object. */
typedef void json_write_members(struct json *json, const void *object);
void json_add_object(struct json *json, const char *key, json_write_members *write, const void *object);

void json_add_string(struct json *json, const char *key, const char *value); /* NULL: null */
void json_string_n(struct json *json, const char *key, const char *value, size_t len);
void json_text(struct json *json, const char *key, const char *value); /* empty or NULL: null */
void json_int(struct json *json, const char *key, int64_t value);
void json_count(struct json *json, const char *key, int64_t value);    /* negative: null */
void json_positive(struct json *json, const char *key, int64_t value); /* 0: null */
void json_bool(struct json *json, const char *key, bool value);
void json_add_null(struct json *json, const char *key);
void json_raw(struct json *json, const char *key, const char *json_value); /* empty or NULL: null */
void json_id(struct json *json, const char *key, const struct uuid *id);   /* nil: null */
void json_hex_id(struct json *json, const char *key, const struct uuid *id);
void json_instant(struct json *json, const char *key, int64_t us); /* none, never: null */
void json_sql_instant(struct json *json, const char *key, int64_t us);
void json_date(struct json *json, const char *key, int32_t civil_day);
void json_decimal4(struct json *json, const char *key, int64_t ten_thousandths); /* negative: null */

#endif
