#include "engine/campaign.h"

#include <string.h>

#include "base/clock.h"
#include "base/instant.h"
#include "base/json.h"
#include "base/zone.h"
#include "engine/campaign_rules.h"
#include "engine/contact_copy.h"
#include "engine/contact_removal.h"
#include "engine/front_contacts.h"
#include "engine/planning.h"
#include "store/batch_contact_store.h"
#include "store/batch_store.h"
#include "store/folder_store.h"
#include "store/statements.h"

/* Writes nothing when the configuration has not changed. */
static enum db_result note_changes(struct db *db, const struct batch *batch, const struct batch_config *before)
{
	struct buf text = { 0 };
	struct json json = json_to(&text);
	enum db_result result = DB_OK;

	json_begin_object(&json, NULL);
	if (field_write_changes(&json, &batch_fields, before, &batch->config) != 0) {
		json_end(&json);
		result = campaign_note(db, batch, AUDIT_CHANGED, batch->status, text.data);
	}
	buf_free(&text);
	return result;
}

static enum db_result lock(struct db *db, struct campaign_request *request, enum batch_action action)
{
	DB_TRY(batch_lock(db, request->organization_id, &request->uuid, request->arena, &request->batch));
	request->batch.updated_at_us = request->now_us;
	if (!batch_allows(request->batch.status, action))
		return campaign_refuse(request, REFUSED_STATE);
	return DB_OK;
}

static enum db_result plan(struct db *db, struct campaign_request *request)
{
	return campaign_plan(db, &request->batch, CAMPAIGN_PLAN_SMALL, request->now_us);
}

static enum db_result move_to_scheduled(struct db *db, struct campaign_request *request)
{
	DB_TRY(campaign_move(db, &request->batch, BATCH_SCHEDULE, "", request->now_us));
	planning_restart(&request->batch, request->now_us);
	return plan(db, request);
}

static enum db_result copy_folder(struct db *db, struct campaign_request *request)
{
	struct contact_folder folder;
	enum db_result result = folder_lock_shared(db, request->organization_id, &request->config.contact_folder_id,
	                                           request->arena, &folder);

	if (result == DB_NOT_FOUND)
		return campaign_refuse(request, REFUSED_FOLDER);
	return result == DB_OK ? contact_copy_folder(db, &request->batch, &folder) : result;
}

/* The source stays locked, so that its contacts cannot be removed before the copy is recorded. */
static enum db_result find_source(struct db *db, struct campaign_request *request, struct batch *source)
{
	enum db_result result = batch_lock_shared(db, request->organization_id, &request->config.source_campaign_id,
	                                          request->arena, source);

	if (result == DB_NOT_FOUND)
		return campaign_refuse(request, REFUSED_SOURCE);
	return result == DB_OK && source->work == BATCH_WORK_COPY ? campaign_refuse(request, REFUSED_SOURCE_GROWS) : result;
}

/* Copies the stored contacts that the client named. */
static enum db_result copy_contacts(struct db *db, struct campaign_request *request)
{
	const struct field_list *ids = &request->config.contact_ids;
	enum db_result result = DB_OK;

	if (!uuid_is_nil(&request->config.contact_folder_id))
		DB_TRY(copy_folder(db, request));
	if (ids->count != 0)
		result = batch_contacts_copy(db, &request->batch, ids->items, ids->count, &request->missing_contact);
	return result == DB_NOT_FOUND ? campaign_refuse(request, REFUSED_CONTACT) : result;
}

enum db_result campaign_create(struct db *db, struct campaign_request *request)
{
	const struct field_list *contacts = &request->config.contacts;
	int64_t count = (int64_t)contacts->count;
	struct batch source = { 0 };

	if (!uuid_is_nil(&request->config.source_campaign_id))
		DB_TRY(find_source(db, request, &source)); /* campaigns are locked before agents */
	request->batch = (struct batch){
		.uuid = request->uuid,
		.organization_id = request->organization_id,
		.config = request->config,
		.status = BATCH_DRAFT,
		.status_reason = "",
		.held_by = "",
		.held_until_us = INSTANT_NEVER,
		.planned_from_us = INSTANT_NONE,
		.planned_until_us = INSTANT_NONE,
		.started_at_us = INSTANT_NONE,
		.completed_at_us = INSTANT_NONE,
		.created_at_us = request->now_us,
		.updated_at_us = request->now_us,
		.wake_at_us = INSTANT_NEVER,
		.counts = { .total = count, .pending = count },
		.has_contact_ids = !uuid_is_nil(&request->config.contact_folder_id) || request->config.contact_ids.count != 0 ||
		                   source.has_contact_ids,
	};
	DB_TRY(campaign_find_agent(db, request));
	DB_TRY(batch_insert(db, &request->batch));
	DB_TRY(campaign_note(db, &request->batch, AUDIT_CREATED, -1, ""));
	DB_TRY(campaign_set_first_numbers(db, request));
	DB_TRY(batch_contacts_add_first(db, &request->batch, contacts->items, contacts->count));
	DB_TRY(copy_contacts(db, request));
	if (source.id != 0)
		DB_TRY(contact_copy_campaign(db, &request->batch, &source));
	if (request->config.schedule_type == SCHEDULE_SCHEDULED &&
	    (request->batch.counts.total != 0 || request->batch.work == BATCH_WORK_COPY))
		DB_TRY(move_to_scheduled(db, request));
	if (request->batch.status != BATCH_DRAFT)
		return batch_get_row(db, request->batch.id, request->arena, &request->batch);
	return batch_get_numbers(db, request->arena, &request->batch); /* the rest of a draft is known */
}

/* Applies the client's fields to the stored configuration. Together they must make sense. */
static enum db_result apply_change(struct campaign_request *request)
{
	int64_t start_us = request->batch.config.scheduled_at.us;

	request->faults = (struct faults){ .arena = request->arena };
	field_apply(request->table, request->given, &request->config, &request->batch.config);
	batch_config_settle(&request->batch.config, request->table, request->given, &request->faults);
	batch_config_judge_start(&request->batch.config, start_us, request->now_us, &request->faults);
	return request->faults.count != 0 ? campaign_refuse(request, REFUSED_FIELDS) : DB_OK;
}

/* Like apply_change, for PATCH, which may not change everything at any time. */
static enum db_result apply_patch(struct campaign_request *request)
{
	DB_TRY(apply_change(request));
	if (request->batch.status == BATCH_ACTIVE &&
	    (request->fixed_field = batch_field_fixed_when_active(request->given)) != NULL)
		return campaign_refuse(request, REFUSED_FIXED_FIELD);
	return DB_OK;
}

/* In another zone, today may be another day. If the zone cannot be read now, the day there is not known. That matters
 * once calls may have been made. */
static enum db_result change_day(struct db *db, struct campaign_request *request, const char *zone_before,
                                 enum db_result (*count)(struct db *, struct batch *, int64_t))
{
	const char *zone = request->batch.config.timezone, *trouble = zone_trouble(zone);

	if (strcmp(zone_before, zone) == 0)
		return DB_OK;
	if (trouble == NULL)
		return count(db, &request->batch, request->now_us);
	if (request->batch.status == BATCH_DRAFT)
		return DB_OK;
	fault_add(&request->faults, "timezone", "cannot be set now, because the time zone %s cannot be read: %s", zone,
	          trouble);
	return campaign_refuse(request, REFUSED_FIELDS);
}

enum db_result campaign_change(struct db *db, struct campaign_request *request)
{
	struct batch_config before;

	DB_TRY(lock(db, request, BATCH_CHANGE));
	before = request->batch.config;
	DB_TRY(apply_patch(request));
	DB_TRY(batch_save_config(db, &request->batch));
	if (field_is_given(request->table, request->given, "phone_number_ids"))
		DB_TRY(campaign_save_numbers(db, request));
	DB_TRY(change_day(db, request, before.timezone, batch_recount_day));
	DB_TRY(note_changes(db, &request->batch, &before));
	if (batch_has_plan(request->batch.status) && batch_plan_differs(&before, &request->batch.config)) {
		planning_restart(&request->batch, request->now_us);
		DB_TRY(plan(db, request));
	} else if (batch_is_running(request->batch.status) && request->batch.work == BATCH_WORK_DISPATCH) {
		/* more places, more numbers: a scheduler should look at once */
		request->batch.wake_at_us = request->now_us;
		DB_TRY(batch_save_state(db, &request->batch));
	}
	return batch_get_row(db, request->batch.id, request->arena, &request->batch);
}

static enum db_result rehearse_resume(struct db *db, void *context)
{
	return campaign_judge_resume(db, context);
}

/* A running campaign goes on anyway. For the others, the preview refuses what schedule or resume would refuse. */
static enum db_result judge_preview(struct db *db, struct campaign_request *request)
{
	switch (request->batch.status) {
	case BATCH_SCHEDULED:
	case BATCH_ACTIVE: return DB_OK;
	case BATCH_PAUSED: return db_rehearse(db, rehearse_resume, request);
	default: return db_rehearse(db, campaign_judge_prerequisites, request);
	}
}

static enum db_result rehearse_agent(struct db *db, void *context)
{
	return campaign_judge_agent(db, context);
}

/* Returns whether numbers must be found: the client gave numbers, or the campaign has none left and gets those of
 * its agent. */
static bool needs_numbers(const struct campaign_request *request)
{
	return field_is_given(request->table, request->given, "phone_number_ids") ||
	       (!batch_is_running(request->batch.status) && request->batch.config.phone_number_ids.count == 0);
}

/* Does what campaign_change does, but writes nothing. */
enum db_result campaign_preview(struct db *db, struct campaign_request *request)
{
	const char *zone_before;

	DB_TRY(batch_get(db, request->organization_id, &request->uuid, request->arena, &request->batch));
	if (!batch_allows(request->batch.status, BATCH_CHANGE))
		return campaign_refuse(request, REFUSED_STATE);
	zone_before = request->batch.config.timezone;
	DB_TRY(apply_patch(request));
	if (!batch_is_running(request->batch.status)) /* judged first, as schedule and resume do */
		DB_TRY(db_rehearse(db, rehearse_agent, request));
	if (needs_numbers(request))
		DB_TRY(campaign_find_numbers(db, request));
	DB_TRY(judge_preview(db, request));
	DB_TRY(change_day(db, request, zone_before, batch_count_day));
	batch_counts_settle(&request->batch.counts, BATCH_SCHEDULED);
	planning_restart(&request->batch, request->now_us);
	return DB_OK;
}

enum db_result campaign_add_contacts(struct db *db, struct campaign_request *request)
{
	bool at_front = request->config.contacts_position == CONTACTS_AT_FRONT;
	const struct field_list *contacts = &request->config.contacts;
	int64_t after, skipped;

	DB_TRY(lock(db, request, BATCH_ADD_CONTACTS));
	after = request->batch.counts.total;
	skipped = request->batch.counts.skipped;
	DB_TRY(batch_contacts_add(db, &request->batch, contacts->items, contacts->count));
	request->skipped = request->batch.counts.skipped - skipped;
	request->added = (int64_t)contacts->count - request->skipped;
	at_front &= request->added != 0;
	if (at_front)
		DB_TRY(front_contacts_mark(db, &request->batch, after));
	if (request->batch.status == BATCH_DRAFT)
		return DB_OK;
	if (at_front)
		planning_restart(&request->batch, request->now_us);
	else
		planning_continue(&request->batch, request->now_us);
	return plan(db, request);
}

enum db_result campaign_remove_contact(struct db *db, struct campaign_request *request, int64_t position)
{
	enum db_result result;

	DB_TRY(lock(db, request, BATCH_REMOVE_CONTACT));
	result = contact_remove(db, &request->batch, position, request->now_us, &request->contact_status);
	return result == DB_REFUSED ? campaign_refuse(request, REFUSED_CONTACT_STATE) : result;
}

enum db_result campaign_remove_contacts(struct db *db, struct campaign_request *request)
{
	bool is_source;

	DB_TRY(lock(db, request, BATCH_REMOVE_CONTACTS));
	DB_TRY(contact_copy_needs(db, &request->batch, &is_source));
	if (is_source)
		return campaign_refuse(request, REFUSED_COPIED);
	return contacts_remove_last(db, &request->batch, &request->removed);
}

enum db_result campaign_schedule(struct db *db, struct campaign_request *request)
{
	struct batch_config before;

	DB_TRY(lock(db, request, BATCH_SCHEDULE));
	before = request->batch.config;
	if (field_is_given(request->table, request->given, "scheduled_at"))
		request->batch.config.schedule_type = request->config.scheduled_at.us != INSTANT_NONE ? SCHEDULE_SCHEDULED
		                                                                                      : SCHEDULE_IMMEDIATE;
	DB_TRY(apply_change(request));
	DB_TRY(campaign_judge_start(request));
	DB_TRY(campaign_judge_prerequisites(db, request));
	DB_TRY(batch_save_config(db, &request->batch));
	DB_TRY(note_changes(db, &request->batch, &before));
	DB_TRY(move_to_scheduled(db, request));
	return batch_get_row(db, request->batch.id, request->arena, &request->batch);
}

static enum db_result move_simply(struct db *db, struct campaign_request *request, enum batch_action action)
{
	DB_TRY(lock(db, request, action));
	DB_TRY(campaign_move(db, &request->batch, action, "", request->now_us));
	if (request->batch.status == BATCH_DELETED)
		return DB_OK;
	return batch_get_row(db, request->batch.id, request->arena, &request->batch);
}

enum db_result campaign_pause(struct db *db, struct campaign_request *request)
{
	return move_simply(db, request, BATCH_PAUSE);
}

/* Contacts that became overdue during the pause are planned again with all contacts after them. So they are not called
 * in one burst, and keep their order. */
enum db_result campaign_resume(struct db *db, struct campaign_request *request)
{
	bool late;

	DB_TRY(lock(db, request, BATCH_RESUME));
	DB_TRY(campaign_judge_resume(db, request));
	DB_TRY(campaign_move(db, &request->batch, BATCH_RESUME, "", request->now_us));
	DB_TRY(planning_is_late(db, &request->batch, request->now_us, &late));
	if (late || planning_was_given_up(&request->batch)) {
		planning_restart(&request->batch, request->now_us);
		DB_TRY(plan(db, request));
	}
	return batch_get_row(db, request->batch.id, request->arena, &request->batch);
}

/* Calls that wait in the plan are not sent to the dialer again: a scheduler ends them. */
enum db_result campaign_cancel(struct db *db, struct campaign_request *request)
{
	DB_TRY(move_simply(db, request, BATCH_CANCEL));
	return db_exec(db, SQL_CALLS_END_WAITING,
	               DB_ARGS(db_instant(request->now_us), db_int(request->batch.organization_id),
	                       db_int(request->batch.id)));
}

enum db_result campaign_delete(struct db *db, struct campaign_request *request)
{
	return move_simply(db, request, BATCH_DELETE);
}
