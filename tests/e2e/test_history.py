#!/usr/bin/env python3
"""The history of a campaign: who changed what, and when."""

import tap
from client import INSTANT, unhex, until
from receiver import TAKEN
from test_batches import mondays

STACK = {"rate_limit": False}
FAR = "2040-03-01T09:00:00.000000Z"


def history(t, batch, api=None):
    return (api or t.api).all(f"/batch-calls/{batch['id']}/history")


def moves(entries):
    """Oldest first."""
    return [(entry["from"], entry["to"]) for entry in reversed(entries)]


def test_every_state_change_has_its_key(t):
    receiver, agent = t.dialing_agent()
    other = t.client(["read", "write"])
    mine, theirs = t.api.get("/keys/current"), other.get("/keys/current")
    batch = t.api.batch(agent, 2)
    t.api.schedule(batch)
    t.api.wait_for(batch, "completed")
    shown = history(t, batch)
    assert moves(shown) == [(None, "draft"), ("draft", "scheduled"), ("scheduled", "active"),
                           ("active", "completed")], shown
    by = {"id": mine["id"], "name": mine["name"]}
    assert [entry["key"] for entry in shown] == [None, None, by, by], shown
    assert all(entry["changes"] is None and INSTANT.fullmatch(entry["at"]) for entry in shown), shown
    assert [entry["at"] for entry in shown] == sorted((entry["at"] for entry in shown), reverse=True), shown
    receiver.script = lambda call: TAKEN
    batch = t.api.batch(agent, 3, schedule_type="scheduled", scheduled_at=FAR)
    other.post(f"/batch-calls/{batch['id']}/pause")
    t.api.post(f"/batch-calls/{batch['id']}/resume")
    other.post(f"/batch-calls/{batch['id']}/cancel")
    shown = history(t, batch)
    assert moves(shown) == [(None, "draft"), ("draft", "scheduled"), ("scheduled", "paused"), ("paused", "scheduled"),
                           ("scheduled", "cancelled")], shown
    assert [entry["key"]["id"] for entry in shown] == [theirs["id"], mine["id"], theirs["id"], mine["id"], mine["id"]]


def test_changed_settings_are_in_the_history(t):
    receiver, agent = t.dialing_agent()
    batch = t.api.batch(agent, 2, name="Before", metadata={"a": 1})
    path = f"/batch-calls/{batch['id']}"
    number = t.api.number()
    t.api.patch(path, {"name": "After", "max_concurrent_calls": 7, "timezone": "UTC", "working_days": [1, 2],
                       "metadata": {"b": 2.50}, "start_time": "09:00", "end_time": "17:00", "max_calls_per_day": 5,
                       "phone_number_ids": [number["id"]], "excluded_dates": ["2040-01-01"], "retry_on": ["busy"]})
    shown = history(t, batch)[0]
    assert (shown["from"], shown["to"], shown["reason"]) == ("draft", "draft", None), shown
    assert shown["changes"] == {
        "name": {"from": "Before", "to": "After"}, "max_concurrent_calls": {"from": 10, "to": 7},
        "phone_number_ids": {"from": batch["phone_number_ids"], "to": [number["id"]]},
        "working_days": {"from": [1, 2, 3, 4, 5, 6, 7], "to": [1, 2]},
        "metadata": {"from": {"a": 1}, "to": {"b": 2.50}},
        "start_time": {"from": None, "to": "09:00"}, "end_time": {"from": None, "to": "17:00"},
        "max_calls_per_day": {"from": None, "to": 5}, "excluded_dates": {"from": [], "to": ["2040-01-01"]},
        "retry_on": {"from": ["failed", "no_answer", "busy"], "to": ["busy"]}}, shown
    t.api.patch(path, {"name": "After", "retry_failed": False})
    assert len(history(t, batch)) == 2, "nothing was changed"
    t.api.refuse("validation_error", "PATCH", path, {"name": "x", "timezone": "Mars/Olympus"})
    t.api.refuse("invalid_state", "POST", path + "/pause")
    assert len(history(t, batch)) == 2, "a refusal changes nothing"
    t.api.patch(path, {"metadata": {"long": "x" * 5000}})
    assert history(t, batch)[0]["changes"] == {"metadata": {"is_long": True}}
    windows = [{"days": [1, 2], "start": "09:00", "end": "12:00"}]
    t.api.patch(path, {"start_time": None, "end_time": None, "calling_windows": windows})
    assert history(t, batch)[0]["changes"]["calling_windows"] == {"from": [], "to": windows}
    t.api.schedule(batch, {"scheduled_at": FAR})
    moved, changed = history(t, batch)[:2]
    assert changed["changes"] == {"schedule_type": {"from": "immediate", "to": "scheduled"},
                                  "scheduled_at": {"from": None, "to": FAR}}, changed
    assert (changed["to"], moved["from"], moved["to"], moved["changes"]) == ("draft", "draft", "scheduled", None)


def test_a_failure_comes_about_by_itself(t):
    receiver, agent = t.dialing_agent()
    batch = t.api.batch(agent, 3, schedule_type="scheduled", scheduled_at=FAR)
    t.api.patch(f"/batch-calls/{batch['id']}", {"working_days": [1], "excluded_dates": mondays(60)})
    t.api.wait_for(batch, "failed")
    failed, changed = history(t, batch)[:2]
    assert (failed["from"], failed["to"], failed["key"]) == ("scheduled", "failed", None) and failed["reason"], failed
    assert changed["key"] and set(changed["changes"]) == {"working_days", "excluded_dates"}, changed


def test_pages_and_others(t):
    receiver, agent = t.dialing_agent()
    batch = t.api.batch(agent, 0)
    for turn in range(7):
        t.api.patch(f"/batch-calls/{batch['id']}", {"name": f"Turn {turn}"})
    whole = history(t, batch)
    pages = list(t.api.pages(f"/batch-calls/{batch['id']}/history", limit=3))
    assert [len(page.data) for page in pages] == [3, 3, 2] and pages[0].pagination["total"] == 8, pages
    assert [entry for page in pages for entry in page.data] == whole
    assert t.api.get(f"/batch-calls/{batch['id']}/history", offset=6) == whole[6:]
    t.client(organization="another one").refuse("not_found", "GET", f"/batch-calls/{batch['id']}/history")
    t.client(["reports"]).refuse("forbidden", "GET", f"/batch-calls/{batch['id']}/history")
    t.api.delete(f"/batch-calls/{batch['id']}")
    t.api.refuse("not_found", "GET", f"/batch-calls/{batch['id']}/history")
    rows = f"SELECT COUNT(*) FROM batch_calls WHERE uuid = {unhex(batch['id'])}"
    until(lambda: t.stack.sql(rows) == [["0"]], what="the campaign leaves")
    shown = t.api.all("/audit-log", object_id=batch["id"])
    assert (shown[0]["action"], shown[0]["to"], len(shown)) == ("deleted", "deleted", 9), "the log outlives it"


if __name__ == "__main__":
    tap.run(globals())
