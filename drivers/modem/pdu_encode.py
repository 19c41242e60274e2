"""Messages into SMS-SUBMITs, cut into parts where one is not enough: 3GPP TS 23.040 clause 9.2.2.2.

An escaped character, a surrogate pair and an octet never part.
"""

from datetime import datetime, timedelta

from drivers.modem import gsm7, gsm7_national
from drivers.modem.pdu_fields import (
    CONCAT_8,
    CONCAT_16,
    LOCKING,
    PORTS_16,
    SHIFT,
    address,
    smsc_field,
    span_octet,
    time_octets,
)
from drivers.modem.pdu_types import Alphabet, PduError, Tpdu

USER_DATA = 140  # octets of one part, header included
MAX_PARTS = 255

SUBMIT, REJECT_DUPLICATES, RELATIVE, ABSOLUTE, REPORT, HAS_HEADER = 0x01, 0x04, 0x10, 0x18, 0x20, 0x40
CODING: dict[Alphabet, int] = {"gsm7": 0x00, "8bit": 0x04, "ucs2": 0x08}
WITH_CLASS = 0x10


def encode_submit(
    number: str,
    text: str | None = None,
    data: bytes | None = None,
    *,
    smsc: str | None = None,
    report: bool = False,
    validity: timedelta | datetime | None = None,
    flash: bool = False,
    ports: tuple[int, int] | None = None,
    mr: int = 0,
    reference: int | None = None,
    reference_bits: int = 8,
    message_class: int | None = None,
    alphabet: Alphabet | None = None,
    locking: int | None = None,
    shift: int | None = None,
    reject_duplicates: bool = False,
) -> list[Tpdu]:
    """The parts of a message that is either `text` or `data`, in order.

    Without `alphabet` the text goes as gsm7 where that has all its characters, else as ucs2. `locking` and `shift` are
    numbers of languages (see gsm7_national) whose tables a gsm7 text is then written in; not every receiver knows them,
    so they are never chosen unasked. `ports` are (destination, source), `validity` a span of 5 minutes to 63 weeks
    (rounded up) or an aware end, `flash` is message class 0. `reference` joins the parts at the receiver: give each
    message to one number its own; it is `mr` when not given. Raises PduError.
    """
    if (text is None) == (data is None):
        raise PduError("A message is either text or data.")
    national = _national(locking, shift)
    if national and (text is None or alphabet == "ucs2"):
        raise PduError("National language tables are for text that goes as gsm7.")
    raw, alphabet = _raw(text, data, alphabet, locking or 0, shift or 0)
    elements = (national if alphabet == "gsm7" else b"") + (b"" if ports is None else _ports(ports))
    return _Encoder(
        first=SUBMIT | (REPORT if report else 0) | (REJECT_DUPLICATES if reject_duplicates else 0),
        number=number,
        smsc=smsc_field(smsc),
        alphabet=alphabet,
        message_class=0 if flash and message_class is None else message_class,
        validity=validity,
        elements=elements,
        mr=mr,
    ).parts(raw, _concat(mr if reference is None else reference, reference_bits))


def _raw(
    text: str | None, data: bytes | None, alphabet: Alphabet | None, locking: int, shift: int
) -> tuple[bytes, Alphabet]:
    """User data as it will be cut: septets one in each octet, UTF-16BE, or the data."""
    if text is None:
        if alphabet not in (None, "8bit"):
            raise PduError(f"Data cannot go as {alphabet}.")
        return data or b"", "8bit"
    if alphabet == "8bit":
        raise PduError("Text cannot go as 8bit; give it as data.")
    if alphabet == "gsm7":
        return gsm7.codes_of(text, locking, shift), alphabet
    if alphabet is None and (septets := gsm7.septets_or_none(text, locking, shift)) is not None:
        return septets, "gsm7"
    try:
        return text.encode("utf-16-be"), "ucs2"
    except UnicodeEncodeError as e:
        raise PduError(f"The text holds half a character at {e.start}.") from None


def _national(locking: int | None, shift: int | None) -> bytes:
    """The header's elements that name the tables; 0 and None are the default ones, which need no naming."""
    elements = b""
    if shift:
        if shift not in gsm7_national.SHIFT:
            raise PduError(f"There is no single shift table of a language {shift}.")
        elements += bytes((SHIFT, 1, shift))
    if locking:
        if locking not in gsm7_national.LOCKING:
            raise PduError(f"There is no locking shift table of a language {locking}.")
        elements += bytes((LOCKING, 1, locking))
    return elements


def _concat(reference: int, bits: int) -> bytes:
    """The head of a concatenation element; total and number of the part follow."""
    if bits not in (8, 16):
        raise PduError(f"A reference has 8 or 16 bits, not {bits}.")
    if not 0 <= reference < 1 << bits:
        raise PduError(f"The reference {reference} does not fit {bits} bits.")
    octets = reference.to_bytes(bits // 8, "big")
    return bytes((CONCAT_8 if bits == 8 else CONCAT_16, len(octets) + 2)) + octets


class _Encoder:
    """What all parts of a message have in common."""

    def __init__(
        self,
        *,
        first: int,
        number: str,
        smsc: bytes,
        alphabet: Alphabet,
        message_class: int | None,
        validity: timedelta | datetime | None,
        elements: bytes,
        mr: int,
    ) -> None:
        if message_class is not None and not 0 <= message_class <= 3:
            raise PduError(f"A message class is 0 to 3, not {message_class}.")
        if not 0 <= mr <= 255:
            raise PduError(f"A message reference is 0 to 255, not {mr}.")
        self._smsc, self._alphabet, self._mr = smsc, alphabet, mr
        digits, destination = address(number, "destination")
        dcs = CODING[alphabet] | (0 if message_class is None else WITH_CLASS | message_class)
        if validity is None:
            form, until = 0, b""
        elif isinstance(validity, timedelta):
            form, until = RELATIVE, bytes((span_octet(validity),))
        else:
            form, until = ABSOLUTE, time_octets(validity)
        self._first = first | form
        self._middle = bytes((digits,)) + destination + bytes((0, dcs)) + until
        self._elements = elements

    def parts(self, raw: bytes, concat: bytes) -> list[Tpdu]:
        """`concat` is the head of the element that parts of a longer message have."""
        if len(raw) <= self._room(self._elements):
            return [self._part(0, self._elements, raw)]
        concat = self._elements + concat
        cut = self._cut(raw, self._room(concat + b"\0\0"))
        if len(cut) > MAX_PARTS:
            raise PduError(f"The message needs {len(cut)} parts; the most is {MAX_PARTS}.")
        return [self._part(i, concat + bytes((len(cut), i + 1)), part) for i, part in enumerate(cut)]

    def _room(self, elements: bytes) -> int:
        """Septets or octets beside a header of these elements."""
        octets = USER_DATA - (1 + len(elements) if elements else 0)
        return octets * 8 // 7 if self._alphabet == "gsm7" else octets - octets % 2 * (self._alphabet == "ucs2")

    def _cut(self, raw: bytes, room: int) -> list[bytes]:
        parts = []
        at = 0
        while len(raw) - at > room:
            end = at + room
            if self._alphabet == "gsm7" and raw[end - 1] == gsm7.ESC:
                end -= 1
            elif self._alphabet == "ucs2" and raw[end - 2] & 0xFC == 0xD8:  # the first half of a surrogate pair
                end -= 2
            parts.append(raw[at:end])
            at = end
        return [*parts, raw[at:]]

    def _part(self, at: int, elements: bytes, units: bytes) -> Tpdu:
        header = bytes((len(elements),)) + elements if elements else b""
        if self._alphabet == "gsm7":
            fill = -len(header) * 8 % 7
            length = (len(header) * 8 + fill) // 7 + len(units)
            user_data = header + gsm7.pack(units, fill)
        else:
            user_data = header + units
            length = len(user_data)
        first = self._first | (HAS_HEADER if header else 0)
        return Tpdu(self._smsc, bytes((first, (self._mr + at) % 256)) + self._middle + bytes((length,)) + user_data)


def _ports(ports: tuple[int, int]) -> bytes:
    if not all(0 <= port <= 0xFFFF for port in ports):
        raise PduError(f"Ports are 0 to 65535, not {ports}.")
    return bytes((PORTS_16, 4)) + b"".join(port.to_bytes(2, "big") for port in ports)
