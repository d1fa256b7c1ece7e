/* Parameters and cells: the part of store/db.h that needs no connection. */
#include <assert.h>
#include <string.h>

#include "store/columns.h"
#include "store/db.h"

struct db_value db_int(int64_t value)
{
	return (struct db_value){ .type = DB_INT, .i = value };
}

struct db_value db_text(const char *text)
{
	return (struct db_value){ .type = DB_TEXT, .data = text, .len = strlen(text) };
}

struct db_value db_bytes(const void *data, size_t len)
{
	return (struct db_value){ .type = DB_BYTES, .data = data, .len = len };
}

struct db_value db_buf(const struct buf *buf)
{
	return (struct db_value){ .type = DB_TEXT, .data = buf_text(buf), .len = buf->len };
}

struct db_value db_instant(int64_t us)
{
	return (struct db_value){ .type = DB_INSTANT, .i = us };
}

struct db_value db_uuid(const struct uuid *id)
{
	return db_bytes(id->b, sizeof id->b);
}

struct db_value db_members(const struct columns *columns, const void *object)
{
	return (struct db_value){ .type = DB_MEMBERS, .of = object, .columns = columns };
}

const struct db_value *db_get(const struct db_rows *rows, size_t r, size_t c)
{
	assert(r < rows->count && c < rows->columns && rows->cells != NULL);
	return &rows->cells[r * rows->columns + c];
}

int64_t db_get_int(const struct db_rows *rows, size_t r, size_t c)
{
	const struct db_value *value = db_get(rows, r, c);

	assert(value->type == DB_INT || value->type == DB_INSTANT);
	return value->i;
}

const char *db_get_text(const struct db_rows *rows, size_t r, size_t c)
{
	const struct db_value *value = db_get(rows, r, c);

	assert(value->type == DB_TEXT);
	return value->data;
}

struct uuid db_get_uuid(const struct db_rows *rows, size_t r, size_t c)
{
	const struct db_value *value = db_get(rows, r, c);
	struct uuid id;

	assert(value->type == DB_TEXT && value->len == sizeof id.b);
	memcpy(id.b, value->data, sizeof id.b);
	return id;
}
