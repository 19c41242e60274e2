"""What answers and unasked lines say, as typed values. Spaces, missing quotes and extra fields are met in the field.

Each parser takes one line and raises AnswerError, and nothing else, when it cannot be read.
"""

import re

from msgspec import Struct

from drivers.modem.command import answers_query, name_of

CSQ_FLOOR_DBM = -113  # 3GPP TS 27.007 clause 8.5: 0 is -113 dBm or less, 2 dB a step
UNKNOWN_LEVEL = 99
UNKNOWN_CESQ = 255
LONGEST_NUMBER = 41  # an address of 20 digits, with room for what networks put in; longer is noise

_FIELD = re.compile(r'\s*(?:"([^"]*)"\s*(?=,|\Z)|([^,]*))')


class AnswerError(ValueError):
    """A line that does not say what its name promises."""


class Registration(Struct, frozen=True):
    """+CREG, +CGREG, +CEREG, asked or not. `technology` is 3GPP's access technology number, `area` and `cell` hex."""

    state: int
    area: str | None = None
    cell: str | None = None
    technology: int | None = None

    @property
    def registered(self) -> bool:
        """1 home and 5 roaming; 9 and 10 are the same with a voice fallback that is not preferred."""
        return self.state in (1, 5, 9, 10)


class Operator(Struct, frozen=True):
    mode: int
    name: str | None = None
    technology: int | None = None


class Level(Struct, frozen=True):
    """+CSQ or +CESQ: strength in dBm, None when not known; `quality` is the bit error class, or RSRQ in dB."""

    dbm: int | None
    quality: float | None = None


class Storage(Struct, frozen=True):
    """One memory of +CPMS; `name` is empty in the answer to a choice."""

    name: str
    used: int
    total: int


class ListedCall(Struct, frozen=True):
    """One +CLCC line. States: 0 active, 1 held, 2 dialling, 3 alerting, 4 incoming, 5 waiting, 6 ended (SIMCom)."""

    index: int
    incoming: bool
    state: int
    voice: bool
    conference: bool
    number: str | None = None


class VendorCall(Struct, frozen=True):
    """Quectel's ccinfo and ^DSCI. `state` as in +CLCC; released is 6 whatever the vendor's own figure."""

    index: int
    incoming: bool
    state: int
    number: str | None = None
    voice: bool = True
    conference: bool | None = None  # None: it does not say


class HuaweiCall(Struct, frozen=True):
    """^ORIG, ^CONF, ^CONN, ^CEND. `cause` is that of 3GPP TS 24.008 annex H, of an end; None: it does not say."""

    index: int
    cause: int | None = None


class Stored(Struct, frozen=True):
    """Where a message or report lies: +CMTI, +CDSI."""

    memory: str
    index: int


class StoredPdu(Struct, frozen=True):
    """+CMGR or one entry of +CMGL. State 0 and 1: received, 2 and 3: to send. `length` is octets without the SMSC."""

    state: int
    length: int
    pdu: bytes
    index: int | None = None

    @property
    def has_smsc(self) -> bool:
        """Whether the PDU begins with the SMSC: not when the TPDU's stated length fills it already."""
        return len(self.pdu) != self.length


class Ussd(Struct, frozen=True):
    """+CUSD. State 0 done, 1 answer wanted, 2 ended by the network, 4 not supported, 5 timed out."""

    state: int
    text: str | None = None
    dcs: int | None = None


def fields(line: str, *names: str) -> list[str]:
    """What stands behind the name, split at commas outside quotes. An odd quote counts as missing its partner."""
    if name_of(line) not in names:
        raise AnswerError(f"{line[:80]!r} is no {' or '.join(names)} line")
    body = line.partition(":")[2].strip()
    if body.count('"') % 2:
        return [part.strip(' "') for part in body.split(",")]
    found: list[str] = []
    position = -1
    while position < len(body):
        match = _FIELD.match(body, position + 1)
        assert match is not None  # the second form takes anything up to a comma
        found.append(match[1].strip() if match[1] is not None else match[2].strip(' "'))
        position = match.end(0)
    return found


def _number(parts: list[str], at: int, line: str) -> int:
    try:
        return _decimal(parts[at])
    except (IndexError, ValueError) as e:
        raise AnswerError(f"{line[:80]!r} has no number in field {at + 1}") from e


def _decimal(text: str) -> int:
    if not re.fullmatch(r"-?[0-9]{1,9}", text):
        raise ValueError(text)
    return int(text)


def _optional(parts: list[str], at: int) -> int | None:
    try:
        return _decimal(parts[at])
    except (IndexError, ValueError):
        return None


def _text(parts: list[str], at: int) -> str | None:
    return (parts[at] or None) if at < len(parts) else None


def _caller(parts: list[str], at: int) -> str | None:
    number = _text(parts, at)
    return number if number and len(number) <= LONGEST_NUMBER else None


def registration(line: str) -> Registration:
    """+CREG, +CGREG, +CEREG: the answer (mode first) and the news (state first) alike."""
    parts = fields(line, "+CREG", "+CGREG", "+CEREG")
    at = 1 if answers_query(name_of(line), line) else 0
    return Registration(_number(parts, at, line), _text(parts, at + 1), _text(parts, at + 2), _optional(parts, at + 3))


creg = cgreg = cereg = registration


def cops(line: str) -> Operator:
    parts = fields(line, "+COPS")
    return Operator(_number(parts, 0, line), _text(parts, 2), _optional(parts, 3))


def csq(line: str) -> Level:
    """0-31 are -113 to -51 dBm; 100-191 are TD-SCDMA's RSCP and 99 or 199 unknown."""
    parts = fields(line, "+CSQ")
    steps, errors = _number(parts, 0, line), _optional(parts, 1)
    known = 0 <= steps <= 31
    return Level(CSQ_FLOOR_DBM + 2 * steps if known else None, None if errors in (None, UNKNOWN_LEVEL) else errors)


def cesq(line: str) -> Level:
    """+CESQ: rxlev, ber, rscp, ecno, rsrq, rsrp; the strongest statement is LTE's RSRP, then RSCP, then rxlev."""
    parts = fields(line, "+CESQ")
    rxlev, rscp, rsrq, rsrp = (_number(parts, at, line) for at in (0, 2, 4, 5))
    if 0 <= rsrp <= 97:
        return Level(rsrp - 141, rsrq / 2 - 20 if 0 <= rsrq <= 34 else None)
    if 0 <= rscp <= 96:
        return Level(rscp - 121)
    return Level(rxlev - 111 if 0 <= rxlev <= 63 else None)


def cpin(line: str) -> str:
    """READY, SIM PIN, SIM PUK, PH-NET PIN, NOT INSERTED..."""
    said = _text(fields(line, "+CPIN"), 0)
    if said is None:
        raise AnswerError(f"{line[:80]!r} does not say how the SIM is")
    return said.upper()


def pin_tries(line: str) -> int | None:
    """PIN tries left, of +CPINR, +QPINC, +SPIC, ^CPIN; None on a line about another code."""
    parts = fields(line, "+CPINR", "+QPINC", "+SPIC", "^CPIN")
    name = name_of(line)
    if name in ("+CPINR", "+QPINC"):
        return _number(parts, 1, line) if parts[0].upper() in ("SIM PIN", "SC") else None
    return _number(parts, 3 if name == "^CPIN" else 0, line)  # Huawei: state, tries of it, PUK, PIN, PUK2, PIN2


def ims(line: str) -> bool:
    """Quectel `+QCFG: "ims",setting,up`: whether voice over LTE is up."""
    parts = fields(line, "+QCFG")
    if parts[0].lower() != "ims":
        raise AnswerError(f"{line[:80]!r} is not about IMS")
    return _number(parts, 2, line) == 1


def qcsq(line: str) -> Level:
    """Quectel `+QCSQ: "LTE",rssi,rsrp,sinr,rsrq` and `"GSM",rssi`, dBm and dB."""
    parts = fields(line, "+QCSQ")
    lte = parts[0].upper() in ("LTE", "CAT-M1", "CAT-NB1", "EMTC", "NBIOT")
    return Level(_optional(parts, 2 if lte else 1), _optional(parts, 4) if lte else None)


def level(line: str) -> Level:
    """Any answer about strength."""
    read = {"+CSQ": csq, "+CESQ": cesq, "+QCSQ": qcsq}.get(name_of(line))
    if read is None:
        raise AnswerError(f"{line[:80]!r} says nothing of strength")
    return read(line)


def cpms(line: str) -> tuple[Storage, ...]:
    """Up to three memories: for reading, for sending, for receiving; names are missing in the answer to a choice."""
    parts = fields(line, "+CPMS")
    named = bool(parts[0]) and not parts[0].isdigit()
    step = 3 if named else 2
    return tuple(
        Storage(parts[at] if named else "", _number(parts, at + step - 2, line), _number(parts, at + step - 1, line))
        for at in range(0, len(parts) - step + 1, step)[:3]
    )


def cpms_readable(line: str) -> tuple[str, ...]:
    """The memories that can be read, of AT+CPMS=?: the first list."""
    listed = re.match(r"\s*\(([^)]*)\)", line.partition(":")[2]) if name_of(line) == "+CPMS" else None
    if listed is None:
        raise AnswerError(f"{line[:80]!r} lists no memories")
    return tuple(name.strip(' "') for name in listed[1].split(","))


def clcc(line: str) -> ListedCall:
    parts = fields(line, "+CLCC")
    index, direction, state, mode, conference = (_number(parts, at, line) for at in range(5))
    return ListedCall(index, direction == 1, state, mode == 0, conference == 1, _caller(parts, 5))


def clip(line: str) -> str | None:
    """The caller's number; None when withheld."""
    return _caller(fields(line, "+CLIP"), 0)


def ccwa(line: str) -> str | None:
    """The number of a second caller; None when withheld. The answer to AT+CCWA? is no news and is refused."""
    parts = fields(line, "+CCWA")
    if len(parts) < 2:
        raise AnswerError(f"{line[:80]!r} tells of no call")
    return _caller(parts, 0)


def cmti(line: str) -> Stored:
    parts = fields(line, "+CMTI")
    return Stored(parts[0], _number(parts, 1, line))


def cdsi(line: str) -> Stored:
    parts = fields(line, "+CDSI")
    return Stored(parts[0], _number(parts, 1, line))


def _hex(line: str) -> bytes:
    try:
        return bytes.fromhex(line.strip())
    except ValueError as e:
        raise AnswerError(f"{line[:80]!r} is no PDU in hex") from e


def cmgr(lines: tuple[str, ...]) -> StoredPdu | None:
    """The two lines of AT+CMGR in PDU mode; None for an empty place."""
    if not lines:
        return None
    parts = fields(lines[0], "+CMGR")
    length = _number(parts, 2, lines[0]) if len(parts) > 2 else _number(parts, len(parts) - 1, lines[0])
    if length == 0:
        return None
    if len(lines) < 2:
        raise AnswerError(f"{lines[0][:80]!r} came without its PDU")
    return StoredPdu(_optional(parts, 0) or 0, length, _hex(lines[1]))


def cmgl(lines: tuple[str, ...]) -> list[StoredPdu | AnswerError]:
    """All of AT+CMGL in PDU mode; an entry that cannot be read is its error, and costs the others nothing."""
    found: list[StoredPdu | AnswerError] = []
    for header, pdu in zip(lines, (*lines[1:], ""), strict=False):
        if name_of(header) != "+CMGL":
            continue
        try:
            parts = fields(header, "+CMGL")
            index, state, length = (_number(parts, at, header) for at in (0, 1, 3 if len(parts) > 3 else 2))
            found.append(StoredPdu(state, length, _hex(pdu), index))
        except AnswerError as e:
            found.append(e)
    return found


def cmgs(line: str) -> int:
    """The message reference, 0-255, that its delivery report will carry."""
    reference = _number(fields(line, "+CMGS"), 0, line)
    if not 0 <= reference <= 255:
        raise AnswerError(f"{line[:80]!r}: a message reference is 0 to 255")
    return reference


def ccinfo(line: str) -> VendorCall:
    """Quectel `+QIND: "ccinfo",id,dir,state,mode,multiparty,number,type`; state -1 is released."""
    parts = fields(line, "+QIND")
    if parts[0].lower() != "ccinfo":
        raise AnswerError(f"{line[:80]!r} is not about a call")
    index, direction, state = (_number(parts, at, line) for at in (1, 2, 3))
    joined = _optional(parts, 5)
    return VendorCall(
        index, direction == 1, 6 if state < 0 else state, _caller(parts, 6), _optional(parts, 4) in (None, 0),
        None if joined is None else joined == 1,
    )  # fmt: skip


def dsci(line: str) -> VendorCall:
    """`^DSCI: id,dir,state,type,number,number type`; state 6 is released."""
    parts = fields(line, "^DSCI")
    index, direction, state = (_number(parts, at, line) for at in (0, 1, 2))
    return VendorCall(index, direction == 1, state, _caller(parts, 4))


def huawei_call(line: str) -> HuaweiCall:
    """`^ORIG:id,type`, `^CONF:id`, `^CONN:id,type`, `^CEND:id,seconds,status,cause`."""
    parts = fields(line, "^ORIG", "^CONF", "^CONN", "^CEND")
    return HuaweiCall(_number(parts, 0, line), _optional(parts, 3) if name_of(line) == "^CEND" else None)


def cusd(line: str) -> Ussd:
    """`+CUSD: state[,"text"[,dcs]]`; quotes and line ends may stand inside the text, which is returned as sent."""
    if name_of(line) != "+CUSD":
        raise AnswerError(f"{line[:80]!r} is no +CUSD line")
    body = line.partition(":")[2].strip()
    match = re.fullmatch(r'([0-9])\s*(?:,\s*(?:"(.*)"|([^"]*?))\s*(?:,\s*([0-9]{0,3})\s*)?)?', body, re.DOTALL)
    if match is None:
        match = re.fullmatch(r'([0-9])\s*,\s*"(.*)()()', body, re.DOTALL)  # its closing quote was lost
    if match is None:
        raise AnswerError(f"{line[:80]!r} does not begin with a state")
    text = match[2] if match[2] is not None else match[3]
    return Ussd(int(match[1]), text or None, int(match[4]) if match[4] else None)
