"""The SMS codec, 3GPP TS 23.040 and 23.038: octets to messages and back. This is its public face.

Malformed input raises PduError and nothing else; octets behind the end of a message (SIMs fill up with FF) are ignored.
"""

from typing import Literal, overload

from drivers.modem import gsm7
from drivers.modem.assembler import Assembler
from drivers.modem.pdu_encode import encode_submit
from drivers.modem.pdu_fields import (
    CODINGS,
    Coding,
    Header,
    Reader,
    header_of,
    take_address,
    take_smsc,
    take_validity,
    time_of,
)
from drivers.modem.pdu_types import (
    Alphabet,
    Command,
    Deliver,
    Direction,
    Message,
    NumberType,
    PduError,
    StatusReport,
    Submit,
    Tpdu,
)

__all__ = [
    "Alphabet",
    "Assembler",
    "Command",
    "Deliver",
    "Direction",
    "Message",
    "NumberType",
    "PduError",
    "StatusReport",
    "Submit",
    "Tpdu",
    "decode",
    "direction_of",
    "encode_submit",
]

MAX_PDU = 255  # octets; a service centre's 12 and a message's 164, and what a SIM fills up behind them
MAX_USER_DATA = 140  # octets, header included
MAX_SEPTETS = 160

# TP-MTI, the two lowest bits of the first octet. 3 is reserved and read as a DELIVER (clause 9.2.3.1).
TYPES: dict[Direction, tuple[int, ...]] = {"deliver": (0, 3), "submit": (1,), "status-report": (2,), "command": (2,)}


@overload
def decode(pdu: bytes, *, has_smsc: bool, direction: Literal["deliver"]) -> Deliver: ...
@overload
def decode(pdu: bytes, *, has_smsc: bool, direction: Literal["submit"]) -> Submit: ...
@overload
def decode(pdu: bytes, *, has_smsc: bool, direction: Literal["status-report"]) -> StatusReport: ...
@overload
def decode(pdu: bytes, *, has_smsc: bool, direction: Literal["command"]) -> Command: ...
@overload
def decode(pdu: bytes, *, has_smsc: bool, direction: Direction) -> Deliver | Submit | StatusReport | Command: ...


def decode(pdu: bytes, *, has_smsc: bool, direction: Direction) -> Deliver | Submit | StatusReport | Command:
    """The message in these octets. `has_smsc`: a service centre's address stands in front, as in AT+CMGR's answers."""
    if len(pdu) > MAX_PDU:
        raise PduError(f"{len(pdu)} octets are too many for a message; the most is {MAX_PDU}.")
    reader = Reader(pdu)
    smsc = take_smsc(reader) if has_smsc else None
    first = reader.octet("first octet")
    if first & 3 not in TYPES[direction]:
        raise PduError(f"The first octet {first:#04x} does not begin a {direction}.")
    if direction == "deliver":
        return _deliver(reader, first, smsc)
    if direction == "submit":
        return _submit(reader, first, smsc)
    if direction == "status-report":
        return _status_report(reader, smsc)
    return _command(reader, smsc)


def direction_of(pdu: bytes, *, has_smsc: bool) -> Literal["deliver", "status-report"]:
    """What a PDU is that a modem received: a message, or the report on one."""
    reader = Reader(pdu)
    if has_smsc:
        take_smsc(reader)
    return "status-report" if reader.octet("first octet") & 3 == 2 else "deliver"


def _deliver(reader: Reader, first: int, smsc: str | None) -> Deliver:
    number, number_type = take_address(reader, "originator")
    pid, dcs = reader.octet("protocol identifier"), reader.octet("coding scheme")
    timestamp = time_of(reader.take(7, "time stamp"))
    coding = CODINGS[dcs]
    header, raw = _user_data(reader, coding, bool(first & 0x40))
    return Deliver(
        number=number,
        number_type=number_type,
        text=gsm7.text_of_raw(raw, coding.alphabet, header.get("locking"), header.get("shift")),
        data=raw if coding.alphabet == "8bit" else None,
        raw=raw,
        timestamp=timestamp,
        dcs=dcs,
        alphabet=coding.alphabet,
        message_class=coding.message_class,
        pid=pid,
        smsc=smsc,
        more=not first & 0x04,
        reply_path=bool(first & 0x80),
        report_wanted=bool(first & 0x20),
        **header,
    )


def _submit(reader: Reader, first: int, smsc: str | None) -> Submit:
    mr = reader.octet("message reference")
    number, number_type = take_address(reader, "destination")
    pid, dcs = reader.octet("protocol identifier"), reader.octet("coding scheme")
    validity = take_validity(reader, first >> 3 & 3)
    coding = CODINGS[dcs]
    header, raw = _user_data(reader, coding, bool(first & 0x40))
    return Submit(
        mr=mr,
        number=number,
        number_type=number_type,
        text=gsm7.text_of_raw(raw, coding.alphabet, header.get("locking"), header.get("shift")),
        data=raw if coding.alphabet == "8bit" else None,
        raw=raw,
        dcs=dcs,
        alphabet=coding.alphabet,
        message_class=coding.message_class,
        pid=pid,
        validity=validity,
        report=bool(first & 0x20),
        reject_duplicates=bool(first & 0x04),
        smsc=smsc,
        reply_path=bool(first & 0x80),
        **header,
    )


def _status_report(reader: Reader, smsc: str | None) -> StatusReport:
    """What follows the status is optional, and padding is taken for it too easily: it is not read."""
    mr = reader.octet("message reference")
    number, number_type = take_address(reader, "recipient")
    return StatusReport(
        mr=mr,
        number=number,
        number_type=number_type,
        timestamp=time_of(reader.take(7, "time stamp")),
        discharge=time_of(reader.take(7, "discharge time")),
        status=reader.octet("status"),
        smsc=smsc,
    )


def _command(reader: Reader, smsc: str | None) -> Command:
    mr, pid, command, message = (
        reader.octet(what) for what in ("message reference", "protocol identifier", "command type", "message number")
    )
    number, number_type = take_address(reader, "destination")
    return Command(
        mr=mr,
        pid=pid,
        command=command,
        message=message,
        number=number,
        number_type=number_type,
        data=reader.take(reader.octet("command data"), "command data"),
        smsc=smsc,
    )


def _user_data(reader: Reader, coding: Coding, has_header: bool) -> tuple[Header, bytes]:
    """Header, and what stands behind it: septets one in each octet, or octets. UDL counts septets or octets."""
    length = reader.octet("user data length")
    seven = coding.alphabet == "gsm7"
    if length > (MAX_SEPTETS if seven else MAX_USER_DATA):
        raise PduError(f"A user data length of {length} is too much for {coding.alphabet}.")
    octets = reader.take((length * 7 + 7) // 8 if seven else length, "user data")
    if not has_header:
        return Header(), gsm7.unpack(octets, length) if seven else octets
    if not octets or octets[0] >= len(octets):
        raise PduError("The user data header is longer than the user data.")
    end = octets[0] + 1
    header = header_of(octets[1:end])
    if not seven:
        return header, octets[end:]
    skipped = (end * 8 + 6) // 7  # septets that the header takes, fill bits included
    return header, gsm7.unpack(octets[end:], max(0, length - skipped), skipped * 7 - end * 8)
