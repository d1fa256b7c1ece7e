#include "store/reporter_store.h"

#include "store/columns.h"
#include "store/rows.h"
#include "store/statements.h"

COLUMNS(reporter_columns, struct reporter, COLUMN(struct reporter, nth), COLUMN(struct reporter, endpoint),
        COLUMN(struct reporter, endpoint_id), COLUMN(struct reporter, secret),
        COLUMN(struct reporter, organization_id));

enum db_result reporters_find(struct db *db, const struct uuid *ids, size_t count, struct arena *arena,
                              struct reporter **out, size_t *out_count)
{
	struct rows calls = rows_of_uuids(ids, count, arena);

	return DB_LIST(db, SQL_REPORT_DIALERS, DB_ARGS(rows_value(&calls)), arena, struct reporter, out, out_count);
}

enum db_result reported_call_find(struct db *db, const struct uuid *id, struct arena *arena, int64_t *organization_id,
                                  int64_t *ended_at_us)
{
	struct db_rows rows;

	DB_TRY(db_query(db, SQL_REPORT_CALL, DB_ARGS(db_uuid(id)), arena, &rows));
	if (rows.count == 0)
		return DB_NOT_FOUND;
	*organization_id = db_get_int(&rows, 0, 0);
	*ended_at_us = db_get_int(&rows, 0, 1);
	return DB_OK;
}
