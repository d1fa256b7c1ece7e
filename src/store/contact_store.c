#include "store/contact_store.h"

#include <assert.h>

#include "store/columns.h"
#include "store/folder_store.h"
#include "store/rows.h"
#include "store/statements.h"

#define OF_CONTACT(kind, name, member) kind##_AS(struct contact, name, member),
static COLUMNS(saved_columns, struct contact, CONTACT_TABLE(OF_CONTACT));
COLUMNS(contact_columns, struct contact, CONTACT_TABLE(OF_CONTACT) COLUMN(struct contact, id),
        COLUMN(struct contact, uuid), COLUMN_AS(struct contact, folder_uuid, folder_id),
        COLUMN(struct contact, last_call_outcome), INSTANT(struct contact, last_called_at),
        INSTANT(struct contact, created_at), INSTANT(struct contact, updated_at));

enum db_result contact_get(struct db *db, int64_t organization_id, const struct uuid *uuid, struct arena *arena,
                           struct contact *out)
{
	return DB_GET(db, SQL_STORED_GET, DB_ARGS(db_uuid(uuid), db_int(organization_id)), arena, struct contact, out);
}

/* Two statements, because the second reads the folder, which must stay unlocked. */
enum db_result contact_lock(struct db *db, int64_t organization_id, const struct uuid *uuid, struct arena *arena,
                            struct contact *out)
{
	struct db_rows rows;

	DB_TRY(db_query(db, SQL_STORED_LOCK, DB_ARGS(db_uuid(uuid), db_int(organization_id)), arena, &rows));
	return rows.count == 0 ? DB_NOT_FOUND : contact_get(db, organization_id, uuid, arena, out);
}

/* Counts without a filter, by the counters of the folders. */
static enum db_result count_all(struct db *db, int64_t organization_id, struct arena *arena, struct listing *out)
{
	struct db_value organization = db_int(organization_id);
	struct db_rows rows;

	if (out->total >= 0)
		return DB_OK;
	DB_TRY(page_count(db, SQL_STORED_COUNT_IN_NO_FOLDER, DB_ARGS(organization), arena, out));
	DB_TRY(db_query(db, SQL_STORED_COUNT_IN_FOLDERS, DB_ARGS(organization), arena, &rows));
	out->total += db_get_int(&rows, 0, 0);
	return DB_OK;
}

static bool is_plain(const struct contact_filter *filter)
{
	return *filter->search == '\0' && filter->last_call_outcome < 0;
}

static enum db_result count_contacts(struct db *db, int64_t organization_id, const struct contact_filter *filter,
                                     struct arena *arena, struct listing *out)
{
	struct db_value organization = db_int(organization_id), newest = db_int(INT64_MAX),
					outcome = db_int(filter->last_call_outcome), search = db_text(filter->search),
					folder = db_int(filter->folder != NULL ? filter->folder->id : -1);

	if (is_plain(filter) && filter->folder == NULL)
		return count_all(db, organization_id, arena, out);
	if (is_plain(filter) && out->total < 0)
		out->total = filter->folder->contact_count;
	if (outcome.i >= 0)
		return page_count(db, SQL_STORED_COUNT_OF_OUTCOME,
		                  DB_ARGS(organization, newest, outcome, folder, folder, search, search), arena, out);
	return page_count(db, SQL_STORED_COUNT, DB_ARGS(organization, newest, folder, folder, search, search), arena, out);
}

static enum db_result query_page(struct db *db, int64_t organization_id, const struct contact_filter *filter,
                                 const struct page *page, struct arena *arena, struct listing *out)
{
	struct db_value organization = db_int(organization_id), below = page_below(page), limit = page_rows(page),
					offset = page_offset(page), outcome = db_int(filter->last_call_outcome),
					search = db_text(filter->search), folder = db_int(filter->folder != NULL ? filter->folder->id : -1);

	if (outcome.i >= 0)
		return page_query(db, SQL_STORED_LIST_OF_OUTCOME,
		                  DB_ARGS(organization, below, outcome, folder, folder, search, search, limit, offset), page,
		                  arena, out);
	if (is_plain(filter) && filter->folder != NULL)
		return page_query(db, SQL_STORED_LIST_OF_FOLDER, DB_ARGS(organization, below, folder, limit, offset), page,
		                  arena, out);
	return page_query(db, SQL_STORED_LIST, DB_ARGS(organization, below, folder, folder, search, search, limit, offset),
	                  page, arena, out);
}

enum db_result contact_list(struct db *db, int64_t organization_id, const struct contact_filter *filter,
                            const struct page *page, struct arena *arena, struct listing *out)
{
	DB_TRY(query_page(db, organization_id, filter, page, arena, out));
	return count_contacts(db, organization_id, filter, arena, out);
}

enum db_result contact_insert(struct db *db, int64_t organization_id, struct contact *contact)
{
	DB_TRY(db_exec(db, SQL_STORED_INSERT,
	               DB_ARGS(db_uuid(&contact->uuid), db_int(organization_id), db_instant(contact->created_at_us),
	                       db_instant(contact->updated_at_us), db_members(&saved_columns, contact))));
	contact->id = db_insert_id(db);
	return folder_grew(db, contact->folder_row, 1);
}

enum db_result contact_update(struct db *db, const struct contact *contact, int64_t old_folder_row)
{
	DB_TRY(db_exec(db, SQL_STORED_UPDATE,
	               DB_ARGS(db_instant(contact->updated_at_us), db_members(&saved_columns, contact),
	                       db_int(contact->id))));
	if (contact->folder_row == old_folder_row)
		return DB_OK;
	DB_TRY(folder_grew(db, old_folder_row, -1));
	return folder_grew(db, contact->folder_row, 1);
}

enum db_result contact_delete(struct db *db, const struct contact *contact)
{
	DB_TRY(db_exec(db, SQL_STORED_DELETE, DB_ARGS(db_int(contact->id))));
	return folder_grew(db, contact->folder_row, -1);
}

static struct rows rows_of(const struct contact_input *contacts, size_t count, struct arena *arena)
{
	struct rows rows = rows_new(arena);

	for (size_t i = 0; i < count; i++) {
		struct uuid id = uuid_new();

		rows_next(&rows);
		rows_id(&rows, "id", &id);
		rows_text(&rows, "phone", contacts[i].phone_number);
		rows_text(&rows, "first_name", contacts[i].first_name);
		rows_text(&rows, "last_name", contacts[i].last_name);
		rows_text(&rows, "email", contacts[i].email);
		rows_text(&rows, "timezone", contacts[i].timezone);
		rows_text(&rows, "custom", contacts[i].custom_fields);
	}
	return rows;
}

enum db_result contacts_add(struct db *db, int64_t organization_id, int64_t folder_row,
                            const struct contact_input *contacts, size_t count, bool overwrite, unsigned members,
                            int64_t now_us, int64_t *added)
{
	struct db_value organization = db_int(organization_id), folder = db_int(folder_row), now = db_instant(now_us);
	struct arena *arena = arena_new();
	struct rows rows = rows_of(contacts, count, arena);
	enum db_result result;

	assert(count <= CONTACTS_AT_ONCE);
	if (overwrite)
		result = db_exec(db, SQL_STORED_ADD_OR_CHANGE,
		                 DB_ARGS(organization, folder, now, now, rows_value(&rows),
		                         db_int((members & CONTACT_HAS_FIRST_NAME) != 0),
		                         db_int((members & CONTACT_HAS_LAST_NAME) != 0),
		                         db_int((members & CONTACT_HAS_EMAIL) != 0),
		                         db_int((members & CONTACT_HAS_TIMEZONE) != 0),
		                         db_int((members & CONTACT_HAS_CUSTOM_FIELDS) != 0), now));
	else
		result = db_exec(db, SQL_STORED_ADD, DB_ARGS(organization, folder, now, now, rows_value(&rows)));
	arena_free(arena);
	if (result != DB_OK)
		return result;
	*added = overwrite ? 2 * (int64_t)count - db_affected(db) : db_affected(db);
	return folder_grew(db, folder_row, *added);
}
