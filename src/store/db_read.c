#include "store/db.h"

#include <assert.h>
#include <string.h>

#include "store/columns.h"
#include "store/statements.h"

void *db_structs(const struct db_rows *rows, const char *type)
{
	assert(rows->count == 0 || (rows->of != NULL && strcmp(rows->of->type, type) == 0));
	return rows->structs;
}

enum db_result db_first(const struct db_rows *rows, const char *type, void *out)
{
	if (rows->count == 0)
		return DB_NOT_FOUND;
	memcpy(out, db_structs(rows, type), rows->of->size);
	return DB_OK;
}

enum db_result db_query_first(struct db *db, enum sql_statement id, const struct db_value *args, size_t count,
                              struct arena *arena, const char *type, void *out)
{
	struct db_rows rows;

	DB_TRY(db_query(db, id, args, count, arena, &rows));
	return db_first(&rows, type, out);
}

enum db_result db_query_list(struct db *db, enum sql_statement id, const struct db_value *args, size_t arg_count,
                             struct arena *arena, const char *type, void *list, size_t *count)
{
	struct db_rows rows;
	const void *structs;

	DB_TRY(db_query(db, id, args, arg_count, arena, &rows));
	structs = db_structs(&rows, type);
	memcpy(list, &structs, sizeof structs);
	*count = rows.count;
	return DB_OK;
}

enum db_result db_query_int(struct db *db, enum sql_statement id, const struct db_value *args, size_t count,
                            int64_t *out)
{
	struct arena *arena = arena_new();
	struct db_rows rows;
	enum db_result result = db_query(db, id, args, count, arena, &rows);

	if (result == DB_OK && rows.count == 0)
		result = DB_NOT_FOUND;
	*out = result == DB_OK ? db_get_int(&rows, 0, 0) : 0;
	arena_free(arena);
	return result;
}
