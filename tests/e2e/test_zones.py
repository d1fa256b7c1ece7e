#!/usr/bin/env python3
"""Several windows a day, and contacts that are called in the windows of their own zones. Here it is always about noon
in one zone, and midnight in another."""

import atexit
import collections
import datetime
import os
import tempfile
import zoneinfo

import tap
from client import EVERY_DAY, UTC, contacts, parse, until
from receiver import ends


def zone_at(hour):
    """Returns a zone in which it is about this hour."""
    ahead = (hour - datetime.datetime.now(UTC).hour + 11) % 24 - 11
    return f"Etc/GMT{-ahead:+d}" if ahead else "UTC"


NOON, MIDNIGHT = zone_at(12), zone_at(0)
DAYTIME = {"start_time": "08:00", "end_time": "17:00"}

# The zones of numbers; +49 may be in two zones whose windows never overlap.
with tempfile.NamedTemporaryFile("w", prefix="outdial-number-zones-", delete=False) as table:
    table.write(f"# a table\n\n31|{NOON}\n32|{MIDNIGHT}\n33|{NOON}&{MIDNIGHT}\n")
atexit.register(os.unlink, table.name)

STACK = {"rate_limit": False, "config": {"number_zones_file": table.name}}


def local(at, zone):
    return parse(at).astimezone(zoneinfo.ZoneInfo(zone))


def in_daytime(at, zone):
    return 8 <= local(at, zone).hour < 17


def people_in(*zones):
    return [dict(person, timezone=zone) for person, zone in zip(contacts(len(zones)), zones)]


def window(start, end, days=None):
    return {"days": days or EVERY_DAY, "start": start, "end": end}


# Several windows

def test_a_list_of_windows(t):
    receiver, agent = t.dialing_agent()
    windows = [window("13:00", "17:00", [1, 2, 3, 4, 5]), window("09:00", "12:00", [1, 2, 3, 4, 5]),
               window("22:00", "02:00", [6])]
    batch = t.api.post("/batch-calls", {
        "name": "B", "agent_id": agent["id"], "phone_number_ids": [t.api.number()["id"]], "contacts": contacts(5),
        "calling_windows": windows, "max_calls_per_day": 1, "schedule_type": "scheduled",
        "scheduled_at": "2040-03-01T12:30:00Z"})  # a Thursday
    assert batch["calling_windows"] == windows and batch["working_days"] == [1, 2, 3, 4, 5, 6], batch
    plan = lambda: [row["scheduled_at"][:19] for row in t.api.contacts_of(batch)]
    assert plan() == ["2040-03-01T13:00:00", "2040-03-02T09:00:00", "2040-03-03T22:00:00", "2040-03-04T00:00:00",
                      "2040-03-05T09:00:00"], plan()
    path = f"/batch-calls/{batch['id']}"
    changed = t.api.patch(path, {"working_days": [6, 7]})  # only the windows of the list that open on Saturday are left
    assert changed["calling_windows"] == windows
    assert plan()[:3] == ["2040-03-03T22:00:00", "2040-03-04T00:00:00", "2040-03-10T22:00:00"], plan()
    t.api.patch(path, {"calling_windows": [window("10:00", "11:00")]})
    assert plan() == [f"2040-03-0{day}T10:00:00" for day in (2, 3, 4, 5, 6)], plan()
    changed = t.api.patch(path, {"calling_windows": None, "start_time": "12:40", "end_time": "12:50"})
    assert changed["calling_windows"] == [] and changed["working_days"] == EVERY_DAY, changed
    assert plan()[0] == "2040-03-01T12:40:00", plan()


def test_invalid_lists_of_windows(t):
    receiver, agent = t.dialing_agent()
    batch = t.api.batch(agent, 1, **DAYTIME)
    path = f"/batch-calls/{batch['id']}"
    good = window("09:00", "10:00")

    def refuse(field, windows, **rest):
        body = {"start_time": None, "end_time": None, "calling_windows": windows, **rest}
        t.api.refuse("validation_error", "PATCH", path, body, field=field)
        t.api.refuse("validation_error", "POST", "/batch-calls",
                     {"name": "B", "agent_id": agent["id"], "contacts": contacts(1), **body}, field=field)

    for windows in ("09:00-10:00", {}, 5, [good] * 51):
        refuse("calling_windows", windows)
    refuse("calling_windows[0]", ["09:00"])
    refuse("calling_windows[1].start", [good, dict(good, start="9:00")])
    refuse("calling_windows[1].end", [good, dict(good, end="24:01")])
    refuse("calling_windows[1].end", [good, window("10:00", "10:00")])
    refuse("calling_windows[0].end", [window("24:00", "00:00")])
    refuse("calling_windows[0].days", [dict(good, days=[])])
    refuse("calling_windows[0].days", [dict(good, days=[1, 1])])
    refuse("calling_windows[0].days", [dict(good, days=[8])])
    refuse("calling_windows[0].colour", [dict(good, colour="red")])
    for name in ("days", "start", "end"):
        refuse(f"calling_windows[0].{name}", [{key: value for key, value in good.items() if key != name}])
    refuse("calling_windows", [good], start_time="09:00", end_time="17:00")
    refuse("working_days", [dict(good, days=[1, 2])], working_days=[6, 7])
    t.api.refuse("validation_error", "PATCH", path, {"calling_windows": [good]}, field="calling_windows")
    assert t.api.read(batch) == batch
    for windows in ([good] * 50, [], None, [good, window("09:30", "09:45")], [window("24:00", "06:00")]):
        t.api.patch(path, {"start_time": None, "end_time": None, "calling_windows": windows})


def test_calls_in_the_windows_only(t):
    receiver, agent = t.dialing_agent()
    now = datetime.datetime.now(zoneinfo.ZoneInfo(NOON)).isoweekday()
    closed = [window("00:00", "04:00"), window("20:00", "24:00"), window("08:00", "17:00", [now % 7 + 1])]
    batch = t.api.batch(agent, 3, timezone=NOON, calling_windows=closed, working_days=EVERY_DAY)
    t.api.schedule(batch)
    rows = t.api.contacts_of(batch)
    assert {local(row["scheduled_at"], NOON).hour for row in rows} == {20}, rows
    t.make_due(batch)
    until(lambda: min(row["scheduled_at"] for row in t.api.contacts_of(batch)) > t.api.read(batch)["created_at"]
          and local(t.api.contacts_of(batch)[0]["scheduled_at"], NOON).hour == 20, what="they are planned again")
    assert not receiver.calls()
    t.api.patch(f"/batch-calls/{batch['id']}", {"calling_windows": [*closed, window("06:00", "18:00")]})
    t.api.wait_for(batch, "completed")
    assert len(receiver.calls()) == 3


# The zones of contacts

def test_contacts_are_called_in_the_daytime_of_their_own_zones(t):
    receiver, agent = t.dialing_agent()
    people = people_in(NOON, MIDNIGHT, None, NOON, MIDNIGHT, None)
    batch = t.api.batch(agent, people, timezone=NOON, respect_contact_timezone=True, **DAYTIME)
    assert batch["respect_contact_timezone"] is True
    t.api.schedule(batch)
    until(lambda: len(receiver.calls()) == 4, what="four are called")
    rows = t.api.contacts_of(batch)
    assert [row["status"] for row in rows if row["timezone"] == MIDNIGHT] == ["scheduled"] * 2, rows
    assert all(in_daytime(row["scheduled_at"], row["timezone"] or NOON) for row in rows), rows
    assert len({row["scheduled_at"] for row in rows}) == 6
    assert t.api.read(batch)["planned_until"] == max(row["scheduled_at"] for row in rows)
    # the window at the moment of the call decides, and not the plan
    t.make_due(batch)
    until(lambda: all(in_daytime(row["scheduled_at"], row["timezone"] or NOON) for row in t.api.contacts_of(batch)),
          what="they are planned again")
    assert len(receiver.calls()) == 4
    t.api.post(f"/batch-calls/{batch['id']}/cancel")


def test_zones_follow_from_the_number(t):
    """A contact's own zone counts first. If several zones are possible, all of them count."""
    receiver, agent = t.dialing_agent()
    people = [{"phone_number": "+31201234567"}, {"phone_number": "+32201234567"}, {"phone_number": "+33201234567"},
              {"phone_number": "+32201234568", "timezone": NOON}, {"phone_number": "+44201234567"}]
    batch = t.api.batch(agent, people, timezone=NOON, respect_contact_timezone=True, **DAYTIME)
    shown = t.api.post(f"/batch-calls/{batch['id']}/preview")
    assert (shown["contacts"], shown["planned"]) == (5, 4), shown
    t.api.schedule(batch)
    until(lambda: len(receiver.calls()) == 3, what="three are called")
    rows = until(lambda: settled(t, batch), what="all calls have ended")
    assert [row["status"] in ("scheduled", "skipped") for row in rows] == [False, True, True, False, False], rows
    assert rows[1]["status"] == "scheduled" and in_daytime(rows[1]["scheduled_at"], MIDNIGHT), rows[1]
    assert (rows[2]["status"], rows[2]["error_reason"]) == ("skipped", "no_calling_window"), rows[2]
    assert t.api.read(batch)["skipped"] == 1
    assert sum(day["contacts"] for day in shown["days"]) == 4
    t.api.post(f"/batch-calls/{batch['id']}/cancel")


def test_the_preview_is_the_plan(t):
    """The order also holds when the day of the campaign ends for contacts of all zones at once."""
    receiver, agent = t.dialing_agent()
    people = people_in(*["Pacific/Kiritimati"] * 4, *["Asia/Tehran"] * 3, *["Asia/Gaza"] * 2, *["America/Santiago"] * 3)
    batch = t.api.batch(agent, people, timezone="Pacific/Kiritimati", respect_contact_timezone=True,
                        working_days=EVERY_DAY, excluded_dates=["2035-03-27", "2035-03-29"], max_calls_per_day=4,
                        schedule_type="scheduled", scheduled_at="2035-03-25T07:26:00Z")
    rows = t.api.contacts_of(batch)
    planned = sorted(row["scheduled_at"] for row in rows)
    days = collections.Counter(str(local(at, "Pacific/Kiritimati").date()) for at in planned)
    shown = t.api.post(f"/batch-calls/{batch['id']}/preview")
    assert {day["date"]: day["contacts"] for day in shown["days"]} == days, (shown, rows)
    assert (shown["planned_from"], shown["planned_until"]) == (planned[0], planned[-1]), (shown, rows)
    t.api.post(f"/batch-calls/{batch['id']}/cancel")


def settled(t, batch):
    rows = t.api.contacts_of(batch)
    return rows if rows[2]["status"] == "skipped" else None


def test_a_campaign_in_which_no_contact_can_be_called_completes(t):
    receiver, agent = t.dialing_agent()
    receiver.endpoint("/events", events=["batch.completed"])
    batch = t.api.batch(agent, [{"phone_number": "+33201234567"}, {"phone_number": "+33201234568"}],
                        respect_contact_timezone=True, **DAYTIME)
    t.api.schedule(batch)
    done = t.api.wait_for(batch, "completed")
    assert (done["skipped"], done["called"], done["pending"]) == (2, 0, 0), done
    assert {row["error_reason"] for row in t.api.contacts_of(batch)} == {"no_calling_window"}
    until(lambda: receiver.of_type("batch.completed", batch), what="batch.completed has come")
    assert not receiver.calls()


def test_retries_in_the_contacts_own_window(t):
    receiver, agent = t.dialing_agent()
    receiver.script = lambda call: ends("busy")
    people = people_in(NOON, zone_at(10))
    batch = t.api.batch(agent, people, timezone=MIDNIGHT, respect_contact_timezone=True, retry_failed=True,
                        max_retry_attempts=1, retry_delay_minutes=600, **DAYTIME)
    t.api.schedule(batch)
    rows = until(lambda: waiting_for_second(t, batch), what="both wait for a second call")
    for row in rows:
        at = local(row["scheduled_at"], row["timezone"])
        assert (at.hour, at.minute) == (8, 0), row
    t.api.post(f"/batch-calls/{batch['id']}/cancel")


def waiting_for_second(t, batch):
    rows = t.api.contacts_of(batch)
    return rows if all((row["status"], row["attempts"]) == ("scheduled", 1) for row in rows) else None


def test_contacts_of_all_sources(t):
    """The contacts come from a folder, from a file, by id, and are added later."""
    receiver, agent = t.dialing_agent()
    folder = t.api.post("/contacts/folders", {"name": "F"})
    kept = [t.api.post("/contacts", dict(person, folder_id=folder["id"])) for person in people_in(NOON, MIDNIGHT)]
    settings = {"timezone": NOON, "respect_contact_timezone": True, **DAYTIME}
    batches = [t.api.batch(agent, 0, contact_source="folder", contact_folder_id=folder["id"], **settings),
               t.api.batch(agent, 0, contact_ids=[contact["id"] for contact in kept], **settings),
               t.api.batch(agent, 0, **settings)]
    path = f"/batch-calls/{batches[2]['id']}/contacts"
    text = "phone,timezone\n" + "".join(f"{who['phone_number']},{who['timezone']}\n" for who in kept)
    t.api.send("POST", path + "/import", text, headers={"Content-Type": "text/csv"})
    for batch in batches:
        t.api.schedule(batch)
        until(lambda: len(receiver.calls(batch)) == 1, what="one is called")
        assert receiver.calls(batch)[0].data["to"] == kept[0]["phone_number"]
        assert in_daytime(t.api.contacts_of(batch)[1]["scheduled_at"], MIDNIGHT)
    t.api.post(path, {"contacts": people_in(None, None, None, MIDNIGHT)[3:]})
    assert in_daytime(t.api.contacts_of(batches[2])[2]["scheduled_at"], MIDNIGHT)
    for batch in batches:
        t.api.post(f"/batch-calls/{batch['id']}/cancel")


def test_the_rule_while_a_campaign_runs(t):
    receiver, agent = t.dialing_agent()
    batch = t.api.batch(agent, people_in(MIDNIGHT, MIDNIGHT, NOON), timezone=NOON, respect_contact_timezone=True,
                        max_concurrent_calls=1, **DAYTIME)
    path = f"/batch-calls/{batch['id']}"
    t.api.schedule(batch)
    until(lambda: len(receiver.calls()) == 1, what="one is called")
    t.api.refuse("invalid_state", "PATCH", path, {"respect_contact_timezone": False})
    t.api.post(f"{path}/pause")
    t.api.patch(path, {"respect_contact_timezone": False})
    t.api.post(f"{path}/resume")
    t.api.wait_for(batch, "completed")  # the other contacts are called in the campaign's own zone
    assert len(receiver.calls()) == 3


if __name__ == "__main__":
    tap.run(globals())
