"""The GSM 7-bit alphabets, default and national, and their packing into octets: 3GPP TS 23.038.

A septet is a small int; an extended character is two septets, ESC first, which never part.
"""

import codecs
from functools import lru_cache
from typing import NamedTuple

from drivers.modem.gsm7_national import LOCKING, SHIFT
from drivers.modem.pdu_types import Alphabet, PduError

ESC = 0x1B
CR = 0x0D

MAX_SEPTETS = 512  # at once; a part has 160, a USSD text 182

# Clause 6.2.1, in code order; place 0x1B, ESC, stands for itself and never reaches a text.
DEFAULT = (
    "@£$¥èéùìòÇ\nØø\rÅå"
    "Δ_ΦΓΛΩΠΨΣΘΞ\x1bÆæßÉ"
    " !\"#¤%&'()*+,-./"
    "0123456789:;<=>?"
    "¡ABCDEFGHIJKLMNO"
    "PQRSTUVWXYZÄÖÑÜ§"
    "¿abcdefghijklmno"
    "pqrstuvwxyzäöñüà"
)

# Clause 6.2.1.1, behind ESC.
EXTENSION = {
    0x0A: "\f",
    0x14: "^",
    0x28: "{",
    0x29: "}",
    0x2F: "\\",
    0x3C: "[",
    0x3D: "~",
    0x3E: "]",
    0x40: "|",
    0x65: "€",
}

UNASSIGNED = "\ufffe"  # what charmap_decode takes for a code without a character
MISSING = 0xFF  # no septet: the ASCII character is not in the default alphabet, or needs an escape

_ASCII = bytes(DEFAULT.index(char) if (char := chr(i)) in DEFAULT and i != ESC else MISSING for i in range(256))


class _Tables(NamedTuple):
    """One pair of tables: characters by code, those behind ESC, and the septets of every character."""

    plain: str
    escaped: dict[int, str]
    septets: dict[str, bytes]


@lru_cache(maxsize=32)  # pairs: more than a box ever meets, some 20 kB each
def _tables(locking: int, shift: int) -> _Tables:
    """The tables of two languages' numbers. 0, and a number that has no such table, is the default (TS 23.040)."""
    plain = _characters(LOCKING[locking]) if locking in LOCKING else DEFAULT
    escaped = EXTENSION
    if shift in SHIFT:
        escaped = {code: char for code, char in enumerate(_characters(SHIFT[shift])) if char != UNASSIGNED}
    # The lowest code of a character that stands twice, and one septet where that is enough.
    septets = {char: bytes((ESC, code)) for code, char in sorted(escaped.items(), reverse=True)}
    septets |= {plain[code]: bytes((code,)) for code in reversed(range(len(plain))) if code != ESC}
    septets.pop(UNASSIGNED, None)
    return _Tables(plain, escaped, septets)


def _characters(points: str) -> str:
    return bytes.fromhex(points.replace("....", f"{ord(UNASSIGNED):04X}")).decode("utf-16-be")


def _steps() -> list[tuple[int, int, int]]:
    """Masks for the low and high fields of 7, 14 and 28 bits, and the gap between them that each step closes."""
    masks = []
    for bits, width in ((7, 1), (14, 2), (28, 4)):
        field = ((1 << bits) - 1).to_bytes(width, "little")
        low = int.from_bytes((field + bytes(width)) * (MAX_SEPTETS // 2 // width), "little")
        masks.append((low, low << width * 8, width))
    return masks


_STEPS = _steps()


def septets_or_none(text: str, locking: int = 0, shift: int = 0) -> bytes | None:
    """The septets of a text, one in each octet; None when the tables lack a character of it."""
    if text.isascii() and not locking and not shift:  # most texts: no need to look at each character
        codes = text.encode("ascii").translate(_ASCII)
        if MISSING not in codes:
            return codes
    septets = _tables(locking, shift).septets
    try:
        return b"".join([septets[char] for char in text])
    except KeyError:
        return None


def codes_of(text: str, locking: int = 0, shift: int = 0) -> bytes:
    """The septets of a text, one in each octet. Raises PduError on a character that the tables do not have."""
    codes = septets_or_none(text, locking, shift)
    if codes is None:
        septets = _tables(locking, shift).septets
        lacking = next(char for char in text if char not in septets)
        raise PduError(f"{lacking!r} is not in the GSM 7-bit alphabet; send the text as ucs2.")
    return codes


def text_of(codes: bytes, locking: int = 0, shift: int = 0) -> str:
    """The text of septets, one in each octet; a code without a character shows as U+FFFD.

    An unknown extension shows as the character that the code has without ESC (6.2.1.1).
    """
    tables = _tables(locking, shift)
    plain, _ = codecs.charmap_decode(codes, "replace", tables.plain)
    if ESC not in codes:
        return plain
    out = []
    escaped = False
    for code, char in zip(codes, plain, strict=True):
        if escaped:
            out.append(tables.escaped.get(code, " " if code == ESC else char))
            escaped = False
        elif code == ESC:
            escaped = True
        else:
            out.append(char)
    return "".join(out) + (" " if escaped else "")


def text_of_raw(raw: bytes, alphabet: Alphabet, locking: int | None = None, shift: int | None = None) -> str | None:
    """The text of user data behind its header, None for 8-bit data. Half a UCS2 character shows as U+FFFD."""
    if alphabet == "8bit":
        return None
    return text_of(raw, locking or 0, shift or 0) if alphabet == "gsm7" else raw.decode("utf-16-be", "replace")


def pack(codes: bytes, fill: int = 0) -> bytes:
    """Septets into octets, behind `fill` bits (0-6) of padding."""
    if len(codes) > MAX_SEPTETS:
        raise PduError(f"{len(codes)} septets are too many at once; the most is {MAX_SEPTETS}.")
    groups = -(-len(codes) // 8)
    bits = int.from_bytes(codes, "little")
    for low, high, gap in _STEPS:  # close the gaps: 7 bits in 8, 14 in 16, 28 in 32, 56 in 64
        bits = bits & low | (bits & high) >> gap
    spread = bytearray(bits.to_bytes(groups * 8, "little"))
    del spread[7::8]
    packed = int.from_bytes(spread, "little") << fill
    return packed.to_bytes((len(codes) * 7 + fill + 7) // 8, "little")


def unpack(octets: bytes, count: int, fill: int = 0) -> bytes:
    """`count` septets out of octets, behind `fill` bits. Raises PduError when there are not as many."""
    if (count * 7 + fill + 7) // 8 > len(octets) or count > MAX_SEPTETS:
        raise PduError(f"{count} septets do not fit in {len(octets)} octets.")
    groups = -(-count // 8)
    bits = int.from_bytes(octets, "little") >> fill & (1 << count * 7) - 1
    packed = bits.to_bytes(groups * 7, "little")
    spread = bytearray(groups * 8)
    for place in range(7):  # a group's seven octets, and an empty one behind them
        spread[place::8] = packed[place::7]
    bits = int.from_bytes(spread, "little")
    for low, high, gap in reversed(_STEPS):
        bits = bits & low | bits << gap & high
    return bits.to_bytes(groups * 8, "little")[:count]


def text_of_packed(octets: bytes) -> str:
    """A packed text of unstated length (USSD): a CR that only fills up the last septet is dropped (6.1.2.3.1)."""
    codes = unpack(octets, len(octets) * 8 // 7)
    if len(codes) % 8 == 0 and codes.endswith(bytes((CR,))):
        codes = codes[:-1]
    return text_of(codes)
