"""`make setup`: from a bare Debian to a project that runs, with the standard library alone.

A step is done again only when what it depends on has changed. Where packages come from is the machine's own
business: apt, pip and npm are used as they are configured here, and what they bring must match the lock files.
"""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import platform
import shutil
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
LOG = ROOT / "build" / "set-up.log"
VENV = ROOT / ".venv"
VENV_STAMP = VENV / "set-up-made-by"  # which Python made it, and where: a venv works in no other place
PACKAGES_STAMP = VENV / "set-up-packages"
BUILD_LOCK, LOCK = ROOT / "requirements-build.lock", ROOT / "requirements-dev.lock"
SCRIPTS_STAMP = ROOT / "node_modules" / "set-up-scripts"

OLDEST_PYTHON = (3, 11)  # tomllib, asyncio.timeout, asyncio.TaskGroup; Debian 12's
TAIL = 25  # lines of the log shown with a failure; npm says the cause some twenty lines before its end


class Failed(Exception):
    """A step did not work. The text says what, and what a person should do next."""


class Steps:
    """Runs commands quietly into the log, and tells a person what runs and how long it took."""

    def __init__(self) -> None:
        self.done = 0
        self._live = sys.stdout.isatty()

    def run(self, title: str, commands: list[list[str]], *, next: str, **environment: str) -> None:
        """Run `commands` one after the other. Raises Failed with the log's tail and `next`."""
        self.done += 1
        began = time.monotonic()
        print(f"  {title} ... ", end="", flush=True)
        for command in commands:
            code = self._wait(command, title, began, environment)
            if code != 0:
                print("failed")
                tail = "\n".join(f"    {line}" for line in LOG.read_text(errors="replace").splitlines()[-TAIL:])
                raise Failed(f"{tail}\n\nThis ended with code {code}: {' '.join(command)}\nAll of it: {LOG}\n{next}")
        print(f"\r  {title} ... " if self._live else "", f"{time.monotonic() - began:.1f} s", sep="")

    def _wait(self, command: list[str], title: str, began: float, environment: dict[str, str]) -> int:
        with LOG.open("a") as log:
            log.write(f"\n$ {' '.join(command)}\n")
            log.flush()
            process = subprocess.Popen(command, cwd=ROOT, stdout=log, stderr=log, env={**os.environ, **environment})
            while True:
                try:
                    return process.wait(1.0)
                except subprocess.TimeoutExpired:
                    if self._live:
                        print(f"\r  {title} ... {time.monotonic() - began:.0f} s ", end="", flush=True)


def check_python() -> None:
    """Raises Failed where `python3` is too old."""
    if sys.version_info < OLDEST_PYTHON:
        raise Failed(
            f"Siaga needs Python 3.11 or later; {sys.executable} is {platform.python_version()}.\n"
            "Next: use Debian 12, Raspberry Pi OS 12 or later, or name another one: make setup PYTHON=/path/to/python3"
        )


def check_owner() -> None:
    """Raises Failed under sudo in a person's own folder: what it made could not be changed without sudo again."""
    if os.geteuid() == 0 and "SUDO_UID" in os.environ and ROOT.stat().st_uid != 0:
        raise Failed("This folder is not root's. Next: run make without sudo; it asks for sudo where it needs it.")
    for folder in (VENV, LOG.parent, ROOT / "node_modules"):
        if folder.exists() and not os.access(folder, os.W_OK):
            raise Failed(f"{folder} is not yours to change. Next: sudo rm -rf {folder}, then make setup again.")


def missing_packages() -> list[str]:
    """Names from apt-packages.txt that this machine needs and does not have."""
    wanted = []
    for line in (ROOT / "apt-packages.txt").read_text().splitlines():
        name, *conditions = line.split("#")[0].split() or [""]
        narrow = dict(condition.split("=", 1) for condition in conditions)
        if name and narrow.get("arch") in (None, platform.machine()) and not shutil.which(narrow.get("unless", "")):
            wanted.append(name)
    query = ["dpkg-query", "--show", "--showformat", "${Package} ${db:Status-Status}\n", *wanted]
    try:
        listed = subprocess.run(query, capture_output=True, text=True, check=False).stdout
    except FileNotFoundError:
        raise Failed(f"This is no Debian. Next: install by hand what corresponds to {' '.join(wanted)}.") from None
    return [name for name in wanted if f"{name} installed" not in listed.splitlines()]


def debian_packages(steps: Steps) -> None:
    """Install what is missing, by sudo where the user is not root."""
    missing = missing_packages()
    if not missing:
        return
    as_root = [] if os.geteuid() == 0 else ["sudo"]
    install = ["apt-get", "install", "--yes", "--quiet", "--no-install-recommends", *missing]
    if as_root and not shutil.which("sudo"):
        raise Failed(f"Debian packages are missing, and there is no sudo. Next: as root, {' '.join(install)}")
    quiet = [*as_root, "env", "DEBIAN_FRONTEND=noninteractive"]
    print(f"  Missing from Debian: {' '.join(missing)}" + (" (sudo may ask for your password)" if as_root else ""))
    steps.run(
        f"Debian packages: {len(missing)}",
        # A list that cannot be refreshed may still do: what counts is whether the install works.
        [[*quiet, "sh", "-c", "apt-get update --quiet || true"], [*quiet, *install]],
        next="Next: see that the network and /etc/apt/sources.list* are right, then make setup again."
        + (f"\nIf sudo refuses you: ask an administrator for {' '.join(install)}" if as_root else ""),
    )


def python_packages(steps: Steps) -> None:
    """The venv, everything in the lock file, and Siaga itself from this folder."""
    python = Path(sys.base_prefix) / "bin" / f"python3.{sys.version_info.minor}"
    maker = f"{python} {platform.python_version()} {ROOT}"
    packages = fingerprint(BUILD_LOCK, LOCK, ROOT / "pyproject.toml")
    again = "Next: see that the network and pip's configuration (pip config list) are right, then make setup again."
    if stamp(VENV_STAMP) != maker:
        create = [str(python), "-m", "venv", "--clear", str(VENV)]
        steps.run(f"Python environment: .venv, Python {platform.python_version()}", [create], next=again)
        VENV_STAMP.write_text(maker)
    if stamp(PACKAGES_STAMP) == packages:
        return
    pip = [str(VENV / "bin" / "python"), "-m", "pip", "install", "--quiet", "--no-input"]
    locked = [*pip, "--require-hashes", "--no-deps", "-r"]
    steps.run(
        f"Python packages, as {LOCK.name} has them",
        # What builds comes first, so that nothing that the lock does not name is fetched to build the rest.
        [[*locked, str(BUILD_LOCK)], [*locked, str(LOCK), "--no-build-isolation"]],
        next=again,
        PYPI="1",  # lgpio's way of saying: build the C library in, do not look for it on the system
    )
    editable = [*pip, "--no-deps", "--no-build-isolation", "--editable", str(ROOT)]
    steps.run("Siaga: the siaga command, from this folder", [editable], next="Next: look at pyproject.toml.")
    PACKAGES_STAMP.write_text(packages)


def page_scripts(steps: Steps) -> None:
    """What pages load, from npm into web/static/vendor: package.json's `vendored` says which files."""
    vendored = json.loads((ROOT / "package.json").read_text())["vendored"]
    scripts = fingerprint(ROOT / "package.json", ROOT / "package-lock.json")
    if stamp(SCRIPTS_STAMP) == scripts and all((ROOT / to).exists() for to in vendored):
        return
    steps.run(
        f"Page scripts: {len(vendored)} files",
        [["npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"]],
        next="Next: see that the network and npm's configuration (npm config list) are right, then make setup again.",
    )
    for to, source in vendored.items():
        (ROOT / to).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(ROOT / "node_modules" / source, ROOT / to)
    SCRIPTS_STAMP.write_text(scripts)


def fingerprint(*files: Path) -> str:
    """One digest over the contents of `files` and of this file."""
    return hashlib.sha256(b"\0".join(file.read_bytes() for file in (Path(__file__), *files))).hexdigest()


def stamp(path: Path) -> str:
    return path.read_text() if path.exists() else ""


def main() -> int:
    began = time.monotonic()
    alone = os.open(ROOT, os.O_RDONLY)
    fcntl.flock(alone, fcntl.LOCK_EX)  # two makes at once: the second waits, then finds all done
    steps = Steps()
    try:
        check_python()
        check_owner()
        LOG.parent.mkdir(exist_ok=True)
        LOG.write_text(f"Siaga's set-up on {platform.platform()}, Python {platform.python_version()}\n")
        debian_packages(steps)
        python_packages(steps)
        page_scripts(steps)
    except Failed as failure:
        print(f"\n{failure}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("\nStopped. Next: make setup again; it goes on where it was.", file=sys.stderr)
        return 130
    finally:
        os.close(alone)
    print(f"Set up in {time.monotonic() - began:.1f} s." if steps.done else "Set-up is as it should be.")
    return 0


if __name__ == "__main__":
    sys.exit(main())
