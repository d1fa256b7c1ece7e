/* Statements whose text is made at run time, because the database names their columns: for organisations that move to
 * another database (organization_copy.h), and for the list of sessions (migrate_watch.c). All others are in
 * statements.def. */
#ifndef STORE_DB_TEXT_H
#define STORE_DB_TEXT_H

#include "store/db.h"

enum db_cell_kind { DB_CELL_NUMBER, DB_CELL_TEXT, DB_CELL_BYTES };

struct db_cell {
	enum db_cell_kind kind;
	const char *data; /* NULL: the SQL value NULL */
	size_t len;
};

/* Takes a row of the answer, with a cell for each column. Any result but DB_OK ends the reading. */
typedef enum db_result db_take_row(void *context, const struct db_cell *cells);

/* Hands over the rows as they come, so that memory does not grow with them. Never makes a new connection, because the
 * old one may hold a snapshot. */
enum db_result db_text_query(struct db *db, const char *sql, db_take_row *take, void *context);

/* Changes rows; db_affected says how many. */
enum db_result db_text_exec(struct db *db, const char *sql);

/* Appends the cell as a literal of a statement. */
void db_text_literal(struct db *db, struct buf *out, const struct db_cell *cell);

#endif
