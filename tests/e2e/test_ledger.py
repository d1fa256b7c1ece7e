#!/usr/bin/env python3
"""The ledger: the decisions about a number, proved without the database, and complete after any accident."""

import csv
import io
import json
import os
import re
import signal
import subprocess
import sys
import urllib.parse
import urllib.request

import tap
from client import BASE, until
from receiver import ends

STACK = {"rate_limit": False, "schedulers": 2, "config": {"lease_seconds": 20}}
PERSON = "+493077000001"
VERIFIER = os.path.join(os.path.dirname(__file__), "../../examples/ledger/verify.py")


def decisions(t, number, **query):
    return t.api.all("/ledger", number=number, **query)


def sealed(t, number, count):
    return until(lambda: (found := decisions(t, number)) and len(found) >= count and found,
                 what=f"{count} decisions about {number}")


def kinds(found):
    return [entry["decision"]["decision"] for entry in found]


def download(t, path, **query):
    request = urllib.request.Request(f"{t.stack.url}{BASE}{path}?{urllib.parse.urlencode(query)}",
                                     headers={"Authorization": f"Bearer {t.api.key}"})
    with urllib.request.urlopen(request, timeout=30) as answer:
        assert "attachment" in answer.headers["Content-Disposition"], answer.headers
        return answer.read().decode()


def whole(t):
    """The output of `outdial ledger verify` for this organisation."""
    return t.stack.outdial("ledger", "verify", "--organization", t.organization)


def check_export(t, export, *arguments, good=True):
    path = os.path.join(t.stack.state_dir, "ledger.jsonl")
    with open(path, "w", encoding="utf-8") as file:
        file.write(export)
    done = subprocess.run([sys.executable, VERIFIER, path, *arguments], capture_output=True, text=True, timeout=30)
    assert (done.returncode == 0) == good, (done.stdout, done.stderr)
    return done.stdout + done.stderr


def test_the_ledger_shows_why_a_number_was_called(t):
    receiver, agent = t.dialing_agent()
    receiver.script = lambda call: ends("completed")
    batch = t.api.batch(agent, [{"phone_number": PERSON}], timezone="Europe/Berlin", max_calls_per_day=5)
    t.api.schedule(batch)
    t.api.wait_for(batch, "completed")
    call, = t.api.calls_of(batch)
    made, ended = sealed(t, PERSON, 2)
    what = made["decision"]
    assert made["phone_number"] == PERSON and len(made["hash"]) == 64 and made["block"] >= 1, made
    assert (what["decision"], what["campaign_id"], what["position"],
            what["attempt"]) == ("call", batch["id"], 1, 1), what
    assert (what["call_id"], what["agent_id"], what["from"]) == (call["id"], agent["id"], call["from_number"]), what
    assert (what["timezone"], what["calls_of_day"], what["max_calls_per_day"]) == ("Europe/Berlin", 1, 5), what
    assert ended["decision"] == {
        "at": ended["decision"]["at"], "decision": "outcome", "campaign_id": batch["id"], "position": 1, "attempt": 1,
        "call_id": call["id"], "status": "completed", "reason": None, "by": "dialer"}, ended
    key = t.api.get("/keys/current")
    shown = t.stack.outdial("ledger", "show", PERSON, "--organization", t.organization)
    assert call["id"] in shown and f"scheduled  by key {key['id']}" in shown and "Europe/Berlin" in shown, shown
    assert decisions(t, PERSON, to=what["at"]) == [] and decisions(t, PERSON, **{"from": what["at"]}) == [made, ended]


def test_a_single_call_and_a_number_that_is_not_called(t):
    receiver, agent = t.dialing_agent()
    receiver.script = lambda call: ends("busy")
    single, listed = "+493077000002", "+493077000003"
    number = t.api.number()["phone_number"]
    call = t.api.post("/calls", {"agent_id": agent["id"], "phone_number": single, "from_number": number})
    found = sealed(t, single, 2)
    assert kinds(found) == ["call", "outcome"], found
    assert found[0]["decision"]["key_id"] == t.api.get("/keys/current")["id"], found
    batch = t.api.batch(agent, [{"phone_number": listed}])
    t.api.post("/do-not-call", {"phone_number": listed})
    t.api.schedule(batch)
    found = sealed(t, listed, 1)
    assert kinds(found) == ["skip"] and found[0]["decision"]["rule"] == "do_not_call", found
    assert found[0]["decision"]["do_not_call_version"] > 0, found
    assert call["id"] == decisions(t, single)[0]["decision"]["call_id"]
    t.api.refuse("validation_error", "POST", "/calls",
                 {"agent_id": agent["id"], "phone_number": listed, "from_number": number}, field="phone_number")
    found = sealed(t, listed, 2)
    assert kinds(found) == ["skip", "skip"] and found[1]["decision"]["rule"] == "do_not_call", found
    assert found[1]["decision"]["key_id"] == t.api.get("/keys/current")["id"], found
    t.api.patch("/organization", {"contact_limits": [{"max_attempts": 1, "period_hours": 24}]})
    t.api.refuse("contact_limit", "POST", "/calls",
                 {"agent_id": agent["id"], "phone_number": single, "from_number": number})
    found = sealed(t, single, 3)
    assert found[2]["decision"]["rule"] == "contact_limits" and found[2]["decision"]["until"], found


def test_lists_and_files(t):
    receiver, agent = t.dialing_agent()
    receiver.script = lambda call: ends("no_answer", end_reason='=cmd, "quoted"')
    person = "+493077000004"
    batch = t.api.batch(agent, [{"phone_number": person}], retry_failed=True, max_retry_attempts=3,
                        retry_delay_minutes=0)
    t.api.schedule(batch)
    t.api.wait_for(batch, "completed")
    found = sealed(t, person, 8)
    assert kinds(found) == ["call", "outcome"] * 4, found
    assert [entry for page in t.api.pages("/ledger", number=person, limit=3) for entry in page.data] == found
    text = download(t, "/ledger.csv", number=person)
    rows = list(csv.DictReader(io.StringIO(text)))
    assert [row["decision"] for row in rows] == kinds(found) and rows[1]["reason"] == '\'=cmd, "quoted"', rows
    assert [row["hash"] for row in rows] == [entry["hash"] for entry in found], rows
    t.api.refuse("bad_request", "GET", "/ledger?number=nobody", field="number")
    assert t.client(organization="another").get("/ledger", number=person) == []


def test_the_proof_needs_no_database(t):
    receiver, agent = t.dialing_agent()
    receiver.script = lambda call: ends("completed")
    for round in range(3):
        batch = t.api.batch(agent, [{"phone_number": f"+49307710000{number}"} for number in range(3)])
        t.api.schedule(batch)
        t.api.wait_for(batch, "completed")
        sealed(t, "+493077100001", 2 * round + 2)
    head = re.search(r"head (\S+)", whole(t))[1]
    export = t.stack.outdial("ledger", "export", "--organization", t.organization)
    assert head in check_export(t, export, "--head", head)
    one = download(t, "/ledger.jsonl", number="+493077100001")
    shown = check_export(t, one, "--head", head)
    assert shown.count("+493077100001") == 6 and "+493077100002" not in one, shown
    lines = export.splitlines()
    assert len(lines) >= 3, lines
    changed = json.loads(lines[1])
    changed["decisions"][0]["what"] = changed["decisions"][0]["what"].replace("call", "skip")
    check_export(t, "\n".join([lines[0], json.dumps(changed), *lines[2:]]), good=False)
    check_export(t, "\n".join([lines[0], *lines[2:]]), good=False)
    check_export(t, "\n".join([lines[1], lines[0], *lines[2:]]), good=False)
    check_export(t, "\n".join(lines[:-1]), "--head", head, good=False)
    since = json.loads(lines[-1])["sealed_at"]
    check_export(t, download(t, "/ledger.jsonl", **{"from": since}), "--head", head)


def test_a_number_is_erased_and_the_chain_is_whole(t):
    receiver, agent = t.dialing_agent()
    receiver.script = lambda call: ends("completed")
    numbers = ["+493077200001", "+493077200002"]
    batch = t.api.batch(agent, [{"phone_number": number} for number in numbers])
    t.api.schedule(batch)
    t.api.wait_for(batch, "completed")
    for number in numbers:
        sealed(t, number, 2)
    said = t.stack.outdial("ledger", "erase", numbers[0], "--organization", t.organization)
    assert "no decision about +493077200001" in said, said
    assert t.api.get("/ledger", number=numbers[0]) == [] and len(t.api.get("/ledger", number=numbers[1])) == 2
    whole(t)
    assert numbers[0] not in t.stack.outdial("ledger", "export", "--organization", t.organization)


def test_tampering_is_found(t):
    receiver, agent = t.dialing_agent()
    receiver.script = lambda call: ends("completed")
    person = "+493077000005"
    batch = t.api.batch(agent, [{"phone_number": person}])
    t.api.schedule(batch)
    t.api.wait_for(batch, "completed")
    sealed(t, person, 2)
    head = re.search(r"head (\S+)", whole(t))[1]
    assert "sound" in t.stack.outdial("ledger", "verify", "--organization", t.organization, "--head", head)
    assert "noted" in t.outdial_fails("ledger", "verify", "--organization", t.organization, "--head", head[:-1] + "x")
    t.stack.sql(f"UPDATE ledger l JOIN organizations o ON o.id = l.organization_id AND o.name = '{t.organization}'"
                f" SET l.decisions = REPLACE(l.decisions, 'completed', 'no_answer')")
    assert "BROKEN" in t.outdial_fails("ledger", "verify", "--organization", t.organization)


def test_kills_break_no_chain(t):
    receiver, agent = t.dialing_agent()
    receiver.script = lambda call: ends("completed")
    batch = t.api.batch(agent, [{"phone_number": f"+4930772{number:05}"} for number in range(300)],
                        max_concurrent_calls=20)
    t.api.schedule(batch)
    for _ in range(4):
        until(lambda: receiver.calls())
        for name in [name for name in t.stack.processes if name.startswith("scheduler")]:
            t.stack.kill(name)
            t.stack.start_scheduler()
    t.stack.restart_database(signal.SIGKILL)
    t.stack.wait_ready()
    t.api.wait_for(batch, "completed", 90)
    until(lambda: t.stack.sql("SELECT COUNT(*) FROM ledger_drafts") == [["0"]], what="all is sealed")
    assert "sound" in whole(t)
    for call in t.api.calls_of(batch):
        reported = kinds(decisions(t, call["phone_number"]))
        assert reported[0] == "call" and reported[-1] == "outcome" and reported.count("outcome") == 1, (call, reported)


if __name__ == "__main__":
    tap.run(globals())
