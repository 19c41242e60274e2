"""One device, polled by its profile and ordered by its profile: readings out, commands in, each with its proof.

It never dies of a silent device or a missing port. A read that failed is asked for once again at once, in another
length. What does not answer is said once, as `no_link`, and asked less often, so that it costs the others little.
"""

import asyncio
import logging
from collections.abc import Callable, Collection
from typing import Literal

import msgspec

from drivers.modbus.blocks import Block
from drivers.modbus.bus import Bus
from drivers.modbus.errors import (
    BadAnswer,
    BusError,
    DeviceRefused,
    NoAnswer,
    NotAccepted,
    NotObserved,
    NotReady,
    UnknownCommand,
)
from drivers.modbus.profile import Answer, Command, Profile, Write
from drivers.modbus.registers import Point
from drivers.quality import Quality
from drivers.reading import Reading, Value

LOG = logging.getLogger(__name__)

LOST_AFTER = 2  # missed polls; one lost frame is no lost device
DEAD_SHARE = 0.03  # of a bus's time may go to a dead unit while others on it live
BACKOFF_ALONE_S = 2.0  # nobody else waits for the bus
PATIENT_TIMES = 3.0  # a first question is waited for that many times the unit's slowest answer,
PATIENT_LEAST_S = 0.35  # and so long at least: controllers think 20 to 300 ms
WHOLE_TIME_EACH = 4  # such probe of a lost unit, and the first after a silence: it may have become slow
HURRY_S, HURRY_FOR_S = 0.25, 1.0  # between polls in a hurry; how long one call for hurry lasts
NO_SUCH_REGISTERS = frozenset({1, 2, 3})  # exceptions that will not go away by asking again


Step = Literal["sent", "accepted"]  # an order's way before its proof; not every device says "accepted"


class _Place(msgspec.Struct):
    """One point in its block: the registers it covers, as they were last, and what they mean."""

    name: str
    point: Point
    start: int
    end: int
    words: list[int] = []
    value: Value = None
    quality: Quality = Quality.NO_LINK


class _Part(msgspec.Struct):
    """One block and the points in it; `missed` counts polls in a row that did not bring it, `due` is its next.

    `again` is how it is asked for while a late answer to `block` may still come, until `doubted_until`.
    """

    block: Block
    again: Block | None
    places: list[_Place]
    missed: int = 0
    due: float = float("-inf")
    doubted_until: float = float("-inf")
    hurried: bool = False


def say_nothing(_step: Step) -> None:
    """Nobody wants to know how far an order is."""


class Poller:
    """Polls `unit` every `interval_s`; each poll's readings go to `on_readings` in one call.

    `timeout_s` is how long this unit may think; None: as long as its bus says. `offset_s` is when in its interval it is
    asked: units that share a bus are heard one after the other, and not all late behind one that is not heard.
    """

    def __init__(
        self,
        bus: Bus,
        unit: int,
        profile: Profile,
        on_readings: Callable[[list[Reading]], None],
        *,
        interval_s: float = 1.0,
        timeout_s: float | None = None,
        offset_s: float = 0.0,
    ) -> None:
        bus.check_unit(unit)
        self._timeout_s = timeout_s or bus.timeout_s
        self._bus, self._unit, self._profile = bus, unit, profile
        self._on_readings, self._interval_s, self._offset_s = on_readings, interval_s, offset_s
        self._name = f"{profile.name} (unit {unit} on {bus.line})"
        self._parts = _parts(profile, profile.blocks(bus.line.frame))
        self._latest: dict[str, Reading] = {}
        self._news = asyncio.Condition()
        self._silent_polls = 0
        self._lost = False
        self._card_lost = False
        self._hurry_until = float("-inf")
        self._resting: asyncio.Future[None] | None = None

    async def run(self) -> None:
        """Poll for as long as the task lives."""
        loop = asyncio.get_running_loop()
        phase = loop.time() + self._offset_s
        due = phase - self._interval_s if self._offset_s else phase
        while True:
            began = loop.time()
            if readings := self._believed(await self._poll()):
                self._latest |= {reading.point: reading for reading in readings}
                self._on_readings(readings)
                async with self._news:
                    self._news.notify_all()
            due = max(due + self._wait_s(), loop.time())
            await self._rest(due)
            if self._hurries():
                await asyncio.sleep(max(0.0, began + HURRY_S - loop.time()))
                due = loop.time() - (loop.time() - phase) % self._interval_s

    def hurry(self, points: Collection[str]) -> None:
        """For the next second ask for the blocks with these points only, and as often as the bus may bear."""
        self._hurry_until = asyncio.get_running_loop().time() + HURRY_FOR_S
        for part in self._parts:
            part.hurried = any(place.name in points for place in part.places)
        if self._resting is not None and self._hurries():
            _wake(self._resting)

    def _hurries(self) -> bool:
        """A unit that was silent is asked in its own time."""
        return not self._silent_polls and asyncio.get_running_loop().time() < self._hurry_until

    async def _rest(self, due: float) -> None:
        """Until `due`, or until there is a hurry."""
        if self._hurries():
            return
        loop = asyncio.get_running_loop()
        self._resting = loop.create_future()
        timer = loop.call_at(due, _wake, self._resting)
        try:
            await self._resting
        finally:
            timer.cancel()
            self._resting = None

    async def command(self, name: str, *, on_step: Callable[[Step], None] = say_nothing) -> Reading:
        """Order something, and return the reading that proves it. Needs `run()` to be running.

        `on_step` hears "sent", and "accepted" when the device says so itself. Raises UnknownCommand, NotReady,
        NotAccepted, NotObserved, DeviceRefused, or another BusError when nothing was sent.
        """
        command = self._profile.command.get(name)
        if command is None:
            known = ", ".join(sorted(self._profile.command))
            raise UnknownCommand(f"{self._name}: no command {name!r}; its profile has {known or 'none'}.")
        self._check_needs(name, command)
        doubt = None
        try:
            await self._write(command.write)
        except DeviceRefused:
            raise
        except BusError as e:
            if not e.sent:
                raise
            doubt = e  # it may have arrived: the device will show, and a second order could be one too many
        on_step("sent")
        if command.write.answer is not None and await self._accepted(name, command.write.answer):
            on_step("accepted")
        return await self._observed(name, command, asyncio.get_running_loop().time(), doubt)

    async def _write(self, write: Write) -> None:
        await self._bus.write(
            self._unit,
            write.at,
            write.registers,
            function=write.function,
            gap_s=self._profile.read.gap_s,
            timeout_s=self._timeout_s,
        )

    async def _accepted(self, name: str, answer: Answer) -> bool:
        """Whether the device says so itself; False when that could not be read: the proof is still to come."""
        try:
            words = await self._bus.read(
                self._unit, "holding", answer.at, 2, gap_s=self._profile.read.gap_s, timeout_s=self._timeout_s
            )
        except BusError:
            return False
        if (said := words[0] << 16 | words[1]) != answer.value:
            raise NotAccepted(f"{self._name}: {name} was sent, and the device says 0x{said:08X}: not accepted.")
        return True

    def _check_needs(self, name: str, command: Command) -> None:
        now = asyncio.get_running_loop().time()
        for point in (*command.needed, command.observe.point):
            reading = self._latest.get(point)
            if reading is None or reading.quality is not Quality.GOOD:
                quality = Quality.NO_LINK if reading is None else reading.quality
                raise NotReady(f"{self._name}: {name} needs {point}, which is {quality}. Check the device first.")
            if now - reading.at > command.max_age_s:
                raise NotReady(f"{self._name}: {name} needs {point} not older than {command.max_age_s:g} s.")
        for point, value in command.needed.items():
            if (is_ := self._latest[point].value) != value:
                raise NotReady(f"{self._name}: {name} needs {point} to be {value}; it is {is_}.")

    async def _observed(self, name: str, command: Command, since: float, doubt: BusError | None) -> Reading:
        observe = command.observe

        def seen() -> Reading | None:
            reading = self._latest.get(observe.point)
            return reading if reading and reading.at > since and reading.value in observe.values else None

        try:
            async with asyncio.timeout(observe.within_s), self._news:
                while (proof := seen()) is None:
                    await self._news.wait()
        except TimeoutError:
            last = self._latest[observe.point]
            raise NotObserved(
                f"{self._name}: {name} was sent, but {observe.point} was not {' or '.join(map(str, observe.values))} "
                f"within {observe.within_s:g} s; it is {last.value if last.quality is Quality.GOOD else last.quality}. "
                "Go and look at the device."
            ) from doubt
        return proof

    async def _poll(self) -> list[Reading]:
        loop = asyncio.get_running_loop()
        readings: list[Reading] = []
        refused: BusError | None = None
        failure: BusError | None = None
        now = loop.time()
        hurries = self._hurries() and any(part.hurried for part in self._parts)
        asked = [part for part in self._parts if (part.hurried if hurries else part.due <= now)]
        for part in asked:
            # What follows a failed block is not tried: a dead unit costs its bus one time-out a poll, not eight.
            if failure is None:
                try:
                    readings += await self._read_surely(part)
                    part.missed, part.due = 0, loop.time() + part.block.every_s
                    continue
                except DeviceRefused as e:
                    refused = e
                except BusError as e:
                    failure = e
            readings += _missed(part, loop.time())
        for part in self._parts:  # what is asked for seldom is no less lost with its device
            if part in asked:
                continue
            if failure is None:
                part.missed = 0
            else:
                readings += _missed(part, loop.time())
        self._silent_polls = self._silent_polls + 1 if isinstance(failure, NoAnswer | BadAnswer) else 0
        self._tell(failure or refused)
        return readings

    def _believed(self, readings: list[Reading]) -> list[Reading]:
        """The readings; without their values while the card that answers repeats what it knew last of its device."""
        for reading in readings:
            if reading.point == self._profile.lost_by and reading.quality is Quality.GOOD:
                self._card_lost = reading.value is True
        if not self._card_lost:
            return readings
        return [msgspec.structs.replace(r, value=None, quality=Quality.NO_LINK) for r in readings]

    async def _read_surely(self, part: _Part) -> list[Reading]:
        """A read that failed for the first time is asked for once again at once: one bad frame costs no poll."""
        try:
            return await self._read(part)
        except (NoAnswer, BadAnswer) as e:
            if part.missed or self._silent_polls or not e.sent:
                raise
            return await self._read(part)

    async def _read(self, part: _Part) -> list[Reading]:
        loop = asyncio.get_running_loop()
        block, patience_s = part.block, self._patience_s()
        if part.again is not None and loop.time() < part.doubted_until:
            block = part.again
        if self._silent_polls < LOST_AFTER and (part.again is None or block is part.again):
            patience_s = self._timeout_s
        try:
            words = await self._bus.read(
                self._unit, block.table, block.address, block.count,
                gap_s=self._profile.read.gap_s, timeout_s=patience_s,
            )  # fmt: skip
        except DeviceRefused as e:
            if block is part.again:
                part.again = None  # it refuses what is longer: its blocks wait for their whole time
                raise
            if e.code not in NO_SUCH_REGISTERS:
                raise
            return _without_value(part, Quality.UNIMPLEMENTED, loop.time())
        except (NoAnswer, BadAnswer):
            if block is not part.again:  # its answer may still come, and would fit the same question
                part.doubted_until = loop.time() + self._timeout_s - patience_s + self._bus.quiet_s
            raise
        now = loop.time()
        self._decode(part, words)
        return [Reading(p.name, p.value, p.point.unit, p.quality, now) for p in part.places]

    def _decode(self, part: _Part, words: list[int]) -> None:
        """What the registers mean now; most are as they were, and mean what they meant."""
        for place in part.places:
            raw = words[place.start : place.end]
            if raw != place.words:
                place.words = raw
                place.value, place.quality = self._profile.decode(place.point, part.block, words)

    def _patience_s(self) -> float:
        """How long an answer is waited for: not much longer than the unit ever needed, for others wait."""
        tally = self._bus.tallies.units.get(self._unit)
        if tally is None or not tally.slowest_s or self._silent_polls % WHOLE_TIME_EACH == 1:
            return self._timeout_s
        return min(self._timeout_s, max(PATIENT_LEAST_S, PATIENT_TIMES * tally.slowest_s))

    def _wait_s(self) -> float:
        """Seconds to the next poll: of a lost unit as many as keep its cost to the living ones below DEAD_SHARE."""
        if self._silent_polls < LOST_AFTER:
            return self._interval_s
        longest = BACKOFF_ALONE_S
        if self._bus.tallies.others_alive(self._unit, asyncio.get_running_loop().time()):
            longest = (self._patience_s() + self._bus.quiet_s) / DEAD_SHARE
        return float(min(self._interval_s * 2 ** min(self._silent_polls - 1, 10), max(longest, self._interval_s)))

    def _tell(self, failure: BusError | None) -> None:
        """Lost is logged once, back is logged once."""
        lost = any(part.missed >= LOST_AFTER for part in self._parts)
        if lost and not self._lost:
            LOG.warning("%s is lost: %s", self._name, failure)
        elif self._lost and failure is None:
            LOG.info("%s is back.", self._name)
        self._lost = lost


def _missed(part: _Part, at: float) -> list[Reading]:
    """Count a poll that did not bring it; the one that makes it lost says so."""
    part.missed += 1
    if part.missed != LOST_AFTER:
        return []
    part.due = float("-inf")
    return _without_value(part, Quality.NO_LINK, at)


def _without_value(part: _Part, quality: Quality, at: float) -> list[Reading]:
    return [Reading(p.name, None, p.point.unit, quality, at) for p in part.places]


def _parts(profile: Profile, blocks: tuple[Block, ...]) -> list[_Part]:
    again = profile.second_asks(blocks)
    return [
        _Part(
            block,
            again.get(block),
            [
                _Place(name, point, point.at - block.address, point.at - block.address + point.width)
                for name, point in profile.points_in(block).items()
            ],
        )
        for block in blocks
    ]


def _wake(resting: asyncio.Future[None]) -> None:
    if not resting.done():
        resting.set_result(None)
