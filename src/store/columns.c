#include "store/columns.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "store/db.h"

size_t columns_find(const struct columns *columns, const char *name)
{
	size_t i = 0;

	while (i < columns->count && strcmp(columns->list[i].name, name) != 0)
		i++;
	return i;
}

bool column_takes(const struct column *column, const struct db_value *cell)
{
	switch (column->type) {
	case COLUMN_INT64:
	case COLUMN_INT:
	case COLUMN_BOOL: return cell->type == DB_INT;
	case COLUMN_INSTANT: return cell->type == DB_INSTANT;
	case COLUMN_STRING:
	case COLUMN_UUID:
	case COLUMN_BYTES:
	case COLUMN_FORM: return cell->type == DB_TEXT;
	}
	abort();
}

static struct uuid read_uuid(const struct db_value *cell)
{
	struct uuid id = { { 0 } };

	assert(cell->len == 0 || cell->len == sizeof id.b);
	memcpy(id.b, cell->data, cell->len);
	return id;
}

void column_read(const struct column *column, const struct db_value *cell, struct arena *arena, void *object)
{
	void *to = (char *)object + column->offset;

	switch (column->type) {
	case COLUMN_INT64:
	case COLUMN_INSTANT: *(int64_t *)to = cell->i; return;
	case COLUMN_INT: *(int *)to = (int)cell->i; return;
	case COLUMN_BOOL: *(bool *)to = cell->i != 0; return;
	case COLUMN_STRING: *(const char **)to = cell->data; return;
	case COLUMN_UUID: *(struct uuid *)to = read_uuid(cell); return;
	case COLUMN_BYTES: *(struct bytes *)to = (struct bytes){ cell->data, cell->len }; return;
	case COLUMN_FORM: column->form->read(cell->data, arena, to); return;
	}
	abort();
}

struct db_value column_value(const struct column *column, const void *object, struct arena *arena)
{
	const void *from = (const char *)object + column->offset;

	switch (column->type) {
	case COLUMN_INT64: return db_int(*(const int64_t *)from);
	case COLUMN_INT: return db_int(*(const int *)from);
	case COLUMN_BOOL: return db_int(*(const bool *)from);
	case COLUMN_STRING: return db_text(*(const char *const *)from);
	case COLUMN_UUID: return db_uuid(from);
	case COLUMN_BYTES: return db_bytes(((const struct bytes *)from)->data, ((const struct bytes *)from)->len);
	case COLUMN_INSTANT: return db_instant(*(const int64_t *)from);
	case COLUMN_FORM: return db_text(column->form->write(from, arena));
	}
	abort();
}
