#!/usr/bin/env python3
"""An import reports the result of every row and the use of every column. A dry run reports the same in advance."""

import os
import tempfile

import tap
from client import contacts

STACK = {"rate_limit": False}

CSV = {"Content-Type": "text/csv"}
SAMPLE = 20


def send(t, body, path="/contacts/import", status=200, **query):
    body = body if isinstance(body, bytes) else body.encode()
    if path.startswith("/do-not-call") and status == 200:
        query["partial"] = "true"
    reply = t.api.send("POST", path, body, CSV, query=query)
    assert reply.status == status, reply
    if status == 200:
        data = reply.data
        assert data["rows"] == data["imported"] + data["updated"] + data["skipped"] + data["errors"], data
        assert len(data["error_details"]) <= data["errors"]
    return reply.data if status == 200 else reply


def uses(data):
    return [(column["name"], column["used_as"]) for column in data["columns"]]


def targets(t):
    """The paths of the three imports."""
    receiver, agent = t.dialing_agent()
    return ["/contacts/import", f"/batch-calls/{t.api.batch(agent, [])['id']}/contacts/import", "/do-not-call/import"]


def test_names_of_columns(t):
    for name, use in (("Time Zone", "timezone"), ("time_zone", "timezone"), ("TimeZone", "timezone"),
                      ("FirstName", "first_name"),
                      ("first-name", "first_name"), (" FIRST  NAME ", "first_name"), ("Last.Name:", "last_name"),
                      ("E-mail", "email"),
                      ("e_mail", "email"), ("Full Name", "name"), ("full_name", "name"), ("(Name)", "name"),
                      ("", "ignored"),
                      ("#", "custom_field"), ("Phone 2", "phone_number"), ("Phone 2 - Label", "custom_field"),
                      ("number", "custom_field"), ("zone", "custom_field"), ("näme", "custom_field")):
        data = send(t, f'phone,"{name}"\n+12125550100,\n')
        assert uses(data) == [("phone", "phone_number"), (name.strip(), use)], data
    for name in ("Phone", "PHONE_NUMBER", "phone-number", "Phone Number", "PhoneNumber", "Phone #", "\ufeffphone",
                 "number", "Mobile", "Phone 1 - Value",
                 "billing_phone", "contact_number", "Telefonnummer", "Téléphone", "TELÉFONO"):
        assert send(t, f"{name}\n+12125550100\n")["imported"] == 1, name
    for header in ("phone,phone", "phone,full_name,Full Name", "phone,e-mail,email", "phone,x,x"):
        assert send(t, header + "\n", status=422).details["field"] == "file", header
    assert uses(send(t, "phone,name,Full Name\n+12125550100,A,B\n")) == [
        ("phone", "phone_number"), ("name", "custom_field"), ("Full Name", "name")], "there is a better name"
    data = send(t, "Phone Number,Name,x,x\n+12125550100,A,1,2\n", "/do-not-call/import")
    assert uses(data) == [("Phone Number", "phone_number"), ("Name", "ignored"), ("x", "ignored"),
                          ("x", "ignored")], data


def test_a_time_zone_in_two_words_counts(t):
    data = send(t, "phone,name,Time Zone\n+81312345678,Aki,Asia/Tokyo\n")
    contact, = t.api.get("/contacts", folder_id=data["folder_id"])
    assert (contact["timezone"], contact["custom_fields"]) == ("Asia/Tokyo", None), contact


def test_an_unclosed_quote_is_reported(t):
    for path in targets(t):
        data = send(t, 'phone,name\n+12125550100,"Ada\n+12125550101,Bo\n+12125550102,Cy\n', path)
        assert (data["rows"], data["errors"], data["imported"]) == (3, 3, 0), data
        detail, = data["error_details"]
        assert (detail["row"], detail["phone"]) == (2, "+12125550100"), detail
        assert "quote is never closed" in detail["reason"] and "3 lines" in detail["reason"], detail
        data = send(t, 'phone,name\n+12125550110,"Ada\n+12125550111,Bo\n+12125550112,"Cy"\n+12125550113,Dan\n', path)
        assert (data["rows"], data["errors"], data["imported"]) == (4, 3, 1), data
        data = send(t, 'phone,name\n+12125550120,"Ada\n+12125550121,Bo\n+12125550122,""Cy""\n"\n+12125550123,Dan\n',
                    path)
        assert (data["rows"], data["errors"], data["imported"]) == (5, 4, 1), data
        assert "line break" in data["error_details"][0]["reason"], data
        assert send(t, 'phone,"name\n+12125550110,Ada\n', path, 422).details["field"] == "file"


def test_lines_inside_a_note_are_one_row(t):
    data = send(t, 'phone,note\n+12125550100,"one\r\n\r\ntwo"\n030,"one\ntwo"\n')
    assert (data["rows"], data["imported"], data["errors"]) == (2, 1, 1), data


def test_blank_rows_count_nowhere(t):
    for path in targets(t):
        data = send(t, "phone,name\n\n,\n  ,\n+12125550100,Ada\n,,,\n\n", path)
        assert (data["rows"], data["imported"], data["errors"]) == (1, 1, 0), data


def test_a_long_number_is_shown_cut(t):
    cases = (("x" * 32, "x" * 32), ("x" * 33, "x" * 32 + "…"), ("0" * 500, "0" * 32 + "…"), ("ä" * 17, "ä" * 16 + "…"),
             ("a\x1b[31m", "a [31m"), ("call +1 212 555 0100 or +1 212 555 0101", "call +1 212 555 0100 or +1 212 5…"))
    for path in targets(t):
        for cell, shown in cases:
            data = send(t, f'phone,name\n"{cell}",Ada\n', path)
            assert data["error_details"][0]["phone"] == shown, data
        data = send(t, b"phone,name\n+4930\xff,Ada\n+4930\0x,Bo\n,Cy\n", path)
        assert [detail["phone"] for detail in data["error_details"]] == ["+4930\ufffd", "+4930\ufffdx", None], data
        assert data["imported"] == 0, data


def test_an_import_without_a_good_row_leaves_no_folder(t):
    for body in ("phone\n", "phone\n\n", "phone,x\n030,1\n,2\n", 'phone\n"+4930\n'):
        assert send(t, body)["folder_id"] is None
    assert t.api.all("/contacts/folders") == []
    data = send(t, "phone\n" + "030\n" * 3000 + "+4930\n")
    made, = t.api.all("/contacts/folders")
    assert (data["folder_id"], made["contact_count"]) == (made["id"], 1), (data, made)
    assert send(t, "phone\n030\n", folder_id=made["id"])["folder_id"] == made["id"]


def test_a_folder_that_is_deleted_meanwhile_is_not_made_again(t):
    made = t.api.post("/contacts/folders", {"name": "x"})
    t.api.delete(f"/contacts/folders/{made['id']}")
    send(t, "phone\n+4930\n", status=422, folder_id=made["id"])
    assert t.api.all("/contacts/folders") == []


def person(t, folder_id):
    contact, = t.api.get("/contacts", folder_id=folder_id)
    return contact


def test_overwriting_touches_the_columns_of_the_file(t):
    start = ("phone,first_name,last_name,email,timezone,city,plan\n"
             "+4930,Ada,Lovelace,ada@example.com,Europe/Berlin,Berlin,gold\n")
    whole = {"first_name": "Ada", "last_name": "Lovelace", "email": "ada@example.com", "timezone": "Europe/Berlin",
             "custom_fields": {"city": "Berlin", "plan": "gold"}}
    for file, changed in (
            ("phone\n+4930\n", {}),
            ("phone,email\n+4930,new@example.com\n", {"email": "new@example.com"}),
            ("phone,email\n+4930,\n", {"email": None}),
            ("phone,last_name\n+4930,King\n", {"last_name": "King"}),
            ("phone,timezone\n+4930,UTC\n", {"timezone": "UTC"}),
            ("phone,name\n+4930,Grace Hopper\n", {"first_name": "Grace", "last_name": "Hopper"}),
            ("phone,city\n+4930,Paris\n", {"custom_fields": {"city": "Paris", "plan": "gold"}}),
            ("phone,city\n+4930,\n", {"custom_fields": {"plan": "gold"}}),
            ("phone,plan,city\n+4930\n", {"custom_fields": None}),
            ("phone,new\n+4930,1\n+4930,2\n", {"custom_fields": {"city": "Berlin", "plan": "gold", "new": "2"}}),
            ("phone,,first_name\n+4930,x,Eve\n", {"first_name": "Eve"})):
        folder_id = send(t, start)["folder_id"]
        before = person(t, folder_id)
        rows = file.count("\n") - 1
        data = send(t, file, folder_id=folder_id, overwrite_existing="true")
        assert (data["updated"], data["imported"]) == (rows, 0), data
        after = person(t, folder_id)
        assert {name: after[name] for name in whole} == {**whole, **changed}, (file, after)
        assert list(after["custom_fields"] or {}) == list({**whole, **changed}["custom_fields"]
                                                          or {}), "their order stays"
        assert (after["id"], after["updated_at"] > before["updated_at"]) == (before["id"], True)


def test_custom_fields_that_are_no_texts_stay(t):
    made = t.api.post("/contacts/folders", {"name": "x"})
    fields = {"n": 19.99, "big": 12345678901234567, "list": [1, {"a": None}], "none": None, "city": "x"}
    t.api.post("/contacts", {"phone_number": "+4930", "folder_id": made["id"], "custom_fields": fields})
    send(t, "phone,city\n+4930,Paris\n", folder_id=made["id"], overwrite_existing="true")
    assert person(t, made["id"])["custom_fields"] == {**fields, "city": "Paris"}


def test_custom_fields_do_not_grow_beyond_their_limit(t):
    made = t.api.post("/contacts/folders", {"name": "x"})
    t.api.post("/contacts", {"phone_number": "+4930", "folder_id": made["id"], "custom_fields": {"a": "x" * 10_000}})
    file = "phone,b\n+4930," + "y" * 10_000 + "\n+4931,1\n"
    for dry in ("true", "false"):
        data = send(t, file, folder_id=made["id"], overwrite_existing="true", dry_run=dry)
        assert (data["imported"], data["updated"], data["errors"]) == (1, 0, 1), data
        assert (data["error_details"][0]["row"], data["error_details"][0]["phone"]) == (2, "+4930"), data
    assert {c["phone_number"]: c["custom_fields"] for c in t.api.all("/contacts")} == {
        "+4930": {"a": "x" * 10_000}, "+4931": {"b": "1"}}
    only = send(t, "phone,b\n+4930," + "y" * 10_000 + "\n", folder_id=made["id"], overwrite_existing="true")
    assert (only["errors"], only["folder_id"]) == (1, made["id"]), only


def test_a_wide_header(t):
    data = send(t, "phone,name" + "," * 600 + "\n+12125550100,Ada" + "," * 600 + "\n")
    assert (data["imported"], data["errors"]) == (1, 0), data
    assert send(t, "phone" + "".join(f",x{i}" for i in range(300)) + "\n", status=422).details["field"] == "file"
    data = send(t, "phone\n+12125550100" + "," * 300 + "x\n")
    assert (data["rows"], data["errors"]) == (1, 1), data


# Dry runs

def tables(t):
    ours = f"organization_id = (SELECT id FROM organizations WHERE name = '{t.organization}')"
    return t.stack.sql(f"SELECT (SELECT COUNT(*) FROM contacts WHERE {ours}), (SELECT COUNT(*) FROM contact_folders"
                       f" WHERE {ours}),"
                       f" (SELECT COUNT(*) FROM do_not_call WHERE {ours}), (SELECT SUM(total_contacts) FROM batch_calls"
                       f" WHERE {ours}),"
                       f" (SELECT MAX(updated_at) FROM contacts WHERE {ours})")


def random_file(t):
    """A file with numbers that exist already, that come twice, and that cannot be used."""
    cells = [person["phone_number"] for person in contacts(40)] + ["030", "", "+0"]
    lines = [f"{t.random.choice(cells)},{t.random.choice(['Ada', '', 'B C'])},{t.random.choice(['x', ''])}"
             for _ in range(t.random.randint(0, 60))]
    return "Phone Number,Name,city\n" + "\n".join(lines) + "\n"


def test_a_dry_run_says_what_the_import_does(t):
    receiver, agent = t.dialing_agent()
    made = t.api.post("/contacts/folders", {"name": "x"})
    batch = t.api.batch(agent, contacts(5))
    send(t, "phone,city\n" + "".join(f"{c['phone_number']},y\n" for c in contacts(10, 3)), folder_id=made["id"])
    send(t, "phone\n" + "".join(f"{c['phone_number']}\n" for c in contacts(4, 20)), "/do-not-call/import")
    ways = [("/contacts/import", {}), ("/contacts/import", {"folder_id": made["id"]}),
            ("/contacts/import", {"folder_id": made["id"], "overwrite_existing": "true"}),
            (f"/batch-calls/{batch['id']}/contacts/import", {}), ("/do-not-call/import", {"reason": "x"})]
    for round in range(6):
        file = random_file(t)
        for path, query in ways:
            before = tables(t)
            dry = send(t, file, path, dry_run="true", **query)
            assert tables(t) == before, (path, query)
            real = send(t, file, path, **query)
            sample = dry.pop("sample")
            assert (dry.pop("dry_run"), real.pop("dry_run")) == (True, False)
            if path == "/contacts/import" and not query:
                assert dry.pop("folder_id") is None
                real.pop("folder_id")
            assert dry == real, (file, dry, real)
            assert len(sample) == min(SAMPLE, dry["rows"]) and dry["delimiter"] == ",", dry


def test_the_sample_of_a_dry_run(t):
    file = ('Phone;Full Name;Time Zone;"Height 5""";note\n+4930;Ada King Lovelace;Europe/Berlin;tall;\n\n030'
            ' 123;Bo;;;x\n+4931;"C\nD";;;\n'
            + "".join(f"+49{n};;;;\n" for n in range(400, 430)))
    data = send(t, file, dry_run="true")
    assert data["delimiter"] == ";" and data["rows"] == 34, data
    first, second, third = data["sample"][:3]
    assert first == {"row": 2, "phone_number": "+4930", "first_name": "Ada", "last_name": "King Lovelace",
                     "email": None,
                     "timezone": "Europe/Berlin", "custom_fields": {'Height 5"': "tall"}, "reason": None}, first
    assert (second["row"], second["phone_number"],
            second["first_name"]) == (4, "030 123", None) and second["reason"], second
    assert third["row"] == 5 and "line break" in third["reason"], third
    assert [row["row"] for row in data["sample"]] == [2, 4, 5] + list(range(6, 23)), data["sample"]
    media_type = "multipart/form-data; boundary=b"
    form = ('--b\r\nContent-Disposition: form-data; name="dry_run"\r\n\r\ntrue\r\n--b\r\nContent-Disposition:'
            ' form-data; name="file";'
            ' filename="l.csv"\r\n\r\nphone\tx\n+4930444\t\n\r\n--b--\r\n')
    for path in targets(t):
        reply = t.api.send("POST", path, form, {"Content-Type": media_type})
        assert reply.status == 200 and reply.data["dry_run"] is True and reply.data["delimiter"] == "\t", reply
        assert send(t, "phone\n+4930\n", path, 400, dry_run="maybe").error["code"] == "bad_request"
    assert t.api.all("/contacts") == t.api.all("/do-not-call") == []


def test_a_dry_run_judges_as_the_import_does(t):
    receiver, agent = t.dialing_agent()
    batch = t.api.batch(agent, 1)
    path = f"/batch-calls/{batch['id']}/contacts/import"
    send(t, "name\nA\n", path, 422, dry_run="true")
    send(t, "phone\n+4930\n", "/contacts/import", 422, dry_run="true", folder_id=batch["id"])
    t.api.schedule(batch, {"scheduled_at": "2040-01-01T00:00:00Z"})
    t.api.post(f"/batch-calls/{batch['id']}/cancel")
    assert send(t, "phone\n+4930\n", path, 422, dry_run="true").error["code"] == "invalid_state"


def test_a_large_file_dry(t):
    people = "phone\n" + "".join(f"{person['phone_number']}\n" for person in contacts(50_000)) * 2
    data = send(t, people, dry_run="true")
    assert (data["imported"], data["skipped"], data["rows"]) == (50_000, 50_000, 100_000), data
    assert t.api.all("/contacts/folders") == []


# The terminal

def test_the_command_says_the_same(t):
    t.api.get("/contacts")
    file = 'Phone,Full Name,,"note\x1b[2J"\n+4930,Ada,,1\n030\x1b[31m,Bo,,\n+4931,"Cy\n+4932,Dan,,\n'
    with tempfile.TemporaryDirectory() as place:
        path = os.path.join(place, "people.csv")
        with open(path, "w") as out:
            out.write(file)
        arguments = ["import", path, "--organization", t.organization, "--folder", "shell"]
        dry = t.stack.outdial(*arguments, "--dry-run", "yes")
        assert t.api.all("/contacts/folders") == []
        real = t.stack.outdial(*arguments)
        assert dry == real == ("imported 1, updated 0, skipped 0, errors 3; rows 4\n"
                               "column 1: Phone: phone_number\ncolumn 2: Full Name: name\ncolumn 3: ignored\n"
                               "column 4: note [2J: custom_field\n"
                               "row 3: 030 [31m: phone_number: contains characters that a number cannot have\n"
                               "row 4: +4931: a quote is never closed: the row takes up 2 lines\n"), (dry, real)
        again = t.stack.outdial(*arguments, "--overwrite", "yes", "--dry-run", "yes")
        assert again.startswith("imported 0, updated 1, skipped 0, errors 3; rows 4\n"), again
        assert "--dry-run must be yes or no" in t.outdial_fails(*arguments, "--dry-run", "maybe")
        with open(path, "w") as out:
            out.write("phone\n" + "x\n" * 150)
        assert "(only the first 100 faulty rows are named)" in t.stack.outdial(*arguments)


if __name__ == "__main__":
    tap.run(globals())
