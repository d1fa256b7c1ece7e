#include "domain/call_json.h"

static int64_t ends_at(const struct call *call)
{
	bool is_taken = call->status != CALL_QUEUED && !call_has_ended(call->status);

	return is_taken ? call->wake_at_us : INSTANT_NONE;
}

void call_write(struct json *json, const void *item)
{
	const struct call *call = item;

	json_id(json, "id", &call->id);
	json_add_string(json, "status", call_status_names[call->status]);
	json_id(json, "agent_id", &call->agent_id);
	json_id(json, "batch_call_id", &call->batch_id);
	json_int(json, "position", call->position);
	json_int(json, "attempt", call->attempt);
	json_bool(json, "callback", call->is_callback);
	json_int(json, "dispatch_tries", call->tries);
	json_text(json, "first_name", call->first_name);
	json_text(json, "last_name", call->last_name);
	json_add_string(json, "phone_number", call->to_number);
	json_add_string(json, "from_number", call->from_number);
	json_instant(json, "scheduled_at", call->scheduled_at_us);
	json_instant(json, "created_at", call->called_at_us);
	json_instant(json, "expires_at", call->expires_at_us);
	json_instant(json, "dispatched_at", call->dispatched_at_us);
	json_instant(json, "answered_at", call->answered_at_us);
	json_instant(json, "reported_at", call->reported_at_us);
	json_instant(json, "ends_at", ends_at(call));
	json_instant(json, "ended_at", call->ended_at_us);
	json_count(json, "duration_seconds", call->duration_seconds);
	json_decimal4(json, "cost", call->cost_ten_thousandths);
	json_text(json, "outcome", call->outcome);
	json_text(json, "end_reason", call->end_reason);
	json_text(json, "recording_url", call->recording_url);
	json_text(json, "transcript_url", call->transcript_url);
	json_text(json, "summary", call->summary);
	json_instant(json, "call_back_at", call->call_back_at_us);
}
