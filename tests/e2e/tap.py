"""Runs the tests of one file against a private Outdial and prints TAP.

A test file has functions test_NAME(t), which run in the order of the file; `t` is the Test below. All tests of a file
share one stack (dev/stack.py). The file's STACK may have keyword arguments for the stack. Every test has its own
organisation, and may take TEST_SECONDS, which the file may set. If the file has a function skip(options), and this
returns a reason, no test is run. The file ends with

    if __name__ == "__main__":
        tap.run(globals())

Tests take random choices from t.random. Its seed is printed: the same --seed makes the same choices.
"""

import argparse
import fnmatch
import os
import random
import re
import shutil
import signal
import sys
import tempfile
import time
import traceback

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "..", "dev"))

from client import Client, unhex
from process import Error
from puller import Puller
from receiver import Receiver
from stack import Stack

TEST_SECONDS = 120
LONG_TEST_SECONDS = 300  # and twice the value of --seconds, for tests that use it: they judge afterwards
ALARMING = re.compile(r"Sanitizer|runtime error:|Assertion|internal_error|\bbug\b", re.IGNORECASE)


class Skip(Exception):
    """Why a test cannot be run here."""


class Test:
    """The tools of a test: the stack, a client whose key has every scope, and randomness."""

    def __init__(self, stack, name, options):
        self.stack = stack
        self.organization = name
        self.random = random.Random(f"{options.seed} {name}")
        self.seconds, self.kills = options.seconds, options.kills
        self.api = self.client()
        self.receivers = []
        self.witness = None  # the agent of wait_for_looks

    @property
    def sanitized(self):
        """Whether the programs do not return freed memory, as programs with a sanitizer do."""
        with open(os.path.join(self.stack.build, "outdial-api"), "rb") as program:
            return b"__asan_init" in program.read()

    def client(self, scopes="all", organization=None):
        """A client with a new key; of this test's organisation, or of another one."""
        return Client(self.stack.url, self.stack.new_key(organization or self.organization, scopes))

    def outdial_fails(self, *arguments):
        """Runs a command that is refused. Returns its output."""
        try:
            self.stack.outdial(*arguments)
        except Error as error:
            return str(error)
        raise AssertionError(f"outdial {' '.join(arguments)} did not fail")

    def receiver(self):
        """A webhook receiver that lives as long as the test. The test fails if the receiver got malformed webhooks."""
        receiver = Receiver(self.api)
        self.receivers.append(receiver)
        return receiver

    def close(self):
        for receiver in self.receivers:
            receiver.close()
        for receiver in self.receivers:
            assert not receiver.faults, receiver.faults

    def dialing_agent(self, **fields):
        """An active agent, with the receiver that is its dialer."""
        receiver = self.receiver()
        return receiver, self.api.agent(receiver.endpoint(), **fields)

    def pulling_agent(self, **fields):
        """The same with a dialer that fetches its calls."""
        puller = Puller(self.api)
        self.receivers.append(puller)
        agent = self.api.agent(puller.endpoint(), **fields)
        puller.agent_id = agent["id"]
        return puller, agent

    def one_call(self, receiver, agent, script, **fields):
        """Starts a campaign of one contact; returns it, and the id of the call once requested."""
        receiver.script = script
        before = len(receiver.calls())
        batch = self.api.batch(agent, 1, **fields)
        self.api.schedule(batch)
        return batch, receiver.wait_for_calls(before + 1)[-1].data["call_id"]

    def wait_for_looks(self):
        """Returns when the scheduler has placed two calls of other campaigns, one after the other, by another dialer.
        By then it has looked at everything that was due before."""
        if not self.witness:
            self.witness = self.dialing_agent()[1]
        for _ in range(2):
            batch = self.api.batch(self.witness, 1)
            self.api.schedule(batch)
            self.api.wait_for(batch, "completed")

    def make_due(self, batch):
        """Moves time: all waiting contacts of the campaign are due now."""
        row = self.row_of(batch)
        self.stack.sql(f"UPDATE due_contacts SET due_at = UTC_TIMESTAMP(6) - INTERVAL 1000000 - position"
                       f" MICROSECOND WHERE batch_id = {row}; UPDATE batch_calls SET"
                       f" low_water = '1000-01-01', wake_at = UTC_TIMESTAMP(6) WHERE id = {row}")

    def row_of(self, batch, table="batch_calls"):
        """Returns the internal key of a campaign, or of an object of another table."""
        return self.stack.sql(f"SELECT id FROM {table} WHERE uuid = {unhex(batch['id'])}")[0][0]

    def row_reads(self):
        """Returns how many rows the whole server has read. The scheduler adds a few at times."""
        return sum(int(row[1]) for row in self.stack.sql("SHOW GLOBAL STATUS LIKE 'Handler_read%'"))


def run(module):
    options = parse_options()
    options.limit = module.get("TEST_SECONDS", TEST_SECONDS)
    tests = [(name[len("test_"):], function) for name, function in module.items()
             if name.startswith("test_") and fnmatch.fnmatch(name, f"*{options.only}*")]
    reason = module["skip"](options) if "skip" in module else None
    if reason:
        print(f"1..0 # SKIP {reason}", flush=True)
        return
    print(f"1..{len(tests) + 1}\n# seed {options.seed}, {options.database}", flush=True)
    folder = tempfile.mkdtemp(prefix="outdial-e2e-")
    failed = True
    try:
        with Stack(folder, database=options.database, build=options.build,
                   **module.get("STACK", {})) as stack:
            failed = run_tests(stack, tests, options)
    except Error as error:
        print(f"Bail out! {error}".replace("\n", " "), flush=True)
    finally:
        if failed:
            print(f"# logs are in {folder}/log", flush=True)
        else:
            shutil.rmtree(folder, ignore_errors=True)
    sys.exit(failed)


def parse_options():
    parser = argparse.ArgumentParser()
    parser.add_argument("--database", choices=["mariadb", "mysql"], default="mariadb")
    parser.add_argument("--build", help="folder of the programs; default $OUTDIAL_BUILD, or build")
    parser.add_argument("--only", default="", help="part of the name of the tests to run")
    parser.add_argument("--seed", type=int, default=random.SystemRandom().randrange(10 ** 6))
    parser.add_argument("--kills", type=int, help="how often test_cluster.py hits the database")
    parser.add_argument("--seconds", type=int, help="how long a test goes on that takes any length")
    return parser.parse_args()


def run_tests(stack, tests, options):
    failures = 0
    for number, (name, function) in enumerate(tests, 1):
        start = time.monotonic()
        try:
            fault = fault_of(lambda: run_test(stack, name, function, options))
        except Skip as reason:
            print(f"ok {number} - {name} # SKIP {reason}", flush=True)
            continue
        failures += report(number, f"{name} ({time.monotonic() - start:.1f} s)", fault)
    failures += report(len(tests) + 1, "logs_tell_of_no_fault", fault_of(lambda: read_logs(stack)))
    return failures > 0


def run_test(stack, name, function, options):
    with time_limit(LONG_TEST_SECONDS + 2 * options.seconds if options.seconds else options.limit):
        test = Test(stack, name, options)
        try:
            function(test)
        finally:
            test.close()
    process = stack.ended()
    assert not process, f"{process.name} has ended:\n{process.last_words()}"


def read_logs(stack):
    for name in sorted(os.listdir(stack.log_dir)):
        if name == "access.log" or not name.endswith(".log"):
            continue
        with open(os.path.join(stack.log_dir, name), errors="replace") as log:
            lines = [line.rstrip() for line in log if ALARMING.search(line)]
        assert not lines, f"{name}:\n" + "\n".join(lines[:20])


def fault_of(function):
    """The exception of the function and its place, without the lines of this file; or None."""
    try:
        function()
    except Skip:
        raise
    except Exception as error:
        frames = [frame for frame in traceback.extract_tb(error.__traceback__)
                  if frame.filename != __file__]
        return "".join(traceback.format_list(frames) +
                       traceback.format_exception_only(type(error), error))
    return None


def report(number, name, fault):
    print(f"{'not ok' if fault else 'ok'} {number} - {name}")
    if fault:
        print("".join(f"# {line}\n" for line in fault.splitlines()), end="")
    sys.stdout.flush()
    return bool(fault)


class time_limit:
    """A block that may take so long; main thread only."""

    def __init__(self, seconds):
        self.seconds = seconds

    def __enter__(self):
        signal.signal(signal.SIGALRM, self.expire)
        signal.alarm(self.seconds)

    def expire(self, number, frame):
        raise AssertionError(f"not finished after {self.seconds} s")

    def __exit__(self, *exception):
        signal.alarm(0)
