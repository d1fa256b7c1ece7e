#!/usr/bin/env python3
"""The events of calls; and the records of deliveries: tries, tests, sending again."""

import collections
import contextlib
import signal

import tap
from client import unhex, until
from receiver import TAKEN, Answer, ends, ends_later
from session import Session

CALL_EVENTS = ["call.started", "call.ended", "call.failed"]
STACK = {"rate_limit": False, "config": {"workers": 6}}


def types(receiver, call_id):
    """Returns the events of a call, in the order of their creation."""
    with receiver.lock:
        events = [event for event in receiver.deliveries if event.data.get("id") == call_id]
    return [event.type for event in sorted(events, key=lambda event: event.timestamp)]


def deliveries(t, webhook, **query):
    return t.api.all(f"/webhooks/{webhook}/deliveries", **query)


def wait_for(t, webhook, status, count=1, seconds=20):
    return until(lambda: len(deliveries(t, webhook, status=status)) >= count
                 and deliveries(t, webhook, status=status), seconds, f"{count} deliveries are {status}")


# Calls

def test_a_call_has_an_event_at_its_start_and_its_end(t):
    receiver, agent = t.dialing_agent()
    receiver.script = lambda call: TAKEN
    receiver.endpoint("/calls", events=CALL_EVENTS)
    receiver.endpoint("/ends", events=["call.ended"])
    batch = t.api.batch(agent, 5)
    t.api.schedule(batch)
    calls = [call.id for call in receiver.wait_for_calls(5)]
    for status in ("ringing", "ringing", "in_progress", "ringing", "completed", "failed"):
        receiver.report(calls[0], status, **({"summary": "said \"yes\" \\ ä"} if status == "completed" else {}))
    receiver.report(calls[1], "in_progress")
    receiver.report(calls[1], "failed", end_reason="no line")
    receiver.report(calls[2], "busy")
    t.api.post("/calls/status", {"reports": [
        {"call_id": calls[3], "status": "ringing"}, {"call_id": calls[3], "status": "voicemail", "cost": 0.5},
        {"call_id": calls[4], "status": "failed"}, {"call_id": calls[4], "status": "completed"}]})
    t.api.wait_for(batch, "completed")
    until(lambda: len(receiver.deliveries) >= 5 + 1 + 8 + 3, what="all events have come")
    on_calls = [event for event in receiver.deliveries if event.path == "/calls"]
    found = collections.Counter((calls.index(event.data["id"]), event.type) for event in on_calls)
    assert found == {(0, "call.started"): 1, (0, "call.ended"): 1, (1, "call.started"): 1, (1, "call.failed"): 1,
                     (2, "call.ended"): 1, (3, "call.started"): 1, (3, "call.ended"): 1, (4, "call.failed"): 1}, found
    assert sorted(calls.index(event.data["id"]) for event in receiver.deliveries if event.path == "/ends") == [0, 2, 3]
    for event in on_calls:
        call = t.api.get(f"/calls/{event.data['id']}")
        if event.type == "call.started":
            assert event.data["status"] in ("ringing", "in_progress") and event.data["ended_at"] is None, event.data
            call.update({name: event.data[name] for name in (
                "status", "answered_at", "reported_at", "ends_at", "ended_at", "cost", "summary", "end_reason")})
        assert event.data == call, (event.data, call)


def test_calls_without_reports_have_events(t):
    """A cancelled single call and a call that failed at once have events, although no report came for them."""
    receiver, agent = t.dialing_agent()
    receiver.script = lambda call: Answer(500)
    receiver.endpoint("/calls", events=CALL_EVENTS)
    single = t.api.post("/calls", {"agent_id": agent["id"], "phone_number": "+4930555", "from_number":
                                   t.api.number()["phone_number"]})
    receiver.wait_for_calls(1)
    t.api.post(f"/calls/{single['id']}/cancel")
    until(lambda: types(receiver, single["id"]) == ["call.ended"], what="the cancelled call has ended")
    receiver.script = lambda call: ends("failed")
    batch = t.api.batch(agent, 1)
    t.api.schedule(batch)
    t.api.wait_for(batch, "completed")
    until(lambda: receiver.of_type("call.failed"), what="the event of the failed call has come")
    assert receiver.of_type("call.failed")[0].data["batch_call_id"] == batch["id"]


def test_without_a_subscriber_nothing_is_kept(t):
    receiver, agent = t.dialing_agent()
    receiver.endpoint("/changes", events=["batch.completed"])
    kept = "SELECT COUNT(*) FROM events WHERE data LIKE '%dispatch_tries%'"
    before = t.stack.sql(kept)
    batch = t.api.batch(agent, 3)
    t.api.schedule(batch)
    t.api.wait_for(batch, "completed")
    assert t.stack.sql(kept) == before


def test_the_tries_of_a_call_say_why_the_dialer_did_not_take_it(t):
    receiver, agent = t.dialing_agent()
    answers = [Answer(500, report={"error": "böse"}, headers={"Connection": "close"}), Answer(reset=True), ends()]
    receiver.script = lambda call: answers.pop(0)
    batch = t.api.batch(agent, 1)
    t.api.schedule(batch)
    call = receiver.wait_for_calls(1)[0].id
    t.api.wait_for(batch, "completed")
    tries = t.api.get(f"/calls/{call}/tries")
    assert [one["response_status"] for one in tries] == [None, 500], tries
    assert tries[1]["error"] == "the endpoint answered 500" and "b\\u00f6se" in tries[1]["excerpt"], tries
    assert tries[0]["error"] and tries[0]["excerpt"] is None and tries[0]["duration_ms"] >= 0, tries
    t.client(organization="another").refuse("not_found", "GET", f"/calls/{call}/tries")
    t.api.refuse("invalid_state", "POST", f"/webhooks/deliveries/{call}/redeliver")


# The record

def test_a_test_is_delivered_and_recorded(t):
    receiver = t.receiver()
    receiver.answer_events = Answer(202, report={"thanks": True}, delay=0.05)
    webhook = receiver.endpoint("/hook")
    made = t.api.post(f"/webhooks/{webhook}/test")
    assert made["status"] == "waiting" and made["attempts"] == 0 and made["tries"] == [], made
    assert made["event_type"] == "webhook.test" and made["webhook_id"] == webhook, made
    until(lambda: receiver.of_type("webhook.test"), what="it has come")
    delivery = wait_for(t, webhook, "delivered")[0]
    assert delivery["id"] == made["id"] and delivery["response_status"] == 202 and delivery["next_try_at"] is None
    assert delivery["event_id"] == receiver.deliveries[0].id
    whole = t.api.get(f"/webhooks/deliveries/{made['id']}")
    assert {name: whole[name] for name in delivery} == delivery and whole["data"] == {}
    one, = whole["tries"]
    assert one["response_status"] == 202 and one["error"] is None and one["excerpt"] == '{"thanks": true}', one
    assert 50 <= one["duration_ms"] < 5000, one
    assert t.api.post(f"/webhooks/deliveries/{made['id']}/redeliver")["status"] == "waiting"
    until(lambda: len(receiver.of_type("webhook.test")) == 2, what="it has come again")
    assert {event.id for event in receiver.deliveries} == {delivery["event_id"]}
    wait_for(t, webhook, "delivered")
    t.api.patch(f"/webhooks/{webhook}", {"disabled": True})
    t.api.refuse("invalid_state", "POST", f"/webhooks/{webhook}/test")
    other = t.client(organization="another")
    for method, path in (("POST", f"/webhooks/{webhook}/test"), ("GET", f"/webhooks/{webhook}/deliveries"),
                         ("GET", f"/webhooks/deliveries/{made['id']}"),
                         ("POST", f"/webhooks/deliveries/{made['id']}/redeliver")):
        other.refuse("not_found", method, path)
    near = made["id"][:-1] + ("0" if made["id"][-1] != "0" else "1")
    t.api.refuse("not_found", "GET", f"/webhooks/deliveries/{near}")
    t.api.refuse("not_found", "GET", f"/webhooks/deliveries/f{made['id'][1:]}")


def test_every_try_is_kept_with_what_came_back(t):
    receiver = t.receiver()
    webhook = receiver.endpoint("/hook")
    receiver.answer_events = Answer(500, raw=b"\xffsorry\x00 \xc3\xa4" + b"\xe2\x82\xac" * 400)
    made = t.api.post(f"/webhooks/{webhook}/test")
    until(lambda: t.api.get(f"/webhooks/deliveries/{made['id']}")["tries"], what="it was tried")
    first = t.api.get(f"/webhooks/deliveries/{made['id']}")
    assert first["status"] == "waiting" and first["attempts"] == 1 and first["next_try_at"], first
    assert first["tries"][0]["excerpt"].startswith("\ufffdsorry\ufffd ä€"), first
    assert len(first["tries"][0]["excerpt"].encode()) <= 500 and first["tries"][0]["excerpt"][-1] == "€"
    receiver.answer_events = Answer(200)
    whole = until(lambda: t.api.get(f"/webhooks/deliveries/{made['id']}")["status"] == "delivered"
                  and t.api.get(f"/webhooks/deliveries/{made['id']}"), 30, "it is delivered")
    assert [one["response_status"] for one in whole["tries"]] == [200, 500] and whole["attempts"] == 2, whole
    assert len({event.id for event in receiver.deliveries}) == 1


def events_of(t, receiver, count):
    """Ends this many campaigns without a call."""
    agent = t.api.agent(receiver.endpoint("/dialer"))
    for _ in range(count):
        t.api.post(f"/batch-calls/{t.api.batch(agent, 1)['id']}/cancel")


def test_lists_are_filtered(t):
    receiver = t.receiver()
    webhook = receiver.endpoint("/hook", events=["batch.status.changed"])
    events_of(t, receiver, 3)
    made = t.api.post(f"/webhooks/{webhook}/test")
    wait_for(t, webhook, "delivered", 4)
    everything = deliveries(t, webhook)
    assert everything[0]["id"] == made["id"] and len(everything) == 4
    assert deliveries(t, webhook, event_type="webhook.test") == everything[:1]
    assert deliveries(t, webhook, status="failed") == deliveries(t, webhook, status="waiting") == []
    at = everything[1]["created_at"]
    assert deliveries(t, webhook, created_after=at) == everything[:2]
    assert deliveries(t, webhook, created_before=at) == everything[2:]
    assert deliveries(t, webhook, created_before=at, status="delivered",
                      event_type="batch.status.changed") == everything[2:]
    first = t.api.ask("GET", f"/webhooks/{webhook}/deliveries", query={"limit": 3})
    assert first.pagination["total"] == 4 and first.pagination["has_more"], first
    rest = t.api.ask("GET", f"/webhooks/{webhook}/deliveries",
                     query={"limit": 3, "cursor": first.pagination["next_cursor"]})
    assert first.data + rest.data == everything and not rest.pagination["has_more"], rest
    for query in ({"status": "done"}, {"event_type": "x"}, {"created_after": "yesterday"}, {"page": 1}):
        t.api.refuse("bad_request", "GET", f"/webhooks/{webhook}/deliveries", query=query)


def figures(t, webhook):
    """Compares the delivery as a single object and in the list."""
    shown = [t.api.get(f"/webhooks/{webhook}")] + [one for one in t.api.all("/webhooks") if one["id"] == webhook]
    found = [tuple(one[name] for name in ("waiting", "failed_24h", "delivered_24h")) for one in shown]
    assert found[0] == found[1], found
    return found[0]


def test_deliveries_are_counted(t):
    receiver = t.receiver()
    webhook = receiver.endpoint("/hook", events=["batch.status.changed"])
    other = receiver.endpoint("/other", events=["batch.status.changed"])
    assert t.api.get(f"/webhooks/{webhook}")["last_success_at"] is None and figures(t, webhook) == (0, 0, 0)
    events_of(t, receiver, 3)
    wait_for(t, webhook, "delivered", 3)
    wait_for(t, other, "delivered", 3)
    assert figures(t, webhook) == figures(t, other) == (0, 0, 3)
    tries = [t.api.get(f"/webhooks/deliveries/{one['id']}")["tries"][0]["at"] for one in deliveries(t, webhook)]
    assert t.api.get(f"/webhooks/{webhook}")["last_success_at"] == max(tries), tries
    endpoint = f"(SELECT id FROM webhook_endpoints WHERE uuid = {unhex(webhook)})"
    t.stack.sql(f"UPDATE deliveries SET status = 2 WHERE endpoint_id = {endpoint} ORDER BY id LIMIT 2")
    receiver.answer_events = Answer(500)
    t.api.post(f"/webhooks/{webhook}/test")
    until(lambda: receiver.of_type("webhook.test"), what="it was tried")
    assert figures(t, webhook) == (1, 2, 1) and figures(t, other) == (0, 0, 3)
    changed = t.api.patch(f"/webhooks/{webhook}", {"description": "x"})
    assert (changed["waiting"], changed["failed_24h"], changed["delivered_24h"]) == (1, 2, 1), changed
    ours = f"organization_id = (SELECT organization_id FROM webhook_endpoints WHERE id = {endpoint})"
    t.stack.sql(f"UPDATE events SET created_at = created_at - INTERVAL 25 HOUR WHERE {ours}"
                " ORDER BY id LIMIT 3")  # one of them is agent.sync
    assert figures(t, webhook) == (1, 0, 1), "what is older than a day is not counted"
    t.stack.sql(f"UPDATE events SET created_at = created_at - INTERVAL 25 HOUR WHERE {ours}")
    assert figures(t, webhook) == (1, 0, 0) and figures(t, other) == (0, 0, 0), "but what waits is"
    assert t.api.get(f"/webhooks/{webhook}")["last_success_at"] == tries[0], "of those that are delivered still"


def test_deliveries_of_all_webhooks_are_one_list(t):
    receiver = t.receiver()
    hooks = [receiver.endpoint(f"/hook{n}", events=["batch.status.changed"]) for n in range(3)]
    assert t.api.get("/webhooks/deliveries") == []
    events_of(t, receiver, 4)
    for hook in hooks:
        wait_for(t, hook, "delivered", 4)
    everything = t.api.all("/webhooks/deliveries")
    assert len(everything) == 13 and everything[-1]["event_type"] == "agent.sync", everything
    apart = [one for hook in hooks for one in deliveries(t, hook)]
    reported = [one for one in everything if one["event_type"] == "batch.status.changed"]
    assert sorted(reported, key=repr) == sorted(apart, key=repr)
    assert [one["created_at"] for one in everything] == sorted((one["created_at"] for one in everything), reverse=True)
    for query in ({}, {"event_type": "batch.status.changed"}, {"status": "delivered"}):
        whole = t.api.get("/webhooks/deliveries", **query)
        for limit in (1, 2, 5):
            pages = list(t.api.pages("/webhooks/deliveries", limit=limit, **query))
            assert [one for page in pages for one in page.data] == whole, (query, limit)
        first = t.api.ask("GET", "/webhooks/deliveries", query={"limit": 2, "offset": 3, **query})
        assert first.data == whole[3:5] and not first.pagination["total_is_exact"], first
        assert first.pagination["total"] == 6, first
    last = t.api.ask("GET", "/webhooks/deliveries", query={"offset": 12})
    assert last.data == everything[12:] and last.pagination["total"] == 13 and last.pagination["total_is_exact"], last
    assert t.api.get("/webhooks/deliveries", offset=20) == []
    some = {one["id"] for one in everything[2:5]}
    rows = ",".join(str(int(one[-12:], 16)) for one in some)
    t.stack.sql(f"UPDATE deliveries SET status = 2 WHERE id IN ({rows})")
    assert {one["id"] for one in t.api.get("/webhooks/deliveries", status="failed")} == some
    assert t.api.get("/webhooks/deliveries", created_before=everything[-1]["created_at"]) == []
    assert t.client(organization="another one").get("/webhooks/deliveries") == []
    for query in ({"status": "done"}, {"event_type": "x"}, {"offset": 10001}, {"page": 1}):
        t.api.refuse("bad_request", "GET", "/webhooks/deliveries", query=query)


# Sending again

def test_a_delivered_event_is_sent_again_with_the_same_id(t):
    receiver = t.receiver()
    webhook = receiver.endpoint("/hook", events=["batch.status.changed"])
    events_of(t, receiver, 1)
    delivery = wait_for(t, webhook, "delivered")[0]
    again = t.api.post(f"/webhooks/deliveries/{delivery['id']}/redeliver")
    assert again["status"] == "waiting" and again["attempts"] == 0 and len(again["tries"]) == 1, again
    until(lambda: len(receiver.of_type("batch.status.changed")) == 2, what="it has come again")
    first, second = receiver.of_type("batch.status.changed")
    assert first.id == second.id and first.body == second.body
    wait_for(t, webhook, "delivered")
    assert len(t.api.get(f"/webhooks/deliveries/{delivery['id']}")["tries"]) == 2


def test_all_that_failed_since_a_time_is_sent_again(t):
    receiver = t.receiver()
    webhook = receiver.endpoint("/hook", events=["batch.status.changed"])
    other = receiver.endpoint("/other", events=["batch.status.changed"])
    receiver.answer_events = Answer(500)
    events_of(t, receiver, 4)
    t.api.post(f"/webhooks/{webhook}/test")
    until(lambda: len(receiver.of_type("batch.status.changed")) >= 8, what="all were tried")
    until(lambda: all(one["attempts"] for hook in (webhook, other) for one in deliveries(t, hook)), what="and written")
    t.stack.sql("UPDATE deliveries SET status = 2, wake_at = '9999-12-31' WHERE tries > 0 AND status = 0")
    failed = deliveries(t, webhook, status="failed", event_type="batch.status.changed")
    assert len(failed) == 4
    receiver.answer_events = Answer(200)
    reply = t.api.post(f"/webhooks/{webhook}/redeliver", {"mode": "failed", "since": failed[1]["created_at"]})
    assert reply == {"redelivered": 2, "has_more": False}, reply
    wait_for(t, webhook, "delivered", 2)
    assert {one["id"] for one in deliveries(t, webhook, status="delivered")} == {failed[0]["id"], failed[1]["id"]}
    assert len(deliveries(t, other, status="failed")) == 4
    assert t.api.post(f"/webhooks/{webhook}/redeliver", {"mode": "failed", "since": "2020-01-01T00:00:00Z"}) == {
        "redelivered": 2, "has_more": False}
    for body, field in (({"mode": "failed"}, "since"), ({"since": "2020-01-01T00:00:00Z"}, "mode"),
                        ({"mode": "all", "since": "2020-01-01T00:00:00Z"}, "mode"),
                        ({"mode": "failed", "since": 5}, "since")):
        t.api.refuse("validation_error", "POST", f"/webhooks/{webhook}/redeliver", body, field)


def test_all_that_is_missing_since_a_time_is_sent(t):
    receiver = t.receiver()
    early = receiver.endpoint("/early", events=["batch.status.changed", "batch.completed"])
    events_of(t, receiver, 2)
    t.api.patch(f"/webhooks/{early}", {"disabled": True})
    events_of(t, receiver, 1)  # it is stored although no subscriber can receive it
    late = receiver.endpoint("/late", events=["batch.status.changed"])
    t.api.patch(f"/webhooks/{early}", {"disabled": False})
    since = {"mode": "missing", "since": "2020-01-01T00:00:00Z"}
    assert t.api.post(f"/webhooks/{late}/redeliver", since) == {"redelivered": 3, "has_more": False}
    assert t.api.post(f"/webhooks/{late}/redeliver", since) == {"redelivered": 0, "has_more": False}
    assert t.api.post(f"/webhooks/{early}/redeliver", since) == {"redelivered": 1, "has_more": False}
    wait_for(t, late, "delivered", 3)
    wait_for(t, early, "delivered", 3)
    ids = {path: [event.id for event in receiver.of_type("batch.status.changed") if event.path == path]
           for path in ("/early", "/late")}
    assert len(ids["/late"]) == 3 and sorted(ids["/early"]) == sorted(ids["/late"]), ids
    newest = deliveries(t, late)[0]
    other = receiver.endpoint("/other", events=["batch.status.changed"])
    reply = t.api.post(f"/webhooks/{other}/redeliver", {"mode": "missing", "since": newest["created_at"]})
    assert reply["redelivered"] == 1, reply
    none = receiver.endpoint("/none", events=["call.ended"])
    assert t.api.post(f"/webhooks/{none}/redeliver", since)["redelivered"] == 0
    t.api.patch(f"/webhooks/{late}", {"disabled": True})
    t.api.refuse("invalid_state", "POST", f"/webhooks/{late}/redeliver", since)


def test_that_an_endpoint_was_switched_off_is_sent_again_too(t):
    receiver, gone = t.receiver(), t.receiver()
    first = receiver.endpoint("/first", events=["webhook.disabled"])
    gone.answer_events = Answer(410)
    t.api.post(f"/webhooks/{gone.endpoint('/gone')}/test")
    delivery = wait_for(t, first, "delivered")[0]
    late = receiver.endpoint("/late", events=["webhook.disabled"])
    assert t.api.post(f"/webhooks/deliveries/{delivery['id']}/redeliver")["event_type"] == "webhook.disabled"
    reply = t.api.post(f"/webhooks/{late}/redeliver", {"mode": "missing", "since": "2020-01-01T00:00:00Z"})
    assert reply["redelivered"] == 1, reply
    until(lambda: [reported.path for reported in receiver.of_type("webhook.disabled")].count("/first") == 2,
          what="it comes again")
    wait_for(t, late, "delivered")


def test_purged_deliveries_are_not_missing(t):
    """A delivery without its event would never end."""
    receiver = t.receiver()
    receiver.endpoint("/early", events=["batch.status.changed"])
    events_of(t, receiver, 2)
    late = receiver.endpoint("/late", events=["batch.status.changed"])
    events = "(SELECT id FROM organizations WHERE name = '%s')" % t.organization
    with meanwhile(t, f"DELETE FROM deliveries WHERE event_id IN (SELECT id FROM events"
                      f" WHERE organization_id = {events});"
                      f" DELETE FROM events WHERE organization_id = {events}"):
        reply = t.api.post(f"/webhooks/{late}/redeliver", {"mode": "missing", "since": "2020-01-01T00:00:00Z"})
    assert reply == {"redelivered": 0, "has_more": False}, reply
    assert t.stack.sql("SELECT COUNT(*) FROM deliveries d LEFT JOIN events e ON e.id = d.event_id"
                       " WHERE e.id IS NULL") == [["0"]]


# Results that come late

@contextlib.contextmanager
def meanwhile(t, change, before="DO 0"):
    """Runs `change` in a transaction that stays open for two seconds."""
    with Session(t, before, "BEGIN", change) as session:
        session.begin("DO SLEEP(2); COMMIT")
        yield
        session.finish()


def test_a_delivery_accepted_during_a_second_lease_ends(t):
    """The result of the delivery comes between the look into the queue and the lease."""
    receiver = t.receiver()
    webhook = receiver.endpoint("/hook")
    receiver.answer_events = Answer(500)
    first = t.api.post(f"/webhooks/{webhook}/test")
    until(lambda: deliveries(t, webhook)[0]["error"], what="it has failed once")
    receiver.answer_events = Answer(200)
    row = f"(SELECT id FROM webhook_endpoints WHERE uuid = {unhex(webhook)})"
    soon = "UTC_TIMESTAMP(6) + INTERVAL 1 SECOND"
    with meanwhile(t, f"UPDATE deliveries SET status = 1, wake_at = '9999-12-31' WHERE endpoint_id = {row}",
                   f"UPDATE deliveries SET wake_at = {soon} WHERE endpoint_id = {row};"
                   f" UPDATE endpoint_health SET next_at = {soon} WHERE endpoint_id = {row}"):
        pass
    second = t.api.post(f"/webhooks/{webhook}/test")
    until(lambda: t.api.get(f"/webhooks/deliveries/{second['id']}")["status"] == "delivered",
          what="the next one is taken")
    assert t.stack.sql(f"SELECT COUNT(*) FROM deliveries WHERE endpoint_id = {row} AND status = 1"
                       " AND wake_at = '9999-12-31'") == [["2"]], "both have ended"
    assert [event.id for event in receiver.deliveries] == [first["event_id"], second["event_id"]]


def test_a_delivery_accepted_after_it_failed_is_delivered(t):
    receiver = t.receiver()
    webhook = receiver.endpoint("/hook")
    receiver.answer_events = Answer(200, delay=1.5)
    delivery = t.api.post(f"/webhooks/{webhook}/test")
    until(lambda: receiver.deliveries, what="it is under way")
    t.stack.sql("UPDATE deliveries SET status = 2, wake_at = '9999-12-31' WHERE status = 0 AND endpoint_id ="
                f" (SELECT id FROM webhook_endpoints WHERE uuid = {unhex(webhook)})")
    assert t.api.get(f"/webhooks/deliveries/{delivery['id']}")["status"] == "failed"
    wait_for(t, webhook, "delivered")


# Retention

def test_old_deliveries_are_deleted(t):
    receiver, agent = t.dialing_agent()
    webhook = receiver.endpoint("/hook", events=["batch.status.changed"])
    receiver.endpoint("/other", events=["batch.status.changed"])
    receiver.script = lambda call: Answer(500)
    t.api.post("/calls", {"agent_id": agent["id"], "phone_number": "+4930555",
                          "from_number": t.api.number()["phone_number"]})
    call = receiver.wait_for_calls(2)[0].id
    until(lambda: t.api.get(f"/calls/{call}/tries"), what="its tries are recorded")
    t.api.post(f"/calls/{call}/status", {"status": "failed"})
    events_of(t, receiver, 3)
    wait_for(t, webhook, "delivered", 3)
    old, kept = deliveries(t, webhook)[1:], deliveries(t, webhook)[:1]
    t.stack.kill("scheduler-1", signal.SIGTERM)
    uuids = ", ".join(unhex(one["event_id"]) for one in old)
    t.stack.sql(f"UPDATE events SET created_at = created_at - INTERVAL 31 DAY WHERE uuid IN ({uuids});"
                " UPDATE call_tries SET call_id = UNHEX(CONCAT('00', SUBSTR(HEX(call_id), 3)))")
    t.stack.sql("INSERT INTO idempotency_keys SELECT 99, UNHEX(SHA2(seq.n, 256)), REPEAT('x', 32), 'r', 200, '',"
                " UTC_TIMESTAMP(6) - INTERVAL 2 DAY FROM (WITH RECURSIVE s AS (SELECT 1 AS n UNION ALL SELECT n + 1"
                " FROM s"
                " WHERE n < 900) SELECT n FROM s) seq")
    t.stack.start_scheduler()
    until(lambda: deliveries(t, webhook) == kept, what="the old ones have left")
    until(lambda: t.stack.sql("SELECT COUNT(*) FROM idempotency_keys WHERE organization_id = 99") == [["0"]],
          what="old replies have left")
    assert t.api.get(f"/webhooks/deliveries/{kept[0]['id']}")["tries"]
    assert t.stack.sql(f"SELECT COUNT(*) FROM events WHERE uuid IN ({uuids})") == [["0"]]
    assert t.stack.sql("SELECT COUNT(*) FROM deliveries d LEFT JOIN events e ON e.id = d.event_id"
                       " WHERE e.id IS NULL") == [["0"]]
    until(lambda: t.api.get(f"/calls/{call}/tries") == [], what="old tries of calls have left")


if __name__ == "__main__":
    tap.run(globals())
