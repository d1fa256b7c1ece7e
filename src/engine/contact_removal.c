#include "engine/contact_removal.h"

#include "domain/report_fields.h"
#include "engine/report.h"
#include "store/batch_store.h"
#include "store/statements.h"

struct stored_contact {
	enum contact_status status;
	struct uuid call_id; /* nil: it was never called */
};

static enum db_result lock_contact(struct db *db, const struct batch *batch, int64_t position,
                                   struct stored_contact *out)
{
	struct arena *arena = arena_new();
	struct db_rows rows;
	enum db_result result = db_query(db, SQL_CONTACT_LOCK, DB_ARGS(db_int(batch->id), db_int(position)), arena, &rows);

	if (result == DB_OK && rows.count == 0)
		result = DB_NOT_FOUND;
	if (result == DB_OK)
		*out = (struct stored_contact){ (enum contact_status)db_get_int(&rows, 0, 0), db_get_uuid(&rows, 0, 1) };
	arena_free(arena);
	return result;
}

/* Cancels the call of the contact if it waits in the plan: that settles the contact, too. */
static enum db_result end_call(struct db *db, const struct batch *batch, const struct uuid *call_id, int64_t now_us,
                               enum report_result *result)
{
	struct call_report report;

	*result = REPORT_NOT_FOUND;
	if (uuid_is_nil(call_id))
		return DB_OK;
	report = report_conclude(call_id, CALL_UNACCEPTED, CALL_CANCELLED, skip_reason_names[SKIP_REMOVED]);
	return reports_apply_in(db, batch->organization_id, &report, 1, now_us, result);
}

/* The contact may be in a group of contacts that are to be planned in their zones. */
static enum db_result leave_plan(struct db *db, const struct batch *batch, int64_t position)
{
	struct db_value id = db_int(batch->id), at = db_int(position);

	DB_TRY(db_exec(db, SQL_CONTACT_UNPLAN, DB_ARGS(id, at)));
	if (!batch->config.respect_contact_timezone)
		return DB_OK;
	DB_TRY(db_exec(db, SQL_CONTACT_LEAVES_GROUP, DB_ARGS(at, id)));
	return db_exec(db, SQL_CONTACT_UNGROUP, DB_ARGS(at, id));
}

enum db_result contact_remove(struct db *db, struct batch *batch, int64_t position, int64_t now_us,
                              enum contact_status *status)
{
	struct stored_contact contact;
	enum report_result ended;

	DB_TRY(lock_contact(db, batch, position, &contact));
	*status = contact.status;
	if (contact.status != CONTACT_PENDING)
		return DB_REFUSED;
	DB_TRY(end_call(db, batch, &contact.call_id, now_us, &ended));
	if (ended != REPORT_ACCEPTED) {
		DB_TRY(leave_plan(db, batch, position));
		DB_TRY(db_exec(db, SQL_CONTACT_REMOVE, DB_ARGS(db_int(batch->id), db_int(position))));
		DB_TRY(db_exec(db, SQL_CONTACT_REMOVED, DB_ARGS(db_instant(now_us), db_int(batch->id))));
	}
	if (!batch_is_running(batch->status)) /* if no contact is left, the campaign ends */
		return DB_OK;
	return db_exec(db, SQL_BATCH_WAKE, DB_ARGS(db_instant(now_us), db_int(batch->id)));
}

static enum db_result end_copy(struct db *db, struct batch *batch)
{
	if (batch->work != BATCH_WORK_COPY)
		return DB_OK;
	batch->work = BATCH_WORK_DISPATCH;
	batch->wake_at_us = INSTANT_NEVER;
	DB_TRY(db_exec(db, SQL_COPY_END, DB_ARGS(db_int(batch->id))));
	return batch_save_state(db, batch);
}

enum db_result contacts_remove_last(struct db *db, struct batch *batch, int64_t *removed)
{
	struct batch_counts *counts = &batch->counts;
	int64_t left = counts->total > CONTACTS_REMOVED_MAX ? counts->total - CONTACTS_REMOVED_MAX : 0, skipped, cancelled;
	struct db_value id = db_int(batch->id), last = db_int(left);
	struct arena *arena = arena_new();
	struct db_rows rows;
	enum db_result result = db_query(db, SQL_CONTACTS_COUNT_LAST, DB_ARGS(id, last), arena, &rows);

	if (result == DB_OK) {
		*removed = db_get_int(&rows, 0, 0);
		skipped = db_get_int(&rows, 0, 1);
		cancelled = db_get_int(&rows, 0, 2);
	}
	arena_free(arena);
	if (result != DB_OK)
		return result;
	DB_TRY(end_copy(db, batch));
	DB_TRY(db_exec(db, SQL_CONTACTS_DELETE_LAST, DB_ARGS(id, last)));
	counts->total -= *removed;
	counts->skipped -= skipped;
	counts->cancelled -= cancelled;
	counts->pending -= *removed - skipped - cancelled;
	return db_exec(db, SQL_CONTACTS_DELETED,
	               DB_ARGS(db_int(*removed), db_int(skipped), db_int(cancelled), db_instant(batch->updated_at_us), id));
}
