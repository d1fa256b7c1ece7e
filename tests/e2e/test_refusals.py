#!/usr/bin/env python3
"""What the database refuses of one campaign or one call holds up nobody else."""

import tap
from client import contacts, until
from receiver import ends


def row_of(t, batch):
    return t.stack.sql(f"SELECT id FROM batch_calls WHERE uuid = UNHEX('{batch['id'].replace('-', '')}')")[0][0]


def refuse(t, table, condition):
    """From now on the database takes no row of which this is true."""
    t.stack.sql(f"ALTER TABLE {table} ADD CONSTRAINT refused CHECK (NOT ({condition}))")


def allow(t, table):
    t.stack.sql(f"ALTER TABLE {table} DROP CONSTRAINT refused")


def wake_all(t):
    t.stack.sql("UPDATE batch_calls SET wake_at = UTC_TIMESTAMP(6) WHERE status IN (1, 2)")
    t.stack.sql("UPDATE calls SET wake_at = UTC_TIMESTAMP(6) WHERE wake_at < '9999-01-01'")


def test_a_campaign_whose_calls_are_refused(t):
    receiver, agent = t.dialing_agent()
    receiver.script = lambda call: ends()
    bad = t.api.batch(agent, 5)
    refuse(t, "calls", f"batch_id = {row_of(t, bad)}")
    t.api.schedule(bad)
    for _ in range(3):
        good = t.api.batch(agent, 20)
        t.api.schedule(good)
        t.api.wait_for(good, "completed", 10)
    assert t.api.read(bad)["called"] == 0
    allow(t, "calls")
    wake_all(t)
    assert t.api.wait_for(bad, "completed")["completed"] == 5


def test_an_answer_that_is_refused(t):
    receiver, agent = t.dialing_agent()
    receiver.script = lambda call: ends()
    batch = t.api.batch(agent, 40, max_concurrent_calls=20)
    number = contacts(40)[7]["phone_number"]
    refuse(t, "calls", f"batch_id = {row_of(t, batch)} AND to_number = '{number}' AND status = 4")
    t.api.schedule(batch)
    until(lambda: t.api.read(batch)["completed"] == 39, 10, "all but one have ended")
    assert t.api.read(batch)["in_progress"] == 1
    allow(t, "calls")
    wake_all(t)
    assert t.api.wait_for(batch, "completed")["completed"] == 40
    assert len({call.id for call in receiver.calls() if call.data["to"] == number}) == 1


def test_a_plan_that_is_refused(t):
    receiver, agent = t.dialing_agent()
    receiver.script = lambda call: ends()
    bad = t.api.batch(agent, 5)
    t.api.schedule(bad, {"scheduled_at": "2035-01-01T00:00:00Z"})
    t.stack.sql("DELETE FROM due_contacts")
    refuse(t, "due_contacts", f"batch_id = {row_of(t, bad)}")
    t.stack.sql(f"UPDATE batch_calls SET work = 1, plan_position = 0, wake_at = UTC_TIMESTAMP(6) WHERE id = {row_of(t, bad)}")
    good = t.api.batch(agent, 50)
    t.api.schedule(good)
    t.stack.sql(f"UPDATE batch_calls SET work = 1, plan_position = 0, wake_at = UTC_TIMESTAMP(6) WHERE id = {row_of(t, good)}")
    t.api.wait_for(good, "completed", 10)
    allow(t, "due_contacts")
    wake_all(t)
    until(lambda: len(t.api.contacts_of(bad, status="scheduled")) == 5, 10, "it is planned after all")


if __name__ == "__main__":
    tap.run(globals())
