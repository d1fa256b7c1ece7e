#include "store/number_store.h"

#include "store/statements.h"

static struct phone_number number_from_row(const struct db_rows *rows, size_t r)
{
	return (struct phone_number){
		.id = db_get_int(rows, r, 0),
		.uuid = db_get_uuid(rows, r, 1),
		.phone_number = db_get_text(rows, r, 2),
		.friendly_name = db_get_text(rows, r, 3),
		.provider_type = (enum provider_type)db_get_int(rows, r, 4),
		.inbound_agent_id = db_get_uuid(rows, r, 5),
		.outbound_agent_id = db_get_uuid(rows, r, 6),
		.created_at_us = db_get_int(rows, r, 7),
	};
}

enum db_result number_get(struct db *db, int64_t organization_id, const struct uuid *uuid,
                          struct arena *arena, struct phone_number *out)
{
	struct db_rows rows;

	DB_TRY(db_query(db, SQL_NUMBER_GET, DB_ARGS(db_uuid(uuid), db_int(organization_id)), arena,
	                &rows));
	if (rows.count == 0)
		return DB_NOT_FOUND;
	*out = number_from_row(&rows, 0);
	return DB_OK;
}

enum db_result number_list(struct db *db, int64_t organization_id, const struct page *page,
                           struct arena *arena, struct listing *out)
{
	struct db_rows rows;
	struct phone_number *items;

	DB_TRY(db_query(db, SQL_NUMBER_LIST,
	                DB_ARGS(db_int(organization_id), page_below(page), page_rows(page), page_offset(page)),
	                arena, &rows));
	items = arena_alloc(arena, rows.count * sizeof *items);
	for (size_t r = 0; r < rows.count; r++)
		items[r] = number_from_row(&rows, r);
	page_fill(out, page, items, rows.count, sizeof *items);
	if (out->count != 0)
		out->last.id = items[out->count - 1].id;
	return page_count(db, SQL_NUMBER_COUNT, DB_ARGS(db_int(organization_id)), arena, out);
}

enum db_result number_insert(struct db *db, int64_t organization_id, struct phone_number *number)
{
	DB_TRY(db_exec(db, SQL_NUMBER_INSERT,
	               DB_ARGS(db_uuid(&number->uuid), db_int(organization_id),
	                       db_text(number->phone_number),
	                       db_int(number->provider_type), db_text(number->friendly_name),
	                       db_instant(number->created_at_us))));
	number->id = db_insert_id(db);
	return DB_OK;
}

enum db_result number_assign(struct db *db, const struct phone_number *number,
                             enum number_direction direction, int64_t agent_row)
{
	enum sql_statement statement =
		direction == NUMBER_INBOUND ? SQL_NUMBER_ASSIGN_INBOUND : SQL_NUMBER_ASSIGN_OUTBOUND;

	return db_exec(db, statement, DB_ARGS(db_int(agent_row), db_int(number->id)));
}

enum db_result number_delete(struct db *db, int64_t organization_id, const struct uuid *uuid)
{
	DB_TRY(db_exec(db, SQL_NUMBER_DELETE, DB_ARGS(db_uuid(uuid), db_int(organization_id))));
	return db_affected(db) == 0 ? DB_NOT_FOUND : DB_OK;
}
