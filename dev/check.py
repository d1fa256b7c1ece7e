"""The part of `./check` after the build: runs every test program, counts the results, and reports them.
"""

import concurrent.futures
import glob
import os
import re
import shutil
import subprocess
import sys
import threading
import time

import stack as stacks
from process import Error, explain

STATE = os.path.join(stacks.ROOT, ".outdial-check")
PROGRAM_SECONDS = 1800
RESULT = re.compile(r"^(not )?ok\b[^#\n]*(# *skip)?", re.IGNORECASE | re.MULTILINE)
FAILED = re.compile(r"^(not ok\b.*|# .*\.sanitizer\.\d+:)\n((?:#.*\n)*)", re.MULTILINE)
FINDING = re.compile(r"ERROR:|runtime error:")  # in a sanitizer's report
LEAK_SEARCH_CRASHED = "LeakSanitizer has encountered a fatal error"  # says nothing about the program
REASON_LINES, REASON_WIDTH = 6, 300  # of each failure, at the end of the output
PLAN = re.compile(r"^1\.\.(\d+)( *# *skip)?", re.IGNORECASE | re.MULTILINE)


class Count:
    """The number of single tests that passed, failed and were skipped; for a whole run, also the tests that failed."""

    def __init__(self, passed=0, failed=0, skipped=0):
        self.passed, self.failed, self.skipped = passed, failed, skipped
        self.failures = []
        self.lock = threading.Lock()

    def add(self, other):
        with self.lock:
            self.passed += other.passed
            self.failed += other.failed
            self.skipped += other.skipped

    def add_failure(self, name, lines):
        """Keeps the name of a program that failed, and the lines that say why, for the end of the output."""
        with self.lock:
            self.failures.append((name, lines))

    def __str__(self):
        return f"{self.passed} passed, {self.failed} failed, {self.skipped} skipped"


def count_tap(text, status):
    """A planned test without a result has failed. So has a program without results, or with a bad exit status that no
    result explains."""
    count = Count()
    for failed, skipped in RESULT.findall(text):
        if skipped:  # cmocka prints "not ok" before it
            count.skipped += 1
        elif failed:
            count.failed += 1
        else:
            count.passed += 1
    plans = PLAN.findall(text)
    seen = count.passed + count.failed + count.skipped
    count.failed += max(0, sum(int(number) for number, _ in plans) - seen)
    if not seen and any(skipped for _, skipped in plans):
        count.skipped = 1
    if not count.failed and (status != 0 or not plans):
        count.failed = 1
    return count


def failed_lines(text):
    """Returns the results that failed, each with the last lines of its explanation, and the first lines of sanitizers'
    reports. If there are none, returns the last lines of the output."""
    found = []
    for result, said in FAILED.findall(text):
        lines = said.splitlines()
        found += [result] + (lines[:REASON_LINES] if result.startswith("# ") else lines[-REASON_LINES:])
    return [line[:REASON_WIDTH] for line in found or text.rstrip().splitlines()[-REASON_LINES:]]


def print_failures(failures):
    for name, lines in failures:
        print(f"==> Failed: {name}")
        for line in lines:
            print(f"    {line}")


class Round:
    """Test programs under the same circumstances: one build, one kind of database."""

    def __init__(self, name, total, build="build", database="mariadb"):
        self.name, self.total, self.build, self.database = name, total, build, database
        self.folder = os.path.join(STATE, name)
        os.makedirs(self.folder)

    def unit_tests(self):
        for program in self._built("tests/unit"):
            self.run(program, [program])
        for script in scripts("tests/unit/*.py"):
            self.run(script, [sys.executable, script])

    def database_tests(self, once=False):
        """Starts one server for all tests. They run with each transaction twice. `once`: they also run with each
        transaction once, because a fault of a first run is undone before the second."""
        stack = stacks.Stack(os.path.join(self.folder, "db"), database=self.database,
                             build=self.build)
        try:
            stack.prepare()
            stack.start_database()
            stack.migrate()
            for program in self._built("tests/db"):
                self.run(program, [program], OUTDIAL_TEST_DATABASE_FILE=stack.database_file)
                if once:
                    self.run(f"{program}_once", [program], OUTDIAL_TEST_DATABASE_FILE=stack.database_file,
                             OUTDIAL_TEST_RUNS_ONCE="yes")
        except Error as error:
            self.total.add(Count(failed=1))
            self.total.add_failure(f"{self.name}: the database tests", str(error).splitlines())
            print(f"not ok - {self.name}: the database tests\n    {error}", flush=True)
        finally:
            stack.stop()

    def _built(self, folder):
        found = sorted(glob.glob(os.path.join(stacks.ROOT, self.build, folder, "test_*")))
        return [path for path in found if os.access(path, os.X_OK)]

    def run(self, path, command, **environment):
        """Runs one program and returns its result. Reports of the sanitizers go to files, because a worker may die
        unnoticed."""
        name = os.path.splitext(os.path.basename(path))[0]
        reports = os.path.join(self.folder, name + ".sanitizer")
        environment = dict(os.environ, **environment, CMOCKA_MESSAGE_OUTPUT="TAP",
                           OUTDIAL_BUILD=self.build, TMPDIR=self.folder,
                           ASAN_OPTIONS="log_path=" + reports,
                           UBSAN_OPTIONS=f"log_path={reports}:print_stacktrace=1")
        start = time.monotonic()
        status, text = run_program(command, environment, os.path.join(stacks.ROOT, self.build))
        seconds = time.monotonic() - start
        count = count_tap(text, status)
        if status != 0 or count.failed:
            text += f"# ended with status {status}\n"
        for report in glob.glob(reports + ".*"):
            with open(report) as file:
                said = file.read()
            text += f"# {report}:\n" + "".join(f"# {line}\n" for line in said.splitlines())
            if FINDING.search(said) or LEAK_SEARCH_CRASHED not in said:
                count.failed += 1
        with open(os.path.join(self.folder, name + ".tap"), "w") as file:
            file.write(text)
        self.total.add(count)
        if count.failed:
            self.total.add_failure(f"{self.name}: {name}", failed_lines(text))
        verdict = "not ok" if count.failed else "ok"
        shown = "    " + text.rstrip().replace("\n", "\n    ") + "\n" if count.failed else ""
        print(f"{verdict} - {self.name}: {name}: {count}, {seconds:.1f} s\n{shown}",
              end="", flush=True)


def package_tests(total):
    """Tests that build from the sources and boot a machine of their own."""
    packages = Round("packages", total)
    for script in scripts("tests/boot/test_*.py"):
        packages.run(script, [sys.executable, script])


def end_to_end_tests(rounds):
    """Each starts a stack of its own and waits a lot, so three are run at a time."""
    with concurrent.futures.ThreadPoolExecutor(3) as pool:
        jobs = [pool.submit(one.run, script, [sys.executable, script, "--database", one.database])
                for one in rounds for script in scripts("tests/e2e/test_*.py")]
        for job in jobs:
            job.result()


def scripts(pattern):
    return sorted(glob.glob(os.path.join(stacks.ROOT, pattern)))


def run_program(command, environment, folder):
    """Runs it in a folder, and returns its exit status and all that it printed. If it hangs, it gets some time to clean
    up."""
    program = subprocess.Popen(
        ["setpriv", "--pdeathsig", "TERM", "--"] + command, env=environment, cwd=folder,
        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    late = ""
    try:
        output, _ = program.communicate(timeout=PROGRAM_SECONDS)
    except subprocess.TimeoutExpired:
        program.terminate()
        output, _ = program.communicate()
        late = f"# stopped after {PROGRAM_SECONDS} s\n"
    return program.returncode, output.decode("utf-8", "replace") + late


def mysql_fault():
    """Returns None if MySQL 9 can be started here, else why not."""
    result = subprocess.run([os.path.join(stacks.ROOT, "dev", "mysql-root.sh")], text=True,
                            stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    if result.returncode == 0 and os.geteuid() != 0:
        return "starting it needs root"
    return result.stderr.strip() if result.returncode else None


def main():
    start = time.monotonic()
    total = Count()
    shutil.rmtree(STATE, ignore_errors=True)
    os.makedirs(STATE, mode=0o700)
    Round("unit", total).unit_tests()
    rounds = [Round("mariadb", total)]
    print("==> Looking for MySQL 9, or making a root filesystem for it", flush=True)
    fault = mysql_fault()
    if fault:
        total.add(Count(skipped=1))
    else:
        rounds.append(Round("mysql", total, database="mysql"))
    rounds.append(Round("asan", total, build="build-asan"))
    rounds[-1].unit_tests()
    for one in rounds:
        one.database_tests(once=one is rounds[0])
    end_to_end_tests(rounds)
    package_tests(total)

    print(f"==> {(time.monotonic() - start) / 60:.1f} minutes; outputs and logs are in {STATE}")
    if fault:
        print(f"==> The part on MySQL 9 was skipped: {fault}")
    print_failures(total.failures)
    print(total)
    return 1 if total.failed else 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        sys.exit(130)
    except Error as error:
        sys.exit(f"check: {error}")
    except OSError as error:
        sys.exit(f"check: {explain(error)}")
