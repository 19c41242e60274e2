"""Unasked lines into events: calls and keys. Lines that say nothing of these, or cannot be read, give none."""

from collections.abc import Callable

from drivers.modem import answers
from drivers.modem.answers import AnswerError, VendorCall
from drivers.modem.at import Urc
from drivers.modem.command import CALL_ENDINGS, name_of
from drivers.modem.events import (
    CALL_STATES,
    CallEnded,
    Caller,
    CallReported,
    CallState,
    KeyHeard,
    ModemEvent,
    NetworkTime,
    Ring,
    UssdSaid,
)
from drivers.modem.network_time import network_time

KEYS = "0123456789*#ABCD"
FULL = ("^SMMEMFULL", "+SMS FULL")  # Huawei, SIMCom; Quectel says +QIND: "smsfull"
HUAWEI_STATES: dict[str, CallState] = {"^ORIG": "dialling", "^CONF": "alerting", "^CONN": "active"}


def events_of(urc: Urc) -> tuple[ModemEvent, ...]:
    """What one unasked line says of calls, keys and USSD."""
    read = READERS.get(urc.name)
    if read is None:
        return (CallEnded(urc.name),) if urc.name in CALL_ENDINGS else ()
    try:
        return read(urc.line)
    except AnswerError:
        return ()


def says_full(urc: Urc) -> bool:
    """Whether it says that a memory takes no more messages."""
    return urc.name in FULL or (urc.name == "+QIND" and '"smsfull"' in urc.line.lower())


def _listed(line: str) -> tuple[ModemEvent, ...]:
    call = answers.clcc(line)
    return _call(VendorCall(call.index, call.incoming, call.state, call.number), "+CLCC") if call.voice else ()


def _call(call: VendorCall, source: str) -> tuple[ModemEvent, ...]:
    if not 0 <= call.state < len(CALL_STATES):
        return ()
    return (CallReported(CALL_STATES[call.state], call.number, source, call.incoming, call.index),)


def _quectel(line: str) -> tuple[ModemEvent, ...]:
    return _call(answers.ccinfo(line), "+QIND")


def _voice_call(line: str) -> tuple[ModemEvent, ...]:
    """SIMCom: `VOICE CALL: BEGIN` and `VOICE CALL: END: 000008`, seconds."""
    said = line.partition(":")[2].strip().upper()
    if said.startswith("BEGIN"):
        return (CallReported("active", None, "VOICE CALL"),)
    return (CallEnded(line),) if said.startswith("END") else ()


def _missed(line: str) -> tuple[ModemEvent, ...]:
    """SIMCom: `MISSED_CALL: 11:53AM 08020866256`."""
    words = line.split()
    return (CallEnded("MISSED_CALL", words[-1] if len(words) > 2 else None),)


def _huawei(line: str) -> tuple[ModemEvent, ...]:
    name = name_of(line)
    if name == "^CEND":
        return (CallEnded(line),)
    return (CallReported(HUAWEI_STATES[name], None, name),)


def _key(line: str) -> tuple[ModemEvent, ...]:
    key = line.partition(":")[2].strip(' "').upper()
    return (KeyHeard(key),) if len(key) == 1 and key in KEYS else ()


def _key_in_ascii(line: str) -> tuple[ModemEvent, ...]:
    """Quectel: `+QTONEDET: 48` is the key 0."""
    said = line.partition(":")[2].strip()
    key = chr(int(said)) if said.isascii() and said.isdigit() and len(said) <= 3 else ""
    return (KeyHeard(key.upper()),) if key and key.upper() in KEYS else ()


def _ussd(line: str) -> tuple[ModemEvent, ...]:
    said = answers.cusd(line)
    return (UssdSaid(said.state, said.text, said.dcs),)


READERS: dict[str, Callable[[str], tuple[ModemEvent, ...]]] = {
    "RING": lambda line: (Ring(),),
    "+CRING": lambda line: (Ring(),),
    "+CLIP": lambda line: (Caller(answers.clip(line)),),
    "+CCWA": lambda line: (Caller(answers.ccwa(line), waiting=True),),
    "+CLCC": _listed,
    "+QIND": _quectel,
    "^DSCI": lambda line: _call(answers.dsci(line), "^DSCI"),
    "VOICE CALL": _voice_call,
    "MISSED_CALL": _missed,
    "^ORIG": _huawei,
    "^CONF": _huawei,
    "^CONN": _huawei,
    "^CEND": _huawei,
    "+RXDTMF": _key,
    "+DTMF": _key,
    "^DDTMF": _key,
    "+QTONEDET": _key_in_ascii,
    "+CUSD": _ussd,
    "+CTZE": lambda line: (NetworkTime(network_time(line)),),
}
