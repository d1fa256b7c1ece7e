/* What an operator does to all organisations at once. */
#ifndef STORE_OPERATION_H
#define STORE_OPERATION_H

#include "store/db.h"

/* Ends, as failed, with the reason `recovered`, the calls that a dialer took before this instant and that have not ended: for
 * a database that was restored, whose dialers will not report on them. Repeating it is harmless. */
enum db_result operation_recover(struct db *db, int64_t before_us, int64_t *ended);

/* Pauses all campaigns that are scheduled or run; resumes those that this paused, and no others. */
enum db_result operation_pause_all(struct db *db, int64_t *changed);
enum db_result operation_resume_all(struct db *db, int64_t *changed);

#endif
