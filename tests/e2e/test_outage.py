#!/usr/bin/env python3
"""A dialer's outage: an attempt that no dialer answered waits as the same attempt, and is requested again."""

import collections
import time

import tap
from client import until
from receiver import TAKEN, Answer, ends

TTL_SECONDS, GIVE_UP_SECONDS = 2, 40
STACK = {"rate_limit": False,
         "config": {"dispatch_ttl_seconds": TTL_SECONDS, "call_give_up_after": f"{GIVE_UP_SECONDS}s"}}
CUT = Answer(reset=True)


def ids_by_attempt(calls):
    """Returns the call ids with which a dialer was asked, by number and attempt."""
    ids = collections.defaultdict(set)
    for call in calls:
        ids[call.data["to"], call.data["attempt"]].add(call.id)
    return ids


def call_of(t, batch):
    return t.api.calls_of(batch)[0]


def waits(t, batch, count=1):
    """Waits until this many attempts wait in the plan."""
    return until(lambda: [call for call in t.api.calls_of(batch) if call["status"] == "queued"
                          and not call["expires_at"]]
                 if waiting(t, batch) == count else None, what=f"{count} attempts wait")


def waiting(t, batch):
    return int(t.stack.sql(f"SELECT COUNT(*) FROM due_contacts WHERE batch_id = {t.row_of(batch)} AND waits = 1")[0][0])


def start(t, count=1, script=CUT, **fields):
    receiver, agent = t.dialing_agent()
    receiver.script = script if callable(script) else lambda call: script
    batch = t.api.batch(agent, count, **fields)
    t.api.schedule(batch)
    return receiver, agent, batch


# No call fails

def test_a_dialer_outage_fails_no_call(t):
    receiver, agent, batch = start(t, 1000, max_concurrent_calls=40)
    until(lambda: waiting(t, batch) > 40, 30, "more calls wait than there are places")
    now = t.api.read(batch)
    assert now["failed"] == now["completed"] == 0, now
    assert now["in_progress"] < now["called"], "those that wait take no place"
    receiver.script = lambda call: ends()
    done = t.api.wait_for(batch, "completed", 90)
    assert (done["completed"], done["failed"], done["called"]) == (1000, 0, 1000), done
    ids = ids_by_attempt(receiver.calls())
    assert len(ids) == 1000 and all(len(found) == 1 for found in ids.values())
    assert all(row["attempts"] == 1 for row in t.api.contacts_of(batch, limit=100))


def test_refused_connections_fail_no_call(t):
    receiver, agent = t.dialing_agent()
    batch = t.api.batch(agent, 3)
    receiver.refuse()
    t.api.schedule(batch)
    waits(t, batch, 3)
    receiver.listen()
    done = t.api.wait_for(batch, "completed", 60)
    assert done["completed"] == 3 and len(ids_by_attempt(receiver.calls())) == 3, done


def test_the_same_attempt_is_asked_for_again(t):
    receiver, agent, batch = start(t)
    call = waits(t, batch)[0]
    row = t.api.contacts_of(batch)[0]
    assert (row["status"], row["call_status"], row["attempts"],
            row["call_id"]) == ("scheduled", "queued", 1, call["id"]), row
    assert row["scheduled_at"] > call["scheduled_at"], (row, call)
    now = t.api.read(batch)
    assert (now["called"], now["pending"], now["in_progress"]) == (1, 1, 0), now
    tries = call["dispatch_tries"]
    receiver.script = lambda call: ends(duration_seconds=5)
    done = t.api.wait_for(batch, "completed", 60)
    assert (done["completed"], done["called"]) == (1, 1), done
    ended = call_of(t, batch)
    assert (ended["id"], ended["attempt"], ended["status"]) == (call["id"], 1, "completed"), ended
    assert ended["dispatch_tries"] > tries and ended["expires_at"] > call["created_at"], ended
    assert {request.id for request in receiver.calls()} == {call["id"]}


def test_an_attempt_stays_with_its_dialer(t):
    receiver, agent, batch = start(t, 1, Answer(503))
    asked = receiver.wait_for_calls(1)[0].id
    other = t.receiver()
    t.api.patch(f"/agents/{agent['id']}", {"webhook_id": other.endpoint()})
    until(lambda: t.api.active(agent["id"]), what="the agent has its other dialer")
    before = len(receiver.calls())
    until(lambda: len(receiver.calls()) > before, 30, "the first dialer is asked again")
    receiver.script = lambda call: ends("no_answer")
    until(lambda: call_of(t, batch)["status"] == "no_answer", 30, "the first dialer took it")
    assert {call.id for call in receiver.calls()} == {asked} and not other.calls()
    later = t.api.batch(agent, 1)
    t.api.schedule(later)
    assert other.wait_for_calls(1)[0].id != asked, "the next call goes to the other dialer"


# It ends

def test_an_attempt_unanswered_for_too_long_fails(t):
    receiver, agent, batch = start(t, 3)
    began = time.monotonic()
    done = t.api.wait_for(batch, "completed", 3 * GIVE_UP_SECONDS)
    assert time.monotonic() - began > GIVE_UP_SECONDS - 2 and done["failed"] == 3, done
    for call in t.api.calls_of(batch):
        assert (call["status"], call["end_reason"], call["attempt"]) == ("failed", "dialer_unreachable", 1), call
    assert len(ids_by_attempt(receiver.calls())) == 3, "each was asked for"


def test_a_dialer_that_refuses_a_call_fails_it_at_once(t):
    for status in (400, 404, 422):
        receiver, agent, batch = start(t, 1, Answer(status))
        done = t.api.wait_for(batch, "completed", TTL_SECONDS + 5)
        call = call_of(t, batch)
        assert done["failed"] == 1 and call["end_reason"] == "dialer_refused" and call["dispatch_tries"] == 1, \
            (done, call)
        assert [one["response_status"] for one in t.api.get(f"/calls/{call['id']}/tries")] == [status]
        assert len(receiver.calls()) == 1


def test_a_dialer_that_asks_for_patience_refuses_nothing(t):
    for status in (408, 425, 429, 500, 503):
        receiver, agent, batch = start(t, 1, Answer(status))
        until(lambda: len(receiver.calls()) > 1, what=f"it is asked again after {status}")
        receiver.script = lambda call: ends()
        assert t.api.wait_for(batch, "completed", 30)["completed"] == 1


def test_a_single_call_does_not_wait(t):
    receiver, agent = t.dialing_agent()
    receiver.script = lambda call: CUT
    body = {"phone_number": "+4930123456", "from_number": t.api.number()["phone_number"]}
    for path, more in (("/calls", {"agent_id": agent["id"]}), (f"/agents/{agent['id']}/test-call", {})):
        call = t.api.post(path, {**body, **more})
        ended = until(lambda: t.api.get(f"/calls/{call['id']}")["status"] == "failed"
                      and t.api.get(f"/calls/{call['id']}"), what="it has failed")
        assert ended["end_reason"] == "dialer_unreachable", ended


# What happens meanwhile

def test_a_report_of_a_call_that_waits_is_taken(t):
    """The dialer had accepted it, and its answer was lost."""
    receiver, agent, batch = start(t, 1, retry_failed=True, max_retry_attempts=1)
    call = waits(t, batch)[0]
    receiver.report(call["id"], "in_progress")
    now, row = t.api.read(batch), t.api.contacts_of(batch)[0]
    assert (now["in_progress"], now["pending"], row["status"]) == (1, 0, "in_progress"), (now, row)
    asked = len(receiver.calls())
    receiver.script = lambda call: ends()
    t.make_due(batch)
    t.wait_for_looks()
    assert len(receiver.calls()) == asked, "no call is requested twice"
    receiver.report(call["id"], "completed", duration_seconds=9)
    done = t.api.wait_for(batch, "completed")
    assert (done["completed"], done["called"]) == (1, 1) and len(receiver.calls()) == asked, done


def test_a_pause_holds_what_waits(t):
    receiver, agent, batch = start(t, 5)
    receiver.wait_for_calls(1)
    t.api.post(f"/batch-calls/{batch['id']}/pause")
    until(lambda: t.api.read(batch)["in_progress"] == 0, what="nothing is in progress")
    receiver.script = lambda call: ends()
    asked = len(receiver.calls())
    t.make_due(batch)
    t.wait_for_looks()
    assert len(receiver.calls()) == asked and t.api.read(batch)["failed"] == 0
    t.api.post(f"/batch-calls/{batch['id']}/resume")
    done = t.api.wait_for(batch, "completed", 60)
    assert done["completed"] == 5 and all(len(found) == 1 for found in ids_by_attempt(receiver.calls()).values()), done


def test_a_cancel_ends_what_waits(t):
    receiver, agent, batch = start(t, 2)
    receiver.endpoint("/events", events=["call.ended"])
    waits(t, batch, 2)
    t.api.post(f"/batch-calls/{batch['id']}/cancel")
    until(lambda: {(call["status"], call["end_reason"]) for call in t.api.calls_of(batch)}
          == {("cancelled", "campaign_over")}, what="the calls are cancelled")
    until(lambda: len({event.id for event in receiver.of_type("call.ended")}) == 2, what="both ends have events")
    now = t.api.read(batch)
    assert (now["cancelled"], now["pending"], now["in_progress"]) == (2, 0, 0), now
    t.api.delete(f"/batch-calls/{batch['id']}")


def test_a_cancel_during_a_retry_keeps_the_last_outcome(t):
    """The contact was called, and the person was busy."""
    receiver, agent = t.dialing_agent()
    receiver.script = lambda call: ends("busy") if call.data["attempt"] == 1 else Answer(503)
    batch = t.api.batch(agent, 2, retry_failed=True, max_retry_attempts=2, retry_delay_minutes=0)
    t.api.schedule(batch)
    until(lambda: {call.data["attempt"] for call in receiver.calls()} == {1, 2}, what="a retry was asked for")
    t.api.post(f"/batch-calls/{batch['id']}/cancel")
    now = until(lambda: (now := t.api.read(batch))["in_progress"] == 0 and now["busy"] == 2 and now,
                what="both keep the outcome")
    assert (now["busy"], now["cancelled"], now["pending"]) == (2, 0, 0), now
    assert {row["status"] for row in t.api.contacts_of(batch)} == {"busy"}


def test_a_call_that_waits_may_be_cancelled(t):
    receiver, agent, batch = start(t)
    call = waits(t, batch)[0]
    cancelled = t.api.post(f"/calls/{call['id']}/cancel")
    assert (cancelled["status"], cancelled["end_reason"]) == ("cancelled", "cancelled"), cancelled
    assert t.api.wait_for(batch, "completed")["cancelled"] == 1


def test_a_listed_number_is_not_requested_again(t):
    receiver, agent, batch = start(t)
    call = waits(t, batch)[0]
    t.api.post("/do-not-call", {"phone_number": call["phone_number"]})
    receiver.script = lambda call: ends()
    asked = len(receiver.calls())
    done = t.api.wait_for(batch, "completed", 60)
    assert done["cancelled"] == 1 and len(receiver.calls()) == asked, done
    assert call_of(t, batch)["end_reason"] == "do_not_call"


def test_a_day_that_is_full_counts_each_once(t):
    receiver, agent, batch = start(t, 6, max_calls_per_day=3)
    waits(t, batch, 3)
    receiver.script = lambda call: ends()
    until(lambda: t.api.read(batch)["completed"] == 3, 60, "those who were counted are called today")
    assert len(ids_by_attempt(receiver.calls())) == 3, "and nobody else"
    t.api.post(f"/batch-calls/{batch['id']}/cancel")


def test_contact_limits_count_it_once(t):
    t.api.patch("/organization", {"contact_limits": [{"max_attempts": 1, "period_hours": 24}]})
    receiver, agent, batch = start(t)
    waits(t, batch)
    receiver.script = lambda call: ends()
    assert t.api.wait_for(batch, "completed", 60)["completed"] == 1


def test_a_change_of_the_campaign_keeps_the_attempt(t):
    receiver, agent, batch = start(t, 4, max_concurrent_calls=2)
    waits(t, batch, 2)
    for change in ({"calls_per_minute": 6000}, {"max_calls_per_day": 100}, {"excluded_dates": ["2040-01-01"]}):
        t.api.patch(f"/batch-calls/{batch['id']}", change)
    receiver.script = lambda call: ends()
    done = t.api.wait_for(batch, "completed", 60)
    assert (done["completed"], done["called"]) == (4, 4), done
    assert len(t.api.calls_of(batch)) == 4
    assert all(len(found) == 1 for found in ids_by_attempt(receiver.calls()).values())


# No request left

def test_calls_that_were_never_requested_do_not_count(t):
    """A dialer is switched off between the claim and the webhook, for longer than a call may wait for it."""
    receiver, agent = t.dialing_agent()
    receiver.script = lambda call: TAKEN
    batch = t.api.batch(agent, 30, max_concurrent_calls=3)
    t.api.schedule(batch)
    receiver.wait_for_calls(3)
    t.api.patch(f"/webhooks/{agent['webhook_id']}", {"disabled": True})
    for call in receiver.calls():
        receiver.report(call.id, "completed")
    asked = {call.id for call in receiver.calls()}
    until(lambda: {call["id"] for call in t.api.calls_of(batch)} == asked and t.api.read(batch)["in_progress"] == 0,
          5 * TTL_SECONDS, "every call that is left was asked for")
    now = t.api.read(batch)
    assert now["failed"] == 0 and now["called"] == len(asked), now
    receiver.script = lambda call: ends()
    t.api.patch(f"/webhooks/{agent['webhook_id']}", {"disabled": False})
    assert t.api.wait_for(batch, "completed", 60)["completed"] == 30


if __name__ == "__main__":
    tap.run(globals())
