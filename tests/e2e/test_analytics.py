#!/usr/bin/env python3
"""Analytics against a recount of the calls, the export of results, the preview of the plan; and campaigns deleted by
the dozen."""

import collections
import concurrent.futures
import csv
import datetime
import http.client
import io
import json
import re
import time
import urllib.request
import zoneinfo

import tap
from client import BASE, COUNTERS, EVERY_DAY, check_counters, contacts, unhex, until
from receiver import ENDINGS, TAKEN, ends
from session import Session

STACK = {"config": {"workers": 2}}

UTC = datetime.timezone.utc
KATHMANDU = "Asia/Kathmandu"  # 5:45 ahead of UTC: its hours do not begin with hours of UTC
WORKER_MEGABYTES = 32


def analytics(t, batch, interval="day"):
    return t.api.get(f"/batch-calls/{batch['id']}/analytics", interval=interval)


def parse(text):
    return datetime.datetime.fromisoformat(text.replace("Z", "+00:00"))


def same(number, wanted):
    return number is wanted is None or abs(number - wanted) < 0.001


def report(t, calls):
    """Every call ends somehow."""
    reports = []
    for call in calls:
        said = {"call_id": call["id"], "status": t.random.choice(ENDINGS)}
        if t.random.random() < 0.8:
            said.update(duration_seconds=t.random.randrange(200), cost=t.random.randrange(10 ** 6) / 10 ** 4)
        if t.random.random() < 0.8:
            said.update(outcome=t.random.choice(["sale", "Sale", "callback", "größer"]),
                        end_reason=t.random.choice(["hung up", "hung up ", "486", "=1+1"]))
        reports.append(said)
    for said in t.api.post("/calls/status", {"reports": reports})["results"]:
        assert said["result"] == "accepted", said


def recount(campaign, calls):
    ended = [call for call in calls if call["status"] in ENDINGS]
    statuses = collections.Counter(call["status"] for call in ended)
    talks = [call["duration_seconds"] for call in ended
             if call["status"] == "completed" and call["duration_seconds"] is not None]
    return {
        "attempts": len(calls),
        "answer_rate": campaign["completed"] / campaign["called"] if campaign["called"] else None,
        "call_answer_rate": statuses["completed"] / len(ended) if ended else None,
        "average_duration_seconds": sum(talks) / len(talks) if talks else None,
        "total_minutes": sum(call["duration_seconds"] or 0 for call in ended) / 60,
        "total_cost": sum(call["cost"] or 0 for call in ended),
    }


def check_reasons(found, name, calls):
    wanted = collections.Counter(call[name].rstrip() for call in calls if call[name])
    assert {item[name].rstrip(): item["calls"] for item in found} == dict(wanted), (found, wanted)
    assert [item["calls"] for item in found] == sorted(wanted.values(), reverse=True), found


def check_series(series, calls, zone, form):
    wanted = collections.defaultdict(list)
    for call in calls:
        if call["status"] in ENDINGS:
            local = parse(call["created_at"]).astimezone(zoneinfo.ZoneInfo(zone))
            wanted[local.strftime(form)].append(call)
    assert [period["period"] for period in series] == sorted(wanted), (series, sorted(wanted))
    for period in series:
        mine = wanted[period["period"]]
        start = parse(period["starts_at"]).astimezone(zoneinfo.ZoneInfo(zone))
        assert start.strftime(form) == period["period"] and start.minute == 0, period
        assert period["attempts"] == len(mine), (period, mine)
        for status in ENDINGS:
            assert period[status] == sum(call["status"] == status for call in mine), (period, mine)
        assert same(period["minutes"], sum(call["duration_seconds"] or 0 for call in mine) / 60), period
        assert same(period["cost"], sum(call["cost"] or 0 for call in mine)), period


def check_all(t, batch):
    """Compares all analytics with the campaign and its calls."""
    campaign, calls = t.api.read(batch), t.api.calls_of(batch)
    ended = [call for call in calls if call["status"] in ENDINGS]
    for interval, form in (("day", "%Y-%m-%d"), ("hour", "%Y-%m-%dT%H:00")):
        shown = analytics(t, batch, interval)
        check_counters(shown)
        assert all(shown[name] == campaign[name] for name in COUNTERS + ("total_contacts", "called")), shown
        for name, wanted in recount(campaign, calls).items():
            assert same(shown[name], wanted), (name, shown[name], wanted)
        assert shown["calls"] == {"ended": len(ended), **{status: sum(call["status"] == status for call in ended)
                                                         for status in ENDINGS + ("cancelled",)}}, shown
        assert shown["calls"]["ended"] == sum(period["attempts"] for period in shown["series"]), shown
        assert shown["waiting_first"] + shown["waiting_retry"] == shown["pending"], shown
        check_reasons(shown["outcomes"], "outcome", ended)
        check_reasons(shown["end_reasons"], "end_reason", ended)
        assert (shown["interval"], shown["timezone"]) == (interval, campaign["timezone"]), shown
        check_series(shown["series"], calls, campaign["timezone"], form)
        final = campaign["total_contacts"] - campaign["pending"] - campaign["in_progress"]
        assert same(shown["progress"], final / campaign["total_contacts"]), shown
    numbers = t.api.get(f"/batch-calls/{batch['id']}/analytics", by_number="true")
    check_numbers(numbers["numbers"], calls)
    assert numbers["numbers_are_exact"] and "numbers" not in shown, numbers
    return shown


def check_numbers(shown, calls):
    for one in shown:
        ended = collections.Counter(call["status"] for call in calls
                                    if call["from_number"] == one["from_number"]
                                    and call["status"] in ENDINGS + ("cancelled",))
        assert one["calls"] == sum(ended.values()) and all(one[status] == ended[status]
                                                           for status in ENDINGS + ("cancelled",)), one
        assert same(one["answer_rate"], ended["completed"] / one["calls"] if one["calls"] else None), one
    assert [one["from_number"] for one in shown] == sorted({call["from_number"] for call in calls}), shown


def test_analytics_equal_a_recount(t):
    receiver, agent = t.dialing_agent()
    receiver.endpoint("/events", events=["batch.completed"])
    receiver.script = lambda call: TAKEN
    batch = t.api.batch(agent, contacts(80) + contacts(2), max_concurrent_calls=100, timezone=KATHMANDU)
    t.api.schedule(batch)
    receiver.wait_for_calls(80)
    until(lambda: t.api.read(batch)["in_progress"] == 80)
    shown = check_all(t, batch)
    assert shown["answer_rate"] == 0 and shown["call_answer_rate"] is None, shown
    assert shown["series"] == [] and shown["skipped"] == 2, shown

    # Changes the calls as if they had been placed over the last days.
    t.stack.sql(f"UPDATE calls SET called_at = called_at - INTERVAL position * 43 MINUTE"
                f" WHERE batch_id = (SELECT id FROM batch_calls WHERE uuid = {unhex(batch['id'])})")
    calls = t.api.calls_of(batch)
    t.random.shuffle(calls)
    report(t, calls[:50])
    shown = check_all(t, batch)
    assert parse(shown["estimated_end"]) > datetime.datetime.now(UTC) - datetime.timedelta(seconds=5), shown
    for call in calls[50:]:
        report(t, [call])
    done = t.api.wait_for(batch, "completed")
    shown = check_all(t, batch)
    assert shown["progress"] == 1 and shown["estimated_end"] == done["completed_at"], shown

    until(lambda: receiver.of_type("batch.completed", batch), what="batch.completed has come")
    event = receiver.of_type("batch.completed", batch)[0].data
    for name in COUNTERS + ("attempts", "answer_rate", "call_answer_rate", "calls", "waiting_first", "waiting_retry",
                            "average_duration_seconds", "total_minutes", "total_cost"):
        assert event[name] == shown[name], (name, event, shown)


def test_retries_count_as_attempts(t):
    receiver, agent = t.dialing_agent()
    receiver.script = lambda call: ends("busy" if call.data["attempt"] == 1 else "completed", duration_seconds=6)
    batch = t.api.batch(agent, 5, retry_failed=True, max_retry_attempts=1, retry_delay_minutes=1)
    t.api.schedule(batch)
    until(lambda: len(receiver.calls(batch)) == 5 and t.api.read(batch)["in_progress"] == 0)
    shown = analytics(t, batch)
    assert (shown["waiting_first"], shown["waiting_retry"], shown["answer_rate"],
            shown["call_answer_rate"]) == (0, 5, 0, 0), shown
    t.stack.sql(f"UPDATE due_contacts SET due_at = due_at - INTERVAL 1 HOUR;"
                f" UPDATE batch_calls SET low_water = '1000-01-01', wake_at = UTC_TIMESTAMP(6)"
                f" WHERE uuid = {unhex(batch['id'])}")
    t.api.wait_for(batch, "completed")
    shown = analytics(t, batch)
    assert (shown["attempts"], shown["completed"]) == (10, 5), shown
    assert (shown["answer_rate"], shown["call_answer_rate"]) == (1, 0.5), shown
    assert (shown["waiting_first"], shown["waiting_retry"]) == (0, 0), shown
    assert (shown["average_duration_seconds"], shown["total_minutes"]) == (6, 1), shown
    assert sum(period["busy"] for period in shown["series"]) == 5, shown


def test_rates_while_retries_wait(t):
    """A contact that waits for a retry was called. answer_rate is the share of all contacts that were called."""
    receiver, agent = t.dialing_agent()
    receiver.script = lambda call: ends("completed" if int(call.data["to"][-2:]) <= 4 else "busy")
    batch = t.api.batch(agent, 12, retry_failed=True, max_retry_attempts=1, retry_delay_minutes=60, max_calls_per_day=9)
    t.api.schedule(batch)
    until(lambda: len(receiver.calls(batch)) == 9 and t.api.read(batch)["in_progress"] == 0)
    shown = check_all(t, batch)
    assert (shown["called"], shown["completed"], shown["busy"], shown["pending"]) == (9, 4, 0, 8), shown
    assert (shown["waiting_first"], shown["waiting_retry"]) == (3, 5), shown
    assert same(shown["answer_rate"], 4 / 9) and same(shown["call_answer_rate"], 4 / 9), shown
    t.api.post(f"/batch-calls/{batch['id']}/cancel")
    shown = check_all(t, batch)
    assert (shown["waiting_first"], shown["waiting_retry"], shown["pending"]) == (0, 0, 0), shown


def test_a_part_of_the_series(t):
    receiver, agent = t.dialing_agent()
    receiver.script = lambda call: ends("completed")
    batch = t.api.batch(agent, 6, timezone=KATHMANDU)
    t.api.schedule(batch)
    t.api.wait_for(batch, "completed")
    row = t.row_of(batch)
    t.stack.sql(f"UPDATE batch_quarters SET quarter = quarter - 96 WHERE batch_id = {row}")
    t.stack.sql(f"INSERT INTO batch_quarters SELECT batch_id, quarter + 4 * n, status, calls, timed, seconds, cost FROM"
                f" batch_quarters JOIN (SELECT 1 AS n UNION SELECT 2 UNION SELECT 30) m WHERE batch_id = {row}")
    for interval in ("hour", "day"):
        whole = analytics(t, batch, interval)
        periods = [period["period"] for period in whole["series"]]
        assert len(periods) == (4 if interval == "hour" else len(set(periods))), periods
        path = f"/batch-calls/{batch['id']}/analytics"
        for first in range(len(periods)):
            for last in range(first + 1, len(periods)):
                shown = t.api.get(path, interval=interval, **{"from": periods[first], "to": periods[last]})
                assert shown["series"] == whole["series"][first:last], (first, last, shown)
                assert shown["calls"] == whole["calls"]
            assert t.api.get(path, interval=interval, **{"from": periods[first]})["series"] == whole["series"][first:]
        assert t.api.get(path, interval=interval, to="1970-01-01")["series"] == []
    for query in ({"from": "2026-13-01"}, {"to": "yesterday"}, {"from": "2026-11-21T09:00Z"}, {"from": ""},
                  {"to": "2026-11-21T09:00:00"}, {"from": "2026-11-22", "to": "2026-11-21"},
                  {"from": "2026-11-22", "to": "2026-11-22"}):
        t.api.refuse("bad_request", "GET", path, field=list(query)[-1], query=query)


def test_reasons_that_are_all_different_do_not_pile_up(t):
    receiver, agent = t.dialing_agent()
    receiver.script = lambda call: ends(end_reason=f"call {call.id}", outcome="sale")
    batch = t.api.batch(agent, 900, max_concurrent_calls=20)
    t.api.schedule(batch)
    t.api.wait_for(batch, "completed")
    shown = analytics(t, batch)
    assert shown["outcomes"] == [{"outcome": "sale", "calls": 900}], shown["outcomes"]
    assert shown["end_reasons"][0]["end_reason"] == "(other)" and len(shown["end_reasons"]) == 100
    rows = t.stack.sql(f"SELECT COUNT(*), SUM(calls) FROM batch_reasons WHERE kind = 1 AND batch_id ="
                       f" (SELECT id FROM batch_calls WHERE uuid = {unhex(batch['id'])})")[0]
    assert 200 <= int(rows[0]) <= 320 and rows[1] == "900", rows


def test_the_end_is_predicted(t):
    receiver, agent = t.dialing_agent()
    draft = t.api.batch(agent, 3)
    shown = analytics(t, draft)
    assert shown["progress"] == 0 and shown["estimated_end"] is None and shown["total_cost"] == 0, shown
    batch = t.api.batch(agent, 100, schedule_type="scheduled", scheduled_at="2040-06-01T08:00:00Z",
                        max_calls_per_day=10)
    shown = analytics(t, batch)
    assert shown["estimated_end"] >= t.api.read(batch)["planned_until"][:19], shown
    assert shown["estimated_end"].startswith("2040-06-10"), shown

    # Ten calls were made in the last quarter of an hour, and three hundred contacts are left. The plan does not delay
    # them.
    receiver.script = lambda call: TAKEN
    batch = t.api.batch(agent, 310, max_concurrent_calls=10)
    t.api.schedule(batch)
    receiver.wait_for_calls(10)
    t.stack.sql(f"UPDATE batch_calls SET started_at = started_at - INTERVAL 1 DAY, wake_at = '9999-12-31'"
                f" WHERE uuid = {unhex(batch['id'])}")
    t.stack.sql(f"UPDATE calls SET called_at = called_at - INTERVAL 15 MINUTE"
                f" WHERE batch_id = (SELECT id FROM batch_calls WHERE uuid = {unhex(batch['id'])})")
    report(t, t.api.calls_of(batch))
    left = parse(analytics(t, batch)["estimated_end"]) - datetime.datetime.now(UTC)
    assert 6 < left.total_seconds() / 3600 < 9, left
    t.api.post(f"/batch-calls/{batch['id']}/pause")
    assert analytics(t, batch)["estimated_end"] is None


def test_parameters_and_strangers(t):
    _, agent = t.dialing_agent()
    batch = t.api.batch(agent, 1)
    path = f"/batch-calls/{batch['id']}/"
    t.api.refuse("bad_request", "GET", path + "analytics", query={"interval": "week"})
    t.api.refuse("bad_request", "GET", path + "results.csv", query={"status": "gone"})
    other = t.client(organization="another one")
    for method, name in (("GET", "analytics"), ("GET", "results.csv"), ("POST", "preview")):
        other.refuse("not_found", method, path + name)


# results.csv

def download(t, batch, query=""):
    connection = http.client.HTTPConnection(t.api.host, timeout=60)
    try:
        connection.request("GET", f"{BASE}/batch-calls/{batch['id']}/results.csv{query}",
                           headers={"Authorization": f"Bearer {t.api.key}"})
        answer = connection.getresponse()
        text = answer.read().decode()
        assert answer.status == 200 and answer.headers["X-Request-Id"], answer.headers
        assert answer.headers["Content-Type"] == "text/csv; charset=utf-8; header=present", answer.headers
        name = f'attachment; filename="results-{batch["id"]}.csv"'
        assert answer.headers["Content-Disposition"] == name, answer.headers
        return text
    finally:
        connection.close()


def test_results_match_the_contacts(t):
    receiver, agent = t.dialing_agent()
    receiver.script = lambda call: ends(t.random.choice(ENDINGS), duration_seconds=7, cost=0.0625,
                                        outcome='@SUM(A1), "x"', end_reason="-1 + 1\r\nnext")
    people = contacts(30) + contacts(1)
    people[0].update(first_name="=HYPERLINK(\"http://x\")", last_name="a \"quoted\", name", email="a@b.c")
    people[1].update(first_name="+1", last_name="\ttab", custom_fields={"Größe": [1, "zwei\n", None]})
    people[2].update(first_name="line\nbreak", last_name="ends with \"", timezone="Europe/Berlin")
    batch = t.api.batch(agent, people)
    t.api.schedule(batch)
    t.api.wait_for(batch, "completed")
    text = download(t, batch)
    assert not re.search(r"(?<!\r)\n", text.replace("line\nbreak", "")), "lines end in CRLF"
    rows = list(csv.DictReader(io.StringIO(text, newline=""), strict=True))
    wanted = t.api.contacts_of(batch)
    assert [row["phone_number"] for row in rows] == [contact["phone_number"] for contact in wanted]
    for row, contact in zip(rows, wanted):
        assert set(row) == set(contact), set(row) ^ set(contact)
        for name, value in contact.items():
            check_cell(name, row[name], value)


def check_cell(name, cell, value):
    if value is None:
        assert cell == "", (name, cell)
    elif isinstance(value, (int, float)):
        assert float(cell) == value, (name, cell, value)
    elif isinstance(value, dict):
        assert json.loads(cell) == value, (name, cell, value)
    else:
        guard = "'" if value[0] in "=+-@\t\r" and "number" not in name else ""
        assert cell == guard + value, (name, cell, value)


def peak_megabytes(t):
    """Returns the most memory that a worker has had."""
    peaks = []
    for pid in t.stack.workers():
        with open(f"/proc/{pid}/status") as status:
            peaks.append(int(re.search(r"VmHWM:\s+(\d+) kB", status.read()).group(1)) / 1024)
    return max(peaks)


def restart_api(t):
    t.stack.kill("api", 15)
    t.stack.start_api()
    t.stack.wait_ready()


def big_campaign(t, agent, thousands):
    batch = t.api.batch(agent)
    for n in range(0, thousands, 10):
        t.api.post(f"/batch-calls/{batch['id']}/contacts", {"contacts": contacts(10_000, 1 + n * 1000)})
    return batch


def test_memory_does_not_grow_with_the_export(t):
    _, agent = t.dialing_agent()
    small, big = big_campaign(t, agent, 10), big_campaign(t, agent, 100)
    restart_api(t)
    assert download(t, small).count("\r\n") == 10_001
    before = peak_megabytes(t)
    text = download(t, big)
    lines = text.split("\r\n")
    assert len(lines) == 100_002 and lines[-1] == "", len(lines)
    positions = [line.split(",", 1)[0] for line in lines[1:-1]]
    assert positions == [str(n) for n in range(1, 100_001)]
    begin = time.monotonic()
    assert download(t, big, "?excel=true").count("\r\n") == 100_001
    print(f"# for a spreadsheet: {time.monotonic() - begin:.1f} s")
    after = peak_megabytes(t)
    print(f"# a worker's memory: {before:.1f} MB after 10,000 rows, {after:.1f} MB after 100,000"
          f" ({len(text) / 1e6:.0f} MB of text)")
    assert t.sanitized or (after < WORKER_MEGABYTES and after - before < 4), (before, after)


def test_an_export_breaks_off_when_its_campaign_is_deleted(t):
    """The contacts are held by a lock while the campaign is deleted, after the export has begun."""
    _, agent = t.dialing_agent()
    batch = big_campaign(t, agent, 10)
    with concurrent.futures.ThreadPoolExecutor(1) as pool, Session(t, "LOCK TABLES batch_contacts WRITE") as session:
        url = t.api.post(f"/batch-calls/{batch['id']}/results-link", {"status": ["pending"]})["url"]
        reading = pool.submit(lambda: urllib.request.urlopen(url, timeout=60).read())
        until(lambda: [one for one in t.stack.sessions() if (one.state or "").startswith("Waiting for table")],
              what="the export has begun")
        status = t.stack.sql(f"SELECT status FROM batch_calls WHERE uuid = {unhex(batch['id'])}")[0][0]
        t.stack.sql(f"UPDATE batch_calls SET status = 7 WHERE uuid = {unhex(batch['id'])}")
        session.run("UNLOCK TABLES")
        try:
            raise AssertionError(f"{len(reading.result())} bytes, and no error")
        except (http.client.IncompleteRead, ConnectionError):
            pass
    t.stack.sql(f"UPDATE batch_calls SET status = {status} WHERE uuid = {unhex(batch['id'])}")


def test_an_export_that_breaks_off_does_not_look_whole(t):
    _, agent = t.dialing_agent()
    batch = big_campaign(t, agent, 10)
    t.stack.sql(f"DELETE FROM batch_contacts WHERE position > 5500 AND batch_id ="
                f" (SELECT id FROM batch_calls WHERE uuid = {unhex(batch['id'])})")
    link = t.api.post(f"/batch-calls/{batch['id']}/results-link")["url"]
    for read in (lambda: download(t, batch), lambda: urllib.request.urlopen(link, timeout=60).read()):
        try:
            text = read()
        except (http.client.IncompleteRead, ConnectionError):
            pass
        else:
            raise AssertionError(f"{len(text)} bytes, and no error")
    assert t.api.get("/agents"), "the worker goes on"


# Preview

PLANS = [
    {"scheduled_at": "2040-03-23T06:00:00Z", "start_time": "09:00", "end_time": "17:00",
     "timezone": "Europe/Berlin", "working_days": [1, 2, 3, 4, 5], "max_calls_per_day": 7},
    {"scheduled_at": "2040-03-24T12:00:00Z", "start_time": "22:00", "end_time": "04:00",
     "timezone": "America/New_York", "calls_per_minute": 1, "working_days": EVERY_DAY},
    {"scheduled_at": "2040-06-01T00:00:00Z", "timezone": KATHMANDU, "calls_per_minute": 60,
     "excluded_dates": ["2040-06-02"], "max_calls_per_day": 1000, "working_days": EVERY_DAY},
]


def planned_days(t, batch):
    """Returns the plan by the instants of the contacts: for each local day [date, contacts, first, last]."""
    zone = zoneinfo.ZoneInfo(t.api.read(batch)["timezone"])
    days = collections.defaultdict(list)
    for row in t.api.contacts_of(batch, status="scheduled"):
        days[str(parse(row["scheduled_at"]).astimezone(zone).date())].append(row["scheduled_at"])
    return [{"date": day, "contacts": len(at), "first_at": min(at), "last_at": max(at)}
            for day, at in sorted(days.items())]


def preview(t, batch, changes=None):
    return t.api.post(f"/batch-calls/{batch['id']}/preview", changes and {"changes": changes})


def test_a_preview_is_refused_as_the_change(t):
    _, agent = t.dialing_agent()
    batch = t.api.batch(agent, 3)
    path = f"/batch-calls/{batch['id']}"
    foreign = t.client(organization="another").number()["id"]
    gone = t.api.number()["id"]
    t.api.delete(f"/telephony/numbers/{gone}")
    for changes in ({"phone_number_ids": [foreign]}, {"phone_number_ids": [gone]}, {"phone_number_ids": []},
                    {"phone_number_ids": None}, {"phone_number_ids": ["x"]},
                    {"phone_number_ids": batch["phone_number_ids"] * 2},
                    {"timezone": "Europe/Atlantis"}, {"start_time": "09:00"}, {"agent_id": agent["id"]},
                    {"schedule_type": "scheduled"}, {"scheduled_at": "9999-12-30T00:00:00Z"}, {"retry_on": ["x"]},
                    {"contacts": []}, {"calling_windows": [{"days": [1], "start": "09:00", "end": "09:00"}]}):
        real = t.api.send("PATCH", path, changes)
        shown = t.api.send("POST", f"{path}/preview", {"changes": changes})
        assert real.status == shown.status == 422, (changes, real, shown)
        assert real.error["code"] == shown.error["code"], (real, shown)
        fields = [fault["field"] for fault in real.details.get("errors", [])]
        assert [fault["field"].removeprefix("changes.") for fault in shown.details.get("errors", [])] == fields, \
            (real, shown)
        reasons = [fault["reason"] for fault in real.details.get("errors", [])]
        assert [fault["reason"] for fault in shown.details.get("errors", [])] == reasons, (real, shown)
    assert t.api.read(batch) == batch


def test_a_preview_of_other_numbers(t):
    """The estimate uses the pace of the numbers that the campaign would call from."""
    _, agent = t.dialing_agent()
    batch = t.api.batch(agent, 61, max_concurrent_calls=100)
    slow = t.api.number()["id"]
    t.api.patch(f"/telephony/numbers/{slow}", {"calls_per_minute": 1})

    def hours(changes):
        shown = t.api.post(f"/batch-calls/{batch['id']}/preview", {"changes": changes, "average_call_seconds": 1})
        day = shown["estimate"]["days"]
        return (parse(day[-1]["last_at"]) - parse(day[0]["first_at"])).total_seconds() / 3600

    assert hours({}) < 0.1 and hours({"name": "x"}) < 0.1
    assert same(hours({"phone_number_ids": [slow]}), 1)
    assert hours({"phone_number_ids": [slow] + batch["phone_number_ids"]}) < 0.1
    t.api.patch(f"/batch-calls/{batch['id']}", {"phone_number_ids": [slow]})
    assert same(hours({}), 1)
    assert hours({"phone_number_ids": batch["phone_number_ids"]}) < 0.1
    t.api.post("/telephony/numbers/assign", {"number_id": slow, "agent_id": agent["id"], "assignment_type": "outbound"})
    t.api.patch(f"/batch-calls/{batch['id']}", {"phone_number_ids": batch["phone_number_ids"]})
    assert same(hours({"phone_number_ids": []}), 1)


def test_a_preview_matches_the_plan(t):
    _, agent = t.dialing_agent()
    for plan in PLANS:
        batch = t.api.batch(agent, 500 if plan.get("calls_per_minute") else 50)
        shown = preview(t, batch, plan)
        assert shown["contacts"] == shown["planned"] == batch["total_contacts"], shown
        assert t.api.read(batch) == batch, "nothing is written"
        t.api.patch(f"/batch-calls/{batch['id']}", plan)
        assert preview(t, batch)["days"] == shown["days"]
        t.api.schedule(batch)
        assert planned_days(t, batch) == shown["days"], (plan, shown)
        scheduled = t.api.read(batch)
        for name in ("planned_from", "planned_until"):
            assert shown[name] == scheduled[name], (name, shown, scheduled)
        assert preview(t, batch)["days"] == shown["days"]


def test_a_preview_of_years(t):
    _, agent = t.dialing_agent()
    batch = t.api.batch(agent, 400, scheduled_at="2040-01-01T00:00:00Z", max_calls_per_day=1)
    shown = preview(t, batch)
    assert (shown["contacts"], shown["planned"], len(shown["days"])) == (400, 366, 366), shown
    assert shown["days"][-1]["date"] == "2040-12-31", shown["days"][-1]
    t.api.refuse("no_contacts", "POST", f"/batch-calls/{t.api.batch(agent)['id']}/preview")


def test_a_preview_takes_what_a_change_takes(t):
    receiver, agent = t.dialing_agent()
    batch = t.api.batch(agent, 2)
    path = f"/batch-calls/{batch['id']}/preview"
    for field, body in [("timezone", {"timezone": "Mars/Base"}), ("end_time", {"start_time": "09:00"}),
                        ("agent_id", {"agent_id": agent["id"]}), ("unknown", {"unknown": 1}),
                        ("scheduled_at", {"schedule_type": "scheduled"})]:
        t.api.refuse("validation_error", "POST", path, {"changes": body}, field=f"changes.{field}")
    for body in ({"unknown": 1}, {"changes": 1}, {"average_call_seconds": 0}, {"answer_rate": 1.01}):
        t.api.refuse("validation_error", "POST", path, body, field=list(body)[0])
    t.api.schedule(batch)
    t.api.wait_for(batch, "completed")
    refused = t.api.refuse("invalid_state", "POST", path)
    assert "No contact waits in a campaign that is completed" in refused.error["message"], refused
    t.client(scopes="read").post(path.replace(batch["id"], t.api.batch(agent, 1)["id"]))


# Bulk delete

def test_many_campaigns_are_deleted_at_once(t):
    _, agent = t.dialing_agent()
    drafts = [t.api.batch(agent, 1)["id"] for _ in range(3)]
    scheduled = t.api.batch(agent, 1, schedule_type="scheduled", scheduled_at="2040-06-01T08:00:00Z")["id"]
    theirs = t.client(organization="another one")
    receiver = tap.Receiver(theirs)
    foreign = theirs.batch(theirs.agent(receiver.endpoint()), 1)["id"]
    shown = t.api.post("/batch-calls/bulk-delete", {"ids": [drafts[0], scheduled, f"batch_{drafts[1]}", foreign,
                                                           agent["id"], drafts[2]]})
    assert shown["deleted"] == drafts, shown
    assert [(item["id"], item["code"]) for item in shown["refused"]] == [
        (scheduled, "invalid_state"), (foreign, "not_found"), (agent["id"], "not_found")], shown
    assert all(item["message"] for item in shown["refused"]), shown
    for batch_id in drafts:
        t.api.refuse("not_found", "GET", f"/batch-calls/{batch_id}")
    assert t.api.get(f"/batch-calls/{scheduled}")["status"] == "scheduled"
    assert theirs.get(f"/batch-calls/{foreign}")["status"] == "draft"
    receiver.close()
    for ids in (None, [], [drafts[0]] * 2, ["x"], [f"01a1fd6b-d8ce-7000-85bc-{n:012}" for n in range(101)]):
        t.api.refuse("validation_error", "POST", "/batch-calls/bulk-delete", {"ids": ids})
    t.api.refuse("validation_error", "POST", "/batch-calls/bulk-delete", {}, field="ids")
    until(lambda: not left_behind(t), what="nothing of them is left")


def left_behind(t):
    return sum(int(t.stack.sql(f"SELECT COUNT(*) FROM {table} x LEFT JOIN batch_calls b ON b.id = x.batch_id"
                               f" WHERE b.id IS NULL OR b.status > 6")[0][0])
               for table in ("batch_contacts", "batch_counters", "batch_quarters", "batch_reasons"))


if __name__ == "__main__":
    tap.run(globals())
