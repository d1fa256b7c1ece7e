"""Who makes the chaos: clients, dialers and accidents that do at random whatever may happen. They write down
what they were answered and when; invariants.py holds that against what came of it.

All chance comes from the seed: the same seed makes the same choices, though not the same interleaving."""

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
    """From `since` to `until` nothing may reach a dialer: of a campaign, or to a number."""

    def __init__(self, what, since):
        self.what, self.since, self.until = what, since, float("inf")


class Campaign:
    def __init__(self, batch, people):
        self.id, self.people = batch["id"], list(people)
        self.daily_cap = batch["max_calls_per_day"]
        self.timezone, self.window = batch["timezone"], (batch["start_time"], batch["end_time"])
        self.calmed_at = None         # from then on its window and cap are wide
        self.lock = threading.Lock()  # for what makes or breaks a silence
        self.paused = None            # the silence of a pause that was answered
        self.cancelled = False

    def __repr__(self):
        return f"campaign {self.id}"


def window_around_now(zone):
    """From this minute of the wall clock until the next but one begins, so that it closes while we watch."""
    now = datetime.datetime.now(zoneinfo.ZoneInfo(zone))
    return now.strftime("%H:%M"), (now + datetime.timedelta(minutes=1)).strftime("%H:%M")


class Chaos:
    def __init__(self, t):
        self.t, self.seed = t, t.random.getrandbits(64)
        self.campaigns, self.silences, self.suppressed = [], [], {}
        self.faults, self.stopping = [], threading.Event()
        self.lock = threading.Lock()
        self.next_person = 1
        self.outage_until = 0  # all dialers cut every connection
        self.done = {}  # how often each thing was done

    def chance(self, name):
        return random.Random(f"{self.seed} {name}")

    # The stage

    def open(self, receivers_and_agents):
        """A few campaigns at each dialer, every one of another kind."""
        chance = self.chance("open")
        for receiver, agent in receivers_and_agents:
            receiver.script = self.dialer(self.chance(receiver.port))
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
        """Takes most calls, and says what became of them at once, late, twice, out of order or never."""
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

    def count(self, what):
        with self.lock:
            self.done[what] = self.done.get(what, 0) + 1

    def ask(self, what, method, path, body=None):
        """The reply when it was done; None when it was refused for the campaign's state or nobody knows."""
        reply = send_or_none(self.t.api, method, path, body)
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
        """Under the campaign's lock. Whether it was done or not, the silence is over when it was asked for."""
        if campaign.paused:
            campaign.paused.until = time.monotonic()
            campaign.paused = None
        self.act(campaign, "resume")

    def change(self, chance):
        campaign = chance.choice(self.campaigns)
        self.ask("change", "PATCH", f"/batch-calls/{campaign.id}", chance.choice([
            {"max_concurrent_calls": chance.choice(CAPS)},
            {"phone_rotation_strategy": chance.choice(["random", "sequential", "round_robin"])},
            {"calls_per_minute": chance.choice([None, 600, 6000])},
            {"excluded_dates": chance.choice([[], ["2040-01-01"]])},
            {"working_days": EVERY_DAY, "name": "Chaos"}]))

    def add_contacts(self, chance):
        campaign = chance.choice(self.campaigns)
        people = self.new_people(5)
        known = chance.sample(campaign.people, 2)
        if self.ask("add", "POST", f"/batch-calls/{campaign.id}/contacts",
                    {"contacts": [{"phone_number": phone} for phone in people + known]}):
            campaign.people += people

    def cancel(self, chance):
        """At most one in four: the others are to be completed."""
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
        """A dialer that mixes things up: reports of calls that may have ended long ago."""
        receiver = chance.choice(self.t.receivers)
        calls = receiver.calls()[-50:]
        if calls:
            call, status = chance.choice(calls), chance.choice(FINAL + ("ringing", "in_progress"))
            receiver.end_call(call.id, status)
            self.ask("report", "POST", f"/calls/{call.id}/status", {"status": status})

    def cut_dialers(self, chance):
        """For so long that attempts expire, and wait in the plan."""
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
            name = chance.choice(schedulers)
            stack.kill(name, signal.SIGSTOP)
            time.sleep(chance.uniform(0, STOPPED_SECONDS))
            stack.kill(name, signal.SIGCONT)
        elif kind == "api":
            stack.kill("api")
            stack.start_api()
        else:
            stack.restart_database(signal.SIGKILL)

    # The play

    def run(self, seconds):
        """Accidents happen in this thread, since processes must be started from the main one."""
        actors = [self.pause_and_resume, self.pause_and_resume, self.change, self.add_contacts, self.cancel,
                  self.suppress, self.report_anything, self.cut_dialers]
        threads = [threading.Thread(target=self.play, args=(number, actor), daemon=True)
                   for number, actor in enumerate(actors)]
        chance, deadline = self.chance("accidents"), time.monotonic() + seconds
        for thread in threads:
            thread.start()
        while time.monotonic() < deadline and not self.faults:
            time.sleep(chance.uniform(0.2, 2))
            self.accident(chance)
        self.stopping.set()
        for thread in threads:
            thread.join()
        if self.faults:
            raise self.faults[0]

    def play(self, number, actor):
        chance = self.chance(f"{number} {actor.__name__}")
        try:
            while not self.stopping.wait(chance.uniform(0.01, 0.25)):
                actor(chance)
        except Exception as fault:
            self.faults.append(fault)

    def calm_down(self):
        """Everything runs again, windows and caps are wide: what is left can be called. An API that was killed at the very
        last is given the time to start, or the changes, and those who ask next, would find nobody."""
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
