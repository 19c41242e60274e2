"""Changes of several files at once that a power cut cannot halve: written beside, made valid by one rename, then moved.

`step` is called before each change of the disk with what it is; tests cut the power there.
"""

import grp
import os
import pwd
import shutil
from collections.abc import Callable
from pathlib import Path

import msgspec

from appliance.keys import sync_directory, take_name

NEXT, READY = "first-boot.next", "first-boot.ready"
MANIFEST = "manifest.json"
GROUP = "siaga"


class Item(msgspec.Struct, frozen=True):
    """One file of a change. `path` is relative to the data partition; `group`: readable by Siaga's processes."""

    path: str
    octets: bytes
    mode: int = 0o600
    group: bool = False


class _Listed(msgspec.Struct, frozen=True):
    path: str
    staged: str


class Disk:
    """The data partition."""

    def __init__(self, data: Path, step: Callable[[str], None] = lambda _: None) -> None:
        self.data, self._step = data, step

    def change(self, items: list[Item]) -> None:
        """All of them, or none. Raises OSError."""
        beside, ready = self.data / NEXT, self.data / READY
        self._clear(beside)
        self._step("mkdir next")
        beside.mkdir(mode=0o700)
        listed = []
        for number, item in enumerate(items):
            self._fill(beside / f"{number}", item)
            listed.append(_Listed(item.path, f"{number}"))
        self._fill(beside / MANIFEST, Item("", msgspec.json.encode(listed)))
        sync_directory(beside)
        self._step("rename ready")
        beside.rename(ready)
        sync_directory(self.data)
        self.finish()

    def finish(self) -> bool:
        """Move what a change made ready, also one that a power cut interrupted; whether there was any."""
        ready = self.data / READY
        if not ready.exists():
            return False
        manifest = ready / MANIFEST
        # It is the last to go: without it everything was moved, and only the clearing was cut off.
        listed = msgspec.json.decode(manifest.read_bytes(), type=list[_Listed]) if manifest.exists() else []
        for one in listed:
            staged, target = ready / one.staged, self.data / one.path
            folder(target.parent)
            if staged.exists():
                self._step(f"move {one.path}")
                if os.geteuid() == 0 and staged.stat().st_gid == 0:
                    owner = target.parent.stat()
                    os.chown(staged, owner.st_uid, owner.st_gid)
                staged.rename(target)
            sync_directory(target.parent)
        self._step("clear ready")
        manifest.unlink(missing_ok=True)
        self._step("remove ready")
        ready.rmdir()
        sync_directory(self.data)
        return True

    def write(self, file: Path, octets: bytes, mode: int = 0o644) -> None:
        """One file, whole or as it was. Also on FAT, which knows no modes and no owners."""
        new = file.with_name(f"{file.name}.new")
        self._step(f"write {file.name}")
        with os.fdopen(os.open(new, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, mode), "wb") as opened:
            opened.write(octets)
            opened.flush()
            os.fsync(opened.fileno())
            self._step(f"rename {file.name}")
            take_name(opened.fileno(), new, file)
        self._step(f"done {file.name}")

    def overwrite(self, file: Path, octets: bytes) -> None:
        """As `write`, and what stood there is overwritten with zeros in its place on the partition.

        A card keeps copies that no program reaches; only its destruction takes those away.
        """
        with file.open("r+b") as old:
            size = os.fstat(old.fileno()).st_size
            self.write(file, octets)
            self._step(f"zeros {file.name}")
            old.write(b"\0" * size)
            old.flush()
            os.fsync(old.fileno())

    def _fill(self, file: Path, item: Item) -> None:
        self._step(f"stage {item.path or MANIFEST}")
        with os.fdopen(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, item.mode), "wb") as opened:
            os.fchmod(opened.fileno(), item.mode)
            opened.write(item.octets)
            opened.flush()
            if item.group and os.geteuid() == 0 and (gid := group_number(GROUP)) is not None:
                os.fchown(opened.fileno(), 0, gid)
            os.fsync(opened.fileno())

    def _clear(self, path: Path) -> None:
        if path.exists():
            self._step("clear next")
            shutil.rmtree(path)


def folder(path: Path, mode: int = 0o755, user: str = "") -> None:
    """Make it if it is not there, owned by `user` where root makes it and there is such a user."""
    if path.is_dir():
        return
    path.mkdir(mode=mode, parents=True)
    if user and os.geteuid() == 0:
        try:
            owner = pwd.getpwnam(user)
        except KeyError:
            return
        os.chown(path, owner.pw_uid, owner.pw_gid)


def group_number(name: str) -> int | None:
    try:
        return grp.getgrnam(name).gr_gid
    except KeyError:
        return None
