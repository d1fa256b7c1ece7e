#!/usr/bin/env python3
"""`outdial simulate`: weeks in seconds. Every call that it prints is compared with zoneinfo: at clock changes and ends
of months, with caps, pauses and changes. The simulation uses the rules of the scheduler, so this tests these rules
too."""

import collections
import datetime
import json
import os
import re
import signal
import subprocess
import zoneinfo

import tap
from client import EVERY_DAY, until

STACK = {"schedulers": 0}
CALL = re.compile(
    r"(\S+ \S+) ([+-]\d\d:\d\d)  call (\S+) from (\S+), attempt (\d+)( \(callback\))?: (\w+) after (\d+) s")
Call = collections.namedtuple("Call", "at offset to number attempt outcome seconds callback")


def command(t, path, *options):
    return [f"{t.stack.build}/outdial", "-c", t.stack.write_config(), "simulate", path, "--sql",
            os.path.join(tap.HERE, "..", "..", "sql"), *options]


def write(t, script):
    path = os.path.join(t.stack.state_dir, "script.json")
    with open(path, "w") as file:
        json.dump(script, file)
    return path


def play(t, **script):
    """Returns the output, and the calls in it, in the order in which they began."""
    result = subprocess.run(command(t, write(t, script), "--calls", "yes"), capture_output=True, text=True)
    assert result.returncode == 0 and result.stderr == "", result
    calls = []
    for at, offset, to, number, attempt, callback, outcome, seconds in CALL.findall(result.stdout):
        calls.append(Call(datetime.datetime.fromisoformat(f"{at}{offset}"), offset, to, number, int(attempt), outcome,
                          int(seconds), callback != ""))
    assert not databases(t), "the scratch database is gone"
    return result.stdout, sorted(calls)


def databases(t):
    return [name for name, in t.stack.sql("SHOW DATABASES") if "simulation" in name]


def refused(t, script, message):
    result = subprocess.run(command(t, write(t, script)), capture_output=True, text=True)
    assert result.returncode != 0 and message in result.stderr, result
    assert not databases(t)


def check_calls(calls, zone, start, end, cap):
    """Every call is inside the window by the wall clock, has the right UTC offset, and no local day has more calls than
    the cap."""
    local = [call.at.astimezone(zoneinfo.ZoneInfo(zone)) for call in calls]
    for call, wall in zip(calls, local):
        assert call.at.utcoffset() == wall.utcoffset(), (call, wall)
        assert start <= wall.strftime("%H:%M") < end, (call, wall)
    days = collections.Counter(wall.date() for wall in local)
    assert not cap or max(days.values()) <= cap, days
    return days


def test_clocks_change_and_the_window_lies_in_the_gap(t):
    """2026-03-29 in Berlin has no 02:00 to 03:00, so the window from 02:10 to 03:20 opens at 03:10."""
    text, calls = play(t, starts_at="2026-03-28T01:00:00", contacts=[{"count": 90}], campaign={
        "timezone": "Europe/Berlin", "start_time": "02:10", "end_time": "03:20", "working_days": EVERY_DAY,
        "max_calls_per_day": 30, "max_concurrent_calls": 20})
    days = check_calls(calls, "Europe/Berlin", "02:10", "03:20", 30)
    assert [str(day) for day in days] == ["2026-03-28", "2026-03-29", "2026-03-30"] and set(days.values()) == {30}, days
    assert calls[30].at.isoformat() == "2026-03-29T03:10:00+02:00", calls[30]
    assert "90 calls on 3 days; of 90 contacts 90 completed" in text, text


def test_callbacks_and_rules_for_outcomes(t):
    """A person who asks for a callback is called a day later, when the window is open, at most five times; busy
    contacts are called again by their rule."""
    text, calls = play(t, starts_at="2026-03-02T08:00:00", contacts=[{"count": 40}], completed=2, busy=1,
                       callback_percent=50, callback_minutes=1440, campaign={
                           "timezone": "Europe/Berlin", "start_time": "09:00", "end_time": "17:00",
                           "retry_failed": True,
                           "retry_rules": [{"outcome": "busy", "delay_minutes": 7, "max_attempts": 2}]})
    check_calls(calls, "Europe/Berlin", "09:00", "17:00", None)
    people = collections.defaultdict(list)
    for call in calls:
        people[call.to].append(call)
    kinds = collections.Counter()
    for course in people.values():
        assert [call.attempt for call in course] == list(range(1, len(course) + 1)), course
        assert sum(call.callback for call in course) <= 5, course
        for before, after in zip(course, course[1:]):
            kinds[after.callback] += 1
            ended = before.at + datetime.timedelta(seconds=before.seconds)
            waited = after.at - ended
            if after.callback:
                assert before.outcome == "completed" and waited >= datetime.timedelta(days=1, seconds=-1), \
                    (before, after)
            else:
                assert before.outcome == "busy" and waited >= datetime.timedelta(minutes=7, seconds=-1), (before, after)
        assert sum(call.outcome == "busy" for call in course) <= 3, course
    assert kinds[True] > 10 and kinds[False] > 5 and "40 contacts" in text, kinds


def test_month_end_leap_day_and_weekends(t):
    text, calls = play(t, starts_at="2028-02-25T12:00:00", contacts=[{"count": 50}], campaign={
        "timezone": "America/New_York", "start_time": "16:00", "end_time": "24:00", "max_calls_per_day": 10,
        "excluded_dates": ["2028-02-28"]})
    days = check_calls(calls, "America/New_York", "16:00", "24:00", 10)
    assert [str(day) for day in days] == ["2028-02-25", "2028-02-29", "2028-03-01", "2028-03-02", "2028-03-03"], days


def test_contacts_in_their_own_zones_while_clocks_change(t):
    """Clocks go back in Berlin on 2026-10-25 and in New York on 2026-11-01; a night window meets both."""
    zones = {"+4930": "Europe/Berlin", "+1212": "America/New_York", "+8190": "Asia/Tokyo"}
    text, calls = play(
        t, starts_at="2026-10-24T00:00:00", no_answer=40, completed=60, seed=7,
        contacts=[{"count": 120, "phone_prefix": prefix, "timezone": zone} for prefix, zone in zones.items()],
        campaign={"timezone": "Europe/Berlin", "respect_contact_timezone": True, "max_calls_per_day": 60,
                  "calling_windows": [{"days": EVERY_DAY, "start": "01:30", "end": "03:10"},
                                      {"days": [1, 3, 5], "start": "12:00", "end": "12:30"}],
                  "max_concurrent_calls": 5, "retry_failed": True, "max_retry_attempts": 2, "retry_delay_minutes": 45})
    assert {call.to[:5] for call in calls} == set(zones)
    for prefix, zone in zones.items():
        walls = [call.at.astimezone(zoneinfo.ZoneInfo(zone)) for call in calls if call.to.startswith(prefix)]
        for wall in walls:
            noon = "12:00" <= wall.strftime("%H:%M") < "12:30" and wall.isoweekday() in (1, 3, 5)
            assert noon or "01:30" <= wall.strftime("%H:%M") < "03:10", (zone, wall)
    days = collections.Counter(call.at.astimezone(zoneinfo.ZoneInfo("Europe/Berlin")).date() for call in calls)
    assert max(days.values()) <= 60 and len(days) > 7, days
    assert "of 360 contacts" in text, text


def test_retries_pauses_and_changes(t):
    text, calls = play(
        t, starts_at="2026-06-01T08:00:00", contacts=[{"count": 60}], no_answer=50, completed=50, seed=5, numbers=2,
        campaign={"timezone": "Asia/Kathmandu", "start_time": "09:00", "end_time": "11:00", "working_days": EVERY_DAY,
                  "max_concurrent_calls": 3, "max_calls_per_day": 40, "retry_failed": True, "max_retry_attempts": 2,
                  "retry_delay_minutes": 90},
        actions=[{"at": "2026-06-01T09:03:00", "do": "pause"}, {"at": "2026-06-01T09:30:00", "do": "resume"},
                 {"at": "2026-06-02T12:00:00", "do": "change", "changes": {"end_time": "09:30"}},
                 {"at": "2026-06-01T08:30:00", "do": "do_not_call", "count": 60},
                 {"at": "2026-06-01T08:31:00", "do": "add_contacts", "count": 5}])
    zone = zoneinfo.ZoneInfo("Asia/Kathmandu")
    check_calls(calls, "Asia/Kathmandu", "09:00", "11:00", 40)
    attempts = collections.defaultdict(list)
    for call in calls:
        wall = call.at.astimezone(zone)
        assert not "2026-06-01 09:03" < str(wall)[:19] < "2026-06-01 09:30:00", call
        assert wall.day <= 2 or wall.strftime("%H:%M") < "09:30", call
        attempts[call.to].append(call)
    assert len(attempts) == 64 and {call.number for call in calls} == {"+18005550000", "+18005550001"}
    for tries in attempts.values():
        assert [call.attempt for call in tries] == list(range(1, len(tries) + 1)) and len(tries) <= 3, tries
        assert all(call.outcome == "no_answer" for call in tries[:-1]), tries
        assert tries[-1].outcome == "completed" or len(tries) == 3, tries
        for one, other in zip(tries, tries[1:]):
            assert other.at - one.at >= datetime.timedelta(minutes=90, seconds=one.seconds), tries
    assert places(calls) <= 3
    assert "1 skipped" in text, text


def test_retries_moved_by_the_cap_keep_their_delay(t):
    """The cap moves the retries to the next day long before their delay is over. Without the cap they are made today,
    but not before the end of their delay."""
    _, calls = play(
        t, starts_at="2026-06-01T08:00:00Z", contacts=[{"count": 10}, {"count": 10, "phone_prefix": "+1212",
                                                                      "timezone": "America/New_York"}],
        no_answer=1, completed=1, seed=4,
        campaign={"working_days": EVERY_DAY, "max_calls_per_day": 12, "retry_failed": True, "max_retry_attempts": 1,
                  "retry_delay_minutes": 600, "respect_contact_timezone": True},
        actions=[{"at": "2026-06-01T08:30:00Z", "do": "change", "changes": {"max_calls_per_day": None}},
                 {"at": "2026-06-01T08:31:00Z", "do": "pause"}, {"at": "2026-06-01T08:32:00Z", "do": "resume"}])
    assert sum(call.at.hour == 8 for call in calls) == 20, calls
    first = {call.to: call for call in calls if call.attempt == 1}
    second = [call for call in calls if call.attempt == 2]
    assert len(second) > 4, calls
    for call in second:
        ended = first[call.to].at + datetime.timedelta(seconds=first[call.to].seconds)
        assert call.at >= ended + datetime.timedelta(minutes=600), (first[call.to], call)


def test_a_retry_whose_own_window_is_closed_by_a_change(t):
    """The campaign is planned again exactly at the instant at which the retry is due."""
    _, calls = play(
        t, starts_at="2026-06-01T08:00:00Z", contacts=[{"count": 1, "timezone": "Europe/Paris"}], busy=1, seed=1,
        campaign={"timezone": "Pacific/Honolulu", "working_days": EVERY_DAY, "start_time": "08:00", "end_time": "23:00",
                  "retry_failed": True, "max_retry_attempts": 1, "retry_delay_minutes": 600,
                  "respect_contact_timezone": True},
        actions=[{"at": "2026-06-01T09:00:00Z", "do": "change", "changes": {"end_time": "12:00"}}])
    walls = [str(call.at.astimezone(zoneinfo.ZoneInfo("Europe/Paris")))[:16] for call in calls]
    assert walls == ["2026-06-01 10:00", "2026-06-02 08:00"], calls


def places(calls):
    steps = sorted(step for call in calls for step in ((call.at + datetime.timedelta(seconds=call.seconds), -1),
                                                       (call.at, 1)))
    level = most = 0
    for _, change in steps:
        level += change
        most = max(most, level)
    return most


def test_the_same_seed_gives_the_same_results(t):
    script = dict(starts_at="2026-06-01T08:00:00Z", contacts=[{"count": 30}], completed=1, busy=1, voicemail=1, seed=9,
                  campaign={"working_days": EVERY_DAY, "max_concurrent_calls": 2})
    assert play(t, **script) == play(t, **script)
    assert play(t, **script) != play(t, **dict(script, seed=10))


def test_scripts_that_are_wrong(t):
    good = {"starts_at": "2026-06-01T08:00:00Z", "contacts": [{"count": 3}]}
    refused(t, dict(good, starts_at="soon"), "starts_at")
    refused(t, dict(good, contacts=[{"count": 0}]), "contacts[0].count")
    refused(t, dict(good, campaign={"end_time": "25:00"}), "end_time")
    refused(t, dict(good, campaign={"start_time": "10:00"}), "campaign: ")
    refused(t, dict(good, actions=[{"at": "2026-06-01T08:00:00Z", "do": "dance"}]), "actions[0].do")
    refused(t, dict(good, surprise=1), "surprise")
    result = subprocess.run(command(t, "/nowhere"), capture_output=True, text=True)
    assert result.returncode != 0 and "/nowhere: No such file" in result.stderr, result


def test_a_simulation_that_is_stopped_leaves_nothing(t):
    path = write(t, {"starts_at": "2026-06-01T08:00:00Z", "contacts": [{"count": 5000}], "days": 3000,
                     "campaign": {"max_calls_per_day": 1, "working_days": EVERY_DAY}})
    process = subprocess.Popen(command(t, path), stdout=subprocess.PIPE, text=True)
    until(lambda: databases(t), what="the scratch database is there")
    process.send_signal(signal.SIGTERM)
    text, _ = process.communicate(timeout=30)
    assert process.returncode == 0 and "stopped" in text, text
    assert not databases(t)


if __name__ == "__main__":
    tap.run(globals())
