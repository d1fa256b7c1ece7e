#include "engine/contact_settlement.h"

#include "base/instant.h"
#include "store/batch_store.h"
#include "store/columns.h"
#include "store/rows.h"
#include "store/statements.h"

#define AT_ONCE 10000 /* in the request */
#define STEP 1000     /* later: others wait for the campaign's lock */

struct called_contact {
	int64_t position;
	int call_status;
};
COLUMNS(called_contact_columns, struct called_contact, COLUMN(struct called_contact, position),
        COLUMN(struct called_contact, call_status));

/* Moves a contact that waits to its outcome, in the counts. */
static void count(struct batch_counts *counts, enum contact_status outcome)
{
	counts->pending--;
	switch (outcome) {
	case CONTACT_COMPLETED: counts->completed++; break;
	case CONTACT_FAILED: counts->failed++; break;
	case CONTACT_VOICEMAIL: counts->voicemail++; break;
	case CONTACT_NO_ANSWER: counts->no_answer++; break;
	case CONTACT_BUSY: counts->busy++; break;
	default: counts->cancelled++;
	}
}

static enum db_result write_outcomes(struct db *db, const struct batch *batch, const struct db_rows *found,
                                     struct batch_counts *counts, struct arena *arena)
{
	const struct called_contact *contacts = DB_STRUCTS(found, struct called_contact);
	struct rows rows = rows_new(arena);

	for (size_t i = 0; i < found->count; i++) {
		enum contact_status outcome = contact_status_after((enum call_status)contacts[i].call_status);

		rows_next(&rows);
		rows_int(&rows, "position", contacts[i].position);
		rows_int(&rows, "status", outcome);
		count(counts, outcome);
	}
	DB_TRY(db_exec(db, SQL_SETTLE_CONTACTS, DB_ARGS(rows_value(&rows), db_int(batch->id))));
	return db_exec(db, SQL_SETTLE_COUNTS,
	               DB_ARGS(db_int(counts->completed), db_int(counts->failed), db_int(counts->voicemail),
	                       db_int(counts->no_answer), db_int(counts->busy), db_int(counts->cancelled),
	                       db_int(batch->id)));
}

/* Goes on after plan_position, and moves it. */
static enum db_result settle(struct db *db, struct batch *batch, int64_t limit, struct batch_counts *changes)
{
	int64_t total = batch->counts.total, last = batch->plan_position + limit;
	struct arena *arena = arena_new();
	struct db_rows rows;
	enum db_result result = db_query(db, SQL_SETTLE_FIND,
	                                 DB_ARGS(db_int(batch->id), db_int(batch->plan_position), db_int(last)), arena,
	                                 &rows);

	if (result == DB_OK && rows.count != 0)
		result = write_outcomes(db, batch, &rows, changes, arena);
	arena_free(arena);
	batch->plan_position = last < total ? last : total;
	batch->work = last < total ? BATCH_WORK_SETTLE : BATCH_WORK_DISPATCH;
	return result;
}

enum db_result contacts_settle_begin(struct db *db, struct batch *batch)
{
	struct batch_counts changes = { 0 }, *counts = &batch->counts;

	batch->work = BATCH_WORK_DISPATCH;
	if (counts->called == 0)
		return DB_OK;
	batch->plan_position = 0;
	DB_TRY(settle(db, batch, AT_ONCE, &changes));
	counts->pending += changes.pending;
	counts->completed += changes.completed;
	counts->failed += changes.failed;
	counts->voicemail += changes.voicemail;
	counts->no_answer += changes.no_answer;
	counts->busy += changes.busy;
	counts->cancelled += changes.cancelled;
	return db_exec(db, SQL_SETTLE_POSITION, DB_ARGS(db_int(batch->plan_position), db_int(batch->id)));
}

enum db_result contacts_settle_step(struct db *db, struct batch *batch)
{
	struct batch_counts changes = { 0 };

	DB_TRY(settle(db, batch, STEP, &changes));
	DB_TRY(db_exec(db, SQL_SETTLE_POSITION, DB_ARGS(db_int(batch->plan_position), db_int(batch->id))));
	if (batch->work == BATCH_WORK_DISPATCH)
		batch->wake_at_us = INSTANT_NEVER;
	return batch_save_state(db, batch);
}
