"""Patterns of a relay siren or a buzzer, as data: seconds on and off, repeated until its time is over."""

from types import MappingProxyType

Cadence = tuple[tuple[float, float], ...]  # (on_s, off_s), at most 16 of them; the first starts at once

SHORTEST = 0.2  # s; a contactor needs some 0.1 s to open or close, and wears with each
LONGEST = 60.0  # s; a pattern must be told apart by ear

PATTERNS = MappingProxyType(
    {
        "steady": ((1.0, 0.0),),  # never off; driven and read back again each second
        "wail": ((8.0, 4.0),),  # a motor siren runs up in seconds and down in more: rising and falling
        "yelp": ((2.0, 1.0),),  # the same, hurried
        "pulse": ((0.5, 0.5),),  # a buzzer or an electronic horn
    }
)
