#!/usr/bin/env python3
"""The connection to the database is cut at a COMMIT: nothing is lost, and nothing is done twice."""

import os
import signal

import tap
from client import send_or_none, until
from cutter import Api, Scheduler
from mix import Mix
from receiver import TAKEN, ends

LEASE_SECONDS = 20
MOMENTS = ("before", "during", "after")
STACK = {"rate_limit": False, "schedulers": 0, "config": {"lease_seconds": LEASE_SECONDS}}

CLAIM = "INSERT INTO calls (id, organization_id"
REPORTS = "SET c.status = j.status, c.wake_at = j.wake_at"
AGENT = "INSERT INTO agents"
AGENT_CHANGED = "UPDATE agents SET"


def dial_while_it_is_cut(t, statement):
    with Scheduler(t) as scheduler:
        receiver, agent = t.dialing_agent()
        receiver.endpoint("/events", events=["call.ended"])
        receiver.script = lambda call: ends(duration_seconds=10)
        for moment in MOMENTS:
            batch = t.api.batch(agent, 5, max_concurrent_calls=5)
            scheduler.cutter.cut(moment, statement)
            t.api.schedule(batch)
            assert scheduler.cutter.has_cut.wait(20), moment
            done = t.api.wait_for(batch, "completed", 2 * LEASE_SECONDS + 10)
            check_once(t, receiver, batch, done)


def check_once(t, receiver, batch, done):
    assert done["completed"] == done["called"] == 5, done
    assert len(receiver.calls(batch)) == 5, receiver.calls(batch)
    assert all(row["attempts"] == 1 for row in t.api.contacts_of(batch))
    row = t.row_of(batch)
    assert t.stack.sql(f"SELECT b.claimed, n.done, (SELECT SUM(calls) FROM batch_quarters WHERE batch_id = b.id),"
                       f" (SELECT SUM(seconds) FROM batch_quarters WHERE batch_id = b.id) FROM batch_calls b"
                       f" JOIN batch_counters n ON n.batch_id = b.id WHERE b.id = {row}") == [["5", "5", "5", "50"]]
    ended = lambda: [event for event in receiver.of_type("call.ended") if event.data["batch_call_id"] == batch["id"]]
    until(lambda: len({event.data["id"] for event in ended()}) == 5, 20, "every end has an event")
    assert len({event.id for event in ended()}) == 5, ended()


def test_a_claim(t):
    dial_while_it_is_cut(t, CLAIM)


def test_reports_in_answers(t):
    dial_while_it_is_cut(t, REPORTS)


def test_a_report_through_the_api(t):
    name = t.stack.start_scheduler()
    receiver, agent = t.dialing_agent()
    with Api(t) as api:
        for moment in MOMENTS:
            batch, call = t.one_call(receiver, agent, lambda call: TAKEN)
            until(lambda: t.api.get(f"/calls/{call}")["status"] == "dispatched", what="it is dispatched")
            api.cutter.cut(moment, REPORTS)
            receiver.end_call(call, "completed")
            report = {"status": "completed", "duration_seconds": 7}
            reply = send_or_none(t.api, "POST", f"/calls/{call}/status", report)
            assert api.cutter.has_cut.wait(5), moment
            if reply is None:  # the result is not known: a dialer reports again
                reply = t.api.send("POST", f"/calls/{call}/status", report)
            assert reply.status == 200, (moment, reply)
            assert t.api.wait_for(batch, "completed")["completed"] == 1
            row = t.row_of(batch)
            assert t.stack.sql(f"SELECT SUM(calls), SUM(seconds) FROM batch_quarters WHERE batch_id = {row}") \
                == [["1", "7"]]
    t.stack.kill(name, signal.SIGTERM)


def count_agents(t, name):
    return sum(agent["name"] == name for agent in t.api.all("/agents"))


def test_a_change_without_a_key(t):
    """A change that was answered with 2xx exists once. Otherwise the result is not known, and the change exists at most
    once."""
    with Api(t) as api:
        for moment, there in zip(MOMENTS, (0, 1, 1)):
            api.cutter.cut(moment, AGENT)
            reply = send_or_none(t.api, "POST", "/agents", {"name": moment})
            assert api.cutter.has_cut.wait(5), moment
            assert (reply is not None) == (moment == "after"), (moment, reply)
            assert count_agents(t, moment) == there, moment


def test_a_change_that_may_be_repeated(t):
    """With an idempotency key, or if a second run does no harm, the result of an unknown COMMIT is found out."""
    with Api(t) as api:
        for moment in MOMENTS:
            api.cutter.cut(moment, AGENT)
            reply = t.api.send("POST", "/agents", {"name": moment}, headers={"Idempotency-Key": moment})
            assert api.cutter.has_cut.wait(5), moment
            assert reply.status == 201 and count_agents(t, moment) == 1, (moment, reply)
            api.cutter.cut(moment, AGENT_CHANGED)
            reply = t.api.send("PATCH", f"/agents/{reply.data['id']}", {"name": f"{moment} changed"})
            assert api.cutter.has_cut.wait(5), moment
            assert reply.status == 200 and count_agents(t, f"{moment} changed") == 1, (moment, reply)


def test_transactions_that_run_twice(t):
    """Every transaction is undone once, as after a deadlock. Nothing of its first run is left in the programs."""
    with Scheduler(t) as scheduler, Api(t) as api:
        scheduler.cutter.undoes = api.cutter.undoes = True
        receiver, agent = t.dialing_agent()
        receiver.endpoint("/events", events=["call.ended"])
        receiver.script = lambda call: ends(duration_seconds=10)
        batch = t.api.batch(agent, 5, max_concurrent_calls=5)
        t.api.schedule(batch)
        check_once(t, receiver, batch, t.api.wait_for(batch, "completed"))
        mix = Mix(t.api, agent, t.api.number()["id"])
        for _ in range(3):
            mix.round()
        mix.close()
        assert scheduler.cutter.undone > 3 and api.cutter.undone > 30, (scheduler.cutter.undone, api.cutter.undone)


if __name__ == "__main__":
    tap.run(globals())
