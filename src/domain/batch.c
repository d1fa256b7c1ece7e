#include "domain/batch.h"

#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/zone.h"
#include "domain/pace.h"

/* The gap between two contacts without pacing. */
#define PLAN_GAP_US US_PER_MS
#define MINUTES_PER_DAY 1440
#define EVERY_DAY 0x7f
#define TROUBLE_BEGINS "time zone "

const char *const batch_status_names[BATCH_STATUS__MAX + 1] = {
	"draft", "scheduled", "active", "paused", "completed", "failed", "cancelled", NULL,
};
const char *const rotation_names[ROTATION__MAX + 1] = { "random", "sequential", "round_robin", NULL };
const char *const contact_source_names[CONTACT_SOURCE__MAX + 1] = { "csv", "manual", "folder", "campaign", NULL };
const char *const contacts_position_names[CONTACTS_POSITION__MAX + 1] = { "end", "front", NULL };
const char *const schedule_type_names[SCHEDULE__MAX + 1] = { "immediate", "scheduled", NULL };

const char *const batch_action_names[BATCH_ACTION__MAX] = {
	"change",
	"add contacts to",
	"remove a contact from",
	"remove the contacts of",
	"schedule",
	"pause",
	"resume",
	"cancel",
	"delete",
	"start",
	"complete",
	"fail",
};

#define IN(status) (1u << BATCH_##status)
#define SAME (-1)

static const struct {
	unsigned allowed_in;
	int becomes;
} actions[BATCH_ACTION__MAX] = {
	[BATCH_CHANGE] = { IN(DRAFT) | IN(SCHEDULED) | IN(PAUSED) | IN(ACTIVE) | IN(FAILED), SAME },
	[BATCH_ADD_CONTACTS] = { IN(DRAFT) | IN(SCHEDULED) | IN(PAUSED) | IN(ACTIVE), SAME },
	[BATCH_REMOVE_CONTACT] = { IN(DRAFT) | IN(SCHEDULED) | IN(PAUSED) | IN(ACTIVE), SAME },
	[BATCH_REMOVE_CONTACTS] = { IN(DRAFT), SAME },
	[BATCH_SCHEDULE] = { IN(DRAFT) | IN(FAILED), BATCH_SCHEDULED },
	[BATCH_PAUSE] = { IN(SCHEDULED) | IN(ACTIVE), BATCH_PAUSED },
	[BATCH_RESUME] = { IN(PAUSED), BATCH_ACTIVE }, /* or scheduled, see batch_after */
	[BATCH_CANCEL] = { IN(DRAFT) | IN(SCHEDULED) | IN(ACTIVE) | IN(PAUSED), BATCH_CANCELLED },
	[BATCH_DELETE] = { IN(DRAFT) | IN(COMPLETED) | IN(FAILED) | IN(CANCELLED), BATCH_DELETED },
	[BATCH_START] = { IN(SCHEDULED), BATCH_ACTIVE },
	[BATCH_COMPLETE] = { IN(SCHEDULED) | IN(ACTIVE), BATCH_COMPLETED },
	[BATCH_FAIL] = { IN(SCHEDULED) | IN(ACTIVE), BATCH_FAILED },
};

bool batch_allows(enum batch_status status, enum batch_action action)
{
	return (actions[action].allowed_in & (1u << status)) != 0;
}

enum batch_status batch_after(enum batch_status status, enum batch_action action, bool start_ahead)
{
	if (action == BATCH_RESUME && start_ahead)
		return BATCH_SCHEDULED;
	return actions[action].becomes == SAME ? status : (enum batch_status)actions[action].becomes;
}

bool batch_is_running(enum batch_status status)
{
	return status == BATCH_SCHEDULED || status == BATCH_ACTIVE;
}

bool batch_has_plan(enum batch_status status)
{
	return batch_is_running(status) || status == BATCH_PAUSED;
}

bool batch_is_over(enum batch_status status)
{
	return status >= BATCH_COMPLETED;
}

bool batch_is_final(enum batch_status status)
{
	return batch_is_over(status) && status != BATCH_FAILED;
}

void batch_counts_settle(struct batch_counts *counts, enum batch_status status)
{
	int64_t waiting = counts->pending + counts->given_up;

	counts->cancelled -= counts->given_up;
	counts->pending = batch_is_over(status) ? 0 : waiting;
	counts->given_up = waiting - counts->pending;
	counts->cancelled += counts->given_up;
}

struct calendar batch_calendar(const struct batch_config *config, const char *zones)
{
	bool whole_day = config->window_start < 0;

	return (struct calendar){
		.zone = config->timezone,
		.zones = zones,
		.daily = {
			.days = config->working_days,
			.start = whole_day ? 0 : config->window_start,
			.end = whole_day ? MINUTES_PER_DAY : config->window_end,
		},
		.windows = config->calling_windows.items,
		.window_count = config->calling_windows.count,
		.excluded = config->excluded_dates.items,
		.excluded_count = config->excluded_dates.count,
	};
}

/* Returns when the campaign as a whole may call. Contacts with calendars of their own are ignored. */
static struct calendar whole_campaign(const struct batch_config *config)
{
	if (!config->respect_contact_timezone)
		return batch_calendar(config, NULL);
	return (struct calendar){ .zone = config->timezone, .daily = { .days = EVERY_DAY, .end = MINUTES_PER_DAY } };
}

struct plan_rules batch_plan_rules(const struct batch_config *config)
{
	return (struct plan_rules){
		.calendar = whole_campaign(config),
		.max_per_day = (int)config->max_calls_per_day,
		.gap_us = config->calls_per_minute == 0 ? PLAN_GAP_US : pace_gap_us(config->calls_per_minute),
	};
}

bool batch_write_zone_trouble(char out[BATCH_ZONE_TROUBLE], const struct calendar *calendar, int64_t waiting)
{
	char zone[ZONE_NAME_SIZE], count[64] = "";
	const char *trouble = calendar_trouble(calendar, zone);

	if (trouble == NULL)
		return false;
	if (waiting != 0)
		snprintf(count, sizeof count, " (%lld %s)", (long long)waiting,
		         waiting == 1 ? "contact waits" : "contacts wait");
	snprintf(out, BATCH_ZONE_TROUBLE, TROUBLE_BEGINS "%s cannot be read: %s%s", zone, trouble, count);
	return true;
}

bool batch_zone_trouble_is_over(const char *text)
{
	char zone[ZONE_NAME_SIZE];

	return sscanf(text, TROUBLE_BEGINS "%63s", zone) != 1 || zone_trouble(zone) == NULL;
}

struct retry_rules batch_retry_rules(const struct batch_config *config)
{
	return (struct retry_rules){
		.enabled = config->retry_failed,
		.max_attempts = (int)config->max_retry_attempts,
		.outcomes = config->retry_on,
		.delay_minutes = (int)config->retry_delay_minutes,
		.rules = config->retry_rules.items,
		.rule_count = config->retry_rules.count,
	};
}

static bool lists_differ(const struct field_list *a, const struct field_list *b, size_t item)
{
	return a->count != b->count || (a->count != 0 && memcmp(a->items, b->items, a->count * item) != 0);
}

bool batch_plan_differs(const struct batch_config *a, const struct batch_config *b)
{
	return a->scheduled_at.us != b->scheduled_at.us || strcmp(a->timezone, b->timezone) != 0 ||
	       a->window_start != b->window_start || a->window_end != b->window_end || a->working_days != b->working_days ||
	       a->max_calls_per_day != b->max_calls_per_day || a->calls_per_minute != b->calls_per_minute ||
	       a->respect_contact_timezone != b->respect_contact_timezone ||
	       lists_differ(&a->calling_windows, &b->calling_windows, sizeof(struct calling_window)) ||
	       lists_differ(&a->excluded_dates, &b->excluded_dates, sizeof(int32_t));
}

int rotation_pick(enum rotation rotation, int count, int64_t called, int64_t total, int64_t claimed,
                  uint32_t random_bits)
{
	int64_t share;

	switch (rotation) {
	case ROTATION_SEQUENTIAL: /* a number makes its share of the calls, then the next number follows */
		share = total > 0 ? called * count / total : 0;
		return (int)(share < count ? share : count - 1);
	case ROTATION_ROUND_ROBIN: return (int)(claimed % count);
	default: return (int)(((uint64_t)random_bits * (uint64_t)count) >> 32);
	}
}
