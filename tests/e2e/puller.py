"""A dialer that fetches its calls, and handles them as the test decides. Its calls look like the deliveries to a
receiver (receiver.py)."""

import threading
import time

from client import send_or_none
from receiver import Receiver

PULL = "pull:"


class Fetched:
    path, type = PULL, "call.requested"

    def __init__(self, call):
        self.id, self.data = call["call_id"], call
        self.at, self.wall_at = time.monotonic(), time.time()
        self.answer = self.answered_at = None

    def __repr__(self):
        return f"<fetched {self.id} at {self.at:.3f}>"


class Puller(Receiver):
    """An Answer of the script that accepts the call becomes a report: the report in it, or `ringing`. After any other
    Answer nothing is reported."""

    def __init__(self, api, limit=10, lease_seconds=5):
        self.limit, self.lease_seconds, self.agent_id = limit, lease_seconds, None
        self.rests = threading.Event()  # it fetches nothing
        super().__init__(api)

    def listen(self):
        self.thread = threading.Thread(target=self.pull, daemon=True)
        self.thread.start()

    def refuse(self):
        self.rests.set()

    def endpoint(self, path=PULL, **fields):
        return self.api.post("/webhooks", {"url": PULL, **fields})["id"]

    def pull(self):
        while not self.closing.is_set():
            reply = None if self.rests.is_set() else send_or_none(self.api, "POST", "/dispatches/claim", {
                "limit": self.limit, "wait_seconds": 1, "lease_seconds": self.lease_seconds, "agent_id": self.agent_id})
            if reply is None or reply.status != 200 or "Retry-After" in reply.headers:
                self.closing.wait(0.1)
            for call in reply.data["calls"] if reply is not None and reply.status == 200 else []:
                self.place(Fetched(call))

    def place(self, fetched):
        with self.lock:
            self.deliveries.append(fetched)
        answer = fetched.answer = self.script(fetched)
        fetched.answered_at = time.monotonic()
        if answer.reset or answer.status >= 300:
            return
        self.report_later(fetched, answer.delay, answer.report or {"status": "ringing"})
        for seconds, report in answer.later:
            self.report_later(fetched, answer.delay + seconds, report)
