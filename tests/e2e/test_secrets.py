#!/usr/bin/env python3
"""The secrets of webhooks: rotated, stored sealed, never shown again; reports that are signed with them, or that have
the token of their call."""

import base64
import json
import os
import secrets
import time

import tap
from client import unhex, until
from receiver import TAKEN, Answer, has_signature, signature

STACK = {"config": {"log_level": "debug"}}
DAY = 86400

reported = set()  # texts that must be in no log and in no table


def make_webhook(t, receiver, path="/", **fields):
    webhook = t.api.post("/webhooks", {"url": f"http://127.0.0.1:{receiver.port}{path}", **fields})
    receiver.secrets[path] = webhook["secret"] or webhook["public_key"]
    if webhook["secret"]:
        reported.add(webhook["secret"])
    return webhook


def rotate(t, webhook, receiver=None, path="/", **body):
    rotated = t.api.post(f"/webhooks/{webhook['id']}/rotate-secret", body or None)
    if rotated["secret"]:
        reported.add(rotated["secret"])
    if receiver:
        receiver.secrets[path] = rotated["secret"] or rotated["public_key"]
    return rotated


def next_sync(t, receiver, agent):
    """Makes Outdial send a webhook to the agent's dialer, and returns the webhook."""
    before = len(receiver.deliveries)
    t.api.post(f"/agents/{agent['id']}/sync")
    return until(lambda: receiver.deliveries[before:], what="agent.sync has come")[0]


def signatures_of(delivery):
    return delivery.headers["webhook-signature"].split(" ")


def dialer(t, **fields):
    """Creates a receiver, its webhook and an agent with this webhook."""
    receiver = t.receiver()
    webhook = make_webhook(t, receiver, **fields)
    return receiver, webhook, t.api.agent(webhook["id"])


def a_call(t, receiver, agent):
    """Places a single call, and returns the data of its call.requested when the dialer has accepted the call."""
    receiver.script = lambda call: TAKEN
    number = t.api.number()["phone_number"]
    call = t.api.post("/calls", {"agent_id": agent["id"], "phone_number": "+12125550100", "from_number": number})
    until(lambda: t.api.get(f"/calls/{call['id']}")["status"] == "dispatched", what="the call is dispatched")
    data = [found for found in receiver.calls() if found.id == call["id"]][0].data
    reported.add(data["report_token"])
    return data


# Rotation

def test_the_secret_is_shown_once(t):
    receiver = t.receiver()
    webhook = make_webhook(t, receiver)
    path = f"/webhooks/{webhook['id']}"
    assert len(base64.b64decode(webhook["secret"].removeprefix("whsec_"), validate=True)) >= 24
    assert webhook["signature_type"] == "hmac" and webhook["public_key"] is None, webhook
    assert webhook["old_secret_expires_at"] is None, webhook
    rotated = rotate(t, webhook)
    assert rotated["secret"] != webhook["secret"] and rotated["old_secret_expires_at"], rotated
    for shown in (t.api.get(path), t.api.patch(path, {"description": "x"}), *t.api.all("/webhooks")):
        assert "secret" not in shown and shown["old_secret_expires_at"] == rotated["old_secret_expires_at"], shown
    t.api.refuse("validation_error", "POST", f"{path}/rotate-secret", {"secret": "x"}, field="secret")
    t.api.refuse("validation_error", "POST", f"{path}/rotate-secret", {"signature_type": "rsa"}, field="signature_type")
    t.api.refuse("validation_error", "PATCH", path, {"signature_type": "ed25519"}, field="signature_type")
    other = t.client(organization="another")
    other.refuse("not_found", "POST", f"{path}/rotate-secret")
    t.client(["read"]).refuse("forbidden", "POST", f"{path}/rotate-secret")


def test_replies_that_are_kept_have_no_secret(t):
    receiver = t.receiver()
    body = {"url": f"http://127.0.0.1:{receiver.port}/"}
    made, again = [t.api.send("POST", "/webhooks", body, {"Idempotency-Key": "once"}) for _ in range(2)]
    assert made.data["secret"] and again.data == dict(made.data, secret=None), again
    path = f"/webhooks/{made.data['id']}/rotate-secret"
    rotated, same = [t.api.send("POST", path, None, {"Idempotency-Key": "twice"}) for _ in range(2)]
    assert same.data == dict(rotated.data, secret=None), same
    reported.update((made.data["secret"], rotated.data["secret"]))


def test_the_old_secret_signs_along(t):
    receiver, webhook, agent = dialer(t)
    assert len(signatures_of(next_sync(t, receiver, agent))) == 1
    rotated = rotate(t, webhook)
    delivery = next_sync(t, receiver, agent)
    header = delivery.headers["webhook-signature"]
    assert len(signatures_of(delivery)) == 2
    assert header.startswith(signature(rotated["secret"], delivery.id, delivery.headers["webhook-timestamp"],
                                       delivery.body)), "the new one comes first"
    assert has_signature(header, webhook["secret"], delivery)
    assert not has_signature(header, "whsec_" + "A" * 32, delivery)
    third = rotate(t, webhook, receiver)
    delivery = next_sync(t, receiver, agent)
    assert len(signatures_of(delivery)) == 3
    for secret in (webhook["secret"], rotated["secret"], third["secret"]):
        assert has_signature(delivery.headers["webhook-signature"], secret, delivery)


def test_key_pairs(t):
    receiver, webhook, agent = dialer(t, signature_type="ed25519")
    shown = t.api.get(f"/webhooks/{webhook['id']}")
    assert webhook["secret"] is None and shown["signature_type"] == "ed25519", (webhook, shown)
    assert shown["public_key"].startswith("whpk_") and shown["public_key"] == webhook["public_key"]
    delivery = next_sync(t, receiver, agent)  # the receiver verifies it
    assert [found[:4] for found in signatures_of(delivery)] == ["v1a,"], signatures_of(delivery)
    rotated = rotate(t, webhook, receiver)
    assert rotated["public_key"] != webhook["public_key"]
    delivery = next_sync(t, receiver, agent)
    assert has_signature(delivery.headers["webhook-signature"], webhook["public_key"], delivery)
    delivery.body += b" "
    assert not has_signature(delivery.headers["webhook-signature"], webhook["public_key"], delivery)
    back = rotate(t, webhook, receiver, signature_type="hmac")
    assert back["secret"] and back["public_key"] is None, back
    delivery = next_sync(t, receiver, agent)
    assert [found.split(",")[0] for found in signatures_of(delivery)] == ["v1", "v1a", "v1a"]


# Reports that are signed

def send_signed(t, secret, path, body, message_id="msg_1", age=0, changed=None, **headers):
    text = json.dumps(body).encode()
    timestamp = int(time.time()) - age
    own = {"Authorization": None, "webhook-id": message_id, "webhook-timestamp": str(timestamp),
           "webhook-signature": signature(secret, message_id, timestamp, text)}
    own.update(headers)
    return t.api.send("POST", path, changed or text, own)


def refused(reply):
    assert reply.status == 401 and "WWW-Authenticate" in reply.headers, reply


def test_a_dialer_signs_its_reports(t):
    receiver, webhook, agent = dialer(t)
    secret = webhook["secret"]
    call = a_call(t, receiver, agent)
    path = f"/calls/{call['call_id']}/status"
    ringing = {"status": "ringing"}
    refused(send_signed(t, secret, path, ringing, changed=b'{"status": "failed"}'))
    refused(send_signed(t, secret, path, ringing, age=320))
    refused(send_signed(t, secret, path, ringing, age=-320))
    refused(send_signed(t, "whsec_" + "A" * 32, path, ringing))
    refused(send_signed(t, make_webhook(t, receiver, "/other")["secret"], path, ringing))
    refused(send_signed(t, secret, path, ringing, message_id="a.b"))
    refused(send_signed(t, secret, path, ringing, **{"webhook-id": "msg_2"}))
    refused(send_signed(t, secret, path, ringing, **{"webhook-id": None}))
    refused(send_signed(t, secret, path, ringing, **{"webhook-timestamp": "now"}))
    refused(send_signed(t, secret, path, ringing, **{"webhook-timestamp": str(int(time.time()) - 1)}))
    refused(send_signed(t, secret, path, ringing, Authorization="Bearer outdial_x"))
    refused(send_signed(t, secret, f"/calls/{webhook['id']}/status", ringing))
    refused(send_signed(t, secret, f"/calls/{call['call_id']}/cancel", {}))
    assert t.api.get(f"/calls/{call['call_id']}")["status"] == "dispatched"
    reply = send_signed(t, secret, path, ringing)
    assert reply.status == 200 and reply.data["status"] == "ringing", reply
    assert send_signed(t, secret, path, ringing).data == reply.data, "replayed without harm"
    assert send_signed(t, secret, path, {"status": "no"}).status == 422
    rotated = rotate(t, webhook)
    for valid in (secret, rotated["secret"]):
        assert send_signed(t, valid, path, {"status": "in_progress"}).data["status"] == "in_progress"
    both = f"v1,AAAA {signature(secret, 'msg_3', int(time.time()), b'{}')}"
    refused(send_signed(t, secret, path, ringing, **{"webhook-signature": both}))


def test_a_dialer_signs_many_reports_at_once(t):
    receiver, webhook, agent = dialer(t)
    secret = webhook["secret"]
    own = [a_call(t, receiver, agent)["call_id"] for _ in range(2)]
    others = t.receiver()
    foreign_webhook = make_webhook(t, others)
    foreign = a_call(t, others, t.api.agent(foreign_webhook["id"]))["call_id"]
    unknown = webhook["id"]
    ids = [unknown, own[0], foreign, own[1]]
    body = {"reports": [{"call_id": call_id, "status": "busy"} for call_id in ids]}
    refused(send_signed(t, secret, "/calls/status", {"reports": body["reports"][:1]}))
    reply = send_signed(t, secret, "/calls/status", body)
    results = [(found["call_id"], found["result"]) for found in reply.data["results"]]
    assert results == list(zip(ids, ["not_found", "accepted", "not_found", "accepted"])), reply
    assert t.api.get(f"/calls/{foreign}")["status"] == "dispatched"
    reply = send_signed(t, foreign_webhook["secret"], "/calls/status", body)
    assert [found["result"] for found in reply.data["results"]] == ["not_found", "not_found", "accepted", "not_found"]
    refused(send_signed(t, make_webhook(t, others, "/third")["secret"], "/calls/status", body))
    assert send_signed(t, secret, "/calls/status", {"reports": []}).status == 422


def test_a_public_key_cannot_sign_reports(t):
    receiver, webhook, agent = dialer(t, signature_type="ed25519")
    path = f"/calls/{a_call(t, receiver, agent)['call_id']}/status"
    key = "whsec_" + webhook["public_key"].removeprefix("whpk_")
    refused(send_signed(t, key, path, {"status": "ringing"}))


# Reports with the token of their call

def test_a_token_reports_on_its_call(t):
    receiver, webhook, agent = dialer(t)
    call, other = a_call(t, receiver, agent), a_call(t, receiver, agent)
    path = f"/calls/{call['call_id']}/status"
    bearer = t.client()
    token = bearer.key = call["report_token"]
    assert token.startswith("outdial_call_") and token != other["report_token"]
    assert bearer.post(path, {"status": "ringing"})["status"] == "ringing"
    bearer.refuse("forbidden", "POST", f"/calls/{other['call_id']}/status", {"status": "ringing"})
    bearer.refuse("forbidden", "POST", f"/calls/{webhook['id']}/status", {"status": "ringing"})
    for method, elsewhere in (("GET", f"/calls/{call['call_id']}"), ("POST", f"/calls/{call['call_id']}/cancel"),
                              ("GET", "/webhooks"), ("POST", "/webhooks")):
        bearer.refuse("unauthorized", method, elsewhere)
    reports = {"reports": [{"call_id": found["call_id"], "status": "completed"} for found in (other, call)]}
    assert [found["result"] for found in bearer.post("/calls/status", reports)["results"]] == ["not_found", "accepted"]
    assert t.api.get(f"/calls/{other['call_id']}")["status"] == "dispatched"
    assert bearer.post(path, {"status": "completed"})["status"] == "completed", "an answer that was lost"
    for fault in (token[:-1], token + "A", token[:-1] + ("A" if token[-1] != "A" else "B"), "outdial_call_"):
        bearer.key = fault
        bearer.refuse("unauthorized", "POST", path, {"status": "ringing"})


def test_a_token_lasts_a_day_longer_than_its_call(t):
    receiver, _, agent = dialer(t)
    call = a_call(t, receiver, agent)
    path = f"/calls/{call['call_id']}/status"
    bearer = t.client()
    bearer.key = call["report_token"]
    bearer.post(path, {"status": "busy"})
    row = call["call_id"].replace("-", "")
    t.stack.sql(f"UPDATE calls SET ended_at = ended_at - INTERVAL 23 HOUR WHERE id = UNHEX('{row}')")
    bearer.post(path, {"status": "busy"})
    t.stack.sql(f"UPDATE calls SET ended_at = ended_at - INTERVAL 1 HOUR WHERE id = UNHEX('{row}')")
    bearer.refuse("unauthorized", "POST", path, {"status": "busy"})
    t.stack.sql(f"DELETE FROM calls WHERE id = UNHEX('{row}')")
    bearer.refuse("unauthorized", "POST", path, {"status": "busy"})


# At rest

def columns(t):
    return t.stack.sql("SELECT table_name, column_name FROM information_schema.columns"
                       " WHERE table_schema = 'outdial' AND (data_type LIKE '%char' OR data_type LIKE '%text'"
                       " OR data_type LIKE '%blob' OR data_type LIKE '%binary') ORDER BY 1, 2")


def test_no_table_holds_a_secret(t):
    assert len(reported) > 10, reported
    needles = []
    for text in reported:
        needles.append(text)
        needles.append(text.removeprefix("whsec_"))
    raw = [base64.b64decode(text.removeprefix("whsec_")) for text in reported if text.startswith("whsec_")]
    values = [f"'{needle}'" for needle in needles] + [f"UNHEX('{secret.hex()}')" for secret in raw]
    for table, column in columns(t):
        found = t.stack.sql(
            f"SELECT COUNT(*) FROM {table} JOIN ({' UNION ALL '.join('SELECT ' + value + ' AS n' for value in values)})"
            f" s"
            f" ON LOCATE(CAST(s.n AS BINARY), CAST({column} AS BINARY)) > 0")
        assert found == [["0"]], (table, column)


def test_no_log_contains_a_secret(t):
    for name in os.listdir(t.stack.log_dir):
        with open(os.path.join(t.stack.log_dir, name), errors="replace") as log:
            text = log.read()
        for secret in reported:
            assert secret not in text and secret.split("_", 1)[-1] not in text, name


def test_nothing_leaves_unsigned(t):
    receiver, webhook, agent = dialer(t)
    other = make_webhook(t, receiver, "/other")
    stolen = f"UPDATE webhook_endpoints w JOIN webhook_endpoints o ON o.uuid = {unhex(other['id'])}"
    t.stack.sql(f"{stolen} SET w.secret = o.secret WHERE w.uuid = {unhex(webhook['id'])}")
    before = len(receiver.deliveries)
    t.api.post(f"/agents/{agent['id']}/sync")
    failed = until(lambda: t.api.get(f"/agents/{agent['id']}")["status"] == "failed", what="the sync has failed")
    assert failed and len(receiver.deliveries) == before
    shown = t.api.get(f"/webhooks/{webhook['id']}")
    assert shown["signature_type"] is None, shown
    rotated = rotate(t, webhook, receiver)
    assert rotated["signature_type"] == "hmac" and rotated["old_secret_expires_at"] is None, rotated
    next_sync(t, receiver, agent)
    until(lambda: t.api.active(agent["id"]), what="the agent is active again")


# The keys of the stack, which all tests share.

def write_keys(t, *keys):
    with open(t.stack.secret_key_file, "w") as file:
        file.write("".join(key + "\n" for key in keys))


def read_key(t):
    with open(t.stack.secret_key_file) as file:
        return file.read().strip()


def restart(t):
    for name in list(t.stack.processes):
        if name == "api" or name.startswith("scheduler"):
            t.stack.kill(name, 15)
    t.stack.start_api()
    t.stack.start_scheduler()
    t.stack.wait_ready()


def test_keys_are_replaced_while_all_goes_on(t):
    receiver, webhook, agent = dialer(t)
    call = a_call(t, receiver, agent)
    old, new = read_key(t), base64.b64encode(secrets.token_bytes(32)).decode()
    write_keys(t, old, new)
    restart(t)
    write_keys(t, new, old)
    restart(t)
    next_sync(t, receiver, agent)
    fresh = make_webhook(t, receiver, "/fresh")
    told_of = t.stack.outdial("secrets", "rekey")
    assert ", 1 left as they were" in told_of, told_of
    assert t.stack.outdial("secrets", "rekey").startswith("0 sealed,"), "again"
    assert t.api.get(f"/webhooks/{fresh['id']}")["signature_type"] == "hmac"
    bearer = t.client()
    bearer.key = call["report_token"]
    bearer.post(f"/calls/{call['call_id']}/status", {"status": "ringing"})
    write_keys(t, new)
    t.stack.outdial("check-config")
    restart(t)
    next_sync(t, receiver, agent)
    bearer.refuse("unauthorized", "POST", f"/calls/{call['call_id']}/status", {"status": "ringing"})


def test_secrets_in_clear_are_sealed(t):
    receiver, webhook, agent = dialer(t)
    bytes_in_clear = secrets.token_bytes(24)
    t.stack.sql(f"UPDATE webhook_endpoints SET secret = UNHEX('{bytes_in_clear.hex()}')"
                f" WHERE uuid = {unhex(webhook['id'])}")
    for command in (["check-config"],):
        assert "outdial secrets rekey" in t.outdial_fails(*command)
    told_of = t.stack.outdial("secrets", "rekey")
    assert told_of.startswith("1 sealed,"), told_of
    receiver.secrets["/"] = "whsec_" + base64.b64encode(bytes_in_clear).decode()
    reported.add(receiver.secrets["/"])
    next_sync(t, receiver, agent)
    t.stack.outdial("check-config")
    test_no_table_holds_a_secret(t)


def test_wrong_and_lost_keys(t):
    receiver, webhook, agent = dialer(t)
    right = read_key(t)
    write_keys(t, secrets.token_hex(32))
    for command in (["check-config"], ["secrets", "rekey"]):
        message = t.outdial_fails(*command)
        assert "secret.key" in message and right not in message, message
    t.stack.kill("scheduler-1", 15)
    t.stack.start_scheduler()
    ended = until(t.stack.ended, what="it does not start")
    assert "is not the right file" in ended.last_words(), ended.last_words()
    ended.stop()
    del t.stack.processes[ended.name]
    message = t.stack.outdial("secrets", "rekey", "--lost", "replace")
    assert f"lost: the secret of webhook {webhook['id']}" in message, message
    t.stack.outdial("check-config")
    restart(t)
    rotate(t, webhook, receiver)
    next_sync(t, receiver, agent)
    os.unlink(t.stack.secret_key_file)
    write_config = t.stack.write_config
    t.stack.write_config = lambda: t.stack.config_file  # because the original writes a new key file
    try:
        assert "secret_key_file" in t.outdial_fails("check-config")
    finally:
        t.stack.write_config = write_config
    t.stack.outdial("status")
    t.stack.outdial("secrets", "rekey", "--lost", "replace")


if __name__ == "__main__":
    tap.run(globals())
