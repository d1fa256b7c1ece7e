/* Work on whole campaigns in small steps: writing plans, and deleting the rows of deleted campaigns. */
#ifndef SCHEDULER_BACKGROUND_H
#define SCHEDULER_BACKGROUND_H

#include "store/db.h"

/* Does one step for one campaign of each kind of work. *found: how many campaigns there were. */
enum db_result background_step(struct db *db, int *found);

#endif
