#!/usr/bin/env python3
"""The server's administrator has changed settings of all sessions. Without settings of their own, the programs'
statements would have other effects."""

import os

import tap
from client import contacts
from receiver import ends

BOTH = ["--autocommit=0", "--transaction-isolation=SERIALIZABLE", "--transaction-read-only=ON",
        "--completion-type=CHAIN",
        "--wait-timeout=5", "--innodb-lock-wait-timeout=1", "--character-set-server=latin1",
        "--collation-server=latin1_swedish_ci",
        "--default-time-zone=+05:30", "--group-concat-max-len=16", "--default-storage-engine=MyISAM",
        "--innodb-strict-mode=OFF"]
STACK = {"server_settings": {
    "mariadb": BOTH + ["--sql-mode=ANSI_QUOTES,PIPES_AS_CONCAT,IGNORE_SPACE,NO_BACKSLASH_ESCAPES,ORACLE",
                       "--lower-case-table-names=1",
                       "--innodb-force-primary-key=ON", "--skip-character-set-client-handshake",
                       "--init-connect=SET sql_safe_updates = 1, sql_select_limit = 2"],
    "mysql": BOTH
    + ["--sql-mode=ANSI_QUOTES,PIPES_AS_CONCAT,IGNORE_SPACE,NO_BACKSLASH_ESCAPES,PAD_CHAR_TO_FULL_LENGTH",
       "--sql-require-primary-key=ON",
                     "--init-connect=SET sql_safe_updates = 1, sql_select_limit = 2"]}}


def test_a_campaign(t):
    receiver, agent = t.dialing_agent()
    receiver.script = lambda call: ends()
    name = "Grüße “quoted” \\ 日本 🎉"
    batch = t.api.batch(agent, [dict(contact, first_name=name) for contact in contacts(25)], name=name)
    t.api.schedule(batch)
    t.api.wait_for(batch, "completed")
    assert t.api.get(f"/batch-calls/{batch['id']}")["name"] == name
    rows = t.api.get(f"/batch-calls/{batch['id']}/contacts?limit=100")
    assert len(rows) == 25 and all(row["first_name"] == name for row in rows), rows[:2]
    assert t.stack.sql("SELECT HEX(name) FROM batch_calls") == [[name.encode().hex().upper()]]
    t.stack.outdial("check-config")


if __name__ == "__main__":
    tap.run(globals())
