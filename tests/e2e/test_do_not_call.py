#!/usr/bin/env python3
"""A number on the do-not-call list is not called from the moment the reply is given."""

import base64
import hashlib
import os
import tempfile
import time

import tap
from client import contacts, until
from receiver import TAKEN, Answer, ends


def add(t, *numbers, **fields):
    return t.api.post("/do-not-call", {"phone_numbers": list(numbers), **fields})


def numbers_called(receiver):
    return {call.data["to"] for call in receiver.calls()}


def test_the_list(t):
    assert add(t, "+4930111", "+4930222", reason="asked us to") == {"added": 2, "already_listed": 0}
    assert t.api.post("/do-not-call", {"phone_number": "+4930222"}) == {"added": 0, "already_listed": 1}
    rows = t.api.all("/do-not-call")
    assert [(row["phone_number"], row["reason"]) for row in rows] == [
        ("+4930111", "asked us to"), ("+4930222", "asked us to")], rows
    assert [row["phone_number"] for row in t.api.get("/do-not-call", phone_number="+4930222")] == ["+4930222"]
    assert t.client(organization="somebody else").get("/do-not-call") == []
    t.api.delete("/do-not-call/+4930111")
    t.api.refuse("not_found", "DELETE", "/do-not-call/+4930111")
    t.api.refuse("not_found", "DELETE", "/do-not-call/4930222")
    assert len(t.api.all("/do-not-call")) == 1


def test_wrong_input(t):
    for body, field in (({}, "phone_number"), ({"phone_number": "+49", "phone_numbers": ["+4930"]}, None),
                        ({"phone_number": "030"}, "phone_number"), ({"phone_numbers": []}, "phone_numbers"),
                        ({"phone_numbers": ["+4930", "x"]}, "phone_numbers[1]"),
                        ({"phone_number": "+4930", "reason": "r" * 256}, "reason")):
        t.api.refuse("validation_error", "POST", "/do-not-call", body, field=field)
    assert t.api.get("/do-not-call") == []
    for text in (b"\xff", "\u00e4".encode(), b"x"):
        sealed = b"1 0 /api/public/v1/do-not-call 1 1 " + text + b" "
        cursor = base64.urlsafe_b64encode(hashlib.sha256(sealed).digest()[:6] + b"1 1 " + text).decode().rstrip("=")
        t.api.refuse("bad_request", "GET", f"/do-not-call?cursor={cursor}", field="cursor")


def test_planned_contacts_are_skipped(t):
    receiver, agent = t.dialing_agent()
    receiver.script = lambda call: ends()
    batch = t.api.batch(agent, 30)
    listed = [contact["phone_number"] for contact in contacts(30)[::3]]
    add(t, *listed)
    t.api.schedule(batch)
    done = t.api.wait_for(batch, "completed")
    assert (done["completed"], done["skipped"], done["called"]) == (20, 10, 20), done
    assert not numbers_called(receiver) & set(listed)
    skipped = t.api.contacts_of(batch, status="skipped")
    assert {row["phone_number"] for row in skipped} == set(listed)
    assert {row["error_reason"] for row in skipped} == {"do_not_call"} and {row["attempts"] for row in skipped} == {0}


def test_a_campaign_of_listed_numbers_only_completes(t):
    receiver, agent = t.dialing_agent()
    add(t, *[contact["phone_number"] for contact in contacts(250)])
    batch = t.api.batch(agent, 250, max_concurrent_calls=3)
    t.api.schedule(batch)
    done = t.api.wait_for(batch, "completed", 10)
    assert done["skipped"] == 250 and done["called"] == 0 and not receiver.calls(), done


def test_from_the_reply_on(t):
    """Numbers are listed while the campaign runs: none is called after its reply."""
    receiver, agent = t.dialing_agent()
    receiver.script = lambda call: ends(delay=0.02)
    batch = t.api.batch(agent, 200, max_concurrent_calls=5)
    t.api.schedule(batch)
    listed_at = {}
    for contact in reversed(contacts(200)):
        number = contact["phone_number"]
        if number in numbers_called(receiver):
            break
        add(t, number)
        listed_at[number] = time.monotonic()
    t.api.wait_for(batch, "completed")
    late = [call for call in receiver.calls()
            if call.data["to"] in listed_at and call.at > listed_at[call.data["to"]] + 0.05]
    assert listed_at and not late, late


def test_an_unaccepted_call_to_a_listed_number_ends(t):
    receiver, agent = t.dialing_agent()
    receiver.script = lambda call: Answer(503)
    batch = t.api.batch(agent, 1)
    t.api.schedule(batch)
    receiver.wait_for_calls(1)
    add(t, contacts(1)[0]["phone_number"])
    tries = len(receiver.calls())
    done = t.api.wait_for(batch, "completed", 15)
    assert done["cancelled"] == 1 and len(receiver.calls()) <= tries + 1, done
    assert t.api.calls_of(batch)[0]["end_reason"] == "do_not_call"


def test_a_retry_is_not_made(t):
    receiver, agent = t.dialing_agent()
    receiver.script = lambda call: ends("busy")
    batch = t.api.batch(agent, 1, retry_failed=True, max_retry_attempts=1, retry_delay_minutes=1)
    t.api.schedule(batch)
    until(lambda: [contact["call_status"] for contact in t.api.contacts_of(batch, status="scheduled")] == ["busy"],
          what="it waits")
    add(t, contacts(1)[0]["phone_number"])
    t.stack.sql("UPDATE due_contacts SET due_at = UTC_TIMESTAMP(6); UPDATE batch_calls SET low_water = '1000-01-01',"
                " wake_at = UTC_TIMESTAMP(6) WHERE status = 2")
    done = t.api.wait_for(batch, "completed", 10)
    assert done["busy"] == 1 and len(receiver.calls()) == 1, done


def send_list(t, text, query="", status=200, media_type="text/csv"):
    reply = t.api.send("POST", f"/do-not-call/import{query}", text, {"Content-Type": media_type})
    assert reply.status == status, reply
    return reply


def test_import(t):
    """A number that can be read is put on the list, whatever else is in its row."""
    add(t, "+4930111")
    data = send_list(t, "Name,Phone,timezone\nA,+4930111,\nB,+4930222,Mars\n,030,\nC,,\n" + "x" * 300 + ",+4930333,\n",
                     "?reason=asked&partial=true").data
    details = data.pop("error_details")
    columns = [("Name", "ignored"), ("Phone", "phone_number"), ("timezone", "ignored")]
    assert data == {"rows": 5, "imported": 2, "updated": 0, "skipped": 1, "errors": 2, "delimiter": ",",
                    "dry_run": False, "columns": [{"name": name, "used_as": use} for name, use in columns]}, data
    assert [(row["row"], row["phone"]) for row in details] == [(4, "030"), (5, None)], details
    rows = t.api.all("/do-not-call")
    assert [(row["phone_number"], row["reason"]) for row in rows] == [
        ("+4930111", None), ("+4930222", "asked"), ("+4930333", "asked")], rows
    form = ('--b\r\nContent-Disposition: form-data; name="reason"\r\n\r\nform\r\n--b\r\nContent-Disposition: form-data;'
            ' name="file"; filename="l.csv"\r\n\r\nphone_number\n+4930444\n\r\n--b--\r\n')
    assert send_list(t, form, media_type="multipart/form-data; boundary=b").data["imported"] == 1
    assert t.api.get("/do-not-call", phone_number="+4930444")[0]["reason"] == "form"
    send_list(t, "name\nA\n", status=422)
    send_list(t, "", status=422)
    send_list(t, "phone\n+4930\n", "?folder_id=x", 400)
    send_list(t, "phone\n+4930\n", "?reason=" + "r" * 256, 400)
    send_list(t, "[]", status=415, media_type="application/json")
    assert t.client(organization="somebody else").get("/do-not-call") == []


def test_import_from_the_shell(t):
    t.api.get("/do-not-call")
    with tempfile.TemporaryDirectory() as place:
        path = os.path.join(place, "list.csv")
        with open(path, "w") as file:
            file.write("phone\n" + "".join(f"+4930{number:08}\n" for number in range(2500)))
        printed = t.stack.outdial("import", path, "--organization", t.organization, "--do-not-call", "state list")
    assert printed.startswith("imported 2500, updated 0, skipped 0, errors 0"), printed
    assert t.api.get("/do-not-call", phone_number="+493000002499")[0]["reason"] == "state list"


def test_an_import_holds_from_the_reply_on(t):
    receiver, agent = t.dialing_agent()
    receiver.script = lambda call: ends()
    batch = t.api.batch(agent, 2000, max_concurrent_calls=1)
    numbers = [contact["phone_number"] for contact in contacts(2000)]
    t.api.schedule(batch)
    receiver.wait_for_calls(1)
    send_list(t, "phone\n" + "\n".join(numbers))
    said = time.monotonic()
    done = t.api.wait_for(batch, "completed")
    assert done["skipped"] > 0 and done["skipped"] + done["completed"] + done["cancelled"] == 2000, done
    late = [call for call in receiver.calls() if call.at > said + 0.05]
    assert not late, late


if __name__ == "__main__":
    tap.run(globals())
