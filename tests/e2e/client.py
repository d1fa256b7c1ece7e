"""A client of the API. It checks that every reply has the form of all replies, and that the counters of every campaign
in it add up. So the tests need not do that."""

import datetime
import http.client
import itertools
import json
import re
import time
import urllib.parse

BASE = "/api/public/v1"
STATUS_OF = {
    "bad_request": 400, "unauthorized": 401, "forbidden": 403, "not_found": 404,
    "method_not_allowed": 405, "idempotency_conflict": 409,
    "precondition_failed": 412, "payload_too_large": 413, "unsupported_media_type": 415, "organization_moved": 421,
    "validation_error": 422, "invalid_state": 422, "agent_not_ready": 422,
    "no_phone_number_configured": 422, "no_contacts": 422, "contact_limit": 422, "rate_limit_exceeded": 429,
    "internal_error": 500, "unavailable": 503,
}
REQUEST_ID = re.compile(r"req_[0-9A-Za-z_-]{16,64}")
UUID7 = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}")
INSTANT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z")
INSTANT_FIELDS = ("scheduled_at", "planned_from", "planned_until", "started_at", "completed_at",
                  "created_at", "updated_at", "called_at", "ended_at", "expires_at", "ts",
                  "revoked_at", "last_used_at", "estimated_end", "starts_at", "first_at", "last_at",
                  "dispatched_at", "answered_at", "reported_at", "ends_at", "next_at", "last_success_at", "opens_at",
                  "free_at", "next_call_at", "callable_from", "callable_until")

# A contact counts under exactly one of these.
COUNTERS = ("pending", "in_progress", "completed", "failed", "voicemail", "no_answer", "busy",
            "cancelled", "skipped")
UTC = datetime.timezone.utc
EVERY_DAY = [1, 2, 3, 4, 5, 6, 7]

phone_numbers = (f"+1555{number:07}" for number in itertools.count(1))


def contacts(count, first=1):
    """Returns contacts with different numbers, whose last digits count from `first`."""
    return [{"phone_number": f"+4930{number:08}"} for number in range(first, first + count)]


def unhex(uuid):
    """SQL for an id."""
    return f"UNHEX('{uuid.split('_')[-1].replace('-', '')}')"


def parse(text):
    return datetime.datetime.strptime(text, "%Y-%m-%dT%H:%M:%S.%fZ").replace(tzinfo=UTC)


def seconds_between(earlier, later):
    return (parse(later) - parse(earlier)).total_seconds()


def until(condition, seconds=20, what="the condition holds"):
    """Calls the function repeatedly. Returns its first result that is true."""
    deadline = time.monotonic() + seconds
    while True:
        try:
            answer = condition()
        except Exception as error:
            error.add_note(f"(while it was waited until {what})")
            raise
        if answer:
            return answer
        assert time.monotonic() < deadline, f"after {seconds} s still not: {what}; the last answer: {answer!r:.300}"
        time.sleep(0.02)


def send_or_none(api, method, path, body=None):
    """Sends a request. Returns None if the result is not known."""
    try:
        reply = api.send(method, path, body)
    except (OSError, http.client.HTTPException):
        return None
    assert reply.status < 500 or reply.error["code"] == "unavailable", reply
    assert reply.status < 500 or reply.headers["Retry-After"], reply.headers
    return None if reply.status >= 500 else reply


class Reply:
    def __init__(self, status, headers, text):
        self.status, self.headers, self.text = status, headers, text
        self.body = json.loads(text) if text else None

    def __repr__(self):
        return f"{self.status} {self.text}"

    @property
    def data(self):
        return self.body["data"]

    @property
    def pagination(self):
        return self.body["pagination"]

    @property
    def error(self):
        return self.body["error"]

    @property
    def details(self):
        return self.error["details"]

    def check(self):
        request_id = self.headers["X-Request-Id"]
        assert request_id and REQUEST_ID.fullmatch(request_id), request_id
        if self.status in (204, 304):
            assert self.text == "", self
            return
        assert self.headers["Content-Type"] == "application/json", self.headers["Content-Type"]
        meta = self.body["meta"]
        assert meta["request_id"] == request_id, (meta, request_id)
        assert INSTANT.fullmatch(meta["ts"]), meta
        if self.status < 300:
            assert set(self.body) <= {"data", "meta", "pagination"}, self
            check_value(self.data)
        else:
            assert set(self.body) == {"error", "meta"}, self
            assert set(self.error) == {"code", "message", "details"}, self
            gateway = self.status in (502, 504) and self.error["code"] == "unavailable"
            assert STATUS_OF[self.error["code"]] == self.status or gateway, self
            assert self.error["message"], self


def check_value(value):
    """Checks ids, instants and counters, wherever they are in the reply."""
    if isinstance(value, list):
        for item in value:
            check_value(item)
    elif isinstance(value, dict):
        if "id" in value:
            assert UUID7.fullmatch(value["id"]), value
        for name in INSTANT_FIELDS:
            assert value.get(name) is None or INSTANT.fullmatch(value[name]), (name, value[name])
        if "total_contacts" in value and "pending" in value:
            check_counters(value)


def check_counters(batch):
    assert all(batch[name] >= 0 for name in COUNTERS), batch
    assert sum(batch[name] for name in COUNTERS) == batch["total_contacts"], batch
    ended = sum(batch[name] for name in ("completed", "failed", "voicemail", "no_answer", "busy"))
    assert ended <= batch["called"] <= batch["total_contacts"] - batch["skipped"], batch
    assert batch["in_progress"] <= batch["called"], batch


class Client:
    def __init__(self, url, key):
        self.host = url[len("http://"):]
        self.key = key

    # Requests

    def send(self, method, path, body=None, headers=None, query=None):
        """Sends any request. A body that is neither text nor bytes is sent as JSON. A path that begins with // is not
        under /api/public/v1."""
        path = path[1:] if path.startswith("//") else BASE + path
        if query:
            path += "?" + urllib.parse.urlencode(query)
        all_headers = {"Authorization": f"Bearer {self.key}"}
        if body is not None:
            all_headers["Content-Type"] = "application/json"
            body = body if isinstance(body, (str, bytes)) else json.dumps(body)
            body = body.encode() if isinstance(body, str) else body
        all_headers.update(headers or {})
        all_headers = {name: value for name, value in all_headers.items() if value is not None}
        connection = http.client.HTTPConnection(self.host, timeout=70)
        try:
            connection.request(method, path, body, all_headers)
            answer = connection.getresponse()
            reply = Reply(answer.status, answer.headers, answer.read().decode())
        finally:
            connection.close()
        reply.check()
        return reply

    def ask(self, method, path, body=None, query=None):
        reply = self.send(method, path, body, query=query)
        assert reply.status in (200, 201, 204), f"{method} {path}: {reply}"
        return reply

    def get(self, path, **query):
        return self.ask("GET", path, query=query).data

    def post(self, path, body=None):
        return self.ask("POST", path, body).data

    def patch(self, path, body):
        return self.ask("PATCH", path, body).data

    def delete(self, path):
        assert self.ask("DELETE", path).status == 204

    def refuse(self, code, method, path, body=None, field=None, **rest):
        """Sends a request that must be refused with this code. `field` is the field in the details. Returns the
        reply."""
        reply = self.send(method, path, body, **rest)
        assert reply.status == STATUS_OF[code] and reply.error["code"] == code, reply
        if field:
            assert reply.details["field"] == field and reply.details["reason"], reply
        return reply

    def all(self, path, **query):
        """Returns every item of a list, read page by page."""
        items = []
        while True:
            reply = self.ask("GET", path, query=dict(query, limit=100, offset=len(items)))
            items += reply.data
            if not reply.pagination["has_more"]:
                return items

    def pages(self, path, **query):
        """Yields the pages of a list, by their cursors."""
        while True:
            reply = self.ask("GET", path, query=query)
            yield reply
            page = reply.pagination
            assert page["has_more"] == (page["next_cursor"] is not None), page
            if not page["has_more"]:
                return
            query = dict(query, cursor=page["next_cursor"])

    # Objects

    def number(self, phone_number=None):
        return self.post("/telephony/numbers/import", {
            "phone_number": phone_number or next(phone_numbers), "provider_type": "custom_sip"})

    def agent(self, webhook_id, **fields):
        """Returns when the agent is active."""
        agent = self.post("/agents", {"name": "Agent", "webhook_id": webhook_id, **fields})
        return until(lambda: self.active(agent["id"]), what="the agent is active")

    def active(self, agent_id):
        agent = self.get(f"/agents/{agent_id}")
        assert agent["status"] != "failed", agent
        return agent if agent["status"] == "active" else None

    def batch(self, agent, count_or_contacts=0, **fields):
        """Creates a campaign that may call at any hour of any day. It gets a number unless the fields name numbers."""
        people = contacts(count_or_contacts) if isinstance(count_or_contacts, int) else count_or_contacts
        if "phone_number_ids" not in fields:
            fields["phone_number_ids"] = [self.number()["id"]]
        batch = self.post("/batch-calls", {
            "name": "Campaign", "agent_id": agent["id"], "contact_source": "manual",
            "contacts": people, "working_days": EVERY_DAY, **fields})
        if batch["status"] == "draft" and not batch["status_reason"]:  # nothing changes it meanwhile
            assert self.read(batch) == batch, (self.read(batch), batch)
        return batch

    def schedule(self, batch, body=None):
        return self.post(f"/batch-calls/{batch['id']}/schedule", body)

    def read(self, batch):
        return self.get(f"/batch-calls/{batch['id']}")

    def contacts_of(self, batch, **query):
        return self.all(f"/batch-calls/{batch['id']}/contacts", **query)

    def calls_of(self, batch):
        return self.all("/calls", batch_call_id=batch["id"])

    def wait_for(self, batch, status, seconds=60):
        return until(lambda: self.has_status(batch, status), seconds, f"the campaign is {status}")

    def has_status(self, batch, status):
        batch = self.read(batch)
        return batch if batch["status"] == status else None
