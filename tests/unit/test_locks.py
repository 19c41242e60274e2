"""The lock files hold what pyproject.toml asks for, each by hash, and say nothing about where it comes from."""

import re
import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

PROJECT = Path(__file__).parents[2]
ASKED = tomllib.loads((PROJECT / "pyproject.toml").read_text())
RUNTIME = ASKED["project"]["dependencies"]
DEV = ASKED["project"]["optional-dependencies"]["dev"]


def pins(lock: str) -> dict[str, str]:
    """Version by name."""
    found = re.findall(r"^([A-Za-z0-9._-]+)==([^\s;\\]+)", (PROJECT / lock).read_text(), re.MULTILINE)
    return {canonicalize_name(name): version for name, version in found}


@pytest.mark.parametrize(
    ("lock", "asked"),
    [
        ("requirements-build.lock", ASKED["dependency-groups"]["build"]),
        ("requirements.lock", RUNTIME),
        ("requirements-dev.lock", RUNTIME + DEV),
    ],
)
def test_a_lock_has_everything_that_is_asked_for(lock: str, asked: list[str]) -> None:
    pinned = pins(lock)
    for requirement in map(Requirement, asked):
        name = canonicalize_name(requirement.name)
        assert name in pinned, f"{name} is not in {lock}. Next: make lock"
        assert requirement.specifier.contains(pinned[name]), f"{lock} has {name} {pinned[name]}. Next: make lock"


def test_developers_run_the_very_versions_that_the_appliance_runs() -> None:
    assert pins("requirements.lock").items() <= pins("requirements-dev.lock").items()


@pytest.mark.parametrize("lock", ["requirements-build.lock", "requirements.lock", "requirements-dev.lock"])
def test_every_pin_has_hashes_and_no_address(lock: str) -> None:
    text = (PROJECT / lock).read_text()
    blocks = re.split(r"^(?=[A-Za-z0-9._-]+==)", text, flags=re.MULTILINE)[1:]
    assert len(blocks) == len(pins(lock))
    assert all("--hash=sha256:" in block for block in blocks)
    assert "://" not in text
