"""A farm of hostile webhook receivers on loopback, one for each path. A receiver fails a number of times, in the way
of its name, and then accepts. The deliveries are checked as in receiver.py."""

import collections
import socket
import struct
import threading
import time

from receiver import Delivery, signature_fault

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
FLOOD = b"x" * 65536


class Farm:
    def __init__(self, api):
        self.api = api
        self.deliveries = collections.defaultdict(list)  # by path
        self.ways, self.patience, self.secrets = {}, {}, {}
        self.faults = []
        self.lock = threading.Lock()
        self.closing = threading.Event()
        self.socket = socket.create_server(("127.0.0.1", 0), backlog=512)
        self.port = self.socket.getsockname()[1]
        threading.Thread(target=self.accept, daemon=True).start()

    def endpoint(self, way, times, **fields):
        """Creates an endpoint whose receiver fails `times` times. Returns its id."""
        path = f"/{way.__name__}"
        webhook = self.api.post("/webhooks", {"url": f"http://127.0.0.1:{self.port}{path}", **fields})
        self.ways[path], self.patience[path], self.secrets[path] = way, times, webhook["secret"]
        return webhook["id"]

    def close(self):
        self.closing.set()
        self.socket.shutdown(socket.SHUT_RDWR)
        self.socket.close()

    def accept(self):
        while not self.closing.is_set():
            try:
                connection, _ = self.socket.accept()
            except OSError:
                return
            threading.Thread(target=self.serve, args=(connection,), daemon=True).start()

    def serve(self, connection):
        with connection:
            try:
                delivery = self.read(connection)
                if delivery:
                    self.answer(connection, delivery)
            except OSError:
                pass  # given up by the other side, as it should be

    def read(self, connection):
        data = b""
        while b"\r\n\r\n" not in data:
            part = connection.recv(65536)
            if not part:
                return None
            data += part
        head, body = data.split(b"\r\n\r\n", 1)
        lines = head.decode().split("\r\n")
        headers = collections.defaultdict(str, {name: value for name, value in
                                                (line.split(": ", 1) for line in lines[1:])})
        while len(body) < int(headers["Content-Length"]):
            body += connection.recv(65536)
        delivery = Delivery(lines[0].split(" ")[1], headers, body, 0)
        fault = signature_fault(delivery, self.secrets.get(delivery.path))
        with self.lock:
            if fault:
                self.faults.append((fault, delivery))
        return delivery

    def answer(self, connection, delivery):
        with self.lock:
            self.deliveries[delivery.path].append(delivery)
            wrong = len(self.deliveries[delivery.path]) <= self.patience[delivery.path]
        if wrong:
            self.ways[delivery.path](self, connection)
        else:
            delivery.answered_at = time.monotonic()
            connection.sendall(OK)

    def count(self):
        """Returns how many deliveries came so far."""
        with self.lock:
            return sum(map(len, self.deliveries.values()))

    def taken(self, path):
        """Returns the accepted deliveries; for receivers that never fail, all deliveries."""
        with self.lock:
            return [delivery for delivery in self.deliveries[path] if delivery.answered_at]


# Ways to fail

def resets(farm, connection):
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


def closes(farm, connection):
    pass


def hangs(farm, connection):
    farm.closing.wait(60)


def hangs_in_the_headers(farm, connection):
    connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Le")
    farm.closing.wait(60)


def hangs_in_the_body(farm, connection):
    connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf")
    farm.closing.wait(60)


def trickles(farm, connection):
    for byte in b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n" + b"x" * 1000:
        connection.sendall(bytes([byte]))
        farm.closing.wait(0.1)


def promises_too_much(farm, connection):
    connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 1000000000\r\n\r\nthat is all")


def talks_nonsense(farm, connection):
    connection.sendall(b"\0\xff no HTTP at all\r\n\r\n" * 100)


def sends_huge_headers(farm, connection):
    connection.sendall(b"HTTP/1.1 200 OK\r\n")
    while not farm.closing.is_set():
        connection.sendall(b"X-Flood: " + FLOOD[:8000] + b"\r\n")


def sends_one_huge_header(farm, connection):
    connection.sendall(b"HTTP/1.1 200 OK\r\nX-Flood: ")
    while not farm.closing.is_set():
        connection.sendall(FLOOD)


def says_continue_for_ever(farm, connection):
    while not farm.closing.is_set():
        connection.sendall(b"HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n" * 100)


def redirects(farm, connection):
    connection.sendall(b"HTTP/1.1 307 Temporary Redirect\r\nLocation: /elsewhere\r\nContent-Length: 0\r\n\r\n")


def fails(farm, connection):
    connection.sendall(b"HTTP/1.1 500 Oh no\r\nContent-Length: 0\r\n\r\n")


def is_busy(farm, connection):
    connection.sendall(b"HTTP/1.1 429 Later\r\nRetry-After: 1\r\nContent-Length: 0\r\n\r\n")


def is_busy_until(farm, connection):
    date = time.strftime("%a, %d %b %Y %H:%M:%S GMT", time.gmtime(time.time() + 3)).encode()
    connection.sendall(b"HTTP/1.1 503 Later\r\nRetry-After: " + date + b"\r\nContent-Length: 0\r\n\r\n")


WRONG = (resets, closes, hangs, hangs_in_the_headers, hangs_in_the_body, trickles, promises_too_much, talks_nonsense,
         sends_huge_headers, sends_one_huge_header, says_continue_for_ever, redirects, fails, is_busy, is_busy_until)


# Odd ways to succeed

def has_no_content(farm, connection):
    connection.sendall(b"HTTP/1.1 204 No Content\r\n\r\n")


def says_continue_first(farm, connection):
    connection.sendall(b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n" + OK)


def floods(farm, connection):
    connection.sendall(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
    while not farm.closing.is_set():
        connection.sendall(b"10000\r\n" + FLOOD + b"\r\n")


RIGHT = (has_no_content, says_continue_first, floods)
