#!/usr/bin/env python3
"""A request needs no more memory than the length of its body, whatever the content. A worker's memory is bounded."""

import json
import time

import tap

from receiver import signature

MIB = 1 << 20
WORKER_MAX = 32 * MIB  # of memory, beside the body, which is held once
SECONDS_MAX = 3.0      # the fastest of several, because the machine has other work


def peaks(t):
    """Returns the most memory that each worker has had since forget_peaks."""
    found = {}
    for pid in t.stack.workers():
        with open(f"/proc/{pid}/status") as status:
            found[pid] = 1024 * int(next(line for line in status if line.startswith("VmHWM")).split()[1])
    return found


def forget_peaks(t):
    for pid in t.stack.workers():
        with open(f"/proc/{pid}/clear_refs", "w") as peaks_of_process:
            peaks_of_process.write("5")


def filled(prefix, part, suffix, size):
    """Returns a body of about this size, with as many parts as fit."""
    count = (size - len(prefix) - len(suffix)) // (len(part) + 1)
    return (prefix + ",".join([part] * count) + suffix).encode()


def cost(t, send, body):
    """Returns the seconds of a request, and the memory beside the body that a worker used for it at most."""
    before = set(t.stack.workers())
    forget_peaks(t)
    best = min(timed(lambda: send(body)) for _ in range(4))
    after = peaks(t)
    assert set(after) == before, "a worker ended"
    return best, max(after.values()) - len(body)


def timed(action):
    begin = time.monotonic()
    action()
    return time.monotonic() - begin


def judge(t, send, name, body):
    seconds, memory = cost(t, send, body)
    print(f"# {name}: {seconds:.3f} s, {memory / MIB:.1f} MiB beside the body", flush=True)
    assert t.sanitized or memory < WORKER_MAX, f"{name}: {memory / MIB:.1f} MiB"
    assert seconds < SECONDS_MAX, f"{name}: {seconds:.3f} s"


def test_files(t):
    """A worker's memory does not grow with the number of unusable rows and columns, or of the parts of a form."""
    files = {"short rows": b"phone\n" + b"1\n" * (3 * MIB), "blank lines": b"phone\n" + b"\n" * (6 * MIB),
             "commas": b"phone,name\n" + b"," * (6 * MIB),
             "a header of many columns": b"phone," + b"a," * MIB + b"\n+4930,\n",
             "a long cell": b'phone,x\n+4930,"' + b"x" * (6 * MIB) + b'"\n'}
    for name, file in files.items():
        for query in ("", "?dry_run=true"):
            _, memory = cost(t, lambda body: t.api.send("POST", "/do-not-call/import" + query, body,
                                                        {"Content-Type": "text/csv"}), file)
            print(f"# {name}{query}: {(memory + len(file)) / MIB:.1f} MiB", flush=True)
            assert memory + len(file) < WORKER_MAX, f"{name}: {memory / MIB:.1f} MiB"
    form = b"".join(b'--b\r\nContent-Disposition: form-data; name="p"\r\n\r\n1\r\n'
                    for _ in range(100_000)) + b"--b--\r\n"
    _, memory = cost(t, lambda body: t.api.send("POST", "/contacts/import", body, {
        "Content-Type": "multipart/form-data; boundary=b"}), form)
    assert memory + len(form) < WORKER_MAX, f"{memory / MIB:.1f} MiB"


def test_reports_without_a_key(t):
    def send(body, **headers):
        text = body.decode()
        now = int(time.time())
        own = {"Authorization": None, "webhook-id": "msg_1", "webhook-timestamp": str(now),
               "webhook-signature": signature("whsec_" + "A" * 32, "msg_1", now, body), **headers}
        reply = t.api.send("POST", "/calls/status", text, own)
        assert reply.status in (400, 401, 422), reply

    size = 4 * MIB
    judge(t, send, "empty reports", filled('{"reports":[', "{}", "]}", size))
    judge(t, send, "empty arrays", filled('{"reports":[', "[]", "]}", size))
    judge(t, send, "unknown fields", filled("{", '"a":1', "}", size))
    judge(t, send, "other keys", ("{" + ",".join(f'"{n}":0' for n in range(300_000)) + "}").encode())


def test_headers_of_a_signature_come_first(t):
    """A body that is not JSON is never looked at."""
    now = str(int(time.time()))
    good = {"webhook-id": "msg_1", "webhook-timestamp": now, "webhook-signature": "v1," + "A" * 43 + "="}
    for headers in ({"webhook-id": None}, {"webhook-id": "a.b"}, {"webhook-timestamp": None},
                    {"webhook-timestamp": "now"},
                    {"webhook-timestamp": str(int(now) - 400)}, {"webhook-signature": "v1,AAAA"},
                    {"webhook-signature": "v1a," + "A" * 86 + "=="}, {"webhook-signature": "A" * 44}):
        reply = t.api.refuse("unauthorized", "POST", "/calls/status", "not JSON",
                             headers={"Authorization": None, **good, **headers})
        assert reply.headers["WWW-Authenticate"], reply.headers
    t.api.refuse("bad_request", "POST", "/calls/status", "not JSON", headers={"Authorization": None, **good})


def test_campaigns(t):
    def send(body):
        reply = t.api.send("POST", "/batch-calls", body)
        assert reply.status in (400, 422), reply

    size = 16 * MIB - 64
    judge(t, send, "empty contacts", filled('{"contacts":[', "{}", "]}", size))
    judge(t, send, "metadata", filled('{"metadata":{"a":[', "1", "]}}", size))
    judge(t, send, "arrays in metadata", filled('{"metadata":{"a":[', "[]", "]}}", size))
    judge(t, send, "keys of metadata",
          ('{"metadata":{' + ",".join(f'"{n}":0' for n in range(1_300_000)) + "}}").encode())
    judge(t, send, "ids", filled('{"contact_ids":[', '"01a1fd39-63f6-7000-a4b8-ed1a2bb74df0"', "]}", size))
    judge(t, send, "dates", filled('{"excluded_dates":[', '"2026-01-01"', "]}", size))
    judge(t, send, "nesting", b'{"metadata":' + b"[" * (size // 2) + b"]" * (size // 2) + b"}")
    judge(t, send, "a long key", b'{"' + b"k" * size + b'":1}')
    judge(t, send, "a long text", b'{"name":"' + b"\\u00e4" * (size // 6) + b'"}')
    judge(t, send, "a long number", b'{"max_retry_attempts":' + b"9" * size + b"}")
    judge(t, send, "fractions", filled('{"metadata":{"a":[', "0.123456789012345678901234567890e-300", "]}}", size))


def test_the_largest_campaign(t):
    """10,000 contacts with custom fields, as many as 16 MiB hold."""
    receiver, agent = t.dialing_agent()
    number = t.api.number()
    custom = {f"field {n}": "x" * 40 for n in range(26)}
    people = [{"phone_number": f"+49301{n:06}", "first_name": "A", "custom_fields": custom} for n in range(10_000)]
    body = json.dumps({"name": "Large", "agent_id": agent["id"], "phone_number_ids": [number["id"]],
                       "contact_source": "manual", "contacts": people}).encode()
    assert 14 * MIB < len(body) <= 16 * MIB, len(body)
    headers = {"X-Idempotency-Key": "large"}
    _, memory = cost(t, lambda body: t.api.send("POST", "/batch-calls", body, headers), body)
    assert t.api.send("POST", "/batch-calls", body, headers).status == 201
    print(f"# {memory / MIB:.1f} MiB beside the body", flush=True)
    assert t.sanitized or memory < WORKER_MAX + 3 * len(body), memory


def test_invalid_bodies_are_refused(t):
    """Queries, lists of ids, and headers."""
    many = "&".join(f"a{n}=1" for n in range(1000))
    assert t.api.send("GET", f"/agents?{many}").status == 400
    t.api.refuse("validation_error", "POST", "/batch-calls/bulk-delete",
                 {"ids": ["01a1fd39-63f6-7000-a4b8-ed1a2bb74df0"] * 1500}, "ids")
    assert t.api.send("GET", "/agents", headers={"X-Large": "x" * 60_000}).status == 400


if __name__ == "__main__":
    tap.run(globals())
