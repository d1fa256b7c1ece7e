#include "store/zone_store.h"

#include "store/statements.h"

enum db_result zone_uses(struct db *db, struct arena *arena, const struct zone_use **uses, size_t *count)
{
	struct zone_use *list;
	struct db_rows rows;

	DB_TRY(db_query(db, SQL_ZONES_IN_USE, DB_NO_ARGS, arena, &rows));
	list = arena_alloc(arena, rows.count * sizeof *list);
	for (size_t r = 0; r < rows.count; r++)
		list[r] = (struct zone_use){
			.zone = db_get_text(&rows, r, 0),
			.campaigns = db_get_int(&rows, r, 1),
			.waiting = db_get_int(&rows, r, 2),
			.contacts = db_get_int(&rows, r, 3),
		};
	*uses = list;
	*count = rows.count;
	return DB_OK;
}
