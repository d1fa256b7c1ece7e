/* An agent is ready when its dialer has accepted `agent.sync`. So agent.sync is sent again whenever something changes
 * that the dialer should know, in the transaction of the change. The agent is `creating` until the outbox has the
 * dialer's answer to the latest agent.sync (scheduler/outbox). */
#include "api/agents.h"

#include <stddef.h>
#include <string.h>

#include "api/audit.h"
#include "api/page.h"
#include "api/reply.h"
#include "base/clock.h"
#include "store/agent_store.h"
#include "store/event_store.h"
#include "store/webhook_store.h"

FIELD_TABLE(agent_fields, struct agent, &agent_initial,
            FIELD(struct agent, name, STRING, .flags = FIELD_REQUIRED, .min = 1, .max = 255),
            FIELD(struct agent, description, STRING, .flags = FIELD_NULLABLE, .max = 10000),
            FIELD(struct agent, voice_id, STRING, .flags = FIELD_NULLABLE, .max = 255),
            FIELD(struct agent, system_prompt, STRING, .flags = FIELD_NULLABLE, .max = 100000),
            FIELD(struct agent, greeting, STRING, .flags = FIELD_NULLABLE, .max = 10000),
            FIELD(struct agent, language_hint, STRING, .flags = FIELD_NULLABLE, .max = 35),
            FIELD(struct agent, settings, OBJECT, .flags = FIELD_NULLABLE, .max = 65536),
            FIELD(struct agent, max_call_duration_seconds, INT, .min = 10, .max = 86400),
            FIELD(struct agent, webhook_id, ID, .flags = FIELD_NULLABLE, .prefix = ID_WEBHOOK));

struct agent_query {
	struct page page;
	struct agent_filter filter;
};

static const struct agent_query agent_query_initial = { PAGE_INITIAL, { .status = -1, .name = "" } };

FIELD_TABLE(agent_query_fields, struct agent_query, &agent_query_initial, PAGE_FIELDS(struct agent_query),
            FIELD_AS("status", struct agent_query, filter.status, CHOICE, .choices = agent_status_names),
            FIELD_AS("name", struct agent_query, filter.name, STRING, .max = 255));

static void write_agent(struct json *json, const void *item)
{
	const struct agent *agent = item;

	json_id(json, "id", &agent->uuid);
	field_write(json, &agent_fields, agent);
	json_add_string(json, "status", agent_status_names[agent->status]);
	json_text(json, "status_reason", agent->status_reason);
	json_int(json, "campaigns", agent->campaigns);
	json_instant(json, "created_at", agent->created_at_us);
	json_instant(json, "updated_at", agent->updated_at_us);
}

enum db_result agents_list(struct request *request)
{
	struct agent_query *query = request->query;
	struct listing listing;

	DB_TRY(page_begin(request, &query->page));
	DB_TRY(agent_list(request->db, request->key.organization_id, &query->filter, &query->page, request->arena,
	                  &listing));
	return page_reply(request, &query->page, &listing, write_agent);
}

/* Finds the endpoint that an agent names. It cannot be deleted until the transaction ends. */
static enum db_result find_webhook(struct request *request, const struct agent *agent, struct webhook *webhook)
{
	enum db_result result;

	*webhook = (struct webhook){ .id = 0 };
	if (uuid_is_nil(&agent->webhook_id))
		return DB_OK;
	result = webhook_lock_shared(request->db, request->key.organization_id, &agent->webhook_id, request->arena,
	                             webhook);
	if (result == DB_NOT_FOUND)
		return reply_refuse_field(request, "webhook_id", "there is no such webhook");
	return result;
}

/* Sets the status from which a sync starts. Refused if there is no webhook to send it to. */
static enum db_result begin_sync(struct request *request, struct agent *agent, const struct webhook *webhook)
{
	agent->status = webhook->id == 0 ? AGENT_DRAFT : AGENT_CREATING;
	if (webhook->id != 0 && webhook_is_fetched(webhook->url))
		agent->status = AGENT_ACTIVE; /* its dialer gets the agent with each call */
	agent->status_reason = "";
	if (webhook->disabled)
		return reply_refuse_field(request, "webhook_id", "this webhook is switched off");
	return DB_OK;
}

/* Puts agent.sync into the outbox, with this state of the agent. */
static enum db_result send_sync(struct request *request, const struct agent *agent, const struct webhook *webhook)
{
	struct buf data = { 0 };
	struct json json = json_to(&data);
	struct uuid event_id;
	int64_t row;
	enum db_result result;

	if (webhook->id == 0 || webhook_is_fetched(webhook->url))
		return DB_OK;
	json_add_object(&json, NULL, write_agent, agent);
	result = event_send(request->db, request->key.organization_id, EVENT_AGENT_SYNC, data.data, webhook->id, agent->id,
	                    agent->updated_at_us, &event_id, &row);
	buf_free(&data);
	return result;
}

enum db_result agents_create(struct request *request)
{
	struct agent *agent = request->input;
	struct webhook webhook;

	agent->uuid = uuid_new();
	agent->created_at_us = agent->updated_at_us = clock_now_us();
	DB_TRY(find_webhook(request, agent, &webhook));
	DB_TRY(begin_sync(request, agent, &webhook));
	DB_TRY(agent_insert(request->db, request->key.organization_id, agent, webhook.id));
	DB_TRY(send_sync(request, agent, &webhook));
	audit_say_id(request, &agent->uuid);
	audit_say_changes(request, &agent_fields, &agent_initial, agent);
	return reply_object(request, 201, write_agent, agent);
}

enum db_result agents_get(struct request *request)
{
	struct agent agent;

	DB_TRY(agent_get(request->db, request->key.organization_id, &request->ids[0], request->arena, &agent));
	return reply_object(request, 200, write_agent, &agent);
}

/* Returns whether the dialer must know of a change: some fields are only labels of ours. */
static bool dialer_sees(const struct agent *before, const struct agent *after)
{
	return !uuid_equal(&before->webhook_id, &after->webhook_id) || strcmp(before->settings, after->settings) != 0 ||
	       strcmp(before->voice_id, after->voice_id) != 0 || strcmp(before->system_prompt, after->system_prompt) != 0 ||
	       strcmp(before->greeting, after->greeting) != 0 || strcmp(before->language_hint, after->language_hint) != 0;
}

static enum db_result save(struct request *request, struct agent *agent, bool sync)
{
	struct webhook webhook;

	agent->updated_at_us = clock_now_us();
	DB_TRY(find_webhook(request, agent, &webhook));
	if (sync)
		DB_TRY(begin_sync(request, agent, &webhook));
	DB_TRY(agent_update(request->db, agent, webhook.id));
	if (sync)
		DB_TRY(send_sync(request, agent, &webhook));
	return reply_object(request, 200, write_agent, agent);
}

enum db_result agents_change(struct request *request)
{
	struct agent before, agent;

	DB_TRY(agent_lock(request->db, request->key.organization_id, &request->ids[0], request->arena, &before));
	agent = before;
	field_apply(&agent_fields, request->given, request->input, &agent);
	audit_say_changes(request, &agent_fields, &before, &agent);
	return save(request, &agent, dialer_sees(&before, &agent));
}

enum db_result agents_sync(struct request *request)
{
	struct agent agent;

	DB_TRY(agent_lock(request->db, request->key.organization_id, &request->ids[0], request->arena, &agent));
	if (uuid_is_nil(&agent.webhook_id))
		return reply_refuse(request, ERROR_INVALID_STATE, "The agent has no webhook to send agent.sync to.");
	return save(request, &agent, true);
}

/* A draft may lose its agent (then it cannot be scheduled). A scheduled or running campaign may not. */
enum db_result agents_delete(struct request *request)
{
	struct agent agent;
	bool used;

	DB_TRY(agent_lock(request->db, request->key.organization_id, &request->ids[0], request->arena, &agent));
	DB_TRY(agent_is_used(request->db, request->key.organization_id, &agent, &used));
	if (used)
		return reply_refuse(request, ERROR_INVALID_STATE,
		                    "A scheduled, active or paused campaign uses this agent: cancel it first.");
	DB_TRY(agent_delete(request->db, request->key.organization_id, &agent));
	return reply_no_content(request);
}
