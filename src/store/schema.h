/* Whether the database is one that these programs can work with. */
#ifndef STORE_SCHEMA_H
#define STORE_SCHEMA_H

#include "store/db.h"

#define SCHEMA_VERSION 24 /* of the highest file in sql/ */

/* The last up to which every file of sql/ was applied; 0 for a database without tables. */
enum db_result schema_version(struct db *db, int64_t *version);
/* The highest that was applied, whether or not one before it is missing. */
enum db_result schema_newest(struct db *db, int64_t *version);
enum db_result schema_is_applied(struct db *db, int version, bool *is_applied);

/* Whether the database's character set is utf8mb4: with another, texts would lose characters. */
enum db_result schema_is_utf8(struct db *db, bool *is_utf8);

/* Whether SELECT … FOR UPDATE SKIP LOCKED keeps a second connection away from a locked row, and lets it
 * pass without waiting. Everything rests on it, and there are servers that take the words and do not
 * act on them. Any number of processes may test at once. */
enum db_result schema_test_locking(const char *option_file, bool *works);

/* For the start of a program: ends the process unless version and locking are right. DB_LOST: the database is away, or
 * busy, and is to be asked later. */
enum db_result schema_require(const char *option_file);

#endif
