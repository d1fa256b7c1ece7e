#include "store/status.h"

#include "base/clock.h"
#include "store/columns.h"
#include "store/statements.h"

COLUMNS(troubles_columns, struct troubles, COLUMN(struct troubles, circuits_open),
        COLUMN(struct troubles, circuits_half_open), COLUMN(struct troubles, endpoints_disabled),
        COLUMN(struct troubles, campaigns_slowed_down), COLUMN(struct troubles, due_contacts));

static enum db_result read_all(struct db *db, struct arena *arena, struct status *out)
{
	struct db_rows campaigns, calls, deliveries;

	DB_TRY(db_query(db, SQL_STATUS_CAMPAIGNS, DB_NO_ARGS, arena, &campaigns));
	DB_TRY(db_query(db, SQL_STATUS_CALLS, DB_NO_ARGS, arena, &calls));
	DB_TRY(db_query(db, SQL_STATUS_DELIVERIES, DB_NO_ARGS, arena, &deliveries));
	DB_TRY(work_state_read(db, &out->work));
	for (size_t r = 0; r < campaigns.count; r++) {
		int64_t status = db_get_int(&campaigns, r, 0);

		if (status < BATCH_STATUS__MAX) /* else deleted */
			out->campaigns[status] = db_get_int(&campaigns, r, 1);
	}
	out->calls_in_flight = db_get_int(&calls, 0, 0);
	out->deliveries_waiting = db_get_int(&deliveries, 0, 0);
	return DB_OK;
}

enum db_result status_read(struct db *db, struct status *out)
{
	struct arena *arena = arena_new();
	enum db_result result;

	*out = (struct status){ .calls_in_flight = 0 };
	result = read_all(db, arena, out);
	arena_free(arena);
	return result;
}

enum db_result troubles_read(struct db *db, struct troubles *out)
{
	struct db_value now = db_instant(clock_now_us());
	struct arena *arena = arena_new();
	enum db_result result = DB_GET(db, SQL_METRICS, DB_ARGS(now, now, now), arena, struct troubles, out);

	arena_free(arena);
	return result;
}

enum db_result oldest_delivery_read(struct db *db, int64_t *happened_at_us)
{
	return db_query_int(db, SQL_OLDEST_DELIVERY, DB_NO_ARGS, happened_at_us);
}
