#!/usr/bin/env python3
"""Runs the commands in the documents, one shell for each document, and compares their output with the guide."""

import json
import os
import re
import signal
import subprocess

import tap
from process import Error
from stack import ROOT, free_port

BLOCK = re.compile(r"^```(sh|json|text)\n(.*?)^```$", re.M | re.S)
MARK = "@@ block "
SECONDS = 60


def session(t, name, header=""):
    """Runs all blocks of shell; returns (command, output, expected output) of each."""
    folder = os.path.join(t.stack.state_dir, name)
    os.makedirs(os.path.join(folder, ".outdial"))
    os.symlink(os.path.join(ROOT, "examples"), os.path.join(folder, "examples"))
    with open(os.path.join(folder, ".outdial", "env"), "w") as env:
        env.write(f"OUTDIAL_URL={t.stack.url}\nOUTDIAL_API_KEY={t.api.key}\n")
    with open(os.path.join(ROOT, name), encoding="utf-8") as file:
        text = file.read()
    for port in sorted(set(re.findall(r"\b90\d\d\b", text))):  # ours may be taken
        text = text.replace(port, str(free_port()))
    blocks = BLOCK.findall(text)
    commands = [block for kind, block in blocks if kind == "sh"]
    printed = run(folder, commands)
    said = [following if kind != "sh" else None for kind, following in blocks[1:] + [("sh", "")]]
    said = [after for (kind, _), after in zip(blocks, said) if kind == "sh"]
    return list(zip(commands, printed, said))


def run(folder, commands):
    script = "set -eu\n" + "\n".join(f"echo '{MARK}'\n{command}" for command in commands)
    shell = subprocess.Popen(["bash", "-c", script], cwd=folder, text=True, stdin=subprocess.DEVNULL,
                             stdout=subprocess.PIPE, stderr=subprocess.PIPE, start_new_session=True)
    try:
        out, err = shell.communicate(timeout=SECONDS)
    except subprocess.TimeoutExpired:
        raise Error(f"the commands take more than {SECONDS} s") from None
    finally:
        end(shell)
    assert shell.returncode == 0 and not err, f"{out}\n{err}"
    return [part.removeprefix("\n") for part in out.split(MARK)[1:]]


def end(shell):
    """Ends the shell, and the processes that it left in the background."""
    try:
        os.killpg(shell.pid, signal.SIGKILL)
    except ProcessLookupError:
        pass
    shell.wait()


def faults(said, printed, at="$"):
    """Compares printed JSON with expected JSON: … matches any text, and a member "…" matches any other members."""
    if isinstance(said, dict) and isinstance(printed, dict):
        for name in said:
            if name != "…":
                yield from faults(said[name], printed.get(name, "missing"), f"{at}.{name}")
        if "…" not in said and set(printed) - set(said):
            yield f"{at}: {set(printed) - set(said)} is not said"
    elif isinstance(said, list) and isinstance(printed, list) and len(said) == len(printed):
        for index, pair in enumerate(zip(said, printed)):
            yield from faults(*pair, f"{at}[{index}]")
    elif not (isinstance(said, str) and isinstance(printed, str) and fits(said, printed)) and said != printed:
        yield f"{at}: {printed!r} instead of {said!r}"


def fits(said, printed):
    return re.fullmatch(".*".join(map(re.escape, said.split("…"))), printed, re.S)


def test_the_guide_does_and_prints_what_it_says(t):
    checked = 0
    for command, printed, said in session(t, "docs/guide.md"):
        if said is None:
            assert '"error":{' not in printed, f"{command}\n{printed}"
            continue
        checked += 1
        if said.startswith("{"):
            found = list(faults(json.loads(said), json.loads(printed)))
            assert not found, f"{command}\n{found}"
        else:
            lines = [line.rstrip() for line in printed.splitlines()]
            wanted = said.splitlines()
            assert len(lines) == len(wanted) and all(map(fits, [line.replace(" …", "…") for line in wanted], lines)), \
                f"{command}\n{printed}"
    assert checked > 8, checked
    for path in ("/batch-calls", "/webhooks", "/agents", "/telephony/numbers"):
        assert t.api.all(path) == [], path


def test_the_session_of_the_reference_runs(t):
    commands = session(t, "docs/api.md")
    assert len(commands) > 15, len(commands)
    for command, printed, _ in commands:
        assert '"error":{' not in printed, f"{command}\n{printed}"


if __name__ == "__main__":
    tap.run(globals())
