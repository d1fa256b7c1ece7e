#!/usr/bin/env python3
"""The stored data of one person are exported, and erased everywhere."""

import json
import subprocess

import tap
from client import contacts, until
from receiver import TAKEN, ends
from session import Session

STACK = {"rate_limit": False}
NUMBER, OTHER, LONGER = "+4915550001234", "+4915550009999", "+49155500012345"
PERSON = {"first_name": "Zebulon", "last_name": "Quastenflosser", "email": "zebulon@quasten.example",
          "custom_fields": {"pet": "Axolotl"}}
TRACES = (NUMBER, "Zebulon", "Quastenflosser", "quasten.example", "Axolotl", "Lieblingsfarbe", "recordings.example")
NUMBER_IS_KEPT = {"do_not_call", "ledger_numbers"}  # and in the blocks of the ledger, which are not texts


def traces(t, words=TRACES):
    """(table, column, word) of every text in the database that has one of the words."""
    columns = t.stack.sql("SELECT table_name, column_name FROM information_schema.columns"
                          " WHERE table_schema = 'outdial'"
                          " AND data_type IN ('char', 'varchar', 'text', 'tinytext', 'mediumtext', 'longtext', 'json')")
    queries = [f"SELECT '{table}', '{column}', '{word}' FROM DUAL WHERE EXISTS (SELECT 1 FROM `{table}`"
               f" WHERE `{column}` LIKE '%{word}%')"
               for table, column in columns for word in words]
    found = t.stack.sql(" UNION ALL ".join(queries)) if queries else []
    # A longer number that begins with this number belongs to another person.
    return [tuple(row) for row in found]


def erased(t):
    return not t.stack.sql("SELECT 1 FROM person_erasures")


def someone(number=NUMBER, **fields):
    return {"phone_number": number, **PERSON, **fields}


def script(call):
    if call.data["to"] != NUMBER:
        return ends("completed")
    return ends("completed", duration_seconds=12, outcome="sold", end_reason=f"{NUMBER} hung up",
                summary="Lieblingsfarbe blau", recording_url="https://recordings.example/1.wav")


def test_export_and_erase(t):
    receiver, agent = t.dialing_agent()
    receiver.endpoint("/events", events=["call.started", "call.ended", "call.failed"])
    receiver.script = script
    folder = t.api.post("/contacts/folders", {"name": "Spring"})
    t.api.post("/contacts", someone(folder_id=folder["id"]))
    t.api.post("/contacts", someone())
    t.api.post("/contacts", {"phone_number": OTHER, "first_name": "Someone"})
    headers = {"Idempotency-Key": "call once"}
    done = t.api.batch(agent, [someone(), {"phone_number": OTHER}])
    t.api.schedule(done)
    t.api.wait_for(done, "completed")
    asked = {"agent_id": agent["id"], "phone_number": NUMBER, "from_number": t.api.number()["phone_number"],
             "variables": {"name": "Zebulon"}}
    single = t.api.send("POST", "/calls", asked, headers).data
    until(lambda: t.api.get(f"/calls/{single['id']}")["status"] == "completed")
    draft = t.api.batch(agent, [someone(), {"phone_number": OTHER}, someone()])
    waits = t.api.batch(agent, [{"phone_number": OTHER}, someone()], schedule_type="scheduled",
                        scheduled_at="2040-03-01T09:00:00Z")
    ended = t.api.batch(agent, [someone(), {"phone_number": OTHER}], schedule_type="scheduled",
                        scheduled_at="2040-03-01T09:00:00Z")
    t.api.post(f"/batch-calls/{ended['id']}/cancel")
    t.api.post("/do-not-call", {"phone_number": NUMBER, "reason": "asked"})

    shown = t.api.get(f"/people/{NUMBER}")
    assert shown["phone_number"] == NUMBER and shown["is_complete"] is True and shown["erasing_since"] is None, shown
    assert [one["folder_id"] for one in shown["contacts"]] in ([None, folder["id"]],
                                                              [folder["id"], None]), shown["contacts"]
    assert all(one["custom_fields"] == PERSON["custom_fields"] for one in shown["contacts"] + shown["campaigns"]), shown
    assert {(one["batch_call_id"], one["position"]) for one in shown["campaigns"]} == {
        (done["id"], 1), (draft["id"], 1), (draft["id"], 3), (waits["id"], 2), (ended["id"], 1)}, shown["campaigns"]
    assert {call["summary"] for call in shown["calls"]} == {"Lieblingsfarbe blau"} and len(shown["calls"]) == 2, \
        shown["calls"]
    assert shown["given_with_calls"][0]["variables"] == {"name": "Zebulon"} \
        and shown["do_not_call"]["reason"] == "asked", shown
    lines = t.stack.outdial("person", "export", NUMBER, "--organization", t.organization).splitlines()
    assert [json.loads(line)["person"] for line in lines] == [shown], lines
    assert {table for table, _, _ in traces(t)} >= {"contacts", "batch_contacts", "calls", "events",
                                                    "idempotency_keys", "do_not_call"}

    other = t.client(organization="another one")
    other.post("/contacts", someone(first_name="Kept", last_name="", email=None, custom_fields=None))
    before = {batch["id"]: t.api.read(batch) for batch in (done, draft, waits, ended)}
    t.api.delete(f"/people/{NUMBER}")
    until(lambda: erased(t), seconds=30, what="the person is erased")
    assert [one["first_name"] for one in other.get(f"/people/{NUMBER}")["contacts"]] == ["Kept"], \
        "another organisation keeps its own"
    other.delete(f"/people/{NUMBER}")
    until(lambda: erased(t), seconds=30, what="the person is erased there too")
    found = {(table, word) for table, _, word in traces(t)}
    assert found <= {(table, NUMBER) for table in NUMBER_IS_KEPT}, found
    assert t.api.get("/do-not-call", phone_number=NUMBER)[0]["reason"] == "asked"

    shown = t.api.get(f"/people/{NUMBER}")
    assert (shown["contacts"], shown["campaigns"], shown["calls"], shown["given_with_calls"]) == ([], [], [], []), shown
    counts = lambda batch: {name: value for name, value in batch.items() if name != "updated_at"}
    for batch in (done, ended):
        assert counts(t.api.read(batch)) == counts(before[batch["id"]]), "campaigns that ended keep their counts"
    for batch, cancelled in ((draft, 1), (waits, 1)):
        now = t.api.read(batch)
        assert (now["total_contacts"], now["cancelled"]) == (before[batch["id"]]["total_contacts"], cancelled), now
    call = t.api.get(f"/calls/{single['id']}")
    assert (call["status"], call["duration_seconds"], call["outcome"]) == ("completed", 12, "sold"), call
    assert (call["phone_number"], call["summary"], call["end_reason"],
            call["recording_url"]) == ("", None, None, None), call
    assert t.api.get(f"/contacts/folders/{folder['id']}")["contact_count"] == 0
    assert len(t.api.all("/contacts")) == 1
    again = t.api.send("POST", "/calls", asked, headers)
    assert again.status == 201 and again.data is None and again.headers["Idempotency-Replayed"], \
        "it is not called again"
    entry = t.api.get("/audit-log", object="person")[0]
    assert entry["action"] == "erased" and len(entry["changes"]["person"]) == 32 and NUMBER not in json.dumps(entry), \
        entry
    copy = t.api.batch(agent, 0, contact_source="campaign", source_campaign_id=done["id"])
    until(lambda: t.api.read(copy)["total_contacts"] == 1, what="the copy has the other one alone")
    t.api.schedule(draft)
    assert t.api.wait_for(draft, "completed")["completed"] == 1


def test_a_call_under_way_is_waited_for(t):
    receiver, agent = t.dialing_agent()
    receiver.endpoint("/events", events=["call.started", "call.ended", "call.failed"])
    batch, call = t.one_call(receiver, agent, lambda call: TAKEN, contacts=[someone(), {"phone_number": OTHER}],
                             max_concurrent_calls=1)
    text = t.stack.outdial("person", "erase", NUMBER, "--organization", t.organization)
    assert "under way" in text, text
    shown = t.api.get(f"/people/{NUMBER}")
    assert shown["erasing_since"] and len(shown["calls"]) == 1, shown
    receiver.script = script
    receiver.report(call, "busy", summary="Lieblingsfarbe blau")
    until(lambda: erased(t), seconds=40, what="the person is erased when the call has ended")
    found = [one for one in traces(t) if one[0] not in NUMBER_IS_KEPT]
    assert not found, found
    done = t.api.wait_for(batch, "completed")
    assert done["completed"] + done["busy"] + done["cancelled"] == 2, done


def test_it_goes_on_after_a_kill(t):
    receiver, agent = t.dialing_agent()
    batches = [t.api.batch(agent, [someone(), {"phone_number": LONGER}]) for _ in range(20)]
    t.stack.kill("scheduler-1")
    mine = f"batch_id IN ({', '.join(t.row_of(batch) for batch in batches)})"
    left = f"SELECT COUNT(*) FROM batch_contacts WHERE {mine} AND phone_number = '{NUMBER}'"
    with Session(t, "BEGIN", f"SELECT 1 FROM batch_calls WHERE id = {t.row_of(batches[-1])} FOR UPDATE"):
        command = subprocess.Popen([f"{t.stack.build}/outdial", "-c", t.stack.write_config(), "person", "erase", NUMBER,
                                    "--organization", t.organization], stdout=subprocess.DEVNULL)
        until(lambda: t.stack.sql(left) == [["1"]], what="one campaign is left, which is locked")
        command.kill()
        command.wait()
    assert t.stack.sql("SELECT 1 FROM person_erasures"), "the erasure has not ended"
    t.stack.start_scheduler()
    until(lambda: erased(t), seconds=40, what="another scheduler ends the erasure")
    assert t.stack.sql(left) == [["0"]]
    assert t.stack.sql(f"SELECT COUNT(*) FROM batch_contacts WHERE {mine} AND phone_number = '{LONGER}'") == [["20"]]
    assert all(t.api.read(batch)["cancelled"] == 1 for batch in batches)
    for arguments in (["erase", "12345"], ["export", NUMBER, "--organization", "nobody at all"], ["erase"]):
        t.outdial_fails("person", *arguments)
    t.client(["read", "write"]).refuse("forbidden", "GET", f"/people/{NUMBER}")
    t.client(["read", "write"]).refuse("forbidden", "DELETE", f"/people/{NUMBER}")


if __name__ == "__main__":
    tap.run(globals())
