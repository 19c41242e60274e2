"""User data of an SMS: the alphabets, the septets and how a network cuts a long text (3GPP TS 23.038, 23.040)."""

from dataclasses import dataclass

ALPHABET = (
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞ\x1bÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?"
    "¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà"
)
ESCAPE = 0x1B
ESCAPED = {
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
SEPTETS_OF: dict[str, tuple[int, ...]] = {c: (i,) for i, c in enumerate(ALPHABET) if i != ESCAPE}
SEPTETS_OF |= {c: (ESCAPE, i) for i, c in ESCAPED.items()}

OCTETS = 140  # of user data in one message
CONCATENATION_8, CONCATENATION_16, PORTS_16 = 0x00, 0x08, 0x05  # information elements
GSM7, EIGHT_BIT, UCS2 = 0x00, 0x04, 0x08  # data coding schemes without a class


@dataclass(frozen=True)
class UserData:
    """One message's TP-DCS, TP-UDHI, TP-UDL (septets for the 7-bit alphabet) and TP-UD, header first."""

    dcs: int
    has_header: bool
    length: int
    octets: bytes

    @property
    def header(self) -> dict[int, bytes]:
        """Information elements by identifier."""
        elements: dict[int, bytes] = {}
        at, end = 1, 1 + self.octets[0] if self.has_header and self.octets else 0
        while at + 1 < end:
            size = self.octets[at + 1]
            elements[self.octets[at]] = self.octets[at + 2 : at + 2 + size]
            at += 2 + size
        return elements

    @property
    def payload(self) -> bytes:
        """The octets behind the header."""
        return self.octets[1 + self.octets[0] :] if self.has_header and self.octets else self.octets

    @property
    def text(self) -> str | None:
        """The text of this part, None for binary data."""
        coding = alphabet_of(self.dcs)
        if coding == EIGHT_BIT:
            return None
        if coding == UCS2:
            return self.payload.decode("utf-16-be", errors="replace")
        skip = ((1 + self.octets[0]) * 8 + 6) // 7 if self.has_header and self.octets else 0
        return text_from(unpack(self.octets, self.length)[skip:])


def alphabet_of(dcs: int) -> int:
    """GSM7, EIGHT_BIT or UCS2 by a data coding scheme (23.038 clause 4)."""
    if dcs & 0xF0 == 0xF0:
        return EIGHT_BIT if dcs & 0x04 else GSM7
    if dcs & 0xF0 == 0xE0:
        return UCS2
    if dcs < 0x80 and dcs & 0x0C in (EIGHT_BIT, UCS2):
        return dcs & 0x0C
    return GSM7


def message_class(dcs: int) -> int | None:
    """0 to 3, None when the scheme gives no class."""
    has_class = dcs & 0xF0 == 0xF0 or (dcs < 0x80 and dcs & 0x10)
    return dcs & 0x03 if has_class else None


def pack(septets: list[int], fill: int = 0) -> bytes:
    """Septets in octets behind `fill` padding bits."""
    bits = sum(septet << (7 * i + fill) for i, septet in enumerate(septets))
    return bits.to_bytes((7 * len(septets) + fill + 7) // 8, "little")


def unpack(octets: bytes, count: int) -> list[int]:
    """`count` septets from the first bit on, fewer when the octets end before."""
    bits = int.from_bytes(octets, "little")
    return [bits >> (7 * i) & 0x7F for i in range(min(count, len(octets) * 8 // 7))]


def text_from(septets: list[int]) -> str:
    out, escaped = [], False
    for septet in septets:
        if escaped:
            out.append(ESCAPED.get(septet, ALPHABET[septet]))
            escaped = False
        elif septet == ESCAPE:
            escaped = True
        else:
            out.append(ALPHABET[septet])
    return "".join(out)


def text_parts(text: str, reference: int) -> list[UserData]:
    """A text of any length as the messages a phone would send: GSM 7 if it can be, UCS2 else, with 8-bit references."""
    if all(c in SEPTETS_OF for c in text):
        units, whole, part = [SEPTETS_OF[c] for c in text], 160, 153
    else:
        units, whole, part = [tuple(c.encode("utf-16-be")) for c in text], OCTETS, OCTETS - 6
    cut = _cut(units, whole)
    if len(cut) > 1:
        cut = _cut(units, part)
    if len(cut) > 255:
        raise ValueError(f"text of {len(text)} characters needs {len(cut)} messages; 255 is the most")
    gsm7 = whole == 160
    made = []
    for number, chunk in enumerate(cut, 1):
        header = bytes([5, CONCATENATION_8, 3, reference & 0xFF, len(cut), number]) if len(cut) > 1 else b""
        if gsm7:
            fill = -len(header) * 8 % 7
            length = (len(header) * 8 + fill) // 7 + len(chunk)
            made.append(UserData(GSM7, bool(header), length, header + pack(chunk, fill)))
        else:
            octets = header + bytes(chunk)
            made.append(UserData(UCS2, bool(header), len(octets), octets))
    return made


def _cut(units: list[tuple[int, ...]], room: int) -> list[list[int]]:
    """Chunks of at most `room`; an escape pair or a surrogate pair stays whole."""
    chunks: list[list[int]] = [[]]
    for unit in units:
        if len(chunks[-1]) + len(unit) > room:
            chunks.append([])
        chunks[-1].extend(unit)
    return chunks


def binary_parts(data: bytes, source_port: int, destination_port: int, reference: int) -> list[UserData]:
    """8-bit data to a port (16-bit addressing), cut with 8-bit references when 133 octets do not hold it."""
    if not (0 <= source_port <= 0xFFFF and 0 <= destination_port <= 0xFFFF):
        raise ValueError(f"ports {source_port} and {destination_port} must be 0 to 65535")
    ports = bytes([PORTS_16, 4]) + destination_port.to_bytes(2, "big") + source_port.to_bytes(2, "big")
    one, many = OCTETS - 1 - len(ports), OCTETS - 1 - len(ports) - 5
    if len(data) <= one:
        octets = bytes([len(ports)]) + ports + data
        return [UserData(EIGHT_BIT, True, len(octets), octets)]
    chunks = [data[i : i + many] for i in range(0, len(data), many)]
    if len(chunks) > 255:
        raise ValueError(f"{len(data)} octets need {len(chunks)} messages; 255 is the most")
    made = []
    for number, chunk in enumerate(chunks, 1):
        elements = ports + bytes([CONCATENATION_8, 3, reference & 0xFF, len(chunks), number])
        octets = bytes([len(elements)]) + elements + chunk
        made.append(UserData(EIGHT_BIT, True, len(octets), octets))
    return made
