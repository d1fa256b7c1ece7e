#!/usr/bin/env python3
"""Dialers that fetch their calls get the same calls by the same rules, once for each attempt. A lost answer loses no
call."""

import collections
import datetime
import json
import os
import socket
import subprocess
import sys
import threading
import time

import tap
from client import BASE, until
from cutter import Api, Later, until_it_waits
from puller import PULL
from receiver import Answer, ends, ends_later

STACK = {"rate_limit": False, "schedulers": 2, "config": {"dispatch_ttl_seconds": 12, "lease_seconds": 20}}
LEASE = 5


def agent_of(t):
    """An agent whose calls the test fetches itself."""
    return t.api.agent(t.api.post("/webhooks", {"url": PULL})["id"], system_prompt="Be kind.")


def fetch(t, agent, api=None, **fields):
    body = {"agent_id": agent["id"], "wait_seconds": 0, "lease_seconds": LEASE, **fields}
    return (api or t.api).post("/dispatches/claim", body)["calls"]


def fetch_some(t, agent, count=1, seconds=20, **fields):
    found = []
    until(lambda: found.extend(fetch(t, agent, **fields)) or len(found) >= count, seconds,
          f"{count} calls can be fetched")
    assert len(found) == count, found
    return found


def fetch_later(t, agent, **more):
    return Later(t.api, "POST", "/dispatches/claim", {"agent_id": agent["id"], "wait_seconds": 0}, **more)


def until_offered(t, batch):
    """The lease of the campaign's only call has ended."""
    offered = f"SELECT 1 FROM calls WHERE batch_id = {t.row_of(batch)} AND wake_at = expires_at"
    until(lambda: t.stack.sql(offered), 20, "it is offered")


def report(t, call, status="completed"):
    return t.api.post(f"/calls/{call['call_id']}/status", {"status": status})


def start(t, agent, count=1, **fields):
    batch = t.api.batch(agent, count, **fields)
    t.api.schedule(batch)
    return batch


def test_a_campaign_is_fetched_to_its_end(t):
    puller, agent = t.pulling_agent()
    tries = collections.Counter()

    def script(call):
        tries[call.data["to"]] += 1
        if tries[call.data["to"]] == 1:
            return Answer(202, later=[(0.05, {"status": "in_progress"}), (0.1, {"status": "busy"})])
        return ends_later(0.05)
    puller.script = script
    batch = start(t, agent, 30, max_concurrent_calls=7, retry_failed=True, max_retry_attempts=1, retry_delay_minutes=0)
    done = t.api.wait_for(batch, "completed")
    assert (done["completed"], done["total_contacts"]) == (30, 30), done
    assert len({call.id for call in puller.calls()}) == 60 and set(tries.values()) == {2}, tries
    call = puller.calls()[0].data
    assert call["agent"]["id"] == agent["id"] and call["batch_call_id"] == batch["id"] and call["contact"], call
    shown = t.api.get(f"/calls/{call['call_id']}")
    assert (shown["phone_number"], shown["from_number"]) == (call["to"], call["from"]), (call, shown)
    assert [delivery for delivery in t.api.all("/webhooks/deliveries")] == [], "nothing is sent to it"


def test_a_campaign_that_ends_during_a_fetch_gives_no_call(t):
    """The fetch finds the campaign without a lock, and judges it again under the lock."""
    agent = agent_of(t)
    with Api(t) as api:
        for action in ("cancel", "pause"):
            batch = start(t, agent, 3)
            until(lambda: t.api.get(f"/batch-calls/{batch['id']}")["held_by"] == "dialer_fetch")
            with api.cutter.hold("ORDER BY b.wake_at FOR UPDATE SKIP LOCKED"):
                fetching = fetch_later(t, agent)
                assert api.cutter.holds.wait(20), action
                t.api.post(f"/batch-calls/{batch['id']}/{action}")
            assert fetching.result().data["calls"] == [], fetching.reply
            after = t.api.get(f"/batch-calls/{batch['id']}")
            assert after["status"] == {"cancel": "cancelled", "pause": "paused"}[action], after
            due = t.stack.sql(f"SELECT wake_at > '9000-01-01' FROM batch_calls WHERE id = {t.row_of(batch)}")
            assert due == [["1"]], "no scheduler looks at it"


def test_an_agent_gets_another_dialer_during_a_fetch(t):
    """Then the fetch claims nothing, and the new dialer has the call soon."""
    agent, receiver = agent_of(t), t.receiver()
    receiver.script = lambda call: ends()
    with Api(t) as api:
        batch = start(t, agent)
        until(lambda: t.api.get(f"/batch-calls/{batch['id']}")["held_by"] == "dialer_fetch")
        with api.cutter.hold("ORDER BY b.wake_at FOR UPDATE SKIP LOCKED"):
            fetching = fetch_later(t, agent)
            assert api.cutter.holds.wait(20)
            t.api.patch(f"/agents/{agent['id']}", {"webhook_id": receiver.endpoint()})
            until(lambda: t.api.active(agent["id"]), what="its dialer has taken agent.sync")
        assert fetching.result().data["calls"] == [], fetching.reply
        t.api.wait_for(batch, "completed", 10)
        assert len(receiver.calls(batch)) == 1


def test_a_call_that_another_fetch_took_meanwhile_is_not_handed_out(t):
    """The fetch finds the offered call without a lock, and looks again under the lock."""
    agent = agent_of(t)
    with Api(t) as api:
        batch = start(t, agent)
        fetch_some(t, agent)
        until_offered(t, batch)
        with api.cutter.hold("ON b.id = c.batch_id FOR UPDATE SKIP LOCKED") as hold:
            fetching = fetch_later(t, agent)
            hold.wait()
            fetch_some(t, agent)
        assert fetching.result().data["calls"] == [], fetching.reply
        t.api.post(f"/batch-calls/{batch['id']}/cancel")


def test_a_pause_waits_for_a_fetch_of_an_offered_call(t):
    """No call is handed out after the pause was answered."""
    agent = agent_of(t)
    with Api(t) as api:
        batch = start(t, agent)
        fetch_some(t, agent)
        until_offered(t, batch)
        with api.cutter.hold("UPDATE idempotency_keys SET request_id"):
            fetching = fetch_later(t, agent, headers={"Idempotency-Key": "again"})
            assert api.cutter.holds.wait(5)
            pausing = Later(t.api, "POST", f"/batch-calls/{batch['id']}/pause")
            until_it_waits(t, pausing)
        assert len(fetching.result().data["calls"]) == 1 and pausing.result().status == 200, fetching.reply


def test_no_call_is_offered_outside_of_the_window(t):
    agent = agent_of(t)
    batch = start(t, agent)
    fetch_some(t, agent)
    until_offered(t, batch)
    days = [(datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(days=days)).date().isoformat()
            for days in (0, 1)]
    t.api.patch(f"/batch-calls/{batch['id']}", {"excluded_dates": days})
    assert fetch(t, agent) == []
    until(lambda: t.api.contacts_of(batch)[0]["status"] == "scheduled", 20, "it waits in the plan")


def test_a_lease_may_be_as_long_as_a_call_may_wait(t):
    agent = agent_of(t)
    start(t, agent)
    fetch_some(t, agent, lease_seconds=STACK["config"]["dispatch_ttl_seconds"])
    assert fetch(t, agent) == [], "somebody has it"


def test_closed_rules_allow_no_fetch(t):
    agent = agent_of(t)
    batch = start(t, agent, 5, max_concurrent_calls=2)
    why = until(lambda: (shown := t.api.get(f"/batch-calls/{batch['id']}/why"))["held_by"] == "dialer_fetch" and shown)
    assert [gate["gate"] for gate in why["gates"] if not gate["open"]] == ["dialer_fetch"], why
    listed = t.api.contacts_of(batch)[0]["phone_number"]
    t.api.post("/do-not-call", {"phone_number": listed})
    calls = fetch_some(t, agent, 2, limit=10)
    assert listed not in [call["to"] for call in calls] and fetch(t, agent) == [], calls
    for call in calls:
        report(t, call)
    t.api.post(f"/batch-calls/{batch['id']}/pause")
    assert fetch(t, agent) == []
    t.api.post(f"/batch-calls/{batch['id']}/resume")
    calls = fetch_some(t, agent, 2)
    t.api.post("/do-not-call", {"phone_number": calls[0]["to"]})
    t.api.patch(f"/webhooks/{agent['webhook_id']}", {"disabled": True})
    assert fetch(t, agent) == []
    for call in calls:
        report(t, call)
    t.api.patch(f"/webhooks/{agent['webhook_id']}", {"disabled": False})
    done = t.api.wait_for(batch, "completed")
    assert (done["completed"], done["skipped"]) == (4, 1), done


def test_a_call_without_reports_is_fetched_again_with_the_same_id(t):
    agent = agent_of(t)
    batch = start(t, agent)
    first, = fetch_some(t, agent)
    assert fetch(t, agent) == [], "it has a lease"
    again, = fetch_some(t, agent)
    assert again["call_id"] == first["call_id"] and again["attempt"] == 1, again
    until(lambda: t.api.contacts_of(batch)[0]["status"] != "in_progress", 30, "it waits in the plan")
    last, = fetch_some(t, agent, seconds=60)
    assert last["call_id"] == first["call_id"] and last["expires_at"] > first["expires_at"], last
    report(t, last, "ringing")
    assert fetch(t, agent, wait_seconds=1) == []
    report(t, last)
    t.api.wait_for(batch, "completed")
    assert len(t.api.calls_of(batch)) == 1


def test_an_answer_that_is_lost_loses_no_call(t):
    """The client closes the connection without reading the answer, as when a worker dies after COMMIT."""
    agent = agent_of(t)
    batch = start(t, agent, 3)
    body = json.dumps({"agent_id": agent["id"], "wait_seconds": 5, "lease_seconds": LEASE})
    until(lambda: t.api.get(f"/batch-calls/{batch['id']}/why")["held_by"] == "dialer_fetch")
    host, port = t.api.host.split(":")
    with socket.create_connection((host, int(port))) as connection:
        connection.sendall(f"POST {BASE}/dispatches/claim HTTP/1.1\r\nHost: {host}\r\nAuthorization: Bearer"
                           f" {t.api.key}\r\n"
                           f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n{body}".encode())
        made = until(lambda: len(calls := t.api.calls_of(batch)) == 3 and calls, what="the calls were claimed")
    found = fetch_some(t, agent, 3)
    assert {call["call_id"] for call in found} == {call["id"] for call in made}, (found, made)
    for call in found:
        report(t, call)
    t.api.wait_for(batch, "completed")


def test_many_fetch_at_once(t):
    agent, found, lock = agent_of(t), collections.Counter(), threading.Lock()
    batch = start(t, agent, 120, max_concurrent_calls=100)

    def dialer(api):
        while sum(found.values()) < 120:
            for call in fetch(t, agent, api, limit=7, lease_seconds=60):
                with lock:
                    found[call["call_id"]] += 1
                api.post(f"/calls/{call['call_id']}/status", {"status": "completed"})
    threads = [threading.Thread(target=dialer, args=(t.client(),), daemon=True) for _ in range(6)]
    for thread in threads:
        thread.start()
    t.api.wait_for(batch, "completed")
    assert set(found.values()) == {1} and len(found) == 120, found


def test_a_fetch_waits_for_what_comes(t):
    agent = agent_of(t)
    began = time.monotonic()
    assert fetch(t, agent, wait_seconds=1) == [] and time.monotonic() - began > 0.9
    found = []
    thread = threading.Thread(target=lambda: found.extend(fetch(t, agent, t.client(), wait_seconds=5)), daemon=True)
    thread.start()
    batch = start(t, agent)
    thread.join(10)
    assert len(found) == 1, found
    report(t, found[0])
    t.api.wait_for(batch, "completed")


def test_waiting_takes_not_all_workers(t):
    """If more requests want to wait than may wait, other requests are still answered, and such a request gets
    Retry-After."""
    agent, replies = agent_of(t), []

    def wait(api):
        replies.append(api.send("POST", "/dispatches/claim", {"agent_id": agent["id"], "wait_seconds": 3}))
    threads = [threading.Thread(target=wait, args=(t.client(),), daemon=True) for _ in range(12)]
    for thread in threads:
        thread.start()
    until(lambda: any(reply.headers["Retry-After"] == "1" for reply in replies), 2, "there is no seat left")
    assert t.api.get("/agents"), "others are answered"
    for thread in threads:
        thread.join(20)
    assert all(reply.status == 200 and reply.data["calls"] == [] for reply in replies), replies
    assert any(reply.headers["Retry-After"] is None for reply in replies), "some waited"


def test_the_same_fetch_again_gives_the_same_calls(t):
    agent = agent_of(t)
    body = {"agent_id": agent["id"], "wait_seconds": 0}
    headers = {"Idempotency-Key": "a fetch"}
    assert t.api.send("POST", "/dispatches/claim", body, headers).data["calls"] == []
    start(t, agent, 2)
    first = until(lambda: (reply := t.api.send("POST", "/dispatches/claim", body, headers)).data["calls"] and reply)
    again = t.api.send("POST", "/dispatches/claim", body, headers)
    assert again.headers["Idempotency-Replayed"] == "true" and again.data == first.data, (first, again)


def test_single_calls_are_fetched_too(t):
    agent, number = agent_of(t), t.api.number()["phone_number"]
    one, other = [t.api.post("/calls", {"agent_id": agent["id"], "phone_number": phone, "from_number": number,
                                        "variables": {"a": 1}})["id"] for phone in ("+493055500001", "+493055500002")]
    found = fetch_some(t, agent, 2)
    assert {call["call_id"] for call in found} == {one, other} and found[0]["variables"] == {"a": 1}, found
    t.api.post(f"/calls/{one}/status", {"status": "busy"})
    ended = until(lambda: (call := t.api.get(f"/calls/{other}"))["status"] == "failed" and call, 40, "it is given up")
    assert ended["error_reason" if "error_reason" in ended else "end_reason"] == "dialer_unreachable", ended


def test_the_example_is_such_a_dialer(t):
    agent, key = agent_of(t), t.stack.new_key(t.organization, ["reports"])
    example = os.path.join(os.path.dirname(__file__), "../../examples/pull-dialer/pull_dialer.py")
    dialer = subprocess.Popen([sys.executable, example, "--url", t.stack.url, "--agent", agent["id"], "--seconds",
                               "0.1"],
                              env={**os.environ, "OUTDIAL_KEY": key}, stdout=subprocess.DEVNULL)
    try:
        batch = start(t, agent, [{"phone_number": f"+4930555100{number:02}"} for number in range(10)])
        done = t.api.wait_for(batch, "completed")
        assert (done["completed"], done["no_answer"], done["busy"], done["failed"]) == (7, 1, 1, 1), done
    finally:
        dialer.terminate()
        dialer.wait()


def test_invalid_fetches_are_refused(t):
    agent = agent_of(t)
    for field, value in (("limit", 0), ("limit", 101), ("wait_seconds", 6), ("lease_seconds", 4),
                         ("lease_seconds", 121), ("agent_id", "01a1fd50-2fad-7000-96e6-451632c2ee91"), ("other", 1)):
        t.api.refuse("validation_error", "POST", "/dispatches/claim", {field: value}, field=field)
    t.client(["read", "write"]).refuse("forbidden", "POST", "/dispatches/claim", {})
    assert t.client(["reports"]).post("/dispatches/claim", {"wait_seconds": 0})["calls"] == []
    t.api.refuse("validation_error", "POST", "/webhooks", {"url": PULL, "events": ["call.ended"]}, field="events")
    path = f"/webhooks/{agent['webhook_id']}"
    t.api.refuse("validation_error", "PATCH", path, {"events": ["call.ended"]}, field="events")
    t.api.refuse("validation_error", "PATCH", path, {"url": "https://example.com/"}, field="url")
    t.api.refuse("invalid_state", "POST", path + "/test", {})


if __name__ == "__main__":
    tap.run(globals())
