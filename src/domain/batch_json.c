#include "domain/batch_json.h"

#include <stdio.h>

static void write_config(struct json *json, const struct batch_config *config)
{
	field_write(json, &batch_fields, config);
	json_int(json, "concurrency", config->max_concurrent_calls);
	json_int(json, "retry_attempts", config->max_retry_attempts);
}

void batch_write_counts(struct json *json, const struct batch_counts *counts)
{
	json_int(json, "total_contacts", counts->total);
	json_int(json, "called", counts->called);
	json_int(json, "pending", counts->pending);
	json_int(json, "in_progress", counts->in_progress);
	json_int(json, "completed", counts->completed);
	json_int(json, "failed", counts->failed);
	json_int(json, "voicemail", counts->voicemail);
	json_int(json, "no_answer", counts->no_answer);
	json_int(json, "busy", counts->busy);
	json_int(json, "cancelled", counts->cancelled);
	json_int(json, "skipped", counts->skipped);
}

static bool waits_for_zone(const struct batch *batch)
{
	return *batch->zone_trouble != '\0' && (batch_is_running(batch->status) || batch->status == BATCH_PAUSED);
}

/* Writes why the campaign is in its state, or why a running campaign waits or is slowed down. */
static void write_reason(struct json *json, const struct batch *batch)
{
	static const char *const waits[BATCH_WAIT__MAX] = {
		[BATCH_WAITS_FOR_WEBHOOK] = "waits for the dialer: its webhook is switched off",
		[BATCH_WAITS_FOR_SYNC] = "waits for the agent: its dialer has not taken agent.sync yet",
		[BATCH_WAITS_FOR_AGENT] = "waits for the agent, which has failed: see its status_reason",
	};
	char text[BATCH_ZONE_TROUBLE] = "";

	if (batch->work == BATCH_WORK_COPY)
		snprintf(text, sizeof text, "contacts are being copied");
	else if (waits_for_zone(batch))
		snprintf(text, sizeof text, "%s", batch->zone_trouble);
	else if (batch_is_running(batch->status) && batch->waits_for != BATCH_WAITS_NOT)
		snprintf(text, sizeof text, "%s", waits[batch->waits_for]);
	else if (batch_is_running(batch->status) && batch->dialer_places != 0)
		snprintf(text, sizeof text, "dialer asks to slow down: %d of %d places", (int)batch->dialer_places,
		         (int)batch->config.max_concurrent_calls);
	json_text(json, "status_reason", *batch->status_reason != '\0' ? batch->status_reason : text);
}

/* Writes what holds the next call, and how many calls may be in progress. */
static void write_hold(struct json *json, const struct batch *batch)
{
	bool runs = batch_is_running(batch->status);
	int64_t places = batch->config.max_concurrent_calls;

	if (runs && batch->dialer_places != 0 && batch->dialer_places < places)
		places = batch->dialer_places;
	json_text(json, "held_by", runs ? batch->held_by : "");
	json_instant(json, "held_until", runs ? batch->held_until_us : INSTANT_NONE);
	json_int(json, "places", places);
}

void batch_write(struct json *json, const void *item)
{
	const struct batch *batch = item;

	json_id(json, "id", &batch->uuid);
	json_add_string(json, "status", batch_status_names[batch->status]);
	write_reason(json, batch);
	write_hold(json, batch);
	write_config(json, &batch->config);
	json_text(json, "from_number", batch->from_number);
	batch_write_counts(json, &batch->counts);
	json_instant(json, "planned_from", batch->planned_from_us);
	json_instant(json, "planned_until", batch->planned_until_us);
	json_instant(json, "started_at", batch->started_at_us);
	json_instant(json, "completed_at", batch->completed_at_us);
	json_instant(json, "created_at", batch->created_at_us);
	json_instant(json, "updated_at", batch->updated_at_us);
}
