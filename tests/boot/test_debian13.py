#!/usr/bin/env python3
"""The Debian packages on Debian 13. They are built on Debian 13, because its libraries differ from Debian 12. Then they
are installed on a fresh system that systemd boots as PID 1, and make the calls of a campaign."""

import os
import platform
import sys

from machine import PACKAGES, Machine, campaign, copy_sources, main, run

SUITE = "trixie"
TOOLS = ["build-essential", "debhelper", "dh-autoreconf"]


def test_packages_are_built_inside(t):
    """The build does not optimize, which saves a minute. Its packages are installed into a copy of the root."""
    inside = Machine(os.path.join(t.folder, "build"), SUITE)
    copy_sources(inside.path("/srv/outdial"))
    inside.run("apt-get", "update", "-q")
    inside.run("apt-get", "install", "-y", "--no-install-recommends", *TOOLS)
    inside.run("apt-get", "build-dep", "-y", "--no-install-recommends", "/srv/outdial")
    inside.run("sh", "-ec",
               "cd /srv/outdial; DEB_BUILD_OPTIONS='nocheck noopt parallel=2' dpkg-buildpackage -us -uc -b")
    for package in PACKAGES:
        run(["sh", "-ec", f"mv {inside.path('/srv')}/{package}_*.deb {t.folder}"])


def test_a_campaign_on_a_booted_machine(t):
    t.machine = Machine(t.folder, SUITE)
    t.machine.take(t.folder)
    t.machine.run("apt-get", "update", "-q")
    t.machine.install()
    campaign(t.machine)


if __name__ == "__main__":
    if platform.freedesktop_os_release().get("VERSION_CODENAME") == SUITE:
        print("1..0 # skip this machine has Debian 13, so test_package.py tests the packages on it")
        sys.exit(0)
    sys.exit(main(globals(), SUITE))
