#!/usr/bin/env python3
"""Campaigns as a client uses them: fields, states, contacts, changes. (test_planning.py and test_dialing.py test
planning and calls.)"""

import datetime
import signal

import tap
from client import COUNTERS, contacts, until
from limits import choice, flag, nullable, obj, strict, text, try_all, whole
from receiver import TAKEN, Answer, ends

STACK = {"rate_limit": False}

FAR = "2040-03-01T09:00:00.000000Z"
LATER = {"schedule_type": "scheduled", "scheduled_at": FAR}

LIMITS = {
    "name": strict(text(1, 255)),
    "phone_rotation_strategy": strict(choice("random", "sequential", "round_robin")),
    "contact_source": strict(choice("csv", "manual")),
    "schedule_type": strict(choice("immediate")),
    "timezone": {"right": ["UTC", "Europe/Berlin", "America/Argentina/Buenos_Aires", "Pacific/Kiritimati"],
                 "wrong": ["", "Mars/Olympus", "UTC+1", "+01:00", "../etc/passwd",
                           "Europe/", "localtime", "x" * 65, 5, None]},
    "working_days": {"right": [[1], [7], [1, 2, 3, 4, 5, 6, 7]],
                     "wrong": [[], [0], [8], [1, 1], ["1"], [1.5], 1, "1", None, [None], {}]},
    "excluded_dates": {"right": [[], ["2040-02-29"], ["2040-01-01", "2040-12-31"], None],
                       "wrong": [["2041-02-29"], ["01.01.2040"], ["2040-1-1"], [20400101], "2040-01-01",
                                 ["2040-01-01"] * 2, [""], ["2040-13-01"], ["2040-01-01T00:00:00Z"]]},
    "calling_windows": {"right": [[], None, [{"days": [1], "start": "09:00", "end": "12:00"}]],
                        "wrong": ["09:00", {}, [5], [{}], [None]]},
    "respect_contact_timezone": strict(flag()),
    "max_concurrent_calls": strict(whole(1, 100)),
    "max_calls_per_day": nullable(whole(1, 2 ** 31 - 1)),
    "calls_per_minute": nullable(whole(1, 60000)),
    "retry_failed": strict(flag()),
    "max_retry_attempts": strict(whole(0, 3)),
    "retry_on": {"right": [["failed"], ["failed", "no_answer", "busy", "voicemail"]],
                 "wrong": [["completed"], ["cancelled"], [""], ["queued"], ["busy", "busy"], "busy", [1], {}]},
    "metadata": nullable(obj()),
}
CONTACT_LIMITS = {
    "phone_number": {"right": ["+12", "+123456789012345"],
                     "wrong": ["", "+1", "+0123", "123", "+1234567890123456", "+49 30", 4930, None, "00491"]},
    "first_name": nullable(text(0, 255)),
    "last_name": nullable(text(0, 255)),
    "email": nullable(text(0, 320)),
    "timezone": {"right": ["", "Asia/Tokyo", None], "wrong": ["Mars/Olympus", 5, []]},
    "custom_fields": nullable(obj()),
}
NOT_OFFERED = {"status": "active", "concurrency": 5, "total_contacts": 5, "colour": "red"}

# The states in which each action is allowed, as docs/api.md says.
ALLOWED = {
    "change": ("draft", "scheduled", "paused", "active", "failed"),
    "contacts": ("draft", "scheduled", "paused", "active"),
    "schedule": ("draft",), # and failed, when the cause of the failure is removed
    "pause": ("scheduled", "active"),
    "resume": ("paused",),
    "cancel": ("draft", "scheduled", "active", "paused"),
    "delete": ("draft", "completed", "failed", "cancelled"),
}
STATES = ("draft", "scheduled", "active", "paused", "completed", "failed", "cancelled")
AFTERWARDS = {"schedule": ("scheduled", "active"), "pause": ("paused",), "resume": ("scheduled", "active"),
              "cancel": ("cancelled",)}


def act(t, batch, action):
    """Returns the method, the path and the body of an action."""
    path = f"/batch-calls/{batch['id']}"
    return {"change": ("PATCH", path, {"name": "New"}), "delete": ("DELETE", path, None),
            "contacts": ("POST", path + "/contacts", {"contacts": contacts(1, first=900)}),
            }.get(action, ("POST", f"{path}/{action}", None))


def in_state(t, state, agent, receiver):
    """Creates a campaign of three contacts, and brings it into this state."""
    if state == "draft":
        return t.api.batch(agent, 3)
    if state in ("active", "completed"):
        receiver.script = (lambda call: TAKEN) if state == "active" else type(receiver)(t.api).script
        batch = t.api.batch(agent, 3, max_concurrent_calls=1)
        t.api.schedule(batch)
        return t.api.wait_for(batch, state)
    if state == "failed":
        batch = t.api.batch(agent, 3, **LATER, working_days=[1], excluded_dates=mondays(60))
        return t.api.wait_for(batch, "failed")
    batch = t.api.batch(agent, 3, **LATER)
    if state != "scheduled":
        t.api.post(f"/batch-calls/{batch['id']}/{'pause' if state == 'paused' else 'cancel'}")
    return t.api.read(batch)


def mondays(count):
    first = datetime.date(2040, 2, 27)
    return [str(first + datetime.timedelta(weeks=week)) for week in range(count)]


# Fields

def test_fields(t):
    receiver, agent = t.dialing_agent()
    base = {"name": "B", "agent_id": agent["id"], "phone_number_ids": [t.api.number()["id"]]}
    taken = try_all(t.api, "POST", "/batch-calls", base, LIMITS)
    for field, value in NOT_OFFERED.items():
        t.api.refuse("validation_error", "POST", "/batch-calls", dict(base, **{field: value}), field=field)
    t.api.refuse("validation_error", "POST", "/batch-calls", dict(base, contact_source="folder"),
                 field="contact_folder_id")
    for field in ("name", "agent_id"):
        missing = {name: value for name, value in base.items() if name != field}
        t.api.refuse("validation_error", "POST", "/batch-calls", missing, field=field)
    assert len(t.api.all("/batch-calls")) == taken
    batch = t.api.batch(agent)
    try_all(t.api, "PATCH", f"/batch-calls/{batch['id']}", {},
            {name: limits for name, limits in LIMITS.items() if name != "contact_source"})


def test_the_reply_to_post_is_the_campaign_that_get_returns(t):
    receiver, agent = t.dialing_agent()
    for field, limits in LIMITS.items():
        for value in limits["right"]:
            t.api.batch(agent, 2, **{field: value})
    t.api.batch(agent, 2, start_time="22:00", end_time="06:00", retry_failed=True,
                retry_rules=[{"outcome": "busy", "delay_minutes": 5, "max_attempts": 2}])
    t.api.batch(agent, 2, phone_number_ids=[t.api.number()["id"] for _ in range(3)])
    t.api.batch(agent, 2, calling_hours="us")
    for number in (t.api.number(), t.api.number()):
        t.api.post("/telephony/numbers/assign", {
            "number_id": number["id"], "agent_id": agent["id"], "assignment_type": "outbound"})
    t.api.batch(agent, 2, phone_number_ids=[])


def test_defaults(t):
    receiver, agent = t.dialing_agent()
    number = t.api.number()
    batch = t.api.post("/batch-calls", {
        "name": "B", "agent_id": agent["id"], "phone_number_ids": [number["id"]]})
    expected = {
        "name": "B", "agent_id": agent["id"], "phone_number_ids": [number["id"]],
        "from_number": number["phone_number"], "phone_rotation_strategy": "random", "contact_source": "csv",
        "schedule_type": "immediate", "scheduled_at": None, "timezone": "UTC", "start_time": None,
        "end_time": None, "working_days": [1, 2, 3, 4, 5], "max_concurrent_calls": 10, "concurrency": 10,
        "max_calls_per_day": None, "retry_failed": False, "max_retry_attempts": 0, "retry_attempts": 0,
        "retry_on": ["failed", "no_answer", "busy"], "retry_delay_minutes": 30, "calls_per_minute": None,
        "excluded_dates": [], "calling_windows": [], "respect_contact_timezone": False, "metadata": None,
        "status": "draft", "status_reason": None, "total_contacts": 0,
        "called": 0, "planned_from": None, "planned_until": None, "started_at": None, "completed_at": None,
    }
    for name, value in expected.items():
        assert batch.get(name, "absent") == value or (not value and not batch[name]), (name, batch[name])
    assert all(batch[name] == 0 for name in COUNTERS), batch
    assert batch["created_at"] == batch["updated_at"] is not None
    assert t.api.read(batch) == batch


def test_second_names(t):
    receiver, agent = t.dialing_agent()
    batch = t.api.batch(agent, max_concurrent_calls=7, max_retry_attempts=2)
    assert (batch["concurrency"], batch["retry_attempts"]) == (7, 2), batch


def test_retry_delay(t):
    receiver, agent = t.dialing_agent()
    for minutes in (0, 1, 60, 10080):
        assert t.api.batch(agent, retry_delay_minutes=minutes)["retry_delay_minutes"] == minutes
    number = t.api.number()["id"]
    for wrong in (-1, 10081, "5", 1.5, None):
        t.api.refuse("validation_error", "POST", "/batch-calls", {
            "name": "B", "agent_id": agent["id"], "phone_number_ids": [number],
            "retry_delay_minutes": wrong}, field="retry_delay_minutes")


def test_windows(t):
    receiver, agent = t.dialing_agent()
    base = {"name": "B", "agent_id": agent["id"], "phone_number_ids": [t.api.number()["id"]]}
    for start, end in (("00:00", "24:00"), ("09:00", "17:30"), ("22:00", "06:00"), ("23:59", "00:00"),
                       ("00:00", "00:01"), (None, None)):
        batch = t.api.post("/batch-calls", dict(base, start_time=start, end_time=end))
        assert (batch["start_time"], batch["end_time"]) == (start, end), batch
    for start, end, field in (("09:00", "09:00", None), ("00:00", "00:00", None), ("24:00", "00:00", None),
                              ("09:00", None, "end_time"), (None, "09:00", "start_time"),
                              ("24:01", "09:00", "start_time"), ("9:00", "17:00", "start_time"),
                              ("09:60", "17:00", "start_time"), ("09:00", "25:00", "end_time"),
                              ("09:00:00", "17:00", "start_time"), ("", "17:00", "start_time"),
                              (9, "17:00", "start_time"), ("-1:00", "17:00", "start_time"),
                              ("0٩:00", "17:00", "start_time")):
        t.api.refuse("validation_error", "POST", "/batch-calls", dict(base, start_time=start, end_time=end),
                     field=field)
    t.api.refuse("validation_error", "POST", "/batch-calls", dict(base, end_time="09:00"), field="start_time")
    assert len(t.api.all("/batch-calls")) == 6


def test_starts(t):
    """Any offset is accepted. A time without an offset is wall-clock time in the campaign's zone."""
    receiver, agent = t.dialing_agent()
    base = {"name": "B", "agent_id": agent["id"], "phone_number_ids": [t.api.number()["id"]],
            "timezone": "America/New_York", "schedule_type": "scheduled"}
    for given, meant in (
            ("2040-03-01T09:00:00Z", "2040-03-01T09:00:00.000000Z"),
            ("2040-03-01T09:00:00+05:30", "2040-03-01T03:30:00.000000Z"),
            ("2040-03-01t09:00:00.123456z", "2040-03-01T09:00:00.123456Z"),
            ("2040-03-01T09:00", "2040-03-01T14:00:00.000000Z"),
            ("2040-07-01T09:00:00", "2040-07-01T13:00:00.000000Z"),
            ("2040-03-11T02:30:00", "2040-03-11T07:30:00.000000Z"),   # skipped: forward by the gap
            ("2040-11-04T01:30:00", "2040-11-04T05:30:00.000000Z"),   # twice: the first
            ("2040-03-01 09:00:00-05:00", "2040-03-01T14:00:00.000000Z")):
        assert t.api.post("/batch-calls", dict(base, scheduled_at=given))["scheduled_at"] == meant, given
    for wrong in (None, "", "tomorrow", "2040-03-01", "2040-02-30T09:00:00Z", "2040-03-01T24:00:01Z",
                  "2040-03-01T09:60:00Z", "2040-03-01T09:00:00X", "2040-03-01T09:00:00+25:00",
                  "40-03-01T09:00:00Z", 2214000000, "2040-03-01T09:00:00Z ", "09:00"):
        t.api.refuse("validation_error", "POST", "/batch-calls", dict(base, scheduled_at=wrong),
                     field="scheduled_at")
    t.api.refuse("validation_error", "POST", "/batch-calls", base, field="scheduled_at")


def test_a_start_long_ago_is_refused(t):
    """A start that has just passed is accepted, and so is the start that the campaign has already."""
    _, agent = t.dialing_agent()
    ago = lambda **time: (datetime.datetime.now(datetime.timezone.utc)
                          - datetime.timedelta(**time)).strftime("%Y-%m-%dT%H:%M:%SZ")
    base = {"name": "B", "agent_id": agent["id"], "phone_number_ids": [t.api.number()["id"]],
            "contact_source": "manual", "contacts": contacts(1), "max_calls_per_day": 1, "schedule_type": "scheduled"}
    t.api.refuse("validation_error", "POST", "/batch-calls", dict(base, scheduled_at=ago(days=1, minutes=1)),
                 field="scheduled_at")
    t.api.refuse("validation_error", "POST", "/batch-calls", dict(base, scheduled_at="2020-01-01T09:00"),
                 field="scheduled_at")
    assert t.api.post("/batch-calls", dict(base, scheduled_at=ago(hours=23)))["status"] == "scheduled"
    draft = t.api.post("/batch-calls", {name: value for name, value in base.items() if name != "schedule_type"})
    path = f"/batch-calls/{draft['id']}"
    for method, place, body in (("PATCH", path, {"scheduled_at": ago(days=2)}),
                                ("POST", path + "/schedule", {"scheduled_at": ago(days=2)}),
                                ("POST", path + "/preview", {"changes": {"scheduled_at": ago(days=2)}})):
        reply = t.api.refuse("validation_error", method, place, body)
        assert reply.details["field"].endswith("scheduled_at"), reply
    assert t.api.read(draft)["status"] == "draft" and t.api.read(draft)["scheduled_at"] is None
    t.stack.sql(f"UPDATE batch_calls SET scheduled_at = '2020-01-01' WHERE id = {t.row_of(draft)}")
    old = t.api.read(draft)
    assert t.api.patch(path, {"scheduled_at": old["scheduled_at"], "name": "C"})["name"] == "C"


def test_numbers_of_a_campaign(t):
    receiver, agent = t.dialing_agent()
    numbers = [t.api.number() for _ in range(100)]
    ids = [number["id"] for number in numbers]
    batch = t.api.batch(agent, phone_number_ids=ids[::-1])
    assert batch["phone_number_ids"] == ids[::-1], "in the order of the request"
    assert batch["from_number"] == numbers[-1]["phone_number"]
    assert t.api.read(batch) == batch
    changed = t.api.patch(f"/batch-calls/{batch['id']}", {"phone_number_ids": ["num_" + ids[5], ids[2]]})
    assert changed["phone_number_ids"] == [ids[5], ids[2]]
    extra = t.api.number()["id"]
    for wrong in (ids + [extra], [ids[0], ids[0]], ["x"], [None], ids[0], [agent["id"]], {}):
        reply = t.api.refuse("validation_error", "PATCH", f"/batch-calls/{batch['id']}",
                             {"phone_number_ids": wrong})
        assert reply.details["field"].startswith("phone_number_ids"), reply
    assert t.api.read(batch)["phone_number_ids"] == [ids[5], ids[2]]


def test_contact_fields(t):
    receiver, agent = t.dialing_agent()
    batch = t.api.batch(agent)
    path = f"/batch-calls/{batch['id']}/contacts"
    total = 0
    for field, limits in CONTACT_LIMITS.items():
        for value in limits["right"]:
            total += 1
            person = dict(contacts(1, first=total)[0], **{field: value})
            t.api.post(path, {"contacts": [person]})
            stored = t.api.get(f"{path}/{total}").get(field)
            assert stored == value or (not stored and not value), (field, value, stored)
        for value in limits["wrong"]:
            people = contacts(2, first=10_000)
            people[1][field] = value
            reply = t.api.refuse("validation_error", "POST", path, {"contacts": people})
            assert reply.details["field"].startswith(f"contacts[1].{field}"), reply
    for wrong in (None, {}, "x", [None], [5], [[]], [{}], [{"phone_number": "+12", "colour": 1}]):
        reply = t.api.refuse("validation_error", "POST", path, {"contacts": wrong})
        assert reply.details["field"].startswith("contacts"), reply
    t.api.refuse("validation_error", "POST", path, {}, field="contacts")
    assert t.api.read(batch)["total_contacts"] == total == len(t.api.contacts_of(batch))


def test_ten_thousand_contacts_and_no_more(t):
    receiver, agent = t.dialing_agent()
    number = t.api.number()["id"]
    t.api.refuse("validation_error", "POST", "/batch-calls", {
        "name": "B", "agent_id": agent["id"], "phone_number_ids": [number],
        "contacts": contacts(10_001)}, field="contacts")
    assert t.api.get("/batch-calls") == []
    batch = t.api.batch(agent, 10_000, phone_number_ids=[number], **LATER)
    assert batch["status"] == "scheduled" and batch["pending"] == 10_000, batch
    assert (batch["planned_from"], batch["planned_until"]) == (FAR, "2040-03-01T09:00:09.999000Z"), batch
    last = t.api.ask("GET", f"/batch-calls/{batch['id']}/contacts", query={"offset": 9_990})
    assert [row["position"] for row in last.data] == list(range(9_991, 10_001))
    assert last.data[-1]["scheduled_at"] == batch["planned_until"]
    assert last.pagination["total"] == 10_000 and not last.pagination["has_more"]


# Contacts

def test_contacts_of_a_draft(t):
    receiver, agent = t.dialing_agent()
    people = [{"phone_number": "+49301", "first_name": "Ada", "last_name": "Löwe", "email": "ada@example.com",
               "custom_fields": {"order": 17, "tags": ["a", None]}, "timezone": "Asia/Tokyo"},
              {"phone_number": "+49302"}]
    batch = t.api.batch(agent, people)
    assert (batch["status"], batch["total_contacts"], batch["pending"]) == ("draft", 2, 2), batch
    first, second = t.api.contacts_of(batch)
    for name, value in people[0].items():
        assert first[name] == value, first
    assert (first["position"], second["position"]) == (1, 2)
    assert first["status"] == second["status"] == "pending"
    for name in ("scheduled_at", "call_id", "from_number", "called_at", "ended_at", "duration_seconds",
                 "cost", "outcome", "error_reason", "call_status"):
        assert second[name] is None, (name, second)
    assert second["attempts"] == 0 and not second["first_name"]
    assert t.api.get(f"/batch-calls/{batch['id']}/contacts/2") == dict(second, attempts_history=[])
    for nobody in (0, 3):
        t.api.refuse("not_found", "GET", f"/batch-calls/{batch['id']}/contacts/{nobody}")


def test_the_same_number_twice_is_called_once(t):
    receiver, agent = t.dialing_agent()
    batch = t.api.batch(agent, contacts(3) + contacts(2) + contacts(1, first=4))
    assert (batch["total_contacts"], batch["skipped"], batch["pending"]) == (6, 2, 4), batch
    more = contacts(3, first=4) + contacts(1)
    added = t.api.post(f"/batch-calls/{batch['id']}/contacts", {"contacts": more})
    assert (added["added"], added["skipped"], added["total_contacts"]) == (2, 2, 10), added
    rows = t.api.contacts_of(batch)
    assert [row["position"] for row in rows if row["status"] == "skipped"] == [4, 5, 7, 10], rows
    assert all(row["error_reason"] == "duplicate" for row in rows if row["status"] == "skipped"), rows
    t.api.schedule(batch)
    done = t.api.wait_for(batch, "completed")
    assert (done["completed"], done["skipped"], done["called"]) == (6, 4, 6), done
    assert sorted(call.data["to"] for call in receiver.calls()) == [c["phone_number"] for c in contacts(6)]


def test_duplicates_are_found_among_new_and_present_contacts(t):
    _, agent = t.dialing_agent()
    batch = t.api.batch(agent, contacts(1200) + contacts(2, first=500) + contacts(1, first=1201))
    assert (batch["total_contacts"], batch["skipped"], batch["pending"]) == (1203, 2, 1201), batch
    for first, skipped in ((1201, 1), (1202, 0), (1202, 1)):
        added = t.api.post(f"/batch-calls/{batch['id']}/contacts", {"contacts": contacts(1, first=first)})
        assert (added["added"], added["skipped"]) == (1 - skipped, skipped), (first, added)
    added = t.api.post(f"/batch-calls/{batch['id']}/contacts", {"contacts": contacts(1100, first=200)})
    assert (added["added"], added["skipped"], added["total_contacts"]) == (97, 1003, 2306), added
    assert t.api.read(batch)["pending"] == 1299


def test_a_campaign_with_one_contact_takes_few_statements(t):
    _, agent = t.dialing_agent()
    number = t.api.number()
    create = lambda: t.api.post("/batch-calls", {
        "name": "Campaign", "agent_id": agent["id"], "phone_number_ids": [number["id"]], "contacts": contacts(1),
        "start_time": "09:00", "end_time": "18:00"})
    executed = lambda: int(t.stack.sql("SHOW GLOBAL STATUS LIKE 'Com_stmt_execute'")[0][1])
    create()
    t.stack.kill("scheduler-1", signal.SIGTERM)
    before = executed()
    for _ in range(10):
        create()
    statements = executed() - before
    t.stack.start_scheduler()
    assert statements < 90, statements  # each worker also asks for the time at intervals


def test_a_campaign_without_contacts(t):
    receiver, agent = t.dialing_agent()
    batch = t.api.batch(agent, 0)
    t.api.refuse("no_contacts", "POST", f"/batch-calls/{batch['id']}/schedule")
    assert t.api.read(batch) == batch
    empty = t.api.batch(agent, 0, **LATER)
    assert empty["status"] == "draft", "without contacts it stays a draft"


def test_contacts_by_status(t):
    receiver, agent = t.dialing_agent()
    batch = t.api.batch(agent, contacts(5) + contacts(1))
    path = f"/batch-calls/{batch['id']}/contacts"
    positions = lambda status: [row["position"] for row in t.api.contacts_of(batch, status=status)]
    assert positions("pending") == [1, 2, 3, 4, 5] and positions("skipped") == [6]
    assert positions("scheduled") == positions("completed") == []
    t.api.schedule(batch, {"scheduled_at": FAR})
    assert positions("scheduled") == [1, 2, 3, 4, 5] and positions("pending") == []
    page = t.api.ask("GET", path, query={"status": "scheduled", "limit": 2, "offset": 2})
    assert [row["position"] for row in page.data] == [3, 4] and page.pagination["total"] == 5
    t.api.post(f"/batch-calls/{batch['id']}/cancel")
    assert positions("cancelled") == [1, 2, 3, 4, 5] and positions("scheduled") == []
    t.api.refuse("bad_request", "GET", path, query={"status": "nonsense"})


# States

def test_every_action_in_every_state(t):
    receiver, agent = t.dialing_agent()
    for state in STATES:
        batch = in_state(t, state, agent, receiver)
        for action, allowed in ALLOWED.items():
            method, path, body = act(t, batch, action)
            if state not in allowed:
                before = t.api.read(batch)
                t.api.refuse("invalid_state", method, path, body)
                assert t.api.read(batch) == before, (state, action)
                assert before["status"] == state, (state, action, before)
                continue
            one = in_state(t, state, agent, receiver)
            method, path, body = act(t, one, action)
            reply = t.api.ask(method, path, body)
            if action == "delete":
                t.api.refuse("not_found", "GET", path)
            elif action in AFTERWARDS:
                assert reply.status == 200 and reply.data["status"] in AFTERWARDS[action], (state, reply)
        until(lambda: t.api.read(batch)["status"] == state, 1, f"the campaign is still {state}")


def test_schedule_may_set_the_start(t):
    receiver, agent = t.dialing_agent()
    batch = t.api.batch(agent, 2)
    for field, value in (("scheduled_at", "soon"), ("timezone", "Mars/Olympus"), ("name", "B")):
        t.api.refuse("validation_error", "POST", f"/batch-calls/{batch['id']}/schedule", {field: value},
                     field=field)
    assert t.api.read(batch) == batch
    batch = t.api.schedule(batch, {"scheduled_at": "2040-01-10T12:00:00", "timezone": "Asia/Tokyo"})
    assert (batch["status"], batch["timezone"]) == ("scheduled", "Asia/Tokyo"), batch
    assert batch["scheduled_at"] == batch["planned_from"] == "2040-01-10T03:00:00.000000Z", batch
    assert batch["planned_until"] == "2040-01-10T03:00:00.001000Z"
    assert [row["status"] for row in t.api.contacts_of(batch)] == ["scheduled"] * 2


def refuse_unchanged(t, code, batch, action):
    before, contacts_before = t.api.read(batch), t.api.contacts_of(batch)
    t.api.refuse(code, "POST", f"/batch-calls/{batch['id']}/{action}")
    t.api.refuse(code, "POST", f"/batch-calls/{batch['id']}/preview")
    assert t.api.read(batch) == before and t.api.contacts_of(batch) == contacts_before, (code, action)


def test_a_campaign_needs_its_agent_to_be_scheduled(t):
    receiver, agent = t.dialing_agent()
    draft, paused = t.api.batch(agent, 2), t.api.batch(agent, 2, **LATER)
    t.api.post(f"/batch-calls/{paused['id']}/pause")
    path = f"/agents/{agent['id']}"
    webhook = t.api.get(path)["webhook_id"]
    t.api.patch(path, {"webhook_id": None})
    for batch, action in ((draft, "schedule"), (paused, "resume")):
        refuse_unchanged(t, "agent_not_ready", batch, action)
    t.api.patch(path, {"webhook_id": webhook})
    until(lambda: t.api.active(agent["id"]), what="the agent is active again")
    t.api.post(f"/batch-calls/{paused['id']}/resume")
    t.api.refuse("invalid_state", "DELETE", path)
    t.api.post(f"/batch-calls/{paused['id']}/cancel")
    t.api.delete(path)
    refuse_unchanged(t, "agent_not_ready", draft, "schedule")


def test_a_campaign_needs_a_number_to_be_scheduled(t):
    receiver, agent = t.dialing_agent()
    draft, paused = t.api.batch(agent, 2), t.api.batch(agent, 2, **LATER)
    t.api.post(f"/batch-calls/{paused['id']}/pause")
    for batch in (draft, paused):
        t.api.delete(f"/telephony/numbers/{batch['phone_number_ids'][0]}")
    for batch, action in ((draft, "schedule"), (paused, "resume")):
        refuse_unchanged(t, "no_phone_number_configured", batch, action)
        number = t.api.number()
        t.api.patch(f"/batch-calls/{batch['id']}", {"phone_number_ids": [number["id"]]})
        assert t.api.post(f"/batch-calls/{batch['id']}/{action}")["status"] in AFTERWARDS[action]
    t.api.wait_for(draft, "completed")


def test_what_has_failed_is_scheduled_again(t):
    receiver, agent = t.dialing_agent()
    shown = t.receiver()
    shown.endpoint(events=["batch.status.changed"])
    receiver.script = lambda call: TAKEN
    batch = t.api.batch(agent, contacts(3) + contacts(1), max_concurrent_calls=1)
    t.api.schedule(batch)
    call = receiver.wait_for_calls(1)[0]
    t.api.delete(f"/telephony/numbers/{batch['phone_number_ids'][0]}")
    receiver.report(call.id, "completed")
    failed = t.api.wait_for(batch, "failed")
    assert (failed["completed"], failed["cancelled"], failed["skipped"], failed["pending"]) == (1, 2, 1, 0), failed
    assert "number" in failed["status_reason"] and failed["completed_at"], failed
    refuse_unchanged(t, "no_phone_number_configured", batch, "schedule")
    changed = t.api.patch(f"/batch-calls/{batch['id']}", {
        "phone_number_ids": [t.api.number()["id"]], "scheduled_at": "2040-01-10T12:00:00Z", "start_time": "09:00",
        "end_time": "17:00"})
    assert changed["status"] == "failed" and changed["status_reason"] == failed["status_reason"], changed
    assert t.api.post(f"/batch-calls/{batch['id']}/preview")["contacts"] == 2
    again = t.api.schedule(batch)
    assert (again["status"], again["pending"], again["cancelled"], again["completed"]) == ("scheduled", 2, 0, 1), again
    assert again["status_reason"] is again["completed_at"] is None and again["started_at"] == failed["started_at"], \
        again
    assert again["planned_from"] == "2040-01-10T12:00:00.000000Z", again
    assert [row["status"] for row in t.api.contacts_of(batch)] == ["completed", "scheduled", "scheduled", "skipped"]
    t.api.patch(f"/batch-calls/{batch['id']}", {"scheduled_at": None, "schedule_type": "immediate", "start_time": None,
                                               "end_time": None})
    receiver.script = lambda call: ends()
    done = t.api.wait_for(batch, "completed")
    assert (done["completed"], done["cancelled"], done["skipped"]) == (3, 0, 1), done
    assert len({call.data["to"] for call in receiver.calls()}) == len(receiver.calls()) == 3
    changes = until(lambda: len(shown.of_type("batch.status.changed")) == 6 and shown.of_type("batch.status.changed"))
    assert sorted((event.data["from"], event.data["to"]) for event in changes) == sorted([
        ("draft", "scheduled"), ("scheduled", "active"), ("active", "failed"), ("failed", "scheduled"),
        ("scheduled", "active"), ("active", "completed")]), changes


def test_a_failed_campaign_may_be_deleted(t):
    receiver, agent = t.dialing_agent()
    batch = in_state(t, "failed", agent, receiver)
    t.api.patch(f"/batch-calls/{batch['id']}", {"excluded_dates": []})
    t.api.delete(f"/batch-calls/{batch['id']}")


def test_a_campaign_waits_for_its_agent(t):
    receiver, agent = t.dialing_agent()
    batch = t.api.batch(agent, 2, max_concurrent_calls=1)
    receiver.script = lambda call: TAKEN
    t.api.schedule(batch)
    call = receiver.wait_for_calls(1)[0]
    webhook = t.api.get(f"/agents/{agent['id']}")["webhook_id"]
    t.api.patch(f"/webhooks/{webhook}", {"disabled": True})
    assert "switched off" in t.api.read(batch)["status_reason"]
    t.api.patch(f"/webhooks/{webhook}", {"disabled": False})
    assert t.api.read(batch)["status_reason"] is None
    receiver.sync = lambda event: Answer(500)
    t.api.patch(f"/agents/{agent['id']}", {"greeting": "Good day"})
    receiver.report(call.id, "completed")
    until(lambda: t.api.read(batch)["completed"] == 1, what="the call has ended")
    assert "waits for the agent" in t.api.read(batch)["status_reason"], t.api.read(batch)
    why = t.api.get(f"/batch-calls/{batch['id']}/why")
    assert (why["status"], why["held_by"]) == ("active", "agent"), why
    receiver.sync = lambda event: Answer()
    t.api.post(f"/agents/{agent['id']}/sync")
    receiver.wait_for_calls(2)


def test_a_cancelled_campaign_counts_its_contacts_as_cancelled(t):
    receiver, agent = t.dialing_agent()
    for later in ({}, LATER):
        batch = t.api.batch(agent, contacts(4) + contacts(1), **later)
        over = t.api.post(f"/batch-calls/{batch['id']}/cancel")
        assert (over["cancelled"], over["skipped"], over["pending"]) == (4, 1, 0), over
        assert over["completed_at"], over
        assert [row["status"] for row in t.api.contacts_of(batch)] == ["cancelled"] * 4 + ["skipped"]


def test_a_campaign_that_can_never_call_has_failed(t):
    receiver, agent = t.dialing_agent()
    batch = in_state(t, "failed", agent, receiver)
    assert batch["status_reason"] and batch["cancelled"] == 3, batch


def test_paused_and_resumed_before_the_start(t):
    receiver, agent = t.dialing_agent()
    batch = t.api.batch(agent, 3, **LATER)
    plan = [row["scheduled_at"] for row in t.api.contacts_of(batch)]
    path = f"/batch-calls/{batch['id']}"
    assert t.api.post(f"{path}/pause")["status"] == "paused"
    assert t.api.post(f"{path}/resume")["status"] == "scheduled"
    assert [row["scheduled_at"] for row in t.api.contacts_of(batch)] == plan


def test_deleted_rows_leave_in_the_background(t):
    receiver, agent = t.dialing_agent()
    batch = t.api.batch(agent, 500, **LATER)
    t.api.post(f"/batch-calls/{batch['id']}/cancel")
    row = t.row_of(batch)
    t.api.delete(f"/batch-calls/{batch['id']}")
    for path in ("", "/contacts", "/contacts/1"):
        t.api.refuse("not_found", "GET", f"/batch-calls/{batch['id']}{path}")
    assert t.api.get("/batch-calls") == []
    left = " + ".join(f"(SELECT COUNT(*) FROM {table} WHERE {key} = {row})" for table, key in (
        ("batch_calls", "id"), ("batch_counters", "batch_id"), ("batch_contacts", "batch_id"),
        ("batch_numbers", "batch_id"), ("due_contacts", "batch_id"), ("calls", "batch_id")))
    until(lambda: t.stack.sql(f"SELECT {left}") == [["0"]], 30, "its rows have left")


# Changes

def test_a_change_plans_again(t):
    receiver, agent = t.dialing_agent()
    batch = t.api.batch(agent, 5, **LATER)  # a Thursday
    path = f"/batch-calls/{batch['id']}"
    plan = lambda: [row["scheduled_at"] for row in t.api.contacts_of(batch)]
    t.api.patch(path, {"name": "Only a name", "max_concurrent_calls": 3})
    assert plan()[0] == FAR
    t.api.patch(path, {"start_time": "11:00", "end_time": "12:00"})
    assert plan()[0] == "2040-03-01T11:00:00.000000Z"
    t.api.patch(path, {"max_calls_per_day": 2, "working_days": [5, 6]})
    assert plan() == ["2040-03-02T11:00:00.000000Z", "2040-03-02T11:00:00.001000Z", "2040-03-03T11:00:00.000000Z",
                      "2040-03-03T11:00:00.001000Z", "2040-03-09T11:00:00.000000Z"]
    t.api.patch(path, {"excluded_dates": ["2040-03-03"], "timezone": "Asia/Tokyo", "calls_per_minute": 6})
    assert plan() == ["2040-03-02T02:00:00.000000Z", "2040-03-02T02:00:10.000000Z", "2040-03-09T02:00:00.000000Z",
                      "2040-03-09T02:00:10.000000Z", "2040-03-10T02:00:00.000000Z"]
    changed = t.api.patch(path, {"scheduled_at": "2040-06-01T00:00:00Z", "start_time": None, "end_time": None,
                                 "max_calls_per_day": None, "calls_per_minute": None, "excluded_dates": None})
    assert plan() == [f"2040-06-01T00:00:00.00{n}000Z" for n in range(5)]
    assert (changed["planned_from"], changed["planned_until"]) == (plan()[0], plan()[-1]), changed
    t.api.post(f"{path}/pause")
    t.api.patch(path, {"scheduled_at": FAR})
    t.api.post(f"{path}/resume")
    assert plan() == []  or plan()[0] == "2040-03-01T15:00:00.000000Z", "Friday has come in Tokyo"


def test_a_change_to_immediate_ends_the_wait(t):
    receiver, agent = t.dialing_agent()
    batch = t.api.batch(agent, 1, **LATER)
    changed = t.api.patch(f"/batch-calls/{batch['id']}", {"schedule_type": "immediate"})
    assert changed["scheduled_at"] is None and changed["planned_from"] < FAR, changed
    receiver.wait_for_calls(1)


def test_a_change_that_breaks_a_rule_between_fields_is_refused(t):
    receiver, agent = t.dialing_agent()
    batch = t.api.batch(agent, 1, start_time="09:00", end_time="17:00", **LATER)
    path = f"/batch-calls/{batch['id']}"
    t.api.refuse("validation_error", "PATCH", path, {"end_time": None}, field="end_time")
    t.api.refuse("validation_error", "PATCH", path, {"end_time": "09:00"}, field="end_time")
    t.api.refuse("validation_error", "PATCH", path, {"scheduled_at": None}, field="scheduled_at")
    t.api.refuse("validation_error", "PATCH", path, {"name": "New", "max_concurrent_calls": 0},
                 field="max_concurrent_calls")
    for field, value in (("agent_id", agent["id"]), ("contact_source", "csv"), ("contacts", contacts(1))):
        t.api.refuse("validation_error", "PATCH", path, {field: value}, field=field)
    assert t.api.read(batch) == batch


def test_an_active_campaign_takes_some_changes_only(t):
    receiver, agent = t.dialing_agent()
    batch = in_state(t, "active", agent, receiver)
    path = f"/batch-calls/{batch['id']}"
    for field, value in (("scheduled_at", FAR), ("schedule_type", "scheduled"), ("timezone", "Asia/Tokyo"),
                         ("respect_contact_timezone", True), ("metadata", {"a": 1})):
        reply = t.api.send("PATCH", path, {field: value})
        assert reply.status == 422, reply
    number = t.api.number()
    changes = {"name": "New", "phone_number_ids": [number["id"]], "phone_rotation_strategy": "round_robin",
               "start_time": "00:00", "end_time": "24:00", "working_days": [1, 2, 3, 4, 5, 6, 7],
               "excluded_dates": ["2040-01-01"], "max_concurrent_calls": 2, "max_calls_per_day": 100,
               "calls_per_minute": 600, "retry_failed": True, "max_retry_attempts": 1, "retry_on": ["busy"],
               "retry_delay_minutes": 5}
    changed = t.api.patch(path, changes)
    assert {name: changed[name] for name in changes} == changes, changed
    receiver.wait_for_calls(2)
    assert receiver.calls(batch)[1].data["from"] == number["phone_number"], "from now on"
    t.api.post(f"{path}/cancel")


def test_added_contacts_follow_the_last_planned(t):
    receiver, agent = t.dialing_agent()
    batch = t.api.batch(agent, 3, calls_per_minute=60, max_calls_per_day=4, **LATER)
    path = f"/batch-calls/{batch['id']}/contacts"
    before = t.api.contacts_of(batch)
    t.api.post(path, {"contacts": contacts(3, first=4)})
    rows = t.api.contacts_of(batch)
    assert rows[:3] == before
    assert [row["scheduled_at"] for row in rows[3:]] == [
        "2040-03-01T09:00:03.000000Z", "2040-03-02T00:00:00.000000Z", "2040-03-02T00:00:01.000000Z"], rows


# Lists

def test_campaigns_are_found_by_agent_and_status(t):
    receiver, agent = t.dialing_agent()
    other = t.api.agent(receiver.endpoint("/other"))
    drafts = [t.api.batch(agent)["id"] for _ in range(3)]
    later = t.api.batch(other, 1, **LATER)["id"]
    ids = lambda **query: [batch["id"] for batch in t.api.all("/batch-calls", **query)]
    assert ids() == [later] + drafts[::-1], "newest first"
    assert ids(status="draft") == drafts[::-1] and ids(status="scheduled") == [later]
    assert ids(agent_id=other["id"]) == ids(agent_id="agt_" + other["id"]) == [later]
    assert ids(agent_id=other["id"], status="draft") == []
    assert ids(agent_id=drafts[0]) == []


if __name__ == "__main__":
    tap.run(globals())
