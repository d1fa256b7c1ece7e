/* Brings the schema of a database to this version: runs the files NNNN_name.sql of a folder that were not applied yet,
 * in order. */
#ifndef STORE_MIGRATE_H
#define STORE_MIGRATE_H

#include <stdio.h>

/* Several processes wait for each other, and running it again does no harm. Writes a line per file to `progress`. Any
 * fault ends the process with a message; so does a newer schema. */
void migrate(const char *option_file, const char *folder, FILE *progress);

#endif
