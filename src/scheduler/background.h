/* Work on whole campaigns in small steps: writing plans, and taking away what was deleted. */
#ifndef SCHEDULER_BACKGROUND_H
#define SCHEDULER_BACKGROUND_H

#include "store/db.h"

/* One step for one campaign of each kind that waits for it. *found: how many there were. */
enum db_result background_step(struct db *db, int *found);

#endif
