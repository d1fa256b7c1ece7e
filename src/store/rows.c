#include "store/rows.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/log.h"

struct rows rows_new(struct arena *arena)
{
	struct rows rows = { .text.arena = arena };

	buf_putc(&rows.text, '[');
	return rows;
}

/* A complete row has as many columns as the first. */
static void check_width(struct rows *rows)
{
	assert(rows->count == 0 || rows->column > 0);
	assert(rows->count < 2 || rows->column == rows->width);
	rows->width = rows->column;
}

/* The space before the values of a row is replaced by a bracket when a second value comes. */
void rows_next(struct rows *rows)
{
	check_width(rows);
	if (rows->count++ > 0)
		buf_puts(&rows->text, rows->width > 1 ? "]," : ",");
	rows->begins = rows->text.len;
	rows->column = 0;
	buf_putc(&rows->text, ' ');
}

static struct json next_column(struct rows *rows, const char *name, enum rows_type type)
{
	size_t column = rows->column++;

	assert(rows->count > 0 && column < ROWS_COLUMNS_MAX);
	if (rows->count == 1) {
		rows->columns[column].name = name;
		rows->columns[column].type = type;
	}
	assert(rows->columns[column].type == type && strcmp(rows->columns[column].name, name) == 0);
	if (column == 1)
		rows->text.data[rows->begins] = '[';
	if (column > 0)
		buf_putc(&rows->text, ',');
	return json_to(&rows->text);
}

void rows_int(struct rows *rows, const char *name, int64_t value)
{
	struct json json = next_column(rows, name, ROWS_INT);

	json_int(&json, NULL, value);
}

void rows_instant(struct rows *rows, const char *name, int64_t us)
{
	struct json json = next_column(rows, name, ROWS_INSTANT);

	json_sql_instant(&json, NULL, us);
}

void rows_text(struct rows *rows, const char *name, const char *value)
{
	struct json json = next_column(rows, name, ROWS_TEXT);

	json_add_string(&json, NULL, value);
}

void rows_bytes(struct rows *rows, const char *name, const void *data, size_t len)
{
	static const char digits[] = "0123456789abcdef";
	const uint8_t *bytes = data;

	next_column(rows, name, ROWS_TEXT);
	buf_putc(&rows->text, '"');
	for (size_t i = 0; i < len; i++)
		buf_add(&rows->text, (char[]){ digits[bytes[i] >> 4], digits[bytes[i] & 15] }, 2);
	buf_putc(&rows->text, '"');
}

void rows_id(struct rows *rows, const char *name, const struct uuid *id)
{
	struct json json = next_column(rows, name, ROWS_TEXT);

	json_hex_id(&json, NULL, id);
}

void rows_add_id(struct rows *rows, int64_t id)
{
	rows_next(rows);
	rows_int(rows, "id", id);
}

void rows_add_uuid(struct rows *rows, const struct uuid *id)
{
	rows_next(rows);
	rows_id(rows, "id", id);
}

struct rows rows_of_ids(const int64_t *ids, size_t count, struct arena *arena)
{
	struct rows rows = rows_new(arena);

	for (size_t i = 0; i < count; i++)
		rows_add_id(&rows, ids[i]);
	return rows;
}

struct rows rows_of_uuids(const struct uuid *ids, size_t count, struct arena *arena)
{
	struct rows rows = rows_new(arena);

	for (size_t i = 0; i < count; i++)
		rows_add_uuid(&rows, &ids[i]);
	return rows;
}

/* The closing brackets are written but not counted, because a row may follow. */
struct db_value rows_value(struct rows *rows)
{
	size_t open_len = rows->text.len;
	struct db_value value;

	check_width(rows);
	buf_puts(&rows->text, rows->width > 1 ? "]]" : "]");
	value = (struct db_value){ DB_ROWS, .data = rows->text.data, .len = rows->text.len, .of = rows };
	rows->text.len = open_len;
	return value;
}

/* One column of a JSON_TABLE: `batch_id BIGINT PATH '$[0]'`, or `nth FOR ORDINALITY`. */
struct unfolded {
	char name[32], type[16];
	const char *path; /* NULL: the ordinal number */
};

/* Returns where the column's text ends. */
static const char *parse_column(const char *sql, struct unfolded *column)
{
	*column = (struct unfolded){ .path = NULL };
	sscanf(sql, "%31s %15[A-Z]", column->name, column->type);
	if (strcmp(column->type, "FOR") == 0)
		return sql + strcspn(sql, ",)");
	column->path = strchr(sql, '$');
	return strchr(column->path, '\'') + 1;
}

static enum rows_type type_of(const struct unfolded *column)
{
	if (strcmp(column->type, "INT") == 0 || strcmp(column->type, "BIGINT") == 0)
		return ROWS_INT;
	return strcmp(column->type, "DATETIME") == 0 ? ROWS_INSTANT : ROWS_TEXT;
}

static bool fits(const struct rows *rows, const struct unfolded *column)
{
	bool is_array = column->path[1] == '[';
	size_t at = is_array ? (size_t)atoi(column->path + 2) : 0;

	return is_array == (rows->width > 1) && at < rows->width && strcmp(rows->columns[at].name, column->name) == 0 &&
	       rows->columns[at].type == type_of(column);
}

const char *rows_check(const struct rows *rows, const char *sql)
{
	static const char begin[] = "COLUMNS (";
	const char *at = strstr(sql, "JSON_TABLE(?");
	struct unfolded column;

	assert(at != NULL && rows->count > 0);
	for (at = strstr(at, begin) + strlen(begin); *at != ')'; at += strspn(at, ", ")) {
		at = parse_column(at + strspn(at, " "), &column);
		if (column.path != NULL && !fits(rows, &column)) {
			log_error("a batch of rows does not fit column %s of its statement", column.name);
			abort();
		}
	}
	return at;
}
