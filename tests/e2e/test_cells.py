#!/usr/bin/env python3
"""Two installations (cells) behind one proxy: organisations are moved from one to the other."""

import atexit
import json
import os
import re
import secrets
import shutil
import signal
import subprocess
import tempfile
import threading
import time
import urllib.request

import tap
import database as databases
from client import Client, contacts, unhex, until
from cutter import Api, Between
from ports import free_port
from process import Error
from receiver import TAKEN, Answer, ends, signature
from stack import NGINX_MAIN, ROOT, Stack

FRONT = free_port()
STACK = {"rate_limit": False, "config": {"cell": "a", "public_url": f"http://127.0.0.1:{FRONT}/cells/a"}}
TEST_SECONDS = 240

# Tables of the installation itself, and tables in which an organisation at rest has no rows.
NOT_MOVED = {"schema_version", "processes", "service_key", "figures", "guards", "webhook_totals",
             "batch_copies", "person_erasures", "ledger_drafts"}
# Columns with numbers that are not ids.
COUNTS = {"claimed", "done", "seconds", "seq", "first_seq"}
NOBODY = "018f0000-0000-7000-8000-000000000000"
PAGE_OF_CONTACTS = "FROM batch_contacts c"
NOT_COMPARED = {("organizations", "place"), ("organizations", "cell"), ("webhook_endpoints", "secret"),
                ("webhook_endpoints", "disabled"), ("api_keys", "last_used_at")}


def source(name):
    with open(os.path.join(ROOT, name)) as file:
        return file.read()


class Table:
    def __init__(self, name, key=None, parent=None, parent_key=None):
        self.name, self.key, self.parent, self.parent_key = name, key, parent, parent_key


def moved_tables():
    """Returns the tables of src/engine/organization_tables.c, and the two tables that its list leaves out."""
    text = source("src/engine/organization_tables.c").partition("organization_tables[] = {")[2].partition("};")[0]
    found = {"organizations": Table("organizations"), "api_keys": Table("api_keys")}
    for line in text.splitlines():
        names = re.findall(r'"(\w+)"', line)
        if "OF_CAMPAIGN" in line:
            names += ["batch_id", "batch_calls", "id"]
        if names:
            found[names[0]] = Table(*names)
    return found


def references():
    text = source("src/engine/organization_tables.c").partition("references[] = {")[2].partition("};")[0]
    return dict(re.findall(r'\{ "(\w+)", "(\w+)" \}', text))


TABLES, REFERENCES = moved_tables(), references()


def rows_from(table, organization):
    """Returns the FROM and WHERE that select an organisation's rows."""
    table = TABLES[table]
    if not table.parent:
        column = "id" if table.name == "organizations" else "organization_id"
        return f"{table.name} WHERE {table.name}.{column} = {organization}"
    rest = rows_from(table.parent, organization)
    return rest.replace(" WHERE",
                        f" JOIN {table.name} ON {table.name}.{table.key} = {table.parent}.{table.parent_key} WHERE", 1)


class Cells:
    """Cell a is the stack of the test. Cell b, and the proxy in front of both, live as long as this program."""

    def __init__(self, t):
        self.a = t.stack
        folder = tempfile.mkdtemp(prefix="outdial-cell-")
        atexit.register(shutil.rmtree, folder, ignore_errors=True)
        self.b = Stack(folder, rate_limit=False, build=t.stack.build,
                       config={"cell": "b", "public_url": f"http://127.0.0.1:{FRONT}/cells/b"})
        self.exchange_keys()
        self.b.start()
        atexit.register(self.b.stop)
        self.start_front()

    def exchange_keys(self):
        key = secrets.token_hex(32)
        with open(self.a.secret_key_file) as file:
            theirs = file.read()
        with open(self.b.secret_key_file, "w") as file:
            file.write(key + "\n" + theirs)
        os.chmod(self.b.secret_key_file, 0o600)
        with open(self.a.secret_key_file, "a") as file:
            file.write(key + "\n")

    def start_front(self):
        folder = os.path.join(self.a.state_dir, "front")
        os.makedirs(folder)
        site = source("nginx/cells.conf.example")
        for pattern, own in ((r"listen 80;", f"listen 127.0.0.1:{FRONT};"),
                             (r"server 10\.0\.1\.1:8080;", f"server 127.0.0.1:{self.a.port};"),
                             (r"server 10\.0\.2\.1:8080;", f"server 127.0.0.1:{self.b.port};")):
            site, count = re.subn(pattern, own, site)
            assert count == 1, pattern
        user = "user root;" if os.geteuid() == 0 else ""
        with open(os.path.join(folder, "main.conf"), "w") as file:
            file.write(NGINX_MAIN.format(user=user, folder=folder, log=self.a.log_dir))
        with open(os.path.join(folder, "site.conf"), "w") as file:
            file.write(f"access_log {self.a.log_dir}/front-access.log;\n" + site)
        self.a.start_program("front",
                             [databases.program("nginx"), "-p", folder, "-c", os.path.join(folder, "main.conf"),
                                       "-e", os.path.join(self.a.log_dir, "front.log")])
        until(lambda: answers(f"http://127.0.0.1:{FRONT}"), what="the proxy answers")

    def front(self, t):
        return Client(f"http://127.0.0.1:{FRONT}", t.api.key)

    def command(self, start, *arguments):
        return [f"{start.build}/outdial", "-c", start.write_config(), "organization", *arguments]

    def move(self, name, back=False, *more):
        start, end = (self.b, self.a) if back else (self.a, self.b)
        return start.outdial("organization", "move", name, "--to", end.write_config(), *more)

    def refuse(self, name, *more, back=False):
        try:
            self.move(name, back, *more)
        except Error as error:
            return str(error)
        raise AssertionError("it was moved")

    def place(self, stack, name):
        rows = stack.sql(f"SELECT place FROM organizations WHERE name = '{name}'")
        return int(rows[0][0]) if rows else None


class InBackground(threading.Thread):
    """Runs a function in the background. `result` waits for its end, and returns its result or its exception."""

    def __init__(self, work):
        super().__init__(daemon=True)
        self.work, self.outcome = work, None
        self.start()

    def run(self):
        try:
            self.outcome = self.work()
        except Exception as error:
            self.outcome = error

    def result(self):
        self.join(60)
        assert not self.is_alive(), "it does not end"
        return self.outcome


def download(url, key=None):
    """Returns the text. Raises an exception if the download breaks off."""
    request = urllib.request.Request(url, headers={"Authorization": f"Bearer {key}"} if key else {})
    with urllib.request.urlopen(request, timeout=60) as reply:
        return reply.read().decode()


def answers(url):
    try:
        return Client(url, "").send("GET", "//healthz").status == 200
    except OSError:
        return False


both = []


def cells(t):
    if not both:
        both.append(Cells(t))
    return both[0]


HERE, LEAVING, ELSEWHERE, ARRIVING, DROPPED = range(5)


def test_every_table_is_known(t):
    tables = {row[0] for row in t.stack.sql("SELECT table_name FROM information_schema.tables"
                                            " WHERE table_schema = 'outdial'")}
    assert tables == set(TABLES) | NOT_MOVED, f"src/engine/organization_tables.c: {tables ^ (set(TABLES) | NOT_MOVED)}"
    columns = t.stack.sql("SELECT table_name, column_name FROM information_schema.columns"
                          " WHERE table_schema = 'outdial'"
                          " AND data_type = 'bigint'")
    unknown = {(table, column) for table, column in columns if table in TABLES and column != "id"
               and column not in REFERENCES and column not in COUNTS}
    assert not unknown, f"a move must raise the ids in these columns, or they belong into COUNTS: {unknown}"


class Organization:
    """Makes an organisation with rows in every table: campaigns in all states, calls that ended in every way, and calls
    and deliveries that wait."""

    def __init__(self, t, both):
        t.api = both.front(t)
        self.t, self.both, self.name = t, both, t.organization
        self.receiver, self.agent = t.dialing_agent()
        self.receiver.script = self.script
        self.receiver.endpoint("/events", events=["call.ended", "batch.status.changed"])
        self.waits = self.receiver.endpoint("/waits", events=["call.ended"])
        self.asked = lambda call: ends()
        self.fill()

    def script(self, call):
        return self.asked(call)

    def run(self, count, asked, until_status="completed", **fields):
        self.asked = asked
        batch = self.t.api.batch(self.agent, count, **fields)
        self.t.api.schedule(batch)
        return self.t.api.wait_for(batch, until_status)

    def fill(self):
        api = self.t.api
        gone = api.agent(self.receiver.endpoint("/gone"))
        api.patch("/organization", {"contact_limits": [{"max_attempts": 5, "period_hours": 24}]})
        api.post("/do-not-call", {"phone_number": "+493099999999", "reason": "asked"})
        folder = api.post("/contacts/folders", {"name": "Spring"})
        api.post("/contacts", {"phone_number": "+493011111111", "first_name": "Ö'Neill\\ \"", "folder_id": folder["id"],
                               "custom_fields": {"pet": "🦎", "quote": "it's \\ \"so\""}})
        number = api.number()
        api.patch(f"/telephony/numbers/{number['id']}", {"calls_per_minute": 600})
        self.draft = api.batch(self.agent, 3)
        self.done = self.run(4, lambda call: ends(("completed", "busy", "no_answer",
                                                   "voicemail")[int(call.data["to"][-1]) % 4],
                                                        outcome="sold", end_reason="hung up"))
        self.cancelled = api.batch(self.agent, contacts(3, 50), schedule_type="scheduled",
                                   scheduled_at="2040-03-01T09:00:00Z")
        api.post(f"/batch-calls/{self.cancelled['id']}/cancel")
        self.later = api.batch(self.agent, contacts(5, 60), schedule_type="scheduled",
                               scheduled_at="2040-03-01T09:00:00Z")
        api.post(f"/batch-calls/{self.later['id']}/pause")
        # Half of the contacts were called, one person asked to be called back, and the rest waits.
        self.asked = lambda call: ends("busy") if call.data["to"][-1] in "13" else ends()
        self.half = api.batch(self.agent, contacts(40, 100), max_concurrent_calls=2, retry_failed=True,
                              retry_delay_minutes=1, phone_number_ids=[number["id"]])
        api.schedule(self.half)
        until(lambda: api.read(self.half)["called"] >= 6, what="some were called")
        api.post(f"/batch-calls/{self.half['id']}/pause")
        until(lambda: api.read(self.half)["in_progress"] == 0, what="its calls have ended")
        api.send("POST", "/contacts/folders", {"name": "Once"}, {"Idempotency-Key": "once"})
        api.post("/calls", {"agent_id": self.agent["id"], "phone_number": "+493022222222",
                            "from_number": api.number()["phone_number"],
                            "variables": {"name": "Zoë"}})
        until(lambda: not api.all("/calls", status="in_progress") and not api.all("/calls", status="queued"))
        api.delete(f"/agents/{gone['id']}")
        self.rest()

    def rest(self):
        """Inserts rows that otherwise only a failure would leave."""
        row, call = self.t.row_of(self.done), self.t.api.calls_of(self.done)[0]["id"].replace("-", "")
        self.both.a.sql(
            f"INSERT INTO batch_zones VALUES ({row}, 0, 'Europe/Berlin', 1);"
            f" INSERT INTO unplanned_contacts VALUES ({row}, 0, 1, 1);"
            f" INSERT INTO batch_pressure VALUES ({row}, 1, 0, UTC_TIMESTAMP(6));"
            f" INSERT INTO callbacks VALUES ({row}, 1, UTC_TIMESTAMP(6));"
            f" INSERT INTO call_tries VALUES (UNHEX('{call}'), UTC_TIMESTAMP(6), 5, 503, 'it''s away', 'x\\\\y')")

    def at_rest(self):
        for batch in self.t.api.all("/batch-calls"):
            if batch["status"] in ("active", "scheduled"):
                self.t.api.post(f"/batch-calls/{batch['id']}/pause")
        until(lambda: "can be moved" in self.dry(), what="it is at rest")

    def dry(self):
        try:
            return self.both.move(self.name, False, "--dry-run", "yes")
        except Error as error:
            return str(error)


def content(stack, name):
    """Returns every row of the organisation, by table: (columns, rows)."""
    organization = stack.sql(f"SELECT id FROM organizations WHERE name = '{name}'")[0][0]
    kinds = stack.sql("SELECT table_name, column_name, data_type FROM information_schema.columns"
                      " WHERE table_schema = 'outdial' AND COALESCE(generation_expression, '') = ''")
    found, queries = {}, []
    for table in TABLES:
        columns = sorted((column, kind) for of, column, kind in kinds if of == table)
        shown = [f"HEX({table}.`{column}`)" if re.search("bin|char|text|blob", kind) else f"{table}.`{column}`"
                 for column, kind in columns]
        queries.append(f"SELECT 'rows of', '{table}'; SELECT {', '.join(shown)} FROM {rows_from(table, organization)}")
        found[table] = [column for column, _ in columns], []
    for row in stack.sql(";".join(queries)):
        if row[0] == "rows of":
            table = row[1]
        else:
            found[table][1].append(row)
    return found


def id_table(table, column):
    if column == "id":
        return {"deleted_agents": "agents", "calls": None}.get(table, table)
    return REFERENCES.get(column)


def compare(before, after):
    """Asserts that both have the same rows, except that all ids of a table are raised by one number. Returns these
    numbers."""
    raised = {table: min(int(row[columns.index("id")]) for row in after[table][1])
              - min(int(row[columns.index("id")]) for row in rows)
              for table, (columns, rows) in before.items() if rows
              and id_table(table, "id" if "id" in columns else "") == table}
    for table, (columns, rows) in before.items():
        assert rows, f"the test has no row of {table}"
        kept = [i for i, column in enumerate(columns) if (table, column) not in NOT_COMPARED]
        raises = [raised[id_table(table, column)] if id_table(table, column) in raised else 0 for column in columns]
        wanted = sorted(tuple(raise_id(row[i], raises[i]) for i in kept) for row in rows)
        got = sorted(tuple(text(row[i]) for i in kept) for row in after[table][1])
        assert wanted == got, \
            f"{table}: {[pair for pair in zip(wanted, got) if pair[0] != pair[1]][:2]} {len(wanted)} {len(got)}"
    return raised


def text(value):
    return value if value is not None else "NULL"


def raise_id(value, by):
    return text(value) if value in (None, "NULL", "0") or by == 0 else str(int(value) + by)


def test_everything_moves_and_goes_on(t):
    both = cells(t)
    other = t.client(organization="stays in a")
    other.post("/contacts", {"phone_number": "+493055555555"})
    there = Client(both.b.url, both.b.new_key("is in b"))
    there.post("/contacts", {"phone_number": "+493066666666"})
    one = Organization(t, both)
    api, key = t.api, t.api.key
    assert key.startswith("outdial_a_") and there.key.startswith("outdial_b_"), "keys name the cell that made them"
    link = api.post(f"/batch-calls/{one.done['id']}/results-link")["url"]
    assert link.startswith(f"http://127.0.0.1:{FRONT}/cells/a/"), link
    batch, call = t.one_call(one.receiver, one.agent, lambda call: TAKEN)
    said = both.refuse(t.organization)
    assert f"campaign {batch['id']}" in said and "is active" in said and "calls are under way: 1" in said, said
    one.receiver.report(call, "completed")
    one.receiver.script = one.script
    assert both.place(both.a, t.organization) == HERE and both.place(both.b, t.organization) is None
    one.receiver.answer_events = Answer(503)
    one.at_rest()
    asked = {call.id for call in one.receiver.calls()}
    assert len(asked) == len(one.receiver.calls())
    strangers = [content(both.a, "stays in a"), content(both.b, "is in b")]
    both.a.kill("scheduler-1")
    both.b.kill("scheduler-1")
    link = api.post(f"/batch-calls/{one.done['id']}/results-link")["url"]
    results = download(link)
    assert len(results.splitlines()) == 5, results
    before = content(both.a, t.organization)
    said = both.move(t.organization)
    assert "is in the cell `b` now" in said, said
    after = content(both.b, t.organization)
    arrived = [row for row in after["audit_log"][1] if row not in before["audit_log"][1]
               and bytes.fromhex(row[after["audit_log"][0].index("changes")]) == b'{"from_cell":"a"}']
    assert len(arrived) == 1, arrived
    after["audit_log"][1].remove(arrived[0])
    woken = after["endpoint_health"][0].index("next_at")
    for found in (before, after):
        found["endpoint_health"] = found["endpoint_health"][0], [[*row[:woken], *row[woken + 1:], ""]
                                                                 for row in found["endpoint_health"][1]]
        found["endpoint_health"][0].remove("next_at")
        found["endpoint_health"][0].append("next_at")
    sealed = content(both.a, t.organization)  # the move seals decisions in the ledger before it copies them
    before.update({table: sealed[table] for table in ("ledger", "ledger_heads", "ledger_numbers")})
    compare(before, after)
    assert {row[after["webhook_endpoints"][0].index("disabled")] for row in after["webhook_endpoints"][1]} == {"0"}
    assert "to_cell" in str(both.a.outdial("audit", "--organization", t.organization, "--object", "organization"))
    one.receiver.answer_events = Answer()
    both.a.start_scheduler()
    both.b.start_scheduler()

    # Clients keep their key and their address.
    old = Client(both.a.url, key)
    assert old.refuse("organization_moved", "POST", "/contacts", {"phone_number": "+493077777777"})
    assert old.refuse("organization_moved", "GET", "/agents").headers["Outdial-Cell"] == "b"
    assert [agent["id"] for agent in api.get("/agents")] == [one.agent["id"]]
    assert download(link) == results, "an old link to results still works"
    rows = "".join(f"+4931{number:08},{'x' * 3000}\n" for number in range(800))
    read = api.send("POST", "/contacts/import", "phone_number,note\n" + rows, {"Content-Type": "text/csv"})
    assert read.status == 200 and read.data["imported"] == 800, read
    again = api.send("POST", "/contacts/folders", {"name": "Once"}, {"Idempotency-Key": "once"})
    assert again.headers["Idempotency-Replayed"] == "true", again
    made = api.post("/keys", {"name": "new", "scopes": ["read"]})["key"]
    assert made.startswith("outdial_b_"), made
    assert "sound" in both.b.outdial("ledger", "verify", "--organization", t.organization)
    one.asked = lambda call: ends()
    api.post(f"/batch-calls/{one.half['id']}/resume")
    api.schedule(one.draft)
    both.b.sql(f"UPDATE due_contacts d JOIN batch_calls b ON b.id = d.batch_id SET d.due_at = UTC_TIMESTAMP(6) -"
               f" INTERVAL d.position SECOND,"
               f" b.low_water = '1000-01-01', b.wake_at = UTC_TIMESTAMP(6)"
               f" WHERE b.uuid = {unhex(one.half['id'])}")
    half = api.wait_for(one.half, "completed")
    assert half["completed"] + half["busy"] == 40 and half["called"] == 40, half
    assert api.wait_for(one.draft, "completed")["completed"] == 3
    calls = one.receiver.calls()
    assert len({call.id for call in calls}) == len(calls), "no call was sent twice"
    attempts = [(call.data["batch_call_id"], call.data["to"], call.data["attempt"]) for call in calls
                if call.data["batch_call_id"]]
    assert len(set(attempts)) == len(attempts), "no attempt was made twice"
    new = [call for call in calls if call.id not in asked]
    assert new and all("/cells/b/" in call.data["status_url"] for call in new)
    until(lambda: not both.b.sql("SELECT 1 FROM deliveries WHERE status = 0"),
          what="webhooks that waited are delivered there")
    assert "erased" in both.b.outdial("person", "erase", calls[0].data["to"], "--organization", t.organization)
    assert "sound" in until(lambda: both.b.outdial("ledger", "verify", "--organization", t.organization))

    # A late report comes to the old address, with the old token.
    late = next(call for call in calls if call.id in asked)
    for address in (late.data["status_url"], late.data["status_url"].replace("/cells/a", "")):
        reply = Client(f"http://127.0.0.1:{FRONT}", late.data["report_token"]).send(
            "POST", "//" + address.split("://")[1].split("/", 1)[1],
            {"status": "completed", "recording_url": "https://r.example/1"})
        assert reply.status == 200, reply
    now = [content(both.a, "stays in a"), content(both.b, "is in b")]
    assert now == strangers, "the other organisations have not changed"
    assert t.stack.outdial("organization", "list").count("in b ") == 1
    one.moved_again()


def moved_again(one):
    """The organisation is deleted in the old cell, and moves back there."""
    t, both = one.t, one.both
    assert "not moved" in t.outdial_fails("organization", "delete", "stays in a")
    both.a.outdial("organization", "delete", t.organization)
    left = {table for table, (_, rows) in content(both.a, t.organization).items() if rows}
    assert left == {"organizations", "api_keys"}, left
    orphans = [table.name for table in TABLES.values() if table.parent and both.a.sql(
        f"SELECT 1 FROM {table.name} t LEFT JOIN {table.parent} p ON p.{table.parent_key} = t.{table.key}"
        f" WHERE p.{table.parent_key} IS NULL LIMIT 1")]
    assert not orphans, orphans
    assert one.t.api.get("/agents"), "requests still find the new cell"
    wrong = []
    stop = threading.Event()

    def ask():
        while not stop.is_set():
            reply = t.api.send("GET", "/agents")
            if reply.status not in (200, 503):
                wrong.append(reply)
    asking = threading.Thread(target=ask)
    asking.start()
    both.move(t.organization, True)
    until(lambda: t.api.send("GET", "/agents").status == 200, what="it is in a again")
    stop.set()
    asking.join()
    assert not wrong, wrong
    assert both.place(both.a, t.organization) == HERE and both.place(both.b, t.organization) == ELSEWHERE
    assert "sound" in both.a.outdial("ledger", "verify", "--organization", t.organization)
    assert len(t.api.all("/batch-calls")) == 6
    again = t.api.batch(one.agent, contacts(2, 900))
    t.api.schedule(again)
    assert t.api.wait_for(again, "completed")["completed"] == 2


Organization.moved_again = moved_again


def half_moved(t, both, table):
    """Kills a move when the other cell has the first rows of a table, in a new copy. Returns where the organisation is:
    its place in cell a, and in cell b."""
    earlier = both.b.sql(f"SELECT id FROM organizations WHERE name = '{t.organization}'") or [["0"]]
    organization = f"(SELECT id FROM organizations WHERE name = '{t.organization}' AND id <> {earlier[0][0]})"
    command = subprocess.Popen(both.command(both.a, "move", t.organization, "--to", both.b.write_config()),
                               stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    until(lambda: both.place(both.b, t.organization) == ARRIVING and
          both.b.sql(f"SELECT 1 FROM {table} WHERE organization_id IN {organization} LIMIT 1")
          or command.poll() is not None, what=f"{table} has come")
    command.send_signal(signal.SIGKILL)
    command.wait()
    return both.place(both.a, t.organization), both.place(both.b, t.organization)


def test_killed_at_any_instant(t):
    both = cells(t)
    one = Organization(t, both)
    api = t.api
    api.post("/batch-calls", {"name": "Large", "agent_id": one.agent["id"], "phone_number_ids": [api.number()["id"]],
                              "contact_source": "manual", "contacts": contacts(2000, 5000)})
    lines = "\n".join(f"+4930{number:08}" for number in range(6000))
    folder = api.post("/contacts/folders", {"name": "Many"})
    reply = api.send("POST", f"/contacts/import?folder_id={folder['id']}", "phone_number\n" + lines,
                     {"Content-Type": "text/csv"})
    assert reply.status == 200, reply
    one.at_rest()
    key = api.post("/keys", {"name": "to be revoked", "scopes": ["read"]})
    before = content(both.a, t.organization)
    seen = set()
    for table in ("api_keys", "contacts", "batch_calls", "calls", "audit_log"):
        places = half_moved(t, both, table)
        seen.add(places)
        assert places in ((LEAVING, ARRIVING), (LEAVING, HERE), (ELSEWHERE, HERE)), places
        if places[1] != ARRIVING:
            break
        Client(both.b.url, api.key).refuse("unavailable", "GET", "/agents")
        assert Client(both.a.url, api.key).send("GET", "/agents").status in (200, 503)  # 200 for two seconds
        assert "is being moved" in api.refuse("unavailable", "POST", "/contacts",
                                              {"phone_number": "+493033333333"}).error["message"]
        assert "another cell, or on its way" in t.outdial_fails("key", "create", "--organization", t.organization)
        t.outdial_fails("ledger", "erase", "+493011111111", "--organization", t.organization)
        assert "another cell, or on its way" in t.outdial_fails("key", "revoke", key["id"])
        t.stack.outdial("resume", "--all")
        if table == "contacts":
            assert "stays here" in both.move(t.organization, False, "--undo", "yes")
            assert both.place(both.a, t.organization) == HERE and both.place(both.b, t.organization) == ELSEWHERE
            assert api.get("/agents")
            assert Client(both.b.url, api.key).refuse("organization_moved", "GET", "/agents").headers[
                "Outdial-Cell"] == "a"
            assert "is not being moved" in both.refuse(t.organization, "--undo", "yes")
    assert (LEAVING, ARRIVING) in seen
    if both.place(both.a, t.organization) != ELSEWHERE:  # the last move had completed
        both.move(t.organization)
    assert "was moved" in both.refuse(t.organization) and "was moved" in both.refuse(t.organization, "--undo", "yes")
    after = content(both.b, t.organization)
    counts = lambda found: {table: len(rows) for table, (_, rows) in found.items()
                            if table not in ("audit_log", "ledger", "ledger_numbers", "deliveries", "events",
                                             "delivery_tries")}
    assert counts(before) == counts(after), set(counts(before).items()) ^ set(counts(after).items())
    left = content(both.a, t.organization)  # the move sealed decisions before it copied them
    assert all(len(left[table][1]) == len(after[table][1]) for table in ("ledger", "ledger_numbers"))
    assert "sound" in both.b.outdial("ledger", "verify", "--organization", t.organization)
    assert api.get("/agents")


def test_the_last_step(t):
    """The move opened the copy, and died before it recorded that in the first cell."""
    both = cells(t)
    one = Organization(t, both)
    one.at_rest()
    both.move(t.organization)
    both.a.sql(f"UPDATE organizations SET place = {LEAVING} WHERE name = '{t.organization}'")
    assert "already" in both.refuse(t.organization, "--undo", "yes")
    assert both.place(both.a, t.organization) == LEAVING and both.place(both.b, t.organization) == HERE
    assert "is in the cell `b` now" in both.move(t.organization)
    assert both.place(both.a, t.organization) == ELSEWHERE
    assert t.api.get("/agents")
    assert "another cell, or on its way" in t.outdial_fails("key", "revoke", t.api.get("/keys")[0]["id"])
    # Then the copy moves on to a third cell.
    both.a.sql(f"UPDATE organizations SET place = {LEAVING} WHERE name = '{t.organization}'")
    both.b.sql(f"UPDATE organizations SET place = {ELSEWHERE}, cell = 'c' WHERE name = '{t.organization}'")
    assert "already" in both.refuse(t.organization, "--undo", "yes")
    assert both.place(both.a, t.organization) == LEAVING
    assert "is in the cell `b` now" in both.move(t.organization)
    assert both.place(both.a, t.organization) == both.place(both.b, t.organization) == ELSEWHERE
    assert len(content(both.b, t.organization)["batch_calls"][1]) == 5


def signed_report(receiver, url, path, report):
    body, now = json.dumps(report).encode(), str(int(time.time()))
    return Client(url, "").send("POST", path, body, {
        "Authorization": None, "webhook-id": "msg_1", "webhook-timestamp": now,
        "webhook-signature": signature(receiver.secrets["/"], "msg_1", now, body)})


def test_reports_on_calls_that_are_still_to_come(t):
    """Another cell placed a call, and its organisation is not here yet."""
    both = cells(t)
    receiver, agent = t.dialing_agent()
    batch, call = t.one_call(receiver, agent, lambda call: ends())
    t.api.wait_for(batch, "completed")
    request = receiver.calls()[0]
    path, token = f"/calls/{call}/status", request.data["report_token"]
    there = Client(both.b.url, token)
    report = {"status": "completed", "recording_url": "https://r.example/1"}
    there.refuse("unauthorized", "POST", path, report)
    assert signed_report(receiver, both.b.url, path, report).status == 401
    both.b.new_key("arrives")
    for place in (ARRIVING, DROPPED):
        both.b.sql(f"UPDATE organizations SET place = {place} WHERE name = 'arrives'")
        assert there.refuse("unavailable", "POST", path, report).headers["Retry-After"]
        assert signed_report(receiver, both.b.url, path, report).status == 503
    both.b.sql("DELETE FROM organizations WHERE name = 'arrives'")


def begin_move(both, t, *arguments, a=None, b=None):
    """Starts a move in the background. Its connections may go through cutters."""
    own = lambda stack, between: stack.write_config("cut", {"database_file": between.file}) if between \
        else stack.write_config()
    command = [f"{both.a.build}/outdial", "-c", own(both.a, a), "organization", "move", t.organization, "--to",
               own(both.b, b), *arguments]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)


def test_back_and_forth(t):
    """An organisation without rows moves back and forth. Keys that either cell made work in both."""
    both = cells(t)
    api = both.front(t)
    assert api.get("/agents") == []
    keys = [api]
    for back in (False, True, False, True):
        both.move(t.organization, back)
        for key in keys:
            assert key.get("/agents") == [] and key.send("DELETE", "/agents/" + NOBODY).status == 404
        made = api.post("/keys", {"name": "new", "scopes": ["read", "write"]})["key"]
        assert made.startswith("outdial_a_" if back else "outdial_b_"), made
        keys.append(Client(f"http://127.0.0.1:{FRONT}", made))

    # The move is killed after it has given up the rest of the earlier stay, and before it closes the organisation.
    with Between(t) as a, a.cutter.hold("SET disabled = disabled | 2") as closing:
        moving = begin_move(both, t, a=a)
        closing.wait()
        moving.kill()
        moving.wait()
    assert (both.place(both.a, t.organization), both.place(both.b, t.organization)) == (HERE, DROPPED)
    assert [key.send("GET", "/agents").status for key in keys] == [200, 503, 200, 503, 200]
    assert "stays here" in both.move(t.organization, False, "--undo", "yes")
    assert all(key.get("/agents") == [] for key in keys)

    # The move loses its lock at the last step, and is undone before it opens the copy.
    with Between(t, both.b) as b:
        moving = begin_move(both, t, b=b)
        until(lambda: " rows in " in moving.stdout.readline(), what="it is copied")
        with b.cutter.hold("SELECT place FROM organizations WHERE id = ? FOR UPDATE") as opening:
            opening.wait()
            both.a.sql("KILL " + until(lambda: both.a.sql(
                "SELECT trx_mysql_thread_id FROM information_schema.innodb_trx"
                " WHERE trx_started < NOW() - INTERVAL 1 SECOND AND trx_mysql_thread_id > 0"))[0][0])
            assert "stays here" in both.move(t.organization, False, "--undo", "yes")
        said = moving.communicate(timeout=60)[0]
    assert moving.returncode != 0 and "this command moved nothing" in said, said
    assert (both.place(both.a, t.organization), both.place(both.b, t.organization)) == (HERE, ELSEWHERE)
    assert all(key.get("/agents") == [] for key in keys)

    # The move waits for a replica.
    to = both.b.write_config("replica", {"read_database_file": both.b.database_file})
    moving = subprocess.Popen(both.command(both.a, "move", t.organization, "--to", to), stdout=subprocess.PIPE,
                              text=True)
    until(lambda: "waiting for the replica" in moving.stdout.readline(), what="it waits for the replica")
    moving.kill()
    moving.wait()
    assert (both.place(both.a, t.organization), both.place(both.b, t.organization)) == (LEAVING, ARRIVING)
    assert "stays here" in both.move(t.organization, False, "--undo", "yes")
    assert all(key.get("/agents") == [] for key in keys)


def test_reads_that_take_longer_than_a_move(t):
    """A reply is never made after some of its rows were deleted."""
    both = cells(t)
    direct, front = t.api, both.front(t)
    _, agent = t.dialing_agent()
    batch = direct.batch(agent, 20)
    results = f"{both.a.url}/api/public/v1/batch-calls/{batch['id']}/results.csv"
    assert len(download(results, direct.key).splitlines()) == 21
    with Api(t) as api:
        with api.cutter.hold("FROM agents a FORCE INDEX") as agents, api.cutter.hold(PAGE_OF_CONTACTS) as rows:
            listing = InBackground(lambda: direct.send("GET", "/agents"))
            agents.wait()
            export = InBackground(lambda: download(results, direct.key))
            rows.wait()
            both.move(t.organization)
            both.a.outdial("organization", "delete", t.organization)
        assert listing.result().status == 421, listing.result()
        assert isinstance(export.result(), Exception), f"the download did not break off: {export.result()}"
        assert [found["id"] for found in front.get("/agents")] == [agent["id"]]
        # The organisation moves back between two statements of a request.
        with api.cutter.hold("SELECT id, uuid, name, place, cell, created_at FROM organizations WHERE id = ?") as place:
            listing = InBackground(lambda: direct.send("GET", "/agents"))
            place.wait()
            both.move(t.organization, True)
        assert listing.result().status == 503, listing.result()
        assert [found["id"] for found in direct.get("/agents")] == [agent["id"]]


def test_two_at_the_same_time(t):
    both = cells(t)
    one = Organization(t, both)
    one.at_rest()
    moves = [subprocess.Popen(both.command(both.a, "move", t.organization, "--to", both.b.write_config()),
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) for _ in range(3)]
    said = [move.communicate(timeout=120)[0] for move in moves]
    assert both.place(both.a, t.organization) in (LEAVING, ELSEWHERE), said
    if both.place(both.a, t.organization) == LEAVING:
        both.move(t.organization)
    assert both.place(both.b, t.organization) == HERE and both.place(both.a, t.organization) == ELSEWHERE, said
    assert "sound" in both.b.outdial("ledger", "verify", "--organization", t.organization)
    rows = content(both.b, t.organization)
    assert len(rows["batch_calls"][1]) == 5, "a row was copied twice"


def test_requests_at_the_same_time(t):
    """Every change that was answered with a success is in the other cell."""
    both = cells(t)
    one = Organization(t, both)
    one.at_rest()
    made, stop, numbers = [], threading.Event(), iter(range(10 ** 6))

    def work():
        while not stop.is_set():
            number = f"+4940{next(numbers):08}"
            reply = t.api.send("POST", "/contacts", {"phone_number": number})
            assert reply.status in (201, 503), reply
            if reply.status == 201:
                made.append(number)
                shown = t.api.send("GET", f"/contacts/{reply.data['id']}")
                assert shown.status in (200, 503), shown

    call, replies = one.receiver.calls()[0], []

    def report():
        """A dialer that reports again and again, with the call's token and with its signature."""
        front = f"http://127.0.0.1:{FRONT}"
        path, token = call.data["status_url"].replace(front, "/"), Client(front, call.data["report_token"])
        while not stop.is_set():
            body = {"status": "completed"}
            if len(replies) % 2:
                reply = token.send("POST", path, body)
            else:
                reply = signed_report(one.receiver, front, path, body)
            assert reply.status in (200, 503), reply
            if reply.status == 200:
                replies.append(body)
    threads = [InBackground(work) for _ in range(4)] + [InBackground(report)]
    until(lambda: len(made) > 50 and replies, what="some were made")
    both.move(t.organization)
    counts = len(made), len(replies)
    until(lambda: len(made) > counts[0] + 20 and len(replies) > counts[1] + 2, what="all goes on in the other cell")
    stop.set()
    assert [thread.result() for thread in threads] == [None] * 5
    kept = {row[0] for row in both.b.sql("SELECT phone_number FROM contacts c JOIN organizations o"
                                         " ON o.id = c.organization_id"
                                         f" AND o.name = '{t.organization}'")}
    assert set(made) <= kept, set(made) - kept


def test_a_cell_that_does_not_answer(t):
    both = cells(t)
    client = both.front(t)
    both.b.kill("nginx", signal.SIGTERM)
    try:
        reply = client.refuse("unavailable", "GET", "//cells/b/api/v1/calls")
        assert reply.status == 503 and reply.headers["Retry-After"] == "5", reply
        client.get("/agents")
    finally:
        both.b.start_nginx()
        both.b.wait_ready()


def test_what_is_refused(t):
    both = cells(t)
    t.api.get("/agents")
    assert "there is no organisation" in both.refuse("nobody at all")
    assert "--to is missing" in t.outdial_fails("organization", "move", t.organization)
    own = t.stack.write_config()
    assert "both cells are called `a`" in t.outdial_fails("organization", "move", t.organization, "--to", own)
    same = t.stack.write_config("same", {"cell": "c"})
    assert "at work in both" in t.outdial_fails("organization", "move", t.organization, "--to", same)
    nameless = both.b.write_config("nameless", {"cell": ""})
    assert "does not set `cell`" in t.outdial_fails("organization", "move", t.organization, "--to", nameless)
    try:
        t.stack.config["cell"] = ""
        assert "this configuration does not set `cell`" in both.refuse(t.organization)
    finally:
        t.stack.config["cell"] = "a"
    both.b.new_key(t.organization)
    assert "another organisation that is called" in both.refuse(t.organization)
    both.b.sql(f"DELETE FROM organizations WHERE name = '{t.organization}'")
    with open(both.b.secret_key_file) as file:
        keys = file.read()
    for text, said in ((keys.splitlines()[0] + "\n", "lacks a key of"),
                       (secrets.token_hex(32) + "\n", "not the right file")):
        with open(both.b.secret_key_file, "w") as file:
            file.write(text)
        try:
            assert said in both.refuse(t.organization), said
        finally:
            with open(both.b.secret_key_file, "w") as file:
                file.write(keys)
    both.b.sql("UPDATE schema_version SET version = 1034 WHERE version = 34")
    try:
        assert "schema version" in both.refuse(t.organization)
    finally:
        both.b.sql("UPDATE schema_version SET version = 34 WHERE version = 1034")
    receiver, agent = t.dialing_agent()
    batch, call = t.one_call(receiver, agent, lambda call: TAKEN)
    t.api.post(f"/batch-calls/{batch['id']}/pause")
    assert "calls are under way: 1" in both.refuse(t.organization)
    receiver.report(call, "completed")
    assert "is not being moved" in both.refuse(t.organization, "--undo", "yes")
    until(lambda: "can be moved" in both.move(t.organization, False, "--dry-run", "yes"))
    assert both.place(both.a, t.organization) == HERE and both.place(both.b, t.organization) is None
    both.b.sql("ALTER TABLE contacts AUTO_INCREMENT = 9000000000000000000")
    try:
        assert "no ids left" in both.refuse(t.organization)
        assert "stays here" in both.move(t.organization, False, "--undo", "yes")
    finally:
        both.b.sql("ALTER TABLE contacts AUTO_INCREMENT = 1")


if __name__ == "__main__":
    tap.run(globals())
