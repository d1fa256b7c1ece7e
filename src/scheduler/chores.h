/* Work that a scheduler does at intervals, whether or not there are calls: sealing decisions, erasing the data of
 * persons, deleting what has expired. */
#ifndef SCHEDULER_CHORES_H
#define SCHEDULER_CHORES_H

#include "base/conf.h"
#include "store/db.h"

struct chores;

struct chores *chores_new(const struct conf *conf);
void chores_free(struct chores *chores);

/* Something happened that may have left work, so the next runs come at their intervals. While nothing happens, some
 * chores are done less often: only a command or another host can have left work for them. */
void chores_expect(struct chores *chores);

/* Does a batch of each chore whose interval is over. If a batch was full, the next run does another batch, and
 * *again_us (monotonic) is moved to no later than the time of that run. */
enum db_result chores_run(struct chores *chores, struct db *db, int64_t *again_us);

#endif
