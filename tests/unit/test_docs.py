#!/usr/bin/env python3
"""Compares the documents with the tables in the sources: each entry of a table must be in the document too. This
reads the files as text, so it needs no build. It prints TAP."""

import glob
import os
import re
import sys

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
sys.path.append(os.path.join(ROOT, "tests"))

import checks  # noqa: E402

API = "/api/public/v1"


def read(path):
    with open(os.path.join(ROOT, path), encoding="utf-8") as file:
        return file.read()


def configuration():
    """Returns the key and the default of every row in the table of conf.c."""
    keys = re.findall(r'^\tKEY\((\w+), KEY_\w+, "([^"]*)"', read("src/base/conf.c"), re.M)
    assert keys, "no keys found"
    return keys


def test_every_key_is_in_the_manual_with_its_default():
    manual = read("man/outdial.conf.5")
    entries = dict(re.findall(r"^\.It Ic (\w+)\n(.*?)(?=^\.It |^\.El)", manual, re.M | re.S))
    for key, default in configuration():
        assert key in entries, f"{key} is missing"
        said = re.search(r"default is\n\.(?:Li|Pa) (\".*\"|\S+)|(?<=default is )empty", entries[key])
        assert said and (said[1] or "").strip('"') == default, f"{key}: {said and said[1]} instead of {default}"
    unknown = set(entries) - {key for key, _ in configuration()} - {"host", "port", "ssl-ca"}
    assert not unknown, f"there is no {unknown}"


def test_the_example_has_every_key_with_its_default():
    example = re.findall(r"^#(\w+) =(?: (.*))?$", read("docs/outdial.conf"), re.M)
    assert example == configuration(), example


def test_every_command_is_in_the_manual():
    source = read("src/outdial.c")
    commands = re.findall(r'^\t\{ "([^"]+)",\n((?:\t  ".*\n)+)', source, re.M)
    assert commands, "no commands found"
    manual = read("man/outdial.1")
    for command, usage in commands:
        entry = re.search(rf"^\.It Ic {command}\b.*?(?=^\.It Ic |^\.Sh )", manual, re.M | re.S)
        assert entry, f"{command} is missing"
        for option in re.findall(r"--(\w+)", usage):
            assert f"Fl -{option}" in entry[0], f"{command}: --{option} is missing"
    named = re.findall(r"^\.It Ic ([a-z -]+)", manual, re.M)
    assert [name.strip() for name in named] == [command for command, _ in commands], named


def routes():
    found = re.findall(r'\{ METHOD_(\w+), (V1 )?"([^"]+)"', read("src/api/routes.c"))
    assert found, "no routes found"
    return [(method, path.replace("<", "{").replace(">", "}")) for method, _, path in found]


def test_every_route_is_in_the_guide():
    guide = set(re.findall(r"`(GET|POST|PATCH|DELETE) (/[^`?]*)`", read("docs/api.md")))
    missing = [route for route in routes() if route not in guide]
    assert not missing, f"missing: {missing}"
    unknown = guide - set(routes())
    assert not unknown, f"there is no {unknown}"


def test_every_error_is_in_the_guide():
    codes = re.findall(r'\[ERROR_\w+\] = \{ "(\w+)", (\d+), \w+ \}', read("src/api/reply.c"))
    assert codes, "no errors found"
    guide = read("docs/api.md")
    for code, status in codes:
        assert f"| {status} | `{code}` |" in guide, f"{status} {code} is missing"


def test_every_field_of_a_request_is_in_the_guide():
    guide = read("docs/api.md")
    names = {name for floor in ("api", "domain") for path in glob.glob(os.path.join(ROOT, "src", floor, "*.c"))
             for name in field_names(read(path))}
    assert "max_concurrent_calls" in names and "webhook_id" in names, names
    missing = sorted(name for name in names if f"`{name}`" not in guide)
    assert not missing, f"missing: {missing}"


def field_names(source):
    """Returns the names in tables of fields: FIELD(holder, name, …), FIELD_AS("name", …), or the argument of a macro
    that passes it to one of these."""
    names = set(re.findall(r'\bFIELD\([\w ]+, (\w+),|\bFIELD_AS\("(\w+)"', source))
    names = {name for found in names for name in found if name}
    for macro in re.findall(r"^#define (\w+)\((\w+), .*?\s(?:FIELD\([\w ]+, |FIELD_AS\()\2\b", source, re.M):
        names.update(re.findall(rf'\b{macro[0]}\("?(\w+)"?,', source))
    return names - {"field", "member", "name"}  # the macros' own parameters


def documented_sources():
    """Returns the files that HACKING.md lists under its headings `### src…`."""
    files = set()
    for folder, text in re.findall(r"^### (src\S*)\n(.*?)(?=^##)", read("HACKING.md"), re.M | re.S):
        for item in re.findall(r"^- (.*?)(?=^- |^$|\Z)", text, re.M | re.S):
            for name in re.findall(r"`([\w.\[\]]+)`", item.split(":")[0]):
                files.update(f"{folder}/{name.replace('[ch]', end)}" for end in "ch")
    return files


def sources():
    return {os.path.relpath(os.path.join(folder, name), ROOT)
            for folder, _, names in os.walk(os.path.join(ROOT, "src"))
            for name in names if name.endswith((".c", ".cc", ".h", ".def"))}


def test_every_source_file_is_explained():
    missing = sorted(sources() - documented_sources())
    assert not missing, f"HACKING.md does not name {missing}"


def test_every_file_that_is_named_exists():
    missing = sorted(documented_sources() - sources())
    assert not missing, f"HACKING.md names {missing}"
    for document in ("README.md", "HACKING.md", "docs/api.md", "docs/webhooks.md", "docs/operations.md"):
        text = read(document)
        places = re.findall(r"`((?:src|sql|dev|tests|docs|man|examples|bench|nginx|systemd)/[\w./-]*)`", text)
        folder = os.path.dirname(document)
        places += [os.path.join(folder, link) for link in re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", text)]
        for place in places:
            assert os.path.exists(os.path.join(ROOT, place)), f"{document}: there is no {place}"


def documents():
    """Returns the text of every document, without blocks of code, by path."""
    paths = ["README.md", "HACKING.md", "NEWS.md", "bench/README.md", "examples/sip-dialer/README.md"]
    paths += [os.path.relpath(path, ROOT) for path in glob.glob(os.path.join(ROOT, "docs", "*.md"))]
    return {path: re.sub(r"^```.*?^```", "", read(path), flags=re.M | re.S) for path in sorted(paths)}


def repository():
    """Returns the paths of all files, except built and fetched files."""
    for folder, folders, names in os.walk(ROOT):
        folders[:] = [name for name in folders if not name.startswith((".", "build", "node_modules", "__pycache__"))]
        for name in names:
            yield os.path.relpath(os.path.join(folder, name), ROOT)


FOREIGN_FILES = {"fcgiapp.h", "mysql.h", "curl.h"}
FILE_NAME = r"[\w/.-]+\.(?:c|h|cc|def|py|sql|mjs|js|ts|tsx|sh|conf(?:\.example)?|cnf|yaml|yml|lua)\b"


def test_every_file_name_in_a_document_exists():
    known = set(repository())
    bases = {os.path.basename(path) for path in known} | FOREIGN_FILES
    installed = ("/", "etc/", "pjsip.conf", "acl.conf", "secret", "tzdata", "migrate.conf", "cell-b.conf")
    for document, text in documents().items():
        for code in re.findall(r"`([^`\n]+)`", text):
            for name in re.findall(FILE_NAME, code):
                if not name.startswith(installed):
                    assert os.path.basename(name) in bases, f"{document}: there is no {name}"


def test_every_name_of_the_code_in_hacking_exists():
    """Checks the names with an underscore, such as functions, macros and statements."""
    names = set()
    for path in repository():
        if path.startswith(("src", "sql", "dev", "tests", "web", "Makefile")) and not path.endswith((".json", ".gz")):
            names.update(re.findall(r"\w+", open(os.path.join(ROOT, path), encoding="utf-8", errors="replace").read()))
    text = documents()["HACKING.md"]
    found = {code for code in re.findall(r"`(?:enum |struct )?([A-Za-z]\w*_\w+)(?:\(\))?`", text)} - {"module_verb"}
    assert len(found) > 50, found
    assert found <= names, f"there is no {sorted(found - names)}"


def test_every_command_in_a_document_exists():
    """Also checks that a command has the options: `outdial key create --organization …`."""
    usages = dict(re.findall(r'^\t\{ "([^"]+)",\n((?:\t  ".*\n)+)', read("src/outdial.c"), re.M))
    found = 0
    for document in documents():
        for call in re.findall(r"(?:^ *|`|&& )outdial (?:-c \S+ )?([a-z][^`\n|&]*)", read(document), re.M):
            name = max((name for name in usages if call.startswith(name)), key=len, default=None)
            assert name or call.split()[0] in ("key", "ledger"), f"{document}: there is no outdial {call}"
            for option in re.findall(r"--([a-z-]+)", call):
                assert f"--{option}" in usages[name], f"{document}: outdial {name} has no --{option}"
            found += 1
    assert found > 40, found


def test_every_measurement_in_a_document_exists():
    source = read("bench/run")
    for document, text in documents().items():
        for name in re.findall(r"bench/run ([a-z]+)", text):
            assert re.search(rf"^def {name}\(|\"{name}\": ", source, re.M), f"{document}: there is no bench/run {name}"


def test_the_files_of_the_schema_are_numbered_without_a_gap():
    files = sorted(os.path.basename(path) for path in glob.glob(os.path.join(ROOT, "sql", "*.sql")))
    assert [int(name[:4]) for name in files] == list(range(1, len(files) + 1)), files


def test_every_source_is_in_the_source_archive():
    listed = read("Makefile.am").split()
    for pattern in ("tests/unit/*.[chp]*", "tests/unit/*.sh", "tests/db/*.[ch]", "bench/*", "src/**/*.[chd]*"):
        for path in glob.glob(os.path.join(ROOT, *pattern.split("/")), recursive=True):
            name = os.path.relpath(path, ROOT)
            assert name in listed or os.path.isdir(path), f"{name} is missing in Makefile.am"


if __name__ == "__main__":
    checks.run(globals())
