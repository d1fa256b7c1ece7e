#!/usr/bin/env python3
"""While a transaction changes something of an organisation, it holds the row of the organisation's place, so no move to
another cell can begin. Nothing changes in an organisation that is being moved."""

import subprocess
import threading

import tap
from cutter import Api, Between
from process import Error

STACK = {"rate_limit": False}

NUMBER = "+493012345678"
CSV = {"Content-Type": "text/csv"}
LEAVING, ELSEWHERE, ARRIVING, DROPPED = 1, 2, 3, 4


def is_free(t):
    """Returns whether a move of the organisation could begin at this moment."""
    return t.stack.sql(f"SELECT id FROM organizations WHERE name = '{t.organization}' FOR UPDATE SKIP LOCKED") != []


def check_held(t, cutter, statement, act):
    """Checks that the organisation is held while this statement of the transaction runs, and is free afterwards."""
    acting = threading.Thread(target=act)
    with cutter.hold(statement):
        acting.start()
        assert cutter.holds.wait(20), f"{statement} is run"
        free = is_free(t)
    acting.join()
    assert not free, statement
    assert is_free(t), statement


def test_requests_hold_it(t):
    t.api.post("/do-not-call", {"phone_number": NUMBER})
    agent = t.dialing_agent()[1]
    number = t.api.number()["phone_number"]
    with Api(t) as api:
        check_held(t, api.cutter, "INSERT INTO contacts ", lambda: t.api.post("/contacts", {"phone_number": NUMBER}))
        check_held(t, api.cutter, "INSERT INTO ledger_drafts", lambda: t.api.send("POST", "/calls", {
            "agent_id": agent["id"], "phone_number": NUMBER, "from_number": number}))  # it is refused
        check_held(t, api.cutter, "INSERT INTO audit_log",
                   lambda: t.api.send("POST", "/contacts/import", b"phone\n+493012345679\n", CSV))


def commands(t):
    """Changes by the command line, each with a statement of its transaction."""
    name = t.organization
    return (
        ("INSERT INTO api_keys", "key", "create", "--organization", name, "--scopes", "all"),
        ("INSERT INTO person_erasures", "person", "erase", NUMBER, "--organization", name),
        ("FROM ledger_heads", "ledger", "erase", NUMBER, "--organization", name),
        ("UPDATE batch_calls SET held_by", "resume", "--all"),
    )


def paused_campaign(t):
    batch = t.api.batch(t.dialing_agent()[1], 1)
    t.api.schedule(batch, {"scheduled_at": "2035-01-01T00:00:00Z"})
    t.stack.outdial("pause", "--all")
    return batch


def test_commands_hold_it(t):
    paused_campaign(t)
    with Between(t) as between:
        config = t.stack.write_config("cut", {"database_file": between.file})
        for statement, *arguments in commands(t):
            check_held(t, between.cutter, statement, lambda: subprocess.run(
                [f"{t.stack.build}/outdial", "-c", config, *arguments], check=True, capture_output=True))


def count_changes(t):
    mine = f"organization_id = (SELECT id FROM organizations WHERE name = '{t.organization}')"
    rows = ("api_keys WHERE TRUE", "person_erasures WHERE TRUE", "contacts WHERE TRUE", "batch_calls WHERE status = 3")
    return [int(t.stack.sql(f"SELECT COUNT(*) FROM {which} AND {mine}")[0][0]) for which in rows]


def test_nothing_changes_on_the_way(t):
    paused_campaign(t)
    before = count_changes(t)
    for place in (LEAVING, ELSEWHERE, ARRIVING, DROPPED):
        t.stack.sql(f"UPDATE organizations SET place = {place} WHERE name = '{t.organization}'")
        for _, *arguments in commands(t):
            try:
                t.stack.outdial(*arguments)
            except Error:
                pass
        assert count_changes(t) == before, place
        assert t.api.send("POST", "/contacts", {"phone_number": NUMBER}).status in (401, 421, 503), place
    t.stack.sql(f"UPDATE organizations SET place = 0 WHERE name = '{t.organization}'")
    t.stack.outdial("resume", "--all")
    assert count_changes(t) == before[:-1] + [0]


if __name__ == "__main__":
    tap.run(globals())
