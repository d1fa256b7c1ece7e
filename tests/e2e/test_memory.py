#!/usr/bin/env python3
"""The memory of a worker does not grow with the requests that it answers. (`bench/run memory` has the same with
100,000 of them.)"""


import tap
from mix import Mix, resident_kb

STACK = {"rate_limit": False, "config": {"workers": 1, "worker_requests": 1_000_000}}

WARM_ROUNDS = 10
REQUESTS = 2000
GROWTH_KB = 512


def test_a_worker_does_not_grow(t):
    if t.sanitized:
        raise tap.Skip("the sanitizer keeps back what was freed")
    _, agent = t.dialing_agent()
    mix = Mix(t.api, agent, t.api.number()["id"])
    worker, = t.stack.workers()
    for _ in range(WARM_ROUNDS):
        mix.round()
    before = resident_kb(worker)
    count = mix.count
    while mix.count < count + REQUESTS:
        mix.round()
    after = resident_kb(worker)
    mix.close()
    assert t.stack.workers() == [worker]
    print(f"# {before} kB, after {mix.count - count} requests {after} kB")
    assert after - before <= GROWTH_KB, (before, after)


if __name__ == "__main__":
    tap.run(globals())
