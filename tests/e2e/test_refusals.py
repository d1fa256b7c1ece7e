#!/usr/bin/env python3
"""If the database refuses work of one campaign or one call, no other campaign or call is delayed."""

import tap
from client import contacts, unhex, until
from receiver import Answer, ends


def refuse(t, table, condition):
    """From now on the database rejects every row for which this condition is true."""
    t.stack.sql(f"ALTER TABLE {table} ADD CONSTRAINT refused CHECK (NOT ({condition}))")


def allow(t, table):
    t.stack.sql(f"ALTER TABLE {table} DROP CONSTRAINT refused")


ERRORS = {"a conflict": 1213, "a duplicate": 1062, "an error": 1644}


def fail(t, event, table, condition, number):
    """From now on the database answers such a change of the table with this error."""
    t.stack.sql(f"DELIMITER //\nCREATE TRIGGER failing BEFORE {event} ON {table} FOR EACH ROW IF {condition} THEN"
                f" SIGNAL SQLSTATE '45000' SET MYSQL_ERRNO = {number}, MESSAGE_TEXT = 'failing'; END IF//")


def mend(t):
    t.stack.sql("DROP TRIGGER failing")


def wake_all(t):
    t.stack.sql("UPDATE batch_calls SET wake_at = UTC_TIMESTAMP(6) WHERE status IN (1, 2)")
    t.stack.sql("UPDATE calls SET wake_at = UTC_TIMESTAMP(6) WHERE wake_at < '9999-01-01'")


def test_a_campaign_whose_calls_are_refused(t):
    receiver, agent = t.dialing_agent()
    receiver.script = lambda call: ends()
    bad = t.api.batch(agent, 5)
    refuse(t, "calls", f"batch_id = {t.row_of(bad)}")
    t.api.schedule(bad)
    for _ in range(3):
        good = t.api.batch(agent, 20)
        t.api.schedule(good)
        t.api.wait_for(good, "completed", 10)
    assert t.api.read(bad)["called"] == 0
    allow(t, "calls")
    wake_all(t)
    assert t.api.wait_for(bad, "completed")["completed"] == 5


def test_a_campaign_whose_claim_fails_in_any_way(t):
    receiver, agent = t.dialing_agent()
    receiver.script = lambda call: ends()
    for name, number in ERRORS.items():
        bad = t.api.batch(agent, 5)
        fail(t, "INSERT", "calls", f"NEW.batch_id = {t.row_of(bad)}", number)
        t.api.schedule(bad)
        for _ in range(2):
            good = t.api.batch(agent, 20)
            t.api.schedule(good)
            t.api.wait_for(good, "completed", 10)
        until(lambda: "database" in (t.api.read(bad)["status_reason"] or ""), 10, f"it says so after {name}")
        assert t.api.read(bad)["called"] == 0
        mend(t)
        wake_all(t)
        done = t.api.wait_for(bad, "completed")
        assert done["completed"] == 5 and done["status_reason"] is None, done


def test_background_work_that_fails_in_any_way(t):
    receiver, agent = t.dialing_agent()
    receiver.script = lambda call: ends()
    for name, number in ERRORS.items():
        bad, deleted = t.api.batch(agent, 5), t.api.batch(agent, 5)
        t.api.schedule(bad, {"scheduled_at": "2035-01-01T00:00:00Z"})
        row, gone = t.row_of(bad), t.row_of(deleted)
        t.stack.sql(f"DELETE FROM due_contacts WHERE batch_id = {row}")
        fail(t, "INSERT", "due_contacts", f"NEW.batch_id = {row}", number)
        t.stack.sql(f"UPDATE batch_calls SET work = 1, plan_position = 0, wake_at = '2020-01-01' WHERE id = {row}")
        good = t.api.batch(agent, 20)
        t.api.schedule(good, {"scheduled_at": "2035-01-01T00:00:00Z"})
        t.api.delete(f"/batch-calls/{deleted['id']}")
        t.stack.sql(f"DELETE FROM due_contacts WHERE batch_id = {t.row_of(good)}")
        t.stack.sql(f"UPDATE batch_calls SET work = 1, plan_position = 0, wake_at = UTC_TIMESTAMP(6)"
                    f" WHERE id = {t.row_of(good)}")
        until(lambda: len(t.api.contacts_of(good, status="scheduled")) == 20, 10, f"others are planned after {name}")
        until(lambda: not t.stack.sql(f"SELECT 1 FROM batch_calls WHERE id = {gone}"), 10, "others are purged")
        until(lambda: "database" in (t.api.read(bad)["status_reason"] or ""), 10, "it says so")
        mend(t)
        wake_all(t)
        until(lambda: len(t.api.contacts_of(bad, status="scheduled")) == 5, 10, "it is planned after all")
        assert t.api.read(bad)["status_reason"] is None


def test_an_answer_that_is_refused(t):
    receiver, agent = t.dialing_agent()
    receiver.script = lambda call: ends()
    batch = t.api.batch(agent, 40, max_concurrent_calls=20)
    number = contacts(40)[7]["phone_number"]
    refuse(t, "calls", f"batch_id = {t.row_of(batch)} AND to_number = '{number}' AND status = 4")
    t.api.schedule(batch)
    until(lambda: t.api.read(batch)["completed"] == 39, 10, "all but one have ended")
    assert t.api.read(batch)["in_progress"] == 1
    allow(t, "calls")
    wake_all(t)
    assert t.api.wait_for(batch, "completed")["completed"] == 40
    assert len({call.id for call in receiver.calls() if call.data["to"] == number}) == 1


def test_a_try_that_fails_in_any_way(t):
    receiver, agent = t.dialing_agent()
    refused = set()
    for name, number in ERRORS.items():
        bad, good = t.api.batch(agent, 1), t.api.batch(agent, 20)
        receiver.script = lambda call: Answer(503) if call.data["batch_call_id"] == bad["id"] else ends()
        row = t.row_of(bad)
        fail(t, "UPDATE", "calls", f"NEW.batch_id = {row} AND NEW.status = 0 AND NEW.wake_at < OLD.wake_at", number)
        t.api.schedule(bad)
        receiver.wait_for_calls(1)
        t.api.schedule(good)
        t.api.wait_for(good, "completed", 10)
        mend(t)
        # Now its lease cannot be renewed, and it comes first.
        fail(t, "UPDATE", "calls", f"NEW.batch_id = {row} AND NEW.status = 0 AND NEW.tries <> OLD.tries", number)
        t.stack.sql(f"UPDATE calls SET wake_at = '2020-01-01' WHERE batch_id = {row}")
        other = t.api.batch(agent, 1)

        def second_time(call):
            if call.data["batch_call_id"] != other["id"] or call.id in refused:
                return ends()
            refused.add(call.id)
            return Answer(503)
        receiver.script = second_time
        t.api.schedule(other)
        t.api.wait_for(other, "completed", 20)
        mend(t)
        wake_all(t)
        assert t.api.wait_for(bad, "completed", 20)["completed"] == 1, name


def wake_endpoints(t):
    t.stack.sql("UPDATE deliveries SET wake_at = UTC_TIMESTAMP(6) WHERE queue = 0 AND wake_at < '9999-01-01';"
                " UPDATE endpoint_health SET next_at = UTC_TIMESTAMP(6)")


def test_an_endpoint_whose_work_fails_in_any_way(t):
    """The events of the other endpoint come, and each comes once."""
    receiver, agent = t.dialing_agent()
    ids = [receiver.endpoint(path, events=["batch.status.changed"]) for path in ("/good", "/bad")]
    row = t.stack.sql(f"SELECT id FROM webhook_endpoints WHERE uuid = {unhex(ids[1])}")[0][0]
    shown = lambda path, batch: [event.id for event in receiver.of_type("batch.status.changed", batch)
                                if event.path == path]
    for change in ("NEW.queue <> OLD.queue", "NEW.tries <> OLD.tries", "NEW.status <> OLD.status"):
        for name, number in ERRORS.items():
            fail(t, "UPDATE", "deliveries", f"NEW.endpoint_id = {row} AND {change}", number)
            batches = [t.api.batch(agent, 1) for _ in range(3)]
            for batch in batches:
                t.api.schedule(batch)
                until(lambda: len(shown("/good", batch)) >= 3, 20, f"the other has the events after {name} of {change}")
            mend(t)
            wake_endpoints(t)
            for batch in batches:
                until(lambda: len(set(shown("/bad", batch))) == 3, 40, f"it has the events: {name} of {change}")
                assert len(shown("/good", batch)) == 3, (name, change, shown("/good", batch))
    t.api.wait_for(batch, "completed")


def test_an_erasure_that_fails_in_any_way(t):
    bad, good = "+4915550001111", "+4915550002222"
    for name, number in ERRORS.items():
        contacts = [t.api.post("/contacts", {"phone_number": phone}) for phone in (bad, good)]
        fail(t, "DELETE", "contacts", f"OLD.phone_number = '{bad}'", number)
        for phone in (bad, good):
            t.api.delete(f"/people/{phone}")
        gone = lambda contact: t.api.send("GET", f"/contacts/{contact['id']}").status == 404
        until(lambda: gone(contacts[1]), 20, f"the other is erased after {name}")
        assert not gone(contacts[0])
        mend(t)
        t.stack.sql("UPDATE person_erasures SET wake_at = UTC_TIMESTAMP(6)")
        until(lambda: gone(contacts[0]) and not t.stack.sql("SELECT 1 FROM person_erasures"), 20, "it is erased too")


def test_a_plan_that_is_refused(t):
    receiver, agent = t.dialing_agent()
    receiver.script = lambda call: ends()
    bad = t.api.batch(agent, 5)
    t.api.schedule(bad, {"scheduled_at": "2035-01-01T00:00:00Z"})
    t.stack.sql("DELETE FROM due_contacts")
    refuse(t, "due_contacts", f"batch_id = {t.row_of(bad)}")
    t.stack.sql(f"UPDATE batch_calls SET work = 1, plan_position = 0, wake_at = UTC_TIMESTAMP(6)"
                f" WHERE id = {t.row_of(bad)}")
    good = t.api.batch(agent, 50)
    t.api.schedule(good)
    t.stack.sql(f"UPDATE batch_calls SET work = 1, plan_position = 0, wake_at = UTC_TIMESTAMP(6)"
                f" WHERE id = {t.row_of(good)}")
    t.api.wait_for(good, "completed", 10)
    allow(t, "due_contacts")
    wake_all(t)
    until(lambda: len(t.api.contacts_of(bad, status="scheduled")) == 5, 10, "it is planned after all")


if __name__ == "__main__":
    tap.run(globals())
