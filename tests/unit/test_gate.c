/* Each rule that holds calls back, alone and together with others. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/clock.h"
#include "domain/gate.h"
#include "instants.h"

#define HOUR (60 * US_PER_MINUTE)

/* Monday at noon, everything open, ten places. */
static struct gate_facts open_facts(void)
{
	struct gate_facts facts = {
		.now_us = at("2026-06-01T12:00Z"),
		.status = BATCH_ACTIVE,
		.start_at_us = INSTANT_NONE,
		.has_number = true,
		.has_dialer = true,
		.dialer_opens_at_us = INSTANT_NONE,
		.dialer_room = 50,
		.free_places = 10,
		.numbers_room = INT64_MAX,
		.numbers_open_at_us = INSTANT_NONE,
		.due_at_us = INSTANT_NONE,
		.limits_open_at_us = INSTANT_NONE,
		.calendar = { .zone = "UTC", .daily = { 0x1f, 540, 1020 } },
	};

	assert_int_equal(calendar_find_span(&facts.calendar, facts.now_us, &facts.span), CALENDAR_SPAN);
	facts.day = facts.span.day;
	facts.contact_calendar = facts.calendar;
	facts.contact_span = facts.span;
	return facts;
}

static void assert_room(const struct gate_facts *facts, int64_t room)
{
	assert_int_equal(gates_judge(facts).room, room);
}

static void assert_held(const struct gate_facts *facts, enum gate gate, const char *until, bool for_event)
{
	struct gate_verdict verdict = gates_judge(facts);

	assert_int_equal(verdict.room, 0);
	assert_string_equal(gate_name(verdict.held_by), gate_name(gate));
	assert_instant(verdict.opens_at_us, until);
	assert_int_equal(verdict.waits_for_event, for_event);
}

static void the_narrowest_gate_decides(void **state)
{
	struct gate_facts facts = open_facts();

	(void)state;
	assert_room(&facts, 10);
	facts.dialer_room = 3;
	assert_room(&facts, 3);
	facts.max_per_day = 100;
	facts.day_calls = 98;
	assert_room(&facts, 2);
	facts.pace.gap_us = US_PER_SECOND;
	assert_room(&facts, 1);
}

static void gates_that_wait_for_something_to_happen(void **state)
{
	struct gate_facts facts = open_facts();

	(void)state;
	for (facts.status = 0; facts.status <= BATCH_DELETED; facts.status++)
		if (facts.status != BATCH_SCHEDULED && facts.status != BATCH_ACTIVE)
			assert_held(&facts, GATE_STATE, "2026-06-01T12:00Z", true);
	facts = open_facts();
	facts.has_number = false;
	assert_held(&facts, GATE_NUMBER, "2026-06-01T12:00Z", true);
	facts = open_facts();
	facts.has_dialer = false;
	assert_held(&facts, GATE_DIALER, "2026-06-01T12:00Z", true);
	facts = open_facts();
	facts.dialer_room = -1;
	assert_held(&facts, GATE_DIALER_ROOM, "2026-06-01T12:00Z", true);
	facts = open_facts();
	facts.waits_for_fetch = true;
	assert_held(&facts, GATE_DIALER_FETCH, "2026-06-01T12:00Z", true);
	facts = open_facts();
	for (facts.free_places = 0; facts.free_places > -3; facts.free_places--)
		assert_held(&facts, GATE_PLACES, "2026-06-01T12:00Z", true);
}

static void gates_that_wait_for_an_instant(void **state)
{
	struct gate_facts facts = open_facts();

	(void)state;
	facts.start_at_us = at("2026-06-01T12:00Z");
	assert_room(&facts, 10);
	facts.start_at_us++;
	assert_held(&facts, GATE_START, "2026-06-01T12:00:00.000001Z", false);
	facts = open_facts();
	facts.pace.gap_us = US_PER_MS; /* a first call does not allow a burst */
	facts.pace.at_us = INSTANT_NONE;
	assert_room(&facts, 1);
	facts.pace.at_us = at("2026-06-01T12:00:03Z");
	assert_held(&facts, GATE_PACING, "2026-06-01T12:00:03Z", false);
}

static void the_window(void **state)
{
	static const struct {
		const char *now, *opens;
	} looks[] = {
		{ "2026-06-01T08:59:59.999999Z", "2026-06-01T09:00Z" },
		{ "2026-06-01T17:00Z", "2026-06-02T09:00Z" },
		{ "2026-06-05T17:00Z", "2026-06-08T09:00Z" },
		{ "2026-06-06T12:00Z", "2026-06-08T09:00Z" },
	};
	struct gate_facts facts = open_facts();

	(void)state;
	for (size_t i = 0; i < sizeof looks / sizeof *looks; i++) {
		facts.now_us = at(looks[i].now);
		assert_int_equal(calendar_find_span(&facts.calendar, facts.now_us, &facts.span), CALENDAR_SPAN);
		assert_held(&facts, GATE_WINDOW, looks[i].opens, false);
	}
	facts.now_us = at("2026-06-01T16:59:59.999999Z");
	assert_int_equal(calendar_find_span(&facts.calendar, facts.now_us, &facts.span), CALENDAR_SPAN);
	assert_room(&facts, 10);
}

static void a_full_day_waits_for_the_next(void **state)
{
	struct gate_facts facts = open_facts();

	(void)state;
	facts.max_per_day = facts.day_calls = 7;
	assert_held(&facts, GATE_DAILY_CAP, "2026-06-02T09:00Z", false);
	facts.day_calls = 9; /* the cap was lowered */
	assert_held(&facts, GATE_DAILY_CAP, "2026-06-02T09:00Z", false);
	facts.calendar.daily.start = 22 * 60; /* over midnight: the rest of the night is another day */
	facts.calendar.daily.end = 120;
	facts.now_us = at("2026-06-01T23:00Z");
	assert_int_equal(calendar_find_span(&facts.calendar, facts.now_us, &facts.span), CALENDAR_SPAN);
	assert_held(&facts, GATE_DAILY_CAP, "2026-06-02T00:00Z", false);
}

static void a_dialer_whose_circuit_is_open_is_waited_for(void **state)
{
	struct gate_facts facts = open_facts();

	(void)state;
	facts.dialer_opens_at_us = at("2026-06-01T12:00:05Z");
	assert_held(&facts, GATE_DIALER_HEALTH, "2026-06-01T12:00:05Z", false);
	facts.dialer_opens_at_us = facts.now_us;
	assert_room(&facts, 10);
}

static void all_closed_gates_are_waited_for(void **state)
{
	struct gate_facts facts = open_facts();

	(void)state;
	facts.pace.gap_us = US_PER_SECOND;
	facts.pace.at_us = at("2026-06-01T12:00:03Z");
	facts.max_per_day = facts.day_calls = 1;
	assert_held(&facts, GATE_DAILY_CAP, "2026-06-02T09:00Z", false);
	facts.free_places = 0;
	assert_held(&facts, GATE_DAILY_CAP, "2026-06-02T09:00Z", true);
	facts.start_at_us = at("2026-07-01T00:00Z");
	assert_held(&facts, GATE_START, "2026-07-01T00:00Z", true);
}

/* Returns the calls that the paces of the numbers allow now, according to "why". */
static void assert_calls_now(const struct gate_facts *facts, const char *calls_now)
{
	static const struct gate_details details;
	struct buf text = { 0 };
	struct json json = json_to(&text);

	gate_write_facts(&json, NULL, GATE_NUMBER_PACING, facts, &details);
	assert_non_null(strstr(text.data, calls_now));
	buf_free(&text);
}

static void the_paces_of_numbers(void **state)
{
	struct gate_facts facts = open_facts();

	(void)state;
	assert_calls_now(&facts, "\"calls_now\":null"); /* no number has a pace */
	facts.numbers_room = 4;
	assert_room(&facts, 4);
	assert_calls_now(&facts, "\"calls_now\":4");
	facts.numbers_room = 0;
	facts.numbers_open_at_us = at("2026-06-01T12:00:07Z");
	assert_held(&facts, GATE_NUMBER_PACING, "2026-06-01T12:00:07Z", false);
	assert_calls_now(&facts, "\"calls_now\":0");
}

static void a_clock_set_back_opens_no_day_again(void **state)
{
	struct gate_facts facts = open_facts();

	(void)state;
	facts.max_per_day = facts.day_calls = 3;
	facts.day++;
	assert_held(&facts, GATE_DAILY_CAP, "2026-06-02T09:00Z", false);
	facts.day -= 2;
	assert_room(&facts, 3);
}

static void one_contact_is_judged_by_its_own_gates(void **state)
{
	struct gate_facts facts = open_facts();

	(void)state;
	facts.free_places = 0; /* it is not judged */
	assert_true(gates_judge_contact(&facts).room > 0);
	facts.limits_open_at_us = at("2026-06-04T06:00Z");
	assert_int_equal(gates_judge_contact(&facts).held_by, GATE_CONTACT_LIMITS);
	assert_instant(gates_judge_contact(&facts).opens_at_us, "2026-06-04T06:00Z");
	facts.do_not_call = true;
	assert_int_equal(gates_judge_contact(&facts).held_by, GATE_DO_NOT_CALL);
	facts.due_at_us = at("2026-06-01T12:00:01Z");
	assert_int_equal(gates_judge_contact(&facts).held_by, GATE_DUE);
}

/* When one gate opens, another gate may be closed. */
static void the_next_instant(void **state)
{
	struct gate_facts facts = open_facts();
	enum gate waits_for = GATE__MAX;

	(void)state;
	assert_instant(gates_next_at(&facts, &waits_for), "2026-06-01T12:00Z");
	facts.max_per_day = facts.day_calls = 2; /* today is full */
	assert_instant(gates_next_at(&facts, &waits_for), "2026-06-02T09:00Z");
	facts.pace.gap_us = US_PER_SECOND;
	facts.pace.at_us = at("2026-06-02T17:00Z"); /* as the window closes */
	assert_instant(gates_next_at(&facts, &waits_for), "2026-06-03T09:00Z");
	facts.limits_open_at_us = at("2026-06-05T16:30Z");
	assert_instant(gates_next_at(&facts, &waits_for), "2026-06-05T16:30Z");
	facts.due_at_us = at("2026-06-05T17:30Z"); /* a Friday */
	assert_instant(gates_next_at(&facts, &waits_for), "2026-06-08T09:00Z");
	assert_int_equal(waits_for, GATE__MAX);
	facts.free_places = 0;
	assert_int_equal(gates_next_at(&facts, &waits_for), INSTANT_NEVER);
	assert_int_equal(waits_for, GATE_PLACES);
	facts.free_places = 1;
	facts.contact_calendar.zones = "Asia/Tokyo America/New_York"; /* nine to five in both: never */
	assert_int_equal(gates_next_at(&facts, &waits_for), INSTANT_NEVER);
	assert_int_equal(waits_for, GATE_CONTACT_WINDOW);
	facts.contact_calendar.zones = "America/New_York";
	assert_instant(gates_next_at(&facts, &waits_for), "2026-06-08T13:00Z");
	facts.calendar.daily.days = 0;
	assert_int_equal(gates_next_at(&facts, &waits_for), INSTANT_NEVER);
	assert_int_equal(waits_for, GATE_WINDOW);
}

static void assert_hold(const struct gate_facts *facts, int64_t next_due_us, const char *gate, int64_t until_us)
{
	struct gate_hold hold = gates_hold(facts, next_due_us);

	assert_string_equal(hold.gate, gate);
	assert_int_equal(hold.until_us, until_us);
}

static void what_holds_the_next_call(void **state)
{
	struct gate_facts facts = open_facts();
	int64_t now_us = facts.now_us;

	(void)state;
	assert_hold(&facts, now_us, "", INSTANT_NEVER);
	assert_hold(&facts, now_us + HOUR, "planned_instant", now_us + HOUR);
	assert_hold(&facts, INSTANT_NEVER, "", INSTANT_NEVER); /* no contact waits */
	facts.waits_for_fetch = true;                          /* a fetch now would get no call before the contact is due */
	assert_hold(&facts, now_us + HOUR, "planned_instant", now_us + HOUR);
	assert_hold(&facts, now_us, "dialer_fetch", INSTANT_NEVER);
	facts.waits_for_fetch = false;
	facts.free_places = 0;
	assert_hold(&facts, now_us, "free_place", INSTANT_NEVER);
	assert_hold(&facts, INSTANT_NEVER, "", INSTANT_NEVER);
	facts.start_at_us = now_us + 2 * HOUR;
	assert_hold(&facts, now_us + 2 * HOUR, "scheduled_start", INSTANT_NEVER);
	facts.free_places = 1;
	assert_hold(&facts, now_us + 2 * HOUR, "scheduled_start", now_us + 2 * HOUR);
}

int main(void)
{
	static const struct CMUnitTest group_tests[] = {
		cmocka_unit_test(the_narrowest_gate_decides),
		cmocka_unit_test(gates_that_wait_for_something_to_happen),
		cmocka_unit_test(gates_that_wait_for_an_instant),
		cmocka_unit_test(the_window),
		cmocka_unit_test(a_full_day_waits_for_the_next),
		cmocka_unit_test(a_dialer_whose_circuit_is_open_is_waited_for),
		cmocka_unit_test(all_closed_gates_are_waited_for),
		cmocka_unit_test(the_paces_of_numbers),
		cmocka_unit_test(a_clock_set_back_opens_no_day_again),
		cmocka_unit_test(one_contact_is_judged_by_its_own_gates),
		cmocka_unit_test(the_next_instant),
		cmocka_unit_test(what_holds_the_next_call),
	};

	return cmocka_run_group_tests(group_tests, NULL, NULL);
}
