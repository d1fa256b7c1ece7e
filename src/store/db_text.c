#include "store/db_text.h"

#include <stdlib.h>

#include "base/clock.h"
#include "base/log.h"
#include "store/db_connection.h"

#define COLLATION_BINARY 63

static enum db_cell_kind kind_of(const MYSQL_FIELD *field)
{
	switch (field->type) {
	case MYSQL_TYPE_TINY:
	case MYSQL_TYPE_SHORT:
	case MYSQL_TYPE_INT24:
	case MYSQL_TYPE_LONG:
	case MYSQL_TYPE_LONGLONG:
	case MYSQL_TYPE_DECIMAL:
	case MYSQL_TYPE_NEWDECIMAL: return DB_CELL_NUMBER;
	case MYSQL_TYPE_DATETIME: return DB_CELL_TEXT;
	default: return field->charsetnr == COLLATION_BINARY ? DB_CELL_BYTES : DB_CELL_TEXT;
	}
}

static enum db_result take_rows(struct db *db, MYSQL_RES *answer, db_take_row *take, void *context)
{
	unsigned columns = mysql_num_fields(answer);
	const MYSQL_FIELD *fields = mysql_fetch_fields(answer);
	struct db_cell *cells = calloc(columns, sizeof *cells);
	enum db_result result = DB_OK;
	MYSQL_ROW row;

	if (cells == NULL)
		fatal("out of memory");
	while (result == DB_OK && (row = mysql_fetch_row(answer)) != NULL) {
		const unsigned long *lengths = mysql_fetch_lengths(answer);

		for (unsigned i = 0; i < columns; i++)
			cells[i] = (struct db_cell){ kind_of(&fields[i]), row[i], lengths[i] };
		result = take(context, cells);
	}
	free(cells);
	if (result == DB_OK && mysql_errno(db->mysql) != 0)
		result = db_classify(db, "text", mysql_errno(db->mysql), mysql_error(db->mysql));
	return result;
}

enum db_result db_text_query(struct db *db, const char *sql, db_take_row *take, void *context)
{
	enum db_result result;
	MYSQL_RES *answer;

	if (db->mysql == NULL)
		return DB_LOST;
	DB_TRY(db_run_text(db, sql));
	answer = mysql_use_result(db->mysql);
	if (answer == NULL)
		return db_classify(db, "text", mysql_errno(db->mysql), mysql_error(db->mysql));
	result = take_rows(db, answer, take, context);
	mysql_free_result(answer);
	if (db->mysql != NULL)
		db->used_at_us = clock_mono_us();
	return result;
}

enum db_result db_text_exec(struct db *db, const char *sql)
{
	DB_TRY(db_connect(db));
	DB_TRY(db_run_text(db, sql));
	db->affected = (int64_t)mysql_affected_rows(db->mysql);
	return DB_OK;
}

static void add_quoted(struct db *db, struct buf *out, const struct db_cell *cell)
{
	char *room = malloc(2 * cell->len + 1);

	if (room == NULL)
		fatal("out of memory");
	buf_puts(out, cell->kind == DB_CELL_BYTES ? "_binary'" : "'");
	buf_add(out, room, mysql_real_escape_string(db->mysql, room, cell->data, cell->len));
	buf_puts(out, "'");
	free(room);
}

void db_text_literal(struct db *db, struct buf *out, const struct db_cell *cell)
{
	if (cell->data == NULL)
		buf_puts(out, "NULL");
	else if (cell->kind == DB_CELL_NUMBER)
		buf_add(out, cell->data, cell->len);
	else
		add_quoted(db, out, cell);
}
