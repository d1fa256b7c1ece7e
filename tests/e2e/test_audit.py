#!/usr/bin/env python3
"""The audit log: who changed what, when and from where, by the API and by the command line."""

import getpass
import json
import os
import socket
import subprocess

import tap
from client import BASE, INSTANT, contacts, unhex, until
from receiver import TAKEN, ends

STACK = {"rate_limit": False, "config": {"audit_retention_days": 90}}
FAR = "2040-03-01T09:00:00.000000Z"
CSV = "phone,name\n+12125550131,Blaise Pascal\n"
SECRETS = ("secret", "whsec_", "outdial_")

# These routes change nothing, or are not administration.
UNAUDITED = {"POST /batch-calls/<id>/preview", "POST /calls/<id>/status", "POST /calls/status",
             "POST /dispatches/claim"}


def routes(t):
    probe = subprocess.run([os.path.join(t.stack.build, "tests/unit/route_probe")], capture_output=True, check=True)
    return json.loads(probe.stdout)["routes"]


def log(t, api=None, **query):
    return (api or t.api).all("/audit-log", **query)


class World:
    """An organisation with one object of each kind."""

    def __init__(self, t):
        self.t, self.api = t, t.api
        self.receiver, self.agent = t.dialing_agent()
        self.receiver.script = lambda call: TAKEN
        self.people = iter(range(100, 1000))

    def draft(self, count=2):
        return self.api.batch(self.agent, count)

    def planned(self):
        return self.api.batch(self.agent, 2, schedule_type="scheduled", scheduled_at=FAR)

    def paused(self):
        batch = self.planned()
        self.api.post(f"/batch-calls/{batch['id']}/pause")
        return batch

    def folder(self):
        return self.api.post("/contacts/folders", {"name": "Spring"})

    def contact(self):
        return self.api.post("/contacts", {"phone_number": f"+12125551{next(self.people)}", "first_name": "Ada"})

    def assigned(self):
        number = self.api.number()
        self.api.post("/telephony/numbers/assign", self.assignment(number))
        return number

    def assignment(self, number):
        return {"number_id": number["id"], "agent_id": self.agent["id"], "assignment_type": "outbound"}

    def key(self):
        return self.api.post("/keys", {"name": "Another", "scopes": ["read"]})

    def held_call(self):
        """A call that no dialer has accepted."""
        self.receiver.refuse()
        return self.api.post("/calls", {"agent_id": self.agent["id"], "phone_number": "+12125550177",
                                        "from_number": self.api.number()["phone_number"]})

    def delivery(self):
        webhook = self.receiver.endpoint("/events")
        sent = self.api.post(f"/webhooks/{webhook}/test", {})
        until(lambda: self.api.get(f"/webhooks/deliveries/{sent['id']}")["status"] == "delivered")
        return sent


def listed(api, number="+12125550166"):
    api.post("/do-not-call", {"phone_number": number})
    return number


# A request to each route that succeeds: the values in its path, and its body. A body that is a string is a CSV file.
TRIES = {
    "POST /webhooks": lambda w: ([], {"url": "http://127.0.0.1:9/"}),
    "PATCH /webhooks/<id>": lambda w: ([w.receiver.endpoint("/x")], {"description": "new"}),
    "DELETE /webhooks/<id>": lambda w: ([w.receiver.endpoint("/y")], None),
    "POST /webhooks/<id>/rotate-secret": lambda w: ([w.receiver.endpoint("/z")], {}),
    "POST /webhooks/<id>/test": lambda w: ([w.receiver.endpoint("/w")], {}),
    "POST /webhooks/<id>/redeliver": lambda w: ([w.agent["webhook_id"]],
                                                {"mode": "failed", "since": "2026-01-01T00:00:00Z"}),
    "POST /webhooks/deliveries/<id>/redeliver": lambda w: ([w.delivery()["id"]], {}),
    "POST /agents": lambda w: ([], {"name": "Second", "webhook_id": w.agent["webhook_id"],
                                    "system_prompt": "Be kind."}),
    "PATCH /agents/<id>": lambda w: ([w.agent["id"]], {"description": "first"}),
    "DELETE /agents/<id>": lambda w: ([w.api.post("/agents", {"name": "Third"})["id"]], None),
    "POST /agents/<id>/sync": lambda w: ([w.api.agent(w.agent["webhook_id"])["id"]], {}),
    "POST /agents/<id>/test-call": lambda w: ([w.agent["id"]], {
        "phone_number": "+12125550188", "from_number": w.api.number()["phone_number"]}),
    "POST /telephony/numbers/import": lambda w: ([], {"phone_number": "+15559990001"}),
    "POST /telephony/numbers/assign": lambda w: ([], w.assignment(w.api.number())),
    "POST /telephony/numbers/unassign": lambda w: ([], w.assignment(w.assigned())),
    "PATCH /telephony/numbers/<id>": lambda w: ([w.api.number()["id"]], {"calls_per_minute": 7}),
    "DELETE /telephony/numbers/<id>": lambda w: ([w.api.number()["id"]], None),
    "POST /contacts/folders": lambda w: ([], {"name": "Autumn"}),
    "PATCH /contacts/folders/<id>": lambda w: ([w.folder()["id"]], {"name": "Summer"}),
    "DELETE /contacts/folders/<id>": lambda w: ([w.folder()["id"]], None),
    "POST /contacts": lambda w: ([], {"phone_number": "+12125550139", "first_name": "Grace",
                                      "email": "grace@example.com"}),
    "POST /contacts/import": lambda w: ([], CSV),
    "PATCH /contacts/<id>": lambda w: ([w.contact()["id"]], {"first_name": "Augusta", "email": "ada@example.com"}),
    "DELETE /contacts/<id>": lambda w: ([w.contact()["id"]], None),
    "POST /batch-calls": lambda w: ([], {"name": "New", "agent_id": w.agent["id"], "contact_source": "manual",
                                         "contacts": [], "phone_number_ids": [w.api.number()["id"]]}),
    "PATCH /batch-calls/<id>": lambda w: ([w.draft()["id"]], {"name": "Newer"}),
    "DELETE /batch-calls/<id>": lambda w: ([w.draft()["id"]], None),
    "POST /batch-calls/<id>/schedule": lambda w: ([w.draft()["id"]], {"scheduled_at": FAR}),
    "POST /batch-calls/<id>/pause": lambda w: ([w.planned()["id"]], {}),
    "POST /batch-calls/<id>/resume": lambda w: ([w.paused()["id"]], {}),
    "POST /batch-calls/<id>/cancel": lambda w: ([w.planned()["id"]], {}),
    "POST /batch-calls/bulk-delete": lambda w: ([], {"ids": [w.draft()["id"]]}),
    "POST /batch-calls/<id>/results-link": lambda w: ([w.draft()["id"]], {}),
    "POST /batch-calls/<id>/contacts": lambda w: ([w.draft()["id"]], {"contacts": contacts(3, 50)}),
    "POST /batch-calls/<id>/contacts/import": lambda w: ([w.draft()["id"]], CSV),
    "DELETE /batch-calls/<id>/contacts": lambda w: ([w.draft()["id"]], None),
    "DELETE /batch-calls/<id>/contacts/<position>": lambda w: ([w.draft()["id"], 2], None),
    "POST /calls": lambda w: ([], {"agent_id": w.agent["id"], "phone_number": "+12125550178",
                                   "from_number": w.api.number()["phone_number"]}),
    "POST /calls/<id>/cancel": lambda w: ([w.held_call()["id"]], {}),
    "POST /do-not-call": lambda w: ([], {"phone_number": "+12125550160", "reason": "asked"}),
    "POST /do-not-call/import": lambda w: ([], "phone\n+12125550161\n"),
    "DELETE /do-not-call/<phone>": lambda w: ([listed(w.api)], None),
    "DELETE /people/<phone>": lambda w: (["+12125550199"], None),
    "PATCH /organization": lambda w: ([], {"contact_limits": [{"max_attempts": 3, "period_hours": 7}]}),
    "POST /keys": lambda w: ([], {"name": "Made", "scopes": ["read"]}),
    "DELETE /keys/<id>": lambda w: ([w.key()["id"]], None),
    "POST /keys/session": lambda w: ([], {}),
    "DELETE /keys/current": lambda w: ([], None),
}


def send(api, method, path, body):
    if isinstance(body, str):
        return api.send(method, path, body, {"Content-Type": "text/csv"})
    return api.send(method, path, body)


def try_route(world, route, reader):
    """Sends the request of a route, and returns the new entries of the log."""
    path = route["path"].removeprefix(BASE)
    values, body = TRIES[f"{route['method']} {path}"](world)
    for value in values:
        begin, rest = path.split("<", 1)
        path = f"{begin}{value}{rest.split('>', 1)[1]}"
    before = log(world.t, reader)
    reply = send(world.api, route["method"], path, body)
    assert reply.status < 300, f"{route['method']} {path}: {reply}"
    after = log(world.t, reader)
    fresh = after[:len(after) - len(before)]
    assert after[len(fresh):] == before, "older entries stay as they are"
    return values, reply, [entry for entry in fresh if entry["key"]]


def test_every_route_that_changes_something_is_in_the_log(t):
    world, reader = World(t), t.client(["admin"])
    mine = t.api.get("/keys/current")
    changing = [route for route in routes(t) if route["method"] != "GET"]
    unaudited = {f"{route['method']} {route['path'].removeprefix(BASE)}" for route in changing if route["unaudited"]}
    assert unaudited == UNAUDITED, unaudited
    for route in sorted(changing, key=lambda route: route["path"] == BASE + "/keys/current"):
        if route["unaudited"]:
            continue
        name = f"{route['method']} {route['path'].removeprefix(BASE)}"
        assert name in TRIES, f"{name} is a new route: it needs an entry in the log, and a request in TRIES"
        values, reply, fresh = try_route(world, route, reader)
        assert len(fresh) >= 1, f"{name} left no entry"
        entry = fresh[0]
        assert entry["key"] == {"id": mine["id"], "name": mine["name"]}, (name, entry)
        assert entry["address"] == "127.0.0.1" and entry["operator"] is None, (name, entry)
        assert INSTANT.fullmatch(entry["at"]), entry
        if not route["audited_below"]:
            assert len(fresh) == 1 and (entry["object"],
                                        entry["action"]) == (route["object"], route["action"]), (name, fresh)
        if values and entry["object"] not in ("do_not_call", "call", "person"):
            assert entry["object_id"] == values[0], (name, entry)
        if reply.status == 201 and isinstance(reply.data, dict) and "id" in reply.data and "event_id" not in reply.data:
            assert entry["object_id"] == reply.data["id"], (name, entry)
        text = json.dumps(fresh)
        for person in ("Ada", "Augusta", "Grace", "example.com", "+1212555", "+4930", "Pascal"):
            assert person not in text, (name, text)
        for secret in (reply.text and reply.data.get("secret"), reply.text and reply.data.get("key")):
            assert not secret or secret not in text, (name, text)


def newest(t, **query):
    return t.api.get("/audit-log", limit=1, **query)[0]


def test_changes_are_logged(t):
    receiver, agent = t.dialing_agent()
    t.api.patch(f"/agents/{agent['id']}", {"name": "Other", "system_prompt": "x" * 5000})
    assert newest(t)["changes"] == {"name": {"from": "Agent", "to": "Other"}, "system_prompt": {"is_long": True}}
    t.api.patch(f"/agents/{agent['id']}", {"name": "Other"})
    assert len(log(t, object="agent", action="changed")) == 1, "nothing was changed"
    contact = t.api.post("/contacts", {"phone_number": "+12125550130", "first_name": "Ada"})
    folder = t.api.post("/contacts/folders", {"name": "Spring"})
    t.api.patch(f"/contacts/{contact['id']}", {"first_name": "Augusta", "folder_id": folder["id"]})
    assert newest(t)["changes"] == {"first_name": {"is_personal": True},
                                    "folder_id": {"from": None, "to": folder["id"]}}
    t.api.patch("/organization", {"contact_limits": [{"max_attempts": 3, "period_hours": 7}]})
    entry = newest(t)
    assert entry["object_id"] == t.api.get("/organization")["id"] and entry["changes"], entry
    key = t.api.post("/keys", {"name": "Dialer", "scopes": ["reports"]})
    assert newest(t, object_id=key["id"])["changes"]["scopes"] == {"from": [], "to": ["reports"]}
    webhook = receiver.endpoint("/changed")
    t.api.patch(f"/webhooks/{webhook}", {"disabled": True})
    assert newest(t)["changes"] == {"disabled": {"from": False, "to": True}}
    t.api.refuse("validation_error", "PATCH", f"/webhooks/{webhook}", {"url": "nonsense"})
    t.api.refuse("not_found", "DELETE", f"/contacts/{folder['id']}")
    assert newest(t)["changes"] == {"disabled": {"from": False, "to": True}}, "a refusal changes nothing"
    headers = {"Idempotency-Key": "one"}
    for _ in range(2):
        assert t.api.send("POST", "/contacts/folders", {"name": "Once"}, headers).status == 201
    assert len(log(t, object="folder", action="created")) == 2, "a repeated request is not logged again"
    number = t.api.number()
    t.api.post("/telephony/numbers/assign",
               {"number_id": number["id"], "agent_id": agent["id"], "assignment_type": "inbound"})
    assert (newest(t)["object_id"], newest(t)["changes"]) == (number["id"], {"inbound": agent["id"]})


def test_an_import_is_one_entry_with_its_counts(t):
    rows = "phone\n" + "".join(f"+1212{number:07}\n" for number in range(5550000, 5552500)) + "bad\n"
    reply = t.api.send("POST", "/contacts/import", rows, {"Content-Type": "text/csv"}).data
    logged = log(t)
    assert len(logged) == 2 and logged[1]["object"] == "key", logged
    assert (logged[0]["object"], logged[0]["action"]) == ("folder", "imported"), logged
    assert logged[0]["object_id"] == reply["folder_id"], logged
    assert logged[0]["changes"] == {"imported": 2500, "rows": 2501, "errors": 1}, logged
    dry = t.api.send("POST", "/contacts/import?dry_run=true", rows, {"Content-Type": "text/csv"})
    assert dry.status == 200 and len(log(t)) == 2, "a dry run writes nothing"
    path = os.path.join(t.stack.state_dir, "list.csv")
    with open(path, "w") as file:
        file.write(CSV)
    t.stack.outdial("import", path, "--organization", t.organization, "--do-not-call", "list")
    entry = newest(t)
    assert (entry["object"], entry["action"], entry["key"]) == ("do_not_call", "imported", None), entry
    assert entry["operator"].endswith("@" + socket.gethostname()), entry


def test_filters_pages_and_others(t):
    batch = World(t).draft()
    other = t.client(["write"])
    for turn in range(5):
        other.patch(f"/batch-calls/{batch['id']}", {"name": f"Turn {turn}"})
    whole = log(t)
    assert [entry["at"] for entry in whole] == sorted((entry["at"] for entry in whole), reverse=True), whole
    pages = list(t.api.pages("/audit-log", limit=4))
    assert [entry for page in pages for entry in page.data] == whole and pages[0].pagination["total"] == len(whole)
    mine = log(t, object="campaign", action="changed")
    assert len(mine) == 5 and mine == log(t, object_id="batch_" + batch["id"], action="changed"), mine
    key = mine[0]["key"]["id"]
    assert log(t, key_id=key) == mine and log(t, key_id=batch["id"]) == []
    assert log(t, created_after=mine[2]["at"], created_before=mine[0]["at"], action="changed") == mine[1:3]
    assert [page.data for page in t.api.pages("/audit-log", key_id=key, limit=5)][0] == mine
    for name, value in [("object", "nonsense"), ("action", "x"), ("object_id", "x"), ("created_after", "x"),
                        ("by", "me")]:
        t.api.refuse("bad_request", "GET", "/audit-log", query={name: value}, field=name)
    t.client(["read", "write", "reports"]).refuse("forbidden", "GET", "/audit-log")
    assert batch["id"] not in json.dumps(log(t, t.client(organization="another")))


def shown(t, *arguments):
    return [json.loads(line) for line in t.stack.outdial("audit", "--json", *arguments).splitlines()]


def test_the_command_line(t):
    operator = f"{getpass.getuser()}@{socket.gethostname()}"
    if os.environ.get("SUDO_USER"):
        operator = f"{os.environ['SUDO_USER']} as {operator}"
    world = World(t)
    batch = world.planned()
    made = newest(t, object="key", object_id=t.api.get("/keys/current")["id"])
    assert (made["action"], made["operator"], made["key"], made["address"]) == ("created", operator, None, None), made
    other = t.client(["read"]).get("/keys/current")["id"]
    t.stack.outdial("key", "revoke", other)
    assert newest(t, object_id=other)["action"] == "revoked"
    t.stack.outdial("pause", "--all")
    t.stack.outdial("resume", "--all")
    moves = log(t, object_id=batch["id"])[:2]
    assert [(entry["to"], entry["operator"]) for entry in moves] == [("scheduled", operator),
                                                                     ("paused", operator)], moves
    logged = t.api.get(f"/batch-calls/{batch['id']}/history")
    assert [(entry["to"], entry["key"], entry["operator"]) for entry in logged[:2]] == [
        ("scheduled", None, operator), ("paused", None, operator)], logged
    assert logged[-1]["key"] and logged[-1]["operator"] is None, logged[-1]
    t.stack.outdial("recover", "--before", "2026-01-01T00:00:00Z")
    t.stack.outdial("secrets", "rekey")
    of_all = shown(t, "--object", "installation")
    assert [entry["action"] for entry in of_all[:4]] == ["rekeyed", "recovered", "resumed", "paused"], of_all
    assert of_all[-1]["action"] == "migrated" and all(entry["operator"] == operator for entry in of_all), of_all
    assert of_all[1]["changes"] == {"before": "2026-01-01T00:00:00.000000Z", "count": 0}, of_all[1]
    assert of_all[-1]["changes"]["schema_version"]["from"] == 0, of_all[-1]
    mine = shown(t, "--organization", t.organization, "--limit", "1000")
    assert len(mine) == len(log(t)) and all(entry["organization"] == t.organization for entry in mine)
    assert len(shown(t, "--limit", "3")) == 3
    assert shown(t, "--key", t.api.get("/keys/current")["id"], "--id", batch["id"], "--action", "created")
    table = t.stack.outdial("audit", "--organization", t.organization)
    assert f"campaign moved {batch['id']} (paused to scheduled)  by {operator}" in table, table
    for arguments in (["--object", "x"], ["--limit", "0"], ["--after", "x"], ["--id", "x"],
                      ["--organization", "nobody"]):
        t.outdial_fails("audit", *arguments)


def test_old_entries_leave(t):
    folder = t.api.post("/contacts/folders", {"name": "Old"})
    row = f"object_id = {unhex(folder['id'])}"
    t.stack.sql(f"UPDATE audit_log SET happened_at = happened_at - INTERVAL 89 DAY WHERE {row}")
    young = t.api.post("/contacts/folders", {"name": "Young"})
    t.stack.kill("scheduler-1")
    t.stack.sql(f"UPDATE audit_log SET happened_at = happened_at - INTERVAL 2 DAY WHERE {row}")
    t.stack.start_scheduler()
    until(lambda: not log(t, object_id=folder["id"]), what="the old entry is deleted")
    assert log(t, object_id=young["id"])


if __name__ == "__main__":
    tap.run(globals())
