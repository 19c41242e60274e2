"""Takes people out of a recording: PINs, texts, USSD, most of each number. Lengths and times stay, so that it replays.

A secret may lie across two reads: each direction is redacted as one stream and cut at the same places again.
"""

import re
from collections.abc import Iterator

from drivers.modem.at import CTRL_Z
from drivers.modem.recorder import FROM, NOTE, TO, Direction, Record

HEAD_KEPT, TAIL_KEPT = 5, 2  # digits of a number: its network, and enough to tell two apart
SHORTEST_NUMBER = 7  # digits; below it is a code, a level or an index
LONGEST_HEADER = 12  # octets: parts, ports, national tables; a longer one is no header but a damaged text
SHORTEST_PDU = 22  # hex digits; a delivery of nothing has more

_SECRET = re.compile(rb"AT\+(?:CPIN2?|CLCK|CPWD|CRSM|CSIM)=([^\r\n]*)", re.IGNORECASE)
_USSD = re.compile(rb'\+CUSD[:=] ?\d,"([^\0]{0,1000}?)"\s*(?:,\s*\d*\s*)?[\r\n]', re.IGNORECASE)
_USSD_OPEN = re.compile(rb'\+CUSD[:=] ?\d,"?([^"\r\n]{1,1000})', re.IGNORECASE)
_TEXT_LINE = re.compile(rb"\+CM(?:T|GR|GL):[^\r\n]*\r\n?([^\r\n]+)", re.IGNORECASE)
_HEX = re.compile(rb"[0-9A-Fa-f]{%d,}" % SHORTEST_PDU)
_NUMBER = re.compile(rb"(?<![0-9A-Fa-f])\+?[0-9]{%d,}(?![0-9A-Fa-f])" % SHORTEST_NUMBER)
_FINAL = re.compile(rb"OK|ERROR|\+CM[ES] ERROR")

Change = tuple[int, bytes]  # where, and what stands there instead


def redacted(records: list[Record]) -> list[Record]:
    """The same recording without what is private."""
    streams = {
        way: _redact(b"".join(r.data for r in records if r.direction == way), sent=way == TO) for way in (TO, FROM)
    }
    places: dict[Direction, int] = {TO: 0, FROM: 0}
    told = []
    for record in records:
        if record.direction == NOTE:
            told.append(record)
            continue
        start = places[record.direction]
        places[record.direction] = end = start + len(record.data)
        told.append(Record(record.at, record.direction, streams[record.direction][start:end]))
    return told


def _redact(stream: bytes, *, sent: bool) -> bytes:
    result, taken = bytearray(stream), bytearray(len(stream))
    for start, new in _changes(stream, sent):
        end = start + len(new)
        if not any(taken[start:end]):
            result[start:end] = new
            taken[start:end] = b"\1" * len(new)
    return bytes(result)


def _changes(stream: bytes, sent: bool) -> Iterator[Change]:
    """The first that names a place has it."""
    for found in _SECRET.finditer(stream):
        yield found.start(1), _blank(found[1])
    for pattern in (_USSD, _USSD_OPEN):
        for found in pattern.finditer(stream):
            yield found.start(1), _blank(found[1])
    for found in _HEX.finditer(stream):
        yield found.start(), _pdu(found[0], sent or stream[found.end() : found.end() + 1] == CTRL_Z)  # an echo
    for found in _TEXT_LINE.finditer(stream):
        if not _FINAL.match(found[1]) and not _HEX.fullmatch(found[1]):
            yield found.start(1), _blank(found[1])
    for found in _NUMBER.finditer(stream):
        yield found.start(), _number(found[0])


def _blank(text: bytes) -> bytes:
    """Same length and line ends, so that a menu stays one; hex stays hex, of UCS2 letters x."""
    if re.fullmatch(rb"[0-9A-Fa-f]{4,}", text):
        return (b"0078" * len(text))[: len(text)]
    return re.sub(rb'[^\r\n",]', b"x", text)


def _number(digits: bytes) -> bytes:
    kept = digits[:HEAD_KEPT], digits[-TAIL_KEPT:]
    return kept[0] + b"0" * (len(digits) - HEAD_KEPT - TAIL_KEPT) + kept[1]


def _pdu(text: bytes, sent: bool) -> bytes:
    """Headers stay; user data becomes zeros, numbers lose their middle. What cannot be read is blanked whole."""
    if len(text) % 2:
        return text[:4] + b"0" * (len(text) - 4)
    octets = bytearray.fromhex(text.decode())
    try:
        _blank_octets(octets, sent)
    except IndexError:
        return text[:4] + b"0" * (len(text) - 4)
    return octets.hex().upper().encode()


def _blank_octets(octets: bytearray, sent: bool) -> None:
    """Layouts of 3GPP TS 23.040 clause 9.2.2. Raises IndexError on octets that end too soon."""
    at = 1 + octets[0]  # behind the service centre's address
    first = octets[at]
    kind = first & 3
    if kind == 2 and not sent:  # status report: reference, number, two times, status
        behind = _blank_address(octets, at + 2) + 15
        octets[behind:] = bytes(max(0, len(octets) - behind))
        return
    submit = sent or kind == 1
    number = at + (2 if submit else 1)
    behind = _blank_address(octets, number) + 2  # protocol and coding
    behind += (0, 7, 1, 7)[first >> 3 & 3] if submit else 7  # validity, or the service centre's time
    body = behind + 1
    if first & 0x40:  # a header: which part of which message
        if octets[body] > LONGEST_HEADER:
            raise IndexError(octets[body])
        body += 1 + octets[body]
    if body > len(octets):
        raise IndexError(body)
    octets[body:] = bytes(len(octets) - body)


def _blank_address(octets: bytearray, at: int) -> int:
    """Zero all but the first two and the last octet of the digits; the place behind it."""
    end = at + 2 + (octets[at] + 1) // 2
    if end > len(octets):
        raise IndexError(end)
    if octets[at + 1] & 0x70 == 0x50:  # letters: a sender's name, seven bits each
        octets[at + 2 : end] = bytes(end - at - 2)
    else:
        octets[at + 4 : end - 1] = bytes(max(0, end - 1 - (at + 4)))
    return end
