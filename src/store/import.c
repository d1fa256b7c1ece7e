#include "store/import.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "domain/contact_csv.h"
#include "store/campaign.h"
#include "store/contact_store.h"
#include "store/do_not_call_store.h"
#include "store/folder_store.h"

#define CHUNK_BYTES (1 << 20) /* of texts; then a chunk is full before it has its number of rows */
/* While a chunk is written, other changes of its campaign wait. On a server that has much to do it gets smaller. */
#define CHUNK_US (40 * US_PER_MS)
#define CHUNK_MIN 100
#define PHONE_SHOWN 32

struct import {
	struct db *db;
	int64_t organization_id;
	enum db_result (*add)(struct db *db, void *import); /* in a transaction: the chunk */
	bool overwrite;
	const char *reason_to_list; /* of numbers for the do-not-call list */
	struct csv *csv;
	struct contact_csv columns;
	bool has_header;
	enum db_result result; /* not DB_OK: the import is over */
	char reason[CONTACT_CSV_REASON];
	/* The chunk that is being filled. */
	struct arena *chunk;
	struct contact_input contacts[CONTACTS_AT_ONCE];
	size_t count, bytes;
	size_t at_once; /* rows that make it full */
	int64_t added; /* how many of it were new */
	struct arena *arena; /* what lasts: the report's texts */
	struct import_report report;
};

static enum db_result add_to_folder(struct db *db, void *context)
{
	struct import *import = context;
	struct contact_folder *folder = &import->report.folder;

	DB_TRY(folder_lock(db, import->organization_id, &folder->uuid, import->chunk, &(struct contact_folder){ 0 }));
	return contacts_add(db, import->organization_id, folder->id, import->contacts, import->count,
	                    import->overwrite, clock_now_us(), &import->added);
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

static enum db_result add_to_do_not_call(struct db *db, void *context)
{
	struct import *import = context;
	const char **numbers = arena_alloc(import->chunk, import->count * sizeof *numbers);

	for (size_t i = 0; i < import->count; i++)
		numbers[i] = import->contacts[i].phone_number;
	return do_not_call_add(db, import->organization_id, numbers, import->count, import->reason_to_list,
	                       clock_now_us(), &import->added);
}

static void adapt_chunk(struct import *import, int64_t took_us)
{
	size_t fitting = import->count * CHUNK_US / (size_t)(took_us + 1);

	if (fitting > 2 * import->at_once)
		fitting = 2 * import->at_once;
	import->at_once = fitting < CHUNK_MIN ? CHUNK_MIN : fitting > CONTACTS_AT_ONCE ? CONTACTS_AT_ONCE : fitting;
}

/* Adding to a campaign once more after an unanswered COMMIT would add every number as a duplicate. */
static enum db_result flush(struct import *import)
{
	bool to_batch = import->add == add_to_batch;
	struct import_report *report = &import->report;
	int64_t count = (int64_t)import->count, began_us = clock_mono_us();

	if (count == 0)
		return DB_OK;
	DB_TRY(db_transact(import->db, to_batch ? DB_ONCE : DB_REPEATABLE, import->add, import));
	adapt_chunk(import, clock_mono_us() - began_us);
	report->imported += import->added;
	if (import->overwrite)
		report->updated += count - import->added;
	else
		report->skipped += count - import->added;
	arena_reset(import->chunk);
	import->count = import->bytes = 0;
	return DB_OK;
}

static enum db_result make_folder(struct db *db, void *context)
{
	struct import *import = context;
	struct contact_folder *folder = &import->report.folder;

	folder->created_at_us = folder->updated_at_us = clock_now_us();
	return folder_insert(db, import->organization_id, folder);
}

static enum db_result read_header(struct import *import, const struct csv_row *row)
{
	import->has_header = true;
	if (!contact_csv_header(&import->columns, row, import->reason)) {
		import->report.fault = import->reason;
		return DB_REFUSED;
	}
	if (import->add != add_to_folder || import->report.folder.id != 0)
		return DB_OK;
	import->report.folder.uuid = uuid_new();
	return db_transact(import->db, DB_ONCE, make_folder, import);
}

static void note_error(struct import *import, int64_t row, const char *phone)
{
	struct import_report *report = &import->report;

	report->errors++;
	if (report->detail_count == IMPORT_DETAILS_MAX)
		return;
	report->details[report->detail_count].row = row;
	report->details[report->detail_count].phone =
		strlen(phone) > PHONE_SHOWN ? "" : arena_strdup(import->arena, phone);
	report->details[report->detail_count].reason = arena_strdup(import->arena, import->reason);
	report->detail_count++;
}

static const char *keep(struct import *import, const char *text)
{
	size_t len = strlen(text);

	import->bytes += len;
	return len == 0 ? "" : arena_strndup(import->chunk, text, len);
}

static enum db_result take_contact(struct import *import, const struct contact_input *contact)
{
	import->contacts[import->count++] = (struct contact_input){
		.phone_number = keep(import, contact->phone_number),
		.first_name = keep(import, contact->first_name),
		.last_name = keep(import, contact->last_name),
		.email = keep(import, contact->email),
		.timezone = keep(import, contact->timezone),
		.custom_fields = keep(import, contact->custom_fields),
	};
	if (import->count < import->at_once && import->bytes < CHUNK_BYTES)
		return DB_OK;
	return flush(import);
}

static enum db_result read_contact(struct import *import, const struct csv_row *row)
{
	struct contact_input contact;

	switch (contact_csv_read(&import->columns, row, &contact, import->reason)) {
	case CONTACT_CSV_OK:
		return take_contact(import, &contact);
	case CONTACT_CSV_BAD:
		note_error(import, row->number, contact.phone_number);
		break;
	case CONTACT_CSV_EMPTY:
		break;
	}
	return DB_OK;
}

static bool take_row(void *context, const struct csv_row *row)
{
	struct import *import = context;

	import->result = import->has_header ? read_contact(import, row) : read_header(import, row);
	return import->result == DB_OK;
}

static struct import *import_new(struct db *db, int64_t organization_id,
                                 enum db_result (*add)(struct db *, void *))
{
	struct import *import = calloc(1, sizeof *import);

	if (import == NULL)
		fatal("out of memory");
	import->db = db;
	import->organization_id = organization_id;
	import->at_once = CONTACTS_AT_ONCE;
	import->add = add;
	import->arena = arena_new();
	import->chunk = arena_new();
	import->columns.arena = import->arena;
	import->csv = csv_new(take_row, import);
	return import;
}

struct import *import_to_folder(struct db *db, int64_t organization_id, const struct contact_folder *folder,
                                bool overwrite)
{
	struct import *import = import_new(db, organization_id, add_to_folder);

	import->overwrite = overwrite;
	import->report.folder = *folder;
	import->report.folder.name = arena_strdup(import->arena, folder->name);
	import->report.folder.description = "";
	return import;
}

struct import *import_to_batch(struct db *db, const struct batch *batch)
{
	struct import *import = import_new(db, batch->organization_id, add_to_batch);

	import->report.batch.uuid = batch->uuid;
	import->report.batch.status = batch->status;
	import->report.batch.counts = batch->counts;
	return import;
}

struct import *import_to_do_not_call(struct db *db, int64_t organization_id, const char *reason)
{
	struct import *import = import_new(db, organization_id, add_to_do_not_call);

	import->columns.phones_only = true;
	import->reason_to_list = arena_strdup(import->arena, reason);
	return import;
}

void import_free(struct import *import)
{
	if (import == NULL)
		return;
	csv_free(import->csv);
	contact_csv_free(&import->columns);
	arena_free(import->chunk);
	arena_free(import->arena);
	free(import);
}

enum db_result import_push(struct import *import, const char *bytes, size_t len)
{
	if (import->result == DB_OK)
		csv_push(import->csv, bytes, len);
	return import->result;
}

enum db_result import_end(struct import *import)
{
	if (import->result == DB_OK)
		csv_end(import->csv);
	if (import->result == DB_OK && !import->has_header) {
		import->report.fault = "the file is empty";
		import->result = DB_REFUSED;
	}
	if (import->result == DB_OK)
		import->result = flush(import);
	return import->result;
}

const struct import_report *import_report(const struct import *import)
{
	return &import->report;
}
