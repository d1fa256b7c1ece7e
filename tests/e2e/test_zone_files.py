#!/usr/bin/env python3
"""Time zones whose files are missing, damaged or restored. The tz database of the stack is a folder of this test, with
the files that Debian 13 has without tzdata-legacy. Campaigns in a zone that cannot be read wait, and nothing fails."""

import atexit
import glob
import os
import shutil
import subprocess
import tempfile
import time

import tap
from client import EVERY_DAY, contacts, until
from receiver import TAKEN, ends

HOST = "/usr/share/zoneinfo"
FOLDER = tempfile.mkdtemp(prefix="outdial-zoneinfo-")
atexit.register(shutil.rmtree, FOLDER, ignore_errors=True)
os.environ["TZDIR"] = FOLDER  # for every program of the stack
NO_FILE = "this host has no file for it"
DAMAGED = "its file is damaged"


def put(name, data=None):
    """Replaces the file of a zone by the host's file, or by other bytes."""
    path = os.path.join(FOLDER, name)
    os.makedirs(os.path.dirname(path), exist_ok=True)
    if data is None:
        with open(os.path.join(HOST, name), "rb") as file:
            data = file.read()
    with open(path + ".new", "wb") as file:
        file.write(data)
    os.rename(path + ".new", path)


def remove(name):
    os.remove(os.path.join(FOLDER, name))


ZONES = ["Asia/Kolkata", "Europe/Berlin", "Europe/Rome", "Europe/Paris", "Asia/Tokyo", "America/Los_Angeles"]
for zone in ZONES:
    put(zone)
with open(os.path.join(HOST, "tzdata.zi"), "rb") as source:
    put("tzdata.zi", source.read())

with tempfile.NamedTemporaryFile("w", prefix="outdial-number-zones-", delete=False) as table:
    table.write("33|Europe/Paris&America/Atlantis\n")
atexit.register(os.unlink, table.name)

STACK = {"rate_limit": False, "config": {"number_zones_file": table.name}}


def log(t):
    text = ""
    for path in glob.glob(os.path.join(t.stack.log_dir,
                                       "scheduler-*")) + glob.glob(os.path.join(t.stack.log_dir, "api*")):
        with open(path) as file:
            text += file.read()
    return text


def in_zone(person, zone):
    return dict(person, timezone=zone)


def waits(t, batch, zone, trouble):
    shown = t.api.read(batch)
    return shown if (shown["status_reason"] or "").startswith(f"time zone {zone} cannot be read: {trouble}") else None


def test_names_are_taken_in_any_case(t):
    receiver, agent = t.dialing_agent()
    for n, (given, name) in enumerate((("asia/calcutta", "Asia/Calcutta"), ("US/PACIFIC", "US/Pacific"), ("utc", "UTC"),
                        ("europe/BERLIN", "Europe/Berlin"), ("Asia/Kolkata", "Asia/Kolkata"),
                                       ("europe/kiev", "Europe/Kiev"))):
        batch = t.api.batch(agent, [in_zone(contacts(1)[0], given)], timezone=given)
        assert batch["timezone"] == name, batch
        assert t.api.contacts_of(batch)[0]["timezone"] == name
        assert t.api.patch(f"/batch-calls/{batch['id']}", {"timezone": given.swapcase()})["timezone"] == name
        kept = t.api.post("/contacts", in_zone(contacts(1, n + 1)[0], given))
        assert kept["timezone"] == name, kept
        text = f"phone,timezone\n+4930123456,{given.upper()}\n+4930123457,{given}\n"
        reply = t.api.send("POST", "/contacts/import", text, headers={"Content-Type": "text/csv"}).data
        assert reply["imported"] == 2, reply
        rows = t.api.all("/contacts", folder_id=reply["folder_id"])
        assert {row["timezone"] for row in rows} == {name}, rows


def test_invalid_zone_names(t):
    receiver, agent = t.dialing_agent()
    batch = t.api.batch(agent, 1)
    for name in ("../../etc/passwd", "../zoneinfo/UTC", "posix/Europe/Berlin", "POSIX/Europe/Berlin", "right/UTC",
                 "localtime",
                 "Factory", "FACTORY", "Europe/Atlantis", "Europe", "/Europe/Berlin", "Europe/Berlin/",
                 "Europe//Berlin",
                 "tzdata.zi", "CET-1CEST", "+01:00", "Europe/Berlin ", "Europe Berlin", "Europe/Berlin\n", "x" * 64):
        t.api.refuse("validation_error", "PATCH", f"/batch-calls/{batch['id']}", {"timezone": name}, field="timezone")
        t.api.refuse("validation_error", "POST", "/contacts", in_zone(contacts(1)[0], name), field="timezone")
        t.api.refuse("validation_error", "POST", f"/batch-calls/{batch['id']}/contacts",
                     {"contacts": [in_zone(contacts(1)[0], name)]}, field="contacts[0].timezone")
    assert t.api.read(batch) == batch


def test_a_link_without_a_file_is_read_through_its_zone(t):
    receiver, agent = t.dialing_agent()
    batch = t.api.batch(agent, 1, timezone="Asia/Calcutta", start_time="09:00", end_time="17:00",
                        schedule_type="scheduled", scheduled_at="2040-03-01T08:00")
    assert batch["scheduled_at"] == "2040-03-01T02:30:00.000000Z", batch
    assert t.api.contacts_of(batch)[0]["scheduled_at"] == "2040-03-01T03:30:00.000000Z"
    batch = t.api.batch(agent, [in_zone(contacts(1)[0], "US/Pacific")], respect_contact_timezone=True,
                        timezone="Asia/Calcutta",
                        start_time="09:00", end_time="17:00", schedule_type="scheduled",
                        scheduled_at="2040-03-01T08:00")
    assert t.api.contacts_of(batch)[0]["scheduled_at"] == "2040-03-01T17:00:00.000000Z"


def test_a_campaign_waits_for_its_zone(t):
    """The zone is missing during planning, and again while the campaign runs; the campaign goes on by itself."""
    receiver, agent = t.dialing_agent()
    receiver.script = lambda call: TAKEN
    receiver.endpoint("/events", events=["batch.status.changed"])
    put("Europe/Rome", b"TZif2" + bytes(100))
    batch = t.api.batch(agent, 3, timezone="europe/rome", max_concurrent_calls=1)
    path = f"/batch-calls/{batch['id']}"
    held = until(lambda: t.api.post(f"{path}/preview")["held"], what="the API sees it")
    assert held == {"contacts": 3, "reason": f"time zone Europe/Rome cannot be read: {DAMAGED}"}, held
    assert not t.api.post(f"{path}/preview", {"average_call_seconds": 60})["never_called"]
    t.api.refuse("validation_error", "PATCH", path, {"schedule_type": "scheduled", "scheduled_at": "2040-03-01T08:00"},
                 field="scheduled_at")
    t.api.patch(path, {"schedule_type": "scheduled",
                       "scheduled_at": time.strftime("%Y-%m-%dT%H:%MZ", time.gmtime(time.time() - 3600))})
    scheduled = t.api.schedule(batch)
    assert scheduled["status"] == "scheduled" and scheduled["pending"] == 3, scheduled
    assert waits(t, batch, "Europe/Rome", DAMAGED), t.api.read(batch)
    assert (scheduled["held_by"], scheduled["held_until"]) == ("time_zone", None), scheduled
    [listed] = [one for one in t.api.all("/batch-calls") if one["id"] == batch["id"]]
    assert listed["status_reason"] == scheduled["status_reason"], listed
    why = t.api.get(f"{path}/contacts/1/why")
    assert why["waits_for"] == "time_zone" and why["next_at"] is None, why
    assert why["reason"] == f"It waits: time zone Europe/Rome cannot be read: {DAMAGED}.", why
    [gate] = [gate for gate in why["gates"] if gate["gate"] == "time_zone"]
    assert gate == {"gate": "time_zone", "open": False, "opens_at": None, "facts": {
        "is_readable": False, "unreadable": "Europe/Rome", "trouble": DAMAGED}}, gate
    assert why["reason"] in t.stack.outdial("explain", batch["id"], "1")
    assert t.api.get(f"{path}/analytics")["series"] is None
    assert f"a campaign waits: time zone Europe/Rome cannot be read: {DAMAGED}" in log(t)
    shown = t.api.get(f"{path}/why")
    assert shown["waits_for"] == "time_zone" and shown["reason"] == why["reason"], shown
    t.api.post(f"{path}/pause")
    assert waits(t, batch, "Europe/Rome", DAMAGED)
    t.api.post(f"{path}/resume")
    until(lambda: waits(t, batch, "Europe/Rome", DAMAGED), what="it waits after the pause, too")
    assert not receiver.calls()
    put("Europe/Rome")
    call = receiver.wait_for_calls(1)[0].data["call_id"]
    assert t.api.read(batch)["status_reason"] is None, t.api.read(batch)
    assert "a campaign goes on, because its time zones can be read again" in log(t)
    remove("Europe/Rome")
    until(lambda: waits(t, batch, "Europe/Rome", NO_FILE), what="the scheduler sees it")
    t.api.post(f"/calls/{call}/status", {"status": "completed"})
    until(lambda: t.api.read(batch)["completed"] == 1, what="the call has ended")
    assert waits(t, batch, "Europe/Rome", NO_FILE), t.api.read(batch)
    assert len(receiver.calls()) == 1, receiver.calls()
    put("Europe/Rome")
    receiver.script = lambda call: ends("completed")
    done = t.api.wait_for(batch, "completed")
    assert done["completed"] == 3, done
    assert {event.data["to"] for event in receiver.of_type("batch.status.changed", batch)} <= \
        {"scheduled", "paused", "active", "completed"}


def test_contacts_wait_for_their_zones(t):
    """Contacts in zones that can be read are called. A contact waits if its number may be in a zone that the host does
    not know."""
    receiver, agent = t.dialing_agent()
    receiver.script = lambda call: ends("completed")
    remove("Asia/Tokyo")
    people = [in_zone(person, zone) for person, zone in
              zip(contacts(4), ("Asia/Tokyo", "Europe/Berlin", "Japan", "Asia/Calcutta"))]
    people.append({"phone_number": "+33123456789"})
    batch = t.api.batch(agent, people, timezone="UTC", respect_contact_timezone=True, working_days=EVERY_DAY)
    path = f"/batch-calls/{batch['id']}"
    until(lambda: (t.api.post(f"{path}/preview")["held"] or {}).get("contacts") == 3, what="the API sees it")
    t.api.schedule(batch)
    until(lambda: t.api.read(batch)["completed"] == 2, what="two are called")
    shown = until(lambda: waits(t, batch, "Asia/Tokyo", NO_FILE), what="three wait")
    assert shown["status"] == "active" and shown["status_reason"].endswith(" (3 contacts wait)"), shown
    assert (shown["pending"], shown["skipped"]) == (3, 0), shown
    rows = t.api.contacts_of(batch)
    assert [row["status"] for row in rows] == ["pending", "completed", "pending", "completed", "pending"], rows
    for position, zone in ((1, "Asia/Tokyo"), (3, "Japan"), (5, "America/Atlantis")):
        why = t.api.get(f"{path}/contacts/{position}/why")
        assert why["waits_for"] == "contact_time_zone" and zone in why["reason"], why
    put("Asia/Tokyo")
    until(lambda: t.api.read(batch)["completed"] == 4, what="two more are called")
    shown = until(lambda: waits(t, batch, "America/Atlantis", NO_FILE), what="one waits")
    assert shown["status_reason"].endswith(" (1 contact waits)"), shown
    shown = until(lambda: (lambda now: now if now["held_by"] else None)(t.api.read(batch)), what="held_by is set")
    assert (shown["held_by"], shown["held_until"]) == ("contact_time_zone", None), shown
    assert t.api.get(f"{path}/why")["reason"] == f"It waits: {shown['status_reason']}.", t.api.get(f"{path}/why")
    put("America/Atlantis", open(os.path.join(HOST, "America/New_York"), "rb").read())
    t.api.wait_for(batch, "completed")
    assert t.api.read(batch)["completed"] == 5 and t.api.read(batch)["status_reason"] is None
    remove("America/Atlantis")


def test_an_empty_folder(t):
    """UTC needs no file. No other name can be checked, and waiting campaigns go on afterwards."""
    receiver, agent = t.dialing_agent()
    receiver.script = lambda call: ends("completed")
    batch = t.api.batch(agent, 1, timezone="Asia/Calcutta")
    away = FOLDER + ".away"
    os.rename(FOLDER, away)
    os.mkdir(FOLDER)
    try:
        until(lambda: t.api.send("POST", "/contacts", in_zone(contacts(1)[0], "Europe/Paris")).status == 503,
              what="the API sees it")
        reply = until(lambda: (lambda reply: reply if reply.status == 503 else None)(
            t.api.send("PATCH", f"/batch-calls/{batch['id']}", {"timezone": "Asia/Calcutta"})),
                      what="all workers see it")
        assert reply.error["code"] == "unavailable" and reply.details["field"] == "timezone" \
            and reply.headers["Retry-After"] == "10", reply
        assert reply.details["reason"] == "cannot be looked up: this server has no list of time zones now", reply
        t.api.schedule(batch)
        until(lambda: waits(t, batch, "Asia/Calcutta", NO_FILE), what="it waits")
        in_utc = t.api.batch(agent, 1, timezone="utc", start_time="00:00", end_time="24:00")
        t.api.schedule(in_utc)
        t.api.wait_for(in_utc, "completed")
        assert waits(t, batch, "Asia/Calcutta", NO_FILE)
    finally:
        os.rmdir(FOLDER)
        os.rename(away, FOLDER)
    t.api.wait_for(batch, "completed")


def test_check_config_names_zones_that_cannot_be_read(t):
    receiver, agent = t.dialing_agent()
    t.api.batch(agent, 1, timezone="Europe/Rome")
    t.api.batch(agent, [in_zone(contacts(1)[0], "Asia/Tokyo")], respect_contact_timezone=True)
    t.api.post("/contacts", in_zone(contacts(1)[0], "Japan"))
    said = check_config(t)
    assert "Europe/Rome" not in said and "America/Atlantis, in number_zones_file" in said, said
    remove("Europe/Rome")
    remove("Asia/Tokyo")
    said = check_config(t)
    for name in ("Europe/Rome", "Asia/Tokyo", "Japan"):
        assert f"the time zone {name} cannot be read on this host: {NO_FILE}" in said, said
    assert "Europe/Berlin" not in said, said
    put("Europe/Rome")
    put("Asia/Tokyo")


def check_config(t):
    result = subprocess.run([f"{t.stack.build}/outdial", "-c", t.stack.write_config(), "check-config"],
                            capture_output=True, text=True)
    assert result.returncode == 0, result
    return result.stderr


if __name__ == "__main__":
    tap.run(globals())
