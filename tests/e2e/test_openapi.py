#!/usr/bin/env python3
"""Compares the running server with docs/openapi.yaml: every operation is used, every documented answer happens, and no
other answer happens."""

import http.client
import json
import os
import re
import signal
import sys
import urllib.parse
import uuid

import tap
from client import BASE, EVERY_DAY, contacts, until
from receiver import Answer, ends

sys.path.append(os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "openapi"))

from document import Document  # noqa: E402

NOBODY = "01900000-0000-7000-8000-000000000000"
CSV = "phone;name;city\n+12125550131;Blaise Pascal;Paris\n030;Carl;\n"
HUGE = 16 << 20  # bytes; nginx refuses such a body by its Content-Length

seen = set()     # (operation, status, code of the error)
headers = set()  # (operation, status, header) of the headers that replies had


class Reply:
    def __init__(self, status, fields, text):
        self.status, self.headers, self.text = status, fields, text
        self.is_json = text and fields["Content-Type"] == "application/json"
        self.body = json.loads(text) if self.is_json else None

    def __repr__(self):
        return f"{self.status} {self.text[:500]}"

    @property
    def data(self):
        return self.body["data"]

    @property
    def code(self):
        return self.body["error"]["code"] if self.is_json and "error" in self.body else None


class Driver:
    """Sends requests of the document's operations, and compares every answer with the document."""

    def __init__(self, t, document, key=None):
        self.t, self.document = t, document
        self.key = key or t.api.key
        self.by_id = {operation.id: operation for operation in document.operations}

    def with_key(self, key):
        return Driver(self.t, self.document, key)

    def send(self, name, *holes, body=None, media_type="application/json", query=None, announced=None, **fields):
        """`holes` fill the path. `announced` is the length of a body that is not sent. Headers are written
        `If_Match=`."""
        operation = self.by_id[name]
        path = ("" if operation.outside else BASE) + re.sub(r"\{\w+\}", "{}", operation.path).format(*holes)
        text = body if isinstance(body, (str, bytes)) or body is None else json.dumps(body)
        text = text.encode() if isinstance(text, str) else text
        fields = {key.replace("_", "-"): value for key, value in fields.items()}
        if operation.scope:
            fields.setdefault("Authorization", f"Bearer {self.key}")
        if body is not None or announced:
            fields.setdefault("Content-Type", media_type)
        reply = self._exchange(operation.method, path + ("?" + urllib.parse.urlencode(query) if query else ""),
                               text, fields, announced)
        self.check(operation, reply)
        if reply.status < 300 and isinstance(body, dict):
            faults = self.document.faults(body, operation.body_schema())
            assert not faults, f"{operation} took {body}: {faults}"
        return reply

    def _exchange(self, method, path, text, fields, announced=None):
        connection = http.client.HTTPConnection(self.t.api.host, timeout=70)
        try:
            connection.putrequest(method, path)
            for name, value in fields.items():
                if value is not None:
                    connection.putheader(name, value)
            if text is not None or announced:
                connection.putheader("Content-Length", str(announced or len(text)))
            connection.endheaders(text)
            answer = connection.getresponse()
            return Reply(answer.status, answer.headers, answer.read().decode())
        finally:
            connection.close()

    def check(self, operation, reply):
        response = operation.responses.get(str(reply.status))
        assert response, f"{operation}: not documented: {reply}"
        seen.add((operation.id, reply.status, reply.code))
        for name, header in response.get("headers", {}).items():
            header = self.document.resolve(header)
            value = reply.headers[name]
            assert value is not None or not header.get("required"), f"{operation} {reply.status}: no {name}"
            if value is not None:
                headers.add((operation.id, reply.status, name))
                faults = self.document.faults(value, header["schema"], name)
                assert not faults, f"{operation} {reply.status}: {faults}"
        if "content" not in response:
            assert not reply.text, f"{operation}: {reply}"
            return
        media_type = reply.headers["Content-Type"].split(";")[0]
        faults = [f"is {media_type}"]
        if media_type in response["content"]:
            value = reply.body if reply.is_json else reply.text
            faults = self.document.faults(value, response["content"][media_type]["schema"])
        assert not faults, f"{operation}: {faults}: {reply}"

    def ok(self, name, *holes, **rest):
        """A request that succeeds. One that changes something is sent a second time, to be replayed."""
        operation = self.by_id[name]
        if operation.method == "GET":
            reply = self.send(name, *holes, **rest)
            if "cursor" in operation.parameters_in("query"):
                self.page_on(name, *holes, query=rest.get("query", {}))
        else:
            self.refuse("precondition_failed", name, *holes, If_Match='"0"', **rest)
            rest["Idempotency_Key"] = str(uuid.uuid4())
            reply = self.send(name, *holes, **rest)
            again = self.send(name, *holes, **rest)
            assert again.headers["Idempotency-Replayed"] == "true", again
            same = re.sub(r'"(key|secret)":"[^"]*"|"(url)":"[^"]*token=[^"]*"', r'"\1\2":null', reply.text)
            assert (again.status, again.text) == (reply.status, same), again
        assert reply.status < 300, f"{operation}: {reply}"
        return reply.body and reply.data if "data" in (reply.body or {}) else reply

    def page_on(self, name, *holes, query):
        """A list continues after its cursor. A cursor of another list is refused."""
        first = self.send(name, *holes, query=dict(query, limit=1, offset=0)).body
        if first["pagination"]["has_more"]:
            second = self.send(name, *holes, query=dict(query, limit=1, cursor=first["pagination"]["next_cursor"])).body
            assert second["data"] != first["data"], second
        self.refuse("bad_request", name, *holes, query={"cursor": "bm9uZQ"})

    def refuse(self, code, name, *holes, **rest):
        reply = self.send(name, *holes, **rest)
        assert reply.code == code, f"{name}: {reply} instead of {code}"
        return reply

    def one(self, name, *holes):
        """The ETag of GET of one object works in conditions."""
        tag = self.send(name, *holes).headers["ETag"]
        assert self.send(name, *holes, If_None_Match=tag).status == 304, name
        return self.ok(name, *holes)

    def change(self, name, *holes, body):
        reply = self.send(name, *holes, body=body)
        assert reply.status == 200 and reply.headers["ETag"], reply
        return self.ok(name, *holes, body=body)

    def example(self, operation):
        """Returns a body that is right as far as the document can say."""
        if not operation.body:
            return {}
        content = operation.body["content"]
        if "text/csv" in content:
            return {"body": content["text/csv"]["example"], "media_type": "text/csv"}
        return {"body": content["application/json"].get("example", {})}

    def holes(self, operation):
        """Fills the path with ids that do not exist."""
        values = {"id": NOBODY, "position": 1, "phone": "+12125559999"}
        return [values[name] for name in re.findall(r"\{(\w+)\}", operation.path)]


def driver(t):
    with_text = Driver(t, Document({"paths": {}}))
    reply = with_text._exchange("GET", BASE + "/openapi.json", None, {})
    assert reply.status == 200 and reply.headers["Content-Type"] == "application/json", reply
    return Driver(t, Document(reply.body))


def test_the_document_is_served_without_a_key(t):
    api = driver(t)
    reply = api.send("getOpenApi")
    assert reply.body["openapi"] == "3.1.0" and "public" in reply.headers["Cache-Control"], reply.headers
    assert int(reply.headers["Content-Length"]) == len(reply.text.encode())
    unchanged = api.send("getOpenApi", If_None_Match=reply.headers["ETag"])
    assert unchanged.status == 304 and unchanged.headers["Cache-Control"] == reply.headers["Cache-Control"]
    assert api.send("getOpenApi", If_None_Match='"0"').status == 200


def test_service(t):
    api = driver(t)
    api.ok("getHealth")
    api.ok("getReadiness")
    api.ok("getMetrics")


def test_figures_are_for_the_own_host(t):
    """Makes nginx see the client as another host."""
    api = driver(t)
    site = os.path.join(t.stack.state_dir, "nginx", "site.conf")
    with open(site) as file:
        text = file.read()
    try:
        reload_nginx(t, site, text.replace("allow 127.0.0.1;", ""))
        api.refuse("forbidden", "getMetrics")
    finally:
        reload_nginx(t, site, text)
    api.ok("getMetrics")


def test_webhooks_agents_and_numbers(t):
    api, receiver = driver(t), t.receiver()
    url = f"http://127.0.0.1:{receiver.port}/own"
    webhook = api.ok("createWebhook", body={"url": url, "events": ["batch.completed"], "description": None})
    receiver.secrets["/own"] = webhook["secret"]
    api.ok("listWebhooks", query={"limit": 1, "offset": 0})
    api.one("getWebhook", webhook["id"])
    api.change("updateWebhook", webhook["id"], body={"description": "Own"})
    pair = api.ok("createWebhook", body={"url": url + "/pair", "signature_type": "ed25519"})
    assert pair["secret"] is None and pair["public_key"], pair
    assert api.ok("rotateWebhookSecret", pair["id"], body={"signature_type": "hmac"})["secret"]
    api.ok("deleteWebhook", pair["id"])

    agent = api.ok("createAgent", body={"name": "Agent", "webhook_id": "whk_" + webhook["id"], "settings": {"a": [1]},
                                        "voice_id": None, "language_hint": "en"})
    until(lambda: api.ok("getAgent", agent["id"])["status"] == "active", what="the agent is active")
    api.one("getAgent", agent["id"])
    api.ok("listAgents", query={"status": "active", "name": "Ag"})
    api.refuse("invalid_state", "deleteWebhook", webhook["id"])
    api.ok("syncAgent", agent["id"])
    api.change("updateAgent", agent["id"], body={"greeting": "Hello", "max_call_duration_seconds": 60})
    draft = api.ok("createAgent", body={"name": "Draft"})
    api.refuse("invalid_state", "syncAgent", draft["id"])

    number = api.ok("importNumber", body={"phone_number": "+12025550147", "friendly_name": "Desk"})
    assign = {"number_id": number["id"], "agent_id": agent["id"], "assignment_type": "outbound"}
    assert api.ok("assignNumber", body=assign)["outbound_agent_id"] == agent["id"]
    api.ok("listNumbers")
    api.one("getNumber", number["id"])
    api.change("updateNumber", number["id"], body={"calls_per_minute": 60})
    assert api.ok("unassignNumber", body=assign)["outbound_agent_id"] is None
    api.ok("deleteNumber", number["id"])
    api.ok("deleteAgent", draft["id"])
    api.ok("deleteAgent", agent["id"])
    api.ok("deleteWebhook", webhook["id"])
    check_events(api, receiver, {"agent.sync"})


def test_deliveries(t):
    api = driver(t)
    receiver, agent = t.dialing_agent()
    webhook = receiver.endpoint("/subscriber", events=["batch.status.changed", "webhook.disabled"])
    test = api.ok("testWebhook", webhook)["id"]
    until(lambda: api.ok("getDelivery", test)["status"] == "delivered", what="the test is delivered")
    assert api.one("getDelivery", test)["tries"]
    dialer = agent["webhook_id"]
    sync = api.ok("listDeliveries", dialer, query={"event_type": "agent.sync"})[0]["id"]
    api.refuse("invalid_state", "redeliverEvent", sync)

    gone = t.receiver()
    gone.answer_events = Answer(410)
    api.ok("testWebhook", gone.endpoint())
    until(lambda: receiver.of_type("webhook.disabled"), what="the event has come")

    receiver.answer_events = Answer(500)
    t.api.batch(agent, 1, schedule_type="scheduled", scheduled_at="2035-03-01T09:00")
    event = until(lambda: [one for one in api.ok("listDeliveries", webhook, query={
        "event_type": "batch.status.changed", "status": "waiting", "created_after": "2020-01-01T00:00:00Z",
        "created_before": "2100-01-01T00:00:00Z"}) if one["response_status"]], what="it is tried")[0]
    assert event["response_status"] == 500 and event["next_try_at"], event
    receiver.answer_events = Answer(204)
    assert api.ok("redeliverEvent", event["id"])["data"]["to"] == "scheduled"
    until(lambda: api.ok("getDelivery", event["id"])["status"] == "delivered", what="it is delivered")
    again = {"mode": "missing", "since": "2020-01-01T00:00:00Z"}
    assert api.ok("redeliverEvents", webhook, body=again) == {"redelivered": 0, "has_more": False}
    api.ok("listAllDeliveries", query={"status": "delivered"})
    api.ok("listDeliveries", webhook)
    api.ok("updateWebhook", webhook, body={"disabled": True})
    api.refuse("invalid_state", "testWebhook", webhook)
    api.refuse("invalid_state", "redeliverEvents", webhook, body=again)
    check_events(api, receiver, {"agent.sync", "webhook.test", "webhook.disabled", "batch.status.changed"})


def test_folders_and_contacts(t):
    api = driver(t)
    folder = api.ok("createFolder", body={"name": "Spring", "description": None})
    api.one("getFolder", folder["id"])
    api.change("updateFolder", folder["id"], body={"description": "In spring"})
    api.ok("listFolders", query={"sort_by": "contact_count", "order": "asc"})
    contact = api.ok("createContact", body={"phone_number": "+12125550130", "folder_id": folder["id"],
                                            "timezone": "Europe/Berlin", "custom_fields": {"city": "London"}})
    api.one("getContact", contact["id"])
    api.change("updateContact", contact["id"], body={"email": "ada@example.com", "folder_id": None})
    api.ok("listContacts", query={"search": "ada", "last_call_outcome": "completed", "folder_id": folder["id"]})
    loaded = api.ok("importContacts", body=CSV, media_type="text/csv",
                    query={"folder_id": folder["id"], "overwrite_existing": "true"})
    assert (loaded["imported"], loaded["errors"]) == (1, 1), loaded
    form, kind = multipart(file=CSV, overwrite_existing="true")
    assert api.ok("importContacts", body=form, media_type=kind)["imported"] == 1
    form, kind = multipart(overwrite_existing="true")
    api.refuse("validation_error", "importContacts", body=form, media_type=kind)
    api.ok("listContacts")
    api.ok("deleteContact", contact["id"])
    api.ok("deleteFolder", folder["id"])


def multipart(**parts):
    text = "".join(f'--x\r\nContent-Disposition: form-data; name="{name}"'
                   + ('; filename="people.csv"' if name == "file" else "") + f"\r\n\r\n{value}\r\n"
                   for name, value in parts.items())
    return text + "--x--\r\n", "multipart/form-data; boundary=x"


def test_campaigns(t):
    api = driver(t)
    receiver = t.receiver()
    receiver.script = lambda call: ends(duration_seconds=9, cost=0.5, outcome="confirmed", end_reason="hung up")
    agent = t.api.agent(receiver.endpoint(events=["batch.status.changed", "batch.completed"]))
    draft = t.api.post("/agents", {"name": "Draft"})
    wanted = {"name": "Campaign", "agent_id": agent["id"], "working_days": EVERY_DAY}
    api.refuse("agent_not_ready", "createBatchCall", body=dict(wanted, agent_id=draft["id"]))
    api.refuse("no_phone_number_configured", "createBatchCall", body=wanted)
    number = t.api.number()
    wanted["phone_number_ids"] = [number["id"]]

    empty = api.ok("createBatchCall", body=wanted)["id"]
    api.refuse("no_contacts", "scheduleBatchCall", empty)
    api.refuse("no_phone_number_configured", "updateBatchCall", empty, body={"phone_number_ids": None})
    api.refuse("no_contacts", "previewBatchCall", empty, body={})
    lost_number, lost_agent = t.api.number(), t.api.agent(receiver.endpoint("/lost"))
    lost = api.ok("createBatchCall", body=dict(wanted, phone_number_ids=[lost_number["id"]], agent_id=lost_agent["id"],
                                               contacts=contacts(1)))["id"]
    paused = api.ok("createBatchCall",
                    body=dict(wanted, phone_number_ids=[lost_number["id"]], agent_id=lost_agent["id"],
                                                 contacts=contacts(1), schedule_type="scheduled",
                                                 scheduled_at="2040-01-01T00:00:00Z"))["id"]
    api.ok("pauseBatchCall", paused)
    api.ok("deleteNumber", lost_number["id"])
    for operation, batch in (("scheduleBatchCall", lost), ("previewBatchCall", lost), ("resumeBatchCall", paused)):
        api.refuse("no_phone_number_configured", operation, batch, body={})
    t.api.patch(f"/agents/{lost_agent['id']}", {"webhook_id": None})
    for operation, batch in (("scheduleBatchCall", lost), ("previewBatchCall", lost), ("resumeBatchCall", paused)):
        api.refuse("agent_not_ready", operation, batch, body={})
    api.ok("addBatchCallContacts", empty, body={"contacts": contacts(2)})
    form, kind = multipart(file=CSV)
    assert api.ok("importBatchCallContacts", empty, body=form, media_type=kind)["imported"] == 1
    form, kind = multipart(nothing="")
    api.refuse("validation_error", "importBatchCallContacts", empty, body=form, media_type=kind)
    assert api.ok("removeBatchCallContact", empty, 1)["error_reason"] == "removed"
    api.refuse("invalid_state", "removeBatchCallContact", empty, 1)
    assert api.ok("removeBatchCallContacts", empty)["removed"] == 3
    api.ok("deleteBatchCall", empty)

    full = dict(wanted, contacts=contacts(3) + contacts(1), start_time="00:00", end_time="24:00",
                excluded_dates=["2030-12-25"], max_calls_per_day=1000, calls_per_minute=60000, retry_failed=True,
                max_retry_attempts=1, retry_on=["busy"], retry_delay_minutes=1, metadata={"a": None},
                phone_rotation_strategy="sequential", contact_source="manual", schedule_type="scheduled",
                scheduled_at="2035-03-01T09:00", timezone="America/New_York")
    batch = api.ok("createBatchCall", body=full)["id"]
    api.refuse("invalid_state", "deleteAgent", agent["id"])
    api.refuse("invalid_state", "deleteBatchCall", batch)
    api.refuse("invalid_state", "scheduleBatchCall", batch)
    api.refuse("invalid_state", "resumeBatchCall", batch)
    api.one("getBatchCall", batch)
    api.change("updateBatchCall", batch, body={"max_concurrent_calls": 5, "start_time": None, "end_time": None})
    shown = api.ok("previewBatchCall", batch, body={"changes": {"max_calls_per_day": 1}, "average_call_seconds": 90,
                                                   "answer_rate": 0.4})
    assert shown["estimate"]["days"] and shown["never_called"] and shown["change"]["contacts"], shown
    assert api.ok("previewBatchCall", batch, body={"changes": None})["change"] is None
    gates = api.ok("explainBatchCallContact", batch, 1)["gates"]
    assert [gate["gate"] for gate in gates] == api.document.tree["components"]["schemas"]["GateName"]["enum"], gates
    assert api.ok("explainBatchCall", batch)["held_by"] == "scheduled_start"
    api.ok("pauseBatchCall", batch)
    api.ok("updateBatchCall", batch, body={"scheduled_at": None, "schedule_type": "immediate"})
    api.ok("resumeBatchCall", batch)
    t.api.wait_for({"id": batch}, "completed")

    api.one("getBatchCallContact", batch, 1)
    api.ok("listBatchCallContacts", batch, query={"status": "completed", "limit": 1})
    api.ok("listBatchCallContacts", batch,
           query={"search": "a", "phone_number": "+49301", "status": "completed,skipped"})
    api.send("listBatchCallContacts", batch, query={"sort_by": "scheduled_at"})
    api.ok("listBatchCallContacts", batch)
    api.refuse("invalid_state", "removeBatchCallContacts", batch)
    api.ok("listBatchCalls", query={"status": "completed,failed", "agent_id": agent["id"]})
    api.ok("listBatchCalls", query={"search": "camp", "sort_by": "progress", "order": "asc"})
    assert api.send("listBatchCalls", query={"ids": batch}).data[0]["id"] == batch
    assert api.ok("listBatchCallHistory", batch)[-1]["from"] is None
    assert api.ok("getOverview", query={"timezone": "Europe/Berlin"})["campaigns"]["completed"] >= 1
    assert api.ok("getNumberAnalytics", number["id"])["calls"] == 3
    series = api.ok("getBatchCallAnalytics", batch, query={"interval": "hour"})
    assert series["series"] and series["outcomes"] and series["end_reasons"], series
    rows = api.ok("getBatchCallResults", batch).text.splitlines()
    assert len(rows) == 5, rows
    assert api.ok("getBatchCallResults", batch, query={"status": "skipped"}).text.count("\n") == 2
    url = api.send("createResultsLink", batch, body={"status": ["completed", "skipped"]}).data["url"]
    api.ok("createResultsLink", batch)
    token = url.partition("token=")[2]
    assert len(api.ok("getResultsByLink", query={"token": token}).text.splitlines()) == 5
    api.refuse("unauthorized", "getResultsByLink", query={"token": "x"})
    gone = api.send("createBatchCall", body=dict(wanted, contacts=contacts(1))).data["id"]
    token = api.send("createResultsLink", gone).data["url"].partition("token=")[2]
    api.send("deleteBatchCall", gone)
    api.refuse("not_found", "getResultsByLink", query={"token": token})
    for action in ("pause", "cancel", "preview"):
        api.refuse("invalid_state", f"{action}BatchCall", batch, body={})
    api.refuse("invalid_state", "updateBatchCall", batch, body={"name": "Late"})
    api.refuse("invalid_state", "addBatchCallContacts", batch, body={"contacts": contacts(1)})
    api.refuse("invalid_state", "importBatchCallContacts", batch, body=CSV, media_type="text/csv")

    windows = [{"days": [1, 2], "start": "09:00", "end": "12:00"}, {"days": [2], "start": "22:00", "end": "02:00"}]
    later = api.ok("createBatchCall", body=dict(wanted, contacts=contacts(1), contact_ids=None, calling_windows=windows,
                                                respect_contact_timezone=True))["id"]
    api.ok("updateBatchCall", later, body={"calling_windows": windows[:1]})
    api.ok("explainBatchCallContact", later, 1)
    api.ok("scheduleBatchCall", later, body={"scheduled_at": "2035-03-01T09:00:00+01:00", "timezone": "Europe/Berlin"})
    api.ok("cancelBatchCall", later)
    deleted = api.ok("bulkDeleteBatchCalls", body={"ids": [later, NOBODY]})
    assert deleted["deleted"] == [later] and deleted["refused"][0]["code"] == "not_found", deleted
    until(lambda: receiver.of_type("batch.completed"), what="the subscriber has the event")
    check_events(api, receiver, {"agent.sync", "call.requested", "batch.status.changed", "batch.completed"})


def check_events(api, receiver, kinds):
    """Compares the received webhooks with the document."""
    found = set()
    for delivery in list(receiver.deliveries):
        found.add(delivery.type)
        node = api.document.tree["webhooks"][delivery.type]["post"]
        content = node["requestBody"]["content"]["application/json"]
        faults = api.document.faults(json.loads(delivery.body), content["schema"])
        for parameter in map(api.document.resolve, node["parameters"]):
            faults += api.document.faults(delivery.headers[parameter["name"]], parameter["schema"], parameter["name"])
        assert not faults, f"{delivery.type}: {faults}"
    assert found == kinds, found


def test_calls(t):
    api = driver(t)
    receiver, agent = t.dialing_agent()
    draft = t.api.post("/agents", {"name": "Draft"})
    receiver.endpoint("/subscriber", events=["call.started", "call.ended", "call.failed"])
    wanted = {"agent_id": agent["id"], "phone_number": "+12125550109", "from_number": None}
    api.refuse("agent_not_ready", "createCall", body=dict(wanted, agent_id=draft["id"]))
    api.refuse("no_phone_number_configured", "createCall", body=wanted)
    trial = {"phone_number": "+12125550100"}
    api.refuse("agent_not_ready", "testAgent", draft["id"], body=trial)
    api.refuse("no_phone_number_configured", "testAgent", agent["id"], body=trial)
    number = t.api.number()
    t.api.post("/telephony/numbers/assign",
               {"number_id": number["id"], "agent_id": agent["id"], "assignment_type": "outbound"})
    receiver.script = lambda call: Answer(503)
    call = api.ok("createCall", body=dict(wanted, variables={"at": "10:15"}, call_settings={}))["id"]
    api.ok("testAgent", agent["id"], body=trial)
    until(lambda: api.ok("listCallTries", call), what="the dialer has not taken it")
    api.ok("cancelCall", call)
    api.refuse("invalid_state", "cancelCall", call)
    api.one("getCall", call)
    receiver.script = lambda call: Answer(202)
    call = api.ok("createCall", body=wanted)["id"]
    until(lambda: api.ok("getCall", call)["status"] == "dispatched", what="the dialer has the call")
    api.ok("reportCall", call, body={"status": "ringing", "occurred_at": "2026-11-21T09:00:00+01:00"})
    assert api.send("claimDispatches", body={"limit": 1, "wait_seconds": 0}).data == {"calls": []}
    api.refuse("precondition_failed", "claimDispatches", body={}, If_Match='"0"')
    fetched = t.api.agent(t.api.post("/webhooks", {"url": "pull:"})["id"])
    t.api.post("/calls", dict(wanted, agent_id=fetched["id"], from_number=number["phone_number"]))
    claim = {"body": {"agent_id": fetched["id"], "wait_seconds": 0}, "Idempotency_Key": "fetched"}
    first = until(lambda: (reply := api.send("claimDispatches", **claim)).data["calls"] and reply,
                  what="it can be fetched")
    again = api.send("claimDispatches", **claim)
    assert again.headers["Idempotency-Replayed"] == "true" and again.data == first.data, again
    bulk = api.ok("reportCalls", body={"reports": [{"call_id": call, "status": "completed", "cost": 0.1234,
                                                    "duration_seconds": 3, "summary": "Well", "outcome": None},
                                                   {"call_id": NOBODY, "status": "busy"}]})
    assert (bulk["accepted"], bulk["not_found"]) == (1, 1), bulk
    api.ok("listCalls", query={"status": "completed", "agent_id": agent["id"], "created_after": "2020-01-01T00:00:00Z",
                               "created_before": "2100-01-01T00:00:00Z"})
    receiver.script = lambda call: ends("failed")
    api.ok("createCall", body=wanted)
    api.one("getOrganization")
    api.ok("listCallingHoursPresets")
    api.change("updateOrganization", body={"contact_limits": [{"max_attempts": 1, "period_days": 1}],
                                           "rest_hours_after_conversation": None, "default_calling_windows": None})
    api.refuse("contact_limit", "createCall", body=wanted)
    api.refuse("contact_limit", "testAgent", agent["id"], body=trial)
    until(lambda: all(map(receiver.of_type, ("call.started", "call.ended", "call.failed"))),
          what="subscribers have the events")
    check_events(api, receiver, {"agent.sync", "call.requested", "call.started", "call.ended", "call.failed"})
    until(lambda: api.ok("listDecisions", query={"number": "+12125550109"}), what="decisions are sealed")
    api.ok("listDecisions", query={"from": "2020-01-01T00:00:00Z", "to": "2100-01-01T00:00:00Z"})
    for operation in ("getDecisionsFile", "getLedgerProof"):
        assert "+12125550109" in api.ok(operation, query={"number": "+12125550109"}).text


def test_do_not_call_and_keys(t):
    api = driver(t)
    api.ok("addDoNotCall", body={"phone_numbers": ["+12125550120", "+12125550121"], "reason": "asked us to"})
    api.ok("addDoNotCall", body={"phone_number": "+12125550120"})
    api.ok("listDoNotCall", query={"phone_number": "+12125550120"})
    api.ok("listDoNotCall")
    form, kind = multipart(file="phone\n+12125550122\nx\n", reason="state list")
    api.refuse("validation_error", "importDoNotCall", body=form, media_type=kind)
    form, kind = multipart(file="phone\n+12125550122\nx\n", reason="state list", partial="true")
    loaded = api.ok("importDoNotCall", body=form, media_type=kind)
    assert (loaded["imported"], loaded["errors"]) == (1, 1), loaded
    api.ok("importDoNotCall", body="phone\n+12125550122\n", media_type="text/csv", query={"reason": "again"})
    form, kind = multipart(reason="state list")
    api.refuse("validation_error", "importDoNotCall", body=form, media_type=kind)
    api.ok("removeDoNotCall", "+12125550121")
    api.one("exportPerson", "+12125550120")
    api.ok("erasePerson", "+12125550120")
    key = api.ok("createKey", body={"name": "Dialer", "scopes": ["reports", "read"],
                                    "expires_at": "2036-01-01T00:00:00Z"})
    api.with_key(key["key"]).ok("listAgents")
    assert api.with_key(key["key"]).ok("getCurrentKey")["id"] == key["id"]
    made = api.ok("createSessionKey", body={"scopes": ["read"], "lifetime_seconds": 600})
    api.with_key(made["key"]).refuse("forbidden", "createSessionKey", body={})
    signed_off = api.with_key(t.client("reports").key)
    once = {"Idempotency_Key": "once"}
    signed_off.refuse("precondition_failed", "revokeCurrentKey", If_Match='"0"')
    assert signed_off.send("revokeCurrentKey", **once).status == 204
    t.stack.sql("UPDATE api_keys SET revoked_at = '9999-12-31' WHERE revoked_at < '9999-12-31'")
    until(lambda: signed_off.send("revokeCurrentKey", **once).headers["Idempotency-Replayed"], what="it is replayed")
    api.ok("listKeys")
    api.ok("listAuditLog", query={"object": "key", "action": "created", "created_after": "2026-01-01T00:00:00Z"})
    api.ok("listAuditLog",
           query={"key_id": key["id"], "object_id": key["id"], "created_before": "2100-01-01T00:00:00Z"})
    api.ok("revokeKey", key["id"])


def test_what_every_operation_refuses(t):
    api = driver(t)
    scopes = ("read", "write", "reports", "admin")
    lacking = {scope: api.with_key(t.client([other for other in scopes if other != scope]).key) for scope in scopes}
    used = str(uuid.uuid4())
    api.send("createFolder", body={"name": "Used"}, Idempotency_Key=used)
    for operation in api.document.operations:
        holes, example = api.holes(operation), api.example(operation)
        api.refuse("bad_request", operation.id, *holes, **example, query={"nonsense": 1})
        if operation.scope:
            api.refuse("unauthorized", operation.id, *holes, **example, Authorization=None)
        if operation.scope in lacking:
            lacking[operation.scope].refuse("forbidden", operation.id, *holes, **example)
        if "404" in operation.responses and holes:  # nothing may be stored about a person
            api.refuse("not_found", operation.id, *holes, **example)
        if operation.method != "GET":
            api.refuse("idempotency_conflict", operation.id, *holes, **example, Idempotency_Key=used)
        if operation.body:
            refuse_bodies(api, operation, holes)


def refuse_bodies(api, operation, holes):
    longest = operation.body["x-max-bytes"]
    media_type = next(iter(operation.body["content"]))
    rest = {"announced": longest + 1} if longest >= HUGE else {"body": " " * (longest + 1)}
    api.refuse("payload_too_large", operation.id, *holes, media_type=media_type, **rest)
    api.refuse("unsupported_media_type", operation.id, *holes, body="x", media_type="text/plain")
    if media_type == "application/json":
        api.refuse("bad_request", operation.id, *holes, body="{")
        reply = api.refuse("validation_error", operation.id, *holes, body={"nonsense": 1})
        assert "nonsense" in [fault["field"] for fault in reply.body["error"]["details"]["errors"]], reply


def test_other_methods(t):
    api = driver(t)
    methods = {}
    for operation in api.document.operations:
        address = ("" if operation.outside else BASE) + operation.path.format(
            **dict(zip(re.findall(r"\{(\w+)\}", operation.path), api.holes(operation))))
        methods.setdefault(address, set()).add(operation.method)
    for address, known in methods.items():
        allowed = known | ({"HEAD"} if "GET" in known else set())
        for method in {"GET", "POST", "PATCH", "DELETE", "PUT", "OPTIONS"} - known:
            reply = api._exchange(method, address, None, {"Authorization": f"Bearer {api.key}"})
            assert reply.status == 405 and reply.code == "method_not_allowed", f"{method} {address}: {reply}"
            assert set(reply.headers["Allow"].split(", ")) >= allowed, (address, reply.headers["Allow"])
            faults = api.document.faults(reply.body, {"$ref": "#/components/schemas/Error"})
            assert not faults, faults
        if "GET" in known:
            get, head = (api._exchange(method, address, None, {"Authorization": f"Bearer {api.key}"})
                         for method in ("GET", "HEAD"))
            assert head.status == get.status and not head.text, address


def test_too_many_requests(t):
    """nginx lets a key send one request a minute."""
    api = driver(t)
    site = os.path.join(t.stack.state_dir, "nginx", "site.conf")
    with open(site) as file:
        text = file.read()
    crowd = api.with_key("crowd")
    try:
        reload_nginx(t, site, re.sub(r"rate=\d+r/s", "rate=1r/m", re.sub(r" burst=\d+ nodelay", "", text)))
        until(lambda: crowd.send("listAgents").status == 429, what="nginx has its new limits")
        for operation in api.document.operations:
            if "429" in operation.responses:
                def refused():
                    return crowd.send(operation.id, *crowd.holes(operation), **crowd.example(operation)).status == 429
                until(refused, what=f"{operation} is refused")
    finally:
        reload_nginx(t, site, text)
        until(lambda: crowd.send("listAgents").status == 401, what="nginx has its old limits")
        until(lambda: crowd.send("getOpenApi").status == 200, what="nothing is left of the new ones")


def reload_nginx(t, site, text):
    """Returns when no worker with the old text is left."""
    old = set(t.stack.workers("nginx"))
    with open(site, "w") as file:
        file.write(text)
    t.stack.kill("nginx", signal.SIGHUP)
    until(lambda: old.isdisjoint(t.stack.workers("nginx")), what="nginx has new workers")


def test_the_organisation_has_moved(t):
    api = driver(t)
    place = f"UPDATE organizations SET place = %d, cell = 'b' WHERE name = '{t.organization}'"
    t.stack.sql(place % 2)
    try:
        for operation in api.document.operations:
            if "421" in operation.responses:
                api.refuse("organization_moved", operation.id, *api.holes(operation), **api.example(operation))
    finally:
        t.stack.sql(place % 0)


def test_the_database_is_away(t):
    api = driver(t)
    api.ok("listAgents")
    receiver, agent = t.dialing_agent()
    url = t.api.post(f"/batch-calls/{t.api.batch(agent, 1)['id']}/results-link")["url"]
    needs = {"getResultsByLink": {"query": {"token": url.partition("token=")[2]}}}
    t.stack.stop_database()
    try:
        for operation in api.document.operations:
            if "503" in operation.responses:
                api.refuse("unavailable", operation.id, *api.holes(operation), **api.example(operation),
                           **needs.get(operation.id, {}))
        api.ok("getHealth")
        api.ok("getMetrics")
    finally:
        t.stack.resume_database()
    until(lambda: api.send("getReadiness").status == 200, what="the database is back")


def test_everything_that_is_documented_was_seen(t):
    api = driver(t)
    wanted = {(operation.id, status, code) for operation in api.document.operations
              for status, code in operation.codes()}
    assert not wanted - seen, f"never happened: {sorted(wanted - seen, key=repr)}"
    assert not seen - wanted, f"not documented: {sorted(seen - wanted, key=repr)}"
    named = {(operation.id, int(status), name) for operation in api.document.operations
             for status, response in operation.responses.items() if status != "default"
             for name in response["headers"]}
    assert not named - headers, f"never there: {sorted(named - headers)}"


if __name__ == "__main__":
    tap.run(globals())
