#!/usr/bin/env python3
"""Why a campaign places no call now, and when it can."""

import datetime

import tap
from client import UTC, until
from receiver import TAKEN, Answer

FAR = {"schedule_type": "scheduled", "scheduled_at": "2040-01-02T09:00:00Z"}


def why(t, batch):
    return t.api.get(f"/batch-calls/{batch['id']}/why")


def facts(shown, name):
    return next(gate for gate in shown["gates"] if gate["gate"] == name)["facts"]


def test_a_draft_and_a_start_that_is_ahead(t):
    _, agent = t.dialing_agent()
    batch = t.api.batch(agent, 3)
    shown = why(t, batch)
    assert shown["held_by"] == "campaign_state" and shown["next_position"] is None, shown
    assert shown["next_at"] is None and shown["waits_for"] == "campaign_state" and shown["due_now"] == 0, shown
    assert [gate["gate"] for gate in shown["gates"]][-1] == "dialer_fetch", "no rule of one contact"
    later = t.api.batch(agent, 3, **FAR)
    shown = why(t, later)
    assert shown["held_by"] == "scheduled_start" and shown["next_position"] == 1, shown
    assert shown["next_at"].startswith("2040-01-02T09:00:00") and shown["waits_for"] is None, shown
    t.api.post(f"/batch-calls/{later['id']}/pause")
    shown = why(t, later)
    assert shown["status"] == "paused", shown
    assert shown["held_by"] == shown["waits_for"] == "campaign_state", shown


def test_the_agent_is_gone(t):
    """A campaign whose agent was deleted has no dialer either."""
    _, agent = t.dialing_agent()
    batch = t.api.batch(agent, 1)
    t.api.delete(f"/agents/{agent['id']}")
    shown = why(t, batch)
    assert shown["held_by"] == "campaign_state" and facts(shown, "dialer")["has_dialer"] is False, shown
    shown = t.api.get(f"/batch-calls/{batch['id']}/contacts/1/why")
    assert facts(shown, "dialer")["has_dialer"] is False, shown


def test_the_window_is_open_though_the_start_is_ahead(t):
    """The windows of the campaign and of a contact: a window that does not open today is closed."""
    _, agent = t.dialing_agent()
    today = datetime.datetime.now(UTC).isoweekday()
    whole, never = t.api.batch(agent, 1, **FAR), t.api.batch(agent, 1, working_days=[today % 7 + 1], **FAR)
    for batch, is_open in ((whole, True), (never, False)):
        for shown in (why(t, batch), t.api.get(f"/batch-calls/{batch['id']}/contacts/1/why")):
            gates = {gate["gate"]: gate for gate in shown["gates"]}
            assert gates["scheduled_start"]["open"] is False
            assert gates["calling_window"]["open"] is is_open, shown
            assert gates["calling_window"]["facts"]["callable_from"] < "2040", shown
            assert shown["next_at"] >= "2040-01-02T09:00:00", shown
        text = t.stack.outdial("explain", batch["id"], "1")
        assert ("closed  calling_window" in text) is not is_open, text


def test_all_places_are_taken(t):
    receiver, agent = t.dialing_agent()
    receiver.script = lambda call: TAKEN
    batch = t.api.batch(agent, 5, max_concurrent_calls=2)
    t.api.schedule(batch)
    receiver.wait_for_calls(2)
    shown = until(lambda: why(t, batch) if why(t, batch)["in_progress"] == 2 else None, what="both are called")
    assert shown["held_by"] == shown["waits_for"] == "free_place" and shown["next_at"] is None, shown
    assert (shown["places"], shown["next_position"]) == (2, 3), shown
    assert (shown["due_now"], shown["due_now_is_exact"]) == (3, True), shown
    oldest = min(call["created_at"] for call in t.api.calls_of(batch))
    assert facts(shown, "free_place")["oldest_call_at"] == oldest, shown


def test_a_dialer_that_does_not_answer(t):
    receiver, agent = t.dialing_agent()
    receiver.script = lambda call: Answer(500)
    batch = t.api.batch(agent, 40, max_concurrent_calls=10)
    t.api.schedule(batch)
    shown = until(lambda: held(t, batch, "dialer_health"), what="its circuit is open")
    health = facts(shown, "dialer_health")
    assert health["webhook_id"] == agent["webhook_id"] and health["failing_since"], health
    assert "500" in health["error"], health
    assert t.api.get(f"/webhooks/{agent['webhook_id']}")["failing_since"] == health["failing_since"], health
    t.api.patch(f"/webhooks/{agent['webhook_id']}", {"disabled": True})
    shown = until(lambda: held(t, batch, "dialer_room"), what="it is switched off")
    assert not facts(shown, "dialer_room")["takes_calls"], shown


def held(t, batch, name):
    """Returns the explanation if this rule is closed."""
    shown = why(t, batch)
    return shown if not next(gate for gate in shown["gates"] if gate["gate"] == name)["open"] else None


def test_a_day_off(t):
    _, agent = t.dialing_agent()
    today = datetime.datetime.now(UTC).date()
    batch = t.api.batch(agent, 2, excluded_dates=[str(today), str(today + datetime.timedelta(days=1))])
    t.api.schedule(batch)
    shown = why(t, batch)
    assert shown["held_by"] == "calling_window" and shown["next_position"] == 1, shown
    assert shown["next_at"] >= str(today + datetime.timedelta(days=1)), shown


# Reasons of the campaign itself

def hold(t, batch):
    batch = t.api.read(batch)
    return batch["held_by"], batch["held_until"]


def wait_for_hold(t, batch, gate):
    return until(lambda: hold(t, batch)[0] == gate and hold(t, batch), what=f"{gate} holds it")


def test_what_holds_a_campaign(t):
    receiver, agent = t.dialing_agent()
    receiver.script = lambda call: TAKEN
    batch = t.api.batch(agent, 3, max_concurrent_calls=2)
    assert hold(t, batch) == (None, None) and batch["places"] == 2, batch
    t.api.schedule(batch)
    assert wait_for_hold(t, batch, "free_place")[1] is None
    for call in t.api.calls_of(batch):
        t.api.post(f"/calls/{call['id']}/status", {"status": "completed"})
    until(lambda: hold(t, batch) == (None, None), what="the last contact is called: no contact waits")
    t.api.post(f"/batch-calls/{batch['id']}/pause")
    assert hold(t, batch) == (None, None)


def test_what_holds_a_campaign_that_is_planned_for_later(t):
    _, agent = t.dialing_agent()
    later = t.api.batch(agent, 3, **FAR)
    assert hold(t, later) == ("scheduled_start", "2040-01-02T09:00:00.000000Z"), hold(t, later)
    today = datetime.datetime.now(UTC).date()
    closed = t.api.batch(agent, 2, excluded_dates=[str(today), str(today + datetime.timedelta(days=1))])
    t.api.schedule(closed)
    gate, opens_at = hold(t, closed)
    assert gate == "calling_window" and opens_at >= str(today + datetime.timedelta(days=2)), (gate, opens_at)
    t.api.patch(f"/batch-calls/{closed['id']}", {"excluded_dates": []})
    t.api.wait_for(closed, "completed")
    assert hold(t, closed) == (None, None)


def test_what_holds_a_campaign_that_is_paced_or_capped(t):
    _, agent = t.dialing_agent()
    paced = t.api.batch(agent, 3, calls_per_minute=1)
    t.api.schedule(paced)
    until(lambda: t.api.read(paced)["completed"] == 1, what="the first is called")
    gate, opens_at = wait_for_hold(t, paced, "pacing")
    assert opens_at == why(t, paced)["next_at"], (gate, opens_at)
    capped = t.api.batch(agent, 3, max_calls_per_day=1)
    t.api.schedule(capped)
    until(lambda: t.api.read(capped)["completed"] == 1, what="the first is called")
    gate, opens_at = wait_for_hold(t, capped, "daily_cap")
    assert opens_at.endswith("T00:00:00.000000Z"), opens_at
    listed = next(one for one in t.api.all("/batch-calls") if one["id"] == capped["id"])
    assert (listed["held_by"], listed["held_until"]) == (gate, opens_at), listed


def test_it_is_over(t):
    _, agent = t.dialing_agent()
    batch = t.api.batch(agent, 2)
    t.api.schedule(batch)
    t.api.wait_for(batch, "completed")
    shown = why(t, batch)
    assert (shown["reason"], shown["next_position"], shown["next_at"]) == ("It is completed.", None, None), shown


def test_unknown_contacts_and_campaigns(t):
    _, agent = t.dialing_agent()
    batch = t.api.batch(agent, 1)
    path = f"/batch-calls/{batch['id']}/why"
    t.client(organization="another one").refuse("not_found", "GET", path)
    t.client("write").refuse("forbidden", "GET", path)
    t.api.refuse("bad_request", "GET", path, query={"position": 1})
    t.api.refuse("not_found", "GET", "/batch-calls/01900000-0000-7000-8000-000000000000/why")


if __name__ == "__main__":
    tap.run(globals())
