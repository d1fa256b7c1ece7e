/* Plans of campaigns that respect the zones of their contacts. First each contact that is to be planned is put into
 * the group of those that are in the same zones; then the groups are planned together, by domain/plan.h. Both go
 * in chunks, each in a transaction that holds the campaign's lock. */
#ifndef STORE_ZONE_GROUPS_H
#define STORE_ZONE_GROUPS_H

#include "domain/batch.h"
#include "store/db.h"

/* Forgets a plan that was begun; *done: nothing is left of it. */
enum db_result zone_groups_clear(struct db *db, const struct batch *batch, bool *done);

/* Puts up to `limit` contacts behind batch->plan_position into their groups, and moves that on, behind the last it is
 * the total. *answer is CALENDAR_NEVER when there are some, and no day can take a call in any zone; CALENDAR_UNREADABLE when
 * the campaign's zone cannot be read now. */
enum db_result zone_groups_sort(struct db *db, struct batch *batch, int limit, enum calendar_answer *answer);

/* Plans up to `limit` of them, as `segments`; *done: nobody is left who can be planned now. Contacts whom no day can take are
 * skipped. Contacts in zones that cannot be read now stay in their groups; batch->zone_trouble then says so. */
enum db_result zone_groups_plan(struct db *db, struct batch *batch, int limit, struct plan_segment *segments,
                                int max_segments, int *segment_count, bool *done);

/* Whether contacts are left in groups, and whether some of these can be planned now, because their zones can be read
 * again. */
enum db_result zone_groups_look(struct db *db, const struct batch *batch, bool *any, bool *readable);

/* The groups that the campaign's waiting contacts make, for a plan that is not written. Reads all of them. */
enum db_result zone_groups_count(struct db *db, const struct batch *batch, struct arena *arena,
                                 struct plan_group **groups, int *count);

#endif
