#!/usr/bin/env python3
"""Every metric changes as it should. The last test fails if a metric was changed by no test."""

import os
import re
import signal
import threading
import time
import urllib.request

import tap
import stack
from client import send_or_none, unhex, until
from receiver import TAKEN, Answer, ends
from session import Session

STACK = {"rate_limit": False, "config": {"workers": 3, "webhook_timeout_seconds": 2, "lease_seconds": 20,
                                         "webhook_retry_delays": "1s 1h"}}
ELSEWHERE = {"outdial_replica_usable", "outdial_replica_lag_seconds", "outdial_reads_total"}  # test_replica.py
CONSTANT = {"outdial_build_info", "process_max_fds"}
ON_A_CLUSTER = {"outdial_database_moves_total", "outdial_database_move_seconds"}  # test_cluster.py moves these
ENDINGS = ("completed", "failed", "no_answer", "busy", "voicemail", "cancelled")

exported, moved = set(), set()  # names of metrics


def read(t):
    """Returns None if the worker that was to answer has been killed."""
    try:
        with urllib.request.urlopen(t.stack.url + "/metrics", timeout=20) as reply:
            return reply.read().decode()
    except OSError:
        return None


def scrape(t):
    """Returns the values by name and labels."""
    text = until(lambda: read(t), what="the metrics can be read")
    exported.update(re.findall(r"^# TYPE (\w+)", text, re.M))
    return {name: float(value) for name, value in re.findall(r"^([a-z_]+(?:\{.*\})?) (\S+)$", text, re.M)}


def name_of(series):
    return re.sub("(_bucket|_sum|_count)?(\\{.*)?$", "", series)


def moves(t, series, condition, seconds=20):
    """Waits until the value is as it should be. Returns it."""
    found = until(lambda: [value for now in [scrape(t)] if series in now for value in [now[series]]
                           if condition(value)],
                  seconds, f"{series} is as it should be")
    moved.add(name_of(series))
    return found[0]


def grows(t, before, series, by=1):
    """A counter, or the count of a histogram, grows by at least this much."""
    return moves(t, series, lambda value: value >= before.get(series, 0) + by)


def labels(**pairs):
    return "{" + ",".join(f'{name}="{value}"' for name, value in pairs.items()) + "}"


def scripted(outcomes):
    """Returns a script by which the calls end with these outcomes, one after the other, and further calls as
    completed."""
    left = list(outcomes)
    return lambda call: ends(left.pop(0) if left else "completed")


def test_calls_and_retries(t):
    before = scrape(t)
    receiver, agent = t.dialing_agent()
    receiver.script = scripted(["failed", "no_answer", "busy", "voicemail", "completed"])
    batch = t.api.batch(agent, 5, retry_failed=True, retry_on=["busy"], max_retry_attempts=1, retry_delay_minutes=0)
    for status in ("draft", "completed"):
        moves(t, "outdial_campaigns" + labels(status=status), lambda value: status == "draft" or value >= 1)
        t.api.schedule(batch) if status == "draft" else None
    t.api.wait_for(batch, "completed")
    for status in ENDINGS[:-1]:
        grows(t, before, "outdial_calls_total" + labels(status=status), 2 if status == "completed" else 1)
    now = scrape(t)
    total = sum(now[f"outdial_calls_total{labels(status=status)}"]
                - before[f"outdial_calls_total{labels(status=status)}"]
                for status in ENDINGS)
    assert total == 6, "each end is counted once"
    assert now["outdial_retries_total"] == before["outdial_retries_total"] + 1
    moved.add("outdial_retries_total")
    grows(t, before, "outdial_webhooks_total" + labels(kind="call", outcome="taken"), 6)
    grows(t, before, "outdial_webhook_seconds_count" + labels(kind="call"), 6)
    grows(t, before, "outdial_dispatch_lag_seconds_count", 5)
    for program in ("api", "scheduler"):
        grows(t, before, "outdial_transaction_seconds_count" + labels(program=program))


def test_calls_under_way_and_reports(t):
    before = scrape(t)
    receiver, agent = t.dialing_agent()
    receiver.script = lambda call: TAKEN
    batch = t.api.batch(agent, 3)
    t.api.schedule(batch)
    calls = receiver.wait_for_calls(3)
    moves(t, "outdial_calls_in_flight", lambda value: value == before["outdial_calls_in_flight"] + 3)
    moves(t, "outdial_campaigns" + labels(status="active"), lambda value: value == 1)
    reports = [{"call_id": calls[0].data["call_id"], "status": "completed"}] * 2
    reports.append({"call_id": batch["id"].replace("batch", "call"), "status": "completed"})
    t.api.post("/calls/status", {"reports": reports})
    for result in ("accepted", "ignored", "not_found"):
        grows(t, before, "outdial_reports_total" + labels(result=result))
    route = "POST /api/public/v1/calls/status"
    grows(t, before, "outdial_http_requests_total" + labels(route=route, status=200))
    grows(t, before, "outdial_http_request_seconds_count" + labels(route=route))
    for call in calls:
        receiver.report(call.id, "completed")
    moves(t, "outdial_calls_in_flight", lambda value: value == before["outdial_calls_in_flight"])


def test_calls_that_are_cancelled(t):
    """The calls are cancelled while their dialer asks to slow down."""
    before = scrape(t)
    receiver, agent = t.dialing_agent()
    receiver.script = lambda call: Answer(429, headers={"Retry-After": "60"})
    batch = t.api.batch(agent, 2)
    t.api.schedule(batch)
    receiver.wait_for_calls(1)
    moves(t, "outdial_campaigns_slowed_down", lambda value: value == 1)
    grows(t, before, "outdial_webhooks_total" + labels(kind="call", outcome="busy"))
    t.api.post(f"/batch-calls/{batch['id']}/cancel")
    row = t.row_of(batch)
    t.stack.sql(f"UPDATE calls SET wake_at = UTC_TIMESTAMP(6) WHERE batch_id = {row} AND status = 0")
    t.stack.sql("UPDATE endpoint_health SET hold_until = '1000-01-01', open_until = '1000-01-01'")
    grows(t, before, "outdial_calls_total" + labels(status="cancelled"))
    moves(t, "outdial_campaigns_slowed_down", lambda value: value == 0)
    moves(t, "outdial_campaigns" + labels(status="cancelled"), lambda value: value == 1)


def test_webhooks_that_are_not_taken(t):
    before = scrape(t)
    receiver, agent = t.dialing_agent()
    subscriber = t.receiver()
    subscriber.answer_events = Answer(500)
    endpoint = subscriber.endpoint("/events", events=["batch.status.changed"])
    for _ in range(6):
        t.api.schedule(t.api.batch(agent, 1))
    grows(t, before, "outdial_webhooks_total" + labels(kind="event", outcome="fault"))
    waiting = "outdial_deliveries_waiting" + labels(kind="event")
    moves(t, waiting, lambda value: value >= before[waiting] + 6)
    moves(t, "outdial_oldest_delivery_seconds", lambda value: value > 0.5)
    moves(t, "outdial_circuits" + labels(state="open"), lambda value: value == 1)
    t.stack.sql("UPDATE endpoint_health SET open_until = UTC_TIMESTAMP(6) - INTERVAL 1 SECOND,"
                " probe_until = UTC_TIMESTAMP(6) + INTERVAL 1 MINUTE WHERE open_until > '2000-01-01'")
    moves(t, "outdial_circuits" + labels(state="half_open"), lambda value: value == 1)
    subscriber.answer_events = Answer(410)
    t.stack.sql("UPDATE endpoint_health SET probe_until = '1000-01-01', next_at = UTC_TIMESTAMP(6)"
                " WHERE open_until > '2000-01-01'")
    moves(t, "outdial_webhook_endpoints_disabled", lambda value: value == 1)
    grows(t, before, "outdial_webhooks_total" + labels(kind="event", outcome="refused"))
    moves(t, "outdial_oldest_delivery_seconds", lambda value: value < 0.5)
    t.api.delete(f"/webhooks/{endpoint}")
    moves(t, "outdial_webhook_endpoints_disabled", lambda value: value == 0)
    moves(t, waiting, lambda value: value == before[waiting])


def test_a_webhook_that_cannot_be_signed(t):
    before = scrape(t)
    receiver, agent = t.dialing_agent()
    subscriber = t.receiver()
    endpoint = subscriber.endpoint("/events", events=["batch.status.changed"])
    other = t.receiver().endpoint("/others", events=[])
    t.stack.sql(f"UPDATE webhook_endpoints a JOIN webhook_endpoints b"
                f" ON b.uuid = {unhex(other)}"
                f" SET a.secret = b.secret WHERE a.uuid = {unhex(endpoint)}")
    t.api.schedule(t.api.batch(agent, 1))
    grows(t, before, "outdial_webhooks_total" + labels(kind="event", outcome="cut"))
    t.api.delete(f"/webhooks/{endpoint}")


def test_schedulers(t):
    receiver, agent = t.dialing_agent()
    moves(t, "outdial_schedulers", lambda value: value == 1)
    host = [name for name in scrape(t) if name.startswith("outdial_scheduler_last_seen_seconds{")][0]
    seen = scrape(t)[host]
    moves(t, host, lambda value: value > seen)
    turn = scrape(t)[host.replace("last_seen", "turn")]
    t.stack.kill("scheduler-1", signal.SIGTERM)
    moves(t, "outdial_schedulers", lambda value: value == 0)
    batch = t.api.batch(agent, 2)
    t.api.schedule(batch)
    t.make_due(batch)
    moves(t, "outdial_due_contacts", lambda value: value == 2)
    moves(t, "outdial_oldest_due_seconds", lambda value: value > 0.3)
    late = 'outdial_dispatch_lag_seconds_bucket{le="0.25"}'
    before = scrape(t)
    t.stack.start_scheduler()
    t.api.wait_for(batch, "completed")
    grows(t, before, "outdial_dispatch_lag_seconds_count", 2)
    assert scrape(t)[late] == before[late], "both were late"
    moves(t, "outdial_due_contacts", lambda value: value == 0)
    moves(t, "outdial_oldest_due_seconds", lambda value: value < 0.2)
    moves(t, "outdial_schedulers", lambda value: value == 1)
    moves(t, host.replace("last_seen", "turn"), lambda value: value not in (0, turn))


def test_workers(t):
    before = scrape(t)
    with Session(t, "LOCK TABLES agents WRITE") as session:
        threads = [threading.Thread(target=send_or_none, args=(t.api, "GET", "/agents")) for _ in range(2)]
        for thread in threads:
            thread.start()
        moves(t, "outdial_workers" + labels(state="busy"), lambda value: value == 3)
        moves(t, "outdial_workers" + labels(state="idle"), lambda value: value == 0)
        session.run("UNLOCK TABLES")
    for thread in threads:
        thread.join()
    os.kill(t.stack.workers()[0], signal.SIGKILL)
    grows(t, before, "outdial_worker_restarts_total")
    until(lambda: len(t.stack.workers()) == 3, what="it is replaced")
    for name in ("process_cpu_seconds_total", "process_resident_memory_bytes", "process_open_fds"):
        moves(t, name, lambda value: value > 0 and value != before[name])
    assert scrape(t)["process_resident_memory_bytes"] > 4 << 20


def test_a_conflict(t):
    """A request that schedules a campaign waits for the agent, which another session has locked. When this session also
    asks for the campaign, there is a deadlock. The server rolls back the request, which has written less."""
    before = scrape(t)
    receiver, agent = t.dialing_agent()
    batch = t.api.batch(agent, 1)
    row = t.row_of(batch)
    uuid = agent["id"].split("_")[-1].replace("-", "")
    with Session(t, "BEGIN", "INSERT INTO schema_version (version, applied_at, checksum)"
                 " SELECT 100000 + seq, UTC_TIMESTAMP(6), '' FROM (SELECT ROW_NUMBER() OVER () seq"
                 " FROM information_schema.columns) x"
                 " WHERE seq < 500",
                 f"UPDATE agents SET updated_at = updated_at + INTERVAL 1 SECOND WHERE uuid = UNHEX('{uuid}')"
                 ) as session:
        request = threading.Thread(target=t.api.schedule, args=(batch,))
        request.start()
        waits = "SHOW GLOBAL STATUS LIKE 'Innodb_row_lock_current_waits'"
        until(lambda: t.stack.sql(waits)[0][1] != "0", what="the request waits for the agent")
        session.run(f"UPDATE batch_calls SET turn = turn + 1 WHERE id = {row}")
        session.run("ROLLBACK")
    request.join()
    grows(t, before, "outdial_conflicts_total")
    t.api.wait_for(batch, "completed")


def test_the_database(t):
    before = scrape(t)
    t.stack.sql("SET GLOBAL read_only = 1")
    moves(t, "outdial_database_writable", lambda value: value == 0)
    t.stack.sql("SET GLOBAL read_only = 0")
    moves(t, "outdial_database_writable", lambda value: value == 1)
    t.stack.stop_database()
    try:
        moves(t, "outdial_database_up", lambda value: value == 0)
    finally:
        t.stack.resume_database()
    moves(t, "outdial_database_up", lambda value: value == 1)
    grows(t, before, "outdial_connections_lost_total")
    t.stack.wait_ready()


def kill_connections(t):
    for session in t.stack.sessions(user="outdial"):
        try:
            t.stack.sql(f"KILL {session.id}")
        except tap.Error:
            pass  # it has ended by itself


def test_the_clock(t):
    """Sets the clock of the programs' sessions to another time."""
    t.stack.kill("scheduler-1", signal.SIGTERM)
    start = scrape(t)["process_start_time_seconds"]
    t.stack.sql("SET GLOBAL init_connect = 'SET timestamp = 2000000000'")
    try:
        kill_connections(t)
        moves(t, "outdial_clock_offset_seconds", lambda value: value > 1000)
    finally:
        t.stack.sql("SET GLOBAL init_connect = ''")
        t.stack.kill("api", signal.SIGTERM)
    t.stack.start_api()
    t.stack.start_scheduler()
    t.stack.wait_ready()
    moves(t, "outdial_clock_offset_seconds", lambda value: abs(value) < 5)
    moves(t, "process_start_time_seconds", lambda value: start < value <= time.time())


def test_no_metric_is_left_out(t):
    now = scrape(t)
    for name in CONSTANT:
        assert [value for series, value in now.items() if name_of(series) == name and value >= 1], name
    with open(os.path.join(stack.ROOT, "docs", "operations.md")) as file:
        documented = set(re.findall(r"\b(?:outdial|process)_[a-z_]+",
                                    file.read().split("## Metrics")[1].split("\n## ")[0]))
    assert documented == exported, documented ^ exported
    with open(os.path.join(tap.HERE, "test_replica.py")) as file:
        text = file.read()
        assert all(name in text for name in ELSEWHERE)
    tested = moved | CONSTANT | ON_A_CLUSTER | ELSEWHERE
    assert tested == exported, tested ^ exported


if __name__ == "__main__":
    tap.run(globals())
