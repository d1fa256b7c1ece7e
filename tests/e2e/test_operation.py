#!/usr/bin/env python3
"""Operation: a database that is away, hangs, or takes no writes; SIGHUP; processes that are stopped or killed; and the
view of an administrator."""

import contextlib
import glob
import hashlib
import json
import os
import re
import shutil
import signal
import subprocess
import threading
import time
import urllib.request

import tap
import stack
from client import send_or_none, until
from receiver import Answer, ends
from session import Session

STACK = {"rate_limit": False, "config": {"workers": 3}}
TEST_SECONDS = 180


def ready(t):
    return t.api.send("GET", "//readyz")


def log_of(t, name):
    with open(os.path.join(t.stack.log_dir, name + ".log"), encoding="utf-8") as file:
        return file.read()


def lines(t, name, pattern, start=0):
    return [line for line in log_of(t, name)[start:].splitlines() if re.search(pattern, line)]


def is_tested(t, name):
    """Returns whether a child of a program tests the configuration, and waits for the database."""
    pid = t.stack.processes[name].pid
    with open(f"/proc/{pid}/task/{pid}/children") as file:
        children = file.read().split()
    return any(is_test(child) and sockets_of(child) - sockets_of(pid) for child in children)


def is_test(pid):
    with open(f"/proc/{pid}/cmdline") as file:
        return "-t" in file.read().split("\0")


def sockets_of(pid):
    """Returns the sockets of a process, also sockets that it inherited."""
    links = []
    for descriptor in glob.glob(f"/proc/{pid}/fd/*"):
        try:
            links.append(os.readlink(descriptor))
        except OSError:  # it has been closed
            pass
    return {link for link in links if link.startswith("socket:")}


def timed(action):
    begin = time.monotonic()
    return action(), time.monotonic() - begin


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


def test_a_hanging_database_is_a_503_at_once(t):
    """The server is stopped (SIGSTOP), so connections stay open, but no statement is answered."""
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


def test_a_database_without_a_free_connection(t):
    """Workers that have a connection go on. The worker that has lost its connection waits for another one, and
    meanwhile accepts no requests."""
    for _ in range(20):
        t.api.get("/agents")
    start = len(log_of(t, "api"))
    most = t.stack.sql("SELECT @@max_connections")[0][0]
    ids = [session.id for session in t.stack.sessions(user="outdial")]
    with contextlib.ExitStack() as sessions:
        session = sessions.enter_context(Session(t, f"SET GLOBAL max_connections = {max(10, len(ids))}"))
        fill(t, sessions)
        # until the killed connection belongs to a worker
        while not lines(t, "api", "the database has no connection left", start):
            session.run(f"KILL {ids.pop()}")
            fill(t, sessions)
            [t.api.send("GET", "/agents") for _ in range(10)]
        answers = [t.api.send("GET", "/agents").status for _ in range(15)]
        session.run(f"SET GLOBAL max_connections = {most}")
    # if the workers take requests in turn, two of three succeed
    assert answers.count(200) >= 9 and set(answers) <= {200, 503}, answers
    assert not lines(t, "api", "the database is away", start), lines(t, "api", "the database", start)
    until(lambda: [t.api.send("GET", "/agents").status for _ in range(20)] == [200] * 20, what="all workers answer")


def fill(t, sessions):
    """Opens connections until the server accepts no more."""
    while True:
        try:
            sessions.enter_context(Session(t, "SELECT 1"))
        except (AssertionError, OSError):
            return


def test_a_database_that_is_locked_refuses_writes_and_answers_reads(t):
    with Session(t, "FLUSH TABLES WITH READ LOCK") as session:
        until(lambda: "takes writes" in ready(t).text, 25, "it is known that no write comes through")
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
    """A list of hosts of which the first is gone, and the second is a replica."""
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
            settings.write(re.sub("socket = .*",
                                  f"host = /nonexistent.sock, {replica.socket}, {t.stack.database.socket}", own))
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


# SIGHUP

def test_sighup_restarts_without_loss(t):
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
            for name in ("api", "scheduler-1", "scheduler-1", "scheduler-1"):
                t.stack.processes[name].send(signal.SIGHUP)
                time.sleep(0.01)  # while the program begins
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


def test_a_configuration_that_goes_bad_after_its_test(t):
    """The test of the configuration waits for the database, so there is time to change a file between test and
    start."""
    config, database = t.stack.config, t.stack.database.process
    workers = len(t.stack.workers())
    start = len(log_of(t, "api"))
    database.send(signal.SIGSTOP)
    try:
        t.stack.config = {**config, "workers": workers + 1}
        t.stack.write_config()
        with open(t.stack.config_file) as file:
            good = file.read()
        for name in ("api", "scheduler-1"):
            t.stack.processes[name].send(signal.SIGHUP)
        until(lambda: all(is_tested(t, name) for name in ("api", "scheduler-1")),
              what="both have read the configuration")
        with open(t.stack.config_file, "w") as file:
            file.write(good.replace(f"workers = {workers + 1}", "workers = many"))
    finally:
        database.send(signal.SIGCONT)
    try:
        until(lambda: lines(t, "api", f"has started workers={workers + 1}", start), 60, "the tested text is used")
        t.stack.wait_ready()
        assert t.stack.ended() is None and t.api.get("/agents") is not None
    finally:
        t.stack.config = config
        t.stack.write_config()
        for name in ("api", "scheduler-1"):
            t.stack.processes[name].send(signal.SIGHUP)
    until(lambda: len(t.stack.workers()) == workers, what="it is as before")


def test_a_stopped_worker_does_not_delay_the_end(t):
    for pid in t.stack.workers():
        os.kill(pid, signal.SIGSTOP)
    process = t.stack.processes["api"]
    process.send(signal.SIGTERM)
    assert process.wait(20), "the API has not ended"
    t.stack.kill("api", signal.SIGTERM)
    t.stack.start_api()
    t.stack.wait_ready()


# Processes that are alive

def test_a_missing_scheduler_is_reported(t):
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


def test_the_status_as_json_and_again_and_again(t):
    now = json.loads(t.stack.outdial("status", "--json"))
    assert now["schedulers"] == 1 and now["schema_version"] == version(t), now
    kinds = [process["kind"] for process in now["processes"]]
    assert "api" in kinds and "scheduler" in kinds, now
    process = subprocess.Popen([f"{t.stack.build}/outdial", "-c", t.stack.config_file, "status", "--watch", "--json"],
                               stdout=subprocess.PIPE, text=True)
    try:
        for _ in range(2):
            assert "campaigns" in json.loads(process.stdout.readline())
    finally:
        process.terminate()
        process.wait()
    assert "unknown option" in t.outdial_fails("status", "--jason")


def metrics(t):
    """Returns the metrics by name and labels. Each name must have its help and type once, before its values."""
    with urllib.request.urlopen(t.stack.url + "/metrics") as reply:
        text = reply.read().decode()
    typed, values = {}, {}
    for line in text.splitlines():
        if line.startswith("# TYPE "):
            _, _, name, kind = line.split(" ")
            assert name not in typed, name
            typed[name] = kind
        elif not line.startswith("#"):
            labelled, value = line.rsplit(" ", 1)
            name = labelled.split("{")[0]
            assert name in typed or re.sub("_(bucket|sum|count)$", "", name) in typed, line
            assert labelled not in values, line
            values[labelled] = float(value)
    return values


def test_metrics_of_the_operation(t):
    receiver, agent = t.dialing_agent()
    receiver.script = lambda call: Answer(200)
    batch = t.api.batch(agent, 3)
    before = metrics(t)
    t.api.schedule(batch)
    calls = receiver.wait_for_calls(3)
    for _ in range(2):
        receiver.report(calls[0].id, "completed")
    now = metrics(t)
    assert now["outdial_database_up"] == now["outdial_database_writable"] == now["outdial_schedulers"] == 1, now
    assert now['outdial_campaigns{status="active"}'] == before['outdial_campaigns{status="active"}'] + 1
    assert now["outdial_calls_in_flight"] == before["outdial_calls_in_flight"] + 2
    for result in ("accepted", "ignored"):
        name = f'outdial_reports_total{{result="{result}"}}'
        assert now[name] == before[name] + 1, (name, before, now)
    route = "POST /api/public/v1/calls/<id>/status"
    assert now[f'outdial_http_requests_total{{route="{route}",status="200"}}'] >= 2
    counted = now[f'outdial_http_request_seconds_count{{route="{route}"}}']
    assert counted == now[f'outdial_http_request_seconds_bucket{{route="{route}",le="+Inf"}}'] >= 2
    assert now['outdial_workers{state="busy"}'] >= 1, "the one that answers"
    seen = [value for name, value in now.items() if name.startswith("outdial_scheduler_last_seen_seconds{")]
    assert seen and seen[0] < 15, now
    t.stack.stop_database()
    try:
        until(lambda: ready(t).status == 503, what="it is not ready")
        away = metrics(t)
        assert away["outdial_database_up"] == 0 and "outdial_calls_in_flight" not in away, away
    finally:
        t.stack.resume_database()
    t.stack.wait_ready()


def test_all_campaigns_are_paused_and_resumed(t):
    receiver, agent = t.dialing_agent()
    receiver.script = lambda call: Answer(200)
    running, paused, draft = (t.api.batch(agent, 2, max_concurrent_calls=1) for _ in range(3))
    for batch in (running, paused):
        t.api.schedule(batch)
    t.api.post(f"/batch-calls/{paused['id']}/pause")
    receiver.wait_for_calls(1)
    assert "campaigns paused" in t.stack.outdial("pause", "--all")
    assert t.api.read(running)["status"] == "paused" and "operator" in t.api.read(running)["status_reason"]
    for call in receiver.calls():
        receiver.report(call.id, "completed")
    t.stack.outdial("pause", "--all")
    t.api.patch(f"/batch-calls/{running['id']}", {"max_calls_per_day": 1000})
    t.stack.outdial("resume", "--all")
    assert t.api.read(running)["status"] in ("active", "scheduled")
    assert (t.api.read(paused)["status"], t.api.read(draft)["status"]) == ("paused", "draft")
    assert "--all is required" in t.outdial_fails("pause", running["id"])
    receiver.script = lambda call: ends()
    t.api.post(f"/batch-calls/{paused['id']}/resume")
    for batch in (running, paused):
        for call in receiver.calls():
            receiver.report(call.id, "completed")
        t.api.wait_for(batch, "completed")


def test_calls_of_before_a_backup_are_ended(t):
    receiver, agent = t.dialing_agent()
    receiver.script = lambda call: Answer(200)
    t.stack.outdial("recover", "--before", "2100-01-01T00:00:00Z")  # of other tests
    batch = t.api.batch(agent, 4, max_concurrent_calls=2)
    t.api.schedule(batch)
    receiver.wait_for_calls(2)
    until(lambda: {call["status"] for call in t.api.calls_of(batch)} == {"dispatched"}, what="the dialer has them")
    earlier = min(call["created_at"] for call in t.api.calls_of(batch))
    assert t.stack.outdial("recover", "--before", earlier).startswith("0 calls"), "none of them was there"
    receiver.script = lambda call: ends()
    assert t.stack.outdial("recover", "--before", "2100-01-01T00:00:00Z").startswith("2 calls")
    done = t.api.wait_for(batch, "completed")
    assert (done["failed"], done["completed"]) == (2, 2), done
    assert sorted(call["end_reason"] for call in t.api.calls_of(batch)
                  if call["status"] == "failed") == ["recovered"] * 2
    assert t.stack.outdial("recover", "--before", "2100-01-01T00:00:00Z").startswith("0 calls")
    assert "--before must be" in t.outdial_fails("recover")


def test_changes_are_in_the_log_once_and_by_public_ids(t):
    api, scheduler = len(log_of(t, "api")), len(log_of(t, "scheduler-1"))
    receiver, agent = t.dialing_agent()
    receiver.script = lambda call: Answer(404)
    batch = t.api.batch(agent, 1)
    t.api.schedule(batch)
    t.api.wait_for(batch, "completed")
    key = t.api.post("/keys", {"name": "A", "scopes": ["read"]})
    t.api.delete(f"/keys/{key['id']}")
    said = log_of(t, "api")[api:] + log_of(t, "scheduler-1")[scheduler:]
    for status in ("scheduled", "active", "completed"):
        shown = [line for line in said.splitlines() if f"campaign={batch['id']}" in line
                and f" status={status} " in line]
        assert len(shown) == 1 and shown[0].startswith("<6>"), (status, said)
    call = t.api.calls_of(batch)[0]["id"]
    assert len([line for line in said.splitlines() if f"call={call}" in line]) == 1, said
    for what in ("made", "revoked"):
        assert re.search(f"<6>an API key is {what} key={key['id']} request=req_", said), said


# The schema

def migrate(t, folder=None):
    return t.stack.outdial("migrate", "--sql", folder or os.path.join(stack.ROOT, "sql"))


def version(t):
    return int(t.stack.sql("SELECT MAX(version) FROM schema_version")[0][0])


def test_a_file_that_was_skipped_is_applied(t):
    t.stack.sql("DELETE FROM schema_version WHERE version = 12")
    until(lambda: ready(t).status == 503, what="it is not ready")
    assert "schema version 11" in ready(t).error["message"], ready(t)
    said = migrate(t)
    assert said.count("applying") == 1 and "applying 0012" in said, said
    t.stack.wait_ready()


def sign_of_api(t):
    return t.stack.sql("SELECT MAX(seen_at) FROM processes WHERE kind = 0")


def test_a_newer_schema_takes_no_host_out(t):
    """The schema is newer than the program while hosts are updated one after the other."""
    newer = version(t) + 1
    t.stack.sql(f"INSERT INTO schema_version (version, applied_at, checksum) VALUES ({newer}, UTC_TIMESTAMP(6), '')")
    try:
        for _ in range(7):  # the monitor gives a sign of life every second, and reads the version every five seconds
            looks = sign_of_api(t)
            until(lambda: ready(t).status != 200 or sign_of_api(t) != looks, what="the monitor looks again")
            assert ready(t).status == 200, ready(t)
        t.api.post("/agents", {"name": "A"})
    finally:
        t.stack.sql(f"DELETE FROM schema_version WHERE version = {newer}")


def test_every_file_has_its_checksum(t):
    found = dict(t.stack.sql("SELECT version, checksum FROM schema_version"))
    folder = os.path.join(stack.ROOT, "sql")
    names = sorted(name for name in os.listdir(folder) if name.endswith(".sql"))
    assert len(found) == len(names) == version(t)
    for name in names:
        with open(os.path.join(folder, name), "rb") as file:
            assert found[str(int(name[:4]))] == hashlib.sha256(file.read()).hexdigest(), name
    other = os.path.join(t.stack.state_dir, "sql")
    shutil.copytree(folder, other)
    with open(os.path.join(other, names[2]), "a") as file:
        file.write("-- another\n")
    result = subprocess.run([f"{t.stack.build}/outdial", "-c", t.stack.config_file, "migrate", "--sql", other],
                            capture_output=True, text=True)
    assert result.returncode == 0 and f"{names[2]} is not the file" in result.stderr, result
    os.unlink(os.path.join(other, names[5]))
    assert "no file of version 6" in t.outdial_fails("migrate", "--sql", other)


def test_a_schema_from_before_checksums_is_brought_up_to_date(t):
    last = version(t)
    t.stack.sql("ALTER TABLE schema_version DROP COLUMN checksum; DROP TABLE guards, processes, service_key;"
                " ALTER TABLE batch_calls DROP COLUMN turn; DELETE FROM schema_version WHERE version >= 20")
    said = migrate(t)
    assert said.count("applying") == last - 19, said
    assert t.stack.sql("SELECT COUNT(*) FROM schema_version WHERE LENGTH(checksum) = 64") == [[str(last)]]
    t.stack.wait_ready()


def test_a_migration_says_what_it_waits_for(t):
    """The migration waits, and is not given up after the time that a request may take."""
    t.stack.sql("ALTER TABLE batch_calls DROP COLUMN turn; DELETE FROM schema_version WHERE version = 20")
    with Session(t, "BEGIN", "SELECT COUNT(*) FROM batch_calls") as session:
        process = subprocess.Popen([f"{t.stack.build}/outdial", "-c", t.stack.config_file, "migrate", "--sql",
                                    os.path.join(stack.ROOT, "sql")], stdout=subprocess.PIPE, text=True)
        said = ""
        while "metadata lock" not in said:
            line = process.stdout.readline()
            assert line, said
            said += line
        time.sleep(22)
        assert process.poll() is None, "it still waits"
        session.run("COMMIT")
    said += process.stdout.read()
    assert process.wait() == 0 and "schema version" in said, said
    t.stack.wait_ready()


# Keys

def test_a_program_with_another_key_does_not_start(t):
    config = t.stack.config
    other = os.path.join(t.stack.state_dir, "other.key")
    with open(other, "w") as file:
        file.write("07" * 32 + "\n")
    os.chmod(other, 0o600)
    known = t.stack.sql("SELECT LOWER(HEX(key_id)) FROM service_key")[0][0]
    try:
        t.stack.config = {**config, "secret_key_file": other}
        said = t.outdial_fails("check-config")
        assert f"key {known}, which it lacks" in said, (known, said)
        assert f"key {known}, which it lacks" in t.outdial_fails("migrate", "--sql", os.path.join(stack.ROOT, "sql"))
        for program in ("outdial-api", "outdial-scheduler"):
            result = subprocess.run([f"{t.stack.build}/{program}", "-t", "-c", t.stack.write_config()],
                                    capture_output=True, text=True)
            assert result.returncode == 1 and f"key {known}" in result.stderr, result
    finally:
        t.stack.config = config
        t.stack.write_config()
    with open(t.stack.secret_key_file) as file:
        own = file.read()
    try:  # a new key, as outdial.conf(5) describes
        with open(t.stack.secret_key_file, "w") as file:
            file.write("09" * 32 + "\n" + own)
        t.stack.outdial("secrets", "rekey")
        assert t.stack.sql("SELECT LOWER(HEX(key_id)) FROM service_key")[0][0] != known
    finally:
        with open(t.stack.secret_key_file, "w") as file:
            file.write(own + "09" * 32 + "\n")
        t.stack.outdial("secrets", "rekey")
    assert t.stack.sql("SELECT LOWER(HEX(key_id)) FROM service_key")[0][0] == known


if __name__ == "__main__":
    tap.run(globals())
