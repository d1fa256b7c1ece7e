"""The chaos: clients, dialers and accidents, which act at random. They record the answers that they got, with their
times; invariants.py compares this record with the result. All randomness comes from the seed: the same seed makes
the same choices, but not the same interleaving."""

import contextlib
import datetime
import os
import random
import signal
import threading
import time
import zoneinfo

from client import EVERY_DAY, UTC, send_or_none
from receiver import TAKEN, Answer, ends, ends_later

CAPS = (2, 4, 7)          # of calls at once, which clients change
DAILY_CAPS = (None, 25)
RETRIES = 2
STOPPED_SECONDS = 1.5     # a process that is stopped goes on after at most this
OUTAGE_SECONDS = 15       # a dialer's, at most
ZONES = ("UTC", "Asia/Kathmandu", "America/New_York", "Pacific/Chatham", "Australia/Lord_Howe")
FINAL = ("completed", "failed", "no_answer", "busy", "voicemail")


class Silence:
    """A time from `since` to `until` in which no request may reach a dialer: of a campaign, or to a number."""

    def __init__(self, what, since):
        self.what, self.since, self.until = what, since, float("inf")


class Campaign:
    def __init__(self, batch, people):
        self.id, self.people = batch["id"], list(people)
        self.daily_cap = batch["max_calls_per_day"]
        self.cap = batch["max_concurrent_calls"]  # the largest cap that it ever had
        self.timezone, self.window = batch["timezone"], (batch["start_time"], batch["end_time"])
        self.calmed_at = None         # when its window and cap became wide
        self.lock = threading.Lock()  # locked by actions that begin or end a silence
        self.paused = None            # the silence of a pause that was answered
        self.cancelled = False

    def __repr__(self):
        return f"campaign {self.id}"


def window_around_now(zone):
    """Returns a window from this minute of the wall clock to the start of the minute after the next, so that it closes
    during the test."""
    now = datetime.datetime.now(zoneinfo.ZoneInfo(zone))
    return now.strftime("%H:%M"), (now + datetime.timedelta(minutes=1)).strftime("%H:%M")


class Chaos:
    late_seconds = 0.1  # how long a request may still begin after a pause, a cancel or a do-not-call entry was answered

    def __init__(self, t):
        self.t, self.seed = t, t.random.getrandbits(64)
        self.campaigns, self.silences, self.suppressed = [], [], {}
        self.faults, self.stopping = [], threading.Event()
        self.lock = threading.Lock()
        self.next_person = 1
        self.outage_until = 0  # all dialers cut every connection
        self.done = {}  # how often each action was done
        self.halts = []  # (from, until): a scheduler was stopped, or the whole machine was slow

    def chance(self, name):
        return random.Random(f"{self.seed} {name}")

    # The stage

    def open(self, receivers_and_agents):
        """Creates a few campaigns for each dialer, each of another kind."""
        chance = self.chance("open")
        for receiver, agent in receivers_and_agents:
            receiver.script = self.dialer(self.chance(receiver.port or "puller"))
            for kind in range(3):
                self.add_campaign(chance, agent, kind)

    def add_campaign(self, chance, agent, kind):
        numbers = [self.t.api.number()["id"] for _ in range(chance.randint(1, 3))]
        zone = chance.choice(ZONES)
        fields = {"start_time": None, "end_time": None}
        if kind == 2:  # not tried again: that would be tomorrow
            fields = dict(zip(("start_time", "end_time"), window_around_now(zone)))
        people = self.new_people(chance.randint(20, 60))
        batch = self.t.api.batch(
            agent, [{"phone_number": phone} for phone in people], phone_number_ids=numbers, timezone=zone,
            max_concurrent_calls=chance.choice(CAPS), max_calls_per_day=DAILY_CAPS[kind == 1],
            retry_failed=kind != 2, max_retry_attempts=RETRIES, retry_delay_minutes=0,
            phone_rotation_strategy=chance.choice(["random", "sequential", "round_robin"]), **fields)
        campaign = Campaign(batch, people)
        self.campaigns.append(campaign)
        self.t.api.schedule(batch)

    def new_people(self, count):
        with self.lock:
            first, self.next_person = self.next_person, self.next_person + count
        return [f"+4930{number:08}" for number in range(first, first + count)]

    # Dialers

    def dialer(self, chance):
        """Accepts most calls, and reports on them at once, late, twice, out of order or never."""
        def script(call):
            with self.lock:
                dice, pause = chance.random(), chance.uniform(0, 0.3)
                ending = chance.choice(FINAL)
            if self.stopping.is_set():
                return ends(ending)
            if time.monotonic() < self.outage_until:
                return Answer(reset=True)
            if dice < 0.35:
                return ends(ending, delay=pause)
            if dice < 0.60:
                return ends_later(pause, ending)
            if dice < 0.75:
                return Answer(202, later=[(pause, {"status": ending}), (pause, {"status": ending}),
                                          (pause / 2, {"status": "in_progress"}), (pause + 0.1, {"status": "ringing"})])
            if dice < 0.85:
                return Answer(chance.choice([429, 500, 503]))
            if dice < 0.93:
                return Answer(reset=True)
            if dice < 0.94:
                return Answer(chance.choice([400, 404, 422]))
            if dice < 0.97:
                return Answer(202, {"status": "ringing"}, later=[(4 * pause, {"status": ending})])
            return TAKEN
        return script

    # Clients

    def client(self):
        return self.t.api

    def count(self, what):
        with self.lock:
            self.done[what] = self.done.get(what, 0) + 1

    def ask(self, what, method, path, body=None):
        """Returns the reply to a successful request, or None if the campaign's state did not allow it, or if its result
        is not known."""
        reply = send_or_none(self.client(), method, path, body)
        if reply is None or reply.status == 422 and reply.error["code"] == "invalid_state":
            return None
        assert reply.status in (200, 201, 204), (what, body, reply)
        self.count(what)
        return reply

    def act(self, campaign, action):
        return self.ask(action, "POST", f"/batch-calls/{campaign.id}/{action}")

    def begin_silence(self, what):
        silence = Silence(what, time.monotonic())
        self.silences.append(silence)
        return silence

    def pause_and_resume(self, chance):
        campaign = chance.choice(self.campaigns)
        with campaign.lock:
            if campaign.paused or campaign.cancelled or not self.act(campaign, "pause"):
                return
            campaign.paused = self.begin_silence(campaign)
        self.stopping.wait(chance.uniform(0, 6))
        with campaign.lock:
            self.resume(campaign)

    def resume(self, campaign):
        """Runs under the campaign's lock. The silence ends when the action is requested, even if it fails."""
        if campaign.paused:
            campaign.paused.until = time.monotonic()
            campaign.paused = None
        self.act(campaign, "resume")

    def change(self, chance):
        campaign, cap = chance.choice(self.campaigns), chance.choice(CAPS)
        self.ask("change", "PATCH", f"/batch-calls/{campaign.id}", chance.choice([
            {"max_concurrent_calls": self.raised(campaign, cap)} if chance.random() < 0.3 else {"name": "Chaos"},
            {"phone_rotation_strategy": chance.choice(["random", "sequential", "round_robin"])},
            {"calls_per_minute": chance.choice([None, 600, 6000])},
            {"excluded_dates": chance.choice([[], ["2040-01-01"]])},
            {"working_days": EVERY_DAY, "name": "Chaos"}]))

    def raised(self, campaign, cap):
        """Records the requested cap before the request, because it may apply before the reply comes."""
        campaign.cap = max(campaign.cap, cap)
        return cap

    def add_contacts(self, chance):
        campaign = chance.choice(self.campaigns)
        people = self.new_people(5)
        known = chance.sample(campaign.people, 2)
        if self.ask("add", "POST", f"/batch-calls/{campaign.id}/contacts",
                    {"contacts": [{"phone_number": phone} for phone in people + known]}):
            campaign.people += people

    def cancel(self, chance):
        """Cancels at most one campaign in four, because the others are to be completed."""
        campaign = chance.choice(self.campaigns)
        with campaign.lock:
            if campaign.cancelled or chance.random() > 0.1 or \
               sum(other.cancelled for other in self.campaigns) >= len(self.campaigns) // 4:
                return
            if self.act(campaign, "cancel"):
                campaign.cancelled = True
                self.begin_silence(campaign)

    def suppress(self, chance):
        """Puts a number on the do-not-call list, or takes one off. One client does this alone."""
        if self.suppressed and chance.random() < 0.3:
            phone = chance.choice(sorted(self.suppressed))
            self.suppressed.pop(phone).until = time.monotonic()
            self.ask("unsuppress", "DELETE", f"/do-not-call/{phone}")
            return
        phone = chance.choice(chance.choice(self.campaigns).people)
        if phone not in self.suppressed and \
           self.ask("suppress", "POST", "/do-not-call", {"phone_number": phone}):
            self.suppressed[phone] = self.begin_silence(phone)

    def report_anything(self, chance):
        """Sends reports on calls that may have ended long ago, as a faulty dialer does."""
        receiver = chance.choice(self.t.receivers)
        calls = receiver.calls()[-50:]
        if calls:
            call, status = chance.choice(calls), chance.choice(FINAL + ("ringing", "in_progress"))
            receiver.end_call(call.id, status)
            reply = self.ask("report", "POST", f"/calls/{call.id}/status", {"status": status})
            if reply:
                receiver.reply_states.append((call.id, reply.data["status"]))

    def cut_dialers(self, chance):
        """Cuts all connections of the dialers for so long that attempts expire and wait in the plan."""
        if chance.random() < 0.1:
            self.count("outage")
            self.outage_until = time.monotonic() + chance.uniform(1, OUTAGE_SECONDS)
            self.stopping.wait(2 * OUTAGE_SECONDS)

    # Accidents

    def accident(self, chance):
        stack = self.t.stack
        schedulers = [name for name in stack.processes if name.startswith("scheduler")]
        kind = chance.choices(["scheduler", "worker", "stop", "api", "database"], [6, 5, 3, 1, 2])[0]
        self.count(f"{kind} hit")
        if kind == "scheduler":
            stack.kill(chance.choice(schedulers))
            stack.start_scheduler()
        elif kind == "worker":
            with contextlib.suppress(IndexError, ProcessLookupError):
                os.kill(chance.choice(stack.workers()), signal.SIGKILL)
        elif kind == "stop":
            name, since = chance.choice(schedulers), time.monotonic()
            stack.kill(name, signal.SIGSTOP)
            time.sleep(chance.uniform(0, STOPPED_SECONDS))
            stack.kill(name, signal.SIGCONT)
            self.halts.append((since, time.monotonic()))
        elif kind == "api":
            stack.kill("api")
            stack.start_api()
        else:
            stack.restart_database(signal.SIGKILL)

    # The play

    def run(self, seconds, accidents=None):
        """Runs for this time, or until this many accidents happened. They happen in this thread, because processes
        must be started from the main thread."""
        actors = [self.pause_and_resume, self.pause_and_resume, self.change, self.add_contacts, self.cancel,
                  self.suppress, self.report_anything, self.cut_dialers]
        threads = [threading.Thread(target=self.play, args=(number, actor), daemon=True)
                   for number, actor in enumerate(actors)]
        chance, deadline = self.chance("accidents"), time.monotonic() + seconds
        threads.append(threading.Thread(target=self.watch_machine, daemon=True))
        for thread in threads:
            thread.start()
        happened = 0
        while time.monotonic() < deadline and not self.faults and happened != accidents:
            time.sleep(chance.uniform(0.2, 2))
            self.accident(chance)
            happened += 1
        self.stopping.set()
        for thread in threads:
            thread.join()
        if self.faults:
            raise self.faults[0]

    def watch_machine(self):
        """When this thread does not run for a while, the threads that receive webhooks do not run either."""
        while not self.stopping.is_set():
            since = time.monotonic()
            time.sleep(0.01)
            if time.monotonic() - since > 0.05:
                self.halts.append((since, time.monotonic()))

    def play(self, number, actor):
        chance = self.chance(f"{number} {actor.__name__}")
        try:
            while not self.stopping.wait(chance.uniform(0.01, 0.25)):
                actor(chance)
        except Exception as fault:
            self.faults.append(fault)

    def calm_down(self):
        """Everything runs again, and windows and caps are wide, so the remaining contacts can be called. An API that
        was killed at the end gets the time to start, because otherwise the last requests would fail."""
        self.t.stack.wait_ready()
        wide = {"start_time": None, "end_time": None, "max_concurrent_calls": max(CAPS), "calls_per_minute": None,
                "max_calls_per_day": None, "excluded_dates": []}
        for campaign in self.campaigns:
            if campaign.cancelled:
                continue
            campaign.calmed_at = datetime.datetime.now(UTC)
            self.t.api.send("PATCH", f"/batch-calls/{campaign.id}", wide)
            with campaign.lock:
                self.resume(campaign)
