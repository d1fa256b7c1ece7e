#!/usr/bin/env python3
"""The reference library of Standard Webhooks, and the code of docs/webhooks.md, verify our webhooks.

The library is installed from the npm registry into the build folder. Without it, only the code of the document is
tested."""

import base64
import json
import os
import re
import subprocess
import sys
import tempfile

import tap
from client import until
from receiver import TAKEN

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.append(os.path.join(HERE, ".."))

import npm  # noqa: E402

GUIDE = os.path.join(HERE, "..", "..", "docs", "webhooks.md")


def snippets(language):
    with open(GUIDE, encoding="utf-8") as file:
        return re.findall(rf"^```{language}\n(.*?)^```", file.read(), re.M | re.S)


def judged_by_javascript(t, cases):
    try:
        place = npm.folder(t.stack.build, "standardwebhooks")
    except npm.Missing as reason:
        raise tap.Skip(reason) from None
    library = os.path.join(place, "node_modules", "standardwebhooks", "dist", "index.js")
    with tempfile.TemporaryDirectory() as folder:
        paths = {"reference": library}
        functions = [code for code in snippets("js") if "export function" in code]
        for name, code in zip(("hmac", "ed25519"), functions, strict=True):
            paths[name] = os.path.join(folder, name + ".mjs")
            with open(paths[name], "w") as file:
                file.write(code)
        result = subprocess.run(["node", os.path.join(place, "verify.mjs")], check=True, text=True, timeout=60,
                                input=json.dumps({"cases": cases, **paths}), capture_output=True)
    return [all(verdicts.values()) if all(verdicts.values()) == any(verdicts.values()) else verdicts
            for verdicts in json.loads(result.stdout)]


def judged_by_python(t, cases):
    module = {}
    exec(snippets("python")[0], module)
    return [module["is_from_outdial"](case["key"], case["headers"], base64.b64decode(case["body"]))
            for case in cases if case["key"].startswith("whsec_")]


def case(key, delivery, **headers):
    all_headers = {name.lower(): value for name, value in delivery.headers.items()}
    return {"key": key, "headers": {**all_headers, **headers}, "body": base64.b64encode(delivery.body).decode()}


def tampered(key, delivery):
    """Returns webhooks with a part that was changed after the signature."""
    body = case(key, delivery)
    body["body"] = base64.b64encode(delivery.body.replace(b'"type"', b'"tYpe"')).decode()
    timestamp = int(delivery.headers["webhook-timestamp"])
    return [body, case(key, delivery, **{"webhook-id": "msg_1"}),
            case(key, delivery, **{"webhook-timestamp": str(timestamp - 1)}),
            case(key, delivery, **{"webhook-timestamp": str(timestamp - 301)}),
            case(key, delivery, **{"webhook-signature": "v1,"}),
            case(key[:6] + base64.b64encode(bytes(32)).decode(), delivery)]


def deliveries(t, **fields):
    """Returns a webhook of every kind, signed with the first key and then with both keys; and the two keys."""
    receiver = t.receiver()
    made = t.api.post("/webhooks", {"url": f"http://127.0.0.1:{receiver.port}/", "events": ["batch.status.changed"],
                                    **fields})
    keys = [made["secret"] or made["public_key"]]
    receiver.secrets["/"] = keys[0]
    receiver.script = lambda call: TAKEN
    agent = t.api.agent(made["id"])
    contacts = [{"phone_number": "+4930123456", "first_name": "Jürgen 🙂", "custom_fields": {"ä": "\u2028\"\\/"}}]
    t.api.schedule(t.api.batch(agent, contacts))
    until(lambda: len({found.type for found in receiver.deliveries}) == 3, what="three kinds have come")
    first = list(receiver.deliveries)
    until(lambda: all(found.answered_at for found in first), what="all are answered")
    rotated = t.api.post(f"/webhooks/{made['id']}/rotate-secret")
    keys.append(rotated["secret"] or rotated["public_key"])
    t.api.post(f"/agents/{agent['id']}/sync")
    until(lambda: len(receiver.of_type("agent.sync")) == 2, what="the second agent.sync has come")
    return first, receiver.of_type("agent.sync")[1], keys


def all_cases(t, **fields):
    """Webhooks that must be accepted, and webhooks that must be refused."""
    first, second, keys = deliveries(t, **fields)
    good = [case(keys[0], found) for found in first] + [case(key, second) for key in keys]
    return good, tampered(keys[0], first[0]) + [case(keys[1], first[0])]


def judge(t, judged_by, **fields):
    good, bad = all_cases(t, **fields)
    verdicts = judged_by(t, good + bad)
    assert verdicts[:len(good)] == [True] * len(good), (verdicts, good)
    assert verdicts[len(good):] == [False] * len(bad), (verdicts, bad)


def test_the_documented_python_takes_them(t):
    judge(t, judged_by_python)


def test_the_reference_library_takes_them(t):
    judge(t, judged_by_javascript)


def test_javascript_verifies_key_pairs(t):
    judge(t, judged_by_javascript, signature_type="ed25519")


def test_the_documented_report_is_taken(t):
    receiver = t.receiver()
    receiver.script = lambda call: TAKEN
    made = t.api.post("/webhooks", {"url": f"http://127.0.0.1:{receiver.port}/"})
    receiver.secrets["/"] = made["secret"]
    t.api.schedule(t.api.batch(t.api.agent(made["id"]), 1))
    call = receiver.wait_for_calls(1)[0]
    until(lambda: call.answered_at, what="the call is taken")
    module = {}
    exec(snippets("python")[1], module)
    module["report"](made["secret"], call.data["status_url"], {"status": "busy"})
    assert t.api.get(f"/calls/{call.id}")["status"] == "busy"


if __name__ == "__main__":
    tap.run(globals())
