#include "store/do_not_call_store.h"

#include "base/clock.h"
#include "store/columns.h"
#include "store/rows.h"
#include "store/statements.h"

COLUMNS(suppressed_number_columns, struct suppressed_number, COLUMN(struct suppressed_number, phone_number),
        COLUMN(struct suppressed_number, reason), INSTANT(struct suppressed_number, created_at));

/* Creates a new version of the list. */
static enum db_result note_change(struct db *db, int64_t organization_id, int64_t now_us, int64_t numbers)
{
	return numbers == 0 ? DB_OK
	                    : db_exec(db, SQL_DO_NOT_CALL_CHANGE,
	                              DB_ARGS(db_int(organization_id), db_instant(now_us), db_int(numbers)));
}

enum db_result do_not_call_add(struct db *db, int64_t organization_id, const char *const *phone_numbers, size_t count,
                               const char *reason, int64_t now_us, int64_t *added)
{
	struct arena *arena = arena_new();
	struct rows rows = rows_new(arena);
	enum db_result result;

	for (size_t i = 0; i < count; i++) {
		rows_next(&rows);
		rows_text(&rows, "phone_number", phone_numbers[i]);
	}
	result = db_exec(db, SQL_DO_NOT_CALL_ADD,
	                 DB_ARGS(db_int(organization_id), db_text(reason), db_instant(now_us), rows_value(&rows)));
	*added = result == DB_OK ? db_affected(db) : 0;
	arena_free(arena);
	return result == DB_OK ? note_change(db, organization_id, now_us, *added) : result;
}

enum db_result do_not_call_remove(struct db *db, int64_t organization_id, const char *phone_number)
{
	DB_TRY(db_exec(db, SQL_DO_NOT_CALL_REMOVE, DB_ARGS(db_int(organization_id), db_text(phone_number))));
	return db_affected(db) == 0 ? DB_NOT_FOUND : note_change(db, organization_id, clock_now_us(), -1);
}

enum db_result do_not_call_list(struct db *db, int64_t organization_id, const char *phone_number, const char *beginning,
                                const struct page *page, struct arena *arena, struct listing *out)
{
	bool is_one = *phone_number != '\0';
	struct db_value organization = db_int(organization_id), first = db_text(is_one ? phone_number : beginning);
	/* "~" sorts after every digit. */
	struct db_value last = is_one ? first : db_text(arena_printf(arena, "%s~", beginning));

	DB_TRY(page_query(db, SQL_DO_NOT_CALL_LIST,
	                  DB_ARGS(organization, first, last, db_text(page->after != NULL ? page->after->text : ""),
	                          page_rows(page), page_offset(page)),
	                  page, arena, out));
	if (out->count != 0)
		out->last.text = ((const struct suppressed_number *)out->items)[out->count - 1].phone_number;
	return page_count(db, SQL_DO_NOT_CALL_COUNT, DB_ARGS(organization, first, last), arena, out);
}

enum db_result do_not_call_version(struct db *db, int64_t organization_id, int64_t *version)
{
	enum db_result result = db_query_int(db, SQL_DO_NOT_CALL_VERSION, DB_ARGS(db_int(organization_id)), version);

	return result == DB_NOT_FOUND ? DB_OK : result;
}
