"""What stands where `siaga audio` would: a stream socket that keeps what a browser says, and speaks or echoes."""

import asyncio
import contextlib
import json
from pathlib import Path

import numpy as np
import numpy.typing as npt

RATE, FRAME_S, OCTETS = 16000, 0.02, 640
Pcm = npt.NDArray[np.int16]


def sine(hz: float, seconds: float, dbfs: float, rate: int = RATE) -> npt.NDArray[np.float64]:
    amplitude = 10 ** (dbfs / 20)
    return np.asarray(amplitude * np.sin(2 * np.pi * hz * np.arange(int(seconds * rate)) / rate))


def level_at(pcm: npt.NDArray[np.floating], hz: float, rate: int = RATE) -> float:
    """dBFS of the sine of this frequency, over all of `pcm`, through a window that leaks less than -90 dB."""
    window = np.blackman(len(pcm))
    turned = np.exp(-2j * np.pi * hz * np.arange(len(pcm)) / rate)
    found = 2 * abs(np.sum(pcm * window * turned)) / np.sum(window)
    return float(20 * np.log10(max(found, 1e-9)))


class TalkPeer:
    """`say` is spoken to whoever joins, again and again; `echo` gives back what came at once."""

    def __init__(self, socket: Path) -> None:
        self._socket = socket
        self.say: Pcm | None = None
        self.echo = False
        self.heard: list[bytes] = []
        self.keys: list[str] = []
        self._writers: set[asyncio.StreamWriter] = set()
        self._server: asyncio.Server | None = None

    @property
    def joined(self) -> int:
        return len(self._writers)

    async def start(self) -> None:
        self._socket.unlink(missing_ok=True)
        self._server = await asyncio.start_unix_server(self._serve, self._socket)

    async def stop(self) -> None:
        assert self._server
        self._server.close()
        for writer in list(self._writers):
            writer.transport.abort()
        while self._writers:
            await asyncio.sleep(0.01)
        self._socket.unlink(missing_ok=True)

    def last(self, seconds: float) -> npt.NDArray[np.float64]:
        """What came last, full scale 1."""
        frames = self.heard[-round(seconds / FRAME_S) :]
        return np.frombuffer(b"".join(frames), "<i2") / 32768

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.keys.append(json.loads(await reader.readline())["key"])
        writer.write(b'{"ok":{}}\n')
        self._writers.add(writer)
        speaking = asyncio.create_task(self._speak(writer))
        try:
            with contextlib.suppress(asyncio.IncompleteReadError, ConnectionError):
                while True:
                    frame = await reader.readexactly(OCTETS)
                    self.heard.append(frame)
                    if self.echo:
                        writer.write(frame)
        finally:
            speaking.cancel()
            self._writers.discard(writer)
            writer.close()

    async def _speak(self, writer: asyncio.StreamWriter) -> None:
        loop, at = asyncio.get_running_loop(), 0
        due = loop.time()
        while True:
            if self.say is not None:
                writer.write(np.take(self.say, range(at, at + OCTETS // 2), mode="wrap").astype("<i2").tobytes())
                at += OCTETS // 2
            due += FRAME_S
            await asyncio.sleep(due - loop.time())
