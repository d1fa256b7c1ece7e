#include "store/number_store.h"

#include "domain/pace.h"
#include "store/columns.h"
#include "store/statements.h"

COLUMNS(number_columns, struct phone_number, COLUMN(struct phone_number, id), COLUMN(struct phone_number, uuid),
        COLUMN(struct phone_number, phone_number), COLUMN(struct phone_number, friendly_name),
        COLUMN(struct phone_number, provider_type), COLUMN(struct phone_number, inbound_agent_id),
        COLUMN(struct phone_number, outbound_agent_id), INSTANT(struct phone_number, created_at),
        COLUMN(struct phone_number, calls_per_minute));

enum db_result number_get(struct db *db, int64_t organization_id, const struct uuid *uuid, struct arena *arena,
                          struct phone_number *out)
{
	return DB_GET(db, SQL_NUMBER_GET, DB_ARGS(db_uuid(uuid), db_int(organization_id)), arena, struct phone_number, out);
}

enum db_result number_list(struct db *db, int64_t organization_id, const char *search, const struct page *page,
                           struct arena *arena, struct listing *out)
{
	struct db_value organization = db_int(organization_id), part = db_text(search);

	DB_TRY(page_query(db, SQL_NUMBER_LIST,
	                  DB_ARGS(organization, part, part, part, page_below(page), page_rows(page), page_offset(page)),
	                  page, arena, out));
	return page_count(db, SQL_NUMBER_COUNT, DB_ARGS(organization, part, part, part), arena, out);
}

enum db_result number_lock(struct db *db, int64_t organization_id, const struct uuid *uuid, struct arena *arena,
                           struct phone_number *out)
{
	struct db_rows rows;

	DB_TRY(db_query(db, SQL_NUMBER_LOCK, DB_ARGS(db_uuid(uuid), db_int(organization_id)), arena, &rows));
	if (rows.count == 0)
		return DB_NOT_FOUND;
	DB_TRY(db_guard(db, GUARD_NUMBER, db_get_int(&rows, 0, 0)));
	return number_get(db, organization_id, uuid, arena, out);
}

static enum db_result set_pace(struct db *db, const struct phone_number *number, int64_t now_us)
{
	struct db_value id = db_int(number->id), pace = db_int(number->calls_per_minute);

	if (number->calls_per_minute == 0)
		return db_exec(db, SQL_NUMBER_CLEAR_PACE, DB_ARGS(id));
	return db_exec(db, SQL_NUMBER_SET_PACE,
	               DB_ARGS(id, pace, pace, db_instant(now_us + pace_gap_us(number->calls_per_minute))));
}

enum db_result number_insert(struct db *db, int64_t organization_id, struct phone_number *number)
{
	DB_TRY(db_exec(db, SQL_NUMBER_INSERT,
	               DB_ARGS(db_uuid(&number->uuid), db_int(organization_id), db_text(number->phone_number),
	                       db_int(number->provider_type), db_text(number->friendly_name),
	                       db_instant(number->created_at_us))));
	number->id = db_insert_id(db);
	return set_pace(db, number, number->created_at_us);
}

enum db_result number_update(struct db *db, const struct phone_number *number, int64_t now_us)
{
	DB_TRY(db_exec(db, SQL_NUMBER_RENAME,
	               DB_ARGS(db_text(number->friendly_name), db_int(number->provider_type), db_int(number->id))));
	return set_pace(db, number, now_us);
}

enum db_result number_take_call(struct db *db, int64_t number_row, int64_t now_us, int64_t *wait_us)
{
	struct arena *arena = arena_new();
	struct pace pace = { 0 };
	struct db_rows rows;
	enum db_result result = db_query(db, SQL_NUMBER_LOCK_PACE, DB_ARGS(db_int(number_row)), arena, &rows);

	if (result == DB_OK && rows.count != 0)
		pace = (struct pace){ pace_gap_us(db_get_int(&rows, 0, 0)), db_get_int(&rows, 0, 1) };
	arena_free(arena);
	if (result != DB_OK)
		return result;
	*wait_us = pace_room(&pace, now_us) > 0 ? 0 : pace.at_us - now_us;
	if (pace.gap_us == 0 || *wait_us > 0)
		return DB_OK;
	pace_take(&pace, now_us, 1);
	return db_exec(db, SQL_NUMBER_SAVE_PACE, DB_ARGS(db_instant(pace.at_us), db_int(number_row)));
}

enum db_result number_assign(struct db *db, const struct phone_number *number, enum number_direction direction,
                             int64_t agent_row)
{
	enum sql_statement statement = direction == NUMBER_INBOUND ? SQL_NUMBER_ASSIGN_INBOUND : SQL_NUMBER_ASSIGN_OUTBOUND;

	return db_exec(db, statement, DB_ARGS(db_int(agent_row), db_int(number->id)));
}

enum db_result number_delete(struct db *db, int64_t organization_id, const struct uuid *uuid)
{
	struct arena *arena = arena_new();
	struct phone_number number;
	enum db_result result = number_lock(db, organization_id, uuid, arena, &number);

	arena_free(arena);
	return result == DB_OK ? db_exec(db, SQL_NUMBER_DELETE, DB_ARGS(db_uuid(uuid), db_int(organization_id))) : result;
}
