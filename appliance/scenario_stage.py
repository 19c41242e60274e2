"""One simulated site for stories: started for the first, and anew for the next unless it was left as it was found."""

import asyncio
import shutil
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, Protocol

from appliance.demo import Demo
from appliance.demo_alert import AlertDemo
from appliance.demo_lines import LinesDemo
from appliance.demo_power import PowerDemo
from appliance.demo_sound import SoundDemo
from appliance.journal_file import read_entries
from appliance.scenario import SHARED, Story
from appliance.scenario_player import Miss, Player
from appliance.scenario_sight import Site
from appliance.supervisor import Child, NotStarted
from drivers.clock import Clock
from drivers.jsonsocket import Gone, Refusal
from drivers.sim.broker import free_port

LINES = (
    {"view": "lines.l1.can_take_call", "is": "registered"},
    {"view": "lines.l2.can_take_call", "is": "registered"},
)
ORDINARY: dict[str, tuple[dict[str, Any], ...]] = {
    "lines": LINES,
    "calls": (*LINES, {"view": "links.audio.up", "is": True}, {"get": "/", "has": "phone"}),
    "sound": (*LINES, {"view": "links.audio.up", "is": True}),
    "headset": (*LINES, {"view": "links.audio.up", "is": True}),
    "power": (
        {"view": "power.source", "is": "mains"},
        {"view": "power.stage", "is": "normal"},
        {"view": "links.annunciator.up", "is": True},
        {"event": "genset.ready"},
    ),
    "alert": (
        *LINES,
        {"view": "stations.damkar-kota.contact.online", "is": True},
        {"view": "stations.damkar-passo.contact.online", "is": True},
        {"view": "lines.l1.can_take_call", "is": "registered", "node": "damkar-kota"},
        {"view": "lines.l1.can_take_call", "is": "registered", "node": "damkar-passo"},
        {"view": "links.audio.up", "is": True},
    ),
    "demo": (
        {"view": "power.source", "is": "mains"},
        *LINES,
        {"view": "stations.damkar-kota.contact.online", "is": True},
        {"view": "stations.damkar-passo.contact.online", "is": True},
        {"view": "lines.l1.can_take_call", "is": "registered", "node": "damkar-kota"},
        {"view": "lines.l1.can_take_call", "is": "registered", "node": "damkar-passo"},
        {"view": "trunk.up", "is": True},
        {"event": "genset.ready"},
    ),
}


class Running(Protocol):
    """A simulated site of whatever size."""

    @property
    def children(self) -> dict[str, Child]: ...
    async def start(self) -> None: ...
    async def stop(self) -> None: ...
    def where(self) -> dict[str, Any]: ...
    def nodes(self) -> dict[str, dict[str, str]]: ...


def make(kind: str, folder: Path, clock: Clock) -> Running:
    if kind in ("sound", "headset"):
        return SoundDemo(folder, clock, headset=kind == "headset")
    if kind == "power":
        return PowerDemo(folder, clock)
    if kind == "alert":
        return AlertDemo(folder, clock)
    if kind in ("lines", "calls"):
        return LinesDemo(folder, clock, page=free_port() if kind == "calls" else None)
    return Demo(folder, clock, web_port=free_port())


class Stage:
    """`kind` is the stories' `site`; `clock` is the one it runs by. With `keep` the files of each site stay."""

    def __init__(self, kind: str, clock: Clock, *, keep: bool = False, say: Callable[[str], None] = print) -> None:
        self._kind, self._clock, self._keep, self._say = kind, clock, keep, say
        self._running: Running | None = None
        self._folder = Path()

    async def play(self, stories: list[Story]) -> list[tuple[bool, float]]:
        """One after the other: whether each held, and the seconds of real life that it took, a site's start among
        them."""
        played = []
        try:
            for story in stories:
                began = time.monotonic()
                good = await self._play(story)
                played.append((good, time.monotonic() - began))
        finally:
            await self._end(good=True)
        return played

    async def _play(self, story: Story) -> bool:
        speed = f", time x{self._clock.speed:g}" if self._clock.speed != 1 else ""
        self._say(f"{story.title}{speed}")
        try:
            if self._running is None:
                await self._start()
            await self._player.play(story)
            if self._kind in SHARED:
                await self._player.rest(story.rest)
                await self._player.settle(sight for sight in ORDINARY[self._kind] if "view" in sight)
        except (Miss, NotStarted, Gone, Refusal, OSError) as e:
            self._say(f"  ✗ {e}")
            self._explain()
            await self._end(good=False)
            self._say("  MISSED")
            return False
        if self._kind not in SHARED:
            await self._end(good=True)
        self._say("  held")
        return True

    async def _start(self) -> None:
        self._folder = Path(tempfile.mkdtemp(prefix="siaga-"))
        self._running = make(self._kind, self._folder, self._clock)
        await self._running.start()
        self._player = Player(Site(self._running.where()), self._clock, self._say)
        await self._player.settle(ORDINARY[self._kind])

    async def _end(self, *, good: bool) -> None:
        running, self._running = self._running, None
        if running is None:
            return
        await running.stop()
        if good and not self._keep:
            await asyncio.to_thread(shutil.rmtree, self._folder, ignore_errors=True)
        else:
            self._say(f"  its files stay in {self._folder}")

    def _explain(self) -> None:
        """What a person wants to see after a miss: the journals' last rows, and the last words of each process."""
        if self._running is None:
            return
        for node in self._running.nodes().values():
            path = Path(node["state"]) / "journal.db"
            if path.exists():
                self._say(f"  {path}:")
                for entry in read_entries(path, last=25):
                    self._say(f"    {entry.seq} {entry.kind} {entry.subject} {entry.body.decode()[:150]}")
        for child in self._running.children.values():
            if words := child.last_words(6):
                self._say(f"  {child.log}:")
                self._say("    " + words.replace("\n", "\n    "))
