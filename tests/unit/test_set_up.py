"""Set-up on a machine where something is missing or does not work: it says what, and what to do next."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

PROJECT = Path(__file__).parents[2]


@pytest.fixture
def machine(tmp_path: Path) -> Path:
    """A project of two Debian packages, and an empty folder `bin` for the machine's programs."""
    (tmp_path / "tools").mkdir()
    (tmp_path / "bin").mkdir()
    shutil.copy(PROJECT / "tools" / "set_up.py", tmp_path / "tools")
    (tmp_path / "apt-packages.txt").write_text("# comment\n\ngammu\nnpm unless=npm\nswig arch=pdp11\n")
    for program in ("sh", "env"):
        (tmp_path / "bin" / program).symlink_to(str(shutil.which(program)))
    program_that(tmp_path, "sudo", 'exec "$@"')
    return tmp_path


def program_that(machine: Path, name: str, script: str) -> None:
    file = machine / "bin" / name
    file.write_text(f"#!/bin/sh\n{script}\n")
    file.chmod(0o755)


def set_up(machine: Path) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "PATH": str(machine / "bin")}
    environment.pop("SUDO_UID", None)
    command: list[str | Path] = [sys.executable, machine / "tools" / "set_up.py"]
    return subprocess.run(command, env=environment, capture_output=True, text=True, check=False, timeout=20)


def test_only_what_this_machine_lacks_is_installed(machine: Path) -> None:
    program_that(machine, "dpkg-query", "echo gammu installed")
    program_that(machine, "apt-get", "exit 1")
    assert re.search("Missing from Debian: npm( .sudo.*)?$", set_up(machine).stdout, re.MULTILINE)
    program_that(machine, "npm", "exit 1")
    assert "Debian" not in set_up(machine).stdout


def test_a_step_that_fails_shows_what_was_said_and_what_to_do_next(machine: Path) -> None:
    program_that(machine, "dpkg-query", "")
    program_that(machine, "apt-get", "echo 'E: Unable to locate package gammu' >&2; exit 100")
    done = set_up(machine)
    assert done.returncode == 1
    assert "Debian packages: 2 ... failed" in done.stdout
    assert "E: Unable to locate package gammu" in done.stderr
    assert "Next: see that the network and /etc/apt/sources.list* are right" in done.stderr


def test_another_system_than_debian_is_told_what_to_install(machine: Path) -> None:
    done = set_up(machine)
    assert done.returncode == 1
    assert "This is no Debian. Next: install by hand what corresponds to gammu npm." in done.stderr
