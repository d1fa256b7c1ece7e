"""The house rules that a compiler does not know: who may include whom, and who may ask for the time."""

import os
import re
import sys

SRC = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "src")
FLOORS = {"base": 0, "domain": 1, "store": 2, "api": 3, "scheduler": 3, "cli": 3, "": 4}
ROOMS = {  # headers of others, and the only files that may know them
    "fcgiapp.h": r"api/",
    "fcgios.h": r"api/",
    "mysql.h": r"store/db(_statement\.c|_connection\.h)$|store/db\.c$",
    "curl/curl.h": r"scheduler/(deliver|connection)\.c$",
    "uuid/uuid.h": r"base/uuid\.c$",
    "systemd/sd-daemon.h": r"base/|api/prefork\.c$",
}
CLOCKS = re.compile(r"\b(NOW|CURRENT_TIMESTAMP|CURDATE|CURTIME|LOCALTIME|LOCALTIMESTAMP|UTC_TIMESTAMP"
                    r"|UTC_DATE|UTC_TIME|SYSDATE|UNIX_TIMESTAMP)\b", re.IGNORECASE)


def sources():
    for folder, _, names in os.walk(SRC):
        for name in sorted(names):
            if name.endswith((".c", ".h", ".def")):
                path = os.path.join(folder, name)
                with open(path, encoding="utf-8") as file:
                    yield os.path.relpath(path, SRC), file.read()


def floor_of(path):
    return path.split("/")[0] if "/" in path else ""


def may_include(floor, header):
    """Its own floor, or one below."""
    other = floor_of(header)
    return other in FLOORS and (other == floor or FLOORS[other] < FLOORS[floor])


def upward_includes():
    for path, text in sources():
        for header in re.findall(r'^#\s*include\s+"([^"]+)"', text, re.MULTILINE):
            if header != "config.h" and not may_include(floor_of(path), header):
                yield f"{path} includes {header}"


def strangers():
    for path, text in sources():
        for header in re.findall(r"^#\s*include\s+<([^>]+)>", text, re.MULTILINE):
            if header in ROOMS and not re.match(ROOMS[header], path):
                yield f"{path} includes <{header}>"
            elif header.startswith(("openssl/", "systemd/")) and not path.startswith("base/"):
                yield f"{path} includes <{header}>"


def statement_users():
    """The API works with stores, which know the statements; metrics.c reads its figures itself."""
    for path, text in sources():
        if '"store/statements.h"' in text and not re.match(r"store/|scheduler/|api/metrics\.c$", path):
            yield f"{path} includes store/statements.h"


def unused_statements():
    texts = list(sources())
    names = re.findall(r"^(?:SQL|READ)\((SQL_\w+)", "".join(text for path, text in texts if path.endswith(".def")),
                       re.MULTILINE)
    used = set(re.findall(r"\bSQL_\w+", "".join(text for path, text in texts if path.endswith(".c"))))
    return (f"nobody uses {name}" for name in names if name not in used)


def other_clocks():
    text = "".join(text for path, text in sources() if path.startswith("store/statements"))
    text = re.sub(r"/\*.*?\*/", "", text, flags=re.DOTALL)
    for statement in re.split(r"(?=^(?:SQL|READ)\()", text, flags=re.MULTILINE):
        name = re.match(r"(?:(?:SQL|READ)\((\w+))?", statement).group(1)
        if name != "SQL_CLOCK" and CLOCKS.search(statement):
            yield f"{name} asks the server for the time"


def main():
    checks = [("includes point downward", upward_includes),
              ("headers of others stay in their room", strangers),
              ("stores and the scheduler know the statements", statement_users),
              ("every statement is used", unused_statements),
              ("no statement but SQL_CLOCK asks for the time", other_clocks)]
    failed = 0
    print(f"1..{len(checks)}")
    for number, (name, check) in enumerate(checks, 1):
        faults = list(check())
        failed += bool(faults)
        print(f"{'not ok' if faults else 'ok'} {number} - {name}")
        for fault in faults:
            print(f"# {fault}")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
