#include "engine/operation.h"

#include "base/clock.h"
#include "base/instant.h"
#include "domain/batch.h"
#include "domain/report_fields.h"
#include "engine/campaign.h"
#include "engine/report.h"
#include "store/batch_store.h"
#include "store/constants.h"
#include "store/figures.h"
#include "store/organization_store.h"
#include "store/statements.h"

#define CHUNK 200

/* Ends the calls after `last`, at most CHUNK, and moves `last` to the last of them. */
static enum db_result recover_chunk(struct db *db, int64_t before_us, struct arena *arena, struct uuid *last,
                                    int64_t *ended, size_t *found)
{
	struct call_report reports[CHUNK];
	enum report_result results[CHUNK];
	struct db_rows rows;

	DB_TRY(db_query(db, SQL_RECOVER_CALLS, DB_ARGS(db_instant(before_us), db_uuid(last), db_int(CHUNK)), arena, &rows));
	*found = rows.count;
	for (size_t r = 0; r < rows.count; r++) {
		*last = db_get_uuid(&rows, r, 0);
		reports[r] = report_conclude(last, CALL_ANY, CALL_FAILED, "recovered");
	}
	if (rows.count == 0)
		return DB_OK;
	DB_TRY(reports_apply(db, 0, reports, rows.count, clock_now_us(), results));
	for (size_t r = 0; r < rows.count; r++)
		*ended += results[r] == REPORT_ACCEPTED;
	return DB_OK;
}

enum db_result operation_recover(struct db *db, int64_t before_us, int64_t *ended)
{
	struct arena *arena = arena_new();
	struct uuid last = { { 0 } };
	enum db_result result;
	size_t found = 0;

	*ended = 0;
	do {
		arena_reset(arena);
		result = recover_chunk(db, before_us, arena, &last, ended, &found);
	} while (result == DB_OK && found == CHUNK);
	figures_flush(db);
	arena_free(arena);
	return result;
}

static enum db_result pause_one(struct db *db, void *context)
{
	struct campaign_request *request = context;

	DB_TRY(batch_lock(db, request->organization_id, &request->uuid, request->arena, &request->batch));
	return campaign_move(db, &request->batch, BATCH_PAUSE, OPERATOR_PAUSED, request->now_us);
}

static enum db_result resume_one(struct db *db, void *context)
{
	const struct campaign_request *request = context;

	DB_TRY(organization_enter(db, request->organization_id));
	return campaign_resume(db, context);
}

/* Skips a campaign that was deleted, or that may not be moved any more. */
static enum db_result change_one(struct db *db, db_work *work, struct campaign_request *request, int64_t *changed)
{
	enum db_result result = db_transact(db, DB_REPEATABLE, work, request);

	*changed += result == DB_OK;
	return result == DB_REFUSED || result == DB_NOT_FOUND ? DB_OK : result;
}

static enum db_result change_all(struct db *db, enum sql_statement list, db_work *work, int64_t *changed)
{
	struct arena *arena = arena_new();
	enum db_result result = DB_OK;
	int64_t last = 0;
	struct db_rows rows = { .count = 1 };

	*changed = 0;
	while (result == DB_OK && rows.count > 0) {
		arena_reset(arena);
		result = db_query(db, list, DB_ARGS(db_int(last), db_int(CHUNK)), arena, &rows);
		for (size_t r = 0; result == DB_OK && r < rows.count; r++) {
			struct campaign_request request = {
				.organization_id = db_get_int(&rows, r, 1),
				.uuid = db_get_uuid(&rows, r, 2),
				.now_us = clock_now_us(),
				.arena = arena,
			};

			last = db_get_int(&rows, r, 0);
			result = change_one(db, work, &request, changed);
		}
	}
	arena_free(arena);
	return result;
}

enum db_result operation_pause_all(struct db *db, int64_t *changed)
{
	return change_all(db, SQL_OPERATION_RUNNING, pause_one, changed);
}

enum db_result operation_resume_all(struct db *db, int64_t *changed)
{
	return change_all(db, SQL_OPERATION_PAUSED, resume_one, changed);
}
