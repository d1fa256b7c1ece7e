#include "engine/person_erasure.h"

#include "base/clock.h"
#include "base/instant.h"
#include "base/log.h"
#include "domain/batch.h"
#include "domain/contact.h"
#include "engine/contact_removal.h"
#include "store/batch_store.h"
#include "store/columns.h"
#include "store/conflicts.h"
#include "store/contact_store.h"
#include "store/rows.h"
#include "store/statements.h"

#define ROWS 200
#define RANGE 1000 /* campaigns, events that are looked through at once */
#define WAIT_US (10 * US_PER_SECOND)

/* The numbers are stored. */
enum stage { STAGE_KEPT, STAGE_CAMPAIGNS, STAGE_CALLS, STAGE_REASONS, STAGE_EVENTS, STAGE_REPLIES, STAGE__MAX };

struct erasure {
	int64_t id, organization_id, position;
	int stage;
	const char *phone_number;
	int64_t requested_at_us;
};

COLUMNS(erasure_columns, struct erasure, COLUMN(struct erasure, id), COLUMN(struct erasure, organization_id),
        COLUMN(struct erasure, phone_number), COLUMN(struct erasure, stage), COLUMN(struct erasure, position),
        INSTANT(struct erasure, requested_at));

struct step {
	int64_t now_us;
	bool found;
	struct arena *arena;
	struct erasure erasure;
	bool is_done;   /* the stage is complete */
	bool must_wait; /* the erasure has to wait, and continues later */
};

enum db_result person_erasure_request(struct db *db, int64_t organization_id, const char *phone_number, int64_t now_us)
{
	return db_exec(db, SQL_PERSON_ERASURE_REQUEST,
	               DB_ARGS(db_int(organization_id), db_text(phone_number), db_instant(now_us), db_instant(now_us)));
}

enum db_result person_erasure_find(struct db *db, int64_t organization_id, const char *phone_number,
                                   int64_t *requested_at_us)
{
	struct arena *arena = arena_new();
	struct erasure erasure = { .requested_at_us = INSTANT_NONE };
	enum db_result result = DB_GET(db, SQL_PERSON_ERASURE_FIND, DB_ARGS(db_int(organization_id), db_text(phone_number)),
	                               arena, struct erasure, &erasure);

	*requested_at_us = erasure.requested_at_us;
	arena_free(arena);
	return result == DB_NOT_FOUND ? DB_OK : result;
}

static struct db_value organization_of(const struct step *step)
{
	return db_int(step->erasure.organization_id);
}

static struct db_value number_of(const struct step *step)
{
	return db_text(step->erasure.phone_number);
}

/* The number as it is in JSON, with quotes: a longer number may begin with it. */
static struct db_value quoted(const struct step *step)
{
	return db_text(arena_printf(step->arena, "\"%s\"", step->erasure.phone_number));
}

static enum db_result erase_kept(struct db *db, struct step *step)
{
	struct db_rows rows;

	DB_TRY(db_query(db, SQL_PERSON_KEPT,
	                DB_ARGS(organization_of(step), organization_of(step), number_of(step), db_int(ROWS)), step->arena,
	                &rows));
	for (size_t r = 0; r < rows.count; r++) {
		struct uuid id = db_get_uuid(&rows, r, 0);
		struct contact contact;
		enum db_result result = contact_lock(db, step->erasure.organization_id, &id, step->arena, &contact);

		if (result == DB_NOT_FOUND) /* the contact was deleted, or its folder is being deleted */
			continue;
		DB_TRY(result);
		DB_TRY(contact_delete(db, &contact));
	}
	step->is_done = rows.count < ROWS;
	return DB_OK;
}

/* Nobody has to be removed from a campaign that is over. A failed campaign may go on. */
static bool may_call_again(const struct batch *batch)
{
	return batch->status != BATCH_COMPLETED && batch->status != BATCH_CANCELLED;
}

static enum db_result erase_from(struct db *db, const struct step *step, struct batch *batch, int64_t position)
{
	enum contact_status status;
	enum db_result result = DB_OK;

	if (may_call_again(batch))
		result = contact_remove(db, batch, position, step->now_us, &status);
	if (result == DB_REFUSED && status == CONTACT_IN_PROGRESS) /* it was claimed just now */
		return DB_OK;
	if (result != DB_OK && result != DB_REFUSED)
		return result;
	return db_exec(db, SQL_PERSON_BLANK_CONTACT, DB_ARGS(db_int(batch->id), db_int(position)));
}

/* Only one campaign at a time is locked. */
static enum db_result erase_from_campaign(struct db *db, struct step *step)
{
	struct db_rows found, rows;
	struct batch batch;
	struct uuid id;
	enum db_result result;

	DB_TRY(db_query(db, SQL_PERSON_CAMPAIGN, DB_ARGS(organization_of(step), number_of(step)), step->arena, &found));
	step->is_done = found.count == 0;
	if (found.count == 0)
		return DB_OK;
	id = db_get_uuid(&found, 0, 0);
	result = batch_lock(db, step->erasure.organization_id, &id, step->arena, &batch);
	if (result == DB_NOT_FOUND) /* it was deleted just now, and its contacts are deleted with it */
		return DB_OK;
	DB_TRY(result);
	DB_TRY(db_query(db, SQL_PERSON_POSITIONS, DB_ARGS(db_int(batch.id), number_of(step), db_int(ROWS)), step->arena,
	                &rows));
	for (size_t r = 0; r < rows.count; r++)
		DB_TRY(erase_from(db, step, &batch, db_get_int(&rows, r, 0)));
	return DB_OK;
}

/* A call that is under way must end first, and a campaign or folder that is being deleted must be gone. */
static enum db_result find_rest(struct db *db, struct step *step)
{
	struct db_value organization = organization_of(step), number = number_of(step);
	int64_t left;

	DB_TRY(db_query_int(db, SQL_PERSON_REST,
	                    DB_ARGS(organization, number, organization, number, organization, organization, number),
	                    &left));
	step->must_wait = left != 0;
	step->is_done = true;
	return DB_OK;
}

static enum db_result erase_calls(struct db *db, struct step *step)
{
	struct rows ids = rows_new(step->arena);
	struct db_rows rows;

	DB_TRY(db_query(db, SQL_PERSON_CALLS, DB_ARGS(organization_of(step), number_of(step), db_int(ROWS)), step->arena,
	                &rows));
	if (rows.count == 0)
		return find_rest(db, step);
	for (size_t r = 0; r < rows.count; r++) {
		struct uuid id = db_get_uuid(&rows, r, 0);

		rows_add_uuid(&ids, &id);
	}
	DB_TRY(db_exec(db, SQL_PERSON_BLANK_SINGLE_CALLS, DB_ARGS(rows_value(&ids))));
	DB_TRY(db_exec(db, SQL_PERSON_DELETE_CALL_TRIES, DB_ARGS(rows_value(&ids))));
	return db_exec(db, SQL_PERSON_BLANK_CALLS, DB_ARGS(rows_value(&ids), number_of(step)));
}

/* Returns the end of the range after the position, up to which this step works; 0: nothing is left. */
static enum db_result find_range(struct db *db, struct step *step, enum sql_statement statement, int64_t *last)
{
	DB_TRY(db_query_int(db, statement, DB_ARGS(db_int(step->erasure.position), db_int(RANGE)), last));
	step->is_done = *last == 0;
	return DB_OK;
}

static enum db_result erase_reasons(struct db *db, struct step *step)
{
	struct db_rows rows;
	int64_t last;

	DB_TRY(find_range(db, step, SQL_PERSON_CAMPAIGN_RANGE, &last));
	DB_TRY(db_query(db, SQL_PERSON_REASONS,
	                DB_ARGS(db_int(step->erasure.position), db_int(last), organization_of(step), number_of(step)),
	                step->arena, &rows));
	for (size_t r = 0; r < rows.count; r++)
		DB_TRY(db_exec(db, SQL_PERSON_DELETE_REASON,
		               DB_ARGS(*db_get(&rows, r, 0), *db_get(&rows, r, 1), *db_get(&rows, r, 2))));
	step->erasure.position = last;
	return DB_OK;
}

static enum db_result erase_events(struct db *db, struct step *step)
{
	struct rows ids = rows_new(step->arena);
	struct db_rows rows;
	int64_t last;

	DB_TRY(find_range(db, step, SQL_PERSON_EVENT_RANGE, &last));
	DB_TRY(db_query(db, SQL_PERSON_EVENTS,
	                DB_ARGS(db_int(step->erasure.position), db_int(last), organization_of(step), quoted(step)),
	                step->arena, &rows));
	for (size_t r = 0; r < rows.count; r++)
		rows_add_id(&ids, db_get_int(&rows, r, 0));
	step->erasure.position = last;
	DB_TRY(db_exec(db, SQL_PERSON_DELETE_DELIVERY_TRIES, DB_ARGS(rows_value(&ids))));
	DB_TRY(db_exec(db, SQL_RETENTION_DELETE_DELIVERIES, DB_ARGS(rows_value(&ids))));
	return db_exec(db, SQL_RETENTION_DELETE_EVENTS, DB_ARGS(rows_value(&ids)));
}

/* The rows stay as replies, so that no request is carried out again. */
static enum db_result erase_replies(struct db *db, struct step *step)
{
	struct db_rows rows;

	DB_TRY(db_query(db, SQL_PERSON_REPLIES, DB_ARGS(organization_of(step), quoted(step), db_int(ROWS)), step->arena,
	                &rows));
	for (size_t r = 0; r < rows.count; r++)
		DB_TRY(db_exec(db, SQL_PERSON_BLANK_REPLY, DB_ARGS(organization_of(step), *db_get(&rows, r, 0))));
	step->is_done = rows.count < ROWS;
	return DB_OK;
}

static enum db_result (*const stages[STAGE__MAX])(struct db *db, struct step *step) = {
	[STAGE_KEPT] = erase_kept,       [STAGE_CAMPAIGNS] = erase_from_campaign, [STAGE_CALLS] = erase_calls,
	[STAGE_REASONS] = erase_reasons, [STAGE_EVENTS] = erase_events,           [STAGE_REPLIES] = erase_replies,
};

static enum db_result save(struct db *db, const struct step *step)
{
	const struct erasure *erasure = &step->erasure;
	int stage = step->must_wait ? STAGE_KEPT : erasure->stage + step->is_done;

	if (stage == STAGE__MAX) {
		db_note(db, "the data of a person are erased");
		return db_exec(db, SQL_PERSON_ERASURE_END, DB_ARGS(db_int(erasure->id)));
	}
	return db_exec(db, SQL_PERSON_ERASURE_SAVE,
	               DB_ARGS(db_int(stage), db_int(step->is_done ? 0 : erasure->position),
	                       db_instant(step->now_us + (step->must_wait ? WAIT_US : 0)), db_int(erasure->id)));
}

/* The lock of the row keeps others away from this erasure; they take another. */
static enum db_result take_step(struct db *db, void *context)
{
	struct step *step = context;
	struct db_rows rows;

	arena_reset(step->arena);
	step->found = step->is_done = step->must_wait = false;
	DB_TRY(db_query(db, SQL_PERSON_ERASURE_TAKE, DB_ARGS(db_instant(step->now_us)), step->arena, &rows));
	if (rows.count == 0)
		return DB_OK;
	DB_TRY(DB_FIRST(&rows, struct erasure, &step->erasure));
	step->found = true;
	DB_TRY(stages[step->erasure.stage](db, step));
	return save(db, step);
}

/* The erasure that the server refuses does not stop the others. */
static enum db_result set_aside(struct db *db, const struct step *step, enum db_result why)
{
	int64_t id = step->erasure.id, wait_us = conflict_wait_us(db, CONFLICT_ERASURE, id, why);

	if (wait_us == 0) {
		log_error("the erasure of a person's data is set aside for a minute, because the database refuses to work on it"
		          " erasure=%lld",
		          (long long)id);
		wait_us = US_PER_MINUTE;
	}
	return db_exec(db, SQL_PERSON_ERASURE_POSTPONE, DB_ARGS(db_instant(step->now_us + wait_us), db_int(id)));
}

enum db_result person_erasure_step(struct db *db, int64_t now_us, bool *more)
{
	struct step step = { .now_us = now_us, .arena = arena_new() };
	enum db_result result = db_transact_briefly(db, DB_REPEATABLE, take_step, &step);

	if (db_is_refusal(result) && step.found)
		result = set_aside(db, &step, result);
	*more = result == DB_OK && step.found;
	arena_free(step.arena);
	return result;
}
