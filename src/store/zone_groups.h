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
 * the total. *impossible: there are some, and no day can take a call in any zone. */
enum db_result zone_groups_sort(struct db *db, struct batch *batch, int limit, bool *impossible);

/* Plans up to `limit` of them, as `segments`; *done: nobody is left. Contacts whom no day can take are skipped. */
enum db_result zone_groups_plan(struct db *db, struct batch *batch, int limit, struct plan_segment *segments,
                                int max_segments, int *segment_count, bool *done);

/* The groups that the campaign's waiting contacts make, for a plan that is not written. Reads all of them. */
enum db_result zone_groups_count(struct db *db, const struct batch *batch, struct arena *arena,
                                 struct plan_group **groups, int *count);

#endif
