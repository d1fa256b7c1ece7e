#!/usr/bin/env python3
"""Deliveries to hostile receivers: no delivery is lost, no receiver is flooded, and no receiver delays another."""

import collections
import os
import re
import signal
import socket
import time
import urllib.request

import tap
from client import parse, unhex, until
from farm import RIGHT, WRONG, Farm
from receiver import Answer, ends

SLOTS = 64  # webhooks under way at once in one scheduler
LEASE_SECONDS = 20
STACK = {"rate_limit": False, "config": {
    "max_in_flight": SLOTS, "lease_seconds": LEASE_SECONDS, "webhook_timeout_seconds": 2,
    "webhook_connect_timeout_seconds": 1, "webhook_retry_delays": " ".join(["1s"] * 12)}}


def finish_campaign(t, agent, **fields):
    batch = t.api.batch(agent, 1, **fields)
    t.api.schedule(batch)
    t.api.wait_for(batch, "completed")
    return batch


def health(t, webhook_id):
    return t.api.get(f"/webhooks/{webhook_id}")


def of_endpoint(webhook_id):
    return f"(SELECT id FROM webhook_endpoints WHERE uuid = {unhex(webhook_id)})"


def plain(t, path):
    with urllib.request.urlopen(t.stack.url + path, timeout=5) as answer:
        return answer.read().decode()


def metric(t, name):
    """Returns the value of a metric with its labels."""
    for line in plain(t, "/metrics").splitlines():
        if line.rpartition(" ")[0] == name:
            return float(line.rpartition(" ")[2])
    raise AssertionError(f"no metric {name}")


# Nothing is lost

def test_every_event_arrives_however_hostile_the_receiver(t):
    """No delivery is lost, also while schedulers are killed."""
    receiver, agent = t.dialing_agent()
    receiver.endpoint("/healthy", events=["batch.completed"])
    farm = Farm(t.api)
    for way in WRONG:  # a kill loses the result of a try: with a third try, one is recorded
        farm.endpoint(way, 3 if "huge_header" in way.__name__ else 2, events=["batch.completed"])
    for way in RIGHT:
        farm.endpoint(way, 1000, events=["batch.completed"])
    t.stack.start_scheduler()
    start = time.monotonic()
    finish_campaign(t, agent)
    until(lambda: receiver.of_type("batch.completed"), 3, "the healthy one knows at once")
    for name in ("scheduler-1", "scheduler-2"):
        t.stack.kill(name, signal.SIGKILL)
        t.stack.start_scheduler()
        count = farm.count()
        until(lambda: farm.count() > count, 40, "the next scheduler goes on")
    until(lambda: all(farm.taken("/" + way.__name__) for way in WRONG), 90, "all have taken the event")
    memory = max(peak_memory(process.pid) for name, process in t.stack.processes.items() if "scheduler" in name)
    t.stack.kill("scheduler-2", signal.SIGTERM)
    event = receiver.of_type("batch.completed")[0]
    for way in WRONG + RIGHT:
        came = farm.deliveries["/" + way.__name__]
        assert {delivery.id for delivery in came} == {event.id}, (way, came)
        assert {delivery.body for delivery in came} == {event.body}, (way, came)
    assert memory < 200_000, f"{memory} kB"
    long_headers = t.stack.sql("SELECT DISTINCT t.error FROM delivery_tries t JOIN deliveries d ON d.id = t.delivery_id"
                               " JOIN"
                               " webhook_endpoints w ON w.id = d.endpoint_id WHERE w.url LIKE '%huge_header%'"
                               " AND t.error <> ''")
    assert long_headers == [["the answer's headers are longer than 64 KiB"]], long_headers
    assert not farm.deliveries["/elsewhere"] and not farm.faults, farm.faults
    farm.close()


def peak_memory(pid):
    with open(f"/proc/{pid}/status") as status:
        return int(re.search(r"VmHWM:\s+(\d+)", status.read())[1])


def test_an_odd_answer_that_is_a_success_is_one(t):
    receiver, agent = t.dialing_agent()
    farm = Farm(t.api)
    for way in RIGHT:
        farm.endpoint(way, 1000, events=["batch.completed"])
    finish_campaign(t, agent)
    until(lambda: all(farm.deliveries["/" + way.__name__] for way in RIGHT), 5, "all receivers have the event")
    waiting = f"SELECT COUNT(*) FROM deliveries WHERE status = 0 AND endpoint_id IN (SELECT id FROM webhook_endpoints" \
              f" WHERE url LIKE '%:{farm.port}/%')"
    until(lambda: t.stack.sql(waiting)[0][0] == "0", 5, "all were taken, the flood too")
    assert all(len(farm.deliveries["/" + way.__name__]) == 1 for way in RIGHT)
    farm.close()


def test_a_delivery_ends_when_all_its_tries_have_failed(t):
    receiver, agent = t.dialing_agent()
    subscriber = t.receiver()
    subscriber.answer_events = Answer(400)
    endpoint = subscriber.endpoint("/events", events=["batch.completed"])
    finish_campaign(t, agent)
    until(lambda: len(subscriber.deliveries) == 13, 60, "it was tried 13 times")
    until(lambda: t.stack.sql(f"SELECT status, response_code FROM deliveries WHERE endpoint_id ="
                              f" {of_endpoint(endpoint)}") == [["2", "400"]], 5, "it has failed")


def test_a_delivery_whose_endpoint_is_gone_ends(t):
    t.stack.sql("INSERT INTO deliveries (event_id, endpoint_id, agent_id, status, tries, wake_at, response_code, error)"
                " VALUES (1, 987654321, 0, 0, 0, UTC_TIMESTAMP(6), 0, '')")
    until(lambda: t.stack.sql("SELECT status, wake_at = '9999-12-31' FROM deliveries WHERE endpoint_id = 987654321")
          == [["2", "1"]], 10, "it has failed")
    until(lambda: t.stack.sql("SELECT COUNT(*) FROM endpoint_health WHERE endpoint_id = 987654321") == [["0"]], 10,
          "nothing is kept of it")


# Switched off

def test_a_410_switches_an_endpoint_off_and_others_get_an_event(t):
    receiver, agent = t.dialing_agent()
    watcher, gone = t.receiver(), t.receiver()
    watcher.endpoint("/watch", events=["webhook.disabled"])
    gone.answer_events = Answer(410)
    webhook = gone.endpoint("/gone", events=["batch.completed", "webhook.disabled"])
    finish_campaign(t, agent)
    shown = until(lambda: watcher.of_type("webhook.disabled"), 10, "the watcher has the event")
    assert shown[0].data["webhook_id"] == webhook and "410" in shown[0].data["reason"], shown[0].data
    off = health(t, webhook)
    assert off["disabled"] and "410" in off["disabled_reason"], off
    watcher.endpoint("/later", events=["batch.completed"])
    for number in (1, 2):
        finish_campaign(t, agent)
        until(lambda: len(watcher.of_type("batch.completed")) == number, 5, "the other endpoint got the event")
    assert len(gone.deliveries) == 1, "nothing goes to one that is switched off"
    gone.answer_events = Answer(200)
    on = t.api.patch(f"/webhooks/{webhook}", {"disabled": False})
    assert not on["disabled"] and on["failures_in_a_row"] == 0 and on["disabled_reason"] is None, on
    until(lambda: len(gone.deliveries) == 2, 5, "what waited has come")
    assert len({delivery.id for delivery in gone.deliveries}) == 1
    assert len(watcher.of_type("webhook.disabled")) == 1


def test_an_endpoint_that_failed_for_days_is_switched_off(t):
    receiver, agent = t.dialing_agent()
    subscriber = t.receiver()
    subscriber.answer_events = Answer(400)
    webhook = subscriber.endpoint("/events", events=["batch.completed"])
    finish_campaign(t, agent)
    until(lambda: health(t, webhook)["failures_in_a_row"] >= 5, 20, "it has failed five times")
    assert not health(t, webhook)["disabled"]
    t.stack.sql(f"UPDATE endpoint_health SET failing_since = UTC_TIMESTAMP(6) - INTERVAL 5 DAY"
                f" WHERE endpoint_id = {of_endpoint(webhook)}")
    until(lambda: health(t, webhook)["disabled"], 20, "it is switched off")
    assert "too long" in health(t, webhook)["disabled_reason"]


def test_nothing_goes_to_a_dialer_that_is_switched_off(t):
    receiver, agent = t.dialing_agent()
    receiver.script = lambda call: Answer(500)
    batch = t.api.batch(agent, 1)
    t.api.schedule(batch)
    receiver.wait_for_calls(1)
    t.api.patch(f"/webhooks/{agent['webhook_id']}", {"disabled": True})
    counts = []
    for _ in range(3):  # a try may have been under way, which ends before the second look
        t.stack.sql(f"UPDATE calls SET wake_at = UTC_TIMESTAMP(6) WHERE batch_id = {t.row_of(batch)}")
        until(lambda: t.stack.sql(f"SELECT wake_at > UTC_TIMESTAMP(6) FROM calls WHERE batch_id = {t.row_of(batch)}")
              == [["1"]], what="a scheduler has looked at the call")
        counts.append(len(receiver.calls()))
    assert counts[1] == counts[2] == len(receiver.calls()), "the call that waits for its next try is held"
    receiver.script = lambda call: ends()
    t.api.patch(f"/webhooks/{agent['webhook_id']}", {"disabled": False})
    done = t.api.wait_for(batch, "completed", 15)
    assert done["completed"] == 1 and len({call.id for call in receiver.calls()}) == 1, done


# Circuits

def test_a_circuit_opens_and_closes(t):
    receiver, agent = t.dialing_agent()
    subscriber = t.receiver()
    subscriber.answer_events = Answer(500)
    webhook = subscriber.endpoint("/events", events=["batch.completed"])
    assert health(t, webhook)["circuit"] == "closed"
    for _ in range(8):
        finish_campaign(t, agent)
    opened = until(lambda: health(t, webhook)["circuit"] == "open" and health(t, webhook), 10, "the circuit is open")
    assert opened["failures_in_a_row"] >= 5 and opened["next_probe_at"] and opened["failing_since"], opened
    seen_at = time.time()
    again = until(lambda: health(t, webhook)["next_probe_at"] not in (None, opened["next_probe_at"])
                  and health(t, webhook), 20, "it was asked again, and the circuit is open again")
    probe_at = parse(opened["next_probe_at"]).timestamp()
    came = [delivery.wall_at for delivery in subscriber.deliveries]
    assert not [at for at in came if seen_at + 0.2 < at < probe_at - 0.1], (came, opened, "it is left alone")
    assert len([at for at in came if at >= probe_at - 0.1]) == 1, (came, opened, again, "it is asked with one webhook")
    subscriber.answer_events = Answer(200)
    until(lambda: health(t, webhook)["circuit"] == "closed", 30, "the circuit is closed")
    until(lambda: len({delivery.id for delivery in subscriber.deliveries}) == 8, 10, "all have come")
    closed = health(t, webhook)
    assert (closed["failures_in_a_row"], closed["failing_since"], closed["next_probe_at"]) == (0, None, None), closed


def test_a_new_url_closes_the_circuit(t):
    """The circuit and the days of failure of the old address do not count for the new address."""
    receiver, subscriber = t.receiver(), t.receiver()
    subscriber.answer_events = Answer(500)
    webhook = subscriber.endpoint("/events")
    for _ in range(6):
        t.api.post(f"/webhooks/{webhook}/test")
    until(lambda: health(t, webhook)["circuit"] == "open", 10, "the circuit is open")
    t.stack.sql("UPDATE endpoint_health SET failing_since = '2020-01-01', open_until = UTC_TIMESTAMP(6) + INTERVAL 300"
                " SECOND,"
                f" next_at = open_until WHERE endpoint_id = {of_endpoint(webhook)}")
    t.api.patch(f"/webhooks/{webhook}",
                {"url": f"http://127.0.0.1:{subscriber.port}/events", "description": "as it was"})
    assert health(t, webhook)["circuit"] == "open"
    receiver.secrets["/new"] = subscriber.secrets["/events"]
    moved = t.api.patch(f"/webhooks/{webhook}", {"url": f"http://127.0.0.1:{receiver.port}/new"})
    assert (moved["circuit"], moved["failures_in_a_row"], moved["failing_since"]) == ("closed", 0, None), moved
    until(lambda: len(receiver.deliveries) == 6, 20, "what waited comes")
    assert not health(t, webhook)["disabled"]


def test_contacts_are_not_used_up_while_a_dialer_is_away(t):
    receiver, agent = t.dialing_agent()
    receiver.refuse()
    batch = t.api.batch(agent, 40, max_concurrent_calls=10)
    t.api.schedule(batch)
    opened = until(lambda: health(t, agent["webhook_id"])["next_probe_at"], 10, "the circuit is open")
    until(lambda: health(t, agent["webhook_id"])["next_probe_at"] not in (None, opened), 20, "it is open again")
    state = t.api.read(batch)
    assert state["failed"] == 0 and state["called"] <= 11, state
    receiver.listen()
    done = t.api.wait_for(batch, "completed", 60)
    assert done["completed"] == 40 and len({call.id for call in receiver.calls()}) == 40, done
    assert health(t, agent["webhook_id"])["circuit"] == "closed"


# Back-pressure

def test_a_dialer_that_asks_to_slow_down_is_given_less(t):
    receiver, agent = t.dialing_agent()
    capacity = [3]

    def script(call):
        if len(receiver.open_calls) > capacity[0]:
            with receiver.lock:
                receiver.open_calls.pop(call.id, None)
            return Answer(429, headers={"Retry-After": "1"})
        return ends(delay=0.2)

    receiver.script = script
    batch = t.api.batch(agent, 60, max_concurrent_calls=10)
    t.api.schedule(batch)
    slow = until(lambda: reason(t, batch), 10, "the campaign says so")
    assert re.fullmatch(r"dialer asks to slow down: \d of 10 places", slow), slow
    assert t.api.read(batch)["places"] < 10
    assert metric(t, "outdial_campaigns_slowed_down") >= 1
    capacity[0] = 100
    done = t.api.wait_for(batch, "completed", 60)
    assert done["completed"] == 60 and done["failed"] == 0 and done["status_reason"] is None, done
    assert len({call.id for call in receiver.calls()}) == 60


def reason(t, batch):
    return t.api.read(batch)["status_reason"]


def test_pressure_ends_when_the_dialer_takes_all_again(t):
    receiver, agent = t.dialing_agent()
    receiver.script = lambda call: Answer(429, headers={"Retry-After": "1"})
    batch = t.api.batch(agent, 200, max_concurrent_calls=4)
    t.api.schedule(batch)
    until(lambda: reason(t, batch), 10, "the campaign says so")
    receiver.script = lambda call: ends(delay=0.05)
    until(lambda: not reason(t, batch), 30, "it is as fast as it may be")
    assert t.api.read(batch)["status"] == "active", "and before its end"
    t.api.wait_for(batch, "completed", 30)


def test_nothing_is_kept_of_a_campaign_that_is_gone(t):
    """The dialer's calls are reported before it answers that it is busy."""
    receiver, agent = t.dialing_agent()
    receiver.script = lambda call: Answer(429, delay=1.5)
    batch = t.api.batch(agent, 3)
    t.api.schedule(batch)
    for call in receiver.wait_for_calls(3):
        receiver.report(call.id, "completed")
    t.api.wait_for(batch, "completed")
    t.api.delete(f"/batch-calls/{batch['id']}")
    row = f"FROM batch_calls WHERE uuid = {unhex(batch['id'])}"
    until(lambda: t.stack.sql(f"SELECT COUNT(*) {row}") == [["0"]], 5, "it is gone")
    assert health(t, agent["webhook_id"])["failures_in_a_row"] == 0, "nothing is answered yet"
    until(lambda: health(t, agent["webhook_id"])["failures_in_a_row"] == 3, 5, "the answers are written")
    assert t.stack.sql("SELECT COUNT(*) FROM batch_pressure") == [["0"]]


# Isolation

def insert_deliveries(t, count, which, before=""):
    """Inserts this many deliveries of the last event for each of these endpoints, before a scheduler looks first."""
    scheduler = next(name for name in t.stack.processes if name.startswith("scheduler"))
    t.stack.kill(scheduler, signal.SIGTERM)
    t.stack.sql(before + "INSERT INTO deliveries (event_id, endpoint_id, agent_id, status, tries, wake_at,"
                         " response_code, error)"
                " SELECT (SELECT MAX(id) FROM events), w.id, 0, 0, 0, UTC_TIMESTAMP(6) - INTERVAL (1000 - i) SECOND, 0,"
                " ''"
                " FROM webhook_endpoints w, (WITH RECURSIVE n AS (SELECT 1 AS i UNION ALL SELECT i + 1 FROM n WHERE i <"
                f" {count}) SELECT i FROM n) n WHERE {which}")
    t.stack.start_scheduler()


def test_endpoints_with_long_queues_take_turns(t):
    """40 endpoints, and slots for 32."""
    receiver = t.receiver()
    receiver.answer_events = Answer(delay=0.03)
    first = receiver.endpoint("/0")
    t.api.post(f"/webhooks/{first}/test")
    for i in range(1, 40):
        receiver.endpoint(f"/{i}")
    until(lambda: receiver.deliveries, 5, "there is an event")
    insert_deliveries(t, 50, f"w.url LIKE '%:{receiver.port}/%'")
    until(lambda: len(receiver.deliveries) == 2001, 60, "all have come")
    half = collections.Counter(event.path for event in receiver.deliveries[:1000])
    assert len(half) == 40 and min(half.values()) > 12, half


def test_doubtful_endpoints_get_a_turn_among_many(t):
    receiver, slow = t.receiver(), t.receiver()
    doubtful = slow.endpoint("/doubtful")
    t.api.post(f"/webhooks/{doubtful}/test")
    until(lambda: slow.deliveries, 5, "there is an event")
    for i in range(40):
        receiver.endpoint(f"/{i}")
    insert_deliveries(t, 100, f"w.url LIKE '%:{receiver.port}/%' OR (w.id = {of_endpoint(doubtful)} AND i = 1)",
                      f"UPDATE endpoint_health SET doubtful = 1 WHERE endpoint_id = {of_endpoint(doubtful)};")
    until(lambda: len(receiver.deliveries) >= 4000 and len(slow.deliveries) == 2, 60, "all have come")
    before = sum(1 for event in receiver.deliveries if event.at < slow.deliveries[1].at)
    assert before < 1000, before


def test_hanging_receivers_delay_no_others(t):
    """There are three times as many endpoints as slots."""
    receiver, agent = t.dialing_agent()
    dead = t.receiver()
    dead.answer_events = Answer(delay=60)
    for number in range(SLOTS * 3):
        dead.endpoint(f"/dead/{number}", events=["batch.completed"])
    for number in range(20):
        receiver.endpoint(f"/alive/{number}", events=["batch.completed"])
    finish_campaign(t, agent)
    until(lambda: len(receiver.of_type("batch.completed")) == 20, 12,
          "those that are alive know, in spite of the storm")
    until(lambda: len(dead.deliveries) >= SLOTS * 3, 90, "all were tried")
    before = len(receiver.of_type("batch.completed"))
    start = time.monotonic()
    finish_campaign(t, agent)
    until(lambda: len(receiver.of_type("batch.completed")) == before + 20, 4, "from then on at once")
    slowest = max(event.at for event in receiver.of_type("batch.completed")) - start
    assert slowest < 4, slowest  # far less than the timeout of a receiver that hangs


def test_a_hanging_name_server_delays_no_others(t):
    """Names are looked up in the scheduler's own mount namespace."""
    if os.geteuid() != 0:
        raise tap.Skip("a mount namespace takes root")
    receiver, agent = t.dialing_agent()
    receiver.endpoint("/alive", events=["batch.completed"])
    silent = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    silent.bind((f"127.{t.random.randrange(1, 255)}.{t.random.randrange(1, 255)}.53", 53))
    resolv = os.path.join(t.stack.state_dir, "resolv.conf")
    with open(resolv, "w") as file:
        file.write(f"nameserver {silent.getsockname()[0]}\n")
    t.stack.kill("scheduler-1", signal.SIGTERM)
    t.stack.start_program("scheduler-1", ["unshare", "--mount", "sh", "-c", (
        f"mount --bind {resolv} /etc/resolv.conf"
        f" && exec {t.stack.build}/outdial-scheduler -c {t.stack.write_config()}")])
    t.api.post("/webhooks", {"url": "http://nowhere.example/", "events": ["batch.completed"]})
    for number in range(1, 20):
        start = time.monotonic()
        finish_campaign(t, agent)
        until(lambda: len(receiver.of_type("batch.completed")) == number, 5, "the other one knows")
        assert time.monotonic() - start < 3, "the loop did not wait for the name server"
    t.stack.kill("scheduler-1", signal.SIGTERM)
    t.stack.start_scheduler()
    silent.close()


def test_a_backlog_hides_no_endpoint(t):
    """Twenty thousand deliveries that wait for an endpoint that hangs are not read at every look."""
    receiver, agent = t.dialing_agent()
    dead = t.receiver()
    dead.answer_events = Answer(delay=60)
    webhook = dead.endpoint("/dead", events=[])
    receiver.endpoint("/alive", events=["batch.completed"])
    finish_campaign(t, agent)
    event = t.stack.sql("SELECT MAX(id) FROM events")[0][0]
    row = t.stack.sql(f"SELECT id FROM webhook_endpoints WHERE id = {of_endpoint(webhook)}")[0][0]
    waiting = f"SELECT COUNT(*) FROM deliveries WHERE endpoint_id = {row} AND status = 0"
    t.stack.sql(f"INSERT INTO deliveries (event_id, endpoint_id, agent_id, status, tries, wake_at, response_code,"
                f" error)"
                f" SELECT {event}, w.id, 0, 0, 0, UTC_TIMESTAMP(6), 0, '' FROM {of_endpoint(webhook)} w,"
                " (WITH RECURSIVE n AS (SELECT 1 AS i UNION ALL SELECT i + 1 FROM n WHERE i < 141) SELECT i FROM n) a,"
                " (WITH RECURSIVE n AS (SELECT 1 AS i UNION ALL SELECT i + 1 FROM n WHERE i < 141) SELECT i FROM n) b")
    before = len(receiver.of_type("batch.completed"))
    until(lambda: t.stack.sql("SELECT COUNT(*) FROM deliveries WHERE queue = 0 AND wake_at < '9999-12-31'")
          == [["0"]], 20, "the backlog is in its queue")
    read = rows_read(t)
    for _ in range(5):
        start = time.monotonic()
        finish_campaign(t, agent)
        before += 1
        until(lambda: len(receiver.of_type("batch.completed")) == before, 2, "the other one knows at once")
    assert rows_read(t) - read < 15_000, rows_read(t) - read
    t.api.delete(f"/webhooks/{webhook}")
    until(lambda: t.stack.sql(waiting) == [["0"]], 30, "the backlog has come to its end")


def rows_read(t):
    """Returns how many rows the server has read in the order of an index so far."""
    return int(t.stack.sql("SHOW GLOBAL STATUS LIKE 'Handler_read_next'")[0][1])


def test_metrics_count_deliveries(t):
    receiver, agent = t.dialing_agent()
    finish_campaign(t, agent)
    until(lambda: metric(t, 'outdial_webhooks_total{kind="call",outcome="taken"}') > 0, 10, "the totals are written")
    for name in ("outdial_webhooks_total{kind=\"call\",outcome=\"fault\"}", "outdial_circuits{state=\"open\"}",
                 "outdial_circuits{state=\"half_open\"}", "outdial_webhook_endpoints_disabled",
                 "outdial_campaigns_slowed_down"):
        assert metric(t, name) >= 0


if __name__ == "__main__":
    tap.run(globals())
