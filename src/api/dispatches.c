#include "api/dispatches.h"

#include "api/reply.h"
#include "base/clock.h"
#include "engine/fetch.h"
#include "store/agent_store.h"

#define WAIT_MAX_SECONDS 5
#define LEASE_MIN_SECONDS 5
#define LEASE_MAX_SECONDS 120

struct fetch_input {
	struct uuid agent_id;
	int64_t limit, wait_seconds, lease_seconds;
};

static const struct fetch_input fetch_initial = { .limit = 10, .wait_seconds = WAIT_MAX_SECONDS, .lease_seconds = 30 };

FIELD_TABLE(fetch_fields, struct fetch_input, &fetch_initial,
            FIELD(struct fetch_input, agent_id, ID, .prefix = ID_AGENT, .flags = FIELD_NULLABLE),
            FIELD(struct fetch_input, limit, INT, .min = 1, .max = FETCH_MAX),
            FIELD(struct fetch_input, wait_seconds, INT, .max = WAIT_MAX_SECONDS),
            FIELD(struct fetch_input, lease_seconds, INT, .min = LEASE_MIN_SECONDS, .max = LEASE_MAX_SECONDS));

static enum db_result find_agent(struct request *request, const struct uuid *id)
{
	int64_t row;
	enum db_result result = agent_find_row(request->db, request->key.organization_id, id, request->arena, &row);

	return result == DB_NOT_FOUND ? reply_refuse_field(request, "agent_id", "there is no such agent") : result;
}

/* An empty answer is not kept under an idempotency key, and is waited for (api/waiting.h). */
static enum db_result reply_calls(struct request *request, const struct fetched *fetched)
{
	struct json *json = reply_begin(request, 200);
	enum db_result result;

	json_begin_object(json, "data");
	json_begin_array(json, "calls");
	for (int i = 0; i < fetched->count; i++)
		payload_write_call(json, NULL, &fetched->calls[i], request->conf->public_url);
	json_end(json);
	json_end(json);
	result = reply_end(request);
	request->reply->passes = fetched->count == 0;
	return result;
}

enum db_result dispatches_claim(struct request *request)
{
	const struct fetch_input *input = request->input;
	struct fetched *fetched = arena_alloc(request->arena, sizeof *fetched);
	struct fetch fetch = {
		.who = { request->key.organization_id, input->agent_id },
		.limit = (int)input->limit,
		.lease_us = input->lease_seconds * US_PER_SECOND,
		.dispatch_ttl_us = request->conf->dispatch_ttl_seconds * US_PER_SECOND,
		.give_up_after_us = request->conf->call_give_up_after,
	};

	if (request->wait_until_us == 0)
		request->wait_until_us = clock_mono_us() + input->wait_seconds * US_PER_SECOND;
	DB_TRY(find_agent(request, &input->agent_id));
	DB_TRY(fetch_calls(request->db, &fetch, request->arena, fetched));
	return reply_calls(request, fetched);
}
