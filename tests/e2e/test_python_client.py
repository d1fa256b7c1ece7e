#!/usr/bin/env python3
"""A client in Python runs a campaign. A public generator makes its classes from the server's document."""

import json
import os
import shutil
import subprocess
import sys
import tempfile
import urllib.request

import tap
from client import BASE
from receiver import ends

sys.path.append(os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))

import npm  # noqa: E402

PARTS = ("make_client.py", "transport.py", "campaign.py")
# Mistakes with which the program must fail: classes that accept everything would test nothing.
WRONG = [('"phone_number": "+12125550102"', '"phone": "+12125550102"', "AssertionError"),  # a required field is missing
         ('"outcome": "busy"', '"outcome": "rejected"', "AssertionError"),                # not a value of the enum
         ("models.AgentStatus.ACTIVE", "models.AgentStatus.READY", "AttributeError"),     # not in an enum of a reply
         ("api.pause_batch_call(", "api.halt_batch_call(", "AttributeError"),             # an unknown operation
         ("analytics.attempts", "analytics.tries", "AttributeError"),                     # an unknown field
         ('interval="hour"', 'period="hour"', "TypeError")]                               # an unknown parameter


def python(folder, *arguments, **environment):
    return subprocess.run([sys.executable, *arguments], cwd=folder, stdin=subprocess.DEVNULL, capture_output=True,
                          text=True, timeout=120, env=dict(os.environ, **environment))


def made(t, folder):
    with urllib.request.urlopen(f"{t.stack.url}{BASE}/openapi.json", timeout=10) as reply:
        document = reply.read()
    with open(os.path.join(folder, "openapi.json"), "wb") as file:
        file.write(document)
    for name in PARTS:
        shutil.copy(os.path.join(folder, "..", name), folder)
    done = python(folder, "make_client.py", "openapi.json", ".")
    assert done.returncode == 0, done.stderr
    done = npm.node(folder, "../node_modules/quicktype/dist/index.js", "--src-lang", "schema", "--lang", "python",
                    "--python-version", "3.7", "--out", "models.py", "schemas.json#/components/schemas/")
    assert done.returncode == 0, done.stderr
    return json.loads(document)


def run(t, folder, program):
    receiver = t.receiver()
    receiver.script = lambda call: ends(duration_seconds=3)
    return python(folder, program, OUTDIAL_URL=t.stack.url, OUTDIAL_API_KEY=t.api.key, WEBHOOK_ID=receiver.endpoint())


def test_a_generated_client_runs_a_campaign(t):
    place = tools_or_skip(t)
    folder = tempfile.mkdtemp(dir=place)  # next to node_modules; each run has its own folder
    try:
        document = made(t, folder)
        every_operation_has_a_method(folder, document)
        done = run(t, folder, "campaign.py")
        assert done.returncode == 0, done.stderr
        assert json.loads(done.stdout) == {
            "completed": 2, "refused": "invalid_state", "attempts": 2, "rate": 1, "first": "+12125550101",
            "rule": "busy", "total": 2, "rows": 3, "gone": None, "unknown": "not_found"}, done.stdout
        mistakes_do_not_run(t, folder)
    finally:
        shutil.rmtree(folder)


def tools_or_skip(t):
    try:
        place = npm.folder(t.stack.build, "python_client")
    except npm.Missing as reason:
        raise tap.Skip(reason) from None
    version = npm.node(place, "--version").stdout.strip()
    if tuple(int(part) for part in version[1:].split(".")[:2]) < (20, 19):
        raise tap.Skip(f"quicktype needs Node.js 20.19, and this is {version}")
    return place


def every_operation_has_a_method(folder, document):
    shown = python(folder, "-c", "import api; print(sum(not name.startswith('_') for name in vars(api.Client)))")
    wanted = [operation for methods in document["paths"].values() for operation in methods.values()
              if "operationId" in operation]
    assert shown.stdout.strip() == str(len(wanted)) and len(wanted) > 60, (shown, len(wanted))


def mistakes_do_not_run(t, folder):
    with open(os.path.join(folder, "campaign.py"), encoding="utf-8") as file:
        right = file.read()
    right = right.replace("+12025550172", "+12025550173")
    for number, (before, after, error) in enumerate(WRONG):
        assert right.count(before) == 1, before
        with open(os.path.join(folder, "wrong.py"), "w", encoding="utf-8") as file:
            file.write(right.replace(before, after).replace("+12025550173", f"+1202555018{number}"))
        done = run(t, folder, "wrong.py")
        assert done.returncode != 0 and error in done.stderr.splitlines()[-1], (before, done)


if __name__ == "__main__":
    tap.run(globals())
