#include "engine/contact_copy.h"

#include "store/batch_contact_store.h"
#include "store/batch_store.h"
#include "store/columns.h"
#include "store/statements.h"

#define AT_ONCE 10000 /* contacts of a source that are copied within the request */
/* fewer in the background: others wait for the campaign's lock, and the scheduler has calls to send */
#define STEP 1000

COLUMNS(contact_part_columns, struct contact_part, COLUMN_AS(struct contact_part, folder_id, folder_row),
        COLUMN_AS(struct contact_part, source_id, source_row), COLUMN(struct contact_part, statuses),
        COLUMN(struct contact_part, after_id), COLUMN(struct contact_part, last_id));

/* The rest is copied in the background. */
static enum db_result begin_rest(struct db *db, struct batch *batch, const struct contact_part *part)
{
	DB_TRY(db_exec(db, SQL_COPY_BEGIN,
	               DB_ARGS(db_int(batch->id), db_int(part->folder_row), db_int(part->source_row),
	                       db_int(part->statuses), db_int(part->after_id), db_int(part->last_id))));
	batch->work = BATCH_WORK_COPY;
	batch->wake_at_us = batch->updated_at_us;
	return batch_save_state(db, batch);
}

enum db_result contact_copy_folder(struct db *db, struct batch *batch, const struct contact_folder *folder)
{
	struct contact_part part = { .folder_row = folder->id, .last_id = INT64_MAX };
	bool all;

	DB_TRY(batch_contacts_copy_part(db, batch, &part, AT_ONCE, &all));
	if (all)
		return DB_OK;
	DB_TRY(db_query_int(db, SQL_STORED_LAST, DB_ARGS(db_int(batch->organization_id), db_int(part.folder_row)),
	                    &part.last_id));
	return part.last_id == part.after_id ? DB_OK : begin_rest(db, batch, &part);
}

/* Returns how many contacts have one of these results. */
static int64_t count_results(const struct batch_counts *counts, unsigned statuses)
{
	const int64_t of[CONTACT_STATUS__MAX] = {
		[CONTACT_COMPLETED] = counts->completed, [CONTACT_FAILED] = counts->failed,
		[CONTACT_VOICEMAIL] = counts->voicemail, [CONTACT_NO_ANSWER] = counts->no_answer,
		[CONTACT_BUSY] = counts->busy,           [CONTACT_CANCELLED] = counts->cancelled,
		[CONTACT_SKIPPED] = counts->skipped,
	};
	int64_t count = 0;

	for (int status = 0; status < CONTACT_STATUS__MAX; status++)
		if ((statuses & (1u << status)) != 0)
			count += of[status];
	return count;
}

/* Returns the stored statuses that mean these results: in a campaign that is over, waiting contacts count as cancelled.
 */
static unsigned stored_statuses(const struct batch *source, unsigned statuses)
{
	if (statuses == 0)
		return (1u << CONTACT_STATUS__MAX) - 1;
	if ((statuses & (1u << CONTACT_CANCELLED)) != 0 && batch_is_over(source->status))
		return statuses | 1u << CONTACT_PENDING;
	return statuses;
}

enum db_result contact_copy_campaign(struct db *db, struct batch *batch, const struct batch *source)
{
	unsigned statuses = batch->config.source_statuses;
	struct contact_part part = {
		.source_row = source->id,
		.statuses = stored_statuses(source, statuses),
		.last_id = source->counts.total,
	};
	bool all;

	if (statuses != 0 && count_results(&source->counts, statuses) == 0)
		return DB_OK;
	DB_TRY(batch_contacts_copy_part(db, batch, &part, AT_ONCE, &all));
	return all ? DB_OK : begin_rest(db, batch, &part);
}

static enum db_result load(struct db *db, const struct batch *batch, struct contact_part *part)
{
	struct arena *arena = arena_new();
	enum db_result result;

	*part = (struct contact_part){ .last_id = -1 };
	result = DB_GET(db, SQL_COPY_GET, DB_ARGS(db_int(batch->id)), arena, struct contact_part, part);
	arena_free(arena);
	return result == DB_NOT_FOUND ? DB_OK : result;
}

enum db_result contact_copy_step(struct db *db, struct batch *batch, bool *done)
{
	struct contact_part part;

	DB_TRY(load(db, batch, &part));
	DB_TRY(batch_contacts_copy_part(db, batch, &part, STEP, done));
	if (*done)
		return db_exec(db, SQL_COPY_END, DB_ARGS(db_int(batch->id)));
	DB_TRY(db_exec(db, SQL_COPY_SAVE, DB_ARGS(db_int(part.after_id), db_int(batch->id))));
	return batch_save_state(db, batch);
}

enum db_result contact_copy_needs(struct db *db, const struct batch *source, bool *needed)
{
	int64_t copies;

	DB_TRY(db_query_int(db, SQL_COPY_NEEDS, DB_ARGS(db_int(source->id)), &copies));
	*needed = copies != 0;
	return DB_OK;
}
