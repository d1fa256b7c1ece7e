"""Runs the functions test_NAME of a file, in their order, and prints TAP."""

import subprocess
import sys


class Skip(Exception):
    """The reason why a test cannot be run here."""


def run(names):
    tests = [(name, test) for name, test in names.items() if name.startswith("test_")]
    failed = 0
    print(f"1..{len(tests)}")
    for number, (name, test) in enumerate(tests, 1):
        words = name.removeprefix("test_").replace("_", " ")
        try:
            test()
            print(f"ok {number} - {words}")
        except Skip as reason:
            print(f"ok {number} - {words} # SKIP {reason}")
        except (AssertionError, KeyError, OSError, subprocess.CalledProcessError) as fault:
            failed += 1
            lines = f"{type(fault).__name__} {fault}".splitlines()
            print(f"not ok {number} - {words}\n" + "".join(f"# {line}\n" for line in lines), end="")
    sys.exit(1 if failed else 0)
