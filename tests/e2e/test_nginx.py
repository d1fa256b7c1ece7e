#!/usr/bin/env python3
"""The answers of nginx itself have the form of the contract: rate limits, bad requests, an API that is away."""

import gzip
import http.client
import json
import os
import re
import signal
import socket
import subprocess
import threading
import time

import tap
import stack
from client import until


def raw(t, request):
    """Sends bytes, and returns the head and the body of the answer."""
    with socket.create_connection(("127.0.0.1", t.stack.port), timeout=20) as connection:
        connection.sendall(request)
        text = b"".join(iter(lambda: connection.recv(65536), b""))
    head, _, body = text.partition(b"\r\n\r\n")
    return head.decode(), body.decode()


def test_too_many_requests(t):
    """Per key: another key is still served. The requests are sent as one, to be quick."""
    other = t.client()
    request = f"GET /api/public/v1/agents HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {t.api.key}\r\n".encode()
    burst = 150 * (request + b"\r\n") + request + b"Connection: close\r\n\r\n"
    answers = []
    send = lambda: answers.append("\r\n\r\n".join(raw(t, burst)))
    threads = [threading.Thread(target=send) for _ in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    text = "".join(answers)
    served, refused = text.count("HTTP/1.1 200 "), text.count("HTTP/1.1 429 ")
    assert served >= 400 and refused > 0 and served + refused == 12 * 151, (served, refused)
    assert text.count('"code":"rate_limit_exceeded"') == text.count("Retry-After: 1\r\n") == refused
    assert other.send("GET", "/agents").status == 200
    until(lambda: t.api.send("GET", "/agents").status == 200, 10, "requests are taken again")


def test_what_nginx_refuses(t):
    for request, status, code in (
            (b"GET /nothing HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n", "404", "not_found"),
            (b"GET /" + b"x" * 20_000 + b" HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n", "414", "bad_request"),
            (b"GET / HTTP/7.0\r\nHost: x\r\n\r\n", "505", "bad_request"),
            (b"nonsense\r\n\r\n", "400", "bad_request")):
        head, body = raw(t, request)
        assert head.startswith(f"HTTP/1.1 {status} "), head
        assert f'"code":"{code}"' in body and '"request_id":"req_' in body and '"ts":"20' in body, body
    request = (b"POST /api/public/v1/agents HTTP/1.1\r\nHost: x\r\nConnection: close\r\n"
               b"Content-Length: 20000000\r\nContent-Type: application/json\r\n\r\n")
    head, body = raw(t, request)
    assert head.startswith("HTTP/1.1 413 ") and '"code":"payload_too_large"' in body, (head, body)


def flood(t, headers, connections=12):
    """Sends one request with each of the headers, over several connections at once. Returns how many were served, of
    an allowance of so many a second and in a burst, and the seconds that it took."""
    answers = []

    def send(own):
        burst = "".join(f"GET /api/public/v1/agents HTTP/1.1\r\nHost: x\r\nAuthorization: {header}\r\n\r\n"
                        for header in own)
        answers.append("".join(raw(t, burst[:-2].encode() + b"Connection: close\r\n\r\n")))

    threads = [threading.Thread(target=send, args=(headers[first::connections],)) for first in range(connections)]
    begin = time.monotonic()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    text = "".join(answers)
    assert text.count("HTTP/1.1 ") == len(headers), text[:200]
    return len(headers) - text.count("HTTP/1.1 429 "), time.monotonic() - begin


def test_a_key_has_one_allowance_however_it_is_spelt(t):
    key = t.client().key
    spellings = [f"{scheme}{spaces}{key}" for scheme in ("Bearer", "bearer", "BEARER")
                 for spaces in (" ", "  ", "     ")]
    served, seconds = flood(t, 200 * spellings)
    assert served <= 410 + 200 * seconds, (served, seconds)
    assert t.client().send("GET", "/agents").status == 200, "another key is served"


def test_made_up_keys_share_the_allowance_of_their_address(t):
    served, seconds = flood(t, [f"Bearer made-up-{n}" for n in range(1800)])
    assert served <= 410 + 200 * seconds, (served, seconds)
    until(lambda: t.api.send("GET", "/agents", headers={"Authorization": None}).status == 401, 10)


def test_well_formed_keys_are_limited_by_address_too(t):
    """Each key has a limit of its own, and there is a limit for all keys of an address."""
    served, seconds = flood(t, [f"Bearer outdial_{n:043}" for n in range(7200)])
    assert served <= 2010 + 1000 * seconds, (served, seconds)
    until(lambda: t.api.send("GET", "/agents").status == 200, 10, "requests are taken again")


def connect(t, address):
    return socket.create_connection(("127.0.0.1", t.stack.port), timeout=20, source_address=(address, 0))


def test_slow_connections_do_not_block_others(t):
    """905 connections whose bodies do not come, and 905 whose headers do not come."""
    head = (b"POST /api/public/v1/agents HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer outdial_%043d\r\n"
            b"Content-Type: application/json\r\nContent-Length: 100\r\n\r\n{")
    slow = []
    try:
        for n in range(905):
            slow.append(connect(t, "127.0.0.2"))
            slow[-1].sendall(head % n)
        for _ in range(905):
            slow.append(connect(t, "127.0.0.2"))
            slow[-1].sendall(b"GET /healthz HTTP/1.1\r\nHost:")
        for path in ("//healthz", "//readyz"):
            assert t.api.send("GET", path, headers={"Authorization": None}).status == 200
        assert t.api.send("GET", "/agents").status == 200
        with connect(t, "127.0.0.2") as own:
            own.sendall(b"GET /healthz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
            assert own.recv(100).startswith(b"HTTP/1.1 200 ")
        with connect(t, "127.0.0.2") as own:
            own.sendall(b"GET /api/public/v1/agents HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
            assert own.recv(100).startswith(b"HTTP/1.1 503 ")
        said = slow[-1].recv(100)
        assert said == b"" or said.startswith(b"HTTP/1.1 408 "), "who sends no headers is cut off"
        for path in ("healthz", "readyz", "metrics"):
            held = [connect(t, "127.0.0.3") for _ in range(60)]
            slow += held
            for connection in held:
                connection.sendall(b"POST /%s HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\n{" % path.encode())
            said = [connection.recv(100)[:13] for connection in held]  # each ends within seconds
            assert said.count(b"HTTP/1.1 503 ") >= 20, (path, said)
    finally:
        for connection in slow:
            connection.close()
    until(lambda: t.api.send("GET", "/agents").status == 200, 10, "requests are taken again")


def test_health_checks_ask_the_database_once_a_second(t):
    t.stack.sql("SET GLOBAL log_output = 'TABLE'; TRUNCATE mysql.general_log; SET GLOBAL general_log = ON")
    begin = time.monotonic()
    try:
        for _ in range(300):
            assert t.api.send("GET", "//readyz", headers={"Authorization": None}).status == 200
    finally:
        t.stack.sql("SET GLOBAL general_log = OFF")
    seconds = time.monotonic() - begin
    asked = int(t.stack.sql("SELECT COUNT(*) FROM mysql.general_log WHERE command_type = 'Execute'"
                            " AND argument LIKE '%FROM schema_version%'")[0][0])
    assert asked <= seconds + 2, (asked, seconds)


def test_replies_are_compressed_and_not_stored(t):
    for name in range(30):
        t.api.post("/agents", {"name": f"Agent {name}"})
    def ask(path, **headers):
        connection = http.client.HTTPConnection(t.api.host)
        connection.request("GET", path, headers={"Authorization": f"Bearer {t.api.key}", **headers})
        reply = connection.getresponse()
        body = reply.read()
        connection.close()
        return reply, body
    plain, text = ask("/api/public/v1/agents")
    small, packed = ask("/api/public/v1/agents", **{"Accept-Encoding": "gzip"})
    assert plain.headers["Content-Encoding"] is None and small.headers["Content-Encoding"] == "gzip"
    assert json.loads(gzip.decompress(packed))["data"] == json.loads(text)["data"] and len(packed) < len(text) / 3
    assert "Accept-Encoding" in small.headers["Vary"], small.headers
    t.api.post("/do-not-call", {"phone_numbers": [f"+4930{n:06}" for n in range(100)]})
    for path in ("/ledger.jsonl", "/ledger.csv",
                 f"/batch-calls/{t.api.batch(t.dialing_agent()[1], 50)['id']}/results.csv"):
        reply, packed = ask("/api/public/v1" + path, **{"Accept-Encoding": "gzip"})
        assert reply.headers["Content-Encoding"] == "gzip", (path, reply.status, reply.headers)
    for path in ("/api/public/v1/agents", "/api/public/v1/nothing", "/nothing", "/healthz", "/api/public/v1"):
        reply, _ = ask(path)
        assert reply.headers.get_all("Cache-Control") == ["no-store"], (path, reply.headers)
        assert reply.headers.get_all("X-Content-Type-Options") == ["nosniff"], (path, reply.headers)
    reply, _ = ask("/api/public/v1/openapi.json")
    assert reply.headers.get_all("Cache-Control") == ["public, max-age=300"], reply.headers


def test_a_body_in_chunks(t):
    connection = http.client.HTTPConnection(t.api.host)
    connection.request("POST", "/api/public/v1/agents", iter([b'{"name":', b' "A"}']), {
        "Authorization": f"Bearer {t.api.key}", "Content-Type": "application/json"}, encode_chunked=True)
    assert connection.getresponse().status == 201
    connection.close()


def serve_tls(t):
    """nginx/tls.conf.example with a port and a certificate of ours. Returns the address."""
    folder = os.path.join(t.stack.state_dir, "nginx", "outdial.d")
    os.makedirs(folder, exist_ok=True)
    certificate, key = os.path.join(folder, "fullchain.pem"), os.path.join(folder, "privkey.pem")
    subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
                    "-days", "2", "-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1",
                    "-keyout", key, "-out", certificate], check=True, capture_output=True)
    port = stack.free_port()
    with open(os.path.join(stack.ROOT, "nginx", "tls.conf.example")) as file:
        text = file.read()
    for pattern, own in ((r"listen 443 ssl http2;", f"listen 127.0.0.1:{port} ssl http2;"),
                         (r"listen \[::\]:443 ssl http2;\n", ""),
                         (r"/etc/ssl/outdial/fullchain\.pem", certificate), (r"/etc/ssl/outdial/privkey\.pem", key)):
        text, count = re.subn(pattern, own, text)
        assert count == 1, pattern
    with open(os.path.join(folder, "tls.conf"), "w") as file:
        file.write(text)
    t.stack.kill("nginx", signal.SIGTERM)
    t.stack.start_nginx()
    t.stack.wait_ready()
    return f"https://127.0.0.1:{port}", certificate


def fetch(t, certificate, url, *options):
    """Returns the version of HTTP, the status and the headers, in lower case."""
    result = subprocess.run(["curl", "-sS", "--max-time", "20", "--cacert", certificate, "-o", os.devnull, "-D", "-",
                             "-w", "%{http_version}",
                             "-H", f"Authorization: Bearer {t.api.key}", *options, url], capture_output=True, text=True)
    assert result.returncode == 0, result.stderr
    head, _, version = result.stdout.rpartition("\n\n")
    lines = head.lower().split("\n")
    return version, int(lines[0].split()[1]), dict(line.split(": ", 1) for line in lines[1:])


def test_tls_as_the_example_has_it(t):
    origin, certificate = serve_tls(t)
    paths = {"/api/public/v1/agents": 200, "/api/public/v1/nothing": 404, "/nothing": 404, "/healthz": 200}
    if t.stack.dashboard:
        paths["/dashboard/"] = 200
    for path, expected in paths.items():
        version, status, headers = fetch(t, certificate, origin + path)
        assert (version, status) == ("2", expected), (path, version, status)
        assert headers["strict-transport-security"] == "max-age=31536000", (path, headers)
        _, status, headers = fetch(t, certificate, t.stack.url + path)
        assert status == expected and "strict-transport-security" not in headers, (path, headers)
    _, _, headers = fetch(t, certificate, origin + "/api/public/v1/openapi.json", "--compressed")
    assert headers["content-encoding"] == "gzip", headers
    old = subprocess.run(["curl", "-sS", "--cacert", certificate, "--tls-max", "1.1", origin + "/healthz"],
                         capture_output=True)
    assert old.returncode == 35, old


def test_the_api_is_away(t):
    t.stack.kill("api", signal.SIGKILL)
    for method, path, body in (("GET", "/agents", None), ("POST", "/agents", {"name": "A"}),
                               ("GET", "//readyz", None)):
        reply = t.api.send(method, path, body)
        assert reply.status in (502, 503) and int(reply.headers["Retry-After"]) >= 1, reply
    t.stack.start_api()
    t.stack.wait_ready()
    assert t.api.get("/agents") == []


if __name__ == "__main__":
    tap.run(globals())
