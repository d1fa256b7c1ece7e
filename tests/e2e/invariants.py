"""The promises that hold after any chaos. They are checked with the receivers' log and the database, not with replies
of the programs. Every function returns a list of violations, one line each."""

import collections
import datetime
import os
import zoneinfo

from client import UTC

WAY_SECONDS = 0.4  # of a request to its dialer, and for its reading there, while the machine is busy
REFUSED = ("the database refused", "is dropped, because", "is left for a minute", "is set aside")  # in logs
CONFLICT = "result 4"
STATUSES = ("queued", "dispatched", "ringing", "in_progress", "completed", "failed", "no_answer", "busy", "voicemail",
            "cancelled")
QUEUED, COMPLETED, CANCELLED = 0, 4, 9  # calls.status
CONTACT_FINAL = range(3, 10)            # batch_contacts.status
COUNTERS = ("completed", "failed", "voicemail", "no_answer", "busy", "cancelled", "skipped")

Call = collections.namedtuple("Call", "id batch position attempt status to called_at ended_at tries")


def broken(t, play, dialers, subscriber, retries, cap):
    """Checks all promises for all campaigns of a play (chaos.py). `dialers`: (receiver, agent)."""
    asked = [call for receiver, _ in dialers for call in receiver.calls()]
    calls = read_calls(t)
    print(f"# {len(calls)} calls, {len(asked)} requests; " +
          ", ".join(f"{what} {count}" for what, count in sorted(play.done.items())))
    wrong = [*one_id_per_attempt(asked, calls), *nothing_unasked(asked, calls), *no_overlap_at_the_dialer(asked),
             *nobody_given_up(t), *one_live_attempt(calls), *retries_within(calls, retries),
             *silent(asked, play), *reports_kept(t.receivers, calls),
             *attempts_apart(t.receivers, calls), *all_work_taken(t.stack),
             *nothing_lost(t, play.campaigns), *all_ended(t, play.campaigns), *told_once(subscriber, play.campaigns),
             *ends_told_once(subscriber, calls)]
    for campaign in play.campaigns:
        wrong += [*days_within(calls, campaign), *inside_the_window(asked, campaign),
                  *places_within(t.receivers, calls, campaign, cap)]
    return wrong


def unfinished(t, campaigns):
    """Returns the work that still goes on."""
    batches = [t.api.get(f"/batch-calls/{campaign.id}") for campaign in campaigns]
    return [batch for batch in batches if batch["status"] not in ("completed", "cancelled")] + \
        t.stack.sql("SELECT 'call', HEX(id), status, tries, wake_at FROM calls WHERE status < 4 UNION ALL"
                    " SELECT 'delivery', id, status, tries, wake_at FROM deliveries WHERE status = 0")


def read_calls(t):
    rows = t.stack.sql(
        "SELECT LOWER(HEX(c.id)), LOWER(HEX(b.uuid)), c.position, c.attempt, c.status, c.to_number, c.called_at,"
        " c.ended_at, c.tries FROM calls c JOIN batch_calls b ON b.id = c.batch_id JOIN organizations o"
        f" ON o.id = b.organization_id WHERE o.name = '{t.organization}' ORDER BY c.id")
    return [Call(row[0], row[1], int(row[2]), int(row[3]), int(row[4]), row[5], instant(row[6]), instant(row[7]),
                 int(row[8])) for row in rows]


def instant(text):
    return datetime.datetime.strptime(text, "%Y-%m-%d %H:%M:%S.%f").replace(tzinfo=UTC)


def plain(uuid):
    return uuid.replace("-", "")


def one_id_per_attempt(asked, calls):
    """An attempt has one call id, however often it was requested. No call exists without an attempt."""
    known = {call.id: call for call in calls}
    ids = collections.defaultdict(set)
    for request in asked:
        ids[request.data["batch_call_id"], request.data["to"], request.data["attempt"]].add(request.id)
        call = known.get(plain(request.id))
        if request.data["call_id"] != request.id or call is None or \
           (call.to, call.attempt, call.batch) != (request.data["to"], request.data["attempt"],
                                                   plain(request.data["batch_call_id"])):
            yield f"{request} asked for {request.data}, the database has {call}"
    yield from (f"attempt {attempt} has the ids {found}" for attempt, found in ids.items() if len(found) > 1)


def nothing_unasked(asked, calls):
    """Every call that ended was requested from a dialer, except cancelled calls. This also holds for failed calls."""
    ids = {plain(request.id) for request in asked}
    yield from (f"{call} was never asked for" for call in calls if call.status != CANCELLED and call.id not in ids)


def no_overlap_at_the_dialer(asked):
    """By the receivers' log, all requests for one attempt of a contact come before the requests for its next
    attempt."""
    seen = collections.defaultdict(list)
    for request in sorted(asked, key=lambda request: request.at):
        seen[request.data["batch_call_id"], request.data["to"]].append(request.data["attempt"])
    yield from (f"{contact} was asked for in the order {attempts}" for contact, attempts in seen.items()
                if attempts != sorted(attempts))


def nobody_given_up(t):
    """No outage was long enough to fail a call. So every failed call was reported as failed, was refused, or got no
    report."""
    for row in t.stack.sql("SELECT LOWER(HEX(c.id)), c.tries FROM calls c JOIN batch_calls b ON b.id = c.batch_id"
                           " JOIN organizations o ON o.id = b.organization_id WHERE c.end_reason = 'dialer_unreachable'"
                           f" AND o.name = '{t.organization}'"):
        yield f"call {row[0]} was given up after {row[1]} tries"


def one_live_attempt(calls):
    """Attempts of a contact follow each other, and are no more than the campaign allows."""
    of_contact = collections.defaultdict(list)
    for call in calls:
        of_contact[call.batch, call.position].append(call)
    for attempts in of_contact.values():
        if [call.attempt for call in attempts] != list(range(1, len(attempts) + 1)):
            yield f"attempts are not numbered: {attempts}"
        for one, next_one in zip(attempts, attempts[1:]):
            if next_one.called_at < one.ended_at:
                yield f"{next_one} began before {one} ended"


def retries_within(calls, most):
    yield from (f"{call} is one attempt too many" for call in calls if call.attempt > 1 + most)


def taken_calls(receivers, calls):
    """Returns the calls that a dialer has: the request that it accepted, and when it reported the end, or Outdial gave
    the call up."""
    given_up = {call.id: call.ended_at.timestamp() for call in calls}
    taken = set()
    for receiver in receivers:
        for request in receiver.calls():
            if request.id in taken or request.answer.reset or request.answer.status >= 300:
                continue
            taken.add(request.id)
            end = min(receiver.ended.get(request.id, float("inf")), given_up[plain(request.id)])
            yield request, max(end, request.wall_at)


def places_within(receivers, calls, campaign, wide):
    """A dialer never has more calls of a campaign at once than the largest cap that the campaign had, or `wide` at the
    end."""
    steps = [step for request, end in taken_calls(receivers, calls) if request.data["batch_call_id"] == campaign.id
             for step in ((request.wall_at, 1), (end, -1))]
    calmed_at, level = campaign.calmed_at.timestamp() if campaign.calmed_at else float("inf"), 0
    for at, change in sorted(steps):
        level += change
        most = campaign.cap if at < calmed_at else wide
        if level > most:
            yield f"{level} calls of {campaign} at once at {at}, of {most}"


def attempts_apart(receivers, calls):
    """By the receivers' log, a contact is not called while an earlier attempt is under way."""
    spans = collections.defaultdict(list)
    for request, end in taken_calls(receivers, calls):
        spans[request.data["batch_call_id"], request.data["to"]].append((request.wall_at, end, request))
    for attempts in spans.values():
        attempts.sort(key=lambda span: span[0])
        for (_, end, one), (at, _, other) in zip(attempts, attempts[1:]):
            if at < end:
                yield f"{other} began {end - at:.3f} s before {one} ended"


def reports_kept(receivers, calls):
    """The replies to reports agree with the tables. An end stays the end."""
    known = {call.id: call for call in calls}
    for call_id, status in (state for receiver in receivers for state in receiver.reply_states):
        call = known[plain(call_id)]
        if STATUSES[call.status] != status and status in STATUSES[COMPLETED:]:
            yield f"{call} was reported to be {status}"


def all_work_taken(stack):
    """No line of a log says that work was refused. Two writers of a cluster conflict now and then: that work is done at
    the next look."""
    for name in sorted(os.listdir(stack.log_dir)):
        if name.startswith(("scheduler", "api")):
            with open(os.path.join(stack.log_dir, name), errors="replace") as log:
                yield from (f"{name}: {line.rstrip()}" for line in log if any(words in line for words in REFUSED)
                            and not (stack.cluster and line.rstrip().endswith(CONFLICT)))


def ends_told_once(subscriber, calls):
    """Each call has one event for its end, however often it was delivered."""
    events = collections.defaultdict(set)
    for event in subscriber.of_type("call.ended") + subscriber.of_type("call.failed"):
        events[plain(event.data["id"])].add(event.id)
    yield from (f"the end of {call} has {len(events[call.id])} events" for call in calls
                if len(events[call.id]) != 1)


def before_calm(at, campaign):
    return campaign.calmed_at is None or at < campaign.calmed_at


def days_within(calls, campaign):
    """Attempts per local day."""
    if campaign.daily_cap is None:
        return
    zone = zoneinfo.ZoneInfo(campaign.timezone)
    days = collections.Counter(call.called_at.astimezone(zone).date() for call in calls
                               if call.batch == plain(campaign.id) and before_calm(call.called_at, campaign))
    yield from (f"{campaign}: {count} calls on {day}" for day, count in days.items() if count > campaign.daily_cap)


def inside_the_window(asked, campaign):
    """Checks the windows by the wall clock of the campaign's zone when the request reached the dialer, or a second
    before."""
    start, end = campaign.window
    for request in asked:
        came = datetime.datetime.fromtimestamp(request.wall_at, zoneinfo.ZoneInfo(campaign.timezone))
        if start is None or request.data["batch_call_id"] != campaign.id or not before_calm(came, campaign):
            continue
        walls = [wall.strftime("%H:%M") for wall in (came, came - datetime.timedelta(seconds=1))]
        if not any(start <= wall < end if start < end else wall >= start or wall < end for wall in walls):
            yield f"{request} at {came}, outside of {start} to {end}"


def last_instant(since, allowed, halts):
    """Returns until when a request that was under way at an instant may still arrive: later by the time for which
    processes stood still."""
    last = since + allowed
    for start, end in halts:
        if start < last and end > since:
            last = max(last, end + allowed)
    return last


def silent(asked, play):
    """No request comes for a paused or cancelled campaign, or for a number on the do-not-call list."""
    allowed, halts = play.late_seconds + WAY_SECONDS, sorted(play.halts)
    about = collections.defaultdict(list)
    for request in asked:
        about[request.data["batch_call_id"]].append(request)
        about[request.data["to"]].append(request)
    for silence in play.silences:
        last = last_instant(silence.since, allowed, halts)
        for request in about[getattr(silence.what, "id", silence.what)]:
            if last < request.at < silence.until:
                yield f"{request} although {silence.what} was to be silent from {silence.since:.3f}"


def nothing_lost(t, campaigns):
    """Every change that was answered with 2xx exists."""
    for campaign in campaigns:
        there = {row["phone_number"] for row in t.api.contacts_of({"id": campaign.id})}
        missing = set(campaign.people) - there
        if missing:
            yield f"{campaign} lost {sorted(missing)}"


def all_ended(t, campaigns):
    """Every contact is in one final state, no contact waits, and the counters equal a recount."""
    for campaign in campaigns:
        batch = t.api.get(f"/batch-calls/{campaign.id}")
        row = t.row_of(batch)
        counted = collections.Counter(contact["status"] for contact in t.api.contacts_of(batch))
        stored = {name: batch[name] for name in COUNTERS if batch[name]}
        if batch["status"] != ("cancelled" if campaign.cancelled else "completed"):
            yield f"{campaign} is {batch['status']}"
        if dict(counted) != stored or sum(counted.values()) != batch["total_contacts"]:
            yield f"{campaign} counts {stored}, a recount says {dict(counted)}"
        waiting = t.stack.sql(f"SELECT COUNT(*) FROM due_contacts WHERE batch_id = {row}")[0][0]
        if batch["status"] == "completed" and waiting != "0":
            yield f"{campaign} is completed, and {waiting} contacts wait"
        claimed, done, attempts = t.stack.sql(
            f"SELECT b.claimed, n.done, (SELECT COUNT(*) FROM calls c WHERE c.batch_id = b.id) FROM batch_calls b"
            f" JOIN batch_counters n ON n.batch_id = b.id WHERE b.id = {row}")[0]
        if not claimed == done == attempts:
            yield f"{campaign}: {claimed} calls claimed, {done} done, {attempts} in the table"
        left = t.stack.sql(f"SELECT b.waiting, (SELECT COUNT(*) FROM due_contacts d WHERE d.batch_id = b.id"
                           f" AND d.waits = 1)"
                           f" FROM batch_calls b WHERE b.id = {row}")[0]
        if left != ["0", "0"]:
            yield f"{campaign}: {left[0]} calls wait, {left[1]} in the plan"


def told_once(receiver, campaigns):
    """Each campaign has one event batch.completed, and its changes of state make one chain."""
    for campaign in campaigns:
        batch = {"id": campaign.id}
        ids = {event.id for event in receiver.of_type("batch.completed", batch)}
        if len(ids) != (0 if campaign.cancelled else 1):
            yield f"{campaign} has {len(ids)} events batch.completed"
        changes = {event.id: event.data for event in receiver.of_type("batch.status.changed", batch)}
        state = "draft"
        for event_id in sorted(changes):
            if changes[event_id]["from"] != state:
                yield f"{campaign} went from {state}, then from {changes[event_id]['from']}"
            state = changes[event_id]["to"]
