"""A proxy between programs and their database. It cuts a connection at the COMMIT of a chosen transaction: before the
server gets the COMMIT ("before"), after the server answered but before the program gets the answer ("during"), or after
the program has the answer ("after"). It can also hold a chosen statement, so that a test can do something just before
the statement runs. And it can undo every transaction once, as servers do after a deadlock, so that the program runs the
transaction again."""

import contextlib
import os
import selectors
import signal
import socket
import threading

from client import until

QUERY, PREPARE, EXECUTE = 0x03, 0x16, 0x17  # commands of the protocol
LAST_PREPARED = 0xffffffff
DEADLOCK = b"\xff" + (1213).to_bytes(2, "little") + b"#40001Deadlock found when trying to get lock"


def packet_of(number, payload):
    return len(payload).to_bytes(3, "little") + bytes([number]) + payload


class Cutter:
    """Listens at `path` and forwards everything to the server at `server`."""

    def __init__(self, path, server):
        self.path, self.server = path, server
        self.lock = threading.Lock()
        self.order = None                # (when, a piece of a statement of the transaction)
        self.has_cut = threading.Event()
        self.undoes = False              # every transaction once
        self.undone = 0
        self.held, self.holds = [], threading.Event()
        self.listener = socket.socket(socket.AF_UNIX)
        self.listener.bind(path)
        self.listener.listen(64)
        threading.Thread(target=self._accept, daemon=True).start()

    def cut(self, when, statement):
        """Cuts once, at the COMMIT of the next transaction in which such a statement ran."""
        with self.lock:
            self.has_cut.clear()
            self.order = (when, statement)

    def take_order(self, statements):
        """Returns when to cut this transaction; None: not at all."""
        with self.lock:
            if self.order is None or not any(self.order[1] in statement for statement in statements):
                return None
            when, self.order = self.order[0], None
            return when

    @contextlib.contextmanager
    def hold(self, statement):
        """Holds the next such statement until the body has run. The body gets a Hold, whose `wait` returns when the
        statement is held; `self.holds.wait` does the same for the latest hold. After five seconds MariaDB ends the
        transaction."""
        hold = Hold(statement)
        self.holds = hold.holds
        with self.lock:
            self.held.append(hold)
        try:
            yield hold
        finally:
            with self.lock:
                self.held.remove(hold)
            hold.goes_on.set()

    def wait_if_held(self, statement):
        with self.lock:
            hold = next((hold for hold in self.held if hold.piece in statement and not hold.holds.is_set()), None)
            if hold is None:
                return
            hold.holds.set()
        hold.goes_on.wait()

    def close(self):
        for hold in self.held:
            hold.goes_on.set()
        self.listener.close()
        os.unlink(self.path)

    def _accept(self):
        with contextlib.suppress(OSError):
            while True:
                client, _ = self.listener.accept()
                threading.Thread(target=self._serve, args=(client,), daemon=True).start()

    def _serve(self, client):
        with client, socket.socket(socket.AF_UNIX) as server, contextlib.suppress(OSError):
            server.connect(self.server)
            Connection(self, client, server).run()


class Hold:
    def __init__(self, piece):
        self.piece, self.holds, self.goes_on = piece, threading.Event(), threading.Event()

    def wait(self, seconds=20):
        assert self.holds.wait(seconds), f"no such statement came: {self.piece}"


class Connection:
    def __init__(self, cutter, client, server):
        self.cutter, self.client, self.server = cutter, client, server
        self.statements, self.prepared, self.texts = [], b"", {}
        self.waits_for_id, self.last = False, None
        self.cut_when = None
        self.undoes, self.has_undone = False, False  # this transaction; the one before
        self.sent, self.answer = b"", b""

    def run(self):
        with selectors.DefaultSelector() as selector:
            selector.register(self.client, selectors.EVENT_READ, self.from_client)
            selector.register(self.server, selectors.EVENT_READ, self.from_server)
            while all(key.data() for key, _ in selector.select()):
                pass
        if self.cut_when:
            self.cutter.has_cut.set()

    def from_client(self):
        """Returns False when the connection is over."""
        data = self.client.recv(65536)
        self.sent += data
        while len(self.sent) >= 4:
            end = 4 + int.from_bytes(self.sent[:3], "little")
            if len(self.sent) < end:
                break
            packet, self.sent = self.sent[:end], self.sent[end:]
            if packet[3] == 0 and end > 4:  # a command, not a part of the log-in
                self.follow(packet[4], packet[5:])
            if self.cut_when == "before":
                return False
            if self.undoes:
                packet = packet_of(0, bytes([QUERY]) + b"ROLLBACK")
            self.server.sendall(packet)
        return bool(data)

    def follow(self, command, body):
        if command == QUERY and body.startswith(b"START TRANSACTION"):
            self.statements = []
        elif command == QUERY and body.upper() == b"COMMIT":
            self.cut_when = self.cutter.take_order(self.statements)
            self.undoes = self.has_undone = self.cutter.undoes and not self.has_undone
        elif command == QUERY:
            self.statements.append(body.decode(errors="replace"))
            self.cutter.wait_if_held(self.statements[-1])
        elif command == PREPARE:
            self.waits_for_id, self.prepared, self.answer = True, body.decode(), b""
        elif command == EXECUTE:
            number = int.from_bytes(body[:4], "little")
            self.statements.append(self.texts[self.last if number == LAST_PREPARED else number])
            self.cutter.wait_if_held(self.statements[-1])

    def from_server(self):
        data = self.server.recv(65536)
        if self.waits_for_id:
            self.answer += data
            if len(self.answer) >= 9:
                self.waits_for_id = False
                self.last = int.from_bytes(self.answer[5:9], "little")
                self.texts[self.last] = self.prepared
        if self.cut_when == "during":
            return False
        if self.undoes and data:
            self.undoes, data = False, packet_of(1, DEADLOCK)
            self.cutter.undone += 1
        self.client.sendall(data)
        return bool(data) and self.cut_when is None


class Between:
    """A cutter, and a program that reaches the database through it."""

    def __init__(self, t, stack=None):
        self.t, self.stack = t, stack or t.stack
        name = type(self).__name__.lower()
        self.cutter = Cutter(f"{self.stack.run_dir}/cutter-{name}.sock", self.stack.database.socket)
        self.file = os.path.join(self.stack.state_dir, f"database-cut-{name}.cnf")
        with open(self.stack.database_file) as file:
            text = file.read().replace(self.stack.database.socket, self.cutter.path)
        with open(self.file, "w") as file:
            file.write(text)

    def __enter__(self):
        return self

    def __exit__(self, *exception):
        self.cutter.close()


class Scheduler(Between):
    def __enter__(self):
        self.name = self.t.stack.start_scheduler(database_file=self.file)
        return self

    def __exit__(self, *exception):
        self.t.stack.kill(self.name, signal.SIGTERM)
        super().__exit__(*exception)


class Api(Between):
    def __enter__(self):
        self.t.stack.kill("api", signal.SIGTERM)
        self.t.stack.start_api(database_file=self.file)
        self.t.stack.wait_ready()
        return self

    def __exit__(self, *exception):
        self.t.stack.kill("api", signal.SIGTERM)
        self.t.stack.start_api()
        self.t.stack.wait_ready()
        super().__exit__(*exception)


class Later(threading.Thread):
    """A request that is sent in the background."""

    def __init__(self, api, *request, **more):
        super().__init__(daemon=True)
        self.api, self.request, self.more, self.reply = api, request, more, None
        self.start()

    def run(self):
        self.reply = self.api.send(*self.request, **self.more)

    def result(self):
        self.join(30)
        assert self.reply, self.request
        return self.reply


def until_it_waits(t, later):
    """Waits until the request waits for a lock. (information_schema.innodb_trx is not used, because the server updates
    it only if nobody has read it for 0.1 s.)"""
    state = lambda: t.stack.sql("SHOW ENGINE INNODB STATUS")[0][2]
    until(lambda: later.reply or "LOCK WAIT" in state(), 10, "it waits for a lock")
    assert later.reply is None, later.reply
