#!/usr/bin/env python3
"""Callbacks for which a person asked, and retries by the rules of each outcome."""

import datetime

import tap
from client import UTC, contacts, parse, seconds_between, unhex, until
from receiver import TAKEN, ends

STACK = {"rate_limit": False}


def ahead(**delta):
    return (datetime.datetime.now(UTC) + datetime.timedelta(**delta)).isoformat()


def why(t, batch, position=1):
    shown = t.api.get(f"/batch-calls/{batch['id']}/contacts/{position}/why")
    return shown, next(gate["facts"] for gate in shown["gates"] if gate["gate"] == "planned_instant")


def one(t, batch):
    return t.api.get(f"/batch-calls/{batch['id']}/contacts/1")


def waits(t, batch, attempts):
    """Returns the campaign's only contact when it has had this many attempts and waits for another."""
    def look():
        row = one(t, batch)
        return row if row["attempts"] == attempts and row["status"] == "scheduled" else None
    return until(look, what=f"the contact waits after {attempts} attempts")


def asks(t, fields=None, script=None, **asked):
    """A campaign with one contact, which asked on its first call to be called again."""
    receiver = t.receiver()
    agent = t.api.agent(receiver.endpoint(events=["call.ended"]))
    receiver.script = lambda call: script(call) if call.data["attempt"] > 1 else ends(call_back_at=ahead(**asked))
    batch = t.api.batch(agent, 1, **(fields or {}))
    t.api.schedule(batch)
    return receiver, batch, waits(t, batch, 1)


def test_a_callback_is_made_at_its_instant(t):
    receiver, batch, row = asks(t, script=lambda call: ends("completed", outcome="sold"), hours=2)
    first = one(t, batch)["attempts_history"][0]
    assert row["call_back_at"] and 0 <= seconds_between(row["call_back_at"], row["scheduled_at"]) < 0.001, row
    now = t.api.read(batch)
    assert (now["completed"], now["pending"], now["called"]) == (0, 1, 1), "an answered call is not the last word"
    analytics = t.api.get(f"/batch-calls/{batch['id']}/analytics")
    assert (analytics["waiting_first"], analytics["waiting_retry"],
            analytics["calls"]["completed"]) == (0, 1, 1), analytics
    shown, facts = why(t, batch)
    assert facts == {"scheduled_at": row["scheduled_at"], "not_before": row["call_back_at"], "callback": True}, facts
    assert shown["next_at"] == row["scheduled_at"] and shown["reason"].startswith("It asked to be called back"), shown
    assert '"callback":true' in t.stack.outdial("explain", batch["id"], "1")
    t.make_due(batch)
    t.api.wait_for(batch, "completed")
    requested = receiver.calls(batch)
    assert [(call.data["attempt"], call.data["callback"]) for call in requested] == [(1, False), (2, True)], requested
    calls = sorted(t.api.calls_of(batch), key=lambda call: call["attempt"])
    assert [call["callback"] for call in calls] == [False, True], calls
    assert (calls[0]["call_back_at"], calls[1]["call_back_at"]) == (row["call_back_at"], None), calls
    events = until(lambda: len(receiver.of_type("call.ended", batch)) == 2 and receiver.of_type("call.ended", batch))
    shown = {event.data["attempt"]: (event.data["callback"], event.data["call_back_at"]) for event in events}
    assert shown == {1: (False, row["call_back_at"]), 2: (True, None)}, shown
    row = one(t, batch)
    assert (row["status"], row["attempts"], row["call_back_at"]) == ("completed", 2, None), row
    assert [call["callback"] for call in row["attempts_history"]] == [False, True], row
    assert row["attempts_history"][0]["call_id"] == first["call_id"]


def test_it_is_called_at_that_instant(t):
    receiver, batch, row = asks(t, script=lambda call: ends(), seconds=1.5)
    t.api.wait_for(batch, "completed")
    call = receiver.calls(batch)[1]
    late = call.wall_at - parse(row["call_back_at"]).timestamp()
    assert 0 <= late < 5, late


def test_a_callback_comes_before_overdue_contacts(t):
    """Two hundred contacts are due and have one place. A contact that asked for a callback is called when its instant
    has come."""
    receiver, agent = t.dialing_agent()
    receiver.script = lambda call: TAKEN
    batch = t.api.batch(agent, 200, max_concurrent_calls=1)
    t.api.schedule(batch)
    first = receiver.wait_for_calls(1)[0]
    receiver.script = lambda call: ends(delay=0.05)
    asked = ahead(seconds=1)
    receiver.report(first.id, "completed", call_back_at=asked)
    call = until(lambda: [call for call in receiver.calls(batch) if call.data["callback"]], what="it is called back")[0]
    assert 0 <= call.wall_at - datetime.datetime.fromisoformat(asked).timestamp() < 5, (asked, call.wall_at)
    assert len(receiver.calls(batch)) < 150 and call.data["to"] == first.data["to"]
    second = until(lambda: one(t, batch)["attempts_history"][1:], what="it is known")[0]
    assert second["scheduled_at"] >= asked[:19] and t.api.get(f"/calls/{call.id}")["scheduled_at"] >= asked[:19], second
    done = t.api.wait_for(batch, "completed")
    assert (done["completed"], done["called"], len(receiver.calls(batch))) == (200, 200, 201), done


def test_a_callback_is_no_retry(t):
    """A callback uses up no retry, and the delay begins again. A callback is made without retries too."""
    retries = {"retry_failed": True, "max_retry_attempts": 1, "retry_delay_minutes": 7}
    receiver, batch, row = asks(t, retries, lambda call: ends("busy"), hours=1)
    t.make_due(batch)
    row = waits(t, batch, 2)
    assert row["call_back_at"] is None and row["call_status"] == "busy", row
    assert abs(seconds_between(row["ended_at"], row["scheduled_at"]) - 7 * 60) < 1, row
    assert why(t, batch)[1]["callback"] is False
    t.make_due(batch)
    done = t.api.wait_for(batch, "completed")
    assert (done["busy"], one(t, batch)["attempts"]) == (1, 3), done


def test_callbacks_end(t):
    """After five callbacks a further request is stored, but no callback is made."""
    receiver, agent = t.dialing_agent()
    receiver.script = lambda call: ends("no_answer", call_back_at=ahead(hours=1))
    batch = t.api.batch(agent, 1)
    t.api.schedule(batch)
    for attempt in range(1, 6):
        waits(t, batch, attempt)
        t.make_due(batch)
    done = t.api.wait_for(batch, "completed")
    row = one(t, batch)
    assert (done["no_answer"], row["attempts"], row["call_back_at"]) == (1, 6, None), row
    assert [call.data["callback"] for call in receiver.calls(batch)] == [False] + 5 * [True]
    assert all(call["call_back_at"] for call in t.api.calls_of(batch))


def test_the_rules_hold_for_a_callback(t):
    """A callback waits for the window. A number that was put on the do-not-call list meanwhile is not called."""
    today = datetime.datetime.now(UTC)
    tomorrow = (today + datetime.timedelta(days=1)).date()
    receiver, batch, row = asks(t, {"excluded_dates": [str(tomorrow), str(tomorrow + datetime.timedelta(days=1))]},
                                days=1)
    asked, planned = parse(row["call_back_at"]), parse(row["scheduled_at"])
    assert asked.date() == tomorrow and planned.date() == tomorrow + datetime.timedelta(days=2), row
    assert planned.time().isoformat().startswith("00:00:00"), "the first instant that is allowed"
    t.api.post("/do-not-call", {"phone_number": row["phone_number"]})
    t.stack.sql(f"UPDATE batch_calls SET excluded_dates = '' WHERE uuid = {unhex(batch['id'])}")
    t.make_due(batch)
    done = t.api.wait_for(batch, "completed")
    assert (done["completed"], len(receiver.calls(batch))) == (1, 1), "with what its last call gave"


def test_pause_resume_and_change_keep_it(t):
    receiver, batch, row = asks(t, script=lambda call: ends(), hours=3)
    path = f"/batch-calls/{batch['id']}"
    t.api.post(f"{path}/pause")
    assert one(t, batch)["call_back_at"] == row["call_back_at"]
    t.api.patch(path, {"calls_per_minute": 30, "timezone": "Europe/Berlin"})
    t.api.post(f"{path}/resume")
    t.api.patch(path, {"max_calls_per_day": 50})
    again = waits(t, batch, 1)
    assert (again["scheduled_at"], again["call_back_at"]) == (row["scheduled_at"], row["call_back_at"]), again
    t.api.post(f"{path}/pause")
    t.make_due(batch)
    t.api.post(f"{path}/resume")
    t.api.wait_for(batch, "completed")
    assert [call.data["callback"] for call in receiver.calls(batch)] == [False, True], "it came too late, and comes"


def test_a_cancel_ends_it(t):
    """The contact keeps the outcome of its call."""
    receiver, batch, row = asks(t, hours=3)
    t.api.post(f"/batch-calls/{batch['id']}/cancel")
    now, row = t.api.read(batch), one(t, batch)
    assert (now["status"], now["completed"], now["cancelled"]) == ("cancelled", 1, 0), now
    assert (row["status"], row["call_back_at"]) == ("completed", None), row


def test_no_callback_after_the_end_of_the_campaign(t):
    receiver, agent = t.dialing_agent()
    batch, call = t.one_call(receiver, agent, lambda call: TAKEN)
    t.api.post(f"/batch-calls/{batch['id']}/cancel")
    shown = t.api.post(f"/calls/{call}/status", {"status": "completed", "call_back_at": ahead(hours=1)})
    assert shown["call_back_at"], shown
    assert one(t, batch)["status"] == "completed" and t.api.read(batch)["completed"] == 1


def test_the_contacts_own_zone(t):
    """If a person asks for an hour outside of the window of their zone, they are called when the window opens there."""
    receiver, agent = t.dialing_agent()
    tokyo = datetime.timezone(datetime.timedelta(hours=9))
    asked = (datetime.datetime.now(tokyo) + datetime.timedelta(days=2)).replace(hour=3, minute=0, second=0,
                                                                                microsecond=0)
    receiver.script = lambda call: TAKEN
    batch = t.api.batch(agent, [dict(contacts(1)[0], timezone="Asia/Tokyo")], respect_contact_timezone=True)
    t.api.schedule(batch)
    call = receiver.wait_for_calls(1)[0]
    t.api.patch(f"/batch-calls/{batch['id']}", {"start_time": "10:00", "end_time": "20:00"})
    receiver.report(call.id, "completed", call_back_at=asked.isoformat())
    planned = parse(waits(t, batch, 1)["scheduled_at"]).astimezone(tokyo)
    assert planned.date() == asked.date() and planned.strftime("%H:%M:%S") == "10:00:00", planned


def test_what_cannot_be_asked_for(t):
    receiver, agent = t.dialing_agent()
    batch, call = t.one_call(receiver, agent, lambda call: TAKEN)
    path = f"/calls/{call}/status"
    until(lambda: t.api.get(f"/calls/{call}")["status"] == "dispatched", what="the dialer's answer is written")
    for fields, reason in (
            ({"call_back_at": ahead(hours=-2)}, "is more than an hour ago"),
            ({"call_back_at": ahead(days=91)}, "is more than 90 days ahead"),
            ({"call_back_at": "2035-03-01T09:00"}, "must include a UTC offset"),
            ({"call_back_at": "tomorrow"}, "must be"),
            ({"call_back_at": ahead(hours=-5), "occurred_at": ahead(hours=-4)}, "must be after occurred_at"),
            ({"call_back_at": ahead(hours=1), "status": "in_progress"},
             "is only allowed with a status that ends the call")):
        report = {"status": "completed", **fields}
        reply = t.api.refuse("validation_error", "POST", path, report, "call_back_at")
        assert reason in reply.details["reason"], reply
        many = {"reports": [{"call_id": call, "status": "ringing"}, {"call_id": call, **report}]}
        t.api.refuse("validation_error", "POST", "/calls/status", many, "reports[1].call_back_at")
    assert t.api.get(f"/calls/{call}")["status"] == "dispatched", "nothing was taken of any"
    t.api.post(path, {"status": "completed", "call_back_at": ahead(hours=-5), "occurred_at": ahead(hours=-6)})
    t.api.wait_for(batch, "active")
    second = receiver.wait_for_calls(2)[1]
    assert second.data["callback"] is True, "a report that came late: at once"


def test_a_single_call_plans_nothing(t):
    receiver, agent = t.dialing_agent()
    receiver.script = lambda call: ends(call_back_at=ahead(hours=1))
    number = t.api.number()
    call = t.api.post("/calls",
                      {"agent_id": agent["id"], "phone_number": "+493012345", "from_number": number["phone_number"]})
    ended = until(lambda: t.api.get(f"/calls/{call['id']}")["ended_at"] and t.api.get(f"/calls/{call['id']}"))
    assert ended["call_back_at"] and ended["callback"] is False, ended


# Rules for outcomes

RULES = [{"outcome": "busy", "delay_minutes": 5, "max_attempts": 2},
         {"outcome": "voicemail", "delay_minutes": 600, "max_attempts": 1},
         {"outcome": "failed", "delay_minutes": 0, "max_attempts": 0}]
RETRIES = {"retry_failed": True, "max_retry_attempts": 1, "retry_delay_minutes": 30, "retry_rules": RULES}


def delay(row):
    return round(seconds_between(row["ended_at"], row["scheduled_at"]) / 60)


def test_each_outcome_by_its_rule(t):
    receiver, agent = t.dialing_agent()
    course = ["busy", "voicemail", "busy", "busy"]
    receiver.script = lambda call: ends(course[call.data["attempt"] - 1])
    batch = t.api.batch(agent, 1, **RETRIES)
    assert batch["retry_rules"] == RULES, batch
    t.api.schedule(batch)
    delays = []
    for attempt in (1, 2, 3):
        row = waits(t, batch, attempt)
        delays.append(delay(row))
        facts = why(t, batch)[1]
        assert facts["callback"] is False and abs(seconds_between(facts["not_before"], row["scheduled_at"])) < 1, facts
        t.make_due(batch)
    done = t.api.wait_for(batch, "completed")
    assert delays == [5, 600, 5] and done["busy"] == 1, (delays, done)
    assert one(t, batch)["attempts"] == 4, "the third that was busy is the last"


def test_other_outcomes_as_before(t):
    receiver, agent = t.dialing_agent()
    people = contacts(3)
    outcome = dict(zip((one["phone_number"] for one in people), ("no_answer", "failed", "voicemail")))
    receiver.script = lambda call: ends(outcome[call.data["to"]])
    batch = t.api.batch(agent, people, **RETRIES)
    t.api.schedule(batch)
    until(lambda: t.api.read(batch)["failed"] == 1 and t.api.read(batch)["pending"] == 2, what="all were called")
    rows = t.api.contacts_of(batch, status="scheduled")
    assert {row["call_status"]: delay(row) for row in rows} == {"no_answer": 30, "voicemail": 600}, rows
    t.api.patch(f"/batch-calls/{batch['id']}", {"retry_rules": None})
    t.make_due(batch)
    done = t.api.wait_for(batch, "completed")
    assert (done["no_answer"], done["voicemail"], done["failed"]) == (1, 1, 1), "one retry, and no rule any more"
    changes = [entry["changes"] for entry in t.api.get(f"/batch-calls/{batch['id']}/history") if entry["changes"]]
    assert changes == [{"retry_rules": {"from": RULES, "to": []}}], changes


def test_rules_that_cannot_be(t):
    _, agent = t.dialing_agent()
    for rules, field in (([{"outcome": "completed", "delay_minutes": 1, "max_attempts": 1}], "retry_rules[0].outcome"),
                         ([{"outcome": "busy", "delay_minutes": 1}], "retry_rules[0].max_attempts"),
                         ([{"outcome": "busy", "delay_minutes": 10081, "max_attempts": 1}],
                          "retry_rules[0].delay_minutes"),
                         ([{"outcome": "busy", "delay_minutes": 1, "max_attempts": 11}], "retry_rules[0].max_attempts"),
                         ([RULES[0], RULES[0]], "retry_rules[1].outcome"), (RULES + RULES[:2], "retry_rules"),
                         ({"busy": 1}, "retry_rules")):
        t.api.refuse("validation_error", "POST", "/batch-calls", {
            "name": "Rules", "agent_id": agent["id"], "retry_failed": True, "retry_rules": rules}, field)
    t.api.refuse("validation_error", "POST", "/batch-calls", {
        "name": "Rules", "agent_id": agent["id"], "retry_rules": RULES}, "retry_rules")
    batch = t.api.batch(agent, 1, **RETRIES)
    t.api.refuse("validation_error", "PATCH", f"/batch-calls/{batch['id']}", {"retry_failed": False}, "retry_rules")
    shown = t.api.post(f"/batch-calls/{batch['id']}/preview", {
        "average_call_seconds": 60, "answer_rate": 0, "changes": {"retry_rules": RULES[:1]}})
    assert shown["estimate"]["calls"] == 3, "the most that one outcome allows"


if __name__ == "__main__":
    tap.run(globals())
