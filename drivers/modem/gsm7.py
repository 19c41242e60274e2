"""The GSM 7-bit default alphabet with its extension table, and its packing into octets: 3GPP TS 23.038.

A septet is a small int; an extended character is two septets, ESC first, which never part.
"""

import codecs

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

_CODES = {ord(char): code for code, char in enumerate(DEFAULT)}
_ESCAPED = {ord(char): chr(ESC) + DEFAULT[code] for code, char in EXTENSION.items()}


def _steps() -> list[tuple[int, int, int]]:
    """Masks for the low and high fields of 7, 14 and 28 bits, and the gap between them that each step closes."""
    masks = []
    for bits, width in ((7, 1), (14, 2), (28, 4)):
        field = ((1 << bits) - 1).to_bytes(width, "little")
        low = int.from_bytes((field + bytes(width)) * (MAX_SEPTETS // 2 // width), "little")
        masks.append((low, low << width * 8, width))
    return masks


_STEPS = _steps()


def codes_of(text: str) -> bytes:
    """The septets of a text, one in each octet. Raises PduError on a character the alphabet does not have."""
    try:
        if chr(ESC) in text:
            raise PduError(f"The text holds an escape character at {text.index(chr(ESC))}.")
        return codecs.charmap_encode(text.translate(_ESCAPED), "strict", _CODES)[0]
    except UnicodeEncodeError as e:
        raise PduError(f"{e.object[e.start]!r} is not in the GSM 7-bit alphabet; send the text as ucs2.") from None


def text_of(codes: bytes) -> str:
    """The text of septets, one in each octet. An unknown extension shows as its default character (6.2.1.1)."""
    plain, _ = codecs.charmap_decode(codes, "replace", DEFAULT)
    if ESC not in codes:
        return plain
    out = []
    escaped = False
    for code, char in zip(codes, plain, strict=True):
        if escaped:
            out.append(EXTENSION.get(code, " " if code == ESC else char))
            escaped = False
        elif code == ESC:
            escaped = True
        else:
            out.append(char)
    return "".join(out) + (" " if escaped else "")


def text_of_raw(raw: bytes, alphabet: Alphabet) -> str | None:
    """The text of user data behind its header, None for 8-bit data. Half a UCS2 character shows as U+FFFD."""
    if alphabet == "8bit":
        return None
    return text_of(raw) if alphabet == "gsm7" else raw.decode("utf-16-be", "replace")


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
    bits = int.from_bytes(b"".join(packed[i : i + 7] + b"\0" for i in range(0, groups * 7, 7)), "little")
    for low, high, gap in reversed(_STEPS):
        bits = bits & low | bits << gap & high
    return bits.to_bytes(groups * 8, "little")[:count]


def text_of_packed(octets: bytes) -> str:
    """A packed text of unstated length (USSD): a CR that only fills up the last septet is dropped (6.1.2.3.1)."""
    codes = unpack(octets, len(octets) * 8 // 7)
    if len(codes) % 8 == 0 and codes.endswith(bytes((CR,))):
        codes = codes[:-1]
    return text_of(codes)
