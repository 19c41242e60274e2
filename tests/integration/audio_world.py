"""The real audio process, modems' serial PCM on ptys, browsers on its socket; who speaks and who hears is here."""

import asyncio
import contextlib
import os
import tty
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import TypeVar

import msgspec
import numpy as np
import tomli_w

from appliance.alarms.service import Alarms
from appliance.annunciator_config import AnnunciatorConfig
from appliance.config import Places, Site, load_site, places
from appliance.entry import Entry
from appliance.event import Event
from appliance.fold import apply
from appliance.journal import Journal
from appliance.sound.service import Sound
from appliance.state import State
from appliance.supervisor import Child, python
from drivers.clock import Clock

PATIENCE = 15.0  # s
TICK = 0.02
LINE_RATE, BROWSER_RATE = 8000, 16000
E = TypeVar("E", bound=Event)
LOUD = 3000  # amplitude of the tones that people here speak in


class Voice:
    """Speaks a tone of `hz` and keeps the last two seconds that it hears; `write` and `feed` are its two ways."""

    def __init__(self, rate: int, hz: float) -> None:
        self.rate, self.hz = rate, hz
        self.heard = np.zeros(0, np.int16)
        self._rest = b""
        self._at = 0
        self.silent = False

    def frame(self) -> bytes:
        """20 ms."""
        count = round(self.rate * TICK)
        time = (np.arange(count) + self._at) / self.rate
        self._at += count
        level = 0 if self.silent else LOUD
        return bytes((level * np.sin(2 * np.pi * self.hz * time)).astype("<i2").tobytes())

    def feed(self, octets: bytes) -> None:
        octets = self._rest + octets
        whole = len(octets) // 2 * 2
        self._rest = octets[whole:]
        self.heard = np.concatenate((self.heard, np.frombuffer(octets[:whole], "<i2")))[-2 * self.rate :]

    def hears(self, hz: float, seconds: float = 0.2) -> bool:
        """Whether a tone of `hz` is most of what came last."""
        last = self.heard[-round(seconds * self.rate) :]
        return len(last) >= round(seconds * self.rate) and share(last, self.rate, hz) > 0.5

    def deaf(self) -> None:
        self.heard = self.heard[:0]


def share(sound: np.ndarray, rate: int, hz: float) -> float:
    """How much of a sound's energy is one tone, 0 to 1; 0 for one that is hardly there."""
    samples = sound.astype(float)
    energy = float(samples @ samples)
    if len(samples) < rate // 20 or energy < len(samples) * 100.0**2:
        return 0.0
    turns = np.exp(-2j * np.pi * hz * np.arange(len(samples)) / rate)
    return float(2 * abs(samples @ turns) ** 2 / len(samples) / energy)


async def speak(voice: Voice, write: Callable[[bytes], object]) -> None:
    """A frame each 20 ms, by a clock that never drifts."""
    loop = asyncio.get_running_loop()
    at = loop.time()
    while True:
        write(voice.frame())
        at += TICK
        await asyncio.sleep(max(0.0, at - loop.time()))


@contextlib.asynccontextmanager
async def caller(path: Path, voice: Voice) -> AsyncIterator[None]:
    """A modem's PCM port at `path`, with who calls behind it."""
    ours, theirs = os.openpty()
    tty.setraw(theirs)
    path.unlink(missing_ok=True)
    path.symlink_to(os.ttyname(theirs))
    os.set_blocking(ours, False)
    loop = asyncio.get_running_loop()

    def read() -> None:
        with contextlib.suppress(BlockingIOError, OSError):
            voice.feed(os.read(ours, 4096))

    def write(octets: bytes) -> None:
        with contextlib.suppress(BlockingIOError):
            os.write(ours, octets)

    loop.add_reader(ours, read)
    speaking = asyncio.create_task(speak(voice, write))
    try:
        yield
    finally:
        speaking.cancel()
        loop.remove_reader(ours)
        os.close(ours)
        os.close(theirs)


@contextlib.asynccontextmanager
async def browser(path: Path, key: str, voice: Voice) -> AsyncIterator[None]:
    """A browser's stream, as `siaga web` carries it; it connects again whenever it is cut off."""

    async def talk() -> None:
        while True:
            with contextlib.suppress(OSError, asyncio.IncompleteReadError):
                await one()
            await asyncio.sleep(0.02)

    async def one() -> None:
        reader, writer = await asyncio.open_unix_connection(str(path))
        try:
            writer.write(msgspec.json.encode({"key": key}) + b"\n")
            if b"ok" not in await reader.readline():
                return
            speaking = asyncio.create_task(speak(voice, writer.write))
            try:
                while octets := await reader.read(4096):
                    voice.feed(octets)
            finally:
                speaking.cancel()
        finally:
            writer.close()

    talking = asyncio.create_task(talk())
    try:
        yield
    finally:
        talking.cancel()
        await asyncio.wait({talking})


class NoRepair:
    """Modems that nothing is done to; what was asked for is kept."""

    def __init__(self) -> None:
        self.asked: list[str] = []

    async def sound(self, line: str, *, on: bool) -> bool:
        self.asked.append(f"{line} {'on' if on else 'off'}")
        return True

    async def reset_sound(self, line: str) -> bool:
        self.asked.append(f"{line} reset")
        return True


class Core:
    """One life of what core is for sound: journal, fold and the sound room. `kill` ends it without a word."""

    def __init__(self, site: Site, there: Places, clock: Clock) -> None:
        self.state = State()
        self.entries: list[Entry] = []
        self.modems = NoRepair()
        self._woken = asyncio.Event()
        self._sound: Sound | None = None
        self._alarms: Alarms | None = None
        self.journal = Journal(there.journal, clock, "boot", lambda: "ntp", self._on_entry)
        self.journal.open()
        self.entries.clear()
        self._sound = self.sound = Sound(
            site=site, places=there, state=self.state, clock=clock, append=self.journal.append,
            on_changed=self._woken.set, lines=self.modems,
        )  # fmt: skip
        self._alarms = Alarms(site=site, state=self.state, clock=clock, append=self.journal.append)
        self._running = asyncio.create_task(self.sound.run())

    def _on_entry(self, entry: Entry) -> None:
        apply(self.state, entry)
        self.entries.append(entry)
        self._woken.set()
        if self._sound and self._alarms:
            self._sound.on_entry(entry.event)
            self._alarms.on_entry(entry)

    def append(self, event: Event) -> None:
        self.journal.append(event)

    def events(self, kind: type[E]) -> list[E]:
        return [e.event for e in self.entries if isinstance(e.event, kind)]

    async def kill(self) -> None:
        self._running.cancel()
        await asyncio.wait({self._running})
        self.journal.close()


async def until(what: str, so: Callable[[], object], within: float = PATIENCE) -> None:
    try:
        async with asyncio.timeout(within):
            while not so():
                await asyncio.sleep(0.005)
    except TimeoutError:
        raise AssertionError(f"never: {what}") from None


class World:
    """Two lines with serial PCM and the audio process, in a folder. `sound` is that table of the site file."""

    def __init__(self, folder: Path, clock: Clock, sound: dict[str, object] | None = None) -> None:
        file = folder / "site.toml"
        lines = [
            {"id": name, "name": name, "port": f"at-{name}", "number": f"+6200000000{number}",
             "sound": {"kind": "serial", "port": str(folder / f"pcm-{name}")}}
            for number, name in enumerate(("l1", "l2"), 1)
        ]  # fmt: skip
        text = {"role": "centre", "site": "s", "id": "c", "name": "C", "line": lines, "sound": sound or {},
                "annunciator": {"socket": "a.sock", "factory": "mock"}}  # fmt: skip
        file.write_text(tomli_w.dumps(text))
        self.site = load_site(file)
        assert isinstance(self.site.annunciator, AnnunciatorConfig)
        self.folder, self.places, self._clock = folder, places(self.site, file), clock
        self.audio = Child("audio", python("appliance.cli", "audio", "--config", file), folder, {})
        self._cores: list[Core] = []

    def core(self) -> Core:
        self._cores.append(Core(self.site, self.places, self._clock))
        return self._cores[-1]

    async def stop(self) -> None:
        for core in self._cores:
            await core.kill()
        await self.audio.stop()


@contextlib.asynccontextmanager
async def world(folder: Path, **sound: object) -> AsyncIterator[World]:
    made = World(folder, Clock(), sound)
    try:
        await made.audio.start()
        yield made
    finally:
        await made.stop()
