"""A serial port that is not there: a pty whose slave stands behind a stable symlink.

The simulator keeps the slave open itself, so a client may close and open it as often as it likes. What nobody
reads is bounded and then lost, as on a wire.
"""

import asyncio
import contextlib
import fcntl
import os
import termios
import tty
from collections.abc import Callable
from pathlib import Path

MAX_UNSENT = 16384  # bytes behind the kernel's own 4 kB; four full SMS memories, or 60 long Modbus answers
READ_SIZE = 4096  # bytes; the kernel's pty buffer holds no more


class PtyPort:
    """The master's side, on the running loop. `on_data` gets what the client wrote, as it came."""

    def __init__(self, link: Path, on_data: Callable[[bytes], None]) -> None:
        self._link, self._on_data = link, on_data
        self._master = self._slave = -1
        self._unsent = bytearray()
        self._device = ""
        self._left: list[int] = []  # of the pty before a move, open and silent
        self.lost = 0  # bytes that the client did not read in time

    @property
    def present(self) -> bool:
        return self._master >= 0

    @property
    def link(self) -> Path:
        return self._link

    @property
    def unsent(self) -> int:
        """Octets that the kernel has no room for: the client does not read."""
        return len(self._unsent)

    def open(self) -> None:
        """Make the pty and point the symlink at it. Raises FileExistsError when the path is no symlink."""
        if self.present:
            return
        if self._link.exists() and not self._link.is_symlink():
            raise FileExistsError(f"{self._link}: is not a symlink; move it away or choose another port path.")
        self._master, self._slave = os.openpty()
        tty.setraw(self._slave)
        os.set_blocking(self._master, False)
        self._device = os.ttyname(self._slave)
        self._link.parent.mkdir(parents=True, exist_ok=True)
        fresh = self._link.with_name(f".{self._link.name}.{os.getpid()}")
        fresh.unlink(missing_ok=True)
        fresh.symlink_to(self._device)
        fresh.replace(self._link)  # atomic: a client sees the old port or the new one, never none
        asyncio.get_running_loop().add_reader(self._master, self._readable)

    def close(self) -> None:
        """Take the port away; a client that has it open gets end of file or EIO."""
        self._drop_left()
        if not self.present:
            return
        loop = asyncio.get_running_loop()
        loop.remove_reader(self._master)
        loop.remove_writer(self._master)
        with contextlib.suppress(OSError):
            if self._link.readlink() == Path(self._device):
                self._link.unlink()
        os.close(self._master)
        os.close(self._slave)
        self._master = self._slave = -1
        self._unsent.clear()

    def vanish(self) -> None:
        """Unplugged: the same as `close`, said by a test."""
        self.close()

    def reappear(self) -> None:
        """Plugged in again: a new pty behind the same path, as udev's by-path links do it."""
        self.open()

    def move(self) -> None:
        """The cable goes to another socket: another pty behind the same path, while the old one stays and is silent."""
        if not self.present:
            return
        loop = asyncio.get_running_loop()
        loop.remove_reader(self._master)
        loop.remove_writer(self._master)
        self._drop_left()
        self._left = [self._master, self._slave]
        self._master = self._slave = -1
        self._unsent.clear()
        self.open()

    def _drop_left(self) -> None:
        for descriptor in self._left:
            os.close(descriptor)
        self._left = []

    def write(self, data: bytes) -> None:
        """Send to the client. Lost when the port is away or MAX_UNSENT is waiting already."""
        if not self.present:
            return
        room = MAX_UNSENT - len(self._unsent)
        self.lost += max(0, len(data) - room)
        self._unsent += data[:room]
        self._flush()

    def _flush(self) -> None:
        loop = asyncio.get_running_loop()
        try:
            while self._unsent:
                del self._unsent[: os.write(self._master, self._unsent)]
        except BlockingIOError:
            loop.add_writer(self._master, self._flush)
        else:
            loop.remove_writer(self._master)

    def _readable(self) -> None:
        try:
            data = os.read(self._master, READ_SIZE)
        except BlockingIOError:
            return
        # A client that claimed the line alone (gammu does) has let it go on a real port when it closes; here our own
        # open slave would keep the claim, and the next client would be told that the port is busy.
        fcntl.ioctl(self._slave, termios.TIOCNXCL)
        self._on_data(data)
