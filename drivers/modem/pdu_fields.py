"""The fields that short messages are made of, both ways: addresses, times, coding scheme, validity, header.

3GPP TS 23.040 clause 9.1.2 and 9.2.3, TS 23.038 clause 4. All raise PduError only.
"""

import re
from datetime import UTC, datetime, timedelta, timezone
from typing import NamedTuple, TypedDict, get_args

from drivers.modem import gsm7
from drivers.modem.pdu_types import Alphabet, NumberType, PduError

MAX_DIGITS = 20  # of an address, clause 9.1.2.5
FILLER = "f"  # the semi-octet, as a hex digit, behind an odd number of digits
INTERNATIONAL, ALPHANUMERIC = 1, 5
NUMBER_TYPES: tuple[NumberType, ...] = get_args(NumberType)

GENERAL_ALPHABETS: tuple[Alphabet, ...] = ("gsm7", "8bit", "ucs2", "gsm7")

CONCAT_8, PORTS_8, PORTS_16, CONCAT_16, SHIFT, LOCKING = 0x00, 0x04, 0x05, 0x08, 0x24, 0x25

_NUMBER = re.compile(r"(\+?)([0-9*#abc]+)")
_TO_HEX = str.maketrans("*#abc", "abcde")
_FROM_HEX = str.maketrans("abcde", "*#abc")

NO_NUMBER = 0xFF  # what _TWO has for an octet that is not two decimal digits
_SWAP = bytes(octet >> 4 | (octet & 0x0F) << 4 for octet in range(256))
_TWO = bytes((o & 0x0F) * 10 + (o >> 4) if o & 0x0F < 10 and o >> 4 < 10 else NO_NUMBER for o in range(256))


def _zone(octet: int) -> timezone | None:
    """Quarters of an hour, the sign in bit 3; None where that is no zone."""
    quarters = _TWO[octet & 0xF7]
    if quarters >= 24 * 4:
        return None
    return timezone(timedelta(minutes=15 * (-quarters if octet & 0x08 else quarters)))


_ZONES = tuple(_zone(octet) for octet in range(256))


class Reader:
    """Octets read from the front; PduError when they end too early."""

    def __init__(self, octets: bytes) -> None:
        self._octets, self._at = octets, 0

    def take(self, count: int, what: str) -> bytes:
        end = self._at + count
        if end > len(self._octets):
            raise PduError(f"The PDU ends within its {what}, at octet {len(self._octets)}.")
        part = self._octets[self._at : end]
        self._at = end
        return part

    def octet(self, what: str) -> int:
        at = self._at
        if at >= len(self._octets):
            raise PduError(f"The PDU ends within its {what}, at octet {len(self._octets)}.")
        self._at = at + 1
        return self._octets[at]

    def more(self) -> bool:
        return self._at < len(self._octets)


class Coding(NamedTuple):
    """What a data coding scheme says."""

    alphabet: Alphabet
    message_class: int | None


class Header(TypedDict, total=False):
    """The elements of a user data header that this codec knows; only those that stood there."""

    reference: int
    reference_bits: int
    total: int
    sequence: int
    ports: tuple[int, int]
    locking: int
    shift: int


def digits_of(octets: bytes) -> str:
    """Semi-octets, low one first, up to a filler."""
    return octets.translate(_SWAP).hex().partition(FILLER)[0].translate(_FROM_HEX)


def semi_octets(digits: str) -> bytes:
    """The reverse, of what `_NUMBER` lets pass."""
    return bytes.fromhex(digits.translate(_TO_HEX) + FILLER * (len(digits) % 2)).translate(_SWAP)


def take_address(reader: Reader, what: str) -> tuple[str, NumberType]:
    """Number and its type; the length in front counts semi-octets, also of an alphanumeric one."""
    length = reader.octet(what)
    if length > MAX_DIGITS:
        raise PduError(f"The {what} has {length} digits; the most is {MAX_DIGITS}.")
    kind = reader.octet(what) >> 4 & 7
    octets = reader.take((length + 1) // 2, what)
    if kind == ALPHANUMERIC:
        return gsm7.text_of(gsm7.unpack(octets, length * 4 // 7)), "alphanumeric"
    number = digits_of(octets)[:length]
    return ("+" + number if kind == INTERNATIONAL and number else number), NUMBER_TYPES[kind]


def address(number: str, what: str) -> tuple[int, bytes]:
    """Number of digits, and type with semi-octets. `+` makes it international."""
    matched = _NUMBER.fullmatch(number.replace(" ", "").replace("-", ""))
    if matched is None:
        raise PduError(f"The {what} {number!r} must be digits, *, # and a to c, with + in front where international.")
    plus, digits = matched.groups()
    if len(digits) > MAX_DIGITS:
        raise PduError(f"The {what} {number!r} has {len(digits)} digits; the most is {MAX_DIGITS}.")
    return len(digits), (b"\x91" if plus else b"\x81") + semi_octets(digits)


def take_smsc(reader: Reader) -> str | None:
    """The service centre in front of a PDU: its length counts octets, 0 means the SIM's own."""
    length = reader.octet("service centre address")
    if length == 0:
        return None
    if length > 1 + MAX_DIGITS // 2:
        raise PduError(f"The service centre address states {length} octets; the most is {1 + MAX_DIGITS // 2}.")
    kind = reader.octet("service centre address")
    number = digits_of(reader.take(length - 1, "service centre address"))
    return "+" + number if kind >> 4 & 7 == INTERNATIONAL else number


def smsc_field(number: str | None) -> bytes:
    if number is None:
        return b"\x00"
    _, octets = address(number, "service centre's number")
    return bytes((len(octets),)) + octets


def time_of(octets: bytes) -> datetime | None:
    """Seven octets: date, time and zone in quarters of an hour. None where a network sent what is no time."""
    year, month, day, hour, minute, second = octets[:6].translate(_TWO)
    zone = _ZONES[octets[6]]
    if zone is None or year == NO_NUMBER:
        return None
    try:
        return datetime(2000 + year, month, day, hour, minute, second, tzinfo=zone)
    except ValueError:
        return None


def time_octets(when: datetime) -> bytes:
    """The same seven octets. A zone that is no quarter of an hour is sent as UTC."""
    offset = when.utcoffset()
    if offset is None or not 2001 <= when.year <= 2098:
        raise PduError(f"{when.isoformat()} must have a zone and a year from 2001 to 2098.")
    quarters, odd = divmod(abs(offset), timedelta(minutes=15))
    if odd or quarters > 79:
        when, quarters = when.astimezone(UTC), 0
    parts = (when.year - 2000, when.month, when.day, when.hour, when.minute, when.second, quarters)
    swapped = [part // 10 | part % 10 << 4 for part in parts]
    if quarters and offset < timedelta():
        swapped[6] |= 0x08
    return bytes(swapped)


def span_of(octet: int) -> timedelta:
    """A relative validity, clause 9.2.3.12.1: 5 minutes to 63 weeks."""
    if octet < 144:
        return timedelta(minutes=5 * (octet + 1))
    if octet < 168:
        return timedelta(hours=12, minutes=30 * (octet - 143))
    return timedelta(days=octet - 166) if octet < 197 else timedelta(weeks=octet - 192)


def span_octet(span: timedelta) -> int:
    """The shortest relative validity that is not shorter than the span."""
    for octet in range(256):
        if span <= span_of(octet):
            return octet
    raise PduError(f"A validity of {span} is too long; the most is 63 weeks.")


def take_validity(reader: Reader, form: int) -> timedelta | datetime | None:
    """TP-VP in the form that the first octet states: 0 none, 1 enhanced, 2 relative, 3 absolute."""
    if form == 0:
        return None
    if form == 2:
        return span_of(reader.octet("validity"))
    octets = reader.take(7, "validity")
    if form == 3:
        return time_of(octets)
    kind = octets[0] & 7
    if kind == 1:
        return span_of(octets[1])
    if kind == 2:
        return timedelta(seconds=octets[1])
    if kind == 3:
        hours, minutes, seconds = octets[1:4].translate(_TWO)
        if NO_NUMBER not in (hours, minutes, seconds):
            return timedelta(hours=hours, minutes=minutes, seconds=seconds)
    return None


def _coding(dcs: int) -> Coding:
    """TS 23.038 clause 4. Reserved codings count as the default alphabet, compressed text as data."""
    group = dcs >> 4
    if group < 8:
        alphabet = "8bit" if dcs & 0x20 else GENERAL_ALPHABETS[dcs >> 2 & 3]
        return Coding(alphabet, dcs & 3 if dcs & 0x10 else None)
    if group == 0xE:
        return Coding("ucs2", None)
    if group == 0xF:
        return Coding("8bit" if dcs & 4 else "gsm7", dcs & 3)
    return Coding("gsm7", None)


CODINGS = tuple(_coding(dcs) for dcs in range(256))


def header_of(octets: bytes) -> Header:
    """The elements of a user data header, its length octet not among them. Impossible part numbers are ignored."""
    header = Header()
    reader = Reader(octets)
    while reader.more():
        element = reader.octet("user data header")
        value = reader.take(reader.octet("user data header"), "user data header")
        shape = element, len(value)
        if shape in ((CONCAT_8, 3), (CONCAT_16, 4)):
            total, sequence = value[-2], value[-1]
            if 0 < sequence <= total:
                header["reference"], header["reference_bits"] = int.from_bytes(value[:-2], "big"), 8 * (len(value) - 2)
                header["total"], header["sequence"] = total, sequence
        elif shape in ((PORTS_8, 2), (PORTS_16, 4)):
            half = len(value) // 2
            header["ports"] = int.from_bytes(value[:half], "big"), int.from_bytes(value[half:], "big")
        elif shape == (LOCKING, 1):
            header["locking"] = value[0]
        elif shape == (SHIFT, 1):
            header["shift"] = value[0]
    return header
