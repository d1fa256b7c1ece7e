#include "store/status.h"

#include "store/columns.h"
#include "store/statements.h"

COLUMNS(troubles_columns, struct troubles,
        COLUMN(struct troubles, circuits_open), COLUMN(struct troubles, circuits_half_open),
        COLUMN(struct troubles, endpoints_disabled), COLUMN(struct troubles, campaigns_slowed_down),
        COLUMN(struct troubles, due_contacts));

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
