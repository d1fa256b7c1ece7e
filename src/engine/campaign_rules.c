#include "engine/campaign_rules.h"

#include "base/instant.h"
#include "store/agent_store.h"
#include "store/batch_store.h"

enum db_result campaign_refuse(struct campaign_request *request, enum refusal refusal)
{
	request->refusal = refusal;
	return DB_REFUSED;
}

static enum db_result judge_found(struct campaign_request *request, int64_t found)
{
	if (found < (int64_t)request->batch.config.phone_number_ids.count)
		return campaign_refuse(request, REFUSED_NUMBER);
	return found == 0 ? campaign_refuse(request, REFUSED_NO_NUMBER) : DB_OK;
}

enum db_result campaign_save_numbers(struct db *db, struct campaign_request *request)
{
	int64_t found;

	DB_TRY(batch_save_numbers(db, &request->batch, &found));
	return judge_found(request, found);
}

enum db_result campaign_set_first_numbers(struct db *db, struct campaign_request *request)
{
	int64_t found;

	DB_TRY(batch_set_numbers(db, &request->batch, &found));
	return judge_found(request, found);
}

/* Writes nothing. Sets the pace that the numbers would have. */
enum db_result campaign_find_numbers(struct db *db, struct campaign_request *request)
{
	int64_t found;

	request->has_found_numbers = true;
	DB_TRY(batch_find_numbers(db, &request->batch, &found, &request->numbers_calls_per_minute));
	return judge_found(request, found);
}

enum db_result campaign_find_agent(struct db *db, struct campaign_request *request)
{
	enum agent_status status;
	enum db_result result = agent_lock_found(db, request->organization_id, &request->config.agent_id, request->arena,
	                                         &request->batch.agent_row, &status);

	if (result == DB_NOT_FOUND)
		return campaign_refuse(request, REFUSED_AGENT);
	if (result == DB_OK && status != AGENT_ACTIVE)
		return campaign_refuse(request, REFUSED_AGENT_NOT_READY);
	return result;
}

enum db_result campaign_judge_agent(struct db *db, struct campaign_request *request)
{
	enum agent_status status;
	enum db_result result = agent_lock_status(db, request->batch.agent_row, &status);

	if (result == DB_NOT_FOUND)
		return campaign_refuse(request, REFUSED_AGENT_DELETED);
	if (result == DB_OK && status != AGENT_ACTIVE)
		return campaign_refuse(request, REFUSED_AGENT_NOT_READY);
	return result;
}

/* If all its numbers were deleted, the campaign gets the present numbers of its agent, like a campaign that is created
 * without numbers. */
static enum db_result judge_numbers(struct db *db, struct campaign_request *request)
{
	int64_t left;

	if (request->has_found_numbers)
		return DB_OK;
	DB_TRY(batch_lock_numbers(db, &request->batch, &left));
	if (left != 0)
		return DB_OK;
	request->batch.config.phone_number_ids.count = 0;
	return campaign_save_numbers(db, request);
}

/* A campaign that has failed may be scheduled again when the reason of its failure is gone. */
static enum db_result judge_calendar(struct campaign_request *request)
{
	struct calendar calendar = batch_plan_rules(&request->batch.config).calendar;
	int64_t from_us = request->batch.config.scheduled_at.us;
	struct span span;

	if (request->batch.status != BATCH_FAILED ||
	    calendar_find_span(&calendar, from_us > request->now_us ? from_us : request->now_us, &span) != CALENDAR_NEVER)
		return DB_OK;
	return campaign_refuse(request, REFUSED_NO_DAY);
}

/* The start of a draft may have been set long ago. */
enum db_result campaign_judge_start(struct campaign_request *request)
{
	int64_t start_us = request->batch.config.scheduled_at.us;

	if (request->batch.status != BATCH_DRAFT || start_us == INSTANT_NONE || start_us >= request->now_us - US_PER_DAY)
		return DB_OK;
	fault_add(&request->faults, "scheduled_at", "passed more than a day ago: give another, or null to start now");
	return campaign_refuse(request, REFUSED_FIELDS);
}

/* When a campaign gets a plan, the requirements of its creation are checked again. Agent and numbers stay locked
 * until the plan is written. */
enum db_result campaign_judge_prerequisites(struct db *db, void *context)
{
	struct campaign_request *request = context;
	const struct batch *batch = &request->batch;

	DB_TRY(campaign_judge_agent(db, request));
	DB_TRY(judge_numbers(db, request));
	if (batch->counts.pending + batch->counts.given_up == 0 && batch->work != BATCH_WORK_COPY)
		return campaign_refuse(request, REFUSED_NO_CONTACTS);
	return judge_calendar(request);
}

/* A paused campaign without waiting contacts only has to end. */
enum db_result campaign_judge_resume(struct db *db, struct campaign_request *request)
{
	const struct batch *batch = &request->batch;

	return batch->counts.pending == 0 && batch->work != BATCH_WORK_COPY ? DB_OK
	                                                                    : campaign_judge_prerequisites(db, request);
}
