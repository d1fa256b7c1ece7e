#!/usr/bin/env python3
"""Where webhooks may go and where not: addresses, names whose address changes, proxies, redirects, TLS.

The scheduler runs in a mount namespace of its own. In it, the test's own name server answers. This needs root: the
tests are skipped without it."""

import http.server
import itertools
import os
import shutil
import signal
import socket
import ssl
import struct
import subprocess
import sys
import tempfile
import threading
import warnings

import tap
from client import until
from receiver import Answer

OPEN, CLOSED = "127.0.7.2", "127.0.7.3"  # the operator allows only the first address
NAMESERVER = "127.0.7.53"
FORBIDDEN = "the URL leads to an address that webhooks may not go to"

TLS = tempfile.mkdtemp(prefix="outdial-tls-")
STACK = {"rate_limit": False, "schedulers": 0, "config": {
    "webhook_allow_private": "no", "webhook_allow": f"{OPEN} named.test",
    "webhook_ca_file": f"{TLS}/ca.pem", "webhook_client_certificate": f"{TLS}/client.pem",
    "webhook_client_key": f"{TLS}/client.key"}}


# Certificates

def openssl(*arguments):
    subprocess.run(["openssl", *arguments], check=True, capture_output=True, cwd=TLS)


def certificate(name, host=None, authority="ca", days=2):
    """Makes NAME.pem and NAME.key. Without an authority the certificate is signed by its own key."""
    extensions = f"subjectAltName=DNS:{host}" if host else "basicConstraints=critical,CA:TRUE"
    openssl("req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-keyout", f"{name}.key",
            "-out", f"{name}.csr", "-subj", f"/CN={name}")
    with open(f"{TLS}/{name}.ext", "w") as file:
        file.write(extensions + "\n")
    signer = ["-CA", f"{authority}.pem", "-CAkey", f"{authority}.key", "-CAcreateserial"] if authority \
        else ["-signkey", f"{name}.key"]
    openssl("x509", "-req", "-in", f"{name}.csr", "-extfile", f"{name}.ext", *signer, "-days", str(days),
            "-out", f"{name}.pem")


def make_certificates():
    certificate("ca", authority=None)
    certificate("strangers", authority=None)
    certificate("client", host="outdial.test")
    certificate("good", host="good.test")
    certificate("selfsigned", host="good.test", authority=None)
    certificate("unknown", host="good.test", authority="strangers")
    certificate("expired", host="good.test", days=-1)


# A name server

class NameServer(threading.Thread):
    """Answers with the addresses that `names` has for a name. The answers may not be cached."""

    def __init__(self):
        super().__init__(daemon=True)
        self.names = {}
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.bind((NAMESERVER, 53))
        self.start()

    def run(self):
        while True:
            question, client = self.socket.recvfrom(4096)
            if not question:
                return
            self.socket.sendto(self.answer(question), client)

    def answer(self, question):
        labels, at = [], 12
        while question[at]:
            labels.append(question[at + 1:at + 1 + question[at]].decode().lower())
            at += 1 + question[at]
        kind = struct.unpack(">H", question[at + 1:at + 3])[0]
        name = ".".join(labels)
        found = self.names.get(name)
        family = {1: socket.AF_INET, 28: socket.AF_INET6}.get(kind)
        if callable(found):
            found = found() if family == socket.AF_INET else []
        found = found or []
        records = [address for address in found if family == (socket.AF_INET6 if ":" in address else socket.AF_INET)]
        head = question[:2] + struct.pack(">HHHHH", 0x8180 if name in self.names else 0x8183, 1, len(records), 0, 0)
        body = question[12:at + 5]
        for address in records:
            packed = socket.inet_pton(family, address)
            body += struct.pack(">HHHIH", 0xC00C, kind, 1, 0, len(packed)) + packed
        return head + body

    def close(self):
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as end:
            end.sendto(b"", (NAMESERVER, 53))
        self.join()
        self.socket.close()


# Receivers

class Hits:
    """An HTTP server at any address, with or without TLS. It counts its connections."""

    def __init__(self, address, port=0, context=None, status=200, headers=()):
        hits = self
        self.connections, self.posts, self.certificates = 0, [], []

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self):
                self.rfile.read(int(self.headers["Content-Length"]))
                hits.posts.append(self.path)
                if context:
                    hits.certificates.append(self.connection.getpeercert())
                self.send_response(status)
                for name, value in headers:
                    self.send_header(name, value)
                self.send_header("Content-Length", "0")
                self.send_header("Connection", "close")
                self.end_headers()

            do_GET = do_CONNECT = do_POST

            def log_message(self, *arguments):
                pass

        class Server(http.server.ThreadingHTTPServer):
            daemon_threads = True
            block_on_close = False

            def get_request(self):
                connection, peer = super().get_request()
                hits.connections += 1
                return connection, peer

            def finish_request(self, request, peer):
                if context:
                    request = context.wrap_socket(request, server_side=True)
                super().finish_request(request, peer)

            def handle_error(self, request, peer):
                pass

        self.server = Server((address, port), Handler)
        self.port = self.server.server_port
        threading.Thread(target=self.server.serve_forever, args=(0.05,), daemon=True).start()

    def close(self):
        self.server.shutdown()
        self.server.server_close()


def server_context(name, **options):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(f"{TLS}/{name}.pem", f"{TLS}/{name}.key")
    context.load_verify_locations(f"{TLS}/ca.pem")
    for key, value in options.items():
        setattr(context, key, value)
    return context


# A scheduler and its surroundings

class Stage:
    """A scheduler that asks our name server. Its environment names a proxy, which the scheduler must not use."""

    def __init__(self, t):
        self.t, self.servers = t, []
        self.names = NameServer()
        self.proxy = self.hits(OPEN)
        self.resolver = os.path.join(t.stack.state_dir, "resolv.conf")
        with open(self.resolver, "w") as file:
            file.write(f"nameserver {NAMESERVER}\noptions timeout:5 attempts:3\n")
        self.start()

    def start(self):
        stack, proxy = self.t.stack, f"http://{OPEN}:{self.proxy.port}"
        stack.start_program("scheduler", [
            "unshare", "-m", "sh", "-c", 'mount --bind "$1" /etc/resolv.conf && exec "$2" -c "$3"', "sh", self.resolver,
            f"{stack.build}/outdial-scheduler", stack.write_config()],
            {name: proxy for name in ("http_proxy", "https_proxy", "all_proxy", "ALL_PROXY", "HTTPS_PROXY")})

    def __enter__(self):
        return self

    def hits(self, *arguments, **options):
        self.servers.append(Hits(*arguments, **options))
        return self.servers[-1]

    def __exit__(self, *exception):
        connections = self.proxy.connections
        self.t.stack.kill("scheduler", signal.SIGTERM)
        self.names.close()
        for server in self.servers:
            server.close()
        assert connections == 0, "the proxy of the environment was used"

    def send(self, url):
        """Tests an endpoint at this address, and returns its first try."""
        return self.test(self.t.api.post("/webhooks", {"url": url})["id"])

    def test(self, webhook):
        delivery = self.t.api.post(f"/webhooks/{webhook}/test")["id"]
        return until(lambda: self.t.api.get(f"/webhooks/deliveries/{delivery}")["tries"], 30, "it was tried")[0]


def test_addresses_are_judged_when_the_endpoint_is_made(t):
    for url in (f"http://{CLOSED}/", "http://127.0.0.1/", "http://[::1]/", "http://0x7f.1/", "http://2130706433/",
                "http://127.1/",
                "http://a@example.com/", "http://169.254.169.254/", "http://[::ffff:127.0.0.1]/",
                "http://example.com./",
                "http://[fe80::1%25lo]/", "http://①②⑦.0.0.1/", "http://example.com:0/", "gopher://example.com/"):
        t.api.refuse("validation_error", "POST", "/webhooks", {"url": url}, "url")
    webhook = t.api.post("/webhooks", {"url": f"http://{OPEN}/"})["id"]
    t.api.refuse("validation_error", "PATCH", f"/webhooks/{webhook}", {"url": f"http://{CLOSED}/"}, "url")
    t.stack.sql(f"UPDATE webhook_endpoints SET url = 'http://{CLOSED}/' WHERE url = 'http://{OPEN}/'")
    assert t.api.patch(f"/webhooks/{webhook}", {"disabled": True})["disabled"]  # its address is not allowed now
    t.api.refuse("validation_error", "PATCH", f"/webhooks/{webhook}", {"url": f"http://{CLOSED}/"}, "url")


def test_a_name_is_judged_by_where_it_leads(t):
    with Stage(t) as stage:
        open_, closed = stage.hits(OPEN), stage.hits(CLOSED)
        trap = stage.hits(CLOSED, port=open_.port)
        stage.names.names.update({
            "open.test": [OPEN], "closed.test": [CLOSED], "named.test": [CLOSED], "mapped.test": ["::ffff:" + CLOSED],
            "both.test": [CLOSED, OPEN], "local.test": ["127.0.0.1", "::1", "::"], "zero.test": ["0.0.0.0"],
            "meta.test": ["169.254.169.254", "fd00:ec2::254"], "nat.test": ["64:ff9b::7f00:1"]})
        assert stage.send(f"http://open.test:{open_.port}/")["response_status"] == 200
        assert stage.send(f"http://named.test:{closed.port}/")["response_status"] == 200
        assert closed.connections == 1
        for name in ("closed", "mapped", "local", "zero", "meta", "nat"):
            try_ = stage.send(f"http://{name}.test:{closed.port}/")
            assert try_["response_status"] is None and try_["error"] == FORBIDDEN, (name, try_)
        assert stage.send(f"http://both.test:{open_.port}/")["response_status"] == 200
        nowhere = stage.send("http://nowhere.test/")
        assert nowhere["response_status"] is None and nowhere["error"] not in (None, FORBIDDEN), nowhere
        assert closed.connections == 1 and trap.connections == 0


def test_a_name_whose_address_changes_leads_nowhere_else(t):
    """The connection goes to the address that was checked. A second look-up would get another answer, so the scheduler
    makes none. Another scheduler, which remembers nothing, checks the next try again."""
    with Stage(t) as stage:
        open_ = stage.hits(OPEN)
        closed = stage.hits(CLOSED, port=open_.port)
        for number in range(6):
            turns = itertools.cycle([OPEN, CLOSED] if number % 2 else [CLOSED, OPEN])
            stage.names.names[f"flip{number}.test"] = lambda turns=turns: [next(turns)]
        urls = [f"http://flip{number}.test:{open_.port}/" for number in range(6)]
        webhooks = [t.api.post("/webhooks", {"url": url})["id"] for url in urls]
        for turn in range(2):
            for number, webhook in enumerate(webhooks):
                found = stage.test(webhook)
                if (number + turn) % 2:
                    assert found["response_status"] == 200, (turn, number, found)
                else:
                    assert found["response_status"] is None and found["error"] == FORBIDDEN, (turn, number, found)
            if turn == 0:
                t.stack.kill("scheduler", signal.SIGTERM)
                t.stack.sql("UPDATE deliveries SET status = 2, wake_at = '9999-12-31'")
                stage.start()
        assert closed.connections == 0 and open_.connections == 6, (closed.connections, open_.connections)


def test_redirects_are_not_followed(t):
    with Stage(t) as stage:
        closed = stage.hits(CLOSED)
        beyond = stage.hits(OPEN)
        for status in (301, 302, 303, 307, 308):
            for target in (closed, beyond):
                where = f"http://{CLOSED if target is closed else OPEN}:{target.port}/"
                found = stage.send(
                    f"http://{OPEN}:{stage.hits(OPEN, status=status, headers=[('Location', where)]).port}/")
                assert found["response_status"] == status and found["error"], found
        assert closed.connections == beyond.connections == 0


def test_receivers_need_valid_certificates(t):
    with Stage(t) as stage:
        stage.names.names.update({"good.test": [OPEN], "other.test": [OPEN]})
        asking = stage.hits(OPEN, context=server_context("good", verify_mode=ssl.CERT_REQUIRED))
        assert stage.send(f"https://good.test:{asking.port}/")["response_status"] == 200
        assert asking.certificates[0]["subject"][0][0] == ("commonName", "client"), asking.certificates
        plain = stage.hits(OPEN, context=server_context("good", maximum_version=ssl.TLSVersion.TLSv1_2))
        assert stage.send(f"https://good.test:{plain.port}/")["response_status"] == 200
        wrong = stage.send(f"https://other.test:{plain.port}/")
        assert wrong["response_status"] is None and "certificate" in wrong["error"].lower(), wrong
        assert len(plain.posts) == 1
        for name in ("selfsigned", "unknown", "expired"):
            server = stage.hits(OPEN, context=server_context(name))
            found = stage.send(f"https://good.test:{server.port}/")
            assert found["response_status"] is None and "certificate" in found["error"], (name, found)
            assert server.connections == 1 and not server.posts, name
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            old = server_context("good", minimum_version=ssl.TLSVersion.TLSv1, maximum_version=ssl.TLSVersion.TLSv1_1)
        old.set_ciphers("ALL:@SECLEVEL=0")
        server = stage.hits(OPEN, context=old)
        found = stage.send(f"https://good.test:{server.port}/")
        assert found["response_status"] is None and found["error"] and not server.posts, found
        speechless = stage.hits(OPEN)
        found = stage.send(f"https://good.test:{speechless.port}/")
        assert found["response_status"] is None and found["error"] and not speechless.posts, found


def test_faulty_certificate_files_are_reported_at_the_start(t):
    right = dict(t.stack.config)
    try:
        for change, said in (({"webhook_client_key": f"{TLS}/good.key"}, "is not the key of the certificate"),
                             ({"webhook_client_key": ""}, "need each other"),
                             ({"webhook_client_certificate": f"{TLS}/gone.pem"}, "No such file"),
                             ({"webhook_ca_file": f"{TLS}/good.key"}, "no certificate"),
                             ({"webhook_allow": "10.0.0.1/8"}, "webhook_allow"),
                             ({"webhook_ports": "0"}, "webhook_ports")):
            t.stack.config = {**right, **change}
            path = t.stack.write_config()
            for program in (["outdial", "-c", path, "check-config"], ["outdial-scheduler", "-c", path]):
                result = subprocess.run([f"{t.stack.build}/{program[0]}", *program[1:]], capture_output=True, text=True,
                                        timeout=20)
                assert result.returncode != 0 and said in result.stderr, (program, change, result.stderr)
    finally:
        t.stack.config = right
        t.stack.write_config()


def may_mount():
    return os.geteuid() == 0 and subprocess.run(["unshare", "-m", "true"], capture_output=True).returncode == 0


if __name__ == "__main__":
    if not may_mount():
        print("1..0 # skip: the test's own name server needs root and mount namespaces")
        sys.exit()
    try:
        make_certificates()
        tap.run(globals())
    finally:
        shutil.rmtree(TLS)
