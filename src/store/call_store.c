#include "store/call_store.h"

#include "base/clock.h"
#include "base/instant.h"
#include "store/statements.h"

/* A column of a LEFT JOIN: empty when there was nothing to join. */
static struct uuid optional_uuid(const struct db_rows *rows, size_t r, size_t c)
{
	return db_get(rows, r, c)->len == 0 ? (struct uuid){ { 0 } } : db_get_uuid(rows, r, c);
}

static struct call read_call(const struct db_rows *rows, size_t r)
{
	return (struct call){
		.id = db_get_uuid(rows, r, 0),
		.batch_id = optional_uuid(rows, r, 1),
		.position = db_get_int(rows, r, 2),
		.attempt = db_get_int(rows, r, 3),
		.agent_id = optional_uuid(rows, r, 4),
		.status = (enum call_status)db_get_int(rows, r, 5),
		.tries = db_get_int(rows, r, 6),
		.to_number = db_get_text(rows, r, 7),
		.from_number = db_get_text(rows, r, 8),
		.scheduled_at_us = db_get_int(rows, r, 9),
		.called_at_us = db_get_int(rows, r, 10),
		.expires_at_us = db_get_int(rows, r, 11),
		.ended_at_us = db_get_int(rows, r, 12),
		.duration_seconds = db_get_int(rows, r, 13),
		.cost_ten_thousandths = db_get_int(rows, r, 14),
		.outcome = db_get_text(rows, r, 15),
		.end_reason = db_get_text(rows, r, 16),
		.recording_url = db_get_text(rows, r, 17),
		.transcript_url = db_get_text(rows, r, 18),
		.summary = db_get_text(rows, r, 19),
	};
}

enum db_result call_get(struct db *db, int64_t organization_id, const struct uuid *id,
                        struct arena *arena, struct call *out)
{
	struct db_rows rows;

	DB_TRY(db_query(db, SQL_CALL_GET, DB_ARGS(db_uuid(id), db_int(organization_id)), arena, &rows));
	if (rows.count == 0)
		return DB_NOT_FOUND;
	*out = read_call(&rows, 0);
	return DB_OK;
}

enum db_result call_insert_single(struct db *db, const struct single_call *call)
{
	struct db_value id = db_uuid(&call->id), organization = db_int(call->organization_id),
	                now = db_instant(call->now_us);

	DB_TRY(db_exec(db, SQL_CALL_CREATE_SINGLE, DB_ARGS(
		id, organization, db_int(call->agent_row), now, db_text(call->to_number),
		db_text(call->from_number), now, now, db_instant(call->expires_at_us), db_int(call->max_seconds))));
	return db_exec(db, SQL_CALL_CREATE_SINGLE_REQUEST, DB_ARGS(
		id, organization, db_text(call->variables), db_text(call->call_settings)));
}

enum db_result call_from_number(struct db *db, int64_t organization_id, int64_t agent_row, const char *wanted,
                                struct arena *arena, const char **from_number)
{
	struct db_value number = db_text(wanted);
	struct db_rows rows;

	DB_TRY(db_query(db, SQL_CALL_FROM_NUMBER,
	                DB_ARGS(db_int(organization_id), number, db_int(agent_row), number), arena, &rows));
	if (rows.count == 0)
		return DB_NOT_FOUND;
	*from_number = db_get_text(&rows, 0, 0);
	return DB_OK;
}

/* The least id that a call made at this instant can have: ids begin with their milliseconds. */
static struct uuid first_id_at(int64_t us)
{
	uint64_t ms = us < 0 ? 0 : (uint64_t)(us / US_PER_MS);
	struct uuid id = { { 0 } };

	for (int i = 0; i < 6; i++)
		id.b[i] = (uint8_t)(ms >> (40 - 8 * i));
	return id;
}

enum db_result call_list(struct db *db, int64_t organization_id, const struct call_filter *filter,
                         const struct page *page, struct arena *arena, struct listing *out)
{
	struct uuid from = first_id_at(filter->after_us), until = first_id_at(filter->before_us);
	struct db_value organization = db_int(organization_id), status = db_int(filter->status),
	                any_agent = db_int(uuid_is_nil(&filter->agent_id)), agent = db_uuid(&filter->agent_id),
	                any_batch = db_int(uuid_is_nil(&filter->batch_id)), batch = db_uuid(&filter->batch_id);
	struct db_rows rows, total;
	struct call *items;

	DB_TRY(db_query(db, SQL_CALL_LIST, DB_ARGS(organization, status, status, any_agent, agent, any_batch, batch,
	                                           db_uuid(&from), db_uuid(&until), db_int(page->limit),
	                                           db_int(page->offset)), arena, &rows));
	DB_TRY(db_query(db, SQL_CALL_COUNT, DB_ARGS(organization, status, status, any_agent, agent, any_batch, batch,
	                                            db_uuid(&from), db_uuid(&until)), arena, &total));
	items = arena_alloc(arena, rows.count * sizeof *items);
	for (size_t r = 0; r < rows.count; r++)
		items[r] = read_call(&rows, r);
	*out = (struct listing){ items, rows.count, sizeof *items, db_get_int(&total, 0, 0) };
	return DB_OK;
}
