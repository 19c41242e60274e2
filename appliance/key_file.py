"""The book of keys on the disk: `keys.json` in the state folder, replaced whole, changed by one program at a time."""

import contextlib
import fcntl
import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

import msgspec

from appliance.key_book import Book
from appliance.keys import as_its_folder, take_name

MOST_OCTETS = 8_000_000  # 1,000 stations with their certificates have some 2,000,000


class BookUnreadable(Exception):
    """The file is there and cannot be used; the text says what to do next."""


def read_book(file: Path) -> Book:
    """An empty one where there is no file. Raises BookUnreadable: a damaged book must not look like an empty one."""
    try:
        with file.open("rb") as opened:
            return msgspec.json.decode(opened.read(MOST_OCTETS), type=Book)
    except FileNotFoundError:
        return Book()
    except OSError as e:
        raise BookUnreadable(f"{file} cannot be read ({e.strerror}): run this as core's user or root.") from e
    except msgspec.MsgspecError as e:
        raise BookUnreadable(f"{file} is damaged ({e}): restore it from your copy of the keys.") from e


def write_book(file: Path, book: Book) -> None:
    """Durable on return. Raises OSError."""
    replace_file(file, msgspec.json.format(msgspec.json.encode(book)))


def replace_file(file: Path, octets: bytes, mode: int = 0o600) -> None:
    """Whole and durable, or as it was. Keeps to the folder's owner when root writes. Raises OSError."""
    handle, name = tempfile.mkstemp(dir=file.parent, prefix=f".{file.name}.")
    try:
        with os.fdopen(handle, "wb") as opened:
            opened.write(octets)
            opened.flush()
            os.fchmod(handle, mode)
            as_its_folder(Path(name))
            os.fsync(handle)
            take_name(handle, Path(name), file)
    except OSError:
        with contextlib.suppress(OSError):
            Path(name).unlink()
        raise


@contextlib.contextmanager
def locked(file: Path) -> Iterator[None]:
    """Read, change and write under this, so that core and a person's command lose none of each other's changes."""
    file.parent.mkdir(mode=0o750, parents=True, exist_ok=True)
    lock = file.with_suffix(".lock")
    handle = os.open(lock, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        as_its_folder(lock)
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)
