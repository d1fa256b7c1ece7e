#!/usr/bin/env python3
"""Campaigns that are called: caps, counters, rotation, retries, reports, deadlines, pauses, events.
The dialer is receiver.py, which holds every webhook against its signature."""

import collections
import datetime
import time
import zoneinfo

import tap
from client import COUNTERS, contacts, until
from limits import choice, nullable, text, try_all
from receiver import TAKEN, Answer, ends, ends_later

SLOTS = 60  # webhooks under way at once in one scheduler
STACK = {"rate_limit": False, "config": {"dispatch_ttl_seconds": 6, "max_in_flight": SLOTS}}

UTC = datetime.timezone.utc
OUTCOMES = ("completed", "failed", "voicemail", "no_answer", "busy")
ENDED = OUTCOMES + ("cancelled",)


def parse(text):
    return datetime.datetime.strptime(text, "%Y-%m-%dT%H:%M:%S.%fZ").replace(tzinfo=UTC)


def seconds_between(earlier, later):
    return (parse(later) - parse(earlier)).total_seconds()


def make_due(t, batch):
    """Moves time: what waits is due now."""
    row = t.stack.sql(f"SELECT id FROM batch_calls WHERE uuid = UNHEX('{batch['id'].replace('-', '')}')")[0][0]
    t.stack.sql(f"UPDATE due_contacts SET due_at = UTC_TIMESTAMP(6) - INTERVAL 1000000 - position MICROSECOND"
                f" WHERE batch_id = {row}; UPDATE batch_calls SET low_water = '1000-01-01',"
                f" wake_at = UTC_TIMESTAMP(6) WHERE id = {row}")


def zone_at_noon():
    """A zone in which it is about noon, so that no test meets midnight."""
    ahead = 12 - datetime.datetime.now(UTC).hour
    return f"Etc/GMT{-ahead:+d}" if ahead else "UTC"


def waiting_for_retry(t, batch, attempts):
    """The campaign's one contact, once it has had so many attempts and waits for another."""
    def look():
        row = t.api.contacts_of(batch)[0]
        return row if row["attempts"] == attempts and row["status"] == "scheduled" else None
    return until(look, what=f"the contact waits after {attempts} attempts")


def one_call(t, receiver, agent, script, **fields):
    """Starts a campaign of one contact; returns it, and the id of the call when it was requested."""
    receiver.script = script
    before = len(receiver.calls())
    batch = t.api.batch(agent, 1, **fields)
    t.api.schedule(batch)
    return batch, receiver.wait_for_calls(before + 1)[-1].data["call_id"]


# The main job

def test_two_hundred_contacts_over_three_numbers_seven_at_once(t):
    receiver, agent = t.dialing_agent(settings={"voice": "warm"})
    receiver.endpoint("/events", events=["batch.status.changed", "batch.completed"])
    numbers = [t.api.number() for _ in range(3)]
    people = [dict(person, first_name=f"Person {number}", custom_fields={"order": number})
              for number, person in enumerate(contacts(200), 1)]
    outcome = {person["phone_number"]: t.random.choice(OUTCOMES) for person in people}
    pace = {person["phone_number"]: t.random.choice([0, 0.005, 0.02, 0.05]) for person in people}

    def script(call):
        status, seconds = outcome[call.data["to"]], pace[call.data["to"]]
        if seconds == 0:
            return ends(status, duration_seconds=3)
        return ends_later(seconds, status, duration_seconds=3)

    receiver.script = script
    batch = t.api.batch(agent, people, max_concurrent_calls=7, phone_rotation_strategy="round_robin",
                        phone_number_ids=[number["id"] for number in numbers], metadata={"tag": 1})
    t.api.schedule(batch)
    done = watch(t, batch, cap=7)

    calls = receiver.calls()
    assert len(calls) == len({call.id for call in calls}) == len({call.data["to"] for call in calls}) == 200
    assert receiver.peaks[batch["id"]] <= 7, receiver.peaks
    assert receiver.peaks[batch["id"]] >= 4, "the places are used"
    used = collections.Counter(call.data["from"] for call in calls)
    assert sorted(used) == sorted(n["phone_number"] for n in numbers) and max(used.values()) == 67, used
    expected = collections.Counter(outcome.values())
    assert {name: done[name] for name in OUTCOMES} == {name: expected[name] for name in OUTCOMES}, done
    assert (done["called"], done["pending"], done["in_progress"]) == (200, 0, 0), done
    assert done["started_at"] and done["completed_at"] >= done["started_at"], done

    for call in calls:
        position = call.data["contact"]["custom_fields"]["order"]
        assert call.data["call_id"] == call.id and call.data["attempt"] == 1, call.data
        assert call.data["batch_call_id"] == batch["id"], call.data
        assert call.data["to"] == people[position - 1]["phone_number"], call.data
        assert call.data["contact"]["first_name"] == f"Person {position}", call.data
        assert call.data["agent"]["id"] == agent["id"], call.data
        assert call.data["agent"]["settings"] == {"voice": "warm"}, call.data
        assert call.data["status_url"] == f"{t.stack.url}/api/public/v1/calls/{call.id}/status", call.data
        assert call.data["expires_at"] > call.timestamp, call.data
    check_rows(t, batch, {call.id: call for call in calls}, outcome)

    until(lambda: receiver.of_type("batch.completed", batch), what="batch.completed has come")
    until(lambda: len(receiver.of_type("batch.status.changed", batch)) >= 3, what="all changes have come")
    completed = receiver.of_type("batch.completed", batch)
    assert len(completed) == 1 and completed[0].path == "/events", completed
    changes = [(event.data["from"], event.data["to"]) for event in receiver.of_type("batch.status.changed", batch)]
    assert sorted(changes) == [("active", "completed"), ("draft", "scheduled"), ("scheduled", "active")], changes


def watch(t, batch, cap):
    """Until the campaign is completed: the cap and the counters at every look."""
    final, deadline = 0, time.monotonic() + 60
    while True:
        batch = t.api.read(batch)  # checks the sum
        assert batch["in_progress"] <= cap, batch
        in_flight = t.api.ask("GET", f"/batch-calls/{batch['id']}/contacts",
                              query={"status": "in_progress", "limit": 1}).pagination["total"]
        assert in_flight <= cap, in_flight
        now_final = sum(batch[name] for name in OUTCOMES)
        assert now_final >= final, (final, batch)
        final = now_final
        if batch["status"] == "completed":
            return batch
        assert batch["status"] in ("scheduled", "active") and time.monotonic() < deadline, batch


def check_rows(t, batch, calls, outcome):
    """The contacts and the calls tell the same story."""
    rows = t.api.contacts_of(batch)
    assert [row["position"] for row in rows] == list(range(1, 201))
    for row in rows:
        assert row["status"] == row["call_status"] == outcome[row["phone_number"]], row
        assert row["attempts"] == 1 and row["duration_seconds"] == 3, row
        call = calls[row["call_id"]]
        assert row["phone_number"] == call.data["to"] and row["from_number"] == call.data["from"], row
        assert row["scheduled_at"] <= row["called_at"] <= row["ended_at"], row
    found = t.api.calls_of(batch)
    assert {call["id"] for call in found} == set(calls) and len(found) == 200
    for call in found:
        assert call["status"] == outcome[calls[call["id"]].data["to"]], call


def test_a_small_campaign_does_not_wait_for_a_big_one(t):
    receiver, agent = t.dialing_agent()
    receiver.script = lambda call: ends(delay=0.05)
    big = t.api.batch(agent, 2000, max_concurrent_calls=5)
    small = t.api.batch(agent, 5)
    t.api.schedule(big)
    receiver.wait_for_calls(5)
    t.api.schedule(small)
    t.api.wait_for(small, "completed", 5)
    assert t.api.read(big)["status"] == "active"
    t.api.post(f"/batch-calls/{big['id']}/cancel")


# Numbers

def test_rotation_strategies(t):
    receiver, agent = t.dialing_agent()
    numbers = [t.api.number() for _ in range(3)]
    phones = [number["phone_number"] for number in numbers]
    used = {}
    for strategy in ("sequential", "round_robin", "random"):
        batch = t.api.batch(agent, 60, phone_rotation_strategy=strategy,
                            phone_number_ids=[number["id"] for number in numbers])
        t.api.schedule(batch)
        t.api.wait_for(batch, "completed")
        used[strategy] = [row["from_number"] for row in t.api.contacts_of(batch)]
        assert sorted(call.data["from"] for call in receiver.calls(batch)) == sorted(used[strategy])
    assert used["sequential"] == [phones[0]] * 20 + [phones[1]] * 20 + [phones[2]] * 20, used["sequential"]
    assert used["round_robin"] == phones * 20, used["round_robin"]
    assert set(used["random"]) == set(phones)
    assert used["random"] not in (used["round_robin"], used["sequential"])


def test_without_a_number_left_a_campaign_has_failed(t):
    receiver, agent = t.dialing_agent()
    receiver.script = lambda call: TAKEN
    numbers = [t.api.number()["id"] for _ in range(2)]
    batch = t.api.batch(agent, 3, max_concurrent_calls=1, phone_number_ids=numbers)
    t.api.schedule(batch)
    call = receiver.wait_for_calls(1)[0]
    for number in numbers:
        t.api.delete(f"/telephony/numbers/{number}")
    receiver.report(call.id, "completed")
    failed = t.api.wait_for(batch, "failed")
    assert "number" in failed["status_reason"] and failed["completed"] == 1, failed
    assert failed["cancelled"] == 2, failed


# Retries

def test_retries_until_the_attempts_are_used_up(t):
    receiver, agent = t.dialing_agent()
    receiver.script = lambda call: ends(["busy", "no_answer", "failed"][call.data["attempt"] - 1])
    batch = t.api.batch(agent, 1, retry_failed=True, max_retry_attempts=2, retry_delay_minutes=1)
    t.api.schedule(batch)
    for attempt, delay in ((1, 60), (2, 120)):
        row = waiting_for_retry(t, batch, attempt)
        now = t.api.read(batch)
        assert (now["pending"], now["called"], now["in_progress"]) == (1, 1, 0), now
        ended = [call for call in t.api.calls_of(batch) if call["attempt"] == attempt][0]["ended_at"]
        assert abs(seconds_between(ended, row["scheduled_at"]) - delay) < 1, (ended, row)
        make_due(t, batch)
    done = t.api.wait_for(batch, "completed")
    assert (done["failed"], done["called"], done["total_contacts"]) == (1, 1, 1), done
    row = t.api.contacts_of(batch)[0]
    assert (row["attempts"], row["status"]) == (3, "failed"), row
    calls = sorted(t.api.calls_of(batch), key=lambda call: call["attempt"])
    assert [call["status"] for call in calls] == ["busy", "no_answer", "failed"], calls
    assert [call.data["attempt"] for call in receiver.calls()] == [1, 2, 3]
    assert len({call.id for call in receiver.calls()}) == 3 and row["call_id"] == calls[2]["id"]


def test_a_retry_that_succeeds_is_the_last(t):
    receiver, agent = t.dialing_agent()
    receiver.script = lambda call: ends("busy" if call.data["attempt"] == 1 else "completed")
    batch = t.api.batch(agent, 20, retry_failed=True, max_retry_attempts=3, retry_delay_minutes=1)
    t.api.schedule(batch)
    until(lambda: len([row for row in t.api.contacts_of(batch, status="scheduled")]) == 20 and
          t.api.read(batch)["called"] == 20, what="all wait for a retry")
    planned = [row["scheduled_at"] for row in t.api.contacts_of(batch)]
    assert len(set(planned)) == 20, planned
    make_due(t, batch)
    done = t.api.wait_for(batch, "completed")
    assert (done["completed"], done["called"]) == (20, 20), done
    assert len(receiver.calls()) == 40


def test_only_what_is_asked_for_is_retried(t):
    receiver, agent = t.dialing_agent()
    people = contacts(5)
    outcome = {person["phone_number"]: status for person, status in zip(people, OUTCOMES)}
    receiver.script = lambda call: ends(outcome[call.data["to"]])
    for fields, retried in (({"retry_failed": False, "max_retry_attempts": 3}, set()),
                            ({"retry_failed": True, "max_retry_attempts": 0}, set()),
                            ({"retry_failed": True, "max_retry_attempts": 1}, {"failed", "no_answer", "busy"}),
                            ({"retry_failed": True, "max_retry_attempts": 1, "retry_on": ["voicemail"]},
                             {"voicemail"})):
        batch = t.api.batch(agent, people, retry_delay_minutes=60, **fields)
        t.api.schedule(batch)
        until(lambda: t.api.read(batch)["called"] == 5 and not t.api.read(batch)["in_progress"],
              what="all were called once")
        waiting = {outcome[row["phone_number"]] for row in t.api.contacts_of(batch, status="scheduled")}
        assert waiting == retried, (fields, waiting)
        now = t.api.wait_for(batch, "active" if retried else "completed")
        assert now["pending"] == len(retried), now
        if retried:
            t.api.post(f"/batch-calls/{batch['id']}/cancel")
            assert t.api.read(batch)["cancelled"] == len(retried)


# Reports

def test_reports_move_a_call_forward_only(t):
    receiver, agent = t.dialing_agent()
    batch, call = one_call(t, receiver, agent, lambda call: TAKEN)
    path = f"/calls/{call}/status"
    until(lambda: t.api.get(f"/calls/{call}")["status"] == "dispatched", what="the call is dispatched")
    for report, status in (("ringing", "ringing"), ("ringing", "ringing"), ("in_progress", "in_progress"),
                           ("ringing", "in_progress"), ("completed", "completed"), ("failed", "completed"),
                           ("in_progress", "completed"), ("completed", "completed"), ("busy", "completed")):
        reply = t.api.ask("POST", path, {"status": report})
        assert reply.status == 200 and reply.data["status"] == status, (report, reply)
        assert t.api.get(f"/calls/{call}")["status"] == status
    done = t.api.wait_for(batch, "completed")
    assert (done["completed"], done["failed"], done["busy"]) == (1, 0, 0), done


def test_the_first_report_of_an_end_wins(t):
    receiver, agent = t.dialing_agent()
    batch, call = one_call(t, receiver, agent, lambda call: TAKEN)
    first = receiver.report(call, "voicemail", duration_seconds=7, outcome="left a message")
    late = receiver.report(call, "completed", duration_seconds=70, outcome="talked", cost=1)
    assert late == first, (first, late)
    assert t.api.wait_for(batch, "completed")["voicemail"] == 1


def test_what_a_report_tells_is_kept(t):
    receiver, agent = t.dialing_agent()
    report = {"duration_seconds": 61, "cost": 0.1234, "end_reason": "hung up", "outcome": "interested",
              "recording_url": "https://example.com/r", "transcript_url": "https://example.com/t",
              "summary": "Ünïcode 😀"}
    batch, call = one_call(t, receiver, agent, lambda call: ends("completed", **report))
    t.api.wait_for(batch, "completed")
    stored = t.api.get(f"/calls/{call}")
    for name, value in report.items():
        assert stored[name] == value, (name, stored)
    row = t.api.contacts_of(batch)[0]
    assert (row["duration_seconds"], row["cost"], row["outcome"]) == (61, 0.1234, "interested"), row
    assert stored["batch_call_id"] == batch["id"] and stored["agent_id"] == agent["id"], stored


def test_a_report_may_come_before_the_answer_to_the_webhook(t):
    receiver, agent = t.dialing_agent()

    def report_first(call):
        receiver.report(call.id, "completed", duration_seconds=5)
        return Answer(200, report={"status": "failed"})

    batch, call = one_call(t, receiver, agent, report_first)
    done = t.api.wait_for(batch, "completed")
    assert (done["completed"], done["failed"]) == (1, 0), done
    assert t.api.get(f"/calls/{call}")["duration_seconds"] == 5


def test_fields_of_a_report(t):
    receiver, agent = t.dialing_agent()
    batch, call = one_call(t, receiver, agent, lambda call: TAKEN)
    limits = {
        "status": choice("ringing", "in_progress"),
        "duration_seconds": {"right": [], "wrong": [-1, "5", 1.5, 10 ** 20, True]},
        "cost": {"right": [], "wrong": [-1, "1.5", 10 ** 20, False]},
        "outcome": nullable({"right": [], "wrong": ["x" * 65, 5]}),
        "end_reason": {"right": [], "wrong": ["x" * 256, 5]},
        "recording_url": {"right": [], "wrong": ["x" * 2049, 5]},
        "transcript_url": {"right": [], "wrong": ["x" * 2049, 5]},
        "summary": {"right": [], "wrong": [5, []]},
        "occurred_at": {"right": [], "wrong": ["yesterday", 5]},
    }
    try_all(t.api, "POST", f"/calls/{call}/status", {"status": "ringing"}, limits)
    for wrong in ("queued", "dispatched", "cancelled", "pending"):
        t.api.refuse("validation_error", "POST", f"/calls/{call}/status", {"status": wrong}, field="status")
    t.api.refuse("validation_error", "POST", f"/calls/{call}/status", {}, field="status")
    t.api.refuse("validation_error", "POST", f"/calls/{call}/status", {"status": "busy", "x": 1}, field="x")
    assert t.api.get(f"/calls/{call}")["status"] == "in_progress"
    assert t.api.read(batch)["in_progress"] == 1


def test_many_reports_at_once(t):
    receiver, agent = t.dialing_agent()
    receiver.script = lambda call: TAKEN
    batch = t.api.batch(agent, 50, max_concurrent_calls=50)
    t.api.schedule(batch)
    calls = [call.id for call in receiver.wait_for_calls(50)]
    bulk = lambda reports: t.api.post("/calls/status", {"reports": reports})
    nobody = "01900000-0000-7000-8000-000000000000"

    reply = bulk([{"call_id": call, "status": "ringing"} for call in calls])
    assert (reply["accepted"], reply["ignored"], reply["not_found"]) == (50, 0, 0), reply
    assert [result["call_id"] for result in reply["results"]] == calls, reply
    reply = bulk([{"call_id": calls[0], "status": "completed"}, {"call_id": "call_" + calls[0], "status": "failed"},
                  {"call_id": nobody, "status": "failed"}, {"call_id": calls[1], "status": "ringing"}])
    assert [result["result"] for result in reply["results"]] == ["accepted", "ignored", "not_found", "ignored"]
    assert (reply["accepted"], reply["ignored"], reply["not_found"]) == (1, 2, 1), reply
    assert t.api.get(f"/calls/{calls[0]}")["status"] == "completed"

    for wrong, field in (([{"call_id": calls[1]}], "reports[0].status"),
                         ([{"status": "busy"}], "reports[0].call_id"), ("x", "reports"),
                         ([{"call_id": calls[1], "status": "busy"}, {"call_id": "x", "status": "busy"}],
                          "reports[1].call_id"),
                         ([{"call_id": calls[1], "status": "busy"}] * 1001, "reports")):
        t.api.refuse("validation_error", "POST", "/calls/status", {"reports": wrong}, field=field)
    assert t.api.get(f"/calls/{calls[1]}")["status"] == "ringing", "nothing was written"

    order = [{"call_id": call, "status": status} for call in calls[1:]
             for status in ("in_progress", "completed", "failed", "ringing")]
    t.random.shuffle(order)
    first = {}
    for report in order:
        if report["status"] in ENDED:
            first.setdefault(report["call_id"], report["status"])
    reply = bulk(order + [{"call_id": nobody, "status": "busy"}] * (1000 - len(order)))
    assert reply["not_found"] == 1000 - len(order), reply
    done = t.api.wait_for(batch, "completed")
    expected = collections.Counter(first.values())
    assert (done["completed"], done["failed"]) == (expected["completed"] + 1, expected["failed"]), done
    for call in t.api.calls_of(batch):
        assert call["id"] == calls[0] or call["status"] == first[call["id"]], call


def test_retries_reported_at_once_have_instants_of_their_own(t):
    receiver, agent = t.dialing_agent()
    receiver.script = lambda call: TAKEN
    batch = t.api.batch(agent, 40, max_concurrent_calls=40, retry_failed=True, max_retry_attempts=1)
    t.api.schedule(batch)
    calls = receiver.wait_for_calls(40)
    t.api.post("/calls/status", {"reports": [{"call_id": call.id, "status": "busy"} for call in calls]})
    planned = [row["scheduled_at"] for row in t.api.contacts_of(batch, status="scheduled")]
    assert len(planned) == len(set(planned)) == 40, sorted(planned)


def test_reports_of_calls_that_nobody_made(t):
    nobody = "01900000-0000-7000-8000-000000000000"
    t.api.refuse("not_found", "POST", f"/calls/{nobody}/status", {"status": "busy"})


def test_a_place_is_filled_as_soon_as_it_is_free(t):
    receiver, agent = t.dialing_agent()
    receiver.script = lambda call: TAKEN
    batch = t.api.batch(agent, 20, max_concurrent_calls=1)
    t.api.schedule(batch)
    start = time.monotonic()
    for number in range(1, 21):
        receiver.report(receiver.wait_for_calls(number)[-1].id, "completed")
    t.api.wait_for(batch, "completed")
    assert time.monotonic() - start < 10, "twenty calls, one after the other"


# Deadlines and dialers that fail

def test_a_call_that_nobody_reports_on_fails(t):
    receiver, agent = t.dialing_agent(max_call_duration_seconds=10)
    batch, call = one_call(t, receiver, agent, lambda call: TAKEN)
    start = time.monotonic()
    done = t.api.wait_for(batch, "completed", 25)
    assert 9 < time.monotonic() - start < 20
    assert done["failed"] == 1, done
    ended = t.api.get(f"/calls/{call}")
    assert (ended["status"], ended["end_reason"]) == ("failed", "no_report"), ended
    assert t.api.contacts_of(batch)[0]["error_reason"] == "no_report"
    late = receiver.report(call, "completed")
    assert late["status"] == "failed", "a late report changes nothing"


def test_a_dialer_that_cannot_be_reached(t):
    receiver, agent = t.dialing_agent()
    batch = t.api.batch(agent, 3)
    receiver.refuse()
    t.api.schedule(batch)
    done = t.api.wait_for(batch, "completed", 25)
    assert done["failed"] == done["called"] == 3, done
    for call in t.api.calls_of(batch):
        assert (call["status"], call["end_reason"]) == ("failed", "dialer_unreachable"), call
        assert seconds_between(call["created_at"], call["ended_at"]) >= 5.5, call


def test_a_dialer_that_stumbles_is_asked_again_with_the_same_id(t):
    receiver, agent = t.dialing_agent()
    answers = {"+49301": [Answer(500), Answer(502), ends()], "+49302": [Answer(reset=True), ends()],
               "+49303": [Answer(503, headers={"Retry-After": "2"}), ends()], "+49304": [Answer(404), ends()]}
    seen = collections.Counter()

    def script(call):
        seen[call.data["to"]] += 1
        return answers[call.data["to"]][seen[call.data["to"]] - 1]

    receiver.script = script
    batch = t.api.batch(agent, [{"phone_number": phone} for phone in answers])
    t.api.schedule(batch)
    done = t.api.wait_for(batch, "completed")
    assert done["completed"] == done["called"] == 4, done
    for phone, replies in answers.items():
        tries = [call for call in receiver.calls() if call.data["to"] == phone]
        assert len(tries) == len(replies) and len({call.id for call in tries}) == 1, tries
        assert {call.data["attempt"] for call in tries} == {1}
    patient = [call.at for call in receiver.calls() if call.data["to"] == "+49303"]
    assert patient[1] - patient[0] >= 1.9, "Retry-After is honoured"


def test_nonsense_in_the_answer_is_no_report(t):
    receiver, agent = t.dialing_agent()
    for report in ({"status": "nonsense"}, {"status": 5}, ["completed"], {"text": "ok"}, "fine"):
        batch, call = one_call(t, receiver, agent, lambda call: Answer(200, report=report))
        until(lambda: t.api.get(f"/calls/{call}")["status"] == "dispatched", what="the call is dispatched")
        receiver.report(call, "completed")
        t.api.wait_for(batch, "completed")


# Time

def test_nothing_is_called_before_the_start(t):
    receiver, agent = t.dialing_agent()
    start = datetime.datetime.now(UTC) + datetime.timedelta(seconds=2)
    batch = t.api.batch(agent, 5, schedule_type="scheduled", scheduled_at=start.isoformat())
    assert batch["status"] == "scheduled"
    done = t.api.wait_for(batch, "completed")
    for row in t.api.contacts_of(batch):
        assert parse(row["called_at"]) >= start, row
    assert parse(done["started_at"]) >= start, done


def test_the_daily_cap_holds_and_counts_retries(t):
    receiver, agent = t.dialing_agent()
    receiver.script = lambda call: ends("busy" if call.data["to"] == contacts(1)[0]["phone_number"] else "completed")
    zone = zone_at_noon()
    batch = t.api.batch(agent, 6, timezone=zone, max_calls_per_day=4, max_concurrent_calls=1,
                        retry_failed=True, max_retry_attempts=1, retry_delay_minutes=1)
    t.api.schedule(batch)
    planned = [row["scheduled_at"] for row in t.api.contacts_of(batch)]
    assert seconds_between(planned[3], planned[4]) > 3600, planned
    until(lambda: t.api.read(batch)["called"] == 4 and not t.api.read(batch)["in_progress"], what="four were called")
    make_due(t, batch)  # the retry and tomorrow's contacts: all due, all over the cap
    time.sleep(1.5)
    assert len(receiver.calls()) == 4
    moved = [row["scheduled_at"] for row in t.api.contacts_of(batch, status="scheduled")]
    assert len(set(moved)) == 3, t.api.contacts_of(batch)
    local_day = lambda instant: instant.astimezone(zoneinfo.ZoneInfo(zone)).date()
    assert all(local_day(parse(at)) > local_day(datetime.datetime.now(UTC)) for at in moved), moved


def test_outside_of_the_window_nothing_is_called(t):
    receiver, agent = t.dialing_agent()
    batch = t.api.batch(agent, 3, timezone=zone_at_noon(), start_time="15:00", end_time="16:00")
    t.api.schedule(batch)
    make_due(t, batch)
    time.sleep(1.5)
    assert not receiver.calls()
    opened = t.api.patch(f"/batch-calls/{batch['id']}", {"start_time": "10:00", "end_time": "16:00"})
    assert opened["status"] == "scheduled"
    t.api.wait_for(batch, "completed")


def test_the_pace_is_kept(t):
    receiver, agent = t.dialing_agent()
    batch = t.api.batch(agent, 12, calls_per_minute=600)
    t.api.schedule(batch)
    t.api.wait_for(batch, "completed")
    called = [row["called_at"] for row in t.api.contacts_of(batch)]
    gaps = [seconds_between(a, b) for a, b in zip(called, called[1:])]
    assert min(gaps) >= 0.099, gaps
    assert seconds_between(called[0], called[-1]) < 4, called


# Pause, resume, cancel, changes under way

def test_nothing_is_dispatched_after_a_pause_was_answered(t):
    receiver, agent = t.dialing_agent()
    receiver.script = lambda call: ends_later(0.02)
    batch = t.api.batch(agent, 400, max_concurrent_calls=5)
    path = f"/batch-calls/{batch['id']}"
    t.api.schedule(batch)
    for turn in range(1, 4):
        receiver.wait_for_calls(turn * 50)
        paused = t.api.post(f"{path}/pause")
        answered = time.monotonic()
        assert paused["status"] == "paused", paused
        still = until(lambda: t.api.read(batch)["in_progress"] == 0 and len(receiver.calls()), what="calls have ended")
        time.sleep(0.7)
        assert len(receiver.calls()) == still
        late = [call for call in receiver.calls() if call.at > answered]
        assert len(late) <= 5, "only what was under way"
        now = t.api.read(batch)
        assert (now["completed"], now["called"]) == (still, still) and now["status"] == "paused", now
        t.api.post(f"{path}/resume")
    done = t.api.wait_for(batch, "completed")
    assert done["completed"] == len(receiver.calls()) == 400, done


def test_a_dispatch_that_the_dialer_did_not_take_ends_with_the_pause(t):
    receiver, agent = t.dialing_agent()
    batch, call = one_call(t, receiver, agent, lambda call: Answer(500))
    t.api.post(f"/batch-calls/{batch['id']}/pause")
    tries = len(receiver.calls())
    time.sleep(3)
    assert len(receiver.calls()) <= tries + 1, "no further try after the one under way"
    receiver.script = lambda call: ends()
    until(lambda: t.api.read(batch)["in_progress"] == 0, what="the call has ended")
    t.api.post(f"/batch-calls/{batch['id']}/resume")
    done = t.api.wait_for(batch, "completed")
    assert done["completed"] + done["failed"] == 1, done


def test_resume_plans_overdue_contacts_anew(t):
    receiver, agent = t.dialing_agent()
    receiver.script = lambda call: TAKEN
    batch = t.api.batch(agent, 6, max_concurrent_calls=1)
    t.api.schedule(batch)
    call = receiver.wait_for_calls(1)[0]
    t.api.post(f"/batch-calls/{batch['id']}/pause")
    before = t.api.contacts_of(batch)
    time.sleep(0.3)
    resumed = t.api.post(f"/batch-calls/{batch['id']}/resume")
    assert resumed["status"] == "active", resumed
    after = t.api.contacts_of(batch)
    assert after[0] == before[0], "the one that was called is not touched"
    plan = [row["scheduled_at"] for row in after[1:]]
    assert plan == sorted(set(plan)), plan
    assert seconds_between(before[1]["scheduled_at"], plan[0]) >= 0.3, (before, after)
    receiver.script = lambda call: ends()
    receiver.report(call.id, "completed")
    t.api.wait_for(batch, "completed")


def test_cancel_lets_calls_end_and_starts_no_more(t):
    receiver, agent = t.dialing_agent()
    receiver.script = lambda call: TAKEN
    receiver.endpoint("/events", events=["batch.status.changed"])
    batch = t.api.batch(agent, 50, max_concurrent_calls=4)
    t.api.schedule(batch)
    calls = receiver.wait_for_calls(4)
    over = t.api.post(f"/batch-calls/{batch['id']}/cancel")
    assert (over["status"], over["in_progress"], over["cancelled"]) == ("cancelled", 4, 46), over
    for call, status in zip(calls, ("completed", "busy", "failed", "voicemail")):
        receiver.report(call.id, status)
    now = t.api.read(batch)
    assert (now["completed"], now["busy"], now["failed"], now["voicemail"]) == (1, 1, 1, 1), now
    assert (now["cancelled"], now["in_progress"], now["status"]) == (46, 0, "cancelled"), now
    time.sleep(0.7)
    assert len(receiver.calls()) == 4 and t.api.read(batch) == now
    told = until(lambda: [event.data for event in receiver.of_type("batch.status.changed")
                          if event.data["to"] == "cancelled"], what="the event has come")[0]
    assert (told["cancelled"], told["pending"], told["in_progress"]) == (46, 0, 4), told


def test_a_call_in_flight_at_the_cancel_is_not_retried(t):
    receiver, agent = t.dialing_agent()
    batch, call = one_call(t, receiver, agent, lambda call: TAKEN, retry_failed=True, max_retry_attempts=3)
    t.api.post(f"/batch-calls/{batch['id']}/cancel")
    receiver.report(call, "busy")
    now = t.api.read(batch)
    assert (now["busy"] + now["cancelled"], now["pending"], now["in_progress"]) == (1, 0, 0), now


def test_more_places_take_effect_at_once(t):
    receiver, agent = t.dialing_agent()
    receiver.script = lambda call: TAKEN
    batch = t.api.batch(agent, 20, max_concurrent_calls=2)
    t.api.schedule(batch)
    receiver.wait_for_calls(2)
    t.api.patch(f"/batch-calls/{batch['id']}", {"max_concurrent_calls": 6})
    receiver.wait_for_calls(6, 5)
    t.api.patch(f"/batch-calls/{batch['id']}", {"max_concurrent_calls": 1})
    for call in receiver.calls()[:5]:
        receiver.report(call.id, "completed")
    time.sleep(0.7)
    assert len(receiver.calls()) == 6, "one is in flight, and one place is left"
    t.api.post(f"/batch-calls/{batch['id']}/cancel")


def test_contacts_added_to_an_active_campaign_are_called(t):
    receiver, agent = t.dialing_agent()
    receiver.script = lambda call: TAKEN
    batch = t.api.batch(agent, 1)
    t.api.schedule(batch)
    call = receiver.wait_for_calls(1)[0]
    added = t.api.post(f"/batch-calls/{batch['id']}/contacts", {"contacts": contacts(30)})
    assert (added["added"], added["skipped"]) == (29, 1), added
    receiver.script = lambda call: ends()
    receiver.report(call.id, "completed")
    done = t.api.wait_for(batch, "completed")
    assert (done["completed"], done["skipped"]) == (30, 1) and len(receiver.calls()) == 30, done


# Events

def test_events_tell_of_every_change(t):
    receiver, agent = t.dialing_agent()
    receiver.script = lambda call: TAKEN
    receiver.endpoint("/changes", events=["batch.status.changed"])
    receiver.endpoint("/ends", events=["batch.completed"])
    receiver.endpoint("/nothing", events=[])
    batch = t.api.batch(agent, 2, max_concurrent_calls=1)
    path = f"/batch-calls/{batch['id']}"
    t.api.schedule(batch)
    call = receiver.wait_for_calls(1)[0]
    t.api.post(f"{path}/pause")
    t.api.post(f"{path}/resume")
    receiver.script = lambda call: ends("busy")
    receiver.report(call.id, "completed")
    t.api.wait_for(batch, "completed")
    until(lambda: receiver.of_type("batch.completed"), what="batch.completed has come")
    until(lambda: len(receiver.of_type("batch.status.changed")) >= 5, what="five changes have come")
    changes = receiver.of_type("batch.status.changed")
    assert collections.Counter((event.data["from"], event.data["to"]) for event in changes) == {
        ("draft", "scheduled"): 1, ("scheduled", "active"): 1, ("active", "paused"): 1,
        ("paused", "active"): 1, ("active", "completed"): 1}, changes
    assert {event.path for event in changes} == {"/changes"} and len({event.id for event in changes}) == 5
    for event in changes:
        assert sum(event.data[name] for name in COUNTERS) == event.data["total_contacts"] == 2, event.data
    last = receiver.of_type("batch.completed")
    assert len(last) == 1 and last[0].path == "/ends" and last[0].data["completed"] == last[0].data["busy"] == 1


def test_a_slow_or_dead_subscriber_delays_nobody(t):
    """Though it could take every slot of the scheduler."""
    receiver, agent = t.dialing_agent()
    slow = t.receiver()
    slow.answer_events = Answer(delay=60)
    slow.endpoint("/slow", events=["batch.status.changed", "batch.completed"])
    t.api.post("/webhooks", {"url": "http://127.0.0.1:1/", "events": ["batch.status.changed", "batch.completed"]})
    receiver.endpoint("/quick", events=["batch.completed"])
    batches = [t.api.batch(agent, 1) for _ in range(SLOTS // 2)]
    for batch in batches:
        t.api.schedule(batch)
    start = time.monotonic()
    for batch in batches:
        t.api.wait_for(batch, "completed", 8)
    until(lambda: len(receiver.of_type("batch.completed")) == len(batches), 8, "the quick subscriber knows")
    last = t.api.batch(agent, 100)
    t.api.schedule(last)
    t.api.wait_for(last, "completed", 8)
    assert time.monotonic() - start < 10


def test_a_slow_dialer_delays_no_other(t):
    """Though its calls could take every slot of the scheduler."""
    receiver, agent = t.dialing_agent()
    slow = t.receiver()
    slow.script = lambda call: Answer(202, delay=60)
    stuck = t.api.batch(t.api.agent(slow.endpoint()), SLOTS + 10, max_concurrent_calls=100)
    t.api.schedule(stuck)
    slow.wait_for_calls(10)
    time.sleep(0.3)
    batch = t.api.batch(agent, 50)
    t.api.schedule(batch)
    t.api.wait_for(batch, "completed", 5)
    t.api.post(f"/batch-calls/{stuck['id']}/cancel")


def test_an_event_that_was_not_taken_comes_again_with_the_same_id(t):
    receiver, agent = t.dialing_agent()
    subscriber = t.receiver()
    subscriber.answer_events = Answer(500)
    subscriber.endpoint("/events", events=["batch.completed"])
    batch = t.api.batch(agent, 1)
    t.api.schedule(batch)
    t.api.wait_for(batch, "completed")
    until(lambda: subscriber.deliveries, what="the event has come")
    subscriber.answer_events = Answer(200)
    until(lambda: len(subscriber.deliveries) == 2, 30, "it has come again")
    assert len({event.id for event in subscriber.deliveries}) == 1
    assert len({event.body for event in subscriber.deliveries}) == 1


# Lists of calls

def test_calls_are_found(t):
    receiver, agent = t.dialing_agent()
    receiver.script = lambda call: ends("busy" if call.data["to"].endswith("1") else "completed")
    batch = t.api.batch(agent, 20)
    t.api.schedule(batch)
    t.api.wait_for(batch, "completed")
    middle = datetime.datetime.now(UTC).isoformat()
    time.sleep(0.01)
    other, call = one_call(t, receiver, agent, lambda call: ends())
    t.api.wait_for(other, "completed")
    count = lambda **query: len(t.api.all("/calls", **query))
    assert count() == 21 and count(batch_call_id=batch["id"]) == 20
    assert t.api.get("/calls", limit=1)[0]["id"] == call, "newest first"
    assert count(status="busy") == 2 and count(status="busy", batch_call_id=other["id"]) == 0
    assert count(agent_id=agent["id"]) == 21 and count(agent_id=batch["id"]) == 0
    assert count(created_before=middle) == 20 and count(created_after=middle) == 1
    one = t.api.get(f"/calls/{call}")
    assert (one["batch_call_id"], one["attempt"], one["status"]) == (other["id"], 1, "completed"), one


if __name__ == "__main__":
    tap.run(globals())
