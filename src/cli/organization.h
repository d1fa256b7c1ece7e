/* What the commands for organisations share: the connection to a cell, and a line about deleted rows. */
#ifndef CLI_ORGANIZATION_H
#define CLI_ORGANIZATION_H

#include <stdbool.h>
#include <stdint.h>

#include "base/conf.h"

struct db;

/* Connects to the database of a cell. Ends the process if the database is away, or has another schema version. */
struct db *organization_connect(const struct conf *conf);

/* Prints how many rows of a table have been deleted so far, or in all when `done`. */
void organization_show_deleted(const char *table, int64_t rows, bool done);

#endif
