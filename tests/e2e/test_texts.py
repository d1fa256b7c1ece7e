#!/usr/bin/env python3
"""Every reply, export and webhook can be parsed and returns the text that a user sent, whatever it is."""

import csv
import http.client
import io
import json
import os
import re

import tap
from client import BASE, contacts, unhex
from receiver import ends
from stack import ROOT

STACK = {"rate_limit": False}

CSV = {"Content-Type": "text/csv"}
HEADERS = 60
CONTROL = "\x00-\x1f\x7f-\x9f"
DEPTH = 32  # the deepest nesting of a body that is accepted

# Parts of column names. Bytes that are not UTF-8, and NUL, are refused.
PIECES = [b'"', b'"', b"\\", b"\\u0041", b"\n", b"\r\n", b"\t", b"\x01", b"\x1b[31m", b"\x7f", b"\xc2\x9b", b" ",
          b"  ", b"'", b",",
          b":", b"{", b"}", b"[", b"]", b'":"1"},"to":"+1666","x', b'":1', b"//", b"<script>", b"%s", b"=1+1",
          b"\xe2\x80\xae",
          b"\xf0\x9f\x98\x80", b"\xc3\xa4", b"a", b"b", b"c", b"0", b"__proto__", b"null", b"$[*]", b"%00",
          b"\xe2\x80\xa8"]
REFUSED_PIECES = [b"\x00", b"\xff", b"\xed\xa0\x80", b"\xc3"]

# Texts as an earlier version stored them, and the custom fields after the repair.
POISONED = {
    '{"Height 5"":"tall"}': {'Height 5"': "tall"},
    '{"Amount\n(USD)":"5","b":"\\"x\\""}': {"Amount (USD)": "5", "b": '"x"'},
    '{"x":"1"},"to":"+1666","y":"v"}': {'x":"1"},"to': "+1666", "y": "v"},
    '{"cut':  {"unreadable": '{"cut'},
    '["an array"]': {"unreadable": '["an array"]'},
}


def quoted(text):
    return b'"' + text.replace(b'"', b'""') + b'"'


def cleaned(name):
    """Returns the name of the custom field for a column's name; None if a file with this column is refused."""
    try:
        text = name.decode()
    except UnicodeDecodeError:
        return None
    if "\0" in text:
        return None
    if re.fullmatch('="[^"]*"', text):  # marks with which spreadsheets show a value as text
        text = text[2:-1]
    elif re.match("'[=+\\-@\t\r]", text):
        text = text[1:]
    return re.sub(f"[ {CONTROL}]*[{CONTROL}][ {CONTROL}]*", " ", text).strip(" ")


def random_name(t):
    pieces = PIECES if t.random.random() < 0.9 else PIECES + REFUSED_PIECES
    return b"".join(t.random.choice(pieces) for _ in range(t.random.randint(1, 8)))


def send_csv(t, body, path="/contacts/import"):
    return t.api.send("POST", path, body, CSV)


def results_of(t, batch):
    connection = http.client.HTTPConnection(t.api.host, timeout=60)
    connection.request("GET", f"{BASE}/batch-calls/{batch['id']}/results.csv",
                       headers={"Authorization": f"Bearer {t.api.key}"})
    answer = connection.getresponse()
    text = answer.read().decode()
    connection.close()
    assert answer.status == 200, text
    return list(csv.DictReader(io.StringIO(text, newline="")))


def import_header(t, path, names, phone):
    """Imports a row under a header; returns the custom fields to expect, or None if the header was rightly refused."""
    values = [f"value {i}" for i in range(len(names))]
    body = b"phone," + b",".join(map(quoted, names)) + f"\n{phone},{','.join(values)}\n".encode()
    reply = send_csv(t, body, path)
    fields = [cleaned(name) for name in names]
    named = [field for field in fields if field]
    if None in fields or len(set(named)) < len(named):
        assert reply.status == 422 and reply.details["field"] == "file", (body, reply)
        return None
    assert reply.status == 200 and reply.data["imported"] == 1, (body, reply)
    return {field: value for field, value in zip(fields, values) if field}


def test_a_header_of_any_bytes_comes_back(t):
    receiver, agent = t.dialing_agent()
    receiver.script = lambda call: ends()
    batch = t.api.batch(agent, [], max_concurrent_calls=50)
    expected = {}
    for person in contacts(HEADERS):
        names = [random_name(t) for _ in range(t.random.randint(1, 4))]
        fields = import_header(t, f"/batch-calls/{batch['id']}/contacts/import", names, person["phone_number"])
        if fields is not None:
            import_header(t, "/contacts/import", names, person["phone_number"])
            expected[person["phone_number"]] = fields
    assert len(expected) > HEADERS / 2, "most names are of use"
    for listed in (t.api.all("/contacts"), t.api.contacts_of(batch)):
        found = {c["phone_number"]: c["custom_fields"] or {} for c in listed}
    assert found == expected, [(expected.get(number), found.get(number)) for number in {**expected, **found}
                               if expected.get(number) != found.get(number)]
    exported = {row["phone_number"]: json.loads(row["custom_fields"] or "{}") for row in results_of(t, batch)}
    assert exported == expected, exported
    t.api.schedule(batch)
    t.api.wait_for(batch, "completed")
    calls = {call.data["to"]: call.data for call in receiver.calls()}
    for phone, fields in expected.items():
        assert calls[phone]["contact"]["custom_fields"] == calls[phone]["variables"] == fields, calls[phone]


def test_names_of_fields_in_json_come_back(t):
    fields = {}
    for _ in range(200):
        name = random_name(t).decode(errors="replace").replace("\0", "")
        fields[name] = {name: [name]}
    receiver, agent = t.dialing_agent()
    receiver.script = lambda call: ends()
    contact = t.api.post("/contacts", {"phone_number": "+4930", "custom_fields": fields})
    assert t.api.get(f"/contacts/{contact['id']}")["custom_fields"] == contact["custom_fields"] == fields
    batch = t.api.batch(agent, [{"phone_number": "+4930", "custom_fields": fields}], metadata=fields)
    assert t.api.read(batch)["metadata"] == t.api.contacts_of(batch)[0]["custom_fields"] == fields
    assert json.loads(results_of(t, batch)[0]["custom_fields"]) == fields
    t.api.schedule(batch)
    t.api.wait_for(batch, "completed")
    assert receiver.calls()[0].data["variables"] == fields
    t.api.patch(f"/agents/{agent['id']}", {"settings": fields})
    assert t.api.get(f"/agents/{agent['id']}")["settings"] == fields
    t.api.refuse("validation_error", "POST", "/contacts", {"phone_number": "+4931", 'x":1,"y': 1})


def test_the_deepest_object_is_stored(t):
    def nested(levels):
        return {"a": nested(levels - 1)} if levels > 1 else {}

    receiver, agent = t.dialing_agent()
    for path, body, field, around in (
            ("/contacts", {"phone_number": "+4930"}, "custom_fields", 1),
            ("/agents", {"name": "x", "webhook_id": agent["webhook_id"]}, "settings", 1)):
        made = t.api.post(path, dict(body, **{field: nested(DEPTH - around)}))
        assert made[field] == nested(DEPTH - around)
        assert t.api.send("POST", path, dict(body, **{field: nested(DEPTH - around + 1)})).status == 400
    batch = t.api.batch(agent, [{"phone_number": "+4930", "custom_fields": nested(DEPTH - 3)}],
                        metadata=nested(DEPTH - 1))
    assert t.api.contacts_of(batch)[0]["custom_fields"] == nested(DEPTH - 3)
    call = t.api.post("/calls", {"agent_id": agent["id"], "phone_number": "+4930", "variables": nested(DEPTH - 1),
                                 "from_number": batch["from_number"]})
    assert call["status"] == "queued", call


NUMBERS = ("0", "-0", "-0.0", "1e5", "1E-300", "1.5e+300", "123456789012345678", "-9223372036854775808", "0.1",
           "19.99", "1e0")


def test_numbers_of_every_form_are_stored(t):
    body = '{"phone_number": "+4930", "custom_fields": {"n": [%s]}}' % ", ".join(NUMBERS)
    contact = t.api.post("/contacts", body)
    assert contact["custom_fields"]["n"] == [json.loads(number) for number in NUMBERS], contact


def test_files_of_spreadsheets(t):
    for file, fields in ((b'phone,name,"Amount\n(USD)"\r\n+12125550100,Ada,5\r\n', {"Amount (USD)": "5"}),
                         (b'phone,name,"Height 5"""\r\n+12125550100,Ada,tall\r\n', {'Height 5"': "tall"})):
        reply = send_csv(t, file)
        assert reply.status == 200 and reply.data["errors"] == 0, reply
        made = t.api.get("/contacts", folder_id=reply.data["folder_id"])
        assert [(c["first_name"], c["custom_fields"]) for c in made] == [("Ada", fields)], made


CHECKED = {"contacts": ("custom_fields",), "batch_contacts": ("custom_fields",), "batch_calls": ("metadata",),
           "agents": ("settings",), "single_calls": ("variables", "call_settings")}


def fill_tables(t):
    """A row in each table that holds JSON."""
    receiver, agent = t.dialing_agent()
    batch = t.api.batch(agent, 1)
    contact = t.api.post("/contacts", {"phone_number": "+4930"})
    t.api.post("/calls", {"agent_id": agent["id"], "phone_number": "+4930", "from_number": batch["from_number"]})
    return batch, contact


def is_refused(t, statement):
    try:
        t.stack.sql(statement)
    except AssertionError:
        raise
    except Exception as error:
        assert "constraint" in str(error).lower(), error
        return True
    return False


def test_the_database_refuses_texts_that_are_no_objects(t):
    fill_tables(t)
    for table, columns in CHECKED.items():
        for column in columns:
            for text in ('{"a"b":1}', '{"a\nb":1}', "{", "[1]", "1", "x"):
                text = text.replace("\n", "\\n")
                assert is_refused(t, f"UPDATE {table} SET {column} = '{text}'"), (table, column, text)
            assert not is_refused(t, f"UPDATE {table} SET {column} = '{{\"a\": 1}}' WHERE {column} = 'none'")


def poisoned_id(batch, number):
    return batch["id"][:-4] + f"{number:04}"


def poison(t, batch, contact):
    """Takes the database back to the schema before the checks, and stores texts that this schema allowed."""
    for table in CHECKED:
        t.stack.sql(f"ALTER TABLE {table} DROP CONSTRAINT {table}_json")
    checks = next(name for name in os.listdir(os.path.join(ROOT, "sql")) if name.endswith("_json.sql"))
    t.stack.sql(f"DELETE FROM schema_version WHERE version >= {int(checks[:4])}")
    for number, text in enumerate(POISONED, 1):
        escaped = text.replace("\\", "\\\\").replace("'", "''").replace("\n", "\\n")
        t.stack.sql(f"INSERT INTO contacts (uuid, organization_id, folder_id, phone_number, first_name, last_name,"
                    f" email, timezone,"
                    f" custom_fields, last_call_outcome, last_called_at, created_at, updated_at)"
                    f" SELECT {unhex(poisoned_id(batch, number))}, organization_id, folder_id,"
                    f" '+4940{number}', '', '', '', '', '{escaped}', -1, '1000-01-01', created_at, updated_at"
                    f" FROM contacts WHERE uuid = {unhex(contact['id'])}")
        t.stack.sql(f"INSERT INTO batch_contacts (batch_id, position, phone_number, first_name, last_name, email,"
                    f" timezone,"
                    f" custom_fields, contact_id, status, skip_reason, attempts, call_id)"
                    f" SELECT batch_id, position + {number}, '+4940{number}', '', '', '', '', '{escaped}', contact_id,"
                    f" status,"
                    f" skip_reason, attempts, call_id FROM batch_contacts WHERE position = 1 AND batch_id ="
                    f" (SELECT id FROM batch_calls WHERE uuid = {unhex(batch['id'])})")
    t.stack.sql(f"UPDATE batch_calls SET total_contacts = 1 + {number}, metadata = '{{bad'"
                f" WHERE uuid = {unhex(batch['id'])}")


def test_an_upgrade_repairs_broken_custom_fields(t):
    batch, contact = fill_tables(t)
    poison(t, batch, contact)
    said = t.stack.outdial("migrate", "--sql", os.path.join(ROOT, "sql"))
    for table in ("contacts", "batch_contacts"):
        assert f'{table}.custom_fields: 3 repaired, 2 kept as text in the field "unreadable"' in said, said
    assert 'batch_calls.metadata: 0 repaired, 1 kept as text in the field "unreadable"' in said, said
    assert f"campaign {batch['id']}, contact 5 cannot be repaired" in said, said
    assert f"contact {poisoned_id(batch, 4)} cannot be repaired" in said, said
    assert f"campaign {batch['id']} cannot be repaired" in said, said
    expected = {f"+4940{n}": fields for n, fields in enumerate(POISONED.values(), 1)}
    for listed in (t.api.all("/contacts"), t.api.contacts_of(batch)):
        found = {c["phone_number"]: c["custom_fields"] for c in listed if c["phone_number"].startswith("+4940")}
        assert found == expected, found
    assert t.api.read(batch)["metadata"] == {"unreadable": "{bad"}
    assert is_refused(t, "UPDATE contacts SET custom_fields = '{'")
    assert "repaired" not in t.stack.outdial("migrate", "--sql", os.path.join(ROOT, "sql"))


def test_an_upgrade_goes_on_where_it_was_cut_off(t):
    batch, contact = fill_tables(t)
    poison(t, batch, contact)
    t.stack.sql("UPDATE contacts SET custom_fields = ''; ALTER TABLE contacts ADD CONSTRAINT contacts_json"
                " CHECK (custom_fields = '' OR (custom_fields LIKE '{%' AND JSON_VALID(custom_fields)))")
    said = t.stack.outdial("migrate", "--sql", os.path.join(ROOT, "sql"))
    assert "batch_contacts.custom_fields: 3 repaired, 2 kept" in said and " contacts.custom_fields" not in said, said
    for table, columns in CHECKED.items():
        assert is_refused(t, f"UPDATE {table} SET {columns[0]} = '{{'"), table


def test_lines_of_the_log_and_the_terminal_hold_no_controls(t):
    name = "a\x1b[2J\rb\x9bc"
    t.stack.new_key(t.organization + name)
    listed = t.stack.outdial("key", "list")
    assert t.organization in listed and not re.search("[\x00-\x09\x0b-\x1f\x7f-\x9f]", listed), repr(listed)


if __name__ == "__main__":
    tap.run(globals())
