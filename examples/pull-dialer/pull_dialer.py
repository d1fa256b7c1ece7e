#!/usr/bin/env python3
"""A dialer behind a firewall: it fetches its calls from Outdial, so it need not be reachable. It simulates calls
instead of placing them. The last digit of a number decides the result: 3 is not answered, 5 is busy, 9 fails, other
numbers are answered.

    OUTDIAL_KEY=outdial_… pull_dialer.py --url http://127.0.0.1:8080 [--agent ID] [--calls N] [--seconds S]

The key needs the scope `reports` and no other. It ends when it is interrupted, after the calls under way."""

import argparse
import concurrent.futures
import json
import os
import time
import urllib.error
import urllib.request

ENDINGS = {"3": "no_answer", "5": "busy", "9": "failed"}
AGAIN_SECONDS = 1


class Outdial:
    def __init__(self, url, key):
        self.url, self.key = url.rstrip("/") + "/api/public/v1", key

    def post(self, path, body):
        """Returns the data of the reply; None if the request should be repeated."""
        request = urllib.request.Request(self.url + path, json.dumps(body).encode(), {
            "Authorization": f"Bearer {self.key}", "Content-Type": "application/json"})
        try:
            with urllib.request.urlopen(request, timeout=30) as answer:
                if "Retry-After" in answer.headers:
                    time.sleep(float(answer.headers["Retry-After"]))
                return json.load(answer)["data"]
        except urllib.error.HTTPError as error:
            if error.code < 500 and error.code != 429:
                raise SystemExit(f"{path}: {error.code} {error.read().decode()}")
        except OSError as error:
            print(f"{path}: {error}", flush=True)
        time.sleep(AGAIN_SECONDS)
        return None

    def report(self, call, **report):
        """Repeats a report until it is accepted, which does no harm."""
        while self.post(f"/calls/{call['call_id']}/status", report) is None:
            pass


def place(outdial, call, seconds):
    """The first report keeps the call: without it the call would be offered again when its lease ends."""
    outdial.report(call, status="ringing")
    time.sleep(seconds)
    status = ENDINGS.get(call["to"][-1], "completed")
    outdial.report(call, status=status, **({"duration_seconds": round(seconds)} if status == "completed" else {}))
    print(call["to"], status, flush=True)


def run(outdial, options):
    under_way, known = {}, set()
    with concurrent.futures.ThreadPoolExecutor(options.calls) as pool:
        while True:
            for future in [future for future in under_way if future.done()]:
                known.discard(under_way.pop(future))
                future.result()
            free = options.calls - len(under_way)
            if free == 0:
                concurrent.futures.wait(under_way, return_when=concurrent.futures.FIRST_COMPLETED)
                continue
            fetched = outdial.post("/dispatches/claim", {"limit": min(free, 100), "agent_id": options.agent})
            for call in fetched["calls"] if fetched else []:
                if call["call_id"] not in known:  # a call that is offered again is placed only once
                    known.add(call["call_id"])
                    under_way[pool.submit(place, outdial, call, options.seconds)] = call["call_id"]


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--url", default="http://127.0.0.1:8080")
    parser.add_argument("--agent", help="fetch the calls of this agent only")
    parser.add_argument("--calls", type=int, default=10, help="so many at once")
    parser.add_argument("--seconds", type=float, default=1, help="that a call takes")
    try:
        chosen = parser.parse_args()
        run(Outdial(chosen.url, os.environ["OUTDIAL_KEY"]), chosen)
    except KeyboardInterrupt:
        pass
