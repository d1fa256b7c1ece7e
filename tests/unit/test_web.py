#!/usr/bin/env python3
"""The dashboard without a browser: its types, its imports, its computations, its bundle. Prints TAP."""

import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile

import yaml

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
sys.path.append(os.path.join(ROOT, "tests"))

import checks  # noqa: E402

BUILD = os.path.join(ROOT, os.environ.get("OUTDIAL_BUILD", "build"))
WEB = os.path.join(ROOT, "web")
SOURCES = os.path.join(WEB, "src")
LIBRARIES = os.environ.get("NODE_PATH") or "/usr/share/nodejs"
FLOORS = {"base": 0, "parts": 1, "pages": 2, "": 3}
FETCHERS = {"base/api.ts"}
SINKS = re.compile(
    r"dangerouslySetInnerHTML|innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\(|new Function")


def need(program):
    if not shutil.which(program):
        raise checks.Skip(f"there is no {program}")


def sources():
    for place, _, names in os.walk(SOURCES):
        for name in sorted(names):
            if name.endswith((".ts", ".tsx")) and not name.endswith(".d.ts"):
                path = os.path.join(place, name)
                with open(path, encoding="utf-8") as file:
                    yield os.path.relpath(path, SOURCES), file.read()


def floor_of(path):
    return path.split("/")[0] if "/" in path else ""


def test_imports_point_downward():
    for path, text in sources():
        for target in re.findall(r"""from '(\.[^']*)'|import\('(\.[^']*)'\)""", text):
            other = os.path.normpath(os.path.join(os.path.dirname(path), target[0] or target[1]))
            assert FLOORS[floor_of(other)] <= FLOORS[floor_of(path)], f"{path} imports {other}"


def test_one_module_fetches_and_none_makes_html_from_text():
    for path, text in sources():
        assert path in FETCHERS or not re.search(r"\bfetch\(|XMLHttpRequest|WebSocket", text), path
        assert not SINKS.search(text), path


def test_the_key_is_kept_for_the_session_only():
    for path, text in sources():
        assert path == "base/prefs.ts" or "localStorage" not in text, path
        assert path == "base/key.ts" or "sessionStorage" not in text, path


def test_types():
    need("tsc")
    if not os.path.isdir("/usr/share/nodejs/@types/react"):
        raise checks.Skip("the types of React are not where Debian has them")
    folder = os.path.join(BUILD, "web-types")
    os.makedirs(folder, exist_ok=True)
    subprocess.run([sys.executable, os.path.join(WEB, "build.py"), "--types", os.path.join(folder, "api-types.ts")],
                   check=True)
    types = "/usr/share/nodejs/@types/"
    paths = {name: [types + place] for name, place in {
        "react": "react", "react/jsx-runtime": "react/jsx-runtime", "react-dom": "react-dom",
        "react-dom/client": "react-dom/client"}.items()}
    with open(os.path.join(folder, "tsconfig.json"), "w", encoding="utf-8") as file:
        json.dump({"extends": os.path.join(WEB, "tsconfig.json"),
                   "compilerOptions": {"baseUrl": ".", "paths": dict(paths, **{"api-types": ["./api-types.ts"]})},
                   "include": [SOURCES + "/**/*.ts", SOURCES + "/**/*.tsx"]}, file)
    result = subprocess.run(["tsc", "-p", folder], capture_output=True, text=True)
    assert result.returncode == 0, "\n" + result.stdout


def test_what_it_computes():
    need("node")
    need("esbuild")
    with open(os.path.join(ROOT, "docs", "openapi.yaml"), encoding="utf-8") as file:
        schemas = yaml.safe_load(file)["components"]["schemas"]
    with tempfile.TemporaryDirectory() as folder:
        entry, bundle, enums = (os.path.join(folder, name) for name in ("entry.ts", "base.mjs", "enums.json"))
        with open(entry, "w", encoding="utf-8") as file:
            for name in ("week", "time", "words", "text"):
                file.write(f"export * as {name} from '{SOURCES}/base/{name}'\n")
        subprocess.run(["esbuild", entry, "--bundle", "--format=esm", "--platform=node", "--log-level=warning",
                        "--banner:js=import { createRequire } from 'module'; const require = createRequire('/');",
                        "--outfile=" + bundle], check=True, env=dict(os.environ, NODE_PATH=LIBRARIES))
        with open(enums, "w", encoding="utf-8") as file:
            json.dump({name: schema["enum"] for name, schema in schemas.items() if "enum" in schema}, file)
        result = subprocess.run(["node", os.path.join(ROOT, "tests", "web", "units.mjs"), bundle, enums],
                                capture_output=True, text=True)
    assert result.returncode == 0, result.stdout + result.stderr
    print("".join(f"# {line}\n" for line in result.stdout.splitlines()), end="")


def built(folder):
    environment = dict(os.environ, NODE_PATH=LIBRARIES)
    subprocess.run([sys.executable, os.path.join(WEB, "build.py"), folder], check=True, env=environment)
    found = {}
    for place, _, names in os.walk(os.path.join(folder, "dashboard")):
        for name in names:
            path = os.path.join(place, name)
            with open(path, "rb") as file:
                found[os.path.relpath(path, folder)] = hashlib.sha256(file.read()).hexdigest()
    return found


def test_two_builds_give_the_same_bytes():
    need("esbuild")
    with tempfile.TemporaryDirectory() as one, tempfile.TemporaryDirectory() as other:
        first, second = built(one), built(os.path.join(other, "deeper"))
        assert first == second, set(first.items()) ^ set(second.items())
        assert any(name.endswith(".js.gz") for name in first), first
        with open(os.path.join(one, "dashboard", "LICENSES.txt"), encoding="utf-8") as file:
            licenses = file.read()
        for library in ("react", "react-dom", "scheduler", "d3-scale", "d3-shape", "d3-time"):
            assert f"\n{library} " in licenses, library
        with open(os.path.join(one, "dashboard", "index.html"), encoding="utf-8") as file:
            page = file.read()
        assert "{" not in page, page
        assert not re.search(r"<script(?![^>]* src=)|<style| style=| on\w+=", page), page


if __name__ == "__main__":
    checks.run(globals())
