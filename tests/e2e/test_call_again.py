#!/usr/bin/env python3
"""Campaigns with the contacts of another campaign: all copies, or only contacts that were not reached."""

import tap
from client import contacts, until
from receiver import TAKEN, ends
from test_contacts import an_hour_ago, row_of, rows, schedulers, send_csv

STACK = {"rate_limit": False}
UNKNOWN = "01890000-0000-7000-8000-000000000000"
RESULTS = ("completed", "no_answer", "busy", "failed", "voicemail")
FIELDS = ("phone_number", "first_name", "last_name", "email", "timezone", "custom_fields", "contact_id")
SOON = {"max_concurrent_calls": 100}


def again(t, agent, source, *statuses, **fields):
    wanted = {"source_statuses": list(statuses)} if statuses else {}
    return t.api.batch(agent, fields.pop("people", []), contact_source="campaign", source_campaign_id=source["id"],
                       **wanted, **fields)


def who(t, batch):
    return [{name: person[name] for name in FIELDS} for person in t.api.contacts_of(batch)]


def ended(t, **fields):
    """Completes a campaign with two contacts for each result, by the last digit. One number is in it twice, and one
    contact is never called."""
    receiver, agent = t.dialing_agent()
    receiver.script = lambda call: ends(RESULTS[int(call.data["to"][-1]) % 5])
    people = [dict(person, first_name=f"Ada {nth}", last_name="B", email="a@b.example", timezone="Asia/Tokyo",
                   custom_fields={"nth": nth}) for nth, person in enumerate(contacts(10, first=10))]
    people += [people[1], {"phone_number": "+4930999"}]
    t.api.post("/do-not-call", {"phone_number": "+4930999"})
    batch = t.api.batch(agent, people, **SOON, **fields)
    t.api.schedule(batch)
    return receiver, agent, t.api.wait_for(batch, "completed")


def test_contacts_that_were_not_reached_are_called_again(t):
    receiver, agent, source = ended(t)
    before = who(t, source)
    batch = again(t, agent, source, "no_answer", "busy", "failed", name="Again", **SOON)
    assert (batch["status"], batch["total_contacts"], batch["pending"]) == ("draft", 6, 6), batch
    assert (batch["contact_source"], batch["source_campaign_id"], batch["source_statuses"]) == (
        "campaign", source["id"], ["failed", "no_answer", "busy"]), batch
    assert who(t, batch) == [before[at] for at in (1, 2, 3, 6, 7, 8)], "with their fields, in their order"
    receiver.script = lambda call: ends("completed")
    t.api.schedule(batch)
    assert t.api.wait_for(batch, "completed")["completed"] == 6
    assert t.api.read(source) == source and who(t, source) == before, "nothing becomes of the source"
    assert again(t, agent, batch, "no_answer")["total_contacts"] == 0, "nobody is left"
    assert again(t, agent, batch, "no_answer", schedule_type="scheduled",
                 scheduled_at=an_hour_ago())["status"] == "draft"


def test_every_result(t):
    receiver, agent, source = ended(t)
    people = t.api.contacts_of(source)
    for status in RESULTS + ("skipped", "cancelled"):
        batch = again(t, agent, source, status)
        assert batch["total_contacts"] == source[status], (status, batch)
        assert who(t, batch) == [{name: one[name] for name in FIELDS} for one in people if one["status"] == status], \
            status
    whole = again(t, agent, source, people=[{"phone_number": "+4930777"}])
    assert (whole["total_contacts"], whole["skipped"], whole["source_statuses"]) == (13, 1, None), whole
    assert who(t, whole)[1:] == who(t, source) and whole["contact_source"] == "campaign", "behind those that were given"
    assert t.api.contacts_of(whole)[11]["error_reason"] == "duplicate"


def test_removed_contacts_are_not_copied(t):
    receiver, agent = t.dialing_agent()
    first, second = contacts(2)
    source = t.api.batch(agent, [first, second, first])
    t.api.ask("DELETE", f"/batch-calls/{source['id']}/contacts/1")
    whole = again(t, agent, source)
    assert [one["phone_number"] for one in t.api.contacts_of(whole)] == [second["phone_number"]], \
        t.api.contacts_of(whole)
    assert again(t, agent, source, "skipped")["total_contacts"] == 0


def test_what_waits_has_no_result_until_the_campaign_is_over(t):
    receiver, agent = t.dialing_agent()
    receiver.script = lambda call: TAKEN
    source = t.api.batch(agent, contacts(5), max_concurrent_calls=2)
    assert again(t, agent, source)["total_contacts"] == 5, "a copy of a draft"
    t.api.schedule(source)
    receiver.wait_for_calls(2)
    for statuses in (("cancelled",), RESULTS):
        assert again(t, agent, source, *statuses)["total_contacts"] == 0
    t.api.post(f"/calls/{t.api.calls_of(source)[0]['id']}/status", {"status": "busy"})
    assert again(t, agent, source, "busy", "cancelled")["total_contacts"] == 1
    t.api.post(f"/batch-calls/{source['id']}/cancel")
    over = until(lambda: t.api.read(source)["cancelled"] >= 2 and t.api.read(source), what="it is over")
    batch = again(t, agent, source, "busy", "cancelled")
    assert batch["total_contacts"] == over["busy"] + over["cancelled"] >= 3, (batch, over)


def test_copies_of_stored_contacts_report_their_outcome(t):
    receiver, agent = t.dialing_agent()
    receiver.script = lambda call: ends("no_answer")
    send_csv(t, rows(3))
    kept = [contact["id"] for contact in t.api.all("/contacts")]
    source = t.api.batch(agent, [], contact_ids=kept, **SOON)
    t.api.schedule(source)
    t.api.wait_for(source, "completed")
    receiver.script = lambda call: ends("voicemail")
    batch = again(t, agent, source, "no_answer", schedule_type="scheduled", scheduled_at=an_hour_ago())
    assert batch["status"] == "scheduled" and {person["contact_id"] for person in who(t, batch)} == set(kept)
    t.api.wait_for(batch, "completed")
    assert {contact["last_call_outcome"] for contact in t.api.all("/contacts")} == {"voicemail"}


def test_refusals(t):
    receiver, agent = t.dialing_agent()
    source = t.api.batch(agent, 1)
    other = t.client(organization="another one")
    base = {"name": "B", "agent_id": agent["id"], "phone_number_ids": source["phone_number_ids"]}
    named = dict(base, contact_source="campaign", source_campaign_id=source["id"])

    def refuse(field, api=t.api, **body):
        api.refuse("validation_error", "POST", "/batch-calls", body, field=field)

    refuse("source_campaign_id", **dict(base, contact_source="campaign"))
    refuse("source_campaign_id", **dict(named, source_campaign_id=UNKNOWN))
    refuse("source_campaign_id", **dict(named, source_campaign_id="agent_" + source["id"]))
    refuse("source_campaign_id", **dict(named, contact_source="csv"))
    refuse("source_campaign_id", **dict(named, contact_source="folder", contact_folder_id=UNKNOWN))
    refuse("source_statuses", **dict(base, source_statuses=["busy"]))
    for wrong in ([], ["pending"], ["scheduled"], ["in_progress"], [""], ["busy", "busy"], "busy", [5], {}):
        reply = t.api.refuse("validation_error", "POST", "/batch-calls", dict(named, source_statuses=wrong))
        assert reply.details["field"].startswith("source_statuses"), reply
    receiver.api = other
    theirs = other.batch(other.agent(receiver.endpoint("/theirs")), 1)
    refuse("source_campaign_id", **dict(named, source_campaign_id=theirs["id"]))
    t.api.refuse("validation_error", "PATCH", f"/batch-calls/{source['id']}", {"source_campaign_id": source["id"]})
    assert t.api.post("/batch-calls", dict(named, source_statuses=None))["total_contacts"] == 1
    t.api.delete(f"/batch-calls/{source['id']}")
    refuse("source_campaign_id", **named)


def large(t, agent, count):
    """All contacts of a cancelled campaign are `cancelled`."""
    source = t.api.batch(agent, [])
    send_csv(t, rows(count), f"/batch-calls/{source['id']}/contacts/import")
    return t.api.post(f"/batch-calls/{source['id']}/cancel")


def test_a_large_campaign_is_copied_in_the_background(t):
    """Contacts are copied after the reply too: after the death of a scheduler, by two schedulers at once, and after the
    source was deleted."""
    receiver, agent = t.dialing_agent()
    source = large(t, agent, 40_000)
    batch = again(t, agent, source, "cancelled")
    assert (batch["total_contacts"], batch["status_reason"]) == (10_000, "contacts are being copied"), batch
    t.api.refuse("validation_error", "POST", "/batch-calls", {
        "name": "B", "agent_id": agent["id"], "contact_source": "campaign", "source_campaign_id": batch["id"],
        "phone_number_ids": batch["phone_number_ids"]}, field="source_campaign_id")
    scheduled = t.api.schedule(batch, {"scheduled_at": "2040-01-02T00:00:00Z"})
    assert (scheduled["status"], scheduled["status_reason"]) == ("scheduled", "contacts are being copied"), scheduled
    t.api.delete(f"/batch-calls/{source['id']}")
    until(lambda: t.api.read(batch)["total_contacts"] > 14_000, what="it goes on")
    t.stack.kill(schedulers(t)[0])
    t.stack.start_scheduler()
    t.stack.start_scheduler()
    done = until(lambda: t.api.read(batch) if t.api.read(batch)["status_reason"] is None else None, 60, "all are there")
    assert (done["total_contacts"], done["skipped"], done["status"]) == (40_000, 0, "scheduled"), done
    ours = f"batch_id = (SELECT id FROM batch_calls WHERE {row_of(t, batch)})"
    until(lambda: t.stack.sql(f"SELECT COUNT(*) FROM due_contacts WHERE {ours}") == [["40000"]], what="all are planned")
    assert t.stack.sql(f"SELECT COUNT(DISTINCT phone_number), MAX(position) FROM batch_contacts WHERE {ours}") \
        == [["40000", "40000"]]
    until(lambda: t.stack.sql(f"SELECT COUNT(*) FROM batch_calls WHERE {row_of(t, source)}") == [["0"]], 60,
          "the source left")
    t.stack.kill(schedulers(t)[0])


def test_few_matching_contacts_at_the_end_of_the_source(t):
    """The first 10,000 have another result: the campaign is scheduled, and gets its contacts."""
    receiver, agent = t.dialing_agent()
    receiver.script = lambda call: ends("busy")
    source = large(t, agent, 21_000)
    row = f"(SELECT id FROM batch_calls WHERE {row_of(t, source)})"
    t.stack.sql(f"UPDATE batch_contacts SET status = 7 WHERE batch_id = {row} AND position IN (10500, 20999)")
    t.stack.sql(f"UPDATE batch_counters SET busy = 2 WHERE batch_id = {row}")
    batch = again(t, agent, source, "busy", schedule_type="scheduled", scheduled_at=an_hour_ago())
    assert (batch["status"], batch["total_contacts"]) == ("scheduled", 0), batch
    done = t.api.wait_for(batch, "completed")
    assert (done["total_contacts"], done["busy"]) == (2, 2), done


if __name__ == "__main__":
    tap.run(globals())
