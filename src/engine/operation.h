/* An operator's actions on all organisations at once. */
#ifndef ENGINE_OPERATION_H
#define ENGINE_OPERATION_H

#include "store/db.h"

/* Ends calls that a dialer accepted before this instant and that have not ended, as failed with the reason `recovered`.
 * For a database that was restored, because its dialers will not report these calls again. It can be repeated. */
enum db_result operation_recover(struct db *db, int64_t before_us, int64_t *ended);

/* Pauses all campaigns that are scheduled or active; resumes those that this function paused, and no others. */
enum db_result operation_pause_all(struct db *db, int64_t *changed);
enum db_result operation_resume_all(struct db *db, int64_t *changed);

#endif
