#include "store/campaign.h"

#include <string.h>

#include "base/clock.h"
#include "base/instant.h"
#include "domain/batch_json.h"
#include "domain/zone.h"
#include "store/agent_store.h"
#include "store/analytics_store.h"
#include "store/audit_store.h"
#include "store/batch_contact_store.h"
#include "store/batch_store.h"
#include "store/contact_copy.h"
#include "store/contact_removal.h"
#include "store/event_store.h"
#include "store/folder_store.h"
#include "store/planning.h"
#include "store/statements.h"

static enum db_result refuse(struct campaign_request *request, enum refusal refusal)
{
	request->refusal = refusal;
	return DB_REFUSED;
}

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

/* Into its history. */
static enum db_result note(struct db *db, const struct batch *batch, enum audit_action action, int from, const char *changes)
{
	return audit_write(db, &(struct audit_entry){
		.organization_id = batch->organization_id, .object = AUDIT_CAMPAIGN, .action = action,
		.object_id = batch->uuid, .key_row = batch->changed_by, .from_status = from, .to_status = batch->status,
		.happened_at_us = batch->updated_at_us, .reason = batch->status_reason, .changes = changes,
	});
}

/* Writes nothing when the configuration is what it was. */
static enum db_result note_changes(struct db *db, const struct batch *batch, const struct batch_config *before)
{
	struct buf text = { 0 };
	struct json json = json_to(&text);
	enum db_result result = DB_OK;

	json_begin_object(&json, NULL);
	if (field_write_changes(&json, &batch_fields, before, &batch->config) != 0) {
		json_end(&json);
		result = note(db, batch, AUDIT_CHANGED, batch->status, text.data);
	}
	buf_free(&text);
	return result;
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

enum db_result campaign_move(struct db *db, struct batch *batch, enum batch_action action,
                             const char *reason, int64_t now_us)
{
	enum batch_status from = batch->status;

	if (!batch_allows(from, action))
		return DB_REFUSED;
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
	else if (batch_is_over(batch->status))
		batch->work = BATCH_WORK_DISPATCH; /* a plan half written needs no end any more */
	if (batch->work == BATCH_WORK_DISPATCH)
		batch->wake_at_us = batch_is_running(batch->status) ? now_us : INSTANT_NEVER;
	else
		batch->wake_at_us = now_us;
	if (action >= BATCH_START) /* the scheduler moves it, whatever request led to it */
		batch->changed_by = 0;
	DB_TRY(batch_save_state(db, batch));
	DB_TRY(note(db, batch, batch->status == BATCH_DELETED ? AUDIT_DELETED : AUDIT_MOVED, from, ""));
	note_move(db, batch, from);
	if (batch->status != BATCH_DELETED)
		DB_TRY(publish_change(db, batch, from));
	return batch->status == BATCH_COMPLETED ? publish_completed(db, batch) : DB_OK;
}

static enum db_result lock(struct db *db, struct campaign_request *request, enum batch_action action)
{
	DB_TRY(batch_lock(db, request->organization_id, &request->uuid, request->arena, &request->batch));
	request->batch.updated_at_us = request->now_us;
	request->batch.changed_by = request->key_row;
	if (!batch_allows(request->batch.status, action))
		return refuse(request, REFUSED_STATE);
	return DB_OK;
}

/* One that is paused and cannot be planned waits for a change. */
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

static enum db_result add_contacts(struct db *db, struct campaign_request *request)
{
	const struct field_list *contacts = &request->config.contacts;
	int64_t skipped = request->batch.counts.skipped;

	DB_TRY(batch_contacts_add(db, &request->batch, contacts->items, contacts->count));
	request->skipped = request->batch.counts.skipped - skipped;
	request->added = (int64_t)contacts->count - request->skipped;
	return DB_OK;
}

static enum db_result copy_folder(struct db *db, struct campaign_request *request)
{
	struct contact_folder folder;
	enum db_result result = folder_lock_shared(db, request->organization_id, &request->config.contact_folder_id,
	                                           request->arena, &folder);

	if (result == DB_NOT_FOUND)
		return refuse(request, REFUSED_FOLDER);
	return result == DB_OK ? contact_copy_folder(db, &request->batch, &folder) : result;
}

/* Its row stays locked, so that its contacts cannot leave before the copy is known. */
static enum db_result find_source(struct db *db, struct campaign_request *request, struct batch *source)
{
	enum db_result result = batch_lock_shared(db, request->organization_id, &request->config.source_campaign_id,
	                                          request->arena, source);

	if (result == DB_NOT_FOUND)
		return refuse(request, REFUSED_SOURCE);
	return result == DB_OK && source->work == BATCH_WORK_COPY ? refuse(request, REFUSED_SOURCE_GROWS) : result;
}

/* Those that the organisation keeps and the client named. */
static enum db_result copy_contacts(struct db *db, struct campaign_request *request)
{
	const struct field_list *ids = &request->config.contact_ids;
	enum db_result result = DB_OK;

	if (!uuid_is_nil(&request->config.contact_folder_id))
		DB_TRY(copy_folder(db, request));
	if (ids->count != 0)
		result = batch_contacts_copy(db, &request->batch, ids->items, ids->count, &request->missing_contact);
	return result == DB_NOT_FOUND ? refuse(request, REFUSED_CONTACT) : result;
}

static enum db_result judge_found(struct campaign_request *request, int64_t found)
{
	if (found < (int64_t)request->batch.config.phone_number_ids.count)
		return refuse(request, REFUSED_NUMBER);
	return found == 0 ? refuse(request, REFUSED_NO_NUMBER) : DB_OK;
}

static enum db_result save_numbers(struct db *db, struct campaign_request *request)
{
	int64_t found;

	DB_TRY(batch_save_numbers(db, &request->batch, &found));
	return judge_found(request, found);
}

static enum db_result set_first_numbers(struct db *db, struct campaign_request *request)
{
	int64_t found;

	DB_TRY(batch_set_numbers(db, &request->batch, &found));
	return judge_found(request, found);
}

/* The same without writing, and the pace that the numbers would have. */
static enum db_result find_numbers(struct db *db, struct campaign_request *request)
{
	int64_t found;

	request->has_found_numbers = true;
	DB_TRY(batch_find_numbers(db, &request->batch, &found, &request->numbers_calls_per_minute));
	return judge_found(request, found);
}

static enum db_result find_agent(struct db *db, struct campaign_request *request)
{
	struct agent agent;
	enum db_result result = agent_lock_shared(db, request->organization_id, &request->config.agent_id,
	                                          request->arena, &agent);

	if (result == DB_NOT_FOUND)
		return refuse(request, REFUSED_AGENT);
	if (result == DB_OK && agent.status != AGENT_ACTIVE)
		return refuse(request, REFUSED_AGENT_NOT_READY);
	request->batch.agent_row = agent.id;
	return result;
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
		.planned_from_us = INSTANT_NONE, .planned_until_us = INSTANT_NONE,
		.started_at_us = INSTANT_NONE, .completed_at_us = INSTANT_NONE,
		.created_at_us = request->now_us, .updated_at_us = request->now_us,
		.wake_at_us = INSTANT_NEVER,
		.changed_by = request->key_row,
		.counts = { .total = count, .pending = count },
		.has_contact_ids = !uuid_is_nil(&request->config.contact_folder_id) ||
		                   request->config.contact_ids.count != 0 || source.has_contact_ids,
	};
	DB_TRY(find_agent(db, request));
	DB_TRY(batch_insert(db, &request->batch));
	DB_TRY(note(db, &request->batch, AUDIT_CREATED, -1, ""));
	DB_TRY(set_first_numbers(db, request));
	DB_TRY(batch_contacts_add_first(db, &request->batch, contacts->items, contacts->count));
	DB_TRY(copy_contacts(db, request));
	if (source.id != 0)
		DB_TRY(contact_copy_campaign(db, &request->batch, &source));
	if (request->config.schedule_type == SCHEDULE_SCHEDULED &&
	    (request->batch.counts.total != 0 || request->batch.work == BATCH_WORK_COPY))
		DB_TRY(move_to_scheduled(db, request));
	return batch_get(db, request->organization_id, &request->uuid, request->arena, &request->batch);
}

static enum db_result judge_agent(struct db *db, struct campaign_request *request)
{
	enum agent_status status;
	enum db_result result = agent_lock_status(db, request->batch.agent_row, &status);

	if (result == DB_NOT_FOUND)
		return refuse(request, REFUSED_AGENT_DELETED);
	if (result == DB_OK && status != AGENT_ACTIVE)
		return refuse(request, REFUSED_AGENT_NOT_READY);
	return result;
}

/* When all its numbers are gone, it calls from those that its agent has now, as a campaign does that is created without. */
static enum db_result judge_numbers(struct db *db, struct campaign_request *request)
{
	int64_t left;

	if (request->has_found_numbers)
		return DB_OK;
	DB_TRY(batch_lock_numbers(db, &request->batch, &left));
	if (left != 0)
		return DB_OK;
	request->batch.config.phone_number_ids.count = 0;
	return save_numbers(db, request);
}

/* One that has failed is scheduled when what it failed of is mended. */
static enum db_result judge_calendar(struct campaign_request *request)
{
	struct calendar calendar = batch_plan_rules(&request->batch.config).calendar;
	int64_t from_us = request->batch.config.scheduled_at.us;
	struct span span;

	if (request->batch.status != BATCH_FAILED ||
	    calendar_find_span(&calendar, from_us > request->now_us ? from_us : request->now_us, &span) != CALENDAR_NEVER)
		return DB_OK;
	return refuse(request, REFUSED_NO_DAY);
}

/* The start of a draft may have been set long ago. */
static enum db_result judge_start(struct campaign_request *request)
{
	int64_t start_us = request->batch.config.scheduled_at.us;

	if (request->batch.status != BATCH_DRAFT || start_us == INSTANT_NONE || start_us >= request->now_us - US_PER_DAY)
		return DB_OK;
	fault_add(&request->faults, "scheduled_at", "passed more than a day ago: give another, or null to start now");
	return refuse(request, REFUSED_FIELDS);
}

/* What a campaign must have to be created with a plan is judged again when it is to get one: agent and numbers stay locked
 * until that is done. */
static enum db_result judge_prerequisites(struct db *db, void *context)
{
	struct campaign_request *request = context;
	const struct batch *batch = &request->batch;

	DB_TRY(judge_agent(db, request));
	DB_TRY(judge_numbers(db, request));
	if (batch->counts.pending + batch->counts.given_up == 0 && batch->work != BATCH_WORK_COPY)
		return refuse(request, REFUSED_NO_CONTACTS);
	return judge_calendar(request);
}

/* One that is paused may have nobody left: then it only has to end. */
static enum db_result judge_resume(struct db *db, struct campaign_request *request)
{
	const struct batch *batch = &request->batch;

	return batch->counts.pending == 0 && batch->work != BATCH_WORK_COPY ? DB_OK : judge_prerequisites(db, request);
}

/* What the client gave replaces what is stored; together they must make sense. */
static enum db_result apply_change(struct campaign_request *request)
{
	int64_t start_us = request->batch.config.scheduled_at.us;

	request->faults = (struct faults){ .arena = request->arena };
	field_apply(request->table, request->given, &request->config, &request->batch.config);
	batch_config_settle(&request->batch.config, request->table, request->given, &request->faults);
	batch_config_judge_start(&request->batch.config, start_us, request->now_us, &request->faults);
	return request->faults.count != 0 ? refuse(request, REFUSED_FIELDS) : DB_OK;
}

/* The same for PATCH, which may not touch everything at any time. */
static enum db_result apply_patch(struct campaign_request *request)
{
	DB_TRY(apply_change(request));
	if (request->batch.status == BATCH_ACTIVE &&
	    (request->fixed_field = batch_field_fixed_when_active(request->given)) != NULL)
		return refuse(request, REFUSED_FIXED_FIELD);
	return DB_OK;
}

/* Today is another day in another zone. A zone that cannot be read now does not say what day it is there. That matters
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
	fault_add(&request->faults, "timezone", "cannot be set now, because the time zone %s cannot be read: %s", zone, trouble);
	return refuse(request, REFUSED_FIELDS);
}

enum db_result campaign_change(struct db *db, struct campaign_request *request)
{
	struct batch_config before;

	DB_TRY(lock(db, request, BATCH_CHANGE));
	before = request->batch.config;
	DB_TRY(apply_patch(request));
	DB_TRY(batch_save_config(db, &request->batch));
	if (field_is_given(request->table, request->given, "phone_number_ids"))
		DB_TRY(save_numbers(db, request));
	DB_TRY(change_day(db, request, before.timezone, batch_recount_day));
	DB_TRY(note_changes(db, &request->batch, &before));
	if (batch_has_plan(request->batch.status) && batch_plan_differs(&before, &request->batch.config)) {
		planning_restart(&request->batch, request->now_us);
		DB_TRY(plan(db, request));
	} else if (batch_is_running(request->batch.status) && request->batch.work == BATCH_WORK_DISPATCH) {
		request->batch.wake_at_us = request->now_us; /* more places, more numbers: look at once */
		DB_TRY(batch_save_state(db, &request->batch));
	}
	return batch_get_row(db, request->batch.id, request->arena, &request->batch);
}

static enum db_result rehearse_resume(struct db *db, void *context)
{
	return judge_resume(db, context);
}

/* One that runs needs no leave to go on. The others are told now what they would be told then. */
static enum db_result judge_preview(struct db *db, struct campaign_request *request)
{
	switch (request->batch.status) {
	case BATCH_SCHEDULED:
	case BATCH_ACTIVE:
		return DB_OK;
	case BATCH_PAUSED:
		return db_rehearse(db, rehearse_resume, request);
	default:
		return db_rehearse(db, judge_prerequisites, request);
	}
}

static enum db_result rehearse_agent(struct db *db, void *context)
{
	return judge_agent(db, context);
}

/* Numbers that are given, or that its agent has when all that it had are gone. */
static bool needs_numbers(const struct campaign_request *request)
{
	return field_is_given(request->table, request->given, "phone_number_ids") ||
	       (!batch_is_running(request->batch.status) && request->batch.config.phone_number_ids.count == 0);
}

/* As campaign_change, but for what that writes. */
enum db_result campaign_preview(struct db *db, struct campaign_request *request)
{
	const char *zone_before;

	DB_TRY(batch_get(db, request->organization_id, &request->uuid, request->arena, &request->batch));
	if (!batch_allows(request->batch.status, BATCH_CHANGE))
		return refuse(request, REFUSED_STATE);
	zone_before = request->batch.config.timezone;
	DB_TRY(apply_patch(request));
	if (!batch_is_running(request->batch.status)) /* judged first, as schedule and resume do */
		DB_TRY(db_rehearse(db, rehearse_agent, request));
	if (needs_numbers(request))
		DB_TRY(find_numbers(db, request));
	DB_TRY(judge_preview(db, request));
	DB_TRY(change_day(db, request, zone_before, batch_count_day));
	batch_counts_settle(&request->batch.counts, BATCH_SCHEDULED);
	planning_restart(&request->batch, request->now_us);
	return DB_OK;
}

enum db_result campaign_add_contacts(struct db *db, struct campaign_request *request)
{
	DB_TRY(lock(db, request, BATCH_ADD_CONTACTS));
	DB_TRY(add_contacts(db, request));
	if (request->batch.status != BATCH_DRAFT) {
		planning_continue(&request->batch, request->now_us);
		DB_TRY(plan(db, request));
	}
	return DB_OK;
}

enum db_result campaign_remove_contact(struct db *db, struct campaign_request *request, int64_t position)
{
	enum db_result result;

	DB_TRY(lock(db, request, BATCH_REMOVE_CONTACT));
	result = contact_remove(db, &request->batch, position, request->now_us, &request->contact_status);
	return result == DB_REFUSED ? refuse(request, REFUSED_CONTACT_STATE) : result;
}

enum db_result campaign_remove_contacts(struct db *db, struct campaign_request *request)
{
	bool is_source;

	DB_TRY(lock(db, request, BATCH_REMOVE_CONTACTS));
	DB_TRY(contact_copy_needs(db, &request->batch, &is_source));
	if (is_source)
		return refuse(request, REFUSED_COPIED);
	return contacts_remove_last(db, &request->batch, &request->removed);
}

enum db_result campaign_schedule(struct db *db, struct campaign_request *request)
{
	struct batch_config before;

	DB_TRY(lock(db, request, BATCH_SCHEDULE));
	before = request->batch.config;
	if (field_is_given(request->table, request->given, "scheduled_at"))
		request->batch.config.schedule_type =
			request->config.scheduled_at.us != INSTANT_NONE ? SCHEDULE_SCHEDULED : SCHEDULE_IMMEDIATE;
	DB_TRY(apply_change(request));
	DB_TRY(judge_start(request));
	DB_TRY(judge_prerequisites(db, request));
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

/* Contacts that became overdue during the pause are planned again with all that follow, so that they
 * neither fire in one burst nor push others out of their order. */
enum db_result campaign_resume(struct db *db, struct campaign_request *request)
{
	bool late;

	DB_TRY(lock(db, request, BATCH_RESUME));
	DB_TRY(judge_resume(db, request));
	DB_TRY(campaign_move(db, &request->batch, BATCH_RESUME, "", request->now_us));
	DB_TRY(planning_is_late(db, &request->batch, request->now_us, &late));
	if (late || planning_was_given_up(&request->batch)) {
		planning_restart(&request->batch, request->now_us);
		DB_TRY(plan(db, request));
	}
	return batch_get_row(db, request->batch.id, request->arena, &request->batch);
}

/* Calls that wait in the plan are not asked for any more: a scheduler ends them. */
enum db_result campaign_cancel(struct db *db, struct campaign_request *request)
{
	DB_TRY(move_simply(db, request, BATCH_CANCEL));
	return db_exec(db, SQL_CALLS_END_WAITING, DB_ARGS(
		db_instant(request->now_us), db_int(request->batch.organization_id), db_int(request->batch.id)));
}

enum db_result campaign_delete(struct db *db, struct campaign_request *request)
{
	return move_simply(db, request, BATCH_DELETE);
}

