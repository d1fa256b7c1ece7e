#!/usr/bin/env python3
"""Lists: cursors, totals, searches, the cost of deep pages; the attempts of a contact."""

import base64

import tap
from client import contacts, until
from receiver import TAKEN, ends

STACK = {"rate_limit": False}
FAR = "2040-03-01T09:00:00.000000Z"
MANY = 30_000  # rows
FEW = 3_000    # row reads that a page may take, whatever the depth

UUID_OF = ("UNHEX(CONCAT(LPAD(HEX({start} + n.n), 12, '0'), '7000', '8000', LPAD(HEX({organization}), 12, '0')))")
NUMBERS = ("(SELECT a.n + 10 * b.n + 100 * c.n + 1000 * d.n + 10000 * e.n AS n FROM {0} a, {0} b, {0} c, {0} d, {0} e"
           " WHERE e.n < 3) n").format("(SELECT 0 AS n UNION SELECT 1 UNION SELECT 2 UNION SELECT 3 UNION SELECT 4"
                                       " UNION"
                                       " SELECT 5 UNION SELECT 6 UNION SELECT 7 UNION SELECT 8 UNION SELECT 9)")


def organization_of(t):
    return t.stack.sql(f"SELECT id FROM organizations WHERE name = '{t.organization}'")[0][0]


def keys_of(items):
    return [item.get("id") or item.get("position") or item["phone_number"] for item in items]


def walk(t, path, **query):
    return [key for page in t.api.pages(path, **query) for key in keys_of(page.data)]


def check_walk(t, path, count, **query):
    """Checks that the pages of a list, of any size, make up the whole list."""
    whole = t.api.ask("GET", path, query=dict(query, limit=100))
    assert len(whole.data) == count == whole.pagination["total"], (path, query, whole.pagination)
    assert whole.pagination["next_cursor"] is None and whole.pagination["total_is_exact"] is True, whole.pagination
    for limit in (1, 2, 3, count - 1, count):
        assert walk(t, path, limit=limit, **query) == keys_of(whole.data), (path, query, limit)
    for page in t.api.pages(path, limit=2, **query):
        assert page.pagination["total"] == count, page.pagination
    cursor = t.api.ask("GET", path, query=dict(query, limit=1, offset=1)).pagination["next_cursor"]
    if cursor:
        assert walk(t, path, limit=2, cursor=cursor, **query) == keys_of(whole.data)[2:], (path, query)


def every_list(t):
    """Creates a few objects for each list. Returns (path, query, count) of the lists."""
    receiver, agent = t.dialing_agent(name="first")
    receiver.script = lambda call: TAKEN
    for number in range(4):
        t.api.post("/agents", {"name": f"agent {number}"})
        t.api.number()
        t.client(scopes="read")
        t.api.post("/webhooks", {"url": f"http://127.0.0.1:1/{number}"})
    t.api.post("/do-not-call", {"phone_numbers": [person["phone_number"] for person in contacts(5, first=90)]})
    numbers = [t.api.number()["id"]]
    batches = [t.api.batch(agent, contacts(5) + contacts(1), phone_number_ids=numbers) for _ in range(5)]
    t.api.schedule(batches[0])
    receiver.wait_for_calls(5)
    t.api.schedule(batches[1], {"scheduled_at": FAR})
    folders = [t.api.post("/contacts/folders", {"name": name}) for name in ("b", "B", "a", "c", "ä")]
    for number, person in enumerate(contacts(5)):
        t.api.post("/contacts", {**person, "folder_id": folders[number % 2]["id"], "first_name": "Ada"})
    return [
        ("/agents", {}, 5), ("/agents", {"status": "draft"}, 4), ("/agents", {"name": "agent"}, 4),
        ("/telephony/numbers", {}, 5), ("/webhooks", {}, 5), ("/keys", {}, 5), ("/do-not-call", {}, 5),
        ("/batch-calls", {}, 5), ("/batch-calls", {"status": "draft"}, 3),
        ("/batch-calls", {"agent_id": agent["id"]}, 5),
        ("/batch-calls", {"agent_id": agent["id"], "status": "draft"}, 3),
        (f"/batch-calls/{batches[0]['id']}/contacts", {}, 6),
        (f"/batch-calls/{batches[0]['id']}/contacts", {"status": "in_progress"}, 5),
        (f"/batch-calls/{batches[1]['id']}/contacts", {"status": "scheduled"}, 5),
        (f"/batch-calls/{batches[2]['id']}/contacts", {"status": "pending"}, 5),
        ("/calls", {}, 5), ("/calls", {"status": "dispatched"}, 5), ("/calls", {"agent_id": agent["id"]}, 5),
        ("/calls", {"batch_call_id": batches[0]["id"]}, 5), ("/calls", {"created_after": "2020-01-01T00:00:00Z"}, 5),
        ("/calls", {"batch_call_id": batches[0]["id"], "status": "dispatched", "agent_id": agent["id"]}, 5),
        ("/calls", {"status": "in_flight"}, 5), ("/calls", {"status": "in_flight,completed"}, 5),
        ("/calls", {"status": "in_flight,completed", "batch_call_id": batches[0]["id"]}, 5),
        ("/calls", {"from_number": t.api.get("/calls", limit=1)[0]["from_number"]}, 5),
        ("/contacts/folders", {}, 5), ("/contacts/folders", {"order": "asc"}, 5),
        *(("/contacts/folders", {"sort_by": sort, "order": order}, 5)
          for sort in ("name", "contact_count", "created_at") for order in ("asc", "desc")),
        ("/contacts", {}, 5), ("/contacts", {"folder_id": folders[0]["id"]}, 3), ("/contacts", {"search": "ADA"}, 5),
        ("/contacts", {"search": "+49300000000", "folder_id": folders[1]["id"]}, 2),
    ]


def test_every_list_by_cursor(t):
    lists = every_list(t)
    until(lambda: t.api.ask("GET", "/calls", query={"status": "dispatched"}).pagination["total"] == 5)
    cursors = {}
    for path, query, count in lists:
        check_walk(t, path, count, **query)
        cursor = t.api.ask("GET", path, query=dict(query, limit=1)).pagination["next_cursor"]
        order = (path, query.get("sort_by", "created_at"), query.get("order", "desc"))
        cursors[order if path == "/contacts/folders" else path] = (path, query, cursor)
    for place, (path, query, _) in cursors.items():
        for other, (_, _, cursor) in cursors.items():
            if other == place:
                t.api.refuse("bad_request", "GET", path, query=dict(query, cursor=cursor, offset=1), field="offset")
                t.api.ask("GET", path, query=dict(query, cursor=cursor, offset=0))
            else:
                t.api.refuse("bad_request", "GET", path, query=dict(query, cursor=cursor), field="cursor")


def test_invalid_cursors_are_refused(t):
    for number in range(3):
        t.api.post("/agents", {"name": f"agent {number}"})
    cursor = t.api.ask("GET", "/agents", query={"limit": 1}).pagination["next_cursor"]
    assert t.api.ask("GET", "/agents", query={"cursor": cursor}).data
    others = [cursor[:-1], cursor[1:], cursor + "A", cursor + "=", cursor + " ", " " + cursor, cursor.swapcase(), "",
              "x", "====", "\u00e4", "A" * 4096, "A" * 5000, "0", "null", base64.b64encode(b"\xff" * 40).decode(),
              base64.urlsafe_b64encode(b"123456" + b"1 1 ").decode().rstrip("=")]
    others += [cursor[:at] + ("A" if cursor[at] != "A" else "B") + cursor[at + 1:] for at in range(len(cursor))]
    for wrong in others:
        reply = t.api.send("GET", "/agents", query={"cursor": wrong})
        assert reply.status == 400 and reply.details["field"] == "cursor", (wrong, cursor, reply)


def test_a_list_that_changes_meanwhile(t):
    """An item that stays in the list is returned once. New items come before the first page."""
    made = [t.api.post("/agents", {"name": f"agent {number}"})["id"] for number in range(6)][::-1]
    first = t.api.ask("GET", "/agents", query={"limit": 2})
    assert keys_of(first.data) == made[:2]
    t.api.post("/agents", {"name": "new"})
    for gone in made[:3]:
        t.api.delete(f"/agents/{gone}")
    assert walk(t, "/agents", limit=1, cursor=first.pagination["next_cursor"]) == made[3:]


def test_an_agent_or_campaign_that_is_not_there_has_nothing(t):
    unknown = "01890000-0000-7000-8000-000000000000"
    for path, query in (("/calls", {"agent_id": unknown}), ("/calls", {"batch_call_id": unknown}),
                        ("/batch-calls", {"agent_id": unknown}), ("/contacts", {"folder_id": unknown})):
        reply = t.api.ask("GET", path, query=query)
        assert reply.data == [] and reply.pagination["total"] == 0 and not reply.pagination["has_more"], reply


def test_totals_of_a_campaign_by_status(t):
    """The counters equal a count at every stage."""
    receiver, agent = t.dialing_agent()
    receiver.script = lambda call: ends("busy" if call.data["to"].endswith("2") else "completed")
    batch = t.api.batch(agent, contacts(9) + contacts(2))
    path = f"/batch-calls/{batch['id']}/contacts"

    def check(**expected):
        names = ("pending", "scheduled", "in_progress", "completed", "failed", "voicemail", "no_answer", "busy",
                 "cancelled", "skipped")
        for name in names:
            pages = list(t.api.pages(path, status=name, limit=1))
            assert [page.pagination["total"] for page in pages] == [expected.get(name, 0)] * len(pages), (name, pages)
            assert sum(len(page.data) for page in pages) == expected.get(name, 0), name
            beyond = t.api.ask("GET", path, query={"status": name, "offset": 50}).pagination
            assert beyond["total"] == expected.get(name, 0) and not beyond["has_more"], (name, beyond)

    check(pending=9, skipped=2)
    t.api.schedule(batch, {"scheduled_at": FAR})
    check(scheduled=9, skipped=2)
    t.api.post(f"/batch-calls/{batch['id']}/pause")
    check(scheduled=9, skipped=2)
    t.api.post(path, {"contacts": contacts(2, first=20)})
    check(scheduled=11, skipped=2)
    t.api.post(f"/batch-calls/{batch['id']}/cancel")
    check(cancelled=11, skipped=2)
    batch = t.api.batch(agent, contacts(9) + contacts(2))
    path = f"/batch-calls/{batch['id']}/contacts"
    t.api.schedule(batch)
    t.api.wait_for(batch, "completed")
    check(completed=8, busy=1, skipped=2)


def test_search(t):
    made = {}
    for name, fields in {
            "ada": {"first_name": "Ada", "last_name": "Lovelace", "email": "ada@example.com", "phone_number": "+33123"},
            "emil": {"first_name": "Émile", "last_name": "Zola", "phone_number": "+4930555"},
            "plain": {"phone_number": "+14155550199"}}.items():
        made[name] = t.api.post("/contacts", fields)["id"]
    for search, found in {"ada": ["ada"], "ADA LOVE": ["ada"], "lace": ["ada"], "@EXAMPLE": ["ada"],
                          "\u00c9MILE": ["emil"],
                          "\u00e9mile": ["emil"], "+33": ["ada"], "5550": ["plain"], "555": ["plain", "emil"],
                          "%": [], "_": [], "\\": [], "nobody": [], "a" * 255: []}.items():
        reply = t.api.ask("GET", "/contacts", query={"search": search})
        assert keys_of(reply.data) == [made[name] for name in found], (search, reply)
        assert reply.pagination["total"] == len(found), search
    t.api.patch(f"/contacts/{made['plain']}", {"first_name": "Grace"})
    assert keys_of(t.api.get("/contacts", search="grac")) == [made["plain"]]


def load_contacts(t):
    organization = organization_of(t)
    t.api.post("/contacts", {"phone_number": "+4930", "first_name": "Needle"})
    folder = t.api.post("/contacts/folders", {"name": "many"})
    row = t.row_of(folder, "contact_folders")
    uuid = UUID_OF.format(start=10 ** 12, organization=organization)
    t.stack.sql(
        "INSERT INTO contacts (uuid, organization_id, folder_id, phone_number, first_name, last_name, email, timezone,"
        " custom_fields, last_call_outcome, last_called_at, created_at, updated_at)"
        f" SELECT {uuid}, {organization}, {row}, CONCAT('+49', 10000000 + n.n), 'First', 'Last', '', '',"
        f" CONCAT('{{\"x\":\"', REPEAT('x', 200), '\"}}'), IF(n.n = 0, 7, 4), '1000-01-01', '2026-01-01', '2026-01-01'"
        f" FROM {NUMBERS} ORDER BY n.n;"
        f"UPDATE contact_folders SET contact_count = {MANY} WHERE id = {row}; ANALYZE TABLE contacts")
    return folder


def load_calls(t, agent, batch):
    """The contacts of a campaign, all but one of them completed."""
    organization, agent_row, batch_row = organization_of(t), t.row_of(agent, "agents"), t.row_of(batch)
    uuid = UUID_OF.format(start=10 ** 12, organization=organization)
    t.stack.sql(
        "INSERT INTO calls (id, organization_id, agent_id, batch_id, position, attempt, status, tries, wake_at,"
        " to_number,"
        " from_number, scheduled_at, called_at, expires_at, max_seconds, ended_at, duration_seconds, cost, outcome,"
        f" end_reason, recording_url, transcript_url, summary) SELECT {uuid}, {organization}, {agent_row}, {batch_row},"
        " n.n + 1, 1, IF(n.n = 0, 7, 4), 1, '9999-12-31', '+4930', '+4931', '2026-01-01', '2026-01-01', '2026-01-01',"
        " 60,"
        f" '2026-01-01', 1, 0, '', '', '', '', '' FROM {NUMBERS};"
        "INSERT INTO batch_contacts (batch_id, position, phone_number, first_name, last_name, email, timezone,"
        " custom_fields, contact_id, status, skip_reason, attempts, call_id)"
        f" SELECT {batch_row}, n.n + 1, '+4930', '', '', '', '', '', REPEAT(CHAR(0), 16), 3, 0, 1, {uuid}"
        f" FROM {NUMBERS};"
        f"UPDATE batch_calls b JOIN batch_counters c ON c.batch_id = b.id SET b.status = 4, b.total_contacts = {MANY},"
        f" b.called = {MANY}, b.claimed = {MANY}, c.done = {MANY}, c.completed = {MANY} WHERE b.id = {batch_row};"
        "ANALYZE TABLE calls, batch_contacts")


def pages_read(t):
    return int(t.stack.sql("SHOW GLOBAL STATUS LIKE 'Innodb_buffer_pool_read_requests'")[0][1])


def cost_of(t, path, query):
    """Returns the smallest cost of several tries, and the reply."""
    costs = []
    for _ in range(3):
        before = t.row_reads()
        reply = t.api.ask("GET", path, query=query)
        costs.append(t.row_reads() - before)
    return min(costs), reply


def check_costs(t, path, total, exact=True, **query):
    """Checks that the last page by cursor costs hardly more row reads than the first page, counting the total
    included. Returns the cost of the first page."""
    first, reply = cost_of(t, path, dict(query, limit=50))
    assert reply.pagination["total"] == total and reply.pagination["total_is_exact"] is exact, reply.pagination
    deep = t.api.ask("GET", path, query=dict(query, limit=50, offset=total - 100)).pagination["next_cursor"]
    cost, reply = cost_of(t, path, dict(query, limit=50, cursor=deep))
    assert len(reply.data) == 50 and not reply.pagination["has_more"], (path, query, reply.pagination)
    assert cost <= first + 500, f"{path} {query}: {first} row reads, at depth {cost}"
    return first


def check_pages_of_search(t):
    """A search reads no row that it does not show. This also holds when a worker repeats the statement after another
    statement has used other columns of the table."""
    costs = []
    for _ in range(3 * len(t.stack.workers())):
        t.stack.sql("SELECT email FROM contacts FORCE INDEX (PRIMARY) LIMIT 1")
        before = pages_read(t)
        t.api.ask("GET", "/contacts", query={"search": "needle"})
        costs.append(pages_read(t) - before)
    assert max(costs) < MANY // 2, f"search: {costs} reads of pages"


def test_what_a_page_costs(t):
    receiver, agent = t.dialing_agent()
    batch = t.api.batch(agent, 0)
    load_calls(t, agent, batch)
    folder = load_contacts(t)
    contacts_path = f"/batch-calls/{batch['id']}/contacts"
    for path, total, query in ((contacts_path, MANY, {}), (contacts_path, MANY, {"status": "completed"}),
                               ("/calls", MANY, {"batch_call_id": batch["id"]}), ("/contacts", MANY + 1, {}),
                               ("/contacts", MANY, {"folder_id": folder["id"]})):
        cost = check_costs(t, path, total, **query)
        assert cost < FEW, f"{path} {query}: {cost} row reads"
    for path, total, query in (("/calls", MANY, {}), ("/calls", MANY, {"agent_id": agent["id"]}),
                               ("/calls", MANY - 1, {"status": "completed"}),
                               ("/contacts", MANY - 1, {"last_call_outcome": "completed"})):
        check_costs(t, path, total, **query)
    for path, query in (("/calls", {"status": "busy"}), ("/calls", {"status": "busy,failed"}),
                        ("/contacts", {"last_call_outcome": "busy"})):
        cost, reply = cost_of(t, path, query)
        assert reply.pagination["total"] == 1 and cost < FEW, f"{path} {query}: {cost} row reads"
    for query in ({}, {"batch_call_id": batch["id"]}, {"agent_id": agent["id"]}, {"from_number": "+4931"}):
        cost, reply = cost_of(t, "/calls", {"status": "in_flight", **query})
        assert reply.pagination["total"] == 0 and cost < FEW, f"in flight, {query}: {cost} row reads"
    cost, reply = cost_of(t, "/contacts", {"search": "needle"})
    assert reply.pagination["total"] == 1 and cost < MANY + FEW, f"search: {cost} row reads"
    check_pages_of_search(t)


def test_attempts_of_a_contact(t):
    receiver, agent = t.dialing_agent()
    outcomes = ["no_answer", "failed", "completed"]
    receiver.script = lambda call: ends(outcomes[call.data["attempt"] - 1], duration_seconds=call.data["attempt"],
                                        end_reason=f"reason {call.data['attempt']}", cost=0.5, outcome="o")
    batch = t.api.batch(agent, 2, retry_failed=True, max_retry_attempts=2, retry_delay_minutes=1)
    path = f"/batch-calls/{batch['id']}/contacts/1"
    assert t.api.get(path)["attempts_history"] == []
    t.api.schedule(batch)
    for attempt in (1, 2, 3):
        receiver.wait_for_calls(2 * attempt)
        until(lambda: t.api.read(batch)["in_progress"] == 0)
        contact = t.api.get(path)
        history = contact["attempts_history"]
        assert [one["attempt"] for one in history] == list(range(1, attempt + 1)), history
        assert [one["status"] for one in history] == outcomes[:attempt], history
        assert [one["duration_seconds"] for one in history] == list(range(1, attempt + 1)), history
        assert [one["error_reason"] for one in history] == [f"reason {n + 1}" for n in range(attempt)], history
        latest = history[-1]
        for name in ("call_id", "from_number", "called_at", "ended_at", "duration_seconds", "cost", "outcome"):
            assert latest[name] == contact[name] is not None, (name, contact)
        assert [t.api.get(f"/calls/{one['call_id']}")["attempt"] for one in history] == list(range(1, attempt + 1))
        listed = t.api.get(f"/batch-calls/{batch['id']}/contacts")[0]
        assert dict(listed, attempts_history=history) == contact, (listed, contact)
        if attempt < 3:
            t.make_due(batch)
    t.api.wait_for(batch, "completed")


if __name__ == "__main__":
    tap.run(globals())
