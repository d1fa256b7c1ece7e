#include "store/reporter_store.h"

#include "base/json.h"
#include "store/statements.h"

static struct reporter reporter_from_row(const struct db_rows *rows, size_t r)
{
	const struct db_value *secret = db_get(rows, r, 3);

	return (struct reporter){
		.nth = (size_t)db_get_int(rows, r, 0),
		.endpoint = db_get_int(rows, r, 1),
		.endpoint_id = db_get_uuid(rows, r, 2),
		.secret = { secret->data, secret->len },
		.organization_id = db_get_int(rows, r, 4),
	};
}

enum db_result reporters_find(struct db *db, const struct uuid *ids, size_t count, struct arena *arena,
                              struct reporter **out, size_t *out_count)
{
	struct buf id_rows = { 0 };
	struct json json = json_to(&id_rows);
	struct db_rows rows;
	enum db_result result;

	json_begin_array(&json, NULL);
	for (size_t i = 0; i < count; i++)
		json_hex_id(&json, NULL, &ids[i]);
	json_end(&json);
	result = db_query(db, SQL_REPORT_DIALERS, DB_ARGS(db_buf(&id_rows)), arena, &rows);
	buf_free(&id_rows);
	if (result != DB_OK)
		return result;
	*out = arena_alloc(arena, (rows.count + 1) * sizeof **out);
	*out_count = rows.count;
	for (size_t r = 0; r < rows.count; r++)
		(*out)[r] = reporter_from_row(&rows, r);
	return DB_OK;
}

enum db_result reported_call_find(struct db *db, const struct uuid *id, struct arena *arena,
                                  int64_t *organization_id, int64_t *ended_at_us)
{
	struct db_rows rows;

	DB_TRY(db_query(db, SQL_REPORT_CALL, DB_ARGS(db_uuid(id)), arena, &rows));
	if (rows.count == 0)
		return DB_NOT_FOUND;
	*organization_id = db_get_int(&rows, 0, 0);
	*ended_at_us = db_get_int(&rows, 0, 1);
	return DB_OK;
}
