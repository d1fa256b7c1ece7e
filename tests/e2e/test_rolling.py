#!/usr/bin/env python3
"""Two hosts, each with an API and a scheduler, are updated one after the other under load: from the programs and the
schema of before the newest file of sql/, or, if these do not keep answering after a migration, from the programs of the
checkout. No request fails, and no call is lost or doubled. See docs/operations.md, "Updates without a pause"."""

import collections
import os
import re
import signal
import threading
import time

import tap
import earlier
import stack as stacks
from client import Client, contacts, send_or_none, until
from receiver import Answer, ends, ends_later

STACK = {"rate_limit": False, "schedulers": 1, "config": {"workers": 3}}
TEST_SECONDS = 240
PEOPLE = 1200
CLIENTS = 3
BETWEEN_SECONDS = 2
APIS = ("api-a", "api-b")


class Host:
    """`build`: the folder of the programs; None: the programs of the checkout."""

    def __init__(self, t, api):
        self.stack, self.api = t.stack, api
        self.socket = t.stack.socket_of(api)
        self.scheduler = None

    def start(self, build=None):
        self.stack.start_api(self.api, build, socket=self.socket)
        self.scheduler = self.stack.start_scheduler(build)

    def stop(self):
        self.stack.kill(self.scheduler, signal.SIGTERM)
        self.stack.kill(self.api, signal.SIGTERM)

    def wait_ready(self):
        """Waits until the host is ready, before it gets requests."""
        port = stacks.free_port()
        self.stack.start_nginx("nginx-probe", port, [self.socket])
        probe = Client(f"http://127.0.0.1:{port}", "none")
        until(lambda: ready(probe), 30, f"{self.api} is ready")
        self.stack.kill("nginx-probe", signal.SIGTERM)


def ready(client):
    reply = send_or_none(client, "GET", "//readyz")
    return reply and reply.status == 200


class Load:
    """Clients that read and change objects without a pause. No request may fail."""

    def __init__(self, t, batch):
        self.t, self.batch = t, batch
        self.wrong, self.count, self.stopping = [], 0, threading.Event()
        self.threads = [threading.Thread(target=self.work, args=(n,), daemon=True) for n in range(CLIENTS)]
        for thread in self.threads:
            thread.start()

    def work(self, number):
        agent = None
        while not self.stopping.wait(0.01):
            for method, path, body, status in (
                    ("POST", "/agents", {"name": f"{number}"}, 201), ("PATCH", "/agents/{agent}", {"name": "B"}, 200),
                    ("GET", f"/batch-calls/{self.batch['id']}", None, 200), ("GET", "/calls", None, 200),
                    ("DELETE", "/agents/{agent}", None, 204)):
                try:
                    reply = self.t.api.send(method, path.format(agent=agent), body)
                    if reply.status != status:
                        self.wrong.append((method, path, reply))
                    if status == 201:
                        agent = reply.data["id"]
                except Exception as error:
                    self.wrong.append((method, path, repr(error)))
                self.count += 1

    def end(self):
        self.stopping.set()
        for thread in self.threads:
            thread.join()


def begin_earlier(t, build, sql):
    """The old stack: the programs of before, an empty database with their schema, and two hosts behind one nginx."""
    for name in ("api", "scheduler-1"):
        t.stack.kill(name, signal.SIGTERM)
    t.stack.sql("DROP DATABASE outdial; CREATE DATABASE outdial CHARACTER SET utf8mb4")
    t.stack.outdial("migrate", "--sql", sql, build=build)
    t.stack.outdial("secrets", "rekey", build=build)
    hosts = [Host(t, api) for api in APIS]
    for host in hosts:
        host.start(build)
    t.stack.hand_over([host.socket for host in hosts])
    t.stack.wait_ready()
    t.api.key = t.stack.outdial("key", "create", "--organization", t.organization, "--scopes", "all",
                                build=build).strip()
    return hosts


def update(t, hosts, host, first):
    others = [other.socket for other in hosts if other is not host]
    t.stack.hand_over(others)
    host.stop()
    if first:
        t.stack.migrate()
        time.sleep(BETWEEN_SECONDS)  # the other host works on, with the schema after its own
    host.start()
    host.wait_ready()
    t.stack.hand_over([other.socket for other in hosts])
    time.sleep(BETWEEN_SECONDS)


def failures_at_nginx(t):
    """Requests that were answered 5xx, also requests of the dialer. A host that starts may say that it is not ready."""
    with open(os.path.join(t.stack.log_dir, "access.log")) as log:
        return [line for line in log if re.search(r'" 5\d\d ', line) and "/readyz" not in line]


def connections_dropped_by_nginx(t):
    """When nginx 1.22 takes a new configuration, its old worker can end with connections open. It writes an alert."""
    with open(os.path.join(t.stack.log_dir, "nginx.log")) as log:
        return sum("open socket" in line and "left in connection" in line for line in log)


def was_cut(failure):
    cuts = ("IncompleteRead", "RemoteDisconnected", "ConnectionReset")
    return isinstance(failure[2], str) and failure[2].startswith(cuts)


def test_two_hosts_are_updated_under_load(t):
    place = earlier.folder()
    print(f"# from the programs of {place}")
    hosts = begin_earlier(t, os.path.join(place, t.stack.build if place == stacks.ROOT else "build"),
                          os.path.join(place, "sql"))
    receiver, agent = t.dialing_agent()
    outcomes = [lambda: ends(), lambda: ends_later(0.3), lambda: ends("busy"), lambda: Answer(202, later=[
        (0.1, {"status": "ringing"}), (0.4, {"status": "completed"})])]
    receiver.script = lambda call: outcomes[int(call.data["to"][-1]) % len(outcomes)]()
    people = contacts(PEOPLE)
    batch = t.api.batch(agent, people[:600], max_concurrent_calls=10, calls_per_minute=2400)
    for at in range(600, PEOPLE, 600):
        t.api.post(f"/batch-calls/{batch['id']}/contacts", {"contacts": people[at:at + 600]})
    t.api.schedule(batch)
    before = len(failures_at_nginx(t))
    receiver.wait_for_calls(20)
    load = Load(t, batch)
    for number, host in enumerate(hosts):
        update(t, hosts, host, first=number == 0)
    now = t.api.read(batch)
    assert now["status"] == "active" and now["pending"] > 0, f"all of it under load: {now}"
    load.end()
    t.api.patch(f"/batch-calls/{batch['id']}", {"calls_per_minute": None, "max_concurrent_calls": 50})
    done = t.api.wait_for(batch, "completed", 120)
    print(f"# {load.count} requests of clients, {len(receiver.calls())} of the schedulers")
    cut = [failure for failure in load.wrong if was_cut(failure)]
    assert len(cut) <= connections_dropped_by_nginx(t), f"{len(cut)} of {load.count} were cut: {cut[:5]}"
    assert len(cut) == len(load.wrong), f"{len(load.wrong)} of {load.count} failed: {load.wrong[:5]}"
    failed = failures_at_nginx(t)[before:]
    assert not failed, f"{len(failed)}: {failed[:5]}"
    assert done["completed"] + done["busy"] == PEOPLE, done
    asked = collections.Counter(call.data["to"] for call in receiver.calls())
    twice = [to for to, count in asked.items() if count != 1]
    assert len(asked) == PEOPLE and not twice, (len(asked), twice[:5])
    assert len(t.stack.sql("SELECT id FROM calls")) == PEOPLE


if __name__ == "__main__":
    tap.run(globals())
