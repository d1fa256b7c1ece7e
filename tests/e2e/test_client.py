#!/usr/bin/env python3
"""A client in TypeScript compiles and runs a campaign. A public generator makes its types from the server's
document."""

import json
import os
import re
import shutil
import sys
import tempfile
import urllib.request

import tap
from client import BASE
from receiver import ends

sys.path.append(os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))

import npm  # noqa: E402

NO_DEFAULTS = "--default-non-nullable=false"  # without it, every field that has a default would be required
WRONG = [("{ phone_number: '+12025550171' }", "{ phone: '+12025550171' }"),  # an unknown field
         ("retry_on: ['busy']", "retry_on: ['rejected']"),                     # not a value of the enum
         ("agent.status === 'active'", "agent.status === 'ready'"),            # not a value of an enum in a reply
         ("'/batch-calls/{id}/pause'", "'/batch-calls/{id}/halt'")]            # an unknown operation


def test_a_generated_client_compiles_and_runs_a_campaign(t):
    place = tools_or_skip(t)
    folder = tempfile.mkdtemp(dir=place)  # next to node_modules; each run has its own folder
    try:
        generate(t, folder)
        wrong_lines = write_wrong(folder)
        compiled = npm.node(folder, "../node_modules/typescript/bin/tsc").stdout
        errors = dict(re.findall(r"^(\w+\.ts\(\d+).*?: error (.*)", compiled, re.M))
        assert set(errors) == {f"wrong.ts({number}" for number in wrong_lines}, compiled
        run(t, folder)
    finally:
        shutil.rmtree(folder)


def run(t, folder):
    receiver = t.receiver()
    receiver.script = lambda call: ends(duration_seconds=3)
    environment = dict(os.environ, OUTDIAL_URL=t.stack.url, OUTDIAL_API_KEY=t.api.key, WEBHOOK_ID=receiver.endpoint())
    done = npm.node(folder, "out/campaign.js", env=environment)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout) == {
        "completed": 2, "refused": "invalid_state", "attempts": 2, "rate": 1, "first": "+12125550101",
        "total": 2, "rows": 3, "gone": 204}, done.stdout


def tools_or_skip(t):
    try:
        return npm.folder(t.stack.build, "openapi")
    except npm.Missing as reason:
        raise tap.Skip(reason) from None


def generate(t, folder):
    with urllib.request.urlopen(f"{t.stack.url}{BASE}/openapi.json", timeout=10) as reply:
        document = reply.read()
    with open(os.path.join(folder, "openapi.json"), "wb") as file:
        file.write(document)
    for name in ("campaign.ts", "tsconfig.json", "package.json"):
        shutil.copy(os.path.join(folder, "..", name), folder)
    made = npm.node(folder, "../node_modules/openapi-typescript/bin/cli.js", "openapi.json", NO_DEFAULTS,
                      "--output", "schema.ts")
    assert made.returncode == 0, made.stderr


def write_wrong(folder):
    """The same program with mistakes, which must not compile: types that accept everything would test nothing.
    Returns the numbers of the wrong lines."""
    with open(os.path.join(folder, "campaign.ts"), encoding="utf-8") as file:
        right = file.read()
    wrong = right
    for before, after in WRONG:
        assert wrong.count(before) == 1, before
        wrong = wrong.replace(before, after)
    with open(os.path.join(folder, "wrong.ts"), "w", encoding="utf-8") as file:
        file.write(wrong)
    return [number for number, (old, new) in enumerate(zip(right.splitlines(), wrong.splitlines()), 1) if old != new]


if __name__ == "__main__":
    tap.run(globals())
