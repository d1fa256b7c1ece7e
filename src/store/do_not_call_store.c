#include "store/do_not_call_store.h"

#include "store/columns.h"
#include "store/rows.h"
#include "store/statements.h"

COLUMNS(suppressed_number_columns, struct suppressed_number,
        COLUMN(struct suppressed_number, phone_number), COLUMN(struct suppressed_number, reason),
        INSTANT(struct suppressed_number, created_at));

enum db_result do_not_call_add(struct db *db, int64_t organization_id, const char *const *phone_numbers,
                               size_t count, const char *reason, int64_t now_us, int64_t *added)
{
	struct arena *arena = arena_new();
	struct rows rows = rows_new(arena);
	enum db_result result;

	for (size_t i = 0; i < count; i++) {
		rows_next(&rows);
		rows_text(&rows, "phone_number", phone_numbers[i]);
	}
	result = db_exec(db, SQL_DO_NOT_CALL_ADD, DB_ARGS(
		db_int(organization_id), db_text(reason), db_instant(now_us), rows_value(&rows)));
	*added = db_affected(db);
	arena_free(arena);
	return result;
}

enum db_result do_not_call_remove(struct db *db, int64_t organization_id, const char *phone_number)
{
	DB_TRY(db_exec(db, SQL_DO_NOT_CALL_REMOVE, DB_ARGS(db_int(organization_id), db_text(phone_number))));
	return db_affected(db) == 0 ? DB_NOT_FOUND : DB_OK;
}

enum db_result do_not_call_list(struct db *db, int64_t organization_id, const char *phone_number, const char *beginning,
                                const struct page *page, struct arena *arena, struct listing *out)
{
	bool is_one = *phone_number != '\0';
	struct db_value organization = db_int(organization_id), first = db_text(is_one ? phone_number : beginning);
	/* "~" stands after every digit. */
	struct db_value last = is_one ? first : db_text(arena_printf(arena, "%s~", beginning));

	DB_TRY(page_query(db, SQL_DO_NOT_CALL_LIST, DB_ARGS(
		organization, first, last, db_text(page->after != NULL ? page->after->text : ""), page_rows(page),
		page_offset(page)), page, arena, out));
	if (out->count != 0)
		out->last.text = ((const struct suppressed_number *)out->items)[out->count - 1].phone_number;
	return page_count(db, SQL_DO_NOT_CALL_COUNT, DB_ARGS(organization, first, last), arena, out);
}
