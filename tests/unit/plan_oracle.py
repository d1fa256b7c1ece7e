#!/usr/bin/env python3
"""Compares Outdial's planner with an independent one, written from the contract alone.

The planner (domain/zone, calendar, plan) is asked through the program plan_probe. The oracle below
shares nothing with it: offsets come from Python's zoneinfo instead of glibc, and a plan is made
contact by contact instead of by division. Compared are

 - the names of all zones, and names that are none,
 - conversions and spans around every clock change of every zone in ten years,
 - random calendars and campaigns, half of them near a clock change.

Prints TAP. The seed is printed too; a run with the same --seed and --cases is the same run.
"""
import argparse
import collections
import datetime
import functools
import itertools
import os
import random
import subprocess
import sys
import zoneinfo

MS, SECOND, MINUTE = 1000, 1_000_000, 60_000_000
DAY = 86_400 * SECOND
EPOCH = datetime.datetime(1970, 1, 1)
CHANGES_FROM, CHANGES_UNTIL = 2022, 2032
TZDIR = os.environ.get("TZDIR") or "/usr/share/zoneinfo"

# Not zones, though some of them are files of the tz database or lead to one.
NO_ZONES = [
    "Factory", "localtime", "posixrules", "posix/Europe/Berlin", "right/Europe/Berlin", "tzdata.zi",
    "zone.tab", "leapseconds", "Europe", "Europe/", "/Europe/Berlin", "Europe//Berlin",
    "Europe/../Europe/Berlin", "../zoneinfo/UTC", "./UTC", "Europe/Berlin/", "europe/berlin",
    "Europe/Atlantis", "UTC0", "CET-1CEST", ":UTC", "A" * 63, "A" * 64, "A" * 5000,
]


def year_start(year):
    return (datetime.datetime(year, 1, 1) - EPOCH) // datetime.timedelta(microseconds=1)


class Zone:
    """One zone of the tz database, as zoneinfo reads it."""

    def __init__(self, name):
        self.name = name
        self.info = zoneinfo.ZoneInfo(name)

    def to_utc(self, wall_us):
        """fold=0 is the contract's rule: behind a gap by its length, first of two occurrences."""
        wall = (EPOCH + datetime.timedelta(microseconds=wall_us)).replace(tzinfo=self.info, fold=0)
        return wall_us - wall.utcoffset() // datetime.timedelta(microseconds=1)

    def offset(self, utc_us):
        utc = EPOCH + datetime.timedelta(microseconds=utc_us)
        local = utc.replace(tzinfo=datetime.timezone.utc).astimezone(self.info)
        return local.utcoffset() // datetime.timedelta(microseconds=1)

    def to_wall(self, utc_us):
        return utc_us + self.offset(utc_us)

    @functools.lru_cache(maxsize=None)
    def midnight(self, day):
        return self.to_utc(day * DAY)

    def day_at(self, at_us):
        """The civil day whose midnight came last, and whose successor's has not come."""
        day = self.to_wall(at_us) // DAY - 2
        while self.midnight(day + 1) <= at_us:
            day += 1
        return day

    def changes(self, first_year, end_year):
        """(instant, offset before, offset after) of every clock change; two are weeks apart."""
        found, at = [], year_start(first_year)
        while at < year_start(end_year):
            later = at + 14 * DAY
            if self.offset(later) != self.offset(at):
                later = self.change_between(at, later)
                found.append((later, self.offset(at), self.offset(later)))
            at = later
        return found

    def change_between(self, at, later):
        before, low, high = self.offset(at), at // SECOND, later // SECOND
        while high - low > 1:
            middle = (low + high) // 2
            if self.offset(middle * SECOND) == before:
                low = middle
            else:
                high = middle
        return high * SECOND


class Calendar:
    """When calls are allowed: every window is cut into pieces that belong to one civil day each."""

    def __init__(self, zone, working_days, start, end, excluded):
        self.zone, self.working_days, self.start, self.end = zone, working_days, start, end
        self.excluded = frozenset(excluded)
        self.cache = {}

    def words(self):
        days = sum(1 << (day - 1) for day in self.working_days)
        excluded = ",".join(map(str, sorted(self.excluded))) or "-"
        return f"{self.zone.name} {days} {self.start} {self.end} {excluded}"

    def opens_on(self, day):
        weekday = (datetime.date(1970, 1, 1) + datetime.timedelta(days=day)).isoweekday()
        return weekday in self.working_days and day not in self.excluded

    def pieces(self, day):
        """(first minute, last minute) of the windows that reach into this civil day, in order."""
        if self.start < 0:
            return [(0, 1440)] if self.opens_on(day) else []
        if self.start < self.end:
            return [(self.start, self.end)] if self.opens_on(day) else []
        yesterdays = [(0, self.end)] if self.opens_on(day - 1) else []
        todays = [(self.start, 1440)] if self.opens_on(day) else []
        return yesterdays + todays

    def spans_of(self, day):
        if day not in self.cache:
            spans, free_from = [], self.zone.midnight(day)
            for first, last in self.pieces(day):
                begin = max(self.zone.to_utc(day * DAY + first * MINUTE), free_from)
                end = min(self.zone.to_utc(day * DAY + last * MINUTE), self.zone.midnight(day + 1))
                if begin < end:
                    spans.append((begin, end, day))
                    free_from = end
            self.cache[day] = spans
        return self.cache[day]

    def span_at(self, at_us):
        today = self.zone.day_at(at_us)
        for day in range(today, today + 367):
            for span in self.spans_of(day):
                if span[1] > at_us:
                    return span
        return None


class Campaign:
    """A calendar, a cap, a pace and a place to begin."""

    def __init__(self, calendar, cap, gap_us, next_us, day, day_calls, count):
        self.calendar, self.cap, self.gap_us, self.count = calendar, cap, gap_us, count
        self.next_us, self.day, self.day_calls = next_us, day, day_calls

    def question(self, chunk, room):
        return (f"plan {self.calendar.words()} {self.cap} {self.gap_us} {self.next_us} {self.day} "
                f"{self.day_calls} {self.count} {chunk} {room}")

    def plan(self):
        """One contact after the other: (the instants, whether callable days ran out)."""
        at = -(-self.next_us // MS) * MS
        calls, instants = collections.Counter({self.day: self.day_calls}), []
        while len(instants) < self.count:
            span = self.calendar.span_at(at)
            if span is None:
                return instants, True
            begin, end, day = span
            if self.cap and calls[day] >= self.cap:
                at = end
                continue
            at = max(at, begin)
            instants.append(at)
            calls[day] += 1
            at += self.gap_us
        return instants, False

    def broken_promise(self, instants):
        """The contract's promises, each in its own words; None when all hold."""
        zone, cap = self.calendar.zone, self.cap
        if any(b <= a for a, b in zip(instants, instants[1:])):
            return "not ascending"
        if any(at % MS or at < self.next_us for at in instants):
            return "not a millisecond, or too early"
        walls = [zone.to_wall(at) for at in instants]
        per_day = collections.Counter(wall // DAY for wall in walls)
        if self.day in per_day:
            per_day[self.day] += self.day_calls
        if cap and any(calls > cap for calls in per_day.values()):
            return "over the cap"
        for at, wall in zip(instants, walls):
            changed = zone.to_wall(at + DAY) - zone.to_wall(at - DAY) != 2 * DAY
            if not changed and not self.in_window(wall):
                return f"{at} is outside of the window"
        return None

    def in_window(self, wall):
        day, minute = wall // DAY, wall % DAY / MINUTE
        return any(first <= minute < last for first, last in self.calendar.pieces(day))


class Chance:
    """Random questions, small on purpose, so that edges meet."""

    def __init__(self, seed, zones, changes):
        self.random = random.Random(seed)
        self.zones = zones
        self.changes = changes

    def zone_and_instant(self):
        if self.random.random() < 0.5:
            zone, (at, _, _) = self.random.choice(self.changes)
            return zone, at + self.random.randint(-3 * DAY, 2 * DAY)
        years = (1970, 2100) if self.random.random() < 0.3 else (2012, 2040)
        return self.random.choice(self.zones), self.random.randint(*map(year_start, years))

    def minute(self):
        if self.random.random() < 0.4:
            return self.random.randint(0, 1440)
        hour = self.random.choice([0, 60, 120, 180, 1380, 1440])
        return min(max(hour + self.random.choice([-30, 0, 1, 30]), 0), 1440)

    def window(self):
        if self.random.random() < 0.2:
            return -1, -1
        start, end = self.minute(), self.minute()
        return (start, end) if start != end else self.window()

    def excluded(self, today):
        kind = self.random.random()
        if kind < 0.5:
            return []
        if kind < 0.55:
            return range(today - 1, today + self.random.choice([200, 364, 365, 366, 367, 368, 400]))
        return [today + self.random.randint(-2, 12) for _ in range(self.random.randint(1, 8))]

    def calendar(self):
        zone, at = self.zone_and_instant()
        days = self.random.sample(range(1, 8), self.random.randint(1, 7))
        return Calendar(zone, days, *self.window(), self.excluded(at // DAY)), at

    def gap(self):
        unit = self.random.choice([MS, MS, SECOND, MINUTE, 60 * MINUTE])
        return self.random.randint(1, 30) * unit + self.random.choice([0, 0, 333 * MS])

    def campaign(self):
        calendar, at = self.calendar()
        cap = self.random.choice([0, 0, 1, 2, self.random.randint(1, 60)])
        day = calendar.zone.day_at(at) + self.random.choice([0, 0, 0, 0, -1])
        calls = self.random.choice([0, self.random.randint(0, cap + 2)])
        return Campaign(calendar, cap, self.gap(), at, day, calls, self.random.randint(1, 120))


class Report:
    """Questions with the answers they should get; asked all at once, reported as TAP."""

    def __init__(self, probe):
        self.probe, self.tests, self.failures = probe, 0, 0

    def test(self, title, cases):
        """cases: (question, judge); a judge gets the answer and returns what is wrong, or None."""
        faults = list(self.faults(cases))
        self.tests += 1
        self.failures += bool(faults)
        print(f"{'not ok' if faults else 'ok'} {self.tests} - {title} ({len(cases)} cases)")
        for fault in faults[:5]:
            print(f"#   {fault}")
        if len(faults) > 5:
            print(f"#   and {len(faults) - 5} more")
        sys.stdout.flush()

    def faults(self, cases):
        asked = "".join(question + "\n" for question, _ in cases)
        run = subprocess.run([self.probe], input=asked, capture_output=True, text=True)
        answers = run.stdout.splitlines()
        if run.returncode != 0 or len(answers) != len(cases):
            yield (f"{len(cases)} questions, {len(answers)} answers, status {run.returncode}: "
                   f"{run.stderr.strip()}")
        for (question, judge), answer in zip(cases, answers):
            fault = judge(answer)
            if fault is not None:
                yield f"{question}\n#     {fault}"


def same(expected):
    return lambda answer: None if answer == str(expected) else f"is {answer}, should be {expected}"


def span_case(calendar, at):
    span = calendar.span_at(at)
    return f"span {calendar.words()} {at}", same("none" if span is None else "%d %d %d" % span)


def expand(answer):
    """The instants of a plan that the probe printed, and whether callable days ran out."""
    words = answer.split()
    segments = [tuple(map(int, word.split(":"))) for word in words if word != "none"]
    instants = [first + i * gap for first, gap, count in segments for i in range(count)]
    return instants, "none" in words


def plan_case(campaign, chunk, room):
    expected, expected_end = campaign.plan()
    # Until 2011 a few clocks went back over a midnight and then showed two dates in turn.
    promises_apply = campaign.next_us >= year_start(2012)

    def judge(answer):
        instants, end = expand(answer)
        if instants == expected and end == expected_end:
            return campaign.broken_promise(instants) if promises_apply else None
        agree = sum(1 for _ in itertools.takewhile(lambda p: p[0] == p[1], zip(instants, expected)))
        return (f"contact {agree} on: is {instants[agree:agree + 3]} of {len(instants)} ({end}), "
                f"should be {expected[agree:agree + 3]} of {len(expected)} ({expected_end})")

    return campaign.question(chunk, room), judge


def conversions_around(zone, change):
    at, before, after = change
    low, high = sorted((at + before, at + after))
    for utc in (at - DAY, at - 1, at, at + 1, at + DAY):
        yield f"local {zone.name} {utc}", same(zone.to_wall(utc))
    for wall in (low - DAY, low - 1, low, low + 1, (low + high) // 2,
                 high - 1, high, high + 1, high + DAY):
        yield f"wall {zone.name} {wall}", same(zone.to_utc(wall))


def edges_around(change):
    """Minutes of the day at which a window's edge meets the change: around it, inside, midnight."""
    at, before, after = change
    low, high = (wall // MINUTE for wall in sorted((at + before, at + after)))
    return [0, low % 1440, (low + high) // 2 % 1440, high % 1440, (high + 15) % 1440, 1440]


def spans_around(zone, change, edges):
    windows = [(start, end) for start in edges for end in edges if start != end] + [(-1, -1)]
    for start, end in windows:
        calendar = Calendar(zone, range(1, 8), start, end, [])
        for moment in (change[0] - DAY, change[0] - 1, change[0]):
            yield span_case(calendar, moment)


def load_zones():
    """All zones, and every clock change of ten years with its zone. Aliases share the search."""
    zoneinfo.reset_tzpath(to=[TZDIR])
    names = sorted(zoneinfo.available_timezones() - {"localtime", "Factory"})
    zones, changes, known = [Zone(name) for name in names], [], {}
    for zone in zones:
        with open(os.path.join(TZDIR, zone.name), "rb") as file:
            data = file.read()
        if data not in known:
            known[data] = zone.changes(CHANGES_FROM, CHANGES_UNTIL)
        changes += [(zone, change) for change in known[data]]
    return zones, changes


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--probe", default="tests/unit/plan_probe", help="the program to ask")
    parser.add_argument("--seed", type=int, default=random.SystemRandom().randrange(10**9))
    parser.add_argument("--cases", type=int, default=1000, help="random campaigns")
    options = parser.parse_args()
    report = Report(options.probe)
    zones, changes = load_zones()
    chance = Chance(options.seed, zones, changes)

    print(f"# seed {options.seed}, {len(zones)} zones, {len(changes)} clock changes "
          f"{CHANGES_FROM}-{CHANGES_UNTIL - 1}")
    report.test("names of zones", [(f"exists {zone.name}", same(1)) for zone in zones]
                + [(f"exists {name}", same(0)) for name in NO_ZONES])
    report.test("conversions around every clock change",
                [case for zone, change in changes for case in conversions_around(zone, change)])
    report.test("spans around every clock change",
                [case for zone, change in changes
                 for case in spans_around(zone, change, edges_around(change)[1:3])])
    kinds = {((at + before) % DAY, before, after): (zone, (at, before, after))
             for zone, (at, before, after) in changes}
    report.test("spans of windows of many forms around every kind of clock change",
                [case for zone, change in kinds.values()
                 for case in spans_around(zone, change, edges_around(change))])
    report.test("spans of random calendars",
                [span_case(*chance.calendar()) for _ in range(options.cases)])
    report.test("plans of random campaigns",
                [plan_case(chance.campaign(), chunk=10**9, room=16) for _ in range(options.cases)])
    report.test("plans made in pieces",
                [plan_case(chance.campaign(), chunk=chance.random.randint(1, 40),
                           room=chance.random.randint(1, 4)) for _ in range(options.cases)])
    print(f"1..{report.tests}")
    return 1 if report.failures else 0


if __name__ == "__main__":
    sys.exit(main())
