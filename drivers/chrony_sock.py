"""Samples of time for chronyd, over the datagram socket that its `refclock SOCK` makes.

One struct a datagram, in the machine's own order (chrony's refclock_sock.c): when it was read by our clock, what has
to be added to it, and a number that says what it is.
"""

import socket
import struct
from pathlib import Path

SAMPLE = struct.Struct("@qqdiiii")  # timeval of 64 bits, offset, pulse, leap, padding, magic
MAGIC = 0x534F434B  # "SOCK"
NO_PULSE, NO_LEAP = 0, 0


def sample(wall: float, offset: float) -> bytes:
    """`wall` in unix seconds of the box's clock, `offset` the seconds to add."""
    seconds = int(wall // 1)
    return SAMPLE.pack(seconds, int((wall - seconds) * 1e6), offset, NO_PULSE, NO_LEAP, 0, MAGIC)


class ChronySock:
    """The socket is chronyd's: while it does not run there is none."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def send(self, wall: float, offset: float) -> bool:
        """Hand one sample on without waiting; False when nobody takes it."""
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK) as ours:
            try:
                ours.sendto(sample(wall, offset), str(self._path))
            except OSError:
                return False
        return True
