"""Registers to values: words (or coils) in, a value with its quality out. No bus, no clock, no state.

A value that cannot be so (a sentinel, an unknown code, 3190 V) is None, and the quality says why.
"""

import math
import struct
from collections.abc import Callable, Sequence
from fractions import Fraction
from functools import lru_cache
from typing import Annotated, Literal

import msgspec

from drivers.modbus.sentinels import SENTINELS, WIDTHS, Sentinels, Type
from drivers.quality import Quality
from drivers.reading import Value

Table = Literal["holding", "input", "coil", "discrete"]
WordOrder = Literal["high_first", "low_first"]

BIT_TABLES = frozenset({"coil", "discrete"})

GENCOMM_INACTIVE = frozenset({1, 8, 9})
GENCOMM_ACTIVE = frozenset({2, 3, 4, 10})  # warning, shutdown, electrical trip, active indication
GENCOMM_ABSENT = frozenset({0, 15})  # switched off in the controller, unimplemented


class Point(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One value of a device, as its profile describes it. `scale` is exact: 0.1 or "1/64", never a rounded float.

    A point of the table `coil` or `discrete` is True or False and has no number; with `one_of` it is several of them
    side by side, of which one is on, and its name is the value.
    """

    at: Annotated[int, msgspec.Meta(ge=0, le=65535)]
    type: Type = "u16"
    table: Table | None = None  # None: the profile's
    scale: int | float | str = 1
    unit: str = ""
    range: tuple[float, float] | None = None  # inclusive, in `unit`; outside is over_range or under_range
    states: dict[int, str] | None = None  # code to name; an unknown code is over_range
    bit: Annotated[int, msgspec.Meta(ge=0, le=63)] | None = None  # 0 is the lowest
    nibble: Annotated[int, msgspec.Meta(ge=0, le=3)] | None = None  # 0 is the top one
    invert: bool = False  # of a bit, coil or discrete input: 0 is True
    true: tuple[int, ...] = ()  # codes of a status register that mean True; a code in neither is over_range
    false: tuple[int, ...] = ()
    decode: str | None = None  # a name in DECODERS
    one_of: tuple[str, ...] = ()  # of coils or discrete inputs from `at` on: what it means that this one is on
    otherwise: str | None = None  # what it means that none of `one_of` is on; None: a fault
    absent: tuple[int, ...] = ()  # codes by which this device says "not fitted"
    every_s: Annotated[float, msgspec.Meta(ge=0, le=3600)] = 0.0  # asked for not more often; 0: at each poll

    @property
    def width(self) -> int:
        """Registers (or coils) that the point covers."""
        return len(self.one_of) or WIDTHS[self.type]

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
DECODES_TO_BOOL = frozenset({"gencomm_alarm"})


def decode(
    point: Point, words: Sequence[int], sentinels: Sentinels = "none", word_order: WordOrder = "high_first"
) -> tuple[Value, Quality]:
    """The point's value in its unit, or None and why. `words` are exactly the registers (or coils) that it covers."""
    if point.one_of:
        return _one_of(point, words)
    if point.table in BIT_TABLES:
        return bool(words[0]) is not point.invert, Quality.GOOD
    in_order = words if word_order == "high_first" else words[::-1]
    data = b"".join(word.to_bytes(2, "big") for word in in_order)
    if point.type == "f32":
        return _float(point, data)
    return _integer(point, int.from_bytes(data, "big", signed=point.type[0] == "s"), sentinels)


def _one_of(point: Point, words: Sequence[int]) -> tuple[Value, Quality]:
    on = {name for name, word in zip(point.one_of, words, strict=True) if word}
    if not on and point.otherwise is not None:
        return point.otherwise, Quality.GOOD
    return (on.pop(), Quality.GOOD) if len(on) == 1 else (None, Quality.SENSOR_FAULT)


def _float(point: Point, data: bytes) -> tuple[Value, Quality]:
    (value,) = struct.unpack(">f", data)
    if not math.isfinite(value):
        return None, Quality.SENSOR_FAULT
    # A float of 24 bits says 6 to 7 digits; the rest would be noise (230.3 is 230.3000030517578).
    return _in_range(point, float(f"{value * point.ratio.numerator / point.ratio.denominator:.7g}"))


def _integer(point: Point, raw: int, sentinels: Sentinels) -> tuple[Value, Quality]:
    if point.nibble is not None:  # four alarms share a register, so its number as a whole says nothing
        raw = raw >> 4 * (3 - point.nibble) & 0xF
    elif (quality := SENTINELS[sentinels](point.type, raw)) is not None:
        return None, quality
    if raw in point.absent:
        return None, Quality.UNIMPLEMENTED
    if point.bit is not None:
        return bool(raw >> point.bit & 1) is not point.invert, Quality.GOOD
    if point.true:
        return (raw in point.true, Quality.GOOD) if raw in point.true + point.false else (None, Quality.OVER_RANGE)
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
