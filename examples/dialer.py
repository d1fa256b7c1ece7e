#!/usr/bin/env python3
"""A sample dialer for Outdial. It places no real calls: it simulates them.

A dialer is the program that places the calls of a campaign. It has to do four things:

  1. accept webhooks (POST, signed as in https://www.standardwebhooks.com) and check the signature;
  2. answer `agent.sync` with 200: from then on the agent counts as ready;
  3. answer `call.requested` with 202 and place the call. A call may be requested again, for
     example after a lost answer. `webhook-id` is the id of the call: place each call once;
  4. report the progress of the call to its `status_url`, with the call's `report_token` as the
     bearer token (an API key with the scope `reports` works too): `ringing`, `in_progress`, and
     finally one of `completed`, `failed`, `no_answer`, `busy`, `voicemail`.
     A call that ends at once may be reported in the answer to the webhook instead.

The last digit of the number decides how a call ends: see ENDINGS.

    OUTDIAL_WEBHOOK_SECRET=whsec_… examples/dialer.py --port 9090
"""

import argparse
import base64
import hmac
import http.server
import json
import os
import random
import threading
import time
import urllib.error
import urllib.request

SECRET = os.environ.get("OUTDIAL_WEBHOOK_SECRET", "")

REPLAY_TOLERANCE_SECONDS = 300
BODY_MAX = 1 << 20
REPORT_TRIES = 8

# How a call ends, by the last digit of the number. Each further attempt takes the next ending.
COMPLETED, AT_ONCE = "completed", "at once"
ENDINGS = [COMPLETED, COMPLETED, COMPLETED, "no_answer", "no_answer",
           "busy", "failed", "voicemail", COMPLETED, AT_ONCE]
REASONS = {"no_answer": "rang out", "busy": "line busy", "failed": "number not in service",
           "voicemail": "answered by a machine"}


def signature_is_valid(headers, body):
    """Standard Webhooks: HMAC-SHA256 over "id.timestamp.body" with the decoded secret. There may be
    several signatures while a secret is being changed; one correct signature is enough."""
    try:
        age = time.time() - int(headers["webhook-timestamp"])
        signed = f"{headers['webhook-id']}.{headers['webhook-timestamp']}.".encode() + body
        signatures = headers["webhook-signature"].split()
    except (KeyError, TypeError, ValueError, AttributeError):
        return False
    if abs(age) > REPLAY_TOLERANCE_SECONDS:
        return False
    secret = base64.b64decode(SECRET.removeprefix("whsec_"))
    right = "v1," + base64.b64encode(hmac.digest(secret, signed, "sha256")).decode()
    return any(hmac.compare_digest(right.encode(), found.encode()) for found in signatures)


class Calls:
    """The calls accepted so far, so that no call is placed twice. (A real dialer keeps them on disk.)"""

    def __init__(self):
        self.lock = threading.Lock()
        self.answers = {}  # by call id

    def take(self, call_id, data):
        """Returns the answer to a request: a status, and a report if the call is over already. A call that is requested
        again gets the same answer."""
        with self.lock:
            if call_id in self.answers:
                return self.answers[call_id]
            ending = ENDINGS[(int(data["to"][-1]) + data["attempt"] - 1) % len(ENDINGS)]
            if ending == AT_ONCE:
                answer = 200, completed(1.0)
            else:
                answer = 202, None
                threading.Thread(target=play, args=(data, ending), daemon=True).start()
            self.answers[call_id] = answer
            return answer


def completed(talk_seconds):
    """Returns a report. A second of the simulation counts as a minute."""
    return {"status": "completed", "outcome": random.choice(["interested", "not interested"]),
            "duration_seconds": round(talk_seconds * 60), "cost": round(talk_seconds * 0.02, 4),
            "end_reason": "hung up"}


def play(data, ending):
    """Simulates one call from ringing to its end."""
    report(data, {"status": "ringing"})
    time.sleep(random.uniform(0.2, 0.6))
    if ending == COMPLETED:
        talk_seconds = random.uniform(0.4, 2.0)
        report(data, {"status": "in_progress"})
        time.sleep(talk_seconds)
        report(data, completed(talk_seconds))
    else:
        report(data, {"status": ending, "end_reason": REASONS[ending]})


def report(data, body):
    """Sends a report. After a failure it tries again, with longer pauses: a repeated report does no harm. Only
    an answer of 4xx other than 429 is final. Returns whether Outdial gave a final answer."""
    for trial in range(REPORT_TRIES):
        request = urllib.request.Request(data["status_url"], json.dumps(body).encode(), {
            "Authorization": f"Bearer {data['report_token']}", "Content-Type": "application/json"})
        try:
            with urllib.request.urlopen(request, timeout=15) as answer:
                answer.read()
                return True
        except urllib.error.HTTPError as error:
            fault = f"{error.code} {error.read().decode(errors='replace')}"
            if error.code < 500 and error.code != 429:
                print(f"Report {body['status']} to {data['status_url']} was refused: {fault}", flush=True)
                return True
        except OSError as error:
            fault = str(error)
        time.sleep(random.uniform(0.5, 1) * 0.2 * 2 ** trial)
    print(f"Report {body['status']} to {data['status_url']} failed: {fault}", flush=True)
    return False


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"  # keeps connections open
    disable_nagle_algorithm = True
    calls = Calls()

    def do_POST(self):
        length = int(self.headers.get("Content-Length", 0))
        if length > BODY_MAX:
            self.close_connection = True
            return self.answer(413)
        body = self.rfile.read(length)
        if not signature_is_valid(self.headers, body):
            return self.answer(401)
        event = json.loads(body)
        if event["type"] == "call.requested":
            return self.answer(*self.calls.take(self.headers["webhook-id"], event["data"]))
        return self.answer(200)  # agent.sync and other events

    def answer(self, status, body=None):
        text = json.dumps(body).encode() if body else b""
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)

    def log_message(self, *arguments):
        pass  # no line for each webhook


class Server(http.server.ThreadingHTTPServer):
    request_queue_size = 1024
    daemon_threads = True


def main():
    options = argparse.ArgumentParser(description="A sample dialer for Outdial, on 127.0.0.1.")
    options.add_argument("--port", type=int, default=9090)
    port = options.parse_args().port
    if not SECRET:
        options.error("set OUTDIAL_WEBHOOK_SECRET in the environment")
    print(f"Taking webhooks on http://127.0.0.1:{port}/", flush=True)
    Server(("127.0.0.1", port), Handler).serve_forever()


if __name__ == "__main__":
    main()
