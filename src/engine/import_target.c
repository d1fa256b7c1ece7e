#include "engine/import_job.h"

#include <string.h>

#include "base/clock.h"
#include "base/field.h"
#include "engine/campaign.h"
#include "store/do_not_call_store.h"
#include "store/folder_store.h"
#include "store/rows.h"
#include "store/statements.h"

/* The parameters after the numbers are `first` and, if count is 2, `second`. */
static enum db_result find(struct import *import, enum sql_statement statement, int64_t first, int64_t second,
                           size_t count)
{
	struct rows numbers = rows_new(import->chunk);
	struct db_rows rows;

	for (size_t i = 0; i < import->count; i++) {
		rows_next(&numbers);
		rows_text(&numbers, "phone", import->contacts[i].phone_number);
		import->existing[i] = NULL;
	}
	DB_TRY(db_query(import->db, statement,
	                (const struct db_value[]){ rows_value(&numbers), db_int(first), db_int(second) }, 1 + count,
	                import->chunk, &rows));
	for (size_t r = 0; r < rows.count; r++)
		import->existing[db_get_int(&rows, r, 0) - 1] = db_get_text(&rows, r, 1);
	return DB_OK;
}

void import_prepare(struct import *import)
{
	import->ready_count = 0;
	for (size_t i = 0; i < import->count; i++) {
		struct contact_input *contact = &import->ready[import->ready_count];

		*contact = import->contacts[i];
		import->is_refused[i] = false;
		if (import->columns.marks_empty) {
			contact->custom_fields = field_merge(import->chunk, import->existing[i] != NULL ? import->existing[i] : "",
			                                     contact->custom_fields);
			import->is_refused[i] = contact->custom_fields == NULL ||
			                        strlen(contact->custom_fields) > CONTACT_CUSTOM_FIELDS_MAX;
		}
		import->ready_count += !import->is_refused[i];
	}
}

static enum db_result find_in_folder(struct db *db, void *context)
{
	struct import *import = context;

	(void)db;
	if (import->makes_folder)
		return DB_OK; /* the folder is empty */
	return find(import, SQL_IMPORT_FIND_KEPT, import->organization_id, import->folder.id, 2);
}

/* A second run may find the folder that the first one made. */
static enum db_result make_folder(struct db *db, struct import *import)
{
	struct contact_folder folder = import->folder;
	enum db_result result = folder_lock(db, import->organization_id, &folder.uuid, import->chunk, &folder);

	if (result == DB_NOT_FOUND) {
		folder.created_at_us = folder.updated_at_us = clock_now_us();
		result = folder_insert(db, import->organization_id, &folder);
	}
	import->folder.id = folder.id;
	return result;
}

static enum db_result lock_folder(struct db *db, struct import *import)
{
	DB_TRY(folder_lock(db, import->organization_id, &import->folder.uuid, import->chunk,
	                   &(struct contact_folder){ 0 }));
	if (!import->columns.marks_empty)
		return DB_OK;
	return find(import, SQL_IMPORT_LOCK_KEPT, import->organization_id, import->folder.id, 2);
}

static enum db_result add_to_folder(struct db *db, void *context)
{
	struct import *import = context;

	import->added = 0;
	if (!import->makes_folder)
		DB_TRY(lock_folder(db, import));
	import_prepare(import);
	if (import->ready_count == 0)
		return DB_OK;
	if (import->makes_folder)
		DB_TRY(make_folder(db, import));
	return contacts_add(db, import->organization_id, import->folder.id, import->ready, import->ready_count,
	                    import->overwrite, import->columns.members, clock_now_us(), &import->added);
}

static enum db_result find_in_batch(struct db *db, void *context)
{
	struct import *import = context;

	(void)db;
	return find(import, SQL_CONTACTS_FIND_NUMBERS, import->report.batch.id, 0, 1);
}

static enum db_result add_to_batch(struct db *db, void *context)
{
	struct import *import = context;
	struct campaign_request request = {
		.organization_id = import->organization_id,
		.uuid = import->report.batch.uuid,
		.now_us = clock_now_us(),
		.arena = import->chunk,
		.config.contacts = { import->contacts, import->count },
	};
	enum db_result result = campaign_add_contacts(db, &request);

	import->added = request.added;
	import->report.batch.status = request.batch.status;
	import->report.batch.counts = request.batch.counts;
	return result;
}

static enum db_result find_in_do_not_call(struct db *db, void *context)
{
	struct import *import = context;

	(void)db;
	return find(import, SQL_IMPORT_FIND_LISTED, import->organization_id, 0, 1);
}

static enum db_result add_to_do_not_call(struct db *db, void *context)
{
	struct import *import = context;
	const char **numbers = arena_alloc(import->chunk, import->count * sizeof *numbers);

	for (size_t i = 0; i < import->count; i++)
		numbers[i] = import->contacts[i].phone_number;
	return do_not_call_add(db, import->organization_id, numbers, import->count, import->reason_to_list, clock_now_us(),
	                       &import->added);
}

const struct import_target import_folder = { find_in_folder, add_to_folder, AUDIT_FOLDER };
const struct import_target import_campaign = { find_in_batch, add_to_batch, AUDIT_CAMPAIGN };
const struct import_target import_do_not_call = { find_in_do_not_call, add_to_do_not_call, AUDIT_DO_NOT_CALL };
