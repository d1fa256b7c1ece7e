"""The rules of this repository that a compiler does not check: which file may include which, and which file may ask
for the time."""

import os
import re
import sys

SRC = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "src")
FLOORS = {"base": 0, "domain": 1, "store": 2, "engine": 3, "api": 4, "scheduler": 4, "cli": 4, "": 5}
ROOMS = {  # headers of other projects, and the only files that may include them
    "fcgiapp.h": r"api/",
    "fcgios.h": r"api/",
    "mysql.h": r"store/db(_statement\.c|_connection\.h)$|store/db\.c$",
    "curl/curl.h": r"scheduler/(deliver\.c|deliver_slot\.[ch]|connection\.c)$",
    "uuid/uuid.h": r"base/uuid\.c$",
    "systemd/sd-daemon.h": r"base/|api/prefork\.c$",
}
WIDTH = 120  # with tabs of four
FILES = re.compile(r"\b(fopen|open|openat|settings_open|stat|getline|fgets|fread|opendir)\(")
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
    """Returns whether a file may include this header: the header is on the same floor or below."""
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


def domain_files():
    """The domain reads no files. The base reads them and passes the text."""
    for path, text in sources():
        if path.startswith("domain/"):
            for name in FILES.findall(text):
                yield f"{path} calls {name}"


def statement_users():
    """The programs work with stores and the engine, which know the statements."""
    for path, text in sources():
        if '"store/statements.h"' in text and floor_of(path) not in ("store", "engine"):
            yield f"{path} includes store/statements.h"


def unused_statements():
    texts = list(sources())
    names = re.findall(r"^(?:SQL|READ)\((SQL_\w+)", "".join(text for path, text in texts if path.endswith(".def")),
                       re.MULTILINE)
    used = set(re.findall(r"\bSQL_\w+", "".join(text for path, text in texts if path.endswith(".c"))))
    return (f"nobody uses {name}" for name in names if name not in used)


HEADING = re.compile(r"[^.:]*: ((?:\w+/)?\w+\.c(?:, (?:\w+/)?\w+\.c)*)(?:\.|\s|$)")


def groups():
    """Every statement with the files that the heading above it names."""
    for path, text in sources():
        if not path.startswith("store/statements/"):
            continue
        files = []
        for comment, name in re.findall(r"^/\*(.*?)\*/|^(?:SQL|READ)\((SQL_\w+)", text, re.MULTILINE | re.DOTALL):
            heading = HEADING.match(comment.strip())
            if heading:
                files = [os.path.basename(file) for file in heading.group(1).split(", ")]
            if name:
                yield name, files


def misplaced_statements():
    users = {}
    for path, text in sources():
        for name in re.findall(r"\bSQL_\w+", text):
            users.setdefault(name, set()).add(os.path.basename(path))
    for name, files in groups():
        if not users[name].intersection(files):
            yield f"{name} is in the group of {', '.join(files)}, but they do not use it"


def unjudged_numbers():
    """The compiler compares a number of constants.h with its enum where an assertion names it."""
    text = dict(sources())["store/constants.h"]
    judged = re.findall(r"NUMBER_IS\((\w+)\)", text)
    return (f"no assertion compares NUMBER_{name} with {name}"
            for name in re.findall(r"#define NUMBER_([A-Z_]+) \d", text) if name not in judged)


def other_clocks():
    text = "".join(text for path, text in sources() if path.startswith("store/statements"))
    text = re.sub(r"/\*.*?\*/", "", text, flags=re.DOTALL)
    for statement in re.split(r"(?=^(?:SQL|READ)\()", text, flags=re.MULTILINE):
        name = re.match(r"(?:(?:SQL|READ)\((\w+))?", statement).group(1)
        if name != "SQL_CLOCK" and CLOCKS.search(statement):
            yield f"{name} asks the server for the time"


NUMBERED = re.compile(r"\bdb_get(?:_\w+)?\([^;]*?, *(\d+)\)")
NUMBERED_MAX = 3  # an answer of more columns is read by their names (store/columns.h)


def numbered_reads():
    for path, text in sources():
        for number in NUMBERED.findall(text):
            if int(number) > NUMBERED_MAX:
                yield f"{path} reads column {number} by its number"


def wide_lines():
    """A line has at most 120 columns."""
    for top in ("src", "tests", "dev", "bench", "examples", "web"):
        for folder, folders, names in os.walk(os.path.join(SRC, "..", top)):
            folders[:] = [name for name in folders if name not in ("node_modules", "__pycache__")]
            for name in sorted(names):
                if name.endswith((".c", ".h", ".cc", ".def", ".py")):
                    path = os.path.join(folder, name)
                    with open(path, encoding="utf-8") as file:
                        for number, line in enumerate(file.read().split("\n"), 1):
                            if len(line.expandtabs(4)) > WIDTH or line != line.rstrip():
                                yield f"{os.path.relpath(path, SRC)}:{number}"


def main():
    checks = [("includes point downward", upward_includes),
              ("headers of others stay in their room", strangers),
              ("the domain reads no file", domain_files),
              ("only stores and the engine know the statements", statement_users),
              ("every statement is used", unused_statements),
              ("every statement is in the group of a file that uses it", misplaced_statements),
              ("every number in a statement is compared with its enum", unjudged_numbers),
              ("no statement but SQL_CLOCK asks for the time", other_clocks),
              ("answers of many columns are read by name", numbered_reads),
              (f"no line has more than {WIDTH} columns, or blanks at its end", wide_lines)]
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
