#!/usr/bin/env python3
"""Plans made through the API, against an oracle of some lines that plans contact by contact with
Python's own time zones: random zones, windows, days, caps, paces and starts, many of them at a
change of the clocks."""

import collections
import datetime
import itertools
import zoneinfo

import tap
from client import UTC, contacts, parse, until

STACK = {"rate_limit": False}

MINUTE, HOUR, DAY = (datetime.timedelta(minutes=minutes) for minutes in (1, 60, 24 * 60))
CAMPAIGNS = 60

# Zones whose clocks change in unlike ways, and a day on which they do.
CHANGES = [
    ("Europe/Berlin", "2040-03-25"), ("Europe/Berlin", "2040-10-28"), ("America/New_York", "2040-03-11"),
    ("America/New_York", "2040-11-04"), ("Australia/Lord_Howe", "2040-04-01"),
    ("Australia/Lord_Howe", "2040-10-07"), ("Africa/Cairo", "2040-04-27"), ("America/Santiago", "2040-09-02"),
    ("Asia/Beirut", "2040-03-25"), ("America/Havana", "2040-03-11"), ("America/Scoresbysund", "2040-03-25"),
    ("Pacific/Chatham", "2040-09-30"), ("Atlantic/Azores", "2040-10-28"), ("Africa/Casablanca", "2040-10-07"),
]
STEADY = ["UTC", "Asia/Kolkata", "Asia/Kathmandu", "Pacific/Kiritimati", "Pacific/Niue", "Etc/GMT+12"]


class Plan:
    """The oracle. A wall time that clocks skip moves forward by the gap, of one that they show twice
    the first counts: that is what fold=0 means. Windows are cut at midnight, since calls are counted
    on local days."""

    def __init__(self, campaign):
        self.campaign = campaign
        self.zone = zoneinfo.ZoneInfo(campaign["timezone"])
        self.start = minutes(campaign["start_time"]) if campaign["start_time"] else 0
        self.end = minutes(campaign["end_time"]) if campaign["end_time"] else 24 * 60
        self.cap = campaign["max_calls_per_day"] or 10 ** 9
        pace = campaign["calls_per_minute"]
        self.gap = datetime.timedelta(milliseconds=-(-60_000 // pace) if pace else 1)

    def instant(self, day, minute):
        wall = datetime.datetime.combine(day, datetime.time()) + minute * MINUTE
        return wall.replace(tzinfo=self.zone).astimezone(UTC)

    def opens_on(self, day):
        return (day.isoweekday() in self.campaign["working_days"] and
                str(day) not in self.campaign["excluded_dates"])

    def windows(self, day):
        """(local day, first instant, end) of the window that opens on this day."""
        if not self.opens_on(day):
            return []
        if self.start < self.end:
            return [self.piece(day, self.start, self.end)]
        return [self.piece(day, self.start, 24 * 60), self.piece(day + DAY, 0, self.end)]

    def piece(self, day, first, last):
        return day, self.instant(day, first), min(self.instant(day, last), self.instant(day + DAY, 0))

    def instants(self, count):
        at = parse(self.campaign["scheduled_at"])
        calls, planned = collections.Counter(), []
        first_day = at.astimezone(self.zone).date() - 2 * DAY
        for day in (first_day + number * DAY for number in itertools.count()):
            for local_day, begin, end in self.windows(day):
                at = max(at, begin)
                while at < end and calls[local_day] < self.cap:
                    planned.append(at)
                    if len(planned) == count:
                        return planned
                    calls[local_day] += 1
                    at += self.gap

    def check_promises(self, planned):
        """The contract's own words, without a plan to compare."""
        assert len(set(planned)) == len(planned), "unique"
        walls = [at.astimezone(self.zone) for at in planned]
        per_day = collections.Counter(wall.date() for wall in walls)
        assert max(per_day.values()) <= self.cap, per_day
        for at, wall in zip(planned, walls):
            if (at - DAY).astimezone(self.zone).utcoffset() == (at + DAY).astimezone(self.zone).utcoffset():
                assert self.is_open(wall), wall

    def is_open(self, wall):
        minute = wall.hour * 60 + wall.minute
        if self.start < self.end:
            return self.opens_on(wall.date()) and self.start <= minute < self.end
        return (minute >= self.start and self.opens_on(wall.date()) or
                minute < self.end and self.opens_on(wall.date() - DAY))


def minutes(text):
    return int(text[:2]) * 60 + int(text[3:])


def clock(minute):
    return f"{minute // 60:02}:{minute % 60:02}"


def random_campaign(chance):
    zone, day = chance.choice(CHANGES) if chance.random() < 0.7 else (chance.choice(STEADY), "2040-05-17")
    start = datetime.datetime.strptime(day, "%Y-%m-%d") + chance.randint(-40 * 60, 20 * 60) * MINUTE
    first, last = chance.sample(sorted({chance.randint(0, 1440), chance.randint(0, 1440), 0, 60, 120, 150,
                                        180, 1380, 1440}), 2)
    if chance.random() < 0.2 or (first, last) == (1440, 0):
        first = last = None
    near = [str(start.date() + chance.randint(-1, 6) * DAY) for _ in range(chance.randint(0, 3))]
    return {
        "timezone": zone, "schedule_type": "scheduled", "scheduled_at": start.strftime("%Y-%m-%dT%H:%M:%SZ"),
        "start_time": None if first is None else clock(first), "end_time": None if last is None else clock(last),
        "working_days": sorted(chance.sample(range(1, 8), chance.randint(1, 7))),
        "excluded_dates": sorted(set(near)),
        "max_calls_per_day": chance.choice([None, None, 1, 2, chance.randint(3, 20)]),
        "calls_per_minute": chance.choice([None, None, 60_000, 7, 1, 1]),
    }


def planned(t, batch):
    return [parse(row["scheduled_at"]) for row in t.api.contacts_of(batch)]


def check(t, batch):
    plan = Plan(batch)
    found = planned(t, batch)
    wanted = plan.instants(len(found))
    wrong = [(number, str(a), str(b)) for number, (a, b) in enumerate(zip(found, wanted), 1) if a != b]
    assert not wrong, f"{batch}\ncontact, planned, should be: {wrong[0]}"
    plan.check_promises(found)
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


def test_random_changes_and_additions(t):
    """A plan that is changed is the plan that would have been made so at first."""
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
    plan = Plan(t.api.read(batch))
    wanted = plan.instants(30_000)
    done = until(lambda: complete(t, batch, wanted[-1]), 30, "the plan is complete")
    assert parse(done["planned_from"]) == wanted[0]
    for offset in (0, 100, 9_950, 10_000, 19_950, 20_000, 29_900):
        rows = t.api.get(f"/batch-calls/{batch['id']}/contacts", limit=100, offset=offset)
        assert [parse(row["scheduled_at"]) for row in rows] == wanted[offset:offset + 100], offset


def complete(t, batch, last):
    batch = t.api.read(batch)
    return batch if parse(batch["planned_until"]) == last else None


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
