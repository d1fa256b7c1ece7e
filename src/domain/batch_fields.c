/* The fields of a campaign: names, types, limits, defaults. */
#include "base/clock.h"
#include "base/zone.h"
#include "domain/batch.h"
#include "domain/calling_hours.h"

#define WORKING_DAYS 0x1f
#define MAX_RETRY_DELAY 10080  /* minutes */
#define MAX_EXCLUDED_DATES 300 /* their JSON must fit into 4,096 bytes */

/* The outcomes that may be retried. The index of a name is the number of the bit that is stored. */
static const char *const outcome_names[CALL_STATUS__MAX + 1] = {
	[CALL_QUEUED] = "",
	[CALL_DISPATCHED] = "",
	[CALL_RINGING] = "",
	[CALL_IN_PROGRESS] = "",
	[CALL_COMPLETED] = "",
	[CALL_FAILED] = "failed",
	[CALL_NO_ANSWER] = "no_answer",
	[CALL_BUSY] = "busy",
	[CALL_VOICEMAIL] = "voicemail",
};

/* The results by which the contacts of another campaign are selected. The index of a name is the number of its bit. */
static const char *const result_names[CONTACT_STATUS__MAX + 1] = {
	[CONTACT_PENDING] = "",
	[CONTACT_SCHEDULED] = "",
	[CONTACT_IN_PROGRESS] = "",
	[CONTACT_COMPLETED] = "completed",
	[CONTACT_FAILED] = "failed",
	[CONTACT_VOICEMAIL] = "voicemail",
	[CONTACT_NO_ANSWER] = "no_answer",
	[CONTACT_BUSY] = "busy",
	[CONTACT_CANCELLED] = "cancelled",
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
	.working_days = WORKING_DAYS,
	.max_concurrent_calls = 10,
	.retry_on = CALL_BIT(CALL_FAILED) | CALL_BIT(CALL_NO_ANSWER) | CALL_BIT(CALL_BUSY),
	.retry_delay_minutes = 30,
	.calling_hours = "",
	.metadata = "",
};

#define CONFIG(member, kind, ...) FIELD(struct batch_config, member, kind, __VA_ARGS__)
#define NULLABLE .flags = FIELD_NULLABLE
#define FIXED .flags = FIELD_NULLABLE | FIELD_FIXED
#define UNSHOWN .flags = FIELD_NULLABLE | FIELD_FIXED | FIELD_UNSHOWN
#define FIXED_WHEN_ACTIVE .flags = FIELD_FIXED_WHEN_ACTIVE

#define CONTACTS_FIELD \
	CONFIG(contacts, RECORDS, UNSHOWN, .max = BATCH_MAX_CONTACTS_INLINE, .record = &contact_input_fields)
#define SCHEDULED_AT_FIELD CONFIG(scheduled_at, WHEN, .flags = FIELD_NULLABLE | FIELD_FIXED_WHEN_ACTIVE)
#define TIMEZONE_FIELD CONFIG(timezone, STRING, FIXED_WHEN_ACTIVE, .min = 1, .max = 64, .check = zone_check)

static const struct retry_rule rule_initial = { 0 };

static FIELD_TABLE(rule_fields, struct retry_rule, &rule_initial,
                   FIELD(struct retry_rule, outcome, CHOICE, .flags = FIELD_REQUIRED, .choices = outcome_names),
                   FIELD(struct retry_rule, delay_minutes, INT, .flags = FIELD_REQUIRED, .max = MAX_RETRY_DELAY),
                   FIELD(struct retry_rule, max_attempts, INT, .flags = FIELD_REQUIRED,
                         .max = CALL_RETRY_RULE_ATTEMPTS));

FIELD_TABLE(batch_fields, struct batch_config, &batch_initial,
            CONFIG(name, STRING, .flags = FIELD_REQUIRED, .min = 1, .max = 255),
            CONFIG(agent_id, ID, .prefix = ID_AGENT, .flags = FIELD_REQUIRED | FIELD_FIXED),
            CONFIG(phone_number_ids, IDS, .prefix = ID_NUMBER, NULLABLE, .max = BATCH_MAX_NUMBERS),
            CONFIG(phone_rotation_strategy, CHOICE, .choices = rotation_names),
            CONFIG(contact_source, CHOICE, .flags = FIELD_FIXED, .choices = contact_source_names),
            CONFIG(contact_folder_id, ID, .prefix = ID_FOLDER, FIXED),
            CONFIG(source_campaign_id, ID, .prefix = ID_BATCH, FIXED),
            CONFIG(source_statuses, CHOICES, FIXED, .min = 1, .max = CONTACT_STATUS__MAX, .choices = result_names),
            CONFIG(contact_ids, IDS, .prefix = ID_CONTACT, UNSHOWN, .max = BATCH_MAX_CONTACTS_INLINE), CONTACTS_FIELD,
            CONFIG(schedule_type, CHOICE, FIXED_WHEN_ACTIVE, .choices = schedule_type_names), SCHEDULED_AT_FIELD,
            TIMEZONE_FIELD, FIELD_AS("start_time", struct batch_config, window_start, TIME, NULLABLE),
            FIELD_AS("end_time", struct batch_config, window_end, TIME, NULLABLE), CONFIG(working_days, WEEKDAYS),
            CONFIG(calling_windows, RECORDS, NULLABLE, .max = CALENDAR_MAX_WINDOWS, .record = &calling_window_fields),
            CONFIG(calling_hours, STRING, UNSHOWN, .min = 1, .max = CALLING_HOURS_NAME_MAX,
                   .check = calling_hours_check),
            CONFIG(excluded_dates, DATES, NULLABLE, .max = MAX_EXCLUDED_DATES),
            CONFIG(respect_contact_timezone, BOOL, FIXED_WHEN_ACTIVE),
            CONFIG(max_concurrent_calls, INT, .min = 1, .max = 100),
            CONFIG(max_calls_per_day, INT, NULLABLE, .min = 1, .max = INT32_MAX),
            CONFIG(calls_per_minute, INT, NULLABLE, .min = 1, .max = 60000), CONFIG(retry_failed, BOOL),
            CONFIG(max_retry_attempts, INT, .min = 0, .max = 3),
            CONFIG(retry_on, CHOICES, .max = CALL_STATUS__MAX, .choices = outcome_names),
            CONFIG(retry_delay_minutes, INT, .min = 0, .max = MAX_RETRY_DELAY),
            CONFIG(retry_rules, RECORDS, NULLABLE, .max = CALL_RETRY_RULES_MAX, .record = &rule_fields),
            CONFIG(metadata, OBJECT, .flags = FIELD_NULLABLE | FIELD_FIXED_WHEN_ACTIVE, .max = 65536));

const char *batch_field_fixed_when_active(uint64_t given)
{
	for (size_t i = 0; i < batch_fields.count; i++)
		if ((given & (UINT64_C(1) << i)) != 0 && (batch_fields.fields[i].flags & FIELD_FIXED_WHEN_ACTIVE) != 0)
			return batch_fields.fields[i].name;
	return NULL;
}

FIELD_TABLE(contacts_fields, struct batch_config, &batch_initial, CONTACTS_FIELD,
            FIELD_AS("position", struct batch_config, contacts_position, CHOICE, .choices = contacts_position_names));
FIELD_TABLE(schedule_fields, struct batch_config, &batch_initial, SCHEDULED_AT_FIELD, TIMEZONE_FIELD);

static void settle_window(const struct batch_config *config, struct faults *faults)
{
	if (config->window_start < 0 && config->window_end >= 0)
		fault_add(faults, "start_time", "is required together with end_time");
	else if (config->window_start >= 0 && config->window_end < 0)
		fault_add(faults, "end_time", "is required together with start_time");
	else if (config->window_start >= 0 && calling_window_is_empty(config->window_start, config->window_end))
		fault_add(faults, "end_time", "must differ from start_time");
}

/* A list of windows replaces start_time and end_time. If working_days is not given too, the days of the windows become
 * the working days. */
static void settle_windows(struct batch_config *config, bool windows_given, bool days_given, struct faults *faults)
{
	const struct calling_window *windows = config->calling_windows.items;
	unsigned days = 0;

	if (config->calling_windows.count == 0)
		return;
	if (config->window_start >= 0 || config->window_end >= 0)
		fault_add(faults, "calling_windows", "cannot be combined with start_time and end_time");
	calling_windows_settle(&config->calling_windows, "calling_windows", faults);
	for (size_t i = 0; i < config->calling_windows.count; i++)
		days |= windows[i].days;
	if (windows_given && !days_given)
		config->working_days = days;
	if ((config->working_days & days) == 0)
		fault_add(faults, "working_days", "has none of the days of calling_windows");
}

/* Each outcome has at most one rule. Rules without retry_failed are a fault, because they would have no effect. */
static void settle_retries(const struct batch_config *config, struct faults *faults)
{
	const struct retry_rule *rules = config->retry_rules.items;
	unsigned seen = 0;

	if (config->retry_rules.count != 0 && !config->retry_failed)
		fault_add(faults, "retry_rules", "needs retry_failed to be true");
	for (size_t i = 0; i < config->retry_rules.count; i++) {
		if ((seen & CALL_BIT(rules[i].outcome)) != 0)
			fault_add(faults, arena_printf(faults->arena, "retry_rules[%zu].outcome", i), "has a rule already");
		seen |= CALL_BIT(rules[i].outcome);
	}
}

/* The schedule type "immediate" removes a start that was set before. A start in wall time becomes an instant. */
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
	settle_retries(config, faults);
	settle_start(config, table, given, faults);
}

void batch_config_judge_start(const struct batch_config *config, int64_t before_us, int64_t now_us,
                              struct faults *faults)
{
	int64_t start_us = config->scheduled_at.us;

	if (start_us != INSTANT_NONE && start_us != before_us && start_us < now_us - US_PER_DAY)
		fault_add(faults, "scheduled_at", "is more than a day ago");
}
