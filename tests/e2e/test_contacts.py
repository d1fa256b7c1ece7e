#!/usr/bin/env python3
"""Contacts, their folders, CSV imports, and campaigns made of them."""

import datetime
import gzip
import http.client
import json
import os
import resource
import subprocess
import tempfile
import threading

import tap
from client import contacts, unhex, until
from limits import nullable, obj, strict, text, try_all
from receiver import ends

STACK = {"rate_limit": False}

CSV = {"Content-Type": "text/csv"}
UNKNOWN = "01890000-0000-7000-8000-000000000000"
WORKER_MEGABYTES = 32

CONTACT_LIMITS = {
    "first_name": nullable(text(0, 255)),
    "last_name": nullable(text(0, 255)),
    "email": nullable(text(0, 320)),
    "timezone": nullable({"right": ["Europe/Berlin", "UTC"], "wrong": ["Mars/Base", "europe/berlin ", 5]}),
    "custom_fields": nullable(obj()),
}
FOLDER_LIMITS = {"name": strict(text(1, 255)), "description": nullable(text(0, 1000))}

# Files, and the expected result: contacts as (phone, first, last, custom fields), and the faulty rows.
NASTY = {
    "crlf": (b"phone,name\r\n+4930,Ada Lovelace\r\n", [("+4930", "Ada", "Lovelace", None)], []),
    "cr": (b"phone,name\r+4930,Ada\r", [("+4930", "Ada", None, None)], []),
    "no line end": (b"phone\n+4930", [("+4930", None, None, None)], []),
    "byte order mark": (b"\xef\xbb\xbfphone\n+4930\n", [("+4930", None, None, None)], []),
    "quoted byte order mark": (b"\xef\xbb\xbf\"phone\"\n+4930\n", [("+4930", None, None, None)], []),
    "semicolons": (b"name;phone;price\nA;+4930;1,5\n", [("+4930", "A", None, {"price": "1,5"})], []),
    "tabs": (b"name\tphone\nA, B\t+4930\n", [("+4930", "A,", "B", None)], []),
    "embedded line end": (b'phone,note\n+4930,"a\r\nb"\n', [("+4930", None, None, {"note": "a\r\nb"})], []),
    "escaped quotes": (b'phone,note\n"+4930","say ""hi"""\n', [("+4930", None, None, {"note": 'say "hi"'})], []),
    "delimiter in quotes": (b'phone,last_name\n+4930,"Doe, John"\n', [("+4930", None, "Doe, John", None)], []),
    "any case and order": (b"LAST NAME,x,Phone_Number\nB,1,+4930\n", [("+4930", None, "B", {"x": "1"})], []),
    "blank lines": (b"\n\nphone\n\n+4930\n\nbad\n", [("+4930", None, None, None)], [7]),
    "empty rows": (b"phone,x\n,\n+4930,\n,,\n", [("+4930", None, None, None)], []),
    "short row": (b"phone,x,y\n+4930\n", [("+4930", None, None, None)], []),
    "long row": (b"phone\n+4930,1\n+4931,\n", [("+4931", None, None, None)], [2]),
    "bad numbers": (b"phone\n030\n+0\n+4930x\n+49 30\n+4930\n", [("+4930", None, None, None)], [2, 3, 4]),
    "bad UTF-8": (b"phone,x\n+4930,\xff\n+4931,\xc3\xa4\n", [("+4931", None, None, {"x": "\u00e4"})], [2]),
    "NUL": (b"phone,x\n+4930,a\0b\n+4931,\n", [("+4931", None, None, None)], [2]),
    "bad zone": (b"phone,timezone\n+4930,Mars\n+4931,UTC\n", [("+4931", None, None, None)], [2]),
    "text behind a quote": (b'phone,x\n+4930,"a"b\n+4931,c\n', [("+4931", None, None, {"x": "c"})], [2]),
    "open quote": (b'phone,x\n+4930,a\n+4931,"b\n+4932,c\n', [("+4930", None, None, {"x": "a"})], [3]),
    "long name": (b"phone,name\n+4930," + b"x" * 256 + b"\n+4931,y\n", [("+4931", "y", None, None)], [2]),
    "huge row": (b"phone,x\n+4930," + b"x" * 300_000 + b"\n+4931,y\n", [("+4931", None, None, {"x": "y"})], [2]),
    "emoji": ("phone,\U0001f600\n+4930,\U0001f600\n".encode(), [("+4930", None, None, {"\U0001f600": "\U0001f600"})],
              []),
}
LINES = {"open quote": 2}  # errors of a row that takes up several lines
REFUSED = {
    "empty": b"", "blank": b"\r\n\r\n", "no phone": b"name\nA\n", "two phones": b"phone,phone\n+4930,+4931\n",
    "twice": b"phone,x,x\n", "a workbook": b"PK\x03\x04\x14\0", "half of UTF-16": b"\xff\xfep",
    "no header": b"+4930,A\n",
}


def send_csv(t, body, path="/contacts/import", status=200, headers=None, api=None):
    reply = (api or t.api).send("POST", path, body, dict(CSV, **(headers or {})))
    assert reply.status == status, reply
    return reply.data if status == 200 else reply


def form(parts):
    """(media type, body) of [(name, file name or None, bytes)]"""
    body = b""
    for name, filename, value in parts:
        of_file = f'; filename="{filename}"' if filename is not None else ""
        body += f'--limit\r\nContent-Disposition: form-data; name="{name}"{of_file}\r\n\r\n'.encode() + value + b"\r\n"
    return "multipart/form-data; boundary=limit", body + b"--limit--\r\n"


def send_form(t, parts, path="/contacts/import"):
    media_type, body = form(parts)
    return t.api.send("POST", path, body, {"Content-Type": media_type})


def rows(count, first=1):
    return "phone,first_name,city\n" + "".join(
        f"{person['phone_number']},First,Berlin\n" for person in contacts(count, first))


def shown(items):
    return sorted((c["phone_number"], c["first_name"], c["last_name"], c["custom_fields"]) for c in items)


def folder(t, name="Folder"):
    return t.api.post("/contacts/folders", {"name": name})


def an_hour_ago():
    return (datetime.datetime.now(datetime.timezone.utc) - datetime.timedelta(hours=1)).strftime("%Y-%m-%dT%H:%M:%SZ")


def count_of(t, made):
    return t.api.get(f"/contacts/folders/{made['id']}")["contact_count"]


# Folders and contacts

def test_folder_fields(t):
    taken = try_all(t.api, "POST", "/contacts/folders", {"name": "x"}, FOLDER_LIMITS)
    assert len(t.api.all("/contacts/folders")) == taken
    t.api.refuse("validation_error", "POST", "/contacts/folders", {}, field="name")


def test_contact_fields(t):
    made = t.api.post("/contacts", {"phone_number": "+4930"})
    try_all(t.api, "PATCH", f"/contacts/{made['id']}", {}, CONTACT_LIMITS)
    for wrong in ("", "4930", "+0", None, 5):
        t.api.refuse("validation_error", "POST", "/contacts", {"phone_number": wrong}, field="phone_number")
    for field in ("last_call_outcome", "id", "created_at", "nonsense"):
        t.api.refuse("validation_error", "POST", "/contacts", {"phone_number": "+4931", field: None}, field=field)


def test_contact_life(t):
    made = folder(t)
    contact = t.api.post("/contacts", {"phone_number": "+4930", "folder_id": "folder_" + made["id"],
                                       "first_name": "Ada", "custom_fields": {"a": [1]}})
    path = f"/contacts/{contact['id']}"
    assert t.api.get(path) == contact and contact["last_call_outcome"] is None, contact
    assert count_of(t, made) == 1
    t.api.refuse("validation_error", "POST", "/contacts", {"phone_number": "+4930", "folder_id": made["id"]},
                 field="phone_number")
    free = t.api.post("/contacts", {"phone_number": "+4930"})
    t.api.refuse("validation_error", "PATCH", path, {"folder_id": None}, field="phone_number")
    moved = t.api.patch(path, {"folder_id": None, "phone_number": "+4931", "first_name": None})
    assert (moved["folder_id"], moved["first_name"], moved["custom_fields"]) == (None, None, {"a": [1]}), moved
    assert count_of(t, made) == 0
    t.api.patch(path, {"folder_id": made["id"]})
    assert count_of(t, made) == 1
    t.api.delete(path)
    t.api.refuse("not_found", "GET", path)
    assert count_of(t, made) == 0 and [c["id"] for c in t.api.all("/contacts")] == [free["id"]]


def test_deleting_a_folder_takes_its_contacts_along(t):
    made, kept = folder(t), folder(t)
    for into in (made, kept):
        send_csv(t, rows(6000), f"/contacts/import?folder_id={into['id']}")
    contact = t.api.get("/contacts", folder_id=made["id"])[0]
    t.api.delete(f"/contacts/folders/{made['id']}")
    for path in (f"/contacts/folders/{made['id']}", f"/contacts/{contact['id']}"):
        t.api.refuse("not_found", "GET", path)
        t.api.refuse("not_found", "DELETE", path)
    t.api.refuse("validation_error", "POST", "/contacts", {"phone_number": "+4930", "folder_id": made["id"]},
                 field="folder_id")
    assert t.api.ask("GET", "/contacts").pagination["total"] == 6000
    assert t.api.ask("GET", "/contacts", query={"folder_id": made["id"]}).pagination["total"] == 0
    ours = "organization_id = (SELECT id FROM organizations WHERE name = '%s')" % t.organization
    until(lambda: t.stack.sql(f"SELECT COUNT(*) FROM contacts WHERE {ours}") == [["6000"]], what="they have left")
    assert count_of(t, kept) == 6000


def test_lists(t):
    small, large = folder(t, "b"), folder(t, "a")
    send_csv(t, rows(3), f"/contacts/import?folder_id={large['id']}")
    t.api.post("/contacts", {"phone_number": "+33123", "first_name": "Ada", "last_name": "Lovelace",
                             "email": "ada@example.com", "folder_id": small["id"]})
    names = lambda **query: [f["name"] for f in t.api.get("/contacts/folders", **query)]
    assert names() == names(sort_by="created_at", order="desc") == names(sort_by="name", order="asc") == ["a", "b"]
    assert names(sort_by="contact_count", order="asc") == names(order="asc") == ["b", "a"]
    found = lambda **query: t.api.ask("GET", "/contacts", query=query).pagination["total"]
    assert found() == 4 and found(folder_id=large["id"]) == 3
    for search in ("+33", "lovelace", "ADA LOVE", "ada@"):
        assert found(search=search) == 1 and found(search=search, folder_id=large["id"]) == 0, search
    assert found(search="%") == found(search="nobody") == found(last_call_outcome="busy") == 0
    for query in ("sort_by=size", "order=up"):
        t.api.refuse("bad_request", "GET", f"/contacts/folders?{query}")
    for query in ("last_call_outcome=queued", "folder_id=x", "nonsense=1"):
        t.api.refuse("bad_request", "GET", f"/contacts?{query}")


def test_letters_of_every_script_are_found(t):
    for name in ("Ünal", "ΑΘΗΝΑ", "Жанна", "\U00010414\U00010407\U0001041d", "ﬁ", "İI"):
        contact = t.api.post("/contacts", {"phone_number": "+4930", "first_name": name})
        assert [found["id"] for found in t.api.get("/contacts", search=name)] == [contact["id"]], name
        t.api.delete(f"/contacts/{contact['id']}")


def test_what_belongs_to_others_is_not_there(t):
    made = folder(t)
    contact = t.api.post("/contacts", {"phone_number": "+4930", "folder_id": made["id"]})
    other = t.client(organization="contacts of others")
    receiver, agent = t.dialing_agent()
    batch = t.api.batch(agent, 1)
    for path in (f"/contacts/folders/{made['id']}", f"/contacts/{contact['id']}"):
        for method, body in (("GET", None), ("PATCH", {}), ("DELETE", None)):
            other.refuse("not_found", method, path, body)
    other.refuse("validation_error", "POST", "/contacts", {"phone_number": "+4930", "folder_id": made["id"]},
                 field="folder_id")
    send_csv(t, rows(1), f"/contacts/import?folder_id={made['id']}", 422, api=other)
    send_csv(t, rows(1), f"/batch-calls/{batch['id']}/contacts/import", 404, api=other)
    assert other.all("/contacts") == other.all("/contacts/folders") == []
    reader = t.client(scopes="read")
    assert send_csv(t, rows(1), status=403, api=reader).error["code"] == "forbidden"


# Imports

def test_nasty_files(t):
    for name, (body, people, bad) in NASTY.items():
        data = send_csv(t, body)
        found = shown(t.api.all("/contacts", folder_id=data["folder_id"]))
        assert found == people, f"{name}: {found}"
        assert (data["imported"], data["errors"]) == (len(people), LINES.get(name, len(bad))), f"{name}: {data}"
        assert [error["row"] for error in data["error_details"]] == bad, f"{name}: {data}"
        assert all(error["reason"] for error in data["error_details"])


def test_refused_files(t):
    for name, body in REFUSED.items():
        reply = send_csv(t, body, status=422)
        assert reply.details["field"] == "file", f"{name}: {reply}"
    assert t.api.all("/contacts/folders") == [], "no folder is made for them"
    for media_type, code in (("application/json", 415), ("text/plain", 415), (None, 415), ("multipart/form-data", 400)):
        reply = t.api.send("POST", "/contacts/import", rows(1), {"Content-Type": media_type})
        assert reply.status == code, (media_type, reply)
    for query in ("folder_id=x", "overwrite_existing=maybe", "nonsense=1"):
        assert send_csv(t, rows(1), f"/contacts/import?{query}", 400)
    send_csv(t, rows(1), f"/contacts/import?folder_id={UNKNOWN}", 422)


def test_the_first_hundred_errors_are_reported(t):
    data = send_csv(t, rows(1) + "bad\n" * 250)
    assert (data["imported"], data["errors"], len(data["error_details"])) == (1, 250, 100), data
    assert data["error_details"][0] == {"row": 3, "phone": "bad", "reason": data["error_details"][0]["reason"]}


def test_numbers_that_are_there_are_skipped_or_overwritten(t):
    made = folder(t)
    path = f"/contacts/import?folder_id={made['id']}"
    first = send_csv(t, "phone,name,x\n+4930,A,1\n+4931,B,2\n+4930,C,3\n", path)
    assert (first["imported"], first["skipped"], first["updated"]) == (2, 1, 0), first
    again = send_csv(t, "phone,name\n+4930,D\n+4932,E\n", path)
    assert (again["imported"], again["skipped"]) == (1, 1), again
    ids = {c["phone_number"]: c["id"] for c in t.api.all("/contacts")}
    over = send_csv(t, "phone,name\n+4930,F\n+4933,G\n+4930,H\n", path + "&overwrite_existing=true")
    assert (over["imported"], over["updated"], over["skipped"]) == (1, 2, 0), over
    assert shown(t.api.all("/contacts")) == [("+4930", "H", None, {"x": "1"}), ("+4931", "B", None, {"x": "2"}),
                                             ("+4932", "E", None, None), ("+4933", "G", None, None)]
    assert {c["phone_number"]: c["id"] for c in t.api.all("/contacts") if c["phone_number"] in ids} == ids
    assert count_of(t, made) == 4


def test_forms(t):
    made = folder(t)
    parts = [("folder_id", None, made["id"].encode()), ("file", "x.csv", rows(2).encode()),
             ("overwrite_existing", None, b"true")]
    for ordered in (parts, parts[::-1]):
        reply = send_form(t, ordered)
        assert reply.status == 200 and reply.data["folder_id"] == made["id"], reply
    assert reply.data["updated"] == 2, reply
    reply = send_form(t, [("file", "C:\\lists\\spring.2026.csv", rows(1).encode())])
    assert t.api.get(f"/contacts/folders/{reply.data['folder_id']}")["name"] == "spring.2026", reply
    for wrong, field in ((parts[:1], "file"), ([("nonsense", None, b"1")] + parts, "nonsense"),
                         ([("folder_id", None, b"x")] + parts[1:], "folder_id")):
        reply = send_form(t, wrong)
        assert reply.status == 422 and reply.details["field"] == field, reply
    media_type, body = form(parts)
    for cut in (0, 10, 60, len(body) // 2, len(body) - 10):
        reply = t.api.send("POST", "/contacts/import", body[:cut], {"Content-Type": media_type})
        assert reply.status == 400, (cut, reply)
    assert send_form(t, parts + [parts[1]]).status == 400, "two files"
    assert count_of(t, made) == 2


def test_the_same_import_twice_is_done_once(t):
    key = {"Idempotency-Key": "import"}
    replies = []
    threads = [threading.Thread(target=lambda: replies.append(t.api.send("POST", "/contacts/import", rows(5000),
                                                                         dict(CSV, **key)))) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert {reply.status for reply in replies} <= {200, 409} and len(t.api.all("/contacts/folders")) == 1, replies
    again = t.api.send("POST", "/contacts/import", rows(5000), dict(CSV, **key))
    assert again.headers["Idempotency-Replayed"] == "true" and again.data["imported"] == 5000, again
    assert send_csv(t, rows(5001), status=409, headers=key).error["code"] == "idempotency_conflict"
    assert t.api.ask("GET", "/contacts").pagination["total"] == 5000


def test_a_large_file_in_little_memory(t):
    made = folder(t)
    data = send_csv(t, rows(100_000), f"/contacts/import?folder_id={made['id']}")
    assert (data["imported"], data["errors"], count_of(t, made)) == (100_000, 0, 100_000), data
    reply = send_form(t, [("file", "x.csv", rows(100_000).encode())], f"/contacts/import?folder_id={made['id']}")
    assert reply.data["skipped"] == 100_000, reply
    for worker in t.stack.workers():
        with open(f"/proc/{worker}/status") as status:
            peak = next(int(line.split()[1]) for line in status if line.startswith("VmHWM:"))
        assert t.sanitized or peak < WORKER_MEGABYTES * 1024, f"a worker took {peak} KiB"


def test_too_long_a_file(t):
    host = t.api.host
    connection = http.client.HTTPConnection(host, timeout=70)
    connection.putrequest("POST", "/api/public/v1/contacts/import")
    for name, value in {"Authorization": f"Bearer {t.api.key}", "Content-Type": "text/csv",
                        "Content-Length": str((64 << 20) + 1)}.items():
        connection.putheader(name, value)
    connection.endheaders()
    reply = connection.getresponse()
    assert reply.status == 413 and json.loads(reply.read())["error"]["code"] == "payload_too_large"
    connection.close()


def test_the_command_does_the_same(t):
    t.api.get("/contacts")
    with tempfile.TemporaryDirectory() as place:
        path = os.path.join(place, "people.csv")
        with open(path, "w") as file:
            file.write(rows(2500) + "bad\n")
        for expected in ("imported 2500, updated 0, skipped 0, errors 1",
                         "imported 0, updated 0, skipped 2500, errors 1"):
            printed = t.stack.outdial("import", path, "--organization", t.organization, "--folder", "From the shell")
            assert printed.startswith(expected) and "row 2502: bad: " in printed, printed
        receiver, agent = t.dialing_agent()
        batch = t.api.batch(agent, 0)
        t.stack.outdial("import", path, "--organization", t.organization, "--batch", batch["id"])
        for arguments in (["--folder", "x"], ["--organization", t.organization],
                          ["--organization", "no such", "--folder", "x"],
                          ["--organization", t.organization, "--batch", UNKNOWN]):
            result = subprocess.run([f"{t.stack.build}/outdial", "-c", t.stack.config_file, "import", path, *arguments],
                                    capture_output=True, text=True)
            assert result.returncode == 1 and result.stderr and result.stderr[0] != "<", (arguments, result)
    assert [(f["name"], f["contact_count"]) for f in t.api.all("/contacts/folders")] == [("From the shell", 2500)]
    assert t.api.read(batch)["total_contacts"] == 2500


# Campaigns

def test_import_into_a_campaign(t):
    receiver, agent = t.dialing_agent()
    batch = t.api.batch(agent, contacts(1))
    path = f"/batch-calls/{batch['id']}/contacts/import"
    data = send_csv(t, "phone,name,x\n+3301,Ada Lovelace,1\nbad,B,\n+3302,C,\n+3301,D,\n"
                    + f"{contacts(1)[0]['phone_number']},,\n", path)
    assert (data["imported"], data["skipped"], data["errors"], data["total_contacts"]) == (2, 2, 1, 5), data
    people = t.api.contacts_of(batch)
    assert [p["phone_number"] for p in people[1:4]] == ["+3301", "+3302", "+3301"], people
    assert (people[1]["first_name"], people[1]["last_name"],
            people[1]["custom_fields"]) == ("Ada", "Lovelace", {"x": "1"})
    assert [p["error_reason"] for p in people[3:]] == ["duplicate"] * 2
    assert send_form(t, [("file", "x.csv", rows(3, 100).encode())], path).data["imported"] == 3
    assert send_form(t, [("folder_id", None, b"x"), ("file", "x.csv", b"")], path).status == 422
    for body in REFUSED.values():
        send_csv(t, body, path, 422)
    send_csv(t, rows(1), f"/batch-calls/{UNKNOWN}/contacts/import", 404)
    t.api.schedule(batch)
    assert send_csv(t, rows(3000, 200), path)["imported"] == 3000, "while it runs"
    until(lambda: t.api.read(batch)["called"] > 20, what="calls are placed")
    t.api.post(f"/batch-calls/{batch['id']}/cancel")
    assert send_csv(t, rows(1, 9000), path, 422).error["code"] == "invalid_state"


def test_imported_contacts_are_all_called(t):
    receiver, agent = t.dialing_agent()
    batch = t.api.batch(agent, contacts(1, 5000), max_concurrent_calls=100)
    t.api.schedule(batch, {"scheduled_at": "2040-01-01T00:00:00Z"})
    send_csv(t, rows(300), f"/batch-calls/{batch['id']}/contacts/import")
    waiting = t.api.contacts_of(batch)
    assert len({p["scheduled_at"] for p in waiting}) == 301 and all(p["scheduled_at"] for p in waiting)
    assert [p["scheduled_at"] for p in waiting] == sorted(p["scheduled_at"] for p in waiting)


def test_a_campaign_of_a_folder(t):
    receiver, agent = t.dialing_agent()
    made = folder(t)
    send_csv(t, rows(120), f"/contacts/import?folder_id={made['id']}")
    batch = t.api.batch(agent, [], contact_source="folder", contact_folder_id=made["id"])
    assert (batch["total_contacts"], batch["contact_source"], batch["contact_folder_id"]) == (120, "folder", made["id"])
    people = t.api.contacts_of(batch)
    kept = {c["id"]: c for c in t.api.all("/contacts")}
    assert [p["phone_number"] for p in people] == [p["phone_number"] for p in contacts(120)], "in the file's order"
    for person in people:
        contact = kept[person["contact_id"]]
        assert all(contact[field] == person[field] for field in ("phone_number", "first_name", "custom_fields"))
    for fields, wrong in (({"contact_source": "folder"}, "contact_folder_id"),
                          ({"contact_source": "folder", "contact_folder_id": UNKNOWN}, "contact_folder_id"),
                          ({"contact_folder_id": made["id"]}, "contact_folder_id"),
                          ({"contact_ids": [people[0]["contact_id"], UNKNOWN]}, "contact_ids"),
                          ({"contact_ids": [people[0]["contact_id"]] * 2}, "contact_ids"),
                          ({"contact_ids": ["x"]}, "contact_ids[0]")):
        body = {"name": "x", "agent_id": agent["id"], "phone_number_ids": batch["phone_number_ids"], **fields}
        t.api.refuse("validation_error", "POST", "/batch-calls", body, field=wrong)
    empty = t.api.batch(agent, [], contact_source="folder", contact_folder_id=folder(t, "empty")["id"])
    assert empty["total_contacts"] == 0
    t.api.refuse("no_contacts", "POST", f"/batch-calls/{empty['id']}/schedule", {})
    t.api.delete(f"/contacts/folders/{made['id']}")
    assert len(t.api.contacts_of(batch)) == 120, "they are copies"


def schedulers(t):
    return [name for name in t.stack.processes if name.startswith("scheduler")]


def row_of(t, batch):
    return f"uuid = {unhex(batch['id'])}"


def test_a_large_folder_is_copied_in_the_background(t):
    """Contacts are copied after the reply too: after the death of a scheduler, by two schedulers at once, and after the
    folder was deleted."""
    receiver, agent = t.dialing_agent()
    made = folder(t)
    send_csv(t, rows(40_000), f"/contacts/import?folder_id={made['id']}")
    exact = folder(t, "exact")
    send_csv(t, rows(10_000), f"/contacts/import?folder_id={exact['id']}")
    whole = t.api.batch(agent, [], contact_source="folder", contact_folder_id=exact["id"])
    assert (whole["total_contacts"], whole["status_reason"]) == (10_000, None), whole
    t.api.batch(agent, [], contact_source="folder", contact_folder_id=made["id"])
    batch = t.api.batch(agent, [{"phone_number": "+3399"}], contact_source="folder", contact_folder_id=made["id"])
    assert (batch["status"], batch["status_reason"]) == ("draft", "contacts are being copied"), batch
    assert batch["total_contacts"] == 10_001, batch
    scheduled = t.api.schedule(batch, {"scheduled_at": "2040-01-02T00:00:00Z"})
    assert (scheduled["status"], scheduled["status_reason"]) == ("scheduled", "contacts are being copied"), scheduled
    t.api.delete(f"/contacts/folders/{made['id']}")
    until(lambda: t.api.read(batch)["total_contacts"] > 14_000, what="it goes on")
    t.stack.kill(schedulers(t)[0])
    t.stack.start_scheduler()
    t.stack.start_scheduler()
    assert send_csv(t, "phone\n+3388\n", f"/batch-calls/{batch['id']}/contacts/import")["imported"] == 1
    t.api.post(f"/batch-calls/{batch['id']}/pause")
    t.api.patch(f"/batch-calls/{batch['id']}", {"max_calls_per_day": 20_001})
    t.api.post(f"/batch-calls/{batch['id']}/resume")
    done = until(lambda: t.api.read(batch) if t.api.read(batch)["status_reason"] is None else None, 60, "all are there")
    assert (done["total_contacts"], done["skipped"], done["status"]) == (40_002, 0, "scheduled"), done
    ours = f"batch_id = (SELECT id FROM batch_calls WHERE {row_of(t, batch)})"
    until(lambda: t.stack.sql(f"SELECT COUNT(*) FROM due_contacts WHERE {ours}") == [["40002"]], what="all are planned")
    assert t.api.read(batch)["planned_until"].startswith("2040-01-03")
    assert t.stack.sql(f"SELECT COUNT(DISTINCT phone_number), MAX(position) FROM batch_contacts WHERE {ours}") \
        == [["40002", "40002"]]
    mine = "organization_id = (SELECT id FROM organizations WHERE name = '%s')" % t.organization
    until(lambda: t.stack.sql(f"SELECT COUNT(*) FROM contacts WHERE {mine}") == [["10000"]],
          what="they left the folder")
    t.stack.kill(schedulers(t)[0])


def test_a_copy_that_is_not_wanted_any_more(t):
    receiver, agent = t.dialing_agent()
    made = folder(t)
    send_csv(t, rows(40_000), f"/contacts/import?folder_id={made['id']}")
    cancelled, deleted = [t.api.batch(agent, [], contact_source="folder", contact_folder_id=made["id"]) for _ in "ab"]
    t.api.post(f"/batch-calls/{cancelled['id']}/cancel")
    t.api.delete(f"/batch-calls/{deleted['id']}")
    t.api.delete(f"/contacts/folders/{made['id']}")
    until(lambda: t.stack.sql(f"SELECT COUNT(*) FROM batch_calls WHERE {row_of(t, deleted)}") == [["0"]],
          what="it left")
    gone = t.api.read(cancelled)
    assert gone["status"] == "cancelled" and gone["cancelled"] == gone["total_contacts"] < 40_000, gone
    ours = "organization_id = (SELECT id FROM organizations WHERE name = '%s')" % t.organization
    until(lambda: t.stack.sql(f"SELECT COUNT(*) FROM contacts WHERE {ours}") == [["0"]], what="so did the contacts")


def test_a_campaign_of_stored_contacts_reports_their_outcome(t):
    receiver, agent = t.dialing_agent()
    receiver.script = lambda call: ends("busy" if call.data["to"][-1] in "02468" else "completed")
    send_csv(t, rows(30))
    kept = t.api.all("/contacts")
    ids = [c["id"] for c in kept[:10]]
    batch = t.api.batch(agent, [{"phone_number": kept[0]["phone_number"]}, {"phone_number": "+3399"}],
                        contact_ids=["ctc_" + id for id in ids], schedule_type="scheduled",
                        scheduled_at=an_hour_ago(), max_concurrent_calls=100)
    people = t.api.contacts_of(batch)
    assert [p["contact_id"] for p in people] == [None, None] + ids
    assert people[2]["error_reason"] == "duplicate" and batch["skipped"] == 1, people[2]
    t.api.wait_for(batch, "completed")
    called = {c["id"]: c for c in t.api.all("/contacts") if c["last_call_outcome"]}
    assert set(called) == set(ids[1:]), called
    for contact in called.values():
        expected = "busy" if contact["phone_number"][-1] in "02468" else "completed"
        assert contact["last_call_outcome"] == expected and contact["last_called_at"], contact
    assert {c["id"] for c in t.api.all("/contacts", last_call_outcome="busy")} == {
        id for id, c in called.items() if c["last_call_outcome"] == "busy"}


def test_charsets(t):
    latin = "phone,first_name\n+4930000001,Jörg\n".encode("latin-1")
    for charset in ("windows-1252", "ISO-8859-1", '"cp1252"'):
        data = send_csv(t, latin, headers={"Content-Type": f"text/csv; header=present; charset={charset}"})
        assert t.api.get("/contacts", folder_id=data["folder_id"])[0]["first_name"] == "Jörg", data
        data = send_csv(t, latin, headers={"Content-Type": "text/csv; charset=utf-8"},
                        path=f"/contacts/import?charset={charset.strip(chr(34))}")
        assert data["errors"] == 0, "the parameter counts more"
    assert send_csv(t, latin)["errors"] == 1
    assert send_csv(t, rows(1).encode("utf-16"))["errors"] == 0
    send_csv(t, latin, "/contacts/import?charset=utf-7", 400)
    for charset in ("utf-7", "x" * 100, '""'):
        reply = t.api.refuse("unsupported_media_type", "POST", "/contacts/import", latin,
                             headers={"Content-Type": f"text/csv; header=present; charset={charset}"})
        assert "UTF-8" in reply.error["message"], reply
    for charset in ("utf-8", "UTF8", '"utf-8"', "us-ascii"):
        assert send_csv(t, rows(1), headers={"Content-Type": f"text/csv;charset={charset}"})["errors"] == 0, charset
    def with_header(header):
        return form([("file", "a.csv", latin)])[1].replace(b"\r\n\r\n", f"\r\n{header}\r\n\r\n".encode(), 1)
    reply = t.api.send("POST", "/contacts/import", with_header("Content-Type: text/csv; charset=windows-1252"),
                       {"Content-Type": "multipart/form-data; boundary=limit"})
    assert (reply.status, reply.data["errors"]) == (200, 0), reply
    for header in ("Content-Type: text/csv; charset=utf-7", "Content-Transfer-Encoding: base64"):
        body = with_header(header)
        t.api.refuse("unsupported_media_type", "POST", "/contacts/import", body,
                     headers={"Content-Type": "multipart/form-data; boundary=limit"})
    reply = t.api.refuse("unsupported_media_type", "POST", "/contacts/import", gzip.compress(rows(1).encode()),
                         headers=dict(CSV, **{"Content-Encoding": "gzip"}))
    assert reply.headers["Accept-Encoding"] == "identity", reply.headers


def test_quotes_in_names_of_files(t):
    for filename, name in (('a \\"b\\".csv', 'a "b"'), ("a %22b%22.csv", 'a "b"'), ("x; name=y.csv", "x; name=y"),
                           ("C:\\\\files\\\\z.csv", "z")):
        reply = send_form(t, [("file", filename, rows(1).encode())])
        assert reply.status == 200 and t.api.get(f"/contacts/folders/{reply.data['folder_id']}")["name"] == name, reply
    body = form([("file", "first.csv", rows(1).encode())])[1].replace(
        b'name="file"; filename="first.csv"', b'filename="; name=\\"other\\"; .csv"; name="file"')
    reply = t.api.send("POST", "/contacts/import", body, {"Content-Type": "multipart/form-data; boundary=limit"})
    assert reply.status == 200, reply


def test_a_form_comes_again_with_another_boundary(t):
    def send(boundary, value):
        body = form([("overwrite_existing", None, b"true"), ("file", "people.csv", value)])[1].replace(b"--limit",
                                                                                                       b"--" + boundary)
        return t.api.send("POST", "/contacts/import", body, {
            "Content-Type": f"multipart/form-data; boundary={boundary.decode()}", "Idempotency-Key": "form"})

    first = send(b"one", rows(20).encode())
    again = send(b"another", rows(20).encode())
    assert first.status == again.status == 200 and again.text == first.text, (first, again)
    assert again.headers["Idempotency-Replayed"] == "true" and len(t.api.all("/contacts/folders")) == 1
    t.api.send("GET", "/contacts")
    for other in (rows(21), rows(20).replace("Berlin", "Bonn", 1)):
        reply = send(b"one", other.encode())
        assert (reply.status, reply.error["code"]) == (409, "idempotency_conflict"), reply


def first_free_descriptor(pid):
    taken = {int(name) for name in os.listdir(f"/proc/{pid}/fd")}
    return next(number for number in range(len(taken) + 1) if number not in taken)


def test_a_full_disk(t):
    """The answer is the same whichever step finds no room, and it is not kept under the idempotency key."""
    workers = t.stack.workers()
    no_room = {pid: (resource.RLIMIT_FSIZE, 0) for pid in workers}
    no_file = {pid: (resource.RLIMIT_NOFILE, first_free_descriptor(pid) + 1) for pid in workers}  # one: the connection
    small, large = rows(10).encode(), rows(20_000).encode()

    def send(file):
        media_type, body = form([("file", "people.csv", file)])
        return t.api.send("POST", "/contacts/import", body, {"Content-Type": media_type, "Idempotency-Key": "disk"})

    for limits, file in ((no_room, small), (no_room, large), (no_file, small)):
        before = {pid: resource.prlimit(pid, kind) for pid, (kind, _) in limits.items()}
        for pid, (kind, value) in limits.items():
            resource.prlimit(pid, kind, (value, before[pid][1]))
        try:
            reply = send(file)
        finally:
            for pid, (kind, _) in limits.items():
                resource.prlimit(pid, kind, before[pid])
        assert (reply.status, reply.error["code"]) == (503, "unavailable") and reply.headers["Retry-After"], reply
        assert t.stack.workers() == workers, "a worker has died"
    assert t.api.all("/contacts/folders") == []
    assert send(small).status == 200


if __name__ == "__main__":
    tap.run(globals())
