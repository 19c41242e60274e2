"""What core says to an audio process that is slow, has forgotten, or dies: a fake one that notes what it is asked."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from audio_world import World, until

from appliance.call_events import CallRecorded
from appliance.events import CallAnswered, CallEnded, CallRinging
from drivers.clock import Clock
from drivers.jsonsocket import Message, Peer, Refusal, Server


class Audio:
    """`closes` is what becomes of a close: nothing until it is set, then its answer or refusal."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, str]] = []
        self.opened: dict[str, Message] = {}
        self.may_close = asyncio.Event()
        self.forgets = False

    async def answer(self, _peer: Peer, message: Message) -> Any:
        bridge = message.get("bridge", "")
        self.asked.append((message["do"], bridge))
        match message["do"]:
            case "hello":
                return {"bridges": [], "devices": []}
            case "open":
                self.opened[bridge] = message
            case "close" if self.forgets:
                raise Refusal("no_bridge", f"There is no bridge {bridge!r}.")
            case "close":
                await self.may_close.wait()
                return {"file": self.opened[bridge]["record"], "seconds": 1.0, "octets": 9, "sha256": "ab"}
        return {}

    def count(self, do: str, bridge: str) -> int:
        return self.asked.count((do, bridge))


@asynccontextmanager
async def faked(folder: Path) -> AsyncIterator[tuple[Audio, World]]:
    there, audio = World(folder, Clock()), Audio()
    there.places.audio.parent.mkdir(parents=True, exist_ok=True)
    server = Server(there.places.audio, audio.answer)
    await server.start()
    try:
        yield audio, there
    finally:
        audio.may_close.set()
        await there.stop()
        await server.stop()


def talked(core: Any, call: str, line: str) -> None:
    core.append(CallRinging(line=line, call=call, number="+6281100000001"))
    core.append(CallAnswered(line=line, call=call))


async def test_a_recording_that_a_slow_disk_closes_holds_up_no_other_calls_sound(tmp_path: Path) -> None:
    async with faked(tmp_path) as (audio, there):
        core = there.core()
        talked(core, "aaaa0001", "l1")
        await until("the first is joined", lambda: "aaaa0001" in audio.opened)
        core.append(CallEnded(line="l1", call="aaaa0001", seconds=3.0, reason="caller"))
        talked(core, "aaaa0002", "l2")
        await until("the second is joined", lambda: "aaaa0002" in audio.opened)
        assert audio.count("close", "aaaa0001") == 1
        assert not core.events(CallRecorded)
        audio.may_close.set()
        await until("the recording is journaled", lambda: core.events(CallRecorded))
        order = [bridge for do, bridge in audio.asked if (do, bridge) in (("close", "aaaa0001"), ("open", "aaaa0002"))]
        assert order[0] == "aaaa0001", "a headset is let go of before another call takes it"


async def test_a_bridge_that_the_audio_process_does_not_know_any_more_is_closed_once(tmp_path: Path) -> None:
    async with faked(tmp_path) as (audio, there):
        audio.forgets = True
        core = there.core()
        talked(core, "aaaa0001", "l1")
        await until("it is joined", lambda: "aaaa0001" in audio.opened)
        core.append(CallEnded(line="l1", call="aaaa0001", seconds=3.0, reason="caller"))
        await until("it was closed", lambda: audio.count("close", "aaaa0001"))
        for call in ("aaaa0002", "aaaa0003"):
            talked(core, call, "l1")
            await until("the next is joined", lambda call=call: call in audio.opened)  # type: ignore[misc]
            core.append(CallEnded(line="l1", call=call, seconds=1.0, reason="caller"))
        await until("the last was closed", lambda: audio.count("close", "aaaa0003"))
        assert audio.count("close", "aaaa0001") == 1
