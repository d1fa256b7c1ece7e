/* Plans campaigns that respect the zones of their contacts. First, each unplanned contact is put into the group of
 * contacts in the same zones. Then the groups are planned together, by domain/plan.h. Both are done in chunks, each in
 * a transaction that holds the campaign's lock. */
#ifndef ENGINE_ZONE_GROUPS_H
#define ENGINE_ZONE_GROUPS_H

#include "domain/batch.h"
#include "store/db.h"

/* Deletes the groups of an earlier plan. *done: none are left. */
enum db_result zone_groups_clear(struct db *db, const struct batch *batch, bool *done);

/* Puts up to `limit` contacts after batch->plan_position into groups, and moves plan_position on; after the last
 * contact it is the total. *answer is CALENDAR_NEVER if no day can take a call in any zone, and CALENDAR_UNREADABLE if
 * the campaign's zone cannot be read now. */
enum db_result zone_groups_sort(struct db *db, struct batch *batch, int limit, enum calendar_answer *answer);

/* Plans up to `limit` of the contacts in groups, as `segments`. *done: no contact is left that can be planned now.
 * Contacts that no day can take are skipped. Contacts in zones that cannot be read now stay in their groups, and
 * batch->zone_trouble says so. */
enum db_result zone_groups_plan(struct db *db, struct batch *batch, int limit, struct plan_segment *segments,
                                int max_segments, int *segment_count, bool *done);

/* Finds out whether contacts are left in groups, and whether some of them can be planned now because their zones can be
 * read again. */
enum db_result zone_groups_look(struct db *db, const struct batch *batch, bool *any, bool *readable);

/* Makes the groups of the campaign's waiting contacts up to a position, for a plan that is not written. Reads all of
 * these contacts. */
enum db_result zone_groups_count(struct db *db, const struct batch *batch, int64_t last, struct arena *arena,
                                 struct plan_group **groups, int *count);

#endif
