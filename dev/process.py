"""One child process that cannot outlive this one.

A child leads a session and process group of its own, so that Ctrl-C in the terminal reaches only
us and we stop things in the right order; and it asks the kernel for a signal if we die first
(`setpriv --pdeathsig`). Its standard output and error are appended to a log file.

The kernel ties that signal to the *thread* that started the child: start from the main thread.
"""

import errno
import os
import signal
import subprocess
import time


class Error(Exception):
    """An error that a person has to read. The text is the whole message."""


class Process:
    def __init__(self, name, argv, log, env=None, orphaned="TERM"):
        self.name, self.argv, self.log, self.env, self.orphaned = name, argv, log, env, orphaned
        self.started = time.monotonic()
        self.log_start = os.path.getsize(log) if os.path.exists(log) else 0
        with open(log, "ab") as out:
            self.popen = subprocess.Popen(
                ["setpriv", "--pdeathsig", orphaned, "--"] + [str(arg) for arg in argv],
                stdin=subprocess.DEVNULL, stdout=out, stderr=out,
                env=dict(os.environ, **(env or {})), start_new_session=True)
        self.pid = self.popen.pid

    def alive(self):
        """Looks without reaping, so that the process group keeps its number until stop()."""
        if self.popen.returncode is not None:
            return False
        return os.waitid(os.P_PID, self.pid, os.WEXITED | os.WNOHANG | os.WNOWAIT) is None

    def again(self):
        """Starts the same program again after stop()."""
        return Process(self.name, self.argv, self.log, self.env, self.orphaned)

    def wait(self, seconds):
        """Waits for the end of the process. Returns False if it does not end in time."""
        deadline = time.monotonic() + seconds
        while self.alive():
            if time.monotonic() > deadline:
                return False
            time.sleep(0.01)
        return True

    def send(self, number):
        if self.alive():
            os.kill(self.pid, number)

    def stop(self, number=signal.SIGTERM, seconds=30):
        """Asks the process to end, then kills it and all processes that it left."""
        if self.popen.returncode is not None:
            return
        self.send(number)
        self.wait(seconds)
        try:
            os.killpg(self.pid, signal.SIGKILL)
        except ProcessLookupError:
            pass
        self.popen.wait()

    def last_words(self, lines=12):
        """Returns the end of the process's log since its start."""
        with open(self.log, "rb") as log:
            log.seek(self.log_start)
            text = log.read().decode("utf-8", "replace")
        return "\n".join("    " + line for line in text.splitlines()[-lines:])


def run(argv, log, what):
    """Runs a command to its end, with its output in the log. Raises Error if it fails."""
    process = Process(what, argv, log)
    try:
        process.wait(float("inf"))
    finally:
        process.stop()
    if process.popen.returncode != 0:
        raise Error(f"{what} failed (status {process.popen.returncode}); the end of {log}:\n" +
                    process.last_words())


def explain(error):
    """Returns the message for an OSError because of a full disk or a missing right."""
    where = f": {error.filename}" if error.filename else ""
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return f"the disk is full{where}"
    return f"{error.strerror}{where}"
