/* The texts in the database that must be JSON objects. An earlier version of the CSV import stored custom fields that
 * are not. */
#ifndef STORE_JSON_REPAIR_H
#define STORE_JSON_REPAIR_H

#include <stdio.h>

#include "store/db.h"

/* Repairs every stored text that is no JSON object. A text that cannot be repaired is kept in the field
 * CUSTOM_FIELDS_UNREADABLE of a new object. Writes the numbers of repaired and kept rows to `progress`, and names
 * the first of the kept rows. Running it again does no harm. */
enum db_result json_repair(struct db *db, FILE *progress);

#endif
