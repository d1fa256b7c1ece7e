#!/usr/bin/env python3
"""The Debian packages: built, installed on a fresh Debian that systemd boots as PID 1, used for a campaign
(debian/tests/campaign), upgraded, removed and purged. It needs root, debootstrap and systemd-nspawn, and is
skipped where one is missing."""

import glob
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import traceback

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))
BOOT = os.path.join(HERE, "boot.sh")
TOOLS = ["debootstrap", "systemd-nspawn", "dpkg-buildpackage", "dh", "nsenter", "pgrep"]
PACKAGES = ["outdial", "outdial-api", "outdial-scheduler"]
NO_SERVICES = "#!/bin/sh\nexit 101\n"  # policy-rc.d: nothing starts in a filesystem that is not booted


def run(command, **options):
    """Returns all that it printed; fails with its end."""
    result = subprocess.run(command, text=True, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                            stderr=subprocess.STDOUT, **options)
    assert result.returncode == 0, f"{' '.join(command)}: {result.returncode}\n{result.stdout[-4000:]}"
    return result.stdout


def missing():
    """Why nothing of this can run here, or None."""
    if os.geteuid() != 0:
        return "booting Debian needs root"
    absent = [tool for tool in TOOLS if not shutil.which(tool)]
    if absent:
        return "not installed: " + " ".join(absent)
    made = subprocess.run([os.path.join(ROOT, "dev", "boot-root.sh")], text=True, capture_output=True)
    return made.stderr.strip() if made.returncode else None


class Machine:
    """A copy of the root filesystem, in a folder that is removed at the end."""

    def __init__(self, folder):
        self.folder = folder
        self.root = os.path.join(folder, "root")
        source = run([os.path.join(ROOT, "dev", "boot-root.sh")]).strip()
        run(["cp", "-a", "--reflink=auto", source, self.root])
        self.write("/usr/sbin/policy-rc.d", NO_SERVICES, 0o755)

    def path(self, name):
        return self.root + name

    def write(self, name, text, mode=0o644):
        with open(self.path(name), "w") as file:
            file.write(text)
        os.chmod(self.path(name), mode)

    def run(self, *command):
        """In the filesystem, not booted, with the network of this machine."""
        shutil.copy("/etc/resolv.conf", self.path("/etc/resolv.conf"))
        return run(["unshare", "--mount", "--pid", "--fork", f"--mount-proc={self.root}/proc",
                    "chroot", self.root, "env", "DEBIAN_FRONTEND=noninteractive", *command])

    def install(self, *options):
        names = [f"/root/{os.path.basename(path)}" for path in glob.glob(self.path("/root/*.deb"))]
        return self.run("apt-get", "install", "-y", "--no-install-recommends", *options, *names)

    def boot(self, *command):
        os.unlink(self.path("/usr/sbin/policy-rc.d"))
        try:
            return run([BOOT, self.root, *command], timeout=600)
        finally:
            self.write("/usr/sbin/policy-rc.d", NO_SERVICES, 0o755)


def build(folder):
    """Builds the packages from what the checkout holds."""
    source = os.path.join(folder, "outdial")
    os.makedirs(source)
    files = subprocess.run(["git", "ls-files", "-co", "--exclude-standard", "-z"], cwd=ROOT, check=True,
                           stdout=subprocess.PIPE).stdout.decode().split("\0")
    files = [name for name in files if name and os.path.lexists(os.path.join(ROOT, name))]
    run(["cp", "--parents", "-P", "-t", source, *files], cwd=ROOT)
    run(["dpkg-buildpackage", "-us", "-uc", "-b"], cwd=source,
        env=dict(os.environ, DEB_BUILD_OPTIONS="nocheck parallel=2"))


def test_packages_are_built(t):
    build(t.folder)
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
    for package in PACKAGES:
        shutil.copy(glob.glob(os.path.join(t.folder, package + "_*.deb"))[0], t.machine.path("/root/"))
    t.machine.run("apt-get", "update", "-q")
    t.machine.install()
    assert t.machine.run("stat", "-c", "%a %U:%G", "/etc/outdial/secret.key").strip() == "640 root:outdial"
    with open(t.machine.path("/etc/outdial/secret.key")) as file:
        t.key = file.read()
    shutil.copy(os.path.join(ROOT, "debian", "tests", "campaign"), t.machine.path("/root/campaign"))
    said = t.machine.boot("/root/campaign")
    assert "ok: 12 of 12 contacts" in said, said


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


class Test:
    """What the tests, which build upon each other, hand on."""

    def __init__(self, folder):
        self.folder = folder
        self.machine = self.key = None


def main():
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    reason = missing()
    if reason:
        print(f"1..0 # skip {' '.join(reason.split())}")
        return 0
    tests = [(name[len("test_"):], function) for name, function in globals().items() if name.startswith("test_")]
    print(f"1..{len(tests)}", flush=True)
    failed = False
    with tempfile.TemporaryDirectory(prefix="outdial-boot-") as folder:
        t = Test(folder)
        for number, (name, function) in enumerate(tests, 1):
            try:
                skipped = function(t)
                print(f"ok {number} - {name}" + (f" # skip {skipped}" if skipped else ""), flush=True)
            except Exception:
                failed = True
                print(f"not ok {number} - {name}\n# " + traceback.format_exc().replace("\n", "\n# "), flush=True)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
