#include "engine/clock_step.h"

#include "base/clock.h"
#include "store/statements.h"

#define BATCH_ROWS 5000       /* contacts in a transaction */
#define SOON_US US_PER_MINUTE /* work that waits for longer than this waits for more than the next look */

struct step {
	int64_t now_us, by_us, until_us, lease_us, batch_id, shift_us;
};

/* The order of locks is that of reports: calls, then campaigns. */
static enum db_result pull_in_calls(struct db *db, void *context)
{
	const struct step *step = context;

	return db_exec(db, SQL_STEP_CALLS,
	               DB_ARGS(db_instant(step->now_us + step->lease_us), db_instant(step->now_us),
	                       db_instant(step->now_us), db_instant(step->until_us + US_PER_DAY)));
}

static enum db_result move_rows(struct db *db, void *context)
{
	const struct step *step = context;

	return db_exec(db, SQL_STEP_DUE,
	               DB_ARGS(db_int(step->shift_us), db_int(step->batch_id), db_instant(step->now_us),
	                       db_instant(step->now_us + step->by_us), db_int(BATCH_ROWS)));
}

/* Another contact may have the instant already. Then the shift becomes a microsecond smaller. */
static enum db_result move_batch(struct db *db, struct step *step)
{
	enum db_result result;

	do {
		result = db_transact_briefly(db, DB_ONCE, move_rows, step);
		step->shift_us -= result == DB_DUPLICATE;
	} while (result == DB_DUPLICATE || (result == DB_OK && db_affected(db) == BATCH_ROWS));
	return result;
}

static enum db_result move_all(struct db *db, struct step *step, struct arena *arena)
{
	struct db_rows rows;

	DB_TRY(db_query(db, SQL_STEP_ACTIVE, DB_ARGS(db_instant(step->until_us)), arena, &rows));
	for (size_t r = 0; r < rows.count; r++) {
		step->batch_id = db_get_int(&rows, r, 0);
		DB_TRY(move_batch(db, step));
	}
	return DB_OK;
}

static struct step step_of(int64_t by_us)
{
	int64_t now_us = clock_now_us();

	return (struct step){ .now_us = now_us, .by_us = by_us, .until_us = now_us + by_us + SOON_US, .shift_us = by_us };
}

enum db_result clock_step_move_due(struct db *db, int64_t by_us)
{
	struct step step = step_of(by_us);
	struct arena *arena = arena_new();
	enum db_result result = move_all(db, &step, arena);

	arena_free(arena);
	return result;
}

static enum db_result pull_in_campaigns(struct db *db, void *context)
{
	const struct step *step = context;
	struct db_value now = db_instant(step->now_us), until = db_instant(step->until_us);

	DB_TRY(db_exec(db, SQL_STEP_CAMPAIGNS, DB_ARGS(now, now, now, until)));
	return db_exec(db, SQL_STEP_PACES, DB_ARGS(now, now));
}

static enum db_result pull_in_webhooks(struct db *db, void *context)
{
	const struct step *step = context;
	struct db_value now = db_instant(step->now_us), until = db_instant(step->until_us);

	DB_TRY(db_exec(db, SQL_STEP_ENDPOINTS, DB_ARGS(now, now, now, now, now, until, now)));
	DB_TRY(db_exec(db, SQL_STEP_QUEUED_DELIVERIES, DB_ARGS(now, now, until)));
	return db_exec(db, SQL_STEP_DELIVERIES, DB_ARGS(now, now, until));
}

enum db_result clock_step_pull_in(struct db *db, int64_t by_us, int64_t lease_us)
{
	struct step step = step_of(by_us);

	step.lease_us = lease_us;
	DB_TRY(db_transact_briefly(db, DB_REPEATABLE, pull_in_calls, &step));
	DB_TRY(db_transact_briefly(db, DB_REPEATABLE, pull_in_campaigns, &step));
	return db_transact_briefly(db, DB_REPEATABLE, pull_in_webhooks, &step);
}
