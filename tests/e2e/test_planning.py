#!/usr/bin/env python3
"""Plans made through the API, against the oracle of the unit tests, which plans contact by contact with
Python's own time zones: random zones, windows, days, caps, paces and starts, many of them at a
change of the clocks."""

import datetime
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "unit"))

import plan_oracle as oracle
import tap
from client import UTC, contacts, parse, until

STACK = {"rate_limit": False}

MINUTE, DAY = (datetime.timedelta(minutes=minutes) for minutes in (1, 24 * 60))
CAMPAIGNS = 60

# Zones whose clocks change in different ways, and a day on which they change.
CHANGES = [
    ("Europe/Berlin", "2040-03-25"), ("Europe/Berlin", "2040-10-28"), ("America/New_York", "2040-03-11"),
    ("America/New_York", "2040-11-04"), ("Australia/Lord_Howe", "2040-04-01"),
    ("Australia/Lord_Howe", "2040-10-07"), ("Africa/Cairo", "2040-04-27"), ("America/Santiago", "2040-09-02"),
    ("Asia/Beirut", "2040-03-25"), ("America/Havana", "2040-03-11"), ("America/Scoresbysund", "2040-03-25"),
    ("Pacific/Chatham", "2040-09-30"), ("Atlantic/Azores", "2040-10-28"), ("Africa/Casablanca", "2040-10-07"),
]
STEADY = ["UTC", "Asia/Kolkata", "Asia/Kathmandu", "Pacific/Kiritimati", "Pacific/Niue", "Etc/GMT+12"]


def minutes(text):
    return int(text[:2]) * 60 + int(text[3:])


def clock(minute):
    return f"{minute // 60:02}:{minute % 60:02}"


def microseconds(at):
    return (at - datetime.datetime(1970, 1, 1, tzinfo=UTC)) // datetime.timedelta(microseconds=1)


def windows_of(campaign):
    if campaign["calling_windows"]:
        return [(set(w["days"]) & set(campaign["working_days"]), minutes(w["start"]), minutes(w["end"]))
                for w in campaign["calling_windows"]]
    if campaign["start_time"]:
        return [(campaign["working_days"], minutes(campaign["start_time"]), minutes(campaign["end_time"]))]
    return [(campaign["working_days"], 0, 1440)]


def calendar_of(campaign, zones=()):
    excluded = [(datetime.date.fromisoformat(date) - datetime.date(1970, 1, 1)).days
                for date in campaign["excluded_dates"]]
    return oracle.Calendar(oracle.Zone(campaign["timezone"]), windows_of(campaign), excluded,
                           [oracle.Zone(zone) for zone in zones])


def campaign_of(campaign, count):
    pace = campaign["calls_per_minute"]
    gap_us = -(-60_000 // pace) * oracle.MS if pace else oracle.MS
    return oracle.Campaign(calendar_of(campaign), campaign["max_calls_per_day"] or 0, gap_us,
                           microseconds(parse(campaign["scheduled_at"])), 0, 0, count)


def random_window(chance):
    first, last = chance.sample(sorted({chance.randint(0, 1440), chance.randint(0, 1440), 0, 60, 120, 150,
                                        180, 1380, 1440}), 2)
    return (clock(first), clock(last)) if (first, last) != (1440, 0) else random_window(chance)


def random_days(chance):
    return sorted(chance.sample(range(1, 8), chance.randint(1, 7)))


def random_windows(chance):
    """Returns one window for all working days, the whole day, or a list of windows."""
    if chance.random() < 0.4:
        windows = [(random_days(chance), *random_window(chance)) for _ in range(chance.randint(1, 5))]
        return {"start_time": None, "end_time": None, "calling_windows": [
            {"days": days, "start": start, "end": end} for days, start, end in windows]}
    start, end = (None, None) if chance.random() < 0.2 else random_window(chance)
    return {"start_time": start, "end_time": end, "calling_windows": None, "working_days": random_days(chance)}


def random_campaign(chance):
    zone, day = chance.choice(CHANGES) if chance.random() < 0.7 else (chance.choice(STEADY), "2040-05-17")
    start = datetime.datetime.strptime(day, "%Y-%m-%d") + chance.randint(-40 * 60, 20 * 60) * MINUTE
    near = [str(start.date() + chance.randint(-1, 6) * DAY) for _ in range(chance.randint(0, 3))]
    return {
        "timezone": zone, "schedule_type": "scheduled", "scheduled_at": start.strftime("%Y-%m-%dT%H:%M:%SZ"),
        **random_windows(chance),
        "excluded_dates": sorted(set(near)),
        "max_calls_per_day": chance.choice([None, None, 1, 2, chance.randint(3, 20)]),
        "calls_per_minute": chance.choice([None, None, 60_000, 7, 1, 1]),
    }


def planned(t, batch):
    return [parse(row["scheduled_at"]) for row in t.api.contacts_of(batch)]


def first_difference(found, wanted):
    wrong = [(number, str(a), str(b)) for number, (a, b) in enumerate(zip(found, wanted), 1) if a != b]
    return f"contact, planned, should be: {wrong[0]}" if wrong else None


def check(t, batch):
    found = planned(t, batch)
    plan = campaign_of(batch, len(found))
    wanted, _ = plan.plan()
    fault = first_difference([microseconds(at) for at in found], wanted)
    assert not fault, f"{batch}\n{fault}"
    fault = plan.broken_promise(wanted)
    assert not fault, f"{batch}\n{fault}"
    assert (parse(batch["planned_from"]), parse(batch["planned_until"])) == (min(found), max(found)), batch


def test_random_plans(t):
    receiver, agent = t.dialing_agent()
    numbers = [t.api.number()["id"]]
    for _ in range(CAMPAIGNS):
        campaign = random_campaign(t.random)
        try:
            batch = t.api.batch(agent, t.random.randint(1, 60), phone_number_ids=numbers, **campaign)
            assert batch["status"] == "scheduled", batch
            check(t, batch)
        except AssertionError as error:
            raise AssertionError(f"{campaign}: {error}") from error


def test_random_plans_in_the_zones_of_contacts(t):
    """Returns contacts in up to four zones. If the zone of a contact is not known, the campaign's zone counts."""
    receiver, agent = t.dialing_agent()
    numbers = [t.api.number()["id"]]
    for _ in range(CAMPAIGNS // 2):
        campaign = dict(random_campaign(t.random), respect_contact_timezone=True)
        zones = [None, *t.random.sample([zone for zone, _ in CHANGES] + STEADY, 3)]
        people = [dict(person, timezone=t.random.choice(zones)) for person in contacts(t.random.randint(1, 40))]
        batch = t.api.batch(agent, people, phone_number_ids=numbers, **campaign)
        batch = until(lambda: whole(t, batch), what="the plan is whole")
        check_groups(t, batch, people)


def whole(t, batch):
    """Returns the plan when every contact has an instant."""
    found = t.api.read(batch)
    return found if all(row["scheduled_at"] for row in t.api.contacts_of(batch)) else None


def check_groups(t, batch, people):
    zones = list(dict.fromkeys(person["timezone"] for person in people))
    groups = [(sum(person["timezone"] == zone for person in people), calendar_of(batch, [zone] if zone else []))
              for zone in zones]
    plan = oracle.Groups(groups, campaign_of(batch, len(people)))
    wanted = plan.plan()
    rows = t.api.contacts_of(batch)
    for group, zone in enumerate(zones):
        found = [microseconds(parse(row["scheduled_at"])) for row in rows if row["timezone"] == zone]
        fault = first_difference(found, [at for at, number in wanted if number == group])
        assert not fault, f"{batch}\nof those in {zone}: {fault}"
    fault = plan.broken_promise(wanted)
    assert not fault, f"{batch}\n{fault}"


def test_random_changes_and_additions(t):
    """A changed campaign has the same plan as a campaign that was created like this."""
    receiver, agent = t.dialing_agent()
    numbers = [t.api.number()["id"]]
    batch = t.api.batch(agent, 10, phone_number_ids=numbers, schedule_type="scheduled",
                        scheduled_at="2040-01-01T00:00:00Z")
    for turn in range(1, 15):
        batch = t.api.patch(f"/batch-calls/{batch['id']}", random_campaign(t.random))
        check(t, batch)
        t.api.post(f"/batch-calls/{batch['id']}/contacts", {"contacts": contacts(3, first=turn * 100)})
        check(t, t.api.read(batch))


def test_a_plan_that_is_longer_than_one_transaction(t):
    """30,000 contacts over a year of days."""
    receiver, agent = t.dialing_agent()
    batch = t.api.batch(agent, 10_000, schedule_type="scheduled", scheduled_at="2040-02-27T12:00:00",
                        timezone="Europe/Berlin", start_time="18:00", end_time="02:00",
                        working_days=[1, 3, 4, 6], max_calls_per_day=150)
    for more in (1, 2):
        t.api.post(f"/batch-calls/{batch['id']}/contacts",
                   {"contacts": contacts(10_000, first=more * 10_000 + 1)})
    wanted, _ = campaign_of(t.api.read(batch), 30_000).plan()
    done = until(lambda: complete(t, batch, wanted[-1]), 30, "the plan is complete")
    assert microseconds(parse(done["planned_from"])) == wanted[0]
    for offset in (0, 100, 9_950, 10_000, 19_950, 20_000, 29_900):
        rows = t.api.get(f"/batch-calls/{batch['id']}/contacts", limit=100, offset=offset)
        assert [microseconds(parse(row["scheduled_at"])) for row in rows] == wanted[offset:offset + 100], offset


def complete(t, batch, last):
    batch = t.api.read(batch)
    return batch if microseconds(parse(batch["planned_until"])) == last else None


def test_an_immediate_campaign_begins_now(t):
    """The next window that it can have, not before now and not later than it must be."""
    receiver, agent = t.dialing_agent()
    now = datetime.datetime.now(UTC)
    today = (now.date().isoweekday() - 1 + 3) % 7 + 1  # three days ahead, so nothing is called
    batch = t.api.batch(agent, 5, working_days=[today], start_time="10:00", end_time="10:01",
                        calls_per_minute=3)
    t.api.schedule(batch)
    found = planned(t, batch)
    day = now.date() + 3 * DAY
    first = datetime.datetime.combine(day, datetime.time(10), UTC)
    step = datetime.timedelta(seconds=20)
    assert found == [first, first + step, first + 2 * step, first + 7 * DAY, first + 7 * DAY + step], found


if __name__ == "__main__":
    tap.run(globals())
