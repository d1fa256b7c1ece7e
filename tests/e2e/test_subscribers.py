#!/usr/bin/env python3
"""The sample subscribers, in Python and in JavaScript: they handle each real delivery once, and refuse forged, late and
changed deliveries."""

import base64
import contextlib
import hashlib
import hmac
import http.client
import json
import os
import shutil
import signal
import subprocess
import time

import tap
from client import until
from receiver import ends

EXAMPLES = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "examples")
PROGRAMS = {"python": ["python3", os.path.join(EXAMPLES, "subscriber.py")],
            "node": ["node", os.path.join(EXAMPLES, "subscriber.mjs")]}
EVENTS = ["batch.status.changed", "batch.completed", "call.started", "call.ended", "call.failed"]
SECRET = "whsec_" + base64.b64encode(b"a secret of the tests").decode()
BODY = json.dumps({"id": "evt_1", "type": "call.ended", "timestamp": "2026-01-01T00:00:00Z",
                   "data": {"id": "1"}}).encode()


class Subscriber:
    def __init__(self, t, language, secrets, journal, port=0):
        if not shutil.which(PROGRAMS[language][0]):
            raise tap.Skip(f"there is no {PROGRAMS[language][0]}")
        self.journal = os.path.join(t.stack.state_dir, journal)
        self.process = subprocess.Popen(
            [*PROGRAMS[language], "--port", str(port), "--journal", self.journal], text=True, stdout=subprocess.PIPE,
            stderr=subprocess.PIPE, env=dict(os.environ, OUTDIAL_WEBHOOK_SECRET=secrets))
        self.port = int(self.process.stdout.readline().split()[-1])

    def end(self, how=signal.SIGTERM):
        self.process.send_signal(how)
        self.process.communicate(timeout=10)

    def events(self):
        with open(self.journal, encoding="utf-8") as file:
            return [json.loads(line) for line in file]

    def send(self, headers, body=BODY, method="POST"):
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=10)
        with contextlib.closing(connection):
            connection.request(method, "/", body, headers)
            return connection.getresponse().status


@contextlib.contextmanager
def running(*arguments, **fields):
    subscriber = Subscriber(*arguments, **fields)
    try:
        yield subscriber
    finally:
        if subscriber.process.poll() is None:
            subscriber.end()


def signed(message="evt_1", body=BODY, secret=SECRET, age=0, version="v1", **changed):
    timestamp = str(int(time.time()) - age)
    key = base64.b64decode(secret.removeprefix("whsec_"))
    digest = hmac.new(key, f"{message}.{timestamp}.".encode() + body, hashlib.sha256).digest()
    headers = {"webhook-id": message, "webhook-timestamp": timestamp,
               "webhook-signature": f"{version}," + base64.b64encode(digest).decode(),
               **{name.replace("_", "-"): value for name, value in changed.items()}}
    return {name: value for name, value in headers.items() if value is not None}


def takes_real_events(t, language):
    receiver, agent = t.dialing_agent()
    receiver.script = lambda call: ends("completed" if call.data["to"].endswith("1") else "busy", outcome="Grüße 🙂")
    with contextlib.ExitStack() as stack:
        placeholder = stack.enter_context(running(t, language, SECRET, f"{language}-real"))
        port = placeholder.port
        webhook = t.api.post("/webhooks", {"url": f"http://127.0.0.1:{port}/", "events": EVENTS})
        placeholder.end()
        subscriber = stack.enter_context(running(t, language, webhook["secret"], f"{language}-real", port=port))
        batch = t.api.batch(agent, 2)
        t.api.schedule(batch)
        t.api.wait_for(batch, "completed")
        until(lambda: any(event["type"] == "batch.completed" for event in subscriber.events()), what="it has come")
        deliveries = t.api.all(f"/webhooks/{webhook['id']}/deliveries")
        until(lambda: all(one["status"] == "delivered" for one in t.api.all(f"/webhooks/{webhook['id']}/deliveries")))
        events = subscriber.events()
        assert sorted(event["id"] for event in events) == sorted(one["event_id"] for one in deliveries), events
        assert {event["data"]["outcome"] for event in events if event["type"] == "call.ended"} == {"Grüße 🙂"}, events
        again_is_taken_once(t, subscriber, webhook, deliveries[0], events)
        subscriber.end(signal.SIGKILL)
        new = t.api.post(f"/webhooks/{webhook['id']}/rotate-secret")["secret"]
        subscriber = stack.enter_context(running(t, language, new, f"{language}-real", port=port))
        again_is_taken_once(t, subscriber, webhook, deliveries[1], events)
        t.api.post(f"/webhooks/{webhook['id']}/test")
        until(lambda: len(subscriber.events()) == len(events) + 1, what="the test came, by the new secret")


def again_is_taken_once(t, subscriber, webhook, delivery, events):
    """An event that Outdial sends again has the same id; it is answered but not handled again."""
    path = f"/webhooks/deliveries/{delivery['id']}"
    tries = len(t.api.get(path)["tries"])
    t.api.post(f"{path}/redeliver")
    until(lambda: len(t.api.get(path)["tries"]) > tries, what="it was sent again")
    shown = until(lambda: t.api.get(path)["status"] == "delivered" and t.api.get(path))
    assert shown["response_status"] == 200 and subscriber.events() == events, shown


def refuses(t, language):
    other = "whsec_" + base64.b64encode(b"another secret").decode()
    with running(t, language, SECRET, f"{language}-refused") as subscriber:
        for name, headers in {
                "nothing": {}, "no id": signed(webhook_id=None), "no time": signed(webhook_timestamp=None),
                "no signature": signed(webhook_signature=None), "another secret": signed(secret=other),
                "another body": signed(body=BODY + b" "), "another id": signed(webhook_id="evt_2"),
                "late": signed(age=301), "from the future": signed(age=-302), "another time": signed(
                    webhook_timestamp=str(int(time.time()) - 1)), "another version": signed(version="v2"),
                "no number": signed(webhook_timestamp="now"), "a float": signed(webhook_timestamp=f"{time.time()}"),
                "empty": signed(webhook_signature=""), "only a version": signed(webhook_signature="v1,"),
                "letters": signed(webhook_signature="v1,Gr\xfc\xdfe"),
                "short": signed(webhook_signature="v1,bm8=")}.items():
            assert subscriber.send(headers) == 401, name
        assert subscriber.events() == []
        right = signed()["webhook-signature"]
        assert subscriber.send(signed(webhook_signature=f"v1,bm8= v1a,xx {right}")) == 201, "one that fits will do"
        assert subscriber.send(signed()) == 200, "a replay within the five minutes is answered and not handled"
        assert subscriber.send(signed("evt_3", age=290)) == 201
        assert [event["id"] for event in subscriber.events()] == ["evt_1", "evt_3"]
        assert subscriber.send(signed("evt_4", b"{no json"), b"{no json") == 500, "it may come again"
        assert subscriber.send(signed("evt_4")) == 201
        assert subscriber.send({}, None, "GET") in (405, 501)


def forgets_nothing(t, language):
    """An incomplete last line, from a process that died, does not count as a handled event."""
    journal = f"{language}-crash"
    with running(t, language, SECRET, journal) as subscriber:
        assert subscriber.send(signed("evt_1")) == subscriber.send(signed("evt_2")) == 201
        subscriber.end(signal.SIGKILL)
    with open(subscriber.journal, "r+b") as file:
        file.truncate(os.path.getsize(subscriber.journal) - 5)
    both = f"{SECRET} whsec_{base64.b64encode(b'the next').decode()}"
    with running(t, language, both, journal) as subscriber:
        assert subscriber.send(signed("evt_1")) == 200
        assert subscriber.send(signed("evt_2")) == 201
        assert subscriber.send(signed("evt_3", secret=both.split()[1])) == 201, "by the other secret"
        assert [event["id"] for event in subscriber.events()] == ["evt_1", "evt_2", "evt_3"]


def test_python_takes_real_events(t):
    takes_real_events(t, "python")


def test_javascript_takes_real_events(t):
    takes_real_events(t, "node")


def test_python_refuses(t):
    refuses(t, "python")


def test_javascript_refuses(t):
    refuses(t, "node")


def test_python_forgets_nothing(t):
    forgets_nothing(t, "python")


def test_javascript_forgets_nothing(t):
    forgets_nothing(t, "node")


if __name__ == "__main__":
    tap.run(globals())
