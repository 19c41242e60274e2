"""Proofs of voice: one of the box's own lines calls another, tones go both ways, and what came through is journaled.

Never while a line is needed: a drill gives way to any other call and to every order.
"""

import asyncio
import contextlib
import logging
from collections.abc import Callable, Iterable, Mapping
from datetime import datetime, timedelta, tzinfo
from typing import Protocol

from appliance.audio_protocol import EndKind, Measured
from appliance.call_events import CallOfDrill, VoiceProven
from appliance.config_sound import ProofRules
from appliance.entry import Entry
from appliance.fold_sound import BOX_BUSY, GAVE_WAY
from appliance.journal import Appended
from appliance.model import CallPhase
from appliance.sound.sound_machine import HEARD
from appliance.sound.waiting import until
from appliance.state import Call, State
from drivers.clock import Clock
from drivers.jsonsocket import Gone, Refusal
from drivers.modem.numbers import telephone

BOX = "box"
RINGS_WITHIN = 30.0  # s from dialling until the other line rings; two networks and a paging
TALKS_WITHIN = 15.0  # s from answering until both calls stand
ENDS_WITHIN = 15.0  # s from hanging up
GIVES_WAY_WITHIN = 5.0  # s that a person who dials waits for a drill's end
AGAIN = 600.0  # s after a scheduled drill that gave way
TRIES = 18  # three hours of them; then the next day
LEAST_DB, MOST_LOST, MOST_DELAY = -25.0, 10.0, 1000.0  # a voice is understood within these: dB, % of frames, ms
MOST_LATE = 1.0  # % of the box's own ticks; with more a bad measure says nothing of the lines
SURE = 3.0  # s that a call without a number rings alone while ours rings somewhere: the list is asked every 2 s

log = logging.getLogger("siaga.sound")


class Phone(Protocol):
    """The lines, as a drill needs them. All raise Refusal."""

    async def dial(self, number: str, actor: str, line: str = "", why: str = "") -> dict[str, str]: ...
    async def answer(self, line: str, call: str, actor: str) -> object: ...
    async def hang_up(self, line: str, call: str, actor: str) -> object: ...
    def free_lines(self) -> list[str]: ...


class Sound(Protocol):
    """The sound room, as a drill needs it."""

    def set_apart(self, call: str, on: bool) -> None: ...
    async def measure(self, one: EndKind, other: EndKind) -> Measured:
        """Raises Refusal, Gone."""
        ...


class Drill:
    """`numbers` and `kinds` by line; `needed` says that lines are wanted for something else; `bearer` of a line."""

    def __init__(
        self, *, rules: ProofRules, numbers: Mapping[str, str], kinds: Mapping[str, EndKind], state: State,
        clock: Clock, zone: tzinfo, append: Callable[..., Appended], sound: Sound, phone: Phone,
        needed: Callable[[], bool], bearer: Callable[[str], str],
    ) -> None:  # fmt: skip
        self._rules, self._numbers, self._kinds, self._state = rules, numbers, kinds, state
        self._clock, self._zone, self._append = clock, zone, append
        self._sound, self._phone, self._needed, self._bearer = sound, phone, needed, bearer
        self._woken = asyncio.Event()
        self._one = asyncio.Lock()
        self._giving_way = False

    def on_entry(self, entry: Entry) -> None:
        """A row of the journal: calls and orders wake us."""
        if entry.kind.startswith(("call.", "alert.")):
            self._woken.set()

    async def give_way(self) -> None:
        """A person wants a line: what is under way ends, and its lines are free again, or GIVES_WAY_WITHIN is over."""
        if not self._one.locked():
            return
        self._giving_way = True
        self._woken.set()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(GIVES_WAY_WITHIN), self._one:
                pass

    async def run(self) -> None:
        """Prove each line once every so many days, at the site's quiet hour."""
        if not self._rules.every_days or len(self._kinds) < 2:
            await asyncio.get_running_loop().create_future()
        while True:
            await asyncio.sleep(self._until_next())
            for other in self._kinds:
                await self._scheduled(other)

    async def _scheduled(self, other: str) -> None:
        for _ in range(TRIES):
            try:
                proven = await self.prove(self.partner(other), other, BOX)
            except Refusal as e:
                log.info("the drill of %s waits: %s", other, e)
            else:
                if proven.why not in GAVE_WAY:
                    return
            await asyncio.sleep(AGAIN)

    def _until_next(self) -> float:
        """Seconds to the next time on the site's clock."""
        now = datetime.fromtimestamp(self._clock.wall(), self._zone)
        hour, minute = map(int, self._rules.at.split(":"))
        then = now.replace(hour=hour, minute=minute, second=0, microsecond=0)
        while then <= now:
            then += timedelta(days=self._rules.every_days)
        return (then - now).total_seconds()

    def partner(self, line: str) -> str:
        """The best line to prove another with: a free one with sound, the next in the site file. Raises Refusal."""
        free = [name for name in self._phone.free_lines() if name != line and name in self._kinds]
        if not free:
            raise Refusal("no_line", f"No other line with sound is free to prove {line} with.", "Try again later.")
        return free[0]

    async def prove(self, line: str, other: str, actor: str) -> VoiceProven:
        """`line` calls `other` (empty: the best one). The row that it made. Raises Refusal when it may not begin."""
        other = other or self.partner(line)
        self._check(line, other)
        async with self._one:
            bearer = self._bearer(other)
            try:
                measured = await self._call(line, other, actor)
            except (Refusal, Gone) as e:
                log.warning("drill %s to %s: %s", line, other, e)
                code = e.code if isinstance(e, Refusal) else "no_audio"
                event = VoiceProven(line=line, other=other, ok=False, why=code, bearer=bearer)
            else:
                event = judged(line, other, measured, bearer)
            finally:
                self._giving_way = False
            self._append(event, actor=actor)
            return event

    def _check(self, line: str, other: str) -> None:
        for name in (line, other):
            if name not in self._kinds:
                raise Refusal("no_sound", f"{name} has no sound at this box.", "Enter it in the site file.")
        if line == other:
            raise Refusal("bad_command", "A line cannot call itself.", "Name another one.")
        if self._one.locked():
            raise Refusal("busy", "Another drill is under way.", "Wait for its end.")
        self._may_go_on(())
        free = self._phone.free_lines()
        for name in (line, other):
            if name not in free:
                raise Refusal("no_line", f"{name} is not free.", "Wait until it is idle and has network.")

    def _may_go_on(self, ours: Iterable[str]) -> None:
        """Raises Refusal when anybody needs a line."""
        if self._wanted(ours):
            raise Refusal("needed", "Lines are needed: a call or an order is open.", "Try again when it is quiet.")

    def _wanted(self, ours: Iterable[str]) -> bool:
        others = any(call.live and call.id not in ours for call in self._state.calls.values())
        return self._giving_way or self._needed() or others

    async def _call(self, line: str, other: str, actor: str) -> Measured:
        told = await self._phone.dial(self._numbers[other], actor, line, "proof")
        out = told["call"]
        self._sound.set_apart(out, True)
        calls = [(line, out)]
        try:
            came = await self._rings(out, other, self._numbers[line])
            self._sound.set_apart(came, True)
            calls.append((other, came))
            self._append(CallOfDrill(line=other, call=came), actor=actor)
            await self._phone.answer(other, came, actor)
            await self._talks((out, came))
            return await self._measured(line, other, (out, came))
        finally:
            await self._end(calls, other, actor)

    async def _rings(self, out: str, other: str, number: str) -> str:
        """The call that rings at the other line, when it is ours. Anybody else's is left to the desk."""

        def shown() -> Call | None:
            """The one with our own number."""
            key = telephone(number)
            on = self._state.calls_on(other)
            return next((c for c in on if c.phase is CallPhase.RINGING and telephone(c.number or "") == key), None)

        def hidden() -> Call | None:
            """The one without a number that rings there alone while ours rings somewhere."""
            on, mine = self._state.calls_on(other), self._state.calls.get(out)
            rings = len(on) == 1 and on[0].phase is CallPhase.RINGING and not on[0].number
            return on[0] if rings and mine is not None and mine.phase is CallPhase.ALERTING else None

        def strangers() -> bool:
            on = self._state.calls_on(other)
            ours = {out, *(c.id for c in filter(None, [shown()])), *(c.id for c in on if len(on) == 1 and not c.number)}
            return self._wanted(ours)

        def settled() -> object:
            return shown() or strangers() or not self._live(out)

        if not await until(self._woken, lambda: settled() or hidden(), RINGS_WITHIN):
            raise Refusal("no_ring", f"{other} did not ring.", "Look at its network, and call it from a telephone.")
        if not settled():
            await until(self._woken, lambda: settled() or not hidden(), SURE)
        if strangers():
            raise Refusal("needed", "Another call came.", "It is tried again later.")
        call = shown() or hidden()
        if call is None:
            gone = self._state.calls.get(out)
            raise Refusal(
                (gone.reason if gone else "") or "not_dialled", f"The call to {other} ended.", "Look at both."
            )
        return call.id

    async def _talks(self, ours: tuple[str, str]) -> None:
        def both() -> bool:
            return all((c := self._state.calls.get(name)) is not None and c.phase in HEARD for name in ours)

        def over() -> bool:
            return not all(self._live(name) for name in ours) or self._wanted(ours)

        stood = await until(self._woken, lambda: both() or over(), TALKS_WITHIN)
        self._may_go_on(ours)
        if not stood or not both():
            raise Refusal("not_answered", "The call between the lines did not stand.", "Look at both lines.")

    async def _measured(self, line: str, other: str, ours: tuple[str, str]) -> Measured:
        """The measure, unless somebody needs a line meanwhile."""
        measuring = asyncio.ensure_future(self._sound.measure(self._kinds[line], self._kinds[other]))
        try:
            while not measuring.done():
                self._woken.clear()
                self._may_go_on(ours)
                waking = asyncio.ensure_future(self._woken.wait())
                await asyncio.wait({measuring, waking}, return_when=asyncio.FIRST_COMPLETED)
                waking.cancel()
            return await measuring
        finally:
            measuring.cancel()

    async def _end(self, calls: list[tuple[str, str]], other: str, actor: str) -> None:
        known = {call for _, call in calls}
        rang = [c.id for c in self._state.calls_on(other) if c.id not in known and not c.number]
        for line, call in calls:
            if self._live(call):
                with contextlib.suppress(Refusal):  # the other side's end was quicker
                    await self._phone.hang_up(line, call, actor)
                break
        if not await until(self._woken, lambda: not any(self._live(call) for _, call in calls), ENDS_WITHIN):
            for line, call in calls:
                with contextlib.suppress(Refusal):
                    await self._phone.hang_up(line, call, actor)
        if len(calls) == 1 and len(rang) == 1 and await until(self._woken, lambda: not self._live(rang[0]), SURE):
            self._append(CallOfDrill(line=other, call=rang[0]), actor=actor)  # it ended with ours
        for _, call in calls:
            self._sound.set_apart(call, False)

    def _live(self, call: str) -> bool:
        known = self._state.calls.get(call)
        return known is not None and known.live


def judged(line: str, other: str, measured: Measured, bearer: str) -> VoiceProven:
    """What a measurement proves: both ways are heard, loud, quick and whole enough.

    A bad one is not held against the lines when the box itself was late meanwhile.
    """
    ways = (measured.there, measured.back)
    level = min(way.level_db for way in ways)
    delay = max(way.delay_ms for way in ways)
    lost = max(way.lost_percent for way in ways)
    why = ""
    if not all(way.heard for way in ways):
        why = "mute" if not any(way.heard for way in ways) else "one_way"
    elif level < LEAST_DB:
        why = "quiet"
    elif lost > MOST_LOST:
        why = "gaps"
    elif delay > MOST_DELAY:
        why = "late"
    if why and measured.late_percent > MOST_LATE:
        why = BOX_BUSY
    return VoiceProven(
        line=line, other=other, ok=not why, why=why, level_db=level, delay_ms=delay, lost_percent=lost, bearer=bearer
    )
