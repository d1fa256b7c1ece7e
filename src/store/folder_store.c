#include "store/folder_store.h"

#include "base/clock.h"
#include "base/log.h"
#include "store/columns.h"
#include "store/conflicts.h"
#include "store/statements.h"

#define SET_ASIDE_US (60 * US_PER_SECOND)

#define OF_FOLDER(kind, name, member) kind##_AS(struct contact_folder, name, member),
COLUMNS(folder_saved, struct contact_folder, FOLDER_TABLE(OF_FOLDER));
COLUMNS(folder_columns, struct contact_folder, FOLDER_TABLE(OF_FOLDER) COLUMN(struct contact_folder, id),
        COLUMN(struct contact_folder, uuid), COLUMN(struct contact_folder, contact_count),
        INSTANT(struct contact_folder, created_at), INSTANT(struct contact_folder, updated_at));

static enum db_result get(struct db *db, enum sql_statement statement, const struct db_value *args, size_t count,
                          struct arena *arena, struct contact_folder *out)
{
	return db_query_first(db, statement, args, count, arena, "struct contact_folder", out);
}

enum db_result folder_get(struct db *db, int64_t organization_id, const struct uuid *uuid, struct arena *arena,
                          struct contact_folder *out)
{
	return get(db, SQL_FOLDER_GET, DB_ARGS(db_uuid(uuid), db_int(organization_id)), arena, out);
}

enum db_result folder_lock(struct db *db, int64_t organization_id, const struct uuid *uuid, struct arena *arena,
                           struct contact_folder *out)
{
	DB_TRY(get(db, SQL_FOLDER_LOCK, DB_ARGS(db_uuid(uuid), db_int(organization_id)), arena, out));
	return db_guard(db, GUARD_FOLDER, out->id);
}

enum db_result folder_lock_shared(struct db *db, int64_t organization_id, const struct uuid *uuid, struct arena *arena,
                                  struct contact_folder *out)
{
	DB_TRY(get(db, SQL_FOLDER_LOCK_SHARED, DB_ARGS(db_uuid(uuid), db_int(organization_id)), arena, out));
	return db_guard(db, GUARD_FOLDER, out->id);
}

enum db_result folder_find(struct db *db, int64_t organization_id, const char *name, struct arena *arena,
                           struct contact_folder *out)
{
	return get(db, SQL_FOLDER_FIND, DB_ARGS(db_int(organization_id), db_text(name)), arena, out);
}

static const enum sql_statement lists[FOLDER_SORT__MAX][2] = {
	[FOLDER_SORT_NAME] = { SQL_FOLDER_LIST_BY_NAME_UP, SQL_FOLDER_LIST_BY_NAME_DOWN },
	[FOLDER_SORT_CREATED_AT] = { SQL_FOLDER_LIST_UP, SQL_FOLDER_LIST_DOWN },
	[FOLDER_SORT_CONTACT_COUNT] = { SQL_FOLDER_LIST_BY_COUNT_UP, SQL_FOLDER_LIST_BY_COUNT_DOWN },
};

static enum db_result query_page(struct db *db, int64_t organization_id, const struct folder_filter *filter,
                                 const struct page *page, struct arena *arena, struct listing *out)
{
	const struct page_key *after = page->after != NULL ? page->after : &(struct page_key){ .text = "" };
	struct db_value organization = db_int(organization_id), first = db_int(page->after == NULL), id = db_int(after->id),
					limit = page_rows(page), offset = page_offset(page);
	enum folder_sort sort = filter->sort;
	struct db_value search = db_text(filter->search);
	struct db_value key = sort == FOLDER_SORT_NAME ? db_text(after->text) : db_int(after->number);
	enum sql_statement list = lists[sort][filter->descending];

	if (sort == FOLDER_SORT_CREATED_AT)
		return page_query(db, list, DB_ARGS(organization, search, search, first, id, limit, offset), page, arena, out);
	return page_query(db, list, DB_ARGS(organization, search, search, first, key, key, id, limit, offset), page, arena,
	                  out);
}

enum db_result folder_list(struct db *db, int64_t organization_id, const struct folder_filter *filter,
                           const struct page *page, struct arena *arena, struct listing *out)
{
	DB_TRY(query_page(db, organization_id, filter, page, arena, out));
	if (out->count != 0) {
		const struct contact_folder *last = (const struct contact_folder *)out->items + out->count - 1;

		out->last = (struct page_key){
			last->id,
			last->contact_count,
			filter->sort == FOLDER_SORT_NAME ? last->name : "",
		};
	}
	return page_count(db, SQL_FOLDER_COUNT,
	                  DB_ARGS(db_int(organization_id), db_text(filter->search), db_text(filter->search)), arena, out);
}

enum db_result folder_insert(struct db *db, int64_t organization_id, struct contact_folder *folder)
{
	DB_TRY(db_exec(db, SQL_FOLDER_INSERT,
	               DB_ARGS(db_uuid(&folder->uuid), db_int(organization_id), db_instant(folder->created_at_us),
	                       db_instant(folder->updated_at_us), db_members(&folder_saved, folder))));
	folder->id = db_insert_id(db);
	return DB_OK;
}

enum db_result folder_update(struct db *db, const struct contact_folder *folder)
{
	return db_exec(db, SQL_FOLDER_UPDATE,
	               DB_ARGS(db_instant(folder->updated_at_us), db_members(&folder_saved, folder), db_int(folder->id)));
}

enum db_result folder_delete(struct db *db, const struct contact_folder *folder, int64_t now_us)
{
	return db_exec(db, SQL_FOLDER_DELETE, DB_ARGS(db_instant(now_us), db_int(folder->id)));
}

enum db_result folder_grew(struct db *db, int64_t folder_row, int64_t by)
{
	if (folder_row == 0 || by == 0)
		return DB_OK;
	return db_exec(db, SQL_FOLDER_GREW, DB_ARGS(db_int(by), db_int(folder_row)));
}

static enum db_result purge(struct db *db, int64_t folder_row, int64_t organization_id)
{
	DB_TRY(db_exec(db, SQL_FOLDER_PURGE_CONTACTS, DB_ARGS(db_int(organization_id), db_int(folder_row))));
	if (db_affected(db) == PURGE_ROWS)
		return DB_OK;
	return db_exec(db, SQL_FOLDER_PURGE, DB_ARGS(db_int(folder_row)));
}

enum db_result folder_purge_step(struct db *db, int64_t now_us, int64_t *folder_row)
{
	struct arena *arena = arena_new();
	struct db_rows rows;
	enum db_result result = db_query(db, SQL_FOLDER_PURGE_LOCK, DB_ARGS(db_instant(now_us)), arena, &rows);

	*folder_row = rows.count != 0 ? db_get_int(&rows, 0, 0) : 0;
	if (result == DB_OK && rows.count != 0)
		result = purge(db, *folder_row, db_get_int(&rows, 0, 1));
	arena_free(arena);
	return result;
}

enum db_result folder_set_aside(struct db *db, int64_t folder_row, enum db_result why, int64_t now_us)
{
	int64_t wait_us = conflict_wait_us(db, CONFLICT_FOLDER, folder_row, why);

	if (wait_us != 0)
		return db_exec(db, SQL_FOLDER_SET_ASIDE, DB_ARGS(db_instant(now_us + wait_us), db_int(folder_row)));
	log_error("a deleted folder is set aside for a minute, because the database refuses to purge it folder=%lld",
	          (long long)folder_row);
	return db_exec(db, SQL_FOLDER_SET_ASIDE, DB_ARGS(db_instant(now_us + SET_ASIDE_US), db_int(folder_row)));
}
