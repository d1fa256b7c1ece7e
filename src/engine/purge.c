#include "engine/purge.h"

#include "base/clock.h"
#include "engine/contact_copy.h"
#include "store/batch_store.h"
#include "store/statements.h"

#define RECHECK_US (10 * US_PER_SECOND)

/* Tables that depend on the campaign come before the campaign, and each is emptied before the next. */
static const enum sql_statement chunks[] = {
	SQL_PURGE_DUE, SQL_PURGE_UNPLANNED, SQL_PURGE_CALLS, SQL_PURGE_CONTACTS, SQL_PURGE_QUARTERS,
};
static const enum sql_statement rest[] = {
	SQL_BATCH_NUMBERS_CLEAR, SQL_COPY_END,        SQL_ZONES_CLEAR,    SQL_PURGE_REASONS,
	SQL_PURGE_PRESSURE,      SQL_PURGE_CALLBACKS, SQL_PURGE_COUNTERS, SQL_PURGE_BATCH,
};

enum db_result purge_step(struct db *db, struct batch *batch, int64_t now_us)
{
	struct db_value id = db_int(batch->id);
	bool is_source;

	DB_TRY(contact_copy_needs(db, batch, &is_source));
	if (is_source || batch->counts.in_progress > 0) { /* a call in progress may still be reported */
		batch->wake_at_us = now_us + RECHECK_US;
		return batch_save_state(db, batch);
	}
	for (size_t i = 0; i < sizeof chunks / sizeof *chunks; i++) {
		DB_TRY(db_exec(db, chunks[i], DB_ARGS(id)));
		if (db_affected(db) == PURGE_ROWS)
			return DB_OK;
	}
	for (size_t i = 0; i < sizeof rest / sizeof *rest; i++)
		DB_TRY(db_exec(db, rest[i], DB_ARGS(id)));
	return DB_OK;
}
