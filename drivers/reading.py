"""One measured value, with how far to believe it and how old it is."""

import msgspec

from drivers.quality import Quality

Value = float | int | str | bool | None


class Reading(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`value` is None unless `quality` is good; `at` is the loop's monotonic time, in seconds, of the measurement."""

    point: str
    value: Value
    unit: str
    quality: Quality
    at: float
