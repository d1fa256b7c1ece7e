#!/usr/bin/env python3
"""Calls outside of campaigns: dispatched at once by the same machinery."""

import time

import tap
from client import until
from receiver import TAKEN, Answer, ends

TO = "+4930123456"


def test_a_call_is_dispatched_at_once(t):
    receiver, agent = t.dialing_agent()
    receiver.script = lambda call: TAKEN
    number = t.api.number()
    asked = time.monotonic()
    call = t.api.post("/calls", {"agent_id": agent["id"], "phone_number": TO, "from_number": number["phone_number"],
                                 "variables": {"name": "Ada"}, "call_settings": {"record": True}})
    assert (call["status"], call["batch_call_id"], call["attempt"]) == ("queued", None, 1), call
    request = receiver.wait_for_calls(1)[0]
    assert request.at - asked < 2, "at once"
    assert request.id == request.data["call_id"] == call["id"]
    assert (request.data["to"], request.data["from"]) == (TO, number["phone_number"])
    assert request.data["variables"] == {"name": "Ada"} and request.data["call_settings"] == {"record": True}
    assert request.data["batch_call_id"] is None and request.data["contact"] is None
    until(lambda: t.api.get(f"/calls/{call['id']}")["status"] == "dispatched", what="it is dispatched")
    receiver.report(call["id"], "completed", duration_seconds=12, outcome="sold")
    ended = t.api.get(f"/calls/{call['id']}")
    assert (ended["status"], ended["duration_seconds"], ended["outcome"]) == ("completed", 12, "sold"), ended
    assert len(receiver.calls()) == 1


def test_the_number_it_is_made_from(t):
    receiver, agent = t.dialing_agent()
    body = {"agent_id": agent["id"], "phone_number": TO}
    t.api.refuse("no_phone_number_configured", "POST", "/calls", body)
    number = t.api.number()
    t.api.post("/telephony/numbers/assign", {"number_id": number["id"], "agent_id": agent["id"],
                                             "assignment_type": "outbound"})
    assert t.api.post("/calls", body)["from_number"] == number["phone_number"]
    t.api.refuse("validation_error", "POST", "/calls", {**body, "from_number": "+15005550006"}, field="from_number")


def test_wrong_input(t):
    receiver, agent = t.dialing_agent()
    number = t.api.number()["phone_number"]
    body = {"agent_id": agent["id"], "phone_number": TO, "from_number": number}
    for change, field in (({"phone_number": "030"}, "phone_number"), ({"agent_id": "x"}, "agent_id"),
                          ({"variables": []}, "variables"), ({"call_settings": "x"}, "call_settings"),
                          ({"agent_id": "01890000-0000-7000-8000-000000000000"}, "agent_id"),
                          ({"extra": 1}, "extra")):
        t.api.refuse("validation_error", "POST", "/calls", {**body, **change}, field=field)
    draft = t.api.post("/agents", {"name": "No dialer"})
    t.api.refuse("agent_not_ready", "POST", "/calls", {**body, "agent_id": draft["id"]})
    t.api.post("/do-not-call", {"phone_number": TO})
    t.api.refuse("validation_error", "POST", "/calls", body, field="phone_number")
    assert t.api.get("/calls") == [] and not receiver.calls()


def test_a_call_that_no_dialer_took_may_be_cancelled(t):
    receiver, agent = t.dialing_agent()
    receiver.script = lambda call: Answer(503)
    body = {"agent_id": agent["id"], "phone_number": TO, "from_number": t.api.number()["phone_number"]}
    call = t.api.post("/calls", body)
    receiver.wait_for_calls(1)
    cancelled = t.api.post(f"/calls/{call['id']}/cancel")
    assert (cancelled["status"], cancelled["end_reason"]) == ("cancelled", "cancelled"), cancelled
    t.api.refuse("invalid_state", "POST", f"/calls/{call['id']}/cancel")
    receiver.script = lambda call: TAKEN
    taken = t.api.post("/calls", body)
    until(lambda: t.api.get(f"/calls/{taken['id']}")["status"] == "dispatched", what="it is dispatched")
    t.api.refuse("invalid_state", "POST", f"/calls/{taken['id']}/cancel")
    assert len([request for request in receiver.calls() if request.id == call["id"]]) == 1


def test_many_calls_and_their_reports(t):
    receiver, agent = t.dialing_agent()
    receiver.script = lambda call: ends("busy" if call.data["to"].endswith("7") else "completed")
    body = {"agent_id": agent["id"], "from_number": t.api.number()["phone_number"]}
    calls = [t.api.post("/calls", {**body, "phone_number": f"+4930{n:06}"})["id"] for n in range(1, 101)]
    until(lambda: len(t.api.all("/calls", status="completed")) == 90 and len(t.api.all("/calls", status="busy")) == 10,
          what="all have ended")
    assert sorted(call.id for call in receiver.calls()) == sorted(calls)


def test_a_call_to_try_an_agent(t):
    receiver, agent = t.dialing_agent()
    receiver.script = lambda call: ends("completed", duration_seconds=3)
    path = f"/agents/{agent['id']}/test-call"
    t.api.refuse("no_phone_number_configured", "POST", path, {"phone_number": TO})
    number = t.api.number()["phone_number"]
    call = t.api.post(path, {"phone_number": TO, "from_number": number, "variables": {"name": "Ada"}})
    assert (call["status"], call["agent_id"], call["batch_call_id"]) == ("queued", agent["id"], None), call
    request = receiver.wait_for_calls(1)[0]
    assert (request.id, request.data["to"], request.data["variables"]) == (call["id"], TO, {"name": "Ada"})
    until(lambda: t.api.get(f"/calls/{call['id']}")["status"] == "completed", what="it is over")
    for body, field in (({}, "phone_number"), ({"phone_number": TO, "agent_id": agent["id"]}, "agent_id"),
                        ({"phone_number": TO, "from_number": "+15005550006"}, "from_number")):
        t.api.refuse("validation_error", "POST", path, body, field=field)
    draft = t.api.post("/agents", {"name": "No dialer"})["id"]
    t.api.refuse("agent_not_ready", "POST", f"/agents/{draft}/test-call", {"phone_number": TO, "from_number": number})
    t.api.refuse("not_found", "POST", "/agents/01890000-0000-7000-8000-000000000000/test-call", {"phone_number": TO})
    other = t.client(organization="somebody else")
    other.refuse("not_found", "POST", path, {"phone_number": TO})
    t.api.post("/do-not-call", {"phone_number": TO})
    t.api.refuse("validation_error", "POST", path, {"phone_number": TO, "from_number": number}, field="phone_number")
    assert len(receiver.calls()) == 1


if __name__ == "__main__":
    tap.run(globals())
