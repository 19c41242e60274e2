"""journald's native protocol: one datagram a line, with fields by which `journalctl FIELD=value` finds it again.

Not libsystemd's: its call waits for a journald that hangs or is behind, and with it would the loop that sounds sirens.
Here a line that is not taken at once is counted and forgotten.
"""

import os
import re
import socket
import struct
from collections.abc import Mapping
from pathlib import Path

SOCKET = Path("/run/systemd/journal/socket")
MOST_OF_A_FIELD = 8_192  # octets; a long traceback, and far below what a datagram takes (some 200 kB)
MOST_FIELDS = 32
NAME = re.compile(r"[A-Z][A-Z0-9_]{0,63}")  # journald drops a line's other fields, and those that begin with _


def is_listening() -> bool:
    """Whether this process's stderr is journald's, as systemd says by JOURNAL_STREAM (device:inode)."""
    said = os.environ.get("JOURNAL_STREAM", "")
    try:
        ours = os.fstat(2)
    except OSError:  # closed
        return False
    return said == f"{ours.st_dev}:{ours.st_ino}"


def encode(fields: Mapping[str, str]) -> bytes:
    """Raises ValueError for a name that journald would not keep."""
    if len(fields) > MOST_FIELDS:
        raise ValueError(f"{len(fields)} fields in a line for journald; {MOST_FIELDS} at the most.")
    lines = bytearray()
    for name, text in fields.items():
        if not NAME.fullmatch(name):
            raise ValueError(f"{name!r} is no name of a field for journald: A-Z, 0-9 and _, a letter first.")
        octets = text.encode(errors="replace")[:MOST_OF_A_FIELD]
        if b"\n" in octets:
            lines += name.encode() + b"\n" + struct.pack("<Q", len(octets)) + octets + b"\n"
        else:
            lines += name.encode() + b"=" + octets + b"\n"
    return bytes(lines)


class Journald:
    """Where lines go. `send` never waits and never fails; `lost` counts what journald did not take."""

    def __init__(self, path: Path = SOCKET) -> None:
        self._path = str(path)
        self.lost = 0
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC)
        self._socket.setblocking(False)

    def send(self, fields: Mapping[str, str], *, kept: bool = False) -> bool:
        """False when it was not taken: journald is gone, or has not read what came before. `kept`: it comes again."""
        try:
            self._socket.sendto(encode(fields), self._path)  # by name: journald may have been started again
        except OSError:
            self.lost += not kept
            return False
        return True

    def close(self) -> None:
        self._socket.close()
