#!/usr/bin/env python3
"""Outdial on a cluster of three: Galera where the database is MariaDB, group replication where it is MySQL. The node
that takes the writes is killed, is stopped, and loses the others, while everybody goes on; then every promise is
checked. `--kills 10 --seconds 900` makes it long."""

import collections
import contextlib
import os
import re
import signal
import threading
import time
import urllib.request

import tap
import chaos
import invariants
import cluster
import stack as stacks
from client import Client, contacts, send_or_none, unhex, until
from receiver import ends

STACK = {"rate_limit": False, "schedulers": 2, "cluster": True,
         # longer than any gap, because places would become free in a longer gap
         "config": {"lease_seconds": 30, "dispatch_ttl_seconds": 25}}
TEST_SECONDS = 280
KILLS = 2
LONGEST_GAP = 45  # programs notice a stopped server after 20 s, and the cluster needs time to exclude it
CALM_SECONDS = 150  # as in test_chaos.py
BETWEEN_SECONDS = 2
CROWD_SECONDS = 12  # of two writers
HELD_SECONDS = 2  # how long a node is stopped at most: the others must not exclude it
CHANGES = ["batch.status.changed", "batch.completed", "call.ended", "call.failed"]


def skip(options):
    return cluster.fault(options.database)


class Pulse:
    """A client that writes all the time. `at`: when its successful requests were answered."""

    def __init__(self, t):
        self.t, self.at, self.fault, self.stopping = t, [], None, threading.Event()
        self.agent = t.api.post("/agents", {"name": "0"})
        self.thread = threading.Thread(target=self.beat, daemon=True)
        self.thread.start()

    def beat(self):
        count = 0
        try:
            while not self.stopping.wait(0.05):
                count += 1
                if send_or_none(self.t.api, "PATCH", f"/agents/{self.agent['id']}", {"name": str(count)}):
                    self.at.append(time.monotonic())
        except Exception as fault:
            self.fault = fault

    def since(self, at):
        assert not self.fault, self.fault
        return [beat for beat in self.at if beat > at]

    def end(self):
        self.stopping.set()
        self.thread.join()
        assert not self.fault, self.fault


def longest(times):
    return max((after - before for before, after in zip(times, times[1:])), default=0)


class Falls(chaos.Chaos):
    """Chaos in which all accidents happen to the node that takes the writes."""

    late_seconds = 4  # while a node falls, a scheduler waits for it

    def __init__(self, t):
        super().__init__(t)
        self.pulse = Pulse(t)
        self.gaps = []

    def open(self, dialers):
        self.agents = [agent for _, agent in dialers]
        super().open(dialers)

    def dialer(self, chance):
        """Makes only a few calls a second, so that contacts are left all the time."""
        script = super().dialer(chance)

        def slow(call):
            self.stopping.wait(0.6)
            return script(call)
        return slow

    def new_people(self, count):
        return super().new_people(count * 5 if count >= 20 else count)

    def cut_dialers(self, chance):
        """Does nothing, because these tests measure the delays that the database causes."""

    def accident(self, chance):
        database = self.t.stack.database
        kind = database.ACCIDENTS[len(self.gaps) % len(database.ACCIDENTS)]
        self.t.stack.wait_ready()
        for agent in self.agents:
            self.add_campaign(chance, agent, 0)
        node, since = database.used(), time.monotonic()
        if kind == "kill":
            database.kill(node)
        elif kind == "stop":
            node.process.send(signal.SIGSTOP)
        else:
            database.part(node)
        until(lambda: self.pulse.since(since + 0.5), LONGEST_GAP, f"writes are answered again after {kind}")
        went_on = self.pulse.since(since + 0.5)[0]
        until(lambda: self.requested(went_on), LONGEST_GAP, "calls are requested again")
        self.count(kind)
        self.gaps.append((kind, self.gap(self.pulse.at, since), self.gap(self.requested(since - 5), since)))
        time.sleep(BETWEEN_SECONDS)
        if kind == "kill":
            database.come_back(node)
        elif kind == "stop":
            node.process.send(signal.SIGCONT)
        else:
            database.join(node)
        database.wait_whole()

    def gap(self, times, since):
        return longest([at for at in times if at > since - 5])

    def requested(self, since):
        return sorted(call.at for receiver in self.t.receivers for call in receiver.calls() if call.at > since)


def told_of(t):
    """The moves in the log of the API, which its metrics count."""
    with urllib.request.urlopen(t.stack.url + "/metrics", timeout=20) as reply:
        metrics = dict(re.findall(r"^(outdial_database_\w+) (\S+)$", reply.read().decode(), re.M))
    with open(os.path.join(t.stack.log_dir, "api.log")) as log:
        moves = re.findall(r"the database's writes go to (\S+) now, after ([0-9.]+) s", log.read())
    assert int(metrics["outdial_database_moves_total"]) == len(moves), (metrics, moves)
    assert abs(float(metrics["outdial_database_move_seconds"]) - float(moves[-1][1])) < 0.1, (metrics, moves)
    return [(host, float(seconds)) for host, seconds in moves]


def end_in_peace(t, play):
    play.calm_down()
    deadline = time.monotonic() + CALM_SECONDS
    while invariants.unfinished(t, play.campaigns):
        assert time.monotonic() < deadline, invariants.unfinished(t, play.campaigns)
        time.sleep(0.2)


class TwoWriters(chaos.Chaos):
    """Every request goes to one of two APIs, which are on different nodes."""

    late_seconds = 4  # one node applies the changes of another a little later

    def __init__(self, t, apis):
        super().__init__(t)
        self.apis = apis

    def client(self):
        return self.t.random.choice(self.apis)

    def accident(self, chance):
        """Makes no accidents: the conflicts are enough."""


class SecondHost:
    """An API with nginx, and a scheduler, which use another node than the other programs."""

    def __init__(self, t, node):
        stack, self.t, self.node = t.stack, t, node
        self.port = stacks.free_port()
        self.own = {"database_file": stack.database_file_of(node)}
        stack.kill("scheduler-2", signal.SIGTERM)
        stack.start_api("api-2", socket=stack.socket_of("api-2"), **self.own)
        self.scheduler = stack.start_scheduler(**self.own)
        stack.start_nginx("nginx-2", self.port, [stack.socket_of("api-2")])
        self.api = Client(f"http://127.0.0.1:{self.port}", t.api.key)
        until(self.is_ready, what="the second API is ready")

    def is_ready(self):
        reply = send_or_none(self.api, "GET", "//readyz")
        return reply and reply.status == 200

    def end(self):
        for name in ("nginx-2", "api-2", self.scheduler):
            self.t.stack.kill(name, signal.SIGTERM)
        self.t.stack.start_scheduler()


def calls_with(t, column):
    """Returns when calls began, by the value of a column of `calls`."""
    found = collections.defaultdict(list)
    for value, at in t.stack.sql(f"SELECT c.{column}, c.called_at FROM calls c JOIN organizations o"
                                 f" ON o.id = c.organization_id"
                                 f" WHERE o.name = '{t.organization}' ORDER BY c.called_at"):
        found[value].append(invariants.instant(at))
    return found


@contextlib.contextmanager
def two_writers(t):
    """A second host, which uses another node than all other programs."""
    if t.stack.database_kind != "mariadb":
        raise tap.Skip("a group has one primary")
    used = t.stack.database.used()
    second = SecondHost(t, next(node for node in t.stack.database.nodes if node is not used))
    try:
        yield second
    finally:
        second.end()


def seen_by(api, path):
    """A change that one node committed is visible on the other node a moment later."""
    until(lambda: send_or_none(api, "GET", path).status == 200, what="the other node shows it")


def test_two_writers_break_no_rule_of_numbers(t):
    """Contact limits and paces, whose locks are local to each node."""
    with two_writers(t) as second:
        t.api.patch("/organization", {"contact_limits": [{"max_attempts": 1, "period_hours": 24}]})
        receiver, agent = t.dialing_agent()
        receiver.script = lambda call: ends()
        number = t.api.number()["id"]
        t.api.patch(f"/telephony/numbers/{number}", {"calls_per_minute": 600})
        free = t.api.number()["id"]
        limited = [t.api.batch(agent, contacts(150), phone_number_ids=[free], max_concurrent_calls=20)
                   for _ in range(4)]
        paced = [t.api.batch(agent, contacts(40, 1000 * (n + 1)), phone_number_ids=[number], max_concurrent_calls=20)
                 for n in range(2)]
        for nth, batch in enumerate(limited + paced):
            seen_by(second.api, f"/batch-calls/{batch['id']}")
            (second.api if nth % 2 else t.api).schedule(batch)
        people = {contact["phone_number"] for contact in contacts(150)}
        until(lambda: len(people & set(calls_with(t, "to_number"))) == 150, 60, "everybody was called")
        for batch in paced:
            t.api.wait_for(batch, "completed")
        for batch in limited:
            t.api.post(f"/batch-calls/{batch['id']}/cancel")
        twice = {to: at for to, at in calls_with(t, "to_number").items() if len(at) > 1}
        assert not twice, f"{len(twice)} of {len(people)} were called twice: {list(twice.items())[:3]}"
        row = t.stack.sql(f"SELECT phone_number FROM phone_numbers WHERE uuid = {unhex(number)}")[0][0]
        times = calls_with(t, "from_number")[row]
        gaps = [(after - before).total_seconds() for before, after in zip(times, times[1:])]
        assert len(times) == 80 and min(gaps) >= 0.1, min(gaps)


def is_committing(node):
    """Returns whether a request's transaction has done all its work and waits for the other nodes."""
    return node.ask("SELECT COUNT(*) FROM information_schema.processlist WHERE user = 'outdial' AND info = 'COMMIT'"
                    " AND time_ms > 100") not in (None, ["0"])


def at_once(t, nodes, requests):
    """Sends each request to a node of its own. The third node is stopped, so no node can commit, and each node judges
    its request without the other request. Returns the replies, and whether both requests were waiting to commit."""
    replies = []

    def send(client, request):
        replies.append(send_or_none(client, *request))

    threads = [threading.Thread(target=send, args=pair) for pair in requests]
    third = next(node for node in t.stack.database.nodes if node not in nodes)
    deadline = time.monotonic() + HELD_SECONDS
    third.process.send(signal.SIGSTOP)
    try:
        for thread in threads:
            thread.start()
        while not (met := all(is_committing(node) for node in nodes)) and time.monotonic() < deadline:
            time.sleep(0.05)
    finally:
        third.process.send(signal.SIGCONT)
    for thread in threads:
        thread.join()
    return replies, met


class Exclusions:
    """Pairs of requests. The second request of a pair must see the change of the first. Each method creates the
    objects, and returns the requests and the path of the object that the first request deletes."""

    def __init__(self, t):
        self.api, self.t = t.api, t
        self.agent = t.dialing_agent()[1]["id"]
        self.number = self.api.number()
        self.people = (f"+4930{n:06}" for n in range(1000))

    def two_calls_to_one_person(self):
        call = ("POST", "/calls",
                {"agent_id": self.agent, "phone_number": next(self.people), "from_number": self.number["phone_number"]})
        return call, call, None

    def a_number_is_deleted_and_used(self):
        number = self.api.number()["id"]
        return self.deleted("/telephony/numbers", number, "/batch-calls",
                            {"name": "B", "agent_id": self.agent, "phone_number_ids": [number]})

    def a_folder_is_deleted_and_filled(self):
        folder = self.api.post("/contacts/folders", {"name": next(self.people)})["id"]
        return self.deleted("/contacts/folders", folder, "/contacts",
                            {"phone_number": next(self.people), "folder_id": folder})

    def a_webhook_is_deleted_and_named(self):
        webhook = self.t.receiver().endpoint()
        return self.deleted("/webhooks", webhook, "/agents", {"name": "A", "webhook_id": webhook})

    def an_agent_is_deleted_and_named(self):
        agent = self.api.agent(self.t.receiver().endpoint())["id"]
        return self.deleted("/agents", agent, "/batch-calls", {
            "name": "B", "agent_id": agent, "phone_number_ids": [self.number["id"]],
            "contacts": [{"phone_number": next(self.people)}],
            "schedule_type": "scheduled", "scheduled_at": "2040-01-02T09:00:00Z"})

    @staticmethod
    def deleted(place, object_id, path, body):
        return ("DELETE", f"{place}/{object_id}"), ("POST", path, body), f"{place}/{object_id}"


def test_requests_on_two_writers_know_of_each_other(t):
    with two_writers(t) as second:
        nodes = [t.stack.database.used(), second.node]
        t.api.patch("/organization", {"contact_limits": [{"max_attempts": 1, "period_hours": 24}]})
        exclusions = Exclusions(t)
        wrong = []
        for name in [name for name in vars(Exclusions) if name.startswith(("a_", "an_", "two_"))]:
            for _ in range(10):
                first, other, needed = getattr(exclusions, name)()
                if needed:
                    seen_by(second.api, needed)
                replies, met = at_once(t, nodes, [(t.api, first), (second.api, other)])
                if met:
                    break
            assert met, (name, replies)
            if sum(reply.status < 300
                   for reply in replies) != 1 and not (needed and leaves_nothing(t.api, other[1], needed, replies)):
                wrong.append((name, replies))
        assert not wrong, wrong


def leaves_nothing(api, path, deleted, replies):
    """Returns whether both requests could succeed one after the other: the created object is gone, or does not name the
    deleted object."""
    made = next((reply.data["id"] for reply in replies if reply.status == 201), None)
    reply = made and api.send("GET", f"{path}/{made}")
    return reply and (reply.status == 404 or deleted.split("/")[-1] not in reply.text)


def test_two_writers_break_no_promise(t):
    with two_writers(t) as second:
        dialers = [t.dialing_agent(max_call_duration_seconds=10) for _ in range(2)]
        dialers[1][0].api = second.api
        subscriber = t.receiver()
        subscriber.endpoint("/events", events=CHANGES)
        play = TwoWriters(t, [t.api, second.api])
        play.open(dialers)
        for campaign in play.campaigns:
            seen_by(second.api, f"/batch-calls/{campaign.id}")
        play.run(CROWD_SECONDS)
        end_in_peace(t, play)
        with urllib.request.urlopen(t.stack.url + "/metrics", timeout=20) as reply:
            print("# " + re.search(r"^outdial_conflicts_total \d+", reply.read().decode(), re.M)[0])
        wrong = invariants.broken(t, play, dialers, subscriber, chaos.RETRIES, max(chaos.CAPS))
        assert not wrong, f"{len(wrong)} promises broken:\n" + "\n".join(wrong[:20])


def test_the_writer_falls_in_mid_campaign(t):
    dialers = [t.dialing_agent(max_call_duration_seconds=10) for _ in range(2)]
    subscriber = t.receiver()
    subscriber.endpoint("/events", events=CHANGES)
    play = Falls(t)
    play.open(dialers)
    kills = t.kills or KILLS
    play.run(60 + 60 * kills, kills)
    end_in_peace(t, play)
    play.pulse.end()

    for kind, writes, calls in play.gaps:
        print(f"# {kind}: no write for {writes:.1f} s, no call for {calls:.1f} s")
    wrong = invariants.broken(t, play, dialers, subscriber, chaos.RETRIES, max(chaos.CAPS))
    assert not wrong, f"{len(wrong)} promises broken:\n" + "\n".join(wrong[:20])
    moves = told_of(t)
    print(f"# moves: {moves}")
    assert len(moves) >= kills, moves
    assert all(seconds <= LONGEST_GAP for _, seconds in moves), moves


if __name__ == "__main__":
    tap.run(globals())
