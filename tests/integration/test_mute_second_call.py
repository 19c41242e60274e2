"""A SIM7600 whose second call is mute: the real audio process, and a simulated modem that has the fault."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import tomli_w
from audio_world import PATIENCE, until
from lines_box import PROFILES

from appliance.call_events import CallSound
from appliance.config import load_site, places
from appliance.entry import Entry
from appliance.events import CallRinging
from appliance.fold import apply
from appliance.journal import Journal
from appliance.lines.service import Lines
from appliance.model import CallPhase
from appliance.sound.service import Sound
from appliance.state import State
from appliance.supervisor import Child, python
from drivers.clock import Clock
from drivers.sim.knobs import turn
from drivers.sim.mobile import MobileConfig, ModemConfig, run

CALLER = "+62999000666"
SEEN_WITHIN = 5.0  # s from the answer; 1.8 on a free machine, and no test is of the machine
BOOTS_WITHIN = 60.0  # s


class Box:
    """Line l1 with lines' and sound's rooms in this process, the audio process beside it."""

    def __init__(self, folder: Path, clock: Clock) -> None:
        self._folder = folder
        file = folder / "site.toml"
        line = {"id": "l1", "name": "l1", "port": str(folder / "l1"), "number": "+62000000001",
                "sound": {"kind": "serial", "port": str(folder / "l1-pcm")}}  # fmt: skip
        text = {"role": "centre", "site": "s", "id": "c", "name": "C", "line": [line],
                "annunciator": {"socket": "a.sock", "factory": "mock"}}  # fmt: skip
        file.write_text(tomli_w.dumps(text))
        site = load_site(file)
        there = places(site, file)
        self.state, self.entries = State(), list[Entry]()
        self._sound: Sound | None = None
        self.journal = Journal(there.journal, clock, "boot", lambda: "ntp", self._on_entry)
        self.journal.open()
        self.lines = Lines(
            site=site, profiles=PROFILES, state=self.state, clock=clock, append=self.journal.append,
            on_changed=lambda: None, on_data=lambda number, payload: None, recordings=folder / "modem",
        )  # fmt: skip
        self.sound = self._sound = Sound(
            site=site, places=there, state=self.state, clock=clock, append=self.journal.append,
            on_changed=lambda: None, lines=self.lines,
        )  # fmt: skip
        self.audio = Child("audio", python("appliance.cli", "audio", "--config", file), folder, {})
        modem = ModemConfig("l1", str(folder / "l1"), "+62000000001", "sim7600", pcm_port=str(folder / "l1-pcm"))
        mobile = run(MobileConfig([modem]), folder / "knobs", clock.wall)
        self.tasks = [asyncio.ensure_future(w) for w in (mobile, self.lines.run(), self.sound.run())]

    def _on_entry(self, entry: Entry) -> None:
        apply(self.state, entry)
        self.entries.append(entry)
        if self._sound:
            self._sound.on_entry(entry.event)

    async def turn(self, do: str, **args: Any) -> Any:
        return await turn(self._folder / "knobs", do, **args)

    async def asked(self) -> str:
        """What the modem heard and said last."""
        return str(await self.turn("modem.log", name="l1", last=200))

    def registered(self) -> bool:
        return self.lines.views()[0].can_take_call == "registered"

    def told(self) -> list[tuple[str, str]]:
        return [(e.event.call, e.event.what) for e in self.entries if isinstance(e.event, CallSound)]

    async def call(self) -> str:
        """A caller who speaks all the time is answered."""
        before = len(self.state.calls)
        await self.turn("phone.say", number=CALLER, hz=440, seconds=60)
        await self.turn("call.from", number=CALLER, to="l1", ring_s=60)
        await until("it rings", lambda: len(self.state.calls) > before)
        ring = [e.event for e in self.entries if isinstance(e.event, CallRinging)][-1]
        await self.lines.answer("l1", ring.call, "sari")
        return ring.call

    async def hang_up(self, call: str) -> None:
        await self.turn("call.drop", to="l1")
        await until("its end", lambda: self.state.calls[call].phase is CallPhase.ENDED)

    def heard(self, call: str) -> bool:
        standing = self.sound.standing(call)
        return bool(standing and any(e.end == "line" and e.heard_dbfs is not None for e in standing.ends))

    def moment(self, call: str, kind: str, what: str = "") -> float:
        return next(
            e.mono for e in self.entries
            if e.kind == kind and getattr(e.event, "call", "") == call and getattr(e.event, "what", "") == what
        )  # fmt: skip


@asynccontextmanager
async def box(folder: Path) -> AsyncIterator[Box]:
    made = Box(folder, Clock())
    try:
        await made.audio.start()
        await until("the line", made.registered, BOOTS_WITHIN)
        await until("the audio process", lambda: made.sound.link.up)
        yield made
    finally:
        for task in made.tasks:
            task.cancel()
        await asyncio.wait(made.tasks)
        await made.audio.stop()
        made.journal.close()


async def test_a_mute_second_call_is_told_its_modem_is_restarted_behind_it_and_the_next_call_has_sound(
    tmp_path: Path,
) -> None:
    async with box(tmp_path) as there:
        await there.turn("modem.second_call_mute", name="l1")
        first = await there.call()
        await until("the first call is heard", lambda: there.heard(first))
        await there.hang_up(first)
        second = await there.call()
        await until("silence is told", lambda: (second, "silent") in there.told())
        silent = there.moment(second, "call.sound", "silent") - there.moment(second, "call.answered")
        assert silent < SEEN_WITHIN, silent
        assert there.state.sound_faults["l1/line"].call == second, "the page shows it beside the line"
        async with asyncio.timeout(PATIENCE):
            while (await there.asked()).count("AT+CPCMREG=0") < 1:
                await asyncio.sleep(0.1)
        assert there.state.calls[second].live, "a caller who hears us is worth more than a modem that is well"
        assert "AT+CRESET" not in await there.asked()
        await there.hang_up(second)
        await until("the modem restarts", lambda: not there.registered())
        await until("and is back", there.registered, BOOTS_WITHIN)
        assert (await there.asked()).count("AT+CRESET") == 1
        third = await there.call()
        await until("the third call is heard", lambda: there.heard(third))
        await until("the fault is over", lambda: "l1/line" not in there.state.sound_faults)
