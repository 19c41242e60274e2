"""SMS transfer units as the simulated network reads and writes them (3GPP TS 23.040 clause 9).

Written apart from the driver's codec on purpose: a mistake in one must not be hidden by the same in the other.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta, timezone

from drivers.sim.sms_text import GSM7, OCTETS, SEPTETS_OF, UserData, alphabet_of, pack, text_from, unpack

DELIVER, SUBMIT, STATUS_REPORT = 0, 1, 2  # message type indicator, with the direction that the place implies
INTERNATIONAL, UNKNOWN, ALPHANUMERIC = 0x91, 0x81, 0xD0  # type of address, ISDN numbering plan
# TP-ST: received by the SME; still trying, congestion; permanent error, incompatible destination; validity expired
ST_RECEIVED, ST_TRYING, ST_FAILED, ST_EXPIRED = 0x00, 0x20, 0x41, 0x46
DIGITS = "0123456789*#abc"


@dataclass(frozen=True)
class Submit:
    """What a modem asked the network to send. `validity_s` is None when it gave no validity period."""

    reference: int
    destination: str
    pid: int
    data: UserData
    wants_report: bool
    validity_s: float | None


def read_submit(tpdu: bytes, wall: float) -> Submit:
    """Decode an SMS-SUBMIT; `wall` (unix s) makes an absolute validity relative. Raises ValueError."""
    octets = _Octets(tpdu)
    first = octets.take(1)[0]
    if first & 0x03 != SUBMIT:
        raise ValueError(f"message type {first & 0x03} is no SUBMIT")
    reference = octets.take(1)[0]
    destination = _take_address(octets)
    pid, dcs = octets.take(2)
    validity = _take_validity(octets, first >> 3 & 0x03, wall)
    length = octets.take(1)[0]
    size = (length * 7 + 7) // 8 if alphabet_of(dcs) == GSM7 else length
    if size > OCTETS:
        raise ValueError(f"user data of {size} octets, {OCTETS} is the most")
    data = UserData(dcs, bool(first & 0x40), length, octets.take(size))
    if octets.rest:
        raise ValueError(f"{octets.rest} octets behind the user data")
    if data.has_header and (not data.octets or data.octets[0] + 1 > len(data.octets)):
        raise ValueError("user data header is longer than the user data")
    return Submit(reference, destination, pid, data, bool(first & 0x20), validity)


def deliver(origin: str, data: UserData, wall: float, zone_s: int, pid: int = 0) -> bytes:
    """SMS-DELIVER from a number or a name (up to 11 GSM characters), stamped with unix time `wall` in a zone."""
    first = DELIVER | 0x04 | (0x40 if data.has_header else 0)  # 0x04: no more messages waiting
    head = bytes([first]) + address(origin) + bytes([pid, data.dcs])
    return head + timestamp(wall, zone_s) + bytes([data.length]) + data.octets


def status_report(reference: int, recipient: str, sent: float, done: float, zone_s: int, status: int) -> bytes:
    """SMS-STATUS-REPORT for the message `reference`; `sent` and `done` are unix times."""
    head = bytes([STATUS_REPORT | 0x04, reference]) + address(recipient)
    return head + timestamp(sent, zone_s) + timestamp(done, zone_s) + bytes([status])


def address(number: str) -> bytes:
    """An address field: length in semi-octets, type, digits or packed letters."""
    digits = number.removeprefix("+").lower()
    if digits and all(c in DIGITS for c in digits):
        return bytes([len(digits), INTERNATIONAL if number.startswith("+") else UNKNOWN]) + _semi_octets(digits)
    if not number or any(c not in SEPTETS_OF for c in number):
        raise ValueError(f"{number!r} is neither a number nor a name of GSM characters")
    septets = [septet for c in number for septet in SEPTETS_OF[c]]
    if len(septets) > 11:
        raise ValueError(f"{number!r} is longer than the 11 characters of an alphanumeric sender")
    return bytes([(len(septets) * 7 + 3) // 4, ALPHANUMERIC]) + pack(septets)


def service_centre(number: str) -> bytes:
    """The SMSC address that stands before a TPDU on the wire: its length counts octets."""
    digits = number.removeprefix("+")
    return bytes([1 + (len(digits) + 1) // 2, INTERNATIONAL]) + _semi_octets(digits)


def timestamp(wall: float, zone_s: int) -> bytes:
    """Seven semi-octets of local time and zone; the zone in quarters of an hour, its sign in bit 3."""
    local = datetime.fromtimestamp(wall, timezone(timedelta(seconds=zone_s)))
    quarters = abs(zone_s) // 900
    values = (local.year % 100, local.month, local.day, local.hour, local.minute, local.second, quarters)
    octets = bytearray(value % 10 << 4 | value // 10 for value in values)
    octets[6] |= 0x08 if zone_s < 0 else 0
    return bytes(octets)


class _Octets:
    def __init__(self, octets: bytes) -> None:
        self._octets, self._at = octets, 0

    @property
    def rest(self) -> int:
        return len(self._octets) - self._at

    def take(self, count: int) -> bytes:
        if count > self.rest:
            raise ValueError(f"ends after {len(self._octets)} octets, {count - self.rest} too early")
        self._at += count
        return self._octets[self._at - count : self._at]


def _semi_octets(digits: str) -> bytes:
    values = [DIGITS.index(c) for c in digits] + [0x0F] * (len(digits) % 2)
    return bytes(low | high << 4 for low, high in zip(values[::2], values[1::2], strict=True))


def _take_address(octets: _Octets) -> str:
    length, kind = octets.take(2)
    body = octets.take((length + 1) // 2)
    if kind & 0x70 == ALPHANUMERIC & 0x70:
        return text_from(unpack(body, length * 4 // 7))
    values = [value for octet in body for value in (octet & 0x0F, octet >> 4)][:length]
    if not values or any(value >= len(DIGITS) for value in values):
        raise ValueError(f"address {body.hex()} is no number")
    return ("+" if kind & 0x70 == INTERNATIONAL & 0x70 else "") + "".join(DIGITS[value] for value in values)


def _take_validity(octets: _Octets, form: int, wall: float) -> float | None:
    """Seconds; form 0 none, 2 relative, 3 absolute, 1 enhanced (its seven octets are read over)."""
    if form == 2:
        return _relative_minutes(octets.take(1)[0]) * 60.0
    if form == 3:
        *date, zone = octets.take(7)
        year, month, day, hour, minute, second = ((octet & 0x0F) * 10 + (octet >> 4) for octet in date)
        quarters = (zone & 0x07) * 10 + (zone >> 4)
        offset = timezone(timedelta(minutes=-15 * quarters if zone & 0x08 else 15 * quarters))
        return datetime(2000 + year, month, day, hour, minute, second, tzinfo=offset).timestamp() - wall
    if form == 1:
        octets.take(7)
    return None


def _relative_minutes(value: int) -> int:
    if value <= 143:
        return (value + 1) * 5
    if value <= 167:
        return 720 + (value - 143) * 30
    return (value - 166) * 1440 if value <= 196 else (value - 192) * 10080
