"""What `./check` does once everything is built: run every test program, count, and tell.

Every program speaks TAP. One line each is printed for those that pass; the others are shown whole.
"""

import glob
import os
import re
import shutil
import subprocess
import sys
import time

import stack as stacks
from process import Error, explain

STATE = os.path.join(stacks.ROOT, ".outdial-check")
PROGRAM_SECONDS = 900
RESULT = re.compile(r"^(not )?ok\b[^#\n]*(# *skip)?", re.IGNORECASE | re.MULTILINE)
PLAN = re.compile(r"^1\.\.(\d+)( *# *skip)?", re.IGNORECASE | re.MULTILINE)


class Count:
    """Of single tests."""

    def __init__(self, passed=0, failed=0, skipped=0):
        self.passed, self.failed, self.skipped = passed, failed, skipped

    def add(self, other):
        self.passed += other.passed
        self.failed += other.failed
        self.skipped += other.skipped

    def __str__(self):
        return f"{self.passed} passed, {self.failed} failed, {self.skipped} skipped"


def count_tap(text, status):
    """A planned test without a result has failed, and so has one without results, or with a bad
    exit status that no result explains."""
    count = Count()
    for failed, skipped in RESULT.findall(text):
        if failed:
            count.failed += 1
        elif skipped:
            count.skipped += 1
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


class Round:
    """Test programs under the same circumstances: one build, one kind of database."""

    def __init__(self, name, total, build="build", database="mariadb"):
        self.name, self.total, self.build, self.database = name, total, build, database
        self.folder = os.path.join(STATE, name)
        os.makedirs(self.folder)

    def unit(self):
        for program in self._built("tests/unit"):
            self._run(program, [program])
        self._scripts("unit/*.py")

    def database_tests(self):
        """One server for all of them."""
        stack = stacks.Stack(os.path.join(self.folder, "db"), database=self.database,
                             build=self.build)
        try:
            stack.prepare()
            stack.start_database()
            stack.migrate()
            for program in self._built("tests/db"):
                self._run(program, [program], OUTDIAL_TEST_DATABASE_FILE=stack.database_file)
        except Error as error:
            self.total.add(Count(failed=1))
            print(f"not ok - {self.name}: the database tests\n    {error}", flush=True)
        finally:
            stack.stop()

    def end_to_end(self):
        """Each starts a stack of its own."""
        self._scripts("e2e/test_*.py", "--database", self.database)

    def _scripts(self, pattern, *arguments):
        for script in sorted(glob.glob(os.path.join(stacks.ROOT, "tests", pattern))):
            self._run(script, [sys.executable, script, *arguments])

    def _built(self, folder):
        found = sorted(glob.glob(os.path.join(stacks.ROOT, self.build, folder, "test_*")))
        return [path for path in found if os.access(path, os.X_OK)]

    def _run(self, path, command, **environment):
        """Runs one program and tells what came of it. Reports of the sanitizers go to files, since
        the program that they are about may be a worker whose death nobody would notice."""
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
        for report in glob.glob(reports + ".*"):
            with open(report) as file:
                text += f"# {report}:\n{file.read()}"
            count.failed += 1
        with open(os.path.join(self.folder, name + ".tap"), "w") as file:
            file.write(text)
        self.total.add(count)
        verdict = "not ok" if count.failed else "ok"
        print(f"{verdict} - {self.name}: {name}: {count}, {seconds:.1f} s", flush=True)
        if count.failed:
            print("    " + text.rstrip().replace("\n", "\n    "), flush=True)


def run_program(command, environment, folder):
    """Runs it in a folder, and returns its exit status and all that it printed. When it is stuck it
    gets the time to tidy up."""
    program = subprocess.Popen(command, env=environment, stdin=subprocess.DEVNULL, cwd=folder,
                               stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    try:
        output, _ = program.communicate(timeout=PROGRAM_SECONDS)
        late = ""
    except subprocess.TimeoutExpired:
        program.terminate()
        output, _ = program.communicate()
        late = f"# stopped after {PROGRAM_SECONDS} s\n"
    except BaseException:
        program.terminate()
        program.communicate()
        raise
    return program.returncode, output.decode("utf-8", "replace") + late


def mysql_fault():
    """None when MySQL 9 can be started here, else why not."""
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
    mariadb = Round("mariadb", total)
    mariadb.unit()
    mariadb.database_tests()
    mariadb.end_to_end()

    print("==> Looking for MySQL 9, or making a root filesystem for it", flush=True)
    fault = mysql_fault()
    if fault:
        total.add(Count(skipped=1))
    else:
        mysql = Round("mysql", total, database="mysql")
        mysql.database_tests()
        mysql.end_to_end()

    sanitized = Round("sanitizers", total, build="build-asan")
    sanitized.unit()
    sanitized.database_tests()
    sanitized.end_to_end()

    print(f"==> {(time.monotonic() - start) / 60:.1f} minutes; outputs and logs are in {STATE}")
    if fault:
        print(f"==> The part on MySQL 9 was skipped: {fault}")
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
