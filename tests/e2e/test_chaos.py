#!/usr/bin/env python3
"""Three schedulers, and random kills of any process, pauses, changes, cancels, do-not-call entries and reports
that come late, twice and out of order; then every promise is checked. `--seconds 600` makes it long."""

import time

import chaos
import invariants
import tap

STACK = {"rate_limit": False, "schedulers": 3, "config": {"lease_seconds": 20, "dispatch_ttl_seconds": 8}}
SHORT_SECONDS = 20
CALM_SECONDS = 150  # leases, dispatches, circuits and calls without a report run out one after the other
TEST_SECONDS = 300


def unfinished(t, campaigns):
    """What still goes on."""
    batches = [t.api.get(f"/batch-calls/{campaign.id}") for campaign in campaigns]
    return [batch for batch in batches if batch["status"] not in ("completed", "cancelled")] + \
        t.stack.sql("SELECT 'call', HEX(id), status, tries, wake_at FROM calls WHERE status < 4 UNION ALL"
                    " SELECT 'delivery', id, status, tries, wake_at FROM deliveries WHERE status = 0")


def test_chaos(t):
    dialers = [t.dialing_agent(max_call_duration_seconds=10) for _ in range(2)]
    subscriber = t.receiver()
    subscriber.endpoint("/events", events=["batch.status.changed", "batch.completed"])
    play = chaos.Chaos(t)
    play.open(dialers)
    play.run(t.seconds or SHORT_SECONDS)
    play.calm_down()
    deadline = time.monotonic() + CALM_SECONDS
    while unfinished(t, play.campaigns):
        assert time.monotonic() < deadline, unfinished(t, play.campaigns)
        time.sleep(0.2)

    asked = [call for receiver, agent in dialers for call in receiver.calls()]
    calls = invariants.read_calls(t)
    print(f"# {len(calls)} calls, {len(asked)} requests; " +
          ", ".join(f"{what} {count}" for what, count in sorted(play.done.items())))
    wrong = [*invariants.one_id_per_attempt(asked, calls), *invariants.nothing_unasked(asked, calls),
             *invariants.no_overlap_at_the_dialer(asked), *invariants.nobody_given_up(t),
             *invariants.one_live_attempt(calls), *invariants.retries_within(calls, chaos.RETRIES),
             *invariants.places_within(t.receivers, calls, max(chaos.CAPS)), *invariants.silent(asked, play.silences),
             *invariants.nothing_lost(t, play.campaigns), *invariants.all_ended(t, play.campaigns),
             *invariants.told_once(subscriber, play.campaigns)]
    for campaign in play.campaigns:
        wrong += [*invariants.days_within(calls, campaign), *invariants.inside_the_window(asked, campaign)]
    assert not wrong, f"{len(wrong)} promises broken:\n" + "\n".join(wrong[:20])


if __name__ == "__main__":
    tap.run(globals())
