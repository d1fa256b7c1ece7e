#include "domain/gate_json.h"

#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/instant.h"
#include "domain/zone.h"

static void write_state(struct json *json, const struct gate_facts *facts)
{
	json_add_string(json, "status", batch_status_names[facts->status]);
}

static void write_start(struct json *json, const struct gate_facts *facts)
{
	json_instant(json, "starts_at", facts->start_at_us);
}

static void write_number(struct json *json, const struct gate_facts *facts)
{
	json_bool(json, "has_number", facts->has_number);
}

static void write_dialer(struct json *json, const struct gate_facts *facts)
{
	json_bool(json, "has_dialer", facts->has_dialer);
}

static void write_date(struct json *json, const char *key, int32_t day)
{
	char date[11];

	date_format(day, date);
	json_add_string(json, key, date);
}

static bool is_excluded(const struct calendar *calendar, int32_t day)
{
	for (size_t i = 0; i < calendar->excluded_count; i++)
		if (calendar->excluded[i] == day)
			return true;
	return false;
}

static bool is_working_day(const struct calendar *calendar, int32_t day)
{
	unsigned days = calendar->window_count == 0 ? calendar->daily.days : 0;

	for (size_t i = 0; i < calendar->window_count; i++)
		days |= calendar->windows[i].days;
	return (days >> (civil_weekday(day) - 1) & 1) != 0;
}

static void write_unknown_local(struct json *json)
{
	static const char *const members[] = { "local_date", "local_time", "is_working_day", "is_excluded_date" };

	for (size_t i = 0; i < sizeof members / sizeof *members; i++)
		json_add_null(json, members[i]);
}

/* The date and time in a zone, and what is to be said of that day. */
static void write_local(struct json *json, const char *zone, const struct calendar *calendar, int64_t now_us)
{
	int64_t wall_us;
	int32_t day;
	int minute;
	char time[16];

	json_add_string(json, "timezone", zone);
	if (zone_trouble(zone) != NULL) {
		write_unknown_local(json);
		return;
	}
	wall_us = zone_utc_to_wall(zone, now_us);
	day = civil_day_of(wall_us);
	minute = (int)((wall_us - day * US_PER_DAY) / US_PER_MINUTE);
	snprintf(time, sizeof time, "%02d:%02d", minute / 60, minute % 60);
	write_date(json, "local_date", day);
	json_add_string(json, "local_time", time);
	json_bool(json, "is_working_day", is_working_day(calendar, day));
	json_bool(json, "is_excluded_date", is_excluded(calendar, day));
}

/* The span of callable time that is open or comes next. */
static void write_span(struct json *json, const struct span *span)
{
	json_instant(json, "callable_from", span->from_us);
	json_instant(json, "callable_until", span->until_us);
}

/* Which zone cannot be read, and why. */
static void write_trouble(struct json *json, const struct calendar *calendar, enum calendar_answer answer)
{
	char zone[ZONE_NAME_SIZE];
	const char *trouble = answer == CALENDAR_UNREADABLE ? calendar_trouble(calendar, zone) : NULL;

	json_bool(json, "is_readable", answer != CALENDAR_UNREADABLE);
	json_add_string(json, "unreadable", trouble == NULL ? NULL : zone);
	json_add_string(json, "trouble", trouble);
}

static void write_time_zone(struct json *json, const struct gate_facts *facts)
{
	write_trouble(json, &facts->calendar, facts->answer);
}

static void write_contact_time_zone(struct json *json, const struct gate_facts *facts)
{
	write_trouble(json, &facts->contact_calendar, facts->contact_answer);
}

static void write_window(struct json *json, const struct gate_facts *facts)
{
	write_local(json, facts->calendar.zone, &facts->calendar, facts->now_us);
	write_span(json, &facts->span);
}

/* Every zone in which the contact's window is read. */
static void write_contact_window(struct json *json, const struct gate_facts *facts)
{
	const struct calendar *calendar = &facts->contact_calendar;
	const char *rest = calendar->zones != NULL ? calendar->zones : calendar->zone;

	json_begin_array(json, "zones");
	while (*rest != '\0') {
		int len = (int)strcspn(rest, " ");
		char zone[64];

		snprintf(zone, sizeof zone, "%.*s", len, rest);
		json_begin_object(json, NULL);
		write_local(json, zone, calendar, facts->now_us);
		json_end(json);
		rest += len + (rest[len] == ' ');
	}
	json_end(json);
	write_span(json, &facts->contact_span);
}

static void write_limit(struct json *json, const char *key, int64_t limit)
{
	if (limit == 0 || limit == INT64_MAX)
		json_add_null(json, key);
	else
		json_int(json, key, limit);
}

static void write_daily_cap(struct json *json, const struct gate_facts *facts)
{
	write_limit(json, "max_calls_per_day", facts->max_per_day);
	write_date(json, "local_date", facts->span.day);
	json_int(json, "calls", gate_day_calls(facts));
}

static void write_pacing(struct json *json, const struct gate_facts *facts)
{
	json_bool(json, "is_paced", facts->pace.gap_us != 0);
	json_instant(json, "next_call_at", facts->pace.gap_us != 0 ? facts->pace.at_us : INSTANT_NONE);
}

static void write_number_pacing(struct json *json, const struct gate_facts *facts)
{
	write_limit(json, "calls_now", gate_room(GATE_NUMBER_PACING, facts));
}

static void write_places(struct json *json, const struct gate_facts *facts)
{
	json_int(json, "free_places", facts->free_places < 0 ? 0 : facts->free_places);
}

static void write_agent(struct json *json, const struct gate_facts *facts)
{
	json_bool(json, "is_ready", !facts->agent_waits);
}

static void write_dialer_health(struct json *json, const struct gate_facts *facts)
{
	json_instant(json, "left_alone_until", facts->dialer_opens_at_us > facts->now_us ? facts->dialer_opens_at_us : INSTANT_NONE);
}

static void write_dialer_room(struct json *json, const struct gate_facts *facts)
{
	json_bool(json, "takes_calls", facts->dialer_room > 0);
}

static void write_due(struct json *json, const struct gate_facts *facts)
{
	json_instant(json, "scheduled_at", facts->due_at_us);
}

static void write_do_not_call(struct json *json, const struct gate_facts *facts)
{
	json_bool(json, "is_listed", facts->do_not_call);
}

static void write_contact_limits(struct json *json, const struct gate_facts *facts)
{
	json_instant(json, "free_at", facts->limits_open_at_us);
}

static void (*const writers[GATE__MAX])(struct json *json, const struct gate_facts *facts) = {
	[GATE_STATE] = write_state,
	[GATE_START] = write_start,
	[GATE_NUMBER] = write_number,
	[GATE_DIALER] = write_dialer,
	[GATE_TIME_ZONE] = write_time_zone,
	[GATE_WINDOW] = write_window,
	[GATE_DAILY_CAP] = write_daily_cap,
	[GATE_PACING] = write_pacing,
	[GATE_NUMBER_PACING] = write_number_pacing,
	[GATE_PLACES] = write_places,
	[GATE_AGENT] = write_agent,
	[GATE_DIALER_HEALTH] = write_dialer_health,
	[GATE_DIALER_ROOM] = write_dialer_room,
	[GATE_DUE] = write_due,
	[GATE_DO_NOT_CALL] = write_do_not_call,
	[GATE_CONTACT_TIME_ZONE] = write_contact_time_zone,
	[GATE_CONTACT_WINDOW] = write_contact_window,
	[GATE_CONTACT_LIMITS] = write_contact_limits,
};

static void detail_number_pacing(struct json *json, const struct gate_details *details)
{
	json_add_string(json, "phone_number", details->next_number);
	json_instant(json, "next_call_at", details->next_number != NULL ? details->next_number_at_us : INSTANT_NONE);
}

static void detail_places(struct json *json, const struct gate_details *details)
{
	json_int(json, "places", details->places);
	json_int(json, "in_progress", details->in_progress);
	write_limit(json, "dialer_limit", details->dialer_places);
	json_instant(json, "oldest_call_at", details->oldest_call_at_us);
}

static void detail_dialer(struct json *json, const struct gate_details *details)
{
	json_id(json, "webhook_id", &details->webhook_id);
	json_instant(json, "failing_since", details->failing_since_us);
	json_text(json, "error", details->dialer_error);
}

static void detail_do_not_call(struct json *json, const struct gate_details *details)
{
	json_text(json, "reason", details->do_not_call_reason);
	json_instant(json, "since", details->do_not_call_since_us);
}

/* The limit that holds the number, and how often it was called within the period of the limit. */
static void detail_contact_limits(struct json *json, const struct gate_details *details)
{
	const struct contact_limit *limit = details->limit.limit;

	write_limit(json, "max_attempts", limit == NULL ? 0 : limit->max_attempts);
	write_limit(json, "period_hours", limit == NULL ? 0 : limit->period_hours);
	write_limit(json, "period_days", limit == NULL ? 0 : limit->period_days);
	write_limit(json, "attempts", limit == NULL ? 0 : details->limit.attempts);
	write_limit(json, "rest_hours_after_conversation", details->limit.rests ? details->rest_hours : 0);
}

static void (*const detail_writers[GATE__MAX])(struct json *json, const struct gate_details *details) = {
	[GATE_NUMBER_PACING] = detail_number_pacing,
	[GATE_PLACES] = detail_places,
	[GATE_DIALER_HEALTH] = detail_dialer,
	[GATE_DIALER_ROOM] = detail_dialer,
	[GATE_DO_NOT_CALL] = detail_do_not_call,
	[GATE_CONTACT_LIMITS] = detail_contact_limits,
};

void gate_write_facts(struct json *json, const char *key, enum gate gate, const struct gate_facts *facts,
                      const struct gate_details *details)
{
	json_begin_object(json, key);
	writers[gate](json, facts);
	if (detail_writers[gate] != NULL)
		detail_writers[gate](json, details);
	json_end(json);
}
