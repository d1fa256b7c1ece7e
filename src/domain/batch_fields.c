/* The fields of a campaign: names, types, limits, defaults. */
#include <string.h>

#include "base/clock.h"
#include "domain/batch.h"
#include "domain/zone.h"

#define COUNT(array) (sizeof(array) / sizeof *(array))
#define AT(field) offsetof(struct batch_config, field)
#define WEEKDAYS 0x1f
#define MAX_EXCLUDED_DATES 300 /* 4,096 bytes of text in the database */

/* The outcomes that may be retried, and as which bit they are stored. */
static const char *const outcome_names[CALL_STATUS__MAX + 1] = {
	[CALL_QUEUED] = "", [CALL_DISPATCHED] = "", [CALL_RINGING] = "", [CALL_IN_PROGRESS] = "",
	[CALL_COMPLETED] = "", [CALL_FAILED] = "failed", [CALL_NO_ANSWER] = "no_answer",
	[CALL_BUSY] = "busy", [CALL_VOICEMAIL] = "voicemail",
};

/* The results by which contacts of another campaign are chosen. */
static const char *const result_names[CONTACT_STATUS__MAX + 1] = {
	[CONTACT_PENDING] = "", [CONTACT_SCHEDULED] = "", [CONTACT_IN_PROGRESS] = "",
	[CONTACT_COMPLETED] = "completed", [CONTACT_FAILED] = "failed", [CONTACT_VOICEMAIL] = "voicemail",
	[CONTACT_NO_ANSWER] = "no_answer", [CONTACT_BUSY] = "busy", [CONTACT_CANCELLED] = "cancelled",
	[CONTACT_SKIPPED] = "skipped",
};

static const struct batch_config batch_initial = {
	.name = "",
	.phone_rotation_strategy = ROTATION_RANDOM,
	.contact_source = CONTACT_SOURCE_CSV,
	.schedule_type = SCHEDULE_IMMEDIATE,
	.scheduled_at = { .us = INSTANT_NONE },
	.timezone = "UTC",
	.window_start = -1,
	.window_end = -1,
	.working_days = WEEKDAYS,
	.max_concurrent_calls = 10,
	.retry_on = CALL_BIT(CALL_FAILED) | CALL_BIT(CALL_NO_ANSWER) | CALL_BIT(CALL_BUSY),
	.retry_delay_minutes = 30,
	.metadata = "",
};

#define CONTACTS_FIELD                                                                        \
	{ .name = "contacts", .type = FIELD_RECORDS, .flags = FIELD_NULLABLE | FIELD_FIXED,   \
	  .offset = AT(contacts), .max = BATCH_MAX_CONTACTS_INLINE, .record = &contact_input_fields }
#define SCHEDULED_AT_FIELD                                                                    \
	{ .name = "scheduled_at", .type = FIELD_WHEN, .flags = FIELD_NULLABLE, .offset = AT(scheduled_at) }
#define TIMEZONE_FIELD                                                                        \
	{ .name = "timezone", .type = FIELD_STRING, .offset = AT(timezone), .min = 1, .max = 64, .check = zone_check }

static const struct field window_list[] = {
	{ .name = "days", .type = FIELD_WEEKDAYS, .flags = FIELD_REQUIRED, .offset = offsetof(struct calling_window, days) },
	{ .name = "start", .type = FIELD_TIME, .flags = FIELD_REQUIRED, .offset = offsetof(struct calling_window, start) },
	{ .name = "end", .type = FIELD_TIME, .flags = FIELD_REQUIRED, .offset = offsetof(struct calling_window, end) },
};

static const struct calling_window window_initial = { 0 };

static const struct field_table window_fields = {
	window_list, COUNT(window_list), sizeof(struct calling_window), &window_initial,
};

static const struct field batch_list[] = {
	{ .name = "name", .type = FIELD_STRING, .flags = FIELD_REQUIRED, .offset = AT(name), .min = 1, .max = 255 },
	{ .name = "agent_id", .type = FIELD_ID, .prefix = ID_AGENT, .flags = FIELD_REQUIRED | FIELD_FIXED, .offset = AT(agent_id) },
	{ .name = "phone_number_ids", .type = FIELD_IDS, .prefix = ID_NUMBER, .flags = FIELD_NULLABLE, .offset = AT(phone_number_ids),
	  .max = BATCH_MAX_NUMBERS },
	{ .name = "phone_rotation_strategy", .type = FIELD_CHOICE, .offset = AT(phone_rotation_strategy),
	  .choices = rotation_names },
	{ .name = "contact_source", .type = FIELD_CHOICE, .flags = FIELD_FIXED, .offset = AT(contact_source),
	  .choices = contact_source_names },
	{ .name = "contact_folder_id", .type = FIELD_ID, .prefix = ID_FOLDER, .flags = FIELD_NULLABLE | FIELD_FIXED,
	  .offset = AT(contact_folder_id) },
	{ .name = "source_campaign_id", .type = FIELD_ID, .prefix = ID_BATCH, .flags = FIELD_NULLABLE | FIELD_FIXED,
	  .offset = AT(source_campaign_id) },
	{ .name = "source_statuses", .type = FIELD_CHOICES, .flags = FIELD_NULLABLE | FIELD_FIXED,
	  .offset = AT(source_statuses), .min = 1, .max = CONTACT_STATUS__MAX, .choices = result_names },
	{ .name = "contact_ids", .type = FIELD_IDS, .prefix = ID_CONTACT, .flags = FIELD_NULLABLE | FIELD_FIXED, .offset = AT(contact_ids),
	  .max = BATCH_MAX_CONTACTS_INLINE },
	CONTACTS_FIELD,
	{ .name = "schedule_type", .type = FIELD_CHOICE, .offset = AT(schedule_type),
	  .choices = schedule_type_names },
	SCHEDULED_AT_FIELD,
	TIMEZONE_FIELD,
	{ .name = "start_time", .type = FIELD_TIME, .flags = FIELD_NULLABLE, .offset = AT(window_start) },
	{ .name = "end_time", .type = FIELD_TIME, .flags = FIELD_NULLABLE, .offset = AT(window_end) },
	{ .name = "working_days", .type = FIELD_WEEKDAYS, .offset = AT(working_days) },
	{ .name = "calling_windows", .type = FIELD_RECORDS, .flags = FIELD_NULLABLE, .offset = AT(calling_windows),
	  .max = CALENDAR_MAX_WINDOWS, .record = &window_fields },
	{ .name = "excluded_dates", .type = FIELD_DATES, .flags = FIELD_NULLABLE, .offset = AT(excluded_dates),
	  .max = MAX_EXCLUDED_DATES },
	{ .name = "respect_contact_timezone", .type = FIELD_BOOL, .offset = AT(respect_contact_timezone) },
	{ .name = "max_concurrent_calls", .type = FIELD_INT, .offset = AT(max_concurrent_calls), .min = 1, .max = 100 },
	{ .name = "max_calls_per_day", .type = FIELD_INT, .flags = FIELD_NULLABLE, .offset = AT(max_calls_per_day),
	  .min = 1, .max = INT32_MAX },
	{ .name = "calls_per_minute", .type = FIELD_INT, .flags = FIELD_NULLABLE, .offset = AT(calls_per_minute),
	  .min = 1, .max = 60000 },
	{ .name = "retry_failed", .type = FIELD_BOOL, .offset = AT(retry_failed) },
	{ .name = "max_retry_attempts", .type = FIELD_INT, .offset = AT(max_retry_attempts), .min = 0, .max = 3 },
	{ .name = "retry_on", .type = FIELD_CHOICES, .offset = AT(retry_on), .max = CALL_STATUS__MAX,
	  .choices = outcome_names },
	{ .name = "retry_delay_minutes", .type = FIELD_INT, .offset = AT(retry_delay_minutes), .min = 0, .max = 10080 },
	{ .name = "metadata", .type = FIELD_OBJECT, .flags = FIELD_NULLABLE, .offset = AT(metadata), .max = 65536 },
};

const struct field_table batch_fields = {
	batch_list, COUNT(batch_list), sizeof(struct batch_config), &batch_initial,
};

const char *batch_field_fixed_when_active(uint64_t given)
{
	static const char *const fixed[] = {
		"schedule_type", "scheduled_at", "timezone", "respect_contact_timezone", "metadata",
	};

	for (size_t i = 0; i < COUNT(batch_list); i++)
		for (size_t f = 0; f < COUNT(fixed); f++)
			if ((given & (UINT64_C(1) << i)) != 0 && strcmp(batch_list[i].name, fixed[f]) == 0)
				return fixed[f];
	return NULL;
}

static const struct field contacts_list[] = { CONTACTS_FIELD };

const struct field_table contacts_fields = {
	contacts_list, COUNT(contacts_list), sizeof(struct batch_config), &batch_initial,
};

static const struct field schedule_list[] = { SCHEDULED_AT_FIELD, TIMEZONE_FIELD };

const struct field_table schedule_fields = {
	schedule_list, COUNT(schedule_list), sizeof(struct batch_config), &batch_initial,
};

/* Two times of the day between which there is nothing. */
static bool is_empty(int start, int end)
{
	return start == end || (start == 1440 && end == 0);
}

static void settle_window(const struct batch_config *config, struct faults *faults)
{
	if (config->window_start < 0 && config->window_end >= 0)
		fault_add(faults, "start_time", "is required together with end_time");
	else if (config->window_start >= 0 && config->window_end < 0)
		fault_add(faults, "end_time", "is required together with start_time");
	else if (config->window_start >= 0 && is_empty(config->window_start, config->window_end))
		fault_add(faults, "end_time", "must differ from start_time");
}

/* The list stands in for the simple window. Its days are the working days, unless these are given as well. */
static void settle_windows(struct batch_config *config, bool windows_given, bool days_given, struct faults *faults)
{
	const struct calling_window *windows = config->calling_windows.items;
	unsigned days = 0;

	if (config->calling_windows.count == 0)
		return;
	if (config->window_start >= 0 || config->window_end >= 0)
		fault_add(faults, "calling_windows", "cannot be combined with start_time and end_time");
	for (size_t i = 0; i < config->calling_windows.count; i++) {
		if (is_empty(windows[i].start, windows[i].end))
			fault_add(faults, arena_printf(faults->arena, "calling_windows[%zu].end", i),
			          "must differ from start");
		days |= windows[i].days;
	}
	if (windows_given && !days_given)
		config->working_days = days;
	if ((config->working_days & days) == 0)
		fault_add(faults, "working_days", "has none of the days of calling_windows");
}

/* To be told "immediate" ends the wait for the instant that was set before. */
static void settle_start(struct batch_config *config, const struct field_table *table, uint64_t given,
                         struct faults *faults)
{
	bool is_scheduled = config->schedule_type == SCHEDULE_SCHEDULED;
	const char *trouble;

	if (!is_scheduled && field_is_given(table, given, "schedule_type") && !field_is_given(table, given, "scheduled_at"))
		config->scheduled_at.us = INSTANT_NONE;
	if (is_scheduled && config->scheduled_at.us == INSTANT_NONE)
		fault_add(faults, "scheduled_at", "is required when schedule_type is scheduled");
	if (config->scheduled_at.us == INSTANT_NONE || !config->scheduled_at.is_wall)
		return;
	if ((trouble = zone_trouble(config->timezone)) != NULL)
		fault_add(faults, "scheduled_at", "must include a UTC offset now, because the time zone %s cannot be read: %s",
		          config->timezone, trouble);
	else
		config->scheduled_at = (struct when){
			.us = zone_wall_to_utc(config->timezone, config->scheduled_at.us),
		};
	if (trouble == NULL && !instant_is_storable(config->scheduled_at.us))
		fault_add(faults, "scheduled_at", INSTANT_RANGE);
}

static void settle_source(const struct batch_config *config, enum contact_source source, const struct uuid *id,
                          const char *field, struct faults *faults)
{
	const char *name = contact_source_names[source];

	if (config->contact_source == (int)source && uuid_is_nil(id))
		fault_add(faults, field, "is required when contact_source is %s", name);
	if (config->contact_source != (int)source && !uuid_is_nil(id))
		fault_add(faults, field, "needs contact_source to be %s", name);
}

static void settle_sources(const struct batch_config *config, struct faults *faults)
{
	settle_source(config, CONTACT_SOURCE_FOLDER, &config->contact_folder_id, "contact_folder_id", faults);
	settle_source(config, CONTACT_SOURCE_CAMPAIGN, &config->source_campaign_id, "source_campaign_id", faults);
	if (config->contact_source != CONTACT_SOURCE_CAMPAIGN && config->source_statuses != 0)
		fault_add(faults, "source_statuses", "needs contact_source to be campaign");
}

void batch_config_settle(struct batch_config *config, const struct field_table *table, uint64_t given,
                         struct faults *faults)
{
	settle_window(config, faults);
	settle_windows(config, field_is_given(table, given, "calling_windows"),
	               field_is_given(table, given, "working_days"), faults);
	settle_sources(config, faults);
	settle_start(config, table, given, faults);
}

void batch_config_judge_start(const struct batch_config *config, int64_t before_us, int64_t now_us, struct faults *faults)
{
	int64_t start_us = config->scheduled_at.us;

	if (start_us != INSTANT_NONE && start_us != before_us && start_us < now_us - US_PER_DAY)
		fault_add(faults, "scheduled_at", "is more than a day ago");
}
