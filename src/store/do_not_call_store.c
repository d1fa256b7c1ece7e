#include "store/do_not_call_store.h"

#include "base/json.h"
#include "store/statements.h"

enum db_result do_not_call_add(struct db *db, int64_t organization_id, const char *const *phone_numbers,
                               size_t count, const char *reason, int64_t now_us, int64_t *added)
{
	struct buf rows = { 0 };
	struct json json = json_to(&rows);
	enum db_result result;

	json_begin_array(&json, NULL);
	for (size_t i = 0; i < count; i++)
		json_add_string(&json, NULL, phone_numbers[i]);
	json_end(&json);
	result = db_exec(db, SQL_DO_NOT_CALL_ADD, DB_ARGS(
		db_int(organization_id), db_text(reason), db_instant(now_us), db_buf(&rows)));
	*added = db_affected(db);
	buf_free(&rows);
	return result;
}

enum db_result do_not_call_remove(struct db *db, int64_t organization_id, const char *phone_number)
{
	DB_TRY(db_exec(db, SQL_DO_NOT_CALL_REMOVE, DB_ARGS(db_int(organization_id), db_text(phone_number))));
	return db_affected(db) == 0 ? DB_NOT_FOUND : DB_OK;
}

enum db_result do_not_call_list(struct db *db, int64_t organization_id, const char *phone_number,
                                const struct page *page, struct arena *arena, struct listing *out)
{
	struct db_value organization = db_int(organization_id), number = db_text(phone_number);
	struct suppressed_number *items;
	struct db_rows rows;

	DB_TRY(db_query(db, SQL_DO_NOT_CALL_LIST,
	                DB_ARGS(organization, number, number, db_text(page->after != NULL ? page->after->text : ""),
	                        page_rows(page), page_offset(page)), arena, &rows));
	items = arena_alloc(arena, rows.count * sizeof *items);
	for (size_t r = 0; r < rows.count; r++)
		items[r] = (struct suppressed_number){
			db_get_text(&rows, r, 0), db_get_text(&rows, r, 1), db_get_int(&rows, r, 2),
		};
	page_fill(out, page, items, rows.count, sizeof *items);
	if (out->count != 0)
		out->last.text = items[out->count - 1].phone_number;
	return page_count(db, SQL_DO_NOT_CALL_COUNT, DB_ARGS(organization, number, number), arena, out);
}
