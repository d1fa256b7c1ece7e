/* Public ids: UUID version 7 (time-ordered), in memory and in the database as 16 bytes. */
#ifndef BASE_UUID_H
#define BASE_UUID_H

#include <stdbool.h>
#include <stdint.h>

struct uuid {
	uint8_t b[16];
};

#define UUID_TEXT 37
#define UUID_HEX 33

/* Ids made by one process sort in the order in which they were made. */
struct uuid uuid_new(void);

/* The prefixes of ids, by the type of the object. */
#define ID_AGENT "agt_"
#define ID_NUMBER "num_"
#define ID_CONTACT "ctc_"
#define ID_FOLDER "folder_"
#define ID_BATCH "batch_"
#define ID_CALL "call_"
#define ID_WEBHOOK "whk_"
#define ID_KEY "key_"
#define ID_ANY "*" /* instead of a prefix: accepts the prefix of any type */

/* Accepts upper and lower case, and the prefix of this type ("": the type has none), which it drops. It refuses the
 * prefix of another type. */
bool uuid_parse_id(const char *text, const char *prefix, struct uuid *out);
void uuid_format(const struct uuid *id, char out[UUID_TEXT]);
void uuid_format_hex(const struct uuid *id, char out[UUID_HEX]);
bool uuid_is_nil(const struct uuid *id);
bool uuid_equal(const struct uuid *a, const struct uuid *b);
int uuid_order(const void *a, const void *b); /* two of struct uuid, for qsort */

/* Returns an id that is less than every id made at this instant or later, and greater than every id made a millisecond
 * before. Ids begin with their milliseconds. */
struct uuid uuid_first_at(int64_t us);
/* Returns when an id was made, to the millisecond. */
int64_t uuid_made_at(const struct uuid *id);

#endif
