"""A modem's sound on a serial port (SIM7600, EG25-G on its NMEA port) as an end of a bridge: raw s16le both ways.

A modem sends nothing outside a call, so a silent port is not a lost one; a port that is away is, and is opened again.
"""

import asyncio
import contextlib
import fcntl
import struct
import termios
from pathlib import Path

import numpy as np

from drivers.audio.endpoint import Pcm
from drivers.audio.errors import BUSY, CLOSED, MISSING, OPENING, UNPLUGGED
from drivers.audio.ring import SAMPLE, Ring
from drivers.modem.errors import LinkLost
from drivers.modem.serial_port import SerialPort

KEPT_S = 0.5  # s of heard sound; a bridge that is later than this has lost the talk's thread anyway
GIVEN_S = 0.2  # s that wait for the modem; a frame more than that is dropped whole, so that no octet slips
QUIET_FRAMES = 10  # given since the modem sent something: then it is in no call, and nothing can be told
AGAIN_S = 0.25  # s between attempts to open a port that is away
COUNT = struct.Struct("i")


class SerialPcm:
    """Opened by the constructor, on the running loop; what is away is tried again until `close`."""

    live = True
    finished = False

    def __init__(self, path: Path, rate: int) -> None:
        """`rate`: 8000 or 16000 Hz, as the modem was told (AT+CPCMFRM)."""
        self._path, self.rate = path, rate
        self._heard = Ring(int(rate * KEPT_S))
        self._half = b""  # the first octet of a sample whose second is on its way
        self._port: SerialPort | None = None
        self._again: asyncio.TimerHandle | None = None
        self.lost = OPENING
        self._ahead = 0  # octets given that it has not played, by its own count: it sends as many as it plays
        self._unheard = 0  # frames given since it sent something
        self.dropped = 0  # frames that the modem did not take in time
        self._open()

    @property
    def waiting_s(self) -> float:
        """By what it sent meanwhile: one clock of the modem's makes both, and what it holds back nobody else tells."""
        return max(self._ahead, self._waiting()) / SAMPLE / self.rate

    def take(self) -> Pcm:
        return np.frombuffer(self._heard.get(), dtype="<i2").astype(np.int16, copy=False)

    def give(self, pcm: Pcm) -> None:
        if self._port is None:
            return
        if self._waiting() > GIVEN_S * self.rate * SAMPLE:
            self.dropped += 1
            return
        octets = pcm.astype("<i2", copy=False).tobytes()
        self._port.write(octets)
        self._unheard += 1
        if self._unheard <= QUIET_FRAMES:
            self._ahead = min(self._ahead + len(octets), int(GIVEN_S * self.rate) * SAMPLE)

    def close(self) -> None:
        self.lost = CLOSED
        if self._again is not None:
            self._again.cancel()
        if self._port is not None:
            self._port.close()
            self._port = None

    def _open(self) -> None:
        try:
            self._port = SerialPort(self._path, self._received, self._gone)
        except LinkLost:
            there = self._path.exists()
            if self.lost != UNPLUGGED or there:
                self.lost = BUSY if there else MISSING
            self._again = asyncio.get_running_loop().call_later(AGAIN_S, self._open)
        else:
            self._heard.clear()
            self._half, self._ahead, self._unheard = b"", 0, QUIET_FRAMES
            self.lost = ""

    def _received(self, octets: bytes) -> None:
        self._ahead = max(0, self._ahead - len(octets))
        self._unheard = 0
        octets = self._half + octets
        whole = len(octets) - len(octets) % SAMPLE
        self._half = octets[whole:]
        self._heard.put(octets[:whole])

    def _gone(self, _reason: str) -> None:
        self._port = None
        self.lost = UNPLUGGED
        self._again = asyncio.get_running_loop().call_later(AGAIN_S, self._open)

    def _waiting(self) -> int:
        """Octets that the port has not sent yet, in this process and in the kernel."""
        if self._port is None:
            return 0
        with contextlib.suppress(OSError):
            in_kernel: int = COUNT.unpack(fcntl.ioctl(self._port.fileno, termios.TIOCOUTQ, b"\0" * COUNT.size))[0]
            return self._port.unsent + in_kernel
        return self._port.unsent
