#!/usr/bin/env python3
"""The overview: calls under way, today's figures, problems; figures of numbers; searches of small lists."""

import datetime
import zoneinfo

import tap
from client import UTC, until
from receiver import TAKEN, Answer, ends

STACK = {"rate_limit": False}
FAR = "2040-03-01T09:00:00.000000Z"


def overview(t, **query):
    return t.api.get("/overview", **query)


def test_nothing_yet(t):
    shown = overview(t)
    assert set(shown["campaigns"].values()) == {0}, shown
    assert (shown["calls_in_flight"], shown["places"]) == (0, 0), shown
    assert (shown["webhooks"], shown["failed_campaigns"]) == ([], []), shown
    assert shown["deliveries"] == {"waiting": 0, "failed_24h": 0}, shown
    today = shown["today"]
    assert (today["calls"], today["minutes"], today["cost"], today["timezone"]) == (0, 0, 0, "UTC"), today
    assert [hour["hour"] for hour in today["hours"]] == list(range(24)), today
    t.api.refuse("bad_request", "GET", "/overview", query={"timezone": "Europe/Nowhere"}, field="timezone")
    t.api.refuse("bad_request", "GET", "/overview", query={"zone": "UTC"}, field="zone")
    t.client(scopes="reports").refuse("forbidden", "GET", "/overview")


def test_what_is_under_way(t):
    receiver, agent = t.dialing_agent()
    receiver.script = lambda call: TAKEN if call.data["to"][-1] in "45" else ends(
        "busy" if call.data["to"][-1] == "3" else "completed", duration_seconds=30, cost=0.25)
    active = t.api.batch(agent, 5, max_concurrent_calls=7)
    t.api.schedule(active)
    t.api.schedule(t.api.batch(agent, 1), {"scheduled_at": FAR})
    t.api.batch(agent, 1)
    done = t.api.batch(agent, [{"phone_number": "+4930999001"}])
    t.api.schedule(done)
    t.api.wait_for(done, "completed")
    number = t.api.number()["phone_number"]
    t.api.post("/calls", {"agent_id": agent["id"], "phone_number": "+4930999004", "from_number": number})
    shown = until(lambda: [one for one in [overview(t)] if one["calls_in_flight"] == 3 and one["today"]["calls"] == 4],
                 what="all calls are placed")[0]
    assert shown["campaigns"] == {"draft": 1, "scheduled": 1, "active": 1, "paused": 0, "completed": 1, "failed": 0,
                                 "cancelled": 0}, shown
    assert shown["places"] == 7, shown
    today = shown["today"]
    assert (today["completed"], today["minutes"], today["cost"]) == (3, 2, 1), today
    assert sum(hour["calls"] for hour in today["hours"]) == 4, today
    t.api.post(f"/batch-calls/{active['id']}/pause")
    paused = overview(t)
    assert (paused["places"], paused["calls_in_flight"], paused["today"]["calls"]) == (0, 3, 4), paused
    other = t.client(organization="another").get("/overview")
    assert other["today"]["calls"] == other["calls_in_flight"] == other["campaigns"]["active"] == 0, other


def test_today_is_that_of_the_zone(t):
    """Calls that were placed just before and just after the local midnight."""
    receiver, agent = t.dialing_agent()
    batch = t.api.batch(agent, 1)
    t.api.schedule(batch)
    t.api.wait_for(batch, "completed")
    row = t.row_of(batch)
    for name in ("Asia/Kolkata", "America/St_Johns", "Pacific/Auckland", "UTC"):
        zone = zoneinfo.ZoneInfo(name)
        now = datetime.datetime.now(zone)
        midnight = now.replace(hour=0, minute=0, second=0, microsecond=0)
        quarter = int(midnight.astimezone(UTC).timestamp()) // 900
        t.stack.sql(f"DELETE FROM batch_quarters WHERE batch_id = {row};"
                    f"INSERT INTO batch_quarters VALUES ({row}, {quarter - 1}, 4, 100, 0, 0, 0), ({row}, {quarter}, 4,"
                    f" 7, 7, 60, 1),"
                    f" ({row}, {quarter + 4}, 7, 2, 0, 0, 0), ({row}, {quarter + 4 * 24 + 8}, 4, 1000, 0, 0, 0)")
        today = overview(t, timezone=name.lower())["today"]
        if today["date"] != midnight.date().isoformat():
            continue  # midnight has passed meanwhile
        assert (today["timezone"], today["calls"], today["completed"]) == (name, 9, 7), today
        assert [hour["calls"] for hour in today["hours"]][:3] == [7, 2, 0], today


def test_problems_that_need_a_person(t):
    receiver, agent = t.dialing_agent()
    off = t.api.post("/webhooks", {"url": "http://127.0.0.1:1/off", "disabled": True})
    shown = overview(t)
    assert [webhook["id"] for webhook in shown["webhooks"]] == [off["id"]], shown
    assert shown["webhooks"] == [t.api.get(f"/webhooks/{off['id']}")], shown
    failing = t.api.post("/webhooks",
                         {"url": f"http://127.0.0.1:{receiver.port}/failing", "events": ["batch.status.changed"]})
    receiver.secrets["/failing"] = failing["secret"]
    receiver.answer_events = Answer(503)
    for _ in range(6):
        t.api.schedule(t.api.batch(agent, 1), {"scheduled_at": FAR})
    shown = until(lambda: [one for one in [overview(t)] if len(one["webhooks"]) == 2], seconds=60,
                 what="its circuit is open")[0]
    assert {webhook["id"] for webhook in shown["webhooks"]} == {off["id"], failing["id"]}, shown
    assert shown["deliveries"]["waiting"] == 6 and shown["deliveries"]["failed_24h"] == 0, shown
    t.stack.sql("UPDATE deliveries SET status = 2 WHERE status = 0 ORDER BY id LIMIT 2")
    assert overview(t)["deliveries"] == {"waiting": 4, "failed_24h": 2}, overview(t)
    t.stack.sql("UPDATE events e JOIN deliveries d ON d.event_id = e.id SET e.created_at = e.created_at - INTERVAL 2"
                " DAY WHERE d.status = 2")
    assert overview(t)["deliveries"] == {"waiting": 4, "failed_24h": 0}, overview(t)


def test_campaigns_that_failed(t):
    receiver, agent = t.dialing_agent()
    batch = t.api.batch(agent, 1)
    t.api.schedule(batch, {"scheduled_at": FAR})
    row = t.row_of(batch)
    t.stack.sql(f"UPDATE batch_calls SET status = 5, completed_at = UTC_TIMESTAMP(6), updated_at = UTC_TIMESTAMP(6)"
                f" WHERE id = {row}")
    shown = overview(t)
    assert [campaign["id"] for campaign in shown["failed_campaigns"]] == [batch["id"]] \
        and shown["campaigns"]["failed"] == 1, shown
    t.stack.sql(f"UPDATE batch_calls SET completed_at = UTC_TIMESTAMP(6) - INTERVAL 25 HOUR WHERE id = {row}")
    assert overview(t)["failed_campaigns"] == []


def test_what_it_costs(t):
    """The overview does not read old campaigns and their figures."""
    receiver, agent = t.dialing_agent()
    batch = t.api.batch(agent, 1)
    t.api.schedule(batch)
    t.api.wait_for(batch, "completed")
    digits = ("(SELECT 0 AS n UNION SELECT 1 UNION SELECT 2 UNION SELECT 3 UNION SELECT 4"
              " UNION SELECT 5 UNION SELECT 6 UNION SELECT 7 UNION SELECT 8 UNION SELECT 9)")
    row = t.row_of(batch)
    t.stack.sql("INSERT INTO batch_quarters (batch_id, quarter, status, calls, timed, seconds, cost)"
                f" SELECT {row}, a.n + 10 * b.n + 100 * c.n + 1000 * d.n, 4, 1, 0, 0, 0 FROM {digits} a, {digits} b,"
                f" {digits} c, {digits} d;"
                "ANALYZE TABLE batch_quarters, batch_calls")
    costs = []
    for _ in range(3):
        before = t.row_reads()
        assert overview(t)["today"]["calls"] == 1
        costs.append(t.row_reads() - before)
    assert min(costs) < 1_000, costs


# Small lists

def test_figures_of_a_number(t):
    receiver, agent = t.dialing_agent()
    receiver.script = lambda call: TAKEN if call.data["to"][-1] == "5" else ends("busy" if call.data["to"][-1] == "1"
                                                                                 else "completed")
    number, idle = t.api.number(), t.api.number()
    batch = t.api.batch(agent, 5, phone_number_ids=[number["id"]])
    t.api.schedule(batch)
    path = f"/telephony/numbers/{number['id']}/analytics"
    shown = until(lambda: [one for one in [t.api.get(path)] if one["calls"] == 4], what="four calls have ended")[0]
    assert (shown["completed"], shown["busy"], shown["answer_rate"], shown["is_exact"]) == (3, 1, 0.75, True), shown
    none = t.api.get(f"/telephony/numbers/{idle['id']}/analytics", days=90)
    assert (none["calls"], none["answer_rate"], none["number_id"]) == (0, None, idle["id"]), none
    for days in (0, 91, "x"):
        t.api.refuse("bad_request", "GET", path, query={"days": days}, field="days")
    t.client(organization="another").refuse("not_found", "GET", path)


def names(rows, key="name"):
    return sorted(row[key] for row in rows)


def test_searches(t):
    for name in ("Spring 2026", "spring tide", "Autumn", "100%"):
        t.api.post("/contacts/folders", {"name": name})
    for query, found in (({"search": "spring"}, ["Spring 2026", "spring tide"]), ({"search": "%"}, ["100%"]),
                         ({"search": "winter"}, []), ({"search": "tum", "sort_by": "name", "order": "asc"}, ["Autumn"]),
                         ({"search": "SPRING", "sort_by": "contact_count", "limit": 1}, None)):
        reply = t.api.ask("GET", "/contacts/folders", query=query)
        assert found is None or names(reply.data) == sorted(found), (query, reply)
        assert reply.pagination["total"] == (2 if found is None else len(found)), reply.pagination
    t.api.post("/do-not-call", {"phone_numbers": ["+4930111", "+4930112", "+4940111", "+149301"]})
    for query, found in (({"search": "+4930"}, ["+4930111", "+4930112"]), ({"search": "+"}, 4), ({"search": "+49"}, 3),
                         ({"search": "+4950"}, []), ({"search": "+4930112"}, ["+4930112"]), ({}, 4)):
        reply = t.api.ask("GET", "/do-not-call", query={"limit": 2, **query})
        total = found if isinstance(found, int) else len(found)
        assert reply.pagination["total"] == total and len(reply.data) == min(2, total), (query, reply)
        assert isinstance(found, int) or names(reply.data, "phone_number") == found, (query, reply)
        assert sum(len(page.data) for page in t.api.pages("/do-not-call", limit=1, **query)) == total, query
    for wrong in ("4930", "+49x", "", "+4930~", "+" + "1" * 16):
        t.api.refuse("bad_request", "GET", "/do-not-call", query={"search": wrong}, field="search")
    t.api.refuse("bad_request", "GET", "/do-not-call", query={"search": "+49", "phone_number": "+4930111"},
                 field="search")
    t.api.number("+15557770001")
    t.api.post("/telephony/numbers/import", {"phone_number": "+15557770002", "friendly_name": "Reception"})
    for search, count in (("777000", 2), ("RECEP", 1), ("0002", 1), ("nobody", 0)):
        reply = t.api.ask("GET", "/telephony/numbers", query={"search": search})
        assert reply.pagination["total"] == len(reply.data) == count, (search, reply)


def test_campaigns_of_an_agent(t):
    receiver, agent = t.dialing_agent()
    assert t.api.get(f"/agents/{agent['id']}")["campaigns"] == 0
    batches = [t.api.batch(agent, 1) for _ in range(3)]
    t.api.delete(f"/batch-calls/{batches[0]['id']}")
    assert t.api.get(f"/agents/{agent['id']}")["campaigns"] == t.api.get("/agents")[0]["campaigns"] == 2
    assert t.api.patch(f"/agents/{agent['id']}", {"description": "x"})["campaigns"] == 2


def test_calls_made_today_in_the_preview(t):
    receiver, agent = t.dialing_agent()
    batch = t.api.batch(agent, 4, max_calls_per_day=2)
    preview = lambda: t.api.post(f"/batch-calls/{batch['id']}/preview", {})["calls_made_today"]
    assert preview() == 0
    t.api.schedule(batch)
    receiver.wait_for_calls(2)
    until(lambda: preview() == 2, what="two calls are made")
    t.api.post(f"/batch-calls/{batch['id']}/pause")
    t.stack.sql(f"UPDATE batch_calls SET day = day - 1 WHERE id = {t.row_of(batch)}")
    assert preview() == 0, "the calls of yesterday are not those of today"


if __name__ == "__main__":
    tap.run(globals())
