#!/usr/bin/env python3
"""A backup that was made during a campaign with the server's own program is loaded into an empty server, as
docs/operations.md describes. Every contact is called to the end, the counters are exact, and only those calls
happen twice that the document names."""

import collections
import os
import shutil
import signal
import subprocess
import threading
import time

import tap
import database as databases
from client import until
from receiver import TAKEN, ends

STACK = {"rate_limit": False}
CONTACTS = 600
QUEUED, DISPATCHED, RINGING, IN_PROGRESS = range(4)  # calls.status


class Dialer:
    """Half of its answers take a while, with the end of the call in them; the other half of the calls end by a
    report. On the first two calls that it accepts it never reports, so some calls are in flight in any backup."""

    def __init__(self, t):
        self.receiver, self.agent = t.dialing_agent()
        self.receiver.script = self.answer
        self.taken = collections.deque()
        self.held = []
        self.over = threading.Event()
        self.thread = threading.Thread(target=self.report)
        self.thread.start()

    def answer(self, call):
        if int(call.data["to"][-1]) % 2:
            return ends(delay=0.3)
        if len(self.held) < 2:
            self.held.append(call.id)
            return TAKEN
        self.taken.append((time.monotonic() + 0.4, call.id))
        return TAKEN

    def report(self):
        while not self.over.wait(0.02):
            while self.taken and self.taken[0][0] < time.monotonic():
                self.receiver.api.send("POST", f"/calls/{self.taken.popleft()[1]}/status", {"status": "completed"})

    def stop(self):
        self.over.set()
        self.thread.join()
        self.taken.clear()


def dump(t, path):
    if not shutil.which("mariadb-dump"):
        raise tap.Skip("the package mariadb-client is not installed")
    with open(path, "wb") as file:
        subprocess.run(["mariadb-dump", "--no-defaults", f"--socket={t.stack.database.socket}", "--user=root",
                        "--default-character-set=utf8mb4", "--single-transaction", "outdial"], stdout=file, check=True)


def restore(t, path):
    """An empty server replaces the lost server."""
    lost = t.stack.database
    lost.stop()
    lost.discard()
    folders = [os.path.join(folder, "restored") for folder in (t.stack.state_dir, t.stack.run_dir)]
    for folder in folders:
        os.mkdir(folder)
    t.stack.database = databases.SERVERS[t.stack.database_kind](*folders, t.stack.log_dir)
    t.stack.start_database()
    with open(path, "rb") as file:
        subprocess.run(["mariadb", "--no-defaults", f"--socket={t.stack.database.socket}", "--user=root",
                        "--default-character-set=utf8mb4", "outdial"], stdin=file, check=True)


def stop_programs(t):
    for name in ("scheduler-1", "api"):
        t.stack.kill(name, signal.SIGKILL)


def calls_in_the_dump(t, batch):
    """Returns the state and the contact of each call, by id."""
    rows = t.stack.sql(f"SELECT LOWER(HEX(id)), status, to_number FROM calls WHERE batch_id = {t.row_of(batch)}")
    return {row[0]: (int(row[1]), row[2]) for row in rows}


def plain(call_id):
    return call_id.split("_")[-1].replace("-", "")


def test_a_backup_comes_back(t):
    dialer = Dialer(t)
    batch = t.api.batch(dialer.agent, CONTACTS, max_concurrent_calls=16, retry_failed=True, retry_on=["failed"],
                        max_retry_attempts=1, retry_delay_minutes=0)
    path = os.path.join(t.stack.state_dir, "backup.sql")
    try:
        t.api.schedule(batch)
        until(lambda: t.api.read(batch)["completed"] > 10, what="the campaign is under way")
        until(lambda: all(t.api.get(f"/calls/{call}")["status"] == "dispatched" for call in dialer.held),
              what="calls are in flight")
        dump(t, path)
        at_dump = len(dialer.receiver.calls())
        until(lambda: len(dialer.receiver.calls()) > at_dump + 10, what="more people have been called since")
    finally:
        dialer.stop()
    stop_programs(t)
    time.sleep(0.4)  # reports under way arrive
    before = dialer.receiver.calls()
    restore(t, path)

    known = calls_in_the_dump(t, batch)
    in_flight = {to for status, to in known.values() if status in (DISPATCHED, RINGING, IN_PROGRESS)}
    queued = {call_id for call_id, (status, _) in known.items() if status == QUEUED}
    since = {call.data["to"] for call in before if plain(call.id) not in known}
    t.stack.sql("UPDATE calls SET wake_at = UTC_TIMESTAMP(6) WHERE status = 0")  # a backup is older than a lease
    assert in_flight and since and queued & {plain(call.id) for call in before}, (in_flight, since, queued)

    assert "1 campaigns paused" in t.stack.outdial("pause", "--all")
    now = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() + 1))
    assert t.stack.outdial("recover", "--before", now).startswith(f"{len(in_flight)} calls")
    t.stack.start_api()
    t.stack.start_scheduler()
    t.stack.wait_ready()
    assert t.api.read(batch)["status"] == "paused"
    dialer.receiver.script = lambda call: ends()
    assert "1 campaigns resumed" in t.stack.outdial("resume", "--all")
    done = t.api.wait_for(batch, "completed", 90)
    assert (done["completed"], done["total_contacts"]) == (CONTACTS, CONTACTS), done

    ids, requests = collections.defaultdict(set), collections.Counter()
    for call in dialer.receiver.calls():
        ids[call.data["to"]].add(call.id)
        requests[plain(call.id)] += 1
    assert {to for to, found in ids.items() if len(found) > 1} == in_flight | since, "called again under another id"
    asked_before = {plain(call.id) for call in before}
    assert {call_id for call_id, count in requests.items() if count > 1} == queued & asked_before, "asked again"
    reasons = [call["end_reason"] for call in t.api.calls_of(batch) if call["status"] == "failed"]
    assert reasons == ["recovered"] * len(in_flight), reasons


if __name__ == "__main__":
    tap.run(globals())
