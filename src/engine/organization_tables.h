/* The tables that have rows of an organisation, and how these rows are found. A move copies them, and then they are
 * deleted. tests/e2e/test_cells.py holds the list against the database. */
#ifndef ENGINE_ORGANIZATION_TABLES_H
#define ENGINE_ORGANIZATION_TABLES_H

#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"

/* A row belongs to the row of the parent whose `parent_key` is its `key`. Without a parent it names its organisation.
 */
struct organization_table {
	const char *name, *key, *parent, *parent_key;
};

/* Parents come before their children. `organizations` and `api_keys` are not in the list, because their rows
 * come first, and stay. */
extern const struct organization_table organization_tables[];
extern const size_t organization_table_count;

const struct organization_table *organization_table_find(const char *name);

/* The tables whose column `id` the database numbers. These ids are the same in every database, so a copy has others. */
extern const char *const organization_id_tables[]; /* NULL-terminated */

/* Returns the table whose ids are in this column; NULL: the column is copied as it is. */
const char *organization_id_column(const char *table, const char *column);

/* Writes " FROM … WHERE …" for the rows of an organisation. */
void organization_table_from(struct buf *out, const struct organization_table *table, int64_t organization_id);

#endif
