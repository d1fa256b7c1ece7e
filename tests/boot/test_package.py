#!/usr/bin/env python3
"""The Debian packages: built, installed on a fresh Debian that systemd boots as PID 1, used for a campaign
(debian/tests/campaign), upgraded, removed and purged."""

import glob
import os
import shutil
import sys

from machine import PACKAGES, Machine, campaign, copy_sources, main, run


def test_packages_are_built(t):
    source = os.path.join(t.folder, "outdial")
    copy_sources(source)
    run(["dpkg-buildpackage", "-us", "-uc", "-b"], cwd=source,
        env=dict(os.environ, DEB_BUILD_OPTIONS="nocheck parallel=2"))
    for package in PACKAGES:
        found = glob.glob(os.path.join(t.folder, package + "_*.deb"))
        assert len(found) == 1, (package, found)


def test_lintian_has_nothing_to_say(t):
    if not shutil.which("lintian"):
        return "lintian is not installed"
    said = run(["lintian", "--allow-root", "--fail-on", "warning"] + glob.glob(os.path.join(t.folder, "*.changes")))
    assert not said.strip(), said


def test_a_campaign_on_a_booted_machine(t):
    t.machine = Machine(t.folder)
    t.machine.take(t.folder)
    t.machine.run("apt-get", "update", "-q")
    t.machine.install()
    assert t.machine.run("stat", "-c", "%a %U:%G", "/etc/outdial/secret.key").strip() == "640 root:outdial"
    with open(t.machine.path("/etc/outdial/secret.key")) as file:
        t.key = file.read()
    campaign(t.machine)


def test_an_upgrade_keeps_what_the_administrator_wrote(t):
    t.machine.install("--reinstall", "-o", "Dpkg::Options::=--force-confold")
    with open(t.machine.path("/etc/outdial/secret.key")) as file:
        assert file.read() == t.key
    with open(t.machine.path("/etc/outdial/database.cnf")) as file:
        assert "tried in a test" in file.read()
    t.machine.write("/root/after", "#!/bin/sh\nset -e\ni=0\n"
                    "until curl -sf http://127.0.0.1:8080/readyz; do i=$((i + 1)); [ $i -lt 150 ]; sleep 0.2; done\n"
                    "systemctl is-active outdial-api outdial-scheduler\n", 0o755)
    t.machine.boot("/root/after")


def test_purge_leaves_nothing_but_the_database(t):
    t.machine.run("apt-get", "remove", "-y", *PACKAGES)
    assert os.path.exists(t.machine.path("/etc/outdial/secret.key")), "a removed package keeps its configuration"
    t.machine.run("apt-get", "purge", "-y", *PACKAGES)
    left = t.machine.run("find", "/etc", "/usr", "-name", "*outdial*", "-not", "-path", "/etc/nginx/*").split()
    assert not left, left
    assert os.path.isdir(t.machine.path("/var/lib/mysql/outdial"))


if __name__ == "__main__":
    sys.exit(main(globals()))
