"""Programs that mind the whole system (udev, journald, nft), each in namespaces of its own: nothing outside is touched.

As root, and as anybody where the kernel lets users make namespaces.
"""

import functools
import os
import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path

import pytest

PATIENCE = 30.0  # s


def _unshare(*kinds: str) -> list[str]:
    return ["unshare", *kinds, *(() if os.geteuid() == 0 else ("--map-root-user",))]


@functools.cache
def _why_not(kinds: tuple[str, ...]) -> str:
    """Empty where namespaces of these kinds can be made and mounted in."""
    if shutil.which("unshare") is None:
        return "unshare is not installed (apt-get install util-linux)"
    tried = subprocess.run(
        [*_unshare(*kinds), "mount", "-t", "tmpfs", "none", "/mnt"]
        if "--mount" in kinds
        else [*_unshare(*kinds), "true"],
        capture_output=True,
        text=True,
        check=False,
    )
    return f"no namespaces here: {tried.stderr.strip()}" if tried.returncode else ""


def inside(script: str, *kinds: str, arguments: Sequence[str | Path] = ()) -> subprocess.CompletedProcess[str]:
    """Run a shell `script` with `arguments` in new namespaces of `kinds` (--mount, --net). Skips where none can be."""
    if why := _why_not(kinds):
        pytest.skip(why)
    return subprocess.run(
        [*_unshare(*kinds), "sh", "-euc", script, "sh", *map(str, arguments)],
        capture_output=True,
        text=True,
        check=False,
        timeout=PATIENCE,
    )


def needs(program: str, package: str) -> pytest.MarkDecorator:
    """Skip where `program` is not on this machine. It may stand where only root looks."""
    there = shutil.which(program, path=f"{os.environ.get('PATH', '')}:/usr/sbin:/sbin:/lib/systemd")
    return pytest.mark.skipif(there is None, reason=f"{program} is not installed (apt-get install {package})")
