/* Deletes the rows of an organisation in small batches, children before their parents. A removal that died is finished
 * by the next. */
#ifndef ENGINE_ORGANIZATION_REMOVAL_H
#define ENGINE_ORGANIZATION_REMOVAL_H

#include "store/db.h"

/* Deletes everything but the organisation's row and its keys. `show_progress` is called as in organization_copy. */
enum db_result organization_remove_rows(struct db *db, int64_t id,
                                        void (*show_progress)(const char *table, int64_t rows, bool done));

#endif
