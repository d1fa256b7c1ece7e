#!/usr/bin/env python3
"""A dialer for Outdial that places real calls by SIP: it plays a sound file and reports.

It takes the signed webhooks that ../dialer.py takes, and uses that file for signatures, answers and
reports. The SIP side is baresip (Debian: baresip-core). Each *line* is one baresip process that has at
most one call, so a fault of one call touches no other. When all lines are in use, the dialer answers
429, and Outdial gives the campaign fewer calls at once.

    OUTDIAL_WEBHOOK_SECRET=whsec_... sip_dialer.py --trunk sip.example.com --play hello.wav --lines 10

A call and its outcome are in a SQLite file (--state) before they are answered or reported. After a restart the dialer
places no call twice: it reports the calls that the restart interrupted as failed.
"""

import argparse
import concurrent.futures
import json
import os
import queue
import re
import shutil
import signal
import socket
import sqlite3
import subprocess
import sys
import tempfile
import threading
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
import dialer

E164 = re.compile(r"\+[1-9][0-9]{1,14}")
START_SECONDS = 10
COMMAND_SECONDS = 5
HANGUP_SECONDS = 5
REPORT_RETRY_SECONDS = 30
INTERRUPTED = {"status": "failed", "end_reason": "the dialer was restarted"}

# The meaning of a final SIP answer for the call. Every other answer is a failure.
BUSY = {486, 600}
NO_ANSWER = {408, 480, 487}
REASONS = {403: "forbidden by the trunk", 404: "number not in service", 410: "number not in service",
           484: "number is incomplete", 603: "declined", 604: "number not in service"}

CONFIGURATION = """\
poll_method epoll
net_interface {address}
sip_listen {address}:0
call_max_calls 1
audio_source aufile,{sound}
audio_player aubridge,line
ausrc_srate 8000
auplay_srate 8000
ausrc_channels 1
auplay_channels 1
audio_level no
rtp_ports {rtp_first}-{rtp_last}
module_path {modules}
module g711.so
module aufile.so
module aubridge.so
module_tmp account.so
module_app menu.so
module_app ctrl_tcp.so
ctrl_tcp_listen 127.0.0.1:{control}
"""


class Stopped(Exception):
    """The baresip process of a line does not answer any more."""


class UserAgent:
    """One baresip process, driven over its control socket."""

    def __init__(self, options, number):
        self.folder = tempfile.mkdtemp(prefix="sip-line-")
        control = free_port()
        rtp_first = options.rtp_port + 4 * number
        self.write("config", CONFIGURATION.format(
            address=options.address, sound=os.path.abspath(options.play), modules=options.modules,
            rtp_first=rtp_first, rtp_last=rtp_first + 3, control=control))
        for name in ("accounts", "contacts"):
            self.write(name, "")
        self.process = subprocess.Popen(
            ["setpriv", "--pdeathsig", "TERM", "--", "baresip", "-4", "-f", self.folder], cwd=self.folder,
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        self.accounts = set()
        self.received = b""
        self.events = []  # of the call, received and not yet read
        self.connection = None
        try:
            self.connection = self.connect(control)
        except BaseException:
            self.stop()
            raise

    def write(self, name, text):
        with open(os.path.join(self.folder, name), "w") as file:
            file.write(text)

    def connect(self, port):
        deadline = time.monotonic() + START_SECONDS
        while True:
            try:
                return socket.create_connection(("127.0.0.1", port), timeout=COMMAND_SECONDS)
            except OSError:
                if time.monotonic() > deadline or self.process.poll() is not None:
                    raise Stopped("baresip does not start") from None
                time.sleep(0.05)

    def stop(self):
        if self.connection:
            self.connection.close()
        self.process.terminate()
        try:
            self.process.wait(HANGUP_SECONDS)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        shutil.rmtree(self.folder, ignore_errors=True)

    def message(self, deadline):
        """Returns the next message of baresip (a JSON object in a netstring), or None at the deadline."""
        while True:
            length, colon, rest = self.received.partition(b":")
            if colon and len(rest) > int(length):
                self.received = rest[int(length) + 1:]
                return json.loads(rest[:int(length)])
            remaining = deadline - time.monotonic()
            if remaining <= 0:
                return None
            self.connection.settimeout(remaining)
            try:
                data = self.connection.recv(65536)
            except TimeoutError:
                return None
            except OSError as error:
                raise Stopped(str(error)) from None
            if not data:
                raise Stopped("baresip ended")
            self.received += data

    def event(self, deadline):
        """Returns the next event of the call, or None at the deadline."""
        while not self.events:
            message = self.message(deadline)
            if message is None:
                return None
            self.keep(message)
        return self.events.pop(0)

    def keep(self, message):
        if message.get("class") == "call":
            self.events.append(message)

    def command(self, name, parameters=""):
        """Returns whether baresip accepted the command."""
        text = json.dumps({"command": name, "params": parameters, "token": name}).encode()
        try:
            self.connection.sendall(b"%d:%s," % (len(text), text))
        except OSError as error:
            raise Stopped(str(error)) from None
        deadline = time.monotonic() + COMMAND_SECONDS
        while (message := self.message(deadline)) is not None:
            if message.get("response") and message.get("token") == name:
                return message["ok"]
            self.keep(message)
        raise Stopped(f"baresip does not answer {name}")

    def dial(self, caller, callee, trunk, account):
        self.events.clear()  # of an earlier call
        address = f"sip:{caller}@{trunk}"
        if caller not in self.accounts:
            self.command("uanew", f"<{address}>;regint=0{account}")
            self.accounts.add(caller)
        return self.command("uafind", address) and self.command("dial", f"sip:{callee}@{trunk}")


class Line:
    """A user agent that is started when a call needs it, and again after it died."""

    def __init__(self, options, number):
        self.options, self.number = options, number
        self.agent = None

    def place(self, call, report):
        """Places one call. Calls report() with each state, and returns the last one."""
        try:
            self.agent = self.agent or UserAgent(self.options, self.number)
            return self.talk(call, report)
        except (Stopped, OSError, ValueError) as error:
            self.close()
            return {"status": "failed", "end_reason": f"user agent: {error}"}

    def talk(self, call, report):
        options = self.options
        if not self.agent.dial(call["from"], call["to"], options.trunk, options.account):
            return {"status": "failed", "end_reason": "the user agent refused the number"}
        deadline = time.monotonic() + options.ring_seconds
        answered = None
        while True:
            event = self.agent.event(deadline)
            kind = event["type"] if event else "DEADLINE"
            if kind in ("CALL_RINGING", "CALL_PROGRESS") and answered is None:
                report({"status": "ringing"})
            elif kind == "CALL_ESTABLISHED":
                answered = time.monotonic()
                deadline = answered + options.talk_seconds
                report({"status": "in_progress"})
            elif kind == "CALL_CLOSED":
                return outcome(answered, event.get("param", ""))
            elif kind == "DEADLINE":
                return self.hang_up(answered)

    def hang_up(self, answered):
        """Ends the call. If the call does not end, its process is ended."""
        self.agent.command("hangup")
        deadline = time.monotonic() + HANGUP_SECONDS
        while (event := self.agent.event(deadline)) and event["type"] != "CALL_CLOSED":
            if event["type"] == "CALL_ESTABLISHED":  # the answer came while we hung up
                answered = time.monotonic()
        if not event:
            self.close()
        return outcome(answered, "408" if answered is None else "")

    def close(self):
        if self.agent:
            self.agent.stop()
        self.agent = None


def outcome(answered, reason):
    """Returns the last report of a call. `answered` is the instant of the answer (monotonic) or None, `reason`
    begins with the SIP answer where there was one."""
    if answered is not None:
        return {"status": "completed", "duration_seconds": round(time.monotonic() - answered),
                "end_reason": "message played" if reason == "end of file" else "hung up"}
    code = int(reason[:3]) if reason[:3].isdigit() else 0
    said = REASONS.get(code, f"SIP {reason}" if code else reason or "no answer from the trunk")
    if code in BUSY:
        return {"status": "busy", "end_reason": "line busy"}
    if code in NO_ANSWER or "timed out" in reason:
        return {"status": "no_answer", "end_reason": "rang out" if code in (408, 487) else said}
    return {"status": "failed", "end_reason": said[:200]}


class Book:
    """The accepted calls and the reports that are still to be sent: a file that survives the process."""

    def __init__(self, path):
        self.lock = threading.Lock()
        self.database = sqlite3.connect(path, check_same_thread=False, isolation_level=None)
        self.database.execute("PRAGMA synchronous = FULL")
        self.database.execute("CREATE TABLE IF NOT EXISTS calls (id TEXT PRIMARY KEY, call TEXT NOT NULL,"
                              " outcome TEXT, reported INTEGER NOT NULL DEFAULT 0)")

    def execute(self, statement, *values):
        with self.lock:
            return self.database.execute(statement, values).fetchall()

    def has(self, call_id):
        return bool(self.execute("SELECT 1 FROM calls WHERE id = ?", call_id))

    def add(self, call_id, call):
        self.execute("INSERT INTO calls (id, call) VALUES (?, ?)", call_id, json.dumps(call))

    def end(self, call_id, report):
        self.execute("UPDATE calls SET outcome = ? WHERE id = ?", json.dumps(report), call_id)

    def reported(self, call_id):
        self.execute("UPDATE calls SET reported = 1 WHERE id = ?", call_id)

    def unreported(self):
        """Returns the calls that the last process left, with their outcomes."""
        rows = self.execute("SELECT id, call, outcome FROM calls WHERE reported = 0")
        return [(call_id, json.loads(call), json.loads(end) if end else INTERRUPTED)
                for call_id, call, end in rows]


class Calls:
    """Accepts calls as long as a line is free."""

    def __init__(self, options):
        self.book = Book(options.state)
        self.lock = threading.Lock()
        self.free = queue.SimpleQueue()
        self.lines = [Line(options, number) for number in range(options.lines)]
        for line in self.lines:
            self.free.put(line)
        self.workers = concurrent.futures.ThreadPoolExecutor(2 * options.lines + 1)
        for left in self.book.unreported():
            self.workers.submit(self.finish, *left)

    def take(self, call_id, call):
        """Returns the answer to a request: a status and a report (see dialer.Handler)."""
        if not E164.fullmatch(call["to"]) or not E164.fullmatch(call["from"] or ""):
            return 200, {"status": "failed", "end_reason": "a number is not E.164"}
        with self.lock:
            if self.book.has(call_id):
                return 202, None
            try:
                line = self.free.get_nowait()
            except queue.Empty:
                return 429, None
            self.book.add(call_id, call)
        self.workers.submit(self.place, line, call_id, call)
        return 202, None

    def place(self, line, call_id, call):
        courses = concurrent.futures.ThreadPoolExecutor(1)  # sends reports in their order while the call goes on
        last = line.place(call, lambda state: courses.submit(dialer.report, call, state))
        self.book.end(call_id, last)
        self.free.put(line)
        courses.shutdown()
        self.finish(call_id, call, last)

    def finish(self, call_id, call, last):
        self.book.end(call_id, last)
        while not dialer.report(call, last):
            time.sleep(REPORT_RETRY_SECONDS)
        self.book.reported(call_id)

    def close(self):
        for line in self.lines:
            line.close()


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def arguments():
    options = argparse.ArgumentParser(
        description="A dialer for Outdial that places calls by SIP with baresip. It takes webhooks on"
                    " 127.0.0.1; put a proxy with TLS before it when Outdial runs elsewhere.")
    options.add_argument("--port", type=int, default=9091, help="where webhooks arrive (9091)")
    options.add_argument("--trunk", required=True, metavar="HOST[:PORT]", help="where calls go to")
    options.add_argument("--account", default="", metavar="PARAMETERS",
                         help="parameters of the SIP account, as baresip writes them:"
                              " ;auth_user=...;auth_pass=...;outbound=\"sip:proxy\"")
    options.add_argument("--play", required=True, metavar="FILE",
                         help="WAV file for who answers: 8000 Hz, 16 bits, one channel")
    options.add_argument("--lines", type=int, default=4, help="calls at once (4)")
    options.add_argument("--ring-seconds", type=float, default=45, help="rings at most so long (45)")
    options.add_argument("--talk-seconds", type=float, default=300, help="lasts at most so long (300)")
    options.add_argument("--address", default="127.0.0.1",
                         help="address of this host that the trunk can reach (127.0.0.1)")
    options.add_argument("--rtp-port", type=int, default=20000, help="first UDP port of sound (20000)")
    options.add_argument("--modules", default="/usr/lib/baresip/modules", help="modules of baresip")
    options.add_argument("--state", default="sip-dialer.db", help="file that remembers calls")
    found = options.parse_args()
    if not dialer.SECRET:
        options.error("set OUTDIAL_WEBHOOK_SECRET in the environment")
    if not os.path.isfile(found.play):
        options.error(f"--play: {found.play} is not a file")
    if not shutil.which("baresip"):
        options.error("baresip is missing: apt-get install baresip-core")
    if found.lines < 1:
        options.error("--lines must be at least 1")
    return found


def main():
    options = arguments()
    dialer.Handler.calls = calls = Calls(options)
    server = dialer.Server(("127.0.0.1", options.port), dialer.Handler)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    print(f"Taking webhooks on http://127.0.0.1:{options.port}/, calling through {options.trunk}"
          f" on {options.lines} lines", flush=True)
    try:
        server.serve_forever()
    except (KeyboardInterrupt, SystemExit):
        pass
    calls.close()
    os._exit(0)  # threads that report may wait for a long time; the file remembers their reports


if __name__ == "__main__":
    main()
