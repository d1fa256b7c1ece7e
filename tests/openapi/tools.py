"""The tools from the npm registry, of the versions that package-lock.json names: a linter, a generator of
typed clients, a compiler. They are installed once into the build folder."""

import fcntl
import os
import shutil
import subprocess

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))
FILES = ("package.json", "package-lock.json", "lint.mjs", "campaign.ts", "tsconfig.json")
NPM_SECONDS = 180


class Missing(Exception):
    """Why they cannot be had here."""


def folder(build):
    """A folder with the tools in node_modules and the scripts of this one beside them."""
    if not shutil.which("npm"):
        raise Missing("there is no npm")
    place = os.path.join(ROOT, build, "npm")
    os.makedirs(place, exist_ok=True)
    with open(os.path.join(place, ".lock"), "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        stamp = os.path.join(place, "node_modules", ".package-lock.json")
        wanted = os.path.join(HERE, "package-lock.json")
        for name in FILES:
            shutil.copy2(os.path.join(HERE, name), place)
        if not os.path.exists(stamp) or os.path.getmtime(stamp) < os.path.getmtime(wanted):
            _install(place)
    return place


def _install(place):
    command = ["npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--prefer-offline",
               "--fetch-retries=1", "--loglevel=error"]
    try:
        result = subprocess.run(command, cwd=place, stdin=subprocess.DEVNULL, capture_output=True, text=True,
                                timeout=NPM_SECONDS)
    except subprocess.TimeoutExpired:
        raise Missing(f"npm ci took more than {NPM_SECONDS} s") from None
    if result.returncode != 0:
        lines = (result.stderr or result.stdout).strip().splitlines() or ["no word"]
        raise Missing(f"npm ci failed: {lines[0]}")


def node(place, *arguments, **options):
    return subprocess.run(["node", *arguments], cwd=place, stdin=subprocess.DEVNULL, capture_output=True, text=True,
                          timeout=NPM_SECONDS, **options)
