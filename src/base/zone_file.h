/* One file of the tz database (TZif, RFC 9636): its offsets from UTC. The whole file is read and checked, so a damaged
 * file is an error and never counts as UTC. */
#ifndef BASE_ZONE_FILE_H
#define BASE_ZONE_FILE_H

#include <stddef.h>
#include <stdint.h>

#define ZONE_FILE_MAX 65536 /* bytes */

struct zone_rules;

/* Reads the file. Returns NULL and sets *rules, which the caller frees; or returns what is wrong. */
const char *zone_file_read(const char *path, struct zone_rules **rules);
/* Parses the bytes of a zone file. */
const char *zone_rules_parse(const uint8_t *bytes, size_t len, struct zone_rules **rules);
/* Returns the rules of UTC, which need no file. */
struct zone_rules *zone_rules_utc(void);
void zone_rules_free(struct zone_rules *rules);

/* Returns the offset in seconds east of UTC, in the second that begins at this instant (since the epoch). */
int64_t zone_rules_offset(const struct zone_rules *rules, int64_t second);

#endif
