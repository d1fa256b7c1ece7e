#!/usr/bin/env python3
"""Hours in which people may be called: presets, the default of an organisation, warnings of calls at night."""

import os
import subprocess
import tempfile

import tap
from client import contacts

HOURS = [{"days": [1, 2, 3, 4, 5], "start": "09:00", "end": "18:00"}]
DAY = {"start_time": "09:00", "end_time": "18:00"}
table = tempfile.NamedTemporaryFile("w", prefix="outdial-number-zones-")
table.write("49|Europe/Berlin\n81|Asia/Tokyo\n1|America/New_York&America/Los_Angeles\n")
table.flush()

STACK = {"rate_limit": False, "config": {"number_zones_file": table.name}}


def create(t, agent, people=0, **fields):
    """Returns the campaign and the warnings."""
    body = {"name": "B", "agent_id": agent["id"], "phone_number_ids": [t.number["id"]],
            "contacts": contacts(people) if isinstance(people, int) else people}
    reply = t.api.ask("POST", "/batch-calls", {**body, **fields})
    return reply.data, reply.body["meta"]["warnings"]


def agent_of(t):
    _, agent = t.dialing_agent()
    t.number = t.api.number()
    return agent


def test_presets(t):
    agent = agent_of(t)
    presets = {preset["name"]: preset for preset in t.api.get("/calling-hours-presets")}
    assert {"us", "us-fl", "fr", "au", "ca", "es", "it", "za"} <= set(presets), presets
    assert all(preset["source"] and preset["title"] and preset["calling_windows"] for preset in presets.values())
    for name, preset in presets.items():
        batch, warnings = create(t, agent, calling_hours=name, timezone="Europe/Paris")
        assert batch["calling_windows"] == preset["calling_windows"] and "calling_hours" not in batch, batch
        assert bool(warnings) == (name == "ca"), (name, warnings)  # until 21:30
    assert batch["working_days"] == sorted({day for window in preset["calling_windows"] for day in window["days"]})
    for wrong in ({"calling_hours": "xx"}, {"calling_hours": "us", **DAY},
                  {"calling_hours": "us", "calling_windows": HOURS}):
        t.api.refuse("validation_error", "POST", "/batch-calls", {"name": "B", "agent_id": agent["id"], **wrong},
                     field="calling_hours")
    t.api.refuse("validation_error", "PATCH", f"/batch-calls/{batch['id']}", {"calling_hours": "us"},
                 field="calling_hours")


def test_the_default_of_an_organisation(t):
    agent = agent_of(t)
    old, _ = create(t, agent)
    before = t.api.get("/organization")
    assert old["calling_windows"] == before["default_calling_windows"] == []
    after = t.api.ask("PATCH", "/organization", {"default_calling_windows": HOURS}).data
    assert after["default_calling_windows"] == HOURS and after["updated_at"] > before["updated_at"], after
    assert after == {**before, "default_calling_windows": HOURS, "updated_at": after["updated_at"]}
    assert t.stack.sql(f"SELECT COUNT(*) FROM contact_limits c JOIN organizations o ON o.id = c.organization_id"
                       f" AND o.name = '{t.organization}'") == [["0"]]
    batch, warnings = create(t, agent)
    assert (batch["calling_windows"], batch["working_days"], warnings) == (HOURS, [1, 2, 3, 4, 5], []), batch
    batch, _ = create(t, agent, working_days=[1, 6])
    assert (batch["calling_windows"], batch["working_days"]) == (HOURS, [1, 6]), batch
    t.api.refuse("validation_error", "POST", "/batch-calls",
                 {"name": "B", "agent_id": agent["id"], "working_days": [6, 7]}, field="working_days")
    for given in (DAY, {"start_time": "00:00", "end_time": "24:00"}):
        batch, _ = create(t, agent, **given)
        assert batch["calling_windows"] == [] and {name: batch[name] for name in given} == given, batch
    batch, _ = create(t, agent, calling_hours="us")
    assert batch["calling_windows"] != HOURS, batch
    assert t.api.read(old)["calling_windows"] == [], "campaigns of before stay"
    assert t.client(organization="another").get("/organization")["default_calling_windows"] == []
    t.api.ask("PATCH", "/organization", {"contact_limits": [{"max_attempts": 3, "period_days": 7}]})
    assert t.api.get("/organization")["default_calling_windows"] == HOURS
    t.api.refuse("validation_error", "PATCH", "/organization",
                 {"default_calling_windows": [{"days": [1], "start": "09:00", "end": "09:00"}]},
                 field="default_calling_windows[0].end")
    t.api.ask("PATCH", "/organization", {"default_calling_windows": None})
    assert create(t, agent)[0]["calling_windows"] == []


def test_warnings_of_calls_at_night(t):
    agent = agent_of(t)
    people = lambda *numbers: [{"phone_number": number} if number[0] == "+"
                               else {"phone_number": f"+3120000{i}", "timezone": number}
                               for i, number in enumerate(numbers)]
    berlin = {"timezone": "Europe/Berlin"}
    for fields, whom, wanted in (
            ({}, (), (0, "UTC")), ({"timezone": "Asia/Tokyo"}, (), (0, "Asia/Tokyo")), (DAY, (), None),
            ({"start_time": "08:00", "end_time": "21:00"}, (), None),
            ({"start_time": "07:59", "end_time": "21:00"}, (), (0, "UTC")),
            ({"start_time": "08:00", "end_time": "21:01"}, (), (0, "UTC")),
            ({"start_time": "20:00", "end_time": "02:00"}, (), (0, "UTC")),
            ({**DAY, **berlin}, ("+4930100",), None),
            ({**DAY, **berlin}, ("+4930100", "+81300000", "Asia/Tokyo"), (2, "Asia/Tokyo")),
            ({**DAY, **berlin}, ("+31200000",), None),
            ({**DAY, **berlin, "respect_contact_timezone": True},
             ("+4930100", "+81300000", "Asia/Tokyo", "+12125550100"), None),
            ({**berlin, "respect_contact_timezone": True}, ("Asia/Tokyo",), (1, "Asia/Tokyo")),
            ({"start_time": "12:00", "end_time": "20:00", "timezone": "America/New_York"}, ("+12125550100",), None),
            ({"start_time": "09:00", "end_time": "20:00", "timezone": "America/New_York"}, ("+12125550100",),
             (1, "America/Los_Angeles")),
            # The call is too early only in the other half of the year, when one of the two zones has moved its clocks.
            ({"start_time": "08:00", "end_time": "09:00", "timezone": "Europe/Berlin"}, ("Africa/Algiers",),
             (1, "Africa/Algiers"))):
        batch, warnings = create(t, agent, people(*whom), **fields)
        assert [(one["contacts"], one["timezone"]) for one in warnings] == ([wanted] if wanted else []), \
            (fields, whom, warnings)
        assert all(one["code"] == "calls_at_night" and one["message"] for one in warnings)
        if whom:
            again = t.api.ask("POST", f"/batch-calls/{batch['id']}/schedule", {"scheduled_at": "2040-01-02T00:00:00Z"})
            assert again.body["meta"]["warnings"] == warnings, (fields, whom, again)
            t.api.post(f"/batch-calls/{batch['id']}/cancel")


def test_a_table_of_the_operator(t):
    with tempfile.TemporaryDirectory() as place:
        path = os.path.join(place, "hours.txt")
        config = open(t.stack.config_file).read().splitlines()
        with open(path + ".conf", "w") as out:
            out.write("\n".join(line for line in config if not line.startswith("calling_hours_file"))
                      + f"\ncalling_hours_file = {path}\n")
        for wrong in ("us", "us|8|08:00|21:00|a|b", "us|1|8|21:00|a|b", "us|1|08:00|08:00|a|b", "us|1|08:00|21:00",
                      "us|1|08:00|25:00|a|b", "|1|08:00|21:00|a|b"):
            with open(path, "w") as out:
                out.write(wrong + "\n")
            said = subprocess.run([os.path.join(t.stack.build, "outdial"), "-c", path + ".conf", "check-config"],
                                  capture_output=True, text=True)
            assert said.returncode and "hours.txt:1: expected NAME" in said.stderr, (wrong, said)


if __name__ == "__main__":
    tap.run(globals())
