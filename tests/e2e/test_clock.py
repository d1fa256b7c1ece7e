#!/usr/bin/env python3
"""The database's clock steps by ten minutes while campaigns run, as after a fail-over to a host with another clock."""

import os
import shutil
import struct
import subprocess
import time

import tap
from client import until
from receiver import TAKEN, ends

LEASE_SECONDS = 20
STEP_SECONDS = 600
KNOWN_SECONDS = 8  # by then every process has seen a step
STACK = {"rate_limit": False, "schedulers": 2, "config": {"lease_seconds": LEASE_SECONDS}}


def skip(options):
    if options.database != "mariadb":
        return "the library that moves the clock is made for this host"
    return None if shutil.which("cc") else "there is no C compiler"


def clock_file(t):
    return os.path.join(t.stack.state_dir, "ahead")


def put_ahead(t, seconds):
    with open(clock_file(t), "r+b") as file:
        file.write(struct.pack("qq", 0, seconds))


def give_database_a_movable_clock(t):
    database = t.stack.database
    if database.env:
        return
    library = os.path.join(t.stack.state_dir, "ahead.so")
    subprocess.run(["cc", "-shared", "-fPIC", "-o", library, os.path.join(tap.HERE, "ahead.c")], check=True)
    with open(clock_file(t), "wb") as file:
        file.write(struct.pack("qq", 0, 0))
    database.env = {"LD_PRELOAD": library, "CLOCK_AHEAD": clock_file(t)}
    t.stack.restart_database()
    t.stack.wait_ready()


def time_of_database(t):
    return float(t.stack.sql("SELECT UNIX_TIMESTAMP(NOW(6))")[0][0])


def test_no_work_sleeps_after_a_step_back(t):
    give_database_a_movable_clock(t)
    put_ahead(t, STEP_SECONDS)
    assert time_of_database(t) > time.time() + STEP_SECONDS - 5
    time.sleep(KNOWN_SECONDS)
    receiver, agent = t.dialing_agent()
    receiver.endpoint("/events", events=["call.ended"])
    receiver.script = lambda call: ends(delay=0.2)
    batch = t.api.batch(agent, 200, max_concurrent_calls=2)
    t.api.schedule(batch)
    receiver.wait_for_calls(10)
    put_ahead(t, 0)
    time.sleep(KNOWN_SECONDS)
    count = len(receiver.calls(batch))
    receiver.wait_for_calls(count + 20, LEASE_SECONDS + 20)
    until(lambda: len(receiver.of_type("call.ended")) > count, LEASE_SECONDS, "events have come")
    assert len({call.id for call in receiver.calls(batch)}) == len({call.data["to"] for call in receiver.calls(batch)})
    receiver.faults = [fault for fault in receiver.faults if not fault[0].startswith("webhook-timestamp")]


def test_nothing_is_concluded_after_a_step_forward(t):
    """Calls that have been under way for seconds may last ten minutes. By the new clock these minutes are over, and so
    are the leases of calls whose dialer has not answered yet."""
    give_database_a_movable_clock(t)
    put_ahead(t, 0)
    receiver, agent = t.dialing_agent(max_call_duration_seconds=STEP_SECONDS // 2)
    receiver.script = lambda call: TAKEN
    batch = t.api.batch(agent, 3, max_concurrent_calls=3, retry_failed=True, max_retry_attempts=1,
                        retry_delay_minutes=0)
    t.api.schedule(batch)
    calls = receiver.wait_for_calls(3)
    until(lambda: all(row["status"] == "dispatched" for row in t.api.calls_of(batch)), what="the dialer has them")
    slow, slow_agent = t.dialing_agent()
    slow.script = lambda call: ends(delay=KNOWN_SECONDS + 5)
    asked = t.api.batch(slow_agent, 3, max_concurrent_calls=3)
    t.api.schedule(asked)
    slow.wait_for_calls(3)
    put_ahead(t, STEP_SECONDS)
    time.sleep(KNOWN_SECONDS)
    assert t.api.read(asked)["in_progress"] == 3, t.api.read(asked)  # its dialer has not answered yet
    time.sleep(LEASE_SECONDS + 2)
    assert all(row["status"] == "dispatched" for row in t.api.calls_of(batch)), t.api.calls_of(batch)
    assert len(receiver.calls(batch)) == 3
    assert t.api.wait_for(asked, "completed", 30)["completed"] == len(slow.calls(asked)) == 3
    for call in calls:
        receiver.report(call.id, "completed")
    t.api.wait_for(batch, "completed", 30)


if __name__ == "__main__":
    tap.run(globals())
