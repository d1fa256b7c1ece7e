#!/usr/bin/env python3
"""examples/sip-dialer: calls that really ring, at a SIP user agent (SIPp) that answers in every way, and Outdial's
counters afterwards."""

import collections
import os
import shutil
import signal
import socket
import sys
import wave

import tap
from client import until
from stack import ROOT, free_port, port_is_free

FOLDER = os.path.join(ROOT, "examples", "sip-dialer")
CALLER = "+12025550180"
LINES = 20
# by the last digit of the number (see callee.xml)
ENDINGS = ["completed", "completed", "completed", "no_answer", "no_answer", "busy", "failed", "completed",
           "failed", "completed"]
REASONS = {"3": "rang out", "4": "SIP 480 Temporarily Unavailable", "5": "line busy",
           "6": "number not in service", "8": "declined", "9": "hung up", "0": "message played"}


def missing():
    return [program for program in ("baresip", "sipp") if not shutil.which(program)]


def udp_port():
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Telephony:
    """The callee and the dialer of one test."""

    def __init__(self, t, lines=LINES, ring_seconds=2):
        if missing():
            raise tap.Skip(f"not installed: {' '.join(missing())}")
        self.t, self.lines, self.ring_seconds = t, lines, ring_seconds
        self.folder = os.path.join(t.stack.state_dir, t.organization)
        os.makedirs(self.folder)
        self.sound = os.path.join(self.folder, "message.wav")
        with wave.open(self.sound, "wb") as file:
            file.setparams((1, 2, 8000, 0, "NONE", None))
            file.writeframes(b"\0\0" * 8000)  # a second
        self.sip, self.port = udp_port(), free_port()
        t.stack.start_program("callee " + t.organization, [
            "sipp", "-sf", os.path.join(FOLDER, "callee.xml"), "-i", "127.0.0.1", "-p", str(self.sip),
            "-mp", str(udp_port()), "-nostdin", "-bind_local"])
        endpoint = t.api.post("/webhooks", {"url": f"http://127.0.0.1:{self.port}/"})
        self.secret = endpoint["secret"]
        self.start()
        self.agent = t.api.agent(endpoint["id"])
        self.number = t.api.number(CALLER)

    def start(self):
        self.t.stack.start_program(self.name(), [
            sys.executable, os.path.join(FOLDER, "sip_dialer.py"), "--port", str(self.port),
            "--trunk", f"127.0.0.1:{self.sip}", "--play", self.sound, "--lines", str(self.lines),
            "--ring-seconds", str(self.ring_seconds), "--state", os.path.join(self.folder, "calls.db")],
            {"OUTDIAL_WEBHOOK_SECRET": self.secret})
        until(lambda: not port_is_free(self.port), what="the dialer listens")

    def name(self):
        return "sip-dialer " + self.t.organization

    def campaign(self, contacts, **fields):
        campaign = self.t.api.batch(self.agent, contacts, phone_number_ids=[self.number["id"]],
                                    **{"max_concurrent_calls": LINES, **fields})
        self.t.api.schedule(campaign)
        return campaign

    def close(self):
        self.t.stack.kill(self.name(), signal.SIGTERM)
        self.t.stack.kill("callee " + self.t.organization)


def numbers(count):
    return [{"phone_number": f"+1212{number:07}"} for number in range(5550000, 5550000 + count)]


def test_every_answer_of_sip_becomes_its_report(t):
    telephony = Telephony(t)
    campaign = telephony.campaign(numbers(200))
    t.api.wait_for(campaign, "completed", 120)
    for row in t.api.contacts_of(campaign):
        assert row["status"] == ENDINGS[int(row["phone_number"][-1])], row
        assert row["from_number"] == CALLER, row
    counted = t.api.read(campaign)
    expected = collections.Counter(ENDINGS)
    for status in expected:
        assert counted[status] == expected[status] * 20, (status, counted)
    for call in t.api.calls_of(campaign):
        assert call["end_reason"] == REASONS.get(call["phone_number"][-1], call["end_reason"]), call
        if call["end_reason"] == "message played":
            assert call["duration_seconds"] >= 1, call
    telephony.close()


def test_more_calls_than_lines_are_asked_for_again(t):
    telephony = Telephony(t, lines=2)
    campaign = telephony.campaign(numbers(10), max_concurrent_calls=10)
    t.api.wait_for(campaign, "completed", 90)
    assert t.api.read(campaign)["failed"] == 2 and t.api.read(campaign)["completed"] == 5
    telephony.close()


def test_a_restarted_dialer_reports_its_calls_and_places_none_twice(t):
    telephony = Telephony(t, ring_seconds=60)
    ringing = [{"phone_number": f"+1212555{number:03}3"} for number in range(5)]
    campaign = telephony.campaign(ringing)
    until(lambda: sum(call["status"] == "ringing" for call in t.api.calls_of(campaign)) == 5,
          what="all five ring")
    t.stack.kill(telephony.name())
    telephony.start()
    t.api.wait_for(campaign, "completed", 30)
    calls = t.api.calls_of(campaign)
    assert len(calls) == 5
    assert {call["end_reason"] for call in calls} == {"the dialer was restarted"}, calls
    telephony.close()


def test_a_webhook_without_the_right_signature_is_refused(t):
    """A request with a wrong signature also places no call. ../dialer.py checks the signature."""
    telephony = Telephony(t, lines=1)
    telephony.t.stack.kill(telephony.name(), signal.SIGTERM)
    telephony.secret = "whsec_" + "A" * 32
    telephony.start()
    campaign = telephony.campaign(numbers(1))
    tries = until(lambda: [attempt for call in t.api.calls_of(campaign)
                           for attempt in t.api.get(f"/calls/{call['id']}/tries")], what="it was asked")
    assert tries[0]["response_status"] == 401, tries
    telephony.close()


if __name__ == "__main__":
    tap.run(globals())
