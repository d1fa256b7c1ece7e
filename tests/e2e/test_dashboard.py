#!/usr/bin/env python3
"""The dashboard in Chromium: whole paths, every page, each rule, states, hostile data, long tables.
tests/web/dashboard.mjs has the actions in the browser; this file makes their scenes."""

import http.client
import json
import os
import re
import shutil
import subprocess
import sys
import urllib.request

import tap
from client import until
from receiver import TAKEN, Answer, ends, ends_later

sys.path.append(os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))

import npm  # noqa: E402

PARTS_OF_POLICY = ["default-src 'none'", "script-src 'self'", "style-src 'self'", "connect-src 'self'",
                   "frame-ancestors 'none'", "require-trusted-types-for 'script'", "trusted-types 'none'"]
HOSTILE = '"><img src=x onerror=alert(1)> \u202egnp.exe'
LONG = 10_000
TEST_SECONDS = 400  # a browser, while other tests run
FAR = {"schedule_type": "scheduled", "scheduled_at": "2040-01-02T09:00:00Z"}


def browser_or_skip(t):
    if t.stack.database_kind != "mariadb" or t.sanitized:
        raise tap.Skip("once is enough: with MariaDB, without sanitizers")
    if not t.stack.dashboard:
        raise tap.Skip("the dashboard was not built")
    if not shutil.which("chromium"):
        raise tap.Skip("there is no chromium")
    try:
        return npm.folder(t.stack.build, "web")
    except npm.Missing as reason:
        raise tap.Skip(reason) from None


def drive(t, name, scene, actions=None):
    """Runs one test of the browser. It asks for actions by lines "@NAME"."""
    place = browser_or_skip(t)
    environment = dict(os.environ, OUTDIAL_URL=t.stack.url, OUTDIAL_SCENE=json.dumps({"key": t.api.key, **scene}))
    program = subprocess.Popen(["setpriv", "--pdeathsig", "KILL", "--", "node", "dashboard.mjs", name], cwd=place,
                               env=environment, text=True, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    said = []
    try:
        for line in program.stdout:
            if line.startswith("@"):
                actions[line[1:].strip()]()
                program.stdin.write("\n")
                program.stdin.flush()
            else:
                said.append(line)
                if line.startswith("# "):
                    print(line, end="", flush=True)
    finally:
        if sys.exc_info()[0]:
            program.kill()
        program.stdin.close()
        program.wait()
    assert program.returncode == 0, "\n" + "".join(said)


# Without a browser

def fetch(t, path, headers=None):
    connection = http.client.HTTPConnection(t.api.host, timeout=20)
    connection.request("GET", path, headers=headers or {})
    answer = connection.getresponse()
    return answer, answer.read()


def test_nginx_serves_the_files_under_a_strict_policy(t):
    if not t.stack.dashboard:
        raise tap.Skip("the dashboard was not built")
    for path in ("/dashboard/", "/dashboard/campaigns/x/contacts/7"):
        answer, page = fetch(t, path)
        assert answer.status == 200 and answer.headers["Cache-Control"] == "no-cache", answer.headers
        assert answer.headers["Content-Type"] == "text/html; charset=utf-8", answer.headers
        policy = answer.headers["Content-Security-Policy"]
        assert all(part in policy for part in PARTS_OF_POLICY) and "unsafe" not in policy, policy
        assert answer.headers["X-Content-Type-Options"] == "nosniff", answer.headers
        assert answer.headers["Referrer-Policy"] == "no-referrer", answer.headers
    assets = re.findall(r'"(/dashboard/assets/[^"]+)"', page.decode())
    assert len(assets) == 3, assets
    for path in assets:
        answer, _ = fetch(t, path, {"Accept-Encoding": "gzip"})
        assert answer.status == 200 and "immutable" in answer.headers["Cache-Control"], answer.headers
        assert answer.headers["Content-Encoding"] == "gzip", answer.headers
        assert answer.headers["Content-Security-Policy"] == policy, answer.headers
    answer, page = fetch(t, "/dashboard/assets/none.js")
    assert answer.status == 404 and json.loads(page)["error"]["code"] == "not_found", page
    assert "immutable" not in (answer.headers["Cache-Control"] or ""), answer.headers
    answer, _ = fetch(t, "/")
    assert (answer.status, answer.headers["Location"]) == (302, "/dashboard/"), answer.headers
    answer, page = fetch(t, "/dashboard/..%2f..%2fetc/passwd")
    assert b"root:" not in page and answer.status in (200, 400), answer.status
    assert urllib.request.urlopen(t.stack.dashboard).status == 200


# In the browser

def test_signs_in_with_keys_that_may_read(t):
    read = t.client(["read"])

    def ended():
        """The session ends on the server too; its key stays valid."""
        left = ("SELECT COUNT(*) FROM api_keys k JOIN api_keys p ON p.id = k.parent_id"
                " WHERE k.revoked_at > UTC_TIMESTAMP(6)"
                f" AND p.hash = UNHEX(SHA2('{read.key}', 256))")
        until(lambda: t.stack.sql(left) == [["0"]], what="the session ended")
        read.get("/keys/current")

    drive(t, "signs_in_with_keys_that_may_read", {"reports": t.client(["reports"]).key, "read": read.key},
          {"ended": ended})


def path_scene(t):
    receiver, agent = t.dialing_agent(name="Renewal")
    receiver.script = lambda call: ends_later(0.3, "completed", duration_seconds=61, outcome="interested")
    number = t.api.number()
    t.api.post("/telephony/numbers/assign", {
        "number_id": number["id"], "agent_id": agent["id"], "assignment_type": "outbound"})
    return receiver, {"agent_name": "Renewal"}


def test_a_campaign_from_the_wizard_to_its_results(t):
    receiver, scene = path_scene(t)

    def quiet():
        """After a pause nothing is dispatched."""
        until(lambda: not receiver.open_calls and not t.api.get("/batch-calls?limit=1")[0]["in_progress"],
              what="calls have ended")
        before = len(receiver.calls())
        batch = t.api.get("/batch-calls?limit=1")[0]
        assert batch["status"] == "paused", batch
        assert not batch["in_progress"] and len(receiver.calls()) == before, "a call after the pause"

    drive(t, "a_campaign_from_the_wizard_to_its_results", scene, {"quiet": quiet})


def test_the_same_by_the_keyboard_alone(t):
    _, scene = path_scene(t)
    drive(t, "the_same_by_the_keyboard_alone", scene)


def test_columns_and_a_country_are_chosen(t):
    receiver, agent = t.dialing_agent()
    draft = t.api.batch(agent, 0)
    drive(t, "columns_and_a_country_are_chosen", {"draft": draft["id"]})
    contact, = t.api.contacts_of(draft)
    assert (contact["phone_number"], contact["first_name"],
            contact["custom_fields"]) == ("+491711234567", "Ada", {"Telefon": "030 1234567"}), contact


def test_hours_of_a_country_and_warnings(t):
    receiver, agent = t.dialing_agent()
    people = [{"phone_number": f"+8130000{n}", "timezone": "Asia/Tokyo"} for n in range(3)]
    draft = t.api.batch(agent, people, timezone="Europe/Berlin", start_time="08:00", end_time="21:00")
    drive(t, "hours_of_a_country_and_warnings", {"draft": draft["id"]})


def whole_scene(t):
    """A scene with one object of every kind."""
    receiver, agent = t.dialing_agent(name="Renewal")
    receiver.script = lambda call: ends("completed", duration_seconds=61, cost=0.03, outcome="interested")
    over = t.api.batch(agent, 3, name="Over")
    t.api.schedule(over)
    t.api.wait_for(over, "completed")
    receiver.script = lambda call: TAKEN
    active = t.api.batch(agent, 60, name="Spring renewal – West", timezone="America/Los_Angeles",
                         max_concurrent_calls=3)
    t.api.schedule(active)
    receiver.wait_for_calls(6)
    paused = t.api.batch(agent, 40, name="Paused by hand", **FAR)
    t.api.post(f"/batch-calls/{paused['id']}/pause")
    folder = t.api.post("/contacts/folders", {"name": "Customers"})
    contact = t.api.post("/contacts", {"phone_number": "+12125550130", "first_name": "Ada",
                                       "folder_id": folder["id"], "custom_fields": {"city": "London"}})
    t.api.post("/do-not-call", {"phone_numbers": ["+12125550190"], "reason": "asked us to"})
    delivery = t.api.post(f"/webhooks/{agent['webhook_id']}/test")
    draft = t.api.batch(agent, 0, name="Draft")
    return {"active": active["id"], "paused": paused["id"], "paused_name": "Paused by hand", "draft": draft["id"],
            "over": over["id"], "call": t.api.calls_of(over)[0]["id"], "folder": folder["id"],
            "contact": contact["id"], "agent": agent["id"], "webhook": agent["webhook_id"],
            "delivery": delivery["id"]}


def test_every_page_light_and_wide(t):
    drive(t, "every_page", {**whole_scene(t), "theme": "light", "width": 1280})


def test_every_page_dark_and_wide(t):
    drive(t, "every_page", {**whole_scene(t), "theme": "dark", "width": 1280})


def test_every_page_light_and_narrow(t):
    drive(t, "every_page", {**whole_scene(t), "theme": "light", "width": 360})


def test_every_page_dark_and_narrow(t):
    drive(t, "every_page", {**whole_scene(t), "theme": "dark", "width": 360})


def test_who_changed_what(t):
    batch = t.api.batch(t.dialing_agent()[1], 2, name="Paused by somebody", **FAR)
    t.api.post("/do-not-call", {"phone_numbers": ["+12125550199", "+12125550198"]})
    t.stack.outdial("pause", "--all")
    t.stack.outdial("resume", "--all")
    t.api.post(f"/batch-calls/{batch['id']}/pause")
    operator = t.api.get(f"/batch-calls/{batch['id']}/history")[1]["operator"]
    drive(t, "who_changed_what", {"paused_name": "Paused by somebody", "key_name": t.api.get("/keys/current")["name"],
                                  "operator": operator, "read": t.client(["read"]).key})


def test_each_rule_has_its_sentence(t):
    receiver, agent = t.dialing_agent()
    receiver.script = lambda call: TAKEN
    sentences = {}

    def scheduled(sentence, count=5, **fields):
        batch = t.api.batch(agent, count, **fields)
        if batch["status"] == "draft":
            t.api.schedule(batch)
        sentences[batch["id"]] = sentence
        return batch

    sentences[t.api.batch(agent, 0)["id"]] = "No contacts yet"
    sentences[t.api.batch(agent, 2)["id"]] = "Not scheduled yet"
    scheduled("Starts .*2040", **FAR)
    paused = scheduled("Paused")
    t.api.post(f"/batch-calls/{paused['id']}/pause")
    full = scheduled("At full capacity", max_concurrent_calls=2)
    until(lambda: t.api.read(full)["in_progress"] == 2, what="its places are taken")
    today = until(lambda: t.api.get("/keys/current")["server"]["time"])[:10]
    scheduled("Closed: it is .* a day off", excluded_dates=[today])
    capped = scheduled("Today.s 1 calls are made", max_calls_per_day=1, max_concurrent_calls=5)
    until(lambda: t.api.read(capped)["called"] == 1, what="its cap is reached")
    paced = scheduled("Paced:", count=50, calls_per_minute=1, max_concurrent_calls=5)
    until(lambda: t.api.read(paced)["called"] == 1, what="its pace is used")
    away, other = t.dialing_agent()
    away.script = lambda call: Answer(500)
    dead = t.api.batch(other, 200)  # each probe of its dialer takes one of them for a while
    t.api.schedule(dead)
    sentences[dead["id"]] = "The dialer does not answer"
    until(lambda: t.api.get(f"/webhooks/{other['webhook_id']}")["circuit"] != "closed", what="its circuit is open")
    _, third = t.dialing_agent()
    off = t.api.batch(third, 3)
    t.api.patch(f"/webhooks/{third['webhook_id']}", {"disabled": True})
    t.api.schedule(off)
    sentences[off["id"]] = "switched off"
    drive(t, "each_rule_has_its_sentence", {"sentences": sentences})


def test_an_empty_organisation_gets_instructions(t):
    drive(t, "an_empty_organisation_gets_instructions", {"empty": t.api.key})


def test_what_others_wrote_is_text(t):
    receiver, agent = t.dialing_agent(name="<b>Agent</b>")
    receiver.script = lambda call: ends("completed", outcome="<script>alert(1)</script>",
                                        end_reason="<svg onload=alert(1)>", summary="<img src=x onerror=alert(1)>")
    people = [{"phone_number": "+12125550150", "first_name": "<script>alert(1)</script>", "last_name": "\u202ekcatta",
               "custom_fields": {"__proto__": "x", "constructor": "<i>y</i>", "<b>": "javascript:alert(1)"}}]
    batch = t.api.batch(agent, people, name=HOSTILE)
    t.api.schedule(batch)
    t.api.wait_for(batch, "completed")
    drive(t, "what_others_wrote_is_text", {
        "hostile": batch["id"], "hostile_call": t.api.calls_of(batch)[0]["id"], "webhook": agent["webhook_id"]})


def test_the_server_goes_away_and_comes_back(t):
    _, agent = t.dialing_agent()
    paused = t.api.batch(agent, 4, name="Paused by hand", **FAR)
    t.api.post(f"/batch-calls/{paused['id']}/pause")

    def start_nginx():
        t.stack.start_nginx()
        t.stack.wait_ready()

    drive(t, "the_server_goes_away_and_comes_back", {"paused": paused["id"], "paused_name": "Paused by hand"},
          {"stop_nginx": lambda: t.stack.kill("nginx"), "start_nginx": start_nginx})


def running_scene(t):
    receiver, agent = t.dialing_agent()
    receiver.script = lambda call: TAKEN
    batch = t.api.batch(agent, 5, max_concurrent_calls=2)
    t.api.schedule(batch)
    receiver.wait_for_calls(2)
    return {"active": batch["id"]}


def test_slow_and_failing_answers_do_not_pile_up(t):
    drive(t, "slow_and_failing_answers_do_not_pile_up", running_scene(t))


def test_a_hidden_tab_asks_for_nothing(t):
    drive(t, "a_hidden_tab_asks_for_nothing", running_scene(t))


def long_scene(t, total):
    browser_or_skip(t)
    _, agent = t.dialing_agent()
    batch = t.api.batch(agent, 0, name="Long")
    rows = "".join(f"+4930{number:08},Person {number}\n" for number in range(total))
    reply = t.api.send("POST", f"/batch-calls/{batch['id']}/contacts/import", "phone,name\n" + rows,
                       {"Content-Type": "text/csv"})
    assert reply.data["imported"] == total, reply
    return {"long": batch["id"], "long_total": total}


def test_long_tables_have_few_rows_in_the_document(t):
    drive(t, "long_tables_have_few_rows_in_the_document", long_scene(t, LONG))


def test_tables_of_300_000_rows_too(t):
    drive(t, "long_tables_have_few_rows_in_the_document", long_scene(t, 30 * LONG))


def test_contacts_that_were_not_reached_are_called_again(t):
    receiver, agent = t.dialing_agent()
    receiver.script = lambda call: ends("busy" if call.data["to"][-1] in "12" else "completed")
    batch = t.api.batch(agent, 5, name="First round")
    t.api.schedule(batch)
    drive(t, "contacts_that_were_not_reached_are_called_again", {"over": t.api.wait_for(batch, "completed")["id"]})
    made = {one["name"]: one for one in t.api.get("/batch-calls")}
    again, copy = made["First round (again)"], made["First round (copy)"]
    assert (again["total_contacts"], copy["total_contacts"]) == (2, 5), made
    assert {one["source_campaign_id"] for one in (again, copy)} == {batch["id"]}, made


def test_a_refused_key_asks_again_and_keeps_the_form(t):
    key = t.client(["read", "write"])
    _, agent = t.dialing_agent()
    drive(t, "a_refused_key_asks_again_and_keeps_the_form", {"revoked_later": key.key, "agent": agent["id"]},
          {"revoke": lambda: key.send("DELETE", "/keys/current")})


if __name__ == "__main__":
    tap.run(globals())
