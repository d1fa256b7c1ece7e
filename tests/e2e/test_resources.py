#!/usr/bin/env python3
"""Webhooks, agents and numbers: their fields, their states, lists, and their references to each other."""

import tap
from client import until
from limits import choice, nullable, obj, strict, text, try_all, whole
from receiver import Answer

STACK = {"rate_limit": False}

WEBHOOK = {"url": "https://example.com/hook", "events": []}
EVENTS = ["call.requested", "agent.sync", "batch.status.changed", "batch.completed"]
NUMBER = {"phone_number": "+15550000000", "provider_type": "twilio"}

WEBHOOK_LIMITS = {
    "url": {"right": ["https://example.com", "https://example.com:8443/a?b=c", "http://127.0.0.1:9/",
                      "https://[::1]/x", "https://x/" + "a" * 2038],
            "wrong": ["", "example.com", "ftp://example.com/", "https://", "https:///x", "https://a b/",
                      "https://u:p@example.com/", "https://exämple.com/", "https://x/\n", "//x/", 5, None,
                      "https://x/" + "a" * 2039]},
    "events": {"right": [[], EVENTS, ["batch.completed"]],
               "wrong": [["nonsense"], "batch.completed", [1], ["batch.completed"] * 2, [""], {}]},
    "description": nullable(text(0, 1000)),
}
AGENT_LIMITS = {
    "name": strict(text(1, 255)),
    "description": nullable(text(0, 10_000)),
    "voice_id": nullable(text(0, 255)),
    "system_prompt": nullable(text(0, 100_000)),
    "greeting": nullable(text(0, 10_000)),
    "language_hint": nullable(text(0, 35)),
    "settings": nullable(obj()),
    "max_call_duration_seconds": whole(10, 86400),
}
NUMBER_LIMITS = {
    "phone_number": {"right": ["+12", "+123456789012345"],
                     "wrong": ["", "+", "+1", "12345", "+0123456", "+1234567890123456", "+49 30 1", "+49a",
                               "++49301", " +49301", "+49301 ", 49301, None, "+٤٩٣٠"]},
    "provider_type": strict(choice("twilio", "telnyx", "custom_sip")),
    "friendly_name": nullable(text(0, 255)),
}


# Webhooks

def test_webhook_fields(t):
    taken = try_all(t.api, "POST", "/webhooks", WEBHOOK, WEBHOOK_LIMITS)
    assert len(t.api.all("/webhooks")) == taken
    t.api.refuse("validation_error", "POST", "/webhooks", {}, field="url")


def test_webhook_life(t):
    made = t.api.post("/webhooks", dict(WEBHOOK, description="Main", events=["batch.completed"]))
    assert made["secret"].startswith("whsec_"), made
    read = t.api.get(f"/webhooks/{made['id']}")
    assert "secret" not in read, "the secret is shown once"
    assert {name: made[name] for name in read if name != "secret"} == read
    changed = t.api.patch(f"/webhooks/{made['id']}", {"description": None, "url": "https://example.org/"})
    assert changed["url"] == "https://example.org/" and not changed["description"], changed
    assert changed["events"] == ["batch.completed"] and changed["created_at"] == read["created_at"]
    assert t.api.get(f"/webhooks/{made['id']}") == changed
    try_all(t.api, "PATCH", f"/webhooks/{made['id']}", {}, WEBHOOK_LIMITS)
    t.api.refuse("validation_error", "PATCH", f"/webhooks/{made['id']}", {"secret": "x"}, field="secret")
    t.api.delete(f"/webhooks/{made['id']}")
    t.api.refuse("not_found", "GET", f"/webhooks/{made['id']}")
    t.api.refuse("not_found", "DELETE", f"/webhooks/{made['id']}")


def test_two_webhooks_have_two_secrets(t):
    secrets = {t.api.post("/webhooks", WEBHOOK)["secret"] for _ in range(10)}
    assert len(secrets) == 10


def test_a_webhook_in_use_is_kept(t):
    receiver, agent = t.dialing_agent()
    path = f"/webhooks/{agent['webhook_id']}"
    reply = t.api.send("DELETE", path)
    assert reply.status == 422, reply
    t.api.delete(f"/agents/{agent['id']}")
    t.api.delete(path)


# Agents

def test_agent_fields(t):
    taken = try_all(t.api, "POST", "/agents", {"name": "A"}, AGENT_LIMITS)
    assert len(t.api.all("/agents")) == taken
    t.api.refuse("validation_error", "POST", "/agents", {}, field="name")
    t.api.refuse("validation_error", "POST", "/agents", {"name": "A", "webhook_id": "x"}, field="webhook_id")
    for secret in ("api_key", "password", "token"):
        t.api.refuse("validation_error", "POST", "/agents", {"name": "A", secret: "x"}, field=secret)


def test_agent_defaults_and_changes(t):
    agent = t.api.post("/agents", {"name": "A"})
    assert agent["status"] == "draft" and agent["webhook_id"] is None, agent
    assert agent["max_call_duration_seconds"] == 3600, agent
    try_all(t.api, "PATCH", f"/agents/{agent['id']}", {}, AGENT_LIMITS)
    changed = t.api.patch(f"/agents/{agent['id']}", {"name": "B"})
    assert changed["name"] == "B" and changed["max_call_duration_seconds"] == 86400, changed
    assert changed["updated_at"] >= changed["created_at"] == agent["created_at"]
    t.api.refuse("validation_error", "PATCH", f"/agents/{agent['id']}", {"status": "active"}, field="status")


def test_an_agent_is_active_when_its_dialer_accepted_it(t):
    receiver = t.receiver()
    webhook = receiver.endpoint()
    agent = t.api.post("/agents", {"name": "A", "webhook_id": webhook, "settings": {"x": [1]}})
    assert agent["status"] == "creating", agent
    until(lambda: t.api.active(agent["id"]), what="the agent is active")
    sync = receiver.of_type("agent.sync")
    assert len(sync) == 1 and sync[0].data["id"] == agent["id"], sync
    assert sync[0].data["name"] == "A" and sync[0].data["settings"] == {"x": [1]}, sync[0].data


def test_an_agent_is_failed_until_its_dialer_accepts_it(t):
    receiver = t.receiver()
    receiver.sync = lambda event: Answer(400)
    agent = t.api.post("/agents", {"name": "A", "webhook_id": receiver.endpoint()})
    failed = until(lambda: [found for found in t.api.get("/agents", status="failed")], what="it has failed")
    assert failed[0]["id"] == agent["id"] and failed[0]["status_reason"], failed
    t.api.refuse("agent_not_ready", "POST", "/batch-calls", {"name": "B", "agent_id": agent["id"]})
    receiver.sync = lambda event: Answer()
    synced = t.api.post(f"/agents/{agent['id']}/sync")
    assert synced["status"] == "creating", synced
    until(lambda: t.api.active(agent["id"]), what="the agent is active")


def test_a_draft_agent_has_nothing_to_sync(t):
    agent = t.api.post("/agents", {"name": "A"})
    reply = t.api.send("POST", f"/agents/{agent['id']}/sync")
    assert reply.status == 422, reply
    t.api.refuse("agent_not_ready", "POST", "/batch-calls", {"name": "B", "agent_id": agent["id"]})


def test_a_change_that_the_dialer_must_know_is_synced(t):
    receiver, agent = t.dialing_agent()
    t.api.patch(f"/agents/{agent['id']}", {"settings": {"voice": "new"}})
    until(lambda: len(receiver.of_type("agent.sync")) == 2, what="it was synced again")
    assert receiver.of_type("agent.sync")[1].data["settings"] == {"voice": "new"}
    until(lambda: t.api.active(agent["id"]), what="the agent is active")


def test_an_agent_moves_to_another_dialer(t):
    receiver, agent = t.dialing_agent()
    other = receiver.endpoint("/other")
    t.api.patch(f"/agents/{agent['id']}", {"webhook_id": other})
    until(lambda: [e for e in receiver.of_type("agent.sync") if e.path == "/other"], what="the other dialer has it")
    until(lambda: t.api.active(agent["id"]), what="the agent is active")
    batch = t.api.batch(agent, 2)
    t.api.schedule(batch)
    t.api.wait_for(batch, "completed")
    assert {call.path for call in receiver.calls()} == {"/other"}


def test_an_agent_in_use_is_kept(t):
    receiver, agent = t.dialing_agent()
    batch = t.api.batch(agent, 1, schedule_type="scheduled", scheduled_at="2040-01-01T00:00:00Z")
    assert t.api.send("DELETE", f"/agents/{agent['id']}").status == 422
    t.api.post(f"/batch-calls/{batch['id']}/cancel")
    t.api.delete(f"/agents/{agent['id']}")
    t.api.refuse("not_found", "GET", f"/agents/{agent['id']}")
    assert t.api.read(batch)["status"] == "cancelled"


def test_agents_are_found_by_status_and_name(t):
    receiver, agent = t.dialing_agent(name="Sales Berlin")
    draft = t.api.post("/agents", {"name": "sales 100%_"})
    other = t.api.post("/agents", {"name": "Support"})
    ids = lambda **query: [found["id"] for found in t.api.get("/agents", **query)]
    assert ids(status="active") == [agent["id"]]
    assert ids(status="draft") == [other["id"], draft["id"]], "newest first"
    assert set(ids(name="SALES")) == {agent["id"], draft["id"]}
    assert ids(name="%") == ids(name="100%_") == [draft["id"]]
    assert ids(name="sales", status="draft") == [draft["id"]]
    assert ids(name="nobody") == []


# Numbers

def test_number_fields(t):
    stored = []
    for field, limits in NUMBER_LIMITS.items():
        for value in limits["right"]:
            number = t.api.post("/telephony/numbers/import", dict(NUMBER, **{field: value}))
            assert number[field] == value or not value, number
            stored.append(number["id"])
            t.api.delete(f"/telephony/numbers/{number['id']}")
        for value in limits["wrong"]:
            t.api.refuse("validation_error", "POST", "/telephony/numbers/import",
                         dict(NUMBER, **{field: value}), field=field)
    for secret in ("auth_token", "account_sid", "api_key", "credentials"):
        t.api.refuse("validation_error", "POST", "/telephony/numbers/import",
                     dict(NUMBER, **{secret: "x"}), field=secret)
    assert t.api.get("/telephony/numbers") == [] and stored


def test_a_number_is_unique_in_an_organisation(t):
    t.api.post("/telephony/numbers/import", NUMBER)
    t.api.refuse("validation_error", "POST", "/telephony/numbers/import", NUMBER, field="phone_number")
    t.client(organization="other").post("/telephony/numbers/import", NUMBER)
    assert len(t.api.all("/telephony/numbers")) == 1


def test_numbers_are_assigned_and_unassigned(t):
    agent = t.api.post("/agents", {"name": "A"})["id"]
    number = t.api.number()["id"]
    assign = lambda kind: t.api.post("/telephony/numbers/assign", {
        "number_id": number, "agent_id": agent, "assignment_type": kind})
    unassign = lambda kind: t.api.post("/telephony/numbers/unassign", {
        "number_id": number, "assignment_type": kind})
    ends = lambda found: (found["inbound_agent_id"], found["outbound_agent_id"])
    assert ends(assign("outbound")) == (None, agent)
    assert ends(assign("inbound")) == (agent, agent)
    assert ends(unassign("outbound")) == (agent, None)
    assert ends(t.api.get("/telephony/numbers")[0]) == (agent, None)
    t.api.delete(f"/agents/{agent}")
    assert ends(t.api.get("/telephony/numbers")[0]) == (None, None)
    for wrong, field in (({"assignment_type": "both"}, "assignment_type"), ({"number_id": "x"}, "number_id"),
                         ({"agent_id": None}, "agent_id")):
        t.api.refuse("validation_error", "POST", "/telephony/numbers/assign", dict(
            {"number_id": number, "agent_id": agent, "assignment_type": "inbound"}, **wrong), field=field)


def test_a_deleted_number_is_gone(t):
    number = t.api.number()
    t.api.delete(f"/telephony/numbers/{number['id']}")
    t.api.refuse("not_found", "DELETE", f"/telephony/numbers/{number['id']}")
    assert t.api.get("/telephony/numbers") == []
    t.api.number(number["phone_number"])


def test_a_campaign_without_numbers_gets_the_agents_numbers(t):
    receiver, agent = t.dialing_agent()
    t.api.refuse("no_phone_number_configured", "POST", "/batch-calls", {"name": "B", "agent_id": agent["id"]})
    t.api.refuse("no_phone_number_configured", "POST", "/batch-calls",
                 {"name": "B", "agent_id": agent["id"], "phone_number_ids": []})
    assert t.api.get("/batch-calls") == []
    numbers = [t.api.number() for _ in range(3)]
    for number, kind in zip(numbers, ("outbound", "inbound", "outbound")):
        t.api.post("/telephony/numbers/assign", {
            "number_id": number["id"], "agent_id": agent["id"], "assignment_type": kind})
    for empty in (None, []):
        batch = t.api.batch(agent, 0, phone_number_ids=empty)
        assert batch["phone_number_ids"] == [numbers[0]["id"], numbers[2]["id"]], batch
        assert batch["from_number"] == numbers[0]["phone_number"]


def test_a_deleted_agent_is_still_named(t):
    """The campaigns and calls of a deleted agent keep its id, and are found by this id."""
    receiver, agent = t.dialing_agent()
    other = t.dialing_agent()[1]
    done, draft = t.api.batch(agent, 2), t.api.batch(agent, 1)
    t.api.schedule(done)
    done = t.api.wait_for(done, "completed")
    tag = t.api.send("GET", f"/batch-calls/{draft['id']}").headers["ETag"]
    calls = t.api.all("/calls", agent_id=agent["id"])
    t.api.delete(f"/agents/{agent['id']}")
    t.api.refuse("not_found", "GET", f"/agents/{agent['id']}")
    for batch in (done, draft):
        assert t.api.read(batch)["agent_id"] == agent["id"]
    assert t.api.send("GET", f"/batch-calls/{draft['id']}", headers={"If-None-Match": tag}).status == 304
    assert [batch["id"] for batch in t.api.all("/batch-calls", agent_id=agent["id"])] == [draft["id"], done["id"]]
    assert t.api.all("/calls", agent_id=agent["id"]) == calls and len(calls) == 2
    assert all(t.api.get(f"/calls/{call['id']}") == call for call in calls), calls
    assert {call["agent_id"] for call in t.api.calls_of(done)} == {agent["id"]}
    assert t.api.all("/batch-calls", agent_id=other["id"]) == []
    stranger = t.client(organization="another")
    assert stranger.all("/batch-calls", agent_id=agent["id"]) == []


# Lists

def test_pages(t):
    made = [t.api.post("/agents", {"name": f"Agent {number}"})["id"] for number in range(7)]
    made.reverse()
    for limit, offset in ((3, 0), (3, 3), (3, 6), (7, 0), (100, 0), (1, 6), (3, 7), (3, 1000)):
        reply = t.api.ask("GET", "/agents", query={"limit": limit, "offset": offset})
        assert [agent["id"] for agent in reply.data] == made[offset:offset + limit]
        page = reply.pagination
        assert (page["total"], page["limit"], page["offset"]) == (7, limit, offset), page
        assert page["has_more"] == (offset + limit < 7), page
    page = t.api.ask("GET", "/agents").pagination
    assert (page["limit"], page["offset"]) == (50, 0), page


if __name__ == "__main__":
    tap.run(globals())
