#include "domain/gate.h"

#include <stddef.h>

#include "base/field.h"
#include "domain/calendar_json.h"

/* One gate. It lets through as many calls as `room` says; or all or none, by a flag; or none before an instant. */
struct gate_row {
	const char *name;
	int64_t (*room)(const struct gate_facts *);
	size_t shut_if, shut_unless; /* a flag of the facts; 0: none */
	size_t opens;                /* the instant of the facts at which it opens; 0: it waits for an event */
	int64_t (*opens_at)(const struct gate_facts *); /* or a function that works it out */
	/* What "why" says about it: members of the facts and of the details, and members that have to be worked out. */
	struct field_table facts, details;
	void (*write)(struct json *json, const struct gate_facts *facts);
	void (*write_details)(struct json *json, const struct gate_details *details);
};

static int64_t all_or_none(bool open)
{
	return open ? INT64_MAX : 0;
}

static int64_t state_room(const struct gate_facts *facts)
{
	return all_or_none(batch_is_running(facts->status));
}

static void write_state(struct json *json, const struct gate_facts *facts)
{
	json_add_string(json, "status", batch_status_names[facts->status]);
}

static int64_t time_zone_room(const struct gate_facts *facts)
{
	return all_or_none(facts->answer != CALENDAR_UNREADABLE);
}

static int64_t contact_time_zone_room(const struct gate_facts *facts)
{
	return all_or_none(facts->contact_answer != CALENDAR_UNREADABLE);
}

static void write_time_zone(struct json *json, const struct gate_facts *facts)
{
	calendar_write_trouble(json, &facts->calendar, facts->answer);
}

static void write_contact_time_zone(struct json *json, const struct gate_facts *facts)
{
	calendar_write_trouble(json, &facts->contact_calendar, facts->contact_answer);
}

static int64_t span_room(const struct span *span, int64_t now_us)
{
	return all_or_none(span->from_us <= now_us && now_us < span->until_us);
}

static int64_t window_room(const struct gate_facts *facts)
{
	return span_room(&facts->span, facts->now_us);
}

static int64_t contact_window_room(const struct gate_facts *facts)
{
	return span_room(&facts->contact_span, facts->now_us);
}

static void write_window(struct json *json, const struct gate_facts *facts)
{
	calendar_write_local(json, &facts->calendar, facts->now_us);
	calendar_write_span(json, &facts->span);
}

static void write_contact_window(struct json *json, const struct gate_facts *facts)
{
	calendar_write_zones(json, "zones", &facts->contact_calendar, facts->now_us);
	calendar_write_span(json, &facts->contact_span);
}

int64_t gate_day_calls(const struct gate_facts *facts)
{
	return facts->span.day <= facts->day ? facts->day_calls : 0;
}

static int64_t daily_cap_room(const struct gate_facts *facts)
{
	return facts->max_per_day == 0 ? INT64_MAX : facts->max_per_day - gate_day_calls(facts);
}

/* Returns the start of the first span on a later local day. If there is none, planning finds that out. */
static int64_t daily_cap_opens(const struct gate_facts *facts)
{
	struct span span = facts->span;

	while (span.day == facts->span.day)
		if (calendar_find_span(&facts->calendar, span.until_us, &span) != CALENDAR_SPAN)
			return span.until_us;
	return span.from_us;
}

static void write_daily_cap(struct json *json, const struct gate_facts *facts)
{
	json_date(json, "local_date", facts->span.day);
	json_int(json, "calls", gate_day_calls(facts));
}

static int64_t pacing_room(const struct gate_facts *facts)
{
	return pace_room(&facts->pace, facts->now_us);
}

static void write_pacing(struct json *json, const struct gate_facts *facts)
{
	json_bool(json, "is_paced", facts->pace.gap_us != 0);
	json_instant(json, "next_call_at", facts->pace.gap_us != 0 ? facts->pace.at_us : INSTANT_NONE);
}

static int64_t number_pacing_room(const struct gate_facts *facts)
{
	if (facts->numbers_open_at_us > facts->now_us)
		return 0;
	return facts->numbers_room > 0 ? facts->numbers_room : 1;
}

static void write_number_pacing(struct json *json, const struct gate_facts *facts)
{
	int64_t room = number_pacing_room(facts);

	json_count(json, "calls_now", room == INT64_MAX ? -1 : room);
}

static int64_t places_room(const struct gate_facts *facts)
{
	return facts->free_places;
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
	json_instant(json, "left_alone_until",
	             facts->dialer_opens_at_us > facts->now_us ? facts->dialer_opens_at_us : INSTANT_NONE);
}

static int64_t dialer_room_room(const struct gate_facts *facts)
{
	return facts->dialer_room;
}

static void write_dialer_room(struct json *json, const struct gate_facts *facts)
{
	json_bool(json, "takes_calls", facts->dialer_room > 0);
}

/* Writes the limit that holds the number, and how often the number was called within its period. */
static void write_limit_hold(struct json *json, const struct gate_details *details)
{
	const struct contact_limit *limit = details->limit.limit;

	json_positive(json, "max_attempts", limit == NULL ? 0 : limit->max_attempts);
	json_positive(json, "period_hours", limit == NULL ? 0 : limit->period_hours);
	json_positive(json, "period_days", limit == NULL ? 0 : limit->period_days);
	json_positive(json, "attempts", limit == NULL ? 0 : details->limit.attempts);
	json_positive(json, "rest_hours_after_conversation", details->limit.rests ? details->rest_hours : 0);
}

/* clang-format off */
#define AT(member, type) _Generic(((struct gate_facts *)0)->member, type: offsetof(struct gate_facts, member))
#define SHUT_IF(flag) .shut_if = AT(flag, bool)
#define SHUT_UNLESS(flag) .shut_unless = AT(flag, bool)
#define OPENS(instant) .opens = AT(instant, int64_t)
#define MEMBERS(holder, ...) \
	{ (const struct field[]){ __VA_ARGS__ }, sizeof((const struct field[]){ __VA_ARGS__ }) / sizeof(struct field), \
	  sizeof(struct holder), NULL }
/* clang-format on */
#define FACTS(...) .facts = MEMBERS(gate_facts, __VA_ARGS__)
#define DETAILS(...) .details = MEMBERS(gate_details, __VA_ARGS__)
#define FACT(kind, name, member) FIELD_AS(name, struct gate_facts, member, kind, )
#define DETAIL(kind, name, member) FIELD_AS(name, struct gate_details, member, kind, )
#define LIMIT INT, .flags = FIELD_NULLABLE, .min = 1 /* 0: none */
#define WORD STRING, .flags = FIELD_NULLABLE
#define DIALER_DETAILS \
	DETAILS(DETAIL(ID, "webhook_id", webhook_id), DETAIL(INSTANT, "failing_since", failing_since_us), \
	        DETAIL(WORD, "error", dialer_error))

static const struct gate_row gates[GATE__MAX] = {
	[GATE_STATE] = { "campaign_state", state_room, .write = write_state },
	[GATE_START] = { "scheduled_start", OPENS(start_at_us), FACTS(FACT(INSTANT, "starts_at", start_at_us)) },
	[GATE_NUMBER] = { "number", SHUT_UNLESS(has_number), FACTS(FACT(BOOL, "has_number", has_number)) },
	[GATE_DIALER] = { "dialer", SHUT_UNLESS(has_dialer), FACTS(FACT(BOOL, "has_dialer", has_dialer)) },
	[GATE_TIME_ZONE] = { "time_zone", time_zone_room, .write = write_time_zone },
	[GATE_WINDOW] = { "calling_window", window_room, OPENS(span.from_us), .write = write_window },
	[GATE_DAILY_CAP] = { "daily_cap", daily_cap_room, .opens_at = daily_cap_opens,
	                     FACTS(FACT(LIMIT, "max_calls_per_day", max_per_day)), .write = write_daily_cap },
	[GATE_PACING] = { "pacing", pacing_room, OPENS(pace.at_us), .write = write_pacing },
	[GATE_NUMBER_PACING] = { "number_pacing", number_pacing_room, OPENS(numbers_open_at_us),
	                         .write = write_number_pacing,
	                         DETAILS(DETAIL(WORD, "phone_number", next_number),
	                                 DETAIL(INSTANT, "next_call_at", next_number_at_us)) },
	[GATE_PLACES] = { "free_place", places_room, .write = write_places,
	                  DETAILS(DETAIL(INT, "places", places), DETAIL(INT, "in_progress", in_progress),
	                          DETAIL(LIMIT, "dialer_limit", dialer_places),
	                          DETAIL(INSTANT, "oldest_call_at", oldest_call_at_us)) },
	[GATE_AGENT] = { "agent", SHUT_IF(agent_waits), .write = write_agent },
	[GATE_DIALER_HEALTH] = { "dialer_health", OPENS(dialer_opens_at_us), .write = write_dialer_health, DIALER_DETAILS },
	[GATE_DIALER_ROOM] = { "dialer_room", dialer_room_room, .write = write_dialer_room, DIALER_DETAILS },
	[GATE_DIALER_FETCH] = { "dialer_fetch", SHUT_IF(waits_for_fetch), FACTS(FACT(BOOL, "fetches", waits_for_fetch)) },
	[GATE_DUE] = { "planned_instant", OPENS(due_at_us), FACTS(FACT(INSTANT, "scheduled_at", due_at_us)),
	               DETAILS(DETAIL(INSTANT, "not_before", not_before_us), DETAIL(BOOL, "callback", is_callback)) },
	[GATE_DO_NOT_CALL] = { "do_not_call", SHUT_IF(do_not_call), FACTS(FACT(BOOL, "is_listed", do_not_call)),
	                       DETAILS(DETAIL(WORD, "reason", do_not_call_reason),
	                               DETAIL(INSTANT, "since", do_not_call_since_us)) },
	[GATE_CONTACT_TIME_ZONE] = { "contact_time_zone", contact_time_zone_room, .write = write_contact_time_zone },
	[GATE_CONTACT_WINDOW] = { "contact_window", contact_window_room, OPENS(contact_span.from_us),
	                          .write = write_contact_window },
	[GATE_CONTACT_LIMITS] = { "contact_limits", OPENS(limits_open_at_us),
	                          FACTS(FACT(INSTANT, "free_at", limits_open_at_us)), .write_details = write_limit_hold },
};

const char *gate_name(enum gate gate)
{
	return gates[gate].name;
}

static const void *fact(const struct gate_facts *facts, size_t offset)
{
	return (const char *)facts + offset;
}

int64_t gate_room(enum gate gate, const struct gate_facts *facts)
{
	const struct gate_row *row = &gates[gate];

	if (row->room != NULL)
		return row->room(facts);
	if (row->opens != 0)
		return all_or_none(*(const int64_t *)fact(facts, row->opens) <= facts->now_us);
	return all_or_none(row->shut_if != 0 ? !*(const bool *)fact(facts, row->shut_if)
	                                     : *(const bool *)fact(facts, row->shut_unless));
}

int64_t gate_opens_at(enum gate gate, const struct gate_facts *facts)
{
	const struct gate_row *row = &gates[gate];

	if (row->opens_at != NULL)
		return row->opens_at(facts);
	return row->opens != 0 ? *(const int64_t *)fact(facts, row->opens) : INSTANT_NEVER;
}

void gate_write_facts(struct json *json, const char *key, enum gate gate, const struct gate_facts *facts,
                      const struct gate_details *details)
{
	const struct gate_row *row = &gates[gate];

	json_begin_object(json, key);
	field_write(json, &row->facts, facts);
	if (row->write != NULL)
		row->write(json, facts);
	field_write(json, &row->details, details);
	if (row->write_details != NULL)
		row->write_details(json, details);
	json_end(json);
}

static void close_gate(struct gate_verdict *verdict, enum gate gate, int64_t opens_at_us)
{
	if (verdict->room != 0)
		verdict->held_by = gate;
	verdict->room = 0;
	if (opens_at_us == INSTANT_NEVER)
		verdict->waits_for_event = true;
	else if (opens_at_us > verdict->opens_at_us)
		verdict->opens_at_us = opens_at_us;
}

static struct gate_verdict judge(const struct gate_facts *facts, enum gate from, enum gate until)
{
	struct gate_verdict verdict = { .room = INT64_MAX, .opens_at_us = facts->now_us };

	for (enum gate gate = from; gate < until; gate++) {
		int64_t room = gate_room(gate, facts);

		if (room <= 0)
			close_gate(&verdict, gate, gate_opens_at(gate, facts));
		else if (room < verdict.room)
			verdict.room = room;
	}
	return verdict;
}

struct gate_verdict gates_judge(const struct gate_facts *facts)
{
	return judge(facts, 0, GATE_DUE);
}

struct gate_verdict gates_judge_contact(const struct gate_facts *facts)
{
	return judge(facts, GATE_DUE, GATE__MAX);
}

struct gate_hold gates_hold(const struct gate_facts *facts, int64_t next_due_us)
{
	struct gate_verdict verdict = gates_judge(facts);

	if (next_due_us == INSTANT_NEVER)
		return GATE_NO_HOLD;
	if (verdict.room == 0 && (verdict.held_by != GATE_DIALER_FETCH || next_due_us <= facts->now_us))
		return (struct gate_hold){ gate_name(verdict.held_by),
			                       verdict.waits_for_event ? INSTANT_NEVER : verdict.opens_at_us };
	return next_due_us > facts->now_us ? (struct gate_hold){ gate_name(GATE_DUE), next_due_us } : GATE_NO_HOLD;
}

static enum gate first_without_an_instant(const struct gate_facts *facts)
{
	enum gate gate = 0;

	while (gate_room(gate, facts) > 0 || gate_opens_at(gate, facts) != INSTANT_NEVER)
		gate++;
	return gate;
}

/* Finds the spans that contain now_us or come next. Returns the gate that does not open by itself, or GATE__MAX. */
static enum gate find_spans(struct gate_facts *facts)
{
	facts->answer = calendar_find_span_with_rest(&facts->calendar, facts->now_us, CALL_REST_US, &facts->span);
	if (facts->answer != CALENDAR_SPAN)
		return facts->answer == CALENDAR_UNREADABLE ? GATE_TIME_ZONE : GATE_WINDOW;
	facts->contact_answer = calendar_find_span_with_rest(&facts->contact_calendar, facts->now_us, CALL_REST_US,
	                                                     &facts->contact_span);
	if (facts->contact_answer != CALENDAR_SPAN)
		return facts->contact_answer == CALENDAR_UNREADABLE ? GATE_CONTACT_TIME_ZONE : GATE_CONTACT_WINDOW;
	return GATE__MAX;
}

/* Goes from one instant at which closed gates open to the next, because another gate may be closed then: after the pace
 * the window, after the window a full day. */
int64_t gates_next_at(const struct gate_facts *facts, enum gate *waits_for)
{
	struct gate_facts then = *facts;
	enum gate unopened;

	while ((unopened = find_spans(&then)) == GATE__MAX) {
		struct gate_verdict verdict = judge(&then, 0, GATE__MAX);

		if (verdict.room > 0)
			return then.now_us;
		if (verdict.waits_for_event) {
			*waits_for = first_without_an_instant(&then);
			return INSTANT_NEVER;
		}
		then.now_us = verdict.opens_at_us;
	}
	*waits_for = unopened;
	return INSTANT_NEVER;
}
