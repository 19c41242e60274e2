"""Calls' sound: tells the audio process which ends hear each other, and the journal what became of them.

A call goes on without any of this. When the audio process comes back it is told everything again.
"""

import asyncio
import contextlib
import logging
from collections.abc import Callable
from pathlib import Path

from appliance.audio_client import AudioLink
from appliance.audio_protocol import (
    RECORDING,
    STATION_BRIDGE,
    BridgeStanding,
    Close,
    EndChanged,
    KeyHeard,
    Leave,
    Levels,
    Open,
    Recorded,
    Speech,
    Standing,
)
from appliance.call_events import CallKey, CallResumed, CallSound, CallTaken
from appliance.config import ZONES, Places, Site
from appliance.event import Event
from appliance.events import LinkLost, LinkRestored
from appliance.journal import Appended
from appliance.sound.ear_machine import Ear
from appliance.sound.ends import kind_of
from appliance.sound.library import Library
from appliance.sound.mended import mended
from appliance.sound.modem_sound import ModemSound, Voices
from appliance.sound.phrases import HOLD, WAIT, phrase
from appliance.sound.recordings import name_of
from appliance.sound.repair import Repair
from appliance.sound.sound_machine import BOX, HEADSET, HEARD, LINE, STREAM, Now, Rules, left, steps, wanted
from appliance.state import Call, State
from drivers.clock import Clock
from drivers.jsonsocket import Gone, Refusal

LOOK = 1.0  # s between looks where nothing wakes us
AGAIN = 0.5  # s behind a request that failed
SAME_KEY = 1.5  # s in which a key that modem and sound both tell is one
STREAM_WITHIN = 2.0  # s that a browser has to bring its sound
FIRST_CONTACT = 2.0  # s from our start until an audio process that never came is a lost link

log = logging.getLogger("siaga.sound")


class Sound:
    """`run` holds it for as long as the process lives. Without a line or headset with sound it does nothing."""

    def __init__(
        self, *, site: Site, places: Places, state: State, clock: Clock, append: Callable[..., Appended],
        on_changed: Callable[[], None], lines: Voices, needed: Callable[[], bool] = lambda: False,
        time_known: Callable[[], bool] = lambda: True,
    ) -> None:  # fmt: skip
        self._site, self._places, self._state, self._clock, self._append = site, places, state, clock, append
        self._on_changed = on_changed
        self.rules = Rules(
            lines={line.id: kind_of(line.sound) for line in site.line if line.sound},
            headset=kind_of(site.sound.headset) if site.sound.headset else None,
            hold=phrase(HOLD, places.phrases),
        )
        self.link = AudioLink(
            places.audio,
            on_up=self._up, on_down=self._down, on_end=self._end_changed, on_key=self._key, on_levels=self._levels,
            speed=clock.speed,
        )  # fmt: skip
        self.library = Library(site.sound.recording, places, state, clock, append, self.link, time_known)
        self._modems = ModemSound(lines)
        self._repair = Repair(lines, self._modems, state, clock, self._reopen, needed)
        self._said: dict[str, Open] = {}
        self._people: dict[str, str] = {}
        self._muted: set[str] = set()
        self._speaks: dict[str, Speech] = {}
        self._records: dict[str, str] = {}
        self._apart: set[str] = set()
        self._reopening: set[str] = set()
        self._saying = asyncio.Lock()  # bridges are said by one at a time: what was said must be known
        self._closing: dict[str, str] = {}  # recordings whose end is awaited, by call
        self._tasks: asyncio.TaskGroup | None = None
        self._standing: dict[str, BridgeStanding] = {}
        self._ears: dict[str, Ear] = {}
        self._listeners: dict[str, Callable[[], None]] = {}
        self._missing: dict[str, asyncio.TimerHandle] = {}  # streams that may come back, by bridge and end
        self._pressed: dict[str, tuple[str, float]] = {}
        self._woken = asyncio.Event()
        self._was_up: bool | None = None

    @property
    def used(self) -> bool:
        """Whether any line has sound here."""
        return bool(self.rules.lines)

    def speaks(self, line: str) -> bool:
        """Whether a caller on the line would hear what is said here."""
        fault = self._state.sound_faults.get(f"{line}/{LINE}")
        return self.link.up and line in self.rules.lines and (fault is None or fault.what != "lost")

    async def run(self) -> None:
        """Hold the link and the bridges."""
        if not self.used:
            await asyncio.get_running_loop().create_future()
        try:
            async with asyncio.TaskGroup() as self._tasks:
                self._tasks.create_task(self.link.run())
                self._tasks.create_task(self._keep())
                self._tasks.create_task(self._repair.run())
                self._tasks.create_task(self.library.run(self._writing))
                self._tasks.create_task(self._first_contact())
        finally:
            self._tasks = None

    async def _first_contact(self) -> None:
        await asyncio.sleep(FIRST_CONTACT)
        if self._was_up is None:
            self._down()
        await asyncio.get_running_loop().create_future()

    async def _keep(self) -> None:
        while True:
            self._woken.clear()
            self._modems.follow(c for c in self._calls() if c.phase in HEARD and c.line in self.rules.lines)
            self._forget_ended()
            done = await self._look() if self.link.up else True
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(LOOK if done else AGAIN):
                    await self._woken.wait()

    # What others ask of it

    def on_entry(self, event: Event) -> None:
        """Something was journaled."""
        if isinstance(event, CallKey):
            self._pressed = {event.call: (event.key, self._clock.now())}  # the last one is enough
        elif getattr(event, "call", None):
            if isinstance(event, CallResumed) and (place := self._people.pop(event.call, None)):
                self._people[event.call] = place  # who takes a call up again talks there, wherever they were meanwhile
            self._woken.set()

    def place(self, talk: str) -> str:
        """What the journal calls a place. Raises Refusal where there is none; asked before a call is answered."""
        if talk == HEADSET and self.rules.headset is None:
            raise Refusal(
                "no_headset", "There is no headset at this box.", "Enter it in the site file, or use the page."
            )
        return "headset" if talk == HEADSET else "browser" if talk else ""

    def talk(self, call: str, talk: str, actor: str) -> None:
        """A person takes a call at a place: "headset", the key of a browser's stream, "" without sound.

        Raises Refusal.
        """
        known = self._state.calls.get(call)
        if known is None or not known.live:
            raise Refusal("no_call", "That call has ended.", "Nothing is left to take.")
        place = self.place(talk)
        self._people.pop(call, None)
        if talk:
            self._people[call] = HEADSET if talk == HEADSET else f"{STREAM}{talk}"
        if known.taken is None or known.place != place or (actor and known.taken.actor != actor):
            self._append(CallTaken(line=known.line, call=call, place=place), actor=actor)
        self._woken.set()

    def carry(self, before: str, after: str, actor: str) -> None:
        """Who talked in one call of a line talks in another now, at the same place."""
        place = self._people.get(before, "")
        self.talk(after, place.removeprefix(STREAM), actor)

    def mute(self, call: str, on: bool) -> None:
        """The person is not heard in this call."""
        (self._muted.add if on else self._muted.discard)(call)
        self._woken.set()
        self._on_changed()

    def muted(self, call: str) -> bool:
        return call in self._muted

    def say(self, call: str, what: Speech | None) -> None:
        """What the box says to a call; None: nothing any more."""
        if what is None:
            self._speaks.pop(call, None)
        else:
            self._speaks[call] = what
        self._woken.set()

    def listen(self, call: str, on: Callable[[], None] | None) -> None:
        """`on` is called when the box has said all to a call."""
        if on is None:
            self._listeners.pop(call, None)
        else:
            self._listeners[call] = on

    def set_apart(self, call: str, on: bool) -> None:
        """A drill has the sound of this call."""
        (self._apart.add if on else self._apart.discard)(call)
        self._woken.set()

    def quiet_s(self, call: str) -> float | None:
        """Seconds since the caller's last word; None where nothing is known of the line's sound."""
        return self._ears[call].quiet_s(self._clock.now()) if call in self._ears else None

    def standing(self, call: str) -> BridgeStanding | None:
        """Levels and faults of a call's ends, as last told."""
        return self._standing.get(call)

    # Bridges

    def _calls(self) -> list[Call]:
        return [call for call in self._state.calls.values() if call.live]

    def _now(self) -> Now:
        self._forget_ended()
        live = {call.id: call for call in self._calls()}
        for call in live.values():
            if call.place == HEADSET and call.id not in self._people and self.rules.headset and not call.why:
                self._people[call.id] = HEADSET  # of before our restart
            if call.phase in HEARD and call.id not in self._records and call.id not in self._apart:
                self._begin_record(call)
        says = dict(self._speaks)
        for call in live.values():
            if call.greeted and not call.taken and call.id not in says:
                says[call.id] = phrase(WAIT, self._places.phrases)
        return Now(self._people, says, self._muted, self._apart, self._records, self._reopening)

    def _forget_ended(self) -> None:
        """Also while no audio process is there, so that a night without it leaves nothing behind."""
        live = {call.id for call in self._calls()}
        for gone in [c for c in (*self._people, *self._muted, *self._apart) if c not in live]:
            self._people.pop(gone, None)
            self._muted.discard(gone)
            self._apart.discard(gone)

    def _writing(self) -> set[Path]:
        return {Path(p) for p in (*self._records.values(), *self._closing.values())}

    def _begin_record(self, call: Call) -> None:
        if not self._site.sound.recording.record or call.line not in self.rules.lines:
            return
        try:
            path = name_of(self._places.calls, self._clock.wall(), ZONES[self._site.zone], call.line, call.id)
        except OSError as e:
            log.error("call %s is not recorded: %s", call.id, e)
            return
        self._records[call.id] = str(path)

    async def _look(self) -> bool:
        """Say what is to be said; False when some of it was not taken."""
        async with self._saying:
            done = True
            for step in steps(wanted(self._calls(), self._now(), self.rules), self._said):
                try:
                    await self._say(step)
                except Refusal as e:
                    done = False
                    log.error("the audio process refused %s: %s", step, e)
                except Gone as e:
                    log.warning("%s", e)
                    return False
            return done

    async def _say(self, step: Leave | Close | Open) -> None:
        match step:
            case Leave(bridge=bridge, end=end):
                if bridge in self._said:
                    self._said[bridge] = left(self._said[bridge], end)
                await self.link.leave(bridge, end)
            case Close(bridge=bridge):
                self._said.pop(bridge, None)
                if self._tasks is not None:
                    self._closing[bridge] = self._records.pop(bridge, "")
                    self._tasks.create_task(self._close(bridge))
                    await asyncio.sleep(0)  # its word goes out before another bridge takes its headset
            case Open(bridge=bridge):
                self._said.pop(bridge, None)  # whatever comes of it, it is not what it was
                await self.link.open(step)
                self._said[bridge] = step

    async def _close(self, bridge: str) -> None:
        """A slow disk may take its time over the recording; no other call's sound waits for that."""
        try:
            recorded = await self.link.close(bridge)
        except (Refusal, Gone) as e:
            log.warning("%s", e)
            recorded = Recorded()
        finally:
            file = self._closing.pop(bridge, "")
        self._standing.pop(bridge, None)
        call = self._state.calls.get(bridge)
        if recorded.file and call is not None:
            self.library.keep(call.line, bridge, recorded)
        elif file:
            self.library.wake()  # it may lie there all the same

    async def _reopen(self, call: str) -> None:
        """Close and open the line's end of a call."""
        self._reopening.add(call)
        await self._look()
        self._reopening.discard(call)
        await self._look()

    # What the audio process says

    def _up(self, standing: Standing) -> None:
        if self._was_up is not True:
            self._append(LinkRestored(link="audio"))
        self._was_up = True
        self._said = {}
        for bridge in standing.bridges:
            if bridge.bridge != STATION_BRIDGE:
                self._adopt(bridge)
        # A recording that the audio process does not have any more is a killed one's: its call begins another.
        for call in [c for c in self._records if c not in {b.bridge for b in standing.bridges}]:
            del self._records[call]
        self.library.wake()
        self._woken.set()

    def _adopt(self, bridge: BridgeStanding) -> None:
        """A bridge from before our restart: its ends tell who talks in it."""
        self._said[bridge.bridge] = Open(bridge.bridge, (), bridge.record)
        if bridge.record:
            self._records[bridge.bridge] = bridge.record
        for end in bridge.ends:
            if end.end == HEADSET or end.end.startswith(STREAM):
                self._people.setdefault(bridge.bridge, end.end)
                if end.mute:
                    self._muted.add(bridge.bridge)

    def _down(self) -> None:
        if self._was_up is not False:
            self._append(LinkLost(link="audio", reason="gone" if self._was_up else "not reached since the start"))
        self._was_up = False
        self._said, self._standing = {}, {}
        self._on_changed()

    def _end_changed(self, change: EndChanged) -> None:
        call = self._state.calls.get(change.bridge)
        if change.what == "finished":
            if change.end == BOX and change.bridge in self._listeners:
                self._listeners[change.bridge]()
            return
        if call is None or not call.live or change.end == BOX:
            return
        if change.end.startswith(STREAM) and change.what in ("lost", "back") and not self._missed(change):
            return
        self._tell_end(call, change)

    def _missed(self, change: EndChanged) -> bool:
        """Whether it is to be told now. A browser that comes to a call, or whose page loads anew, is not lost yet."""
        key = f"{change.bridge} {change.end}"
        timer = self._missing.pop(key, None)
        if timer is not None:
            timer.cancel()
        if change.what == "lost":
            self._missing[key] = asyncio.get_running_loop().call_later(STREAM_WITHIN, self._still_missing, key, change)
        return change.what == "back" and timer is None

    def _still_missing(self, key: str, change: EndChanged) -> None:
        del self._missing[key]
        call = self._state.calls.get(change.bridge)
        if call is not None and call.live:
            self._tell_end(call, change)

    def _tell_end(self, call: Call, change: EndChanged) -> None:
        end = change.end if change.end in (LINE, RECORDING) else "person"
        self._append(CallSound(line=call.line, call=call.id, end=end, what=change.what, why=change.why))
        if end == LINE:
            self._repair.told(call.line, call.id, change.what)

    def _key(self, heard: KeyHeard) -> None:
        call = self._state.calls.get(heard.bridge)
        if call is None or heard.end != LINE:
            return
        key, at = self._pressed.get(call.id, ("", float("-inf")))
        if key != heard.key or self._clock.now() - at > SAME_KEY:
            self._append(CallKey(line=call.line, call=call.id, key=heard.key, source="sound"))

    def _levels(self, levels: Levels) -> None:
        self._standing = {bridge.bridge: bridge for bridge in levels.bridges}
        self._ears = {name: self._ears.get(name) or Ear() for name in self._standing}
        for name, bridge in self._standing.items():
            for end in bridge.ends:
                if end.end == LINE:
                    self._ears[name].hear(None if end.lost else end.heard_dbfs, self._clock.now())
        for heard in mended(self._standing.values(), self._state):
            self._append(heard)
            if heard.end == LINE:
                self._repair.told(heard.line, heard.call, "heard")
        self._on_changed()
