"""The demonstration: a campaign of some hundred contacts, dialed by examples/dialer.py and watched
until it is completed. If the data of an earlier demonstration exist, it dials another campaign with the same agent."""

import http.client
import json
import math
import os
import shutil
import struct
import sys
import time
import wave

import stack as stacks
import statedir
from process import Error

EXAMPLES = os.path.join(stacks.ROOT, "examples")
CONTACTS = 240
AT_ONCE = 20
SLOW_CONTACTS = 400  # of the campaign that goes on after the demonstration
SLOW_AT_ONCE = 5
SLOW_CALLS_PER_MINUTE = 60
NUMBERS = ["+12025550190", "+12025550191", "+12025550192"]
AGENT = "Demonstration agent"
FIRST_NAMES = ["Ada", "Blaise", "Carl", "Dorothy", "Emmy", "Fibonacci", "Grace", "Hypatia"]
LAST_NAMES = ["Archimedes", "Bernoulli", "Cauchy", "Descartes", "Euler", "Fermat", "Gauss"]
COUNTERS = ["completed", "voicemail", "no_answer", "busy", "failed", "skipped", "cancelled"]
READY_SECONDS = 60
SOUND_RATE = 8000  # samples a second
STILL_SECONDS = 120  # seconds without any progress, which are a fault


class Client:
    """Speaks JSON to the API over one connection that is kept open."""

    def __init__(self, stack):
        self.key = stack.key
        self.connection = http.client.HTTPConnection("127.0.0.1", stack.port, timeout=30)

    def call(self, method, path, body=None, absent=None):
        """Returns the whole reply. For a 404 it returns `absent`, if that is set."""
        self.connection.request(
            method, "/api/public/v1" + path, None if body is None else json.dumps(body),
            {"Authorization": "Bearer " + self.key, "Content-Type": "application/json"})
        answer = self.connection.getresponse()
        text = answer.read()
        if answer.status == 404 and absent is not None:
            return absent
        if answer.status >= 300:
            raise Error(f"{method} {path}: {answer.status} {text.decode(errors='replace')}")
        return json.loads(text) if text else {}

    def get(self, path, absent=None):
        return self.call("GET", path, absent=absent)

    def post(self, path, body=None):
        return self.call("POST", path, body)["data"]


def run(stack, sip=False):
    """Runs the whole demonstration, and returns the id of the campaign. With `sip`, the calls go to a simulated person.
    A second campaign then runs slowly for some minutes, so that there is something to see."""
    client = Client(stack)
    numbers = set_up_numbers(client)
    agent_id = set_up_agent(client, set_up_webhook(stack, client, sip))
    wait_for(stack, "the agent is active", lambda: agent_is_active(client, agent_id))
    batch_id = set_up_campaign(client, agent_id, numbers)
    print(f"==> Dialing {CONTACTS} contacts from {len(numbers)} numbers, at most {AT_ONCE} at once",
          flush=True)
    watch(stack, client, batch_id)
    set_up_slow_campaign(client, agent_id, numbers)
    return batch_id


# Each step uses the objects that an earlier demonstration left, and creates the missing objects.

def set_up_webhook(stack, client, sip):
    """The dialer runs on a port of its own, which may have changed since the last time."""
    notes_file = os.path.join(stack.state_dir, "demo.json")
    notes = {}
    if os.path.exists(notes_file):
        with open(notes_file) as file:
            notes = json.load(file)
    port = notes.get("port")
    if not port or not stacks.port_is_free(port):
        port = stacks.free_port()
    url = f"http://127.0.0.1:{port}/"
    path = "/webhooks/" + notes.get("id", "")
    if notes and client.get(path, absent={}):
        if notes["port"] != port:
            client.call("PATCH", path, {"url": url})
    else:
        made = client.post("/webhooks", {"url": url, "description": "The sample dialer"})
        notes = {"id": made["id"], "secret": made["secret"]}
    notes["port"] = port
    statedir.write_file(notes_file, json.dumps(notes))
    program = sip_dialer(stack) if sip else [os.path.join(EXAMPLES, "dialer.py")]
    stack.start_program("dialer", [sys.executable] + program + ["--port", port], {
        "OUTDIAL_WEBHOOK_SECRET": notes["secret"]})
    wait_for(stack, "the dialer listens", lambda: not stacks.port_is_free(port))
    return notes["id"]


def sip_dialer(stack):
    """Starts the person who is called (SIPp), and returns the dialer's command. The message is a tone."""
    folder = os.path.join(EXAMPLES, "sip-dialer")
    sound = os.path.join(stack.state_dir, "message.wav")
    with wave.open(sound, "wb") as file:
        file.setparams((1, 2, SOUND_RATE, 0, "NONE", None))
        file.writeframes(b"".join(
            struct.pack("<h", int(8000 * math.sin(440 * 2 * math.pi * i / SOUND_RATE)))
            for i in range(SOUND_RATE)))
    port, media = stacks.free_port(), stacks.free_port()
    stack.start_program("callee", ["sipp", "-sf", os.path.join(folder, "callee.xml"), "-i", "127.0.0.1",
                                   "-bind_local", "-p", port, "-mp", media, "-nostdin"])
    return [os.path.join(folder, "sip_dialer.py"), "--trunk", f"127.0.0.1:{port}", "--play", sound,
            "--lines", AT_ONCE, "--ring-seconds", 2,
            "--state", os.path.join(stack.state_dir, "sip-dialer.db")]


def set_up_numbers(client):
    known = {number["phone_number"]: number["id"]
             for number in client.get("/telephony/numbers?limit=100")["data"]}
    for number in NUMBERS:
        if number not in known:
            known[number] = client.post("/telephony/numbers/import", {
                "phone_number": number, "provider_type": "custom_sip",
                "friendly_name": "Demonstration"})["id"]
    return [known[number] for number in NUMBERS]


def set_up_agent(client, webhook_id):
    for agent in client.get("/agents?limit=100")["data"]:
        if agent["name"] == AGENT and agent["webhook_id"] == webhook_id:
            return agent["id"]
    return client.post("/agents", {"name": AGENT, "webhook_id": webhook_id,
                                   "greeting": "Hello! Do you have a minute?"})["id"]


def agent_is_active(client, agent_id):
    agent = client.get("/agents/" + agent_id)["data"]
    if agent["status"] == "failed":
        client.post(f"/agents/{agent_id}/sync")
    return agent["status"] == "active"


def set_up_campaign(client, agent_id, numbers):
    return start_campaign(client, agent_id, numbers, {
        "name": "Demonstration", "contacts": contacts(), "max_concurrent_calls": AT_ONCE,
        "retry_failed": True, "max_retry_attempts": 1, "retry_delay_minutes": 0})


def set_up_slow_campaign(client, agent_id, numbers):
    return start_campaign(client, agent_id, numbers, {
        "name": "Demonstration that goes on", "contacts": people(SLOW_CONTACTS),
        "max_concurrent_calls": SLOW_AT_ONCE, "calls_per_minute": SLOW_CALLS_PER_MINUTE,
        "retry_failed": True, "max_retry_attempts": 2, "retry_delay_minutes": 2})


def start_campaign(client, agent_id, numbers, fields):
    """A campaign that calls around the clock, because the demonstration may run at any time."""
    batch = client.post("/batch-calls", {
        "agent_id": agent_id, "phone_number_ids": numbers, "phone_rotation_strategy": "round_robin",
        "contact_source": "manual", "working_days": [1, 2, 3, 4, 5, 6, 7], **fields})
    client.post(f"/batch-calls/{batch['id']}/schedule")
    return batch["id"]


def contacts():
    """The last contact is in the campaign twice, and is called once."""
    unlike = people(CONTACTS - 1)
    return unlike + [dict(unlike[-1])]


def people(count):
    """Numbers reserved for fiction."""
    return [{"phone_number": f"+1{212 + i // 100}55501{i % 100:02}",
             "first_name": FIRST_NAMES[i % len(FIRST_NAMES)],
             "last_name": LAST_NAMES[i % len(LAST_NAMES)],
             "custom_fields": {"order": str(1000 + i)}} for i in range(count)]


def wait_for(stack, what, condition):
    deadline = time.monotonic() + READY_SECONDS
    while not condition():
        stack.keep_up()
        if time.monotonic() > deadline:
            raise Error(f"After {READY_SECONDS} s still not: {what}; see {stack.log_dir}")
        time.sleep(0.05)


# Watching

def watch(stack, client, batch_id):
    display = Terminal() if sys.stdout.isatty() else Lines()
    start = time.monotonic()
    done, moved = -1, start
    while True:
        if stack.keep_up():
            stack.wait_ready()
        batch = client.get("/batch-calls/" + batch_id)["data"]
        now = time.monotonic()
        display.show(batch, now - start)
        if batch["status"] in ("completed", "failed", "cancelled"):
            break
        if finished(batch) != done:
            done, moved = finished(batch), now
        if now - moved > STILL_SECONDS:
            raise Error(f"The demonstration does not go on; see {stack.log_dir}")
        time.sleep(0.2)
    if batch["status"] != "completed":
        raise Error(f"The demonstration has {batch['status']}: {batch['status_reason']}")
    summarize(client, batch, time.monotonic() - start)


def finished(batch):
    return sum(batch[counter] for counter in COUNTERS)


def counters(batch):
    return ", ".join(f"{name.replace('_', ' ')} {batch[name]}" for name in COUNTERS if batch[name])


def standing(batch, seconds):
    return (f"{finished(batch)}/{batch['total_contacts']} {batch['status']} {seconds:.0f} s, "
            f"{batch['in_progress']} in progress, {batch['pending']} waiting")


class Terminal:
    """Writes two lines over the lines before."""

    WIDTH = 24

    def __init__(self):
        self.drawn = False

    def show(self, batch, seconds):
        filled = self.WIDTH * finished(batch) // batch["total_contacts"]
        columns = shutil.get_terminal_size().columns
        lines = [f"    [{'#' * filled:<{self.WIDTH}}] {standing(batch, seconds)}",
                 "    " + counters(batch)]
        up = "\x1b[2A" if self.drawn else ""
        text = "".join(f"\r\x1b[2K{line[:columns - 1]}\n" for line in lines)
        print(up + text, end="", flush=True)
        self.drawn = True


class Lines:
    """For logs and pipes: writes a line every two seconds if something has changed."""

    def __init__(self):
        self.next, self.last = 0, None

    def show(self, batch, seconds):
        if (seconds >= self.next and batch != self.last) or batch["status"] == "completed":
            print(f"    {standing(batch, seconds)}: {counters(batch)}", flush=True)
            self.next, self.last = seconds + 2, batch


def summarize(client, batch, seconds):
    """Compares the counters with the calls themselves."""
    calls = client.get(f"/calls?batch_call_id={batch['id']}&limit=1")["pagination"]["total"]
    print(f"==> Completed: {batch['total_contacts']} contacts, {calls} calls "
          f"(some numbers were tried twice), {seconds:.0f} s", flush=True)
    for name in COUNTERS:
        if batch[name]:
            print(f"    {name.replace('_', ' '):<12}{batch[name]:>5}")
