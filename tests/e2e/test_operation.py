#!/usr/bin/env python3
"""What happens around the programs: a database that is away, hangs, or takes no writes; SIGHUP; processes that are stopped or
gone; and what an administrator is told of it."""

import os
import re
import signal
import subprocess
import threading
import time

import tap
from client import send_or_none, until
from receiver import Answer, ends

STACK = {"rate_limit": False, "config": {"workers": 3}}
TEST_SECONDS = 180
CLIENT = ["mariadb", "--no-defaults", "--user=root", "outdial", "--batch", "--unbuffered", "--skip-column-names"]


def ready(t):
    return t.api.send("GET", "//readyz")


def log_of(t, name):
    with open(os.path.join(t.stack.log_dir, name + ".log"), encoding="utf-8") as file:
        return file.read()


def lines(t, name, pattern, start=0):
    return [line for line in log_of(t, name)[start:].splitlines() if re.search(pattern, line)]


def timed(action):
    begin = time.monotonic()
    return action(), time.monotonic() - begin


class Session:
    """A session of the administrator that stays open."""

    def __init__(self, t, *statements):
        self.process = subprocess.Popen(CLIENT + [f"--socket={t.stack.database.socket}"], stdin=subprocess.PIPE,
                                        stdout=subprocess.PIPE, text=True)
        for statement in statements:
            self.run(statement)

    def run(self, statement):
        self.process.stdin.write(statement + ";\nSELECT 'done';\n")
        self.process.stdin.flush()
        while self.process.stdout.readline().strip() != "done":
            assert self.process.poll() is None, statement

    def __enter__(self):
        return self

    def __exit__(self, *exception):
        self.process.stdin.close()
        self.process.wait()


# The database is away

def test_programs_start_while_the_database_is_away(t):
    t.stack.kill("scheduler-1", signal.SIGTERM)
    t.stack.kill("api", signal.SIGTERM)
    t.stack.stop_database()
    api, scheduler = len(log_of(t, "api")), len(log_of(t, "scheduler-1"))
    try:
        t.stack.start_api()
        t.stack.start_scheduler()
        until(lambda: lines(t, "api", "the API has started", api), what="the API has started")
        until(lambda: lines(t, "scheduler-1", "the scheduler has started", scheduler), what="the scheduler has started")
        for path in ("/agents", "//readyz", "/agents"):
            reply, took = timed(lambda: t.api.send("GET", path))
            assert (reply.status, reply.error["code"]) == (503, "unavailable") and took < 5, (reply, took)
            assert reply.headers["Retry-After"]
        assert t.api.send("GET", "//healthz").status == 200
        until(lambda: lines(t, "scheduler-1", "the database is away", scheduler), what="the scheduler says so")
        for _ in range(30):
            assert t.api.send("GET", "/agents").status == 503
        assert t.stack.ended() is None, "nothing ends"
    finally:
        t.stack.resume_database()
    t.stack.wait_ready()
    receiver, agent = t.dialing_agent()
    receiver.script = lambda call: ends()
    batch = t.api.batch(agent, 3)
    t.api.schedule(batch)
    assert t.api.wait_for(batch, "completed")["completed"] == 3
    for name, start in (("api", api), ("scheduler-1", scheduler)):
        assert len(lines(t, name, "the database is away", start)) == 1, log_of(t, name)[start:]
        assert len(lines(t, name, "the database is back", start)) == 1, log_of(t, name)[start:]


def test_an_outage_is_two_lines(t):
    api = len(log_of(t, "api"))
    t.stack.stop_database()
    try:
        until(lambda: ready(t).status == 503, what="it is not ready")
        for _ in range(50):
            t.api.refuse("unavailable", "POST", "/agents", {"name": "A"})
    finally:
        t.stack.resume_database()
    t.stack.wait_ready()
    assert t.api.get("/agents") == []
    assert len(lines(t, "api", "database", api)) == 2, log_of(t, "api")[api:]


def test_a_database_that_hangs_holds_up_nobody(t):
    """SIGSTOP: connections are there, and nothing answers."""
    t.api.get("/agents")
    process = t.stack.database.process
    process.send(signal.SIGSTOP)
    try:
        threads = [threading.Thread(target=send_or_none, args=(t.api, "GET", "/agents")) for _ in range(3)]
        for thread in threads:
            thread.start()
        until(lambda: ready(t).status == 503, 25, "it is not ready")
        slowest = 0
        for path, status in (("//healthz", 200), ("//readyz", 503), ("/agents", 503), ("/numbers", 503)):
            reply, took = timed(lambda: t.api.send("GET", path))
            assert reply.status in (status, 404), reply
            slowest = max(slowest, took)
        assert slowest < 7, slowest
    finally:
        process.send(signal.SIGCONT)
    for thread in threads:
        thread.join()
    t.stack.wait_ready()
    until(lambda: send_or_none(t.api, "GET", "/agents"), what="requests are answered again")
    assert t.stack.ended() is None


def test_a_database_that_is_locked_refuses_writes_and_answers_reads(t):
    with Session(t, "FLUSH TABLES WITH READ LOCK") as session:
        until(lambda: ready(t).status == 503, 25, "it is not ready")
        reply, took = timed(lambda: t.api.send("POST", "/agents", {"name": "A"}))
        assert (reply.status, reply.error["code"]) == (503, "unavailable") and took < 8, (reply, took)
        assert t.api.get("/agents") == []
        assert t.api.send("GET", "//healthz").status == 200
        session.run("UNLOCK TABLES")
    t.stack.wait_ready()
    t.api.post("/agents", {"name": "A"})
    assert t.stack.ended() is None


def test_a_read_only_server_is_not_ready(t):
    t.stack.sql("SET GLOBAL read_only = 1")
    try:
        until(lambda: ready(t).status == 503, what="it is not ready")
        assert "takes writes" in ready(t).error["message"], ready(t)
        assert t.api.get("/agents") == [], "reads are answered"
        t.api.refuse("unavailable", "POST", "/agents", {"name": "A"})
    finally:
        t.stack.sql("SET GLOBAL read_only = 0")
    t.stack.wait_ready()
    t.api.post("/agents", {"name": "A"})


def test_the_first_host_that_takes_writes_is_used(t):
    """Of a list in which the first is gone, and the second is a replica."""
    import database as databases
    kind = databases.SERVERS[t.stack.database_kind]
    folders = [os.path.join(t.stack.state_dir, "replica"), os.path.join(t.stack.run_dir, "r"), t.stack.log_dir]
    for folder in folders:
        os.makedirs(folder, exist_ok=True)
    replica = kind(*folders)
    file = t.stack.database_file
    with open(file) as settings:
        own = settings.read()
    password = re.search("password = (.*)", own).group(1)
    replica.start(password)
    try:
        replica.sql("SET GLOBAL read_only = 1")
        with open(file, "w") as settings:
            settings.write(re.sub("socket = .*", f"host = /nonexistent.sock, {replica.socket}, {t.stack.database.socket}",
                                  own))
        assert "schema version" in t.stack.outdial("status")
    finally:
        with open(file, "w") as settings:
            settings.write(own)
        replica.stop()
        replica.discard()


def test_a_list_of_hosts_that_cannot_be_is_refused(t):
    with open(t.stack.database_file) as settings:
        own = settings.read()
    try:
        with open(t.stack.database_file, "w") as settings:
            settings.write(own + "host = db1:0, db2\n")
        assert "a port must be" in t.outdial_fails("status")
    finally:
        with open(t.stack.database_file, "w") as settings:
            settings.write(own)


# Beginning afresh

def test_a_hangup_begins_afresh_and_loses_nothing(t):
    receiver, agent = t.dialing_agent()
    receiver.script = lambda call: ends(delay=0.2)
    batch = t.api.batch(agent, 200, max_concurrent_calls=10)
    t.api.schedule(batch)
    receiver.wait_for_calls(10)
    refused = []
    over = threading.Event()

    def ask():
        while not over.is_set():
            reply = t.api.send("GET", "/agents")
            if reply.status != 200:
                refused.append(reply)

    client = threading.Thread(target=ask)
    client.start()
    try:
        for _ in range(3):
            old = set(t.stack.workers())
            for name in ("api", "scheduler-1"):
                t.stack.processes[name].send(signal.SIGHUP)
            until(lambda: t.stack.workers() and old.isdisjoint(t.stack.workers()), what="all workers are new")
    finally:
        over.set()
        client.join()
    assert not refused, refused[:3]
    done = t.api.wait_for(batch, "completed", 90)
    assert (done["completed"], done["failed"]) == (200, 0), done
    assert len({call.id for call in receiver.calls()}) == 200
    assert t.stack.ended() is None


def test_a_hangup_reads_the_configuration_again(t):
    config = t.stack.config
    workers = len(t.stack.workers())
    t.stack.config = {**config, "workers": workers + 1}
    try:
        t.stack.write_config()
        t.stack.processes["api"].send(signal.SIGHUP)
        until(lambda: lines(t, "api", f"has started workers={workers + 1}"), what="it has read that")
        until(lambda: len(t.stack.workers()) == workers + 1, what="there is a worker more")
        start = len(log_of(t, "api")), len(log_of(t, "scheduler-1"))
        t.stack.config = {**config, "workers": "many"}
        t.stack.write_config()
        for name, at in zip(("api", "scheduler-1"), start):
            t.stack.processes[name].send(signal.SIGHUP)
            until(lambda: lines(t, name, "SIGHUP changes nothing", at), what="a bad configuration is refused")
            assert lines(t, name, "`workers` must be", at)
        assert t.stack.ended() is None and t.api.get("/agents") == []
    finally:
        t.stack.config = config
        t.stack.write_config()
        t.stack.processes["api"].send(signal.SIGHUP)
    until(lambda: len(t.stack.workers()) == workers, what="it is as before")


def test_a_worker_that_is_stopped_is_replaced(t):
    old = t.stack.workers()
    for pid in old:
        os.kill(pid, signal.SIGSTOP)
    until(lambda: len(t.stack.workers()) == len(old) and set(old).isdisjoint(t.stack.workers()), 60, "others are there")
    assert lines(t, "api", "has been stopped for 30 s")
    assert t.api.get("/agents") == []


# Who is alive

def test_a_scheduler_that_is_gone_is_told(t):
    until(lambda: ready(t).data["schedulers"] == 1, what="one is seen")
    assert re.search(r"schedulers +1\n", t.stack.outdial("status"))
    receiver, agent = t.dialing_agent()
    receiver.script = lambda call: ends()
    t.stack.kill("scheduler-1")
    batch = t.api.batch(agent, 1)
    t.api.schedule(batch)
    until(lambda: ready(t).data["schedulers"] == 0, 40, "nobody is seen")
    until(lambda: ready(t).data["oldest_due_seconds"] > 5, 40, "work waits")
    status = t.stack.outdial("status")
    assert re.search(r"schedulers +0\n", status) and re.search(r"work waits, s +\d", status), status
    assert "no scheduler" in t.stack.outdial("explain", batch["id"], "1")
    t.stack.start_scheduler()
    t.api.wait_for(batch, "completed")
    until(lambda: ready(t).data["schedulers"] == 1 and ready(t).data["oldest_due_seconds"] == 0, 40, "all is well")
    assert "no scheduler" not in t.stack.outdial("explain", batch["id"], "1")


if __name__ == "__main__":
    tap.run(globals())
