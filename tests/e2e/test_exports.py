#!/usr/bin/env python3
"""Imports accept lists as CRMs, shops, address books and spreadsheets export them."""

import os
import tempfile

import tap

from client import until

STACK = {"rate_limit": False}

CSV = {"Content-Type": "text/csv"}
ADA = ("+14155550100", "Ada", "Byron", "ada@example.com", None)
HEAD = "First Name,Last Name,Phone,Email\n"

# Files, and their contacts: number, first and last name, email, and custom fields if there are any.
EXPORTS = {
    "HubSpot": ("Record ID,First Name,Last Name,Email,Phone Number,Mobile Phone Number,Lead Status\n"
                "51,Ada,Byron,ada@example.com,,+1 415-555-0100,New\n", ADA),
    "Salesforce": ('"First Name","Last Name","Phone","Mobile","Email"\n"Ada","Byron","+1 (415)'
                   ' 555-0100","","ada@example.com"\n', ADA),
    "Google Contacts": ("First Name,Middle Name,Last Name,Labels,E-mail 1 - Label,E-mail 1 - Value,Phone 1 -"
                        " Label,Phone 1 - Value,"
                        "Phone 2 - Label,Phone 2 - Value\nAda,,Byron,* myContacts,*,ada@example.com,Home,,Mobile,+1"
                        " 415-555-0100\n", ADA),
    "Google Contacts, before": ("Name,Given Name,Additional Name,Family Name,E-mail 1 - Type,E-mail 1 - Value,Phone 1 -"
                                " Type,"
                                "Phone 1 - Value\nAda Byron,Ada,,Byron,*,ada@example.com,Mobile,+1 415-555-0100\n",
                                ADA),
    "Outlook": ("\ufeffFirst Name,Middle Name,Last Name,Title,E-mail Address,E-mail 2 Address,Home Phone,Business"
                " Phone,Mobile Phone,"
                "Business Fax\r\nAda,,Byron,,ada@example.com,,,555-0100,+14155550100,+14155550199\r\n", ADA),
    "Shopify": ("Customer ID,First Name,Last Name,Email,Default Address Company,Default Address Phone,Phone,Total"
                " Spent\n"
                "'7001,Ada,Byron,ada@example.com,,,'+14155550100,0.00\n", ADA),
    "WooCommerce": ("order_id,billing_first_name,billing_last_name,billing_email,billing_phone,shipping_first_name\n"
                    "9,Ada,Byron,ada@example.com,+1.415.555.0100,Eve\n", ADA),
    "Mailchimp": ("Email Address,First Name,Last Name,Address,Phone Number,MEMBER_RATING,TIMEZONE\n"
                  "ada@example.com,Ada,Byron,,+14155550100,2,America/Los_Angeles\n", ADA),
    "Zoho": ("Record Id,Contact Owner,First Name,Last Name,Email,Phone,Home Phone,Mobile\n"
             "zcrm_1,Eve,Ada,Byron,ada@example.com,,,0014155550100\n", ADA),
    "Pipedrive": ("Person - ID,Person - Name,Person - Phone - Work,Person - Phone - Mobile,Person - Email - Work\n"
                  "1,Ada Byron,,+1 415 555 0100,ada@example.com\n", ADA),
    "German Excel": ("Anrede;Nachname;Vorname;Telefon;Handy;E-Mail\r\nFrau;Byron;Ada;030 123;+1 (415)"
                     " 5550100;ada@example.com\r\n", ADA),
    "French Excel": (
        "sep=;\r\nNOM;PRÉNOM;Téléphone portable;Courriel\r\nByron;Ada;+1 415 555 01 00;ada@example.com\r\n", ADA),
    "Spanish": ("Nombre;Apellidos;Teléfono móvil;Correo electrónico\nAda;Byron;+1 415 555 0100;ada@example.com\n", ADA),
    "Italian": ("Nome;Cognome;Cellulare;Email\nAda;Byron;+1 415 5550100;ada@example.com\n", ADA),
    "Dutch": ("Voornaam;Achternaam;Telefoonnummer;E-mail\nAda;Byron;+1-415-5550100;ada@example.com\n", ADA),
    "Portuguese": ("Nome completo;Telemóvel;E-mail\nAda Byron;+1 415 5550100;ada@example.com\n", ADA),
    "pipes": ("name|mobile_number|mail\nAda Byron|+14155550100|ada@example.com\n", ADA),
    "Twilio": (
        "From,To,Phone Number,Friendly Name,Contact Name,Email\n,,+14155550100,line,Ada Byron,ada@example.com\n", ADA),
    "Stripe": ("id,Description,Email,Name,Phone,Created (UTC)\ncus_1,,ada@example.com,Ada Byron,+14155550100,2026-01-02"
               " 03:04\n", ADA),
    "Klaviyo": ("Email,First Name,Last Name,Phone Number,Organization\nada@example.com,Ada,Byron,+14155550100,\n", ADA),
    "Zendesk": ("Id,Name,Email,Phone,Time Zone\n3,Ada Byron,ada@example.com,+1 (415) 555-0100,America/Los_Angeles\n",
                ADA),
    "Freshsales": ("Id,First name,Last name,Work,Mobile,Emails\n3,Ada,Byron,,+14155550100,\n", ADA[:3] + (None, None)),
    "Close": ("lead_name,contact_name,primary_contact_primary_phone,primary_phone,email\nX,Ada"
              " Byron,,+14155550100,ada@example.com\n", ADA),
    "Squarespace": ("Email,Billing Name,Billing Phone,Shipping Name\nada@example.com,Ada Byron,'+1 415-555-0100,Eve\n",
                    ADA),
    "Eventbrite": ("Attendee #,First Name,Last Name,Email,Cell Phone\n1,Ada,Byron,ada@example.com,+1-415-555-0100\n",
                   ADA),
    "Polish": ("Imię;Nazwisko;Numer telefonu;E-mail\nAda;Byron;+1 415 555 01 00;ada@example.com\n", ADA),
    "Swedish": ("Förnamn;Efternamn;Mobiltelefon;E-post\nAda;Byron;+1 415-555 01 00;ada@example.com\n", ADA),
    "several numbers in a cell": ("Given Name,Family Name,E-mail 1 - Value,Phone 1 - Value\n"
                                  "Ada,Byron,ada@example.com,555-0100 ::: +1 415-555-0100 ::: +1 415-555-0101\n", ADA),
    "line breaks in names": ('"First\nName","Last\nName",Phone,Email\r\nAda,Byron,+14155550100,ada@example.com\r\n',
                             ADA),
    "Salesforce, all data": (
        '"Id","LastName","FirstName","Salutation","Name","Phone","Fax","MobilePhone","AssistantPhone","Email"\n'
                             '"003","Byron","Ada","Ms.","Ada Byron","","+14155550199","+1 (415)'
                             ' 555-0100","","ada@example.com"\n', ADA),
    "Shopify, orders": ("Name,Email,Financial Status,Billing Name,Billing Phone,Shipping Name,Shipping Phone,Phone\n"
                        "#1001,ada@example.com,paid,Ada Byron,'+14155550100,Eve,,\n", ADA),
    "WooCommerce, orders": ("Order Number,Order Status,First Name (Billing),Last Name (Billing),Email (Billing),Phone"
                            " (Billing),"
                            "First Name (Shipping)\n9,completed,Ada,Byron,ada@example.com,+14155550100,Eve\n", ADA),
    "Facebook leads": ("id\tcreated_time\tad_name\tplatform\temail\tfull_name\tphone_number\n"
                       "l:7\t2026-01-02T03:04:05-05:00\tMay\tfb\tada@example.com\tAda Byron\tp:+14155550100\n", ADA),
    "Calendly": ("Invitee Name,Invitee First Name,Invitee Last Name,Invitee Email,Invitee Time Zone,Text Reminder"
                 " Number,Canceled\n"
                 "Ada Byron,Ada,Byron,ada@example.com,Eastern Time - US & Canada,+1 415-555-0100,false\n", ADA),
    "SAP": ("|KUNNR|NAME1|LAND1|TELF1|TELF2|TELFX|SMTP_ADDR|\n|0001|Ada Byron|US||+1 415 5550100|+1 415"
            " 5550199|ada@example.com|\n", ADA),
    "Apollo": ("First Name,Last Name,Company,Email,Work Direct Phone,Home Phone,Corporate Phone\n"
               "Ada,Byron,X,ada@example.com,'+1 415-555-0100,,\n", ADA),
    "Constant Contact": ("Email address - other,First name,Last name,Phone -"
                         " other\nada@example.com,Ada,Byron,+14155550100\n", ADA),
    "a form on a website": ("your-name,your-email,your-phone\nAda Byron,ada@example.com,+14155550100\n", ADA),
    "Eventbrite, attendees": ("Order ID,Attendee first name,Attendee Surname,Attendee email,Cell Phone\n"
                              "1,Ada,Byron,ada@example.com,+14155550100\n", ADA),
    "Outlook in German": ('"Vorname","Nachname","Firma","Telefon geschäftlich 2","Telefon (privat)","Mobiltelefon'
                          ' 2","E-Mail-Adresse"\r\n'
                          '"Ada","Byron","X","","","0014155550100","ada@example.com"\r\n', ADA),
    "German short": ("Name;Vorname;Tel.-Nr.;E-Mail\nByron;Ada;+1 415 5550100;ada@example.com\n", ADA),
    "Italian, long": ("Nome;Cognome;Numero di telefono;E-mail\nAda;Byron;+1 415 5550100;ada@example.com\n", ADA),
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
            if charset == "windows-1252" and (text[0] == "\ufeff" or "ę" in text):
                continue
            declared = {} if charset == "utf-16" else {"charset": charset}
            data = send(t, text.lstrip("\ufeff").encode("utf-16") if charset == "utf-16" else text.encode(charset),
                        **declared)
            assert (data["imported"], data["errors"]) == (1, 0), (name, charset, data)
            found, = people(t, data)
            assert found[:4] == person[:4], (name, charset, found)
            dry = send(t, text, dry_run="true")
            assert (dry["imported"], dry["columns"],
                    dry["delimiter"]) == (1, data["columns"], data["delimiter"]), (name, dry)


def test_lines_after_the_table_are_errors(t):
    data = send(t, HEAD + 'Ada,Byron,+1 (415) 555-0100,ada@example.com\n"","","",""\n"Leads of May"\n"Copyright (c)'
                          ' 2026 example.com"\n')
    assert (data["rows"], data["imported"], data["errors"]) == (3, 1, 2), data
    assert [detail["row"] for detail in data["error_details"]] == [4, 5], data


def test_a_column_is_chosen(t):
    file = "Kunde,Phone,Mobile,Ort\nAda Byron,+14155550100,+14155550101,Bonn\n"
    uses = lambda data: {column["name"]: column["used_as"] for column in data["columns"]}
    data = send(t, file)
    assert uses(data) == {"Kunde": "custom_field", "Phone": "phone_number", "Mobile": "phone_number",
                          "Ort": "custom_field"}, data
    assert people(t, data) == [("+14155550100", None, None, None,
                                {"Kunde": "Ada Byron", "Mobile": "+14155550101", "Ort": "Bonn"})]
    data = send(t, file, **{"map[phone]": "mobile", "map[name]": "Kunde"})
    assert people(t, data) == [("+14155550101", "Ada", "Byron", None, {"Phone": "+14155550100", "Ort": "Bonn"})], data
    for column, name in (("map[phone]", "Fax"), ("map[email]", "mail")):
        reply = send(t, file, status=422, **{column: name})
        assert reply.details["field"] == "file" and column in reply.details["reason"], reply
    send(t, file, status=400, **{"map[phone]": "x" * 256})
    send(t, file, status=400, **{"map[city]": "Ort"})
    form = ('--b\r\nContent-Disposition: form-data; name="map[phone]"\r\n\r\nMobile\r\n--b\r\nContent-Disposition:'
            ' form-data; '
            f'name="file"; filename="l.csv"\r\n\r\n{file}\r\n--b--\r\n')
    data = send(t, form, headers={"Content-Type": "multipart/form-data; boundary=b"})
    assert people(t, data)[0][0] == "+14155550101", data


def test_ambiguous_do_not_call_lists_are_refused(t):
    file = "name,Phone,Mobile\nAda,+14155550100,+1 415 555 0101\n"
    for dry in ("true", "false"):
        reply = send(t, file, "/do-not-call/import", 422, dry_run=dry)
        assert "columns 2 and 3" in reply.details["reason"], reply
    assert t.api.all("/do-not-call") == []
    for column in ("Phone", "Mobile"):
        assert send(t, file, "/do-not-call/import", **{"map[phone]": column})["imported"] == 1
    assert send(t, "Opt-out,Telefon\n1,'+1 (415) 555-0102\n2,415 555 0103\n", "/do-not-call/import",
                partial="true")["errors"] == 1
    assert [one["phone_number"] for one in t.api.all("/do-not-call")] == ["+14155550100", "+14155550101",
                                                                          "+14155550102"]


# Numbers as they are written in their country, and the completed number, or a word of the reason for the refusal.
NATIONAL = {
    "DE": {"030 1234567": "+49301234567", "030/1234567": "+49301234567", "0171-1234567": "+491711234567",
           "301234567": "+49301234567",
           "(0)30 1234567": "+49301234567", "49301234567": "+49301234567", "00442079460000": "+442079460000",
           "110": "too short",
           "0900 12": "in use in DE", "030 1234/56/7": "slash", "030 123456789012345": "too long", "+4930": "+4930",
           "030 12 x5": "characters"},
    "us": {"(212) 555-0105": "+12125550105", "1-415-555-0100": "+14155550100", "14155550100": "+14155550100",
           "011 44 20 7946 0000": "+442079460000", "555-888-9998": "in use in US", "555-9998": "too short",
           "1-800-FLOWERS": "characters"},
    "GB": {"020 7946 0000": "+442079460000", "+44 (0)20 7946 0000": "+442079460000", "4.4208E+11": "rounded"},
    "FR": {"06 12 34 56 78": "+33612345678", "612345678": "+33612345678"},
    "IT": {"06 1234567": "+39061234567", "347 1234567": "+393471234567"},
    "AU": {"0011 44 20 7946 0000": "+442079460000", "0044 20 7946 0000": "+442079460000",
           "0412 345 678": "+61412345678"},
}


def rules_or_skip(t):
    if not os.path.exists(os.path.join(t.stack.build, "outdial-phonenumber.so")):
        raise tap.Skip("built without libphonenumber")


def test_a_country_completes_numbers(t):
    rules_or_skip(t)
    for country, numbers in NATIONAL.items():
        text = "phone,name\n" + "".join(f'"{number}",n{i}\n' for i, number in enumerate(numbers))
        data = send(t, text, default_country=country, dry_run="true")
        for row, (number, wanted) in zip(data["sample"], numbers.items(), strict=True):
            said = row["reason"] or row["phone_number"]
            assert said == wanted if wanted[0] == "+" else wanted in said, (country, number, said)
    form = ('--b\r\nContent-Disposition: form-data; name="default_country"\r\n\r\n%s\r\n--b\r\nContent-Disposition:'
            ' form-data; '
            'name="file"; filename="l.csv"\r\n\r\nphone\n030 1234567\n\r\n--b--\r\n')
    headers = {"Content-Type": "multipart/form-data; boundary=b"}
    assert send(t, form % "DE", headers=headers)["imported"] == 1
    for wrong in ("XX", "DEU", "D1"):
        assert send(t, "phone\n", status=400, default_country=wrong).details["field"] == "default_country"
        assert send(t, form % wrong, status=422, headers=headers).details["field"] == "default_country"
    data = send(t, "phone\n030 1234567\n")
    assert "default_country" in data["error_details"][0]["reason"], data


def test_workers_with_rules_of_countries_make_room(t):
    """The rules of libphonenumber take more memory than the rest of a worker."""
    rules_or_skip(t)
    old = set(t.stack.workers())
    send(t, "phone\n030 1234567\n", default_country="DE")
    until(lambda: len(now := set(t.stack.workers())) == len(old) and now != old, what="another worker in its place")


def test_numbers_that_are_not_called_are_kept(t):
    file = ("Name,Phone,Mobile\nAda,+14155550100,+14155550101 ::: +14155550102\nBo,,+14155550103 ::: +14155550104\n"
            "Cy,x,+14155550105\n")
    wanted = [("+14155550100", {"Mobile": "+14155550101 ::: +14155550102"}),
              ("+14155550103", {"Mobile": "+14155550103 ::: +14155550104"}), ("+14155550105", {"Phone": "x"})]
    data = send(t, file)
    assert sorted((one[0], one[4]) for one in people(t, data)) == wanted, people(t, data)
    data = send(t, "Phone,Mobile\n+14155550100,\n,+14155550105\n", folder_id=data["folder_id"],
                overwrite_existing="true")
    assert sorted((one[0], one[4]) for one in people(t, data)) == [(wanted[0][0], None), wanted[1],
                                                                   (wanted[2][0], None)], people(t, data)


def test_a_faulty_do_not_call_list_is_refused_as_a_whole(t):
    rules_or_skip(t)
    path = "/do-not-call/import"
    file = "phone\n+1 (555) 888-9999\n5558889998\n555\n"
    form = f'--b\r\nContent-Disposition: form-data; name="file"; filename="l.csv"\r\n\r\n{file}\r\n--b--\r\n'
    for query in ({}, {"default_country": "US"}):
        for body, headers in ((file, CSV), (form, {"Content-Type": "multipart/form-data; boundary=b"})):
            reply = send(t, body, path, 422, headers, **query)
            first, *rest = reply.details["errors"]
            assert first["field"] == "file" and "partial=true" in first["reason"] \
                and reply.details["reason"] == first["reason"], reply
            assert [error["reason"].split(":")[0] for error in rest] == (["row 4"] if query else ["row 3", "row 4"]), \
                reply
            assert t.api.all("/do-not-call") == []
    assert send(t, file, path, dry_run="true")["errors"] == 2
    assert send(t, file[:-4], path, default_country="US")["imported"] == 2, "also one that no operator has"
    assert send(t, file, path, partial="true", default_country="US")["errors"] == 1
    assert "row of its own" in send(t, "phone\n+49301 ::: +49302\n", path, 422).details["errors"][1]["reason"]
    many = "phone\n" + "x\n" * 200
    reply = send(t, many, path, 422)
    assert "200 of 200" in reply.details["reason"] and len(reply.details["errors"]) <= 50, reply


def test_another_charset_is_another_request(t):
    body, key = "phone,name\n+14155550100,Jos\u00e9\n".encode("cp1252"), {"X-Idempotency-Key": "list of May"}
    first = {"Content-Type": "text/csv; charset=windows-1252", **key}
    assert send(t, body, headers=first)["imported"] == 1
    again = t.api.send("POST", "/contacts/import", body, first)
    assert again.status == 200 and again.headers["Idempotency-Replayed"] == "true", again
    send(t, body, status=409, headers={"Content-Type": "text/csv; charset=iso-8859-15", **key})
    send(t, body, status=409, headers={**CSV, **key})
    part = ('--b\r\nContent-Disposition: form-data; name="file"; filename="l.csv"\r\nContent-Type: text/csv;'
            ' charset=%s\r\n\r\n'
            'phone\n+14155550100\r\n--b--\r\n')
    headers = {"Content-Type": "multipart/form-data; boundary=b", "X-Idempotency-Key": "form"}
    send(t, part % "windows-1252", headers=headers)
    send(t, part % "iso-8859-15", status=409, headers=headers)


def test_files_that_are_no_lists(t):
    for start, word in ((b"PK\x03\x04", "CSV UTF-8"), (b"\xd0\xcf\x11\xe0\xa1\xb1", "CSV UTF-8"), (b"%PDF-1.7", "PDF"),
                        (b"\x1f\x8b\x08", "unpack")):
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
        assert said == ("imported 1, updated 0, skipped 0, errors 0; rows 1\ncolumn 1: Kunde: name\ncolumn 2: Telefon:"
                        " custom_field\n"
                        "column 3: Handy: phone_number\n"), said
        contact, = t.api.all("/contacts")
        assert (contact["phone_number"], contact["first_name"]) == ("+14155550101", "José"), contact
        for wrong, word in ((("--charset", "utf-7"), "utf-7"), (("--map", "phone"), "--map"),
                            (("--map", "city=Ort"), "city"), (("--map", "phone=Fax"), "map[phone]")):
            assert word in t.outdial_fails(*arguments, *wrong), wrong
        with open(path, "wb") as out:
            out.write(b"PK\x03\x04")
        assert "workbook" in t.outdial_fails(*arguments)
        rules_or_skip(t)
        with open(path, "w") as out:
            out.write("phone\n030 1234567\n12\n")
        said = t.stack.outdial(*arguments, "--country", "de")
        assert said.startswith("imported 1, updated 0, skipped 0, errors 1; ") \
            and "too short for a number of DE" in said, said
        assert "--country" in t.outdial_fails(*arguments, "--country", "XX")
        listed = ["import", path, "--organization", t.organization, "--do-not-call", "asked", "--country", "DE"]
        assert "1 of 2 rows cannot be used" in t.outdial_fails(*listed)
        assert t.api.all("/do-not-call") == []
        assert t.stack.outdial(*listed, "--partial", "yes").startswith("imported 1, ")
        assert [one["phone_number"] for one in t.api.all("/do-not-call")] == ["+49301234567"]


if __name__ == "__main__":
    tap.run(globals())
