"""What must hold after any chaos: read from what reached the dialers (the receivers' log) and from the database,
not from anything the programs say of themselves. Every function returns what is wrong, one line each."""

import collections
import datetime
import zoneinfo

from client import UTC

# Under way when the reply was given: a request on its way to a process that is slow, or was stopped.
GRACE_SECONDS = 4
QUEUED, COMPLETED, CANCELLED = 0, 4, 9  # calls.status
CONTACT_FINAL = range(3, 10)            # batch_contacts.status
COUNTERS = ("completed", "failed", "voicemail", "no_answer", "busy", "cancelled", "skipped")

Call = collections.namedtuple("Call", "id batch position attempt status to called_at ended_at tries")


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
    """An attempt has one call id, whatever was asked for again; and no call was made up."""
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
    """A call that ended in any way but being cancelled was asked of a dialer: failed, too."""
    ids = {plain(request.id) for request in asked}
    yield from (f"{call} was never asked for" for call in calls if call.status != CANCELLED and call.id not in ids)


def no_overlap_at_the_dialer(asked):
    """By the receivers' log, a dialer is asked for one attempt of a contact, however often, and then for the next."""
    seen = collections.defaultdict(list)
    for request in sorted(asked, key=lambda request: request.at):
        seen[request.data["batch_call_id"], request.data["to"]].append(request.data["attempt"])
    yield from (f"{contact} was asked for in the order {attempts}" for contact, attempts in seen.items()
                if attempts != sorted(attempts))


def nobody_given_up(t):
    """No outage was so long: every call that failed did so by a dialer's word, its refusal or its silence afterwards."""
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


def places_within(receivers, calls, most):
    """Calls of a campaign that its dialer has at once: from when it took them until it says they ended, or until
    Outdial has given them up."""
    given_up = {call.id: call.ended_at.timestamp() for call in calls}
    taken, steps = set(), collections.defaultdict(list)
    for receiver in receivers:
        for request in receiver.calls():
            if request.id in taken or request.answer.reset or request.answer.status >= 300:
                continue
            taken.add(request.id)
            end = min(receiver.ended.get(request.id, float("inf")), given_up[plain(request.id)])
            steps[request.data["batch_call_id"]] += [(request.wall_at, 1), (max(end, request.wall_at), -1)]
    for batch, changes in steps.items():
        level = 0
        for at, change in sorted(changes):
            level += change
            if level > most:
                yield f"{level} calls of {batch} at once at {at}"


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
    """By the wall clock of the campaign's zone when the request reached the dialer, or a second before, for its way."""
    start, end = campaign.window
    for request in asked:
        came = datetime.datetime.fromtimestamp(request.wall_at, zoneinfo.ZoneInfo(campaign.timezone))
        if start is None or request.data["batch_call_id"] != campaign.id or not before_calm(came, campaign):
            continue
        walls = [wall.strftime("%H:%M") for wall in (came, came - datetime.timedelta(seconds=1))]
        if not any(start <= wall < end if start < end else wall >= start or wall < end for wall in walls):
            yield f"{request} at {came}, outside of {start} to {end}"


def silent(asked, silences):
    """Nothing of a campaign that is paused or cancelled, and nothing to a number that is not to be called."""
    for silence in silences:
        for request in asked:
            about = {getattr(silence.what, "id", silence.what)}
            if about & {request.data["batch_call_id"], request.data["to"]} and \
               silence.since + GRACE_SECONDS < request.at < silence.until:
                yield f"{request} although {silence.what} was to be silent from {silence.since:.3f}"


def nothing_lost(t, campaigns):
    """What was answered with 2xx is there."""
    for campaign in campaigns:
        there = {row["phone_number"] for row in t.api.contacts_of({"id": campaign.id})}
        missing = set(campaign.people) - there
        if missing:
            yield f"{campaign} lost {sorted(missing)}"


def all_ended(t, campaigns):
    """Every contact in one final state, nobody waits, and the counters are what a recount gives."""
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
        left = t.stack.sql(f"SELECT b.waiting, (SELECT COUNT(*) FROM due_contacts d WHERE d.batch_id = b.id AND d.waits = 1)"
                           f" FROM batch_calls b WHERE b.id = {row}")[0]
        if left != ["0", "0"]:
            yield f"{campaign}: {left[0]} calls wait, {left[1]} in the plan"


def told_once(receiver, campaigns):
    """batch.completed: one event per campaign; the changes of state make one chain."""
    for campaign in campaigns:
        batch = {"id": campaign.id}
        ids = {event.id for event in receiver.of_type("batch.completed", batch)}
        if len(ids) != (0 if campaign.cancelled else 1):
            yield f"{campaign} was told to be completed by {len(ids)} events"
        changes = {event.id: event.data for event in receiver.of_type("batch.status.changed", batch)}
        state = "draft"
        for event_id in sorted(changes):
            if changes[event_id]["from"] != state:
                yield f"{campaign} went from {state}, then from {changes[event_id]['from']}"
            state = changes[event_id]["to"]
