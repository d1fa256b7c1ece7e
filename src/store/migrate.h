/* Brings a database's schema to this version: runs the files NNNN_name.sql of a folder that it has not
 * seen yet, in their order. */
#ifndef STORE_MIGRATE_H
#define STORE_MIGRATE_H

#include <stdio.h>

/* Several at once wait for each other; running it again does no harm. A line per file goes to
 * `progress`. Whatever goes wrong ends the process with a message, also a schema that is newer. */
void migrate(const char *option_file, const char *folder, FILE *progress);

#endif
