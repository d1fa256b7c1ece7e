#!/usr/bin/env python3
"""Reads from a real replica: it answers lists, exports, analytics and the overview; a client reads its own changes;
and the writer answers if the replica is away, late or hangs."""

import os
import re
import signal
import time
import urllib.request

import tap
import database as databases
import stack
from client import unhex, until
from receiver import ends

STACK = {"rate_limit": False, "config": {"workers": 3}}
TEST_SECONDS = 120
PORTS = [stack.free_port(), stack.free_port()]


def replicating(command, number):
    """The server listens on loopback for its replica, and the replica takes no writes."""
    kept = [option for option in command if option not in ("--skip-networking", "--skip-log-bin", "--disable-log-bin")]
    return kept + [f"--server-id={number}", f"--log-bin=changes{number}", "--binlog-format=ROW",
                   "--bind-address=127.0.0.1",
                   f"--port={PORTS[number - 1]}"] + (["--read-only=1"] if number == 2 else [])


class Source(databases.MariaDB):
    number = 1

    def _command(self):
        return replicating(super()._command(), self.number)


class SourceMySQL(databases.MySQL):
    number = 1

    def _create(self):
        super()._create()
        for name in os.listdir(self.data):
            if name == "auto.cnf":  # replication needs servers with different ids
                os.unlink(os.path.join(self.data, name))

    def _command(self):
        return replicating(super()._command(), self.number)


databases.SERVERS = {"mariadb": Source, "mysql": SourceMySQL}
FOLLOW = {
    "mariadb": ("CHANGE MASTER TO MASTER_HOST = '127.0.0.1', MASTER_PORT = {port}, MASTER_USER = 'follower',"
                " MASTER_PASSWORD = 'follows', MASTER_LOG_FILE = '{file}', MASTER_LOG_POS = 4; START SLAVE",
                "STOP SLAVE SQL_THREAD", "START SLAVE SQL_THREAD"),
    "mysql": ("CHANGE REPLICATION SOURCE TO SOURCE_HOST = '127.0.0.1', SOURCE_PORT = {port}, SOURCE_USER = 'follower',"
              " SOURCE_PASSWORD = 'follows', SOURCE_LOG_FILE = '{file}', SOURCE_LOG_POS = 4, GET_SOURCE_PUBLIC_KEY = 1;"
              " START REPLICA", "STOP REPLICA SQL_THREAD", "START REPLICA SQL_THREAD"),
}
replica = None


def start_replica(t):
    """Follows the server of the stack from its first change on."""
    global replica
    folders = [os.path.join(folder, "replica") for folder in (t.stack.state_dir, t.stack.run_dir)]
    for folder in folders:
        os.mkdir(folder)
    kind = databases.SERVERS[t.stack.database_kind]
    replica = type("Replica", (kind,), {"number": 2})(*folders, t.stack.log_dir)
    with open(t.stack.database_file) as file:
        settings = file.read()
    replica.start(re.search("password = (.*)", settings).group(1))
    t.stack.sql("CREATE USER follower@'%' IDENTIFIED BY 'follows'; GRANT REPLICATION SLAVE ON *.* TO follower@'%'")
    first = t.stack.sql("SHOW BINARY LOGS")[0][0]
    replica.sql(FOLLOW[t.stack.database_kind][0].format(port=PORTS[0], file=first), database="")
    path = os.path.join(t.stack.state_dir, "read.cnf")
    with open(path, "w") as file:
        os.chmod(path, 0o600)
        file.write(re.sub("socket = .*", f"socket = {replica.socket}", settings))
    t.stack.config = {**t.stack.config, "read_database_file": path}
    t.stack.kill("api", signal.SIGTERM)
    t.stack.start_api()
    t.stack.wait_ready()


def hold(t, held):
    """Changes that arrive at the replica wait there."""
    replica.sql(FOLLOW[t.stack.database_kind][1 if held else 2])


def metric(t, series):
    with urllib.request.urlopen(t.stack.url + "/metrics") as reply:
        return float(re.search("^" + re.escape(series) + r" (\S+)$", reply.read().decode(), re.M).group(1))


def reads(t, by):
    return metric(t, f'outdial_reads_total{{by="{by}"}}')


def wait_until_usable(t, usable, seconds=40):
    until(lambda: metric(t, "outdial_replica_usable") == usable, seconds, f"the replica is usable: {usable}")
    assert t.api.send("GET", "//readyz").data["replica"] == bool(usable)


def by_replica(t, path):
    """Waits until the replica has the organisation's changes and answers. Returns the answer."""
    def ask():
        before = reads(t, "replica")
        data = t.api.send("GET", path).data
        return reads(t, "replica") > before and [data]
    return until(ask, 15, f"the replica answers {path}")[0]


def test_a_replica_answers_reads(t):
    start_replica(t)
    wait_until_usable(t, 1)
    assert metric(t, "outdial_replica_lag_seconds") < 5
    assert "the replica" not in t.stack.outdial("check-config")
    receiver, agent = t.dialing_agent()
    receiver.script = lambda call: ends()
    batch = t.api.batch(agent, 3)
    t.api.schedule(batch)
    t.api.wait_for(batch, "completed")
    assert by_replica(t, "/batch-calls")[0]["completed"] == 3
    for path in (f"/batch-calls/{batch['id']}/contacts", "/calls"):
        assert len(by_replica(t, path)) == 3
    for path in ("/overview", f"/batch-calls/{batch['id']}/analytics", "/contacts", "/contacts/folders", "/do-not-call",
                 f"/batch-calls/{batch['id']}/history", "/webhooks/deliveries"):
        by_replica(t, path)
    link = t.api.post(f"/batch-calls/{batch['id']}/results-link")["url"]
    before = reads(t, "replica")
    with urllib.request.urlopen(link) as reply:
        assert len(reply.read().decode().splitlines()) == 4
    assert reads(t, "replica") == before + 1, "making an address writes nothing"
    before = reads(t, "replica")
    t.api.get(f"/batch-calls/{batch['id']}")
    assert reads(t, "replica") == before, "one object comes from the writer"
    lines = replica.sql("SELECT COUNT(*) FROM calls")
    assert lines == [["3"]], lines


def test_a_client_reads_its_own_writes(t):
    wait_until_usable(t, 1)
    other = t.client(organization="others")
    other.send("GET", "/contacts")
    for n in range(20):
        contact = t.api.post("/contacts", {"phone_number": f"+4930555{n:04}"})
        assert contact["id"] in [one["id"] for one in t.api.get("/contacts", limit=100)], n
    hold(t, True)
    lag = metric(t, "outdial_replica_lag_seconds")
    try:
        contact = t.api.post("/contacts", {"phone_number": "+49305559999"})
        for _ in range(20):
            assert contact["id"] in [one["id"] for one in t.api.get("/contacts", limit=100)]
            time.sleep(0.02)
        until(lambda: metric(t, "outdial_replica_lag_seconds") > lag, what="it falls behind")
        before = reads(t, "replica")
        other.send("GET", "/contacts")
        assert reads(t, "replica") == before + 1, "who wrote nothing need not wait"
        wait_until_usable(t, 0, 20)
        other.send("GET", "/contacts")
        assert reads(t, "replica") == before + 1, "it is too far behind"
    finally:
        hold(t, False)
    wait_until_usable(t, 1)
    assert contact["id"] in [one["id"] for one in by_replica(t, "/contacts?limit=100")]


def test_what_the_replica_does_not_know_the_writer_does(t):
    """A write through another host is found too. To simulate it, the row is deleted only on the replica."""
    receiver, agent = t.dialing_agent()
    batch = t.api.batch(agent, 1)
    path = f"/batch-calls/{batch['id']}/contacts"
    by_replica(t, path)
    replica.sql(f"DELETE FROM batch_calls WHERE uuid = {unhex(batch['id'])}")
    before = reads(t, "writer")
    assert len(t.api.get(path)) == 1
    assert reads(t, "writer") == before + 1


def test_a_hanging_replica_delays_requests_only_briefly(t):
    wait_until_usable(t, 1)
    by_replica(t, "/contacts")
    replica.process.send(signal.SIGSTOP)
    try:
        start = time.monotonic()
        t.api.get("/contacts")
        assert time.monotonic() - start < 12
        wait_until_usable(t, 0)
        start = time.monotonic()
        t.api.get("/contacts")
        assert time.monotonic() - start < 2
    finally:
        replica.process.send(signal.SIGCONT)
    wait_until_usable(t, 1)


def test_the_writer_answers_while_the_replica_is_away(t):
    wait_until_usable(t, 1)
    by_replica(t, "/contacts")
    replica.stop()
    t.api.get("/contacts")
    assert t.api.post("/contacts", {"phone_number": "+49305558888"})
    wait_until_usable(t, 0)
    t.api.get("/contacts")
    with open(os.path.join(t.stack.log_dir, "api.log")) as log:
        text = log.read()
    assert "the database is away" not in text and "the replica is away" in text, text
    assert metric(t, "outdial_database_up") == 1
    t.stack.config.pop("read_database_file")
    t.stack.write_config()
    replica.discard()


if __name__ == "__main__":
    tap.run(globals())
