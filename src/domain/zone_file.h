/* One file of the tz database (TZif, RFC 9636): its offsets from UTC. A file is read whole and checked whole, so a
 * damaged one is an error and never taken for UTC. */
#ifndef DOMAIN_ZONE_FILE_H
#define DOMAIN_ZONE_FILE_H

#include <stddef.h>
#include <stdint.h>

#define ZONE_FILE_MAX 65536 /* bytes */

struct zone_rules;

/* Reads the file. Returns NULL and sets *rules, which the caller frees; or returns what is wrong, in words. */
const char *zone_file_read(const char *path, struct zone_rules **rules);
/* The same for bytes in memory. */
const char *zone_rules_parse(const uint8_t *bytes, size_t len, struct zone_rules **rules);
/* The rules of UTC, which need no file. */
struct zone_rules *zone_rules_utc(void);
void zone_rules_free(struct zone_rules *rules);

/* Seconds east of UTC, in the second that begins at this instant (since the epoch). */
int64_t zone_rules_offset(const struct zone_rules *rules, int64_t second);

#endif
