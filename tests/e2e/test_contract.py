#!/usr/bin/env python3
"""The rules for every request: envelope, keys, scopes, errors, and the order of the checks. (client.py checks the form
of every reply and every error.)"""

import json
import socket
import uuid

import tap
from client import BASE, Client, contacts, until

STACK = {"rate_limit": False}

NOBODY = str(uuid.UUID("01900000-0000-7000-8000-000000000000"))
OBJECTS = ["/webhooks/{}", "/agents/{}", "/batch-calls/{}", "/batch-calls/{}/contacts",
           "/batch-calls/{}/contacts/1", "/calls/{}"]
# Every route: its method, path and scope, and a correct body.
ROUTES = [
    ("GET", "/webhooks", "read", None),
    ("POST", "/webhooks", "write", {"url": "https://example.com/", "events": []}),
    ("GET", "/webhooks/{}", "read", None),
    ("PATCH", "/webhooks/{}", "write", {}),
    ("DELETE", "/webhooks/{}", "write", None),
    ("GET", "/agents", "read", None),
    ("POST", "/agents", "write", {"name": "A"}),
    ("GET", "/agents/{}", "read", None),
    ("PATCH", "/agents/{}", "write", {}),
    ("DELETE", "/agents/{}", "write", None),
    ("POST", "/agents/{}/sync", "write", {}),
    ("GET", "/telephony/numbers", "read", None),
    ("POST", "/telephony/numbers/import", "write",
     {"phone_number": "+15550000", "provider_type": "twilio"}),
    ("POST", "/telephony/numbers/assign", "write",
     {"number_id": NOBODY, "agent_id": NOBODY, "assignment_type": "outbound"}),
    ("POST", "/telephony/numbers/unassign", "write",
     {"number_id": NOBODY, "assignment_type": "outbound"}),
    ("GET", "/telephony/numbers/{}", "read", None),
    ("PATCH", "/telephony/numbers/{}", "write", {}),
    ("DELETE", "/telephony/numbers/{}", "write", None),
    ("GET", "/batch-calls", "read", None),
    ("POST", "/batch-calls", "write", {"name": "B", "agent_id": NOBODY}),
    ("GET", "/batch-calls/{}", "read", None),
    ("PATCH", "/batch-calls/{}", "write", {}),
    ("DELETE", "/batch-calls/{}", "write", None),
    ("POST", "/batch-calls/{}/schedule", "write", {}),
    ("POST", "/batch-calls/{}/pause", "write", {}),
    ("POST", "/batch-calls/{}/resume", "write", {}),
    ("POST", "/batch-calls/{}/cancel", "write", {}),
    ("GET", "/batch-calls/{}/contacts", "read", None),
    ("POST", "/batch-calls/{}/contacts", "write", {"contacts": contacts(1)}),
    ("GET", "/batch-calls/{}/contacts/1", "read", None),
    ("GET", "/batch-calls/{}/contacts/1/why", "read", None),
    ("GET", "/organization", "read", None),
    ("PATCH", "/organization", "admin", {}),
    ("GET", "/calls", "read", None),
    ("GET", "/calls/{}", "read", None),
    ("POST", "/calls/{}/status", "reports", {"status": "ringing"}),
    ("POST", "/calls/status", "reports", {"reports": [{"call_id": NOBODY, "status": "ringing"}]}),
]


def test_requests_without_a_valid_key_are_refused(t):
    for key in ("Bearer", "Bearer ", "Bearer outdial_" + "x" * 40, "Basic dTpw", t.api.key,
                f"Bearer {t.api.key}x", f"Bearer {t.api.key[:-1]}", f"Token {t.api.key}", None):
        reply = t.api.refuse("unauthorized", "GET", "/agents", headers={"Authorization": key})
        assert reply.headers["WWW-Authenticate"].startswith("Bearer"), reply.headers
    t.api.get("/agents")
    scheme = t.api.send("GET", "/agents", headers={"Authorization": f"bearer {t.api.key}"})
    assert scheme.status == 200, "the scheme's name is of any case (RFC 9110)"


def test_a_revoked_or_expired_key_opens_nothing(t):
    api = t.client()
    api.get("/agents")
    label = t.stack.outdial("key", "list")
    ids = [word for word in label.replace("\t", " ").split() if len(word) == 36]
    newest = t.stack.sql("SELECT LOWER(HEX(uuid)) FROM api_keys ORDER BY id DESC LIMIT 1")[0][0]
    key_id = next(key_id for key_id in ids if key_id.replace("-", "") == newest)
    t.stack.outdial("key", "revoke", key_id)
    until(lambda: api.send("GET", "/agents").status == 401, 5, "the revoked key is refused")
    expired = t.stack.outdial("key", "create", "--organization", t.organization,
                              "--expires", "2040-01-01T00:00:00Z").strip()
    t.stack.sql(f"UPDATE api_keys SET expires_at = UTC_TIMESTAMP(6) WHERE hash = UNHEX(SHA2('{expired}', 256))")
    Client(t.stack.url, expired).refuse("unauthorized", "GET", "/agents")


def test_each_route_wants_its_scope_and_no_other(t):
    clients = {scope: t.client([scope]) for scope in ("read", "write", "reports", "admin")}
    for method, path, scope, body in ROUTES:
        for owned, client in clients.items():
            reply = client.send(method, path.format(NOBODY), body)
            refused = reply.status == 403
            assert refused == (owned != scope), (method, path, owned, reply)
            assert not refused or reply.error["code"] == "forbidden", reply


def test_objects_of_another_organisation_do_not_exist(t):
    receiver, agent = t.dialing_agent()
    webhook = t.api.get("/webhooks")[0]
    number = t.api.number()
    batch = t.api.batch(agent, 1, phone_number_ids=[number["id"]])
    t.api.schedule(batch)
    call = receiver.wait_for_calls(1)[0].data["call_id"]
    t.api.wait_for(batch, "completed")
    stranger = t.client(organization="strangers")

    for path, own in (("/webhooks/{}", webhook["id"]), ("/agents/{}", agent["id"]),
                      ("/batch-calls/{}", batch["id"]), ("/telephony/numbers/{}", number["id"])):
        stranger.refuse("not_found", "DELETE", path.format(own))
        if "numbers" not in path:
            t.api.get(path.format(own))
            stranger.refuse("not_found", "GET", path.format(own))
            stranger.refuse("not_found", "PATCH", path.format(own), {})
    for action in ("schedule", "pause", "resume", "cancel"):
        stranger.refuse("not_found", "POST", f"/batch-calls/{batch['id']}/{action}", {})
    stranger.refuse("not_found", "GET", f"/batch-calls/{batch['id']}/contacts")
    stranger.refuse("not_found", "GET", f"/batch-calls/{batch['id']}/contacts/1")
    stranger.refuse("not_found", "POST", f"/batch-calls/{batch['id']}/contacts", {"contacts": contacts(1)})
    stranger.refuse("not_found", "POST", f"/agents/{agent['id']}/sync")
    stranger.refuse("not_found", "GET", f"/calls/{call}")
    stranger.refuse("not_found", "POST", f"/calls/{call}/status", {"status": "failed"})
    bulk = stranger.post("/calls/status", {"reports": [{"call_id": call, "status": "failed"}]})
    assert bulk["not_found"] == 1, bulk
    for path in ("/webhooks", "/agents", "/telephony/numbers", "/batch-calls", "/calls"):
        assert stranger.all(path) == [], path
    assert t.api.read(batch)["completed"] == 1

    # Objects of another organisation cannot be used either.
    own_receiver = stranger.post("/webhooks", {"url": "https://example.com/", "events": []})
    own_agent = stranger.post("/agents", {"name": "Own"})
    stranger.refuse("validation_error", "POST", "/agents",
                    {"name": "A", "webhook_id": webhook["id"]}, field="webhook_id")
    stranger.refuse("validation_error", "PATCH", f"/agents/{own_agent['id']}",
                    {"webhook_id": webhook["id"]}, field="webhook_id")
    stranger.refuse("validation_error", "POST", "/batch-calls",
                    {"name": "B", "agent_id": agent["id"]}, field="agent_id")
    t.api.refuse("validation_error", "POST", "/batch-calls",
                 {"name": "B", "agent_id": agent["id"],
                  "phone_number_ids": [stranger.number()["id"]]}, field="phone_number_ids")
    for wrong in ({"number_id": number["id"], "agent_id": own_agent["id"]},
                  {"number_id": stranger.number()["id"], "agent_id": agent["id"]}):
        for client in (stranger, t.api):
            reply = client.send("POST", "/telephony/numbers/assign",
                                dict(wrong, assignment_type="outbound"))
            assert reply.status in (404, 422), reply
    stranger.delete(f"/agents/{own_agent['id']}")
    stranger.delete(f"/webhooks/{own_receiver['id']}")


def test_unknown_and_malformed_ids(t):
    for path in OBJECTS:
        for wrong in (NOBODY, "0", "x", NOBODY[:-1], NOBODY + "0", "batch_", "...", "%F0%9F%98%80"):
            t.api.refuse("not_found", "GET", path.format(wrong))
    for position in ("0", "-1", "x", "1.5", "99999999999999999999"):
        t.api.refuse("not_found", "GET", f"/batch-calls/{NOBODY}/contacts/{position}")


def test_ids_are_taken_with_the_prefix_of_their_type(t):
    webhook = t.api.post("/webhooks", {"url": "https://example.com/", "events": []})
    assert t.api.get(f"/webhooks/whk_{webhook['id']}")["id"] == webhook["id"]
    assert t.api.get(f"/webhooks/{webhook['id'].upper()}")["id"] == webhook["id"]
    for prefix in ("agt_", "batch_", "whk", "WHK_", "whk_whk_"):
        t.api.refuse("not_found", "GET", f"/webhooks/{prefix}{webhook['id']}")
    agent = {"name": "A", "webhook_id": "whk_" + webhook["id"]}
    assert t.api.post("/agents", agent)["webhook_id"] == webhook["id"]
    reply = t.api.refuse("validation_error", "POST", "/agents", dict(agent, webhook_id="agt_" + webhook["id"]),
                         "webhook_id")
    assert "whk_" in reply.details["reason"], reply
    t.api.refuse("bad_request", "GET", "/calls", query={"agent_id": "batch_" + webhook["id"]})


def test_unknown_paths_and_methods(t):
    for path in ("/", "/agent", "/agents/", "/agents//", f"/agents/{NOBODY}/x", "//nothing", "//api",
                 "//api/public/v2/agents", "/batch-calls/schedule/x/y", "//index.html"):
        t.api.refuse("not_found", "GET", path)
    for method, path, allow in (
            ("PUT", "/agents", "GET, HEAD, POST"), ("DELETE", "/agents", "GET, HEAD, POST"),
            ("POST", f"/agents/{NOBODY}", "DELETE, GET, HEAD, PATCH"),
            ("GET", f"/batch-calls/{NOBODY}/schedule", "POST"), ("GET", "/calls/status", "POST"),
            ("OPTIONS", "/agents", "GET, HEAD, POST"), ("PATCH", "/telephony/numbers", "GET, HEAD"),
            ("GET", "/do-not-call/+49301", "DELETE")):
        reply = t.api.refuse("method_not_allowed", method, path)
        assert set(reply.headers["Allow"].split(", ")) == set(allow.split(", ")), reply.headers


def test_requests_are_judged_in_a_fixed_order(t):
    """Path, method, key, scope, size, media type, JSON, fields: the first fault is the answer."""
    reader = t.client(["read"])
    no_key = {"Authorization": None, "Content-Type": "text/plain"}
    huge = "[" + " " * (17 << 20)
    t.api.refuse("not_found", "PUT", "/nothing", "{", headers=no_key)
    t.api.refuse("method_not_allowed", "PUT", "/agents", "{", headers=no_key)
    t.api.refuse("unauthorized", "POST", "/agents", "{", headers=no_key)
    reader.refuse("forbidden", "POST", "/agents", "{", headers={"Content-Type": "text/plain"})
    assert t.api.send("POST", "/agents", huge, headers={"Content-Type": "text/plain"}).status == 413
    t.api.refuse("unsupported_media_type", "POST", "/agents", "{", headers={"Content-Type": "text/plain"})
    t.api.refuse("bad_request", "POST", "/agents", "{", field="body")
    t.api.refuse("validation_error", "POST", "/agents", {"name": ""}, field="name")
    assert t.api.get("/agents") == []


def test_media_types(t):
    body = json.dumps({"name": "A"})
    for wrong in ("text/plain", "application/jsonx", "application/x-www-form-urlencoded",
                  "multipart/form-data; boundary=x", "", None):
        t.api.refuse("unsupported_media_type", "POST", "/agents", body, headers={"Content-Type": wrong})
    for right in ("application/json", "Application/JSON", "application/json; charset=utf-8",
                  "application/json;charset=UTF-8"):
        assert t.api.send("POST", "/agents", body, headers={"Content-Type": right}).status == 201


def test_a_body_that_is_too_large(t):
    """The bound of the route, and nginx's own: both answers are in the contract's form."""
    for megabytes in (2, 17):
        body = json.dumps({"name": "A", "greeting": "x" * (megabytes << 20)})
        t.api.refuse("payload_too_large", "POST", "/agents", body)
    assert t.api.get("/agents") == []


def test_bodies_that_are_not_json(t):
    for body in ("{", "}", "nonsense", "{'name': 'A'}", '{"name": "A",}', '{"name": "A"} x', "[",
                 '{"name": NaN}', '{"name": "\\ud800"}', '{"name": "\t"}', '{"name": "\\x"}', "[1,",
                 b'{"name": "A\x00"}', b'{"name": "\xff"}', b'{"name": "\xc0\x80"}',
                 b'{"name": "\xed\xa0\x80"}', b"\xff\xfe{\x00}\x00", "[" * 100_000, '{"a":' * 100_000,
                 '"name"', "17", "null", "true", '[{"name": "A"}]'):
        reply = t.api.refuse("bad_request", "POST", "/agents", body)
        assert reply.details["field"], reply
    assert t.api.get("/agents") == []


def test_an_empty_body_is_an_empty_object(t):
    for body in ("", " \n", "{}"):
        t.api.refuse("validation_error", "POST", "/agents", body, field="name")


def test_unusable_text_is_named(t):
    t.api.refuse("validation_error", "POST", "/agents", '{"name": "A\\u0000"}', field="name")
    t.api.refuse("bad_request", "POST", "/agents", b'{"name": "\xff"}', field="name")
    assert t.api.get("/agents") == []


def test_a_refusal_is_json_whatever_it_quotes(t):
    long = "x" + "\u00e4" * 100
    for method, path, body in (("GET", "/agents?%ff=1", None), ("GET", "/agents?x" + "%C3%A4" * 100, None),
                               ("POST", "/agents", f'{{"name": "A", "{long}": 1}}'),
                               ("POST", "/agents", f'{{"name": "A", "{long}": 1, "{long}": 2}}')):
        reply = t.api.send(method, path, body)  # which reads it as JSON and as UTF-8
        assert reply.status in (400, 422) and reply.details["field"], reply
    header = ",".join(["phone", long, long]) + "\n"
    reply = t.api.send("POST", "/contacts/import", header.encode(), {"Content-Type": "text/csv"})
    assert reply.status == 422 and reply.details["field"] == "file", reply


def test_keys_given_twice_are_named(t):
    t.api.refuse("validation_error", "POST", "/agents", '{"name": "A", "name": "B"}', field="name")
    t.api.refuse("validation_error", "POST", "/agents",
                 '{"name": "A", "settings": {"x": {"y": 1, "y": 2}}}', field="settings.x.y")
    t.api.refuse("validation_error", "POST", "/agents", '{"name": "A", "na\\u006de": "B"}')
    assert t.api.get("/agents") == []


def test_numbers_out_of_every_range_are_refused(t):
    for number in ("1e400", "-1e400", "9" * 400, "9223372036854775808", "1e30"):
        t.api.refuse("validation_error", "POST", "/agents",
                     '{"name": "A", "max_call_duration_seconds": %s}' % number,
                     field="max_call_duration_seconds")
    assert t.api.get("/agents") == []


def test_unknown_fields_are_named(t):
    t.api.refuse("validation_error", "POST", "/agents", {"name": "A", "nmae": 1}, field="nmae")
    t.api.refuse("validation_error", "POST", "/agents", {"name": "A", "id": NOBODY}, field="id")
    t.api.refuse("validation_error", "POST", "/agents", {"name": "A", "": 1})
    assert t.api.get("/agents") == []


def test_all_faults_are_listed_at_once(t):
    reply = t.api.refuse("validation_error", "POST", "/batch-calls", {
        "name": "", "agent_id": 5, "max_concurrent_calls": 0, "working_days": [], "colour": "red",
        "contacts": [{"phone_number": "+12"}, {"phone_number": "12", "email": 5}, {}]})
    named = [error["field"] for error in reply.details["errors"]]
    assert sorted(named) == sorted([
        "name", "agent_id", "max_concurrent_calls", "working_days", "colour",
        "contacts[1].phone_number", "contacts[1].email", "contacts[2].phone_number"]), reply
    assert all(error["reason"] for error in reply.details["errors"]), reply
    first = reply.details["errors"][0]
    assert (reply.details["field"], reply.details["reason"]) == (first["field"], first["reason"]), reply
    assert t.api.get("/batch-calls") == []


def test_unknown_and_bad_query_parameters(t):
    for path in ("/webhooks", "/agents", "/telephony/numbers", "/batch-calls", "/calls"):
        for query in ({"colour": "red"}, {"limit": 0}, {"limit": 101}, {"limit": -1}, {"limit": "x"},
                      {"limit": ""}, {"limit": "1.5"}, {"offset": -1}, {"offset": "x"},
                      {"limit": "9" * 30}, {"offset": "9" * 30}):
            reply = t.api.refuse("bad_request", "GET", path, query=query)
            assert reply.details["field"] == list(query)[0], reply
        assert t.api.ask("GET", path, query={"limit": 100, "offset": 0}).status == 200
    for path, name in (("/agents", "status"), ("/batch-calls", "status"), ("/batch-calls", "agent_id"),
                       ("/calls", "status"), ("/calls", "agent_id"), ("/calls", "batch_call_id"),
                       ("/calls", "created_after"), ("/calls", "created_before")):
        reply = t.api.refuse("bad_request", "GET", path, query={name: "nonsense"})
        assert reply.details["field"] == name, reply
    t.api.refuse("bad_request", "GET", f"/agents/{t.api.post('/agents', {'name': 'A'})['id']}",
                 query={"x": 1})


def test_head_is_get_without_the_body(t):
    reply = t.api.ask("GET", "/agents")
    connection = socket.create_connection(("127.0.0.1", t.stack.port))
    connection.sendall(f"HEAD {BASE}/agents HTTP/1.1\r\nHost: x\r\nConnection: close\r\n"
                       f"Authorization: Bearer {t.api.key}\r\n\r\n".encode())
    text = b""
    for part in iter(lambda: connection.recv(65536), b""):
        text += part
    connection.close()
    head, _, body = text.partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 200 ") and body == b"", text
    assert reply.data == []


def test_the_whole_of_unicode_survives(t):
    for name in ("Zoë Ünlü", "日本語", "😀 👩‍👩‍👧", "\u202eabc", "a\"b\\c/d", "\n\t\x01", "'; DROP TABLE agents; --",
                 "%s%n", "\U0010ffff", "é" * 255):
        agent = t.api.post("/agents", {"name": name, "settings": {name: [name]}})
        assert agent["name"] == name, agent
        assert t.api.get(f"/agents/{agent['id']}")["settings"] == {name: [name]}


def test_numbers_in_objects_come_back_as_they_were(t):
    values = {"a": 1, "b": -1.5, "c": 1e100, "d": 19.99, "e": True, "f": None, "g": [[], {}],
              "h": 9007199254740993, "i": 0.1, "j": -0.25}
    agent = t.api.post("/agents", {"name": "A", "settings": values})
    assert t.api.get(f"/agents/{agent['id']}")["settings"] == values, agent


def test_health(t):
    for path in ("//healthz", "//readyz"):
        assert t.api.send("GET", path, headers={"Authorization": None}).status == 200


def test_request_ids_are_unique_and_logged(t):
    seen = {t.api.send("GET", "/agents").headers["X-Request-Id"] for _ in range(50)}
    assert len(seen) == 50
    mine = t.api.send("GET", "/agents", headers={"X-Request-Id": "req_of_a_stranger_0000"})
    assert mine.headers["X-Request-Id"] != "req_of_a_stranger_0000"


def test_encodings_of_bodies(t):
    body = {"name": "A"}
    for headers in ({"Content-Encoding": "gzip"}, {"Content-Encoding": "br"},
                    {"Content-Type": "application/json; charset=latin1"},
                    {"Content-Type": 'application/json; charset="utf-16"'}):
        t.api.refuse("unsupported_media_type", "POST", "/agents", body, headers=headers)
    for headers in ({"Content-Encoding": "identity"}, {"Content-Encoding": ""},
                    {"Content-Type": "Application/JSON;charset=UTF-8"},
                    {"Content-Type": 'application/json; profile="; charset=latin1"'}):
        assert t.api.send("POST", "/agents", body, headers).status == 201, headers
    assert len(t.api.all("/agents")) == 4


def test_json_that_is_refused_says_where(t):
    for body, reason in (("42", "is JSON, but not an object: it must be one, in { and }"),
                         (b"\xef\xbb\xbf{}", "begins with a byte order mark (BOM): JSON is sent without it"),
                         (b'{"name": 1\0}', "is not JSON: expected ',' or '}' (line 1, column 11)"),
                         (b'{"name": true\0}', "is not JSON: expected ',' or '}' (line 1, column 14)"),
                         (b'{"name": "A"}\0', "is not JSON: unexpected text after the value (line 1, column 14)"),
                         ('{\n"name": \'A\'}', "is not JSON: expected a value (line 2, column 9)")):
        assert t.api.refuse("bad_request", "POST", "/agents", body, "body").details["reason"] == reason
    assert t.api.get("/agents") == []


def test_a_parameter_without_a_name(t):
    for query in ("=1", "=", "&&=x"):
        for path in ("/agents", "/openapi.json", "/agents/01890000-0000-7000-8000-000000000000"):
            t.api.refuse("bad_request", "GET", f"{path}?{query}", field="query")


if __name__ == "__main__":
    tap.run(globals())
