#!/usr/bin/env python3
"""The database users of docs/operations.md have enough rights, and the user of the programs cannot change tables."""

import json
import os
import re
import signal
import subprocess

import tap
import stack
import statedir
from receiver import ends


def statements():
    with open(os.path.join(stack.ROOT, "docs", "operations.md")) as file:
        block = re.search(r"## Users of the database.*?```\n(.*?)```", file.read(), re.S)[1]
    return re.sub(r"IDENTIFIED BY '[^']*'", "IDENTIFIED BY 'a_password_1'", block)


def use(t, user):
    """The programs and commands of the stack use this database user from now on."""
    statedir.write_file(t.stack.database_file, f"[outdial]\nsocket = {t.stack.database.socket}\nuser = {user}\n"
                                               f"password = a_password_1\ndatabase = outdial\n")


def refused(t, statement):
    """Returns the server's answer to a statement of the programs' user."""
    command = ["mariadb", "--no-defaults", f"--socket={t.stack.database.socket}", "--user=outdial",
               "--password=a_password_1", "outdial"]
    result = subprocess.run(command, input=statement.encode(), capture_output=True)
    assert result.returncode != 0, f"“{statement}” was taken"
    return result.stderr.decode()


def test_a_campaign_runs_with_the_least_rights(t):
    for name in ("nginx", "scheduler-1", "api"):
        t.stack.kill(name, signal.SIGTERM)
    t.stack.sql("DROP USER outdial@localhost; DROP DATABASE outdial; CREATE DATABASE outdial CHARACTER SET utf8mb4;"
                + statements())
    use(t, "outdial_migrate")
    t.stack.outdial("migrate", "--sql", os.path.join(stack.ROOT, "sql"))
    use(t, "outdial")
    t.stack.start_api()
    t.stack.start_scheduler()
    t.stack.start_nginx()
    t.stack.wait_ready()
    t.api = t.client(organization="Least")
    receiver, agent = t.dialing_agent()
    receiver.script = lambda call: ends(delay=0.01)
    batch = t.api.batch(agent, 20)
    t.api.schedule(batch)
    t.api.wait_for(batch, "completed")
    gone = t.api.batch(agent, 3)
    t.api.delete(f"/batch-calls/{gone['id']}")
    assert t.api.get(f"/batch-calls/{batch['id']}/analytics")["completed"] == 20
    for command in (["check-config"], ["status"], ["pause", "--all"], ["resume", "--all"], ["secrets", "rekey"],
                    ["key", "list"]):
        t.stack.outdial(*command)


def test_the_programs_change_no_table(t):
    for statement in ("CREATE TABLE mine (id INT)", "ALTER TABLE agents ADD COLUMN mine INT", "DROP TABLE agents",
                      "CREATE INDEX mine ON agents (id)", "TRUNCATE TABLE agents", "CREATE DATABASE outdial_other"):
        assert re.search(r"ERROR (1142|1044)\b", refused(t, statement)), statement


def test_simulate_as_its_own_user(t):
    use(t, "outdial_simulate")
    try:
        shown = t.stack.outdial("simulate", script_of(t), "--sql", os.path.join(stack.ROOT, "sql"))
    finally:
        use(t, "outdial")
    assert "5 calls on 1 day; of 5 contacts 5 completed" in shown, shown
    assert not [name for name, in t.stack.sql("SHOW DATABASES") if "simulation" in name]


def script_of(t):
    path = os.path.join(t.stack.state_dir, "script.json")
    with open(path, "w") as file:
        json.dump({"starts_at": "2026-06-01T09:00:00", "contacts": [{"count": 5}],
                   "campaign": {"timezone": "Europe/Berlin"}}, file)
    return path


if __name__ == "__main__":
    tap.run(globals())
