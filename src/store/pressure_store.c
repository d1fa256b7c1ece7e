#include "store/pressure_store.h"

#include "store/rows.h"
#include "store/statements.h"

enum db_result pressure_begin(struct db *db, const int64_t *batches, size_t count, struct arena *arena)
{
	struct rows ids = rows_of_ids(batches, count, arena);

	return db_exec(db, SQL_PRESSURE_ENSURE, DB_ARGS(rows_value(&ids)));
}

enum db_result pressure_lock(struct db *db, int64_t batch, struct arena *arena, struct pressed_batch *out)
{
	struct db_rows row, facts;

	DB_TRY(db_query(db, SQL_PRESSURE_LOCK, DB_ARGS(db_int(batch)), arena, &row));
	DB_TRY(db_query(db, SQL_PRESSURE_FACTS, DB_ARGS(db_int(batch)), arena, &facts));
	if (row.count == 0 || facts.count == 0)
		return DB_NOT_FOUND;
	*out = (struct pressed_batch){
		{ db_get_int(&row, 0, 1), db_get_int(&row, 0, 2), db_get_int(&row, 0, 3) },
		db_get_int(&facts, 0, 0),
		db_get_int(&facts, 0, 1),
	};
	return DB_OK;
}

enum db_result pressure_save(struct db *db, int64_t batch, const struct pressure *pressure)
{
	if (pressure->places == 0)
		return db_exec(db, SQL_PRESSURE_END, DB_ARGS(db_int(batch)));
	return db_exec(db, SQL_PRESSURE_SAVE,
	               DB_ARGS(db_int(pressure->places), db_int(pressure->taken), db_instant(pressure->cut_at_us),
	                       db_int(batch)));
}
