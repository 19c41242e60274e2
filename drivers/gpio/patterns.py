"""Patterns of a siren, a buzzer or a light, as data: seconds on and off, repeated until its time is over."""

from types import MappingProxyType

Cadence = tuple[tuple[float, float], ...]  # (on_s, off_s), at most 16 of them; the first starts at once

SHORTEST = 0.2  # s; a contactor needs some 0.1 s to open or close, and wears with each
LONGEST = 60.0  # s; a pattern must be told apart by ear

DOT = 0.3  # s; ten words a minute would be 0.12, which no contactor follows and no beginner reads
WORD = (".-", ".--.", "..")  # "API", fire in Indonesian, by ITU-R M.1677


def morse(word: tuple[str, ...]) -> Cadence:
    """A word in dots and dashes: a dash is three dots, the gaps are one, three between letters, seven behind it."""
    signs = [
        (3 if sign == "-" else 1, 1 if at < len(letter) - 1 else 3)
        for letter in word for at, sign in enumerate(letter)
    ]  # fmt: skip
    signs[-1] = (signs[-1][0], 7)
    return tuple((round(on * DOT, 3), round(off * DOT, 3)) for on, off in signs)


PATTERNS = MappingProxyType(
    {
        "steady": ((1.0, 0.0),),  # never off; driven and read back again each second
        "wail": ((8.0, 4.0),),  # a motor siren runs up in seconds and down in more: rising and falling
        "yelp": ((2.0, 1.0),),  # the same, hurried
        "pulse": ((0.5, 0.5),),  # a buzzer or an electronic horn
        "alternating": ((1.0, 1.0),),  # as its pair's other half, `inverse`, is on in the pauses
        "morse": morse(WORD),
    }
)
