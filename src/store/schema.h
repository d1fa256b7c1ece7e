/* Checks whether these programs can work with the database. */
#ifndef STORE_SCHEMA_H
#define STORE_SCHEMA_H

#include "store/db.h"
#include "store/schema_version.h" /* SCHEMA_VERSION, of the newest file in sql/ (Makefile.am) */

/* Finds the last version up to which every file of sql/ was applied; 0 for a database without tables. */
enum db_result schema_version(struct db *db, int64_t *version);
/* Finds the highest version that was applied, even if an earlier version is missing. */
enum db_result schema_newest(struct db *db, int64_t *version);
enum db_result schema_is_applied(struct db *db, int version, bool *is_applied);

/* Finds out whether the character set of the database is utf8mb4: with another one, texts would lose characters. */
enum db_result schema_is_utf8(struct db *db, bool *is_utf8);

/* Finds out whether SELECT … FOR UPDATE SKIP LOCKED makes a second connection skip a locked row without waiting.
 * Everything depends on that, and some servers accept the words without acting on them. Any number of processes may
 * test at once. */
enum db_result schema_test_locking(const char *option_file, bool *works);

/* At the start of a program: ends the process unless version and locking are right. DB_LOST: the database is away or
 * busy; ask again later. */
enum db_result schema_require(const char *option_file);

#endif
