#!/usr/bin/env python3
"""The same request twice is done once."""

import os
import signal
import threading

import tap
from client import until
from receiver import Answer

KEY = "X-Idempotency-Key"


def ask(t, body, key, path="/telephony/numbers/import", header=KEY):
    return t.api.send("POST", path, body, headers={header: key})


def number(last):
    return {"phone_number": f"+1666000{last:04}"}


def test_a_repeat_gets_the_stored_reply(t):
    first = ask(t, number(1), "one")
    again = ask(t, number(1), "one")
    assert first.status == again.status == 201 and first.text == again.text, (first, again)
    assert "Idempotency-Replayed" not in first.headers and again.headers["Idempotency-Replayed"] == "true"
    assert len(t.api.all("/telephony/numbers")) == 1
    other = ask(t, number(1), "one", header="Idempotency-Key")
    assert other.text == first.text, "both names of the header mean the same"


def test_the_same_key_for_another_request_is_a_conflict(t):
    assert ask(t, number(1), "key").status == 201
    for body, path in ((number(2), "/telephony/numbers/import"), ({"name": "A"}, "/agents")):
        reply = ask(t, body, "key", path)
        assert (reply.status, reply.error["code"]) == (409, "idempotency_conflict"), reply
    assert len(t.api.all("/telephony/numbers")) == 1 and t.api.all("/agents") == []
    assert ask(t, number(1), "key").status == 201, "the conflict has not taken the key"


def test_keys_of_organisations_are_apart(t):
    other = t.client(organization="idempotent")
    assert ask(t, number(1), "shared").status == 201
    reply = other.send("POST", "/telephony/numbers/import", number(2), headers={KEY: "shared"})
    assert reply.status == 201 and reply.data["phone_number"] == number(2)["phone_number"], reply


def test_a_refusal_is_kept_too(t):
    receiver, agent = t.dialing_agent()
    batch = t.api.batch(agent, 1)
    path = f"/batch-calls/{batch['id']}/resume"
    first = ask(t, {}, "resume", path)
    assert (first.status, first.error["code"]) == (422, "invalid_state"), first
    t.api.schedule(batch, {"scheduled_at": "2040-01-01T00:00:00Z"})
    t.api.post(f"/batch-calls/{batch['id']}/pause")
    again = ask(t, {}, "resume", path)
    assert again.text == first.text and again.headers["Idempotency-Replayed"] == "true", again
    assert ask(t, {}, "resume later", path).status == 200


def test_any_refusal_of_a_body_is_kept(t):
    nowhere = "/batch-calls/00000000-0000-7000-8000-000000000001/pause"
    for path, body, status in (("/telephony/numbers/import", {"phone_number": "wrong"}, 422), ("/agents", "{", 400),
                               (nowhere, {}, 404)):
        first, again = [ask(t, body, path, path) for _ in range(2)]
        assert first.status == again.status == status and again.text == first.text, (first, again)
        assert "Idempotency-Replayed" not in first.headers and again.headers["Idempotency-Replayed"] == "true"
        for other in (number(1), {"phone_number": "wrong, too"}):
            reply = ask(t, other, path)
            assert (reply.status, reply.error["code"]) == (409, "idempotency_conflict"), reply
            assert reply.details == {}, reply


def test_unread_requests_are_not_kept(t):
    for wrong in ({"Content-Type": "text/plain"}, {"Authorization": "Bearer nobody"}):
        assert t.api.send("POST", "/agents", '{"name": "A"}', {KEY: "typo", **wrong}).status in (401, 415)
    assert ask(t, {"name": "A"}, "typo", "/agents").status == 201


def test_a_pace_is_not_kept(t):
    receiver, agent = t.dialing_agent()
    paced = t.api.number()
    t.api.patch(f"/telephony/numbers/{paced['id']}", {"calls_per_minute": 1})
    body = {"agent_id": agent["id"], "phone_number": "+12125550100", "from_number": paced["phone_number"]}
    assert ask(t, body, "first", "/calls").status == 201
    for _ in range(2):
        reply = ask(t, body, "second", "/calls")
        assert reply.status == 429 and "Idempotency-Replayed" not in reply.headers, reply


def test_two_at_once_are_done_once(t):
    for round in range(10):
        replies = []
        threads = [threading.Thread(target=lambda: replies.append(ask(t, number(round), f"round {round}")))
                   for _ in range(6)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert {reply.status for reply in replies} <= {201, 409}, replies
        assert len({reply.text for reply in replies if reply.status == 201}) == 1, replies
    assert len(t.api.all("/telephony/numbers")) == 10


def test_a_repeat_after_a_crash_of_every_worker(t):
    for round in range(5):
        for process in t.stack.workers():
            os.kill(process, signal.SIGKILL)
        replies = [ask(t, number(round), f"crash {round}") for _ in range(8)]
        done = {reply.text for reply in replies if reply.status == 201}
        assert len(done) == 1, replies
    assert len(t.api.all("/telephony/numbers")) == 5


def test_a_key_is_free_after_a_day(t):
    assert ask(t, number(1), "old").status == 201
    t.stack.sql("UPDATE idempotency_keys SET created_at = created_at - INTERVAL 25 HOUR")
    reply = ask(t, number(2), "old")
    assert reply.status == 201 and "Idempotency-Replayed" not in reply.headers, reply
    again = ask(t, number(2), "old")
    assert again.text == reply.text and again.headers["Idempotency-Replayed"] == "true", again
    assert ask(t, number(3), "old").status == 409


def test_long_keys_are_refused(t):
    assert ask(t, number(1), "k" * 255).status == 201
    assert ask(t, number(2), "k" * 256).status == 400


def test_empty_and_contradicting_keys_are_refused(t):
    for headers in ({KEY: ""}, {"Idempotency-Key": ""}, {KEY: " "}, {KEY: "a", "Idempotency-Key": "b"},
                    {KEY: "", "Idempotency-Key": "b"}):
        reply = t.api.refuse("bad_request", "POST", "/telephony/numbers/import", number(1), headers=headers)
        assert "dempotency" in reply.error["message"], reply
    assert t.api.all("/telephony/numbers") == []
    assert t.api.send("GET", "/agents", headers={KEY: ""}).status == 200, "it means nothing there"
    reply = t.api.send("POST", "/telephony/numbers/import", number(1), headers={KEY: "a", "Idempotency-Key": "a"})
    assert reply.status == 201, reply


def test_an_agent_that_is_not_ready_is_not_kept(t):
    receiver = t.receiver()
    receiver.sync = lambda delivery: Answer(500)
    webhook_id = receiver.endpoint()
    agent = t.api.post("/agents", {"name": "A", "webhook_id": webhook_id})
    body = {"name": "B", "agent_id": agent["id"], "phone_number_ids": [t.api.number()["id"]]}
    single = {"agent_id": agent["id"], "phone_number": "+4930123456"}
    for path, sent in (("/batch-calls", body), ("/calls", single)):
        reply = ask(t, sent, path, path)
        assert (reply.status, reply.error["code"]) == (422, "agent_not_ready"), reply
    receiver.sync = lambda delivery: Answer(200)
    t.api.post(f"/agents/{agent['id']}/sync")
    until(lambda: t.api.active(agent["id"]), what="the agent is active")
    assert ask(t, body, "/batch-calls", "/batch-calls").status == 201


def test_a_contact_limit_is_not_kept(t):
    receiver, agent = t.dialing_agent()
    t.api.patch("/organization", {"contact_limits": [{"max_attempts": 1, "period_hours": 1}]})
    body = {"agent_id": agent["id"], "phone_number": "+12125550100", "from_number": t.api.number()["phone_number"]}
    assert ask(t, body, "first", "/calls").status == 201
    reply = ask(t, body, "second", "/calls")
    assert (reply.status, reply.error["code"]) == (422, "contact_limit"), reply
    t.api.patch("/organization", {"contact_limits": []})
    assert ask(t, body, "second", "/calls").status == 201


if __name__ == "__main__":
    tap.run(globals())
