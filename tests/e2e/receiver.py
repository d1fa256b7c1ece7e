"""A webhook receiver on loopback: a dialer and subscriber whose answers the test decides, and that keeps all
deliveries. Every delivery is verified as in Standard Webhooks, by an independent implementation."""

import base64
import collections
import hashlib
import hmac
import http.client
import http.server
import json
import socket
import struct
import threading
import time

import ed25519
from client import until

TOLERANCE_SECONDS = 300
ENDINGS = ("completed", "failed", "no_answer", "busy", "voicemail")


class Answer:
    """The answer to a delivery: wait `delay` seconds, then answer with `status` and, as the body, `report` or the
    bytes of `raw`; or with `reset` drop the connection. `later` has reports for afterwards, each (seconds after the
    answer, report), which are sent to the call's status_url."""

    def __init__(self, status=200, report=None, delay=0, headers=None, reset=False, later=(), raw=b""):
        self.status, self.report, self.delay = status, report, delay
        self.headers, self.reset, self.later, self.raw = headers or {}, reset, later, raw


def ends(status="completed", delay=0, **fields):
    """Answers with the report of the end."""
    return Answer(report={"status": status, **fields}, delay=delay)


def ends_later(seconds, status="completed", **fields):
    """Accepts the call, and reports its end after a while."""
    return Answer(202, later=[(seconds, {"status": status, **fields})])


TAKEN = Answer(202)  # accepted and not reported


class Delivery:
    def __init__(self, path, headers, body, peer_port):
        self.path, self.headers, self.body, self.peer_port = path, headers, body, peer_port
        self.at, self.wall_at = time.monotonic(), time.time()
        self.answer = None
        self.id = headers["webhook-id"]
        event = json.loads(body)
        self.type, self.data, self.timestamp = event["type"], event["data"], event["timestamp"]
        self.answered_at = None

    def __repr__(self):
        return f"<{self.type} {self.id} at {self.at:.3f}>"


class Receiver:
    """Tests set `script`, a function from a call.requested to an Answer, which runs in a thread;
    `sync`, the same for agent.sync; and `answer_events`, the Answer to every other event."""

    def __init__(self, api):
        self.api = api
        self.script = lambda call: ends()
        self.sync = lambda event: Answer()
        self.answer_events = Answer()
        self.deliveries = []
        self.faults = []
        self.secrets = {}  # by path
        self.open_calls = {}  # call id: its campaign
        self.ended = {}  # call id: when its end was first reported, by time.time()
        self.reply_states = []  # (call id, its state) that reports were answered with
        self.peaks = collections.Counter()  # most open calls at once, by campaign
        self.lock = threading.Lock()
        self.closing = threading.Event()
        self.port = 0
        self.listen()

    # Life

    def listen(self):
        """Accepts connections on the same port again, after refuse()."""
        handler = type("BoundHandler", (Handler,), {"receiver": self})
        self.server = Server(("127.0.0.1", self.port), handler)
        self.port = self.server.server_port
        self.thread = threading.Thread(target=self.server.serve_forever, args=(0.05,), daemon=True)
        self.thread.start()

    def refuse(self):
        """Refuses connections from now on."""
        self.server.shutdown()
        self.server.server_close()
        self.server.drop_connections()

    def close(self):
        self.closing.set()
        self.refuse()
        self.thread.join()

    def endpoint(self, path="/", **fields):
        """Creates a webhook with this receiver's address; returns its id."""
        body = {"url": f"http://127.0.0.1:{self.port}{path}", "events": [], **fields}
        webhook = self.api.post("/webhooks", body)
        self.secrets[path] = webhook["secret"] or webhook["public_key"]
        return webhook["id"]

    # Deliveries

    def of_type(self, kind, batch=None):
        with self.lock:
            found = [delivery for delivery in self.deliveries if delivery.type == kind]
        if batch:
            found = [delivery for delivery in found
                     if batch["id"] in (delivery.data.get("batch_call_id"), delivery.data.get("batch_id"))]
        return found

    def calls(self, batch=None):
        return self.of_type("call.requested", batch)

    def wait_for_calls(self, count, seconds=20):
        return until(lambda: len(self.calls()) >= count and self.calls(), seconds,
                     f"{count} calls were requested")

    def report(self, call_id, status, **fields):
        """Sends the later reports in the background, as a dialer does."""
        self.end_call(call_id, status)
        return self.api.post(f"/calls/{call_id}/status", {"status": status, **fields})

    # Inside

    def take(self, delivery):
        fault = signature_fault(delivery, self.secrets.get(delivery.path))
        with self.lock:
            if fault:
                self.faults.append((fault, delivery))
            self.deliveries.append(delivery)
            if delivery.type == "call.requested":
                batch = delivery.data["batch_call_id"]
                self.open_calls[delivery.id] = batch
                count = sum(1 for other in self.open_calls.values() if other == batch)
                self.peaks[batch] = max(self.peaks[batch], count)
        if delivery.type == "call.requested":
            return self.script(delivery)
        return self.sync(delivery) if delivery.type == "agent.sync" else self.answer_events

    def end_call(self, call_id, status):
        """Records the end before the report is sent, because Outdial may start the next call from then on."""
        if status in ENDINGS:
            with self.lock:
                self.open_calls.pop(call_id, None)
                self.ended.setdefault(call_id, time.time())

    def report_later(self, delivery, seconds, report):
        threading.Thread(target=self.send_report, args=(delivery, seconds, report), daemon=True).start()

    def send_report(self, delivery, seconds, report):
        """Sends a report to the status_url, and repeats it until it is accepted."""
        path = "//" + delivery.data["status_url"].split("://")[1].split("/", 1)[1]
        self.closing.wait(seconds)
        self.end_call(delivery.id, report["status"])
        while not self.closing.wait(0.05):
            try:
                reply = self.api.send("POST", path, report)
            except (OSError, http.client.HTTPException):
                continue
            if reply.status < 500:
                if reply.status != 200:
                    self.faults.append((reply, delivery))
                else:
                    self.reply_states.append((delivery.id, reply.data["status"]))
                return


def signature_fault(delivery, secret):
    """Verifies a delivery as Standard Webhooks says. Returns the fault, or None."""
    headers = delivery.headers
    if secret is None:
        return f"nobody asked for webhooks at {delivery.path}"
    if headers["Content-Type"] != "application/json":
        return f"Content-Type {headers['Content-Type']}"
    if abs(time.time() - int(headers["webhook-timestamp"])) > TOLERANCE_SECONDS:
        return f"webhook-timestamp {headers['webhook-timestamp']}"
    if set(json.loads(delivery.body)) != {"id", "type", "timestamp", "data"}:
        return f"body {delivery.body}"
    if json.loads(delivery.body)["id"] != delivery.id:
        return "the body's id is not webhook-id"
    if not has_signature(headers["webhook-signature"], secret, delivery):
        return f"webhook-signature {headers['webhook-signature']}"
    return None


def signed_text(message_id, timestamp, body):
    return f"{message_id}.{timestamp}.".encode() + body


def signature(secret, message_id, timestamp, body):
    key = base64.b64decode(secret.removeprefix("whsec_"), validate=True)
    text = signed_text(message_id, timestamp, body)
    return "v1," + base64.b64encode(hmac.new(key, text, hashlib.sha256).digest()).decode()


def has_signature(signatures, key, delivery):
    """key: whsec_… or whpk_…"""
    timestamp = delivery.headers["webhook-timestamp"]
    if key.startswith("whsec_"):
        return signature(key, delivery.id, timestamp, delivery.body) in signatures.split(" ")
    text = signed_text(delivery.id, timestamp, delivery.body)
    return any(ed25519.fits_text(key, text, found) for found in signatures.split(" ")
               if found.startswith("v1a,"))


class Server(http.server.ThreadingHTTPServer):
    request_queue_size = 512
    daemon_threads = True
    block_on_close = False
    allow_reuse_address = True

    def __init__(self, *args):
        self.connections = set()
        super().__init__(*args)

    def drop_connections(self):
        for connection in list(self.connections):
            try:
                connection.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass

    def handle_error(self, request, client_address):
        pass  # a connection that the other side gave up


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    wbufsize = -1
    receiver = None

    def setup(self):
        super().setup()
        self.server.connections.add(self.connection)

    def finish(self):
        self.server.connections.discard(self.connection)
        super().finish()

    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        try:
            delivery = Delivery(self.path, self.headers, body, self.client_address[1])
            answer = delivery.answer = self.receiver.take(delivery)
        except Exception as error:
            self.receiver.faults.append((repr(error), body))
            raise
        if answer.delay:
            self.receiver.closing.wait(answer.delay)
        if answer.reset:
            self.reset()
        else:
            self.answer(delivery, answer)
        delivery.answered_at = time.monotonic()
        for seconds, report in answer.later:
            self.receiver.report_later(delivery, seconds, report)

    def answer(self, delivery, answer):
        body = answer.raw
        if answer.report:
            if isinstance(answer.report, dict):
                self.receiver.end_call(delivery.id, answer.report.get("status"))
            body = json.dumps(answer.report).encode()
        self.send_response(answer.status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        for name, value in answer.headers.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)
        self.wfile.flush()

    def reset(self):
        """Closes the connection with RST instead of FIN, and without an answer."""
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.close_connection = True
        self.connection.close()

    def log_message(self, *arguments):
        pass
