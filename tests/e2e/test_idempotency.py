#!/usr/bin/env python3
"""The same request twice is done once."""

import os
import signal
import threading

import tap

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


def test_what_never_reached_the_work_is_not_kept(t):
    assert ask(t, {"phone_number": "wrong"}, "typo").status == 422
    assert ask(t, number(1), "typo").status == 201


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


def test_long_keys_are_refused(t):
    assert ask(t, number(1), "k" * 255).status == 201
    assert ask(t, number(2), "k" * 256).status == 400


if __name__ == "__main__":
    tap.run(globals())
