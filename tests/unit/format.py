"""The C files of src and tests are formatted as .clang-format says. The releases of clang-format that Debian 12 and 13
have agree on that; another release may not, so this test is skipped for it."""

import os
import re
import shutil
import subprocess
import sys

TOP = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..")
RELEASES = (14, 19)
GENERATED = {"src/api/openapi.c", "src/store/schema_version.h"}
FAULT = re.compile(r"^(.+?:\d+):\d+: (?:warning|error): ", re.MULTILINE)


def reason_to_skip():
    if shutil.which("clang-format") is None:
        return "clang-format is not installed"
    text = subprocess.run(["clang-format", "--version"], check=True, capture_output=True, text=True).stdout
    version = re.search(r"version (\d+)", text)
    if version is None or int(version.group(1)) not in RELEASES:
        return f"this is {text.strip()}; the rules are for the releases {' and '.join(map(str, RELEASES))}"
    return None


def sources():
    for top in ("src", "tests"):
        for folder, folders, names in os.walk(os.path.join(TOP, top)):
            folders.sort()
            for name in sorted(names):
                path = os.path.relpath(os.path.join(folder, name), TOP)
                if name.endswith((".c", ".h")) and path not in GENERATED:
                    yield path


def faults():
    """The lines that clang-format would change; all that it says, if it fails otherwise."""
    result = subprocess.run(["clang-format", "--style=file", "--dry-run", "--Werror", *sources()], cwd=TOP, check=False,
                            capture_output=True, text=True)
    lines = list(dict.fromkeys(FAULT.findall(result.stderr)))
    return lines if lines or result.returncode == 0 else result.stderr.splitlines()


def main():
    reason = reason_to_skip()
    if reason is not None:
        print(f"1..1\nok 1 - the C files are formatted # SKIP {reason}")
        return 0
    found = faults()
    print(f"1..1\n{'not ok' if found else 'ok'} 1 - the C files are formatted")
    for fault in found:
        print(f"# {fault}")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
