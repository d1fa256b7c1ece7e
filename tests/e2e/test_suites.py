#!/usr/bin/env python3
"""Suites of others: whatever is in their files, it is refused with a reason or comes back as it was sent.

The suites are not part of Outdial. Environment variables name folders that hold them:

    OUTDIAL_JSON_SUITE       test_parsing of JSONTestSuite: files y_*.json, n_*.json, i_*.json
    OUTDIAL_CSV_SUITE        csv-spectrum: folders csvs and json
    OUTDIAL_NAUGHTY_STRINGS  the big list of naughty strings: blns.json
"""

import csv
import io
import json
import os
import re

import tap
from client import contacts, until
from receiver import ends
from test_texts import cleaned, quoted, results_of

STACK = {"rate_limit": False}

CSV = {"Content-Type": "text/csv"}
KNOWN = {"phone", "phonenumber", "firstname", "lastname", "name", "fullname", "email", "timezone"}
NAME_MAX = 255


def files_of(variable, folder="", ending=""):
    """[(name, bytes)] of a suite; skips the test where there is none."""
    place = os.environ.get(variable)
    if not place:
        raise tap.Skip(f"{variable} names no folder: the suite is not here")
    place = os.path.join(place, folder)
    names = sorted(name for name in os.listdir(place) if name.endswith(ending) and not name.startswith("."))
    assert names, f"{variable}: there is nothing in {place}"
    files = []
    for name in names:
        with open(os.path.join(place, name), "rb") as file:
            files.append((name, file.read()))
    return files


def naughty_strings():
    return [text for text in json.loads(dict(files_of("OUTDIAL_NAUGHTY_STRINGS"))["blns.json"])]


def send_csv(t, body, path="/contacts/import"):
    reply = t.api.send("POST", path, body, CSV)
    assert reply.status in (200, 422), (body[:200], reply)
    if reply.status == 200:
        data = reply.data
        assert data["rows"] == data["imported"] + data["updated"] + data["skipped"] + data["errors"], (body[:200], data)
    return reply


def refuse_repeated(pairs):
    assert len(dict(pairs)) == len(pairs), "a key is given twice"
    return dict(pairs)


def has_nul(value):
    if isinstance(value, dict):
        return any(has_nul(part) for pair in value.items() for part in pair)
    return any(map(has_nul, value)) if isinstance(value, list) else isinstance(value, str) and "\0" in value


def is_stored(text):
    """Returns whether a JSON text is accepted as a value: repeated keys and NUL are refused."""
    try:
        return not has_nul(json.loads(text, object_pairs_hook=refuse_repeated))
    except AssertionError:
        return False


def test_json_bodies(t):
    """The API accepts and refuses what the suite says, for whole bodies and for values in bodies."""
    for name, text in files_of("OUTDIAL_JSON_SUITE", ending=".json"):
        reply = t.api.send("POST", "/contacts", text)
        assert reply.status in (400, 413, 422), (name, reply)
        if name.startswith("n_") and text.strip():
            assert reply.status in (400, 413), (name, reply)
        reply = t.api.send("POST", "/contacts", b'{"phone_number": "+4930", "custom_fields": {"v": ' + text + b"}}")
        if name.startswith("n_"):
            assert reply.status in (400, 413, 422), (name, reply)
        if name.startswith("y_"):
            assert reply.status == (201 if is_stored(text) else 422), (name, reply)
        if reply.status == 201:
            path = f"/contacts/{reply.data['id']}"
            assert t.api.get(path) == reply.data
            assert not name.startswith("y_") or reply.data["custom_fields"] == {"v": json.loads(text)}, (name, reply)
            t.api.delete(path)
        assert reply.status < 500, (name, reply)


def test_json_bodies_as_imports(t):
    for name, text in files_of("OUTDIAL_JSON_SUITE", ending=".json"):
        send_csv(t, text)
        send_csv(t, b"phone," + text + b"\n+4930,1\n")
        send_csv(t, b"phone,v\n+4930," + text + b"\n")
        send_csv(t, b"phone,v\n+4930," + quoted(text) + b"\n", "/do-not-call/import")
    assert t.api.all("/contacts") and t.api.all("/do-not-call")


def rows_with_numbers(text):
    """Returns the file with a column of numbers in front, and the numbers. A record begins at the end of the record
    before."""
    lines = text.splitlines(keepends=True)
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    people = (person["phone_number"] for person in contacts(1000))
    out, at, cells = [], 0, ["phone"]
    for _ in reader:
        out.append(cells[-1] + "," + "".join(lines[at:reader.line_num]))
        at = reader.line_num
        cells.append(next(people))
    return "".join(out), cells[1:len(out)]


def expected_fields(row):
    """Returns the custom fields that a row of the suite must have: known columns and empty cells are left out."""
    return {name: value for name, value in row.items() if value and re.sub("[^a-z0-9]", "", name.lower()) not in KNOWN}


def test_csv_files(t):
    suite = dict(files_of("OUTDIAL_CSV_SUITE", "csvs", ".csv"))
    wanted = dict(files_of("OUTDIAL_CSV_SUITE", "json", ".json"))
    for name, text in suite.items():
        rows = json.loads(wanted[name.replace(".csv", ".json")])
        file, numbers = rows_with_numbers(text.decode())
        reply = send_csv(t, file.encode())
        assert (reply.status, reply.data["imported"], reply.data["rows"]) == (200, len(rows), len(rows)), (name, reply)
        found = {c["phone_number"]: c["custom_fields"]
                 or {} for c in t.api.all("/contacts", folder_id=reply.data["folder_id"])}
        assert found == dict(zip(numbers, map(expected_fields, rows))), (name, found)
        assert t.api.send("POST", "/contacts", text).status == 400, name
        assert send_csv(t, text).status == 422, "no column of numbers"


def test_naughty_strings_in_files(t):
    """The strings are cells, names of columns and numbers: imported into a campaign, and read as JSON, as CSV and as
    webhooks."""
    strings = naughty_strings()
    receiver, agent = t.dialing_agent()
    receiver.script = lambda call: ends()
    batch = t.api.batch(agent, [], max_concurrent_calls=100)
    path = f"/batch-calls/{batch['id']}/contacts/import"
    people = [person["phone_number"] for person in contacts(len(strings))]
    reply = send_csv(t, b"phone,v\n" + b"".join(
        phone.encode() + b"," + quoted(text.encode()) + b"\n" for phone, text in zip(people, strings)), path)
    assert (reply.data["imported"], reply.data["errors"]) == (len(strings), 0), reply
    expected = {phone: {"v": text} if text else {} for phone, text in zip(people, strings)}
    for number, text in enumerate(strings):
        phone = f"+4940{number:07}"
        name = cleaned(text.encode())
        reply = send_csv(t, b"phone," + quoted(text.encode()) + f"\n{phone},1\n".encode(), path)
        if reply.status == 422:
            assert re.sub("[^a-z0-9]", "", text.lower()) in ("phone",
                                                             "phonenumber") or len(text) > NAME_MAX, (text, reply)
        elif reply.data["columns"][1]["used_as"] in ("custom_field", "ignored"):
            assert reply.data["columns"][1]["name"] == name, (text, reply)
            expected[phone] = {name: "1"} if name else {}
        send_csv(t, b"phone\n" + quoted(text.encode()) + b"\n", path)
    found = {c["phone_number"]: c["custom_fields"] or {} for c in t.api.contacts_of(batch)}
    assert found == expected, set(found) ^ set(expected)
    exported = {row["phone_number"]: json.loads(row["custom_fields"] or "{}") for row in results_of(t, batch)}
    assert exported == expected
    t.api.schedule(batch)
    t.api.wait_for(batch, "completed")
    called = {call.data["to"]: call.data["variables"] for call in receiver.calls()}
    assert called == expected, set(called) ^ set(expected)


def test_naughty_strings_in_bodies(t):
    """The strings are values and names of fields wherever a text is allowed; and texts of searches."""
    receiver, agent = t.dialing_agent()
    numbers = [t.api.number()["id"]]
    for text in naughty_strings():
        fields = {text: [text, {text: text}]}
        short = text[:NAME_MAX]
        contact = t.api.post("/contacts",
                             {"phone_number": "+4930", "first_name": short, "last_name": short, "email": text[:320],
                                           "custom_fields": fields})
        assert (contact["custom_fields"], contact["first_name"]) == (fields, short or None), contact
        assert t.api.get(f"/contacts/{contact['id']}") == contact
        if short:
            assert contact["id"] in [found["id"] for found in t.api.get("/contacts", search=short)], text
            folder = t.api.post("/contacts/folders", {"name": short, "description": text[:1000]})
            assert (folder["name"], folder["description"]) == (short, text[:1000] or None), folder
            campaign = t.api.post("/batch-calls", {"name": short, "agent_id": agent["id"], "metadata": fields,
                                                     "phone_number_ids": numbers})
            assert (campaign["name"], campaign["metadata"]) == (short, fields), campaign
            t.api.delete(f"/batch-calls/{campaign['id']}")
        t.api.delete(f"/contacts/{contact['id']}")
        reply = t.api.send("POST", "/contacts", {"phone_number": text, text: text})
        assert reply.status == 422 and reply.details["field"], (text, reply)
        assert t.api.send("POST", "/contacts", text or " ").status in (400, 422), text
    settings = {text: text for text in naughty_strings()}
    assert t.api.patch(f"/agents/{agent['id']}", {"settings": settings})["settings"] == settings
    synced = until(lambda: [event for event in receiver.of_type("agent.sync")
                            if event.data.get("settings") == settings],
                   what="the dialer has the settings")
    assert synced


if __name__ == "__main__":
    tap.run(globals())
