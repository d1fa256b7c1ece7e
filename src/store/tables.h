/* Lists of columns that are both read and written: C(kind, column, member), where kind is COLUMN, INSTANT or a form
 * (WINDOWS, DATES, RETRIES: store/batch_store.h). Statements make parts of their texts from a list (AS_NAME, AS_MARK
 * and AS_SET of statements.def). Stores make columns from it, for reading and for db_members: OF_AGENT(kind, name,
 * member) kind##_AS(struct agent, name, member), */
#ifndef STORE_TABLES_H
#define STORE_TABLES_H

#define AGENT_TABLE(C) \
	C(COLUMN, name, name) \
	C(COLUMN, description, description) \
	C(COLUMN, voice_id, voice_id) \
	C(COLUMN, system_prompt, system_prompt) \
	C(COLUMN, greeting, greeting) \
	C(COLUMN, language_hint, language_hint) \
	C(COLUMN, settings, settings) \
	C(COLUMN, max_call_seconds, max_call_duration_seconds) \
	C(COLUMN, status, status) \
	C(COLUMN, status_reason, status_reason) \
	C(INSTANT, updated_at, updated_at_us)

#define WEBHOOK_TABLE(C) \
	C(COLUMN, url, url) \
	C(COLUMN, description, description) \
	C(COLUMN, events, events) \
	C(COLUMN, disabled, disabled) \
	C(COLUMN, disabled_reason, disabled_reason)

#define AUDIT_TABLE(C) \
	C(COLUMN, organization_id, organization_id) \
	C(COLUMN, object, object) \
	C(COLUMN, action, action) \
	C(COLUMN, object_id, object_id) \
	C(COLUMN, key_id, key_row) \
	C(COLUMN, from_status, from_status) \
	C(COLUMN, to_status, to_status) \
	C(INSTANT, happened_at, happened_at_us) \
	C(COLUMN, reason, reason) \
	C(COLUMN, changes, changes) \
	C(COLUMN, address, address) \
	C(COLUMN, operator_name, operator_name)

#define FOLDER_TABLE(C) \
	C(COLUMN, name, name) \
	C(COLUMN, description, description)

#define CONTACT_TABLE(C) \
	C(COLUMN, folder_id, folder_row) \
	C(COLUMN, phone_number, who.phone_number) \
	C(COLUMN, first_name, who.first_name) \
	C(COLUMN, last_name, who.last_name) \
	C(COLUMN, email, who.email) \
	C(COLUMN, timezone, who.timezone) \
	C(COLUMN, custom_fields, who.custom_fields)

/* Members of struct batch_config. SOURCE_TABLE is written once, when the campaign is created. */
#define CALENDAR_TABLE(C) \
	C(COLUMN, timezone, timezone) \
	C(COLUMN, window_start, window_start) \
	C(COLUMN, window_end, window_end) \
	C(COLUMN, working_days, working_days) \
	C(WINDOWS, calling_windows, calling_windows) \
	C(DATES, excluded_dates, excluded_dates) \
	C(COLUMN, respect_contact_timezone, respect_contact_timezone)

#define SOURCE_TABLE(C) \
	C(COLUMN, contact_source, contact_source) \
	C(COLUMN, contact_folder_id, contact_folder_id) \
	C(COLUMN, source_campaign_id, source_campaign_id) \
	C(COLUMN, source_statuses, source_statuses)

#define RETRY_TABLE(C) \
	C(COLUMN, retry_failed, retry_failed) \
	C(COLUMN, max_retry_attempts, max_retry_attempts) \
	C(COLUMN, retry_on, retry_on) \
	C(COLUMN, retry_delay_minutes, retry_delay_minutes) \
	C(RETRIES, retry_rules, retry_rules)

#define CAMPAIGN_TABLE(C) \
	C(COLUMN, name, name) \
	C(COLUMN, phone_rotation_strategy, phone_rotation_strategy) \
	C(COLUMN, schedule_type, schedule_type) \
	C(INSTANT, scheduled_at, scheduled_at.us) \
	CALENDAR_TABLE(C) \
	C(COLUMN, max_concurrent_calls, max_concurrent_calls) \
	C(COLUMN, max_calls_per_day, max_calls_per_day) \
	C(COLUMN, calls_per_minute, calls_per_minute) \
	RETRY_TABLE(C) \
	C(COLUMN, metadata, metadata)

#endif
