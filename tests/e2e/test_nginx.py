#!/usr/bin/env python3
"""What nginx does by itself, in the contract's form: rate limits, bad requests, a server that is away."""

import http.client
import signal
import socket
import threading

import tap
from client import until


def raw(t, request):
    """The head and body of the answer to bytes."""
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
            (b"nonsense\r\n\r\n", "400", "bad_request")):
        head, body = raw(t, request)
        assert head.startswith(f"HTTP/1.1 {status} "), head
        assert f'"code":"{code}"' in body and '"request_id":"req_' in body and '"ts":"20' in body, body
    request = (b"POST /api/public/v1/agents HTTP/1.1\r\nHost: x\r\nConnection: close\r\n"
               b"Content-Length: 20000000\r\nContent-Type: application/json\r\n\r\n")
    head, body = raw(t, request)
    assert head.startswith("HTTP/1.1 413 ") and '"code":"payload_too_large"' in body, (head, body)


def test_a_body_in_chunks(t):
    connection = http.client.HTTPConnection(t.api.host)
    connection.request("POST", "/api/public/v1/agents", iter([b'{"name":', b' "A"}']), {
        "Authorization": f"Bearer {t.api.key}", "Content-Type": "application/json"}, encode_chunked=True)
    assert connection.getresponse().status == 201
    connection.close()


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
