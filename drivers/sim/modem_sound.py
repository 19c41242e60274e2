"""The voice of a simulated modem: the sound of its call on a port of its own, as its make switches that on.

SIMCom's PCM port speaks after AT+CPCMREG=1 in a call. Quectel's sound is on the NMEA port after AT+QPCMV=1,0, and on a
USB card after 1,2, which is a port here: what a sound card would play and hear, raw.
"""

import asyncio
from collections.abc import Callable
from itertools import cycle
from pathlib import Path
from typing import Any

from drivers.sim.modem_dialect import Dialect
from drivers.sim.modem_line import Answer, Command, Failed, Handler
from drivers.sim.pty_port import PtyPort
from drivers.sim.sound_pcm import FRAME, OCTETS, RATE, SILENCE, Stretch, comfort_noise, keys_tones

NOT_BEFORE_S = 0.1  # s from VOICE CALL: BEGIN until AT+CPCMREG=1 is taken
FROM_HOST_MOST_S = 0.4  # s of the host's sound that a modem keeps; older is lost
FIRST_FRAMES = 2  # of the host's, before a modem plays them: its jitter buffer
SLACK = 4  # samples by which two clocks' roundings may differ
WIDE = 16000  # Hz, after AT+CPCMFRM=1
TONES_MOST = 16000 * 20  # octets of keys that wait
NMEA, USB = 0, 2  # of AT+QPCMV=1,<where>
DRIFT_MOST = 10000.0  # ppm; a hundred times what a cheap crystal is off, to see in seconds what takes minutes
WAYS = ("", "host", "network", "both")


class ModemSound:
    """`answered` gives the loop times at which the calls that are active now were answered.

    `silent`: zeros to the host. `deaf_way`: "host" hears nothing, "network" does not, or both. `second_call_mute`: as
    its makers' firmware does. `drift_ppm`: by how much its clock is fast.
    """

    def __init__(
        self, dialect: Dialect, pcm: Path | None, usb: Path | None, answered: Callable[[], list[float]]
    ) -> None:
        self._model, self._answered = dialect.model, answered
        self.ports = [PtyPort(path, self._from_host) for path in (pcm, usb) if path is not None]
        self._pcm = self.ports[0] if pcm is not None else None
        self._usb = self.ports[-1] if usb is not None else None
        self.changed: Callable[[], None] = lambda: None
        self.silent = self.second_call_mute = False
        self.deaf_way = ""
        self.drift_ppm = 0.0
        self.unplugged = False
        self.gaps = self.lost = self.sent = 0  # times without the host's sound, octets of it lost, frames to the host
        self._tones = bytearray()
        self._comfort = cycle(comfort_noise())
        self._begin(RATE)
        self.power(False)

    # Power and plugs.

    def power(self, on: bool) -> None:
        """Everything that was switched is forgotten; the ports come and go with the power."""
        self._powered = on
        self._registered = self._wide = self._gps_off = self._mute = self._refused = False
        self._where: int | None = None
        self._calls_with_sound = 0
        self._tones.clear()
        for port in self.ports:
            if on and not self.unplugged:
                port.open()
            else:
                port.vanish()

    def plug(self, on: bool) -> None:
        """The sound's own part of the cable; its commands go on."""
        self.unplugged = not on
        for port in self.ports:
            if on and self._powered:
                port.open()
            else:
                port.vanish()

    # Voice.

    @property
    def port(self) -> PtyPort | None:
        """Where its sound is now, if anywhere."""
        if self._model == "eg25g":
            return {NMEA: self._pcm, USB: self._usb}.get(-1 if self._where is None else self._where)
        return self._pcm if self._registered else None

    @property
    def at_work(self) -> bool:
        return bool(self._tones) or (self.port is not None and self.port.present)

    def press(self, keys: str) -> None:
        if len(self._tones) < TONES_MOST:
            self._tones += keys_tones(keys)
            self.changed()

    def hear(self, frame: bytes) -> None:
        port = self.port
        if port is None:
            return
        dull = self.silent or self._mute or self.deaf_way in ("host", "both")
        if frame == SILENCE:
            frame = next(self._comfort)
        self._to_host += self._outward.more(SILENCE if dull else frame)
        size = OCTETS * self._rate // RATE
        while len(self._to_host) >= size:
            if not port.unsent:  # who does not read in time has lost it
                port.write(bytes(self._to_host[:size]))
                self.sent += 1
            del self._to_host[:size]

    def speak(self) -> bytes:
        said = self._host_said() if self.port is not None else b""
        if self._tones:
            frame = bytes(self._tones[:OCTETS]).ljust(OCTETS, b"\0")
            del self._tones[:OCTETS]
            return frame
        return b"" if self._mute or self.deaf_way in ("network", "both") else said

    def alone(self) -> None:
        """The call ended."""
        self._calls_with_sound += self._registered
        self._registered = self._mute = self._refused = False
        self._tones.clear()
        self._begin(RATE)

    def _begin(self, rate: int) -> None:
        ratio = rate / RATE * (1.0 + self.drift_ppm / 1e6)
        self._rate, self._outward, self._inward = rate, Stretch(ratio), Stretch(1.0 / ratio)
        self._to_host, self._heard, self._inside = bytearray(), bytearray(), bytearray(2 * SLACK)
        self._due, self._dry = 0.0, True

    def drift(self, ppm: float) -> None:
        self.drift_ppm = ppm
        self._begin(self._rate)

    def _from_host(self, data: bytes) -> None:
        if self.port is None:
            return
        self._heard += data
        most = int(FROM_HOST_MOST_S * self._rate) * 2
        if (over := len(self._heard) - most) > 0:
            over += over % 2
            del self._heard[:over]
            self.lost += over

    def _host_said(self) -> bytes:
        """20 ms of the network's time; the host's sound is taken by the modem's clock."""
        self._due += FRAME * self._rate / RATE * (1.0 + self.drift_ppm / 1e6)
        wanted = int(self._due)
        self._due -= wanted
        if self._dry and len(self._heard) >= FIRST_FRAMES * 2 * wanted:
            self._dry = False
        elif not self._dry and len(self._heard) < 2 * wanted:
            self._dry = True
            self.gaps += 1
        chunk = b"" if self._dry else bytes(self._heard[: 2 * wanted])
        del self._heard[: len(chunk)]
        self._inside += self._inward.more(chunk.ljust(2 * wanted, b"\0"))
        frame = bytes(self._inside[:OCTETS]).ljust(OCTETS, b"\0")
        del self._inside[:OCTETS]
        return frame

    # Commands.

    def commands(self) -> dict[str, Handler]:
        if self._model == "sim7600":
            return {"+CPCMREG": self._register, "+CPCMFRM": self._format}
        return {"+QPCMV": self._voice_over, "+QGPSCFG": self._gps} if self._model == "eg25g" else {}

    def _register(self, command: Command) -> Answer:
        if command.op == "=?":
            return Answer(("+CPCMREG: (0-1)",))
        if command.op == "?":
            return Answer((f"+CPCMREG: {int(self._registered)}",))
        if command.number(0) == 0:
            self._calls_with_sound += self._registered
            self._registered = False
            return Answer()
        answered = self._answered()
        if not answered or asyncio.get_running_loop().time() - min(answered) < NOT_BEFORE_S:
            raise Failed
        if self.second_call_mute and self._calls_with_sound:
            if not self._refused:
                self._refused = True
                raise Failed
            self._mute = True
        self._begin(WIDE if self._wide else RATE)
        self._registered = True
        self.changed()
        return Answer()

    def _format(self, command: Command) -> Answer:
        if command.op == "=?":
            return Answer(("+CPCMFRM: (0-1)",))
        if command.op == "?":
            return Answer((f"+CPCMFRM: {int(self._wide)}",))
        self._wide = command.number(0) == 1
        return Answer()

    def _voice_over(self, command: Command) -> Answer:
        """AT+QPCMV=<on>[,<where>]; the NMEA port must be free of GPS first."""
        if command.op == "=?":
            return Answer(("+QPCMV: (0,1),(0-2)",))
        if command.op == "?":
            return Answer((f"+QPCMV: 1,{self._where}" if self._where is not None else "+QPCMV: 0",))
        where = command.number(1, USB) if command.number(0) == 1 else None
        if where not in (None, NMEA, USB) or (where == NMEA and not self._gps_off):
            raise Failed
        self._where = where
        self._begin(RATE)
        self.changed()
        return Answer()

    def _gps(self, command: Command) -> Answer:
        listed = [word.lower() for word in command.listed]
        if listed[:1] == ["outport"] and len(listed) == 2:
            self._gps_off = listed[1] == "none"
        return Answer()

    def described(self) -> dict[str, Any]:
        return {
            "on": self.port is not None,
            "rate": self._rate,
            "mute": self._mute,
            "sent": self.sent,
            "gaps": self.gaps,
            "lost": self.lost,
        }
