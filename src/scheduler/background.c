#include "scheduler/background.h"

#include "base/clock.h"
#include "domain/batch.h"
#include "engine/campaign_move.h"
#include "engine/contact_settlement.h"
#include "engine/purge.h"
#include "store/batch_store.h"
#include "store/folder_store.h"

struct step {
	enum batch_work work;
	int64_t id; /* of the campaign, by its row; 0: none waits */
	int64_t now_us;
};

static enum db_result work_on(struct db *db, struct batch *batch, int64_t now_us)
{
	switch (batch->work) {
	case BATCH_WORK_PURGE: return purge_step(db, batch, now_us);
	case BATCH_WORK_SETTLE: return contacts_settle_step(db, batch);
	case BATCH_WORK_COPY: return campaign_copy(db, batch, now_us);
	default: return campaign_plan(db, batch, 1, now_us);
	}
}

static enum db_result run_step(struct db *db, void *context)
{
	struct step *step = context;
	int64_t now_us = step->now_us = clock_now_us();
	struct arena *arena = arena_new();
	struct batch batch;
	enum db_result result = batch_lock_waiting(db, step->work, now_us, &step->id);

	if (result == DB_OK && step->id != 0)
		result = batch_get_row(db, step->id, arena, &batch);
	if (result == DB_OK && step->id != 0)
		result = work_on(db, &batch, now_us);
	arena_free(arena);
	return result;
}

static enum db_result purge_folder(struct db *db, void *context)
{
	return folder_purge_step(db, clock_now_us(), context);
}

static enum db_result purge_folders(struct db *db, int *found)
{
	int64_t folder_row = 0;
	enum db_result result = db_transact_briefly(db, DB_REPEATABLE, purge_folder, &folder_row);

	if (db_is_refusal(result) && folder_row != 0)
		result = folder_set_aside(db, folder_row, result, clock_now_us());
	*found += folder_row != 0;
	return result;
}

enum db_result background_step(struct db *db, int *found)
{
	*found = 0;
	for (enum batch_work work = BATCH_WORK_DISPATCH + 1; work < BATCH_WORK__MAX; work++) {
		struct step step = { .work = work };
		enum db_result result = db_transact_briefly(db, DB_REPEATABLE, run_step, &step);

		if (db_is_refusal(result) && step.id != 0)
			result = batch_set_aside(db, step.id, result, step.now_us);
		DB_TRY(result);
		*found += step.id != 0;
	}
	return purge_folders(db, found);
}
