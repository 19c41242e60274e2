"""Numbers that are no measurement: what each family of devices puts in a register when it has nothing to say."""

from collections.abc import Callable
from typing import Literal

from drivers.quality import Quality

Type = Literal["u16", "s16", "u32", "s32", "u64", "f32"]
Sentinels = Literal["none", "gencomm", "all_ones", "comap", "smartgen", "huawei"]

WIDTHS: dict[str, int] = {"u16": 1, "s16": 1, "u32": 2, "s32": 2, "u64": 4, "f32": 2}  # registers

# GenComm 1.29 keeps the eight highest values of every type for what is no measurement, from the top down. An input
# wired as a switch (high, low) and the reserved code have no number to give.
GENCOMM = (
    Quality.UNIMPLEMENTED,
    Quality.OVER_RANGE,
    Quality.UNDER_RANGE,
    Quality.SENSOR_FAULT,  # sender fault
    Quality.SENSOR_FAULT,  # bad data
    Quality.UNIMPLEMENTED,  # high input
    Quality.UNIMPLEMENTED,  # low input
    Quality.UNIMPLEMENTED,  # reserved
)
SMARTGEN = {0x7FFF: Quality.UNIMPLEMENTED, 0x7FFE: Quality.SENSOR_FAULT}  # no data; sender open


def limits(type: Type) -> tuple[int, int]:
    """The least and the highest raw number of an integer type."""
    bits = 16 * WIDTHS[type]
    return (-(1 << bits - 1), (1 << bits - 1) - 1) if type[0] == "s" else (0, (1 << bits) - 1)


def no_sentinels(_type: Type, _raw: int) -> Quality | None:
    """A device whose every number is meant."""
    return None


def gencomm_sentinel(type: Type, raw: int) -> Quality | None:
    """GenComm's reserved numbers: FFFF down to FFF8, 7FFF down to 7FF8, and the same for 32 bits."""
    from_the_top = limits(type)[1] - raw
    return GENCOMM[from_the_top] if from_the_top < len(GENCOMM) else None


def all_ones_sentinel(type: Type, raw: int) -> Quality | None:
    """FFFF or FFFFFFFF in an unsigned register means "not available" (APC)."""
    return Quality.UNIMPLEMENTED if type[0] == "u" and raw == limits(type)[1] else None


def comap_sentinel(type: Type, raw: int) -> Quality | None:
    """ComAp: 8000 or 80000000, the least number of a signed type. In an unsigned one it is a number or a set bit."""
    return Quality.UNIMPLEMENTED if type[0] == "s" and raw == limits(type)[0] else None


def smartgen_sentinel(type: Type, raw: int) -> Quality | None:
    """SmartGen: 7FFF no data, 7FFE sender open, in one register; its counters of two have none."""
    return SMARTGEN.get(raw) if WIDTHS[type] == 1 else None


def huawei_sentinel(type: Type, raw: int) -> Quality | None:
    """Huawei: the highest number of the type, FFFF, FFFFFFFF or 7FFF."""
    return Quality.UNIMPLEMENTED if raw == limits(type)[1] else None


SENTINELS: dict[Sentinels, Callable[[Type, int], Quality | None]] = {
    "none": no_sentinels,
    "gencomm": gencomm_sentinel,
    "all_ones": all_ones_sentinel,
    "comap": comap_sentinel,
    "smartgen": smartgen_sentinel,
    "huawei": huawei_sentinel,
}
