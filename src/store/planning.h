/* From segments to rows: a campaign's plan is written to due_contacts in chunks, each in a transaction
 * that holds the campaign's lock, so planning may stop and go on at any chunk, in any process. While a
 * plan is being written (work is not BATCH_WORK_DISPATCH) nothing of the campaign is claimed. */
#ifndef STORE_PLANNING_H
#define STORE_PLANNING_H

#include "domain/batch.h"
#include "store/db.h"

/* Contacts that wait are to be planned again, from `from_us` or the campaign's start if later; retries and
 * unanswered attempts keep their instants, unless they are late or a rule has moved them.
 * These two only change the struct; planning_run writes it. */
void planning_restart(struct batch *batch, int64_t from_us);
/* Contacts that were added are to be planned behind the others. */
void planning_continue(struct batch *batch, int64_t from_us);

/* Some waiting contact should have been called before `now_us`. */
enum db_result planning_is_late(struct db *db, const struct batch *batch, int64_t now_us, bool *late);

/* Its plan was left where no day could take a call: contacts behind wait for nothing. */
bool planning_was_given_up(const struct batch *batch);

/* Does up to `steps` chunks and saves the campaign's plan columns; the last chunk of a plan ends in
 * BATCH_WORK_DISPATCH. The campaign's updated_at_us is taken for the present. *answer is CALENDAR_NEVER when no day can take
 * a call, and CALENDAR_UNREADABLE when the campaign's zone cannot be read now; the plan is then left as far as it came. */
enum db_result planning_run(struct db *db, struct batch *batch, int steps, enum calendar_answer *answer);
#define PLAN_ZONE_RECHECK_US (5 * US_PER_SECOND) /* when a zone could not be read */

/* What a plan of all contacts that wait would be made for, without making it: groups by the zones that count. */
enum db_result planning_groups(struct db *db, const struct batch *batch, struct arena *arena,
                               struct plan_group **groups, int *count);

#endif
