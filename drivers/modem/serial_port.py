"""A serial port, or a pty, on the event loop: bytes both ways, nothing that blocks, and its loss told once.

Any OSError means that the port is lost: a USB modem that restarts takes its port with it.
"""

import asyncio
import contextlib
import errno
import os
import termios
from collections.abc import Callable
from pathlib import Path

import serial

from drivers.modem.errors import LinkLost
from drivers.modem.recorder import FROM, NOTE, TO, Recorder

BAUDRATE = 115200  # USB modems ignore it; SIM800 and bench adapters are fixed to it
READ_AT_ONCE = 4096  # bytes; leaves the loop to others between, a pty holds no more
LOOK_EVERY = 2.0  # s between looks whether the path leads to another device now
MAX_UNSENT = 8192  # bytes; more than any command with its payload, so a modem that takes no more is found out


class SerialPort:
    """Open from the start. Raises LinkLost when the port is missing, in use or no terminal."""

    def __init__(
        self,
        path: Path,
        on_data: Callable[[bytes], None],
        on_lost: Callable[[str], None],
        recorder: Recorder | None = None,
    ) -> None:
        self._path, self._on_data, self._on_lost = path, on_data, on_lost
        self._record = recorder.record if recorder else lambda direction, data: None
        self._unsent = bytearray()
        try:
            self._serial = serial.Serial(str(path), BAUDRATE, timeout=0, write_timeout=0, exclusive=True)
        except (OSError, ValueError) as e:  # SerialException is an OSError
            raise LinkLost(_why(path, e)) from e
        self._fd = self._serial.fileno()
        self._loop = asyncio.get_running_loop()
        self.is_open = True
        self._record(NOTE, b"the port was opened")
        self._loop.add_reader(self._fd, self._readable)
        self._look: asyncio.TimerHandle = self._loop.call_later(LOOK_EVERY, self._look_again)

    def _look_again(self) -> None:
        """A cable that was moved: udev's link leads to the new device, and the old one may stay open and silent.

        A link that is missing says nothing: the device is read until it fails.
        """
        with contextlib.suppress(OSError):
            there, here = self._path.stat(), os.fstat(self._fd)
            if (there.st_rdev, there.st_ino) != (here.st_rdev, here.st_ino):
                self._lose(f"{self._path}: leads to another device now.")
        if self.is_open:
            self._look = self._loop.call_later(LOOK_EVERY, self._look_again)

    @property
    def fileno(self) -> int:
        return self._fd

    @property
    def unsent(self) -> int:
        """Octets that the kernel has not taken yet."""
        return len(self._unsent)

    def write(self, data: bytes) -> None:
        """Queue bytes for the modem; nothing happens on a lost port, which was told already."""
        if not self.is_open:
            return
        self._record(TO, data)
        self._unsent += data
        if len(self._unsent) > MAX_UNSENT:
            self._lose(f"{self._path}: the modem takes no data.")
        else:
            self._writable()

    def _readable(self) -> None:
        try:
            data = os.read(self._fd, READ_AT_ONCE)
        except BlockingIOError:
            return
        except OSError as e:
            self._lose(_why(self._path, e))
            return
        if data:
            self._record(FROM, data)
            self._on_data(data)
        else:
            self._lose(f"{self._path}: the port was closed from the other side.")

    def _writable(self) -> None:
        try:
            sent = os.write(self._fd, self._unsent)
        except BlockingIOError:
            sent = 0
        except OSError as e:
            self._lose(_why(self._path, e))
            return
        del self._unsent[:sent]
        if self._unsent:
            self._loop.add_writer(self._fd, self._writable)
        else:
            self._loop.remove_writer(self._fd)

    def _lose(self, reason: str) -> None:
        if self.is_open:
            self.close()
            self._record(NOTE, reason.encode("latin-1", "replace"))
            self._on_lost(reason)

    def close(self) -> None:
        """Give the port back. Unsent bytes are dropped: waiting for them would block the loop."""
        if not self.is_open:
            return
        self.is_open = False
        self._look.cancel()
        self._loop.remove_reader(self._fd)
        self._loop.remove_writer(self._fd)
        with contextlib.suppress(OSError, termios.error):  # which is no OSError: a port that is gone gives it
            self._serial.reset_output_buffer()
        with contextlib.suppress(OSError):
            self._serial.close()


def _why(path: Path, error: Exception) -> str:
    if not path.exists():
        return f"{path}: the port is missing; check the modem's power and cable."
    if isinstance(error, OSError) and error.errno in (errno.EAGAIN, errno.EBUSY):
        return f"{path}: another program has the port; fuser -v {path} says which."
    text = os.strerror(error.errno) if isinstance(error, OSError) and error.errno else str(error)
    return f"{path}: {text}."
