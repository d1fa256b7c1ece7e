/* The answers of dialers to call.requested: collected while transfers end, and written together. */
#ifndef SCHEDULER_ANSWERS_H
#define SCHEDULER_ANSWERS_H

#include <stdbool.h>

#include "scheduler/deliver.h"
#include "store/db.h"

struct answers;

/* Room for `max` answers. A call that was judged longer ago than `patience_us` may belong to another scheduler by now.
 */
struct answers *answers_new(int max, int64_t patience_us);
void answers_free(struct answers *answers);

void answers_collect(struct answers *answers, const struct deliver_result *result);
int answers_count(const struct answers *answers);

/* On failure they are kept, and written by the next call. *woke becomes true if there may be something to do at once.
 */
enum db_result answers_write(struct db *db, struct answers *answers, bool *woke);

#endif
