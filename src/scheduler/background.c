#include "scheduler/background.h"

#include "base/clock.h"
#include "base/instant.h"
#include "domain/batch.h"
#include "store/batch_store.h"
#include "store/campaign.h"
#include "store/planning.h"
#include "store/purge.h"
#include "store/statements.h"

struct step {
	enum batch_work work;
	bool found;
};

/* An impossible plan is the end of a campaign that runs; one that is paused waits for a change. */
static enum db_result plan_step(struct db *db, struct batch *batch, int64_t now_us)
{
	bool impossible;

	DB_TRY(planning_step(db, batch, &impossible));
	if (!impossible)
		return DB_OK;
	if (batch_allows(batch->status, BATCH_FAIL))
		return campaign_move(db, batch, BATCH_FAIL, "no callable day within 366 days", now_us);
	batch->work = BATCH_WORK_DISPATCH;
	batch->wake_at_us = INSTANT_NEVER;
	return batch_save_state(db, batch);
}

static enum db_result run_step(struct db *db, void *context)
{
	struct step *step = context;
	int64_t now_us = clock_now_us();
	struct arena *arena = arena_new();
	struct db_rows rows;
	struct batch batch;
	enum db_result result;

	result = db_query(db, SQL_WORK_LOCK, DB_ARGS(db_int(step->work), db_instant(now_us)), arena, &rows);
	step->found = rows.count != 0;
	if (result == DB_OK && step->found)
		result = batch_get_row(db, db_get_int(&rows, 0, 0), arena, &batch);
	if (result == DB_OK && step->found)
		result = step->work == BATCH_WORK_PURGE ? purge_step(db, &batch, now_us) : plan_step(db, &batch, now_us);
	arena_free(arena);
	return result;
}

enum db_result background_step(struct db *db, int *found)
{
	static const enum batch_work kinds[] = { BATCH_WORK_CLEAR_PLAN, BATCH_WORK_PLAN, BATCH_WORK_PURGE };

	*found = 0;
	for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
		struct step step = { .work = kinds[i] };

		DB_TRY(db_transact(db, DB_REPEATABLE, run_step, &step));
		*found += step.found;
	}
	return DB_OK;
}
