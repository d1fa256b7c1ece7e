#!/usr/bin/env python3
"""Lists of campaigns: several states, a part of the name, orders, ids, chosen members, counts by state."""

import tap
from client import contacts, until
from receiver import TAKEN

STACK = {"rate_limit": False}
NAMES = ("Autumn 1", "spring 2", "Spring 10", "Sömmer", "Winter %_")
SORTS = ("created_at", "name", "updated_at", "planned_from", "progress")


def names_of(t, **query):
    return [campaign["name"] for campaign in t.api.get("/batch-calls", **query)]


def make(t, agent, number):
    return [t.api.batch(agent, 2, name=name, phone_number_ids=[number["id"]]) for name in NAMES]


def five(t):
    """Creates drafts, one scheduled and one cancelled campaign."""
    receiver, agent = t.dialing_agent()
    made = make(t, agent, t.api.number())
    t.api.schedule(made[1], {"scheduled_at": "2040-03-01T09:00:00Z"})
    t.api.post(f"/batch-calls/{made[2]['id']}/cancel")
    return agent, made


def test_filters(t):
    agent, made = five(t)
    other = t.client(organization="another one")
    assert names_of(t) == list(reversed(NAMES))
    assert names_of(t, status="scheduled,cancelled") == [NAMES[2], NAMES[1]]
    assert names_of(t, status="draft") == [NAMES[4], NAMES[3], NAMES[0]]
    assert names_of(t, status="active,paused,completed,failed") == []
    assert names_of(t, search="SPRING") == [NAMES[2], NAMES[1]]
    assert names_of(t, search="spring", status="scheduled") == [NAMES[1]]
    assert names_of(t, search="%_") == [NAMES[4]] and names_of(t, search="ö") != [], "no wildcards"
    assert names_of(t, search="ing 1", agent_id=agent["id"]) == [NAMES[2]]
    assert names_of(t, search="nothing") == []
    assert other.get("/batch-calls") == [] and other.get("/batch-calls", ids=made[0]["id"]) == []
    counts = t.api.ask("GET", "/batch-calls", query={"status": "active"}).body["meta"]
    assert counts["counts"] == {"draft": 3, "scheduled": 1, "active": 0, "paused": 0, "completed": 0, "failed": 0,
                                "cancelled": 1} and counts["counts_are_exact"] is True, counts
    assert set(other.ask("GET", "/batch-calls").body["meta"]["counts"].values()) == {0}
    t.api.delete(f"/batch-calls/{made[2]['id']}")
    assert names_of(t, search="spring") == [NAMES[1]], "one that was deleted is in no list"
    assert t.api.ask("GET", "/batch-calls", query={"limit": 1}).pagination["total"] == 4


def test_orders(t):
    agent, made = five(t)
    assert names_of(t, sort_by="created_at", order="asc") == list(NAMES)
    by_name = ["Autumn 1", "Sömmer", "Spring 10", "spring 2", "Winter %_"]
    assert names_of(t, sort_by="name", order="asc") == by_name and names_of(t, sort_by="name") == by_name[::-1]
    t.api.patch(f"/batch-calls/{made[3]['id']}", {"metadata": {"a": 1}})
    assert names_of(t, sort_by="updated_at")[0] == NAMES[3]
    assert names_of(t, sort_by="planned_from")[0] == NAMES[1]
    assert names_of(t, sort_by="progress")[0] == NAMES[2], "what is over is done"
    assert names_of(t, sort_by="name", order="asc", agent_id=agent["id"], status="draft") == [
        NAMES[0], NAMES[3], NAMES[4]] == sorted([NAMES[0], NAMES[3], NAMES[4]])


def test_pages_in_every_order(t):
    """The pages of each list, of any size, make up the whole list."""
    five(t)
    for sort in SORTS:
        for order in ("asc", "desc"):
            for more in ({}, {"status": "draft,scheduled"}, {"search": "r"}):
                query = {"sort_by": sort, "order": order, **more}
                whole = [item["id"] for item in t.api.get("/batch-calls", **query)]
                for limit in (1, 2, 4):
                    pages = list(t.api.pages("/batch-calls", limit=limit, **query))
                    assert [item["id"] for page in pages for item in page.data] == whole, (query, limit)
                    assert {page.pagination["total"] for page in pages} == {len(whole)}, query
                tail = t.api.get("/batch-calls", offset=2, **query)
                assert [item["id"] for item in tail] == whole[2:], query
    cursor = t.api.ask("GET", "/batch-calls", query={"limit": 1, "sort_by": "name"}).pagination["next_cursor"]
    for query in ({}, {"sort_by": "progress"}, {"sort_by": "name", "order": "asc"}):
        t.api.refuse("bad_request", "GET", "/batch-calls", query=dict(query, cursor=cursor), field="cursor")


def test_progress_follows_the_calls(t):
    receiver, agent = t.dialing_agent()
    receiver.script = lambda call: TAKEN
    number = t.api.number()
    slow, fast = (t.api.batch(agent, contacts(4, first=first), name=name, phone_number_ids=[number["id"]],
                              max_concurrent_calls=2) for name, first in (("slow", 1), ("fast", 11)))
    for batch in (slow, fast):
        t.api.schedule(batch)
    receiver.wait_for_calls(4)
    for call in t.api.calls_of(fast):
        t.api.post(f"/calls/{call['id']}/status", {"status": "completed"})
    until(lambda: names_of(t, sort_by="progress", status="active") == ["fast", "slow"], what="it is further")
    assert names_of(t, sort_by="progress", order="asc", status="active") == ["slow", "fast"]


def test_named_campaigns(t):
    _, made = five(t)
    ids = [made[2]["id"], "batch_" + made[0]["id"], "01900000-0000-7000-8000-000000000000"]
    reply = t.api.ask("GET", "/batch-calls", query={"ids": ",".join(ids)})
    assert [item["name"] for item in reply.data] == [NAMES[2], NAMES[0]] and reply.pagination["total"] == 2, reply
    for more in ({"status": "draft"}, {"search": "x"}, {"offset": 1}, {"agent_id": made[0]["agent_id"]}):
        t.api.refuse("bad_request", "GET", "/batch-calls", query={"ids": made[0]["id"], **more}, field="ids")
    many = ",".join(batch["id"] for batch in made)
    assert len(t.api.get("/batch-calls", ids=many, limit=1)) == 5, "all that were named"


def test_chosen_members(t):
    _, made = five(t)
    row = t.api.get("/batch-calls", fields="name,status,calling_windows")[0]
    assert row == {"status": "draft", "name": NAMES[4], "calling_windows": []}, row
    assert t.api.get("/batch-calls", fields="held_by", limit=1) == [{"held_by": None}]
    reply = t.api.ask("GET", f"/batch-calls/{made[0]['id']}", query={"fields": "id,name"})
    assert reply.data == {"id": made[0]["id"], "name": NAMES[0]}, reply
    assert set(reply.body["meta"]) == {"request_id", "ts"}, reply
    for wrong in ("nothing", "id,nothing", "id,,name", ",", "id ", "data", "days", "Id"):
        for path in ("/batch-calls", f"/batch-calls/{made[0]['id']}"):
            t.api.refuse("bad_request", "GET", path, query={"fields": wrong}, field="fields")
    tag = t.api.send("GET", f"/batch-calls/{made[0]['id']}").headers["ETag"]
    reply = t.api.send("PATCH", f"/batch-calls/{made[0]['id']}", {"name": "Other"}, headers={"If-Match": tag})
    assert reply.status == 200, reply


def test_wrong_parameters(t):
    for field, value in (("status", "running"), ("status", "draft,running"), ("status", "draft,draft"), ("status", ""),
                         ("status", "draft,"), ("sort_by", "id"), ("order", "up"), ("search", ""),
                         ("search", "x" * 256), ("ids", "1"), ("ids", ""), ("fields", ""), ("fields", "x" * 1001),
                         ("limit", "101"), ("name", "x")):
        reply = t.api.refuse("bad_request", "GET", "/batch-calls", query={field: value})
        assert reply.details["field"].startswith(field), (field, value, reply)
    same = "01900000-0000-7000-8000-000000000000"
    t.api.refuse("bad_request", "GET", "/batch-calls", query={"ids": f"{same},{same}"}, field="ids")
    t.api.refuse("bad_request", "GET", "/batch-calls", query={"ids": ",".join(
        f"01900000-0000-7000-8000-{number:012}" for number in range(1, 102))}, field="ids")


if __name__ == "__main__":
    tap.run(globals())
