#include "engine/forecast_facts.h"

#include "base/instant.h"
#include "engine/claim_facts.h"
#include "engine/planning.h"
#include "store/batch_store.h"
#include "store/statements.h"

#define MAX_SEGMENTS 2000 /* contacts after these are not compared: they are years ahead */

enum db_result forecast_never_called(struct db *db, const struct batch *batch, struct arena *arena,
                                     struct never_called *out)
{
	struct db_value id = db_int(batch->id);
	struct db_rows rows;

	*out = (struct never_called){ 0 };
	DB_TRY(db_query(db, SQL_FORECAST_NEVER_CALLED,
	                DB_ARGS(id, db_int(batch->counts.skipped), id, db_int(batch->organization_id),
	                        db_int(NEVER_CALLED_POSITIONS)),
	                arena, &rows));
	for (size_t r = 0; r < rows.count; r++) {
		enum skip_reason reason = (enum skip_reason)db_get_int(&rows, r, 0);

		if (out->count == 0 || out->list[out->count - 1].reason != reason)
			out->list[out->count++].reason = reason;
		out->list[out->count - 1].contacts = db_get_int(&rows, r, 2);
		out->list[out->count - 1].positions[out->list[out->count - 1].position_count++] = db_get_int(&rows, r, 1);
	}
	return DB_OK;
}

enum db_result forecast_numbers_gap(struct db *db, const struct batch *batch, int64_t now_us, struct arena *arena,
                                    int64_t *gap_us)
{
	struct claim_campaign campaign;
	int64_t calls_per_minute = 0;

	*gap_us = 0;
	DB_TRY(claim_facts_read(db, batch->id, now_us, arena, &campaign));
	for (int i = 0; i < campaign.number_count; i++) {
		if (campaign.numbers[i].pace == NULL)
			return DB_OK;
		calls_per_minute += campaign.numbers[i].pace->calls_per_minute;
	}
	if (calls_per_minute != 0)
		*gap_us = pace_gap_us(calls_per_minute);
	return DB_OK;
}

/* The present plan continues from the first waiting contact. Planned from there or from its beginning, it is the same.
 */
static enum db_result find_start(struct db *db, struct batch *batch, int64_t now_us, struct arena *arena)
{
	struct db_rows rows;

	planning_restart(batch, now_us);
	DB_TRY(db_query(db, SQL_PLAN_FIRST_DUE, DB_ARGS(db_int(batch->id)), arena, &rows));
	if (rows.count != 0)
		batch->plan.next_us = db_get_int(&rows, 0, 0);
	return DB_OK;
}

static enum db_result plan(struct db *db, const struct batch *batch, struct arena *arena,
                           struct plan_segment **segments, int *count)
{
	struct plan_rules rules = batch_plan_rules(&batch->config);
	struct plan_cursor cursor = batch->plan;
	struct plan_group *groups;
	int group_count, planned;

	*segments = arena_alloc(arena, MAX_SEGMENTS * sizeof **segments);
	DB_TRY(planning_groups(db, batch, arena, &groups, &group_count));
	*count = plan_group_segments(&rules, groups, group_count, &cursor, (int)batch->counts.pending, *segments,
	                             MAX_SEGMENTS, &planned);
	return DB_OK;
}

enum db_result forecast_move(struct db *db, const struct batch *changed, int64_t now_us, struct arena *arena,
                             struct plan_shift *out)
{
	struct plan_segment *before, *after;
	int before_count, after_count;
	struct batch batch;

	DB_TRY(batch_get_row(db, changed->id, arena, &batch));
	DB_TRY(find_start(db, &batch, now_us, arena));
	DB_TRY(plan(db, &batch, arena, &before, &before_count));
	DB_TRY(plan(db, changed, arena, &after, &after_count));
	*out = forecast_shift(before, before_count, after, after_count);
	return DB_OK;
}
