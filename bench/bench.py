"""The common parts of the measurements of bench/run: a stack, the sink, load on nginx, CPU time, a table."""

import json
import os
import signal
import subprocess
import sys
import time

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(HERE)
sys.path[:0] = [os.path.join(ROOT, "dev"), os.path.join(ROOT, "tests", "e2e")]

from client import Client, contacts, until  # noqa: E402
from mix import Mix, resident_kb  # noqa: E402
from process import Error  # noqa: E402
from stack import Stack, free_port, port_is_free  # noqa: E402

TICKS = os.sysconf("SC_CLK_TCK")
CHUNK = 10_000  # contacts that one request takes


class Bench:
    """A stack, with an agent whose dialer is the sink."""

    def __init__(self, state_dir):
        # The one dialer gets as many transfers as four dialers would get of the 500 slots of the default.
        self.stack = Stack(state_dir, rate_limit=False, config={
            "workers": 16, "max_in_flight": 2000, "log_level": "warning"})
        self.sink_port = free_port()
        self.arrivals_file = os.path.join(self.stack.state_dir, "arrivals")
        self.agent = self.webhook = None

    def __enter__(self):
        self.stack.start()
        self.api = Client(self.stack.url, self.stack.key)
        self.start_sink()
        self.webhook = self.api.post("/webhooks", {"url": f"http://127.0.0.1:{self.sink_port}/"})["id"]
        self.agent = self.api.agent(self.webhook)
        self.number = self.api.number()
        return self

    def __exit__(self, *exception):
        self.stack.stop()

    def start_sink(self, status=200, body='{"status":"completed","duration_seconds":42}'):
        self.stack.start_program("sink", [os.path.join(self.stack.build, "bench", "sink"),
                                          self.sink_port, status, body, self.arrivals_file])

    def stop_sink(self):
        """Returns when each webhook arrived first, in microseconds, by its id."""
        self.stack.kill("sink", signal.SIGTERM)
        first = {}
        with open(self.arrivals_file) as file:
            for line in file:
                webhook_id, at_us = line.split()
                first.setdefault(webhook_id, int(at_us))
        return first

    def stop_scheduler(self):
        if "scheduler-1" in self.stack.processes:
            self.stack.kill("scheduler-1", signal.SIGTERM)

    # Campaigns

    def campaign(self, count, **fields):
        """Creates a campaign with this many contacts, which calls at any hour."""
        batch = self.api.batch(self.agent, contacts(min(count, CHUNK)), phone_number_ids=[self.number["id"]],
                               max_concurrent_calls=100, **fields)
        for first in range(CHUNK + 1, count + 1, CHUNK):
            self.api.post(f"/batch-calls/{batch['id']}/contacts",
                          {"contacts": contacts(min(CHUNK, count + 1 - first), first)})
        return batch

    def planned(self):
        return self.number_of("SELECT COUNT(*) FROM batch_calls WHERE work IN (1, 2)") == 0

    def due_campaigns(self, campaigns, total):
        """Creates campaigns whose contacts all became due a moment ago. No scheduler runs yet."""
        self.clear()
        start = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() + 86400))
        for _ in range(campaigns):
            self.campaign(total // campaigns, schedule_type="scheduled", scheduled_at=start)
        until(self.planned, 60, "the campaigns are planned")
        self.stop_scheduler()
        self.stack.sql("UPDATE due_contacts SET due_at = due_at - INTERVAL 2 DAY;"
                       "UPDATE batch_calls SET scheduled_at = scheduled_at - INTERVAL 2 DAY,"
                       " low_water = '1000-01-01', wake_at = UTC_TIMESTAMP(6) WHERE status = 1")

    def spread(self, campaigns, total, rate, start):
        """Creates campaigns whose contacts are due one after the other, `rate` a second, from `start` on (whole
        seconds)."""
        self.clear()
        ahead = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(start))
        for _ in range(campaigns):
            self.campaign(total // campaigns, schedule_type="scheduled", scheduled_at=ahead)
        until(self.planned, 60, "the campaigns are planned")
        self.stack.sql(
            f"UPDATE due_contacts SET due_at = TIMESTAMP'1970-01-01 00:00:00' + INTERVAL {start} SECOND"
            f" + INTERVAL (position * {campaigns} + batch_id % {campaigns}) * {1_000_000 // rate} MICROSECOND;"
            "UPDATE batch_calls b SET low_water = '1000-01-01',"
            " wake_at = (SELECT MIN(due_at) FROM due_contacts d WHERE d.batch_id = b.id)")

    def statements(self):
        return self.number_of("SELECT variable_value FROM information_schema.global_status"
                              " WHERE variable_name = 'Com_stmt_execute'")

    # Events

    def subscribers(self, count, port):
        """Creates endpoints of receivers on this port. Returns their internal keys."""
        before = self.number_of("SELECT MAX(id) FROM webhook_endpoints")
        for number in range(count):
            self.api.post("/webhooks", {"url": f"http://127.0.0.1:{port}/{number}"})
        return [int(row[0]) for row in self.stack.sql(f"SELECT id FROM webhook_endpoints WHERE id > {before}")]

    def start_black_hole(self):
        """Starts a receiver that accepts every connection and never answers. Returns its port."""
        port = free_port()
        self.stack.start_program("black-hole", [sys.executable, os.path.join(HERE, "black_hole.py"), str(port)])
        until(lambda: not port_is_free(port), 10, "the black hole listens")
        return port

    def publish(self, endpoints, seconds):
        """Publishes an event a second for each endpoint, spread over tenths of a second. Returns the first and the last
        event."""
        first = self.number_of("SELECT MAX(id) FROM events") + 1
        start = time.monotonic()
        for tick in range(seconds * 10):
            ids = ",".join(map(str, endpoints[tick % 10::10]))
            self.stack.sql(
                "SET @now = UTC_TIMESTAMP(6), @last = (SELECT MAX(id) FROM events);"
                "INSERT INTO events (uuid, organization_id, type, data, created_at) SELECT UNHEX(REPLACE(UUID(), '-',"
                " '')),"
                f" organization_id, 3, id, @now FROM webhook_endpoints WHERE id IN ({ids});"
                "INSERT INTO deliveries (event_id, endpoint_id, agent_id, status, tries, wake_at, response_code, error)"
                " SELECT id, data, 0, 0, 0, @now, 0, '' FROM events WHERE id > @last")
            time.sleep(max(0, start + (tick + 1) / 10 - time.monotonic()))
        return first, self.number_of("SELECT MAX(id) FROM events")

    def delivered(self, endpoints):
        return self.number_of("SELECT COUNT(*) FROM deliveries WHERE status = 0 AND endpoint_id"
                              f" IN ({','.join(map(str, endpoints))})") == 0

    def lateness(self, endpoints, first, last, arrived):
        """Returns the milliseconds from the creation of the events to their arrival."""
        ids = ",".join(f"'{endpoint}'" for endpoint in endpoints)
        made = {row[0]: int(row[1]) for row in self.stack.sql(
            "SELECT LOWER(HEX(uuid)), TIMESTAMPDIFF(MICROSECOND, '1970-01-01', created_at) FROM events"
            f" WHERE id BETWEEN {first} AND {last} AND data IN ({ids})")}
        came = {event.replace("-", ""): at_us for event, at_us in arrived.items()}
        missing = made.keys() - came.keys()
        if missing:
            raise Error(f"{len(missing)} of {len(made)} events have not come")
        return [(came[event] - at_us) / 1000 for event, at_us in made.items()]

    def clear(self):
        """Removes the campaigns of an earlier measurement."""
        if "scheduler-1" not in self.stack.processes:
            self.stack.start_scheduler()
        for table in ("due_contacts", "batch_contacts", "calls", "batch_counters", "batch_numbers", "batch_calls"):
            self.stack.sql(f"TRUNCATE {table}")

    def number_of(self, query):
        return int(self.stack.sql(query)[0][0] or 0)

    def redo(self):
        """Returns the bytes that the server has written to its redo log."""
        return self.number_of("SELECT variable_value FROM information_schema.global_status"
                              " WHERE variable_name = 'Innodb_os_log_written'")

    def done(self):
        return self.number_of("SELECT SUM(done) FROM batch_counters")

    def in_flight(self):
        return self.number_of("SELECT COUNT(*) FROM calls WHERE status = 1")

    def subscribe(self, *events):
        """The sink, which accepts all webhooks."""
        self.api.patch(f"/webhooks/{self.webhook}", {"events": events})

    # CPU

    def cpu(self):
        """Returns the CPU seconds spent so far, by kind of process."""
        pids = {name: [process.pid] for name, process in self.stack.processes.items()}
        schedulers = [pid for name in pids if name.startswith("scheduler-") for pid in pids[name]]
        return {"scheduler": _cpu(schedulers), "sink": _cpu(pids.get("sink", [])),
                "workers": _cpu(self.stack.workers()), "nginx": _cpu(_children(pids["nginx"][0])),
                "database": _cpu([self.stack.database.process.pid])}

    def wrk(self, connections, seconds, path, *arguments):
        """Puts load on nginx. Returns the output of load.lua."""
        result = subprocess.run(self._wrk(connections, seconds, path, arguments), capture_output=True, text=True)
        if result.returncode != 0:
            raise Error(f"wrk failed: {result.stdout}{result.stderr}")
        return json.loads(result.stdout.splitlines()[-1])

    def wrk_until(self, condition, what, connections, path, *arguments):
        """Puts load on nginx until a condition holds."""
        self.stack.start_program("wrk", self._wrk(connections, 120, path, arguments))
        until(condition, 120, what)
        self.stack.kill("wrk", signal.SIGKILL)

    def _wrk(self, connections, seconds, path, arguments):
        return ["wrk", "-t1", f"-c{connections}", f"-d{seconds}s", "-s", os.path.join(HERE, "load.lua"),
                "-H", f"Authorization: Bearer {self.stack.key}", self.stack.url + path, "--",
                *map(str, arguments)]


def _children(pid):
    with open(f"/proc/{pid}/task/{pid}/children") as children:
        return [int(child) for child in children.read().split()]


def _cpu(pids):
    seconds = 0
    for pid in pids:
        with open(f"/proc/{pid}/stat") as stat:
            fields = stat.read().rpartition(")")[2].split()
        seconds += (int(fields[11]) + int(fields[12])) / TICKS
    return seconds


def percentile(values, share):
    values = sorted(values)
    return values[min(len(values) - 1, int(len(values) * share))]


def show(title, columns, rows):
    """Prints a table. The first column is text, and numbers get only their significant digits."""
    cells = [[_cell(value) for value in row] for row in rows]
    widths = [max(len(row[i]) for row in cells + [columns]) for i in range(len(columns))]
    print(f"\n{title}")
    for row in [columns] + cells:
        print("  " + row[0].ljust(widths[0]) +
              "".join("  " + cell.rjust(width) for cell, width in zip(row[1:], widths[1:])))


def _cell(value):
    if value is None:
        return "-"
    if isinstance(value, float):
        return f"{value:,.0f}" if value >= 100 else f"{value:.2f}"
    return f"{value:,}" if isinstance(value, int) else value
