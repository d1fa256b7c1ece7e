#include "engine/callbacks.h"

#include "base/instant.h"
#include "engine/due_contacts.h"
#include "store/columns.h"
#include "store/rows.h"
#include "store/statements.h"

struct waiting_callback {
	int64_t position, attempt;
	int64_t due_at_us; /* INSTANT_NONE: it waits no longer */
};

COLUMNS(waiting_callback_columns, struct waiting_callback, COLUMN(struct waiting_callback, position),
        COLUMN(struct waiting_callback, attempt), INSTANT(struct waiting_callback, due_at));

/* Returns the earliest instant of a waiting callback; INSTANT_NEVER if none waits. */
static enum db_result find_first(struct db *db, int64_t batch_id, int64_t low_water_us, struct arena *arena,
                                 int64_t *first_us)
{
	struct db_rows rows;

	DB_TRY(db_query(db, SQL_CALLBACKS_FIRST_DUE, DB_ARGS(db_int(batch_id), db_instant(low_water_us)), arena, &rows));
	*first_us = rows.count == 0 ? INSTANT_NEVER : db_get_int(&rows, 0, 0);
	return DB_OK;
}

/* A callback that a rule has moved waits for its new instant. */
static enum db_result note_moved(struct db *db, int64_t batch_id, const struct db_rows *found, int64_t now_us,
                                 struct arena *arena)
{
	const struct waiting_callback *callbacks = DB_STRUCTS(found, struct waiting_callback);
	struct rows rows = rows_new(arena);

	for (size_t i = 0; i < found->count; i++) {
		rows_next(&rows);
		rows_int(&rows, "position", callbacks[i].position);
		rows_instant(&rows, "due_at", callbacks[i].due_at_us > now_us ? callbacks[i].due_at_us : INSTANT_NEVER);
	}
	DB_TRY(db_exec(db, SQL_CALLBACKS_MOVE, DB_ARGS(rows_value(&rows), db_int(batch_id))));
	return db_exec(db, SQL_CALLBACKS_END, DB_ARGS(db_int(batch_id)));
}

static enum db_result promote(struct db *db, int64_t batch_id, int64_t now_us, int64_t *low_water_us,
                              struct arena *arena)
{
	const struct waiting_callback *callbacks;
	struct db_rows found;
	struct buf moves = { 0 };
	int64_t first_us;
	enum db_result result;

	DB_TRY(db_query(db, SQL_CALLBACKS_DUE, DB_ARGS(db_int(batch_id), db_instant(now_us)), arena, &found));
	DB_TRY(find_first(db, batch_id, *low_water_us, arena, &first_us));
	callbacks = DB_STRUCTS(&found, struct waiting_callback);
	for (size_t i = found.count; i-- > 0;) { /* the contact that asked for the earliest instant becomes the first */
		struct due_contact due = { .batch_id = batch_id,
			                       .position = callbacks[i].position,
			                       .attempt = callbacks[i].attempt };

		if (callbacks[i].due_at_us == INSTANT_NONE || callbacks[i].due_at_us > now_us ||
		    callbacks[i].due_at_us <= first_us)
			continue;
		due.due_at_us = --first_us;
		buf_add(&moves, &due, sizeof due);
	}
	result = due_contacts_write(db, SQL_CLAIM_DEFER, &moves);
	buf_free(&moves);
	if (first_us < *low_water_us)
		*low_water_us = first_us;
	if (result == DB_OK)
		result = note_moved(db, batch_id, &found, now_us, arena);
	if (result != DB_OK)
		return result;
	return db_exec(db, SQL_CALLBACKS_NEXT, DB_ARGS(db_int(batch_id), db_instant(*low_water_us), db_int(batch_id)));
}

enum db_result callbacks_promote(struct db *db, int64_t batch_id, int64_t now_us, int64_t *low_water_us)
{
	struct arena *arena = arena_new();
	enum db_result result = promote(db, batch_id, now_us, low_water_us, arena);

	arena_free(arena);
	return result;
}
