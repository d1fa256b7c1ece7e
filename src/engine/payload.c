#include "engine/payload.h"

#include <stdio.h>

#include "base/clock.h"
#include "base/json.h"
#include "domain/event.h"
#include "domain/report_token.h"

static void write_agent(struct json *json, const struct agent *agent)
{
	json_begin_object(json, "agent");
	json_id(json, "id", &agent->uuid);
	json_add_string(json, "name", agent->name);
	json_text(json, "voice_id", agent->voice_id);
	json_text(json, "system_prompt", agent->system_prompt);
	json_text(json, "greeting", agent->greeting);
	json_text(json, "language_hint", agent->language_hint);
	json_raw(json, "settings", agent->settings);
	json_end(json);
}

static const char *object_or_empty(const char *json_object)
{
	return *json_object != '\0' ? json_object : "{}";
}

static void write_contact(struct json *json, const struct requested_call *call)
{
	if (call->batch_status < 0) {
		json_add_null(json, "contact");
		return;
	}
	json_begin_object(json, "contact");
	json_int(json, "position", call->position);
	json_add_string(json, "phone_number", call->to_number);
	json_text(json, "first_name", call->contact.first_name);
	json_text(json, "last_name", call->contact.last_name);
	json_text(json, "email", call->contact.email);
	json_text(json, "timezone", call->contact.timezone);
	json_raw(json, "custom_fields", object_or_empty(call->contact.custom_fields));
	json_end(json);
}

void payload_write_call(struct json *json, const char *key, const struct requested_call *call, const char *public_url)
{
	char id[UUID_TEXT], status_url[1200], report_token[REPORT_TOKEN_TEXT];

	uuid_format(&call->id, id);
	snprintf(status_url, sizeof status_url, "%s/api/public/v1/calls/%s/status", public_url, id);
	json_begin_object(json, key);
	json_id(json, "call_id", &call->id);
	json_int(json, "attempt", call->attempt);
	json_bool(json, "callback", call->is_callback);
	json_add_string(json, "to", call->to_number);
	json_add_string(json, "from", call->from_number);
	write_agent(json, &call->agent);
	json_id(json, "batch_call_id", &call->batch_id);
	write_contact(json, call);
	json_raw(json, "variables",
	         object_or_empty(call->batch_status < 0 ? call->variables : call->contact.custom_fields));
	json_raw(json, "call_settings", object_or_empty(call->call_settings));
	json_add_string(json, "status_url", status_url);
	report_token_text(&call->id, report_token);
	json_add_string(json, "report_token", report_token);
	json_instant(json, "expires_at", call->expires_at_us);
	json_end(json);
}

void payload_call_requested(struct buf *out, const struct requested_call *call, const char *public_url)
{
	struct buf data = { 0 };
	struct json json = json_to(&data);

	payload_write_call(&json, NULL, call, public_url);
	payload_frame(out, &call->id, event_names[EVENT_CALL_REQUESTED], clock_now_us(), data.data);
	buf_free(&data);
}

void payload_frame(struct buf *out, const struct uuid *id, const char *type, int64_t timestamp_us, const char *data)
{
	struct json json = json_to(out);

	json_begin_object(&json, NULL);
	json_id(&json, "id", id);
	json_add_string(&json, "type", type);
	json_instant(&json, "timestamp", timestamp_us);
	json_raw(&json, "data", data);
	json_end(&json);
}
