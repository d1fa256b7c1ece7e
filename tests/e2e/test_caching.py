#!/usr/bin/env python3
"""ETag, If-None-Match and If-Match: conditions for reading and changing single objects."""

import http.client
import re
import threading

import tap
from client import COUNTERS, until
from receiver import TAKEN

TAG = re.compile(r'"[0-9a-f]{16}-[0-9a-f]{16}"')  # the hash of the configuration, and the hash of everything
STACK = {"config": {"workers": 8}}


def webhook(t):
    return t.api.post("/webhooks", {"url": "http://127.0.0.1:9/", "description": "as made"})


def tag_of(t, path):
    tag = t.api.send("GET", path).headers["ETag"]
    assert TAG.fullmatch(tag), tag
    return tag


def get(t, path, tags):
    return t.api.send("GET", path, headers={"If-None-Match": tags})


def change(t, path, tags, description):
    return t.api.send("PATCH", path, {"description": description}, headers={"If-Match": tags})


def test_an_object_that_is_known_is_not_sent_again(t):
    path = f"/webhooks/{webhook(t)['id']}"
    tag = tag_of(t, path)
    assert tag == tag_of(t, path)
    for tags in (tag, f"W/{tag}", "*", f'"other", {tag}', f'W/"a,b" ,W/{tag},"c"', f', {tag}'):
        reply = get(t, path, tags)
        assert reply.status == 304 and reply.headers["ETag"] == tag, (tags, reply)
        assert reply.headers["Content-Type"] is None and reply.headers["X-Request-Id"], reply.headers
    for tags in ('"other"', f'"{tag}"', tag.strip('"'), tag[:-1], "nonsense", 'W/', '"', ""):
        reply = get(t, path, tags)
        assert reply.status == 200 and reply.headers["ETag"] == tag, (tags, reply)
    assert t.api.send("HEAD", path, headers={"If-None-Match": "*"}).status == 304


def test_a_change_makes_another_tag(t):
    path = f"/webhooks/{webhook(t)['id']}"
    before = tag_of(t, path)
    t.api.patch(path, {"description": "changed"})
    after = tag_of(t, path)
    assert after != before
    assert get(t, path, before).status == 200
    assert get(t, path, f"{before}, {after}").status == 304


def test_every_single_object_has_a_tag_and_nothing_else(t):
    _, agent = t.dialing_agent()
    batch = t.api.batch(agent, 1)
    for path in (f"/agents/{agent['id']}", f"/batch-calls/{batch['id']}"):
        assert get(t, path, tag_of(t, path)).status == 304, path
    path = f"/batch-calls/{batch['id']}/contacts/1"  # which cannot be changed
    tag = t.api.send("GET", path).headers["ETag"]
    assert re.fullmatch(r'"[0-9a-f]{32}"', tag) and get(t, path, tag).status == 304, tag
    for path in ("/agents", f"/batch-calls/{batch['id']}/contacts", "//healthz"):
        assert t.api.send("GET", path, headers={"If-None-Match": "*"}).status == 200, path
    missing = t.api.send("GET", f"/webhooks/{batch['id']}", headers={"If-None-Match": "*"})
    assert missing.status == 404 and missing.headers["ETag"] is None, missing


def test_if_match_refuses_a_change_of_a_changed_object(t):
    path = f"/webhooks/{webhook(t)['id']}"
    first = tag_of(t, path)
    reply = change(t, path, first, "second")
    assert reply.status == 200 and reply.headers["ETag"] == tag_of(t, path), reply
    t.api.refuse("precondition_failed", "PATCH", path, {"description": "third"}, headers={"If-Match": first})
    assert t.api.get(path)["description"] == "second"
    for tags in ('W/"other"', '"other"', "nonsense"):
        assert change(t, path, tags, "third").status == 412, tags
    assert change(t, path, "W/" + tag_of(t, path), "second").status == 200, "nginx writes W/ when it compresses"
    assert change(t, path, f'"other", {tag_of(t, path)}', "one of a list").status == 200
    assert change(t, path, "*", "any").status == 200
    assert t.api.get(path)["description"] == "any"


def test_other_faults_come_first(t):
    path = f"/webhooks/{webhook(t)['id']}"
    stale = {"If-Match": '"stale"'}
    t.api.refuse("validation_error", "PATCH", path, {"description": 1}, headers=stale)
    t.api.refuse("not_found", "PATCH", f"/webhooks/{t.api.batch(t.dialing_agent()[1])['id']}", {}, headers=stale)


def test_of_many_at_once_one_wins(t):
    path = f"/webhooks/{webhook(t)['id']}"
    for _ in range(10):
        tag, replies = tag_of(t, path), []
        threads = [threading.Thread(target=lambda n=n: replies.append(change(t, path, tag, f"by {n}")))
                   for n in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert sorted(reply.status for reply in replies) == [200] + [412] * 7, replies
        winner = next(reply for reply in replies if reply.status == 200)
        assert t.api.get(path)["description"] == winner.data["description"]


def test_a_campaign_that_runs_can_be_changed_under_a_condition(t):
    """A change of its counters or its state changes the tag for If-None-Match, but not the tag that If-Match
    compares."""
    receiver, agent = t.dialing_agent()
    receiver.script = lambda call: TAKEN
    batch = t.api.batch(agent, 5, metadata={"a": ["}", "\\\"", {"b": "]"}], "status": "x", "name": "in it"},
                        name='"name":"x"')
    path = f"/batch-calls/{batch['id']}"
    before = tag_of(t, path)
    t.api.schedule(batch)
    receiver.wait_for_calls(3)
    t.api.wait_for(batch, "active")
    running = tag_of(t, path)
    assert running != before and running[:17] == before[:17], (before, running)
    assert get(t, path, before).status == 200
    for call in receiver.calls()[:2]:
        t.api.post(f"/calls/{call.data['call_id']}/status", {"status": "completed"})
    reply = t.api.send("PATCH", path, {"max_concurrent_calls": 20}, headers={"If-Match": before})
    assert reply.status == 200 and reply.headers["ETag"][:17] != before[:17], reply
    for field, value in (("max_concurrent_calls", 30), ("name", "n"), ("working_days", [1, 2, 3, 4, 5, 6])):
        t.api.refuse("precondition_failed", "PATCH", path, {field: value}, headers={"If-Match": before})
        tag = tag_of(t, path)
        assert t.api.send("PATCH", path, {field: value}, headers={"If-Match": tag}).status == 200
        assert tag_of(t, path)[:17] != tag[:17], field
    for tags in (tag_of(t, path)[:16] + '"', tag_of(t, path)[:17], before, '"' + before[18:]):
        t.api.refuse("precondition_failed", "PATCH", path, {"name": "z"}, headers={"If-Match": tags})
    t.api.post(f"{path}/cancel")


def test_an_agent_whose_dialer_has_answered(t):
    receiver, agent = t.dialing_agent()
    path = f"/agents/{agent['id']}"
    tag = t.api.send("PATCH", path, {"greeting": "Hello"}).headers["ETag"]  # before the dialer has accepted it
    until(lambda: t.api.active(agent["id"]), what="the agent is active again")
    assert t.api.send("PATCH", path, {"greeting": "Good day"}, headers={"If-Match": tag}).status == 200
    t.api.refuse("precondition_failed", "PATCH", path, {"greeting": "x"}, headers={"If-Match": tag})


def test_other_objects_whose_figures_move(t):
    folder = t.api.post("/contacts/folders", {"name": "F"})
    path = f"/contacts/folders/{folder['id']}"
    tag = tag_of(t, path)
    t.api.post("/contacts", {"phone_number": "+4930123456", "folder_id": folder["id"]})
    assert tag_of(t, path) != tag
    assert t.api.send("PATCH", path, {"name": "G"}, headers={"If-Match": tag}).status == 200
    t.api.refuse("precondition_failed", "PATCH", path, {"name": "H"}, headers={"If-Match": tag})
    path = "/organization"
    tag = tag_of(t, path)
    assert t.api.send("PATCH", path, {}, headers={"If-Match": tag}).status == 200


def test_a_campaign_is_replanned_once(t):
    """The handler runs once only for its locks, which must leave no traces."""
    receiver, agent = t.dialing_agent()
    receiver.endpoint("/events", events=["batch.status.changed"])
    batch = t.api.batch(agent, 50, schedule_type="scheduled", scheduled_at="2040-06-01T08:00:00Z")
    path = f"/batch-calls/{batch['id']}"
    body = {"scheduled_at": "2040-06-02T08:00:00Z"}
    t.api.refuse("precondition_failed", "PATCH", path, body, headers={"If-Match": '"stale"'})
    assert t.api.read(batch)["planned_from"].startswith("2040-06-01T08:00:00")
    reply = t.api.send("PATCH", path, body, headers={"If-Match": tag_of(t, path)})
    assert reply.status == 200 and reply.data["planned_from"].startswith("2040-06-02T08:00:00"), reply
    rows = t.api.contacts_of(batch)
    assert len({row["scheduled_at"] for row in rows}) == 50, rows
    assert {row["scheduled_at"][:10] for row in rows} == {"2040-06-02"}, rows
    assert {name: reply.data[name] for name in COUNTERS} == {name: batch[name] for name in COUNTERS}


def test_conditions_on_every_method(t):
    _, agent = t.dialing_agent()
    batch = t.api.batch(agent, 1)
    path = f"/batch-calls/{batch['id']}"
    tag = tag_of(t, path)
    send = lambda method, path, body=None, **headers: t.api.send(
        method, path, body, {name.replace("_", "-"): value for name, value in headers.items()}).status
    for method, place in (("POST", path + "/schedule"), ("POST", path + "/cancel"), ("DELETE", path), ("PATCH", path)):
        for headers in ({"If_Match": '"other"'}, {"If_None_Match": tag}, {"If_None_Match": "*"},
                        {"If_Match": tag, "If_None_Match": f'"other", {tag}'}):
            body = None if method == "DELETE" else {}
            assert send(method, place, body, **headers) == 412, (method, place, headers)
    assert t.api.read(batch) == {**batch, "updated_at": t.api.read(batch)["updated_at"]}
    assert send("POST", path + "/schedule", {"scheduled_at": "2040-01-01T00:00:00Z"}, If_Match=tag,
                If_None_Match='"other"') == 200
    assert send("POST", path + "/pause", {}, If_Match="*") == 200
    assert send("POST", path + "/cancel", {}, If_Match=tag_of(t, path)) == 200
    assert send("DELETE", path, If_Match='"other"') == 412
    assert send("DELETE", path, If_Match=tag_of(t, path)) == 204
    assert send("DELETE", path, If_Match='"other"') == 404


def test_what_has_no_tag_is_not_changed_under_a_condition(t):
    for method, path, body, media_type in (
            ("POST", "/agents", {"name": "A"}, "application/json"),
            ("POST", "/do-not-call", {"phone_number": "+4930123456"}, "application/json"),
            ("POST", "/contacts/import", "phone\n+4930123456\n", "text/csv"),
            ("DELETE", "/do-not-call/+4930123456", None, None)):
        for headers in ({"If-Match": "*"}, {"If-Match": '"a"'}, {"If-None-Match": '"a"'}, {"If-None-Match": "*"}):
            t.api.refuse("precondition_failed", method, path, body,
                         headers=dict(headers, **{"Content-Type": media_type}))
        for name in ("If-Match", "If-None-Match"):
            t.api.refuse("bad_request", method, path, body, headers={name: "", "Content-Type": media_type})
    for path in ("/agents", "/do-not-call", "/contacts"):
        assert t.api.get(path) == [], path


def test_a_header_that_is_sent_twice_changes_nothing(t):
    for name, first, second in (("Idempotency-Key", "a", "b"), ("X-Idempotency-Key", "a", "b"),
                                ("If-None-Match", '"a"', '"b"'), ("Content-Encoding", "identity", "gzip")):
        connection = http.client.HTTPConnection("127.0.0.1", t.stack.port, timeout=20)
        connection.putrequest("POST", "/api/public/v1/agents")
        for key, value in (("Authorization", f"Bearer {t.api.key}"), ("Content-Type", "application/json"),
                           ("Content-Length", "13"), (name, first), (name, second)):
            connection.putheader(key, value)
        connection.endheaders(b'{"name": "A"}')
        reply = connection.getresponse()
        assert reply.status == 400, (name, reply.status, reply.read())
        connection.close()
    assert t.api.get("/agents") == []


def test_reading_under_a_condition(t):
    path = f"/webhooks/{webhook(t)['id']}"
    for tags, status in ((tag_of(t, path), 200), ("W/" + tag_of(t, path), 200), ("*", 200), ('"other"', 412)):
        assert t.api.send("GET", path, headers={"If-Match": tags}).status == status, tags
    assert t.api.send("GET", "/webhooks", headers={"If-Match": "*"}).status == 200
    assert t.api.send("GET", "/webhooks", headers={"If-Match": '"other"'}).status == 412


def test_the_tag_of_a_compressed_reply(t):
    agent = t.api.post("/agents", {"name": "A", "system_prompt": "Long. " * 500})
    path = f"/agents/{agent['id']}"
    connection = http.client.HTTPConnection(t.api.host)
    ask = lambda **headers: (connection.request("GET", "/api/public/v1" + path, headers={
        "Authorization": f"Bearer {t.api.key}", "Accept-Encoding": "gzip", **headers}), connection.getresponse())[1]
    reply = ask()
    reply.read()
    tag = reply.headers["ETag"]
    assert tag == "W/" + tag_of(t, path) and reply.headers["Content-Encoding"] == "gzip", reply.headers
    again = ask(**{"If-None-Match": tag})
    again.read()
    assert again.status == 304, again.headers
    assert t.api.send("PATCH", path, {"name": "B"}, headers={"If-Match": tag}).status == 200
    assert t.api.send("PATCH", path, {"name": "C"}, headers={"If-Match": tag}).status == 412
    connection.close()


if __name__ == "__main__":
    tap.run(globals())
