#!/usr/bin/env python3
"""Lists as CRMs, shops, address books and spreadsheets export them are taken as they are."""

import os
import tempfile

import tap

STACK = {"rate_limit": False}

CSV = {"Content-Type": "text/csv"}
ADA = ("+14155550100", "Ada", "Byron", "ada@example.com", None)
HEAD = "First Name,Last Name,Phone,Email\n"

# What comes in, and who is in it: number, first and last name, email, custom fields where they are told.
EXPORTS = {
    "HubSpot": ("Record ID,First Name,Last Name,Email,Phone Number,Mobile Phone Number,Lead Status\n"
                "51,Ada,Byron,ada@example.com,,+1 415-555-0100,New\n", ADA),
    "Salesforce": ('"First Name","Last Name","Phone","Mobile","Email"\n"Ada","Byron","+1 (415) 555-0100","","ada@example.com"\n', ADA),
    "Google Contacts": ("First Name,Middle Name,Last Name,Labels,E-mail 1 - Label,E-mail 1 - Value,Phone 1 - Label,Phone 1 - Value,"
                        "Phone 2 - Label,Phone 2 - Value\nAda,,Byron,* myContacts,*,ada@example.com,Home,,Mobile,+1 415-555-0100\n", ADA),
    "Google Contacts, before": ("Name,Given Name,Additional Name,Family Name,E-mail 1 - Type,E-mail 1 - Value,Phone 1 - Type,"
                                "Phone 1 - Value\nAda Byron,Ada,,Byron,*,ada@example.com,Mobile,+1 415-555-0100\n", ADA),
    "Outlook": ("\ufeffFirst Name,Middle Name,Last Name,Title,E-mail Address,E-mail 2 Address,Home Phone,Business Phone,Mobile Phone,"
                "Business Fax\r\nAda,,Byron,,ada@example.com,,,555-0100,+14155550100,+14155550199\r\n", ADA),
    "Shopify": ("Customer ID,First Name,Last Name,Email,Default Address Company,Default Address Phone,Phone,Total Spent\n"
                "'7001,Ada,Byron,ada@example.com,,,'+14155550100,0.00\n", ADA),
    "WooCommerce": ("order_id,billing_first_name,billing_last_name,billing_email,billing_phone,shipping_first_name\n"
                    "9,Ada,Byron,ada@example.com,+1.415.555.0100,Eve\n", ADA),
    "Mailchimp": ("Email Address,First Name,Last Name,Address,Phone Number,MEMBER_RATING,TIMEZONE\n"
                  "ada@example.com,Ada,Byron,,+14155550100,2,America/Los_Angeles\n", ADA),
    "Zoho": ("Record Id,Contact Owner,First Name,Last Name,Email,Phone,Home Phone,Mobile\n"
             "zcrm_1,Eve,Ada,Byron,ada@example.com,,,0014155550100\n", ADA),
    "Pipedrive": ("Person - ID,Person - Name,Person - Phone - Work,Person - Phone - Mobile,Person - Email - Work\n"
                  "1,Ada Byron,,+1 415 555 0100,ada@example.com\n", ADA),
    "German Excel": ("Anrede;Nachname;Vorname;Telefon;Handy;E-Mail\r\nFrau;Byron;Ada;030 123;+1 (415) 5550100;ada@example.com\r\n", ADA),
    "French Excel": ("sep=;\r\nNOM;PRÉNOM;Téléphone portable;Courriel\r\nByron;Ada;+1 415 555 01 00;ada@example.com\r\n", ADA),
    "Spanish": ("Nombre;Apellidos;Teléfono móvil;Correo electrónico\nAda;Byron;+1 415 555 0100;ada@example.com\n", ADA),
    "Italian": ("Nome;Cognome;Cellulare;Email\nAda;Byron;+1 415 5550100;ada@example.com\n", ADA),
    "Dutch": ("Voornaam;Achternaam;Telefoonnummer;E-mail\nAda;Byron;+1-415-5550100;ada@example.com\n", ADA),
    "Portuguese": ("Nome completo;Telemóvel;E-mail\nAda Byron;+1 415 5550100;ada@example.com\n", ADA),
    "pipes": ("name|mobile_number|mail\nAda Byron|+14155550100|ada@example.com\n", ADA),
    "a dialer's": ("number,name,email\n+14155550100,Ada Byron,ada@example.com\n", ADA),
}


def send(t, body, path="/contacts/import", status=200, headers=CSV, **query):
    reply = t.api.send("POST", path, body if isinstance(body, bytes) else body.encode(), headers, query=query)
    assert reply.status == status, reply
    if status == 200:
        data = reply.data
        assert data["rows"] == data["imported"] + data["updated"] + data["skipped"] + data["errors"], data
        return data
    return reply


def people(t, data):
    return [(c["phone_number"], c["first_name"], c["last_name"], c["email"], c["custom_fields"])
            for c in t.api.all("/contacts", folder_id=data["folder_id"])]


def test_exports_are_taken_as_they_are(t):
    for name, (text, person) in EXPORTS.items():
        for charset in ("utf-8", "utf-16", "windows-1252"):
            if charset == "windows-1252" and text[0] == "\ufeff":
                continue
            declared = {} if charset == "utf-16" else {"charset": charset}
            data = send(t, text.lstrip("\ufeff").encode("utf-16") if charset == "utf-16" else text.encode(charset), **declared)
            assert (data["imported"], data["errors"]) == (1, 0), (name, charset, data)
            found, = people(t, data)
            assert found[:4] == person[:4], (name, charset, found)
            dry = send(t, text, dry_run="true")
            assert (dry["imported"], dry["columns"], dry["delimiter"]) == (1, data["columns"], data["delimiter"]), (name, dry)


def test_what_follows_a_report_is_told_of(t):
    data = send(t, HEAD + 'Ada,Byron,+1 (415) 555-0100,ada@example.com\n"","","",""\n"Leads of May"\n"Copyright (c) 2026 example.com"\n')
    assert (data["rows"], data["imported"], data["errors"]) == (3, 1, 2), data
    assert [detail["row"] for detail in data["error_details"]] == [4, 5], data


def test_a_column_is_chosen(t):
    file = "Kunde,Phone,Mobile,Ort\nAda Byron,+14155550100,+14155550101,Bonn\n"
    uses = lambda data: {column["name"]: column["used_as"] for column in data["columns"]}
    data = send(t, file)
    assert uses(data) == {"Kunde": "custom_field", "Phone": "phone_number", "Mobile": "phone_number", "Ort": "custom_field"}, data
    assert people(t, data) == [("+14155550100", None, None, None, {"Kunde": "Ada Byron", "Ort": "Bonn"})]
    data = send(t, file, **{"map[phone]": "mobile", "map[name]": "Kunde"})
    assert people(t, data) == [("+14155550101", "Ada", "Byron", None, {"Phone": "+14155550100", "Ort": "Bonn"})], data
    for column, name in (("map[phone]", "Fax"), ("map[email]", "mail")):
        reply = send(t, file, status=422, **{column: name})
        assert reply.details["field"] == "file" and column in reply.details["reason"], reply
    send(t, file, status=400, **{"map[phone]": "x" * 256})
    send(t, file, status=400, **{"map[city]": "Ort"})
    form = ('--b\r\nContent-Disposition: form-data; name="map[phone]"\r\n\r\nMobile\r\n--b\r\nContent-Disposition: form-data; '
            f'name="file"; filename="l.csv"\r\n\r\n{file}\r\n--b--\r\n')
    data = send(t, form, headers={"Content-Type": "multipart/form-data; boundary=b"})
    assert people(t, data)[0][0] == "+14155550101", data


def test_no_number_of_a_do_not_call_list_is_left_out_unseen(t):
    file = "name,Phone,Mobile\nAda,+14155550100,+1 415 555 0101\n"
    for dry in ("true", "false"):
        reply = send(t, file, "/do-not-call/import", 422, dry_run=dry)
        assert "columns 2 and 3" in reply.details["reason"], reply
    assert t.api.all("/do-not-call") == []
    for column in ("Phone", "Mobile"):
        assert send(t, file, "/do-not-call/import", **{"map[phone]": column})["imported"] == 1
    assert send(t, "Opt-out,Telefon\n1,'+1 (415) 555-0102\n2,415 555 0103\n", "/do-not-call/import")["errors"] == 1
    assert [one["phone_number"] for one in t.api.all("/do-not-call")] == ["+14155550100", "+14155550101", "+14155550102"]


def test_files_that_are_no_lists(t):
    for start, word in ((b"PK\x03\x04", "CSV UTF-8"), (b"\xd0\xcf\x11\xe0\xa1\xb1", "CSV UTF-8"), (b"%PDF-1.7", "PDF"), (b"\x1f\x8b\x08", "unpack")):
        for path in ("/contacts/import", "/do-not-call/import"):
            reply = send(t, start + os.urandom(5000), path, 422)
            assert reply.details["field"] == "file" and word in reply.details["reason"], reply
    assert t.api.all("/contacts/folders") == []


def test_the_command_reads_the_same(t):
    t.api.get("/contacts")
    with tempfile.TemporaryDirectory() as place:
        path = os.path.join(place, "people.csv")
        with open(path, "wb") as out:
            out.write("Kunde;Telefon;Handy\nJosé B;+14155550100;+14155550101\n".encode("cp1252"))
        arguments = ["import", path, "--organization", t.organization, "--folder", "shell"]
        said = t.stack.outdial(*arguments, "--charset", "windows-1252", "--map", "phone=Handy,name=Kunde")
        assert said == ("imported 1, updated 0, skipped 0, errors 0; rows 1\ncolumn 1: Kunde: name\ncolumn 2: Telefon: custom_field\n"
                        "column 3: Handy: phone_number\n"), said
        contact, = t.api.all("/contacts")
        assert (contact["phone_number"], contact["first_name"]) == ("+14155550101", "José"), contact
        for wrong, word in ((("--charset", "utf-7"), "utf-7"), (("--map", "phone"), "--map"), (("--map", "city=Ort"), "city"),
                            (("--map", "phone=Fax"), "map[phone]")):
            assert word in t.outdial_fails(*arguments, *wrong), wrong
        with open(path, "wb") as out:
            out.write(b"PK\x03\x04")
        assert "workbook" in t.outdial_fails(*arguments)


if __name__ == "__main__":
    tap.run(globals())
