#!/usr/bin/env python3
"""Three schedulers, and random kills of any process, pauses, changes, cancels, do-not-call entries and reports
that come late, twice and out of order; then every promise is checked. `--seconds 600` makes it long."""

import collections
import time

import chaos
import invariants
import tap
from client import contacts, seconds_between
from receiver import Receiver, ends

STACK = {"rate_limit": False, "schedulers": 3, "config": {"lease_seconds": 20, "dispatch_ttl_seconds": 8}}
SHORT_SECONDS = 20
NEIGHBOURS = 30
CALM_SECONDS = 150  # leases, dispatches, circuits and calls without a report run out one after the other
TEST_SECONDS = 300


class Neighbours:
    """Another organisation, with a limit, a pace and contacts of a folder. The chaos does not act on it. It has two
    campaigns with the same people, and only one of them may call them."""

    def __init__(self, t):
        self.api = t.client(organization=f"{t.organization}: neighbours")
        self.receiver = Receiver(self.api)
        self.receiver.script = lambda call: ends(delay=0.05)
        agent = self.api.agent(self.receiver.endpoint())
        self.api.patch("/organization", {"contact_limits": [{"max_attempts": 1, "period_hours": 24}]})
        number = self.api.number()
        self.api.patch(f"/telephony/numbers/{number['id']}", {"calls_per_minute": 600})
        folder = self.api.post("/contacts/folders", {"name": "Neighbours"})
        for person in contacts(NEIGHBOURS):
            self.api.post("/contacts", {**person, "folder_id": folder["id"]})
        self.batches = [self.api.batch(agent, contact_source="folder", contact_folder_id=folder["id"],
                                       phone_number_ids=[number["id"]], respect_contact_timezone=True)
                        for _ in range(2)]
        for batch in self.batches:
            self.api.schedule(batch)

    def close(self):
        self.receiver.close()

    def broken(self):
        people = collections.defaultdict(set)
        for call in self.receiver.calls():
            people[call.data["to"]].add(call.id)
        if len(people) != NEIGHBOURS:
            yield f"{len(people)} of {NEIGHBOURS} neighbours were called"
        yield from (f"neighbour {phone} was called {len(ids)} times" for phone, ids in people.items() if len(ids) > 1)
        at = sorted(call["created_at"] for batch in self.batches for call in self.api.calls_of(batch))
        yield from (f"neighbours were called at {one} and {other}" for one, other in zip(at, at[1:])
                    if seconds_between(one, other) < 0.1)
        yield from (f"of the neighbours: {fault}" for fault in self.receiver.faults)


def test_chaos(t):
    neighbours = Neighbours(t)
    try:
        play_and_judge(t, neighbours)
    finally:
        neighbours.close()


def play_and_judge(t, neighbours):
    dialers = [t.dialing_agent(max_call_duration_seconds=10) for _ in range(2)]
    dialers.append(t.pulling_agent(max_call_duration_seconds=10))
    subscriber = t.receiver()
    subscriber.endpoint("/events", events=["batch.status.changed", "batch.completed", "call.ended", "call.failed"])
    play = chaos.Chaos(t)
    play.open(dialers)
    play.run(t.seconds or SHORT_SECONDS)
    play.calm_down()
    deadline = time.monotonic() + CALM_SECONDS + (t.seconds or SHORT_SECONDS) / 2  # a long play leaves many contacts
    while invariants.unfinished(t, play.campaigns):
        assert time.monotonic() < deadline, invariants.unfinished(t, play.campaigns)
        time.sleep(0.2)

    wrong = [*invariants.broken(t, play, dialers, subscriber, chaos.RETRIES, max(chaos.CAPS)), *neighbours.broken()]
    assert not wrong, f"{len(wrong)} promises broken:\n" + "\n".join(wrong[:20])


if __name__ == "__main__":
    tap.run(globals())
