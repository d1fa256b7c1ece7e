#include "engine/import_job.h"

#include <stdlib.h>

#include "base/clock.h"
#include "base/json.h"
#include "store/constants.h"
#include "store/organization_store.h"
/* While a chunk is written, other changes of its campaign wait. So on a busy server chunks get smaller. */
#define CHUNK_US (40 * US_PER_MS)
#define CHUNK_MIN 100

static void adapt_chunk(struct import *import, int64_t took_us)
{
	size_t fitting = import->count * CHUNK_US / (size_t)(took_us + 1);

	if (fitting > 2 * import->at_once)
		fitting = 2 * import->at_once;
	import->at_once = fitting < CHUNK_MIN ? CHUNK_MIN : fitting > CONTACTS_AT_ONCE ? CONTACTS_AT_ONCE : fitting;
}

static const struct uuid *audited_id(const struct import *import)
{
	return import->target == &import_folder ? &import->folder.uuid : &import->report.batch.uuid;
}

/* `more` was added since the report was written. */
static const char *describe(struct import *import, int64_t more)
{
	struct buf text = { 0 };
	struct json json = json_to(&text);
	const char *copy;

	json_begin_object(&json, NULL);
	json_int(&json, "imported", import->report.imported + more);
	json_int(&json, "rows", import->report.rows);
	json_int(&json, "errors", import->report.errors);
	json_end(&json);
	copy = arena_strdup(import->chunk, text.data);
	buf_free(&text);
	return copy;
}

/* The entry of a transaction that was given up is gone. */
static enum db_result write_audit(struct import *import, const char *changes)
{
	enum db_result result = DB_NOT_FOUND;
	const struct audit_entry entry = {
		.organization_id = import->organization_id,
		.object = (int)import->target->object,
		.action = AUDIT_IMPORTED,
		.object_id = *audited_id(import),
		.from_status = -1,
		.to_status = -1,
		.happened_at_us = clock_now_us(),
		.reason = "",
		.changes = changes,
	};

	if (import->audit_row != 0)
		result = audit_set_changes(import->db, import->audit_row, audited_id(import), changes);
	if (result != DB_NOT_FOUND)
		return result;
	result = audit_write(import->db, &entry);
	import->audit_row = db_insert_id(import->db);
	return result;
}

/* Writes the chunk, and the figures of the import so far in the audit log. */
static enum db_result add_and_audit(struct db *db, void *context)
{
	struct import *import = context;
	enum db_result result = organization_enter(db, import->organization_id);

	import->report.is_away = result == DB_REFUSED;
	if (import->report.is_away)
		import->report.fault = "the organisation is in another cell, or on its way";
	if (result != DB_OK)
		return result;
	DB_TRY(import->target->add(db, import));
	return write_audit(import, describe(import, import->added));
}

/* Adding to a campaign once more after an unanswered COMMIT would add every number as a duplicate. */
static enum db_result add_chunk(struct import *import)
{
	enum db_again again = import->target == &import_campaign ? DB_ONCE : DB_REPEATABLE;
	int64_t began_us = clock_mono_us();

	DB_TRY(db_transact(import->db, again, add_and_audit, import));
	adapt_chunk(import, clock_mono_us() - began_us);
	if (import->target == &import_folder && import->ready_count != 0) {
		import->makes_folder = false;
		import->report.folder_id = import->folder.uuid;
	}
	return DB_OK;
}

/* Counts what add_chunk would do. */
static enum db_result rehearse_chunk(struct import *import)
{
	DB_TRY(db_transact(import->db, DB_REPEATABLE, import->target->find, import));
	import_prepare(import);
	import->added = 0;
	for (size_t i = 0; i < import->count; i++) {
		uint64_t number = strtoull(import->contacts[i].phone_number + 1, NULL, 10);

		if (!import->is_refused[i] && import->existing[i] == NULL)
			import->added += number_set_add(&import->seen, number);
	}
	if (import->target == &import_campaign)
		import->report.batch.counts.total += (int64_t)import->count;
	if (import->seen.count <= IMPORT_DRY_MAX)
		return DB_OK;
	import->report.fault = "a dry run takes at most " NUMBER_TEXT_OF(IMPORT_DRY_MAX) " different numbers";
	return DB_REFUSED;
}

static int64_t count_refused(struct import *import)
{
	int64_t refused = 0;

	for (size_t i = 0; i < import->count; i++) {
		if (!import->is_refused[i])
			continue;
		refused++;
		import_note_error(import, import->rows[i], import->contacts[i].phone_number,
		                  "with those that it has, the custom fields have more than " NUMBER_TEXT_OF(
							  CONTACT_CUSTOM_FIELDS_MAX) " bytes");
	}
	return refused;
}

static enum db_result forget_chunk(struct import *import)
{
	arena_reset(import->chunk);
	import->count = import->bytes = 0;
	return DB_OK;
}

enum db_result import_flush(struct import *import)
{
	struct import_report *report = &import->report;
	int64_t refused, there;

	if (import->count == 0 || import->is_check)
		return forget_chunk(import);
	DB_TRY(import->is_dry ? rehearse_chunk(import) : add_chunk(import));
	refused = count_refused(import);
	there = (int64_t)import->count - refused - import->added;
	report->imported += import->added;
	report->errors += refused;
	*(import->overwrite ? &report->updated : &report->skipped) += there;
	return forget_chunk(import);
}

enum db_result import_finish_audit(struct import *import)
{
	return import->audit_row == 0 ? DB_OK : write_audit(import, describe(import, 0));
}
