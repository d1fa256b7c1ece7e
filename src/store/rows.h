/* A batch of rows as one parameter: a JSON array, in the arena, that the statement unfolds with JSON_TABLE.
 *
 *	struct rows rows = rows_new(arena);
 *
 *	rows_next(&rows);
 *	rows_int(&rows, "id", id);
 *	rows_instant(&rows, "wake_at", at_us);
 *	DB_TRY(db_exec(db, SQL_…, DB_ARGS(rows_value(&rows))));
 *
 * Every row has the same columns in the same order. When the statement runs, their names, types and positions are
 * compared with its JSON_TABLE, which may leave columns out. A row of one column is the value alone (path '$').
 * A statement without rows is not sent: it changes nothing and finds nothing. */
#ifndef STORE_ROWS_H
#define STORE_ROWS_H

#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/uuid.h"
#include "store/db.h"

#define ROWS_COLUMNS_MAX 16

enum rows_type { ROWS_INT, ROWS_INSTANT, ROWS_TEXT };

struct rows {
	struct buf text;
	size_t count;
	size_t width;  /* columns of a row; 0 until the first row is complete */
	size_t column; /* columns that the last row has so far */
	size_t begins; /* where the last row begins in the text */
	struct {
		const char *name;
		enum rows_type type;
	} columns[ROWS_COLUMNS_MAX];
};

struct rows rows_new(struct arena *arena);

void rows_next(struct rows *rows);
void rows_int(struct rows *rows, const char *name, int64_t value);
void rows_instant(struct rows *rows, const char *name, int64_t us);
void rows_text(struct rows *rows, const char *name, const char *value);
void rows_bytes(struct rows *rows, const char *name, const void *data, size_t len); /* as hex: UNHEX(j.name) */
void rows_id(struct rows *rows, const char *name, const struct uuid *id);           /* the same */

/* Adds a row with the one column `id`: an internal id, or a public one. */
void rows_add_id(struct rows *rows, int64_t id);
void rows_add_uuid(struct rows *rows, const struct uuid *id);
/* Makes such a row for each of these ids. */
struct rows rows_of_ids(const int64_t *ids, size_t count, struct arena *arena);
struct rows rows_of_uuids(const struct uuid *ids, size_t count, struct arena *arena);

/* Returns the parameter, which is valid until a row is added. `rows` must live until the statement has run. */
struct db_value rows_value(struct rows *rows);

/* Aborts unless the rows fit the first JSON_TABLE in `sql`. Returns the text after its columns. */
const char *rows_check(const struct rows *rows, const char *sql);

#endif
