#include "store/folder_copy.h"

#include "store/batch_contact_store.h"
#include "store/batch_store.h"
#include "store/statements.h"

#define AT_ONCE 10000 /* of a folder, in the request */
#define STEP 1000     /* later: others wait for the campaign's lock, and the scheduler's calls for its loop */

static enum db_result find_last(struct db *db, const struct batch *batch, struct folder_part *part)
{
	struct arena *arena = arena_new();
	struct db_rows rows;
	enum db_result result = db_query(db, SQL_KEPT_LAST, DB_ARGS(
		db_int(batch->organization_id), db_int(part->folder_row)), arena, &rows);

	part->last_id = result == DB_OK ? db_get_int(&rows, 0, 0) : 0;
	arena_free(arena);
	return result;
}

enum db_result folder_copy_begin(struct db *db, struct batch *batch, const struct contact_folder *folder)
{
	struct folder_part part = { .folder_row = folder->id, .last_id = INT64_MAX };
	bool all;

	DB_TRY(batch_contacts_copy_part(db, batch, &part, AT_ONCE, &all));
	if (all)
		return DB_OK;
	DB_TRY(find_last(db, batch, &part));
	if (part.last_id == part.after_id)
		return DB_OK;
	DB_TRY(db_exec(db, SQL_COPY_BEGIN, DB_ARGS(
		db_int(batch->id), db_int(part.folder_row), db_int(part.after_id), db_int(part.last_id))));
	batch->work = BATCH_WORK_COPY;
	batch->wake_at_us = batch->updated_at_us;
	return batch_save_state(db, batch);
}

static enum db_result load(struct db *db, const struct batch *batch, struct folder_part *part)
{
	struct arena *arena = arena_new();
	struct db_rows rows;
	enum db_result result = db_query(db, SQL_COPY_GET, DB_ARGS(db_int(batch->id)), arena, &rows);

	*part = (struct folder_part){ .last_id = -1 };
	if (result == DB_OK && rows.count != 0)
		*part = (struct folder_part){
			.folder_row = db_get_int(&rows, 0, 0), .after_id = db_get_int(&rows, 0, 1),
			.last_id = db_get_int(&rows, 0, 2),
		};
	arena_free(arena);
	return result;
}

enum db_result folder_copy_step(struct db *db, struct batch *batch, bool *done)
{
	struct folder_part part;

	DB_TRY(load(db, batch, &part));
	DB_TRY(batch_contacts_copy_part(db, batch, &part, STEP, done));
	if (*done)
		return db_exec(db, SQL_COPY_END, DB_ARGS(db_int(batch->id)));
	DB_TRY(db_exec(db, SQL_COPY_SAVE, DB_ARGS(db_int(part.after_id), db_int(batch->id))));
	return batch_save_state(db, batch);
}
