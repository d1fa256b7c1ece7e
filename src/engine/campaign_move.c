#include "engine/campaign_move.h"

#include "base/instant.h"
#include "domain/batch_json.h"
#include "engine/contact_copy.h"
#include "engine/contact_settlement.h"
#include "engine/planning.h"
#include "store/analytics_store.h"
#include "store/batch_store.h"
#include "store/event_store.h"

static enum db_result publish_change(struct db *db, const struct batch *batch, enum batch_status from)
{
	struct buf data = { 0 };
	struct json json = json_to(&data);
	enum db_result result;

	json_begin_object(&json, NULL);
	json_id(&json, "batch_id", &batch->uuid);
	json_add_string(&json, "from", batch_status_names[from]);
	json_add_string(&json, "to", batch_status_names[batch->status]);
	json_text(&json, "reason", batch->status_reason);
	batch_write_counts(&json, &batch->counts);
	json_end(&json);
	result = event_publish(db, batch->organization_id, EVENT_BATCH_STATUS_CHANGED, data.data, batch->updated_at_us);
	buf_free(&data);
	return result;
}

static enum db_result publish_completed(struct db *db, const struct batch *batch)
{
	struct buf data = { 0 };
	struct json json = json_to(&data);
	struct tallies tallies;
	enum db_result result;

	DB_TRY(analytics_tallies(db, batch->id, &tallies));
	json_begin_object(&json, NULL);
	json_id(&json, "batch_id", &batch->uuid);
	json_add_string(&json, "name", batch->config.name);
	json_instant(&json, "started_at", batch->started_at_us);
	json_instant(&json, "completed_at", batch->completed_at_us);
	analytics_write_totals(&json, &batch->counts, &tallies);
	json_end(&json);
	result = event_publish(db, batch->organization_id, EVENT_BATCH_COMPLETED, data.data, batch->updated_at_us);
	buf_free(&data);
	return result;
}

enum db_result campaign_note(struct db *db, const struct batch *batch, enum audit_action action, int from,
                             const char *changes)
{
	const struct audit_entry entry = {
		.organization_id = batch->organization_id,
		.object = AUDIT_CAMPAIGN,
		.action = action,
		.object_id = batch->uuid,
		.from_status = from,
		.to_status = batch->status,
		.is_by_itself = batch->moves_by_itself,
		.happened_at_us = batch->updated_at_us,
		.reason = batch->status_reason,
		.changes = changes,
	};

	return audit_write(db, &entry);
}

static bool start_is_ahead(const struct batch *batch, int64_t now_us)
{
	return batch->config.scheduled_at.us > now_us;
}

static const char *status_name(enum batch_status status)
{
	return status == BATCH_DELETED ? "deleted" : batch_status_names[status];
}

static void note_move(struct db *db, const struct batch *batch, enum batch_status from)
{
	char id[UUID_TEXT];

	uuid_format(&batch->uuid, id);
	db_note(db, "a campaign is %s now status=%s before=%s campaign=%s", status_name(batch->status),
	        status_name(batch->status), status_name(from), id);
}

enum db_result campaign_move(struct db *db, struct batch *batch, enum batch_action action, const char *reason,
                             int64_t now_us)
{
	enum batch_status from = batch->status;

	if (!batch_allows(from, action))
		return DB_REFUSED;
	if (action == BATCH_CANCEL)
		DB_TRY(contacts_settle_begin(db, batch));
	batch->status = batch_after(from, action, start_is_ahead(batch, now_us));
	batch->status_reason = reason;
	batch_counts_settle(&batch->counts, batch->status);
	batch->updated_at_us = now_us;
	if (batch->status == BATCH_ACTIVE && batch->started_at_us == INSTANT_NONE)
		batch->started_at_us = now_us;
	if (!batch_is_over(batch->status))
		batch->completed_at_us = INSTANT_NONE;
	if (batch_is_over(batch->status) && batch->completed_at_us == INSTANT_NONE)
		batch->completed_at_us = now_us;
	if (batch->status == BATCH_DELETED)
		batch->work = BATCH_WORK_PURGE;
	else if (batch_is_over(batch->status) && batch->work != BATCH_WORK_SETTLE)
		batch->work = BATCH_WORK_DISPATCH; /* an incomplete plan does not have to be completed any more */
	if (batch->work == BATCH_WORK_DISPATCH)
		batch->wake_at_us = batch_is_running(batch->status) ? now_us : INSTANT_NEVER;
	else
		batch->wake_at_us = now_us;
	if (action >= BATCH_START) /* the scheduler makes these moves, even during a client's request */
		batch->moves_by_itself = true;
	DB_TRY(batch_save_state(db, batch));
	DB_TRY(campaign_note(db, batch, batch->status == BATCH_DELETED ? AUDIT_DELETED : AUDIT_MOVED, from, ""));
	note_move(db, batch, from);
	if (batch->status != BATCH_DELETED)
		DB_TRY(publish_change(db, batch, from));
	return batch->status == BATCH_COMPLETED ? publish_completed(db, batch) : DB_OK;
}

/* A paused campaign that cannot be planned waits for a change. */
static enum db_result give_up(struct db *db, struct batch *batch, int64_t now_us)
{
	if (batch_allows(batch->status, BATCH_FAIL))
		return campaign_move(db, batch, BATCH_FAIL, "no callable day within 366 days", now_us);
	batch->work = BATCH_WORK_DISPATCH;
	batch->wake_at_us = INSTANT_NEVER;
	return batch_save_state(db, batch);
}

enum db_result campaign_plan(struct db *db, struct batch *batch, int steps, int64_t now_us)
{
	enum calendar_answer answer;

	batch->updated_at_us = now_us;
	DB_TRY(planning_run(db, batch, steps, &answer));
	return answer == CALENDAR_NEVER ? give_up(db, batch, now_us) : DB_OK;
}

enum db_result campaign_copy(struct db *db, struct batch *batch, int64_t now_us)
{
	bool done;

	batch->updated_at_us = batch->wake_at_us = now_us;
	batch->status_reason = "";
	DB_TRY(contact_copy_step(db, batch, &done));
	if (!done)
		return DB_OK;
	batch->work = BATCH_WORK_DISPATCH;
	if (batch->status == BATCH_DRAFT) {
		batch->wake_at_us = INSTANT_NEVER;
		return batch_save_state(db, batch);
	}
	planning_restart(batch, now_us);
	return campaign_plan(db, batch, 1, now_us);
}
