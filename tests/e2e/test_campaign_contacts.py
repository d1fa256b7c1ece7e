#!/usr/bin/env python3
"""The contacts of a campaign: lists and what they cost, removed contacts, and results as files."""

import csv
import io
import json
import re
import urllib.error
import urllib.parse
import urllib.request

import tap
from client import BASE, contacts, parse, seconds_between, unhex, until
from receiver import TAKEN, Answer, ends

STACK = {"rate_limit": False}
FAR = "2040-03-01T09:00:00.000000Z"
MANY = 300_000
FEW = 2_000  # the most row reads of a list that does not read the whole campaign
DIGITS = ("(SELECT 0 AS n UNION SELECT 1 UNION SELECT 2 UNION SELECT 3 UNION SELECT 4"
          " UNION SELECT 5 UNION SELECT 6 UNION SELECT 7 UNION SELECT 8 UNION SELECT 9)")


def path_of(batch, rest=""):
    return f"/batch-calls/{batch['id']}/contacts{rest}"


def positions(t, batch, **query):
    return [row["position"] for row in t.api.contacts_of(batch, **query)]


def all_pages(t, batch, **query):
    return [row["position"] for page in t.api.pages(path_of(batch), **query) for row in page.data]


def check(t, batch, wanted, **query):
    """Checks that a list by cursor equals the list in one page, and that its total is right."""
    assert positions(t, batch, **query) == wanted, (query, positions(t, batch, **query), wanted)
    assert all_pages(t, batch, limit=2, **query) == wanted, query
    for page in t.api.pages(path_of(batch), limit=2, **query):
        assert page.pagination["total"] == len(wanted), (query, page.pagination)


PEOPLE = [
    {**person, "first_name": first, "last_name": last}
    for person, (first, last) in zip(contacts(6), (("Ada", "Lovelace"), ("Blaise", "Pascal"), ("Émilie", "du Châtelet"),
                                                   ("Ada", "Yonath"), ("100% sure", "a_b"), ("李", "O'Neil")))
]


def test_contacts_of_a_draft_are_found(t):
    receiver, agent = t.dialing_agent()
    batch = t.api.batch(agent, PEOPLE + [PEOPLE[1], contacts(1, first=9)[0]])
    every = list(range(1, 9))
    check(t, batch, every)
    waiting = [1, 2, 3, 4, 5, 6, 8]
    check(t, batch, waiting, status="pending")
    check(t, batch, waiting, status="pending,scheduled")
    check(t, batch, every, status="skipped,pending")
    check(t, batch, [7], status="skipped,failed")
    check(t, batch, [], status="scheduled,in_progress,completed")
    check(t, batch, [], sort_by="scheduled_at")
    for search, found in (("ada", [1, 4]), ("ADA L", [1]), ("lace", [1]), ("pascal", [2, 7]), ("%", [5]), ("_", [5]),
                          ("'", [6]), ("李", [6]), ("du ch", [3]), ("nobody", []), ("\\", [])):
        check(t, batch, found, search=search)
    check(t, batch, [7], search="pascal", status="skipped")
    check(t, batch, [2], search="pascal", status="pending,scheduled")
    number = PEOPLE[1]["phone_number"]
    check(t, batch, [2, 7], phone_number=number)
    check(t, batch, [2], phone_number=number, status="pending")
    check(t, batch, [2, 7], phone_number=number, search="bl")
    check(t, batch, [], phone_number=number, search="ada")
    check(t, batch, [], phone_number="+4930555")


def test_wrong_parameters(t):
    receiver, agent = t.dialing_agent()
    batch = t.api.batch(agent, 3)
    for query, field in (({"status": "waiting"}, "status"), ({"status": "failed,failed"}, "status"),
                         ({"status": ""}, "status"),
                         ({"phone_number": "030"}, "phone_number"), ({"search": ""}, "search"),
                         ({"search": "x" * 256}, "search"),
                         ({"sort_by": "name"}, "sort_by"),
                         ({"sort_by": "scheduled_at", "status": "completed"}, "sort_by"),
                         ({"sort_by": "scheduled_at", "status": "scheduled,failed"}, "sort_by"),
                         ({"sort_by": "scheduled_at", "status": "pending"}, "sort_by"),
                         ({"sort_by": "scheduled_at", "search": "x"}, "sort_by"),
                         ({"sort_by": "scheduled_at", "phone_number": "+49301"}, "sort_by")):
        t.api.refuse("bad_request", "GET", path_of(batch), query=query, field=field)
    t.api.schedule(batch, {"scheduled_at": FAR})
    cursor = t.api.ask("GET", path_of(batch), query={"sort_by": "scheduled_at", "limit": 1}).pagination["next_cursor"]
    t.api.refuse("bad_request", "GET", path_of(batch), query={"cursor": cursor}, field="cursor")


def test_contacts_in_each_state_are_found(t):
    receiver, agent = t.dialing_agent()
    receiver.script = lambda call: {"1": ends(), "2": ends("busy"), "3": Answer(503), "6": ends("failed")}.get(
        call.data["to"][-1], TAKEN)
    batch = t.api.batch(agent, PEOPLE + [PEOPLE[0]], retry_failed=True, max_retry_attempts=1, retry_on=["busy"],
                        retry_delay_minutes=600)
    t.api.schedule(batch)
    until(lambda: positions(t, batch, status="in_progress") == [3, 4, 5]
          and positions(t, batch, status="scheduled") == [2], what="all were asked for")
    t.api.post(f"/batch-calls/{batch['id']}/pause")
    until(lambda: positions(t, batch, status="in_progress") == [4, 5], what="the call that nobody took waits")
    for statuses in ("in_progress", "completed", "scheduled", "pending", "failed,completed", "pending,scheduled",
                     "in_progress,scheduled", "skipped", "skipped,cancelled,completed", "busy"):
        wanted = [row["position"] for row in t.api.contacts_of(batch) if row["status"] in statuses.split(",")]
        check(t, batch, wanted, status=statuses)
    by_instant = t.api.contacts_of(batch, sort_by="scheduled_at")
    assert [row["position"] for row in by_instant] == [3, 2], by_instant
    check(t, batch, [3, 2], sort_by="scheduled_at", status="pending,scheduled")
    check(t, batch, [4], status="in_progress", search="ada")
    t.api.post(f"/batch-calls/{batch['id']}/cancel")
    until(lambda: positions(t, batch, status="cancelled") == [3], what="who was not called is cancelled")
    check(t, batch, [3, 6], status="cancelled,failed")
    check(t, batch, [2], status="busy")
    check(t, batch, [], status="pending,scheduled")
    check(t, batch, [], sort_by="scheduled_at")
    check(t, batch, [3], status="cancelled", search="milie")


def load(t, batch):
    """The last fifty of many contacts are in progress, and the contacts before them wait."""
    row = t.row_of(batch)
    organization = t.stack.sql(f"SELECT organization_id FROM batch_calls WHERE id = {row}")[0][0]
    numbers = (f"(SELECT a.n + 10 * b.n + 100 * c.n + 1000 * d.n + 10000 * e.n + 100000 * f.n AS n FROM {DIGITS} a,"
               f" {DIGITS} b,"
               f" {DIGITS} c, {DIGITS} d, {DIGITS} e, {DIGITS} f WHERE f.n < 3) n")
    call = f"UNHEX(CONCAT(LPAD(HEX(1000000000000 + n.n), 12, '0'), '7000', '8000', LPAD(HEX({organization}), 12, '0')))"
    t.stack.sql(
        "INSERT INTO batch_contacts (batch_id, position, phone_number, first_name, last_name, email, timezone,"
        " custom_fields,"
        f" contact_id, status, skip_reason, attempts, call_id) SELECT {row}, n.n + 1, CONCAT('+4930', 1000000 + n.n),"
        f" 'First',"
        f" IF(n.n % 100000 = 7, 'Needle', 'Last'), '', '', '', REPEAT(CHAR(0), 16), IF(n.n >= {MANY - 50}, 2,"
        f" IF(n.n >= {MANY - 100}, 0, 3)), 0, 1,"
        f" IF(n.n >= {MANY - 50}, {call}, REPEAT(CHAR(0), 16)) FROM {numbers} ORDER BY n.n;"
        "INSERT INTO due_contacts (batch_id, due_at, position, attempt)"
        f" SELECT {row}, '2040-03-01' + INTERVAL ({MANY} - n.n) SECOND, n.n + 1, 1 FROM {numbers}"
        f" WHERE n.n >= {MANY - 100} AND n.n < {MANY - 50};"
        "INSERT INTO calls (id, organization_id, agent_id, batch_id, position, attempt, status, tries, wake_at,"
        " to_number,"
        " from_number, scheduled_at, called_at, expires_at, max_seconds, ended_at, duration_seconds, cost, outcome,"
        f" end_reason, recording_url, transcript_url, summary) SELECT {call}, {organization}, 1, {row},"
        " n.n + 1, 1, 3, 1, '2040-01-01', '+4930', '+4931', '2026-01-01', '2026-01-01', '2026-01-01', 60,"
        f" '1000-01-01', -1, -1, '', '', '', '', '' FROM {numbers} WHERE n.n >= {MANY - 50};"
        f"UPDATE batch_calls b JOIN batch_counters c ON c.batch_id = b.id SET b.status = 3, b.total_contacts = {MANY},"
        f" b.plan_position = {MANY}, b.called = {MANY - 50}, b.claimed = {MANY - 50}, c.done = {MANY - 100},"
        f" c.completed = {MANY - 100}"
        f" WHERE b.id = {row}; ANALYZE TABLE calls, batch_contacts, due_contacts")


def cost_of(t, batch, **query):
    costs = []
    for _ in range(3):
        before = t.row_reads()
        reply = t.api.ask("GET", path_of(batch), query={"limit": 50, **query})
        costs.append(t.row_reads() - before)
    return min(costs), reply


def test_what_a_list_of_a_large_campaign_costs(t):
    receiver, agent = t.dialing_agent()
    batch = t.api.batch(agent, 0)
    load(t, batch)
    last = list(range(MANY - 49, MANY + 1))
    for query, wanted in (({"status": "in_progress"}, last), ({"status": "scheduled"}, [at - 50 for at in last]),
                          ({"status": "pending,scheduled"}, [at - 50 for at in last]),
                          ({"status": "pending"}, []), ({"sort_by": "scheduled_at"}, [at - 50 for at in last][::-1]),
                          ({"phone_number": f"+4930{1000000 + MANY - 1}"}, [MANY]),
                          ({"phone_number": "+49301000007", "search": "needle"}, [8]),
                          ({"offset": MANY - 50}, last)):
        cost, reply = cost_of(t, batch, **query)
        assert [row["position"] for row in reply.data] == wanted, (query, reply.pagination)
        assert cost < FEW, f"{query}: {cost} row reads"
    cost, reply = cost_of(t, batch, search="needle")
    assert [row["position"] for row in reply.data] == [8] and cost < 250_000, (cost, reply)
    assert reply.pagination["has_more"] and not reply.pagination["total_is_exact"], reply.pagination
    assert all_pages(t, batch, search="needle") == [8, 100_008, 200_008]
    assert all_pages(t, batch, search="needle", limit=1) == [8, 100_008, 200_008]


# Removed contacts

def test_a_contact_is_taken_out_of_a_draft(t):
    receiver, agent = t.dialing_agent()
    batch = t.api.batch(agent, PEOPLE + [PEOPLE[0]])
    gone = t.api.ask("DELETE", path_of(batch, "/2"))
    assert gone.status == 200 and (gone.data["status"], gone.data["error_reason"]) == ("cancelled", "removed"), gone
    for position in (2, 7):
        reply = t.api.refuse("invalid_state", "DELETE", path_of(batch, f"/{position}"))
        assert ("cancelled", "skipped")[position == 7] in reply.error["message"], reply
    t.api.refuse("not_found", "DELETE", path_of(batch, "/8"))
    t.client(organization="another").refuse("not_found", "DELETE", path_of(batch, "/1"))
    t.client(scopes="read").refuse("forbidden", "DELETE", path_of(batch, "/1"))
    counts = t.api.read(batch)
    assert (counts["pending"], counts["cancelled"], counts["skipped"], counts["total_contacts"]) == (5, 1, 1, 7), counts
    t.api.schedule(batch)
    t.api.wait_for(batch, "completed")
    assert sorted(call.data["to"] for call in receiver.calls()) == sorted(
        person["phone_number"] for person in PEOPLE if person != PEOPLE[1])
    assert t.api.get(path_of(batch, "/2"))["error_reason"] == "removed"


def test_the_last_contact_that_waits_is_taken_out(t):
    """Then the campaign is completed, and one event announces that."""
    receiver, agent = t.dialing_agent()
    receiver.endpoint("/events", events=["batch.completed"])
    batch = t.api.batch(agent, 2, scheduled_at=FAR, schedule_type="scheduled")
    for position in (1, 2):
        t.api.ask("DELETE", path_of(batch, f"/{position}"))
    ended = t.api.wait_for(batch, "completed")
    assert (ended["cancelled"], ended["pending"], ended["in_progress"]) == (2, 0, 0), ended
    until(lambda: receiver.of_type("batch.completed", batch), what="the event of its end has come")
    assert not receiver.calls()
    t.api.refuse("invalid_state", "DELETE", path_of(batch, "/1"))


def test_a_contact_that_is_called_is_not_taken_out(t):
    receiver, agent = t.dialing_agent()
    receiver.script = lambda call: TAKEN if call.data["to"][-1] == "1" else ends("busy")
    batch = t.api.batch(agent, 2, retry_failed=True, max_retry_attempts=1, retry_on=["busy"], retry_delay_minutes=600)
    t.api.schedule(batch)
    until(lambda: positions(t, batch, status="scheduled") == [2] and positions(t, batch, status="in_progress") == [1])
    reply = t.api.refuse("invalid_state", "DELETE", path_of(batch, "/1"))
    assert "in_progress" in reply.error["message"], reply
    gone = t.api.ask("DELETE", path_of(batch, "/2")).data
    assert (gone["status"], gone["attempts"], gone["call_status"]) == ("cancelled", 1, "busy"), gone
    receiver.report(receiver.calls()[0].id if receiver.calls()[0].data["to"][-1] == "1" else receiver.calls()[1].id,
                    "completed")
    ended = t.api.wait_for(batch, "completed")
    assert (ended["completed"], ended["cancelled"]) == (1, 1), ended


def test_a_contact_whose_call_waits_is_taken_out(t):
    receiver, agent = t.dialing_agent()
    receiver.script = lambda call: Answer(503)
    batch = t.api.batch(agent, 1)
    t.api.schedule(batch)
    receiver.wait_for_calls(1)
    t.api.post(f"/batch-calls/{batch['id']}/pause")
    until(lambda: positions(t, batch, status="scheduled") == [1], what="its call waits in the plan")
    gone = t.api.ask("DELETE", path_of(batch, "/1")).data
    assert (gone["status"], gone["call_status"], gone["error_reason"]) == ("cancelled", "cancelled", "removed"), gone
    asked = len(receiver.calls())
    t.api.post(f"/batch-calls/{batch['id']}/resume")
    ended = t.api.wait_for(batch, "completed")
    assert (ended["cancelled"], ended["in_progress"], ended["called"]) == (1, 0, 1), ended
    assert len(receiver.calls()) == asked


def test_a_contact_in_its_own_zone_is_removed(t):
    receiver, agent = t.dialing_agent()
    people = [{**person, "timezone": zone} for person, zone in zip(contacts(3),
                                                                   ("Asia/Tokyo", "Europe/Berlin", "Asia/Tokyo"))]
    batch = t.api.batch(agent, people, scheduled_at=FAR, schedule_type="scheduled", respect_contact_timezone=True)
    until(lambda: positions(t, batch, status="scheduled") == [1, 2, 3], what="they are planned")
    t.api.ask("DELETE", path_of(batch, "/1"))
    t.api.patch(f"/batch-calls/{batch['id']}", {"calls_per_minute": 60})
    until(lambda: positions(t, batch, status="scheduled") == [2, 3], what="the others are planned again")
    assert t.stack.sql(f"SELECT COUNT(*) FROM due_contacts WHERE batch_id = {t.row_of(batch)}") == [["2"]]


def test_all_contacts_leave_a_draft(t):
    receiver, agent = t.dialing_agent()
    batch = t.api.batch(agent, PEOPLE + [PEOPLE[0]])
    t.api.ask("DELETE", path_of(batch, "/1"))
    assert t.api.ask("DELETE", path_of(batch)).data == {"removed": 7, "total_contacts": 0, "has_more": False}
    counts = t.api.read(batch)
    assert (counts["total_contacts"], counts["skipped"], counts["cancelled"], counts["pending"]) == (0, 0, 0, 0), counts
    assert t.api.ask("DELETE", path_of(batch)).data == {"removed": 0, "total_contacts": 0, "has_more": False}
    t.api.refuse("no_contacts", "POST", f"/batch-calls/{batch['id']}/schedule")
    added = t.api.post(path_of(batch), {"contacts": PEOPLE[:2]})
    assert (added["added"], added["skipped"]) == (2, 0), added
    t.api.schedule(batch)
    t.api.wait_for(batch, "completed")
    assert len(receiver.calls()) == 2
    t.api.refuse("invalid_state", "DELETE", path_of(batch))


def test_many_contacts_leave_in_parts(t):
    receiver, agent = t.dialing_agent()
    batch = t.api.batch(agent, 10_000)
    t.api.post(path_of(batch), {"contacts": contacts(3, first=20_000) + contacts(1)})
    first = t.api.ask("DELETE", path_of(batch)).data
    assert first == {"removed": 10_000, "total_contacts": 4, "has_more": True}, first
    counts = t.api.read(batch)
    assert (counts["total_contacts"], counts["pending"], counts["skipped"]) == (4, 4, 0), counts
    assert t.api.ask("DELETE", path_of(batch)).data["removed"] == 4


def test_contacts_leave_while_a_folder_is_copied(t):
    """Contacts that were still to be copied are not copied."""
    receiver, agent = t.dialing_agent()
    folder = t.api.post("/contacts/folders", {"name": "large"})
    row = t.stack.sql(f"SELECT id, organization_id FROM contact_folders"
                      f" WHERE uuid = {unhex(folder['id'])}")[0]
    t.stack.sql(
        "INSERT INTO contacts (uuid, organization_id, folder_id, phone_number, first_name, last_name, email, timezone,"
        " custom_fields, last_call_outcome, last_called_at, created_at, updated_at)"
        f" SELECT UNHEX(CONCAT(LPAD(HEX(2000000000000 + n.n), 12, '0'), '7000', '8000', LPAD(HEX({row[1]}), 12, '0'))),"
        f" {row[1]}, {row[0]},"
        " CONCAT('+4930', 1000000 + n.n), '', '', '', '', '', -1, '1000-01-01', '2026-01-01', '2026-01-01' FROM"
        f" (SELECT a.n + 10 * b.n + 100 * c.n + 1000 * d.n + 10000 * e.n AS n FROM {DIGITS} a, {DIGITS} b, {DIGITS} c,"
        f" {DIGITS} d,"
        f" {DIGITS} e) n ORDER BY n.n; UPDATE contact_folders SET contact_count = 100000 WHERE id = {row[0]}")
    batch = t.api.batch(agent, 0, contact_source="folder", contact_folder_id=folder["id"], contacts=[])
    assert batch["total_contacts"] < 100_000, "the rest is copied in the background"
    while t.api.ask("DELETE", path_of(batch)).data["has_more"]:
        pass
    assert t.stack.sql(f"SELECT work FROM batch_calls WHERE id = {t.row_of(batch)}") == [["0"]]
    assert t.api.read(batch)["total_contacts"] == 0
    assert t.stack.sql(f"SELECT COUNT(*) FROM batch_copies WHERE batch_id = {t.row_of(batch)}") == [["0"]]


# Results

def lines(text):
    return text.decode().splitlines()[1:]


def fetch(t, url):
    """Downloads without a key, at the address of this test's nginx."""
    parts = urllib.parse.urlsplit(url)
    with urllib.request.urlopen(f"{t.stack.url}{parts.path}?{parts.query}") as reply:
        return reply.read()


def refused(t, url):
    try:
        fetch(t, url)
    except urllib.error.HTTPError as error:
        return error.code
    return None


def test_results_of_some_states(t):
    receiver, agent = t.dialing_agent()
    receiver.script = lambda call: ends("busy" if int(call.data["to"][-1]) % 2 else "completed")
    batch = t.api.batch(agent, 2_500)
    t.stack.sql(f"UPDATE batch_calls SET max_concurrent_calls = 100 WHERE id = {t.row_of(batch)}")
    t.api.ask("DELETE", path_of(batch, "/7"))
    t.api.schedule(batch)
    t.api.wait_for(batch, "completed")
    path = f"/batch-calls/{batch['id']}/results.csv"
    read = lambda query: lines(raw(t, path + query))
    assert len(read("")) == 2_500
    assert len(read("?status=busy")) == 1_249 and len(read("?status=completed")) == 1_250
    assert len(read("?status=busy,cancelled")) == 1_250 and read("?status=failed") == []
    assert [line.split(",")[0] for line in read("?status=completed")][:3] == ["2", "4", "6"]
    assert read("?status=cancelled")[0].split(",")[18] == "removed"
    t.api.refuse("bad_request", "GET", path, query={"status": "gone"}, field="status")


def raw(t, path, key=None):
    request = urllib.request.Request(t.stack.url + BASE + path, headers={"Authorization": f"Bearer {key or t.api.key}"})
    with urllib.request.urlopen(request) as reply:
        return reply.read()


def test_an_address_of_results(t):
    receiver, agent = t.dialing_agent()
    batch = t.api.batch(agent, PEOPLE)
    t.api.ask("DELETE", path_of(batch, "/3"))
    link_path = f"/batch-calls/{batch['id']}/results-link"
    link = t.api.post(link_path)
    assert t.api.key not in link["url"] and 55 < seconds_between(t.api.ask("GET", "/agents").body["meta"]["ts"],
                                                                 link["expires_at"]) <= 60
    assert fetch(t, link["url"]) == raw(t, f"/batch-calls/{batch['id']}/results.csv"), "as often as one likes"
    some = t.client(scopes="read").post(link_path, {"status": ["cancelled"]})["url"]
    assert len(lines(fetch(t, some))) == 1
    for body, field in (({"status": []}, "status"), ({"status": ["gone"]}, "status"), ({"token": "x"}, "token")):
        t.api.refuse("validation_error", "POST", link_path, body, field=field)
    t.client(organization="another").refuse("not_found", "POST", link_path)
    t.client(scopes="reports").refuse("forbidden", "POST", link_path)


def test_results_for_a_spreadsheet_come_back(t):
    """A spreadsheet shows numbers and custom fields, executes nothing, and an import reads the same contacts."""
    receiver, agent = t.dialing_agent()
    receiver.script = lambda call: ends("busy", outcome="=1+1")
    people = [{"phone_number": "+493012345670", "first_name": "=HYPERLINK(\"x\")", "last_name": "a \"quoted\", name",
               "email": "a@b.c",
               "timezone": "Europe/Berlin",
               "custom_fields": {"Größe": "XL", "Customer": "0007", "E-Mail": "-1", "status": "gold"}},
              {"phone_number": "+493012345671",
               "custom_fields": {"Mobile": "+14155550100", "Größe": "line\nbreak ", "long": "123456789012345",
                                                                  "=SUM(A1)": "@x", "count": 5, "list": [1, "x"],
                                 "none": None}},
              {"phone_number": "+493012345672", "first_name": "Ada", "last_name": "Byron"}]
    batch = t.api.batch(agent, people)
    t.api.schedule(batch)
    t.api.wait_for(batch, "completed")
    path = f"/batch-calls/{batch['id']}/results"
    text = raw(t, path + ".csv?excel=true")
    assert text.startswith(b"\xef\xbb\xbf"), text[:20]
    rows = list(csv.reader(io.StringIO(text.decode("utf-8-sig"), newline=""), strict=True))
    assert rows[0][rows[0].index("error_reason"):] == ["error_reason", "call_back_at", "Größe", "Customer", "E-Mail",
                                                       "Mobile", "long", "'=SUM(A1)", "count", "list", "none",
                                                       "custom_fields"], rows[0]
    first, second, third = (dict(zip(rows[0], row, strict=True)) for row in rows[1:])
    assert (first["phone_number"], first["Customer"], first["E-Mail"]) == ('="+493012345670"', '="0007"', "'-1"), first
    assert json.loads(first["custom_fields"])["status"] == "gold" and first["status"] == "busy" \
        and first["outcome"] == "'=1+1", first
    assert (second["Mobile"], second["long"], second["count"],
            second["list"]) == ('="+14155550100"', '="123456789012345"', "5", '[1,"x"]'), second
    assert (third["Größe"], third["custom_fields"]) == ("", ""), third
    assert not [cell for row in rows for cell in row if cell[:1] in ("=", "+", "-", "@")
                and not re.fullmatch(r'="\+?[0-9]+"', cell)]
    for file in (text, raw(t, path + ".csv")):
        reply = t.api.send("POST", "/contacts/import", file, {"Content-Type": "text/csv"})
        assert reply.status == 200 and (reply.data["imported"], reply.data["errors"]) == (3, 0), reply
        found = {one["phone_number"]: one for one in t.api.all("/contacts", folder_id=reply.data["folder_id"])}
        for person in people:
            for name in ("first_name", "last_name", "email", "timezone"):
                assert found[person["phone_number"]][name] == person.get(name), (person, found)
        if file is text:
            assert found["+493012345670"]["custom_fields"] == {"Größe": "XL", "Customer": "0007", "E-Mail": "-1"}, found
            assert found["+493012345671"]["custom_fields"] == {
                "Mobile": "+14155550100", "Größe": "line\nbreak ", "long": "123456789012345", "=SUM(A1)": "@x",
                "count": "5", "list": '[1,"x"]'}, found
    again = t.api.send("POST", f"/batch-calls/{batch['id']}/contacts/import", text, {"Content-Type": "text/csv"})
    assert again.status == 422, "it is over"
    link = t.api.post(path + "-link", {"excel": True, "status": ["busy"]})["url"]
    assert fetch(t, link) == text and len(lines(fetch(t, link.replace("&excel=true", "")))) == 3
    t.api.refuse("bad_request", "GET", path + ".csv", query={"excel": "maybe"}, field="excel")


def test_custom_fields_beyond_the_columns_of_a_spreadsheet(t):
    receiver, agent = t.dialing_agent()
    batch = t.api.batch(agent, [{"phone_number": f"+4930123456{n:02}",
                                 "custom_fields": {f"field {n} {i}": "x" for i in range(30)}} for n in range(10)])
    rows = list(
        csv.reader(io.StringIO(raw(t, f"/batch-calls/{batch['id']}/results.csv?excel=true").decode("utf-8-sig"),
                               newline="")))
    assert len(rows[0]) == 20 + 200 + 1 and rows[1][-1] == "" and json.loads(rows[10][-1])["field 9 0"] == "x", rows[0]


def test_invalid_links_to_results_are_refused(t):
    receiver, agent = t.dialing_agent()
    batch = t.api.batch(agent, 1)
    url = t.api.post(f"/batch-calls/{batch['id']}/results-link")["url"]
    address, token = url.split("token=")
    for at in range(len(token)):
        wrong = token[:at] + ("A" if token[at] != "A" else "B") + token[at + 1:]
        assert refused(t, address + "token=" + wrong) == 401, at
    for wrong in ("x", token[:-4], token + "AAAA", "A" * 72):
        assert refused(t, address + "token=" + wrong) == 401, wrong
    assert refused(t, address + "token=") == refused(t, address) == refused(t, address[:-1]) == 400
    t.api.delete(f"/batch-calls/{batch['id']}")
    assert refused(t, url) == 404


def test_an_address_of_results_expires(t):
    receiver, agent = t.dialing_agent()
    batch = t.api.batch(agent, 1)
    link = t.api.post(f"/batch-calls/{batch['id']}/results-link")
    assert refused(t, link["url"]) is None
    until(lambda: refused(t, link["url"]) == 401, seconds=75, what="the address has expired")
    assert parse(t.api.ask("GET", "/agents").body["meta"]["ts"]) >= parse(link["expires_at"])


if __name__ == "__main__":
    tap.run(globals())
