#!/usr/bin/env python3
"""A sample subscriber: it accepts the events of a webhook, and rejects events that Outdial did not sign.

  1. A request without the three headers, with a time more than five minutes away from now, or with a signature that
     is not correct is answered with 401, and nothing is done.
  2. An event may come more than once with the same `webhook-id`, for example after a lost answer. Each event is
     handled once. Its id is on disk before the event is answered, so a restart forgets no event.
  3. An event that is answered with 2xx is not sent again. An error in `handle` is answered with 500, and the event is
     sent again later.

    OUTDIAL_WEBHOOK_SECRET=whsec_… examples/subscriber.py --port 9091 --journal events.jsonl

The journal has a line for each event. While a secret is being changed, OUTDIAL_WEBHOOK_SECRET may have both secrets,
with a space between them. Only the standard library of Python is needed.
"""

import argparse
import base64
import binascii
import hmac
import http.server
import json
import os
import sys
import threading
import time

TOLERANCE_SECONDS = 300
BODY_MAX = 1 << 20


def keys_of(secrets):
    return [base64.b64decode(secret.removeprefix("whsec_"), validate=True) for secret in secrets.split()]


def is_genuine(keys, headers, body, now):
    """Standard Webhooks: HMAC-SHA256 over "id.timestamp.body". If there are several signatures, one correct signature
    is enough."""
    message, timestamp = headers.get("webhook-id"), headers.get("webhook-timestamp", "")
    signatures = headers.get("webhook-signature", "").encode("utf-8", "replace").split()
    if not message or not timestamp.isascii() or not timestamp.isdigit() or len(timestamp) > 12:
        return False
    if abs(now - int(timestamp)) > TOLERANCE_SECONDS:
        return False
    signed = f"{message}.{timestamp}.".encode("latin-1") + body
    right = [b"v1," + base64.b64encode(hmac.digest(key, signed, "sha256")) for key in keys]
    return any([hmac.compare_digest(one, found) for one in right for found in signatures])


class Journal:
    """The file of the events that were handled, with a line for each event, and the set of their ids."""

    def __init__(self, path, handle):
        self.handle, self.lock, self.seen = handle, threading.Lock(), set()
        self.file = open(path, "a+b")
        self.file.seek(0)
        whole = 0
        for line in self.file:
            if not line.endswith(b"\n"):
                break  # the process ended while it wrote this line: the event was not answered, and is sent again
            self.seen.add(json.loads(line)["id"])
            whole += len(line)
        self.file.truncate(whole)

    def take(self, message, event):
        """Returns False if the event was handled before."""
        with self.lock:
            if message in self.seen:
                return False
            self.handle(event)
            self.file.write(json.dumps({**event, "id": message}).encode() + b"\n")
            self.file.flush()
            os.fsync(self.file.fileno())
            self.seen.add(message)
            return True


def handle(event):
    """Your own work goes here. It runs again for an event if the process ends before the event is in the journal."""
    data = event["data"] or {}
    print(event["type"], data.get("batch_id") or data.get("id") or "", flush=True)


class Subscriber(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    timeout = 30

    def do_POST(self):
        length = self.headers.get("Content-Length", "")
        if not (length.isascii() and length.isdigit()) or int(length) > BODY_MAX:
            self.close_connection = True
            return self.answer(413)
        body = self.rfile.read(int(length))
        if not is_genuine(self.server.keys, self.headers, body, time.time()):
            return self.answer(401)
        try:
            is_new = self.server.journal.take(self.headers["webhook-id"], json.loads(body))
        except Exception as error:  # the event is sent again
            print(f"an event could not be handled: {error!r}", file=sys.stderr)
            return self.answer(500)
        return self.answer(201 if is_new else 200)

    def answer(self, status):
        self.send_response(status)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *arguments):
        pass


def main():
    parser = argparse.ArgumentParser(description="A sample subscriber for Outdial.")
    parser.add_argument("--port", type=int, default=9091)
    parser.add_argument("--journal", default="events.jsonl")
    options = parser.parse_args()
    server = http.server.ThreadingHTTPServer(("127.0.0.1", options.port), Subscriber)
    try:
        server.keys = keys_of(os.environ.get("OUTDIAL_WEBHOOK_SECRET", ""))
    except binascii.Error:
        server.keys = []
    if not server.keys:
        sys.exit("OUTDIAL_WEBHOOK_SECRET must be the secret of the webhook, whsec_…")
    server.journal = Journal(options.journal, handle)
    print(f"listens on port {server.server_port}", flush=True)
    try:
        server.serve_forever()
    except KeyboardInterrupt:
        pass


if __name__ == "__main__":
    main()
