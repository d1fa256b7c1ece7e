#include "domain/batch_json.h"

#include <stdio.h>

static void write_ids(struct json *json, const char *key, const struct field_list *list)
{
	const struct uuid *ids = list->items;

	json_begin_array(json, key);
	for (size_t i = 0; i < list->count; i++)
		json_id(json, NULL, &ids[i]);
	json_end(json);
}

static void write_time_of_day(struct json *json, const char *key, int minutes)
{
	char text[16];

	snprintf(text, sizeof text, "%02d:%02d", minutes / 60, minutes % 60);
	json_add_string(json, key, minutes < 0 ? NULL : text);
}

static void write_weekdays(struct json *json, const char *key, unsigned days)
{
	json_begin_array(json, key);
	for (int day = 1; day <= 7; day++)
		if (days & (1u << (day - 1)))
			json_int(json, NULL, day);
	json_end(json);
}

static void write_windows(struct json *json, const char *key, const struct field_list *windows)
{
	const struct calling_window *window = windows->items;

	json_begin_array(json, key);
	for (size_t i = 0; i < windows->count; i++) {
		json_begin_object(json, NULL);
		write_weekdays(json, "days", window[i].days);
		write_time_of_day(json, "start", window[i].start);
		write_time_of_day(json, "end", window[i].end);
		json_end(json);
	}
	json_end(json);
}

static void write_dates(struct json *json, const char *key, const struct field_list *dates)
{
	const int32_t *days = dates->items;
	char text[11];

	json_begin_array(json, key);
	for (size_t i = 0; i < dates->count; i++) {
		date_format(days[i], text);
		json_add_string(json, NULL, text);
	}
	json_end(json);
}

static void write_outcomes(struct json *json, const char *key, unsigned outcomes)
{
	json_begin_array(json, key);
	for (int status = 0; status < CALL_STATUS__MAX; status++)
		if (outcomes & CALL_BIT(status))
			json_add_string(json, NULL, call_status_names[status]);
	json_end(json);
}

/* The results of the contacts that were copied; null: it copied all, or none. */
static void write_results(struct json *json, const char *key, unsigned statuses)
{
	if (statuses == 0) {
		json_add_null(json, key);
		return;
	}
	json_begin_array(json, key);
	for (int status = 0; status < CONTACT_STATUS__MAX; status++)
		if ((statuses & (1u << status)) != 0)
			json_add_string(json, NULL, contact_status_names[status]);
	json_end(json);
}

static void write_limit(struct json *json, const char *key, int64_t limit)
{
	if (limit == 0)
		json_add_null(json, key);
	else
		json_int(json, key, limit);
}

static void write_config(struct json *json, const struct batch_config *config)
{
	json_add_string(json, "name", config->name);
	json_id(json, "agent_id", &config->agent_id);
	write_ids(json, "phone_number_ids", &config->phone_number_ids);
	json_add_string(json, "phone_rotation_strategy", rotation_names[config->phone_rotation_strategy]);
	json_add_string(json, "contact_source", contact_source_names[config->contact_source]);
	json_id(json, "contact_folder_id", &config->contact_folder_id);
	json_id(json, "source_campaign_id", &config->source_campaign_id);
	write_results(json, "source_statuses", config->source_statuses);
	json_add_string(json, "schedule_type", schedule_type_names[config->schedule_type]);
	json_instant(json, "scheduled_at", config->scheduled_at.us);
	json_add_string(json, "timezone", config->timezone);
	write_time_of_day(json, "start_time", config->window_start);
	write_time_of_day(json, "end_time", config->window_end);
	write_weekdays(json, "working_days", config->working_days);
	write_windows(json, "calling_windows", &config->calling_windows);
	write_dates(json, "excluded_dates", &config->excluded_dates);
	json_bool(json, "respect_contact_timezone", config->respect_contact_timezone);
	json_int(json, "max_concurrent_calls", config->max_concurrent_calls);
	json_int(json, "concurrency", config->max_concurrent_calls);
	write_limit(json, "max_calls_per_day", config->max_calls_per_day);
	write_limit(json, "calls_per_minute", config->calls_per_minute);
	json_bool(json, "retry_failed", config->retry_failed);
	json_int(json, "max_retry_attempts", config->max_retry_attempts);
	json_int(json, "retry_attempts", config->max_retry_attempts);
	write_outcomes(json, "retry_on", config->retry_on);
	json_int(json, "retry_delay_minutes", config->retry_delay_minutes);
	json_raw(json, "metadata", config->metadata);
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

/* Why it is in its state, or why one that runs waits or is slower than it may be. */
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

/* What holds its next call, and how many calls may be in progress. */
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

void batch_write(struct json *json, const char *key, const struct batch *batch)
{
	json_begin_object(json, key);
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
	json_end(json);
}
