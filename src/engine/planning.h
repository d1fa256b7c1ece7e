/* Writes the plan of a campaign to due_contacts, in chunks. Each chunk is a transaction that holds the campaign's lock,
 * so planning may stop and go on after any chunk, in any process. While a plan is being written (work is not
 * BATCH_WORK_DISPATCH), nothing of the campaign is claimed. */
#ifndef ENGINE_PLANNING_H
#define ENGINE_PLANNING_H

#include "domain/batch.h"
#include "store/db.h"

/* Plans waiting contacts again, from `from_us`, or from the campaign's start if that is later. Retries and unanswered
 * attempts keep their instants, unless they are late or a rule has postponed them. The two functions only change the
 * struct; planning_run writes it. */
void planning_restart(struct batch *batch, int64_t from_us);
/* Plans contacts that were added, after the others. */
void planning_continue(struct batch *batch, int64_t from_us);

/* Finds out whether a waiting contact should have been called before `now_us`. */
enum db_result planning_is_late(struct db *db, const struct batch *batch, int64_t now_us, bool *late);

/* Returns whether planning ended because no day can take a call: then the contacts after that point have no instant. */
bool planning_was_given_up(const struct batch *batch);

/* Does up to `steps` chunks and saves the plan columns of the campaign. After the last chunk, work is
 * BATCH_WORK_DISPATCH. The campaign's updated_at_us counts as now. *answer is CALENDAR_NEVER if no day can take a call,
 * and CALENDAR_UNREADABLE if the campaign's zone cannot be read now; then the plan ends where it is. */
enum db_result planning_run(struct db *db, struct batch *batch, int steps, enum calendar_answer *answer);
#define PLAN_ZONE_RECHECK_US (5 * US_PER_SECOND) /* when a zone could not be read */

/* Makes the groups for a plan of all waiting contacts, without making the plan: one group per set of zones. */
enum db_result planning_groups(struct db *db, const struct batch *batch, struct arena *arena,
                               struct plan_group **groups, int *count);

#endif
