#!/usr/bin/env python3
"""A service with work under way is upgraded from the schema of an earlier version, and goes on."""

import glob
import os

import tap
from client import contacts, until
from receiver import TAKEN, ends
from stack import ROOT

STACK = {"rate_limit": False}
BEFORE = 12  # the schema of version 0.1
EARLIER = "outdial_earlier"  # a database


def columns_of(t, database):
    tables = {}
    for table, column in t.stack.sql(f"SELECT table_name, column_name FROM information_schema.columns"
                                     f" WHERE table_schema = '{database}' AND extra NOT LIKE '%GENERATED%'"):
        tables.setdefault(table, []).append(column)
    return tables


def take_back(t):
    """Puts the rows of all tables into tables of the earlier schema, as far as it has their columns."""
    t.stack.sql(f"DROP DATABASE IF EXISTS {EARLIER}; CREATE DATABASE {EARLIER} CHARACTER SET utf8mb4")
    for path in sorted(glob.glob(os.path.join(ROOT, "sql", "*.sql"))):
        version = int(os.path.basename(path)[:4])
        if version <= BEFORE:
            with open(path) as file:
                t.stack.sql(f"USE {EARLIER}; {file.read()};"
                            f"REPLACE INTO schema_version (version, applied_at) VALUES ({version}, UTC_TIMESTAMP(6))")
    now, earlier = columns_of(t, "outdial"), columns_of(t, EARLIER)
    for table, columns in earlier.items():
        if table != "schema_version":
            both = ", ".join(f"`{column}`" for column in columns if column in now[table])
            t.stack.sql(f"DELETE FROM {EARLIER}.{table};"
                        f"INSERT INTO {EARLIER}.{table} ({both}) SELECT {both} FROM outdial.{table}")
    for table in now:
        t.stack.sql(f"DROP TABLE outdial.{table}")
    for table in earlier:
        t.stack.sql(f"RENAME TABLE {EARLIER}.{table} TO outdial.{table}")
    t.stack.sql(f"DROP DATABASE {EARLIER}")


def stop_programs(t):
    for name in [name for name in t.stack.processes if name == "api" or name.startswith("scheduler")]:
        t.stack.kill(name, 15)


def test_campaigns_under_way_go_on(t):
    receiver, agent = t.dialing_agent()
    subscriber = t.receiver()
    subscriber.endpoint("/events", events=["batch.completed"])
    ended = t.api.batch(agent, 3)
    receiver.script = lambda call: ends("completed")
    t.api.schedule(ended)
    t.api.wait_for(ended, "completed")

    people = contacts(6)
    first = {people[0]["phone_number"]: "busy", people[1]["phone_number"]: "completed"}
    receiver.script = lambda call: ends(first.pop(call.data["to"])) if call.data["to"] in first else TAKEN
    running = t.api.batch(agent, people, max_concurrent_calls=4, retry_failed=True, max_retry_attempts=1,
                          retry_delay_minutes=0)
    t.api.schedule(running)
    until(lambda: [t.api.read(running)[count] for count in ("completed", "in_progress", "pending")] == [1, 4, 1],
          what="two calls are over, and four are under way")
    paused = t.api.batch(agent, 2)
    t.api.schedule(paused)
    t.api.post(f"/batch-calls/{paused['id']}/pause")
    folder = t.api.post("/contacts/folders", {"name": "Earlier"})
    for contact in contacts(3):
        t.api.post("/contacts", {**contact, "folder_id": folder["id"]})
    draft = t.api.batch(agent, contact_source="folder", contact_folder_id=folder["id"])
    t.api.post("/do-not-call", {"phone_number": contacts(3)[2]["phone_number"]})
    shown = {batch["id"]: t.api.read(batch) for batch in (ended, running, paused, draft)}
    listed = {batch["id"]: [(c["phone_number"], c["status"]) for c in t.api.contacts_of(batch)]
              for batch in (ended, running)}

    stop_programs(t)
    take_back(t)
    t.stack.migrate()
    t.stack.start_api()
    t.stack.start_scheduler()
    t.stack.wait_ready()
    for batch, before in shown.items():
        after = t.api.get(f"/batch-calls/{batch}")
        kept = {name for name in before if name not in ("held_by", "held_until", "updated_at")}
        assert {name: after[name] for name in kept} == {name: before[name] for name in kept}, (before, after)
    assert listed == {batch: [(c["phone_number"], c["status"]) for c in t.api.get(f"/batch-calls/{batch}/contacts")]
                      for batch in listed}

    receiver.script = lambda call: ends("completed")
    for call in receiver.calls():
        t.api.send("POST", f"/calls/{call.data['call_id']}/status", {"status": "completed"})
    t.api.post(f"/batch-calls/{paused['id']}/resume")
    t.api.schedule(draft)
    for batch in (running, paused, draft):
        t.api.wait_for(batch, "completed")
    assert (t.api.read(running)["completed"], t.api.read(paused)["completed"]) == (6, 2), t.api.read(running)
    assert (t.api.read(draft)["completed"], t.api.read(draft)["skipped"]) == (2, 1), t.api.read(draft)
    analytics = t.api.get(f"/batch-calls/{running['id']}/analytics")
    assert (analytics["calls"]["ended"], analytics["attempts"]) == (7, 7), analytics
    until(lambda: len({event.data["batch_id"] for event in subscriber.of_type("batch.completed")}) == 4,
          what="all events have come")


if __name__ == "__main__":
    tap.run(globals())
