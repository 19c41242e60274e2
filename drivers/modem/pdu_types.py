"""What short messages are once decoded: the structs of the SMS codec, and its one error."""

from datetime import datetime, timedelta
from typing import Literal

from msgspec import Struct

Alphabet = Literal["gsm7", "8bit", "ucs2"]
NumberType = Literal[
    "unknown", "international", "national", "network", "subscriber", "alphanumeric", "abbreviated", "reserved"
]
Direction = Literal["deliver", "submit", "status-report", "command"]
Outcome = Literal["done", "trying", "failed"]


class PduError(ValueError):
    """A message that cannot be encoded, or octets that are no message; its text says which and where."""


class Deliver(Struct, frozen=True, kw_only=True):
    """A message that came in, or one part of it.

    `text` is None for 8-bit data, `data` None for text; `raw` is the user data behind its header as the Assembler
    joins it: septets one in each octet, UTF-16BE, or the data. `timestamp` is the service centre's, None when that
    sent nonsense. `ports` are (destination, source). `locking` and `shift` are the numbers of the languages whose
    tables the text was written in, as far as the standard knows them.
    """

    number: str
    number_type: NumberType
    text: str | None
    data: bytes | None
    raw: bytes
    timestamp: datetime | None
    dcs: int
    alphabet: Alphabet
    message_class: int | None
    pid: int
    smsc: str | None = None
    reference: int | None = None
    reference_bits: int = 8
    total: int | None = None
    sequence: int | None = None
    ports: tuple[int, int] | None = None
    locking: int | None = None
    shift: int | None = None
    more: bool = False
    reply_path: bool = False
    report_wanted: bool = False


class Submit(Struct, frozen=True, kw_only=True):
    """A message on its way out, or one part of it. Fields as in Deliver; `validity` is a span or an end."""

    mr: int
    number: str
    number_type: NumberType
    text: str | None
    data: bytes | None
    raw: bytes
    dcs: int
    alphabet: Alphabet
    message_class: int | None
    pid: int
    validity: timedelta | datetime | None = None
    report: bool = False
    reject_duplicates: bool = False
    smsc: str | None = None
    reference: int | None = None
    reference_bits: int = 8
    total: int | None = None
    sequence: int | None = None
    ports: tuple[int, int] | None = None
    locking: int | None = None
    shift: int | None = None
    reply_path: bool = False


class StatusReport(Struct, frozen=True, kw_only=True):
    """What became of the message `mr` to `number`. `status` is TP-ST as sent; `discharge` when it came to that."""

    mr: int
    number: str
    number_type: NumberType
    timestamp: datetime | None
    discharge: datetime | None
    status: int
    smsc: str | None = None

    @property
    def outcome(self) -> Outcome:
        """3GPP TS 23.040 clause 9.2.3.15: below 0x20 done, below 0x40 still trying, else given up."""
        return "done" if self.status < 0x20 else "trying" if self.status < 0x40 else "failed"


class Command(Struct, frozen=True, kw_only=True):
    """An SMS-COMMAND to the service centre: enquire (0), cancel report (1), delete (2), want report (3)."""

    mr: int
    pid: int
    command: int
    message: int
    number: str
    number_type: NumberType
    data: bytes
    smsc: str | None = None


class Tpdu(Struct, frozen=True):
    """One part ready for AT+CMGS: `octets` is the length stated there, without SMSC; `hex` follows the prompt."""

    smsc: bytes
    tpdu: bytes

    @property
    def octets(self) -> int:
        return len(self.tpdu)

    @property
    def hex(self) -> str:
        return (self.smsc + self.tpdu).hex().upper()


class Message(Struct, frozen=True, kw_only=True):
    """A message put together from all its parts. `timestamp` is the first part's."""

    number: str
    number_type: NumberType
    text: str | None
    data: bytes | None
    timestamp: datetime | None
    alphabet: Alphabet
    message_class: int | None
    parts: int
    ports: tuple[int, int] | None = None
    smsc: str | None = None
