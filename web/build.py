#!/usr/bin/env python3
"""Builds the dashboard: bundles web/src with esbuild into FOLDER/dashboard, for nginx to serve.

    web/build.py FOLDER           build, when a source is newer than the result
    web/build.py --types FILE     write docs/openapi.yaml as types of TypeScript

React and d3 are taken from $NODE_PATH (default: where Debian's packages put them). The same sources and
libraries give the same bytes. The compressed size of all files must not exceed a budget.
"""

import glob
import gzip
import json
import os
import re
import subprocess
import sys
import tempfile

import api_types

HERE = os.path.dirname(os.path.abspath(__file__))
SOURCES = os.path.join(HERE, "src")
OPENAPI = os.path.join(HERE, "..", "docs", "openapi.yaml")
BUDGET = 150_000  # bytes, of all files compressed
LIBRARIES = os.environ.get("NODE_PATH") or "/usr/share/nodejs"
COMPRESSED = (".html", ".css", ".js", ".svg", ".txt")
SAFE_TEXT = re.compile(r"[^A-Za-z0-9._/-]")


def main(arguments):
    if len(arguments) == 2 and arguments[0] == "--types":
        api_types.write(OPENAPI, arguments[1])
    elif len(arguments) == 1 and not arguments[0].startswith("-"):
        build(os.path.abspath(arguments[0]))
    else:
        sys.exit(__doc__)


def build(folder):
    stamp = os.path.join(folder, "built")
    if is_fresh(stamp):
        return
    os.makedirs(folder, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder) as work:
        dashboard = os.path.join(work, "dashboard")
        os.makedirs(os.path.join(dashboard, "assets"))
        inputs, outputs = bundle(work, dashboard)
        write_page(dashboard, outputs)
        with open(os.path.join(dashboard, "LICENSES.txt"), "w", encoding="utf-8") as file:
            file.write(licenses(inputs))
        weight = compress(dashboard)
        if weight > BUDGET:
            sys.exit(f"web: {weight} bytes compressed are more than the budget of {BUDGET}")
        put_in_place(dashboard, os.path.join(folder, "dashboard"))
    with open(stamp, "w", encoding="utf-8") as file:
        file.write(f"{weight}\n")


def is_fresh(stamp):
    if not os.path.exists(stamp):
        return False
    built = os.path.getmtime(stamp)
    sources = [os.path.join(place, name) for place, _, names in os.walk(HERE) for name in names]
    sources.append(OPENAPI)
    return all(os.path.getmtime(path) < built for path in sources if not path.endswith(".pyc"))


def bundle(work, dashboard):
    """Runs esbuild. Returns its input files, and its output: {name of the entry: its file}."""
    metafile = os.path.join(work, "meta.json")
    entries = [os.path.join(SOURCES, name) for name in ("main.tsx", "style/style.css", "icon.svg")]
    command = [os.environ.get("ESBUILD") or "esbuild", *entries, "--bundle", "--minify", "--format=esm", "--splitting",
               "--target=es2021", "--jsx=automatic", "--legal-comments=none", "--charset=utf8", "--loader:.svg=copy",
               '--define:process.env.NODE_ENV="production"',
               "--define:BATCH_CALL_FIELDS=" + json.dumps(api_types.fields(OPENAPI, "BatchCallCreate")),
               "--log-level=warning", "--entry-names=[name]-[hash]",
               "--chunk-names=[name]-[hash]", "--asset-names=[name]-[hash]",
               "--outdir=" + os.path.join(dashboard, "assets"), "--metafile=" + metafile]
    result = subprocess.run(command, cwd=SOURCES, env=dict(os.environ, NODE_PATH=LIBRARIES))
    if result.returncode:
        sys.exit("web: esbuild failed")
    with open(metafile, encoding="utf-8") as file:
        meta = json.load(file)
    outputs = {}
    for path, output in meta["outputs"].items():
        if output.get("entryPoint"):
            outputs[os.path.basename(output["entryPoint"])] = os.path.basename(path)
    for path in glob.glob(os.path.join(dashboard, "assets", "icon-*.svg")):
        outputs["icon.svg"] = os.path.basename(path)
    return [os.path.normpath(os.path.join(SOURCES, path)) for path in meta["inputs"]], outputs


def write_page(dashboard, outputs):
    with open(os.path.join(SOURCES, "index.html"), encoding="utf-8") as file:
        page = file.read()
    for entry, name in outputs.items():
        page = page.replace("{" + entry + "}", "/dashboard/assets/" + name)
    with open(os.path.join(dashboard, "index.html"), "w", encoding="utf-8") as file:
        file.write(page)


def licenses(inputs):
    """Returns the notice of every bundled library: its own notice, or the notice of its Debian package."""
    modules = set()
    for path in inputs:
        if path.startswith(os.path.normpath(LIBRARIES) + os.sep):
            rest = path[len(os.path.normpath(LIBRARIES)) + 1:].split(os.sep)
            modules.add("/".join(rest[:2] if rest[0].startswith("@") else rest[:1]))
    parts = ["The dashboard of Outdial: see LICENSE of Outdial. It contains these libraries:\n"]
    for module in sorted(modules):
        with open(os.path.join(LIBRARIES, module, "package.json"), encoding="utf-8") as file:
            package = json.load(file)
        parts.append(f"{'-' * 72}\n{package['name']} {package['version']} ({package.get('license', 'see below')})\n\n"
                     + notice(module))
    return "\n".join(parts)


def notice(module):
    name = SAFE_TEXT.sub("", module).strip("@").replace("/", "-")
    places = sorted(glob.glob(os.path.join(LIBRARIES, module, "LICEN[CS]E*")))
    places += [f"/usr/share/doc/node-{name}/copyright"]
    for place in places:
        if os.path.exists(place):
            with open(place, encoding="utf-8") as file:
                return file.read().strip() + "\n"
    for copyright_file in glob.glob("/usr/share/doc/node-*/copyright"):
        with open(copyright_file, encoding="utf-8") as file:
            text = file.read()
        if f"Files: {module}/" in text:
            return text.strip() + "\n"
    sys.exit(f"web: no notice of {module} was found")


def compress(folder):
    """Writes every file once more with gzip, for nginx's gzip_static. Returns the size of all files."""
    weight = 0
    for place, _, names in os.walk(folder):
        for name in sorted(names):
            path = os.path.join(place, name)
            with open(path, "rb") as file:
                data = file.read()
            packed = gzip.compress(data, 9, mtime=0)
            weight += len(packed)
            if name.endswith(COMPRESSED):
                with open(path + ".gz", "wb") as file:
                    file.write(packed)
    return weight


def put_in_place(new, old):
    """The page names the other files, so it is written last: a browser that loads it meanwhile finds the files. Files
    that no page names any more are removed."""
    os.makedirs(os.path.join(old, "assets"), exist_ok=True)
    fresh = {os.path.relpath(os.path.join(place, name), new) for place, _, names in os.walk(new) for name in names}
    for name in sorted(fresh, key=lambda name: (not name.startswith("assets"), name)):
        os.replace(os.path.join(new, name), os.path.join(old, name))
    for place, _, names in os.walk(old):
        for name in names:
            if os.path.relpath(os.path.join(place, name), old) not in fresh:
                os.unlink(os.path.join(place, name))


if __name__ == "__main__":
    main(sys.argv[1:])
