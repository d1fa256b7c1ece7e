#!/usr/bin/env python3
"""The master of the API replaces workers that hang. The test sets its clock forward, so that it does not have to wait
for a minute."""

import fcntl
import os
import shutil
import signal
import socket
import struct
import subprocess
import termios

import tap
from client import until

STACK = {"rate_limit": False, "config": {"workers": 3}}
BEGIN, PARAMS, STDIN, RESPONDER = 1, 4, 5, 1  # of FastCGI


def clock_file(t):
    return os.path.join(t.stack.state_dir, "ahead")


def put_ahead(t, seconds):
    with open(clock_file(t), "r+b") as file:
        ahead, = struct.unpack("q", file.read(8))
        file.seek(0)
        file.write(struct.pack("q", ahead + seconds))


def start_with_movable_clock(t):
    compiler = shutil.which("cc")
    if not compiler:
        raise tap.Skip("there is no C compiler")
    library = os.path.join(t.stack.state_dir, "ahead.so")
    subprocess.run([compiler, "-shared", "-fPIC", "-o", library, os.path.join(tap.HERE, "ahead.c")], check=True)
    with open(clock_file(t), "wb") as file:
        file.write(struct.pack("q", 0))
    t.stack.kill("api", signal.SIGTERM)
    options = os.environ.get("ASAN_OPTIONS", "")
    t.stack.start_program("api", [f"{t.stack.build}/outdial-api", "-c", t.stack.write_config()], {
        "LD_PRELOAD": library, "CLOCK_AHEAD": clock_file(t), "ASAN_OPTIONS": f"{options}:verify_asan_link_order=0"})
    t.stack.wait_ready()


def said(t, text):
    with open(os.path.join(t.stack.log_dir, "api.log")) as log:
        return [line for line in log if text in line]


def record(kind, content=b""):
    return struct.pack(">BBHHBB", 1, kind, 1, len(content), 0, 0) + content


def pair(name, value):
    return struct.pack(">BI", len(name), len(value) | 1 << 31) + name.encode() + value.encode()


def stuck_request(t):
    """A request whose body does not come: nginx would wait for it, so it is sent to the socket of the API."""
    params = {"REQUEST_METHOD": "POST", "SCRIPT_NAME": "/api/public/v1/agents", "CONTENT_TYPE": "application/json",
              "CONTENT_LENGTH": "1000", "HTTP_AUTHORIZATION": f"Bearer {t.api.key}"}
    connection = socket.socket(socket.AF_UNIX)
    connection.connect(f"{t.stack.run_dir}/api.sock")
    connection.sendall(record(BEGIN, struct.pack(">HB5x", RESPONDER, 0)) +
                       record(PARAMS, b"".join(pair(*item) for item in params.items())) + record(PARAMS) +
                       record(STDIN, b'{"name": '))
    return connection


def is_read(connection):
    """Returns whether a worker has read all that was sent."""
    unread = fcntl.ioctl(connection, termios.TIOCOUTQ, struct.pack("i", 0))
    return struct.unpack("i", unread) == (0,)


def gone(old, t):
    """Returns the workers that are gone, as soon as there are as many workers as before."""
    now = t.stack.workers()
    return len(now) == len(old) and set(old) - set(now)


def test_a_worker_that_is_stuck_is_replaced(t):
    start_with_movable_clock(t)
    old = t.stack.workers()
    connection = stuck_request(t)
    try:
        until(lambda: is_read(connection), what="a worker has the request")
        until(lambda: t.api.get("/agents") == [] and b"outdial_workers{state=\"busy\"} 2" in metrics(t),
              what="a worker waits")
        put_ahead(t, 55)
        for _ in range(10):
            assert t.api.get("/agents") == []
        assert t.stack.workers() == old, "a minute has not passed"
        put_ahead(t, 10)
        left = until(lambda: gone(old, t), what="a worker is replaced")
        assert len(left) == 1 and f"{left.pop()} has made no progress with its request for 60 s" in \
            said(t, "has made no progress")[-1], said(t, "has made no progress")
        assert connection.recv(1) == b"", "the connection ended with it"
    finally:
        connection.close()
    assert t.api.get("/agents") == []


def metrics(t):
    connection = socket.create_connection(("127.0.0.1", t.stack.port))
    with connection:
        connection.sendall(b"GET /metrics HTTP/1.0\r\n\r\n")
        return b"".join(iter(lambda: connection.recv(65536), b""))


def test_workers_that_are_stopped_are_replaced(t):
    old = t.stack.workers()
    for pid in old:
        os.kill(pid, signal.SIGSTOP)
    until(lambda: all(state_of(pid) == "T" for pid in old), what="all are stopped")
    until(lambda: not put_ahead(t, 10) and len(gone(old, t) or ()) == len(old), what="others are there")
    assert len(set(said(t, "has been stopped for 30 s"))) == len(old)
    assert t.api.get("/agents") == []


def state_of(pid):
    with open(f"/proc/{pid}/stat") as file:
        return file.read().rsplit(") ", 1)[1][0]


if __name__ == "__main__":
    tap.run(globals())
