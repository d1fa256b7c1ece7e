"""The programs as they were before the newest file of sql/: built from the history of the checkout, once."""

import fcntl
import os
import shutil
import subprocess

from stack import ROOT

PROGRAMS = ["outdial-api", "outdial-scheduler", "outdial"]
PLACE = os.path.join(ROOT, "build", "earlier")
FIRST = "0034_cells.sql"  # the first version that keeps answering after a migration


def git(*arguments):
    result = subprocess.run(["git", *arguments], cwd=ROOT, capture_output=True, text=True)
    return result.stdout.strip() if result.returncode == 0 else ""


def commit():
    """Returns the last commit before the newest file of sql/; "" if the history does not go back to a version that
    keeps answering after a migration."""
    newest = max(name for name in os.listdir(os.path.join(ROOT, "sql")) if name.endswith(".sql"))
    came = git("log", "--diff-filter=A", "-1", "--format=%H", "--", "sql/" + newest)
    before = git("rev-parse", "--verify", "--quiet", (came or "HEAD") + ("^" if came else ""))
    return before if git("ls-tree", "--name-only", before, "sql/" + FIRST) else ""


def folder():
    """Builds a folder with sql/, and the programs in build/, and returns it; or ROOT, if there is no such commit. The
    build does not optimize, which takes half the time."""
    if not commit():
        return ROOT
    os.makedirs(PLACE, exist_ok=True)
    place = os.path.join(PLACE, commit()[:12])
    with open(os.path.join(PLACE, "lock"), "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not os.path.isdir(place):
            shutil.rmtree(place + ".new", ignore_errors=True)
            os.makedirs(place + ".new/build")
            _run(f"git archive {commit()} | tar -x -C {place}.new", ROOT)
            _run("autoreconf --install", place + ".new")
            _run("../configure --disable-dashboard --disable-werror CFLAGS=-O0", place + ".new/build")
            _run(f"make -j2 {' '.join(PROGRAMS)}", place + ".new/build")
            os.rename(place + ".new", place)
    return place


def _run(command, where):
    result = subprocess.run(["sh", "-ec", command], cwd=where, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                            stderr=subprocess.STDOUT, text=True)
    assert result.returncode == 0, f"{command}: {result.stdout[-2000:]}"
