/* Work that fails because of locks. It is not an error that another transaction holds a lock for a while: the work is
 * tried again soon, without a line in the log. Work that conflicts again and again is treated like work that the server
 * rejects. */
#ifndef STORE_CONFLICTS_H
#define STORE_CONFLICTS_H

#include "store/db.h"

enum conflict_of {
	CONFLICT_KIND, /* a kind of the scheduler's work, by its number */
	CONFLICT_CHORE,
	CONFLICT_CAMPAIGN, /* by the id of its row, like those without a comment */
	CONFLICT_FOLDER,
	CONFLICT_ENDPOINT,
	CONFLICT_DELIVERY,
	CONFLICT_CALL, /* by the end of its id */
	CONFLICT_ERASURE,
	CONFLICT_LEDGER, /* by its organisation */
	CONFLICT_OF__MAX
};

/* Call this right after the work on an object failed with `result`. Returns how long to wait before the next try, at
 * most a second. 0: this is no conflict, or the work has conflicted too often in a short time. */
int64_t conflict_wait_us(const struct db *db, enum conflict_of of, int64_t id, enum db_result result);

#endif
