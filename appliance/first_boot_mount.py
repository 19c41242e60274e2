"""The FAT partition is mounted read-only; it is made writable for the moments in which something is written."""

import contextlib
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

WITHIN = 20.0  # s; what was written goes to the card before it is read-only again


@contextlib.contextmanager
def writable(boot: Path) -> Iterator[None]:
    """As it was afterwards. Raises OSError where it cannot be."""
    was_readonly = bool(os.statvfs(boot).f_flag & os.ST_RDONLY)
    if was_readonly:
        _remount(boot, "rw")
    try:
        yield
    finally:
        if was_readonly:
            _remount(boot, "ro")


def _remount(boot: Path, how: str) -> None:
    command = ["mount", "-o", f"remount,{how}", str(boot)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=WITHIN, check=False)
    if done.returncode:
        raise OSError(f"{boot} cannot be mounted {how} ({done.stderr.strip()})")
