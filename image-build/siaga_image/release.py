"""Which commit is built: its version, its time, and whether the folder still is that commit."""

import subprocess
import tomllib

from siaga_image.profile import ROOT


def version() -> str:
    """Of pyproject.toml, and with the commit where that is not the release itself: `0.1.0+4c3db7b`."""
    with (ROOT / "pyproject.toml").open("rb") as file:
        number = str(tomllib.load(file)["project"]["version"])
    tags = _git("tag", "--points-at", "HEAD").split()
    changed = "-changed" if _git("status", "--porcelain", "--untracked-files=no") else ""
    if f"v{number}" in tags and not changed:
        return number
    return f"{number}+{_git('rev-parse', '--short=7', 'HEAD')}{changed}"


def commit_time() -> int:
    """Seconds since 1970: the age of every file that the build makes."""
    return int(_git("log", "-1", "--format=%ct"))


def _git(*words: str) -> str:
    # As root in a person's folder git asks for this.
    command = ["git", "-c", f"safe.directory={ROOT}", "-C", str(ROOT), *words]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()
