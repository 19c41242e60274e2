"""Looking at a line that nobody knows yet: which units answer, and which profile fits each.

Nothing is written, ever. A unit is there when anything of it comes back, a refusal too.
"""

from collections.abc import AsyncIterator, Iterable, Mapping

import msgspec

from drivers.modbus.blocks import Block
from drivers.modbus.bus import Bus
from drivers.modbus.errors import BadAnswer, DeviceRefused, NoAnswer
from drivers.modbus.profile import Profile
from drivers.modbus.registers import Table
from drivers.quality import Quality
from drivers.reading import Value


class Snapshot(msgspec.Struct, frozen=True):
    """One read of a device by a profile: the raw words by table, what they mean, and the blocks that it refused."""

    words: dict[Table, dict[int, int]]
    values: dict[str, tuple[Value, Quality]]
    refused: tuple[Block, ...] = ()

    @property
    def good(self) -> int:
        """Points with a value."""
        return sum(quality is Quality.GOOD for _, quality in self.values.values())

    @property
    def telling(self) -> int:
        """Points with a value that is not simply 0: of a device that answers 0 to everything, no profile's fit."""
        return sum(quality is Quality.GOOD and value not in (0, False) for value, quality in self.values.values())


class Guess(msgspec.Struct, frozen=True):
    """How well a profile fits: `known` when the points by which it identifies its model say so."""

    name: str
    known: bool
    snapshot: Snapshot

    @property
    def share(self) -> float:
        """Of its points, how many have a value; 0 to 1."""
        return self.snapshot.good / max(1, len(self.snapshot.values))

    @property
    def weight(self) -> float:
        """How much speaks for it: each value that is not 0, the less the more of its points have none.

        The count and not only the share: a profile of eleven bits fits nearly everything.
        """
        return self.share * self.snapshot.telling


class Present(msgspec.Struct, frozen=True):
    """A unit that answers; `flaw` says what was wrong with what came."""

    unit: int
    flaw: str = ""


async def look_around(bus: Bus, units: Iterable[int]) -> AsyncIterator[Present | None]:
    """For each unit what is there, None for nobody. Raises LinkLost."""
    for unit in units:
        try:
            await bus.read(unit, "holding", 0, 1)
            yield Present(unit)
        except DeviceRefused:
            yield Present(unit)
        except BadAnswer as e:
            yield Present(unit, str(e))
        except NoAnswer:
            yield None


async def snapshot(bus: Bus, unit: int, profile: Profile, only: Iterable[str] | None = None) -> Snapshot:
    """Read a device once; with `only`, no more than the blocks of these points. Raises BusError.

    A block that the device refuses leaves its points unimplemented, and the others are read.
    """
    wanted = set(profile.point if only is None else only)
    words: dict[Table, dict[int, int]] = {}
    values: dict[str, tuple[Value, Quality]] = {}
    refused = []
    for block in profile.blocks(bus.line.frame):
        points = profile.points_in(block)
        if wanted.isdisjoint(points):
            continue
        try:
            got = await bus.read(unit, block.table, block.address, block.count, gap_s=profile.read.gap_s)
        except DeviceRefused:
            refused.append(block)
            values |= dict.fromkeys(points, (None, Quality.UNIMPLEMENTED))
            continue
        words.setdefault(block.table, {}).update(enumerate(got, block.address))
        values |= {name: profile.decode(point, block, got) for name, point in points.items()}
    return Snapshot(words, values, tuple(refused))


async def guesses(bus: Bus, unit: int, profiles: Mapping[str, Profile]) -> list[Guess]:
    """The profiles that may fit, best first. One that identifies its model is out when the points say another.

    Raises BusError when the unit falls silent.
    """
    found = []
    for name, profile in profiles.items():
        known = bool(profile.identify)
        if known and not identified(profile, await snapshot(bus, unit, profile, profile.identify)):
            continue
        guess = Guess(name, known, await snapshot(bus, unit, profile))
        if guess.snapshot.good:
            found.append(guess)
    return sorted(found, key=lambda guess: (guess.known, guess.weight), reverse=True)


def identified(profile: Profile, seen: Snapshot) -> bool:
    """Whether all identification points have a value that is this model's."""
    for name, wanted in profile.identify.items():
        value, quality = seen.values[name]
        if quality is not Quality.GOOD or value not in (wanted if isinstance(wanted, tuple) else (wanted,)):
            return False
    return True
