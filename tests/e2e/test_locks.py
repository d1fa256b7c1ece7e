#!/usr/bin/env python3
"""A rule that was judged before a row is locked is judged again under the lock."""

import tap
from client import until
from cutter import Api, Later, until_it_waits
from receiver import TAKEN

STACK = {"rate_limit": False, "schedulers": 1, "config": {"lease_seconds": 20}}


def test_a_report_and_a_cancel(t):
    """The campaign ends after the report has read its state: the contact gets the outcome, and waits for no retry."""
    receiver, agent = t.dialing_agent()
    with Api(t) as api:
        batch, call = t.one_call(receiver, agent, lambda call: TAKEN, retry_failed=True, max_retry_attempts=1,
                                 retry_delay_minutes=60)
        until(lambda: t.api.get(f"/calls/{call}")["status"] == "dispatched", what="it is dispatched")
        with api.cutter.hold("j.contact_status >= 0"):
            report = Later(t.api, "POST", f"/calls/{call}/status", {"status": "no_answer"})
            assert api.cutter.holds.wait(20)
            t.api.post(f"/batch-calls/{batch['id']}/cancel")
        assert report.result().status == 200, report.reply
        after = t.api.read(batch)
        assert (after["status"], after["no_answer"], after["cancelled"]) == ("cancelled", 1, 0), after
        assert t.api.contacts_of(batch)[0]["status"] == "no_answer"
        assert t.stack.sql(f"SELECT COUNT(*) FROM due_contacts WHERE batch_id = {t.row_of(batch)}") == [["0"]]


def test_an_agent_that_is_unassigned(t):
    """A number that another agent gets meanwhile keeps that agent."""
    number = t.api.number()["id"]
    agents = [t.api.post("/agents", {"name": name})["id"] for name in ("one", "other")]
    first, second = [{"number_id": number, "agent_id": agent, "assignment_type": "outbound"} for agent in agents]
    t.api.post("/telephony/numbers/assign", first)
    with Api(t) as api:
        with api.cutter.hold("SET outbound_agent_id = ?"):
            unassign = Later(t.api, "POST", "/telephony/numbers/unassign", first)
            assert api.cutter.holds.wait(20)
            assign = Later(t.api, "POST", "/telephony/numbers/assign", second)
            until_it_waits(t, assign)
        assert unassign.result().status == assign.result().status == 200, (unassign.reply, assign.reply)
        assert t.api.get(f"/telephony/numbers/{number}")["outbound_agent_id"] == agents[1]


if __name__ == "__main__":
    tap.run(globals())
