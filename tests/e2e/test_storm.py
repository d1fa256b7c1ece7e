#!/usr/bin/env python3
"""Many changes at the same time: clients change, pause and resume a campaign and add contacts while two schedulers call
it. Clients also send the same request at the same time. All promises about single requests hold."""

import collections
import threading
import time

import tap
from client import contacts, until
from receiver import TAKEN, Answer, ends, ends_later

STACK = {"rate_limit": False, "schedulers": 2}

STORM_SECONDS = 6
MOST_AT_ONCE = 9


def together(*functions):
    """Runs functions at the same time. Returns their results, or raises the error of one of them."""
    results, faults, barrier = [None] * len(functions), [], threading.Barrier(len(functions))

    def run(number, function):
        try:
            barrier.wait()
            results[number] = function()
        except Exception as fault:
            faults.append(fault)

    threads = [threading.Thread(target=run, args=pair) for pair in enumerate(functions)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if faults:
        raise faults[0]
    return results


class Clients:
    """Clients that send random requests about a campaign until the time is up."""

    def __init__(self, t, batch, numbers):
        self.t, self.batch, self.numbers = t, batch, numbers
        self.path = f"/batch-calls/{batch['id']}"
        self.until = time.monotonic() + STORM_SECONDS
        self.done = collections.Counter()

    def ask(self, action, method, path, body=None):
        """A request may be refused because of the state that other clients have brought the campaign to."""
        reply = self.t.api.send(method, path, body)
        refused = reply.status == 422 and reply.error["code"] == "invalid_state"
        assert refused or reply.status in (200, 201), (action, body, reply)
        self.done[action, reply.status] += 1

    def stop_and_go(self):
        while time.monotonic() < self.until:
            for action in ("pause", "resume"):
                self.ask(action, "POST", f"{self.path}/{action}")
                time.sleep(0.05)

    def change(self):
        chance = self.t.random
        while time.monotonic() < self.until:
            self.ask("change", "PATCH", self.path, chance.choice([
                {"max_concurrent_calls": chance.randint(1, MOST_AT_ONCE)},
                {"phone_number_ids": chance.sample(self.numbers, chance.randint(1, 3))},
                {"phone_rotation_strategy": chance.choice(["random", "sequential", "round_robin"])},
                {"start_time": "00:00", "end_time": "24:00"}, {"start_time": None, "end_time": None},
                {"calls_per_minute": chance.choice([None, 30_000, 60_000])},
                {"max_calls_per_day": chance.choice([None, 100_000])},
                {"excluded_dates": chance.choice([[], ["2040-01-01"]])},
                {"name": "Storm"}]))

    def fill(self):
        """The ranges overlap, so that every number comes twice."""
        first = 1000
        while time.monotonic() < self.until:
            self.ask("add", "POST", f"{self.path}/contacts", {"contacts": contacts(10, first)})
            first += 5
            time.sleep(0.02)

    def watch(self):
        while time.monotonic() < self.until:
            batch = self.t.api.read(self.batch)  # checks the counters
            assert batch["in_progress"] <= MOST_AT_ONCE, batch


def test_a_storm_of_changes(t):
    receiver, agent = t.dialing_agent()
    receiver.endpoint("/events", events=["batch.status.changed", "batch.completed"])
    receiver.script = lambda call: ends(delay=0.01) if int(call.data["to"][-1]) % 2 else ends_later(0.02)
    numbers = [t.api.number()["id"] for _ in range(4)]
    batch = t.api.batch(agent, 300, max_concurrent_calls=5, phone_number_ids=numbers)
    clients = Clients(t, batch, numbers)
    t.api.schedule(batch)
    together(clients.stop_and_go, clients.stop_and_go, clients.change, clients.change, clients.fill,
             clients.watch)
    t.api.patch(f"/batch-calls/{batch['id']}", {"max_concurrent_calls": MOST_AT_ONCE})
    if t.api.read(batch)["status"] == "paused":
        t.api.post(f"/batch-calls/{batch['id']}/resume")
    done = t.api.wait_for(batch, "completed", 90)

    assert min(clients.done[action, 200] for action in ("pause", "resume", "change")) > 5, clients.done
    rows = t.api.contacts_of(batch)
    people = {row["phone_number"] for row in rows}
    assert len(rows) == done["total_contacts"] == len(people) + done["skipped"], done
    assert done["completed"] == done["called"] == len(people), done
    calls = receiver.calls(batch)
    assert {call.data["to"] for call in calls} == people and len(calls) == len(people), "each once"
    assert receiver.peaks[batch["id"]] <= MOST_AT_ONCE, receiver.peaks
    check_changes(t, receiver, batch)


def check_changes(t, receiver, batch):
    """The changes of state, in the order of their ids, make one chain; it ends once."""
    until(lambda: receiver.of_type("batch.completed", batch), what="batch.completed has come")
    shown = lambda: {event.id: event.data for event in receiver.of_type("batch.status.changed", batch)}
    until(lambda: any(change["to"] == "completed" for change in shown().values()),
          what="the last change has come")
    until(lambda: t.stack.sql("SELECT COUNT(*) FROM deliveries d JOIN webhook_endpoints w ON w.id = d.endpoint_id"
                              f" WHERE d.status = 0 AND w.url LIKE '%:{receiver.port}/%'") == [["0"]],
          what="no event waits")
    changes = shown()
    state = "draft"
    for change in (changes[event_id] for event_id in sorted(changes)):
        assert change["from"] == state, [(c["from"], c["to"]) for c in changes.values()]
        state = change["to"]
    assert state == "completed"
    assert len({event.id for event in receiver.of_type("batch.completed", batch)}) == 1


def test_the_same_contacts_from_two_clients_at_once(t):
    receiver, agent = t.dialing_agent()
    batch = t.api.batch(agent)
    path = f"/batch-calls/{batch['id']}/contacts"
    add = lambda: t.api.post(path, {"contacts": contacts(200)})
    added = together(add, add, add)
    assert sorted(reply["added"] for reply in added) == [0, 0, 200], added
    t.api.schedule(batch)
    done = t.api.wait_for(batch, "completed")
    assert (done["completed"], done["skipped"], len(receiver.calls())) == (200, 400, 200), done


def test_only_one_of_many_that_do_the_same_succeeds(t):
    receiver, agent = t.dialing_agent()
    batch = t.api.batch(agent, 5, schedule_type="scheduled", scheduled_at="2040-01-01T00:00:00Z")
    path = f"/batch-calls/{batch['id']}"
    for action in ("pause", "resume", "cancel"):
        replies = together(*[lambda: t.api.send("POST", f"{path}/{action}")] * 6)
        assert sorted(reply.status for reply in replies) == [200] + [422] * 5, replies
    replies = together(*[lambda: t.api.send("DELETE", path)] * 6)
    assert sorted(reply.status for reply in replies) == [204] + [404] * 5, replies
    number = {"phone_number": "+15550009999", "provider_type": "twilio"}
    replies = together(*[lambda: t.api.send("POST", "/telephony/numbers/import", number)] * 6)
    assert sorted(reply.status for reply in replies) == [201] + [422] * 5, replies


def test_many_dialers_report_the_same_call_at_once(t):
    receiver, agent = t.dialing_agent()
    receiver.script = lambda call: TAKEN
    batch = t.api.batch(agent, 20, max_concurrent_calls=20)
    t.api.schedule(batch)
    calls = [call.id for call in receiver.wait_for_calls(20)]
    endings = ("completed", "failed", "busy", "voicemail")

    def one_by_one(status):
        return [t.api.post(f"/calls/{call}/status", {"status": status})["status"] for call in calls]

    def all_at_once(status):
        reports = [{"call_id": call, "status": status} for call in reversed(calls)]
        return t.api.post("/calls/status", {"reports": reports})["accepted"]

    together(*[lambda status=status: one_by_one(status) for status in endings],
             *[lambda status=status: all_at_once(status) for status in endings])
    done = t.api.wait_for(batch, "completed")
    assert sum(done[status] for status in endings) == done["called"] == 20, done
    final = collections.Counter(call["status"] for call in t.api.calls_of(batch))
    assert {status: done[status] for status in endings} == {status: final[status] for status in endings}


def test_a_campaign_deleted_with_calls_in_flight(t):
    receiver, agent = t.dialing_agent()
    receiver.script = lambda call: TAKEN if int(call.data["to"][-1]) % 2 else Answer(500)
    batch = t.api.batch(agent, 10)
    t.api.schedule(batch)
    calls = receiver.wait_for_calls(10)
    t.api.post(f"/batch-calls/{batch['id']}/cancel")
    t.api.delete(f"/batch-calls/{batch['id']}")
    for call in calls:
        reply = t.api.send("POST", f"/calls/{call.id}/status", {"status": "completed"})
        assert reply.status in (200, 404), reply
    t.api.refuse("not_found", "GET", f"/batch-calls/{batch['id']}")
    again = t.api.batch(agent, 3)
    t.api.schedule(again)
    receiver.script = lambda call: ends()
    t.api.wait_for(again, "completed")


def test_a_dialer_that_is_switched_off(t):
    receiver, agent = t.dialing_agent()
    receiver.script = lambda call: TAKEN
    batch = t.api.batch(agent, 5, max_concurrent_calls=1)
    t.api.schedule(batch)
    call = receiver.wait_for_calls(1)[0]
    t.api.patch(f"/webhooks/{agent['webhook_id']}", {"disabled": True})
    receiver.report(call.id, "completed")
    t.wait_for_looks()
    held = t.api.read(batch)
    assert (held["status"], held["completed"], held["pending"]) == ("active", 1, 4) and len(receiver.calls()) == 1, held
    receiver.script = lambda call: ends()
    t.api.patch(f"/webhooks/{agent['webhook_id']}", {"disabled": False})
    done = t.api.wait_for(batch, "completed")
    assert done["completed"] == len(receiver.calls()) == 5, done


if __name__ == "__main__":
    tap.run(globals())
