#!/usr/bin/env python3
"""Contacts that are added at the front of a campaign are called before contacts that were not called yet."""

import collections
import datetime

import tap
from client import UTC, contacts, parse, until
from receiver import TAKEN, ends

STACK = {"rate_limit": False}


def add(t, batch, people, position="front"):
    return t.api.post(f"/batch-calls/{batch['id']}/contacts", {"contacts": people, "position": position})


def order(t, batch):
    """Returns the positions of the waiting contacts, the next contact first."""
    return [row["position"] for row in t.api.contacts_of(batch, sort_by="scheduled_at")]


def far(t, agent, count, **fields):
    start = (datetime.datetime.now(UTC) + datetime.timedelta(days=3)).strftime("%Y-%m-%dT09:00:00Z")
    return t.api.batch(agent, count, schedule_type="scheduled", scheduled_at=start, **fields)


def test_they_are_planned_first(t):
    _, agent = t.dialing_agent()
    batch = far(t, agent, 3)
    planned = [row["scheduled_at"] for row in t.api.contacts_of(batch)]
    added = add(t, batch, contacts(2, first=50))
    assert added == {"added": 2, "skipped": 0, "total_contacts": 5}, added
    assert order(t, batch) == [4, 5, 1, 2, 3]
    rows = {row["position"]: row["scheduled_at"] for row in t.api.contacts_of(batch)}
    assert (rows[4], rows[5], rows[1]) == tuple(planned), "the very instants that the plan begins with"
    now = t.api.read(batch)
    assert (now["pending"], now["total_contacts"]) == (5, 5) and now["planned_from"] == planned[0], now
    assert now["planned_until"] == rows[3], now
    add(t, batch, contacts(1, first=60))
    add(t, batch, contacts(1, first=61), "end")
    assert order(t, batch) == [4, 5, 6, 1, 2, 3, 7], "who came to the front first stays first"
    t.api.patch(f"/batch-calls/{batch['id']}", {"calls_per_minute": 6})
    assert order(t, batch) == [4, 5, 6, 1, 2, 3, 7], "whatever is planned again"


def test_no_day_gets_more_than_its_cap(t):
    _, agent = t.dialing_agent()
    batch = far(t, agent, 5, max_calls_per_day=2, start_time="10:00", end_time="18:00", timezone="Europe/Berlin")
    add(t, batch, contacts(3, first=50))
    assert order(t, batch) == [6, 7, 8, 1, 2, 3, 4, 5]
    rows = t.api.contacts_of(batch)
    days = collections.Counter(row["scheduled_at"][:10] for row in rows)
    assert set(days.values()) == {2} and len({row["scheduled_at"] for row in rows}) == 8, rows
    assert t.api.post(f"/batch-calls/{batch['id']}/preview", {})["days"] and t.api.read(batch)["pending"] == 8


def test_a_draft_and_a_paused_campaign(t):
    _, agent = t.dialing_agent()
    batch = t.api.batch(agent, 2, excluded_dates=[])
    add(t, batch, contacts(1, first=50))
    assert [row["status"] for row in t.api.contacts_of(batch)] == 3 * ["pending"]
    start = (datetime.datetime.now(UTC) + datetime.timedelta(days=3)).isoformat()
    t.api.schedule(batch, {"scheduled_at": start})
    assert order(t, batch) == [3, 1, 2]
    t.api.post(f"/batch-calls/{batch['id']}/pause")
    add(t, batch, contacts(1, first=51))
    assert order(t, batch) == [3, 4, 1, 2]
    t.api.post(f"/batch-calls/{batch['id']}/resume")
    assert order(t, batch) == [3, 4, 1, 2]
    t.api.ask("DELETE", f"/batch-calls/{batch['id']}/contacts/3")
    assert order(t, batch) == [4, 1, 2] and t.api.read(batch)["cancelled"] == 1


def test_a_campaign_that_runs(t):
    """All contacts have been due for a while, and the campaign has one place."""
    receiver, agent = t.dialing_agent()
    receiver.script = lambda call: TAKEN
    batch = t.api.batch(agent, 300, max_concurrent_calls=1)
    t.api.schedule(batch)
    first = receiver.wait_for_calls(1)[0]
    urgent = contacts(2, first=900)
    add(t, batch, urgent)
    receiver.script = lambda call: ends()
    receiver.report(first.id, "completed")
    done = t.api.wait_for(batch, "completed")
    assert (done["completed"], done["called"], done["total_contacts"]) == (302, 302, 302), done
    called = [call.data["to"] for call in receiver.calls(batch)]
    assert called[1:3] == [one["phone_number"] for one in urgent], called[:5]
    assert len(set(called)) == len(called) == 302, "each is called once"


def test_numbers_that_are_in_the_campaign_already(t):
    _, agent = t.dialing_agent()
    batch = far(t, agent, 2)
    before = [row["scheduled_at"] for row in t.api.contacts_of(batch)]
    assert add(t, batch, contacts(2))["skipped"] == 2
    assert [row["scheduled_at"] for row in t.api.contacts_of(batch)][:2] == before, \
        "nobody was added, nothing is planned again"
    assert add(t, batch, contacts(2, first=2)) == {"added": 1, "skipped": 1, "total_contacts": 6}
    assert order(t, batch) == [6, 1, 2]


def test_their_own_zones(t):
    """A contact that may be called first in its zone is called first, and delays no contact in other zones."""
    _, agent = t.dialing_agent()
    batch = far(t, agent, [dict(one, timezone="Europe/Berlin") for one in contacts(3)], respect_contact_timezone=True,
                start_time="10:00", end_time="12:00")
    add(t, batch, [dict(contacts(1, first=50)[0], timezone="Europe/Berlin"),
                   dict(contacts(1, first=51)[0], timezone="America/New_York")])
    shown = {row["position"]: row["scheduled_at"] for row in t.api.contacts_of(batch)}
    assert t.api.read(batch)["planned_until"] == shown[5], "it is the last"
    rows = {position: parse(at) for position, at in shown.items()}
    assert (rows[4] - rows[1]).total_seconds() < 0.001 and rows[4] < rows[2] < rows[3] < rows[5], rows
    assert rows[5].astimezone(datetime.timezone(datetime.timedelta(hours=-5))).hour in (10, 11), rows


def test_where_it_cannot_be(t):
    _, agent = t.dialing_agent()
    batch = t.api.batch(agent, 1)
    path = f"/batch-calls/{batch['id']}/contacts"
    t.api.refuse("validation_error", "POST", path, {"contacts": contacts(1, first=9), "position": "first"}, "position")
    t.api.post(f"/batch-calls/{batch['id']}/cancel")
    t.api.refuse("invalid_state", "POST", path, {"contacts": contacts(1, first=9), "position": "front"})


if __name__ == "__main__":
    tap.run(globals())
