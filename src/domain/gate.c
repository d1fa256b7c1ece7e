#include "domain/gate.h"

#include "base/clock.h"
#include "base/instant.h"

/* A campaign is looked at every few milliseconds at best. A gap shorter than this is kept on the average: what it allowed
 * between two looks is made good by the next. A longer one is kept between any two calls; and after a longer silence (a
 * pause, nobody due) the pace begins anew, or there would be a burst. */
#define PACE_CATCH_UP_US (100 * US_PER_MS)

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

static int64_t window_room(const struct gate_facts *facts)
{
	return all_or_none(facts->span.from_us <= facts->now_us && facts->now_us < facts->span.until_us);
}

static int64_t window_opens(const struct gate_facts *facts)
{
	return facts->span.from_us;
}

static int64_t daily_cap_room(const struct gate_facts *facts)
{
	return facts->max_per_day == 0 ? INT64_MAX : facts->max_per_day - facts->day_calls;
}

/* The first span on a later local day. If there is none, planning will find that out. */
static int64_t daily_cap_opens(const struct gate_facts *facts)
{
	struct span span = facts->span;

	while (span.day == facts->span.day)
		if (!calendar_span_at(&facts->calendar, span.until_us, &span))
			return span.until_us;
	return span.from_us;
}

static int64_t pace_begins(const struct gate_facts *facts)
{
	bool makes_good = facts->pace_gap_us < PACE_CATCH_UP_US && facts->now_us - facts->pace_at_us < PACE_CATCH_UP_US;

	return makes_good ? facts->pace_at_us : facts->now_us;
}

static int64_t pacing_room(const struct gate_facts *facts)
{
	if (facts->pace_gap_us == 0)
		return INT64_MAX;
	if (facts->pace_at_us > facts->now_us)
		return 0;
	return 1 + (facts->now_us - pace_begins(facts)) / facts->pace_gap_us;
}

int64_t gate_pace_after(const struct gate_facts *facts, int64_t calls)
{
	return pace_begins(facts) + calls * facts->pace_gap_us;
}

static int64_t pacing_opens(const struct gate_facts *facts)
{
	return facts->pace_at_us;
}

static int64_t places_room(const struct gate_facts *facts)
{
	return facts->free_places;
}

static int64_t dialer_room_room(const struct gate_facts *facts)
{
	return facts->dialer_room;
}

static const struct {
	const char *name;
	int64_t (*room)(const struct gate_facts *);
	int64_t (*opens_at)(const struct gate_facts *);
} gates[GATE__MAX] = {
	[GATE_STATE] = { "campaign state", state_room, never },
	[GATE_START] = { "scheduled start", start_room, start_opens },
	[GATE_NUMBER] = { "number to call from", number_room, never },
	[GATE_DIALER] = { "dialer", dialer_room, never },
	[GATE_WINDOW] = { "calling window", window_room, window_opens },
	[GATE_DAILY_CAP] = { "daily cap", daily_cap_room, daily_cap_opens },
	[GATE_PACING] = { "pacing", pacing_room, pacing_opens },
	[GATE_PLACES] = { "free place", places_room, never },
	[GATE_DIALER_ROOM] = { "room at the dialer", dialer_room_room, never },
};

const char *gate_name(enum gate gate)
{
	return gates[gate].name;
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

struct gate_verdict gates_judge(const struct gate_facts *facts)
{
	struct gate_verdict verdict = { .room = INT64_MAX, .opens_at_us = facts->now_us };

	for (enum gate gate = 0; gate < GATE__MAX; gate++) {
		int64_t room = gates[gate].room(facts);

		if (room <= 0)
			close_gate(&verdict, gate, gates[gate].opens_at(facts));
		else if (room < verdict.room)
			verdict.room = room;
	}
	return verdict;
}
