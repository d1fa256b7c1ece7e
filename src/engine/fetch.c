#include "engine/fetch.h"

#include "base/clock.h"
#include "engine/call_rules.h"
#include "engine/claim.h"
#include "engine/report.h"
#include "store/rows.h"
#include "store/statements.h"

static size_t read_ids(const struct db_rows *rows, struct uuid *ids)
{
	for (size_t r = 0; r < rows->count; r++)
		ids[r] = db_get_uuid(rows, r, 0);
	return rows->count;
}

/* A lease never ends at the instant at which its call expires, because such calls are offered (SQL_FETCH_OFFERED). */
static int64_t lease_of(const struct fetch *fetch)
{
	return fetch->lease_us - 1;
}

/* Leases calls that have no lease. They are found without a lock, as in a claim. */
static enum db_result take_offered(struct db *db, const struct fetch *fetch, struct arena *arena, struct uuid *ids,
                                   int *count)
{
	struct db_value agent = uuid_is_nil(&fetch->who.agent_id) ? db_text("") : db_uuid(&fetch->who.agent_id);
	int64_t now_us = clock_now_us();
	struct db_rows found;
	struct rows rows;

	DB_TRY(db_query(db, SQL_FETCH_OFFERED,
	                DB_ARGS(db_int(fetch->who.organization_id), db_instant(now_us), agent, agent, db_int(fetch->limit)),
	                arena, &found));
	rows = rows_of_uuids(ids, read_ids(&found, ids), arena);
	DB_TRY(db_query(db, SQL_FETCH_LOCK, DB_ARGS(rows_value(&rows)), arena, &found));
	*count = (int)read_ids(&found, ids);
	DB_TRY(db_query(db, SQL_FETCH_LOCK_SINGLE, DB_ARGS(rows_value(&rows)), arena, &found));
	*count += (int)read_ids(&found, ids + *count);
	return calls_lease(db, ids, (size_t)*count, now_us + lease_of(fetch), arena);
}

static int room_at(const void *context, const struct claim_dialer *dialer, const struct claim_taken *taken)
{
	(void)dialer;
	return *(const int *)context - taken->all;
}

static enum db_result claim_further(struct db *db, const struct fetch *fetch, struct uuid *ids, int *count)
{
	int room = fetch->limit - *count, claimed = 0;
	struct claim_limits limits = {
		.max_calls = room,
		.lease_us = lease_of(fetch),
		.dispatch_ttl_us = fetch->dispatch_ttl_us,
		.room_at = room_at,
		.context = &room,
		.fetch = &fetch->who,
	};

	if (room > 0)
		DB_TRY(claim_fetched_calls(db, &limits, ids + *count, &claimed));
	*count += claimed;
	return DB_OK;
}

static enum db_result judge_all(struct db *db, const struct fetch *fetch, const struct requested_call *calls,
                                size_t count, struct arena *arena, struct fetched *out)
{
	struct call_report *concluded = arena_alloc(arena, count * sizeof *concluded);
	enum report_result *results = arena_alloc(arena, count * sizeof *results);
	size_t concluded_count = 0;

	for (size_t i = 0; i < count; i++) {
		if (!calls[i].is_fetched) /* a scheduler sends it when its lease ends */
			continue;
		if (call_may_begin(&calls[i], clock_now_us(), fetch->give_up_after_us, &concluded[concluded_count]))
			out->calls[out->count++] = calls[i];
		else
			concluded_count++;
	}
	return reports_apply_in(db, fetch->who.organization_id, concluded, concluded_count, clock_now_us(), results);
}

enum db_result fetch_calls(struct db *db, const struct fetch *fetch, struct arena *arena, struct fetched *out)
{
	struct uuid ids[FETCH_MAX];
	const struct requested_call *calls;
	size_t found;
	int count;

	out->count = 0;
	DB_TRY(take_offered(db, fetch, arena, ids, &count));
	DB_TRY(claim_further(db, fetch, ids, &count));
	DB_TRY(requested_calls_load(db, ids, (size_t)count, arena, &calls, &found));
	return judge_all(db, fetch, calls, found, arena, out);
}
