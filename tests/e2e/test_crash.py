#!/usr/bin/env python3
"""Workers, schedulers and the database are killed while campaigns run. No change that was answered is lost, nothing
happens twice beyond what the protocol allows, and every campaign completes."""

import collections
import itertools
import os
import signal
import threading
import time

import tap
from client import contacts, send_or_none, until
from receiver import ends, ends_later
from stack import SHORT_LIFE

LEASE_SECONDS = 20
STACK = {"rate_limit": False, "config": {"lease_seconds": LEASE_SECONDS}}


class Background:
    """Calls a function repeatedly in a thread until the block ends. Raises the error of the function."""

    def __init__(self, function):
        self.function, self.fault, self.stop = function, None, threading.Event()
        self.thread = threading.Thread(target=self.run, daemon=True)

    def run(self):
        try:
            while not self.stop.is_set():
                self.function()
        except Exception as fault:
            self.fault = fault

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *exception):
        self.stop.set()
        self.thread.join()
        if self.fault:
            raise self.fault


def scheduler_of(t):
    return [name for name in t.stack.processes if name.startswith("scheduler")]


def check_done(t, receiver, batch, total, repeats):
    """Every contact ended once, in one attempt with one id, however often the call was requested."""
    done = t.api.read(batch)
    assert done["status"] == "completed" and done["completed"] == done["called"] == total, done
    calls = receiver.calls(batch)
    ids = {call.id: call.data["to"] for call in calls}
    assert len(ids) == len(set(ids.values())) == total, (len(ids), total)
    assert len(calls) - total <= repeats, f"{len(calls)} requests of {total} calls"
    rows = t.api.contacts_of(batch)
    assert {row["call_id"]: row["phone_number"] for row in rows} == ids
    assert all(row["attempts"] == 1 and row["status"] == "completed" for row in rows)
    assert len(t.api.calls_of(batch)) == total


def check_ends_are_told(receiver, total):
    """Every call has one event, which may have been delivered several times."""
    def shown():
        return {event.id: event.data["id"] for event in receiver.of_type("call.ended")}
    until(lambda: len(set(shown().values())) == total, 2 * LEASE_SECONDS, "every call has an event for its end")
    assert len(shown()) == total, (len(shown()), total)


def test_workers_die_under_load(t):
    """A change that was answered with 2xx exists. A change that was not answered exists once or not at all."""
    answered, unknown = [], []

    def write():
        name = f"Agent {len(answered) + len(unknown)} {threading.get_ident()}"
        reply = send_or_none(t.api, "POST", "/agents", {"name": name})
        if reply:
            assert reply.status == 201, reply
        (answered if reply else unknown).append(name)

    workers = len(t.stack.workers())
    with Background(write), Background(write), Background(write), Background(write):
        deadline = time.monotonic() + 80
        for kills in itertools.count():
            if kills >= 25 and len(answered) > 20 or time.monotonic() > deadline:
                break
            before, patience = len(answered), time.monotonic() + 2
            while len(answered) == before and time.monotonic() < patience:
                time.sleep(0.05)
            pids = t.stack.workers()
            if pids:
                os.kill(t.random.choice(pids), signal.SIGKILL)
    until(lambda: len(t.stack.workers()) == workers, what="all workers are back")
    names = collections.Counter(agent["name"] for agent in t.api.all("/agents"))
    assert len(answered) > 20 and all(names[name] == 1 for name in answered), len(answered)
    assert all(names[name] <= 1 for name in unknown)
    assert sum(names.values()) <= len(answered) + len(unknown)


def test_schedulers_die_while_they_dispatch(t):
    receiver, agent = t.dialing_agent()
    receiver.endpoint("/events", events=["batch.completed", "call.ended"])
    receiver.script = lambda call: ends(delay=0.1) if int(call.data["to"][-1]) % 2 else ends_later(0.05)
    cap, total, kills = 8, 250, 4
    batch = t.api.batch(agent, total, max_concurrent_calls=cap)
    t.api.schedule(batch)
    for turn in range(1, kills + 1):
        receiver.wait_for_calls(turn * 20, 2 * LEASE_SECONDS)
        time.sleep(t.random.uniform(0, 0.2))
        t.stack.kill(scheduler_of(t)[0])
        t.stack.start_scheduler()
    t.api.wait_for(batch, "completed", 3 * LEASE_SECONDS + 20)
    check_done(t, receiver, batch, total, repeats=kills * cap)
    assert receiver.peaks[batch["id"]] <= cap, receiver.peaks
    until(lambda: receiver.of_type("batch.completed"), what="batch.completed has come")
    assert len({event.id for event in receiver.of_type("batch.completed")}) == 1
    check_ends_are_told(receiver, total)
    calls = receiver.calls(batch)
    first = {}
    for call in calls:
        if call.id in first:
            assert call.at - first[call.id] >= LEASE_SECONDS - 2, "not before the lease has ended"
        first.setdefault(call.id, call.at)


def test_a_scheduler_that_slept_through_its_lease_does_no_harm(t):
    receiver, agent = t.dialing_agent()
    receiver.script = lambda call: ends(delay=0.05)
    batch = t.api.batch(agent, 200, max_concurrent_calls=6)
    t.api.schedule(batch)
    receiver.wait_for_calls(20)
    sleeper = scheduler_of(t)[0]
    t.stack.start_scheduler()
    try:
        until(lambda: sleeps_past_its_lease(t, sleeper), what="it was stopped outside of a transaction")
        t.api.wait_for(batch, "completed")
        before = t.api.read(batch)
        asleep = beat_of(t, sleeper)
        t.stack.kill(sleeper, signal.SIGCONT)
        for _ in range(2):  # what it had begun has ended by the second
            until(lambda: beat_of(t, sleeper) != asleep, what="it gives a sign of life")
            asleep = beat_of(t, sleeper)
        assert t.api.read(batch) == before
        check_done(t, receiver, batch, 200, repeats=6)
    finally:
        t.stack.kill(sleeper, signal.SIGCONT)
        t.stack.kill(sleeper, signal.SIGTERM)


def is_stopped(pid):
    with open(f"/proc/{pid}/stat") as file:
        return file.read().rpartition(")")[2].split()[0] == "T"


def beat_of(t, scheduler):
    """When the process gave its last sign of life."""
    return t.stack.sql(f"SELECT seen_at FROM processes WHERE pid = {t.stack.processes[scheduler].pid}")


def sleeps_past_its_lease(t, scheduler):
    """Stops the process, and ends the leases of all calls on their way. Returns False if the process was stopped inside
    a transaction: then the server keeps its locks until it ends the session, up to a minute later."""
    t.stack.kill(scheduler, signal.SIGSTOP)
    until(lambda: is_stopped(t.stack.processes[scheduler].pid), what="the process is stopped")
    under_way = transactions(t)
    try:
        until(lambda: not under_way & transactions(t), 2)
    except AssertionError:
        t.stack.kill(scheduler, signal.SIGCONT)
        return False
    t.stack.sql("UPDATE calls SET wake_at = UTC_TIMESTAMP(6) WHERE status = 0")
    return True


def transactions(t):
    time.sleep(0.12)  # the server renews this table only when nobody has read it for 0.1 s
    return {tuple(row) for row in t.stack.sql(
        "SELECT trx_id, trx_mysql_thread_id, trx_started FROM information_schema.innodb_trx")}


def test_two_schedulers_keep_the_caps_and_share_the_work(t):
    receiver, agent = t.dialing_agent()
    receiver.script = lambda call: ends_later(0.03) if int(call.data["to"][-1]) % 2 else ends(delay=0.02)
    other = t.stack.start_scheduler()
    batches = [t.api.batch(agent, 150, max_concurrent_calls=cap) for cap in (3, 7, 13)]
    for batch in batches:
        t.api.schedule(batch)
    sharers = collections.Counter()
    until(lambda: watch(t, batches, sharers), 60, "all campaigns are completed")
    for batch in batches:
        assert receiver.peaks[batch["id"]] <= batch["max_concurrent_calls"], receiver.peaks
        check_done(t, receiver, batch, 150, repeats=0)
    whose = ports_of(t.stack.processes[name].pid for name in scheduler_of(t))
    calls = collections.Counter(whose.get(call.peer_port) for call in receiver.calls())
    assert len([pid for pid in calls if pid and calls[pid] > 20]) == 2, calls
    t.stack.kill(other, signal.SIGTERM)


def watch(t, batches, seen):
    done = 0
    for batch in batches:
        now = t.api.read(batch)
        assert now["in_progress"] <= batch["max_concurrent_calls"], now
        done += now["status"] == "completed"
    return done == len(batches)


def ports_of(pids):
    """Returns the process that holds each local TCP port."""
    inode_of = {}
    with open("/proc/net/tcp") as table:
        for line in list(table)[1:]:
            words = line.split()
            inode_of[words[9]] = int(words[1].split(":")[1], 16)
    found = {}
    for pid in pids:
        for name in os.listdir(f"/proc/{pid}/fd"):
            try:
                link = os.readlink(f"/proc/{pid}/fd/{name}")
            except OSError:
                continue
            if link.startswith("socket:[") and link[8:-1] in inode_of:
                found[inode_of[link[8:-1]]] = pid
    return found


def test_the_database_is_killed_while_campaigns_run(t):
    receiver, agent = t.dialing_agent()
    receiver.script = lambda call: ends_later(0.05) if int(call.data["to"][-1]) % 2 else ends(delay=0.03)
    total, cap, kills = 300, 8, 2
    batch = t.api.batch(agent, total, max_concurrent_calls=cap)
    made, unknown = [], []

    def write():
        person = contacts(1, first=10_000 + len(made) + len(unknown))
        reply = send_or_none(t.api, "POST", f"/batch-calls/{batch['id']}/contacts", {"contacts": person})
        (made if reply else unknown).append(person[0]["phone_number"])
        time.sleep(0.01)

    t.api.schedule(batch)
    with Background(write):
        for turn in range(1, kills + 1):
            receiver.wait_for_calls(turn * 60, 2 * LEASE_SECONDS)
            t.stack.restart_database(signal.SIGKILL)
            until(lambda: send_or_none(t.api, "GET", "/agents"), 10, "requests are answered again")
        receiver.wait_for_calls(kills * 60 + 60, 2 * LEASE_SECONDS)
    t.api.wait_for(batch, "completed", 60)
    called = {row["phone_number"] for row in t.api.contacts_of(batch)}
    assert set(made) <= called, "what was answered is there"
    total = t.api.read(batch)["total_contacts"] - t.api.read(batch)["skipped"]
    assert len(called) == total <= 300 + len(made) + len(unknown)
    check_done(t, receiver, batch, total, repeats=kills * cap)
    assert receiver.peaks[batch["id"]] <= cap, receiver.peaks


def test_an_orderly_restart_of_everything(t):
    receiver, agent = t.dialing_agent()
    receiver.script = lambda call: ends(delay=0.03)
    batch = t.api.batch(agent, 150, max_concurrent_calls=5)
    t.api.schedule(batch)
    receiver.wait_for_calls(30)
    started = time.monotonic()
    t.stack.kill(scheduler_of(t)[0], signal.SIGTERM)
    assert time.monotonic() - started < 10, "it ends soon"
    in_flight = len(receiver.open_calls)
    t.stack.kill("api", signal.SIGTERM)
    reply = t.api.send("GET", "/agents")
    assert reply.status in (502, 503) and reply.error["code"] == "unavailable", reply
    t.stack.restart_database(signal.SIGTERM)
    t.stack.start_api()
    t.stack.start_scheduler()
    t.stack.wait_ready()
    t.api.wait_for(batch, "completed", 2 * LEASE_SECONDS)
    check_done(t, receiver, batch, 150, repeats=in_flight + 5)


def test_without_a_database_the_answer_is_503(t):
    t.stack.stop_database()
    try:
        for method, path, body in (("GET", "/agents", None), ("POST", "/agents", {"name": "A"})):
            reply = t.api.refuse("unavailable", method, path, body)
            assert int(reply.headers["Retry-After"]) >= 1, reply.headers
        assert t.api.send("GET", "//healthz").status == 200
        until(lambda: t.api.send("GET", "//readyz").status == 503, 10, "/readyz has asked again")
    finally:
        t.stack.database._launch()
    t.stack.wait_ready()
    until(lambda: send_or_none(t.api, "GET", "/agents"), 10, "requests are answered again")
    assert t.api.get("/agents") == []


def test_run_restarts_killed_processes(t):
    """Starts it again, as systemd and ./run do."""
    processes = [t.stack.database.process, *t.stack.processes.values()]
    until(lambda: all(process.started + SHORT_LIFE < time.monotonic() for process in processes),
          2 * SHORT_LIFE, "none has only just been started")
    for process in processes:
        os.kill(process.pid, signal.SIGKILL)
        until(t.stack.ended, what=f"{process.name} has ended")
        assert t.stack.keep_up() == process.name
        t.stack.wait_ready()
        assert t.stack.keep_up() is None
    t.api.get("/batch-calls")


if __name__ == "__main__":
    tap.run(globals())
