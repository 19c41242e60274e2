"""The audio process's whole: answers core, and gives every bridge its beat. It decides nothing.

Sound is never scaled: this process keeps real time whatever the others do. Nothing beats while no bridge is open.
"""

import asyncio
import logging
import os
from pathlib import Path
from typing import Any

import msgspec

from appliance import audio_protocol as say
from appliance.audio_bridge import Held, recorded
from appliance.audio_ends import FAILURES, Ends
from appliance.audio_measure import measure
from drivers.audio.beat import Beat
from drivers.audio.flac import NotMendable
from drivers.audio.recording import mend_leftover
from drivers.jsonsocket import Message, Peer, Refusal

LEVELS_S = 0.5  # s between levels
CORELESS = 10.0  # s that bridges live without core: it restarts in two, and a talk must not end by it

log = logging.getLogger("siaga.audio")


class AudioBox:
    """Made on a running loop. Recordings may lie only below `recordings`. `run` must be running."""

    def __init__(self, ends: Ends, recordings: Path) -> None:
        self._ends, self._recordings = ends, recordings
        self._loop = asyncio.get_running_loop()
        self._uids = {0, os.getuid()}
        self._peers: set[Peer] = set()
        self._bridges: dict[str, Held] = {}
        self._any = asyncio.Event()
        self._measuring = asyncio.Lock()
        self._coreless: asyncio.TimerHandle | None = None
        self._closing: set[asyncio.Task[say.Recorded]] = set()

    async def run(self) -> None:
        """The beat."""
        while True:
            self._any.clear()
            if not self._bridges:
                await self._any.wait()
            await self._beat()

    async def _beat(self) -> None:
        beat, levels_at = Beat(self._loop.time()), self._loop.time() + LEVELS_S
        while self._bridges:
            for _ in range(beat.due(self._loop.time())):
                for held in self._bridges.values():
                    held.tick()
            if self._loop.time() >= levels_at:
                levels_at = self._loop.time() + LEVELS_S
                self._push(say.Levels(tuple(held.standing() for held in self._bridges.values())))
            await asyncio.sleep(max(0.0, beat.next_at - self._loop.time()))

    async def answer(self, peer: Peer, message: Message) -> Any:
        """Answer a request of the socket. Raises Refusal."""
        if peer.uid not in self._uids:
            raise Refusal("not_allowed", f"User {peer.uid} may not use the sound.", "Ask core.")
        try:
            request = msgspec.convert({k: v for k, v in message.items() if k != "id"}, say.Request)
        except msgspec.ValidationError as e:
            raise Refusal("bad_request", f"{message.get('do')!r}: {e}.") from e
        match request:
            case say.Hello():
                return self._hello(peer)
            case say.Open():
                self._open(request)
            case say.Join():
                self._bridge(request.bridge).join(request.end)
            case say.Leave():
                self._bridge(request.bridge).leave(request.end)
            case say.Close():
                return await self._close(request.bridge)
            case say.Mend():
                return await self._mend(self._below(request.file))
            case say.Measure():
                return await self._measure(request)
        return {}

    def gone(self, peer: Peer) -> None:
        """A peer left. Its bridges go on for a while: core comes back and says them again."""
        self._peers.discard(peer)
        if not self._peers and self._bridges and self._coreless is None:
            self._coreless = self._loop.call_later(CORELESS, self._forsaken)

    def _forsaken(self) -> None:
        log.error("no core for %.0f s: %d bridges are closed", CORELESS, len(self._bridges))
        for name in list(self._bridges):
            task = self._loop.create_task(self._close(name))
            self._closing.add(task)
            task.add_done_callback(self._closing.discard)

    async def close(self) -> None:
        """Every bridge and recording."""
        await asyncio.gather(*(self._close(name) for name in list(self._bridges)))

    def _hello(self, peer: Peer) -> say.Standing:
        self._peers.add(peer)
        if self._coreless is not None:
            self._coreless.cancel()
            self._coreless = None
        return say.Standing(tuple(held.standing() for held in self._bridges.values()), self._ends.devices)

    def _bridge(self, name: str) -> Held:
        if name not in self._bridges:
            raise Refusal("no_bridge", f"There is no bridge {name!r}.", "Open it first.")
        return self._bridges[name]

    def _open(self, request: say.Open) -> None:
        if request.bridge not in self._bridges and len(self._bridges) >= say.MOST_BRIDGES:
            raise Refusal("full", f"There are {say.MOST_BRIDGES} bridges.", "Close one first.")
        if request.record:
            self._below(request.record)
        held = self._bridges.get(request.bridge) or Held(request.bridge, self._ends, self._push)
        held.become(request)
        self._bridges[request.bridge] = held
        self._any.set()

    def _below(self, file: str) -> Path:
        path = Path(file)
        if ".." in path.parts or not path.is_relative_to(self._recordings):
            raise Refusal("bad_path", f"{file} is not below {self._recordings}.", "Recordings lie only there.")
        return path

    async def _close(self, name: str) -> say.Recorded:
        held = self._bridge(name)
        del self._bridges[name]
        return await held.close()

    async def _mend(self, path: Path) -> say.Recorded:
        if any(held.record == str(path) for held in self._bridges.values()):
            raise Refusal("recording", f"{path} is being written.", "Close its bridge first.")
        try:
            return recorded(await asyncio.to_thread(mend_leftover, path))
        except (OSError, NotMendable) as e:
            raise Refusal("unreadable", f"{path}: {e}.", "Listen to it by hand.") from e

    async def _measure(self, request: say.Measure) -> say.Measured:
        if self._measuring.locked():
            raise Refusal("busy", "Another measurement is under way.", "Wait for its end.")
        async with self._measuring:
            try:
                return await measure(self._ends, request.one, request.other)
            except FAILURES as e:
                raise Refusal("no_sound", f"The ends cannot be opened: {e}.", "Look at the devices.") from e

    def _push(self, what: say.Push) -> None:
        message = msgspec.to_builtins(what)
        for peer in tuple(self._peers):
            peer.send(message)
