#include "store/overview_store.h"

#include "base/clock.h"
#include "store/rows.h"
#include "store/statements.h"
#include "store/webhook_store.h"

static enum db_result load_quarters(struct db *db, struct db_value o, int64_t from_us, int64_t until_us,
                                    struct arena *arena, struct overview *out)
{
	struct db_value since = db_instant(from_us);
	struct rows quarters = rows_new(arena);
	struct db_rows rows;
	struct quarter *list;

	for (int64_t quarter = from_us / QUARTER_US; quarter < until_us / QUARTER_US; quarter++) {
		rows_next(&quarters);
		rows_int(&quarters, "quarter", quarter);
	}
	DB_TRY(db_query(db, SQL_OVERVIEW_QUARTERS, DB_ARGS(o, o, o, o, since, o, since, o, since, rows_value(&quarters)),
	                arena, &rows));
	list = DB_STRUCTS(&rows, struct quarter);
	for (size_t r = 0; r < rows.count; r++)
		list[r].from_us *= QUARTER_US;
	out->quarters = list;
	out->quarter_count = rows.count;
	return DB_OK;
}

enum db_result overview_load(struct db *db, int64_t organization_id, int64_t from_us, int64_t until_us,
                             int64_t failed_since_us, struct arena *arena, struct overview *out)
{
	struct db_value organization = db_int(organization_id), since = db_instant(failed_since_us);
	struct db_rows rows;

	*out = (struct overview){ 0 };
	DB_TRY(db_query_int(db, SQL_OVERVIEW_IN_FLIGHT, DB_ARGS(organization), &out->calls_in_flight));
	DB_TRY(db_query_int(db, SQL_OVERVIEW_PLACES, DB_ARGS(organization), &out->places));
	/* Deliveries are stored in the order of their creation. So the first deliveries of a stretch belong to about its
	 * first events. */
	DB_TRY(db_query_int(db, SQL_OVERVIEW_WAITING, DB_ARGS(organization), &out->deliveries_waiting));
	DB_TRY(db_query_int(db, SQL_OVERVIEW_FAILED, DB_ARGS(organization, organization, since, since),
	                    &out->deliveries_failed));
	DB_TRY(load_quarters(db, organization, from_us, until_us, arena, out));
	DB_TRY(db_query(db, SQL_OVERVIEW_WEBHOOKS, DB_ARGS(organization, db_int(OVERVIEW_WEBHOOKS_MAX)), arena, &rows));
	out->webhooks = DB_STRUCTS(&rows, struct webhook);
	out->webhook_count = rows.count;
	return webhook_read_figures(db, organization.i, DB_STRUCTS(&rows, struct webhook), rows.count, arena);
}
