#include "domain/gate.h"

#include "base/instant.h"

static int64_t all_or_none(bool open)
{
	return open ? INT64_MAX : 0;
}

static int64_t never(const struct gate_facts *facts)
{
	(void)facts;
	return INSTANT_NEVER;
}

static int64_t state_room(const struct gate_facts *facts)
{
	return all_or_none(batch_is_running(facts->status));
}

static int64_t start_room(const struct gate_facts *facts)
{
	return all_or_none(facts->start_at_us <= facts->now_us);
}

static int64_t start_opens(const struct gate_facts *facts)
{
	return facts->start_at_us;
}

static int64_t number_room(const struct gate_facts *facts)
{
	return all_or_none(facts->has_number);
}

static int64_t dialer_room(const struct gate_facts *facts)
{
	return all_or_none(facts->has_dialer);
}

static int64_t time_zone_room(const struct gate_facts *facts)
{
	return all_or_none(facts->answer != CALENDAR_UNREADABLE);
}

static int64_t contact_time_zone_room(const struct gate_facts *facts)
{
	return all_or_none(facts->contact_answer != CALENDAR_UNREADABLE);
}

static int64_t span_room(const struct span *span, int64_t now_us)
{
	return all_or_none(span->from_us <= now_us && now_us < span->until_us);
}

static int64_t window_room(const struct gate_facts *facts)
{
	return span_room(&facts->span, facts->now_us);
}

static int64_t window_opens(const struct gate_facts *facts)
{
	return facts->span.from_us;
}

int64_t gate_day_calls(const struct gate_facts *facts)
{
	return facts->span.day <= facts->day ? facts->day_calls : 0;
}

static int64_t daily_cap_room(const struct gate_facts *facts)
{
	return facts->max_per_day == 0 ? INT64_MAX : facts->max_per_day - gate_day_calls(facts);
}

/* The first span on a later local day. If there is none, planning will find that out. */
static int64_t daily_cap_opens(const struct gate_facts *facts)
{
	struct span span = facts->span;

	while (span.day == facts->span.day)
		if (calendar_find_span(&facts->calendar, span.until_us, &span) != CALENDAR_SPAN)
			return span.until_us;
	return span.from_us;
}

static int64_t pacing_room(const struct gate_facts *facts)
{
	return pace_room(&facts->pace, facts->now_us);
}

static int64_t pacing_opens(const struct gate_facts *facts)
{
	return facts->pace.at_us;
}

static int64_t number_pacing_room(const struct gate_facts *facts)
{
	if (facts->numbers_open_at_us > facts->now_us)
		return 0;
	return facts->numbers_room > 0 ? facts->numbers_room : 1;
}

static int64_t number_pacing_opens(const struct gate_facts *facts)
{
	return facts->numbers_open_at_us;
}

static int64_t places_room(const struct gate_facts *facts)
{
	return facts->free_places;
}

static int64_t agent_room(const struct gate_facts *facts)
{
	return all_or_none(!facts->agent_waits);
}

static int64_t dialer_health_room(const struct gate_facts *facts)
{
	return all_or_none(facts->dialer_opens_at_us <= facts->now_us);
}

static int64_t dialer_health_opens(const struct gate_facts *facts)
{
	return facts->dialer_opens_at_us;
}

static int64_t dialer_room_room(const struct gate_facts *facts)
{
	return facts->dialer_room;
}

static int64_t due_room(const struct gate_facts *facts)
{
	return all_or_none(facts->due_at_us <= facts->now_us);
}

static int64_t due_opens(const struct gate_facts *facts)
{
	return facts->due_at_us;
}

static int64_t do_not_call_room(const struct gate_facts *facts)
{
	return all_or_none(!facts->do_not_call);
}

static int64_t contact_window_room(const struct gate_facts *facts)
{
	return span_room(&facts->contact_span, facts->now_us);
}

static int64_t contact_window_opens(const struct gate_facts *facts)
{
	return facts->contact_span.from_us;
}

static int64_t contact_limits_room(const struct gate_facts *facts)
{
	return all_or_none(facts->limits_open_at_us <= facts->now_us);
}

static int64_t contact_limits_open(const struct gate_facts *facts)
{
	return facts->limits_open_at_us;
}

static const struct {
	const char *name;
	int64_t (*room)(const struct gate_facts *);
	int64_t (*opens_at)(const struct gate_facts *);
} gates[GATE__MAX] = {
	[GATE_STATE] = { "campaign_state", state_room, never },
	[GATE_START] = { "scheduled_start", start_room, start_opens },
	[GATE_NUMBER] = { "number", number_room, never },
	[GATE_DIALER] = { "dialer", dialer_room, never },
	[GATE_TIME_ZONE] = { "time_zone", time_zone_room, never },
	[GATE_WINDOW] = { "calling_window", window_room, window_opens },
	[GATE_DAILY_CAP] = { "daily_cap", daily_cap_room, daily_cap_opens },
	[GATE_PACING] = { "pacing", pacing_room, pacing_opens },
	[GATE_NUMBER_PACING] = { "number_pacing", number_pacing_room, number_pacing_opens },
	[GATE_PLACES] = { "free_place", places_room, never },
	[GATE_AGENT] = { "agent", agent_room, never },
	[GATE_DIALER_HEALTH] = { "dialer_health", dialer_health_room, dialer_health_opens },
	[GATE_DIALER_ROOM] = { "dialer_room", dialer_room_room, never },
	[GATE_DUE] = { "planned_instant", due_room, due_opens },
	[GATE_DO_NOT_CALL] = { "do_not_call", do_not_call_room, never },
	[GATE_CONTACT_TIME_ZONE] = { "contact_time_zone", contact_time_zone_room, never },
	[GATE_CONTACT_WINDOW] = { "contact_window", contact_window_room, contact_window_opens },
	[GATE_CONTACT_LIMITS] = { "contact_limits", contact_limits_room, contact_limits_open },
};

const char *gate_name(enum gate gate)
{
	return gates[gate].name;
}

int64_t gate_room(enum gate gate, const struct gate_facts *facts)
{
	return gates[gate].room(facts);
}

int64_t gate_opens_at(enum gate gate, const struct gate_facts *facts)
{
	return gates[gate].opens_at(facts);
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
		int64_t room = gates[gate].room(facts);

		if (room <= 0)
			close_gate(&verdict, gate, gates[gate].opens_at(facts));
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
	if (verdict.room == 0)
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

/* Finds the spans that hold now_us or come next. Returns the gate that does not open by itself, or GATE__MAX. */
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

/* Goes from one instant at which closed gates open to the next, as each may find another gate closed: after a
 * pace the window, after the window a day that is full. */
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
