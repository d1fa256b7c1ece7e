#!/usr/bin/env python3
"""The events for subscribers. A slow or dead receiver delays no other receiver."""

import collections
import time

import tap
from client import COUNTERS, until
from receiver import TAKEN, Answer, ends

SLOTS = 60  # webhooks under way at once in one scheduler
STACK = {"rate_limit": False, "config": {"max_in_flight": SLOTS}}


# Events

def test_every_change_has_an_event(t):
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
    assert len(last) == 1 and last[0].path == "/ends", last
    assert last[0].data["completed"] == last[0].data["busy"] == 1, last[0].data


def test_a_slow_or_dead_subscriber_delays_no_others(t):
    """The slow receiver has enough events to take every slot of the scheduler."""
    receiver, agent = t.dialing_agent()
    slow = t.receiver()
    slow.answer_events = Answer(delay=60)
    slow.endpoint("/slow", events=["batch.status.changed", "batch.completed"])
    t.api.post("/webhooks", {"url": "http://127.0.0.1:1/", "events": ["batch.status.changed"]})
    receiver.endpoint("/quick", events=["batch.completed"])
    batches = [t.api.batch(agent, 1) for _ in range(SLOTS // 2)]
    for batch in batches:
        t.api.schedule(batch)
    start = time.monotonic()
    for batch in batches:
        t.api.wait_for(batch, "completed", 8)
    until(lambda: len(receiver.of_type("batch.completed")) == len(batches), 8, "the quick subscriber has all events")
    last = t.api.batch(agent, 100)
    t.api.schedule(last)
    t.api.wait_for(last, "completed", 8)
    assert time.monotonic() - start < 10


def test_a_slow_dialer_delays_no_other(t):
    """The slow dialer has enough calls to take every slot of the scheduler."""
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


def test_a_refused_event_is_sent_again_with_the_same_id(t):
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


if __name__ == "__main__":
    tap.run(globals())
