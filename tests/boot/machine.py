"""A Debian with the packages of Outdial that systemd boots as PID 1, for the tests of this folder. It needs root,
debootstrap and systemd-nspawn, and is skipped where one is missing."""

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
BOOT_ROOT = os.path.join(ROOT, "dev", "boot-root.sh")
TOOLS = ["debootstrap", "systemd-nspawn", "dpkg-buildpackage", "dh", "nsenter", "pgrep"]
PACKAGES = ["outdial", "outdial-api", "outdial-scheduler"]
NO_SERVICES = "#!/bin/sh\nexit 101\n"  # policy-rc.d: nothing starts in a filesystem that is not booted


def run(command, **options):
    """Returns the output of a command. Raises an error with the end of the output if the command fails."""
    result = subprocess.run(command, text=True, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                            stderr=subprocess.STDOUT, **options)
    assert result.returncode == 0, f"{' '.join(command)}: {result.returncode}\n{result.stdout[-4000:]}"
    return result.stdout


def missing(*suite):
    """Returns why these tests cannot run here, or None. Creates the root filesystem if it does not exist."""
    if os.geteuid() != 0:
        return "booting Debian needs root"
    absent = [tool for tool in TOOLS if not shutil.which(tool)]
    if absent:
        return "not installed: " + " ".join(absent)
    made = subprocess.run([BOOT_ROOT, *suite], text=True, capture_output=True)
    return made.stderr.strip() if made.returncode else None


class Machine:
    """A copy of the root filesystem of a release (of this machine's, if none is named), in a folder that is removed at
    the end."""

    def __init__(self, folder, *suite):
        os.makedirs(folder, exist_ok=True)
        self.root = os.path.join(folder, "root")
        run(["cp", "-a", "--reflink=auto", run([BOOT_ROOT, *suite]).strip(), self.root])
        self.write("/usr/sbin/policy-rc.d", NO_SERVICES, 0o755)

    def path(self, name):
        return self.root + name

    def write(self, name, text, mode=0o644):
        with open(self.path(name), "w") as file:
            file.write(text)
        os.chmod(self.path(name), mode)

    def run(self, *command):
        """Runs a program in the filesystem, which is not booted, with the network of this machine."""
        shutil.copy("/etc/resolv.conf", self.path("/etc/resolv.conf"))
        return run(["unshare", "--mount", "--pid", "--fork", f"--mount-proc={self.root}/proc",
                    "chroot", self.root, "env", "--unset=TMPDIR", "DEBIAN_FRONTEND=noninteractive", *command])

    def install(self, *options):
        names = [f"/root/{os.path.basename(path)}" for path in glob.glob(self.path("/root/*.deb"))]
        return self.run("apt-get", "install", "-y", "--no-install-recommends", *options, *names)

    def take(self, folder):
        """Returns the packages that were built there."""
        for package in PACKAGES:
            shutil.copy(glob.glob(os.path.join(folder, package + "_*.deb"))[0], self.path("/root/"))

    def boot(self, *command):
        os.unlink(self.path("/usr/sbin/policy-rc.d"))
        try:
            return run([BOOT, self.root, *command], timeout=600)
        finally:
            self.write("/usr/sbin/policy-rc.d", NO_SERVICES, 0o755)


def copy_sources(source):
    """Returns the files of the checkout."""
    os.makedirs(source)
    files = subprocess.run(["git", "ls-files", "-co", "--exclude-standard", "-z"], cwd=ROOT, check=True,
                           stdout=subprocess.PIPE).stdout.decode().split("\0")
    files = [name for name in files if name and os.path.lexists(os.path.join(ROOT, name))]
    run(["cp", "--parents", "-P", "-t", source, *files], cwd=ROOT)


def campaign(machine):
    """Runs a campaign with the installed packages, and checks the protection of the units."""
    shutil.copy(os.path.join(ROOT, "debian", "tests", "campaign"), machine.path("/root/campaign"))
    said = machine.boot("/root/campaign")
    assert "ok: 12 of 12 contacts" in said, said


class Test:
    """The results that a test hands to the tests after it."""

    def __init__(self, folder):
        self.folder = folder
        self.machine = self.key = None


def main(functions, *suite):
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    reason = missing(*suite)
    if reason:
        print(f"1..0 # skip {' '.join(reason.split())}")
        return 0
    tests = [(name[len("test_"):], function) for name, function in functions.items() if name.startswith("test_")]
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
