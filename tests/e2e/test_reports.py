#!/usr/bin/env python3
"""Reports of dialers: single, many and in answers; late, early and missing; retries of calls that failed, and of
webhooks that were not accepted."""

import collections
import datetime
import signal
import time

import tap
from client import UTC, contacts, parse, seconds_between, until
from limits import choice, nullable, try_all
from receiver import TAKEN, Answer, ends

STACK = {"rate_limit": False, "config": {"dispatch_ttl_seconds": 6, "call_give_up_after": "6s"}}

OUTCOMES = ("completed", "failed", "voicemail", "no_answer", "busy")
NOBODY = "01900000-0000-7000-8000-000000000000"


def waiting_for_retry(t, batch, attempts):
    """Returns the campaign's only contact when it has had this many attempts and waits for another."""
    def look():
        row = t.api.contacts_of(batch)[0]
        return row if row["attempts"] == attempts and row["status"] == "scheduled" else None
    return until(look, what=f"the contact waits after {attempts} attempts")


def statements(t):
    return int(t.stack.sql("SHOW GLOBAL STATUS LIKE 'Com_stmt_execute'")[0][1])


def test_a_report_takes_few_statements(t):
    """A report locks and reads the call, and writes it with its contact. It also writes analytics, counters and the
    ledger, and reads the campaigns to wake and the call for the reply. Workers ask for the time and look up the key at
    times, so the smallest of several counts is used."""
    receiver, agent = t.dialing_agent()
    receiver.script = lambda call: TAKEN
    batch = t.api.batch(agent, 20, max_concurrent_calls=50)
    t.api.schedule(batch)
    calls = receiver.wait_for_calls(20)
    until(lambda: all(call["status"] == "dispatched" for call in t.api.calls_of(batch)), what="all were taken")
    t.stack.kill("scheduler-1", signal.SIGSTOP)
    costs = []
    for call in calls:
        before = statements(t)
        receiver.report(call.id, "completed", duration_seconds=1)
        costs.append(statements(t) - before)
    t.stack.kill("scheduler-1", signal.SIGCONT)
    assert min(costs) <= 8, costs
    t.api.wait_for(batch, "completed")


# Retries

def test_retries_until_the_attempts_are_used_up(t):
    receiver, agent = t.dialing_agent()
    receiver.script = lambda call: ends(["busy", "no_answer", "failed"][call.data["attempt"] - 1])
    batch = t.api.batch(agent, 1, retry_failed=True, max_retry_attempts=2, retry_delay_minutes=1)
    t.api.schedule(batch)
    for attempt, delay in ((1, 60), (2, 120)):
        row = waiting_for_retry(t, batch, attempt)
        now = t.api.read(batch)
        assert (now["pending"], now["called"], now["in_progress"]) == (1, 1, 0), now
        ended = [call for call in t.api.calls_of(batch) if call["attempt"] == attempt][0]["ended_at"]
        assert abs(seconds_between(ended, row["scheduled_at"]) - delay) < 1, (ended, row)
        t.make_due(batch)
    done = t.api.wait_for(batch, "completed")
    assert (done["failed"], done["called"], done["total_contacts"]) == (1, 1, 1), done
    row = t.api.contacts_of(batch)[0]
    assert (row["attempts"], row["status"]) == (3, "failed"), row
    calls = sorted(t.api.calls_of(batch), key=lambda call: call["attempt"])
    assert [call["status"] for call in calls] == ["busy", "no_answer", "failed"], calls
    assert [call.data["attempt"] for call in receiver.calls()] == [1, 2, 3]
    assert len({call.id for call in receiver.calls()}) == 3 and row["call_id"] == calls[2]["id"]


def test_a_retry_that_succeeds_is_the_last(t):
    receiver, agent = t.dialing_agent()
    receiver.script = lambda call: ends("busy" if call.data["attempt"] == 1 else "completed")
    batch = t.api.batch(agent, 20, retry_failed=True, max_retry_attempts=3, retry_delay_minutes=1)
    t.api.schedule(batch)
    until(lambda: len([row for row in t.api.contacts_of(batch, status="scheduled")]) == 20 and
          t.api.read(batch)["called"] == 20, what="all wait for a retry")
    planned = [row["scheduled_at"] for row in t.api.contacts_of(batch)]
    assert len(set(planned)) == 20, planned
    t.make_due(batch)
    done = t.api.wait_for(batch, "completed")
    assert (done["completed"], done["called"]) == (20, 20), done
    assert len(receiver.calls()) == 40


def test_only_configured_outcomes_are_retried(t):
    receiver, agent = t.dialing_agent()
    people = contacts(5)
    outcome = {person["phone_number"]: status for person, status in zip(people, OUTCOMES)}
    receiver.script = lambda call: ends(outcome[call.data["to"]])
    for fields, retried in (({"retry_failed": False, "max_retry_attempts": 3}, set()),
                            ({"retry_failed": True, "max_retry_attempts": 0}, set()),
                            ({"retry_failed": True, "max_retry_attempts": 1}, {"failed", "no_answer", "busy"}),
                            ({"retry_failed": True, "max_retry_attempts": 1, "retry_on": ["voicemail"]},
                             {"voicemail"})):
        batch = t.api.batch(agent, people, retry_delay_minutes=60, **fields)
        t.api.schedule(batch)
        until(lambda: t.api.read(batch)["called"] == 5 and not t.api.read(batch)["in_progress"],
              what="all were called once")
        waiting = {outcome[row["phone_number"]] for row in t.api.contacts_of(batch, status="scheduled")}
        assert waiting == retried, (fields, waiting)
        now = t.api.wait_for(batch, "active" if retried else "completed")
        assert now["pending"] == len(retried), now
        if retried:
            t.api.post(f"/batch-calls/{batch['id']}/cancel")
            over = t.api.read(batch)
            assert over["cancelled"] == over["pending"] == 0 and all(over[status] == 1 for status in retried), over


# Reports

def test_reports_move_a_call_forward_only(t):
    receiver, agent = t.dialing_agent()
    batch, call = t.one_call(receiver, agent, lambda call: TAKEN)
    path = f"/calls/{call}/status"
    until(lambda: t.api.get(f"/calls/{call}")["status"] == "dispatched", what="the call is dispatched")
    for report, status in (("ringing", "ringing"), ("ringing", "ringing"), ("in_progress", "in_progress"),
                           ("ringing", "in_progress"), ("completed", "completed"), ("failed", "completed"),
                           ("in_progress", "completed"), ("completed", "completed"), ("busy", "completed")):
        reply = t.api.ask("POST", path, {"status": report})
        assert reply.status == 200 and reply.data["status"] == status, (report, reply)
        assert t.api.get(f"/calls/{call}")["status"] == status
    done = t.api.wait_for(batch, "completed")
    assert (done["completed"], done["failed"], done["busy"]) == (1, 0, 0), done


def test_the_first_report_of_an_end_wins(t):
    receiver, agent = t.dialing_agent()
    batch, call = t.one_call(receiver, agent, lambda call: TAKEN)
    first = receiver.report(call, "voicemail", duration_seconds=7, outcome="left a message")
    late = receiver.report(call, "completed", duration_seconds=70, outcome="talked", cost=1)
    assert late == first, (first, late)
    assert t.api.wait_for(batch, "completed")["voicemail"] == 1


def test_the_fields_of_a_report_are_kept(t):
    receiver, agent = t.dialing_agent()
    longest = {"duration_seconds": 604_800, "cost": 9999999999.9999, "end_reason": "\u00fc" * 255, "outcome": "o" * 64,
               "recording_url": "https://r/" + "r" * 2038, "transcript_url": "HTTP://t?" + "t" * 2039,
               "summary": "\U0001f600" * 10_000}
    _, call = t.one_call(receiver, agent, lambda call: TAKEN)
    stored = t.api.post(f"/calls/{call}/status", {"status": "completed", **longest})
    assert {name: stored[name] for name in longest} == longest
    report = {"duration_seconds": 61, "cost": 0.1234, "end_reason": "hung up", "outcome": "interested",
              "recording_url": "https://example.com/r", "transcript_url": "https://example.com/t",
              "summary": "Ünïcode 😀"}
    batch, call = t.one_call(receiver, agent, lambda call: ends("completed", **report))
    t.api.wait_for(batch, "completed")
    stored = t.api.get(f"/calls/{call}")
    for name, value in report.items():
        assert stored[name] == value, (name, stored)
    row = t.api.contacts_of(batch)[0]
    assert (row["duration_seconds"], row["cost"], row["outcome"]) == (61, 0.1234, "interested"), row
    assert stored["batch_call_id"] == batch["id"] and stored["agent_id"] == agent["id"], stored


def test_a_report_may_come_before_the_answer_to_the_webhook(t):
    receiver, agent = t.dialing_agent()

    def report_first(call):
        receiver.report(call.id, "completed", duration_seconds=5)
        return Answer(200, report={"status": "failed"})

    batch, call = t.one_call(receiver, agent, report_first)
    done = t.api.wait_for(batch, "completed")
    assert (done["completed"], done["failed"]) == (1, 0), done
    assert t.api.get(f"/calls/{call}")["duration_seconds"] == 5


NO_LINKS = ["javascript:alert(1)", "https:", "https://", "http:///path", "ftp://a/b", "//a/b", "data:text/html,x",
            " https://a", "https://a b", "https://a\nb", "x"]


def test_fields_of_a_report(t):
    receiver, agent = t.dialing_agent()
    batch, call = t.one_call(receiver, agent, lambda call: TAKEN)
    limits = {
        "status": choice("ringing", "in_progress"),
        "duration_seconds": {"right": [], "wrong": [-1, "5", 1.5, 10 ** 20, True]},
        "cost": {"right": [], "wrong": [-1, "1.5", 10 ** 20, False]},
        "outcome": nullable({"right": [], "wrong": ["x" * 65, 5]}),
        "end_reason": {"right": [], "wrong": ["x" * 256, 5]},
        "recording_url": {"right": [], "wrong": ["https://" + "x" * 2041, 5, *NO_LINKS]},
        "transcript_url": {"right": [], "wrong": ["https://" + "x" * 2041, 5, *NO_LINKS]},
        "summary": {"right": [], "wrong": [5, []]},
        "occurred_at": {"right": [], "wrong": ["yesterday", 5]},
    }
    try_all(t.api, "POST", f"/calls/{call}/status", {"status": "ringing"}, limits)
    for wrong in ("queued", "dispatched", "cancelled", "pending"):
        t.api.refuse("validation_error", "POST", f"/calls/{call}/status", {"status": wrong}, field="status")
    t.api.refuse("validation_error", "POST", f"/calls/{call}/status", {}, field="status")
    t.api.refuse("validation_error", "POST", f"/calls/{call}/status", {"status": "busy", "x": 1}, field="x")
    assert t.api.get(f"/calls/{call}")["status"] == "in_progress"
    assert t.api.read(batch)["in_progress"] == 1


def test_many_reports_at_once(t):
    receiver, agent = t.dialing_agent()
    receiver.script = lambda call: TAKEN
    batch = t.api.batch(agent, 50, max_concurrent_calls=50)
    t.api.schedule(batch)
    calls = [call.id for call in receiver.wait_for_calls(50)]
    bulk = lambda reports: t.api.post("/calls/status", {"reports": reports})

    reply = bulk([{"call_id": call, "status": "ringing"} for call in calls])
    assert (reply["accepted"], reply["ignored"], reply["not_found"]) == (50, 0, 0), reply
    assert [result["call_id"] for result in reply["results"]] == calls, reply
    reply = bulk([{"call_id": calls[0], "status": "completed"}, {"call_id": "call_" + calls[0], "status": "failed"},
                  {"call_id": NOBODY, "status": "failed"}, {"call_id": calls[1], "status": "ringing"}])
    assert [result["result"] for result in reply["results"]] == ["accepted", "ignored", "not_found", "ignored"]
    assert (reply["accepted"], reply["ignored"], reply["not_found"]) == (1, 2, 1), reply
    assert t.api.get(f"/calls/{calls[0]}")["status"] == "completed"

    for wrong, field in (([{"call_id": calls[1]}], "reports[0].status"),
                         ([{"status": "busy"}], "reports[0].call_id"), ("x", "reports"),
                         ([{"call_id": calls[1], "status": "busy"}, {"call_id": "x", "status": "busy"}],
                          "reports[1].call_id"),
                         ([{"call_id": calls[1], "status": "busy"}] * 1001, "reports")):
        t.api.refuse("validation_error", "POST", "/calls/status", {"reports": wrong}, field=field)
    assert t.api.get(f"/calls/{calls[1]}")["status"] == "ringing", "nothing was written"

    order = [{"call_id": call, "status": status} for call in calls[1:]
             for status in ("in_progress", "completed", "failed", "ringing")]
    t.random.shuffle(order)
    first = {}
    for report in order:
        if report["status"] in OUTCOMES:
            first.setdefault(report["call_id"], report["status"])
    reply = bulk(order + [{"call_id": NOBODY, "status": "busy"}] * (1000 - len(order)))
    assert reply["not_found"] == 1000 - len(order), reply
    done = t.api.wait_for(batch, "completed")
    expected = collections.Counter(first.values())
    assert (done["completed"], done["failed"]) == (expected["completed"] + 1, expected["failed"]), done
    for call in t.api.calls_of(batch):
        assert call["id"] == calls[0] or call["status"] == first[call["id"]], call


def test_retries_reported_at_once_have_instants_of_their_own(t):
    receiver, agent = t.dialing_agent()
    receiver.script = lambda call: TAKEN
    batch = t.api.batch(agent, 40, max_concurrent_calls=40, retry_failed=True, max_retry_attempts=1)
    t.api.schedule(batch)
    calls = receiver.wait_for_calls(40)
    t.api.post("/calls/status", {"reports": [{"call_id": call.id, "status": "busy"} for call in calls]})
    planned = [row["scheduled_at"] for row in t.api.contacts_of(batch, status="scheduled")]
    assert len(planned) == len(set(planned)) == 40, sorted(planned)


def test_reports_on_unknown_calls(t):
    t.api.refuse("not_found", "POST", f"/calls/{NOBODY}/status", {"status": "busy"})


def test_a_place_is_filled_as_soon_as_it_is_free(t):
    receiver, agent = t.dialing_agent()
    receiver.script = lambda call: TAKEN
    batch = t.api.batch(agent, 20, max_concurrent_calls=1)
    t.api.schedule(batch)
    start = time.monotonic()
    for number in range(1, 21):
        receiver.report(receiver.wait_for_calls(number)[-1].id, "completed")
    t.api.wait_for(batch, "completed")
    assert time.monotonic() - start < 10, "twenty calls, one after the other"


# Deadlines and dialers that fail

def test_a_call_without_reports_fails(t):
    receiver, agent = t.dialing_agent(max_call_duration_seconds=10)
    batch, call = t.one_call(receiver, agent, lambda call: TAKEN)
    start = time.monotonic()
    done = t.api.wait_for(batch, "completed", 25)
    assert 9 < time.monotonic() - start < 20
    assert done["failed"] == 1, done
    ended = t.api.get(f"/calls/{call}")
    assert (ended["status"], ended["end_reason"]) == ("failed", "no_report"), ended
    assert t.api.contacts_of(batch)[0]["error_reason"] == "no_report"
    late = receiver.report(call, "completed")
    assert late["status"] == "failed", "a late report changes nothing"


def test_a_dialer_that_cannot_be_reached(t):
    receiver, agent = t.dialing_agent()
    batch = t.api.batch(agent, 3)
    receiver.refuse()
    t.api.schedule(batch)
    done = t.api.wait_for(batch, "completed", 25)
    assert done["failed"] == done["called"] == 3, done
    for call in t.api.calls_of(batch):
        assert (call["status"], call["end_reason"]) == ("failed", "dialer_unreachable"), call
        assert seconds_between(call["created_at"], call["ended_at"]) >= 5.5, call


def test_a_failed_request_is_repeated_with_the_same_id(t):
    receiver, agent = t.dialing_agent()
    # Four failures: one more in a row, and its circuit would open.
    answers = {"+49301": [Answer(500), ends()], "+49302": [Answer(reset=True), ends()],
               "+49303": [Answer(503, headers={"Retry-After": "2"}), ends()], "+49304": [Answer(408), ends()]}
    seen = collections.Counter()

    def script(call):
        seen[call.data["to"]] += 1
        return answers[call.data["to"]][seen[call.data["to"]] - 1]

    receiver.script = script
    batch = t.api.batch(agent, [{"phone_number": phone} for phone in answers])
    t.api.schedule(batch)
    done = t.api.wait_for(batch, "completed")
    assert done["completed"] == done["called"] == 4, done
    for phone, replies in answers.items():
        tries = [call for call in receiver.calls() if call.data["to"] == phone]
        assert len(tries) == len(replies) and len({call.id for call in tries}) == 1, tries
        assert {call.data["attempt"] for call in tries} == {1}
    patient = [call.at for call in receiver.calls() if call.data["to"] == "+49303"]
    assert patient[1] - patient[0] >= 1.9, "Retry-After is honoured"


def test_nonsense_in_the_answer_is_no_report(t):
    receiver, agent = t.dialing_agent()
    for report in ({"status": "nonsense"}, {"status": 5}, ["completed"], {"text": "ok"}, "fine"):
        batch, call = t.one_call(receiver, agent, lambda call: Answer(200, report=report))
        until(lambda: t.api.get(f"/calls/{call}")["status"] == "dispatched", what="the call is dispatched")
        receiver.report(call, "completed")
        t.api.wait_for(batch, "completed")


# Lists of calls

def test_calls_are_found(t):
    receiver, agent = t.dialing_agent()
    receiver.script = lambda call: ends("busy" if call.data["to"].endswith("1") else "completed")
    batch = t.api.batch(agent, 20)
    t.api.schedule(batch)
    t.api.wait_for(batch, "completed")
    middle = datetime.datetime.now(UTC).isoformat()
    time.sleep(0.01)
    other, call = t.one_call(receiver, agent, lambda call: ends())
    t.api.wait_for(other, "completed")
    count = lambda **query: len(t.api.all("/calls", **query))
    assert count() == 21 and count(batch_call_id=batch["id"]) == 20
    assert t.api.get("/calls", limit=1)[0]["id"] == call, "newest first"
    assert count(status="busy") == 2 and count(status="busy", batch_call_id=other["id"]) == 0
    assert count(agent_id=agent["id"]) == 21 and count(agent_id=batch["id"]) == 0
    assert count(created_before=middle) == 20 and count(created_after=middle) == 1
    one = t.api.get(f"/calls/{call}")
    assert (one["batch_call_id"], one["attempt"], one["status"]) == (other["id"], 1, "completed"), one
    assert count(status="busy,completed") == 21 and count(status="busy,completed", batch_call_id=batch["id"]) == 20
    assert count(status="busy,completed", agent_id=agent["id"]) == 21 and count(status="busy,failed") == 2
    for wrong in ("busy,", "busy,busy", "waiting", ""):
        t.api.refuse("bad_request", "GET", "/calls", query={"status": wrong}, field="status")
    for name in ("phone_number", "from_number"):
        t.api.refuse("bad_request", "GET", "/calls", query={name: "030"}, field=name)
    assert count(phone_number=one["phone_number"]) == 2 and count(phone_number="+4930999") == 0
    assert count(phone_number=one["phone_number"], batch_call_id=other["id"]) == 1
    assert count(from_number=one["from_number"]) == 1 and count(from_number="+4930999") == 0
    first = t.api.calls_of(batch)[0]["from_number"]
    assert count(from_number=first) == 20 and count(from_number=first, status="busy") == 2
    assert count(from_number=first,
                 batch_call_id=other["id"]) == 0 and count(from_number=first, agent_id=agent["id"]) == 20


def test_the_course_of_a_call(t):
    receiver, agent = t.dialing_agent()
    receiver.script = lambda call: TAKEN
    batch = t.api.batch(agent, [{**contacts(1)[0], "first_name": "Ada"}])
    t.api.schedule(batch)
    call = receiver.wait_for_calls(1)[0].id
    taken = until(lambda: t.api.get("/calls", status="dispatched"), what="it is taken")[0]
    assert (taken["first_name"], taken["last_name"], taken["answered_at"]) == ("Ada", None, None), taken
    assert taken["created_at"] <= taken["dispatched_at"] == taken["reported_at"], taken
    longest = seconds_between(taken["dispatched_at"], taken["ends_at"])
    assert longest == agent["max_call_duration_seconds"], taken
    said = datetime.datetime.now(UTC).isoformat()
    ringing = receiver.report(call, "ringing")
    assert ringing["dispatched_at"] == taken["dispatched_at"] < ringing["reported_at"], ringing
    answered = receiver.report(call, "in_progress", occurred_at=said)
    assert answered["answered_at"] < answered["reported_at"] and answered["ends_at"] == taken["ends_at"], answered
    assert parse(answered["answered_at"]) == datetime.datetime.fromisoformat(said), answered
    receiver.report(call, "ringing")
    assert t.api.get(f"/calls/{call}") == answered, "a report that is ignored moves no instant"
    ended = receiver.report(call, "completed", duration_seconds=3)
    assert ended["ends_at"] is None and ended["reported_at"] > answered["reported_at"], ended
    assert [ended[name] for name in ("dispatched_at",
                                     "answered_at")] == [answered[name] for name in ("dispatched_at", "answered_at")]


def test_the_course_of_calls_that_no_dialer_took(t):
    receiver, agent = t.dialing_agent()
    receiver.script = lambda call: Answer(400)
    refused, call = t.one_call(receiver, agent, receiver.script)
    t.api.wait_for(refused, "completed")
    call = t.api.get(f"/calls/{call}")
    assert call["end_reason"] == "dialer_refused", call
    assert [call[name] for name in ("dispatched_at", "answered_at", "reported_at", "ends_at")] == [None] * 4, call


def test_reports_in_one_request_say_all_instants(t):
    """This also holds for a report of the end that comes before the dialer's answer."""
    receiver, agent = t.dialing_agent()
    batch, call = t.one_call(receiver, agent, lambda call: TAKEN)
    until(lambda: t.api.get(f"/calls/{call}")["status"] == "dispatched", what="it is taken")
    t.api.post("/calls/status", {"reports": [{"call_id": call, "status": "in_progress"},
                                             {"call_id": call, "status": "completed"}]})
    ended = t.api.get(f"/calls/{call}")
    assert ended["dispatched_at"] < ended["answered_at"] == ended["reported_at"], ended


def test_calls_in_flight(t):
    """These are all calls except those that wait in the plan to be requested again."""
    receiver, agent = t.dialing_agent()
    receiver.script = lambda call: {"1": ends(), "2": Answer(503)}.get(call.data["to"][-1], TAKEN)
    batch = t.api.batch(agent, 4)
    t.api.schedule(batch)
    listed = lambda **query: t.api.all("/calls", **query)
    until(lambda: len(listed(status="dispatched")) == 2 and len(listed(status="completed")) == 1,
          what="all were asked for")
    t.api.post(f"/batch-calls/{batch['id']}/pause")
    waiting = until(lambda: [call for call in listed(status="queued") if call["expires_at"] is None],
                    what="the call that nobody took waits in the plan")
    for query in ({}, {"batch_call_id": batch["id"]}, {"agent_id": agent["id"]},
                  {"from_number": waiting[0]["from_number"]}):
        assert {call["status"] for call in listed(status="in_flight", **query)} == {"dispatched"}, query
        reply = t.api.ask("GET", "/calls", query={"status": "in_flight", "limit": 1, **query})
        assert reply.pagination["total"] == 2 and reply.pagination["has_more"], reply.pagination
        assert len(listed(status="in_flight,queued", **query)) == 3 \
            and len(listed(status="in_flight,completed", **query)) == 3
    assert listed(status="in_flight", batch_call_id=t.api.batch(agent, 1)["id"]) == []
    assert listed(status="in_flight", phone_number=waiting[0]["phone_number"]) == []
    assert len(listed(status="queued", phone_number=waiting[0]["phone_number"])) == 1


if __name__ == "__main__":
    tap.run(globals())
