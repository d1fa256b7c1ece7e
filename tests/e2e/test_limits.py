#!/usr/bin/env python3
"""Paces of numbers and contact limits over all campaigns; why a contact is not called now; forecasts."""

import datetime
import itertools

import tap
from client import UTC, contacts, parse, seconds_between, until
from receiver import TAKEN, ends

STACK = {"schedulers": 2}


def limit(t, *limits, rest=None):
    return t.api.patch("/organization", {"contact_limits": list(limits), "rest_hours_after_conversation": rest})


def why(t, batch, position=1):
    return t.api.get(f"/batch-calls/{batch['id']}/contacts/{position}/why")


def gates(shown):
    return {gate["gate"]: gate for gate in shown["gates"]}


def closed(shown):
    return [gate["gate"] for gate in shown["gates"] if not gate["open"]]


# The pace of a number

def test_the_pace_of_a_number_is_configured(t):
    number = t.api.number()
    assert number["calls_per_minute"] is None, number
    path = f"/telephony/numbers/{number['id']}"
    changed = t.api.patch(path, {"calls_per_minute": 90, "friendly_name": "Front desk"})
    assert (changed["calls_per_minute"], changed["friendly_name"]) == (90, "Front desk"), changed
    assert t.api.get(path) == changed and t.api.get("/telephony/numbers") == [changed]
    assert t.api.patch(path, {"calls_per_minute": None})["calls_per_minute"] is None
    for value in (0, 60001, 1.5, "6"):
        t.api.refuse("validation_error", "PATCH", path, {"calls_per_minute": value}, field="calls_per_minute")
    t.api.refuse("validation_error", "PATCH", path, {"phone_number": "+4930123"}, field="phone_number")
    t.client(organization="another one").refuse("not_found", "PATCH", path, {"calls_per_minute": 1})
    etag = t.api.send("GET", path).headers["ETag"]
    t.api.refuse("precondition_failed", "PATCH", path, {"calls_per_minute": 5}, headers={"If-Match": '"other"'})
    assert t.api.send("PATCH", path, {"calls_per_minute": 5}, headers={"If-Match": etag}).status == 200
    t.api.delete(path)
    t.api.refuse("not_found", "GET", path)


def test_campaigns_share_the_pace_of_a_number(t):
    """Three campaigns, two schedulers, ten calls a second from one number; another number is free."""
    receiver, agent = t.dialing_agent()
    paced, free = t.api.number(), t.api.number()
    t.api.patch(f"/telephony/numbers/{paced['id']}", {"calls_per_minute": 600})
    people = contacts(30)
    batches = [t.api.batch(agent, people[at:at + 6], phone_number_ids=[paced["id"]]) for at in (0, 6, 12)]
    both = t.api.batch(agent, people[18:], phone_number_ids=[paced["id"], free["id"]],
                       phone_rotation_strategy="round_robin")
    for batch in (*batches, both):
        t.api.schedule(batch)
    for batch in (*batches, both):
        t.api.wait_for(batch, "completed")
    calls = [call for batch in (*batches, both) for call in t.api.calls_of(batch)]
    assert len(calls) == 30, len(calls)
    at = sorted(call["created_at"] for call in calls if call["from_number"] == paced["phone_number"])
    gaps = [seconds_between(a, b) for a, b in itertools.pairwise(at)]
    assert len(at) >= 18 and min(gaps) >= 0.1, gaps
    assert any(call["from_number"] == free["phone_number"] for call in calls)


def test_single_calls_keep_the_pace(t):
    receiver, agent = t.dialing_agent()
    number = t.api.number()
    t.api.patch(f"/telephony/numbers/{number['id']}", {"calls_per_minute": 2})
    body = {"agent_id": agent["id"], "phone_number": "+4930111", "from_number": number["phone_number"]}
    t.api.post("/calls", body)
    reply = t.api.refuse("rate_limit_exceeded", "POST", "/calls", body)
    assert 1 <= int(reply.headers["Retry-After"]) <= 30, reply.headers
    for given in (number, t.api.number()):
        t.api.post("/telephony/numbers/assign", {"number_id": given["id"], "agent_id": agent["id"],
                                                 "assignment_type": "outbound"})
    del body["from_number"]
    assert t.api.post("/calls", body)["from_number"] != number["phone_number"]


# Contact limits

def test_the_limits_of_an_organisation(t):
    shown = t.api.get("/organization")
    assert shown["name"] == t.organization and shown["contact_limits"] == [], shown
    limits = [{"max_attempts": 3, "period_hours": 24, "period_days": None},
              {"max_attempts": 10, "period_hours": None, "period_days": 30}]
    changed = limit(t, *limits, rest=48)
    assert changed["contact_limits"] == limits and changed["rest_hours_after_conversation"] == 48, changed
    assert t.api.get("/organization") == changed
    kept = t.api.patch("/organization", {"rest_hours_after_conversation": None})
    assert kept["contact_limits"] == limits and kept["rest_hours_after_conversation"] is None, kept
    assert t.api.patch("/organization", {"contact_limits": None})["contact_limits"] == []
    for given, field in [({"period_hours": 1}, "max_attempts"),
                         ({"max_attempts": 0, "period_hours": 1}, "max_attempts"),
                         ({"max_attempts": 101, "period_hours": 1}, "max_attempts"),
                         ({"max_attempts": 1}, "period_hours"),
                         ({"max_attempts": 1, "period_hours": 1, "period_days": 1}, "period_hours"),
                         ({"max_attempts": 1, "period_hours": 2161}, "period_hours"),
                         ({"max_attempts": 1, "period_days": 91}, "period_days"),
                         ({"max_attempts": 1, "weeks": 1}, "weeks")]:
        t.api.refuse("validation_error", "PATCH", "/organization", {"contact_limits": [given]},
                     field=f"contact_limits[0].{field}")
    t.api.refuse("validation_error", "PATCH", "/organization",
                 {"contact_limits": [{"max_attempts": 1, "period_hours": 1}] * 11}, field="contact_limits")
    t.api.refuse("validation_error", "PATCH", "/organization", {"name": "Mine"}, field="name")
    t.client(scopes="read,write").refuse("forbidden", "PATCH", "/organization", {})
    assert t.client(scopes="read").get("/organization")["id"] == shown["id"]
    assert t.client(organization="another one").get("/organization")["contact_limits"] == []


def age_calls(t, hours):
    """Moves time for the calls that were made."""
    organization = t.api.get("/organization")["id"].replace("-", "")
    t.stack.sql(f"UPDATE calls SET called_at = called_at - INTERVAL {hours} HOUR, ended_at = ended_at - INTERVAL"
                f" {hours}"
                f" HOUR WHERE organization_id = (SELECT id FROM organizations WHERE uuid = UNHEX('{organization}'))")


def test_campaigns_that_run_at_once_keep_a_limit(t):
    receiver, agent = t.dialing_agent()
    limit(t, {"max_attempts": 1, "period_days": 1})
    batches = [t.api.batch(agent, 20, max_concurrent_calls=5) for _ in range(4)]
    for batch in batches:
        t.api.schedule(batch)
    until(lambda: sum(t.api.read(batch)["completed"] for batch in batches) == 20, what="each was called once")
    until(lambda: all(waits_a_day(t, batch) for batch in batches), what="the others wait a day")
    assert len(receiver.calls()) == len({call.data["to"] for call in receiver.calls()}) == 20
    age_calls(t, 24)
    for batch in batches:
        t.make_due(batch)
    until(lambda: sum(t.api.read(batch)["completed"] for batch in batches) == 40, what="each was called once more")
    time_of = [call.data["to"] for call in receiver.calls()]
    assert all(time_of.count(number) == 2 for number in set(time_of)), time_of


def waits_a_day(t, batch):
    """No contact that waits could be called before tomorrow."""
    soon = datetime.datetime.now(UTC) + datetime.timedelta(hours=23)
    return all(parse(row["scheduled_at"]) > soon for row in t.api.contacts_of(batch, status="scheduled"))


def test_single_calls_keep_the_limits(t):
    receiver, agent = t.dialing_agent()
    limit(t, {"max_attempts": 2, "period_hours": 4})
    body = {"agent_id": agent["id"], "phone_number": "+4930222", "from_number": t.api.number()["phone_number"]}
    for _ in range(2):
        t.api.post("/calls", body)
    reply = t.api.refuse("contact_limit", "POST", "/calls", body)
    assert "before" in reply.error["message"], reply
    t.api.post("/calls", dict(body, phone_number="+4930223"))
    age_calls(t, 4)
    t.api.post("/calls", body)


# Why

def test_why_a_contact_waits(t):
    receiver, agent = t.dialing_agent()
    receiver.script = lambda call: TAKEN
    number = t.api.number()
    batch = t.api.batch(agent, contacts(3) + contacts(1), max_concurrent_calls=1, phone_number_ids=[number["id"]])
    draft = why(t, batch)
    assert draft["status"] == "pending" and draft["next_at"] is None, draft
    assert draft["waits_for"] == "campaign_state" and closed(draft) == ["campaign_state", "planned_instant"], draft
    t.api.schedule(batch)
    receiver.wait_for_calls(1)
    until(lambda: why(t, batch)["status"] == "in_progress", what="the API shows that")
    assert why(t, batch)["gates"] == [] and why(t, batch)["reason"] == "It is being called."
    assert "duplicate" in why(t, batch, 4)["reason"]
    full = why(t, batch, 2)
    assert closed(full) == ["free_place"] and full["waits_for"] == "free_place" and full["next_at"] is None, full
    facts = gates(full)["free_place"]["facts"]
    called_at = t.api.calls_of(batch)[0]["created_at"]
    assert facts == {"free_places": 0, "places": 1, "in_progress": 1, "dialer_limit": None,
                     "oldest_call_at": called_at}, full
    t.api.post(f"/batch-calls/{batch['id']}/pause")
    t.api.post("/do-not-call", {"phone_number": contacts(2)[1]["phone_number"]})
    assert closed(why(t, batch, 2)) == ["campaign_state", "free_place", "do_not_call"], why(t, batch, 2)
    listed = gates(why(t, batch, 2))["do_not_call"]["facts"]
    assert listed["is_listed"] and listed["reason"] is None and listed["since"] > called_at, listed
    t.api.refuse("not_found", "GET", f"/batch-calls/{batch['id']}/contacts/5/why")
    t.client(organization="another one").refuse("not_found", "GET", f"/batch-calls/{batch['id']}/contacts/1/why")


def test_why_names_the_next_instant(t):
    receiver, agent = t.dialing_agent()
    receiver.script = lambda call: ends("no_answer")
    number = t.api.number()
    t.api.patch(f"/telephony/numbers/{number['id']}", {"calls_per_minute": 1})
    fields = {"phone_number_ids": [number["id"]]}
    first = t.api.batch(agent, 1, **fields)
    t.api.schedule(first)
    t.api.wait_for(first, "completed")
    assert why(t, first)["reason"] == "It is no_answer." and why(t, first)["next_at"] is None
    limit(t, {"max_attempts": 1, "period_days": 2})
    today = datetime.datetime.now(UTC).date()
    tomorrow = str(today + datetime.timedelta(days=1))
    batch = t.api.batch(agent, 1, excluded_dates=[str(today)], **fields)
    t.api.schedule(batch)
    shown = why(t, batch)
    assert set(closed(shown)) >= {"calling_window", "number_pacing", "planned_instant", "contact_limits"}, shown
    window = gates(shown)["calling_window"]
    assert window["facts"]["is_excluded_date"] and window["facts"]["is_working_day"], window
    assert window["opens_at"].startswith(tomorrow), window
    called_at = t.api.calls_of(first)[0]["created_at"]
    assert seconds_between(called_at, shown["next_at"]) == 2 * 86400 and shown["waits_for"] is None, shown
    held = gates(shown)["contact_limits"]["facts"]
    assert (held["max_attempts"], held["period_days"], held["period_hours"], held["attempts"]) == (1, 2, None, 1), held
    assert held["rest_hours_after_conversation"] is None, held
    pace = gates(shown)["number_pacing"]["facts"]
    assert pace["phone_number"] == number["phone_number"] and seconds_between(called_at, pace["next_call_at"]) == 60, \
        pace
    limit(t)
    assert why(t, batch)["next_at"].startswith(tomorrow), why(t, batch)
    text = t.stack.outdial("explain", batch["id"], "1")
    for gate in shown["gates"]:
        assert f" {gate['gate']} " in text, text
    assert "closed  calling_window" in text and tomorrow in text, text


# Forecasts

def preview(t, batch, **body):
    return t.api.post(f"/batch-calls/{batch['id']}/preview", body)


def test_an_estimate(t):
    _, agent = t.dialing_agent()
    plan = {"scheduled_at": "2040-01-02T00:00:00Z", "start_time": "09:00", "end_time": "17:00"}
    batch = t.api.batch(agent, 960, max_concurrent_calls=2, **plan)
    assert preview(t, batch)["estimate"] is None
    shown = preview(t, batch, average_call_seconds=120)
    assert shown["days"][0]["contacts"] == 960, "as planned"
    estimate = shown["estimate"]
    assert estimate["calls"] == 960 and [day["calls"] for day in estimate["days"]] == [480, 480], estimate
    assert estimate["estimated_end"] == "2040-01-03T17:01:00.000000Z", estimate
    retried = preview(t, batch, average_call_seconds=120, answer_rate=0.5,
                      changes={"retry_failed": True, "max_retry_attempts": 1})["estimate"]
    assert retried["calls"] == 1440 and len(retried["days"]) == 3, retried
    number = batch["phone_number_ids"][0]
    t.api.patch(f"/telephony/numbers/{number}", {"calls_per_minute": 1})
    paced = preview(t, batch, average_call_seconds=1)["estimate"]
    assert [day["calls"] for day in paced["days"]] == [480, 480], paced


def test_contacts_that_can_never_be_called(t):
    _, agent = t.dialing_agent()
    people = contacts(30)
    t.api.post("/do-not-call", {"phone_numbers": [person["phone_number"] for person in people[:12]]})
    batch = t.api.batch(agent, people + people[20:23])
    never = {item["reason"]: item for item in preview(t, batch)["never_called"]}
    assert never["do_not_call"] == {"reason": "do_not_call", "contacts": 12,
                                    "first_positions": list(range(1, 11))}, never
    assert never["duplicate"]["first_positions"] == [31, 32, 33] and len(never) == 2, never
    assert preview(t, t.api.batch(agent, contacts(3, first=50)))["never_called"] == []


def test_how_far_a_change_moves_contacts(t):
    _, agent = t.dialing_agent()
    plan = {"scheduled_at": "2040-01-02T00:00:00Z", "start_time": "09:00", "end_time": "17:00",
            "calls_per_minute": 60}
    batch = t.api.batch(agent, 100, **plan)
    t.api.schedule(batch)
    assert preview(t, batch)["change"] is None
    same = preview(t, batch, changes={"name": "Other"})["change"]
    assert same == {"contacts": 100, "earlier": 0, "later": 0, "most_earlier_seconds": 0, "most_later_seconds": 0,
                    "mean_shift_seconds": 0}, same
    later = preview(t, batch, changes={"start_time": "10:00"})["change"]
    assert later["later"] == 100 and later["most_later_seconds"] == later["mean_shift_seconds"] == 3600, later
    faster = preview(t, batch, changes={"calls_per_minute": 120})["change"]
    assert (faster["earlier"], faster["later"], faster["most_earlier_seconds"]) == (99, 0, 49.5), faster
    before = {row["position"]: row["scheduled_at"] for row in t.api.contacts_of(batch)}
    capped = {"max_calls_per_day": 40}
    shown = preview(t, batch, changes=capped)["change"]
    assert t.api.read(batch)["max_calls_per_day"] is None, "nothing is written"
    t.api.patch(f"/batch-calls/{batch['id']}", capped)
    moved = [seconds_between(before[row["position"]], row["scheduled_at"]) for row in t.api.contacts_of(batch)]
    assert shown["later"] == sum(second > 0 for second in moved) == 60, (shown, moved)
    assert shown["most_later_seconds"] == max(moved) and shown["mean_shift_seconds"] == round(sum(moved) / 100), shown


if __name__ == "__main__":
    tap.run(globals())
