"""Installs packages for tests from the npm registry, in the versions of their package-lock.json, once into the build
folder."""

import fcntl
import os
import shutil
import subprocess

HERE = os.path.dirname(os.path.abspath(__file__))
SECONDS = 300
INSTALL = ["npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--prefer-offline", "--fetch-retries=1",
           "--loglevel=error"]


class Missing(Exception):
    """The reason why the packages cannot be installed here."""


def folder(build, package):
    """Returns a folder with the files of tests/PACKAGE, and with the packages of its package.json in node_modules.
    `build` may be relative to the checkout. Two runs may share a build."""
    if not shutil.which("npm"):
        raise Missing("there is no npm")
    place = os.path.join(os.path.dirname(HERE), build, "npm", package)
    os.makedirs(place, exist_ok=True)
    with open(os.path.join(place, ".lock"), "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        installed = os.path.join(place, "node_modules", ".package-lock.json")
        shutil.copytree(os.path.join(HERE, package), place, dirs_exist_ok=True)
        wanted = os.path.getmtime(os.path.join(place, "package-lock.json"))
        if not os.path.exists(installed) or os.path.getmtime(installed) < wanted:
            _install(place)
    return place


def _install(place):
    try:
        result = subprocess.run(INSTALL, cwd=place, stdin=subprocess.DEVNULL, capture_output=True, text=True,
                                timeout=SECONDS)
    except subprocess.TimeoutExpired:
        raise Missing(f"npm ci took more than {SECONDS} s") from None
    if result.returncode != 0:
        lines = (result.stderr or result.stdout).strip().splitlines() or ["no word"]
        raise Missing(f"npm ci failed: {lines[0]}")


def node(place, *arguments, **options):
    return subprocess.run(["node", *arguments], cwd=place, stdin=subprocess.DEVNULL, capture_output=True, text=True,
                          timeout=SECONDS, **options)
