"""Registers to values: 16-bit words in, a value with its quality out. No bus, no clock, no state.

High word first. A value that cannot be so (a sentinel, an unknown code, 3190 V) is None, and the quality says why.
"""

from collections.abc import Callable, Sequence
from fractions import Fraction
from functools import lru_cache
from typing import Annotated, Literal

import msgspec

from drivers.quality import Quality
from drivers.reading import Value

Type = Literal["u16", "s16", "u32", "s32"]

WIDTHS: dict[str, int] = {"u16": 1, "s16": 1, "u32": 2, "s32": 2}  # registers

# GenComm 1.29 keeps the eight highest values of every type for what is no measurement, from the top down. An input
# wired as a switch (high, low) and the reserved code have no number to give.
GENCOMM_SENTINELS = (
    Quality.UNIMPLEMENTED,
    Quality.OVER_RANGE,
    Quality.UNDER_RANGE,
    Quality.SENSOR_FAULT,  # sender fault
    Quality.SENSOR_FAULT,  # bad data
    Quality.UNIMPLEMENTED,  # high input
    Quality.UNIMPLEMENTED,  # low input
    Quality.UNIMPLEMENTED,  # reserved
)

GENCOMM_INACTIVE = frozenset({1, 8, 9})
GENCOMM_ACTIVE = frozenset({2, 3, 4, 10})  # warning, shutdown, electrical trip, active indication
GENCOMM_ABSENT = frozenset({0, 15})  # switched off in the controller, unimplemented


class Point(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One value of a device, as its profile describes it. `scale` is exact: 0.1 or "1/64", never a rounded float."""

    at: Annotated[int, msgspec.Meta(ge=0, le=65535)]
    type: Type = "u16"
    scale: int | float | str = 1
    unit: str = ""
    range: tuple[float, float] | None = None  # inclusive, in `unit`; outside is over_range or under_range
    states: dict[int, str] | None = None  # code to name; an unknown code is over_range
    bit: Annotated[int, msgspec.Meta(ge=0, le=31)] | None = None  # 0 is the lowest
    nibble: Annotated[int, msgspec.Meta(ge=0, le=3)] | None = None  # 0 is the top one
    decode: str | None = None  # a name in DECODERS
    absent: tuple[int, ...] = ()  # codes by which this device says "not fitted"

    @property
    def width(self) -> int:
        """Registers that the point covers."""
        return WIDTHS[self.type]

    @property
    def ratio(self) -> Fraction:
        """The scale as an exact fraction. Raises ValueError or ZeroDivisionError when it is none."""
        return _ratio(str(self.scale))


def gencomm_alarm(code: int) -> bool | Quality:
    """One page 8 nibble: True while the alarm is active, by whatever severity."""
    if code in GENCOMM_ACTIVE:
        return True
    if code in GENCOMM_INACTIVE:
        return False
    return Quality.UNIMPLEMENTED if code in GENCOMM_ABSENT else Quality.SENSOR_FAULT


def lowest_bit(raw: int) -> int:
    """The number of the lowest set bit, -1 when none is set; for one-of-many status words."""
    return (raw & -raw).bit_length() - 1


DECODERS: dict[str, Callable[[int], int | Quality]] = {"gencomm_alarm": gencomm_alarm, "lowest_bit": lowest_bit}


def limits(type: Type) -> tuple[int, int]:
    """The least and the highest raw number of a type."""
    bits = 16 * WIDTHS[type]
    return (-(1 << bits - 1), (1 << bits - 1) - 1) if type[0] == "s" else (0, (1 << bits) - 1)


def no_sentinels(_type: Type, _raw: int) -> Quality | None:
    """A device whose every number is meant."""
    return None


def gencomm_sentinel(type: Type, raw: int) -> Quality | None:
    """GenComm's reserved numbers: FFFF down to FFF8, 7FFF down to 7FF8, and the same for 32 bits."""
    from_the_top = limits(type)[1] - raw
    return GENCOMM_SENTINELS[from_the_top] if from_the_top < len(GENCOMM_SENTINELS) else None


def all_ones_sentinel(type: Type, raw: int) -> Quality | None:
    """FFFF or FFFFFFFF in an unsigned register means "not available" (APC, Huawei)."""
    return Quality.UNIMPLEMENTED if type[0] == "u" and raw == limits(type)[1] else None


SENTINELS: dict[str, Callable[[Type, int], Quality | None]] = {
    "none": no_sentinels,
    "gencomm": gencomm_sentinel,
    "all_ones": all_ones_sentinel,
}


def integer(type: Type, words: Sequence[int]) -> int:
    """The raw number in `words`, of which there must be as many as the type is wide."""
    return int.from_bytes(b"".join(word.to_bytes(2, "big") for word in words), "big", signed=type[0] == "s")


def decode(point: Point, words: Sequence[int], sentinels: str = "none") -> tuple[Value, Quality]:
    """The point's value in its unit, or None and why. `words` are exactly the registers that the point covers."""
    raw = integer(point.type, words)
    if point.nibble is not None:  # four alarms share a register, so its number as a whole says nothing
        raw = raw >> 4 * (3 - point.nibble) & 0xF
    elif (quality := SENTINELS[sentinels](point.type, raw)) is not None:
        return None, quality
    if raw in point.absent:
        return None, Quality.UNIMPLEMENTED
    if point.bit is not None:
        return bool(raw >> point.bit & 1), Quality.GOOD
    if point.decode is not None:
        decoded = DECODERS[point.decode](raw)
        if isinstance(decoded, Quality):
            return None, decoded
        if isinstance(decoded, bool):
            return decoded, Quality.GOOD
        raw = decoded
    if point.states is not None:
        name = point.states.get(raw)
        return name, Quality.GOOD if name is not None else Quality.OVER_RANGE
    return _in_range(point, _scaled(raw, point.ratio))


def _in_range(point: Point, value: int | float) -> tuple[Value, Quality]:
    if point.range is not None and value < point.range[0]:
        return None, Quality.UNDER_RANGE
    if point.range is not None and value > point.range[1]:
        return None, Quality.OVER_RANGE
    return value, Quality.GOOD


def _scaled(raw: int, ratio: Fraction) -> int | float:
    product = raw * ratio.numerator
    return product if ratio.denominator == 1 else product / ratio.denominator  # 2301 / 10 is 230.1, 2301 * 0.1 is not


@lru_cache(maxsize=64)  # a profile has a handful of scales
def _ratio(scale: str) -> Fraction:
    return Fraction(scale)
