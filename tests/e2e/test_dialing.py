#!/usr/bin/env python3
"""Campaigns that are called: caps, counters, numbers, windows, pace, pauses and changes under way.
The dialer is receiver.py, which holds every webhook against its signature."""

import collections
import datetime
import time
import zoneinfo

import tap
from client import UTC, contacts, parse, seconds_between, until
from receiver import TAKEN, Answer, ends, ends_later

STACK = {"rate_limit": False, "config": {"dispatch_ttl_seconds": 6}}

OUTCOMES = ("completed", "failed", "voicemail", "no_answer", "busy")


def zone_at_noon():
    """A zone in which it is about noon, so that no test meets midnight."""
    ahead = 12 - datetime.datetime.now(UTC).hour
    return f"Etc/GMT{-ahead:+d}" if ahead else "UTC"


# The main job

def test_a_scheduler_at_rest_asks_little(t):
    """This is the first test, so no other test left anything. A scheduler asked 50 times a second before it could be
    woken."""
    receiver, agent = t.dialing_agent()
    batch = t.api.batch(agent, contacts(1))
    executed = lambda: int(t.stack.sql("SHOW GLOBAL STATUS LIKE 'Com_stmt_execute'")[0][1])

    def is_quiet():
        before = executed()
        time.sleep(2)
        return executed() - before <= 60

    until(is_quiet, 20, "the scheduler is at rest")
    t.api.schedule(batch)
    t.api.wait_for(batch, "completed")


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
    changes = [(event.data["from"], event.data["to"])
               for event in receiver.of_type("batch.status.changed", batch)]
    assert sorted(changes) == [("active", "completed"), ("draft", "scheduled"), ("scheduled", "active")], changes


def watch(t, batch, cap):
    """Waits until the campaign is completed, and checks the cap and the counters at every look."""
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
    """Checks that the contacts and the calls agree."""
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
    first = contacts(1)[0]["phone_number"]
    receiver.script = lambda call: ends("busy" if call.data["to"] == first else "completed")
    zone = zone_at_noon()
    batch = t.api.batch(agent, 6, timezone=zone, max_calls_per_day=4, max_concurrent_calls=1,
                        retry_failed=True, max_retry_attempts=1, retry_delay_minutes=1)
    t.api.schedule(batch)
    planned = [row["scheduled_at"] for row in t.api.contacts_of(batch)]
    assert seconds_between(planned[3], planned[4]) > 3600, planned
    until(lambda: t.api.read(batch)["called"] == 4 and not t.api.read(batch)["in_progress"],
          what="four were called")
    t.make_due(batch)  # the retry and the contacts of tomorrow are due, and the cap holds them back
    local_day = lambda instant: instant.astimezone(zoneinfo.ZoneInfo(zone)).date()
    moved = lambda: [row["scheduled_at"] for row in t.api.contacts_of(batch, status="scheduled")]
    until(lambda: all(local_day(parse(at)) > local_day(datetime.datetime.now(UTC)) for at in moved()),
          what="all are moved to later days")
    assert len(set(moved())) == 3, t.api.contacts_of(batch)
    t.wait_for_looks()
    assert len(receiver.calls()) == 4


def test_outside_of_the_window_nothing_is_called(t):
    receiver, agent = t.dialing_agent()
    batch = t.api.batch(agent, 3, timezone=zone_at_noon(), start_time="15:00", end_time="16:00")
    t.api.schedule(batch)
    t.make_due(batch)
    until(lambda: all(parse(row["scheduled_at"]) > datetime.datetime.now(UTC) for row in t.api.contacts_of(batch)),
          what="the contacts are moved to the window")
    t.wait_for_looks()
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
        still = until(lambda: t.api.read(batch)["in_progress"] == 0 and len(receiver.calls()),
                      what="calls have ended")
        t.wait_for_looks()
        assert len(receiver.calls()) == still
        late = [call for call in receiver.calls() if call.at > answered]
        assert len(late) <= 5, "only what was under way"
        now = t.api.read(batch)
        assert (now["completed"], now["called"]) == (still, still) and now["status"] == "paused", now
        t.api.post(f"{path}/resume")
    done = t.api.wait_for(batch, "completed")
    assert done["completed"] == len(receiver.calls()) == 400, done


def test_an_unaccepted_call_ends_with_the_pause(t):
    receiver, agent = t.dialing_agent()
    batch, call = t.one_call(receiver, agent, lambda call: Answer(500))
    t.api.post(f"/batch-calls/{batch['id']}/pause")
    tries = len(receiver.calls())
    until(lambda: t.api.read(batch)["in_progress"] == 0, what="the call waits in the plan")
    t.make_due(batch)
    t.wait_for_looks()
    assert len(receiver.calls()) <= tries + 1, "no further try after the one under way"
    receiver.script = lambda call: ends()
    t.api.post(f"/batch-calls/{batch['id']}/resume")
    done = t.api.wait_for(batch, "completed")
    assert done["completed"] + done["failed"] == 1, done


def test_no_further_try_on_a_day_that_is_excluded_meanwhile(t):
    receiver, agent = t.dialing_agent()
    batch, call = t.one_call(receiver, agent, lambda call: Answer(500))
    days = [time.strftime("%Y-%m-%d", time.gmtime(time.time() + days * 86400)) for days in (-1, 0, 1)]
    t.api.patch(f"/batch-calls/{batch['id']}", {"excluded_dates": days})
    tries = len(receiver.calls())
    until(lambda: t.api.read(batch)["in_progress"] == 0, 20, what="the call waits in the plan")
    assert len(receiver.calls()) <= tries + 1, "no further try after the one under way"
    call = t.api.calls_of(batch)[0]
    assert call["status"] == "queued" and not call["expires_at"] and call["attempt"] == 1, call
    t.api.post(f"/batch-calls/{batch['id']}/cancel")


def test_resume_plans_overdue_contacts_again(t):
    receiver, agent = t.dialing_agent()
    receiver.script = lambda call: TAKEN
    batch = t.api.batch(agent, 6, max_concurrent_calls=1)
    t.api.schedule(batch)
    call = receiver.wait_for_calls(1)[0]
    until(lambda: t.api.calls_of(batch)[0]["status"] == "dispatched", what="the dialer's answer is written")
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
    t.make_due(batch)
    t.wait_for_looks()
    assert len(receiver.calls()) == 4 and t.api.read(batch) == now
    shown = until(lambda: [event.data for event in receiver.of_type("batch.status.changed")
                          if event.data["to"] == "cancelled"], what="the event has come")[0]
    assert (shown["cancelled"], shown["pending"], shown["in_progress"]) == (46, 0, 4), shown


def test_a_call_in_flight_at_the_cancel_is_not_retried(t):
    receiver, agent = t.dialing_agent()
    batch, call = t.one_call(receiver, agent, lambda call: TAKEN, retry_failed=True, max_retry_attempts=3)
    t.api.post(f"/batch-calls/{batch['id']}/cancel")
    receiver.report(call, "busy")
    now = t.api.read(batch)
    assert (now["busy"], now["cancelled"], now["pending"], now["in_progress"]) == (1, 0, 0, 0), now


def test_contacts_that_were_called_keep_their_outcome_at_the_cancel(t):
    """Three contacts wait for a retry, and one contact was never called."""
    receiver, agent = t.dialing_agent()
    outcomes = iter(("busy", "no_answer", "failed"))
    receiver.script = lambda call: ends(next(outcomes))
    receiver.endpoint("/events", events=["batch.status.changed"])
    batch = t.api.batch(agent, 4, retry_failed=True, max_retry_attempts=3, max_calls_per_day=3)
    t.api.schedule(batch)
    until(lambda: t.api.read(batch)["called"] == 3 and t.api.read(batch)["in_progress"] == 0, what="three were called")
    assert t.api.read(batch)["pending"] == 4
    wanted = {"busy": 1, "no_answer": 1, "failed": 1, "cancelled": 1, "pending": 0}
    over = t.api.post(f"/batch-calls/{batch['id']}/cancel")
    shown = until(lambda: [event.data for event in receiver.of_type("batch.status.changed")
                          if event.data["to"] == "cancelled"], what="the event has come")[0]
    for counts in (over, shown, t.api.read(batch)):
        assert {name: counts[name] for name in wanted} == wanted, counts
    rows = t.api.contacts_of(batch)
    assert sorted(row["status"] for row in rows) == ["busy", "cancelled", "failed", "no_answer"], rows
    for status in ("busy", "no_answer", "failed", "cancelled"):
        assert len(t.api.get(f"/batch-calls/{batch['id']}/contacts?status={status}")) == 1, status
    again = t.api.batch(agent, [], contact_source="campaign", source_campaign_id=batch["id"],
                        source_statuses=["busy", "no_answer"])
    assert again["total_contacts"] == 2, again


def test_a_large_campaign_settles_its_contacts_after_the_cancel(t):
    """The request settles 10,000 contacts. SQL makes the contacts after them called: they get the call of the first
    contact."""
    receiver, agent = t.dialing_agent()
    receiver.script = lambda call: ends("no_answer")
    batch = t.api.batch(agent, 10000, retry_failed=True, max_retry_attempts=3, max_calls_per_day=1)
    more = [{"phone_number": f"+1917{i:07}"} for i in range(2010)]
    t.api.post(f"/batch-calls/{batch['id']}/contacts", {"contacts": more})
    t.api.schedule(batch)
    until(lambda: t.api.read(batch)["called"] == 1 and t.api.read(batch)["in_progress"] == 0, what="one was called")
    campaign = f"(SELECT id FROM batch_calls WHERE uuid = 0x{batch['id'].replace('-', '')})"
    t.stack.sql(f"UPDATE batch_contacts c JOIN calls l ON l.batch_id = c.batch_id AND l.position = 1"
                f" SET c.attempts = 1,"
                f" c.call_id = l.id WHERE c.batch_id = {campaign} AND c.position > 12000;"
                f"UPDATE batch_calls SET called = called + 10 WHERE uuid = 0x{batch['id'].replace('-', '')}")
    over = t.api.post(f"/batch-calls/{batch['id']}/cancel")
    assert (over["no_answer"], over["cancelled"]) == (1, 12009), over
    until(lambda: t.api.read(batch)["no_answer"] == 11, what="the others have their outcome")
    assert t.api.read(batch)["cancelled"] == 11999
    rows = t.api.get(f"/batch-calls/{batch['id']}/contacts?status=no_answer")
    assert [row["position"] for row in rows] == [1] + list(range(12001, 12011)), rows
    until(lambda: t.stack.sql(f"SELECT work FROM batch_calls WHERE id = {campaign}") == [["0"]], what="the work ends")


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
    t.wait_for_looks()
    assert len(receiver.calls()) == 6, "one is in flight, and there is one place"
    t.api.post(f"/batch-calls/{batch['id']}/cancel")


def test_contacts_added_to_an_active_campaign_are_called(t):
    receiver, agent = t.dialing_agent()
    receiver.script = lambda call: TAKEN
    batch = t.api.batch(agent, 1)
    t.api.schedule(batch)
    call = receiver.wait_for_calls(1)[0]
    receiver.script = lambda call: ends()
    added = t.api.post(f"/batch-calls/{batch['id']}/contacts", {"contacts": contacts(30)})
    assert (added["added"], added["skipped"]) == (29, 1), added
    receiver.report(call.id, "completed")
    done = t.api.wait_for(batch, "completed")
    assert (done["completed"], done["skipped"]) == (30, 1) and len(receiver.calls()) == 30, done


if __name__ == "__main__":
    tap.run(globals())
