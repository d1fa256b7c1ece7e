#!/usr/bin/env python3
"""Compares Outdial's planner with an independent one, written from the contract alone.

The program plan_probe asks the planner (base/zone, domain/calendar, domain/plan). The oracle below shares no code with
the planner: offsets come from Python's zoneinfo, and a plan is made contact by contact instead of by division. The
answers are compared for

 - the names of all zones, and texts that are no names of zones,
 - conversions and spans around every clock change of every zone in ten years,
 - random calendars and campaigns, half of them near a clock change: with several windows a day, with windows
   that must be open in several zones, and with groups of contacts in their own zones.

A second check, which knows only wall clocks, tests whether each plan keeps the promises of the contract.

Prints TAP. The seed is printed too; a run with the same --seed and --cases is the same run.
"""
import argparse
import collections
import datetime
import functools
import heapq
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

# Texts that are not zones, although some of them are paths of files of the tz database.
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
        """fold=0 is the contract's rule: a skipped time moves forward by the gap, and a time that comes twice is the
        first."""
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
        """Returns the civil day whose midnight has come, and whose next midnight has not come."""
        day = self.to_wall(at_us) // DAY - 2
        while self.midnight(day + 1) <= at_us:
            day += 1
        return day

    def changes(self, first_year, end_year):
        """Yields (instant, offset before, offset after) for every clock change. Clock changes are weeks apart."""
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
    """Times at which calls are allowed. A window is (days, first minute, last minute); it must be open in all of
    `zones` (default: in the zone whose civil days count)."""

    def __init__(self, zone, windows, excluded, zones=()):
        self.zone, self.windows, self.zones = zone, windows, zones
        self.excluded = frozenset(excluded)
        self.cache = {}

    def words(self):
        windows = ",".join(f"{sum(1 << (day - 1) for day in days)}:{start}:{end}"
                           for days, start, end in self.windows)
        zones = ",".join(zone.name for zone in self.zones) or "-"
        excluded = ",".join(map(str, sorted(self.excluded))) or "-"
        return f"{self.zone.name} {zones} {windows} {excluded}"

    def opens_on(self, days, day):
        weekday = (datetime.date(1970, 1, 1) + datetime.timedelta(days=day)).isoweekday()
        return weekday in days and day not in self.excluded

    def is_open(self, day, minute):
        for days, start, end in self.windows:
            if start < end and start <= minute < end and self.opens_on(days, day):
                return True
            if end < start and minute >= start and self.opens_on(days, day):
                return True
            if end < start and minute < end and self.opens_on(days, day - 1):
                return True
        return False

    def pieces(self, day):
        """Returns (first minute, end) of the stretches of this civil day in which a window is open, in order. It tests
        each stretch between two edges."""
        edges = sorted({0, 1440, *(edge for _, start, end in self.windows for edge in (start, end))})
        pieces = []
        for first, last in zip(edges, edges[1:]):
            if not self.is_open(day, first):
                continue
            if pieces and pieces[-1][1] == first:
                first = pieces.pop()[0]
            pieces.append((first, last))
        return pieces

    def spans_of(self, zone, day):
        if (zone, day) not in self.cache:
            self.cache[zone, day] = [span for piece in self.pieces(day)
                                     for span in self.spans_of_piece(zone, day, *piece)]
        return self.cache[zone, day]

    def spans_of_piece(self, zone, day, first, last):
        """Applies both rules: a span is between the instants of the edges, and the clock shows a time of the piece."""
        begin = max(zone.to_utc(day * DAY + first * MINUTE), zone.midnight(day))
        end = min(zone.to_utc(day * DAY + last * MINUTE), zone.midnight(day + 1))
        cuts = [begin, end]
        if begin < end and zone.offset(begin) != zone.offset(end - 1):
            cuts.insert(1, zone.change_between(begin, end))
        spans = []
        for low, high in zip(cuts, cuts[1:]):
            offset = zone.offset(low)
            if first > 0:
                low = max(low, day * DAY + first * MINUTE - offset)
            if last < 1440:
                high = min(high, day * DAY + last * MINUTE - offset)
            if low < high and spans and spans[-1][1] == low:
                low = spans.pop()[0]
            if low < high:
                spans.append((low, high, day))
        return spans

    def span_at(self, at_us):
        return self.common_span_at(at_us) if self.zones else self.span_in(self.zone, at_us)

    def span_in(self, zone, at_us):
        today = zone.day_at(at_us)
        for day in range(today, today + 367):
            for span in self.spans_of(zone, day):
                if span[1] > at_us:
                    return span
        return None

    def edges(self, zone, at_us):
        """Yields (instant, whether a span opens) for the starts and ends of spans in a zone, from at_us on."""
        today = zone.day_at(at_us)
        for day in range(today, today + 367):
            for begin, end, _ in self.spans_of(zone, day):
                if end > at_us:
                    yield begin, True
                    yield end, False

    def common_span_at(self, at_us):
        """Goes from one start or end of a span to the next, and counts in how many zones a span is open."""
        open_in, begin = 0, None
        for at, opens in heapq.merge(*(self.edges(zone, at_us) for zone in self.zones)):
            if at > at_us + 366 * DAY:
                return None
            if not opens and open_in == len(self.zones):
                day = self.zone.day_at(max(at_us, begin))
                return max(begin, self.zone.midnight(day)), min(at, self.zone.midnight(day + 1)), day
            open_in += 1 if opens else -1
            begin = at
        return None


class Campaign:
    """A calendar, a cap, a pace and an instant to begin."""

    def __init__(self, calendar, cap, gap_us, next_us, day, day_calls, count):
        self.calendar, self.cap, self.gap_us, self.count = calendar, cap, gap_us, count
        self.next_us, self.day, self.day_calls = next_us, day, day_calls

    def question(self, chunk, room):
        return (f"plan {self.calendar.words()} {self.cap} {self.gap_us} {self.next_us} {self.day} "
                f"{self.day_calls} {self.count} {chunk} {room}")

    def plan(self):
        """Plans one contact after the other. Returns (the instants, whether callable days ran out)."""
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
        return outside(self.calendar, instants)


def outside(calendar, instants):
    """The judgement of a checker that knows only wall clocks."""
    for zone in calendar.zones or [calendar.zone]:
        for at in instants:
            wall = zone.to_wall(at)
            if not calendar.is_open(wall // DAY, wall % DAY / MINUTE):
                return f"{at} is outside of the windows in {zone.name}"
    return None


class Groups:
    """Contacts with calendars of their own, (how many, calendar), in one campaign."""

    def __init__(self, groups, campaign):
        self.groups, self.campaign = groups, campaign

    def question(self, chunk, room):
        c = self.campaign
        groups = " ".join(f"{left} {calendar.words()}" for left, calendar in self.groups)
        return (f"groups {c.cap} {c.gap_us} {c.next_us} {c.day} {c.day_calls} {c.count} {chunk} {room} "
                f"{len(self.groups)} {groups}")

    def plan(self):
        """Plans one contact after the other: (instant, group). Of the groups that can be called first, it takes the
        group whose windows close first."""
        c, planned = self.campaign, []
        left = [count for count, _ in self.groups]
        at, calls = -(-c.next_us // MS) * MS, collections.Counter({c.day: c.day_calls})
        while len(planned) < c.count:
            spans = [(number, calendar.span_at(at)) for number, (_, calendar) in enumerate(self.groups)
                     if left[number]]
            turns = [(max(at, span[0]), self.closes(number, span), number, span[1], span[2])
                     for number, span in spans if span]
            if not turns:
                break
            begin, _, number, end, day = min(turns)
            if c.cap and calls[day] >= c.cap:
                at = end
                continue
            planned.append((begin, number))
            left[number] -= 1
            calls[day] += 1
            at = begin + c.gap_us
        return planned

    def closes(self, number, span):
        """Returns when the windows close: midnights that only cut a span do not count. The search ends a day later."""
        calendar, end = self.groups[number][1], span[1]
        while end < span[1] + DAY and (following := calendar.span_at(end)) and following[0] <= end:
            end = following[1]
        return min(end, span[1] + DAY)

    def broken_promise(self, planned):
        instants = [at for at, _ in planned]
        zone, cap = self.campaign.calendar.zone, self.campaign.cap
        if any(b <= a for a, b in zip(instants, instants[1:])):
            return "not ascending"
        per_day = collections.Counter(zone.to_wall(at) // DAY for at in instants)
        if cap and any(calls > cap for calls in per_day.values()):
            return "over the cap"
        faults = (outside(calendar, [at for at, number in planned if number == group])
                  for group, (_, calendar) in enumerate(self.groups))
        return next(filter(None, faults), None)


class Chance:
    """Makes random questions. They are small, so that edges often coincide."""

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
            return 0, 1440
        start, end = self.minute(), self.minute()
        return (start, end) if start != end and (start, end) != (1440, 0) else self.window()

    def days(self):
        return self.random.sample(range(1, 8), self.random.randint(1, 7))

    def windows(self):
        count = 1 if self.random.random() < 0.5 else self.random.randint(2, 6)
        return [(self.days(), *self.window()) for _ in range(count)]

    def excluded(self, today):
        kind = self.random.random()
        if kind < 0.5:
            return []
        if kind < 0.55:
            return range(today - 1, today + self.random.choice([200, 364, 365, 366, 367, 368, 400]))
        return [today + self.random.randint(-2, 12) for _ in range(self.random.randint(1, 8))]

    def calendar(self):
        zone, at = self.zone_and_instant()
        return Calendar(zone, self.windows(), self.excluded(at // DAY)), at

    def some_zones(self, at):
        """Returns zones for contacts, often with a zone whose clocks change at that time."""
        zones = self.random.sample(self.zones, self.random.choice([1, 1, 1, 2, 3]))
        near = [zone for zone, (changes_at, _, _) in self.changes if abs(changes_at - at) < 4 * DAY]
        if near and self.random.random() < 0.7:
            zones[0] = self.random.choice(near)
        return zones

    def contact_calendar(self):
        """Returns a calendar. Most windows have many hours, so that distant zones have hours in common."""
        zone, at = self.zone_and_instant()
        start = self.random.randint(0, 720)
        windows = [(range(1, 8), start, start + self.random.randint(1, 720)), *self.windows()]
        today = at // DAY
        excluded = [today + self.random.randint(-2, 12) for _ in range(self.random.randint(0, 4))]
        return Calendar(zone, self.random.sample(windows, self.random.randint(1, 2)), excluded, self.some_zones(at)), at

    def groups(self):
        first, at = self.contact_calendar()
        cap = self.random.choice([0, 0, 1, 2, self.random.randint(1, 60)])
        day = first.zone.day_at(at)
        calendars = [first, *(Calendar(first.zone, first.windows, first.excluded, self.some_zones(at))
                              for _ in range(self.random.randint(0, 3)))]
        if self.random.random() < 0.5:
            calendars.append(Calendar(first.zone, first.windows, first.excluded))
        campaign = Campaign(first, cap, self.gap(), at, day, self.random.randint(0, cap), self.random.randint(1, 60))
        return Groups([(self.random.randint(0, 30), calendar) for calendar in calendars], campaign)

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
    """Asks all questions of a test at once, compares the answers, and reports the result as TAP."""

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
    """Returns the instants of a plan that the probe printed, and whether callable days ran out."""
    words = answer.split()
    segments = [tuple(map(int, word.split(":"))) for word in words if word != "none"]
    instants = [first + i * gap for first, gap, count in segments for i in range(count)]
    return instants, "none" in words


def plan_case(campaign, chunk, room):
    expected, expected_end = campaign.plan()
    # Until 2011 a few clocks went back over a midnight. Then an earlier date came again.
    promises_apply = campaign.next_us >= year_start(2012)

    def judge(answer):
        instants, end = expand(answer)
        if instants == expected and end == expected_end:
            return campaign.broken_promise(instants) if promises_apply else None
        agree = sum(1 for _ in itertools.takewhile(lambda p: p[0] == p[1], zip(instants, expected)))
        return (f"contact {agree} on: is {instants[agree:agree + 3]} of {len(instants)} ({end}), "
                f"should be {expected[agree:agree + 3]} of {len(expected)} ({expected_end})")

    return campaign.question(chunk, room), judge


def groups_case(groups, chunk, room):
    expected = groups.plan()
    promises_apply = groups.campaign.next_us >= year_start(2012)

    def judge(answer):
        segments = [tuple(map(int, word.split(":"))) for word in answer.split()]
        planned = [(first + i * gap, group) for first, gap, count, group in segments for i in range(count)]
        if planned == expected:
            return groups.broken_promise(planned) if promises_apply else None
        agree = sum(1 for _ in itertools.takewhile(lambda p: p[0] == p[1], zip(planned, expected)))
        return (f"contact {agree} on: is {planned[agree:agree + 3]} of {len(planned)}, "
                f"should be {expected[agree:agree + 3]} of {len(expected)}")

    return groups.question(chunk, room), judge


def conversions_around(zone, change):
    at, before, after = change
    low, high = sorted((at + before, at + after))
    for utc in (at - DAY, at - 1, at, at + 1, at + DAY):
        yield f"local {zone.name} {utc}", same(zone.to_wall(utc))
    for wall in (low - DAY, low - 1, low, low + 1, (low + high) // 2,
                 high - 1, high, high + 1, high + DAY):
        yield f"wall {zone.name} {wall}", same(zone.to_utc(wall))


def edges_around(change):
    """Returns minutes of the day for edges of windows: around the change, within it, and midnight."""
    at, before, after = change
    low, high = (wall // MINUTE for wall in sorted((at + before, at + after)))
    return [0, low % 1440, (low + high) // 2 % 1440, high % 1440, (high + 15) % 1440, 1440]


def spans_around(zone, change, edges):
    windows = [(start, end) for start in edges for end in edges
               if start != end and (start, end) != (1440, 0)] + [(0, 1440)]
    for start, end in windows:
        calendar = Calendar(zone, [(range(1, 8), start, end)], [])
        for moment in (change[0] - DAY, change[0] - 1, change[0]):
            yield span_case(calendar, moment)


def load_zones():
    """Returns all zones, and every clock change of ten years with its zone. Zones with the same rules are searched
    once."""
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
    report.test("spans of windows that must be open in several zones",
                [span_case(*chance.contact_calendar()) for _ in range(options.cases)])
    report.test("plans of contacts in zones of their own",
                [groups_case(chance.groups(), chunk=10**9, room=16) for _ in range(options.cases // 2)])
    report.test("such plans made in pieces",
                [groups_case(chance.groups(), chunk=chance.random.randint(1, 40),
                             room=chance.random.randint(1, 4)) for _ in range(options.cases // 2)])
    print(f"1..{report.tests}")
    return 1 if report.failures else 0


if __name__ == "__main__":
    sys.exit(main())
